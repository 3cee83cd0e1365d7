//! The hand on a log in memory: decides what becomes of each submitted batch, and when.
//!
//! It has no threads, no clock and no chance of its own, so that a simulation is the same each time
//! it runs. A batch that was submitted and not yet written is *appended, not synced*: a crash loses
//! it, and no answer may have rested on it.

use std::sync::Arc;

use lineside_core::fact::Batch;
use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::AppendError;

pub use super::blobs::PutFault;

use super::ConnectionId;
use super::storage::{Pending as Entry, Shared, State, Storage, after_failure};

/// Steers the storage that [`super::MemoryLog::steered`] made. All that it does to a connection it
/// does to the oldest of its batches first, since a log keeps order.
#[derive(Clone, Debug)]
pub struct Steering {
    shared: Arc<Shared>,
}

/// A batch whose ticket has not been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its partition.
    pub partition: PartitionId,
    /// Where its owner believes the tail to be.
    pub position: Position,
    /// How many facts it has.
    pub facts: usize,
    /// What came of it at the storage, if it got there.
    pub written: Option<Written>,
}

/// What came of a batch at the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is durable.
    Durable,
    /// It is not in the log: the tail was elsewhere, or a batch before it was refused.
    Refused,
}

/// How a ticket fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The tail is said to be elsewhere; this batch, and what follows it in its partition, is not
    /// written.
    Conflict,
    /// The connection breaks and nothing that waits on it is written.
    Rejected,
    /// The connection breaks and nobody tells what was written.
    Unknown {
        /// So many of the waiting batches, oldest first, were.
        written: usize,
    },
}

impl Steering {
    pub(super) fn new(shared: Arc<Shared>) -> Steering {
        Steering { shared }
    }

    /// Every connection that was ever made.
    pub fn connections(&self) -> Vec<ConnectionId> {
        let count = u32::try_from(self.shared.storage().connections()).unwrap_or(u32::MAX);
        (0..count).map(ConnectionId).collect()
    }

    /// The connection's unanswered batches, oldest first.
    pub fn pending(&self, connection: ConnectionId) -> Vec<Pending> {
        let mut storage = self.shared.storage();
        let entries = storage.connection(connection).map(|c| c.pending.iter().map(view).collect());
        entries.unwrap_or_default()
    }

    /// The oldest batch that waits reaches the storage; its ticket stays silent. `None` if none
    /// waits.
    pub fn write(&self, connection: ConnectionId) -> Option<Written> {
        let written = write(&mut self.shared.storage(), connection);
        self.shared.bell.ring();
        written
    }

    /// The oldest batch, if it was written, is answered as it went. Whether there was one.
    pub fn answer(&self, connection: ConnectionId) -> bool {
        let told = answer(&mut self.shared.storage(), connection);
        self.shared.bell.ring();
        told
    }

    /// The oldest batch is written, if it was not yet, and answered. Whether there was one.
    pub fn complete(&self, connection: ConnectionId) -> bool {
        let oldest = self.pending(connection).first().copied();
        if oldest.is_some_and(|p| p.written.is_none()) {
            self.write(connection);
        }
        self.answer(connection)
    }

    /// The oldest batch's ticket fails, and with it those that must. `false`, and nothing happens,
    /// if there is none, or if the batch was written already and the failure would deny that.
    pub fn fail(&self, connection: ConnectionId, failure: Failure) -> bool {
        let mut storage = self.shared.storage();
        let oldest = storage.connection(connection).and_then(|c| c.pending.front().map(view));
        let Some(oldest) = oldest else { return false };
        let denies = !matches!(failure, Failure::Unknown { .. });
        if denies && oldest.written.is_some() {
            return false;
        }
        match failure {
            Failure::Conflict => conflict(&mut storage, connection, oldest.partition),
            Failure::Rejected => break_off(&mut storage, connection, 0, AppendError::Rejected),
            Failure::Unknown { written } => {
                break_off(&mut storage, connection, written, AppendError::Unknown);
            }
        }
        drop(storage);
        self.shared.bell.ring();
        true
    }

