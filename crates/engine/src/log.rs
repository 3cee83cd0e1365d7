//! The port to the log: the only seam below the engine.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use lineside_core::fact::Batch;
use lineside_core::id::{BodyRef, PartitionId, Position};
use lineside_core::stamp::Stamp;

use crate::living::LivingSet;

/// A totally ordered, durable log per partition. Its only write is "submit at this position, if the
/// tail is still here"; whoever moves the tail fences every other writer.
pub trait Log: Send + Sync {
    /// Sets room aside before a command is decided, so that a batch, once decided, is never refused
    /// for space. `bytes` is what the command may add, bodies and facts.
    fn reserve(&self, bytes: u64) -> Result<Room, Full>;

    /// Writes `batch` at `at`. The order of calls is the order of positions; several may be under
    /// way. The ticket resolves when the batch is as durable as the log promises. After a ticket
    /// that failed, all later ones fail too.
    fn submit(&self, partition: PartitionId, at: Position, room: Room, batch: Batch) -> Ticket;

    /// The position after the last batch. It may be stale: `submit` decides.
    fn tail(&self, partition: PartitionId) -> BoxFuture<'_, Result<Position, LogFault>>;

    /// The durable batches from `from` on, in order; it stays open at the tail, and may skip what
    /// has been reclaimed. Where positions were lost and that was accepted, the first and the last of
    /// them come as batches without facts. Bodies are left out (`Facts::bodies` is empty): a replay
    /// does not need them, and one that is damaged must not stop it. `body` reads them one by one.
    fn read(
        &self,
        partition: PartitionId,
        from: Position,
    ) -> BoxStream<'_, Result<(Position, Batch), LogFault>>;

    /// The body that a durable fact brought.
    fn body(&self, partition: PartitionId, body: BodyRef)
    -> BoxFuture<'_, Result<Bytes, LogFault>>;

    /// The durable bodies from `from` on whose facts say that they matter for ever
    /// ([`Fact::keeps_its_body`](lineside_core::fact::Fact::keeps_its_body)), in order, whether the
    /// facts are still there or not. It ends at the tail.
    fn kept(
        &self,
        partition: PartitionId,
        from: Position,
    ) -> BoxStream<'_, Result<KeptBody, LogFault>>;

    /// Below `below` only the bodies that `living` names still matter, and those that are kept: facts
    /// and other bodies there may be reclaimed, at leisure. A later call says all anew; `below` never falls.
    fn retain(&self, partition: PartitionId, below: Position, living: LivingSet);

    /// Asked by an owner of whose batches one was rejected, and who would read again and go on: a
    /// connection to the same log that has not failed, once it may take a batch. It looks each time.
    fn again(&self) -> Again;

    /// Makes everything that was submitted durable and says so in the log. After it, submits fail.
    fn close(&self) -> BoxFuture<'_, Result<(), LogFault>>;
}

/// A body that matters for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBody {
    /// Where it lies.
    pub body: BodyRef,
    /// When its batch was decided.
    pub at: Stamp,
    /// The body.
    pub bytes: Bytes,
}

/// Room set aside for one batch, in bytes; rooms add up. A room that is dropped, used or not, gives
/// its bytes back to the log that counted them.
#[derive(Debug, Default)]
pub struct Room {
    bytes: u64,
    ledger: Option<Arc<AtomicU64>>,
}

impl Room {
    /// Room for `bytes` that nobody counts: for a log without a bound.
    pub fn of(bytes: u64) -> Room {
        Room { bytes, ledger: None }
    }

    /// Room for `bytes` that its log has already added to `ledger`; only a log calls this.
    pub fn counted(bytes: u64, ledger: Arc<AtomicU64>) -> Room {
        Room { bytes, ledger: Some(ledger) }
    }

    /// How many bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Both rooms, of the same log, as one.
    pub fn join(&mut self, mut other: Room) {
        self.bytes = self.bytes.saturating_add(std::mem::take(&mut other.bytes));
        self.ledger = self.ledger.take().or(other.ledger.take());
    }
}

impl PartialEq for Room {
    fn eq(&self, other: &Room) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Room {}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(ledger) = &self.ledger {
            ledger.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// Whether an owner who was refused may go on.
pub enum Again {
    /// On this connection.
    Now(Arc<dyn Log>),
    /// There is no room yet for even the smallest batch.
    NoRoom,
    /// The log takes nothing any more.
    Never,
}

/// The log has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log has no room for {asked} more bytes: free space is down to its reserve")]
pub struct Full {
    /// What was asked for.
    pub asked: u64,
}

/// What becomes of a submitted batch.
pub type Ticket = Pin<Box<dyn Future<Output = Result<(), AppendError>> + Send>>;

/// Why a batch is not known to be durable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else moved the tail; nothing of this batch was written.
    #[error("the log's tail is elsewhere: another owner wrote")]
    Conflict,
    /// Nothing of this batch was written.
    #[error("the batch was not written: {0}")]
    Rejected(String),
    /// Only a read can tell whether the batch is in the log.
    #[error("it is not known whether the batch was written: {0}")]
    Unknown(String),
}

/// A log could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// The machine below failed.
    #[error("the log cannot be read: {0}")]
    Io(String),
    /// Bytes are not what was written.
    #[error("the log is damaged at {place}: {what}")]
    Damaged {
        /// File and offset, or position.
        place: String,
        /// What is wrong there.
        what: String,
    },
    /// There is no such body (any more).
    #[error("the log holds no body at {0:?}")]
    NoBody(BodyRef),
    /// Facts that are needed were reclaimed: the checkpoint that made this possible is missing.
    #[error(
        "the log from {from:?} on is needed by {needed_by}, and part of it was reclaimed because a \
         checkpoint covered it: is the directory of blobs missing?"
    )]
    Reclaimed {
        /// From where.
        from: Position,
        /// By whom.
        needed_by: &'static str,
    },
    /// The log could not be opened; what it says is a whole sentence.
    #[error("{0}")]
    NotOpened(String),
    /// A write failed, and with it all that follow; what it says is where and why.
    #[error("the log is sealed, nothing is acknowledged any more: {0}")]
    Sealed(String),
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
}
