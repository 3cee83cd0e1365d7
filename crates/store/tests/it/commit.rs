//! When tickets resolve, and how many batches share a sync.

use std::time::Duration;

use futures::FutureExt;
use lineside_core::id::Position;
use lineside_engine::log::{Log, LogFault};
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::testing::TestDisk;
use lineside_store::{DiskOptions, Sync};

use crate::support::{
    FIRST, P, append, expected, open, open_with, options, read_all, submit, writes,
};

const BODIES: &[usize] = &[10];

#[tokio::test]
async fn nothing_is_told_or_shown_before_it_is_synced() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { body_cache_bytes: 1 << 20, ..options() });
    append(&log, 0..1, BODIES).await;
    disk.hold_syncs();
    let mut ticket = submit(&log, P, 1, batch(1, BODIES));
    disk.wait_for_held_sync();
    assert!((&mut ticket).now_or_never().is_none());
    assert_eq!(log.tail(P).await, Ok(Position(1)));
    let wanted = body_ref(1, 0, 10);
    assert_eq!(log.body(P, wanted).await, Err(LogFault::NoBody(wanted)));
    assert_eq!(read_all(&log, P).await, (expected(0..1, BODIES), None));
    disk.release_syncs();
    ticket.await.unwrap();
    assert_eq!(log.body(P, wanted).await, Ok(body(1, 0, 10)));
    assert_eq!(read_all(&log, P).await, (expected(0..2, BODIES), None));
}

/// The layer that drops what was not synced: what was appended when the power went is not there, and
/// nobody had been told that it was.
#[tokio::test]
async fn appended_and_not_synced_is_lost_and_was_never_acknowledged() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..1, BODIES).await;
    disk.hold_syncs();
    let ticket = submit(&log, P, 1, batch(1, BODIES));
    disk.wait_for_held_sync();
    let after = disk.power_cut_clean();
    assert!(ticket.await.is_err());
    drop(log);
    assert_eq!(read_all(&open(&after), P).await, (expected(0..1, BODIES), None));
}

#[tokio::test]
async fn all_that_came_during_a_sync_shares_the_next() {
    let disk = TestDisk::new();
    let log = open(&disk);
    disk.hold_syncs();
    let first = submit(&log, P, 0, batch(0, BODIES));
    disk.wait_for_held_sync();
    let others: Vec<_> = (1..200).map(|at| submit(&log, P, at, batch(at, BODIES))).collect();
    disk.release_syncs();
    let outcomes = futures::future::join_all(std::iter::once(first).chain(others)).await;
    assert!(outcomes.iter().all(Result::is_ok));
    let batches: Vec<_> = writes(&disk.bytes(FIRST)).iter().map(|w| w.batches).collect();
    assert_eq!(batches, [1, 199]);
}

#[tokio::test]
async fn every_write_says_what_was_synced_before_it() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..5, BODIES).await;
    log.close().await.unwrap();
    let said: Vec<_> =
        writes(&disk.bytes(FIRST)).iter().map(|w| (w.kind, w.number, w.synced)).collect();
    assert_eq!(said, [(1, 1, 0), (1, 2, 1), (1, 3, 2), (1, 4, 3), (1, 5, 4), (2, 6, 5)]);
}

#[tokio::test]
async fn at_intervals_a_ticket_does_not_wait_for_the_sync() {
    let disk = TestDisk::new();
    let sync = Sync::Interval(Duration::from_secs(3600));
    let log = open_with(&disk, DiskOptions { sync, ..options() });
    let syncs = disk.syncs();
    append(&log, 0..3, BODIES).await;
    assert_eq!(disk.syncs(), syncs);
    assert_eq!(read_all(&log, P).await, (expected(0..3, BODIES), None));
    let synced: Vec<_> = writes(&disk.bytes(FIRST)).iter().map(|w| w.synced).collect();
    assert_eq!(synced, [0, 0, 0]);
    drop(log);
    assert_eq!(read_all(&open(&disk.power_cut_clean()), P).await.0, []);
}

#[tokio::test]
async fn at_intervals_close_syncs() {
    let disk = TestDisk::new();
    let sync = Sync::Interval(Duration::from_secs(3600));
    let log = open_with(&disk, DiskOptions { sync, ..options() });
    append(&log, 0..3, BODIES).await;
    log.close().await.unwrap();
    drop(log);
    let log = open(&disk.power_cut_clean());
    assert_eq!(read_all(&log, P).await, (expected(0..3, BODIES), None));
}

#[tokio::test]
async fn at_intervals_the_sync_comes_by_itself() {
    let disk = TestDisk::new();
    let sync = Sync::Interval(Duration::from_millis(1));
    let log = open_with(&disk, DiskOptions { sync, ..options() });
    let syncs = disk.syncs();
    append(&log, 0..1, BODIES).await;
    disk.wait_for_syncs(syncs + 1);
    // A second sync is begun when the first has ended.
    append(&log, 1..2, BODIES).await;
    disk.wait_for_syncs(syncs + 2);
    let log = open(&disk.power_cut_clean());
    assert_eq!(read_all(&log, P).await.0.first(), expected(0..1, BODIES).first());
}

#[tokio::test]
async fn dropping_the_last_handle_is_a_crash_and_frees_the_directory() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..2, BODIES).await;
    let other = log.connect();
    drop(log);
    append(&other, 2..3, BODIES).await;
    drop(other);
    let kinds: Vec<_> = writes(&disk.bytes(FIRST)).iter().map(|w| w.kind).collect();
    assert_eq!(kinds, [1, 1, 1], "no mark");
    assert_eq!(read_all(&open(&disk), P).await, (expected(0..3, BODIES), None));
}

/// A file that grows with each sync costs a second write each time (`docs/adr/0001-segments.md`).
#[tokio::test]
async fn small_writes_stay_inside_the_zeros_that_the_first_one_brought() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { segment_bytes: 1 << 20, ..options() });
    for at in 0..20 {
        append(&log, at..at + 1, BODIES).await;
        assert_eq!(disk.bytes(FIRST).len(), 256 << 10);
    }
    append(&log, 20..21, &[300_000]).await;
    let end = disk.bytes(FIRST).len();
    assert!(end > 300_000 && end < 310_000, "a large write brings none: {end}");
    append(&log, 21..22, BODIES).await;
    assert_eq!(disk.bytes(FIRST).len(), 512 << 10);
}
