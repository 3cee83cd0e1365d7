//! How an event store says no.

use crate::id::{EventNumber, Label, Name, Version};

use super::append::Expected;

/// Why an event store says no.
#[derive(Clone, Debug, PartialEq)]
pub enum EventRefusal {
    /// No event store has this name.
    Missing {
        /// The name asked for.
        name: Name,
    },
    /// Something that is no event store has this name.
    Exists {
        /// The name.
        name: Name,
    },
    /// There has to be at least one, or it has to have at least one byte.
    Empty {
        /// What.
        part: EventPart,
        /// Of which event of the append, from 0.
        event: Option<usize>,
    },
    /// There are too many, or it is too long.
    Beyond {
        /// What.
        part: EventPart,
        /// Of which event of the append, from 0.
        event: Option<usize>,
        /// The most, a count or bytes.
        limit: usize,
    },
    /// What the append rests on is not so any more: read anew, decide anew.
    Moved(Box<Moved>),
    /// What the index said does not reach to where the store's memory begins, or leaves something
    /// out: to be looked up anew. No caller outside hears this, unless it keeps happening.
    Stale {
        /// As of which event it was looked up.
        as_of: EventNumber,
        /// The store keeps what came behind this event.
        indexed: EventNumber,
        /// The store's last event.
        last: EventNumber,
    },
    /// The index is so far behind that the append would keep too much in memory, or would look at
    /// too much of it. To be tried again in a moment.
    IndexBehind {
        /// The last event that the index has.
        indexed: EventNumber,
        /// The store's last event.
        last: EventNumber,
    },
}

/// What an append rests on, and is not so.
#[derive(Clone, Debug, PartialEq)]
pub enum Moved {
    /// A stream's version is not the expected one.
    Stream {
        /// The stream.
        stream: Label,
        /// What was expected.
        expected: Expected,
        /// Its version.
        actual: Version,
        /// The store's last event at this moment.
        now: EventNumber,
    },
    /// Something that matches the boundary's query came after its event.
    Boundary {
        /// The boundary's event.
        after: EventNumber,
        /// The newest event that matches.
        newest: EventNumber,
        /// The store's last event at this moment.
        now: EventNumber,
    },
}

/// The parts of an append, for refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventPart {
    /// Its events; the limit counts them.
    Events,
    /// Its expectations; the limit counts them.
    Expected,
    /// The tags of an event; the limit counts them.
    Tags,
    /// The tags of all its events; the limit counts them.
    AllTags,
    /// All its events; the limit is in bytes.
    AllBytes,
    /// A stream's name; the limit is in bytes.
    Stream,
    /// A type; the limit is in bytes.
    Kind,
    /// A tag; the limit is in bytes.
    Tag,
    /// A correlation id; the limit is in bytes.
    Correlation,
    /// What an event carries beside its data and what it is found by; the limit is in bytes.
    Context,
    /// An event's data; the limit is in bytes.
    Data,
    /// The items of a query; the limit counts them.
    QueryItems,
    /// What a query names; the limit counts it.
    QueryTerms,
}
