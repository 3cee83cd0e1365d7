//! The suite that every adapter of the log passes.
//!
//! Each check gets a storage of its own, as a [`World`] that can make connections to it and, if the
//! adapter is durable, end and start again.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "this is a test suite; it is behind a feature since other crates run it too"
)]

mod blobs;
pub mod kept;
mod large;
mod retain;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::StreamExt;
use futures::{FutureExt, poll};
use lineside_core::fact::{Batch, ClockMoved, Fact, Facts};
use lineside_core::id::{BodyRef, PartitionId, Place, Position};
use lineside_core::stamp::{Millis, Stamp};
use lineside_engine::blobs::Blobs;
use lineside_engine::log::{AppendError, Log, LogFault, Room, Ticket};

/// What an adapter promises beyond the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// What was written is there after [`World::restart`].
    pub durable: bool,
}

/// One storage.
pub trait World: Send {
    /// A new connection to it.
    fn connect(&self) -> Arc<dyn Log>;
    /// The blobs beside it.
    fn blobs(&self) -> Arc<dyn Blobs>;
    /// Resolves when the storage has reclaimed what it means to reclaim.
    fn settle(&self) -> BoxFuture<'_, ()>;
    /// Closes the log and opens it again. Only called if [`Features::durable`].
    fn restart(&mut self) -> BoxFuture<'_, ()>;
}

/// Runs every check, each on a world of its own; panics at the first that fails, after printing its
/// name.
pub async fn run(features: Features, world: &(dyn Fn() -> Box<dyn World> + std::marker::Sync)) {
    for (name, check) in
        [CHECKS, blobs::CHECKS, kept::CHECKS, large::CHECKS, retain::CHECKS].into_iter().flatten()
    {
        run_one(name, check(world())).await;
    }
    let durable = [
        DURABLE_CHECKS,
        blobs::DURABLE_CHECKS,
        kept::DURABLE_CHECKS,
        large::DURABLE_CHECKS,
        retain::DURABLE_CHECKS,
    ];
    let durable = durable.into_iter().flatten();
    for (name, check) in durable.filter(|_| features.durable) {
        run_one(name, check(world())).await;
    }
}

async fn run_one(name: &str, check: BoxFuture<'static, ()>) {
    let outcome = std::panic::AssertUnwindSafe(check).catch_unwind().await;
    if let Err(panic) = outcome {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        panic!("conformance check `{name}`: {}", text.unwrap_or_default());
    }
}

type Check = fn(Box<dyn World>) -> BoxFuture<'static, ()>;

const CHECKS: &[(&str, Check)] = &[
    ("an empty log begins at 0", |w| empty(w).boxed()),
    ("batches come back in order, without bodies", |w| reads_back(w).boxed()),
    ("a reader stays open at the tail", |w| stays_open(w).boxed()),
    ("a reader begins where it is told", |w| begins_where_told(w).boxed()),
    ("bodies come back by their place", |w| bodies(w).boxed()),
    ("what is not a body is named", |w| no_body(w).boxed()),
    ("a wrong position is a conflict", |w| conflict(w).boxed()),
    ("after a failure everything fails", |w| failure_sticks(w).boxed()),
    ("whoever moves the tail fences the other", |w| fences(w).boxed()),
    ("many may be under way, and resolve in order", |w| in_order(w).boxed()),
    ("each partition has its own positions", |w| partitions(w).boxed()),
    ("a large batch is taken whole", |w| large(w).boxed()),
    ("a batch may be without facts or bodies", |w| bare(w).boxed()),
    ("close takes all that was submitted, and nothing after", |w| close(w).boxed()),
    ("a reader ends with the log", |w| reader_ends(w).boxed()),
    ("room comes back", |w| room(w).boxed()),
];

const DURABLE_CHECKS: &[(&str, Check)] = &[
    ("a restart changes nothing", |w| restart(w).boxed()),
    ("a log goes on after a restart", |w| goes_on(w).boxed()),
    ("a log that was never written to restarts", |w| restart_empty(w).boxed()),
];

