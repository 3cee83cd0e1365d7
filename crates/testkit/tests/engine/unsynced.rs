//! The power goes while facts are appended and not synced. Nothing that was answered rested on
//! them; a standard queue's soft lease is the one exception, and its message comes again.

use std::sync::Arc;

use lineside_core::command::{Command, Reply};
use lineside_core::id::Name;
use lineside_core::queue::QueueKind;
use lineside_engine::engine::Handle;
use lineside_engine::request::CallError;
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions};

use crate::support::{
    Answer, begin, body, deliveries, engine, queue, receive, send, send_in_group,
};

async fn engine_on(disk: &TestDisk) -> Handle {
    let log = DiskLog::open_on(Arc::new(disk.clone()), DiskOptions::default()).unwrap();
    engine(Arc::new(log)).await.0
}

/// Waits until a write is on its way to the disk and its sync does not come back.
async fn appended(disk: &TestDisk) {
    let disk = disk.clone();
    tokio::task::spawn_blocking(move || disk.wait_for_held_sync()).await.unwrap();
}

/// Cuts the power: what was synced is left. What callers of the dead engine hear is an error.
fn cut(disk: &TestDisk) -> TestDisk {
    let left = disk.power_cut_clean();
    disk.release_syncs();
    left
}

fn assert_unavailable(answer: &Answer) {
    assert!(matches!(answer, Err(CallError::Unavailable(_))), "{answer:?}");
}

async fn messages(engine: &Handle, name: &Name) -> usize {
    match engine.call(Command::DescribeQueue { name: name.clone() }).await.unwrap() {
        Reply::Description(found) => found.visible + found.in_flight + found.delayed,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_unsynced_send_is_not_answered_and_not_there() {
    let disk = TestDisk::new();
    let first = engine_on(&disk).await;
    let name = queue(&first, "q", QueueKind::Standard).await;
    first.call(send(&name, "kept")).await.unwrap();
    disk.hold_syncs();
    let mut lost = begin(&first, send(&name, "lost")).await;
    appended(&disk).await;
    assert!(futures::poll!(lost.as_mut()).is_pending(), "answered before it was durable");
    let left = cut(&disk);
    assert_unavailable(&lost.await);
    let second = engine_on(&left).await;
    assert_eq!(messages(&second, &name).await, 1);
    assert_eq!(body(&second, second.call(receive(&name, 0)).await).await, "kept");
}

#[tokio::test]
async fn a_message_is_not_handed_out_before_it_is_durable() {
    let disk = TestDisk::new();
    let first = engine_on(&disk).await;
    let name = queue(&first, "q", QueueKind::Standard).await;
    let mut waits = begin(&first, receive(&name, 20)).await;
    crate::support::settle(&first, &name).await;
    disk.hold_syncs();
    let sent = begin(&first, send(&name, "x")).await;
    appended(&disk).await;
    assert!(futures::poll!(waits.as_mut()).is_pending(), "handed out what may be lost");
    let left = cut(&disk);
    assert_unavailable(&waits.await);
    assert_unavailable(&sent.await);
    assert_eq!(messages(&engine_on(&left).await, &name).await, 0);
}

#[tokio::test]
async fn a_fifo_lease_is_not_answered_before_it_is_durable() {
    let disk = TestDisk::new();
    let first = engine_on(&disk).await;
    let name = queue(&first, "q.fifo", QueueKind::Fifo).await;
    first.call(send_in_group(&name, "1")).await.unwrap();
    disk.hold_syncs();
    let mut handed_out = begin(&first, receive(&name, 0)).await;
    appended(&disk).await;
    assert!(futures::poll!(handed_out.as_mut()).is_pending(), "a lease that may be lost");
    let left = cut(&disk);
    assert_unavailable(&handed_out.await);
    let second = engine_on(&left).await;
    assert_eq!(body(&second, second.call(receive(&name, 0)).await).await, "1");
}

#[tokio::test]
async fn an_unsynced_delete_is_not_answered_and_the_message_stays() {
    let disk = TestDisk::new();
    let first = engine_on(&disk).await;
    let name = queue(&first, "q", QueueKind::Standard).await;
    first.call(send(&name, "x")).await.unwrap();
    let handed_out = deliveries(first.call(receive(&name, 0)).await);
    let receipt = handed_out.first().unwrap().receipt;
    disk.hold_syncs();
    let mut deleted = begin(&first, Command::Delete { queue: name.clone(), receipt }).await;
    appended(&disk).await;
    assert!(futures::poll!(deleted.as_mut()).is_pending());
    let left = cut(&disk);
    assert_unavailable(&deleted.await);
    assert_eq!(messages(&engine_on(&left).await, &name).await, 1);
}

#[tokio::test]
async fn a_standard_queues_lease_is_soft_and_its_message_comes_again() {
    let disk = TestDisk::new();
    let first = engine_on(&disk).await;
    let name = queue(&first, "q", QueueKind::Standard).await;
    first.call(send(&name, "x")).await.unwrap();
    disk.hold_syncs();
    let handed_out = first.call(receive(&name, 0)).await;
    assert_eq!(body(&first, handed_out).await, "x", "answered without a sync");
    let left = cut(&disk);
    let second = engine_on(&left).await;
    let again = deliveries(second.call(receive(&name, 0)).await);
    assert_eq!(again.len(), 1, "delivered again after the lease was lost");
}

#[tokio::test]
async fn a_sync_that_fails_ends_the_engine_and_acknowledges_nothing() {
    let disk = TestDisk::new();
    let log = DiskLog::open_on(Arc::new(disk.clone()), DiskOptions::default()).unwrap();
    let (engine, ended) = engine(Arc::new(log)).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    disk.fail_sync(0);
    assert_unavailable(&engine.call(send(&name, "x")).await);
    assert!(ended.await.unwrap().is_err(), "the process must exit with an error");
    assert_unavailable(&engine.call(send(&name, "y")).await);
}
