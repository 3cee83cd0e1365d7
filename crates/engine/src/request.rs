//! What comes into a partition's inbox, and what goes back.

use lineside_core::command::{Command, Reply};
use lineside_core::refusal::Refusal;
use lineside_core::stamp::{Millis, Stamp};
use tokio::sync::oneshot;

/// One entry of the inbox.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "nearly all entries are calls")]
pub enum Request {
    /// Decide a command.
    Call {
        /// The wish.
        command: Command,
        /// Where the answer goes; a caller that has gone is not handed anything.
        reply: oneshot::Sender<Result<Reply, CallError>>,
    },
    /// Move steerable time, from due time to due time.
    Advance {
        /// How far.
        by: Millis,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Advanced, CallError>>,
    },
}

/// Why a call has no reply.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The domain says no.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The inbox is full; the caller should come back.
    #[error("too many calls are waiting")]
    Throttled,
    /// The log has no room for what the call would add.
    #[error("the log has no room")]
    Full,
    /// The partition's state is as large as it may become.
    #[error("the state is as large as its budget allows")]
    Budget,
    /// Facts are damaged, so nothing may be decided on what is read; it names the place.
    #[error("the partition is open for reading only: {0}")]
    ReadOnly(String),
    /// The partition has no owner at the moment; it is not known what became of the call.
    #[error("the partition is not available: {0}")]
    Unavailable(String),
}

/// What moving time brought about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advanced {
    /// The moment that it is now.
    pub now: Stamp,
    /// How far time moved.
    pub by: Millis,
    /// What time made due, in order.
    pub fired: Vec<Fired>,
}

/// Something that time made due.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    /// When.
    pub at: Stamp,
    /// What, in a few words.
    pub what: String,
}
