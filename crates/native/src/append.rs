//! What an append asks for, in whatever form it came, and its answer.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use lineside_core::events::{AppendReply, Boundary, Expected, Query, QueryItem};
use lineside_core::id::{EventNumber, Label, Version};

use crate::bounds::{EVENTS_MAX, KEY_BYTES_MAX, MEMBERS_MAX};
use crate::cloudevents::{
    Mode, Origin, Proposed, Required, read_batch, read_binary, read_event, read_structured,
    write_value,
};
use crate::json::{self, Raw, Type};
use crate::params::whole;
use crate::problem::{Kind, Problem};
use crate::query;
use crate::text::{misfit_of_stream, misfit_of_tag, shown};

/// The header that says which version a stream has to have.
pub const EXPECTED_VERSION: &str = "expected-version";

/// The header that makes an append safe to repeat.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Before an idempotency key, where it is the tag of the first event of its append.
pub const KEY_TAG_PREFIX: &str = "idempotency:";

/// Events, and the condition under which they are appended.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The events, in order. A batch of CloudEvents may be empty (HTTP binding, section 3.3.2), and
    /// then there is nothing to append: [`write_nothing`] is the answer.
    pub events: Vec<Proposed>,
    /// The versions that streams have to have.
    pub expected: Vec<(Label, Expected)>,
    /// What must not have come.
    pub boundary: Option<Boundary>,
    /// What says that this was done before. An idempotency key is one: the first event has it as
    /// its tag.
    pub unless: Option<Query>,
}

impl Proposal {
    /// Reads a request. `stream` is the one that the path names, if it names one: then all events
    /// go there, what is expected may be said of it alone, and an idempotency key is one of it.
    pub fn read(
        headers: &HeaderMap,
        body: &[u8],
        stream: Option<&str>,
    ) -> Result<Proposal, Problem> {
        let mut proposal = match Mode::of(headers) {
            Mode::Binary => Proposal::of(vec![read_binary(headers, body)?]),
            Mode::Structured => Proposal::of(vec![read_structured(body)?]),
            Mode::Batch => Proposal::of(read_batch(body)?),
            Mode::Native => native(json::document(body)?, stream)?,
            Mode::Unknown => return Err(unknown(headers)),
        };
        if let Some(stream) = stream {
            proposal.put_into(stream)?;
        }
        proposal.expect(headers, stream)?;
        proposal.once(headers, stream)?;
        Ok(proposal)
    }

    fn of(events: Vec<Proposed>) -> Proposal {
        Proposal { events, expected: Vec::new(), boundary: None, unless: None }
    }

    /// Puts all events into a stream.
    fn put_into(&mut self, stream: &str) -> Result<(), Problem> {
        for event in &mut self.events {
            if event.stream.as_deref().is_some_and(|own| own != stream) {
                let own = shown(event.stream.as_deref().unwrap_or_default());
                let detail = format!("An event is for the stream {own}, not {}.", shown(stream));
                let next = "Leave its attribute `stream` out, or append it to /v1/events.";
                return Err(Problem::new(Kind::InvalidEvent, detail).next(next));
            }
            event.stream = Some(stream.to_owned());
        }
        Ok(())
    }

    /// Takes the expected version out of the headers; what the body expects has to hold too.
    fn expect(&mut self, headers: &HeaderMap, stream: Option<&str>) -> Result<(), Problem> {
        let Some(value) = header(headers, EXPECTED_VERSION)? else { return Ok(()) };
        let Some(stream) = stream else {
            let detail = "The header Expected-Version speaks of one stream, and the path of none.";
            let next = "Append to /v1/streams/{stream}, or say `expected` in the body.";
            return Err(in_header(EXPECTED_VERSION, detail).next(next));
        };
        let expected = named(value).map_or_else(|| version(value), Ok)?;
        self.expected.push((Label::new(stream), expected));
        Ok(())
    }

