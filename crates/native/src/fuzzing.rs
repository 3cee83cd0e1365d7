//! What is said of every input to the parsers, whoever made it: a fuzzer (`make fuzz`) or the
//! corpus in `fuzz/corpus`, which the tests below replay. Each function takes one input and panics
//! if something does not hold for it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what does not hold must be seen"
)]

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use lineside_core::events::{Assigned, EventBody, NewEvent};
use lineside_core::id::{EventNumber, QueueId, Version};
use lineside_core::stamp::Stamp;
use serde_json::Value;

use crate::append::Proposal;
use crate::bounds::{
    DATA_BYTES_MAX, EVENTS_MAX, EXTENSIONS_MAX, LEASE_SECONDS_MAX, LIMIT_MAX, NUMBER_MAX,
    PARKED_MAX, QUERY_ITEMS_MAX, RECEIPTS_MAX, RECEIVE_MAX, TAGS_MAX,
};
use crate::cloudevents::{
    BATCH_TYPE, Proposed, STRUCTURED_TYPE, canonical, write_batch, write_binary, write_structured,
};
use crate::frame::{Frames, last_event_id};
use crate::problem::Problem;
use crate::read::{ReadEvent, ReadEvents, ReadStream};
use crate::subscription::{Ack, Feeding, Park, Receive, Replay, Spec, name_of_path};

/// Binary mode: lines of headers, an empty line, a body.
pub fn binary(data: &[u8]) {
    let Some((headers, body)) = request_of(data) else { return };
    match Proposal::read(&headers, body, None) {
        Err(problem) => assert_shown(&problem),
        Ok(proposal) => proposed(proposal),
    }
}

/// Structured mode: the body.
pub fn structured(data: &[u8]) {
    json_of(STRUCTURED_TYPE, data);
}

/// Batched mode: the body.
pub fn batch(data: &[u8]) {
    json_of(BATCH_TYPE, data);
}

/// Our own form: the body.
pub fn append(data: &[u8]) {
    json_of("application/json", data);
}

/// What is asked of a subscription: the body, as each of its operations takes it.
pub fn subscription(data: &[u8]) {
    shown(Spec::read(data), |spec| {
        assert!(spec.query.items.len() <= QUERY_ITEMS_MAX);
        if let Feeding::Workers { lease, attempts, .. } = spec.feeding {
            assert!((1..=LEASE_SECONDS_MAX).contains(&lease.as_seconds()));
            assert!((1..=1000).contains(&attempts));
        }
    });
    shown(Receive::read(data), |receive| assert!((1..=RECEIVE_MAX).contains(&receive.max)));
    shown(Ack::read(data), |ack| match ack {
        Ack::Receipts(receipts) => assert!(receipts.len() <= RECEIPTS_MAX),
        Ack::Upto { upto, .. } => assert!(upto.0 <= NUMBER_MAX),
    });
    for park in [Park::read_nack(data), Park::read_park(data)] {
        shown(park, |park| assert!((1..=RECEIPTS_MAX).contains(&park.receipts.len())));
    }
    shown(Replay::read(data), |replay| match replay {
        Replay::Ids(ids) => assert!(ids.len() <= PARKED_MAX),
        Replay::Oldest(max) => assert!(max > 0),
    });
    if let Ok(Err(problem)) = str::from_utf8(data).map(name_of_path) {
        assert_shown(&problem);
    }
}

fn shown<T>(read: Result<T, Problem>, holds: impl FnOnce(T)) {
    match read {
        Err(problem) => assert_shown(&problem),
        Ok(read) => holds(read),
    }
}

/// A query string, as every read takes it; the first line of the input, and the second is Accept,
/// Last-Event-ID, and the part of a path.
pub fn parameters(data: &[u8]) {
    let (query, rest) = cut(data);
    let Ok(query) = str::from_utf8(query) else { return };
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(rest) {
        headers.insert("accept", value.clone());
        headers.insert("last-event-id", value);
    }
    match ReadEvents::parse(Some(query), &headers) {
        Err(problem) => assert_shown(&problem),
        Ok(read) => {
            assert!(read.limit.is_none_or(|limit| (1..=LIMIT_MAX).contains(&limit)));
            assert!(read.query.items.len() <= 33);
        }
    }
    if let Err(problem) = last_event_id(&headers) {
        assert_shown(&problem);
    }
    let path = String::from_utf8_lossy(rest);
    match ReadStream::parse(&path, Some(query), &HeaderMap::new()) {
        Err(problem) => assert_shown(&problem),
        Ok(read) => assert!(!read.stream.is_empty() && read.limit <= LIMIT_MAX),
    }
    if let Err(problem) = ReadEvent::parse(&path, Some(query)) {
        assert_shown(&problem);
    }
}

fn json_of(media_type: &'static str, body: &[u8]) {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
    match Proposal::read(&headers, body, None) {
        Err(problem) => assert_shown(&problem),
        Ok(proposal) => proposed(proposal),
    }
}

