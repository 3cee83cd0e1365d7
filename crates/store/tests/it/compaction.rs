//! What compaction does to the files, and what a crash in it leaves.

use std::collections::BTreeSet;

use futures::StreamExt;
use lineside_core::id::Position;
use lineside_engine::living::LivingSet;
use lineside_engine::log::{Log, LogFault};
use lineside_store::conformance::{body, body_ref};
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskLog, DiskOptions};

use crate::support::{Dice, P, append, expected, open, open_with, options, writes};

const BODIES: &[usize] = &[300, 20];

fn small() -> DiskOptions {
    DiskOptions { segment_bytes: 4096, compaction_bytes_per_second: 0, ..options() }
}

pub(crate) fn living(bodies: &[(u64, usize)]) -> LivingSet {
    LivingSet::of(bodies.iter().map(|(at, n)| body_ref(*at, *n, 0).place).collect())
}

fn segments(disk: &TestDisk) -> Vec<String> {
    disk.file_names().into_iter().filter(|name| name.ends_with(".segment")).collect()
}

fn bytes(disk: &TestDisk) -> usize {
    disk.file_names().iter().map(|name| disk.bytes(name).len()).sum()
}

async fn check_bodies(log: &DiskLog, count: u64, below: u64, kept: &[(u64, usize)]) {
    let kept: BTreeSet<_> = kept.iter().copied().collect();
    for at in 0..count {
        for (n, len) in BODIES.iter().enumerate() {
            let found = log.body(P, body_ref(at, n, *len)).await;
            let lives = at >= below || kept.contains(&(at, n));
            let gone = !lives && matches!(found, Err(LogFault::NoBody(_)));
            assert!(gone || found == Ok(body(at, n, *len)), "{at} {n}: {found:?}");
        }
    }
    let from: Vec<_> = log.read(P, Position(below)).take((count - below) as usize).collect().await;
    let from: Vec<_> = from.into_iter().map(|item| item.unwrap().1).collect();
    assert_eq!(from, expected(below..count, BODIES));
}

#[tokio::test]
async fn dead_segments_become_one_empty_one() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..200, BODIES).await;
    let before = segments(&disk).len();
    assert!(before > 15, "{before}");
    for below in [50, 90, 200] {
        log.retain(P, Position(below), LivingSet::default());
        log.tidied().await;
        check_bodies(&log, 200, below, &[]).await;
    }
    let names = segments(&disk);
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(disk.bytes(&names[0]).len(), 128, "a header and a write that brings nothing");
    let report = log.housekeeping();
    assert!(report.dropped >= before as u64 - 1 && report.rewritten == 0, "{report:?}");
    assert_eq!(report.fault, None);
    append(&log, 200..300, BODIES).await;
    drop(log);
    let log = open(&disk);
    assert_eq!(log.recovery().damage, []);
    check_bodies(&log, 300, 200, &[]).await;
}

#[tokio::test]
async fn segment_is_rewritten_once_and_left_alone_while_what_is_left_lives() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { segment_bytes: 16 << 10, ..small() });
    append(&log, 0..400, BODIES).await;
    let before = bytes(&disk);
    let kept: Vec<_> = (0..390).filter(|at| at % 5 < 2).map(|at| (at, 0)).collect();
    log.retain(P, Position(390), living(&kept));
    log.tidied().await;
    let report = log.housekeeping();
    assert!(report.rewritten > 5 && bytes(&disk) < before / 2, "{report:?}");
    check_bodies(&log, 400, 390, &kept).await;
    // Some of it dies, less than half: that is not worth a rewrite.
    let kept: Vec<_> = kept.into_iter().filter(|(at, _)| at % 15 != 0).collect();
    log.retain(P, Position(390), living(&kept));
    log.tidied().await;
    assert_eq!(log.housekeeping(), report);
    check_bodies(&log, 400, 390, &kept).await;
    log.retain(P, Position(390), living(&kept[..1]));
    log.tidied().await;
    assert!(log.housekeeping().freed_bytes > report.freed_bytes);
    drop(log);
    check_bodies(&open(&disk), 400, 390, &kept[..1]).await;
}

#[tokio::test]
async fn numbers_of_writes_and_positions_stay() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..40, BODIES).await;
    let names = segments(&disk);
    let ranges = |disk: &TestDisk, name: &str| {
        let writes = writes(&disk.bytes(name));
        (writes[0].number, writes.len())
    };
    let before: Vec<_> = names.iter().map(|name| ranges(&disk, name)).collect();
    log.retain(P, Position(30), living(&[(1, 0), (20, 0)]));
    log.tidied().await;
    let first = writes(&disk.bytes(&names[0]));
    assert_eq!(first.len(), 1);
    let through = u64::from_le_bytes(disk.bytes(&names[0])[64 + 48..][..8].try_into().unwrap());
    assert_eq!((first[0].kind, first[0].number, first[0].batches), (3, before[0].0, 1));
    assert_eq!(through, before[0].0 + before[0].1 as u64 - 1);
    let last = names.last().unwrap();
    assert_eq!(ranges(&disk, last), before[names.len() - 1], "the last is never touched");
}

