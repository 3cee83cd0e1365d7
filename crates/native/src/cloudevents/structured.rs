//! Structured and batched mode (HTTP binding, sections 3.2 and 3.3) in the JSON format.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, PAD};
use bytes::Bytes;
use lineside_core::events::{EventBody, EventContent, ExtensionValue};
use serde::Serialize;

use super::event::{Data, Draft, Origin, Proposed, Required, attributes};
use crate::bounds::{DATA_BYTES_MAX, EVENTS_MAX, MEMBERS_MAX, TAGS_MAX};
use crate::json::{self, Members, Raw, Type};
use crate::problem::{Kind, Problem};
use crate::text::is_json;

/// RFC 4648, section 4. Bits that the last letter has and no byte needs are not looked at, as a
/// reader may do (section 3.5): they carry nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

const LENIENT: GeneralPurposeConfig = PAD.with_decode_allow_trailing_bits(true);

/// Reads one event.
pub(crate) fn read(body: &[u8]) -> Result<Proposed, Problem> {
    event(json::document(body)?, Origin::Body, Required::CloudEvents)
}

/// Reads a batch. It may be empty.
pub(crate) fn read_batch(body: &[u8]) -> Result<Vec<Proposed>, Problem> {
    let all = json::elements(json::document(body)?, EVENTS_MAX);
    let all = all.map_err(|misfit| Problem::new(Kind::InvalidBody, misfit))?;
    let one = |(index, raw)| event(raw, Origin::Batch(index), Required::CloudEvents);
    all.into_iter().enumerate().map(one).collect()
}

/// Reads one event out of a body.
pub(crate) fn event(raw: Raw<'_>, at: Origin, required: Required) -> Result<Proposed, Problem> {
    let invalid = |misfit| Problem::new(Kind::InvalidEvent, misfit).at(at.event());
    let members = json::members(raw, MEMBERS_MAX).map_err(invalid)?;
    let mut draft = Draft::default();
    for (name, value) in &members {
        if name != "data" && name != "data_base64" {
            attribute(&mut draft, at, name, value, required)?;
        }
    }
    if let Some(data) = data(draft.content_type(), &members, at)? {
        draft.data(data);
    }
    draft.finish(at, required)
}

/// One attribute (section 2.2). One that is null is not there.
fn attribute(
    draft: &mut Draft,
    at: Origin,
    name: &str,
    value: Raw<'_>,
    required: Required,
) -> Result<(), Problem> {
    let misfit = |misfit| at.problem(name, misfit);
    match Type::of(value) {
        Type::Null => Ok(()),
        Type::Text => draft.text(at, name, json::text(value).map_err(misfit)?),
        Type::Bool => draft.other(at, name, ExtensionValue::Bool(value.get() == "true")),
        Type::Number => {
            let number = json::whole(value).parse().map_err(|_| {
                let range = "A number here is whole, and from -2147483648 to 2147483647";
                misfit(format!("{range}; this is {}.", json::cut(value)))
            })?;
            draft.other(at, name, ExtensionValue::Integer(number))
        }
        // Only our own form has tags as an array: CloudEvents has no type for one.
        Type::Array if name == "tags" && required == Required::Type => {
            let tags = json::elements(value, TAGS_MAX).map_err(misfit)?;
            let tags: Result<Vec<_>, _> = tags.into_iter().map(json::text).collect();
            draft.tags(at, tags.map_err(misfit)?)
        }
        other => {
            let rule = "An attribute is a string, a whole number or a boolean";
            Err(misfit(format!("{rule}, and `{}` is {other}.", crate::text::shown(name))))
        }
    }
}

