//! An event as it lies in the log, and as a query sees it.

// What minicbor derives for a type with a tag names it.
extern crate alloc;

use bytes::Bytes;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::codec::CodecError;
use crate::id::{EventNumber, Label, QueueId, Text, Version};
use crate::stamp::Stamp;

/// What whoever appended an event said about it: the attributes of a CloudEvent (CloudEvents 1.0.2,
/// section 3) as they were given. The numbers are part of the format on disk.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct EventContent {
    /// `id`: with the source, unique for who sent it. Nothing here rests on that.
    #[n(0)]
    pub id: Label,
    /// `source`.
    #[n(1)]
    pub source: Text,
    /// `type`.
    #[n(2)]
    pub kind: Label,
    /// `subject`.
    #[n(3)]
    pub subject: Option<Text>,
    /// `time`: RFC 3339 as it was given, which says more than a moment (its offset, its digits).
    #[n(4)]
    pub time: Option<Text>,
    /// `datacontenttype`.
    #[n(5)]
    pub content_type: Option<Text>,
    /// `dataschema`.
    #[n(6)]
    pub schema: Option<Text>,
    /// The data's bytes exactly as they were given.
    #[n(7)]
    pub data: Option<ByteVec>,
    /// Whether the data can stand in a JSON document as text or as a JSON value; else it is shown in
    /// base64.
    #[n(8)]
    pub is_text: bool,
    /// Attributes that no other field has, in the order in which they were given.
    #[n(9)]
    pub extensions: Vec<(Label, ExtensionValue)>,
    /// The id of the event that this one came of.
    #[n(10)]
    pub causation: Option<Label>,
    /// `traceparent` of the distributed tracing extension.
    #[n(11)]
    pub traceparent: Option<Label>,
}

impl EventContent {
    /// A new one without anything that may be left out.
    pub fn new(id: Label, source: Text, kind: Label) -> EventContent {
        EventContent {
            id,
            source,
            kind,
            subject: None,
            time: None,
            content_type: None,
            schema: None,
            data: None,
            is_text: false,
            extensions: Vec::new(),
            causation: None,
            traceparent: None,
        }
    }

    /// Bytes of the data.
    pub fn data_bytes(&self) -> usize {
        self.data.as_ref().map_or(0, |data| data.len())
    }

    /// Bytes of everything beside data and type.
    pub fn context_bytes(&self) -> usize {
        let texts = [&self.subject, &self.time, &self.content_type, &self.schema];
        let texts: usize = texts.into_iter().flatten().map(|text| text.as_str().len()).sum();
        let labels = [Some(&self.id), self.causation.as_ref(), self.traceparent.as_ref()];
        let labels: usize = labels.into_iter().flatten().map(|label| label.as_str().len()).sum();
        let extensions = self.extensions.iter();
        let extensions: usize =
            extensions.map(|(name, value)| name.as_str().len() + value.bytes()).sum();
        self.source.as_str().len() + texts + labels + extensions
    }
}

/// The value of an extension, in those of CloudEvents' types that a JSON document tells apart
/// (section 3.1 there, and section 2.2 of its JSON format); the others are texts.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum ExtensionValue {
    /// A text.
    #[n(0)]
    Text(#[n(0)] Text),
    /// `true` or `false`.
    #[n(1)]
    Bool(#[n(0)] bool),
    /// A whole number.
    #[n(2)]
    Integer(#[n(0)] i32),
}

impl ExtensionValue {
    fn bytes(&self) -> usize {
        match self {
            ExtensionValue::Text(text) => text.as_str().len(),
            ExtensionValue::Bool(_) => 1,
            ExtensionValue::Integer(_) => size_of::<i32>(),
        }
    }
}

/// Where an event stands: what its store gave it, and what it is found by. The numbers are part of
/// the format on disk.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Assigned {
    /// The event store.
    #[n(0)]
    pub store: QueueId,
    /// Its number in the partition.
    #[n(1)]
    pub number: EventNumber,
    /// Its stream.
    #[n(2)]
    pub stream: Label,
    /// Its number in the stream.
    #[n(3)]
    pub version: Version,
    /// When it was appended.
    #[n(4)]
    pub recorded: Stamp,
    /// Its tags.
    #[n(5)]
    pub tags: Vec<Label>,
    /// What it belongs to.
    #[n(6)]
    pub correlation: Option<Label>,
    /// Which event of its append it is, from 0.
    #[n(7)]
    pub index: u32,
    /// How many events its append has.
    #[n(8)]
    pub count: u32,
}

/// The body of a [`crate::fact::Fact::Appended`]. Compaction keeps bodies and drops facts, so a body
/// alone tells everything about its event. The tag (CBOR, RFC 8949 section 3.4) tells it from the
/// bodies of messages.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(tag(60061))]
pub struct EventBody {
    /// What was said about it.
    #[n(0)]
    pub content: EventContent,
    /// Where it stands.
    #[n(1)]
    pub assigned: Assigned,
}

/// An [`EventBody`] that is written without being copied together first.
#[derive(Encode)]
#[cbor(tag(60061))]
struct Written<'a> {
    #[n(0)]
    content: &'a EventContent,
    #[n(1)]
    assigned: &'a Assigned,
}

/// Room for an event's numbers, and for the lengths of what it carries.
pub(super) const FRAME_BYTES: usize = 128;

impl EventBody {
    /// The body of these two as bytes for the log; the data is copied once.
    pub fn encode_parts(content: &EventContent, assigned: &Assigned) -> Bytes {
        let tags: usize = assigned.tags.iter().map(|tag| tag.as_str().len() + 5).sum();
        let own = content.data_bytes() + content.context_bytes() + tags;
        let labels = content.kind.as_str().len() + assigned.stream.as_str().len();
        let mut out = Vec::with_capacity(own + labels + FRAME_BYTES);
        let written = minicbor::encode(Written { content, assigned }, &mut out);
        assert!(written.is_ok(), "writing CBOR to memory cannot fail");
        Bytes::from(out)
    }

    /// The body as bytes for the log.
    pub fn encode(&self) -> Bytes {
        EventBody::encode_parts(&self.content, &self.assigned)
    }

    /// The event behind bytes from the log; what is there beside it is an error.
    pub fn decode(bytes: &[u8]) -> Result<EventBody, CodecError> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let body = decoder.decode().map_err(|error| CodecError(error.to_string()))?;
        match bytes.len() - decoder.position() {
            0 => Ok(body),
            left => Err(CodecError(format!("{left} bytes after the event"))),
        }
    }

    /// What queries look at.
    pub fn head(&self) -> EventHead<'_> {
        let Assigned { stream, tags, correlation, .. } = &self.assigned;
        EventHead { stream, kind: &self.content.kind, tags, correlation: correlation.as_ref() }
    }
}

/// What a query looks at of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventHead<'a> {
    /// Its stream.
    pub stream: &'a Label,
    /// Its type.
    pub kind: &'a Label,
    /// Its tags.
    pub tags: &'a [Label],
    /// What it belongs to.
    pub correlation: Option<&'a Label>,
}

/// The category of a stream: what its name has before its first `-`, or all of it.
pub fn category_of(stream: &str) -> &str {
    stream.split_once('-').map_or(stream, |(category, _)| category)
}
