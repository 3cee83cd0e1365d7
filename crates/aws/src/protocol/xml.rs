//! XML: replies and errors of Query, out of the neutral form, by a table.

use serde_json::Value;

use super::error::WireError;
use super::shape::{List, Map, Service, Shape, Structure};

const PROLOGUE: &str = "<?xml version=\"1.0\"?>";

/// The body of a reply to an operation: its result, if it says any, and the request's id.
pub fn write(
    service: &Service,
    operation: &str,
    shape: &Structure,
    reply: &Value,
    id: &str,
) -> Vec<u8> {
    let mut xml = Writer(PROLOGUE.to_owned());
    xml.open_in(&format!("{operation}Response"), service.namespace);
    if !shape.name.is_empty() {
        let result = format!("{operation}Result");
        xml.element(&result, |xml| xml.structure(shape, reply));
    }
    xml.element("ResponseMetadata", |xml| xml.text_element("RequestId", id));
    xml.close(&format!("{operation}Response"));
    xml.0.into_bytes()
}

/// The body of an error.
pub fn write_error(service: &Service, error: &WireError, id: &str) -> Vec<u8> {
    let mut xml = Writer(PROLOGUE.to_owned());
    xml.open_in("ErrorResponse", service.namespace);
    xml.element("Error", |xml| {
        xml.text_element("Type", error.fault());
        xml.text_element("Code", service.code(error));
        xml.text_element("Message", error.message());
        xml.0.push_str("<Detail/>");
    });
    xml.text_element("RequestId", id);
    xml.close("ErrorResponse");
    xml.0.into_bytes()
}

/// Names come from tables and need no escape; texts do.
struct Writer(String);

impl Writer {
    fn open_in(&mut self, name: &str, namespace: &str) {
        self.0.push_str(&format!("<{name} xmlns=\"{namespace}\">"));
    }

    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    fn element(&mut self, name: &str, content: impl FnOnce(&mut Writer)) {
        self.open(name);
        content(self);
        self.close(name);
    }

    fn text_element(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.text(text));
    }

    fn structure(&mut self, shape: &Structure, value: &Value) {
        for member in shape.members {
            match value.get(member.name) {
                None | Some(Value::Null) => {}
                Some(value) => self.member(member.wire, &member.shape, value),
            }
        }
    }

    fn member(&mut self, name: &str, shape: &Shape, value: &Value) {
        match shape {
            Shape::List(list) => self.list(name, list, value),
            Shape::Map(map) => self.map(name, map, value),
            Shape::Structure(shape) => self.element(name, |xml| xml.structure(shape, value)),
            _ => self.element(name, |xml| xml.scalar(value)),
        }
    }

    fn list(&mut self, name: &str, list: &List, value: &Value) {
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        match list.within {
            None => items.iter().for_each(|item| self.member(name, &list.item, item)),
            Some(within) => self.element(name, |xml| {
                items.iter().for_each(|item| xml.member(within, &list.item, item));
            }),
        }
    }

    fn map(&mut self, name: &str, map: &Map, value: &Value) {
        let entries = value.as_object().into_iter().flatten();
        let write = |xml: &mut Writer, key: &str, value: &Value| {
            xml.text_element(map.key, key);
            xml.member(map.value, &map.item, value);
        };
        match map.within {
            None => entries.for_each(|(k, v)| self.element(name, |xml| write(xml, k, v))),
            Some(within) => self.element(name, |xml| {
                entries.for_each(|(k, v)| xml.element(within, |xml| write(xml, k, v)));
            }),
        }
    }

    fn scalar(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(text),
            other => self.0.push_str(&other.to_string()),
        }
    }

    /// A carriage return is escaped, or a parser would make it a new line; so is what would end the
    /// text. What XML has no way to say (control characters, in an error's echo) is replaced.
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#xD;"),
                '\t' | '\n' => self.0.push(c),
                c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::protocol::shape::{error, member};

    static LIST: List = List { item: Shape::Long, within: None };
    static NAMED_LIST: List = List { item: Shape::Text, within: Some("member") };
    static MAP: Map = Map { key: "Name", value: "Value", item: Shape::Boolean, within: None };
    static THING: Structure = Structure {
        name: "Thing",
        members: &[
            member("text", "Text", Shape::Text),
            member("numbers", "Number", Shape::List(&LIST)),
            member("names", "Names", Shape::List(&NAMED_LIST)),
            member("map", "Entry", Shape::Map(&MAP)),
            member("next", "Next", Shape::Structure(&THING)),
        ],
    };
    static NOTHING: Structure = Structure { name: "", members: &[] };
    static SERVICE: Service = Service {
        target_prefix: "Test",
        version: "1",
        namespace: "urn:x",
        errors: &[error("Known", "Test.Known", 403)],
    };

    fn written(shape: &Structure, value: &Value) -> String {
        let whole = String::from_utf8(write(&SERVICE, "Do", shape, value, "id")).unwrap();
        let start = "<?xml version=\"1.0\"?><DoResponse xmlns=\"urn:x\">";
        let end = "<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>";
        whole.strip_prefix(start).unwrap().strip_suffix(end).unwrap().to_owned()
    }

    #[test]
    fn writes_members_in_the_order_of_the_table() {
        let value = json!({
            "next": { "text": "" }, "map": { "a": true }, "names": ["x"], "numbers": [1, 2],
            "text": "t", "other": 1,
        });
        assert_eq!(
            written(&THING, &value),
            "<DoResult><Text>t</Text><Number>1</Number><Number>2</Number>\
             <Names><member>x</member></Names><Entry><Name>a</Name><Value>true</Value></Entry>\
             <Next><Text></Text></Next></DoResult>"
        );
        assert_eq!(written(&THING, &json!({ "text": null })), "<DoResult></DoResult>");
        assert_eq!(written(&NOTHING, &json!({})), "");
    }

    #[test]
    fn escapes_what_a_parser_would_change() {
        let text = json!({ "text": "<&>\"'\r\n\t\u{0}\u{ffff}ä" });
        let shown = "&lt;&amp;&gt;&quot;'&#xD;\n\t\u{fffd}\u{fffd}ä";
        assert_eq!(written(&THING, &text), format!("<DoResult><Text>{shown}</Text></DoResult>"));
    }

    #[test]
    fn an_error_has_the_code_that_query_knows() {
        let known = WireError::new(StatusCode::BAD_REQUEST, "x#Known".to_owned(), "a < b");
        let body = String::from_utf8(write_error(&SERVICE, &known, "id")).unwrap();
        assert!(
            body.contains(
                "<Error><Type>Sender</Type><Code>Test.Known</Code><Message>a &lt; b</Message><Detail/>"
            ),
            "{body}"
        );
        assert_eq!(SERVICE.status(&known), StatusCode::FORBIDDEN);
        let other = WireError::new(StatusCode::BAD_GATEWAY, "x#Other".to_owned(), "");
        assert_eq!(
            (SERVICE.code(&other), SERVICE.status(&other)),
            ("Other", StatusCode::BAD_GATEWAY)
        );
        assert_eq!(other.fault(), "Receiver");
    }
}
