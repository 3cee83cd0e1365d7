//! A write that a crash cut short is as if it had never been, wherever it was cut.

use lineside_engine::log::Log;
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::testing::{Damage, TestDisk};

use crate::support::{FIRST, P, WriteView, expected, open, read_all, submit, writes};

const BODIES: &[usize] = &[10, 61];

/// Three batches, and a fourth in the last write.
async fn four_batches() -> (TestDisk, WriteView) {
    let disk = TestDisk::new();
    let log = open(&disk);
    crate::support::append(&log, 0..4, BODIES).await;
    let disk = disk.kill();
    let writes = writes(&disk.bytes(FIRST));
    assert_eq!(writes.len(), 4);
    (disk, writes[3])
}

/// Opens what is left, finds `count` batches, appends others, and finds both after a restart.
async fn check(disk: TestDisk, count: u64, torn: bool, case: &str) {
    let log = open(&disk);
    assert_eq!(read_all(&log, P).await, (expected(0..count, BODIES), None), "{case}");
    assert_eq!(log.recovery().torn_bytes > 0, torn, "{case}: {:?}", log.recovery());
    for at in count..count + 2 {
        submit(&log, P, at, batch(at + 100, BODIES)).await.unwrap();
    }
    drop(log);
    let log = open(&disk.power_cut_clean());
    let tags = (0..count).chain((count..count + 2).map(|at| at + 100));
    assert_eq!(read_all(&log, P).await, (expected(tags, BODIES), None), "{case}");
    let last = log.body(P, body_ref(count + 1, 1, 61)).await;
    assert_eq!(last, Ok(body(count + 101, 1, 61)), "{case}");
}

#[tokio::test]
async fn cut_at_every_byte() {
    let (disk, last) = four_batches().await;
    for kept in 0..last.total {
        let torn = disk.copy();
        torn.damage(FIRST, &Damage::SetLen((last.offset + kept) as u64));
        let left = torn.bytes(FIRST)[last.offset..].iter().any(|byte| *byte != 0);
        check(torn, 3, left, &format!("cut after {kept} bytes")).await;
    }
}

#[tokio::test]
async fn zero_from_every_byte() {
    let (disk, last) = four_batches().await;
    let whole = disk.bytes(FIRST);
    for kept in 0..last.total {
        let torn = disk.copy();
        let at = last.offset + kept;
        torn.damage(FIRST, &Damage::Put(at as u64, vec![0; last.total - kept]));
        // The last bytes may be zero anyway: padding, or the body's own.
        let same = torn.bytes(FIRST) == whole;
        let left = !same && torn.bytes(FIRST)[last.offset..].iter().any(|byte| *byte != 0);
        check(torn, if same { 4 } else { 3 }, left, &format!("zero after {kept} bytes")).await;
    }
}

#[tokio::test]
async fn every_byte_flipped() {
    let (disk, last) = four_batches().await;
    // What is after the last body is padding, of which nothing is said or asked.
    let bytes = disk.bytes(FIRST);
    let body = body(3, 1, 61);
    let written = bytes.windows(61).rposition(|window| window == body).unwrap() + 61;
    for at in last.offset..written {
        let torn = disk.copy();
        torn.damage(FIRST, &Damage::Flip(at as u64, 0x10));
        check(torn, 3, true, &format!("byte {at} flipped")).await;
    }
    for at in written..last.offset + last.total {
        let padded = disk.copy();
        padded.damage(FIRST, &Damage::Flip(at as u64, 0x10));
        check(padded, 4, false, &format!("padding byte {at} flipped")).await;
    }
}

#[tokio::test]
async fn whole_tail_is_kept_though_nothing_vouches_for_it() {
    let (disk, _) = four_batches().await;
    check(disk, 4, false, "as it was").await;
}

/// In a log that syncs at intervals several writes may be unsynced, and any of them may be missing.
#[tokio::test]
async fn what_follows_a_torn_write_goes_with_it() {
    use lineside_store::{DiskOptions, Sync};
    let sync = Sync::Interval(std::time::Duration::from_secs(3600));
    let options = DiskOptions { sync, ..crate::support::options() };
    for torn in 0..5 {
        let disk = TestDisk::new();
        let log = crate::support::open_with(&disk, options.clone());
        crate::support::append(&log, 0..5, BODIES).await;
        let disk = disk.kill();
        let at = writes(&disk.bytes(FIRST))[torn].offset + 70;
        disk.damage(FIRST, &Damage::Flip(at as u64, 1));
        check(disk, torn as u64, true, &format!("write {torn} of 5 torn")).await;
    }
}

/// The new write is as long as the torn one, so that the one after the torn one, were it still
/// there, would stand just where the next one is looked for, with the right number.
#[tokio::test]
async fn old_bytes_behind_the_tail_never_come_back() {
    use lineside_store::{DiskOptions, Sync};
    let sync = Sync::Interval(std::time::Duration::from_secs(3600));
    let options = DiskOptions { sync, ..crate::support::options() };
    let disk = TestDisk::new();
    let log = crate::support::open_with(&disk, options);
    crate::support::append(&log, 0..3, BODIES).await;
    let disk = disk.kill();
    let torn = writes(&disk.bytes(FIRST))[1];
    disk.damage(FIRST, &Damage::Flip(torn.offset as u64 + 70, 1));
    let log = open(&disk);
    submit(&log, P, 1, batch(7, BODIES)).await.unwrap();
    drop(log);
    let log = open(&disk.power_cut_clean());
    assert_eq!(read_all(&log, P).await, (expected([0, 7], BODIES), None));
}

#[tokio::test]
async fn write_that_stands_twice_counts_once() {
    let disk = TestDisk::new();
    let log = open(&disk);
    crate::support::append(&log, 0..2, BODIES).await;
    log.close().await.unwrap();
    let disk = disk.kill();
    let bytes = disk.bytes(FIRST);
    let mark = *writes(&bytes).last().unwrap();
    let again = bytes[mark.offset..mark.offset + mark.total].to_vec();
    disk.damage(FIRST, &Damage::Put((mark.offset + mark.total) as u64, again));
    let log = open(&disk);
    assert_eq!((log.recovery().writes, log.recovery().torn_bytes), (3, 64));
}
