//! A durable byte that changed is seen: the log names it, or one body does, or nothing needs it.

use futures::{FutureExt, StreamExt};
use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{AppendError, Log, LogFault};
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskLog, DiskOptions};

use crate::support::{
    FIRST, P, append, expected, fault, open, open_with, options, read_all, submit, try_open,
    u32_at, writes,
};

const BODIES: &[usize] = &[9, 30];

/// Where in a segment's bytes the parts of a write with one batch are.
#[derive(Debug, PartialEq)]
enum Part {
    Facts,
    Body(usize),
    Padding,
}

/// What the byte at `at` of a write that begins at `offset` is for: the write's header, the batch's
/// head, the directory and the facts are all needed by the partition, hence one part.
fn part(bytes: &[u8], offset: usize, at: usize) -> Part {
    let head = offset + 64;
    let bodies = head + 64 + 12 * BODIES.len() + u32_at(bytes, head + 40) as usize;
    match at {
        _ if at < bodies => Part::Facts,
        _ if at < bodies + BODIES[0] => Part::Body(0),
        _ if at < bodies + BODIES[0] + BODIES[1] => Part::Body(1),
        _ => Part::Padding,
    }
}

/// What a log shows after a byte of the write that brought batch `hit` of `count` changed. Damage is met where it is, or costs nothing; it is never shown as something else.
async fn check(disk: &TestDisk, hit: u64, count: u64, part: &Part, case: &str) {
    let log = open(disk);
    let (found, fault) = read_all(&log, P).await;
    match (&fault, part) {
        (None, _) => assert_eq!(found, expected(0..count, BODIES), "{case}"),
        (Some(fault), Part::Facts) => {
            assert_eq!(found, expected(0..hit, BODIES), "{case}");
            let named = matches!(fault, LogFault::Damaged { place, .. }
                if place.contains(".segment, byte "));
            assert!(named, "{case}: {fault}");
            assert_stopped(&log, count, case).await;
        }
        (Some(fault), _) => panic!("{case}: {fault}"),
    }
    for at in (0..count).filter(|at| fault.is_none() || *at != hit) {
        for (n, len) in BODIES.iter().enumerate() {
            let found = log.body(P, body_ref(at, n, *len)).await;
            if at == hit && *part == Part::Body(n) {
                let named = matches!(&found, Err(LogFault::Damaged { place, what })
                    if place.contains("segment, byte") && what.contains(&format!("position {at}")));
                assert!(named, "{case}: {found:?}");
            } else {
                assert_eq!(found, Ok(body(at, n, *len)), "{case}");
            }
        }
    }
}

/// Nothing is written to the damaged partition; the others go on.
async fn assert_stopped(log: &DiskLog, count: u64, case: &str) {
    let refused = submit(log, P, count, batch(count, &[])).await;
    let told = matches!(&refused, Err(AppendError::Rejected(why)) if why.contains("repair"));
    assert!(told, "{case}: {refused:?}");
}

#[tokio::test]
async fn every_byte_of_a_write_that_a_later_one_vouches_for() {
    let disk = TestDisk::new();
    append(&open(&disk), 0..4, BODIES).await;
    let disk = disk.kill();
    let bytes = disk.bytes(FIRST);
    let write = writes(&bytes)[1];
    let mut padding = 0;
    for at in write.offset..write.offset + write.total {
        let hurt = disk.copy();
        hurt.damage(FIRST, &Damage::Flip(at as u64, 0x40));
        let part = part(&bytes, write.offset, at);
        padding += usize::from(part == Part::Padding);
        let case = format!("byte {at}, {part:?}");
        check(&hurt, 1, 4, &part, &case).await;
        let noticed = !open(&hurt).recovery().damage.is_empty();
        assert_eq!(noticed, part == Part::Facts, "{case}: the last segment is read at the start");
    }
    assert!(padding < 8, "nearly every byte counts");
}

/// A header that says only what is said elsewhere too costs nothing.
#[tokio::test]
async fn header_of_a_write_is_not_needed_to_read_it() {
    let disk = TestDisk::new();
    append(&open(&disk), 0..4, BODIES).await;
    for at in 0..64 {
        let hurt = disk.kill();
        let write = writes(&hurt.bytes(FIRST))[1];
        hurt.damage(FIRST, &Damage::Flip((write.offset + at) as u64, 4));
        let log = open(&hurt);
        assert_eq!(read_all(&log, P).await, (expected(0..4, BODIES), None));
        append(&log, 4..6, BODIES).await;
        drop(log);
        assert_eq!(read_all(&open(&hurt), P).await, (expected(0..6, BODIES), None));
    }
}