    /// The process behind the connection dies: the `keep` oldest of the waiting batches become
    /// durable, as far as the storage takes them, the others vanish. Returns how many became
    /// durable. Its tickets fail, and nothing is taken from it any more.
    pub fn crash(&self, connection: ConnectionId, keep: usize) -> usize {
        let mut storage = self.shared.storage();
        let durable = write_many(&mut storage, connection, keep);
        break_off(&mut storage, connection, 0, AppendError::Unknown);
        drop(storage);
        self.shared.bell.ring();
        durable
    }

    /// The next blob that is put goes wrong so. Several calls plan several puts, in order.
    pub fn fail_put(&self, fault: PutFault) {
        self.shared.blobs().plan(fault);
    }

    /// Damages a blob that is stored; whether there is one of the name.
    pub fn damage_blob(&self, name: &str) -> bool {
        self.shared.blobs().damage(name)
    }

    /// From now on `reserve` gives out so many bytes in all; `None` is no bound.
    pub fn limit(&self, bytes: Option<u64>) {
        self.shared.limit(bytes);
    }

    /// The durable batches with their bodies, by position: what survives. What was reclaimed since is
    /// among them, so that a simulation can fold all facts from position 0.
    pub fn batches(&self, partition: PartitionId) -> Vec<Batch> {
        self.shared.storage().history(partition).to_vec()
    }
}

fn view(entry: &Entry) -> Pending {
    let written = match &entry.state {
        State::Waiting(_) => None,
        State::Arrived(Ok(())) => Some(Written::Durable),
        State::Arrived(Err(_)) => Some(Written::Refused),
    };
    Pending { partition: entry.partition, position: entry.at, facts: entry.facts, written }
}

fn write(storage: &mut Storage, id: ConnectionId) -> Option<Written> {
    let waits = |entry: &Entry| matches!(entry.state, State::Waiting(_));
    let index = storage.connection(id)?.pending.iter().position(waits)?;
    // Taken out for a moment, since arriving needs the whole storage.
    let mut entry = storage.connection(id)?.pending.remove(index)?;
    if let State::Waiting(wish) = entry.state {
        entry.state = State::Arrived(storage.arrive(id, wish));
    }
    let written = view(&entry).written;
    storage.connection(id)?.pending.insert(index, entry);
    written
}

/// Writes up to `count` waiting batches; how many of them became durable.
fn write_many(storage: &mut Storage, id: ConnectionId, count: usize) -> usize {
    let outcomes = (0..count).map_while(|_| write(storage, id));
    outcomes.filter(|outcome| *outcome == Written::Durable).count()
}

fn answer(storage: &mut Storage, id: ConnectionId) -> bool {
    let Some(connection) = storage.connection(id) else {
        return false;
    };
    let arrived = |entry: &Entry| matches!(entry.state, State::Arrived(_));
    if !connection.pending.front().is_some_and(arrived) {
        return false;
    }
    let oldest = connection.pending.pop_front();
    oldest.is_some_and(Entry::tell_outcome)
}

/// The oldest batch is told of a conflict, and all that wait in its partition have failed with it.
fn conflict(storage: &mut Storage, id: ConnectionId, partition: PartitionId) {
    let Some(connection) = storage.connection(id) else {
        return;
    };
    connection.fail(partition);
    if let Some(oldest) = connection.pending.pop_front() {
        oldest.tell(Err(AppendError::Conflict));
    }
    let pending = std::mem::take(&mut connection.pending);
    for entry in pending {
        // None of them was written: batches reach the storage oldest first.
        if entry.partition == partition {
            entry.tell(Err(after_failure()));
        } else {
            connection.pending.push_back(entry);
        }
    }
}

/// The connection breaks after `written` more batches got through; all its tickets fail.
fn break_off(
    storage: &mut Storage,
    id: ConnectionId,
    written: usize,
    error: fn(String) -> AppendError,
) {
    write_many(storage, id, written);
    let reason = "the connection to the log broke";
    storage.break_off(id, reason);
    let pending = storage.connection(id).map(|c| std::mem::take(&mut c.pending));
    for entry in pending.into_iter().flatten() {
        entry.tell(Err(error(reason.to_owned())));
    }
}
