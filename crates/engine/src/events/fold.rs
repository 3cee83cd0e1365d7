//! The port to whatever folds: the engine says which events, and knows no way to make a state of
//! them.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use lineside_core::events::EventBody;
use lineside_core::id::{EventNumber, Version};

/// What tells a fold from all that fold otherwise.
pub type Identity = [u8; 32];

/// A way from the events of a stream to a state.
pub trait Fold: Send + Sync {
    /// The same for all that fold alike, and for nothing else: snapshots go by it.
    fn identity(&self) -> Identity;

    /// Folds events onto the state before them. What comes of it depends on nothing but these two.
    fn fold(&self, block: FoldBlock) -> BoxFuture<'_, Result<Folded, FoldFault>>;
}

/// Events to fold.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldBlock {
    /// The state before them; none before the first event of all.
    pub from: Option<Bytes>,
    /// One after another, of one stream; there may be none.
    pub events: Vec<EventBody>,
    /// The processor time that was spent already on the question that this is a part of.
    pub spent: Duration,
}

/// What came of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// The state behind it.
    pub state: Bytes,
    /// The processor time that was spent on the question by now.
    pub spent: Duration,
}

/// Why there is no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct FoldFault {
    /// Why, in words.
    pub why: String,
    /// The same in a word for programs.
    pub word: &'static str,
    /// What it means for who asked.
    pub kind: FoldFaultKind,
    /// The event at which it came to that, if it was one.
    pub at: Option<(EventNumber, Version)>,
    /// The line and the column of the program, from 1, if that is known.
    pub place: Option<(u32, u32)>,
}

/// What a fault means for who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldFaultKind {
    /// It will be so each time.
    Lasting,
    /// The time of the question is over.
    Time,
    /// It may go otherwise another time: there was no place to fold.
    Passing,
}
