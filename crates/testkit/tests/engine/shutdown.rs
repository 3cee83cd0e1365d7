//! SIGTERM's two halves: nobody waits any more; then everything decided becomes durable.

use std::sync::Arc;

use lineside_core::queue::QueueKind;
use lineside_store::{DiskLog, DiskOptions, MemoryLog, testing::TestDisk};

use crate::support::{begin, body, deliveries, engine, queue, receive, send, settle};

#[tokio::test]
async fn dismissed_receivers_get_nothing_and_calls_are_still_served() {
    let (engine, _ended) = engine(Arc::new(MemoryLog::new())).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    let waits = begin(&engine, receive(&name, 20)).await;
    settle(&engine, &name).await;
    engine.dismiss();
    assert_eq!(deliveries(waits.await), []);
    engine.call(send(&name, "x")).await.unwrap();
    assert_eq!(body(&engine, engine.call(receive(&name, 0)).await).await, "x");
}

/// The wish to stop comes when nothing else will wake the engine.
#[tokio::test]
async fn an_idle_engine_ends_when_it_is_told_to() {
    let (engine, ended) = engine(Arc::new(MemoryLog::new())).await;
    engine.dismiss();
    tokio::task::yield_now().await;
    engine.finish();
    ended.await.unwrap().unwrap();
    assert!(!engine.is_ready());
}

#[tokio::test]
async fn what_was_asked_before_the_end_is_durable_after_it() {
    let disk = TestDisk::new();
    let log = DiskLog::open_on(Arc::new(disk.clone()), DiskOptions::default()).unwrap();
    let (first, ended) = engine(Arc::new(log)).await;
    let name = queue(&first, "q", QueueKind::Standard).await;
    let sent = begin(&first, send(&name, "x")).await;
    first.finish();
    sent.await.unwrap();
    ended.await.unwrap().unwrap();
    let left = disk.power_cut_clean();
    let log = DiskLog::open_on(Arc::new(left), DiskOptions::default()).unwrap();
    let (second, _ended) = engine(Arc::new(log)).await;
    assert_eq!(body(&second, second.call(receive(&name, 0)).await).await, "x");
}
