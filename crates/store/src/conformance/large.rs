//! Bodies and batches as large as they may be, and larger.

use bytes::Bytes;
use futures::FutureExt;
use lineside_core::fact::{Batch, Fact, Facts};
use lineside_core::id::{BodyRef, Place, Position};
use lineside_core::stamp::Stamp;
use lineside_engine::living::LivingSet;
use lineside_engine::log::{AppendError, Log, LogFault};

use super::{Check, P, World, append, bare_of_bodies, batch, submit, take};
use crate::limits::{BATCH_BYTES_MAX, BLOB_BYTES_MAX, INSIDE_BODY_BYTES_MAX};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a body beyond the largest batch is taken", |w| beyond_a_batch(w).boxed()),
    ("a batch or a body beyond the largest is rejected", |w| too_large(w).boxed()),
];

pub(super) const DURABLE_CHECKS: &[(&str, Check)] =
    &[("a body beyond the largest batch is there after a restart", |w| restart(w).boxed())];

/// A body that is not the same at its beginning, in its middle and at its end.
fn large_body(len: usize) -> Bytes {
    let mut body = vec![0x5a; len];
    for (at, byte) in body.iter_mut().enumerate().step_by(4093) {
        *byte = (at / 4093).to_le_bytes()[0];
    }
    Bytes::from(body)
}

/// Three facts, each with a body of such a length.
fn large_batch(lens: [usize; 3]) -> Batch {
    let mut facts = Facts::none();
    lens.iter().for_each(|len| facts.push_with_body(Fact::Canary, large_body(*len)));
    Batch { at: Stamp(7), facts }
}

fn lens() -> [usize; 3] {
    [10, usize::try_from(BATCH_BYTES_MAX).unwrap() + 1, INSIDE_BODY_BYTES_MAX]
}

fn body_ref(position: u64, index: u32, len: usize) -> BodyRef {
    let place = Place { position: Position(position), index };
    BodyRef { place, len: u32::try_from(len).unwrap() }
}

/// The bodies of a large batch come back. Not compared by `assert_eq`, which would print them.
async fn assert_large(log: &dyn Log, position: u64) {
    for (index, len) in (0..).zip(lens()) {
        let found = log.body(P, body_ref(position, index, len)).await;
        assert!(found == Ok(large_body(len)), "body {index} of {len} bytes");
    }
    let short = body_ref(position, 1, lens()[1] - 1);
    assert_eq!(log.body(P, short).await, Err(LogFault::NoBody(short)));
}

async fn beyond_a_batch(world: Box<dyn World>) {
    let log = world.connect();
    append(log.as_ref(), P, 0..1).await;
    submit(log.as_ref(), P, 1, large_batch(lens())).await.unwrap();
    append(log.as_ref(), P, 2..3).await;
    assert_large(log.as_ref(), 1).await;
    let found = take(log.as_ref(), P, 1, 2).await;
    assert!(found[0].1 == bare_of_bodies(large_batch(lens())), "its facts come without bodies");
    assert_eq!(found[1].1, bare_of_bodies(batch(2, &[10, 2000])));
    assert_eq!(world.blobs().list("").await, Ok(vec![]), "where it lies is the log's own affair");
    // All but the small one dies.
    let place = body_ref(1, 0, 0).place;
    log.retain(P, Position(3), LivingSet::of(vec![place]));
    world.settle().await;
    append(log.as_ref(), P, 3..4).await;
    assert_eq!(log.body(P, body_ref(1, 0, 10)).await, Ok(large_body(10)));
}

async fn too_large(world: Box<dyn World>) {
    let larger = BLOB_BYTES_MAX + 1;
    let mut many = Facts::none();
    let body = Bytes::from(vec![0; INSIDE_BODY_BYTES_MAX]);
    let count = BATCH_BYTES_MAX / INSIDE_BODY_BYTES_MAX as u64;
    (0..count).for_each(|_| many.push_with_body(Fact::Canary, body.clone()));
    for batch in [large_batch([1, larger, 1]), Batch { at: Stamp(1), facts: many }] {
        let outcome = submit(world.connect().as_ref(), P, 0, batch).await;
        assert!(matches!(outcome, Err(AppendError::Rejected(_))), "{outcome:?}");
    }
    append(world.connect().as_ref(), P, 0..1).await;
}

async fn restart(mut world: Box<dyn World>) {
    submit(world.connect().as_ref(), P, 0, large_batch(lens())).await.unwrap();
    append(world.connect().as_ref(), P, 1..3).await;
    for _ in 0..2 {
        world.restart().await;
        assert_large(world.connect().as_ref(), 0).await;
    }
    world.connect().retain(P, Position(3), LivingSet::default());
    world.settle().await;
    world.restart().await;
    append(world.connect().as_ref(), P, 3..4).await;
}
