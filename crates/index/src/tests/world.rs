//! Events, an index that is given them, and the naive answer to each question.

use lineside_core::events::{EventHead, Query, QueryItem};
use lineside_core::id::{BodyRef, EventNumber, Label, Place, Position, QueueId, Version};
use lineside_core::stamp::Stamp;

use super::disk::{Chance, TestDisk};
use crate::event::{Entry, Indexed, Order, Row};
use crate::fault::Fault;
use crate::index::{Index, Options};
use crate::snapshot::{Ask, Snapshot};

/// An event as the log has it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    number: u64,
    row: Row,
    stream: Label,
    kind: Label,
    tags: Vec<Label>,
    correlation: Option<Label>,
}

impl Event {
    fn head(&self) -> EventHead<'_> {
        EventHead {
            stream: &self.stream,
            kind: &self.kind,
            tags: &self.tags,
            correlation: self.correlation.as_ref(),
        }
    }

    pub(super) fn indexed(&self) -> Indexed<'_> {
        let Row { store, stamp, body, version, index, count } = self.row;
        let number = EventNumber(self.number);
        Indexed { number, store, stamp, body, version, index, count, head: self.head() }
    }

    fn entry(&self) -> Entry {
        Entry { number: EventNumber(self.number), row: self.row }
    }
}

fn label(kind: &str, number: u64) -> Label {
    Label::new(format!("{kind}{number}"))
}

/// The log: every event, from number 1.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(pub(super) Vec<Event>);

impl Log {
    /// A log of so many events by chance, of two stores, few names, and appends of up to four.
    pub(crate) fn by_chance(seed: u64, events: usize) -> Log {
        let (mut log, mut chance) = (Log::default(), Chance(seed));
        let (mut position, mut stamp) = (3, 1_000);
        while log.0.len() < events {
            let (store, count) = (QueueId(1 + chance.below(6) / 5), 1 + chance.below(4) as u32);
            position += 1 + chance.below(3) / 2;
            stamp += chance.below(3) * chance.below(500);
            let first = chance.below(2) as u32;
            for index in 0..count {
                let place = Place { position: Position(position), index: first + index };
                log.append(store, Stamp(stamp), place, (index, count), &mut chance);
            }
        }
        log.lose(&mut chance);
        log
    }

    /// Some events cannot be read any more: only their number is known.
    fn lose(&mut self, chance: &mut Chance) {
        for event in self.0.iter_mut().filter(|_| chance.below(25) == 0) {
            let nothing = Label::new("");
            (event.stream, event.kind) = (nothing.clone(), nothing);
            (event.tags, event.correlation) = (Vec::new(), None);
            (event.row.store, event.row.version) = (QueueId(0), Version(0));
        }
    }

    fn append(
        &mut self,
        store: QueueId,
        stamp: Stamp,
        place: Place,
        (index, count): (u32, u32),
        chance: &mut Chance,
    ) {
        let category = ["order-", "order-", "account-", "plain"][chance.below(4) as usize];
        let stream = label(category, chance.below(9));
        let same = |event: &&Event| event.row.store == store && event.stream == stream;
        let version = Version(self.0.iter().filter(same).count() as u64 + 1);
        let kind = label("type", chance.below(20) / 9);
        let mut tags: Vec<Label> = (0..chance.below(4)).map(|n| label("tag", n)).collect();
        tags.extend((chance.below(40) == 0).then(|| label("rare", 1)));
        let correlation = (chance.below(5) == 0).then(|| label("run", chance.below(7)));
        let body = BodyRef { place, len: 100 + chance.below(3) as u32 };
        let row = Row { store, stamp, body, version, index, count };
        let number = self.0.len() as u64 + 1;
        self.0.push(Event { number, row, stream, kind, tags, correlation });
    }

    /// Gives the index what it does not have, doing what is due; it has all of it afterwards.
    pub(crate) fn fill(&self, index: &Index, upto: usize) -> Result<(), Fault> {
        loop {
            let end = index.end().0 as usize;
            let events: Vec<Indexed<'_>> =
                self.0.iter().take(upto).skip(end).map(Event::indexed).collect();
            if events.is_empty() {
                return Ok(());
            }
            index.add(&events).expect("the numbers follow one another");
            while let Some(work) = index.work() {
                perform(index, work)?;
            }
        }
    }

    fn matching<'a>(&'a self, store: QueueId, query: &'a Query) -> impl Iterator<Item = &'a Event> {
        self.0.iter().filter(move |e| e.row.store == store && query.matches(&e.head()))
    }

    /// What is to be found in a range.
    pub(super) fn found(&self, ask: &Ask<'_>, end: u64) -> Vec<Entry> {
        let is_in =
            |event: &&Event| (ask.from.0..=ask.to.0).contains(&event.number) && event.number <= end;
        let found = self.matching(ask.store, ask.query).filter(is_in);
        let mut found: Vec<Entry> = found.map(Event::entry).collect();
        if ask.order == Order::NewestFirst {
            found.reverse();
        }
        found
    }
}

pub(super) fn perform(index: &Index, work: crate::index::Work) -> Result<(), Fault> {
    match work {
        crate::index::Work::Repair => index.repair(),
        crate::index::Work::Flush => index.flush_full(),
        crate::index::Work::Merge => index.merge(&|| true),
    }
}

