//! An event as a message of anybody's queue: structured, as CloudEvents' protocol bindings have it.

use lineside_core::command::{NewDedup, NewMessage};
use lineside_core::events::{EventBody, ExtensionValue};
use lineside_core::id::{Label, Text};
use lineside_core::payload::{Attribute, Payload};
use minicbor::bytes::ByteVec;

use crate::cloudevents::{STRUCTURED_TYPE, write_structured};

/// The attribute that says that the body is an event.
const CONTENT_TYPE: &str = "contentType";
/// CloudEvents' claim check: where the data is that is not here (its extension `dataref`).
const DATAREF: &str = "dataref";

/// The message of an event for a queue that takes so many bytes. An event that is larger goes
/// without its data, and says where that can be read.
pub fn message_of(event: &EventBody, limit: u32) -> NewMessage {
    let whole = message(event);
    if whole.size <= limit {
        return whole;
    }
    let mut without = event.clone();
    without.content.data = None;
    let place = format!("/v1/events/{}", event.assigned.number.0);
    let dataref = (Label::new(DATAREF), ExtensionValue::Text(Text::new(place)));
    without.content.extensions.retain(|(name, _)| name.as_str() != DATAREF);
    without.content.extensions.push(dataref);
    message(&without)
}

fn message(event: &EventBody) -> NewMessage {
    let text = write_structured(event);
    let kind = "String";
    let size = text.len() + CONTENT_TYPE.len() + kind.len() + STRUCTURED_TYPE.len();
    let group = event.assigned.stream.clone();
    let payload = Payload {
        body: ByteVec::from(text.to_vec()),
        attributes: vec![Attribute {
            name: Label::new(CONTENT_TYPE),
            kind: Label::new(kind),
            value: ByteVec::from(STRUCTURED_TYPE.as_bytes().to_vec()),
        }],
        group: Some(group.clone()),
        dedup: Some(Label::new(event.assigned.number.0.to_string())),
        trace: None,
        sender: None,
    };
    NewMessage {
        body: payload.encode().into(),
        size: u32::try_from(size).unwrap_or(u32::MAX),
        delay: None,
        group: Some(group),
        dedup: NewDedup::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudevents::read_structured;
    use crate::fuzzing::recorded;

    fn event(data: &str) -> EventBody {
        let body =
            format!(r#"{{"specversion":"1.0","id":"1","source":"/a","type":"t","data":"{data}"}}"#);
        let event = read_structured(body.as_bytes()).unwrap();
        recorded(event.complete(|| "s".into(), String::new, String::new), 6)
    }

    fn body(message: &NewMessage) -> String {
        let payload = Payload::decode(&message.body).unwrap();
        String::from_utf8(payload.body.to_vec()).unwrap()
    }

    #[test]
    fn a_message_is_the_event_in_structured_mode_in_the_group_of_its_stream() {
        let message = message_of(&event("x"), 1024);
        assert!(body(&message).contains(r#""data":"x""#));
        assert_eq!(message.group, Some(Label::new("s")));
        let attributes = Payload::decode(&message.body).unwrap().attributes;
        assert_eq!(attributes[0].name.as_str(), "contentType");
        let length = body(&message).len() + "contentTypeString".len() + STRUCTURED_TYPE.len();
        assert_eq!(message.size as usize, length);
    }

    #[test]
    fn an_event_that_is_too_large_says_where_its_data_is() {
        let large = event(&"x".repeat(1024));
        let message = message_of(&large, 1024);
        assert!(message.size <= 1024 && message_of(&large, 2048).size > 1024);
        assert!(body(&message).contains(r#""dataref":"/v1/events/7""#), "{}", body(&message));
        assert!(!body(&message).contains("xxx"));
    }
}
