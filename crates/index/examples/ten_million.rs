//! Ten million events in a million streams: how fast the index is built, how large it is, and what
//! questions cost. The figures of `docs/adr/0007-index-of-events.md`.
//!
//! `cargo run --release -p lineside-index --example ten_million -- <empty folder> [events]`

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    reason = "a measurement tells what it saw, stops when it cannot, and looks at the real clock"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lineside_core::events::{EventHead, Query, QueryItem};
use lineside_core::id::{BodyRef, EventNumber, Label, Place, Position, QueueId, Version};
use lineside_core::stamp::Stamp;
use lineside_index::{Ask, Folder, Index, Indexed, Options, Order, Row, Snapshot, Work};

const STREAMS: u64 = 1_000_000;
const BATCH: u64 = 512;
const STORE: QueueId = QueueId(1);

/// Numbers that look random, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % bound
    }
}

/// What an event is looked up by, owned.
struct Made {
    row: Row,
    stream: Label,
    kind: Label,
    tags: [Label; 1],
    correlation: Option<Label>,
}

fn stream(number: u64) -> Label {
    Label::new(format!("category{}-{number}", number % 10))
}

fn make(number: u64, versions: &mut [u32], chance: &mut Chance) -> Made {
    let of = chance.below(STREAMS);
    versions[of as usize] += 1;
    let place = Place { position: Position(number / 8), index: (number % 8) as u32 };
    let body = BodyRef { place, len: 300 + chance.below(200) as u32 };
    let (version, stamp) = (Version(versions[of as usize].into()), Stamp(number / 50));
    Made {
        row: Row { store: STORE, stamp, body, version, index: 0, count: 1 },
        stream: stream(of),
        kind: Label::new(format!("type{}", chance.below(20))),
        tags: [Label::new(format!("tag:{}", chance.below(100_000)))],
        correlation: (chance.below(10) == 0)
            .then(|| Label::new(format!("run-{}", chance.below(500_000)))),
    }
}

fn indexed(number: u64, made: &Made) -> Indexed<'_> {
    let Row { store, stamp, body, version, index, count } = made.row;
    let head = EventHead {
        stream: &made.stream,
        kind: &made.kind,
        tags: &made.tags,
        correlation: made.correlation.as_ref(),
    };
    Indexed { number: EventNumber(number), store, stamp, body, version, index, count, head }
}

/// Where the time of building went.
#[derive(Default)]
struct Spent {
    adding: Duration,
    flushing: Duration,
    merging: Duration,
    longest_merge: Duration,
}

fn work(index: &Index, spent: &mut Spent) {
    while let Some(work) = index.work() {
        let start = Instant::now();
        match work {
            Work::Repair => index.repair().unwrap(),
            Work::Flush => index.flush_full().unwrap(),
            Work::Merge => index.merge(&|| true).unwrap(),
        }
        let took = start.elapsed();
        if work == Work::Merge {
            spent.merging += took;
            spent.longest_merge = spent.longest_merge.max(took);
        } else {
            spent.flushing += took;
        }
    }
}

fn build(index: &Index, events: u64) -> Spent {
    let (mut spent, mut chance) = (Spent::default(), Chance(1));
    let mut versions = vec![0; STREAMS as usize];
    let mut next = 1;
    while next <= events {
        let numbers = next..(next + BATCH).min(events + 1);
        let made: Vec<(u64, Made)> =
            numbers.clone().map(|n| (n, make(n, &mut versions, &mut chance))).collect();
        let batch: Vec<Indexed<'_>> = made.iter().map(|(n, made)| indexed(*n, made)).collect();
        let start = Instant::now();
        assert_eq!(index.add(&batch).unwrap(), batch.len());
        spent.adding += start.elapsed();
        work(index, &mut spent);
        next = numbers.end;
    }
    let start = Instant::now();
    index.flush().unwrap();
    spent.flushing += start.elapsed();
    work(index, &mut spent);
    spent
}

