//! An event as it is proposed: how one is put together from attributes, whatever mode they came in,
//! and which attributes a recorded one has.

use std::borrow::Cow;

use lineside_core::events::{EventBody, EventContent, ExtensionValue, NewEvent};
use lineside_core::id::{Label, Text};

use crate::bounds::{
    ATTRIBUTE_BYTES_MAX, EXTENSIONS_MAX, LABEL_BYTES_MAX, TAG_BYTES_MAX, TAGS_MAX,
};
use crate::json::pointer;
use crate::problem::{Kind, Problem};
use crate::text::{is_media_type, is_name, is_string, misfit_of_stream, misfit_of_tag, shown};
use crate::{time, uri};

/// The version of the specification that is spoken.
pub const SPEC_VERSION: &str = "1.0";

/// The attributes that the store alone gives. An event that was read here may be sent as it is:
/// what it was given then is left out, and it is given its own.
///
/// Not `recordedtime`: that is a documented extension for when the *producer* recorded something,
/// which nobody on the way may change, so a producer's is kept like any other extension.
pub const ASSIGNED: [&str; 3] = [EVENT_NUMBER, STREAM_VERSION, STORED_TIME];

/// The event's number: a String, since CloudEvents ends an Integer at 2^31 - 1.
pub const EVENT_NUMBER: &str = "eventnumber";

/// The event's version in its stream: a String, as the number is.
pub const STREAM_VERSION: &str = "streamversion";

/// When the store took the event: a Timestamp.
pub const STORED_TIME: &str = "storedtime";

/// An event that somebody wants to append.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposed {
    /// `id`; CloudEvents has one, an event in our own form may leave it to the server.
    pub id: Option<String>,
    /// `source`, a URI-reference; CloudEvents has one, an event in our own form may leave it out.
    pub source: Option<String>,
    /// `type`.
    pub kind: String,
    /// `subject`.
    pub subject: Option<String>,
    /// `time`, RFC 3339, as it came.
    pub time: Option<String>,
    /// `datacontenttype`, as it came.
    pub content_type: Option<String>,
    /// `dataschema`, a URI.
    pub schema: Option<String>,
    /// The data, if there is any.
    pub data: Option<Data>,
    /// The stream that it names, in the extension `stream`.
    pub stream: Option<String>,
    /// Its tags: the extension `tags`, with commas between them. No tag is there twice.
    pub tags: Vec<String>,
    /// `correlationid`, a documented extension.
    pub correlation: Option<String>,
    /// `causationid`, a documented extension.
    pub causation: Option<String>,
    /// `traceparent`, a documented extension. Not looked into: who reads a trace context that is
    /// malformed has to ignore it (Trace Context, section 3.2.2), not to refuse what it came with.
    pub traceparent: Option<String>,
    /// All other extensions, in the order of their names.
    pub extensions: Vec<(Label, ExtensionValue)>,
}

/// The data of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// The bytes, exactly as they came: of JSON the text of the value, of a string its letters in
    /// UTF-8.
    pub bytes: Vec<u8>,
    /// Whether it stands in JSON as `data` (a JSON value if the content type says JSON or there is
    /// none, else a string); otherwise as `data_base64`.
    pub is_text: bool,
}

/// The canonical string representation (specification, "Type System").
pub(crate) fn canonical(value: &ExtensionValue) -> Cow<'_, str> {
    match value {
        ExtensionValue::Text(text) => text.as_str().into(),
        ExtensionValue::Bool(value) => value.to_string().into(),
        ExtensionValue::Integer(value) => value.to_string().into(),
    }
}

impl Proposed {
    /// What it is appended as, when what it leaves open is known: `stream`, unless it names one;
    /// `source` and `id`, unless it has them.
    pub fn complete(
        self,
        stream: impl FnOnce() -> String,
        source: impl FnOnce() -> String,
        id: impl FnOnce() -> String,
    ) -> NewEvent {
        let (bytes, is_text) = self.data.map_or((None, false), |d| (Some(d.bytes), d.is_text));
        let content = EventContent {
            id: Label::new(self.id.unwrap_or_else(id)),
            source: Text::new(self.source.unwrap_or_else(source)),
            kind: Label::new(self.kind),
            subject: self.subject.map(Text::new),
            time: self.time.map(Text::new),
            content_type: self.content_type.map(Text::new),
            schema: self.schema.map(Text::new),
            data: bytes.map(Into::into),
            is_text,
            extensions: self.extensions,
            causation: self.causation.map(Label::new),
            traceparent: self.traceparent.map(Label::new),
        };
        NewEvent {
            stream: Label::new(self.stream.unwrap_or_else(stream)),
            tags: self.tags.into_iter().map(Label::new).collect(),
            correlation: self.correlation.map(Label::new),
            content,
        }
    }
}

