//! Appending.

use std::collections::BTreeMap;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::Client;
use crate::error::ClientError;
use crate::event::NewEvent;

/// What is appended, and when not.
#[derive(Clone, Debug, Default)]
pub struct Append {
    stream: Option<String>,
    events: Vec<NewEvent>,
    expected: Option<Expected>,
    expected_of: BTreeMap<String, Expected>,
    boundary: Option<(Value, u64)>,
    once: Option<String>,
}

/// What a stream's version has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// It has no events.
    Empty,
    /// It has events.
    Exists,
    /// This one.
    At(u64),
}

/// What an append answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Appended {
    /// The number of the first event.
    pub first: u64,
    /// The number of the last event.
    pub last: u64,
    /// Nothing happened now: it was done before, and this is what was answered then.
    pub again: bool,
    /// The version of each stream that was written to.
    pub streams: BTreeMap<String, u64>,
    /// What makes a read see it: [`crate::Read::at_least`].
    #[serde(default)]
    pub token: String,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Expected::Any => f.write_str("any"),
            Expected::Empty => f.write_str("empty"),
            Expected::Exists => f.write_str("exists"),
            Expected::At(version) => write!(f, "{version}"),
        }
    }
}

impl Expected {
    /// As the body of the API has it: a version is a number.
    fn to_json(self) -> Value {
        match self {
            Expected::At(version) => version.into(),
            word => word.to_string().into(),
        }
    }
}

impl Append {
    /// Events to one stream.
    pub fn to(stream: impl Into<String>, events: impl Into<Vec<NewEvent>>) -> Append {
        Append { stream: Some(stream.into()), events: events.into(), ..Append::default() }
    }

    /// Events to the streams that each names; all of them, or none.
    pub fn of(events: impl Into<Vec<NewEvent>>) -> Append {
        Append { events: events.into(), ..Append::default() }
    }

    /// Only if the stream has this version.
    #[must_use]
    pub fn expect(self, expected: Expected) -> Append {
        Append { expected: Some(expected), ..self }
    }

    /// Only if this stream has this version; may be said of several. The append need not write to
    /// them.
    #[must_use]
    pub fn expect_of(mut self, stream: impl Into<String>, expected: Expected) -> Append {
        self.expected_of.insert(stream.into(), expected);
        self
    }

    /// Only if no event that the query (as in the body of the API) means came after event `after`.
    #[must_use]
    pub fn unless_moved(self, query: Value, after: u64) -> Append {
        Append { boundary: Some((query, after)), ..self }
    }

    /// Safe to repeat: whatever was appended under this key is not appended again.
    #[must_use]
    pub fn once(self, key: impl Into<String>) -> Append {
        Append { once: Some(key.into()), ..self }
    }
}

impl Client {
    /// Appends; when this returns the events are durable.
    pub async fn append(&self, append: &Append) -> Result<Appended, ClientError> {
        let path = match &append.stream {
            Some(stream) => {
                format!("/v1/streams/{}", utf8_percent_encode(stream, NON_ALPHANUMERIC))
            }
            None => "/v1/events".to_owned(),
        };
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(append.expected.map(|it| ("expected-version", it.to_string())));
        headers.extend(append.once.iter().map(|key| ("idempotency-key", key.clone())));
        let mut body = json!({ "events": append.events });
        if let (Some((query, after)), Some(body)) = (&append.boundary, body.as_object_mut()) {
            body.insert("boundary".to_owned(), json!({ "query": query, "after": after }));
        }
        if let (false, Some(body)) = (append.expected_of.is_empty(), body.as_object_mut()) {
            let all = append.expected_of.iter();
            let all = all.map(|(stream, expected)| (stream.clone(), expected.to_json()));
            body.insert("expected".to_owned(), Value::Object(all.collect()));
        }
        let answer = self.ask_whole(Method::POST, &path, &headers, body.to_string().into()).await?;
        let token = answer.headers.get("token").and_then(|token| token.to_str().ok());
        let token = token.unwrap_or_default().to_owned();
        Ok(Appended { token, ..self.decode(&answer.body)? })
    }
}
