//! An error as any protocol shows it.

use http::StatusCode;

/// What a request is refused with: a name, a message, and the status that it has in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    status: StatusCode,
    kind: String,
    message: String,
}

impl WireError {
    /// An error of a namespaced name, such as `com.amazonaws.sqs#QueueDoesNotExist`.
    pub fn new(status: StatusCode, kind: String, message: impl Into<String>) -> WireError {
        WireError { status, kind, message: message.into() }
    }

    /// An error that AWS documents as common to its services.
    pub fn common(status: StatusCode, code: &str, message: impl Into<String>) -> WireError {
        WireError::new(status, format!("com.amazon.coral.service#{code}"), message)
    }

    /// A request that is no JSON, or JSON of other types than the operation's.
    pub fn serialization(message: impl Into<String>) -> WireError {
        WireError::common(StatusCode::BAD_REQUEST, "SerializationException", message)
    }

    /// A target that is no operation of a service that is here.
    pub fn unknown_operation(target: &str) -> WireError {
        let shown: String = target.chars().take(200).collect();
        let message =
            format!("The operation {shown:?} is not one of a service that is served here.");
        WireError::common(StatusCode::BAD_REQUEST, "UnknownOperationException", message)
    }

    /// Its status in JSON.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its whole name.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The last part of its name.
    pub fn code(&self) -> &str {
        self.kind.rsplit('#').next().unwrap_or(&self.kind)
    }

    /// What it says to a person.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whose fault it is, in Query's words.
    pub fn fault(&self) -> &'static str {
        if self.status.is_client_error() { "Sender" } else { "Receiver" }
    }
}
