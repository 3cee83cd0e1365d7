//! Data directories that earlier builds wrote, kept as they were: each still opens, and holds what it
//! held. `cargo test -p lineside-store -- --ignored write_the_fixture` writes the present one anew.

use std::path::{Path, PathBuf};

use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{Log, LogFault};
use lineside_store::conformance::kept::events;
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::disk::{AcceptedGap, repair, verify};
use lineside_store::{DiskLog, DiskOptions};

use crate::compaction::living;
use crate::support::{P, append, expected, options, read_all, submit, writes};

const BODIES: &[usize] = &[10, 200];
const OTHER: PartitionId = PartitionId(7);

fn small() -> DiskOptions {
    let (segment_bytes, reserve_bytes) = (4096, 0);
    DiskOptions { segment_bytes, reserve_bytes, compaction_bytes_per_second: 0, ..options() }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A copy of a fixture, since a log that is opened is written to.
fn copy_of(name: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_all(&fixture(name), copy.path());
    copy
}

fn copy_all(from: &Path, to: &Path) {
    for entry in from.read_dir().unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The first build of version 1: headers without tables, no indexes, no blobs.
#[tokio::test]
async fn first_build_of_version_1() {
    let copy = copy_of("v1-first");
    assert!(verify(copy.path()).unwrap().is_sound());
    let log = DiskLog::open(copy.path(), small()).unwrap();
    assert_eq!(read_all(&log, P).await, (expected(0..12, BODIES), None));
    let others = expected([100, 103, 106, 109], &[33]);
    assert_eq!(read_all(&log, OTHER).await, (others.clone(), None));
    for at in 0..12 {
        assert_eq!(log.body(P, body_ref(at, 1, 200)).await, Ok(body(at, 1, 200)));
    }
    append(&log, 12..60, BODIES).await;
    log.retain(P, Position(40), living(&[(2, 1), (11, 0)]));
    log.tidied().await;
    log.close().await.unwrap();
    drop(log);
    assert!(verify(copy.path()).unwrap().is_sound());
    let log = DiskLog::open(copy.path(), small()).unwrap();
    assert_eq!(log.body(P, body_ref(2, 1, 200)).await, Ok(body(2, 1, 200)));
    assert_eq!(log.body(P, body_ref(11, 0, 10)).await, Ok(body(11, 0, 10)));
    assert_eq!(read_all(&log, OTHER).await, (others, None));
}

/// Version 1 with all that it has: tables, indexes, a blob, segments that are joined, thinned and
/// whole, and a gap that a repair accepted.
#[tokio::test]
async fn version_1() {
    let copy = copy_of("v1");
    let report = verify(copy.path()).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    let gap = AcceptedGap { partition: P, from: Position(70), count: 1 };
    assert_eq!((report.gaps, report.blobs), (vec![gap], 1));
    assert_eq!(report.tails, [(P, Position(84)), (OTHER, Position(20))]);
    let log = DiskLog::open(copy.path(), small()).unwrap();
    assert_eq!(log.recovery().damage, []);
    use futures::StreamExt;
    let read: Vec<_> = log.read(P, Position(60)).take(24).map(Result::unwrap).collect().await;
    let (lost, read): (Vec<_>, Vec<_>) = read.into_iter().partition(|(_, b)| b.facts.is_empty());
    assert_eq!(lost.iter().map(|(at, _)| at.0).collect::<Vec<_>>(), [70]);
    let positions: Vec<u64> = read.iter().map(|(at, _)| at.0).collect();
    assert_eq!(positions, (60..84).filter(|at| *at != 70).collect::<Vec<_>>());
    let batches: Vec<_> = read.into_iter().map(|(_, batch)| batch).collect();
    assert_eq!(batches, expected(positions, BODIES));
    for at in 0..84 {
        let found = log.body(P, body_ref(at, 1, 200)).await;
        match at {
            70 => assert!(matches!(found, Err(LogFault::NoBody(_)))),
            31 | 35 | 60.. => assert_eq!(found, Ok(body(at, 1, 200))),
            // The segment that holds these has others too, which were not reclaimed.
            50..60 => {}
            _ => assert!(matches!(found, Err(LogFault::NoBody(_))), "{at}"),
        }
    }
    assert_eq!(log.blobs().get("checkpoint").await, Ok(body(1, 0, 300)));
    append(&log, 84..90, BODIES).await;
}

/// Version 2: as version 1, and bodies that are kept, in a segment that is thinned and in one that is
/// whole.
#[tokio::test]
async fn version_2() {
    let copy = copy_of("v2");
    let report = verify(copy.path()).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    let log = DiskLog::open(copy.path(), small()).unwrap();
    assert_eq!((log.recovery().damage.len(), report.tails[0].1), (0, Position(84)));
    use futures::StreamExt;
    let kept: Vec<_> = log.kept(P, Position(0)).map(Result::unwrap).collect().await;
    let places: Vec<u64> = kept.iter().map(|kept| kept.body.place.position.0).collect();
    assert_eq!(places, (0..84).filter(is_kept).flat_map(|at| [at, at]).collect::<Vec<_>>());
    for kept in &kept {
        assert_eq!(log.body(P, kept.body).await, Ok(kept.bytes.clone()));
    }
    assert_eq!(log.body(P, body_ref(31, 1, 200)).await, Ok(body(31, 1, 200)));
    assert!(matches!(log.body(P, body_ref(33, 1, 200)).await, Err(LogFault::NoBody(_))));
    append(&log, 84..90, BODIES).await;
}

/// The batches of the fixture that have kept bodies.
fn is_kept(at: &u64) -> bool {
    at.is_multiple_of(8) && *at < 80
}

#[tokio::test]
#[ignore = "it writes into the source tree"]
async fn write_the_fixture() {
    let path = fixture("v2");
    if path.exists() {
        std::fs::remove_dir_all(&path).unwrap();
    }
    let log = DiskLog::open(&path, small()).unwrap();
    for at in 0..80 {
        let batch_ = if is_kept(&at) { events(at) } else { batch(at, BODIES) };
        submit(&log, P, at, batch_).await.unwrap();
        if at % 4 == 0 {
            submit(&log, OTHER, at / 4, batch(at / 4, &[])).await.unwrap();
        }
    }
    log.blobs().put("checkpoint", body(1, 0, 300)).await.unwrap();
    log.retain(P, Position(60), living(&[(31, 1), (35, 1)]));
    log.retain(OTHER, Position(15), living(&[]));
    log.tidied().await;
    log.close().await.unwrap();
    drop(log);
    spoil(&path, 70);
    repair(&path, false).unwrap();
    let log = DiskLog::open(&path, small()).unwrap();
    append(&log, 80..84, BODIES).await;
    log.tidied().await;
    log.close().await.unwrap();
    drop(log);
    std::fs::remove_file(path.join("lock")).unwrap();
}

/// Damages the facts of a batch.
fn spoil(path: &Path, position: u64) {
    for entry in path.read_dir().unwrap().map(Result::unwrap) {
        let mut bytes = std::fs::read(entry.path()).unwrap_or_default();
        if entry.path().extension().is_none_or(|kind| kind != "segment") {
            continue;
        }
        let here = |offset: usize| {
            let head = &bytes[offset + 64..offset + 128];
            head[16..24] == position.to_le_bytes() && head[32..34] == [0, 0]
        };
        let found = writes(&bytes).into_iter().find(|w| w.kind == 1 && here(w.offset));
        if let Some(write) = found {
            bytes[write.offset + 64 + 64 + 24 + 2] ^= 1;
            std::fs::write(entry.path(), &bytes).unwrap();
        }
    }
}
