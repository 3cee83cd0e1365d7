//! One recorded run, and the disk as a power cut may leave it, at any moment of it and with any of
//! what was not synced: each image opens, and holds what was acknowledged and nothing else.

use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{Log, LogFault};
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::disk::verify_on;
use lineside_store::testing::{Recording, TestDisk};
use lineside_store::{DiskLog, DiskOptions};

use crate::compaction::living;
use crate::support::{Dice, P, open_with, options, submit};

const OTHER: PartitionId = PartitionId(3);
const BODIES: &[usize] = &[300, 20];
const COUNT: u64 = 120;
/// A debug build takes fewer, to be quick.
const IMAGES: u64 = if cfg!(debug_assertions) { 500 } else { 2_000 };

/// What was noted: each kind of event has its range.
const BATCH: u64 = 1_000;
const RETAIN: u64 = 2_000;
const PUT: u64 = 3_000;
const STORED: u64 = 4_000;

fn small() -> DiskOptions {
    DiskOptions { segment_bytes: 4096, compaction_bytes_per_second: 0, ..options() }
}

/// The longer body of each batch lies outside.
fn outside() -> DiskOptions {
    DiskOptions { inside_body_bytes: 250, ..small() }
}

/// What each call of `retain` says: below which position, and which bodies live there.
fn retained(nth: u64) -> (u64, Vec<(u64, usize)>) {
    let below = (nth + 1) * 20;
    // Each call leaves out more of what the one before it kept, and nothing comes back.
    let lives = |at: &u64| at % 7 == 3 && *at >= nth * 8;
    // Of every other one the short body, of the others both.
    let bodies = |at| [(at, 1), (at, 0)].into_iter().take(1 + usize::from(at % 2 == 0));
    (below, (0..below).filter(lives).flat_map(bodies).collect())
}

/// The recorded run: bursts on two partitions, segments, compactions, blobs, a clean restart.
async fn run(disk: &TestDisk, options: fn() -> DiskOptions) {
    disk.record();
    let mut log = open_with(disk, options());
    let mut other = 0;
    for nth in 0..5_u64 {
        let mut tickets = Vec::new();
        for at in nth * 24..nth * 24 + 24 {
            tickets.push((at, submit(&log, P, at, batch(at, BODIES))));
            if at % 3 == 0 {
                tickets.push((u64::MAX, submit(&log, OTHER, other, batch(other, &[]))));
                other += 1;
            }
            if at % 5 == 0 {
                for (at, ticket) in tickets.drain(..) {
                    ticket.await.unwrap();
                    disk.note(if at == u64::MAX { 0 } else { BATCH + at });
                }
            }
        }
        for (at, ticket) in tickets {
            ticket.await.unwrap();
            disk.note(if at == u64::MAX { 0 } else { BATCH + at });
        }
        disk.note(PUT + nth);
        log.blobs().put("checkpoint", body(nth, 0, 2000)).await.unwrap();
        disk.note(STORED + nth);
        let (below, bodies) = retained(nth);
        disk.note(RETAIN + nth);
        log.retain(P, Position(below), living(&bodies));
        log.retain(OTHER, Position(other), living(&[]));
        log.tidied().await;
        if nth == 2 {
            log.close().await.unwrap();
            drop(log);
            log = open_with(disk, options());
        }
    }
    log.close().await.unwrap();
}

/// The highest number noted in a range of a thousand.
fn last(noted: &[u64], range: u64) -> Option<u64> {
    noted.iter().filter_map(|tag| tag.checked_sub(range)).filter(|n| *n < 1000).max()
}

