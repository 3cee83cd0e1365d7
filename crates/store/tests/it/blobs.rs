//! Blobs on a disk that fails, fills and forgets; and in the hand's.

use bytes::Bytes;
use lineside_engine::blobs::BlobFault;
use lineside_engine::log::Log;
use lineside_store::conformance::body;
use lineside_store::memory::fault::PutFault;
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskOptions, MemoryLog};

use crate::support::{Dice, open, open_with, options};

const FILE: &str = "blobs/one.blob";

async fn disk_with_one(len: usize) -> TestDisk {
    let disk = TestDisk::new();
    open(&disk).blobs().put("one", body(1, 0, len)).await.unwrap();
    disk.kill()
}

#[tokio::test]
async fn every_flipped_byte_and_every_length_is_seen() {
    let disk = disk_with_one(500).await;
    let len = disk.bytes(FILE).len() as u64;
    assert_eq!(len, 564);
    let flips = (0..len).map(|at| Damage::Flip(at, 1 << (at % 8)));
    let lens = (0..len).chain([len + 1, len + 4096]).map(Damage::SetLen);
    for damage in flips.chain(lens) {
        let hurt = disk.copy();
        hurt.damage(FILE, &damage);
        let found = open(&hurt).blobs().get("one").await;
        let named = matches!(&found, Err(BlobFault::Damaged { name, what })
            if name == "one" && !what.is_empty());
        assert!(named, "{damage:?}: {found:?}");
    }
    assert_eq!(open(&disk).blobs().get("one").await, Ok(body(1, 0, 500)));
}

#[tokio::test]
async fn blob_under_another_name_or_of_another_version_is_not_taken() {
    use lineside_store::disk::Disk;
    let disk = disk_with_one(50).await;
    let blobs = disk.folder("blobs").unwrap();
    blobs.create("two.blob").unwrap().write_at(&disk.bytes(FILE), 0).unwrap();
    let found = open(&disk).blobs().get("two").await.unwrap_err().to_string();
    assert!(found.contains("another name"), "{found}");
    let mut header = disk.bytes(FILE)[..64].to_vec();
    header[8] = 2;
    let crc = crc_fast::crc32_iscsi(&header[..60]);
    header[60..].copy_from_slice(&crc.to_le_bytes());
    disk.damage(FILE, &Damage::Put(0, header));
    let found = open(&disk).blobs().get("one").await.unwrap_err().to_string();
    assert!(found.contains("version 2"), "{found}");
}

/// A put that was answered is there after a power cut; one that was not is the old blob or the new
/// one, whole.
#[tokio::test]
async fn power_cut_leaves_the_old_blob_or_the_new_one() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let disk = TestDisk::new();
        let log = open(&disk);
        log.blobs().put("one", body(1, 0, 3000)).await.unwrap();
        let syncs = dice.below(3);
        disk.fail_sync(syncs);
        let put = log.blobs().put("one", body(2, 0, 5000)).await;
        let after = disk.power_cut(&mut || dice.roll());
        drop(log);
        let log = open(&after);
        let found = log.blobs().get("one").await.unwrap();
        assert!(found == body(2, 0, 5000) || (put.is_err() && found == body(1, 0, 3000)));
        assert_eq!(after.folder_names("blobs"), ["one.blob"], "what is unfinished is removed");
    }
}

#[tokio::test]
async fn put_that_fails_leaves_what_was_there_and_nothing_else() {
    let disk = disk_with_one(100).await;
    let log = open(&disk);
    for partial in [0, 10, 70, 1000] {
        disk.fail_write(1, partial, std::io::ErrorKind::StorageFull);
        let put = log.blobs().put("one", body(2, 0, 5000)).await;
        assert_eq!(put, Err(BlobFault::Full("one".to_owned())));
        disk.fail_sync(0);
        let put = log.blobs().put("one", body(2, 0, 5000)).await;
        assert!(matches!(put, Err(BlobFault::Io { .. })), "{put:?}");
        assert_eq!(log.blobs().get("one").await, Ok(body(1, 0, 100)));
        assert_eq!(disk.folder_names("blobs"), ["one.blob"]);
    }
    crate::support::append(&log, 0..1, &[5]).await;
}

/// Half of the reserve is for blobs, the other half for consumers.
#[tokio::test]
async fn put_may_use_half_of_the_reserve() {
    let disk = TestDisk::new();
    disk.set_free_bytes(10_000);
    let log = open_with(&disk, DiskOptions { reserve_bytes: 10_000, ..options() });
    assert!(log.reserve(1).is_err());
    log.blobs().put("small", Bytes::from(vec![1; 4900])).await.unwrap();
    let put = log.blobs().put("large", Bytes::from(vec![1; 5001])).await;
    assert_eq!(put, Err(BlobFault::Full("large".to_owned())));
    disk.set_free_bytes(20_000);
    log.blobs().put("large", Bytes::from(vec![1; 5001])).await.unwrap();
}

#[tokio::test]
async fn hand_on_memory_lets_puts_go_wrong() {
    let (log, hand) = MemoryLog::steered();
    let blobs = log.blobs();
    blobs.put("one", Bytes::from_static(b"old")).await.unwrap();
    hand.fail_put(PutFault::Refused);
    hand.fail_put(PutFault::StoredUnsaid);
    hand.fail_put(PutFault::Damaged);
    assert!(blobs.put("one", Bytes::from_static(b"new")).await.is_err());
    assert_eq!(blobs.get("one").await, Ok(Bytes::from_static(b"old")));
    assert!(blobs.put("one", Bytes::from_static(b"new")).await.is_err());
    assert_eq!(blobs.get("one").await, Ok(Bytes::from_static(b"new")));
    blobs.put("one", Bytes::from_static(b"bad")).await.unwrap();
    assert!(matches!(blobs.get("one").await, Err(BlobFault::Damaged { .. })));
    blobs.put("one", Bytes::from_static(b"good")).await.unwrap();
    assert_eq!(log.connect().blobs().get("one").await, Ok(Bytes::from_static(b"good")));
    assert!(hand.damage_blob("one") && !hand.damage_blob("two"));
    assert!(matches!(blobs.get("one").await, Err(BlobFault::Damaged { .. })));
    hand.limit(Some(10));
    let put = blobs.put("two", Bytes::from_static(b"seven..")).await;
    assert_eq!(put, Err(BlobFault::Full("two".to_owned())));
}