#[tokio::test]
async fn every_byte_of_a_segment_that_a_mark_or_a_later_segment_vouches_for() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { segment_bytes: 1024, ..options() });
    append(&log, 0..14, BODIES).await;
    log.close().await.unwrap();
    drop(log);
    let (mut segments, mut batches) = (0, 0);
    let names = disk.file_names();
    let names: Vec<_> = names.iter().filter(|name| name.ends_with(".segment")).collect();
    for name in &names {
        segments += 1;
        let bytes = disk.bytes(name);
        for at in 0..64 {
            let hurt = disk.copy();
            hurt.damage(name, &Damage::Flip(at, 0x02));
            if Some(name) == names.last() {
                assert!(fault(&hurt).contains(&format!("{name}, byte 0")));
                continue;
            }
            let (found, fault) = read_all(&open(&hurt), P).await;
            assert_eq!(found, expected(0..batches, BODIES));
            assert!(fault.unwrap().to_string().contains(&format!("{name}, byte 0")));
        }
        for write in writes(&bytes).iter().filter(|write| write.batches == 1) {
            for at in (write.offset..write.offset + write.total).step_by(3) {
                let hurt = disk.copy();
                hurt.damage(name, &Damage::Flip(at as u64, 0x02));
                // The index would tell where batches are that a walk cannot get to; here it has to.
                hurt.lose(&name.replace("segment", "index"));
                let part = part(&bytes, write.offset, at);
                check(&hurt, batches, 14, &part, &format!("{name} byte {at}, {part:?}")).await;
            }
            batches += 1;
        }
    }
    assert!(segments >= 3 && batches == 14, "{segments} segments, {batches} batches");
}

/// Where the partitions stand at the beginning of a segment can be had from the one before.
#[tokio::test]
async fn table_of_a_segment_is_not_needed() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { segment_bytes: 1024, ..options() });
    append(&log, 0..14, BODIES).await;
    drop(log);
    for name in ["0000000000000002.segment", "0000000000000003.segment"] {
        for at in 64..80 {
            let hurt = disk.copy();
            hurt.damage(name, &Damage::Flip(at, 0x80));
            let log = open(&hurt);
            assert_eq!(read_all(&log, P).await, (expected(0..14, BODIES), None));
            append(&log, 14..15, BODIES).await;
        }
    }
}

#[tokio::test]
async fn mark_of_an_idle_log_vouches_for_the_last_write() {
    let disk = TestDisk::new();
    let idle_mark_after = std::time::Duration::from_millis(1);
    let log = open_with(&disk, DiskOptions { idle_mark_after, ..options() });
    let syncs = disk.syncs();
    append(&log, 0..1, BODIES).await;
    disk.wait_for_syncs(syncs + 2);
    log.close().await.unwrap();
    let disk = disk.power_cut_clean();
    let writes = writes(&disk.bytes(FIRST));
    let kinds: Vec<_> = writes.iter().map(|w| (w.kind, w.number, w.synced, w.batches)).collect();
    assert_eq!(kinds, [(1, 1, 0, 1), (2, 2, 1, 0)], "one mark, by the idle log, none by close");
    disk.damage(FIRST, &Damage::Flip(writes[0].offset as u64 + 70, 1));
    let log = open(&disk);
    let place = &log.recovery().damage[0].to_string();
    assert!(place.contains("byte 128"), "{place}");
    assert_eq!(log.recovery().torn_bytes, 0);
    assert_stopped(&log, 0, "the only batch is lost").await;
}

#[tokio::test]
async fn body_that_rots_while_the_log_is_open() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..2, &[5000, 5000]).await;
    let bytes = disk.bytes(FIRST);
    let second = body(1, 1, 5000);
    let at = bytes.windows(5000).position(|window| window == second).unwrap();
    disk.damage(FIRST, &Damage::Flip(at as u64 + 4999, 1));
    assert!(matches!(log.body(P, body_ref(1, 1, 5000)).await, Err(LogFault::Damaged { .. })));
    assert_eq!(log.body(P, body_ref(1, 0, 5000)).await, Ok(body(1, 0, 5000)));
}

