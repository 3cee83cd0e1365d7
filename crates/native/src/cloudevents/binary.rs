//! Binary mode (HTTP binding, section 3.1): attributes in headers, the data is the body.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use lineside_core::events::{EventBody, EventContent};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::event::{Data, Draft, Origin, Proposed, Required, attributes, canonical};
use crate::bounds::DATA_BYTES_MAX;
use crate::json;
use crate::problem::{Kind, Problem};
use crate::text::{is_json, is_utf8_text};

/// What stands before the name of an attribute (section 3.1.3.1).
const PREFIX: &str = "ce-";

/// What a header's value does not have as it is (section 3.1.3.2); all that is not ASCII besides.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// Whether headers are those of an event in binary mode.
pub(crate) fn is_binary(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with(PREFIX))
}

/// Reads the event.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Proposed, Problem> {
    let mut draft = Draft::default();
    for name in headers.keys() {
        let Some(attribute) = name.as_str().strip_prefix(PREFIX) else { continue };
        if attribute == "datacontenttype" {
            let detail = "In binary mode the media type of the data is in Content-Type.";
            return Err(Origin::Headers.problem(attribute, detail).at(format!("header {name}")));
        }
        draft.text(Origin::Headers, attribute, decoded(attribute, only(headers, name)?)?)?;
    }
    if headers.contains_key(CONTENT_TYPE) {
        let value = printable("datacontenttype", only(headers, &CONTENT_TYPE)?)?;
        draft.text(Origin::Headers, "datacontenttype", value.to_owned())?;
    }
    // A request cannot say whether it has no data or data of no bytes.
    if !body.is_empty() {
        let data = data(draft.content_type(), body)?;
        draft.data(data);
    }
    draft.finish(Origin::Headers, Required::CloudEvents)
}

/// Data in bytes, which stands in JSON as what its content type says, if that is true of it.
fn data(content_type: Option<&str>, body: &[u8]) -> Result<Data, Problem> {
    if body.len() > DATA_BYTES_MAX {
        let detail = format!("The data has {} bytes; at most {DATA_BYTES_MAX} fit.", body.len());
        return Err(Problem::new(Kind::TooLarge, detail));
    }
    // Without a media type JSON is meant where it is JSON, as in the JSON format: the SDKs leave it
    // out in binary mode too.
    let is_text = match content_type {
        kind if kind.is_none_or(is_json) => json::is_document(body) && is_trimmed(body),
        Some(kind) if is_utf8_text(kind) => str::from_utf8(body).is_ok(),
        _ => false,
    };
    Ok(Data { bytes: body.to_vec(), is_text })
}

/// Space around a JSON value belongs to the document that it stands in, and would be lost there.
fn is_trimmed(body: &[u8]) -> bool {
    body.trim_ascii().len() == body.len()
}

/// The value of a header that is there once. Two values of one attribute are two attributes
/// (specification, "Context Attributes": at most once).
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a HeaderValue, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        _ => {
            let detail = format!("The header {name} is there twice.");
            Err(Problem::new(Kind::InvalidEvent, detail).at(format!("header {name}")))
        }
    }
}

fn printable<'a>(attribute: &str, value: &'a HeaderValue) -> Result<&'a str, Problem> {
    value.to_str().map_err(|_| {
        let detail = "A header has letters beyond ASCII, or control characters.";
        let next = "Percent-encode the UTF-8 of the value (CloudEvents, HTTP binding, 3.1.3.2).";
        Origin::Headers.problem(attribute, detail).next(next)
    })
}

/// The text that a header's value stands for (section 3.1.3.2): unquoted first, as older senders
/// quote; then percent-decoded once. A percent sign that begins no escape is one, since senders
/// that do not encode are common, and it can mean nothing else.
fn decoded(attribute: &str, value: &HeaderValue) -> Result<String, Problem> {
    let value = unquoted(printable(attribute, value)?);
    let decoded = percent_decode_str(&value).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| {
        let detail = "What the header's escapes stand for is not UTF-8.";
        Origin::Headers.problem(attribute, detail)
    })
}

/// A value without the quotation marks around all of it, and the backslashes inside them
/// (RFC 7230, section 3.2.6).
fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else { return value.to_owned() };
    let mut text = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.extend(letters.next()),
            _ => text.push(letter),
        }
    }
    text
}

/// Writes a recorded event: the headers and the body.
pub fn write(event: &EventBody) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    for (name, value) in attributes(event) {
        put(&mut headers, name, &value);
    }
    for (name, value) in &event.content.extensions {
        put(&mut headers, name.as_str(), &canonical(value));
    }
    let content_type = content_type(&event.content).and_then(|kind| kind.try_into().ok());
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, content_type);
    }
    let data = event.content.data.as_ref();
    (headers, data.map(|data| Bytes::copy_from_slice(data)).unwrap_or_default())
}

/// Puts an attribute into headers. Names were checked on the way in, and what is escaped is
/// printable ASCII; an event that came by another way and has a name that no header can have is
/// shown without it.
fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = HeaderName::try_from(format!("{PREFIX}{name}"));
    let value = HeaderValue::try_from(utf8_percent_encode(value, ESCAPED).to_string());
    if let (Ok(name), Ok(value)) = (name, value) {
        headers.insert(name, value);
    }
}

/// The content type; JSON's, where data came in JSON without one (JSON format, section 3.1.2).
fn content_type(content: &EventContent) -> Option<&str> {
    let is_implied = content.data.is_some() && content.is_text;
    let given = content.content_type.as_ref().map(|kind| kind.as_str());
    given.or(is_implied.then_some("application/json"))
}
