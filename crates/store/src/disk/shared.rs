//! What the writer, the readers and the handles of one log share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;
use futures::channel::oneshot;
use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{AppendError, LogFault};
use tokio::sync::watch;

use super::body_cache::BodyCache;
use super::catalog::Catalog;
use super::file::Disk;
use super::inbox::Inbox;
use super::segment::Segment;
use super::space::Space;
use crate::bell::Bell;

/// Whether the log still takes batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    Closed,
    /// A write or a sync failed, and with it everything after it.
    Sealed(String),
}

/// One log.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) inbox: Inbox,
    pub(crate) catalog: RwLock<Catalog>,
    cache: Mutex<BodyCache>,
    pub(crate) space: Space,
    /// Rung when there is more to read, and at the end.
    pub(crate) bell: Bell,
    pub(crate) status: watch::Sender<Status>,
}

impl Shared {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        catalog: Catalog,
        space: Space,
        body_cache_bytes: u64,
    ) -> Shared {
        Shared {
            disk,
            inbox: Inbox::new(catalog.index.tails()),
            catalog: RwLock::new(catalog),
            cache: Mutex::new(BodyCache::new(body_cache_bytes)),
            space,
            bell: Bell::default(),
            status: watch::Sender::new(Status::Running),
        }
    }

    /// The position after the last batch that may be read.
    pub(crate) fn tail(&self, partition: PartitionId) -> Position {
        let catalog = self.catalog.read().unwrap_or_else(PoisonError::into_inner);
        catalog.index.next(partition)
    }

    /// Where the batch at `position` stands.
    pub(crate) fn find(&self, partition: PartitionId, at: Position) -> Option<(Arc<Segment>, u64)> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner).find(partition, at)
    }

    pub(crate) fn cache(&self) -> MutexGuard<'_, BodyCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a body that was read.
    pub(crate) fn keep(&self, partition: PartitionId, at: Position, index: u32, body: &Bytes) {
        self.cache().put(partition, at, vec![(index, body.clone())]);
    }

    /// Nothing more will be written.
    pub(crate) fn has_ended(&self) -> bool {
        *self.status.borrow() != Status::Running
    }

    /// The log ends; what still waited is told that it was not written.
    pub(crate) fn end(&self, status: Status) {
        let reason = match &status {
            Status::Sealed(reason) => reason.clone(),
            Status::Running | Status::Closed => "the log is closed".to_owned(),
        };
        for submission in self.inbox.seal(&reason) {
            submission.tell(Err(AppendError::Rejected(reason.clone())));
        }
        self.status.send_replace(status);
        self.bell.ring();
    }

    /// Waits for the end: `Ok` if the log was closed and all is durable.
    pub(crate) async fn closed(&self) -> Result<(), LogFault> {
        let mut status = self.status.subscribe();
        let ended = status.wait_for(|status| *status != Status::Running).await;
        match ended.as_deref() {
            Ok(Status::Closed) => Ok(()),
            Ok(Status::Sealed(reason)) => Err(LogFault::Io(reason.clone())),
            Ok(Status::Running) | Err(_) => Err(LogFault::Closed),
        }
    }
}

/// The two ends of a ticket.
pub(crate) fn ticket() -> (Teller, Told) {
    oneshot::channel()
}

type Teller = oneshot::Sender<Result<(), AppendError>>;
type Told = oneshot::Receiver<Result<(), AppendError>>;
