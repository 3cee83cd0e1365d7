//! Why events were not appended or read.

use lineside_core::codec::CodecError;
use lineside_core::command::Reply;
use lineside_core::id::EventNumber;
use lineside_index::Fault;

use crate::log::LogFault;
use crate::off_loop::OffLoopFault;
use crate::request::CallError;

/// Why events were not appended or read.
#[derive(Debug, thiserror::Error)]
pub enum EventsFault {
    /// The engine says no, or is not there.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Events that are wanted cannot be found yet.
    #[error("events are found up to number {}, and {} was waited for", end.0, wanted.0)]
    Behind {
        /// The event that was waited for.
        wanted: EventNumber,
        /// How far the index is.
        end: EventNumber,
    },
    /// What the command rests on changed each time that it was looked up.
    #[error("the index moved on each of {0} times that it was looked at")]
    Unsettled(u32),
    /// The index cannot be asked.
    #[error(transparent)]
    Index(#[from] Fault),
    /// An event cannot be read back.
    #[error(transparent)]
    Log(#[from] LogFault),
    /// An event is damaged, or was when the index was made anew.
    #[error("event {} cannot be read, and all others can: {why}", number.0)]
    Unreadable {
        /// The event.
        number: EventNumber,
        /// What is wrong.
        why: String,
    },
    /// What lies where an event should is none.
    #[error("event {}: {why}", number.0)]
    NotAnEvent {
        /// The event.
        number: EventNumber,
        /// What is wrong.
        why: CodecError,
    },
    /// No thread could look.
    #[error(transparent)]
    OffLoop(#[from] OffLoopFault),
    /// The engine answered something else than was asked.
    #[error("the engine answered {0}")]
    Unexpected(String),
}

impl EventsFault {
    pub(super) fn unexpected(reply: &Reply) -> EventsFault {
        EventsFault::Unexpected(format!("{reply:?}"))
    }
}
