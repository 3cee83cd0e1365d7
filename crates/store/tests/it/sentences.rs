//! What a person reads when something fails is one sentence: no clause of it says again what another
//! has said. The chains are the real ones, as `lineside` prints them.

use std::collections::BTreeSet;
use std::error::Error;

use lineside_engine::engine::EngineFault;
use lineside_engine::log::{AppendError, Log, LogFault};
use lineside_engine::request::CallError;
use lineside_store::conformance::{batch, body_ref};
use lineside_store::disk::{dump, repair, repair_on, restore, verify, verify_on};
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskLog, DiskOptions, MemoryLog, OpenError};

use crate::support::{FIRST, P, append, open, open_with, options, read_all, submit, try_open};

/// What only one clause of a sentence may say.
const SAID_ONCE: &[&str] = &[
    "cannot be",
    "is not known",
    "written",
    "acknowledged",
    "damaged",
    "is closed",
    "sealed",
    "failed",
    "opening",
    "nothing",
    "missing",
];

/// As `{:#}` of the binary's errors: each error of the chain, with what it says itself.
fn printed(error: &dyn Error) -> String {
    let (mut said, mut next) = (Vec::new(), Some(error));
    while let Some(error) = next {
        said.push(error.to_string());
        next = error.source();
    }
    said.join(": ")
}

fn check(text: &str) {
    let clauses: Vec<&str> = text.split(": ").flat_map(|part| part.split("; ")).collect();
    let different: BTreeSet<_> = clauses.iter().collect();
    assert_eq!(clauses.len(), different.len(), "says a clause twice: {text}");
    for phrase in SAID_ONCE {
        let count = clauses.iter().filter(|clause| clause.contains(phrase)).count();
        assert!(count <= 1, "says {phrase:?} {count} times: {text}");
    }
    assert!(text.len() > 10 && !text.ends_with(": ") && !text.contains(": :"), "{text}");
}

fn check_open_error(error: OpenError) {
    check(&printed(&error));
    check(&printed(&EngineFault::Log(LogFault::from(error))));
}

fn check_append_error(error: &AppendError) {
    check(&printed(error));
    check(&printed(&EngineFault::from(error.clone())));
    check(&printed(&CallError::Unavailable(error.to_string())));
}

fn check_log_fault(fault: &LogFault) {
    check(&printed(&EngineFault::Log(fault.clone())));
    check(&printed(&CallError::ReadOnly(fault.to_string())));
}

/// The check itself can fail.
#[test]
#[should_panic(expected = "cannot be")]
fn a_sentence_that_says_a_thing_twice_is_seen() {
    check("the log cannot be read: the log cannot be opened: syncing the data directory: EIO");
}

