//! What can go wrong with an index. None of it is the log's trouble: an index can be made anew.

use std::io;

use lineside_core::id::EventNumber;
use thiserror::Error;

/// A file of the index that cannot be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file} of the index of events is damaged: {why}")]
pub struct Damage {
    /// The file's name in the index's folder.
    pub file: String,
    /// What was seen.
    pub why: String,
}

/// Why a question was not answered, or a piece of work not done.
#[derive(Debug, Error)]
pub enum Fault {
    /// The run is left out, with all that is newer, by the next [`crate::Index::repair`].
    #[error("{0}; the index falls back to before it, and is filled again from the log")]
    Damaged(#[from] Damage),
    /// The disk refused. Nothing changed; the same work may be tried again.
    #[error(
        "the index of events cannot {doing}: {error}; free space or repair the disk, then try again"
    )]
    Io {
        /// What was tried.
        doing: String,
        /// What the system said.
        error: io::Error,
    },
    /// Whoever asked for a merge said that it should stop. Nothing changed.
    #[error("the merge was told to stop; nothing changed, and it is due again")]
    Stopped,
}

impl Fault {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Fault {
        let doing = doing.into();
        move |error| Fault::Io { doing, error }
    }
}

/// Why events were not added: none of the slice was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddError {
    /// Numbers have to follow one another without a gap.
    #[error("event {} was given where {} is next; read the log again from there", given.0, expected.0)]
    Gap {
        /// The number that has to come.
        expected: EventNumber,
        /// The number that came.
        given: EventNumber,
    },
}
