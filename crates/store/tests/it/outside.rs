//! Bodies that lie outside the log, each in a blob of its own: crashes between the blob and the write
//! that names it, full disks, damage, compaction, backups.

use std::sync::Arc;

use bytes::Bytes;
use lineside_core::fact::{Batch, Fact, Facts};
use lineside_core::id::{BodyRef, Place, Position};
use lineside_core::stamp::Stamp;
use lineside_engine::living::LivingSet;
use lineside_engine::log::{AppendError, Log, LogFault};
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::disk::{Cost, Dumped, Verification, dump_on, repair_on, restore, verify_on};
use lineside_store::limits::{BLOB_BYTES_MAX, INSIDE_BODY_BYTES_MAX};
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskLog, DiskOptions};

use crate::compaction::living;
use crate::support::{Dice, P, append, expected, open_with, options, read_all, submit};

/// The first is outside, the second is not.
const BODIES: &[usize] = &[3000, 20];

fn small() -> DiskOptions {
    DiskOptions {
        segment_bytes: 16 << 10,
        inside_body_bytes: 1000,
        compaction_bytes_per_second: 0,
        ..options()
    }
}

/// The name of the blob of the first body of the batch at `position`.
fn name(position: u64) -> String {
    format!("body-0000-{position:016x}-00000002.blob")
}

fn names(positions: impl IntoIterator<Item = u64>) -> Vec<String> {
    positions.into_iter().map(name).collect()
}

async fn assert_bodies(log: &DiskLog, positions: impl IntoIterator<Item = u64>) {
    for at in positions {
        for (n, len) in BODIES.iter().enumerate() {
            assert_eq!(log.body(P, body_ref(at, n, *len)).await, Ok(body(at, n, *len)), "{at} {n}");
        }
    }
}

fn sound(disk: &TestDisk) -> Verification {
    let report = verify_on(disk).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    report
}

#[tokio::test]
async fn body_beyond_the_threshold_lies_outside_and_the_log_stays_small() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { segment_bytes: 1 << 20, ..small() });
    append(&log, 0..3, BODIES).await;
    submit(&log, P, 3, batch(3, &[1000, 1001])).await.unwrap();
    let last = "body-0000-0000000000000003-00000004.blob".to_owned();
    assert_eq!(disk.folder_names("blobs"), [names(0..3), vec![last]].concat());
    assert_eq!(disk.bytes(&format!("blobs/{}", name(1)))[64..], *body(1, 0, 3000));
    assert_eq!(log.blobs().list("").await, Ok(vec![]));
    log.close().await.unwrap();
    drop(log);
    let writes = crate::support::writes(&disk.bytes(crate::support::FIRST));
    assert!(writes.iter().all(|write| write.total < 1400), "{writes:?}");
    assert_eq!(sound(&disk).bodies, 8);
    let log = open_with(&disk, options());
    assert_bodies(&log, 0..3).await;
    assert_eq!(log.body(P, body_ref(3, 1, 1001)).await, Ok(body(3, 1, 1001)));
}

/// With the real thresholds, on a real directory.
#[tokio::test]
async fn largest_body_is_taken_and_comes_back() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("data");
    let large = |len: usize| {
        let mut bytes = vec![1; len];
        bytes[len - 1] = 9;
        Bytes::from(bytes)
    };
    let mut facts = Facts::none();
    let lens = [INSIDE_BODY_BYTES_MAX, INSIDE_BODY_BYTES_MAX + 1, BLOB_BYTES_MAX];
    lens.iter().for_each(|len| facts.push_with_body(Fact::Canary, large(*len)));
    let disk_options = DiskOptions { reserve_bytes: 0, ..options() };
    let log = DiskLog::open(&path, disk_options.clone()).unwrap();
    submit(&log, P, 0, Batch { at: Stamp(1), facts }).await.unwrap();
    assert_eq!(path.join("blobs").read_dir().unwrap().count(), 2, "what is not longer is inside");
    drop(log);
    let log = DiskLog::open(&path, disk_options).unwrap();
    for (index, len) in (0..).zip(lens) {
        let place = Place { position: Position(0), index };
        let wanted = BodyRef { place, len: u32::try_from(len).unwrap() };
        assert!(log.body(P, wanted).await == Ok(large(len)), "{len} bytes");
    }
}

