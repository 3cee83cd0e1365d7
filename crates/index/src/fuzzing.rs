//! What holds of every run whose pages are whole, whatever stands in them: it is refused, or it
//! answers something, in bounded time and memory. For a fuzzer (`make fuzz ONLY=index_run`).

use std::sync::{Arc, OnceLock};

use lineside_core::events::{EventHead, Query, QueryItem};
use lineside_core::id::{BodyRef, EventNumber, Label, Place, Position, QueueId, Version};
use lineside_core::stamp::Stamp;

use crate::page::{PAGE_BYTES, PAYLOAD_BYTES, seal};
use crate::{Ask, Files, Index, Indexed, Memory, Options, Order};

const STORE: QueueId = QueueId(1);
const EVENTS: u64 = 400;
/// The run that is changed: the first that an index writes.
const RUN: u64 = 1;
/// How many bytes of input say what one byte of the run becomes.
const CHANGE_BYTES: usize = 4;

fn open(files: &Arc<Memory>) -> Option<Index> {
    let options = Options { cache_bytes: 1 << 16, ..Options::new([0; 16]) };
    Index::open(files.clone(), options).ok()
}

fn stream(number: u64) -> Label {
    Label::new(format!("a-{}", number % 3))
}

/// Files of an index with one run.
fn good() -> Arc<Memory> {
    let files = Arc::<Memory>::default();
    let index = open(&files);
    let (kind, tags) = (Label::new("kind"), [Label::new("tag")]);
    for number in 1..=EVENTS {
        let place = Place { position: Position(number), index: 0 };
        let tags = if number % 5 == 0 { tags.as_slice() } else { &[] };
        let head = EventHead { stream: &stream(number), kind: &kind, tags, correlation: None };
        let body = BodyRef { place, len: 9 };
        let (version, stamp) = (Version(number.div_ceil(3)), Stamp(number));
        let number = EventNumber(number);
        let (store, index_in, count) = (STORE, 0, 1);
        let event = Indexed { number, store, stamp, body, version, index: index_in, count, head };
        let added = index.as_ref().map(|index| index.add(&[event]));
        assert!(matches!(added, Some(Ok(1))), "a part takes 400 events");
    }
    let flushed = index.map(|index| index.flush());
    assert!(matches!(flushed, Some(Ok(()))), "memory can be written to");
    files
}

/// The bytes of a file.
fn bytes_of(files: &dyn Files, name: &str) -> Vec<u8> {
    let Ok(file) = files.open(name) else { return Vec::new() };
    let mut bytes = vec![0; usize::try_from(file.len().unwrap_or(0)).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0).unwrap_or(0);
    bytes.truncate(read);
    bytes
}

/// The files of the good index with another run in place of its own.
fn with(run: &[u8]) -> Arc<Memory> {
    static MANIFEST: OnceLock<Vec<u8>> = OnceLock::new();
    let manifest = MANIFEST.get_or_init(|| bytes_of(&*good(), crate::manifest::NAME));
    let files = Arc::<Memory>::default();
    for (name, bytes) in
        [(crate::manifest::NAME, manifest.as_slice()), (&crate::run::name(RUN), run)]
    {
        let written = files.create(name).and_then(|file| file.write_at(bytes, 0));
        assert!(written.is_ok(), "memory can be written to");
    }
    files
}

/// Each four bytes of input change one byte of a good run: page, place (2), value. The page's
/// checksum is made to fit, so that the change gets past it.
pub fn index_run(data: &[u8]) {
    static RUN_BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let mut bytes = RUN_BYTES.get_or_init(|| bytes_of(&*good(), &crate::run::name(RUN))).clone();
    assert!(!bytes.is_empty(), "the good index has a run");
    let mut pages: Vec<&mut [u8]> = bytes.chunks_mut(PAGE_BYTES).collect();
    let count = pages.len();
    for change in data.as_chunks::<CHANGE_BYTES>().0.iter().take(64) {
        let [page, low, high, value] = *change;
        let Some(page) = pages.get_mut(usize::from(page) % count) else { continue };
        let at = usize::from(u16::from_le_bytes([low, high])) % PAYLOAD_BYTES;
        page.iter_mut().skip(at).take(1).for_each(|byte| *byte = value);
    }
    for (number, page) in pages.into_iter().enumerate() {
        let payload = page.get(..PAYLOAD_BYTES).unwrap_or_default().to_vec();
        let sealed = seal(payload, RUN, u32::try_from(number).unwrap_or(0));
        page.iter_mut().zip(sealed).for_each(|(place, byte)| *place = byte);
    }
    ask_everything(&with(&bytes));
}

/// What the answers are is nobody's concern; that they come is.
fn ask_everything(files: &Arc<Memory>) {
    let Some(index) = open(files) else { return };
    let snapshot = index.snapshot();
    for number in (1..=EVENTS).step_by(7) {
        drop(snapshot.get(EventNumber(number)));
        drop(snapshot.number_at(Stamp(number)));
        drop(snapshot.number_of(STORE, stream(number).as_str(), Version(number)));
        drop(snapshot.version(STORE, stream(number).as_str()));
    }
    let label = |text: &str| Some(Label::new(text));
    let everything = QueryItem::default();
    let tagged = QueryItem { tags: vec![Label::new("tag")], ..QueryItem::default() };
    let of_stream =
        QueryItem { stream: label("a-1"), types: vec![Label::new("kind")], ..tagged.clone() };
    for item in [everything, tagged, of_stream] {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let query = Query::of(item.clone());
            let (from, to, limit) = (EventNumber(1), EventNumber(u64::MAX), 1_000);
            let ask = Ask { store: STORE, query: &query, from, to, order, limit, budget: 20_000 };
            drop(snapshot.find(&ask));
        }
    }
    if index.work().is_some() {
        drop(index.repair());
        assert!(index.end() == EventNumber(0), "the one run that there was is dropped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_run_is_a_good_one() {
        index_run(&[]);
        let files = good();
        let run = bytes_of(&*files, &crate::run::name(RUN));
        let index = open(&with(&run)).unwrap();
        assert_eq!(index.end(), EventNumber(EVENTS));
        assert_eq!(index.snapshot().version(STORE, "a-1").unwrap(), Version(134));
    }
}
