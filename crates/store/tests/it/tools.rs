//! `verify`, `repair` and `dump` on every kind of damage; backups of a log that is in use.

use std::sync::Arc;

use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{Log, LogFault};
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::disk::{
    Cost, Dumped, DumpedFacts, dump_on, repair, repair_on, restore, verify, verify_on,
};
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskLog, DiskOptions, OpenError};

use crate::compaction::living;
use crate::support::{P, append, expected, open, open_with, options, read_all, submit, writes};

const BODIES: &[usize] = &[200, 30];
const OTHER: PartitionId = PartitionId(9);
const COUNT: u64 = 60;

fn small() -> DiskOptions {
    DiskOptions { segment_bytes: 4096, compaction_bytes_per_second: 0, ..options() }
}

/// Sixty batches of one partition, ten of another between them, a blob; closed.
async fn planted() -> TestDisk {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    for at in 0..COUNT {
        append(&log, at..at + 1, BODIES).await;
        if at % 6 == 0 {
            submit(&log, OTHER, at / 6, batch(at / 6, &[])).await.unwrap();
        }
    }
    log.blobs().put("checkpoint", body(1, 0, 500)).await.unwrap();
    log.tidied().await;
    log.close().await.unwrap();
    drop(log);
    disk
}

fn segments(disk: &TestDisk) -> Vec<String> {
    disk.file_names().into_iter().filter(|name| name.ends_with(".segment")).collect()
}

/// All bytes of all files, by path.
fn contents(disk: &TestDisk) -> Vec<(String, Vec<u8>)> {
    let blobs = disk.folder_names("blobs").into_iter().map(|name| format!("blobs/{name}"));
    let names = disk.file_names().into_iter().chain(blobs);
    names.map(|name| (name.clone(), disk.bytes(&name))).collect()
}

#[tokio::test]
async fn sound_log_is_sound_and_counted() {
    let disk = planted().await;
    let before = contents(&disk);
    let report = verify_on(&disk).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.batches, report.bodies, report.blobs), (70, 120, 1));
    assert_eq!(report.tails, [(P, Position(60)), (OTHER, Position(10))]);
    assert!(report.segments > 6 && report.torn.is_none() && report.gaps.is_empty());
    assert_eq!(repair_on(&disk, true).unwrap().repaired, []);
    assert_eq!(contents(&disk), before, "nobody changed anything");
    let log = open_with(&disk, small());
    assert!(matches!(verify_on(&disk), Err(OpenError::InUse(_))));
    log.retain(P, Position(50), living(&[(3, 0), (3, 1), (20, 1)]));
    log.retain(OTHER, Position(9), living(&[]));
    log.tidied().await;
    drop(log);
    let report = verify_on(&disk).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert!(report.batches < 30 && report.bodies >= 23, "{report:?}");
    assert_eq!(report.tails, [(P, Position(60)), (OTHER, Position(10))]);
}

#[tokio::test]
async fn torn_tail_is_named_and_is_no_damage() {
    let disk = planted().await;
    let last = segments(&disk).pop().unwrap();
    let end = writes(&disk.bytes(&last)).last().map(|w| w.offset + w.total).unwrap();
    disk.damage(&last, &Damage::Put(end as u64, vec![7; 24]));
    let report = verify_on(&disk).unwrap();
    assert!(report.is_sound());
    assert_eq!(report.torn, Some((format!("test/{last}"), end as u64, 24)));
}

/// What is planted, and what it may cost.
struct Plant {
    name: &'static str,
    hurt: fn(&TestDisk, &[String]),
    /// Whether any batch is lost by it.
    loses: bool,
}

fn flip(disk: &TestDisk, name: &str, at: usize) {
    disk.damage(name, &Damage::Flip(at as u64, 0x20));
}

fn write_in(disk: &TestDisk, name: &str, nth: usize) -> usize {
    writes(&disk.bytes(name))[nth].offset
}

