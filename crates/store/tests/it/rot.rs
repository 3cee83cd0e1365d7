//! A log of 64 KiB with compacted segments, indexes and a blob: every byte flipped, every length cut.
//! It is named, costs what it hit, and nothing is ever shown that was not written.

use futures::StreamExt;
use lineside_core::id::Position;
use lineside_engine::blobs::BlobFault;
use lineside_engine::log::{Log, LogFault};
use lineside_store::conformance::{body, body_ref};
use lineside_store::disk::{Verification, verify_on};
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskOptions, OpenError};

use crate::compaction::living;
use crate::support::{P, append, block_on, expected, open_with, options, writes};

const BODIES: &[usize] = &[400, 20];
const COUNT: u64 = 160;
const BELOW: u64 = 60;
/// A debug build looks at fewer bytes, to be quick; which ones, the file's number says.
const STRIDE: usize = if cfg!(debug_assertions) { 41 } else { 1 };

fn small() -> DiskOptions {
    DiskOptions { segment_bytes: 8192, compaction_bytes_per_second: 0, ..options() }
}

fn lives(at: u64, n: usize) -> bool {
    at >= BELOW || (n == 0 && at >= 20 && at.is_multiple_of(3))
}

async fn log() -> TestDisk {
    let disk = TestDisk::new();
    let log = open_with(&disk, small());
    append(&log, 0..COUNT, BODIES).await;
    log.blobs().put("checkpoint", body(1, 0, 900)).await.unwrap();
    let bodies: Vec<_> = (0..BELOW).filter(|at| lives(*at, 0)).map(|at| (at, 0)).collect();
    log.retain(P, Position(BELOW), living(&bodies));
    log.tidied().await;
    assert!(log.housekeeping().rewritten > 0 && log.housekeeping().dropped > 0);
    log.close().await.unwrap();
    drop(log);
    disk.copy()
}

/// All files by path: every name of the directory and of its folder.
fn files(disk: &TestDisk) -> Vec<String> {
    let blobs = disk.folder_names("blobs").into_iter().map(|name| format!("blobs/{name}"));
    disk.file_names().into_iter().chain(blobs).collect()
}

/// What is wrong is named by its file; only what is behind the last mark of the last segment may be
/// taken for what a crash left.
fn is_named(disk: &TestDisk, file: &str, is_tail: bool, case: &str) {
    match verify_on(disk) {
        Ok(Verification { findings, torn, .. }) => {
            let named = findings.iter().any(|finding| finding.file == format!("test/{file}"));
            assert!(named || is_tail, "{case}: {findings:?} {torn:?}");
        }
        Err(error) => panic!("{case}: {error}"),
    }
}

/// What is shown is what was written; what is not shown is said to be damaged, or was not needed.
async fn is_true(disk: &TestDisk, tail: u64, file: &str, case: &str) {
    let opened = lineside_store::DiskLog::open_on(std::sync::Arc::new(disk.clone()), small());
    let log = match opened {
        Ok(log) => log,
        Err(OpenError::Fault(LogFault::Damaged { place, .. })) => {
            assert!(place.contains(file), "{case}: {place}");
            return;
        }
        Err(error) => panic!("{case}: {error}"),
    };
    let mut read = log.read(P, Position(BELOW));
    for at in BELOW..tail {
        match read.next().await {
            Some(Ok((found, was))) => {
                assert_eq!((found.0, vec![was]), (at, expected([at], BODIES)), "{case}");
            }
            Some(Err(LogFault::Damaged { .. })) => break,
            other => panic!("{case}: position {at}: {other:?}"),
        }
    }
    for at in (0..tail).step_by(if STRIDE > 1 { 3 } else { 1 }) {
        for (n, len) in BODIES.iter().enumerate() {
            match log.body(P, body_ref(at, n, *len)).await {
                Ok(found) => assert_eq!(found, body(at, n, *len), "{case}"),
                Err(LogFault::Damaged { .. }) => {}
                Err(LogFault::NoBody(_)) if !lives(at, n) => {}
                Err(fault) => panic!("{case}: body {at} {n}: {fault}"),
            }
        }
    }
    match log.blobs().get("checkpoint").await {
        Ok(found) => assert_eq!(found, body(1, 0, 900), "{case}"),
        Err(BlobFault::Damaged { .. }) if file.starts_with("blobs/") => {}
        Err(fault) => panic!("{case}: {fault}"),
    }
}

#[test]
fn every_byte_flipped() {
    let disk = block_on(log());
    let names = files(&disk);
    let segments: Vec<_> = names.iter().filter(|name| name.ends_with(".segment")).collect();
    let total: usize = names.iter().map(|name| disk.bytes(name).len()).sum();
    assert!(total > 64 << 10 && total < 100 << 10 && segments.len() > 6, "{total} {names:?}");
    for (nth, name) in names.iter().enumerate() {
        let bytes = disk.bytes(name);
        let is_last = Some(&name) == segments.last();
        let mark = writes_end(&bytes, is_last);
        for at in (nth % STRIDE..bytes.len()).step_by(STRIDE) {
            let hurt = disk.copy();
            hurt.damage(name, &Damage::Flip(at as u64, 1 << (at % 8)));
            let case = format!("{name}, byte {at}");
            is_named(&hurt, name, is_last && at >= mark, &case);
            block_on(is_true(&hurt, COUNT, name, &case));
        }
    }
}

/// Where the last mark of the last segment begins.
fn writes_end(bytes: &[u8], is_last: bool) -> usize {
    let last = is_last.then(|| writes(bytes)).and_then(|writes| writes.last().copied());
    last.map_or(usize::MAX, |write| write.offset)
}

#[test]
fn every_length_cut() {
    let disk = block_on(log());
    let names = files(&disk);
    let last = names.iter().rfind(|name| name.ends_with(".segment")).unwrap();
    for (nth, name) in names.iter().enumerate() {
        let bytes = disk.bytes(name);
        // Zeros behind the last write are there for the writes to come.
        let needed = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        for len in (nth % STRIDE..=needed).step_by(STRIDE) {
            let hurt = disk.copy();
            hurt.damage(name, &Damage::SetLen(len as u64));
            let case = format!("{name} cut to {len}");
            is_named(&hurt, name, name == last && len >= 80, &case);
            let opened =
                lineside_store::DiskLog::open_on(std::sync::Arc::new(hurt.clone()), small());
            // A last segment that somebody cut is shorter; what there is of it is true.
            let tail = match &opened {
                Ok(log) => block_on(log.tail(P)).unwrap().0,
                Err(_) => COUNT,
            };
            assert!(tail == COUNT || name == last, "{case}: {tail}");
            drop(opened);
            block_on(is_true(&hurt, tail, name, &case));
        }
    }
}