const P: PartitionId = PartitionId(0);

/// A batch that can be told from any other: its facts say `tag`, and so do its bodies.
pub fn batch(tag: u64, bodies: &[usize]) -> Batch {
    let mut facts = Facts::none();
    facts.push(Fact::ClockMoved(ClockMoved { offset: Millis(tag) }));
    for (n, len) in bodies.iter().enumerate() {
        facts.push(Fact::Canary);
        facts.push_with_body(Fact::Canary, body(tag, n, *len));
    }
    Batch { at: Stamp(1_000_000 + tag), facts }
}

/// The `n`th body of the batch tagged `tag`.
pub fn body(tag: u64, n: usize, len: usize) -> Bytes {
    let seed = tag.wrapping_mul(0x9e37_79b9).wrapping_add(n as u64);
    (0..len as u64).map(|i| (seed.wrapping_add(i * 31) >> 3).to_le_bytes()[0]).collect()
}

/// The reference to the `n`th body of a batch that [`batch`] made.
pub fn body_ref(position: u64, n: usize, len: usize) -> BodyRef {
    let index = u32::try_from(2 + 2 * n).unwrap();
    let place = Place { position: Position(position), index };
    BodyRef { place, len: u32::try_from(len).unwrap() }
}

fn submit(log: &dyn Log, p: PartitionId, at: u64, batch: Batch) -> Ticket {
    log.submit(p, Position(at), Room::default(), batch)
}

/// Appends one tagged batch for each tag, one after another.
async fn append(log: &dyn Log, p: PartitionId, tags: std::ops::Range<u64>) {
    for tag in tags {
        submit(log, p, tag, batch(tag, &[10, 2000])).await.expect("the tail is here");
    }
}

async fn take(log: &dyn Log, p: PartitionId, from: u64, count: usize) -> Vec<(u64, Batch)> {
    let batches = log.read(p, Position(from)).take(count);
    batches.map(|item| item.map(|(at, batch)| (at.0, batch)).unwrap()).collect().await
}

fn bare_of_bodies(mut batch: Batch) -> Batch {
    batch.facts.bodies.clear();
    batch
}

async fn assert_tagged(log: &dyn Log, p: PartitionId, count: u64) {
    let expected: Vec<_> =
        (0..count).map(|tag| (tag, bare_of_bodies(batch(tag, &[10, 2000])))).collect();
    let found = take(log, p, 0, usize::try_from(count).unwrap()).await;
    assert_eq!(found, expected);
    for tag in 0..count {
        assert_eq!(log.body(p, body_ref(tag, 1, 2000)).await, Ok(body(tag, 1, 2000)));
    }
    assert_eq!(log.tail(p).await, Ok(Position(count)));
}

async fn empty(world: Box<dyn World>) {
    let log = world.connect();
    assert_eq!(log.tail(P).await, Ok(Position(0)));
    let mut read = log.read(P, Position(0));
    assert!(poll!(read.next()).is_pending());
}

async fn reads_back(world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..20).await;
    assert_tagged(log.as_ref(), P, 20).await;
}

async fn stays_open(world: Box<dyn World>) {
    let log = world.connect();
    let mut read = log.read(P, Position(0));
    for tag in 0..5 {
        assert!(poll!(read.next()).is_pending());
        append(log.as_ref(), P, tag..tag + 1).await;
        let (at, found) = read.next().await.unwrap().unwrap();
        assert_eq!((at.0, found), (tag, bare_of_bodies(batch(tag, &[10, 2000]))));
    }
}

async fn begins_where_told(world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..10).await;
    let found = take(log.as_ref(), P, 7, 3).await;
    assert_eq!(found.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [7, 8, 9]);
    let mut beyond = log.read(P, Position(11));
    assert!(poll!(beyond.next()).is_pending());
    append(log.as_ref(), P, 10..12).await;
    assert_eq!(beyond.next().await.unwrap().unwrap().0, Position(11));
}

