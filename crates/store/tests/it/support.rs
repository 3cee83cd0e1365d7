//! What the tests of the disk share.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::stream::StreamExt;
use lineside_core::fact::Batch;
use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{Log, LogFault, Room, Ticket};
use lineside_store::conformance::batch;
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions, OpenError};

pub(crate) const P: PartitionId = PartitionId(0);

/// The first segment.
pub(crate) const FIRST: &str = "0000000000000001.segment";

/// No mark while a test looks, no cache to answer for the disk, and few zeros ahead to copy.
pub(crate) fn options() -> DiskOptions {
    let idle_mark_after = Duration::from_secs(3600);
    DiskOptions { body_cache_bytes: 0, idle_mark_after, ..DiskOptions::default() }
}

pub(crate) fn try_open(disk: &TestDisk) -> Result<DiskLog, OpenError> {
    DiskLog::open_on(Arc::new(disk.clone()), options())
}

pub(crate) fn open(disk: &TestDisk) -> DiskLog {
    open_with(disk, options())
}

pub(crate) fn open_with(disk: &TestDisk, options: DiskOptions) -> DiskLog {
    DiskLog::open_on(Arc::new(disk.clone()), options).unwrap()
}

/// Why it did not open.
pub(crate) fn fault(disk: &TestDisk) -> String {
    match try_open(disk) {
        Err(OpenError::Fault(LogFault::Damaged { place, what })) => format!("{place}: {what}"),
        other => panic!("it should be damaged: {other:?}"),
    }
}

pub(crate) fn submit(log: &DiskLog, p: PartitionId, at: u64, batch: Batch) -> Ticket {
    log.submit(p, Position(at), Room::default(), batch)
}

/// Appends batches tagged by their positions, each in a write of its own.
pub(crate) async fn append(log: &DiskLog, positions: std::ops::Range<u64>, bodies: &[usize]) {
    for at in positions {
        submit(log, P, at, batch(at, bodies)).await.unwrap();
    }
}

/// All batches of a partition that may be read now, and the fault behind them if there is one.
pub(crate) async fn read_all(log: &DiskLog, p: PartitionId) -> (Vec<Batch>, Option<LogFault>) {
    let tail = log.tail(p).await.unwrap();
    let mut read = log.read(p, Position(0));
    let mut found = Vec::new();
    while (found.len() as u64) < tail.0 {
        match read.next().await {
            Some(Ok((at, batch))) => {
                assert_eq!(at.0, found.len() as u64);
                found.push(batch);
            }
            Some(Err(fault)) => return (found, Some(fault)),
            None => panic!("a reader does not end before the tail"),
        }
    }
    match read.next().now_or_never().flatten() {
        None => (found, None),
        Some(Err(fault)) => (found, Some(fault)),
        Some(Ok(more)) => panic!("more than up to the tail: {more:?}"),
    }
}

/// The batches of these tags as a reader shows them.
pub(crate) fn expected(tags: impl IntoIterator<Item = u64>, bodies: &[usize]) -> Vec<Batch> {
    let bare = |tag| {
        let mut batch = batch(tag, bodies);
        batch.facts.bodies.clear();
        batch
    };
    tags.into_iter().map(bare).collect()
}

/// A write in the bytes of a segment, read as `docs/format.md` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WriteView {
    pub(crate) offset: usize,
    pub(crate) total: usize,
    pub(crate) kind: u8,
    pub(crate) number: u64,
    pub(crate) synced: u64,
    pub(crate) batches: u32,
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The writes in a segment, up to the first that is not one.
pub(crate) fn writes(bytes: &[u8]) -> Vec<WriteView> {
    let (mut at, mut found) = (64 + u32_at(bytes, 48) as usize, Vec::new());
    while bytes.get(at..at + 4) == Some(b"LSWR") {
        let total = 64 + u32_at(bytes, at + 44) as usize;
        let (number, synced) = (u64_at(bytes, at + 24), u64_at(bytes, at + 32));
        let (kind, batches) = (bytes[at + 4], u32_at(bytes, at + 40));
        found.push(WriteView { offset: at, total, kind, number, synced, batches });
        at += total;
    }
    found
}

/// Chance from a seed, the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

/// Parks this thread; whether somebody woke it before so long.
fn parked_early(patience: Duration) -> bool {
    #[expect(clippy::disallowed_methods, reason = "the patience of a test is real time")]
    let begin = std::time::Instant::now();
    std::thread::park_timeout(patience);
    begin.elapsed() < patience
}

/// Runs a future on this thread alone: without a runtime the log reads in place, which spares a test
/// of a hundred thousand reads as many changes of thread. Panics if the future waits for a minute.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Unpark>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    let mut idle = 0;
    while idle < 60 {
        if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
        let patience = Duration::from_secs(1);
        idle += u64::from(!parked_early(patience));
    }
    panic!("it never ends");
}
