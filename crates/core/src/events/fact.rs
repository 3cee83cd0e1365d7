//! What happens to event stores. The numbers are the format on disk.

use minicbor::{Decode, Encode};

use crate::id::{EventNumber, Label, Name, QueueId, Version};

/// See [`crate::fact::Fact::EventStoreCreated`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct EventStoreCreated {
    /// Its id.
    #[n(0)]
    pub store: QueueId,
    /// Its name, unused at this moment.
    #[n(1)]
    pub name: Name,
}

/// See [`crate::fact::Fact::Appended`]. It carries the numbers that it was given, so that a store
/// of a checkpoint needs nothing but this.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Appended {
    /// The event store.
    #[n(0)]
    pub store: QueueId,
    /// The event's number in the partition.
    #[n(1)]
    pub number: EventNumber,
    /// Its stream.
    #[n(2)]
    pub stream: Label,
    /// Its number in the stream.
    #[n(3)]
    pub version: Version,
    /// Its type.
    #[n(4)]
    pub kind: Label,
    /// Its tags.
    #[n(5)]
    pub tags: Vec<Label>,
    /// What it belongs to.
    #[n(6)]
    pub correlation: Option<Label>,
    /// Length in bytes of the body beside this fact, an [`super::EventBody`].
    #[n(7)]
    pub len: u32,
    /// Which event of its append it is, from 0.
    #[n(8)]
    pub index: u32,
    /// How many events its append has.
    #[n(9)]
    pub count: u32,
}

/// See [`crate::fact::Fact::Indexed`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Indexed {
    /// The event store.
    #[n(0)]
    pub store: QueueId,
    /// The last event that the index has, and with it all before.
    #[n(1)]
    pub upto: EventNumber,
}