async fn bodies(world: Box<dyn World>) {
    let log = world.connect();
    let lens = [0, 1, 7, 8, 4000, 5000, 300_000];
    submit(log.as_ref(), P, 0, batch(1, &lens)).await.unwrap();
    for (n, len) in lens.into_iter().enumerate() {
        assert_eq!(log.body(P, body_ref(0, n, len)).await, Ok(body(1, n, len)));
    }
}

async fn no_body(world: Box<dyn World>) {
    let log = world.connect();
    submit(log.as_ref(), P, 0, batch(1, &[5, 6])).await.unwrap();
    let place = |position, index| Place { position: Position(position), index };
    let wrong = [(place(0, 1), 5), (place(0, 6), 5), (place(1, 2), 5), (place(0, 2), 6)];
    for (place, len) in wrong {
        let wanted = BodyRef { place, len };
        assert_eq!(log.body(P, wanted).await, Err(LogFault::NoBody(wanted)));
    }
    let wanted = body_ref(0, 0, 5);
    assert_eq!(log.body(PartitionId(1), wanted).await, Err(LogFault::NoBody(wanted)));
}

async fn conflict(world: Box<dyn World>) {
    append(world.connect().as_ref(), P, 0..3).await;
    for at in [0, 2, 4, u64::MAX] {
        let outcome = submit(world.connect().as_ref(), P, at, batch(9, &[1])).await;
        assert_eq!(outcome, Err(AppendError::Conflict));
    }
    assert_tagged(world.connect().as_ref(), P, 3).await;
}

async fn failure_sticks(world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..3).await;
    assert_eq!(submit(log.as_ref(), P, 2, batch(9, &[])).await, Err(AppendError::Conflict));
    // Now the position happens to be right, and the batch rests on one that is not in the log.
    let after = submit(log.as_ref(), P, 3, batch(9, &[])).await;
    assert!(matches!(after, Err(AppendError::Rejected(_))), "{after:?}");
    append(log.as_ref(), PartitionId(1), 0..1).await;
    append(world.connect().as_ref(), P, 3..4).await;
}

async fn fences(world: Box<dyn World>) {
    let (old, new) = (world.connect(), world.connect());
    append(old.as_ref(), P, 0..2).await;
    append(new.as_ref(), P, 2..3).await;
    let late =
        [submit(old.as_ref(), P, 2, batch(8, &[])), submit(old.as_ref(), P, 3, batch(9, &[]))];
    let late = futures::future::join_all(late).await;
    assert_eq!(late[0], Err(AppendError::Conflict));
    assert!(late[1].is_err());
    append(new.as_ref(), P, 3..4).await;
    assert_tagged(new.as_ref(), P, 4).await;
}

async fn in_order(world: Box<dyn World>) {
    let log = world.connect();
    let count = 300;
    let tickets: Vec<_> =
        (0..count).map(|tag| submit(log.as_ref(), P, tag, batch(tag, &[10, 2000]))).collect();
    for (tag, ticket) in (0..).zip(tickets) {
        ticket.await.unwrap();
        // All before it are durable, so they can be read.
        assert!(log.tail(P).await.unwrap() > Position(tag));
    }
    assert_tagged(log.as_ref(), P, count).await;
}

async fn partitions(world: Box<dyn World>) {
    let log = world.connect();
    let ids = [0, 1, 77, 4095].map(PartitionId);
    let mut tickets = Vec::new();
    for tag in 0..30 {
        for p in ids {
            let tag_here = tag + u64::from(p.0) * 100;
            tickets.push(submit(log.as_ref(), p, tag, batch(tag_here, &[100])));
        }
    }
    assert!(futures::future::join_all(tickets).await.into_iter().all(|told| told.is_ok()));
    for p in ids {
        let base = u64::from(p.0) * 100;
        let found = take(log.as_ref(), p, 0, 30).await;
        let expected: Vec<_> =
            (0..30).map(|tag| (tag, bare_of_bodies(batch(tag + base, &[100])))).collect();
        assert_eq!(found, expected);
        assert_eq!(log.body(p, body_ref(29, 0, 100)).await, Ok(body(29 + base, 0, 100)));
    }
}

