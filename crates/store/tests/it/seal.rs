//! A write or sync that fails ends the log: nothing is acknowledged after it.

use futures::FutureExt;
use lineside_engine::log::{AppendError, Log, LogFault};
use lineside_store::conformance::batch;
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions, Sync};

use crate::support::{P, append, expected, open, open_with, options, read_all, submit};

const BODIES: &[usize] = &[10];

/// What is true of every log that sealed itself after its first batch.
async fn assert_sealed(log: &DiskLog, word: &str) {
    let reason = log.sealed().await;
    assert!(reason.contains(word) && reason.contains("segment, byte"), "{reason}");
    for connection in [log.clone(), log.connect()] {
        let late = submit(&connection, P, 2, batch(2, BODIES)).await;
        assert!(matches!(late, Err(AppendError::Rejected(_))), "{late:?}");
    }
    assert_eq!(log.close().await, Err(LogFault::Sealed(reason)));
    assert_eq!(read_all(log, P).await, (expected(0..1, BODIES), None));
}

#[tokio::test]
async fn failed_sync_seals() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..1, BODIES).await;
    assert!(log.sealed().now_or_never().is_none());
    disk.fail_sync(0);
    let outcome = submit(&log, P, 1, batch(1, BODIES)).await;
    assert!(matches!(outcome, Err(AppendError::Unknown(_))), "{outcome:?}");
    assert_sealed(&log, "EIO").await;
}

#[tokio::test]
async fn those_in_the_failed_write_are_unknown_and_those_behind_it_rejected() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..1, BODIES).await;
    disk.hold_syncs();
    let first = submit(&log, P, 1, batch(1, BODIES));
    disk.wait_for_held_sync();
    let behind: Vec<_> = (2..5).map(|at| submit(&log, P, at, batch(at, BODIES))).collect();
    disk.fail_sync(0);
    disk.release_syncs();
    assert!(matches!(first.await, Err(AppendError::Unknown(_))));
    for ticket in behind {
        assert!(matches!(ticket.await, Err(AppendError::Rejected(_))));
    }
    assert_sealed(&log, "EIO").await;
}

#[tokio::test]
async fn failed_write_seals_and_what_it_left_is_cut() {
    for partial in [0, 1, 63, 64, 100] {
        let disk = TestDisk::new();
        let log = open(&disk);
        append(&log, 0..1, BODIES).await;
        disk.fail_write(0, partial, std::io::ErrorKind::TimedOut);
        let outcome = submit(&log, P, 1, batch(1, BODIES)).await;
        assert!(matches!(outcome, Err(AppendError::Unknown(_))), "{outcome:?}");
        assert_sealed(&log, "timed out").await;
        drop(log);
        let log = open(&disk);
        append(&log, 1..3, BODIES).await;
        assert_eq!(read_all(&log, P).await, (expected(0..3, BODIES), None));
    }
}

#[tokio::test]
async fn segment_that_cannot_be_made_rejects() {
    // The syncs of a roll: the old segment, then the new one's header.
    for skip in [0, 1] {
        let disk = TestDisk::new();
        let log = open_with(&disk, DiskOptions { segment_bytes: 1024, ..options() });
        append(&log, 0..1, BODIES).await;
        disk.fail_sync(skip);
        let outcome = submit(&log, P, 1, batch(1, &[2000])).await;
        assert!(matches!(outcome, Err(AppendError::Rejected(_))), "{outcome:?}");
        assert_sealed(&log, "EIO").await;
        drop(log);
        let log = open(&disk.power_cut_clean());
        assert_eq!(read_all(&log, P).await, (expected(0..1, BODIES), None));
        append(&log, 1..3, BODIES).await;
    }
}

#[tokio::test]
async fn failed_sync_at_an_interval_seals_too() {
    let disk = TestDisk::new();
    let sync = Sync::Interval(std::time::Duration::from_millis(1));
    let log = open_with(&disk, DiskOptions { sync, ..options() });
    disk.fail_sync(0);
    append(&log, 0..1, BODIES).await;
    assert_sealed(&log, "EIO").await;
}

/// After a failed sync the system may show bytes that are not on the disk, and call them clean. What
/// the next start finds there and builds on must be on the disk.
#[tokio::test]
async fn start_after_a_failed_sync_does_not_trust_what_the_system_shows() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..1, BODIES).await;
    disk.fail_sync(0);
    assert!(submit(&log, P, 1, batch(1, BODIES)).await.is_err());
    drop(log);
    let disk = disk.kill();
    let log = open(&disk);
    let (found, _) = read_all(&log, P).await;
    assert_eq!(found, expected(0..2, BODIES), "the system shows it, so it is there");
    drop(log);
    let log = open(&disk.power_cut_clean());
    assert_eq!(read_all(&log, P).await, (found, None), "and stays there");
}