/// An index of small parts that merges often.
pub(super) fn open(disk: &TestDisk) -> Result<Index, Fault> {
    let options =
        Options { part_events: 40, fan: 2, cache_bytes: 1 << 20, ..Options::new([7; 16]) };
    Index::open(disk.files(), options)
}

/// A query of up to three items.
pub(super) fn query_by_chance(chance: &mut Chance) -> Query {
    let mut item = || {
        let mut given = |one_of: u64| chance.below(one_of) == 0;
        let (stream, category, correlation) = (given(4), given(3), given(6));
        let stream = stream.then(|| label("order-", chance.below(11)));
        let category = category.then(|| {
            Label::new(["order", "account", "plain3", "absent"][chance.below(4) as usize])
        });
        let correlation = correlation.then(|| label("run", chance.below(8)));
        let types = (0..chance.below(3)).map(|_| label("type", chance.below(4))).collect();
        let mut tags: Vec<Label> = (0..chance.below(3)).map(|n| label("tag", n)).collect();
        tags.extend((chance.below(6) == 0).then(|| label("rare", 1)));
        QueryItem { types, tags, stream, category, correlation }
    };
    let items = [item(), item(), item()];
    Query { items: items.into_iter().take(chance.below(4) as usize).collect() }
}

/// All pages of an answer, and how many there were.
pub(super) fn all_pages(snapshot: &Snapshot, ask: Ask<'_>) -> Result<(Vec<Entry>, u64), Fault> {
    let (mut ask, mut entries, mut calls) = (ask, Vec::new(), 0);
    loop {
        calls += 1;
        let mut found = snapshot.find(&ask)?;
        assert!(found.entries.len() <= ask.limit, "more than asked for");
        entries.append(&mut found.entries);
        let Some(next) = found.next else { return Ok((entries, calls)) };
        let near = if ask.order == Order::OldestFirst { &mut ask.from } else { &mut ask.to };
        let goes_on = if ask.order == Order::OldestFirst { next > *near } else { next < *near };
        assert!(goes_on || *near > snapshot.end(), "a call that got nowhere");
        *near = next;
    }
}

/// Asks the index everything and compares with the log. An error if the index gives one.
pub(crate) fn check(log: &Log, snapshot: &Snapshot, seed: u64) -> Result<(), Fault> {
    let mut chance = Chance(seed);
    let end = snapshot.end().0;
    assert!(end <= log.0.len() as u64);
    check_rows(log, snapshot)?;
    check_streams(log, snapshot)?;
    for _ in 0..12 {
        let query = query_by_chance(&mut chance);
        let order = if chance.coin() { Order::OldestFirst } else { Order::NewestFirst };
        let (from, to) = match chance.below(3) {
            0 => (0, u64::MAX),
            _ => (chance.below(end + 3), chance.below(end + 3)),
        };
        let limit = [1, 3, 1_000_000][chance.below(3) as usize];
        let budget = [1, 60, 1_000_000][chance.below(3) as usize];
        let store = QueueId(1 + chance.below(3) / 2);
        let (from, to) = (EventNumber(from), EventNumber(to));
        let ask = Ask { store, query: &query, from, to, order, limit, budget };
        let (entries, _) = all_pages(snapshot, ask)?;
        assert_eq!(entries, log.found(&ask, end), "{ask:?}");
    }
    Ok(())
}

fn check_rows(log: &Log, snapshot: &Snapshot) -> Result<(), Fault> {
    let end = snapshot.end().0;
    assert_eq!(snapshot.get(EventNumber(0))?, None);
    assert_eq!(snapshot.get(EventNumber(end + 1))?, None);
    let events = log.0.get(..end as usize).unwrap();
    for event in events {
        assert_eq!(snapshot.get(EventNumber(event.number))?, Some(event.entry()));
    }
    for stamp in events.iter().step_by(7).flat_map(|e| [e.row.stamp.0, e.row.stamp.0 + 1]) {
        let by = events.iter().filter(|event| event.row.stamp.0 <= stamp).count() as u64;
        assert_eq!(snapshot.number_at(Stamp(stamp))?, EventNumber(by), "at {stamp}");
    }
    assert_eq!(snapshot.number_at(Stamp(0))?, EventNumber(0));
    Ok(())
}

fn check_streams(log: &Log, snapshot: &Snapshot) -> Result<(), Fault> {
    let events = log.0.get(..snapshot.end().0 as usize).unwrap();
    let mut streams = std::collections::BTreeMap::<_, std::collections::BTreeMap<_, _>>::new();
    for event in events.iter().filter(|event| event.row.store != QueueId(0)) {
        let numbers = streams.entry((event.row.store, event.stream.as_str())).or_default();
        numbers.insert(event.row.version.0, EventNumber(event.number));
    }
    for ((store, stream), numbers) in streams {
        let last = *numbers.keys().next_back().unwrap();
        assert_eq!(snapshot.version(store, stream)?, Version(last), "{store:?} {stream}");
        assert_eq!(snapshot.version(QueueId(9), stream)?, Version(0));
        for version in 0..=last + 1 {
            let number = snapshot.number_of(store, stream, Version(version))?;
            assert_eq!(number, numbers.get(&version).copied(), "{stream} {version}");
        }
    }
    Ok(())
}
