//! Room is set aside before a batch is decided, against what the disk has free.

use futures::StreamExt;
use lineside_core::id::Position;
use lineside_engine::log::{AppendError, Full, Log};
use lineside_store::conformance::{batch, body};
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions, MemoryLog};

use crate::support::{P, append, expected, open_with, options, read_all, submit};

const RESERVE: u64 = 1 << 20;

fn log_with(free: u64) -> (TestDisk, DiskLog) {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { reserve_bytes: RESERVE, ..options() });
    disk.set_free_bytes(free);
    assert!(log.reserve(1 << 50).is_err(), "and so it looks again");
    (disk, log)
}

#[tokio::test]
async fn reserve_stays_free() {
    let (_disk, log) = log_with(RESERVE + 5000);
    let first = log.reserve(4000).unwrap();
    assert_eq!(log.reserve(1001), Err(Full { asked: 1001 }));
    let mut second = log.reserve(1000).unwrap();
    assert_eq!(log.reserve(1), Err(Full { asked: 1 }));
    second.join(first);
    assert_eq!(log.reserve(1), Err(Full { asked: 1 }));
    drop(second);
    assert_eq!(log.reserve(5000).unwrap().bytes(), 5000);
}

#[tokio::test]
async fn batch_is_taken_though_there_is_no_room_so_that_consumers_can_drain() {
    let (_disk, log) = log_with(RESERVE);
    assert!(log.reserve(1).is_err());
    log.submit(P, Position(0), Default::default(), batch(0, &[])).await.unwrap();
}

#[tokio::test]
async fn what_was_written_counts() {
    let (_disk, log) = log_with(RESERVE + 10_000);
    let room = log.reserve(9000).unwrap();
    log.submit(P, Position(0), room, batch(0, &[9000])).await.unwrap();
    assert!(log.reserve(1000).is_err());
}

#[tokio::test]
async fn space_that_came_back_is_seen() {
    let (disk, log) = log_with(RESERVE);
    assert!(log.reserve(100).is_err());
    disk.set_free_bytes(RESERVE * 2);
    let asked = disk.times_free_asked();
    assert!(log.reserve(100).is_ok(), "the next who asks sees it");
    assert_eq!(disk.times_free_asked(), asked + 1);
}

#[tokio::test]
async fn disk_is_not_asked_on_each_call() {
    let (disk, log) = log_with(RESERVE * 100);
    let asked = disk.times_free_asked();
    for at in 0..500 {
        let room = log.reserve(1000).unwrap();
        log.submit(P, Position(at), room, batch(at, &[1000])).await.unwrap();
    }
    assert_eq!(disk.times_free_asked(), asked);
    let room = log.reserve(5 << 20).unwrap();
    log.submit(P, Position(500), room, batch(500, &[5 << 20])).await.unwrap();
    assert_eq!(disk.times_free_asked(), asked + 1);
}

#[tokio::test]
async fn memory_has_a_limit_too() {
    let log = MemoryLog::with_limit(10_000);
    let room = log.reserve(9000).unwrap();
    assert!(log.reserve(1001).is_err());
    log.submit(P, Position(0), room, batch(0, &[9000])).await.unwrap();
    assert!(log.reserve(1000).is_err(), "the facts count");
    assert!(log.reserve(100).is_ok());
    assert!(log.read(P, Position(0)).next().await.unwrap().is_ok());
}