#[tokio::test]
async fn starts_that_fail() {
    let disk = TestDisk::new();
    append(&open(&disk), 0..5, &[100]).await;
    let mut seen = BTreeSet::new();
    for nth in 0..60 {
        let disk = disk.copy();
        disk.fail_operation(nth, std::io::ErrorKind::PermissionDenied);
        if let Err(error) = try_open(&disk) {
            seen.insert(error.to_string());
            check_open_error(error);
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
    let _held = open(&disk);
    check_open_error(try_open(&disk).unwrap_err());
    check_open_error(verify_on(&disk).unwrap_err());
}

#[tokio::test]
async fn starts_on_what_cannot_be_used() {
    let outer = tempfile::tempdir().unwrap();
    let file = outer.path().join("file");
    std::fs::write(&file, "no directory").unwrap();
    check_open_error(DiskLog::open(&file, options()).unwrap_err());
    check_open_error(verify(&file).unwrap_err());
    check_open_error(repair(&file, false).unwrap_err());
    check_open_error(dump(&file, P, Default::default()).err().unwrap());
    check_open_error(restore(&file, outer.path()).unwrap_err());
    let disk = TestDisk::new();
    append(&open(&disk), 0..1, &[]).await;
    let mut newer = disk.bytes(FIRST)[..64].to_vec();
    newer[8] = 9;
    let crc = crc_fast::crc32_iscsi(&newer[..60]);
    newer[60..].copy_from_slice(&crc.to_le_bytes());
    disk.damage(FIRST, &Damage::Put(0, newer));
    check_open_error(try_open(&disk).unwrap_err());
    disk.damage(FIRST, &Damage::Flip(3, 1));
    check_open_error(try_open(&disk).unwrap_err());
}

#[tokio::test]
async fn writes_that_fail() {
    for fails in [TestDisk::fail_sync as fn(&TestDisk, u64), |disk, _| {
        disk.fail_write(0, 9, std::io::ErrorKind::TimedOut);
    }] {
        let disk = TestDisk::new();
        let log = open(&disk);
        append(&log, 0..1, &[10]).await;
        fails(&disk, 0);
        let told = submit(&log, P, 1, batch(1, &[10])).await.unwrap_err();
        assert!(matches!(told, AppendError::Unknown(_)), "{told:?}");
        check_append_error(&told);
        let reason = log.sealed().await;
        check(&format!("the log is sealed, nothing is acknowledged any more: {reason}"));
        check_append_error(&submit(&log, P, 1, batch(1, &[])).await.unwrap_err());
        check_append_error(&submit(&log.connect(), P, 1, batch(1, &[])).await.unwrap_err());
        check_log_fault(&log.close().await.unwrap_err());
    }
    let memory = MemoryLog::new();
    check_append_error(&submit_to(&memory, 7).await);
    check_append_error(&submit_to(&memory, 0).await);
}

async fn submit_to(log: &MemoryLog, at: u64) -> AppendError {
    let at = lineside_core::id::Position(at);
    log.submit(P, at, Default::default(), batch(0, &[])).await.unwrap_err()
}

#[tokio::test]
async fn full_disks() {
    for inside_body_bytes in [10, 10_000] {
        let disk = TestDisk::new();
        let log = open_with(&disk, DiskOptions { inside_body_bytes, ..options() });
        disk.fail_write(0, 0, std::io::ErrorKind::StorageFull);
        check_append_error(&submit(&log, P, 0, batch(0, &[1000])).await.unwrap_err());
        check_append_error(&submit(&log, P, 0, batch(0, &[])).await.unwrap_err());
        disk.set_free_bytes(0);
        check(&log.reserve(1 << 50).unwrap_err().to_string());
        let put = log.blobs().put("checkpoint", vec![1; 100].into()).await.unwrap_err();
        check(&format!(
            "a checkpoint could not be stored, the next one will be tried later: {put}"
        ));
    }
}

#[tokio::test]
async fn damage() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { inside_body_bytes: 50, ..options() });
    append(&log, 0..6, &[100, 40]).await;
    log.close().await.unwrap();
    check_append_error(&submit(&log, P, 6, batch(6, &[])).await.unwrap_err());
    drop(log);
    let sound = disk.bytes(FIRST);
    for at in (64..sound.len().min(900)).step_by(3) {
        let hurt = disk.copy();
        hurt.damage(FIRST, &Damage::Flip(at as u64, 0x10));
        let log = match try_open(&hurt) {
            Ok(log) => log,
            Err(error) => {
                check_open_error(error);
                continue;
            }
        };
        log.recovery().damage.iter().for_each(check_log_fault);
        if let (_, Some(fault)) = read_all(&log, P).await {
            check_log_fault(&fault);
        }
        let tail = log.tail(P).await.unwrap().0;
        if let Err(error) = submit(&log, P, tail, batch(tail, &[])).await {
            check_append_error(&error);
        }
        for position in 0..6 {
            if let Err(fault) = log.body(P, body_ref(position, 1, 40)).await {
                check_log_fault(&fault);
            }
        }
        drop(log);
        for repaired in repair_on(&hurt, true).unwrap().repaired {
            check(&repaired.did);
        }
    }
    disk.lose("blobs/body-0000-0000000000000001-00000002.blob");
    disk.damage("blobs/body-0000-0000000000000002-00000002.blob", &Damage::Flip(90, 1));
    let log = open(&disk);
    for position in [1, 2] {
        check_log_fault(&log.body(P, body_ref(position, 0, 100)).await.unwrap_err());
    }
    check_log_fault(&log.body(P, body_ref(3, 0, 99)).await.unwrap_err());
    drop(log);
    for finding in verify_on(&disk).unwrap().findings {
        check(&finding.to_string());
    }
    for nth in 0..40 {
        let hurt = disk.copy();
        hurt.fail_operation(nth, std::io::ErrorKind::PermissionDenied);
        if let Err(error) = verify_on(&hurt) {
            check_open_error(error);
        }
    }
}
