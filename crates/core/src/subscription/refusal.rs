//! How a subscription says no.

use crate::id::{EventNumber, Name};

/// Why a subscription says no.
#[derive(Clone, Debug, PartialEq)]
pub enum SubscriptionRefusal {
    /// No subscription has this name.
    Missing {
        /// The name asked for.
        name: Name,
    },
    /// One has this name and is set otherwise, or something else has it; or it is wanted twice.
    ExistsOtherwise {
        /// The name.
        name: Name,
    },
    /// A query has more items or terms than it may.
    QueryTooLong {
        /// The most terms of all items together.
        terms: usize,
        /// The most items.
        items: usize,
    },
    /// A setting is not in its range.
    OutOfRange {
        /// Which, in a word.
        what: &'static str,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// The queue that messages are to go to is not there, or takes none.
    QueueMissing {
        /// Its name.
        name: Name,
    },
    /// The cursor is not where it was believed to be.
    Moved {
        /// Where it is.
        upto: EventNumber,
    },
    /// There are no events up to there.
    BeyondEnd {
        /// The last event's number.
        last: EventNumber,
    },
    /// A subscription that makes messages goes forward only, takes at most one for each event on the
    /// way, and for a FIFO queue only those that have a group; one that makes none takes none.
    NotSo,
    /// A message is larger than the queue takes.
    MessageTooLong {
        /// Which of them, from 0.
        index: usize,
        /// The queue's limit in bytes.
        limit: u32,
    },
    /// There are more messages than one step may bring.
    TooManyMessages {
        /// The most.
        limit: usize,
    },
}
