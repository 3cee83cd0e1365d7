//! An event store: how far it has come, and the events that its index does not have.

use super::fact::{Appended, EventStoreCreated};
use super::recent::{Recent, Recents};
use crate::id::{EventNumber, Name, Place};
use crate::parts::Weigh;
use crate::stamp::Stamp;

/// Streams of events.
#[derive(Clone, Debug, PartialEq)]
pub struct EventStore {
    pub(super) name: Name,
    pub(super) created_at: Stamp,
    /// How many events it has.
    pub(super) events: u64,
    /// The number of the last one.
    pub(super) last: EventNumber,
    /// The index has all up to here.
    pub(super) indexed: EventNumber,
    /// The events after `indexed`.
    pub(super) recents: Recents,
}

/// Bytes of an idle store without its name.
const OWN_BYTES: u64 = 400;

impl EventStore {
    /// A new, empty store.
    pub fn created(at: Stamp, created: &EventStoreCreated) -> EventStore {
        EventStore {
            name: created.name.clone(),
            created_at: at,
            events: 0,
            last: EventNumber(0),
            indexed: EventNumber(0),
            recents: Recents::default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn bytes(&self) -> u64 {
        OWN_BYTES + self.name.beyond() + self.recents.bytes()
    }

    /// Takes in an event. One that is not newer than all is none that this store could have
    /// decided, and does nothing.
    pub(crate) fn evolve_appended(&mut self, at: Stamp, here: Place, appended: &Appended) {
        if appended.number <= self.last {
            return;
        }
        self.last = appended.number;
        self.events = self.events.saturating_add(1);
        if appended.number > self.indexed {
            self.recents.push(appended.number, Recent::of(at, here, appended));
        }
    }

    /// Lets go what the index has.
    pub(crate) fn evolve_indexed(&mut self, upto: EventNumber) {
        self.indexed = self.indexed.max(upto);
        self.recents.drop_upto(self.indexed);
    }
}