#[tokio::test]
async fn facts_that_rot_while_the_log_is_open_end_the_reader() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..3, BODIES).await;
    let write = writes(&disk.bytes(FIRST))[1];
    disk.damage(FIRST, &Damage::Flip(write.offset as u64 + 100, 1));
    let found: Vec<_> = log.read(P, Position(0)).collect().await;
    assert!(matches!(found[..], [Ok(_), Err(LogFault::Damaged { .. })]), "{found:?}");
}

/// A disk that puts bytes in the wrong place gives back something whole, and wrong.
#[tokio::test]
async fn batch_in_the_place_of_another_is_not_taken_for_it() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..3, BODIES).await;
    let bytes = disk.bytes(FIRST);
    let [first, second, _] = writes(&bytes)[..] else { panic!("three writes") };
    let other = bytes[first.offset..first.offset + first.total].to_vec();
    disk.damage(FIRST, &Damage::Put(second.offset as u64, other));
    let (found, fault) = read_all(&log, P).await;
    assert_eq!(found, expected(0..1, BODIES));
    assert!(matches!(fault, Some(LogFault::Damaged { .. })), "{fault:?}");
    let body = log.body(P, body_ref(1, 0, BODIES[0])).await;
    assert!(matches!(body, Err(LogFault::Damaged { .. })), "{body:?}");
}

/// A client may send what looks like a write that vouches for anything; it cannot know the salt.
#[tokio::test]
async fn body_that_looks_like_a_write_vouches_for_nothing() {
    let disk = TestDisk::new();
    let log = open(&disk);
    append(&log, 0..1, BODIES).await;
    let bytes = disk.bytes(FIRST);
    let mut forged = bytes[64..128].to_vec();
    forged[16..24].fill(0x55);
    forged[24..32].copy_from_slice(&99_u64.to_le_bytes());
    forged[32..40].copy_from_slice(&98_u64.to_le_bytes());
    let crc = crc_fast::crc32_iscsi(&forged[..60]);
    forged[60..].copy_from_slice(&crc.to_le_bytes());
    let mut facts = batch(1, &[]).facts;
    // A byte between two, so that some of them stand where a write would be looked for.
    forged.push(0);
    facts.push_with_body(lineside_core::fact::Fact::Canary, forged.repeat(20).into());
    let evil = lineside_core::fact::Batch { facts, ..batch(1, &[]) };
    submit(&log, P, 1, evil).await.unwrap();
    drop(log);
    let write = writes(&disk.bytes(FIRST))[1];
    disk.damage(FIRST, &Damage::Flip(write.offset as u64 + 5, 1));
    let log = open(&disk);
    assert_eq!(read_all(&log, P).await, (expected(0..1, BODIES), None));
}

#[tokio::test]
async fn missing_segments_and_batches_are_missed() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { segment_bytes: 1024, ..options() });
    append(&log, 0..20, BODIES).await;
    submit(&log, PartitionId(1), 0, batch(0, &[])).await.unwrap();
    log.close().await.unwrap();
    drop(log);
    let names: Vec<_> = disk.file_names().into_iter().filter(|n| n.ends_with("segment")).collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in &names[..names.len() - 1] {
        let hurt = disk.copy();
        hurt.lose(name);
        assert_lost(&hurt, "is missing").await;
        // A segment that ends before its last write does.
        let hurt = disk.copy();
        let last = *writes(&disk.bytes(name)).last().unwrap();
        hurt.damage(name, &Damage::SetLen(last.offset as u64));
        hurt.lose(&name.replace("segment", "index"));
        assert_lost(&hurt, name).await;
        // Another segment's bytes under this name.
        let hurt = disk.copy();
        hurt.damage(name, &Damage::Put(0, disk.bytes(&names[names.len() - 1])));
        assert_lost(&hurt, name).await;
    }
    assert!(try_open(&disk).is_ok());
}

/// The log opens, a reader comes to what is lost and hears of it in these words; what other
/// partitions have in other segments can be read and written.
async fn assert_lost(disk: &TestDisk, word: &str) {
    let log = open(disk);
    let (found, fault) = read_all(&log, P).await;
    assert!(found.len() < 20 && expected(0..20, BODIES).starts_with(&found));
    let said = fault.unwrap().to_string();
    assert!(said.contains(word), "{said}");
    assert_stopped(&log, 20, word).await;
    let other = PartitionId(1);
    assert_eq!(read_all(&log, other).await, (expected([0], &[]), None));
    submit(&log, other, 1, batch(1, &[])).await.unwrap();
    // Whoever needs nothing of what is lost may write.
    assert!(log.read(P, Position(20)).next().now_or_never().is_none());
    submit(&log.connect(), P, 20, batch(20, &[])).await.unwrap();
}

