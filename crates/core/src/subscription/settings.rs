//! What a subscription is set to, for ever.

use minicbor::{Decode, Encode};

use crate::events::Query;
use crate::id::{EventNumber, Name, Text};
use crate::parts::Weigh;
use crate::stamp::Millis;

/// What a subscription is of, and what for. The numbers are the format on disk.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct SubscriptionSettings {
    /// The event store.
    #[n(0)]
    pub store: Name,
    /// Which of its events.
    #[n(1)]
    pub query: Query,
    /// Only those after this number.
    #[n(2)]
    pub after: EventNumber,
    /// What is made of them.
    #[n(3)]
    pub feeds: Feeds,
    /// A word of whoever reads the events, such as what orders them; never looked into.
    #[n(4)]
    pub note: Option<Text>,
}

/// What is made of the events that match.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Feeds {
    /// Nothing: somebody reads them himself, and says how far he has come.
    #[n(0)]
    Nothing,
    /// Messages of a queue that anybody has made.
    #[n(1)]
    Queue(#[n(0)] Name),
    /// Messages of a FIFO queue of the subscription's own.
    #[n(2)]
    Workers(#[n(0)] Workers),
}

/// The queues of a subscription with competing workers; they come and go with it.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Workers {
    /// The queue that workers receive from.
    #[n(0)]
    pub queue: Name,
    /// The queue of what was given up.
    #[n(1)]
    pub parked: Name,
    /// How long a worker may take unless he says otherwise: 1 second to 12 hours.
    #[n(2)]
    pub lease: Millis,
    /// A message that was received so often is parked: 1 to 1,000.
    #[n(3)]
    pub attempts: u32,
}

impl Feeds {
    /// The queue that messages go to.
    pub fn queue(&self) -> Option<&Name> {
        match self {
            Feeds::Nothing => None,
            Feeds::Queue(queue) => Some(queue),
            Feeds::Workers(workers) => Some(&workers.queue),
        }
    }
}

impl SubscriptionSettings {
    /// Bytes of the texts that somebody wrote, names apart.
    pub(super) fn text_bytes(&self) -> usize {
        self.query.text_bytes() + self.note.as_ref().map_or(0, |note| note.as_str().len())
    }

    /// Bytes of its texts, about.
    pub(crate) fn bytes(&self) -> u64 {
        let queues = match &self.feeds {
            Feeds::Nothing => 0,
            Feeds::Queue(queue) => queue.beyond(),
            Feeds::Workers(workers) => workers.queue.beyond() + workers.parked.beyond(),
        };
        self.store.beyond() + self.query.bytes() + queues + self.note.beyond()
    }
}
