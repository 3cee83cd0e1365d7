//! Words that the tests of event stores share.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use lineside_core::events::{
    AppendReply, EventBody, EventContent, EventRefusal, Expected, NewEvent, Query, QueryItem,
};
use lineside_core::fact::{Batch, Fact};
use lineside_core::id::{BodyRef, EventNumber, Label, Name, PartitionId, Place, Position, Text};
use lineside_core::refusal::Refusal;
use lineside_engine::engine::{Handle, Options, Storage};
use lineside_engine::events::{Events, EventsFault, PAGE_BYTES_MAX, Page, ReadAsk, Wish};
use lineside_engine::living::LivingSet;
use lineside_engine::log::{Again, Full, KeptBody, Log, LogFault, Room, Ticket};
use lineside_engine::request::CallError;
use lineside_index::{Files, Index, Memory};
use lineside_store::MemoryLog;

use crate::support::{Ended, engine_in, options};

/// How many events a part has: so few that there are many runs and merges.
pub(crate) const PART: u64 = 8;

/// A log in memory and an index in memory, which an engine may be started on again and again.
pub(crate) struct World {
    pub(crate) log: MemoryLog,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) options: Options,
    pub(crate) damaged: Arc<Mutex<BTreeSet<Place>>>,
}

/// An engine and its events.
pub(crate) struct Running {
    pub(crate) engine: Handle,
    ended: Ended,
    pub(crate) events: Events,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            log: MemoryLog::new(),
            files: Arc::new(Memory::default()),
            options: Options { notice: |_| {}, ..options() },
            damaged: Arc::default(),
        }
    }

    pub(crate) async fn start(&self) -> Running {
        let log = self.log.connect();
        let blobs = Some(log.blobs());
        let log: Arc<dyn Log> = Arc::new(Rotten { log, damaged: self.damaged.clone() });
        run(self.options.clone(), Storage { log, blobs }, self.files.clone()).await
    }

    pub(crate) async fn facts(&self) -> Vec<Fact> {
        let tail = self.log.tail(PartitionId(0)).await.unwrap();
        let (mut read, mut facts) =
            (self.log.read(PartitionId(0), Position::default()), Vec::new());
        // The last batch is never reclaimed, and what lies before it may be.
        while let Some(Ok((position, batch))) = read.next().await {
            facts.extend(batch.facts.facts);
            if position.next() >= tail {
                break;
            }
        }
        facts
    }

    pub(crate) async fn stores_made(&self) -> usize {
        let facts = self.facts().await;
        facts.iter().filter(|fact| matches!(fact, Fact::EventStoreCreated(_))).count()
    }
}

pub(crate) async fn run(options: Options, storage: Storage, files: Arc<dyn Files>) -> Running {
    let (engine, ended) = engine_in(options, storage).await;
    let events = events(&engine, files);
    events.begin().await.unwrap();
    Running { engine, ended, events }
}

pub(crate) fn events(engine: &Handle, files: Arc<dyn Files>) -> Events {
    let options = lineside_index::Options {
        part_events: usize::try_from(PART).unwrap(),
        fan: 2,
        cache_bytes: 0,
        ..lineside_index::Options::new([0; 16])
    };
    let index = Index::open(files, options).unwrap();
    Events::new(engine.clone(), index, Name::new("native/default"), |_| {})
}

impl Running {
    /// Ends the engine, and waits until nobody works at its index any more.
    pub(crate) async fn stop(self) {
        let Running { engine, ended, events } = self;
        let mut end = events.end();
        drop(events);
        engine.dismiss();
        engine.finish();
        ended.await.unwrap().unwrap();
        let gone = async { while end.changed().await.is_ok() {} };
        tokio::time::timeout(std::time::Duration::from_secs(30), gone).await.unwrap();
    }

    /// Returns when the store has let go all events but those of a part that is not full.
    pub(crate) async fn trimmed(&self) {
        let trimmed = async {
            loop {
                let store = self.events.describe().await.unwrap().unwrap();
                if store.last.0 - store.indexed.0 < PART {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), trimmed).await.unwrap();
    }
}

/// A log some of whose bodies have rotted.
struct Rotten {
    log: MemoryLog,
    damaged: Arc<Mutex<BTreeSet<Place>>>,
}

fn rot(place: Place) -> LogFault {
    LogFault::Damaged { place: format!("{place:?}"), what: "its checksum differs".to_owned() }
}

impl Log for Rotten {
    fn reserve(&self, bytes: u64) -> Result<Room, Full> {
        self.log.reserve(bytes)
    }

