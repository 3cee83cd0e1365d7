//! Bodies that matter for ever: `retain` may not take them, and they can be listed.

use futures::FutureExt;
use futures::stream::StreamExt;
use lineside_core::events::Appended;
use lineside_core::fact::{Batch, Fact, Facts};
use lineside_core::id::{
    BodyRef, EventNumber, Label, PartitionId, Place, Position, QueueId, Version,
};
use lineside_core::stamp::Stamp;
use lineside_engine::living::LivingSet;
use lineside_engine::log::{KeptBody, Log, LogFault};

use super::{Check, P, World, body, submit};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("kept bodies are listed from where it is told to the tail", |w| listed(w).boxed()),
    ("kept bodies outlive what is said of the others", |w| outlive(w).boxed()),
    ("kept bodies of partitions are apart", |w| apart(w).boxed()),
];

pub(super) const DURABLE_CHECKS: &[(&str, Check)] =
    &[("kept bodies outlive what is said of the others, and a restart", |w| restart(w).boxed())];

/// Bytes of the bodies of [`events`]: one that is not kept between two that are.
const BODIES: [usize; 3] = [300, 700, 1100];

/// A batch with two events, and a body that is not kept between them.
pub fn events(tag: u64) -> Batch {
    let mut facts = Facts::none();
    facts.push(Fact::Canary);
    for (n, len) in BODIES.into_iter().enumerate() {
        let fact = if n == 1 { Fact::Canary } else { event(tag) };
        facts.push_with_body(fact, body(tag, n, len));
    }
    Batch { at: Stamp(1_000_000 + tag), facts }
}

fn event(tag: u64) -> Fact {
    Fact::Appended(Appended {
        store: QueueId(1),
        number: EventNumber(tag + 1),
        stream: Label::new("s-1"),
        version: Version(tag + 1),
        kind: Label::new("happened"),
        tags: Vec::new(),
        correlation: None,
        len: 0,
        index: 0,
        count: 1,
    })
}

/// The `n`th body of the batch at `position`.
pub fn reference(position: u64, n: usize) -> BodyRef {
    let index = u32::try_from(n + 1).unwrap();
    let place = Place { position: Position(position), index };
    BodyRef { place, len: u32::try_from(BODIES[n]).unwrap() }
}

async fn append(log: &dyn Log, p: PartitionId, tags: std::ops::Range<u64>) {
    for tag in tags {
        submit(log, p, tag, events(tag)).await.expect("the tail is here");
    }
}

async fn kept(log: &dyn Log, p: PartitionId, from: u64) -> Vec<KeptBody> {
    log.kept(p, Position(from)).map(Result::unwrap).collect().await
}

/// The kept bodies of the batches at these positions.
fn expected(positions: std::ops::Range<u64>) -> Vec<KeptBody> {
    let of = |at: u64| {
        [0, 2].map(|n| KeptBody {
            body: reference(at, n),
            at: Stamp(1_000_000 + at),
            bytes: body(at, n, BODIES[n]),
        })
    };
    positions.flat_map(of).collect()
}

async fn assert_kept(log: &dyn Log, p: PartitionId, count: u64) {
    assert_eq!(kept(log, p, 0).await, expected(0..count));
    for (at, n) in (0..count).flat_map(|at| [(at, 0), (at, 2)]) {
        assert_eq!(log.body(p, reference(at, n)).await, Ok(body(at, n, BODIES[n])), "{at} {n}");
    }
}

async fn listed(world: Box<dyn World>) {
    let log = world.connect();
    assert_eq!(kept(log.as_ref(), P, 0).await, []);
    append(log.as_ref(), P, 0..20).await;
    submit(log.as_ref(), P, 20, super::batch(20, &[10])).await.unwrap();
    assert_eq!(kept(log.as_ref(), P, 0).await, expected(0..20));
    assert_eq!(kept(log.as_ref(), P, 7).await, expected(7..20));
    assert_eq!(kept(log.as_ref(), P, 20).await, []);
    assert_eq!(kept(log.as_ref(), P, 99).await, []);
}

async fn outlive(world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..60).await;
    let one = |at| LivingSet::of(vec![reference(at, 1).place]);
    // The second time what is left of the first is looked at again.
    for (below, living) in [(30, one(11)), (50, one(40)), (55, LivingSet::default())] {
        log.retain(P, Position(below), living);
        world.settle().await;
        assert_kept(log.as_ref(), P, 60).await;
    }
    for at in 0..60 {
        let found = log.body(P, reference(at, 1)).await;
        let there = found == Ok(body(at, 1, BODIES[1]));
        assert!(there || at < 55 && matches!(found, Err(LogFault::NoBody(_))), "{at}: {found:?}");
    }
    append(log.as_ref(), P, 60..65).await;
    assert_kept(world.connect().as_ref(), P, 65).await;
}

async fn apart(world: Box<dyn World>) {
    let (log, other) = (world.connect(), PartitionId(7));
    for at in 0..30 {
        append(log.as_ref(), P, at..at + 1).await;
        append(log.as_ref(), other, at..at + 1).await;
    }
    log.retain(P, Position(30), LivingSet::default());
    log.retain(other, Position(10), LivingSet::default());
    world.settle().await;
    assert_kept(log.as_ref(), P, 30).await;
    assert_kept(log.as_ref(), other, 30).await;
}

async fn restart(mut world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..60).await;
    log.retain(P, Position(40), LivingSet::default());
    world.settle().await;
    drop(log);
    world.restart().await;
    let log = world.connect();
    assert_kept(log.as_ref(), P, 60).await;
    log.retain(P, Position(60), LivingSet::default());
    world.settle().await;
    drop(log);
    world.restart().await;
    assert_kept(world.connect().as_ref(), P, 60).await;
}