    /// Makes an idempotency key into what it is a form of: a tag, and a query for it.
    fn once(&mut self, headers: &HeaderMap, stream: Option<&str>) -> Result<(), Problem> {
        let Some(value) = header(headers, IDEMPOTENCY_KEY)? else { return Ok(()) };
        // The draft of the header has quotation marks around the key; senders have them or not.
        let key = value.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(value);
        let tag = format!("{KEY_TAG_PREFIX}{key}");
        let fits = (1..=KEY_BYTES_MAX).contains(&key.len()) && misfit_of_tag(&tag).is_none();
        if !fits {
            let detail = format!("An idempotency key has 1 to {KEY_BYTES_MAX} letters, no comma.");
            return Err(in_header(IDEMPOTENCY_KEY, detail));
        }
        let item = QueryItem {
            tags: vec![Label::new(tag.as_str())],
            stream: stream.map(Label::new),
            ..QueryItem::default()
        };
        match &mut self.unless {
            // Without items it means everything, and the key cannot make that more.
            Some(unless) if unless.items.is_empty() => {}
            Some(unless) => unless.items.push(item),
            None => self.unless = Some(Query::of(item)),
        }
        let Some(first) = self.events.first_mut() else { return Ok(()) };
        // Beyond what callers may name there is room for it, for an item and for a tag.
        if !first.tags.contains(&tag) {
            first.tags.push(tag);
        }
        Ok(())
    }
}

/// Our own form: an event, an array of events, or an object with events and conditions.
fn native(raw: Raw<'_>, stream: Option<&str>) -> Result<Proposal, Problem> {
    if Type::of(raw) == Type::Array {
        return Ok(Proposal::of(events(raw, "", Origin::Batch)?));
    }
    let members = json::members(raw, MEMBERS_MAX).map_err(|misfit| invalid(misfit, ""))?;
    if !members.iter().any(|(name, _)| name == "events") {
        return Ok(Proposal::of(vec![read_event(raw, Origin::Body, Required::Type)?]));
    }
    let mut proposal = Proposal::of(Vec::new());
    for (name, value) in members {
        match name.as_str() {
            "events" => proposal.events = events(value, "/events", Origin::Events)?,
            "expected" => proposal.expected = expected(value, stream)?,
            "boundary" => proposal.boundary = Some(boundary(value)?),
            "unless" => proposal.unless = Some(query::read(value, "/unless")?),
            _ => {
                let known = "events, expected, boundary and unless";
                let detail = format!("An append has {known}, and no {}.", shown(&name));
                return Err(invalid(detail, ""));
            }
        }
    }
    Ok(proposal)
}

/// Events in our own form, at least one.
fn events(raw: Raw<'_>, place: &str, at: fn(usize) -> Origin) -> Result<Vec<Proposed>, Problem> {
    let all = json::elements(raw, EVENTS_MAX).map_err(|misfit| invalid(misfit, place))?;
    if all.is_empty() {
        return Err(invalid("There is no event to append.".to_owned(), place));
    }
    let one = |(index, raw)| read_event(raw, at(index), Required::Type);
    all.into_iter().enumerate().map(one).collect()
}

/// What is expected: of the stream of the path, or of each stream that is named.
fn expected(raw: Raw<'_>, stream: Option<&str>) -> Result<Vec<(Label, Expected)>, Problem> {
    let at = "/expected";
    match (Type::of(raw), stream) {
        (Type::Object, _) => {
            let members = json::members(raw, EVENTS_MAX).map_err(|misfit| invalid(misfit, at))?;
            members.into_iter().map(|(name, value)| expected_of(name, value)).collect()
        }
        (Type::Text | Type::Number, Some(stream)) => {
            Ok(vec![(Label::new(stream), expectation(raw, at)?)])
        }
        (Type::Text | Type::Number, None) => {
            let detail = "The path names no stream that this could be expected of.";
            let next = "Name the streams: {\"expected\": {\"account-42\": 7}}.";
            Err(invalid(detail.to_owned(), at).next(next))
        }
        (other, _) => {
            let rule = "What is expected is a version, or an object with one for each stream";
            Err(invalid(format!("{rule}, and this is {other}."), at))
        }
    }
}

fn expected_of(stream: String, value: Raw<'_>) -> Result<(Label, Expected), Problem> {
    let at = json::pointer("/expected", &stream);
    match misfit_of_stream(&stream) {
        Some(misfit) => Err(invalid(misfit, &at)),
        None => Ok((Label::new(stream), expectation(value, &at)?)),
    }
}

