//! Opening a directory: whose it is, what is in it, what is not ours.

use std::os::unix::fs::PermissionsExt;

use lineside_engine::log::Log;
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskLog, DiskOptions, OpenError};

use crate::support::{FIRST, P, append, expected, open, open_with, options, read_all, try_open};

const BODIES: &[usize] = &[10];

#[tokio::test]
async fn second_opener_is_refused_in_a_sentence() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("data");
    let log = DiskLog::open(&path, options()).unwrap();
    let refused = DiskLog::open(&path, options()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)));
    let said = refused.to_string();
    let dir = path.display().to_string();
    assert!(said.contains(&dir) && said.contains("in use by another process"), "{said}");
    log.close().await.unwrap();
    DiskLog::open(&path, options()).unwrap();
}

#[tokio::test]
async fn only_the_owner_may_read_what_is_made() {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("data");
    let log = DiskLog::open(&path, DiskOptions { segment_bytes: 1024, ..options() }).unwrap();
    append(&log, 0..20, BODIES).await;
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    log.blobs().put("one", Default::default()).await.unwrap();
    assert_eq!(mode(&path.join("blobs")), 0o700);
    let list = |path: &std::path::Path| path.read_dir().unwrap().map(|e| e.unwrap().path());
    let files: Vec<_> = list(&path).chain(list(&path.join("blobs"))).collect();
    let files: Vec<_> = files.into_iter().filter(|file| file.is_file()).collect();
    assert!(files.len() > 3, "{files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
}

#[tokio::test]
async fn path_that_is_a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = DiskLog::open(file.path(), options()).unwrap_err();
    assert!(refused.to_string().contains(&file.path().display().to_string()), "{refused}");
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone_and_what_was_unfinished_is_removed() {
    let disk = TestDisk::new();
    append(&open(&disk), 0..2, BODIES).await;
    let create = |name: &str| {
        use lineside_store::disk::Disk;
        disk.create(name).unwrap();
    };
    create("notes.txt");
    create("2.segment");
    create("0000000000000002.segment.new");
    let log = open(&disk);
    assert_eq!(read_all(&log, P).await, (expected(0..2, BODIES), None));
    assert_eq!(disk.file_names(), [FIRST, "2.segment", "notes.txt"]);
}

#[tokio::test]
async fn what_this_version_does_not_write_is_named() {
    let disk = TestDisk::new();
    append(&open(&disk), 0..1, BODIES).await;
    let reseal = |offset: usize, at: usize, with: u8| -> String {
        let other = disk.copy();
        let mut block = other.bytes(FIRST)[offset..offset + 64].to_vec();
        block[at] = with;
        let crc = crc_fast::crc32_iscsi(&block[..60]);
        block[60..].copy_from_slice(&crc.to_le_bytes());
        other.damage(FIRST, &Damage::Put(offset as u64, block));
        try_open(&other).unwrap_err().to_string()
    };
    let newer = reseal(0, 8, 3);
    assert!(newer.contains("newer version of Lineside (version 3"), "{newer}");
    assert!(reseal(0, 15, 2).contains("newer version"), "a flag that nobody knows");
    assert!(reseal(0, 32, 2).contains("begins with write 2"));
    assert!(reseal(64, 4, 9).contains("kind 9"), "also in the last write, which may not be cut");
}

#[tokio::test]
async fn recovery_says_what_it_found() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { segment_bytes: 1024, ..options() });
    assert_eq!((log.recovery().segments, log.recovery().batches), (1, 0));
    append(&log, 0..14, BODIES).await;
    drop(log);
    let last = disk.file_names().into_iter().rfind(|name| name.ends_with("segment")).unwrap();
    disk.damage(&last, &Damage::Put(disk.bytes(&last).len() as u64, vec![1; 24]));
    let log = open(&disk);
    let found = log.recovery();
    assert!(found.writes > 0 && found.writes == found.batches && found.writes < 14, "{found:?}");
    assert!(found.torn_bytes >= 24 && found.damage.is_empty(), "{found:?}");
    assert!(found.segments > 2 && found.torn_at.as_ref().unwrap().contains(&last), "{found:?}");
}

#[tokio::test]
async fn batch_larger_than_a_segment_gets_one_of_its_own() {
    let disk = TestDisk::new();
    let log = open_with(&disk, DiskOptions { segment_bytes: 1024, ..options() });
    append(&log, 0..1, BODIES).await;
    append(&log, 1..2, &[10_000]).await;
    append(&log, 2..3, BODIES).await;
    let names = disk.file_names().into_iter().filter(|name| name.ends_with(".segment"));
    let sizes: Vec<_> = names.map(|name| disk.bytes(&name).len()).collect();
    assert!(sizes.len() == 3 && sizes[0] <= 1024 && sizes[1] > 10_000 && sizes[2] <= 1024);
}

/// A start looks at the header of each segment and at the last one, however many there are.
#[tokio::test]
async fn start_reads_headers_and_the_last_segment() {
    let disk = TestDisk::new();
    let small = DiskOptions { segment_bytes: 16 << 10, ..options() };
    let log = open_with(&disk, small.clone());
    append(&log, 0..400, &[1000]).await;
    log.tidied().await;
    drop(log);
    let names = disk.file_names();
    let segments = names.iter().filter(|name| name.ends_with(".segment")).count();
    let disk = disk.kill();
    let log = open_with(&disk, small);
    log.tidied().await;
    let read = disk.bytes_read();
    let most = (segments as u64) * 256 + 4 * (16 << 10);
    assert!(segments > 25 && read < most, "{read} bytes of {segments} segments");
    let wanted = lineside_store::conformance::body_ref(3, 0, 1000);
    log.body(P, wanted).await.unwrap();
    let for_body = disk.bytes_read() - read;
    assert!(for_body < 8192, "a header, an index and a body: {for_body}");
    assert_eq!(read_all(&log, P).await, (expected(0..400, &[1000]), None));
}

/// An index that is missing or damaged is made anew, and nobody notices.
#[tokio::test]
async fn indexes_are_made_anew() {
    let disk = TestDisk::new();
    let small = DiskOptions { segment_bytes: 4096, ..options() };
    let log = open_with(&disk, small.clone());
    append(&log, 0..120, BODIES).await;
    log.tidied().await;
    drop(log);
    let indexes = |disk: &TestDisk| -> Vec<String> {
        disk.file_names().into_iter().filter(|name| name.ends_with(".index")).collect()
    };
    let names = indexes(&disk);
    assert!(names.len() > 2, "{names:?}");
    let whole = disk.bytes(&names[1]);
    disk.lose(&names[0]);
    disk.damage(&names[1], &Damage::Flip(90, 1));
    disk.damage(&names[2], &Damage::Put(0, disk.bytes(&names[1])));
    let log = open_with(&disk, small);
    assert_eq!(read_all(&log, P).await, (expected(0..120, BODIES), None));
    log.tidied().await;
    assert_eq!((indexes(&disk), disk.bytes(&names[1])), (names, whole));
}