/// A reader holds the file that it reads from, whatever has taken its place.
#[tokio::test]
async fn file_that_is_read_from_goes_on() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..60, BODIES).await;
    let mut read = log.read(P, Position(0));
    read.next().await.unwrap().unwrap();
    for below in [10, 30, 60] {
        log.retain(P, Position(below), LivingSet::default());
        log.tidied().await;
        let (at, found) = read.next().await.unwrap().unwrap();
        assert_eq!(vec![found], expected([at.0], BODIES));
    }
}

#[tokio::test]
async fn damage_in_what_is_dead_costs_nothing_and_goes_with_it() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..100, BODIES).await;
    log.close().await.unwrap();
    drop(log);
    let names = segments(&disk);
    for name in &names[..names.len() - 1] {
        disk.damage(name, &Damage::Put(1000, vec![0x55; 300]));
        disk.lose(&name.replace("segment", "index"));
    }
    let log = open_with(&disk, small());
    let below = 99;
    assert!(log.read(P, Position(below)).next().await.unwrap().is_ok());
    log.retain(P, Position(below), living(&[(80, 0)]));
    log.tidied().await;
    let report = log.housekeeping();
    assert!(report.dropped > 5 && report.rewritten == 0, "{report:?}");
    append(&log, 100..101, BODIES).await;
    drop(log);
    append(&open(&disk), 101..102, BODIES).await;
}

/// A damaged body that lives stays damaged: its checksum goes with it.
#[tokio::test]
async fn damaged_body_is_not_made_whole_by_being_copied() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..40, BODIES).await;
    let names = segments(&disk);
    let content = body(2, 0, BODIES[0]);
    let at = disk.bytes(&names[0]).windows(BODIES[0]).position(|w| w == content).unwrap();
    disk.damage(&names[0], &Damage::Flip(at as u64 + 9, 1));
    log.retain(P, Position(30), living(&[(2, 0), (3, 0)]));
    log.tidied().await;
    assert!(log.housekeeping().rewritten > 0);
    assert!(matches!(log.body(P, body_ref(2, 0, 300)).await, Err(LogFault::Damaged { .. })));
    assert_eq!(log.body(P, body_ref(3, 0, 300)).await, Ok(body(3, 0, 300)));
}

#[tokio::test]
async fn there_is_no_rewriting_without_room_and_dropping_needs_none() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { reserve_bytes: 1 << 20, ..small() });
    append(&log, 0..100, BODIES).await;
    disk.set_free_bytes(1 << 19);
    let kept: Vec<_> = (50..90).step_by(5).map(|at| (at, 0)).collect();
    log.retain(P, Position(90), living(&kept));
    log.tidied().await;
    let report = log.housekeeping();
    assert!(report.dropped > 3 && report.rewritten > 0, "what was dropped made room: {report:?}");
    check_bodies(&log, 100, 90, &kept).await;

    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { reserve_bytes: 1 << 20, ..small() });
    append(&log, 0..100, BODIES).await;
    disk.set_free_bytes(1000);
    let kept: Vec<_> = (0..90).step_by(5).map(|at| (at, 0)).collect();
    log.retain(P, Position(90), living(&kept));
    log.tidied().await;
    let report = log.housekeeping();
    assert!(report.rewritten == 0 && report.fault.unwrap().contains("no room"));
    disk.set_free_bytes(2 << 20);
    log.retain(P, Position(90), living(&kept));
    log.tidied().await;
    assert!(log.housekeeping().rewritten > 0 && log.housekeeping().fault.is_none());
    check_bodies(&log, 100, 90, &kept).await;
}

/// Every write and every sync of a compaction fails once, then the power goes. What lives is there.
#[tokio::test]
async fn crash_at_every_step_of_a_compaction_loses_nothing() {
    let kept: Vec<_> = (0..60).step_by(7).map(|at| (at, 1)).collect();
    let mut failed = 0;
    for step in 0..80 {
        let mut dice = Dice(step);
        let disk = TestDisk::new();
        let log = open_with(&disk, small());
        append(&log, 0..80, BODIES).await;
        log.tidied().await;
        if step % 2 == 0 {
            disk.fail_sync(step / 2);
        } else {
            disk.fail_write(step / 2, (step % 90) as usize, std::io::ErrorKind::StorageFull);
        }
        log.retain(P, Position(20), LivingSet::default());
        log.tidied().await;
        failed += u64::from(log.housekeeping().fault.is_some());
        let kept: Vec<_> = kept.iter().copied().filter(|(at, _)| *at >= 20).collect();
        log.retain(P, Position(70), living(&kept));
        log.tidied().await;
        failed += u64::from(log.housekeeping().fault.is_some());
        let after = disk.power_cut(&mut || dice.roll());
        drop(log);
        let log = open_with(&after, small());
        assert_eq!(log.recovery().damage, [], "step {step}");
        check_bodies(&log, 80, 70, &kept).await;
        append(&log, 80..82, BODIES).await;
        log.retain(P, Position(70), living(&kept));
        log.tidied().await;
        check_bodies(&log, 82, 70, &kept).await;
        assert_eq!(log.housekeeping().fault, None);
        assert!(!after.file_names().iter().any(|name| name.ends_with(".new")));
    }
    assert!(failed > 15, "{failed}");
}