    fn submit(&self, partition: PartitionId, at: Position, room: Room, batch: Batch) -> Ticket {
        self.log.submit(partition, at, room, batch)
    }

    fn tail(&self, partition: PartitionId) -> BoxFuture<'_, Result<Position, LogFault>> {
        self.log.tail(partition)
    }

    fn read(
        &self,
        partition: PartitionId,
        from: Position,
    ) -> BoxStream<'_, Result<(Position, Batch), LogFault>> {
        self.log.read(partition, from)
    }

    fn body(
        &self,
        partition: PartitionId,
        body: BodyRef,
    ) -> BoxFuture<'_, Result<Bytes, LogFault>> {
        if self.damaged.lock().unwrap().contains(&body.place) {
            return Box::pin(std::future::ready(Err(rot(body.place))));
        }
        self.log.body(partition, body)
    }

    fn kept(
        &self,
        partition: PartitionId,
        from: Position,
    ) -> BoxStream<'_, Result<KeptBody, LogFault>> {
        let judge = |kept: Result<KeptBody, LogFault>| match kept {
            Ok(kept) if self.damaged.lock().unwrap().contains(&kept.body.place) => {
                Err(rot(kept.body.place))
            }
            other => other,
        };
        self.log.kept(partition, from).map(judge).boxed()
    }

    fn retain(&self, partition: PartitionId, below: Position, living: LivingSet) {
        self.log.retain(partition, below, living);
    }

    fn again(&self) -> Again {
        self.log.again()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), LogFault>> {
        self.log.close()
    }
}

pub(crate) fn label(text: impl AsRef<str>) -> Label {
    Label::new(text.as_ref())
}

/// An event of a stream with tags.
pub(crate) fn event(stream: &str, kind: &str, tags: &[&str]) -> NewEvent {
    NewEvent {
        stream: label(stream),
        tags: tags.iter().map(label).collect(),
        correlation: None,
        content: EventContent::new(label("id"), Text::new("/tests"), label(kind)),
    }
}

pub(crate) fn wish(events: Vec<NewEvent>) -> Wish {
    Wish { events: events.into(), expected: Vec::new(), boundary: None, unless: None }
}

pub(crate) fn expecting(stream: &str, expected: Expected) -> Wish {
    let expected = vec![(label(stream), expected)];
    Wish { expected, ..wish(vec![event(stream, "k", &[])]) }
}

pub(crate) fn tagged(tag: &str) -> Query {
    Query::of(QueryItem { tags: vec![label(tag)], ..QueryItem::default() })
}

/// Appends so many events to streams of their own category, one at a time.
pub(crate) async fn fill(events: &Events, category: &str, count: u64) -> EventNumber {
    let mut last = EventNumber(0);
    for n in 0..count {
        let stream = format!("{category}-{}", n % 5);
        let tag = format!("{category}:{}", n % 3);
        let appended = events.append(&wish(vec![event(&stream, "filled", &[&tag])])).await;
        last = appended.unwrap().last;
    }
    last
}

pub(crate) fn all() -> ReadAsk {
    ReadAsk {
        query: Query::all(),
        from: EventNumber(1),
        to: EventNumber(u64::MAX),
        backwards: false,
        limit: 1000,
        bytes: PAGE_BYTES_MAX,
    }
}

/// Follows `next` to the end.
pub(crate) async fn read(events: &Events, mut ask: ReadAsk) -> Result<Vec<EventBody>, EventsFault> {
    let mut found = Vec::new();
    loop {
        let Page { events, next, .. } = events.read(ask.clone()).await?;
        assert!(events.len() <= ask.limit, "{} events", events.len());
        found.extend(events);
        let Some(next) = next else { return Ok(found) };
        if ask.backwards {
            assert!(next <= ask.to, "it goes on where it was");
            ask.to = next;
        } else {
            assert!(next >= ask.from, "it goes on where it was");
            ask.from = next;
        }
    }
}

pub(crate) fn numbers(events: &[EventBody]) -> Vec<u64> {
    events.iter().map(|event| event.assigned.number.0).collect()
}

/// Expects every event from 1 to `last`, each once.
pub(crate) async fn expect_all(events: &Events, last: u64) {
    let found = numbers(&read(events, all()).await.unwrap());
    assert_eq!(found, (1..=last).collect::<Vec<_>>());
}

pub(crate) fn refusal(answer: Result<AppendReply, EventsFault>) -> EventRefusal {
    match answer {
        Err(EventsFault::Call(CallError::Refused(Refusal::Events(refusal)))) => refusal,
        other => panic!("no refusal of an event store: {other:?}"),
    }
}
