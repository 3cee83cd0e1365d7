//! What IAM says when it says no: the model's errors, and texts of its API reference where that has
//! them.

use http::StatusCode;

use crate::ledger::LedgerFault;
use crate::protocol::WireError;

fn error(code: &str, message: impl Into<String>) -> WireError {
    WireError::new(StatusCode::BAD_REQUEST, format!("com.amazonaws.iam#{code}"), message)
}

pub(super) fn no_such_role(name: &str) -> WireError {
    no_such_entity(format!("The role with name {name} cannot be found."))
}

pub(super) fn no_such_entity(message: impl Into<String>) -> WireError {
    error("NoSuchEntityException", message)
}

pub(super) fn already_exists(message: impl Into<String>) -> WireError {
    error("EntityAlreadyExistsException", message)
}

pub(super) fn conflict(message: &str) -> WireError {
    error("DeleteConflictException", message)
}

pub(super) fn malformed_document(why: &str) -> WireError {
    error("MalformedPolicyDocumentException", why)
}

pub(super) fn limit_exceeded(message: impl Into<String>) -> WireError {
    error("LimitExceededException", message)
}

/// The common form of a value that breaks its rule.
pub(super) fn invalid(name: &str, value: &str, rule: &str) -> WireError {
    let shown: String = value.chars().take(200).collect();
    let message = format!(
        "1 validation error detected: Value '{shown}' at '{name}' failed to satisfy constraint: \
         Member must satisfy {rule}"
    );
    WireError::common(StatusCode::BAD_REQUEST, "ValidationError", message)
}

pub(super) fn missing(name: &str) -> WireError {
    let message = format!(
        "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must \
         not be null"
    );
    WireError::common(StatusCode::BAD_REQUEST, "ValidationError", message)
}

impl From<LedgerFault> for WireError {
    /// Retried by the SDKs.
    fn from(fault: LedgerFault) -> WireError {
        let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        WireError::common(status, code, fault.to_string())
    }
}