/// The power goes, or the process is killed, at each step from the blob to the write that names it.
#[tokio::test]
async fn crash_between_blob_and_write_leaves_nothing_and_loses_nothing() {
    let (mut orphans, mut written) = (0, 0);
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let disk = TestDisk::new();
        let log = open_with(&disk, small());
        append(&log, 0..2, BODIES).await;
        // Opened, pushed, pushed, synced, renamed, names synced; then the write and its sync.
        disk.fail_operation(seed / 3 % 12, std::io::ErrorKind::TimedOut);
        let told = submit(&log, P, 2, batch(2, BODIES)).await;
        let after = match seed % 3 {
            0 => disk.kill(),
            1 => disk.power_cut_clean(),
            _ => disk.power_cut(&mut || dice.roll()),
        };
        drop(log);
        orphans += verify_on(&after).unwrap().leftovers;
        let log = open_with(&after, small());
        let tail = log.tail(P).await.unwrap().0;
        assert!(tail == 3 || (tail == 2 && told.is_err()), "seed {seed}: {tail}, {told:?}");
        written += u64::from(tail == 3 && told.is_err());
        assert_eq!(after.folder_names("blobs"), names(0..tail), "seed {seed}");
        assert_eq!(read_all(&log, P).await, (expected(0..tail, BODIES), None), "seed {seed}");
        assert_bodies(&log, 0..tail).await;
        // Another batch has the place now, and its body is another.
        let len = [3000, 2000, 10][(seed % 3) as usize];
        submit(&log, P, tail, batch(77, &[len])).await.unwrap();
        assert_eq!(log.body(P, body_ref(tail, 0, len)).await, Ok(body(77, 0, len)));
        log.close().await.unwrap();
        drop(log);
        assert_eq!(sound(&after).leftovers, 0);
    }
    assert!(orphans > 10 && written > 10, "{orphans} orphans, {written} written and not said");
}

/// The disk fills up while a body is stored: its batch is refused with what is behind it, what is
/// before it is not, and nothing is sealed.
#[tokio::test]
async fn full_disk_refuses_the_batch_whose_body_finds_no_room() {
    for partial in [0, 64, 1000, 2999] {
        let disk = TestDisk::new();
        let log = open_with(&disk, small());
        append(&log, 0..1, BODIES).await;
        disk.hold_syncs();
        let first = submit(&log, P, 1, batch(1, &[20]));
        disk.wait_for_held_sync();
        let tickets: Vec<_> = [(2, 0), (3, 3000), (4, 0), (5, 3000)]
            .map(|(at, len)| submit(&log, P, at, batch(at, &[30, len])))
            .into();
        // The header of the blob, or the content.
        disk.fail_write(u64::from(partial > 0), partial, std::io::ErrorKind::StorageFull);
        disk.release_syncs();
        assert_eq!(first.await, Ok(()));
        let told: Vec<_> = futures::future::join_all(tickets).await;
        assert_eq!(told[0], Ok(()), "{partial}");
        for told in &told[1..] {
            assert!(matches!(told, Err(AppendError::Rejected(_))), "{partial}: {told:?}");
        }
        assert_eq!(disk.folder_names("blobs"), names([0]), "{partial}");
        let again = log.connect();
        append(&again, 3..5, BODIES).await;
        again.close().await.unwrap();
        drop((log, again));
        let disk = disk.power_cut_clean();
        assert_eq!(sound(&disk).leftovers, 0);
        let log = open_with(&disk, small());
        assert_eq!(log.tail(P).await, Ok(Position(5)));
        assert_bodies(&log, [0, 3, 4]).await;
    }
}

