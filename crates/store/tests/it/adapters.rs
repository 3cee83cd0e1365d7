//! Both adapters through the one suite.

use std::num::NonZeroU32;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use lineside_engine::blobs::Blobs;
use lineside_engine::log::Log;
use lineside_store::conformance::{Features, World, run};
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions, Durability, MemoryLog};

struct InMemory(MemoryLog);

impl World for InMemory {
    fn connect(&self) -> Arc<dyn Log> {
        Arc::new(self.0.connect())
    }

    fn blobs(&self) -> Arc<dyn Blobs> {
        self.0.blobs()
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        std::future::ready(()).boxed()
    }

    fn restart(&mut self) -> BoxFuture<'_, ()> {
        unreachable!("it does not promise to be durable")
    }
}

struct OnDisk {
    log: DiskLog,
    open: Box<dyn Fn() -> DiskLog + Send + Sync>,
}

impl OnDisk {
    fn world(open: impl Fn() -> DiskLog + Send + Sync + 'static) -> Box<dyn World> {
        Box::new(OnDisk { log: open(), open: Box::new(open) })
    }
}

impl World for OnDisk {
    fn connect(&self) -> Arc<dyn Log> {
        Arc::new(self.log.connect())
    }

    fn blobs(&self) -> Arc<dyn Blobs> {
        self.log.blobs()
    }

    fn settle(&self) -> BoxFuture<'_, ()> {
        self.log.tidied()
    }

    fn restart(&mut self) -> BoxFuture<'_, ()> {
        async {
            self.log.close().await.unwrap();
            self.log = (self.open)();
        }
        .boxed()
    }
}

#[tokio::test]
async fn memory() {
    let world = || -> Box<dyn World> { Box::new(InMemory(MemoryLog::new())) };
    run(Features { durable: false }, &world).await;
}

#[tokio::test]
async fn disk() {
    let world = || {
        let directory = tempfile::tempdir().unwrap();
        let options = DiskOptions { reserve_bytes: 0, ..DiskOptions::default() };
        OnDisk::world(move || {
            DiskLog::open(&directory.path().join("data"), options.clone()).unwrap()
        })
    };
    run(Features { durable: true }, &world).await;
}

/// Segments of 4 KiB and no cache: most batches are in a segment of their own, and each body is read
/// from its segment.
#[tokio::test]
async fn disk_of_small_segments() {
    let options =
        DiskOptions { segment_bytes: 4 << 10, body_cache_bytes: 0, ..DiskOptions::default() };
    let world = move || {
        let (disk, options) = (TestDisk::new(), options.clone());
        OnDisk::world(move || DiskLog::open_on(Arc::new(disk.clone()), options.clone()).unwrap())
    };
    run(Features { durable: true }, &world).await;
}

/// Nearly every body lies outside, each in a blob of its own.
#[tokio::test]
async fn disk_of_bodies_outside() {
    let options = DiskOptions {
        segment_bytes: 20 << 10,
        inside_body_bytes: 5,
        body_cache_bytes: 0,
        ..DiskOptions::default()
    };
    let world = move || {
        let (disk, options) = (TestDisk::new(), options.clone());
        OnDisk::world(move || DiskLog::open_on(Arc::new(disk.clone()), options.clone()).unwrap())
    };
    run(Features { durable: true }, &world).await;
}

#[tokio::test]
async fn disk_synced_at_intervals() {
    let sync = Durability::Interval(NonZeroU32::new(5).unwrap()).sync().unwrap();
    let options = DiskOptions { sync, segment_bytes: 1 << 20, ..DiskOptions::default() };
    let world = move || {
        let (disk, options) = (TestDisk::new(), options.clone());
        OnDisk::world(move || DiskLog::open_on(Arc::new(disk.clone()), options.clone()).unwrap())
    };
    run(Features { durable: true }, &world).await;
}
