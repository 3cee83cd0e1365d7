//! What the files of a log do with bodies that matter for ever.

use futures::StreamExt;
use lineside_core::id::Position;
use lineside_engine::living::LivingSet;
use lineside_engine::log::{KeptBody, Log, LogFault};
use lineside_store::conformance::kept::{events, reference};
use lineside_store::conformance::{batch, body};
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskLog, DiskOptions};

use crate::support::{Dice, FIRST, P, append, open, open_with, options, submit};

fn small() -> DiskOptions {
    DiskOptions { segment_bytes: 16 << 10, compaction_bytes_per_second: 0, ..options() }
}

async fn append_events(log: &DiskLog, positions: std::ops::Range<u64>) {
    for at in positions {
        submit(log, P, at, events(at)).await.unwrap();
    }
}

async fn kept(log: &DiskLog) -> Vec<Result<KeptBody, LogFault>> {
    log.kept(P, Position(0)).collect().await
}

/// Every kept body of `0..count` is listed, and no other.
async fn assert_kept(log: &DiskLog, count: u64) {
    let found: Vec<_> = kept(log).await.into_iter().map(|kept| kept.unwrap().body).collect();
    let all = (0..count).flat_map(|at| [reference(at, 0), reference(at, 2)]);
    assert_eq!(found, all.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_segment_is_rewritten_once_and_left_alone_while_only_kept_bodies_are_left() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    for at in 0..200 {
        // So that more than half of each segment dies.
        let batch = if at % 4 == 0 { events(at) } else { batch(at, &[1500]) };
        submit(&log, P, at, batch).await.unwrap();
    }
    log.retain(P, Position(190), LivingSet::default());
    log.tidied().await;
    let report = log.housekeeping();
    assert!(report.rewritten > 5 && report.dropped == 0, "{report:?}");
    for below in [191, 195, 199] {
        log.retain(P, Position(below), LivingSet::default());
        log.tidied().await;
    }
    let again = log.housekeeping().rewritten - report.rewritten;
    assert!(again <= 1, "only what came below since: {again}");
    let found = kept(&log).await.into_iter().map(|kept| kept.unwrap().body.place.position.0);
    let expected = (0..200).filter(|at| at % 4 == 0).flat_map(|at| [at, at]);
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

/// Its index file is lost, and made anew from the segment: it says as much of kept bodies.
#[tokio::test]
async fn they_live_though_the_index_of_their_segment_was_lost() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append_events(&log, 0..60).await;
    log.retain(P, Position(20), LivingSet::default());
    log.tidied().await;
    log.close().await.unwrap();
    drop(log);
    for name in disk.file_names().into_iter().filter(|name| name.ends_with(".index")) {
        disk.damage(&name, &Damage::SetLen(3));
    }
    let log = open_with(&disk, small());
    log.retain(P, Position(60), LivingSet::default());
    log.tidied().await;
    assert_kept(&log, 60).await;
}

#[tokio::test]
async fn one_that_is_damaged_is_named_and_the_others_are_listed() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append_events(&log, 0..3).await;
    log.close().await.unwrap();
    drop(log);
    let bytes = disk.bytes(FIRST);
    let wanted = body(1, 2, 1100);
    let at = bytes.windows(1100).position(|window| window == &wanted[..]).unwrap();
    disk.damage(FIRST, &Damage::Flip(at as u64 + 500, 1));
    let found = kept(&open(&disk)).await;
    assert_eq!(found.len(), 6);
    let bad: Vec<_> = found.iter().enumerate().filter(|(_, kept)| kept.is_err()).collect();
    assert!(matches!(bad[..], [(3, Err(LogFault::Damaged { .. }))]), "{bad:?}");
}

/// What is damaged is the head of a batch; where the others are, the index says.
#[tokio::test]
async fn behind_a_batch_that_is_damaged_the_others_are_listed() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append_events(&log, 0..9).await;
    let first = disk.bytes(FIRST);
    let second_write = crate::support::writes(&first)[1].offset;
    // Of a log that is open, so that its index of the segment is from before.
    disk.damage(FIRST, &Damage::Flip(second_write as u64 + 64 + 20, 1));
    let found = kept(&log).await;
    let readable = found.iter().flatten().map(|kept| kept.body.place.position.0);
    let expected = [0, 0].into_iter().chain((2..9).flat_map(|at| [at, at]));
    assert_eq!(readable.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(found.iter().filter(|kept| kept.is_err()).count(), 1);
}

/// The last segment of an earlier version is left as it is: a program of that version would take a
/// kept body's entry for damage, so none is put there.
#[tokio::test]
async fn nothing_is_put_into_a_segment_of_an_earlier_version() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..2, &[10]).await;
    log.close().await.unwrap();
    drop(log);
    let mut header = disk.bytes(FIRST)[..64].to_vec();
    header[8] = 1;
    let crc = crc_fast::crc32_iscsi(&header[..60]);
    header[60..].copy_from_slice(&crc.to_le_bytes());
    disk.damage(FIRST, &Damage::Put(0, header));
    let before = disk.bytes(FIRST);
    let log = open(&disk);
    append_events(&log, 2..4).await;
    log.close().await.unwrap();
    drop(log);
    assert_eq!(disk.bytes(FIRST), before);
    assert_eq!(disk.bytes("0000000000000002.segment")[8], 2);
    let log = open(&disk);
    assert_eq!(log.recovery().damage, []);
    assert_eq!(kept(&log).await.len(), 4);
    assert_eq!(log.tail(P).await, Ok(Position(4)));
}

/// At any moment of appending and compacting the power is cut: what was acknowledged is kept.
#[tokio::test]
async fn no_power_cut_takes_a_kept_body() {
    for seed in 0..60 {
        let (disk, mut dice) = (TestDisk::new(), Dice(seed));
        let log = open_with(&disk, small());
        let count = 20 + dice.below(40);
        append_events(&log, 0..count).await;
        log.retain(P, Position(dice.below(count)), LivingSet::default());
        if dice.roll().is_multiple_of(2) {
            log.tidied().await;
        }
        let disk = disk.power_cut(&mut || dice.roll());
        let log = open_with(&disk, small());
        assert_kept(&log, count).await;
    }
}