const PLANTS: &[Plant] = &[
    Plant {
        name: "facts in the middle",
        loses: true,
        hurt: |d, s| flip(d, &s[2], write_in(d, &s[2], 2) + 64 + 64 + 24 + 3),
    },
    Plant {
        name: "facts in the last",
        loses: true,
        hurt: |d, s| {
            let last = s.last().unwrap();
            flip(d, last, write_in(d, last, 0) + 64 + 64 + 3);
        },
    },
    Plant {
        name: "head in the middle",
        loses: true,
        hurt: |d, s| flip(d, &s[2], write_in(d, &s[2], 2) + 64 + 20),
    },
    Plant {
        name: "head in the last",
        loses: true,
        hurt: |d, s| {
            let last = s.last().unwrap();
            flip(d, last, write_in(d, last, 0) + 64 + 20);
        },
    },
    Plant {
        name: "header of a write",
        loses: false,
        hurt: |d, s| flip(d, &s[2], write_in(d, &s[2], 2) + 20),
    },
    Plant { name: "header of the first segment", loses: false, hurt: |d, s| flip(d, &s[0], 20) },
    Plant { name: "header of a segment", loses: false, hurt: |d, s| flip(d, &s[3], 30) },
    Plant {
        name: "header of the last segment",
        loses: false,
        hurt: |d, s| flip(d, s.last().unwrap(), 40),
    },
    Plant { name: "table of a segment", loses: false, hurt: |d, s| flip(d, &s[3], 70) },
    Plant { name: "first segment is missing", loses: true, hurt: |d, s| d.lose(&s[0]) },
    Plant {
        name: "two segments are missing",
        loses: true,
        hurt: |d, s| {
            d.lose(&s[2]);
            d.lose(&s[3]);
        },
    },
    Plant {
        name: "segment is cut",
        loses: true,
        hurt: |d, s| {
            d.damage(&s[2], &Damage::SetLen(write_in(d, &s[2], 3) as u64));
        },
    },
    Plant {
        name: "segment is empty",
        loses: true,
        hurt: |d, s| d.damage(&s[2], &Damage::SetLen(0)),
    },
    Plant {
        name: "sectors are zero",
        loses: true,
        hurt: |d, s| {
            d.damage(&s[1], &Damage::Put(1024, vec![0; 1024]));
        },
    },
    Plant {
        name: "sectors of the last are zero",
        loses: true,
        hurt: |d, s| {
            let last = s.last().unwrap();
            let at = write_in(d, last, 0);
            d.damage(last, &Damage::Put(at as u64, vec![0; 200]));
        },
    },
    Plant {
        name: "index",
        loses: false,
        hurt: |d, s| flip(d, &s[1].replace("segment", "index"), 100),
    },
    Plant {
        name: "garbage behind a segment",
        loses: false,
        hurt: |d, s| {
            let end = d.bytes(&s[1]).len() as u64;
            d.damage(&s[1], &Damage::Put(end, vec![3; 40]));
        },
    },
];

/// What can be read of a partition, skipping over what is lost: a reader says so, with the first and
/// the last position of it, and leaves out nothing else.
async fn readable(log: &DiskLog, p: PartitionId) -> Vec<u64> {
    use futures::{FutureExt, StreamExt};
    let tail = log.tail(p).await.unwrap().0;
    let mut read = log.read(p, Position(0));
    let (mut found, mut next, mut in_gap) = (Vec::new(), 0, false);
    while next < tail {
        let (at, found_batch) = read.next().await.unwrap().unwrap();
        let lost = found_batch.facts.is_empty();
        assert!(at.0 == next || (lost && in_gap), "{next} is left out before {at:?}");
        (next, in_gap) = (at.0 + 1, lost);
        if !lost {
            let bodies = if p == P { BODIES } else { &[] };
            assert_eq!(vec![found_batch], expected([at.0], bodies), "never something else");
            found.push(at.0);
        }
    }
    assert!(read.next().now_or_never().flatten().is_none());
    found
}

