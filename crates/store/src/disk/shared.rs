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
use super::file::{Disk, DiskLock};
use super::inbox::Inbox;
use super::janitor::Mailbox;
use super::outside::Address;
use super::roster::Until;
use super::segment::Segment;
use super::shelf::{Absent, Shelf};
use super::space::Space;
use crate::bell::Bell;

/// Whether the log still takes batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    Closed,
    /// Nothing is written any more; the directory stays taken, so that nobody else changes it.
    Shared,
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
    /// Of a directory that is shared.
    lock: Mutex<Option<DiskLock>>,
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
            lock: Mutex::default(),
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

    /// The segment that a position belongs into, and where its writes end unless it is the one that is
    /// written to. It may wait for the disk.
    pub(crate) fn segment_of(
        &self,
        partition: PartitionId,
        position: Position,
    ) -> Option<(Arc<Segment>, Option<Until>)> {
        let look = {
            let catalog = self.catalog();
            match catalog.active_of(partition, position) {
                Some(active) => return Some((active, None)),
                None => catalog.look(partition, position),
            }
        };
        let Look::In { sealed, .. } = look else { return None };
        let loaded = self.shelf.get(self.disk.as_ref(), &sealed).ok()?;
        Some((Arc::clone(&loaded.segment), Some(sealed.until)))
    }

    /// Whether the log names this body, which lies outside; `None` if nobody can tell, or nothing was
    /// written there yet. It may wait for the disk.
    pub(crate) fn names(&self, body: &Address) -> Option<bool> {
        let Address { partition, place } = *body;
        loop {
            let look = {
                // Under one lock: the segment that is written to may be sealed in the next moment.
                let catalog = self.catalog();
                match catalog.look(partition, place.position) {
                    Look::Here { .. } => return Some(catalog.has_outside_here(partition, place)),
                    other => other,
                }
            };
            let sealed = match look {
                Look::In { sealed, behind: None, .. } => sealed,
                Look::Nothing(until) => return (place.position < until).then_some(false),
                _ => return None,
            };
            match self.shelf.get(self.disk.as_ref(), &sealed) {
                Ok(loaded) if loaded.hurts.is_empty() => {
                    return Some(loaded.index.has_outside(partition, place));
                }
                Err(Absent::Gone) if self.is_gone(sealed.number) => {}
                _ => return None,
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

    /// Keeps a shared directory from being changed.
    pub(crate) fn keep_lock(&self, lock: DiskLock) {
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
    }

    /// Lets go of a shared directory.
    pub(crate) fn free_directory(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Nothing more will be written.
    pub(crate) fn has_ended(&self) -> bool {
        *self.status.borrow() != Status::Running
    }

    /// The log ends; what still waited is told that it was not written.
    pub(crate) fn end(&self, status: Status) {
        let reason = match &status {
            Status::Sealed(reason) => reason.clone(),
            Status::Running | Status::Closed | Status::Shared => "the log is closed".to_owned(),
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
            Ok(Status::Closed | Status::Shared) => Ok(()),
            Ok(Status::Sealed(reason)) => Err(LogFault::Sealed(reason.clone())),
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

impl Located {
    /// Whether it stands behind the position that was asked for.
    pub(crate) fn is_behind(&self, position: Position) -> bool {
        let (Located::Batch { position: found, .. } | Located::Nothing(found)) = self;
        *found > position
    }
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