/// Segments of two logs under one roof, as after a mistake with a backup: each whole, and not one
/// log.
#[tokio::test]
async fn segments_of_another_log_are_not_taken() {
    let log_of = async |bodies: &[usize]| {
        let disk = TestDisk::new();
        let log = open_with(&disk, DiskOptions { segment_bytes: 1024, ..options() });
        append(&log, 0..12, bodies).await;
        log.close().await.unwrap();
        disk
    };
    let (small, large) = (log_of(&[1]).await, log_of(&[200]).await);
    let second = "0000000000000002.segment";
    for (here, there) in [(&small, &large), (&large, &small)] {
        let mixed = here.kill();
        mixed.damage(second, &Damage::SetLen(0));
        mixed.damage(second, &Damage::Put(0, there.bytes(second)));
        let log = open(&mixed);
        let (found, fault) = read_all(&log, P).await;
        let known = [expected(0..12, &[1]), expected(0..12, &[200])];
        assert!(known.iter().any(|known| known.starts_with(&found)), "never something else");
        assert!(matches!(fault, Some(LogFault::Damaged { .. })), "{fault:?}");
    }
}

/// Where a partition's last batches may have been lost, nothing is written to it: not now, not when
/// the damaged segment is no longer the last, and not after a restart. The others go on.
#[tokio::test]
async fn doubt_about_a_tail_outlives_the_segment_and_the_process() {
    let small = DiskOptions { segment_bytes: 2048, ..options() };
    let disk = TestDisk::new();
    let log = open_with(&disk, small.clone());
    let (lost, other) = (PartitionId(5), PartitionId(6));
    append(&log, 0..1, BODIES).await;
    for at in 0..2 {
        submit(&log, lost, at, batch(at, &[])).await.unwrap();
    }
    submit(&log, other, 0, batch(0, &[])).await.unwrap();
    log.close().await.unwrap();
    drop(log);
    // The second batch of the partition, which is its last: where it begins, nothing can be read.
    let write = writes(&disk.bytes(FIRST))[2];
    disk.damage(FIRST, &Damage::Put(write.offset as u64, vec![0; write.total - 8]));
    let mut next = 1;
    for _ in 0..3 {
        let log = open_with(&disk, small.clone());
        let refused = submit(&log, lost, 1, batch(9, &[])).await;
        let told = matches!(&refused, Err(AppendError::Rejected(why)) if why.contains("repair"));
        assert!(told && log.damaged(lost).is_some(), "{refused:?}");
        let refused = submit(&log, PartitionId(7), 0, batch(9, &[])).await;
        assert!(refused.is_err(), "nobody knows whether there was one: {refused:?}");
        let (found, fault) = read_all(&log, lost).await;
        assert_eq!((found, fault.is_some()), (expected(0..1, &[]), true));
        assert_eq!(log.damaged(other), None);
        for at in next..next + 30 {
            submit(&log, other, at, batch(at, &[])).await.unwrap();
        }
        next += 30;
        drop(log);
    }
    assert!(disk.file_names().len() > 4, "{:?}", disk.file_names());
    let repairs = lineside_store::disk::repair_on(&disk, false).unwrap();
    assert!(repairs.after.unwrap().is_sound(), "{:?}", repairs.repaired);
    let log = open_with(&disk, small);
    assert_eq!(log.damaged(lost), None);
    assert_eq!(read_all_of(&log, other).await, expected(0..next, &[]));
    let tail = log.tail(lost).await.unwrap().0;
    assert!(tail > 1, "{tail}: no position is given twice");
    submit(&log, lost, tail, batch(9, &[])).await.unwrap();
    submit(&log, PartitionId(7), 0, batch(9, &[])).await.unwrap();
}

async fn read_all_of(log: &DiskLog, p: PartitionId) -> Vec<lineside_core::fact::Batch> {
    let (found, fault) = read_all(log, p).await;
    assert_eq!(fault, None);
    found
}
