//! How much a question may cost.

use lineside_core::events::{EventHead, Query, QueryItem};
use lineside_core::id::{BodyRef, EventNumber, Label, Place, Position, QueueId, Version};
use lineside_core::stamp::Stamp;

use super::disk::TestDisk;
use super::world::{all_pages, perform};
use crate::{Ask, Index, Indexed, Options, Order};

const EVENTS: u64 = 40_000;

/// Each event has one of two tags in turn, so nobody has both.
fn alternating() -> (Index, TestDisk) {
    let small =
        Options { part_events: 8_000, fan: 4, cache_bytes: 1 << 16, ..Options::new([1; 16]) };
    let (index, disk) = filled(small, EVENTS);
    index.flush().unwrap();
    (index, disk)
}

fn filled(options: Options, events: u64) -> (Index, TestDisk) {
    let disk = TestDisk::default();
    let index = Index::open(disk.files(), options).unwrap();
    let (kind, tags) = (Label::new("kind"), ["even", "odd"].map(|tag| [Label::new(tag)]));
    let streams: Vec<Label> = (0..500).map(|n| Label::new(format!("s-{n}"))).collect();
    for number in 1..=events {
        let place = Place { position: Position(number), index: 0 };
        let stream = &streams[(number % 500) as usize];
        let tags = &tags[(number % 2) as usize];
        let event = Indexed {
            number: EventNumber(number),
            store: QueueId(1),
            stamp: Stamp(number),
            body: BodyRef { place, len: 9 },
            version: Version(number.div_ceil(500)),
            index: 0,
            count: 1,
            head: EventHead { stream, kind: &kind, tags, correlation: None },
        };
        assert_eq!(index.add(&[event]).unwrap(), 1);
        while let Some(work) = index.work() {
            perform(&index, work).unwrap();
        }
    }
    (index, disk)
}

fn item(tags: &[&str]) -> QueryItem {
    QueryItem { tags: tags.iter().map(|tag| Label::new(*tag)).collect(), ..QueryItem::default() }
}

fn ask(query: &Query, order: Order, budget: u64) -> Ask<'_> {
    let (from, to) = (EventNumber(1), EventNumber(EVENTS));
    Ask { store: QueueId(1), query, from, to, order, limit: 1_000_000, budget }
}

#[test]
fn a_query_that_leads_nowhere_stops_at_its_budget_and_gets_on() {
    let (index, disk) = alternating();
    let snapshot = index.snapshot();
    for items in [1, 32] {
        let query = Query { items: vec![item(&["even", "odd"]); items] };
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let before = disk.reads();
            let found = snapshot.find(&ask(&query, order, 1_000)).unwrap();
            let reads = disk.reads() - before;
            assert!(found.entries.is_empty() && found.next.is_some());
            assert!(reads < 40 * items as u64, "{reads} pages for {items} items");
            let (entries, calls) = all_pages(&snapshot, ask(&query, order, 1_000)).unwrap();
            assert!(entries.is_empty());
            // A call gets some blocks of 128 further at least.
            let most = EVENTS / 200;
            assert!((10..most).contains(&calls), "{calls} calls for {items} items");
        }
    }
}

#[test]
fn what_is_rare_leads_and_what_is_frequent_is_only_asked() {
    let (index, disk) = alternating();
    let rare = QueryItem { stream: Some(Label::new("s-7")), ..item(&["odd"]) };
    let query = Query::of(rare);
    let before = disk.reads();
    // 80 events of the stream among 20,000 with the tag; a scan would spend far more than this.
    let found = index.snapshot().find(&ask(&query, Order::OldestFirst, 40_000)).unwrap();
    assert_eq!((found.entries.len(), found.next), (80, None));
    assert!(disk.reads() - before < 400, "{} pages", disk.reads() - before);
}

#[test]
fn a_stream_that_is_not_there_costs_next_to_nothing() {
    let (index, disk) = alternating();
    let snapshot = index.snapshot();
    let before = disk.reads();
    for n in 0..1_000 {
        let version = snapshot.version(QueueId(1), &format!("absent-{n}")).unwrap();
        assert_eq!(version, Version(0));
    }
    let reads = disk.reads() - before;
    assert!(reads < 200, "{reads} pages for a thousand absent streams");
}

#[test]
fn an_index_takes_few_bytes_for_an_event() {
    let (_index, disk) = alternating();
    let files = disk.files();
    let names = files.names().unwrap();
    let bytes: u64 = names.iter().map(|name| files.open(name).unwrap().len().unwrap()).sum();
    // The table some 5, the stream 2, and the tag, the type, the category and the store 1 at most.
    assert!(bytes / EVENTS < 14, "{} bytes for an event", bytes / EVENTS);
}

#[test]
fn merges_write_an_event_once_for_each_tier() {
    let options = Options { part_events: 512, fan: 8, ..Options::new([1; 16]) };
    let (_index, disk) = filled(options, 512 * 63);
    let files = disk.files();
    let names = files.names().unwrap();
    // Seven of 4,096 events, seven of 512, and the manifest.
    assert_eq!(names.len(), 15, "{names:?}");
    let bytes: u64 = names.iter().map(|name| files.open(name).unwrap().len().unwrap()).sum();
    let ratio = disk.written() as f64 / bytes as f64;
    // Each event twice, of which the first time takes the most room; twice as much if large runs
    // were merged again with every seven small ones.
    assert!(ratio < 5.0, "{ratio:.1} times what is left was written");
}
