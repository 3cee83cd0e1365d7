//! An event store as a snapshot shares it.

use minicbor::{Decode, Encode};

use super::recent::{Recent, Recents};
use super::store::EventStore;
use crate::id::{EventNumber, Name, QueueId};
use crate::parts::Chunked;
use crate::snapshot::{Block, Blocks, SnapshotError, chunk_blocks, part};
use crate::stamp::Stamp;

/// All that an event store is made of.
#[derive(Clone, Debug)]
pub(crate) struct EventsSnapshot {
    main: EventsMain,
    heads: Chunked<Recent>,
}

/// What of a store is not in chunks. The numbers are the format on disk.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct EventsMain {
    #[n(0)]
    name: Name,
    #[n(1)]
    created_at: Stamp,
    #[n(2)]
    events: u64,
    #[n(3)]
    last: EventNumber,
    #[n(4)]
    indexed: EventNumber,
}

impl EventStore {
    /// Costs a pointer for each few thousand events that the index does not have.
    pub(crate) fn snapshot(&self) -> EventsSnapshot {
        let EventStore { name, created_at, events, last, indexed, recents } = self;
        let (name, created_at) = (name.clone(), *created_at);
        let main = EventsMain { name, created_at, events: *events, last: *last, indexed: *indexed };
        EventsSnapshot { main, heads: recents.heads().clone() }
    }
}

impl EventsSnapshot {
    /// The store without what is in chunks.
    pub(crate) fn of(main: EventsMain) -> EventsSnapshot {
        EventsSnapshot { main, heads: Chunked::default() }
    }

    pub(crate) fn main(&self) -> &EventsMain {
        &self.main
    }

    pub(crate) fn weight(&self) -> usize {
        self.heads.weight()
    }

    /// The chunks as blocks.
    pub(crate) fn blocks(&self, store: QueueId) -> Blocks<'_> {
        chunk_blocks(store, part::EVENTS, &self.heads)
    }

    /// Takes in a chunk.
    pub(crate) fn add(&mut self, block: &Block) -> Result<(), SnapshotError> {
        match block.key.part {
            part::EVENTS => block.put_into(&mut self.heads),
            _ => Err(block.misplaced()),
        }
    }

    /// The store again.
    pub(crate) fn restored(self) -> EventStore {
        let EventsMain { name, created_at, events, last, indexed } = self.main;
        let recents = Recents::of(self.heads);
        EventStore { name, created_at, events, last, indexed, recents }
    }
}
