//! Events on their way in, and as they come back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event to be appended. What is left out the server gives it: id and source.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewEvent {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id; with the source, unique for whoever sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it comes from, a URI reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The stream that it goes to; the one that the append names, or one named as its type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// What it is found by, beside stream and type.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What it belongs to.
    #[serde(rename = "correlationid", skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// The id of the event that it came of.
    #[serde(rename = "causationid", skip_serializing_if = "Option::is_none")]
    pub causation: Option<String>,
    /// Its data, a JSON value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl NewEvent {
    /// An event of a type, with data.
    pub fn new(kind: impl Into<String>, data: impl Into<Value>) -> NewEvent {
        NewEvent { kind: kind.into(), data: Some(data.into()), ..NewEvent::default() }
    }
}

/// An event of a stream, as a CloudEvent in its JSON format.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Event {
    /// Its number, counted over all streams.
    #[serde(rename = "eventnumber", with = "number")]
    pub number: u64,
    /// Its stream.
    pub stream: String,
    /// Its number in the stream, from 1.
    #[serde(rename = "streamversion", with = "number")]
    pub version: u64,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Where it comes from.
    pub source: String,
    /// When it was stored, RFC 3339.
    #[serde(rename = "storedtime")]
    pub stored: Option<String>,
    /// Its data, if that is JSON or a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// All its other attributes, by their names in CloudEvents.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl Event {
    /// What it is found by, beside stream and type.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let tags = self.others.get("tags").and_then(Value::as_str);
        tags.into_iter().flat_map(|tags| tags.split(','))
    }
}

/// Numbers of 64 bits are texts in CloudEvents, whose integers have 32.
mod number {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