/// The data (section 3.1.2).
fn data(
    content_type: Option<&str>,
    members: &Members<'_>,
    at: Origin,
) -> Result<Option<Data>, Problem> {
    let of = |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, raw)| *raw);
    let base64 = of("data_base64").filter(|raw| Type::of(raw) != Type::Null);
    let data = match (of("data"), base64) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let detail = "The event has `data` and `data_base64`, and only one of them can be it.";
            return Err(at.problem("data_base64", detail));
        }
        (Some(value), None) => Data { bytes: text_data(content_type, value, at)?, is_text: true },
        (None, Some(value)) => Data { bytes: binary_data(value, at)?, is_text: false },
    };
    if data.bytes.len() > DATA_BYTES_MAX {
        let len = data.bytes.len();
        let detail = format!("The data has {len} bytes; at most {DATA_BYTES_MAX} fit.");
        return Err(Problem::new(Kind::TooLarge, detail).at(at.of("data")));
    }
    Ok(Some(data))
}

/// A JSON value stays as it came; what is not JSON is the text in a string.
fn text_data(content_type: Option<&str>, value: Raw<'_>, at: Origin) -> Result<Vec<u8>, Problem> {
    match content_type.filter(|kind| !is_json(kind)) {
        None => Ok(value.get().into()),
        Some(kind) => json::text(value).map(String::into_bytes).map_err(|misfit| {
            let detail =
                format!("Data of {} is text in a string. {misfit}", crate::text::shown(kind));
            at.problem("data", detail)
        }),
    }
}

fn binary_data(value: Raw<'_>, at: Origin) -> Result<Vec<u8>, Problem> {
    let text = json::text(value).map_err(|misfit| at.problem("data_base64", misfit))?;
    BASE64.decode(text).map_err(|error| {
        let detail = format!("`data_base64` is no base64 (RFC 4648, section 4): {error}.");
        at.problem("data_base64", detail)
    })
}

/// Writes a recorded event as one JSON object; the data as it came.
pub fn write(event: &EventBody) -> Bytes {
    let mut out = Vec::with_capacity(event.content.data_bytes() + 512);
    write_to(&mut out, event);
    Bytes::from(out)
}

/// Writes a batch.
pub fn write_batch(events: &[EventBody]) -> Bytes {
    let mut out = Vec::new();
    write_array(&mut out, events);
    Bytes::from(out)
}

/// Writes an array of events behind what is there.
pub(crate) fn write_array(out: &mut Vec<u8>, events: &[EventBody]) {
    out.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_to(out, event);
    }
    out.push(b']');
}

/// Writes an event as one JSON object behind what is there.
pub(crate) fn write_to(out: &mut Vec<u8>, event: &EventBody) {
    let mut separator = b'{';
    for (name, text) in attributes(event) {
        out.push(separator);
        separator = b',';
        named(out, name, text.as_ref());
    }
    let content = &event.content;
    if let Some(content_type) = &content.content_type {
        member(out, "datacontenttype", content_type.as_str());
    }
    for (name, extension) in &content.extensions {
        match extension {
            ExtensionValue::Text(text) => member(out, name.as_str(), text.as_str()),
            ExtensionValue::Bool(flag) => member(out, name.as_str(), flag),
            ExtensionValue::Integer(number) => member(out, name.as_str(), number),
        }
    }
    write_data(out, content);
    out.push(b'}');
}

/// Section 3.1.1.
fn write_data(out: &mut Vec<u8>, content: &EventContent) {
    let Some(data) = &content.data else { return };
    let is_json = content.content_type.as_ref().is_none_or(|kind| is_json(kind.as_str()));
    match str::from_utf8(data).ok().filter(|_| content.is_text) {
        Some(json) if is_json => {
            out.extend_from_slice(br#","data":"#);
            out.extend_from_slice(json.as_bytes());
        }
        Some(text) => member(out, "data", text),
        None => member(out, "data_base64", &BASE64.encode(data.as_slice())),
    }
}

fn member<T: Serialize + ?Sized>(out: &mut Vec<u8>, name: &str, content: &T) {
    out.push(b',');
    named(out, name, content);
}

fn named<T: Serialize + ?Sized>(out: &mut Vec<u8>, name: &str, content: &T) {
    value(out, name);
    out.push(b':');
    value(out, content);
}

/// Writes a value behind what is there.
pub(crate) fn value<T: Serialize + ?Sized>(out: &mut Vec<u8>, content: &T) {
    let written = serde_json::to_writer(out, content);
    assert!(written.is_ok(), "texts, numbers and booleans can be written to memory");
}