/// The blob fits, the write that names it does not.
#[tokio::test]
async fn refused_write_takes_its_bodies_with_it() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..1, BODIES).await;
    disk.fail_write(2, 100, std::io::ErrorKind::StorageFull);
    let refused = submit(&log, P, 1, batch(1, BODIES)).await;
    assert!(matches!(refused, Err(AppendError::Rejected(_))), "{refused:?}");
    assert_eq!(disk.folder_names("blobs"), names([0]));
    append(&log.connect(), 1..2, BODIES).await;
    assert_bodies(&log, 0..2).await;
}

#[tokio::test]
async fn body_that_cannot_be_stored_for_another_reason_seals_and_is_rejected() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..1, BODIES).await;
    disk.fail_sync(0);
    let told = submit(&log, P, 1, batch(1, BODIES)).await;
    assert!(matches!(told, Err(AppendError::Rejected(_))), "{told:?}");
    assert!(log.sealed().await.contains("EIO"));
    drop(log);
    let log = open_with(&disk.kill(), small());
    append(&log, 1..2, BODIES).await;
    assert_bodies(&log, 0..2).await;
}

#[tokio::test]
async fn what_is_outside_counts_as_space_and_as_a_part_of_its_segment() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { reserve_bytes: 1 << 20, ..small() });
    disk.set_free_bytes((1 << 20) + 40_000);
    assert!(log.reserve(1 << 40).is_err(), "and so it looks again");
    let room = log.reserve(5000).unwrap();
    log.submit(P, Position(0), room, batch(0, BODIES)).await.unwrap();
    assert!(log.reserve(38_000).is_err() && log.reserve(15_000).is_ok());
    disk.set_free_bytes(4 << 20);
    append(&log, 1..40, BODIES).await;
    let segments = disk.file_names().into_iter().filter(|name| name.ends_with(".segment")).count();
    assert!((7..=13).contains(&segments), "{segments}: five bodies each, though they are outside");
    drop(log);
    // The next process goes on with the count.
    let log = open_with(&disk, small());
    append(&log, 40..80, BODIES).await;
    let segments = disk.file_names().into_iter().filter(|name| name.ends_with(".segment")).count();
    assert!((14..=26).contains(&segments), "{segments}");
}

#[tokio::test]
async fn compaction_removes_what_is_dead_and_nothing_else() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..60, BODIES).await;
    log.blobs().put("checkpoint", body(1, 0, 50)).await.unwrap();
    let dead = 50;
    let kept: Vec<(u64, usize)> = (0..dead).filter(|at| at % 5 == 0).map(|at| (at, 0)).collect();
    log.retain(P, Position(dead), living(&kept));
    log.tidied().await;
    let report = log.housekeeping();
    assert!(report.rewritten > 5 && report.fault.is_none(), "{report:?}");
    let lives = |at: &u64| at.is_multiple_of(5) || *at >= dead;
    let left = disk.folder_names("blobs");
    assert!(left.contains(&"checkpoint.blob".to_owned()));
    let expected_names = names((0..60).filter(lives));
    assert!(expected_names.iter().all(|name| left.contains(name)), "{left:?}");
    assert!(left.len() <= 26, "{left:?}");
    assert!(report.freed_bytes > 3000 * 30, "{report:?}");
    for at in 0..dead {
        let found = log.body(P, body_ref(at, 0, 3000)).await;
        let gone = at % 5 != 0 && matches!(found, Err(LogFault::NoBody(_)));
        assert!(gone || found == Ok(body(at, 0, 3000)), "{at}: {found:?}");
    }
    log.retain(P, Position(60), LivingSet::default());
    log.tidied().await;
    append(&log, 60..61, BODIES).await;
    let left = disk.folder_names("blobs");
    assert!(left.len() <= 7 && left.contains(&name(60)), "what is sealed is gone: {left:?}");
    log.close().await.unwrap();
    drop(log);
    assert_eq!(sound(&disk).leftovers, 0);
}

