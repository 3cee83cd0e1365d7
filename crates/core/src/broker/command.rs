//! Commands to broker queues.

use bytes::Bytes;

use super::settings::BrokerSettings;
use crate::id::{Epoch, Label, Name, QueueId, Seq};
use crate::receipt::Receipt;
use crate::stamp::{Millis, Stamp};

/// A wish of a broker queue's client.
#[derive(Clone, Debug, PartialEq)]
pub enum BrokerCommand {
    /// Create a queue; the partition resolves the name.
    Create {
        /// Its name.
        name: Name,
        /// All its settings.
        settings: BrokerSettings,
    },
    /// Do something with a queue that exists.
    To {
        /// The queue.
        queue: Name,
        /// What to do.
        operation: BrokerOperation,
    },
}

impl BrokerCommand {
    /// The name of the queue that it is about.
    pub fn queue(&self) -> &Name {
        match self {
            BrokerCommand::Create { name, .. } => name,
            BrokerCommand::To { queue, .. } => queue,
        }
    }

    /// Whether it settles what was handed out, or makes room in another way.
    pub fn settles(&self) -> bool {
        match self {
            BrokerCommand::Create { .. } => false,
            BrokerCommand::To { operation, .. } => operation.settles(),
        }
    }

    /// Whether it makes what is kept larger.
    pub fn grows(&self) -> bool {
        match self {
            BrokerCommand::Create { .. } => true,
            BrokerCommand::To { operation, .. } => matches!(
                operation,
                BrokerOperation::Send { .. } | BrokerOperation::SetSessionState { .. }
            ),
        }
    }

    /// Bytes that it would add to the log beyond its facts.
    pub fn body_len(&self) -> usize {
        match self {
            BrokerCommand::Create { .. } => 0,
            BrokerCommand::To { operation, .. } => operation.body_len(),
        }
    }

    /// How long its caller is willing to wait while the answer is nothing yet.
    pub fn wait(&self) -> Option<Millis> {
        match self {
            BrokerCommand::Create { .. } => None,
            BrokerCommand::To { operation, .. } => operation.wait(),
        }
    }
}

/// What a client does with a broker queue.
#[derive(Clone, Debug, PartialEq)]
pub enum BrokerOperation {
    /// Put a message in.
    Send {
        /// The message.
        message: NewBrokerMessage,
    },
    /// Take messages as a plain receiver: of a queue without sessions, or of any dead-letter
    /// sub-queue.
    Receive {
        /// From where.
        sub: SubQueue,
        /// Under a lock, or for good.
        mode: ReceiveMode,
        /// At most so many (bounded by `broker_receive_max`).
        max: usize,
        /// How long to wait for a first one.
        wait: Option<Millis>,
    },
    /// Become the holder of a session.
    AcceptSession {
        /// Of which.
        which: WhichSession,
        /// How long to wait for one that is free; a session asked for by name never waits.
        wait: Option<Millis>,
    },
    /// Take messages of a held session, in its order.
    ReceiveInSession {
        /// The hold.
        holder: SessionHolder,
        /// Under the session's lock, or for good.
        mode: ReceiveMode,
        /// At most so many (bounded by `broker_receive_max`, the session's unsettled ones by
        /// `unsettled_max`).
        max: usize,
        /// How long to wait for a first one.
        wait: Option<Millis>,
    },
    /// Take deferred messages by their numbers: all of them, or none.
    ReceiveDeferred {
        /// From where.
        sub: SubQueue,
        /// The hold, when they belong to a session.
        holder: Option<SessionHolder>,
        /// Under a lock, or for good.
        mode: ReceiveMode,
        /// Their numbers (at most `broker_receive_max`); a number named twice counts once.
        seqs: Vec<Seq>,
    },
    /// Settle a message that was handed out under a lock.
    Settle {
        /// Its lock.
        receipt: Receipt,
        /// The hold, when it was handed out in a session.
        holder: Option<SessionHolder>,
        /// What becomes of it.
        how: Settlement,
    },
    /// Let a message's own lock last its full length from now.
    RenewLock {
        /// The lock.
        receipt: Receipt,
    },
    /// Let a session's lock last its full length from now.
    RenewSession {
        /// The hold.
        holder: SessionHolder,
    },
    /// Give a session up, with what was handed out in it; this counts as no failed delivery.
    ReleaseSession {
        /// The hold.
        holder: SessionHolder,
    },
    /// Read a held session's state.
    GetSessionState {
        /// The hold.
        holder: SessionHolder,
    },
    /// Replace a held session's state.
    SetSessionState {
        /// The hold.
        holder: SessionHolder,
        /// The state; `None` clears it.
        state: Option<Bytes>,
    },
    /// Look at messages of any state without locking them.
    Peek {
        /// Where.
        sub: SubQueue,
        /// The first number to look at.
        from: Seq,
        /// At most so many (bounded by `receive_scan_max`).
        max: usize,
        /// Only messages of this session (the main sub-queue of a session queue).
        session: Option<Label>,
    },
    /// Take scheduled messages back before their time: all of them, or none.
    CancelScheduled {
        /// Their numbers (at most `broker_receive_max`).
        seqs: Vec<Seq>,
    },
}