async fn check(disk: &TestDisk, options: fn() -> DiskOptions, noted: &[u64], case: &str) {
    let log = open_with(disk, options());
    assert_eq!(log.recovery().damage, [], "{case}");
    let acknowledged = last(noted, BATCH).map_or(0, |at| at + 1);
    let tail = log.tail(P).await.unwrap().0;
    assert!(tail >= acknowledged && tail <= COUNT, "{case}: {tail} of {acknowledged}");
    let (below, bodies) = last(noted, RETAIN).map_or((0, vec![]), retained);
    let read = facts(&log, P, tail, case).await;
    assert!(read.is_sorted(), "{case}");
    let must: Vec<u64> = (below.min(tail)..tail).collect();
    assert!(read.ends_with(&must), "{case}: {read:?} below {below}");
    for at in 0..tail {
        for (n, len) in BODIES.iter().enumerate() {
            let found = log.body(P, body_ref(at, n, *len)).await;
            let lives = at >= below || bodies.contains(&(at, n));
            let gone = !lives && matches!(found, Err(LogFault::NoBody(_)));
            assert!(gone || found == Ok(body(at, n, *len)), "{case}: {at} {n} {found:?}");
        }
    }
    facts(&log, OTHER, log.tail(OTHER).await.unwrap().0, case).await;
    let (stored, put) = (last(noted, STORED), last(noted, PUT));
    let found = log.blobs().get("checkpoint").await.ok();
    let is = |nth: Option<u64>| found == nth.map(|nth| body(nth, 0, 2000));
    assert!(is(stored) || is(put), "{case}: the blob of {stored:?} or {put:?}");
    log.tidied().await;
    submit(&log, P, tail, batch(tail, BODIES)).await.unwrap();
    drop(log);
}

/// The positions whose facts can be read, up to the tail; each is what was written.
async fn facts(log: &DiskLog, p: PartitionId, tail: u64, case: &str) -> Vec<u64> {
    use futures::StreamExt;
    let (mut read, mut found) = (log.read(p, Position(0)), Vec::new());
    // The batch before the tail is never reclaimed here, but for the other partition's.
    let last = if p == OTHER { None } else { tail.checked_sub(1) };
    while last.is_some() && found.last().copied() != last {
        let (at, was) = read.next().await.unwrap().unwrap_or_else(|e| panic!("{case}: {e}"));
        let mut written = batch(at.0, BODIES);
        written.facts.bodies.clear();
        assert_eq!(was, written, "{case}");
        found.push(at.0);
    }
    found
}

#[tokio::test]
async fn any_moment_with_any_of_what_was_not_synced() {
    let half_made = images(small, IMAGES).await;
    assert!(half_made > IMAGES / 20, "{half_made} images of a segment or blob half made");
}

#[tokio::test]
async fn any_moment_where_bodies_lie_outside() {
    let half_made = images(outside, IMAGES / 2).await;
    assert!(half_made > IMAGES / 20, "{half_made} images of a segment or blob half made");
}

/// So many images of one run; how many of them have files that were half made.
async fn images(options: fn() -> DiskOptions, count: u64) -> u64 {
    let disk = TestDisk::new();
    run(&disk, options).await;
    let mut recording: Recording = disk.recording();
    let steps = recording.len() as u64;
    assert!(steps > 400, "{steps}");
    let (mut compacting, mut moments) = (0, Dice(77));
    let mut moments: Vec<u64> = (0..count).map(|_| moments.below(steps + 1)).collect();
    moments.sort_unstable();
    for (seed, moment) in (0..).zip(moments) {
        recording.play_to(usize::try_from(moment).unwrap());
        let mut dice = Dice(seed);
        let image = recording.power_cut(&mut || dice.roll());
        let unfinished = |name: &String| name.ends_with(".new");
        let mut names = image.file_names().into_iter().chain(image.folder_names("blobs"));
        compacting += u64::from(names.any(|name| unfinished(&name)));
        let case = format!("image {seed} at step {moment} of {steps}");
        check(&image, options, recording.noted(), &case).await;
        if seed % 10 == 0 {
            let report = verify_on(&image).unwrap();
            assert!(report.is_sound(), "{case}: {:?}", report.findings);
            assert_eq!(report.leftovers, 0, "{case}: the start removed what nothing names");
        }
    }
    compacting
}
