//! What the writer, the readers and the handles of one log share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use futures::channel::oneshot;
use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{AppendError, LogFault};
use tokio::sync::watch;

use super::blobs::DiskBlobs;
use super::body_cache::BodyCache;
use super::catalog::{Catalog, Look};
use super::damage::Damage;
use super::file::Disk;
use super::inbox::Inbox;
use super::janitor::Mailbox;
use super::segment::Segment;
use super::shelf::{Absent, Shelf};
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
    catalog: RwLock<Catalog>,
    pub(crate) shelf: Shelf,
    pub(crate) damage: Damage,
    pub(crate) mailbox: Mailbox,
    /// Held while segments are replaced or removed.
    housekeeping: Mutex<()>,
    cache: Mutex<BodyCache>,
    pub(crate) space: Arc<Space>,
    pub(crate) blobs: DiskBlobs,
    /// Rung when there is more to read, and at the end.
    pub(crate) bell: Bell,
    pub(crate) status: watch::Sender<Status>,
}

impl Shared {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        catalog: Catalog,
        damage: Damage,
        space: Arc<Space>,
        blobs: DiskBlobs,
        body_cache_bytes: u64,
    ) -> Shared {
        Shared {
            disk,
            inbox: Inbox::new(catalog.tails()),
            catalog: RwLock::new(catalog),
            shelf: Shelf::default(),
            damage,
            mailbox: Mailbox::default(),
            housekeeping: Mutex::default(),
            cache: Mutex::new(BodyCache::new(body_cache_bytes)),
            space,
            blobs,
            bell: Bell::default(),
            status: watch::Sender::new(Status::Running),
        }
    }

    pub(crate) fn catalog(&self) -> RwLockReadGuard<'_, Catalog> {
        self.catalog.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn catalog_mut(&self) -> RwLockWriteGuard<'_, Catalog> {
        self.catalog.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position after the last batch that may be read.
    pub(crate) fn tail(&self, partition: PartitionId) -> Position {
        self.catalog().tail(partition)
    }

    /// Whether a reader at `position` has something to hear.
    pub(crate) fn has_news(&self, partition: PartitionId, position: Position) -> bool {
        let catalog = self.catalog();
        catalog.tail(partition) > position || catalog.doubt(partition).is_some()
    }

    /// Why nobody knows what comes at `position`, if that is the tail and doubtful.
    pub(crate) fn doubt_at(&self, partition: PartitionId, position: Position) -> Option<LogFault> {
        let catalog = self.catalog();
        let at_tail = catalog.tail(partition) <= position;
        catalog.doubt(partition).filter(|_| at_tail).cloned()
    }

    /// Where the batch at `position`, or the first behind it, stands. It may wait for the disk.
    pub(crate) fn locate(
        &self,
        partition: PartitionId,
        position: Position,
    ) -> Result<Located, LogFault> {
        let mut next = position;
        loop {
            let look = self.catalog().look(partition, next);
            let (sealed, end, behind) = match look {
                Look::Here { position, segment, offset } => {
                    return Ok(Located::Batch { position, segment, offset });
                }
                Look::Nothing(until) => return Ok(Located::Nothing(until)),
                Look::Lost(fault) => return Err(fault),
                Look::In { sealed, end, behind } => (sealed, end, behind),
            };
            let loaded = match self.shelf.get(self.disk.as_ref(), &sealed) {
                Ok(loaded) => loaded,
                // Compaction has put another in its place since, and said so in the catalog.
                Err(Absent::Gone) if self.is_gone(sealed.number) => continue,
                Err(Absent::Gone) => return Err(gone(&*self.disk, sealed.number)),
                Err(Absent::Fault(fault)) => return Err(fault),
            };
            if loaded.wants_storing() {
                self.mailbox.store(Arc::clone(&loaded));
            }
            let found = loaded.index.at_or_after(partition, next);
            let found = found.filter(|(found, _)| *found < end);
            match found {
                Some((position, offset)) if position == next || loaded.may_skip() => {
                    let segment = Arc::clone(&loaded.segment);
                    return Ok(Located::Batch { position, segment, offset });
                }
                None if loaded.may_skip() && behind.is_none() => next = end,
                _ => return Err(behind.unwrap_or_else(|| loaded.missing(partition, next))),
            }
        }
    }

    fn is_gone(&self, segment: u64) -> bool {
        !self.catalog().sealed().any(|sealed| sealed.number == segment)
    }

    /// Holds back whoever would replace or remove segments.
    pub(crate) fn hold_housekeeping(&self) -> MutexGuard<'_, ()> {
        self.housekeeping.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Where a batch stands.
#[derive(Debug)]
pub(crate) enum Located {
    Batch {
        position: Position,
        segment: Arc<Segment>,
        offset: u64,
    },
    /// Nothing is there before this position.
    Nothing(Position),
}

fn gone(disk: &dyn Disk, segment: u64) -> LogFault {
    let place = disk.place(&super::segment::name(segment));
    LogFault::Damaged { place, what: "the file was removed while the log was open".to_owned() }
}

/// The two ends of a ticket.
pub(crate) fn ticket() -> (Teller, Told) {
    oneshot::channel()
}

type Teller = oneshot::Sender<Result<(), AppendError>>;
type Told = oneshot::Receiver<Result<(), AppendError>>;
