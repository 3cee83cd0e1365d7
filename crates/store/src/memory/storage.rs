//! What the connections of a log in memory share: the batches, and what is on its way to them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::channel::oneshot;
use lineside_core::fact::Batch;
use lineside_core::id::{BodyRef, PartitionId, Position};
use lineside_engine::living::LivingSet;
use lineside_engine::log::{AppendError, Full, KeptBody, Room};

use super::ConnectionId;
use super::blobs::BlobState;
use super::partition::Partition;
use crate::bell::Bell;
use crate::size::{size_estimate, too_large};

/// What becomes of a batch, told once.
pub(super) type Answer = Result<(), AppendError>;

/// When a submitted batch reaches the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    AtOnce,
    Steered,
}

/// A storage with what is around it.
#[derive(Debug)]
pub(super) struct Shared {
    storage: Mutex<Storage>,
    blobs: Mutex<BlobState>,
    pub(super) bell: Bell,
    /// What `reserve` may give out in all; `u64::MAX` is no bound.
    limit: AtomicU64,
    promised: Arc<AtomicU64>,
}

impl Shared {
    pub(super) fn new(arrival: Arrival, limit: Option<u64>) -> Shared {
        Shared {
            storage: Mutex::new(Storage::new(arrival)),
            blobs: Mutex::default(),
            bell: Bell::default(),
            limit: AtomicU64::new(limit.unwrap_or(u64::MAX)),
            promised: Arc::default(),
        }
    }

    pub(super) fn storage(&self) -> MutexGuard<'_, Storage> {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn blobs(&self) -> MutexGuard<'_, BlobState> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn limit(&self, bytes: Option<u64>) {
        self.limit.store(bytes.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn reserve(&self, bytes: u64) -> Result<Room, Full> {
        let used = self.storage().used.saturating_add(self.blobs().bytes());
        let promised = self.promised.fetch_add(bytes, Ordering::Relaxed);
        // Counted before it is judged, so that a refusal gives it back by dropping it.
        let room = Room::counted(bytes, Arc::clone(&self.promised));
        let wanted = used.saturating_add(promised).saturating_add(bytes);
        if wanted > self.limit.load(Ordering::Relaxed) {
            Err(Full { asked: bytes })
        } else {
            Ok(room)
        }
    }
}

/// A batch that somebody wants written.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) partition: PartitionId,
    pub(super) at: Position,
    /// Given back when the batch is kept or dropped.
    pub(super) room: Room,
    pub(super) batch: Batch,
}

/// A batch between `submit` and its answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) partition: PartitionId,
    pub(super) at: Position,
    pub(super) facts: usize,
    pub(super) state: State,
    teller: oneshot::Sender<Answer>,
}

/// How far a batch has come.
#[derive(Debug)]
pub(super) enum State {
    /// Appended, not synced: a crash may lose it.
    Waiting(Wish),
    /// Durable, or found to be in conflict; its ticket does not know yet.
    Arrived(Answer),
}

impl Pending {
    pub(super) fn tell(self, answer: Answer) {
        // Whoever dropped the ticket does not want to know.
        drop(self.teller.send(answer));
    }

    /// Tells what the storage said, if it said something.
    pub(super) fn tell_outcome(self) -> bool {
        let State::Arrived(outcome) = self.state else {
            return false;
        };
        drop(self.teller.send(outcome));
        true
    }
}

/// One owner's way to the storage.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// In the order of submission.
    pub(super) pending: VecDeque<Pending>,
    /// Partitions of which a batch failed: this owner's memory is ahead of the log there.
    failed: BTreeSet<PartitionId>,
    /// Why nothing can be submitted here any more, of any partition.
    broken: Option<String>,
    closing: bool,
}

impl Connection {
    /// Nothing more of this partition is taken from here.
    pub(super) fn fail(&mut self, partition: PartitionId) {
        self.failed.insert(partition);
    }

    fn refusal(&self, partition: PartitionId) -> Option<AppendError> {
        let failed = self.failed.contains(&partition);
        let reason = self.broken.clone();
        let reason = reason.or_else(|| self.closing.then(|| "the log is closed".to_owned()));
        let reason = reason.or_else(|| failed.then(|| "a batch before it failed".to_owned()));
        reason.map(AppendError::Rejected)
    }
}

/// The batches of all partitions, and the connections to them.
#[derive(Debug)]
pub(super) struct Storage {
    arrival: Arrival,
    partitions: BTreeMap<PartitionId, Partition>,
    connections: Vec<Connection>,
    used: u64,
}

impl Storage {
    fn new(arrival: Arrival) -> Storage {
        Storage { arrival, partitions: BTreeMap::new(), connections: Vec::new(), used: 0 }
    }

    pub(super) fn connect(&mut self) -> ConnectionId {
        self.connections.push(Connection::default());
        let last = self.connections.len().saturating_sub(1);
        ConnectionId(u32::try_from(last).unwrap_or(u32::MAX))
    }