/// The attributes of a recorded event, each as its canonical string, but for its content type and
/// its extensions, which the modes write in different ways. A stamp after the year 9999, which
/// RFC 3339 cannot say, is left out.
pub(super) fn attributes(body: &EventBody) -> Vec<(&'static str, Cow<'_, str>)> {
    let EventBody { content, assigned } = body;
    let tags: Vec<&str> = assigned.tags.iter().map(Label::as_str).collect();
    let all = [
        ("specversion", Some(Cow::Borrowed(SPEC_VERSION))),
        ("id", Some(content.id.as_str().into())),
        ("source", Some(content.source.as_str().into())),
        ("type", Some(content.kind.as_str().into())),
        ("subject", content.subject.as_ref().map(|text| text.as_str().into())),
        ("time", content.time.as_ref().map(|text| text.as_str().into())),
        ("dataschema", content.schema.as_ref().map(|text| text.as_str().into())),
        ("stream", Some(assigned.stream.as_str().into())),
        (STREAM_VERSION, Some(assigned.version.0.to_string().into())),
        (EVENT_NUMBER, Some(assigned.number.0.to_string().into())),
        (STORED_TIME, time::text_of(assigned.recorded).map(Cow::Owned)),
        ("tags", (!tags.is_empty()).then(|| tags.join(",").into())),
        ("correlationid", assigned.correlation.as_ref().map(|id| id.as_str().into())),
        ("causationid", content.causation.as_ref().map(|id| id.as_str().into())),
        ("traceparent", content.traceparent.as_ref().map(|id| id.as_str().into())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Which attributes an event must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Required {
    /// Those of CloudEvents: `id`, `source`, `type`, `specversion`.
    CloudEvents,
    /// A `type` alone, as in our own form.
    Type,
}

/// Where the attributes of an event stand in the request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// In headers.
    Headers,
    /// In the body's only event.
    Body,
    /// In the body's `events`, or in its array: which one.
    Events(usize),
    /// In the element of a batch.
    Batch(usize),
}

impl Origin {
    /// Where an attribute stands.
    pub(crate) fn of(self, name: &str) -> String {
        match self {
            Origin::Headers if name == "datacontenttype" => "header content-type".to_owned(),
            Origin::Headers => format!("header ce-{name}"),
            _ => pointer(&self.event(), name),
        }
    }

    /// Where the event stands.
    pub(crate) fn event(self) -> String {
        match self {
            Origin::Headers | Origin::Body => String::new(),
            Origin::Events(index) => format!("/events/{index}"),
            Origin::Batch(index) => format!("/{index}"),
        }
    }

    /// A problem with an attribute.
    pub(crate) fn problem(self, name: &str, detail: impl Into<String>) -> Problem {
        Problem::new(Kind::InvalidEvent, detail).at(self.of(name))
    }
}

/// An event that is being put together.
#[derive(Default)]
pub(crate) struct Draft {
    event: Proposed,
    has_version: bool,
    has_type: bool,
}

impl Draft {
    /// Takes a value that is text, or whose mode knows nothing else.
    pub(crate) fn text(&mut self, at: Origin, name: &str, value: String) -> Result<(), Problem> {
        check_name(at, name)?;
        check_text(at, name, &value)?;
        match name {
            "specversion" => return self.version(at, &value),
            name if ASSIGNED.contains(&name) => return Ok(()),
            "tags" => {
                let tags = value.split(',').map(|tag| tag.trim().to_owned());
                return self.tags(at, tags.filter(|tag| !tag.is_empty()).collect());
            }
            _ => {}
        }
        let misfit = self.put(name, value);
        misfit.map_or(Ok(()), |misfit| Err(at.problem(name, misfit)))
    }

    /// Takes an extension that is no text. Attributes of a known meaning are text, all of them.
    pub(crate) fn other(
        &mut self,
        at: Origin,
        name: &str,
        value: ExtensionValue,
    ) -> Result<(), Problem> {
        check_name(at, name)?;
        if is_known(name) {
            let value = canonical(&value);
            return Err(at.problem(name, format!("`{name}` is a string, and this is {value}.")));
        }
        if !ASSIGNED.contains(&name) {
            self.event.extensions.push((Label::new(name), value));
        }
        Ok(())
    }

    /// Takes the tags.
    pub(crate) fn tags(&mut self, at: Origin, tags: Vec<String>) -> Result<(), Problem> {
        if tags.len() > TAGS_MAX {
            let detail = format!("An event has at most {TAGS_MAX} tags, not {}.", tags.len());
            return Err(Problem::new(Kind::LimitExceeded, detail).at(at.of("tags")));
        }
        for tag in tags {
            if let Some(misfit) = misfit_of_tag(&tag) {
                return Err(at.problem("tags", misfit));
            }
            if !self.event.tags.contains(&tag) {
                self.event.tags.push(tag);
            }
        }
        Ok(())
    }

    /// Takes the data.
    pub(crate) fn data(&mut self, data: Data) {
        self.event.data = Some(data);
    }

    /// What the content type is so far.
    pub(crate) fn content_type(&self) -> Option<&str> {
        self.event.content_type.as_deref()
    }

    /// The event, if nothing is missing.
    pub(crate) fn finish(mut self, at: Origin, required: Required) -> Result<Proposed, Problem> {
        let all = required == Required::CloudEvents;
        let missing = [
            ("specversion", all && !self.has_version),
            ("id", all && self.event.id.is_none()),
            ("source", all && self.event.source.is_none()),
            ("type", !self.has_type),
        ];
        if let Some((name, _)) = missing.iter().find(|(_, is_missing)| *is_missing) {
            let detail = format!("The attribute `{name}` is missing, which an event has to have.");
            return Err(at.problem(name, detail));
        }
        if self.event.extensions.len() > EXTENSIONS_MAX {
            let detail = format!("An event has at most {EXTENSIONS_MAX} extensions.");
            return Err(Problem::new(Kind::LimitExceeded, detail).at(at.event()));
        }
        self.event.extensions.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(self.event)
    }

    fn version(&mut self, at: Origin, value: &str) -> Result<(), Problem> {
        if value != SPEC_VERSION {
            let detail =
                format!("Events of version {SPEC_VERSION} are read, not {}.", shown(value));
            return Err(at.problem("specversion", detail));
        }
        self.has_version = true;
        Ok(())
    }

    /// Puts a text where it belongs; says what is wrong with it, if something is.
    fn put(&mut self, name: &str, value: String) -> Option<String> {
        let misfit = misfit_of(name, &value);
        let event = &mut self.event;
        let place = match name {
            "id" => &mut event.id,
            "source" => &mut event.source,
            "type" => {
                self.has_type = true;
                event.kind = value;
                return misfit;
            }
            "subject" => &mut event.subject,
            "time" => &mut event.time,
            "datacontenttype" => &mut event.content_type,
            "dataschema" => &mut event.schema,
            "stream" => &mut event.stream,
            "correlationid" => &mut event.correlation,
            "causationid" => &mut event.causation,
            "traceparent" => &mut event.traceparent,
            _ => {
                event.extensions.push((Label::new(name), ExtensionValue::Text(Text::new(value))));
                return None;
            }
        };
        *place = Some(value);
        misfit
    }
}

/// Whether an attribute has a field of its own.
fn is_known(name: &str) -> bool {
    let core = ["specversion", "id", "source", "type", "subject", "time", "datacontenttype"];
    let ours = ["dataschema", "stream", "tags", "correlationid", "causationid", "traceparent"];
    core.contains(&name) || ours.contains(&name)
}

fn check_name(at: Origin, name: &str) -> Result<(), Problem> {
    if is_name(name) {
        return Ok(());
    }
    let rule = "An attribute's name is made of lower-case letters and digits, at most 64 of them";
    Err(at.problem(name, format!("{rule}, and is not `data`; this one is {}.", shown(name))))
}

fn check_text(at: Origin, name: &str, value: &str) -> Result<(), Problem> {
    let (len, max) = (value.len(), longest(name));
    if len > max {
        let detail = format!("The value of `{name}` has {len} bytes; at most {max} are taken.");
        return Err(Problem::new(Kind::LimitExceeded, detail).at(at.of(name)));
    }
    if !is_string(value) {
        let detail = format!(
            "The value of `{name}`, {}, has a control character, or a code point that is no \
             character.",
            shown(value)
        );
        return Err(at.problem(name, detail));
    }
    Ok(())
}

/// How long the value of an attribute may be; all tags together are longer than another one.
fn longest(name: &str) -> usize {
    match name {
        "tags" => TAGS_MAX * (TAG_BYTES_MAX + 2),
        "type" | "correlationid" => LABEL_BYTES_MAX,
        _ => ATTRIBUTE_BYTES_MAX,
    }
}

/// What is wrong with the value of an attribute, by the rule of its own.
fn misfit_of(name: &str, value: &str) -> Option<String> {
    let must_be = |fits: bool, what: &str| {
        (!fits).then(|| format!("`{name}` is {what}, and {} is not.", shown(value)))
    };
    match name {
        "source" => must_be(uri::is_reference(value), "a URI-reference (RFC 3986)"),
        "dataschema" => must_be(uri::is_uri(value), "a URI (RFC 3986)"),
        "time" => must_be(time::is_moment(value), "a moment (RFC 3339, 2026-01-31T12:00:00Z)"),
        "datacontenttype" => must_be(is_media_type(value), "a media type (RFC 2046)"),
        "stream" => misfit_of_stream(value),
        "id" | "type" | "subject" | "correlationid" | "causationid" if value.is_empty() => {
            Some(format!("`{name}` is empty, which it must not be."))
        }
        _ => None,
    }
}