/// A line of the process's own account, in MiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn measure(what: &str, times: u64, mut ask: impl FnMut(&mut Chance) -> usize) {
    let mut chance = Chance(99);
    let mut took = Vec::new();
    let mut found = 0;
    for _ in 0..times {
        let start = Instant::now();
        found += ask(&mut chance);
        took.push(start.elapsed());
    }
    took.sort_unstable();
    let at = |part: usize| took[(took.len() - 1) * part / 100].as_secs_f64() * 1e6;
    let each = found as f64 / times as f64;
    println!("{what}: p50 {:.1} us, p99 {:.1} us, {each:.1} found each", at(50), at(99));
}

fn page(snapshot: &Snapshot, item: QueryItem, order: Order, limit: usize) -> usize {
    let query = Query::of(item);
    let (from, to, budget) = (EventNumber(1), snapshot.end(), 1_000_000);
    let ask = Ask { store: STORE, query: &query, from, to, order, limit, budget };
    snapshot.find(&ask).unwrap().entries.len()
}

fn questions(snapshot: &Snapshot) {
    let item = QueryItem::default;
    let end = snapshot.end().0;
    measure("version of a stream", 50_000, |chance| {
        let version = snapshot.version(STORE, stream(chance.below(STREAMS)).as_str()).unwrap();
        version.0 as usize
    });
    measure("version of a stream that is not there", 50_000, |chance| {
        let name = format!("absent-{}", chance.below(STREAMS));
        snapshot.version(STORE, &name).unwrap().0 as usize
    });
    measure("all events of a stream", 20_000, |chance| {
        let stream = Some(stream(chance.below(STREAMS)));
        page(snapshot, QueryItem { stream, ..item() }, Order::OldestFirst, 1_000)
    });
    for order in [Order::OldestFirst, Order::NewestFirst] {
        measure(&format!("50 of a category, {order:?}"), 5_000, |chance| {
            let category = Some(Label::new(format!("category{}", chance.below(10))));
            page(snapshot, QueryItem { category, ..item() }, order, 50)
        });
    }
    measure("a tag and a type, all of them", 5_000, |chance| {
        let tags = vec![Label::new(format!("tag:{}", chance.below(100_000)))];
        let types = vec![Label::new(format!("type{}", chance.below(20)))];
        page(snapshot, QueryItem { tags, types, ..item() }, Order::OldestFirst, 1_000)
    });
    measure("an event by its number", 50_000, |chance| {
        usize::from(snapshot.get(EventNumber(1 + chance.below(end))).unwrap().is_some())
    });
    measure("the number at a stamp", 20_000, |chance| {
        usize::from(snapshot.number_at(Stamp(chance.below(end / 50))).unwrap().0 > 0)
    });
}

fn disk_bytes(folder: &Path) -> (u64, usize) {
    let entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    (entries.iter().map(|entry| entry.metadata().unwrap().len()).sum(), entries.len())
}

fn open(folder: &Path) -> Index {
    Index::open(Arc::new(Folder::open(folder).unwrap()), Options::new([0; 16])).unwrap()
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let events = std::env::args().nth(2).map_or(10_000_000, |events| events.parse().unwrap());
    let before = memory("VmRSS");
    let index = open(&folder);
    let start = Instant::now();
    let spent = build(&index, events);
    let took = start.elapsed();
    let seconds = |span: Duration| span.as_secs_f64();
    println!(
        "{events} events in {:.1} s, {:.0} a second with making them up; adding {:.1} s, flushing \
         {:.1} s, merging {:.1} s (longest {:.1} s)",
        seconds(took),
        events as f64 / seconds(took),
        seconds(spent.adding),
        seconds(spent.flushing),
        seconds(spent.merging),
        seconds(spent.longest_merge)
    );
    let (bytes, files) = disk_bytes(&folder);
    println!("{bytes} bytes in {files} files, {:.1} for an event", bytes as f64 / events as f64);
    println!(
        "memory: {before} MiB before, {} MiB now, {} MiB at most",
        memory("VmRSS"),
        memory("VmHWM")
    );
    drop(index);
    let start = Instant::now();
    let index = open(&folder);
    println!("opened in {:.2} ms", seconds(start.elapsed()) * 1e3);
    assert_eq!(index.durable_end(), EventNumber(events));
    questions(&index.snapshot());
    println!("memory: {} MiB after the questions", memory("VmRSS"));
}