/// Segments whose bodies are all alive are left alone, however little else is in them.
#[tokio::test]
async fn living_bodies_outside_are_not_rewritten_again_and_again() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..60, BODIES).await;
    let all: Vec<_> = (0..60).map(|at| (at, 0)).collect();
    for _ in 0..3 {
        log.retain(P, Position(60), living(&all));
        log.tidied().await;
    }
    let report = log.housekeeping();
    assert!(report.rewritten <= 12, "{report:?}");
    assert_eq!(disk.folder_names("blobs").len(), 60);
}

/// A crash after each step of a compaction: what lives is there, and the next start removes what
/// does not.
#[tokio::test]
async fn crash_in_a_compaction_leaves_orphans_that_the_next_start_removes() {
    let (mut orphans, kept) = (0, vec![(3, 0), (20, 0), (21, 0), (33, 1)]);
    for step in 0..120 {
        let mut dice = Dice(step);
        let disk = TestDisk::new();
        let log = open_with(&disk, small());
        append(&log, 0..40, BODIES).await;
        log.tidied().await;
        disk.fail_operation(step, std::io::ErrorKind::TimedOut);
        log.retain(P, Position(38), living(&kept));
        log.tidied().await;
        let after = if step % 2 == 0 { disk.kill() } else { disk.power_cut(&mut || dice.roll()) };
        drop(log);
        let before = verify_on(&after).unwrap();
        assert!(before.is_sound(), "step {step}: {:?}", before.findings);
        orphans += before.leftovers;
        let log = open_with(&after, small());
        log.tidied().await;
        for (at, n) in &kept {
            let found = log.body(P, body_ref(*at, *n, BODIES[*n])).await;
            assert_eq!(found, Ok(body(*at, *n, BODIES[*n])), "step {step}");
        }
        append(&log, 40..41, BODIES).await;
        assert_bodies(&log, 38..41).await;
        log.close().await.unwrap();
        drop(log);
        assert_eq!(sound(&after).leftovers, 0, "step {step}");
    }
    assert!(orphans > 20, "{orphans}");
}

#[tokio::test]
async fn missing_or_damaged_blob_costs_its_message() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..12, BODIES).await;
    log.close().await.unwrap();
    drop(log);
    disk.lose(&format!("blobs/{}", name(2)));
    disk.damage(&format!("blobs/{}", name(7)), &Damage::Flip(1000, 4));
    disk.damage(&format!("blobs/{}", name(9)), &Damage::SetLen(500));
    let other = disk.bytes(&format!("blobs/{}", name(5)));
    // In the place of another, and of the same length.
    disk.damage(&format!("blobs/{}", name(11)), &Damage::Put(0, other));
    let hurt = [2, 7, 9, 11];
    let report = verify_on(&disk).unwrap();
    let cost = |at| Cost::Body { partition: P, position: Position(at), index: 2 };
    let costs: Vec<_> = report.findings.iter().map(|finding| finding.cost.clone()).collect();
    assert_eq!(costs, hurt.map(cost));
    for (finding, at) in report.findings.iter().zip(hurt) {
        assert_eq!((&finding.file, finding.offset), (&format!("test/blobs/{}", name(at)), 0));
    }
    assert_eq!((report.bodies, report.leftovers), (20, 0));
    let dumped = dump_on(Arc::new(disk.clone()), P, Position(0)).unwrap();
    for (at, item) in (0..).zip(dumped) {
        let Dumped::Batch { bodies, .. } = item.unwrap() else { panic!("a batch") };
        let shown: Vec<_> =
            bodies.iter().map(|body| (body.index, body.len, body.is_whole)).collect();
        assert_eq!(shown, [(2, 3000, !hurt.contains(&at)), (4, 20, true)], "{at}");
    }
    let dry = repair_on(&disk, true).unwrap();
    let real = repair_on(&disk, false).unwrap();
    assert_eq!(dry.repaired, real.repaired);
    assert_eq!(real.repaired.len(), 4);
    let left: Vec<_> = real.after.unwrap().findings.into_iter().map(|f| f.cost).collect();
    assert_eq!(left, hurt.map(cost), "nothing brings them back");
    let log = open_with(&disk, small());
    assert_eq!(log.recovery().damage, []);
    for at in hurt {
        let found = log.body(P, body_ref(at, 0, 3000)).await;
        let named = matches!(&found, Err(LogFault::Damaged { place, what })
            if place.contains(&name(at)) && what.contains(&format!("position {at},")));
        assert!(named, "{at}: {found:?}");
    }
    assert_bodies(&log, [0, 1, 3, 4, 5, 6, 8, 10]).await;
    append(&log, 12..13, BODIES).await;
}

