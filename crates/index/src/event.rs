//! What goes into the index and what comes out of it.

use lineside_core::events::EventHead;
use lineside_core::id::{BodyRef, EventNumber, QueueId, Version};
use lineside_core::stamp::Stamp;

/// An event to be indexed, as its fact in the log tells it.
#[derive(Clone, Copy, Debug)]
pub struct Indexed<'a> {
    /// Its number in the partition.
    pub number: EventNumber,
    /// Its event store; streams, tags and all the rest are looked up within a store.
    pub store: QueueId,
    /// The stamp of its batch.
    pub stamp: Stamp,
    /// Where the whole event lies in the log.
    pub body: BodyRef,
    /// Its version in its stream.
    pub version: Version,
    /// Which event of its append this is, from 0.
    pub index: u32,
    /// How many events its append has, at least 1.
    pub count: u32,
    /// What queries look at.
    pub head: EventHead<'a>,
}

/// What the index knows of an event by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the partition.
    pub number: EventNumber,
    /// What the table of a run keeps of it.
    pub row: Row,
}

/// What is kept of each event, beside its terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The event store.
    pub store: QueueId,
    /// The stamp of its batch.
    pub stamp: Stamp,
    /// Where the whole event lies in the log.
    pub body: BodyRef,
    /// Its version in its stream.
    pub version: Version,
    /// Which event of its append this is, from 0.
    pub index: u32,
    /// How many events its append has.
    pub count: u32,
}

impl Entry {
    /// The first and the last number of its append.
    pub fn append(&self) -> (EventNumber, EventNumber) {
        let first = self.number.0.saturating_sub(u64::from(self.row.index));
        let more = u64::from(self.row.count.max(1) - 1);
        (EventNumber(first), EventNumber(first.saturating_add(more)))
    }
}

impl Indexed<'_> {
    pub(crate) fn row(&self) -> Row {
        let Indexed { store, stamp, body, version, index, count, .. } = *self;
        Row { store, stamp, body, version, index, count }
    }
}

/// Which way a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the lowest number up.
    OldestFirst,
    /// From the highest number down.
    NewestFirst,
}
