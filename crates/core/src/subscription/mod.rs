//! Durable subscriptions to the events of a store: how far somebody has come, and what is made of
//! the events on the way there.
//!
//! A [`Subscription`] is a cursor ([`Subscription::upto`]). Whoever reads the events that match says
//! how far he has come, and the cursor moves only from where he believed it to be. On the way the
//! events may be put into a queue, in the same batch as the cursor's step, so that none is missing
//! there and none comes twice: into a queue of anybody, or into one of the subscription's own that
//! competing workers share, with one beside it for what was parked. Those are FIFO queues like any
//! other: order per key, leases, attempts and dead letters are theirs
//! (`docs/adr/0010-subscriptions.md`).

mod command;
mod fact;
mod refusal;
mod settings;
mod snapshot;
#[cfg(test)]
mod tests;

pub use command::{SubscriptionCommand, SubscriptionDescription};
pub use fact::{Advanced, Subscribed};
pub use refusal::SubscriptionRefusal;
pub use settings::{Feeds, SubscriptionSettings, Workers};

pub(crate) use snapshot::SubscriptionMain;

use crate::id::{EventNumber, Name, QueueId};
use crate::parts::Weigh;
use crate::stamp::Stamp;

/// How far somebody has come with the events of a store.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    name: Name,
    created_at: Stamp,
    settings: SubscriptionSettings,
    upto: EventNumber,
    /// When the cursor last moved.
    moved_at: Stamp,
    /// How many messages were made of events.
    fed: u64,
}

/// Bytes of a subscription without its texts.
const OWN_BYTES: u64 = 500;

impl Subscription {
    /// The subscription as it comes to be.
    pub fn created(at: Stamp, fact: &Subscribed) -> Subscription {
        let settings = fact.settings.clone();
        let (name, upto) = (fact.name.clone(), settings.after);
        Subscription { name, created_at: at, settings, upto, moved_at: at, fed: 0 }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it is set to.
    pub fn settings(&self) -> &SubscriptionSettings {
        &self.settings
    }

    /// Events up to this number, inclusive, are done with.
    pub fn upto(&self) -> EventNumber {
        self.upto
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn bytes(&self) -> u64 {
        OWN_BYTES + self.name.beyond() + self.settings.bytes()
    }

    /// The cursor is elsewhere from now on.
    pub(crate) fn advanced(&mut self, at: Stamp, fact: &Advanced) {
        self.upto = fact.upto;
        self.moved_at = at;
        self.fed = self.fed.saturating_add(u64::from(fact.messages));
    }

    pub(crate) fn describe(&self, id: QueueId) -> SubscriptionDescription {
        SubscriptionDescription {
            id,
            settings: self.settings.clone(),
            created_at: self.created_at,
            upto: self.upto,
            moved_at: self.moved_at,
            fed: self.fed,
        }
    }
}
