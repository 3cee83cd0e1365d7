//! The log in memory: for tests, for the simulation, and for `--durability memory`.
//!
//! Several connections may share one storage and fight for a partition, as owners on two machines
//! would. Unsteered, a batch at the tail is durable (that is: kept) when `submit` returns. Steered,
//! a batch only waits, and [`fault::Steering`] decides what becomes of it.

mod blobs;
pub mod fault;
mod partition;
mod storage;

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use lineside_core::fact::{Batch, Facts};
use lineside_core::id::{BodyRef, PartitionId, Position};
use lineside_engine::blobs::Blobs;
use lineside_engine::living::LivingSet;
use lineside_engine::log::{Again, AppendError, Full, KeptBody, Log, LogFault, Room, Ticket};

use blobs::MemoryBlobs;
use fault::Steering;
use storage::{Arrival, Shared};

/// A connection to a log in memory. A clone is the same connection; [`MemoryLog::connect`] makes
/// another one.
#[derive(Clone, Debug)]
pub struct MemoryLog {
    shared: Arc<Shared>,
    connection: ConnectionId,
}

/// Which connection, counted from 0 in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

impl MemoryLog {
    /// A log that keeps a batch at once and has no bound.
    #[expect(clippy::new_without_default, reason = "each call makes another storage")]
    pub fn new() -> MemoryLog {
        MemoryLog::on(Arc::new(Shared::new(Arrival::AtOnce, None)))
    }

    /// A log that keeps a batch at once and has room for `bytes`, bodies and facts.
    pub fn with_limit(bytes: u64) -> MemoryLog {
        MemoryLog::on(Arc::new(Shared::new(Arrival::AtOnce, Some(bytes))))
    }

    /// A log in which nothing happens until its steering says so.
    pub fn steered() -> (MemoryLog, Steering) {
        let shared = Arc::new(Shared::new(Arrival::Steered, None));
        (MemoryLog::on(Arc::clone(&shared)), Steering::new(shared))
    }

    /// Another connection to the same storage, as another owner has one. It does not share the
    /// failures of this one.
    pub fn connect(&self) -> MemoryLog {
        MemoryLog::on(Arc::clone(&self.shared))
    }

    /// The blobs beside this log.
    pub fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::new(MemoryBlobs { shared: Arc::clone(&self.shared) })
    }

    /// Which connection this is.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    fn on(shared: Arc<Shared>) -> MemoryLog {
        let connection = shared.storage().connect();
        MemoryLog { shared, connection }
    }

    /// The next batch of a reader, once it is there; `None` when there will not be another.
    async fn next(&self, partition: PartitionId, at: Position) -> Option<(Position, Batch)> {
        let look = || {
            let storage = self.shared.storage();
            let found = storage.at_or_after(partition, at);
            let found = found.map(|(position, batch)| (position, without_bodies(batch)));
            found.map(Some).or_else(|| storage.is_closed(self.connection).then_some(None))
        };
        self.shared.bell.wait_for(look).await
    }
}

impl Log for MemoryLog {
    fn reserve(&self, bytes: u64) -> Result<Room, Full> {
        self.shared.reserve(bytes)
    }

    fn submit(&self, partition: PartitionId, at: Position, room: Room, batch: Batch) -> Ticket {
        let answer = self
            .shared
            .storage()
            .submit(self.connection, storage::Wish { partition, at, room, batch });
        self.shared.bell.ring();
        let lost = || Err(AppendError::Unknown("the log is gone".to_owned()));
        Box::pin(answer.map(move |told| told.unwrap_or_else(|_| lost())))
    }

    fn tail(&self, partition: PartitionId) -> BoxFuture<'_, Result<Position, LogFault>> {
        let tail = self.shared.storage().tail(partition);
        Box::pin(std::future::ready(Ok(tail)))
    }

    fn read(
        &self,
        partition: PartitionId,
        from: Position,
    ) -> BoxStream<'_, Result<(Position, Batch), LogFault>> {
        let step = move |at: Position| async move {
            let (at, batch) = self.next(partition, at).await?;
            Some((Ok((at, batch)), at.next()))
        };
        stream::unfold(from, step).boxed()
    }

    fn body(
        &self,
        partition: PartitionId,
        body: BodyRef,
    ) -> BoxFuture<'_, Result<Bytes, LogFault>> {
        let found = self.shared.storage().body(partition, body).ok_or(LogFault::NoBody(body));
        Box::pin(std::future::ready(found))
    }

    fn kept(
        &self,
        partition: PartitionId,
        from: Position,
    ) -> BoxStream<'_, Result<KeptBody, LogFault>> {
        let kept = self.shared.storage().kept(partition, from);
        stream::iter(kept.into_iter().map(Ok)).boxed()
    }

    fn retain(&self, partition: PartitionId, below: Position, living: LivingSet) {
        self.shared.storage().retain(partition, below, &living);
    }

    fn again(&self) -> Again {
        if self.shared.storage().is_closing(self.connection) {
            return Again::Never;
        }
        Again::Now(Arc::new(self.connect()))
    }

    fn close(&self) -> BoxFuture<'_, Result<(), LogFault>> {
        self.shared.storage().close(self.connection);
        self.shared.bell.ring();
        let settled = || self.shared.storage().is_closed(self.connection).then_some(Ok(()));
        Box::pin(self.shared.bell.wait_for(settled))
    }
}

fn without_bodies(batch: &Batch) -> Batch {
    let facts = Facts { facts: batch.facts.facts.clone(), bodies: Vec::new() };
    Batch { at: batch.at, facts }
}
