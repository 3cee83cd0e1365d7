//! A queue's messages as events: what entered by another face, read here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lineside_core::command::Peeked;
use lineside_core::id::{Name, Seq};
use lineside_core::payload::{Attribute, Payload};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::cloudevents::{STRUCTURED_TYPE, read_structured};
use crate::json;
use crate::time::text_of;

/// The type of a message that is no CloudEvent by itself.
pub const MESSAGE_TYPE: &str = "lineside.queue.message.v1";

/// A message as it stands, with what it carries; or why that cannot be read.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the queue knows of it.
    pub message: Peeked,
    /// What it carries.
    pub payload: Result<Payload, String>,
}

/// Messages, and the number to go on at; `queue` is the queue's full name.
pub fn write_messages(queue: &Name, all: &[Shown], next: Option<Seq>) -> Bytes {
    let mut out = String::from("{\"messages\":[");
    for (index, one) in all.iter().enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        let state = Value::Object(state(one)).to_string();
        out.push_str(state.strip_suffix('}').unwrap_or(&state));
        out.push_str(",\"event\":");
        match &one.payload {
            Ok(payload) => out.push_str(event(queue, &one.message, payload).get()),
            Err(_) => out.push_str("null"),
        }
        out.push('}');
    }
    let next = next.map_or("null".to_owned(), |Seq(next)| next.to_string());
    out.push_str("],\"next\":");
    out.push_str(&next);
    out.push('}');
    Bytes::from(out)
}

/// What the queue knows of a message beside the event that it is.
fn state(one: &Shown) -> Map<String, Value> {
    let message = &one.message;
    // One that waits is visible since it was sent.
    let word = match (message.lease, message.visible_at > message.sent_at) {
        (Some(_), _) => "in-flight",
        (None, true) => "delayed",
        (None, false) => "waiting",
    };
    let mut members = Map::new();
    members.insert("number".into(), message.seq.0.into());
    members.insert("state".into(), word.into());
    members.insert("receives".into(), message.receives.into());
    if let Some(group) = &message.group {
        members.insert("group".into(), group.as_str().into());
    }
    if let Some(origin) = &message.origin {
        members.insert("dead_lettered_from".into(), origin.as_str().into());
    }
    match &one.payload {
        Ok(payload) if payload.attributes.is_empty() => {}
        Ok(payload) => {
            let all = payload.attributes.iter();
            let all = all.map(|one| (one.name.as_str().to_owned(), attribute(one)));
            members.insert("attributes".into(), Value::Object(all.collect()));
        }
        Err(why) => drop(members.insert("unreadable".into(), why.as_str().into())),
    }
    members
}

fn attribute(one: &Attribute) -> Value {
    match str::from_utf8(&one.value) {
        Ok(text) => json!({"type": one.kind.as_str(), "value": text}),
        Err(_) => json!({"type": one.kind.as_str(), "value_base64": STANDARD.encode(&*one.value)}),
    }
}

/// The event that a message is: the CloudEvent that it carries, or one that carries its body.
fn event(queue: &Name, message: &Peeked, payload: &Payload) -> Box<RawValue> {
    if let Some(own) = own_event(payload) {
        return own;
    }
    let mut members = json!({
        "specversion": "1.0",
        "id": message.id.to_string(),
        "source": format!("urn:lineside:{}", queue.as_str().replace('/', ":")),
        "type": MESSAGE_TYPE,
        "stream": queue.as_str(),
        "streamversion": message.seq.0.to_string(),
        "storedtime": text_of(message.sent_at),
    });
    if let Value::Object(members) = &mut members {
        let (kind, name, data) = data(&payload.body);
        if let Some(kind) = kind {
            members.insert("datacontenttype".into(), kind.into());
        }
        members.insert(name.into(), data);
    }
    to_raw_value(&members).unwrap_or_default()
}

