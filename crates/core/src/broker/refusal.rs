//! How a broker queue says no.

use crate::id::{Name, Seq};

/// Why a broker queue says no.
#[derive(Clone, Debug, PartialEq)]
pub enum BrokerRefusal {
    /// No broker queue has this name.
    Missing {
        /// The name asked for.
        name: Name,
    },
    /// A queue has this name, and differs.
    Exists {
        /// The name.
        name: Name,
    },
    /// The message, or the session's state, is larger than the queue takes.
    TooLong {
        /// The limit in bytes.
        limit: u32,
    },
    /// A session queue takes no message without a session.
    SessionRequired,
    /// The messages of a session queue are handed out to a session's holder only.
    SessionReceiverRequired,
    /// The queue, or the sub-queue, has no sessions.
    NoSessionsHere,
    /// Another receiver holds the session.
    SessionHeld,
    /// The session is not held, or no longer, under this name.
    SessionLockLost,
    /// The message is not locked, or no longer, under this receipt.
    LockLost,
    /// No message of this number can be had in this way.
    MessageNotFound {
        /// The first such number of those asked for.
        seq: Seq,
    },
    /// A dead letter cannot be dead-lettered.
    AlreadyDeadLettered,
    /// More numbers in one command than are allowed.
    TooManyNumbers {
        /// The limit.
        limit: usize,
    },
}