impl BrokerOperation {
    fn settles(&self) -> bool {
        match self {
            BrokerOperation::Settle { .. }
            | BrokerOperation::RenewLock { .. }
            | BrokerOperation::RenewSession { .. }
            | BrokerOperation::ReleaseSession { .. }
            | BrokerOperation::CancelScheduled { .. } => true,
            BrokerOperation::Send { .. }
            | BrokerOperation::Receive { .. }
            | BrokerOperation::AcceptSession { .. }
            | BrokerOperation::ReceiveInSession { .. }
            | BrokerOperation::ReceiveDeferred { .. }
            | BrokerOperation::GetSessionState { .. }
            | BrokerOperation::SetSessionState { .. }
            | BrokerOperation::Peek { .. } => false,
        }
    }

    fn body_len(&self) -> usize {
        match self {
            BrokerOperation::Send { message } => message.body.len(),
            BrokerOperation::SetSessionState { state: Some(state), .. } => state.len(),
            _ => 0,
        }
    }

    fn wait(&self) -> Option<Millis> {
        match self {
            BrokerOperation::Receive { wait, .. }
            | BrokerOperation::AcceptSession { wait, .. }
            | BrokerOperation::ReceiveInSession { wait, .. } => *wait,
            _ => None,
        }
    }
}

/// A message on its way into a broker queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewBrokerMessage {
    /// The encoded message; opaque to the queue.
    pub body: Bytes,
    /// The sender's id for it, by which duplicates are recognised.
    pub message_id: Option<Label>,
    /// Its session; a queue without sessions does not look at it.
    pub session: Option<Label>,
    /// How long it lives from the moment it is enqueued.
    pub ttl: Option<Millis>,
    /// When to enqueue it; a moment that is not in the future means now.
    pub scheduled_at: Option<Stamp>,
}

/// A queue, or what became undeliverable in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SubQueue {
    /// The queue itself.
    Main,
    /// Its dead letters.
    DeadLetter,
}

/// How messages are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveMode {
    /// Under a lock, to be settled.
    PeekLock,
    /// Gone from the queue as they are handed out.
    ReceiveAndDelete,
}

/// Which session to accept.
#[derive(Clone, Debug, PartialEq)]
pub enum WhichSession {
    /// This one, whether it has messages or not.
    Specific(Label),
    /// The free one whose first message that can be handed out is the oldest.
    Next,
}

/// Names one hold of one session; a [`Receipt`] for sessions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionHolder {
    /// The queue.
    pub queue: QueueId,
    /// The session.
    pub session: Label,
    /// The owner that granted it.
    pub epoch: Epoch,
    /// The queue's count of holds with this one.
    pub hold: u64,
}

/// What becomes of a message that was handed out.
#[derive(Clone, Debug, PartialEq)]
pub enum Settlement {
    /// It is done with, and gone.
    Complete,
    /// Its delivery failed; it goes back to its place.
    Abandon,
    /// It is put aside, to be asked for by its number.
    Defer,
    /// It becomes a dead letter, for the receiver's reasons.
    DeadLetter {
        /// The reason, in short.
        reason: Option<Label>,
        /// More about it.
        description: Option<Label>,
    },
}
