//! AWS JSON: requests into typed shapes, replies and errors out of them. Straight through serde,
//! without a table or a neutral form between: this is the protocol of every present SDK.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::WireError;

/// Reads a request. Nesting is bounded by the parser (128), size by whoever read the body.
pub fn read<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, WireError> {
    if body.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| WireError::serialization(error.to_string()))
}

/// Writes a reply.
pub fn write<T: Serialize>(reply: &T) -> Vec<u8> {
    let written = serde_json::to_vec(reply);
    assert!(written.is_ok(), "generated shapes have string keys, so they can be written");
    written.unwrap_or_default()
}

/// The neutral form of a reply.
pub(crate) fn neutral<T: Serialize>(reply: &T) -> Value {
    let value = serde_json::to_value(reply);
    assert!(value.is_ok(), "generated shapes have string keys, so they have a neutral form");
    value.unwrap_or_default()
}

/// The body of an error.
pub(super) fn error(error: &WireError) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        __type: &'a str,
        message: &'a str,
    }
    // Two products that stand in for AWS give this one by the name that its framework has for it.
    let kind = match error.code() {
        "MissingParameter" => "com.amazon.coral.service#MissingRequiredParameterException",
        _ => error.kind(),
    };
    write(&Body { __type: kind, message: error.message() })
}