async fn large(world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..1).await;
    let lens = [1 << 20; 12];
    submit(log.as_ref(), P, 1, batch(1, &lens)).await.unwrap();
    append(log.as_ref(), P, 2..3).await;
    assert_eq!(log.body(P, body_ref(1, 11, 1 << 20)).await, Ok(body(1, 11, 1 << 20)));
    let found = take(log.as_ref(), P, 1, 2).await;
    assert_eq!(found[0].1, bare_of_bodies(batch(1, &lens)));
    assert_eq!(found[1].1, bare_of_bodies(batch(2, &[10, 2000])));
}

async fn bare(world: Box<dyn World>) {
    let log = world.connect();
    let nothing = Batch { at: Stamp(5), facts: Facts::none() };
    let one = Batch { at: Stamp(6), facts: Facts::one(Fact::Canary) };
    submit(log.as_ref(), P, 0, nothing.clone()).await.unwrap();
    submit(log.as_ref(), P, 1, one.clone()).await.unwrap();
    assert_eq!(take(log.as_ref(), P, 0, 2).await, [(0, nothing), (1, one)]);
}

async fn close(world: Box<dyn World>) {
    let log = world.connect();
    let tickets: Vec<_> =
        (0..20).map(|tag| submit(log.as_ref(), P, tag, batch(tag, &[10, 2000]))).collect();
    assert_eq!(log.close().await, Ok(()));
    for ticket in tickets {
        assert_eq!(ticket.now_or_never(), Some(Ok(())));
    }
    let late = submit(log.as_ref(), P, 20, batch(20, &[])).await;
    assert!(matches!(late, Err(AppendError::Rejected(_))), "{late:?}");
    assert_eq!(log.close().await, Ok(()));
    assert_tagged(log.as_ref(), P, 20).await;
}

async fn reader_ends(world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..3).await;
    let mut read = log.read(P, Position(2));
    assert!(read.next().await.unwrap().is_ok());
    assert!(poll!(read.next()).is_pending());
    log.close().await.unwrap();
    assert!(read.next().await.is_none());
}

async fn room(world: Box<dyn World>) {
    let log = world.connect();
    // Far more than there is, if a room that was given back still counted.
    for tag in 0..100 {
        let mut room = log.reserve(1 << 30).expect("there is room");
        room.join(log.reserve(10).expect("there is room"));
        assert_eq!(room.bytes(), (1 << 30) + 10);
        if tag % 2 == 0 {
            let ticket = log.submit(P, Position(tag / 2), room, batch(tag, &[10]));
            ticket.await.unwrap();
        }
    }
}

async fn restart(mut world: Box<dyn World>) {
    append(world.connect().as_ref(), P, 0..50).await;
    append(world.connect().as_ref(), PartitionId(9), 0..5).await;
    for _ in 0..2 {
        world.restart().await;
        assert_tagged(world.connect().as_ref(), P, 50).await;
        assert_tagged(world.connect().as_ref(), PartitionId(9), 5).await;
    }
}

async fn goes_on(mut world: Box<dyn World>) {
    let mut tails = BTreeMap::new();
    for round in 0..6 {
        for p in [P, PartitionId(2)] {
            let tail: &mut u64 = tails.entry(p).or_default();
            append(world.connect().as_ref(), p, *tail..*tail + round).await;
            *tail += round;
        }
        world.restart().await;
        for (p, tail) in &tails {
            assert_tagged(world.connect().as_ref(), *p, *tail).await;
        }
    }
}

async fn restart_empty(mut world: Box<dyn World>) {
    world.restart().await;
    assert_eq!(world.connect().tail(P).await, Ok(Position(0)));
    append(world.connect().as_ref(), P, 0..1).await;
    world.restart().await;
    assert_tagged(world.connect().as_ref(), P, 1).await;
}
