//! What event stores answer.

use super::event::EventHead;
use crate::id::{BodyRef, EventNumber, Label, QueueId, Version};
use crate::stamp::Stamp;

/// Events are in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendReply {
    /// The number of the first event.
    pub first: EventNumber,
    /// The number of the last event; those between are of the same append.
    pub last: EventNumber,
    /// The streams that were written to, in the order of their first event, each with the version
    /// that it had behind the append.
    pub streams: Vec<(Label, Version)>,
    /// Nothing happened now: it was done before, and this is what was answered then.
    pub again: bool,
}

/// How far an event store has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventStoreDescription {
    /// Its id, which facts and bodies name.
    pub store: QueueId,
    /// When it was created.
    pub created_at: Stamp,
    /// How many events it has.
    pub events: u64,
    /// The number of its last event; 0 before the first. Numbers are counted over all stores of the
    /// partition.
    pub last: EventNumber,
    /// The index has all of its events up to this number, and has said so.
    pub indexed: EventNumber,
    /// How many events it keeps in memory since the index has not.
    pub recent: usize,
}

/// Events that the index does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct RecentEvents {
    /// In the order of their numbers.
    pub events: Vec<RecentEvent>,
    /// The store keeps none up to this number: whoever asked for events after an earlier one has
    /// missed some, and finds them in the log alone.
    pub indexed: EventNumber,
}

/// An event as an index wants it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecentEvent {
    /// The event store.
    pub store: QueueId,
    /// Its number in the partition.
    pub number: EventNumber,
    /// When it was appended.
    pub stamp: Stamp,
    /// Where it lies in the log.
    pub body: BodyRef,
    /// Its version in its stream.
    pub version: Version,
    /// Which event of its append it is, from 0.
    pub index: u32,
    /// How many events its append has.
    pub count: u32,
    /// What it is found by.
    pub head: RecentHead,
}

/// What an event is found by.
#[derive(Clone, Debug, PartialEq)]
pub struct RecentHead {
    /// Its stream.
    pub stream: Label,
    /// Its type.
    pub kind: Label,
    /// Its tags.
    pub tags: Vec<Label>,
    /// What it belongs to.
    pub correlation: Option<Label>,
}

impl RecentHead {
    /// As queries look at it.
    pub fn head(&self) -> EventHead<'_> {
        let RecentHead { stream, kind, tags, correlation } = self;
        EventHead { stream, kind, tags, correlation: correlation.as_ref() }
    }
}
