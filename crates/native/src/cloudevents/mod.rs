//! CloudEvents 1.0.2 over HTTP: binary, structured and batched mode, in and out.
//!
//! Our own code and not the crate `cloudevents-sdk` 0.9, weighed on these:
//!
//! - *Faithful?* It parses data of JSON and writes it anew (`1.0` may leave as `1`, members in
//!   another order), normalizes `time` and `source`, and takes headers as they are, where the
//!   binding wants them unquoted and percent-decoded. A store gives back what it got, byte by byte.
//! - *Strict?* It bounds nothing, and its errors do not say which attribute of which event is
//!   wrong, which a batch needs.
//! - *Size?* With its `http-binding` it brings some eighty packages (chrono, url with Unicode's
//!   tables, snafu, uuid …), most of which nothing else here uses; what we need of it is this
//!   folder.

mod binary;
mod event;
mod structured;
#[cfg(test)]
mod tests;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

pub use binary::write as write_binary;
pub use event::{
    ASSIGNED, Data, EVENT_NUMBER, Proposed, SPEC_VERSION, STORED_TIME, STREAM_VERSION,
};
pub use structured::{write as write_structured, write_batch};

pub(crate) use binary::read as read_binary;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use event::canonical;
pub(crate) use event::{Origin, Required};
pub(crate) use structured::{
    event as read_event, read as read_structured, read_batch, value as write_value, write_array,
    write_to,
};

use crate::text::essence;

/// The media type of one event in the JSON format (its section 3).
pub const STRUCTURED_TYPE: &str = "application/cloudevents+json";

/// The media type of a batch in the JSON format (its section 4.2).
pub const BATCH_TYPE: &str = "application/cloudevents-batch+json";

/// How events stand in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Attributes in headers, the data in the body.
    Binary,
    /// One event in the body.
    Structured,
    /// An array of events in the body.
    Batch,
    /// No CloudEvents: our own form, an event or events with conditions, in `application/json`.
    Native,
    /// None of them.
    Unknown,
}

impl Mode {
    /// By the headers (HTTP binding, section 1.3 and 3): the media type says structured or batch;
    /// of all others, headers `ce-*` say binary.
    pub fn of(headers: &HeaderMap) -> Mode {
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match essence(media_type.unwrap_or_default()).as_str() {
            STRUCTURED_TYPE => Mode::Structured,
            BATCH_TYPE => Mode::Batch,
            // Another format of theirs, which is not read here, is no data of binary mode either.
            other if other.starts_with("application/cloudevents") => Mode::Unknown,
            _ if binary::is_binary(headers) => Mode::Binary,
            "application/json" => Mode::Native,
            _ => Mode::Unknown,
        }
    }
}