#[tokio::test]
async fn each_damage_is_named_and_repaired() {
    for plant in PLANTS {
        let disk = planted().await;
        let names = segments(&disk);
        (plant.hurt)(&disk, &names);
        let name = plant.name;
        let report = verify_on(&disk).unwrap();
        assert!(!report.is_sound(), "{name}");
        let costs = report.findings.iter().any(|finding| finding.cost != Cost::Nothing);
        assert!(costs || !plant.loses, "{name}: {:?}", report.findings);

        let before = contents(&disk);
        let dry = repair_on(&disk, true).unwrap();
        assert_eq!(contents(&disk), before, "{name}: a dry run changes nothing");
        assert!(dry.after.is_none() && !dry.repaired.is_empty(), "{name}");
        let real = repair_on(&disk, false).unwrap();
        let after = real.after.unwrap();
        assert!(after.is_sound(), "{name}: {:?} after {:?}", after.findings, real.repaired);
        let lost: u64 = real.repaired.iter().map(|repaired| repaired.lost.len() as u64).sum();
        assert_eq!(lost > 0, plant.loses, "{name}: {:?}", real.repaired);
        goes_on(&disk, plant).await;
        assert!(verify_on(&disk).unwrap().is_sound(), "{name}");
    }
}

/// The repaired log is written to behind all that it had, and holds what was not lost.
async fn goes_on(disk: &TestDisk, plant: &Plant) {
    let name = plant.name;
    let log = open_with(disk, small());
    assert_eq!(log.recovery().damage, [], "{name}");
    for (p, count) in [(P, COUNT), (OTHER, 10)] {
        let found = readable(&log, p).await;
        if !plant.loses {
            assert_eq!(found, (0..count).collect::<Vec<_>>(), "{name}");
        }
        assert!(found.len() as u64 + 40 > count, "{name}: {found:?}");
        for at in found.iter().filter(|_| p == P) {
            assert_eq!(log.body(p, body_ref(*at, 0, 200)).await, Ok(body(*at, 0, 200)), "{name}");
        }
        let tail = log.tail(p).await.unwrap().0;
        assert!(tail >= count, "{name}: no position is given twice, {tail}");
        let bodies = if p == P { BODIES } else { &[] };
        submit(&log, p, tail, batch(tail, bodies)).await.unwrap();
        assert_eq!(readable(&log, p).await.last(), Some(&tail), "{name}");
    }
    log.close().await.unwrap();
}

#[tokio::test]
async fn damaged_body_and_blob_are_named_for_what_they_are() {
    let disk = planted().await;
    let names = segments(&disk);
    let content = body(7, 0, 200);
    let has = |name: &&String| disk.bytes(name).windows(200).any(|window| window == content);
    let name = names.iter().find(has).unwrap();
    let at = disk.bytes(name).windows(200).position(|window| window == content).unwrap();
    flip(&disk, name, at + 100);
    flip(&disk, "blobs/checkpoint.blob", 200);
    let report = verify_on(&disk).unwrap();
    let costs: Vec<_> = report.findings.iter().map(|finding| finding.cost.clone()).collect();
    let body = Cost::Body { partition: P, position: Position(7), index: 2 };
    assert_eq!(costs, [body.clone(), Cost::Blob("checkpoint".to_owned())]);
    assert_eq!(report.findings[0].offset, at as u64);
    let repairs = repair_on(&disk, false).unwrap();
    assert_eq!(repairs.repaired.len(), 2);
    let left: Vec<_> = repairs.after.unwrap().findings.into_iter().map(|f| f.cost).collect();
    assert_eq!(left, [body], "nothing brings it back");
    let log = open(&disk);
    assert!(matches!(log.body(P, body_ref(7, 0, 200)).await, Err(LogFault::Damaged { .. })));
    assert_eq!(log.blobs().list("").await, Ok(vec![]));
}

