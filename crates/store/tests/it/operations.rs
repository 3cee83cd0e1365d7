//! Every operation on the disk fails once, over a start, a hundred batches, a compaction, a blob and
//! an end. What was acknowledged is there afterwards, and a log that gave up says so.

use std::io::ErrorKind;

use lineside_core::id::Position;
use lineside_engine::log::{AppendError, Log};
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions};

use crate::compaction::living;
use crate::support::{Dice, P, open_with, options, submit};

const BODIES: &[usize] = &[200, 20];
const BATCHES: u64 = 100;
const BELOW: u64 = 60;
/// A debug build tries fewer operations, to be quick.
const STRIDE: usize = if cfg!(debug_assertions) { 11 } else { 1 };

fn small() -> DiskOptions {
    DiskOptions { segment_bytes: 4096, compaction_bytes_per_second: 0, ..options() }
}

/// What a client of the run was told.
#[derive(Debug, Default)]
struct Told {
    acknowledged: u64,
    /// A batch of which nobody knows.
    unknown: bool,
    refused: bool,
    stored: bool,
    retained: bool,
    sealed: bool,
}

fn lives(at: u64, n: usize) -> bool {
    at >= BELOW || (n == 0 && at.is_multiple_of(4))
}

/// The run, up to where it can get.
async fn run(disk: &TestDisk) -> Told {
    let mut told = Told::default();
    let Ok(log) = DiskLog::open_on(std::sync::Arc::new(disk.clone()), small()) else {
        return told;
    };
    let mut connection = log.connect();
    while told.acknowledged < BATCHES && !told.sealed {
        let at = told.acknowledged;
        match submit(&connection, P, at, batch(at, BODIES)).await {
            Ok(()) => told.acknowledged += 1,
            Err(error) => {
                told.unknown |= matches!(error, AppendError::Unknown(_));
                told.refused |= matches!(error, AppendError::Rejected(_));
                told.sealed = is_sealed(&log);
                // Its memory is ahead of the log: a new owner goes on from where the log is.
                connection = log.connect();
            }
        }
        if told.acknowledged == 70 {
            let bodies: Vec<_> = (0..BELOW).filter(|at| lives(*at, 0)).map(|at| (at, 0)).collect();
            told.stored = log.blobs().put("checkpoint", body(1, 0, 500)).await.is_ok();
            log.retain(P, Position(BELOW), living(&bodies));
            log.tidied().await;
            told.retained = true;
        }
    }
    let closed = log.close().await;
    told.sealed = is_sealed(&log);
    assert_eq!(closed.is_err(), told.sealed, "{closed:?}");
    told
}

fn is_sealed(log: &DiskLog) -> bool {
    use futures::FutureExt;
    log.sealed().now_or_never().is_some()
}

async fn check(disk: &TestDisk, told: &Told, case: &str) {
    let log = open_with(disk, small());
    assert_eq!(log.recovery().damage, [], "{case}");
    let tail = log.tail(P).await.unwrap().0;
    let most = told.acknowledged + u64::from(told.unknown);
    assert!((told.acknowledged..=most).contains(&tail), "{case}: {tail}, {told:?}");
    for at in 0..tail {
        for (n, len) in BODIES.iter().enumerate() {
            let found = log.body(P, body_ref(at, n, *len)).await;
            let must = !told.retained || lives(at, n);
            assert!(!must || found == Ok(body(at, n, *len)), "{case}: {at} {n} {found:?}");
        }
    }
    let blob = log.blobs().get("checkpoint").await;
    assert!(!told.stored || blob == Ok(body(1, 0, 500)), "{case}: {blob:?}");
    submit(&log, P, tail, batch(tail, BODIES)).await.unwrap();
}

/// Runs until the fault that is planted has come; checks what is left by a kill and by a power cut.
async fn each(plant: impl Fn(&TestDisk, u64), first: usize, name: &str) -> (u64, u64) {
    let (mut runs, mut sealed) = (0, 0);
    for skip in (first..).step_by(STRIDE) {
        let disk = TestDisk::new();
        plant(&disk, skip as u64);
        let told = run(&disk).await;
        if disk.has_fault_ahead() {
            return (runs, sealed);
        }
        disk.heal();
        let case = format!("{name} after {skip}");
        assert!(told.sealed || told.acknowledged >= BATCHES || told.acknowledged == 0, "{case}");
        (runs, sealed) = (runs + 1, sealed + u64::from(told.sealed));
        let mut dice = Dice(skip as u64);
        check(&disk.copy(), &told, &format!("{case}, killed")).await;
        check(&disk.power_cut(&mut || dice.roll()), &told, &format!("{case}, power cut")).await;
    }
    unreachable!("the run ends")
}

#[tokio::test]
async fn every_operation_fails_once() {
    let kinds = [ErrorKind::TimedOut, ErrorKind::StorageFull, ErrorKind::Interrupted];
    for (nth, kind) in kinds.into_iter().enumerate() {
        let plant = |disk: &TestDisk, skip| disk.fail_operation(skip, kind);
        let (runs, sealed) = each(plant, nth, &format!("{kind}")).await;
        assert!(runs > 300 / STRIDE as u64 && sealed > 0, "{runs} runs, {sealed} sealed");
    }
}

#[tokio::test]
async fn every_sync_fails_once_and_forgets() {
    let (runs, sealed) = each(TestDisk::fail_sync, 0, "sync").await;
    assert!(runs > 100 / STRIDE as u64 && sealed > runs / 2, "{runs} runs, {sealed} sealed");
}

#[tokio::test]
async fn every_write_is_short_once() {
    for (nth, kind) in [ErrorKind::TimedOut, ErrorKind::StorageFull].into_iter().enumerate() {
        let plant = |disk: &TestDisk, skip: u64| disk.fail_write(skip, skip as usize * 13, kind);
        let (runs, sealed) = each(plant, nth, &format!("short write, {kind}")).await;
        assert!(runs > 100 / STRIDE as u64, "{runs} runs");
        assert_eq!(sealed > runs / 2, kind == ErrorKind::TimedOut, "{sealed} of {runs}");
    }
}