/// A version, or `any`, `empty`, `exists`.
fn expectation(raw: Raw<'_>, at: &str) -> Result<Expected, Problem> {
    if Type::of(raw) == Type::Number {
        let version = json::number(raw).map_err(|misfit| invalid(misfit, at))?;
        return Ok(Expected::At(Version(version)));
    }
    let text = json::text(raw).map_err(|misfit| invalid(misfit, at))?;
    named(&text).ok_or_else(|| {
        let rule = "A version is a number, or any, empty or exists";
        invalid(format!("{rule}, and not {}.", shown(&text)), at)
    })
}

fn named(text: &str) -> Option<Expected> {
    match text {
        "any" => Some(Expected::Any),
        "empty" => Some(Expected::Empty),
        "exists" => Some(Expected::Exists),
        _ => None,
    }
}

fn version(text: &str) -> Result<Expected, Problem> {
    let version = whole(EXPECTED_VERSION, text).map_err(|_| {
        let rule = "A version is a number, or any, empty or exists";
        in_header(EXPECTED_VERSION, format!("{rule}, and not {}.", shown(text)))
    })?;
    Ok(Expected::At(Version(version)))
}

fn boundary(raw: Raw<'_>) -> Result<Boundary, Problem> {
    let at = "/boundary";
    let members = json::members(raw, MEMBERS_MAX).map_err(|misfit| invalid(misfit, at))?;
    let (mut query, mut after) = (None, None);
    for (name, value) in members {
        match name.as_str() {
            "query" => query = Some(query::read(value, "/boundary/query")?),
            "after" => {
                let number = json::number(value);
                after = Some(number.map_err(|misfit| invalid(misfit, "/boundary/after"))?);
            }
            _ => {
                let detail = format!("A boundary has query and after, and no {}.", shown(&name));
                return Err(invalid(detail, at));
            }
        }
    }
    match (query, after) {
        (Some(query), Some(after)) => Ok(Boundary { query, after: EventNumber(after) }),
        _ => {
            let detail = "A boundary has a query, and after which event nothing may match it.";
            Err(invalid(detail.to_owned(), at))
        }
    }
}

fn invalid(detail: String, at: &str) -> Problem {
    Problem::new(Kind::InvalidBody, detail).at(at)
}

fn in_header(name: &str, detail: impl Into<String>) -> Problem {
    Problem::new(Kind::InvalidParameter, detail).at(format!("header {name}"))
}

/// The value of one of our headers, if it is there.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str();
            text.map(Some).map_err(|_| in_header(name, "The header has letters beyond ASCII."))
        }
        _ => Err(in_header(name, "The header is there twice.")),
    }
}

/// A body of a form that nothing here reads.
fn unknown(headers: &HeaderMap) -> Problem {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let detail = match kind {
        None => "The request has no Content-Type, and no headers ce-*.".to_owned(),
        Some(kind) => format!("Bodies of {} are not read here without headers ce-*.", shown(kind)),
    };
    let problem = Problem::new(Kind::UnsupportedMediaType, detail).at("header content-type");
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let next = "Say what the body is: with curl, --json instead of -d.";
    if is_form { problem.next(next) } else { problem }
}

/// The answer to an append.
pub fn write_reply(reply: &AppendReply) -> Bytes {
    let mut out = Vec::new();
    out.extend_from_slice(br#"{"first":"#);
    write_value(&mut out, &reply.first.0);
    out.extend_from_slice(br#","last":"#);
    write_value(&mut out, &reply.last.0);
    out.extend_from_slice(br#","again":"#);
    write_value(&mut out, &reply.again);
    out.extend_from_slice(br#","streams":{"#);
    for (index, (stream, version)) in reply.streams.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(&mut out, stream.as_str());
        out.push(b':');
        write_value(&mut out, &version.0);
    }
    out.extend_from_slice(b"}}");
    Bytes::from(out)
}

/// The answer to an append of an empty batch.
pub fn write_nothing() -> Bytes {
    Bytes::from_static(br#"{"first":null,"last":null,"again":false,"streams":{}}"#)
}

#[cfg(test)]
mod tests;