/// The CloudEvent in structured mode that a message says that it carries, if it does.
fn own_event(payload: &Payload) -> Option<Box<RawValue>> {
    let is_kind = |one: &&Attribute| {
        one.name.as_str() == "contentType" && one.value.starts_with(STRUCTURED_TYPE.as_bytes())
    };
    payload.attributes.iter().find(is_kind)?;
    read_structured(&payload.body).ok()?;
    serde_json::from_slice(&payload.body).ok()
}

/// A body as the data of an event: JSON as JSON, else a text, else bytes.
fn data(body: &[u8]) -> (Option<&'static str>, &'static str, Value) {
    if json::is_document(body)
        && let Ok(value) = serde_json::from_slice(body)
    {
        return (Some("application/json"), "data", value);
    }
    match str::from_utf8(body) {
        Ok(text) => (Some("text/plain"), "data", text.into()),
        Err(_) => (None, "data_base64", STANDARD.encode(body).into()),
    }
}

#[cfg(test)]
mod tests {
    use lineside_core::id::{BodyRef, Epoch, Label, MessageId, PartitionId, Place};
    use lineside_core::stamp::Stamp;
    use minicbor::bytes::ByteVec;

    use super::*;

    fn shown(body: &[u8], attributes: Vec<Attribute>) -> Shown {
        let id = MessageId::new(PartitionId(0), Epoch(1), Place::default());
        let message = Peeked {
            id,
            seq: Seq(7),
            ordered: false,
            body: BodyRef { place: Place::default(), len: 1 },
            sent_at: Stamp(1_000),
            receives: 2,
            first_received_at: None,
            origin: None,
            reason: None,
            group: Some(Label::new("g")),
            visible_at: Stamp(1_000),
            lease: None,
        };
        let body = ByteVec::from(body.to_vec());
        let (group, dedup, trace, sender) = (None, None, None, None);
        Shown { message, payload: Ok(Payload { body, attributes, group, dedup, trace, sender }) }
    }

    fn written(one: Shown) -> Value {
        let queue = Name::new("aws/000000000000/us-east-1/queue/q");
        let body = write_messages(&queue, &[one], Some(Seq(8)));
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["next"], 8);
        document["messages"][0].clone()
    }

    #[test]
    fn a_message_is_an_event_that_carries_its_body() {
        for (body, name, data) in [
            (&br#"{"a":1}"#[..], "data", json!({"a": 1})),
            (b"hello", "data", json!("hello")),
            (b"\xff\x00", "data_base64", json!("/wA=")),
        ] {
            let one = written(shown(body, Vec::new()));
            assert_eq!(one["event"][name], data);
            assert_eq!(one["event"]["streamversion"], "7");
            assert_eq!(one["event"]["stream"], "aws/000000000000/us-east-1/queue/q");
            assert_eq!(one["state"], "waiting");
            let structured = one["event"].to_string();
            assert!(read_structured(structured.as_bytes()).is_ok(), "{structured}");
        }
    }

    #[test]
    fn a_message_that_is_an_event_is_that_event() {
        let own = r#"{"specversion":"1.0","id":"x","source":"/a","type":"t","data":1.50}"#;
        let kind = Attribute {
            name: Label::new("contentType"),
            kind: Label::new("String"),
            value: ByteVec::from(STRUCTURED_TYPE.as_bytes().to_vec()),
        };
        let one = written(shown(own.as_bytes(), vec![kind.clone()]));
        assert_eq!((&one["event"]["id"], &one["event"]["type"]), (&json!("x"), &json!("t")));
        assert_eq!(one["attributes"]["contentType"]["value"], STRUCTURED_TYPE);
        let no_event = written(shown(b"{}", vec![kind]));
        assert_eq!(no_event["event"]["type"], MESSAGE_TYPE);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let one = Shown { payload: Err("damaged".to_owned()), ..shown(b"", Vec::new()) };
        let one = written(one);
        assert_eq!((&one["event"], &one["unreadable"]), (&Value::Null, &json!("damaged")));
    }
}