/// Where a segment is damaged, nobody knows what it named: nothing is removed. When a repair has
/// written it anew, what it does not name any more goes.
#[tokio::test]
async fn repair_keeps_what_is_named_and_the_next_start_removes_the_rest() {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..20, BODIES).await;
    log.close().await.unwrap();
    drop(log);
    let all = disk.folder_names("blobs");
    let second = disk.file_names().into_iter().filter(|name| name.ends_with(".segment")).nth(1);
    let second = second.unwrap();
    let at = crate::support::writes(&disk.bytes(&second))[1].offset;
    // The facts of one batch.
    disk.damage(&second, &Damage::Flip(at as u64 + 64 + 64 + 24 + 1, 4));
    disk.lose(&second.replace("segment", "index"));
    let log = open_with(&disk, small());
    log.tidied().await;
    drop(log);
    assert_eq!(disk.folder_names("blobs"), all);
    let repairs = repair_on(&disk, false).unwrap();
    let lost = repairs.repaired[0].lost[0];
    let after = repairs.after.unwrap();
    assert!(after.is_sound() && after.leftovers == 1, "{after:?}");
    let log = open_with(&disk, small());
    log.tidied().await;
    let left: Vec<_> = (0..20).filter(|at| *at != lost.from.0).collect();
    assert_eq!(disk.folder_names("blobs"), names(left.iter().copied()));
    assert_bodies(&log, left).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backup_of_a_log_in_use_has_the_bodies_that_it_names() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("data");
    let log = DiskLog::open(&path, DiskOptions { reserve_bytes: 0, ..small() }).unwrap();
    append(&log, 0..40, BODIES).await;
    let writer = log.clone();
    let writing = tokio::spawn(async move {
        for at in 40..400 {
            append(&writer, at..at + 1, BODIES).await;
            if at % 50 == 0 {
                writer.retain(P, Position(at - 20), living(&[(3, 0), (7, 1)]));
            }
        }
    });
    for round in 0..4 {
        let (known, to) = (log.tail(P).await.unwrap(), outer.path().join(format!("backup{round}")));
        let (backing, target) = (log.clone(), to.clone());
        tokio::task::spawn_blocking(move || backing.backup(&target)).await.unwrap().unwrap();
        let restored = outer.path().join(format!("restored{round}"));
        let report = restore(&to, &restored).unwrap();
        assert!(report.is_sound() && report.leftovers == 0, "{report:?}");
        let restored = DiskLog::open(&restored, small()).unwrap();
        let tail = restored.tail(P).await.unwrap();
        assert!(tail >= known, "{tail:?} {known:?}");
        assert_bodies(&restored, tail.0 - 15..tail.0).await;
        assert_eq!(restored.body(P, body_ref(3, 0, 3000)).await, Ok(body(3, 0, 3000)));
    }
    writing.await.unwrap();
    log.close().await.unwrap();
}