    pub(super) fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(usize::try_from(id.0).ok()?)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.len()
    }

    /// All batches that were ever kept, if the storage is steered.
    pub(super) fn history(&self, partition: PartitionId) -> &[Batch] {
        self.partitions.get(&partition).map_or(&[], Partition::history)
    }

    /// The first batch at `at` or behind it that was not reclaimed.
    pub(super) fn at_or_after(
        &self,
        partition: PartitionId,
        at: Position,
    ) -> Option<(Position, &Batch)> {
        self.partitions.get(&partition)?.at_or_after(at)
    }

    pub(super) fn body(&self, partition: PartitionId, body: BodyRef) -> Option<Bytes> {
        self.partitions.get(&partition)?.body(body)
    }

    /// The bodies that are kept, from `from` on.
    pub(super) fn kept(&self, partition: PartitionId, from: Position) -> Vec<KeptBody> {
        self.partitions.get(&partition).map_or(Vec::new(), |partition| partition.kept(from))
    }

    pub(super) fn tail(&self, partition: PartitionId) -> Position {
        self.partitions.get(&partition).map_or(Position(0), Partition::tail)
    }

    /// Reclaims what does not live below `below`.
    pub(super) fn retain(&mut self, partition: PartitionId, below: Position, living: &LivingSet) {
        let known = self.partitions.get_mut(&partition);
        let freed = known.map_or(0, |partition| partition.retain(below, living));
        self.used = self.used.saturating_sub(freed);
    }

    pub(super) fn submit(&mut self, id: ConnectionId, wish: Wish) -> oneshot::Receiver<Answer> {
        let (teller, answer) = oneshot::channel();
        let (partition, at, facts) = (wish.partition, wish.at, wish.batch.facts.len());
        let pending = |state| Pending { partition, at, facts, state, teller };
        if let Some(refusal) = self.refusal(id, &wish) {
            pending(State::Waiting(wish)).tell(Err(refusal));
        } else if self.arrival == Arrival::AtOnce {
            let outcome = self.arrive(id, wish);
            pending(State::Arrived(outcome.clone())).tell(outcome);
        } else if let Some(connection) = self.connection(id) {
            connection.pending.push_back(pending(State::Waiting(wish)));
        }
        answer
    }

    fn refusal(&mut self, id: ConnectionId, wish: &Wish) -> Option<AppendError> {
        let connection = self.connection(id)?;
        let large = || too_large(&wish.batch).map(AppendError::Rejected);
        let refusal = connection.refusal(wish.partition).or_else(large);
        if refusal.is_some() {
            connection.failed.insert(wish.partition);
        }
        refusal
    }

    /// The batch reaches the storage: it is kept if the tail is where its owner believes, and if
    /// nothing before it on this connection failed to be.
    pub(super) fn arrive(&mut self, id: ConnectionId, wish: Wish) -> Answer {
        let tail = self.tail(wish.partition);
        let failed = self.connection(id).is_none_or(|c| c.failed.contains(&wish.partition));
        if !failed && wish.at == tail {
            self.keep(wish);
            return Ok(());
        }
        self.connection(id).into_iter().for_each(|c| c.fail(wish.partition));
        if failed { Err(after_failure()) } else { Err(AppendError::Conflict) }
    }

    fn keep(&mut self, Wish { partition, batch, room, .. }: Wish) {
        self.used = self.used.saturating_add(size_estimate(&batch));
        let history = self.arrival == Arrival::Steered;
        let known = self.partitions.entry(partition);
        known.or_insert_with(|| Partition::new(history)).push(batch);
        // Given back only now that the batch itself is counted.
        drop(room);
    }

    /// From here on nothing is taken from this connection.
    pub(super) fn break_off(&mut self, id: ConnectionId, reason: &str) {
        self.connection(id).into_iter().for_each(|c| c.broken = Some(reason.to_owned()));
    }

    pub(super) fn close(&mut self, id: ConnectionId) {
        self.connection(id).into_iter().for_each(|c| c.closing = true);
    }

    /// Whether somebody has closed this connection.
    pub(super) fn is_closing(&self, id: ConnectionId) -> bool {
        let connection = usize::try_from(id.0).ok().and_then(|id| self.connections.get(id));
        connection.is_none_or(|connection| connection.closing)
    }

    /// Whether nothing more will come of this connection.
    pub(super) fn is_closed(&self, id: ConnectionId) -> bool {
        let connection = usize::try_from(id.0).ok().and_then(|id| self.connections.get(id));
        connection.is_none_or(|c| c.broken.is_some() || (c.closing && c.pending.is_empty()))
    }
}

/// What becomes of a batch when one before it on its connection failed.
pub(super) fn after_failure() -> AppendError {
    AppendError::Rejected("a batch before it failed".to_owned())
}
