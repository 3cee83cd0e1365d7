//! Room is set aside before a batch is decided, against what the disk has free.

use futures::StreamExt;
use lineside_core::id::Position;
use lineside_engine::log::{Full, Log};
use lineside_store::conformance::batch;
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions, MemoryLog};

use crate::support::{P, open_with, options};

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