/// A problem can be shown, and blames the request.
fn assert_shown(problem: &Problem) {
    let response = problem.response();
    let document: Value = serde_json::from_slice(response.body()).expect("a problem is JSON");
    assert!(document["detail"].as_str().is_some_and(|detail| detail.ends_with(['.', '…', '`'])));
    assert!(response.status().is_client_error());
    assert!(response.body().len() < 16 << 10, "a problem repeats little of what it is about");
}

/// What was read is bounded, and leaves and comes back as it is, in every mode.
fn proposed(proposal: Proposal) {
    assert!(proposal.events.len() <= EVENTS_MAX);
    let events: Vec<EventBody> = proposal
        .events
        .into_iter()
        .enumerate()
        .map(|(index, event)| {
            assert!(event.data.as_ref().is_none_or(|data| data.bytes.len() <= DATA_BYTES_MAX));
            assert!(event.tags.len() <= TAGS_MAX && event.extensions.len() <= EXTENSIONS_MAX);
            recorded(event.complete(|| "events".into(), || "/".into(), || "id".into()), index)
        })
        .collect();
    assert_same(&write_batch(&events), BATCH_TYPE, &events);
    for event in &events {
        let one = std::slice::from_ref(event);
        assert_same(&write_structured(event), STRUCTURED_TYPE, one);
        assert_same_in_binary(event);
        let mut out = Vec::new();
        Frames::Lines.event(&mut out, event);
        let line = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(line.matches(['\n', '\r']).count(), 1);
        serde_json::from_str::<serde::de::IgnoredAny>(&line).expect("a line is JSON");
    }
}

/// An event as a store might have it.
pub(crate) fn recorded(event: NewEvent, index: usize) -> EventBody {
    let number = index as u64 + 1;
    let assigned = Assigned {
        store: QueueId(1),
        number: EventNumber(number),
        stream: event.stream,
        version: Version(number),
        recorded: Stamp(1_795_448_921_070),
        tags: event.tags,
        correlation: event.correlation,
        index: 0,
        count: 1,
    };
    EventBody { content: event.content, assigned }
}

fn assert_same(body: &[u8], media_type: &'static str, events: &[EventBody]) {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))]);
    let back = Proposal::read(&headers, body, None);
    let back =
        back.unwrap_or_else(|problem| panic!("{problem}: {}", String::from_utf8_lossy(body)));
    assert_eq!(back.events.len(), events.len());
    for (event, expected) in back.events.into_iter().zip(events) {
        assert_eq!(&again(event, expected), expected);
    }
}

/// What the store would make of an event that it wrote, in the place of the first one.
fn again(event: Proposed, first: &EventBody) -> EventBody {
    let missing = || -> String { panic!("nothing is missing in what the store wrote") };
    let number = usize::try_from(first.assigned.number.0).expect("numbers are small here");
    recorded(event.complete(missing, missing, missing), number - 1)
}

/// In headers all values are text, an empty body is no data, and data that has no media type of its
/// own gets the one that it had by the way that it came.
fn assert_same_in_binary(event: &EventBody) {
    let (headers, body) = write_binary(event);
    let back = Proposal::read(&headers, &body, None);
    let back = back.unwrap_or_else(|problem| panic!("{problem}: {headers:?}"));
    let got = back.events.into_iter().next().expect("an event");
    let got = again(got, event);
    let bytes =
        |event: &EventBody| event.content.data.as_ref().map_or(Vec::new(), |data| data.to_vec());
    assert_eq!(bytes(&got), bytes(event));
    assert_eq!(got.assigned, event.assigned);
    let texts = |event: &EventBody| {
        let extensions = event.content.extensions.iter();
        let texts =
            extensions.map(|(name, value)| (name.to_string(), canonical(value).into_owned()));
        texts.collect::<Vec<_>>()
    };
    assert_eq!(texts(&got), texts(event));
    assert_eq!(got.content.time, event.content.time);
    assert_eq!(got.content.subject, event.content.subject);
}

/// The first line, and what follows it.
fn cut(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    end.map_or((data, &[]), |end| (&data[..end], &data[end + 1..]))
}

fn request_of(data: &[u8]) -> Option<(HeaderMap, &[u8])> {
    let mut headers = HeaderMap::new();
    let mut rest = data;
    loop {
        let (line, after) = cut(rest);
        rest = after;
        if line.is_empty() {
            return Some((headers, rest));
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the target over its part of the corpus; how many inputs it met.
    fn replay(target: &str, run: fn(&[u8])) -> usize {
        let folder = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
        files.map(|file| run(&std::fs::read(file.unwrap().path()).unwrap())).count()
    }

    #[test]
    fn the_corpus_holds() {
        for (target, run) in [
            ("ce_binary", binary as fn(&[u8])),
            ("ce_structured", structured),
            ("ce_batch", batch),
            ("append", append),
            ("parameters", parameters),
            ("subscription", subscription),
        ] {
            let inputs = replay(target, run);
            assert!(inputs >= 8, "{target}: {inputs} inputs");
        }
    }
}