#[tokio::test]
async fn dump_shows_all_and_what_is_damaged() {
    let disk = planted().await;
    let shared = Arc::new(disk.clone());
    let all: Vec<_> =
        dump_on(shared.clone(), P, Position(0)).unwrap().map(Result::unwrap).collect();
    let mut at = 0;
    for item in &all {
        let Dumped::Batch { position, at: stamp, facts, bodies, .. } = item else {
            panic!("{item:?}")
        };
        let written = batch(at, BODIES);
        assert_eq!((position.0, *stamp), (at, written.at));
        assert_eq!(*facts, DumpedFacts::Whole(written.facts.facts));
        let lens: Vec<_> =
            bodies.iter().map(|body| (body.index, body.len, body.is_whole)).collect();
        assert_eq!(lens, [(2, 200, true), (4, 30, true)]);
        at += 1;
    }
    assert_eq!(at, COUNT);
    let some = dump_on(shared.clone(), OTHER, Position(8)).unwrap().count();
    assert_eq!(some, 2);
    (PLANTS[0].hurt)(&disk, &segments(&disk));
    (PLANTS[12].hurt)(&disk, &segments(&disk)[2..]);
    let hurt: Vec<_> = dump_on(shared, P, Position(0)).unwrap().map(Result::unwrap).collect();
    let shown = |item: &&Dumped| matches!(item, Dumped::Batch { facts: DumpedFacts::Whole(_), .. });
    let damaged = hurt.iter().filter(|item| !shown(item)).count();
    assert!(damaged >= 2 && hurt.iter().filter(shown).count() > 40, "{damaged} of {}", hurt.len());
}

/// A clone of a real directory is what a backup is; here it is one of a log that is written to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_of_a_log_in_use_restores_to_a_prefix() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("data");
    let log = DiskLog::open(&path, DiskOptions { reserve_bytes: 0, ..small() }).unwrap();
    log.blobs().put("checkpoint", body(1, 0, 3000)).await.unwrap();
    append(&log, 0..100, BODIES).await;
    let writer = log.clone();
    let writing = tokio::spawn(async move {
        for at in 100..1500 {
            append(&writer, at..at + 1, BODIES).await;
            if at % 100 == 0 {
                writer.retain(P, Position(50), living(&[(3, 0), (7, 1)]));
            }
        }
    });
    let mut tails = Vec::new();
    for round in 0..3 {
        let (known, to) = (log.tail(P).await.unwrap(), outer.path().join(format!("backup{round}")));
        let (backing, target) = (log.clone(), to.clone());
        let report =
            tokio::task::spawn_blocking(move || backing.backup(&target)).await.unwrap().unwrap();
        assert!(report.blobs == 1 && report.linked_bytes > 0 && report.bytes > report.linked_bytes);
        let again = log.backup(&to).unwrap_err().to_string();
        assert!(again.contains("not empty"), "{again}");
        tails.push((known, to));
    }
    writing.await.unwrap();
    log.close().await.unwrap();
    for (round, (known, backup)) in tails.into_iter().enumerate() {
        let to = outer.path().join(format!("restored{round}"));
        let report = restore(&backup, &to).unwrap();
        assert!(report.is_sound() && report.blobs == 1, "{report:?}");
        let restored = DiskLog::open(&to, small()).unwrap();
        let tail = restored.tail(P).await.unwrap();
        assert!(tail >= known && tail.0 <= 1500, "{tail:?} {known:?}");
        for at in 50..tail.0 {
            assert_eq!(restored.body(P, body_ref(at, 0, 200)).await, Ok(body(at, 0, 200)));
        }
        assert_eq!(restored.body(P, body_ref(7, 1, 30)).await, Ok(body(7, 1, 30)));
        assert_eq!(restored.blobs().get("checkpoint").await, Ok(body(1, 0, 3000)));
        append(&restored, tail.0..tail.0 + 5, BODIES).await;
        drop(restored);
        assert!(verify(&backup).unwrap().is_sound(), "the backup is as it was");
    }
}

#[tokio::test]
async fn looking_at_a_directory_changes_nothing_in_it() {
    let outer = tempfile::tempdir().unwrap();
    let missing = outer.path().join("missing");
    assert!(verify(&missing).is_err() && repair(&missing, false).is_err());
    assert!(!missing.exists());
    let path = outer.path().join("data");
    let log = DiskLog::open(&path, options()).unwrap();
    append(&log, 0..3, BODIES).await;
    assert!(matches!(verify(&path), Err(OpenError::InUse(_))));
    log.close().await.unwrap();
    drop(log);
    std::fs::remove_file(path.join("lock")).unwrap();
    assert!(verify(&path).unwrap().is_sound());
    assert!(!path.join("lock").exists());
    assert_eq!(read_all(&DiskLog::open(&path, options()).unwrap(), P).await.0.len(), 3);
}