/// A write that finds the disk full, because another program filled it, is refused and taken back;
/// the log is not sealed, and goes on when there is room.
#[tokio::test]
async fn full_disk_refuses_a_write_and_seals_nothing() {
    for partial in [0, 1, 64, 200, 5000] {
        let disk = TestDisk::new();
        let log = open_with(&disk, options());
        append(&log, 0..2, &[1000]).await;
        disk.hold_syncs();
        let first = submit(&log, P, 2, batch(2, &[1000]));
        disk.wait_for_held_sync();
        let (refused, behind) =
            (submit(&log, P, 3, batch(3, &[3000])), submit(&log, P, 4, batch(4, &[10])));
        disk.fail_write(0, partial, std::io::ErrorKind::StorageFull);
        disk.release_syncs();
        assert_eq!(first.await, Ok(()));
        for ticket in [refused, behind] {
            let told = ticket.await;
            assert!(matches!(told, Err(AppendError::Rejected(_))), "{told:?}");
        }
        let late = submit(&log, P, 3, batch(3, &[3000])).await;
        assert!(late.is_err(), "its owner's memory is ahead of the log");
        let again = log.connect();
        append(&again, 3..6, &[1000]).await;
        assert_eq!(read_all(&again, P).await, (expected(0..6, &[1000]), None));
        again.close().await.unwrap();
        drop((log, again));
        let log = open_with(&disk.power_cut_clean(), options());
        assert_eq!(read_all(&log, P).await, (expected(0..6, &[1000]), None));
    }
}

/// What was refused is not in the log after a crash either: nobody may build on it.
#[tokio::test]
async fn refused_write_does_not_come_back() {
    for partial in [64, 1500, 200_000] {
        let disk = TestDisk::new();
        let log = open_with(&disk, options());
        append(&log, 0..2, &[1000]).await;
        disk.fail_write(0, partial, std::io::ErrorKind::StorageFull);
        // As it happens, all of the write and some of the zeros behind it fit.
        let refused = submit(&log, P, 2, batch(2, &[1000])).await;
        assert!(matches!(refused, Err(AppendError::Rejected(_))), "{refused:?}");
        for after in [disk.copy(), disk.kill().power_cut(&mut || 1), disk.kill()] {
            let log = open_with(&after, options());
            assert_eq!(read_all(&log, P).await, (expected(0..2, &[1000]), None));
        }
    }
}

/// A small disk is filled, drained and filled again, at fifty points of a segment's life, with
/// compaction and checkpoints under way. Nothing is sealed, nothing is lost, nobody restarts.
#[tokio::test]
async fn disk_full_at_fifty_points_and_drained_again() {
    for point in 0..50_u64 {
        let disk = TestDisk::new();
        let small = DiskOptions {
            segment_bytes: 4096,
            reserve_bytes: 32 << 10,
            compaction_bytes_per_second: 0,
            ..options()
        };
        let log = open_with(&disk, small);
        disk.set_free_bytes((56 << 10) + point * 97);
        assert!(log.reserve(1 << 40).is_err());
        let (mut tail, mut oldest) = (0, 0);
        for round in 0..3 {
            // Sends, until there is no room for one more.
            while let Ok(room) = log.reserve(700) {
                log.submit(P, Position(tail), room, batch(tail, &[600])).await.unwrap();
                tail += 1;
            }
            assert!(tail - oldest > 8, "point {point}, round {round}: {oldest} to {tail}");
            // The consumer takes all but the last, in batches for which nobody asks for room, while
            // a checkpoint is put.
            let sent = tail;
            for _ in oldest..sent {
                log.submit(P, Position(tail), Default::default(), batch(tail, &[])).await.unwrap();
                tail += 1;
            }
            log.blobs().put("checkpoint", body(round, 0, 3000)).await.unwrap();
            let living = crate::compaction::living(&[(tail - 1, 0)]);
            log.retain(P, Position(tail), living);
            log.tidied().await;
            assert_eq!(log.housekeeping().fault, None, "point {point}, round {round}");
            oldest = tail;
        }
        drop(log);
        let log = open_with(&disk.power_cut_clean(), options());
        assert_eq!(log.tail(P).await, Ok(Position(tail)));
        assert_eq!(log.blobs().get("checkpoint").await, Ok(body(2, 0, 3000)));
    }
}

#[tokio::test]
async fn memory_gives_room_back() {
    let log = MemoryLog::with_limit(10_000);
    let room = log.reserve(9000).unwrap();
    log.submit(P, Position(0), room, batch(0, &[8000])).await.unwrap();
    assert!(log.reserve(5000).is_err());
    log.retain(P, Position(1), crate::compaction::living(&[]));
    assert!(log.reserve(9000).is_ok());
}
