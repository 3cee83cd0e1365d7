//! The wish to append events, and what is known beside the store's own state when it is decided.

use std::sync::Arc;

use super::event::EventContent;
use super::query::Query;
use super::reply::AppendReply;
use crate::id::{EventNumber, Label, Name, Version};

/// Events on their way into an event store: all of them, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// The event store.
    pub store: Name,
    /// In order, at least one. Shared, since an append is asked for again when what is known has
    /// become stale.
    pub events: Arc<[NewEvent]>,
    /// The versions that streams have to have, whether or not they are written to; all of them.
    pub expected: Vec<(Label, Expected)>,
    /// What must not have happened in between.
    pub boundary: Option<Boundary>,
    /// If an event of the store matches, this was done already: nothing happens, and the answer is
    /// that of the append that brought the first such event.
    pub unless: Option<Query>,
    /// What the index says.
    pub known: Known,
}

/// An event without what its store gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// The stream that it goes to.
    pub stream: Label,
    /// What it is found by, beside stream and type.
    pub tags: Vec<Label>,
    /// What it belongs to.
    pub correlation: Option<Label>,
    /// All else; its type too.
    pub content: EventContent,
}

/// What a stream's version has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// 0: it has no events.
    Empty,
    /// Not 0.
    Exists,
    /// This one; 0 says the same as `Empty`.
    At(Version),
}

impl Expected {
    /// Whether a stream of this version is as expected.
    pub fn holds(self, actual: Version) -> bool {
        match self {
            Expected::Any => true,
            Expected::Empty => actual == Version(0),
            Expected::Exists => actual > Version(0),
            Expected::At(version) => actual == version,
        }
    }
}

/// Nothing that matches the query may have come after an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Boundary {
    /// What somebody has read, and decided on.
    pub query: Query,
    /// The number up to which they have read it, inclusive; 0: they have read nothing.
    pub after: EventNumber,
}

/// What the index says about an append. It is looked up before the command, off the loop, and may be
/// behind: the store knows what came since.
///
/// [`Known::default`] is right for a store of which nothing is indexed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// The index had all events of the store up to this number, inclusive, when it was asked; what
    /// follows here is as of it, whatever the index has beyond.
    pub as_of: EventNumber,
    /// The version of each stream that is written to or expected; 0 where there is none.
    pub versions: Vec<(Label, Version)>,
    /// The newest event, of those behind the boundary's `after`, that matches its query.
    pub boundary_hit: Option<EventNumber>,
    /// The append that brought the oldest event that matches `unless`.
    pub unless_hit: Option<FirstAppend>,
}

/// An append that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstAppend {
    /// The number of its first event.
    pub first: EventNumber,
    /// The number of its last event.
    pub last: EventNumber,
    /// The streams that it wrote to, in the order of their first event in it, each with the version
    /// that it had then.
    pub streams: Vec<(Label, Version)>,
}

impl FirstAppend {
    /// The answer that it was given, or is given again.
    pub(super) fn answer(self, again: bool) -> AppendReply {
        let FirstAppend { first, last, streams } = self;
        AppendReply { first, last, streams, again }
    }
}

/// Bytes that an event's numbers take in its fact and its body, about.
const EVENT_FRAME_BYTES: usize = 128;

impl Append {
    /// Bytes that it would add to the log, about.
    pub fn bytes(&self) -> usize {
        self.events.iter().map(NewEvent::bytes).sum()
    }
}

impl NewEvent {
    /// Bytes that it takes in the log, about: what it is found by is there twice.
    pub(super) fn bytes(&self) -> usize {
        let tags: usize = self.tags.iter().map(|tag| tag.as_str().len()).sum();
        let correlation = self.correlation.as_ref().map_or(0, |id| id.as_str().len());
        let found_by = self.stream.as_str().len() + self.content.kind.as_str().len();
        let twice = found_by + tags + correlation;
        self.content.data_bytes() + self.content.context_bytes() + 2 * twice + EVENT_FRAME_BYTES
    }
}
