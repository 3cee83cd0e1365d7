//! AWS JSON: requests into typed shapes, replies and errors out of them.

use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An error as the wire shows it: the namespaced name of its shape, and a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireError {
    status: StatusCode,
    kind: String,
    message: String,
}

impl WireError {
    pub(crate) fn new(status: StatusCode, kind: String, message: impl Into<String>) -> WireError {
        WireError { status, kind, message: message.into() }
    }

    /// A request that is no JSON, or JSON of other types than the operation's.
    pub(crate) fn serialization(message: impl Into<String>) -> WireError {
        let kind = "com.amazon.coral.service#SerializationException".to_owned();
        WireError::new(StatusCode::BAD_REQUEST, kind, message)
    }

    /// A target that is no operation of a service that is here.
    pub(crate) fn unknown_operation(target: &str) -> WireError {
        let kind = "com.amazon.coral.service#UnknownOperationException".to_owned();
        let shown: String = target.chars().take(200).collect();
        let message =
            format!("The operation {shown:?} is not one of a service that is served here.");
        WireError::new(StatusCode::BAD_REQUEST, kind, message)
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The last part of its name.
    pub(crate) fn code(&self) -> &str {
        self.kind.rsplit('#').next().unwrap_or(&self.kind)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            __type: &'a str,
            message: &'a str,
        }
        write(&Body { __type: &self.kind, message: &self.message })
    }
}

/// Reads a request. Nesting is bounded by the parser (128), size by whoever read the body.
pub(crate) fn read<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, WireError> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| WireError::serialization(error.to_string()))
}

/// Writes a reply.
pub(crate) fn write<T: Serialize>(reply: &T) -> Vec<u8> {
    let written = serde_json::to_vec(reply);
    assert!(written.is_ok(), "generated shapes have string keys, so they can be written");
    written.unwrap_or_default()
}
