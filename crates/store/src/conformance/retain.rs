//! What `retain` may take away, and what it must leave.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::stream::StreamExt;
use lineside_core::id::{PartitionId, Place, Position};
use lineside_engine::living::LivingSet;
use lineside_engine::log::{Log, LogFault};

use super::{Check, P, World, append, bare_of_bodies, batch, body, body_ref, submit};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("what lives can be read, and all from there on", |w| lives(w).boxed()),
    ("a later word counts, and partitions are apart", |w| later_word(w).boxed()),
    ("a log of which nothing lives goes on", |w| nothing_lives(w).boxed()),
    ("a reader under way is not disturbed", |w| under_way(w).boxed()),
];

pub(super) const DURABLE_CHECKS: &[(&str, Check)] =
    &[("what was taken away and what was left is so after a restart", |w| restart(w).boxed())];

const BODIES: [usize; 2] = [10, 2000];

/// The places of bodies: the `n`th of the batch at `position`.
fn living(bodies: &[(u64, usize)]) -> LivingSet {
    let place = |(position, n): &(u64, usize)| body_ref(*position, *n, 0).place;
    LivingSet::of(bodies.iter().map(place).collect::<Vec<Place>>())
}

/// The log has `count` batches, of which only `living` matter below `below`.
async fn assert_retained(
    log: &dyn Log,
    p: PartitionId,
    count: u64,
    below: u64,
    living: &[(u64, usize)],
) {
    assert_eq!(log.tail(p).await, Ok(Position(count)));
    let from = async |from: u64| -> Vec<u64> {
        let mut read = log.read(p, Position(from));
        let mut found = Vec::new();
        while found.last() != Some(&(count - 1)) {
            let (at, batch_) = read.next().await.unwrap().unwrap();
            assert_eq!(batch_, bare_of_bodies(batch(at.0, &BODIES)));
            found.push(at.0);
        }
        found
    };
    assert_eq!(from(below).await, (below..count).collect::<Vec<_>>());
    let all = from(0).await;
    assert!(all.is_sorted() && all.ends_with(&(below..count).collect::<Vec<_>>()));
    let living: BTreeSet<_> = living.iter().copied().collect();
    for position in 0..count {
        for (n, len) in BODIES.into_iter().enumerate() {
            let found = log.body(p, body_ref(position, n, len)).await;
            let must = position >= below || living.contains(&(position, n));
            let gone = !must && matches!(found, Err(LogFault::NoBody(_)));
            assert!(gone || found == Ok(body(position, n, len)), "{position} {n}: {found:?}");
        }
    }
}

async fn lives(world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..60).await;
    let kept = [(0, 1), (17, 0), (17, 1), (39, 1)];
    log.retain(P, Position(40), living(&kept));
    world.settle().await;
    assert_retained(log.as_ref(), P, 60, 40, &kept).await;
    append(log.as_ref(), P, 60..65).await;
    assert_retained(world.connect().as_ref(), P, 65, 40, &kept).await;
}

async fn later_word(world: Box<dyn World>) {
    let log = world.connect();
    let other = PartitionId(7);
    append(log.as_ref(), P, 0..40).await;
    append(log.as_ref(), other, 0..10).await;
    log.retain(P, Position(20), living(&[(3, 0), (19, 1)]));
    log.retain(P, Position(30), living(&[(3, 0), (25, 0)]));
    world.settle().await;
    assert_retained(log.as_ref(), P, 40, 30, &[(3, 0), (25, 0)]).await;
    assert_retained(log.as_ref(), other, 10, 0, &[]).await;
    log.retain(P, Position(40), LivingSet::default());
    log.retain(other, Position(5), living(&[(4, 1)]));
    world.settle().await;
    append(log.as_ref(), P, 40..41).await;
    assert_retained(log.as_ref(), P, 41, 40, &[]).await;
    assert_retained(log.as_ref(), other, 10, 5, &[(4, 1)]).await;
}

async fn nothing_lives(world: Box<dyn World>) {
    let log = world.connect();
    for round in 0..5 {
        append(log.as_ref(), P, round * 10..round * 10 + 10).await;
        log.retain(P, Position(round * 10 + 10), LivingSet::default());
        world.settle().await;
        assert_eq!(log.tail(P).await, Ok(Position(round * 10 + 10)));
    }
    let conflict = submit(world.connect().as_ref(), P, 49, batch(1, &[])).await;
    assert!(conflict.is_err(), "positions are not given twice");
    append(log.as_ref(), P, 50..51).await;
    assert_retained(log.as_ref(), P, 51, 50, &[]).await;
}

/// It may skip what is reclaimed while it reads, and shows nothing else than what was written.
async fn under_way(world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..60).await;
    let mut read = log.read(P, Position(0));
    let (first, _) = read.next().await.unwrap().unwrap();
    log.retain(P, Position(50), living(&[(9, 1)]));
    world.settle().await;
    append(log.as_ref(), P, 60..61).await;
    let mut last = first;
    while last < Position(60) {
        let (at, found) = read.next().await.unwrap().unwrap();
        assert!(at > last && found == bare_of_bodies(batch(at.0, &BODIES)));
        assert!(at <= Position(50) || at == last.next(), "nothing that lives is skipped");
        last = at;
    }
}

async fn restart(mut world: Box<dyn World>) {
    let kept = [(2, 0), (2, 1), (31, 0)];
    let other = PartitionId(3);
    append(world.connect().as_ref(), other, 0..5).await;
    append(world.connect().as_ref(), P, 0..60).await;
    world.connect().retain(P, Position(45), living(&kept));
    world.connect().retain(other, Position(5), LivingSet::default());
    for count in 60..64 {
        world.settle().await;
        world.restart().await;
        assert_retained(world.connect().as_ref(), P, count, 45, &kept).await;
        assert_eq!(world.connect().tail(other).await, Ok(Position(5)));
        append(world.connect().as_ref(), P, count..count + 1).await;
    }
    append(world.connect().as_ref(), other, 5..6).await;
    assert_retained(world.connect().as_ref(), other, 6, 5, &[]).await;
}
