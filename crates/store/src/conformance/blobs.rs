//! What every blob store does.

use bytes::Bytes;
use futures::FutureExt;
use lineside_engine::blobs::{BlobFault, Blobs};

use super::{Check, World, body};
use crate::limits::{BLOB_BYTES_MAX, BLOB_NAME_MAX};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a blob comes back as it was put", |w| comes_back(w).boxed()),
    ("a blob that is put again is replaced", |w| replaced(w).boxed()),
    ("a blob that is not there is missing", |w| missing(w).boxed()),
    ("names come back in order, by their beginning", |w| listed(w).boxed()),
    ("what is no name for a blob is refused", |w| names(w).boxed()),
    ("the largest blob is taken, and none that is larger", |w| largest(w).boxed()),
];

pub(super) const DURABLE_CHECKS: &[(&str, Check)] =
    &[("blobs are there after a restart", |w| restart(w).boxed())];

async fn put(blobs: &dyn Blobs, name: &str, tag: u64, len: usize) {
    blobs.put(name, body(tag, 0, len)).await.expect("it is stored");
}

async fn comes_back(world: Box<dyn World>) {
    let blobs = world.blobs();
    let lens = [0, 1, 63, 64, 4096, 3 << 20];
    for (tag, len) in (0..).zip(lens) {
        put(blobs.as_ref(), &format!("blob-{len}.x"), tag, len).await;
    }
    for (tag, len) in (0..).zip(lens) {
        let found = world.blobs().get(&format!("blob-{len}.x")).await;
        assert_eq!(found, Ok(body(tag, 0, len)));
    }
}

async fn replaced(world: Box<dyn World>) {
    let blobs = world.blobs();
    for (tag, len) in [(1, 5000), (2, 10), (3, 7000)] {
        put(blobs.as_ref(), "one", tag, len).await;
        assert_eq!(blobs.get("one").await, Ok(body(tag, 0, len)));
    }
    assert_eq!(blobs.list("").await, Ok(vec!["one".to_owned()]));
}

async fn missing(world: Box<dyn World>) {
    let blobs = world.blobs();
    let missing = || Err(BlobFault::Missing("gone".to_owned()));
    assert_eq!(blobs.get("gone").await, missing());
    assert_eq!(blobs.delete("gone").await, Ok(()));
    put(blobs.as_ref(), "gone", 1, 10).await;
    assert_eq!(blobs.delete("gone").await, Ok(()));
    assert_eq!(blobs.get("gone").await, missing());
    assert_eq!(blobs.list("").await, Ok(vec![]));
}

async fn listed(world: Box<dyn World>) {
    let blobs = world.blobs();
    for name in ["b", "a.2", "a.10", "a", "ab", "0-z"] {
        put(blobs.as_ref(), name, 1, 3).await;
    }
    let list = async |prefix: &str| blobs.list(prefix).await.expect("they can be listed");
    assert_eq!(list("").await, ["0-z", "a", "a.10", "a.2", "ab", "b"]);
    assert_eq!(list("a").await, ["a", "a.10", "a.2", "ab"]);
    assert_eq!(list("a.").await, ["a.10", "a.2"]);
    assert_eq!(list("c").await, [""; 0]);
}

async fn names(world: Box<dyn World>) {
    let blobs = world.blobs();
    let long = "x".repeat(BLOB_NAME_MAX + 1);
    let odd = ["", ".", "..", ".hidden", "a/b", "../a", "A", "a b", "ä", "a\0", "a_b", &long];
    for name in odd.into_iter().chain(["body-", "body-0000-0000000000000000-00000000"]) {
        let refused = blobs.put(name, Bytes::new()).await;
        assert!(matches!(refused, Err(BlobFault::Io { .. })), "{name:?}: {refused:?}");
        assert!(blobs.get(name).await.is_err() && blobs.delete(name).await.is_err(), "{name:?}");
    }
    let long = long.get(1..).expect("it is ASCII");
    for name in ["a", "0", "-", "a..b", "a.blob", "a.blob.new", long] {
        put(blobs.as_ref(), name, 7, 9).await;
        assert_eq!(blobs.get(name).await, Ok(body(7, 0, 9)), "{name:?}");
    }
    assert_eq!(blobs.list("").await.map(|names| names.len()), Ok(7));
}

async fn largest(world: Box<dyn World>) {
    let blobs = world.blobs();
    let content = Bytes::from(vec![5; BLOB_BYTES_MAX + 1]);
    let refused = blobs.put("large", content.clone()).await;
    assert!(matches!(refused, Err(BlobFault::Io { .. })), "{refused:?}");
    assert_eq!(blobs.list("").await, Ok(vec![]));
    let content = content.slice(1..);
    blobs.put("large", content.clone()).await.expect("it is as large as a blob may be");
    let found = blobs.get("large").await;
    // Not compared by `assert_eq`, which would print it.
    assert!(found == Ok(content), "the largest blob comes back");
}

async fn restart(mut world: Box<dyn World>) {
    put(world.blobs().as_ref(), "kept", 1, 100).await;
    put(world.blobs().as_ref(), "kept", 2, 200).await;
    put(world.blobs().as_ref(), "deleted", 3, 100).await;
    world.blobs().delete("deleted").await.expect("it is deleted");
    let before = world.blobs();
    world.restart().await;
    assert_eq!(world.blobs().list("").await, Ok(vec!["kept".to_owned()]));
    assert_eq!(world.blobs().get("kept").await, Ok(body(2, 0, 200)));
    let late = before.put("late", Bytes::new()).await;
    assert!(late.is_err(), "the directory is another's by now: {late:?}");
}
