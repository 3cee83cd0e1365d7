//! One resource at one place of the log.

use minicbor::{Decode, Encode};

use super::block::{Block, BlockKey, Blocks, SnapshotError};
use crate::broker::{BrokerMain, BrokerSnapshot};
use crate::events::{EventsMain, EventsSnapshot};
use crate::id::{Place, QueueId};
use crate::partition::Kind;
use crate::queue::{QueueMain, QueueSnapshot};
use crate::stamp::Stamp;
use crate::subscription::SubscriptionMain;

/// A resource as it stood. It shares memory with the resource, and keeps what that changes later
/// alive, so it should not be kept for long; dropping it may take long.
#[derive(Clone, Debug)]
pub struct ResourceSnapshot {
    id: QueueId,
    changed: Place,
    kind: KindSnapshot,
}

#[derive(Clone, Debug)]
enum KindSnapshot {
    Polled(QueueSnapshot),
    Broker(BrokerSnapshot),
    Events(EventsSnapshot),
    Subscription(Box<SubscriptionMain>),
}

/// The main block. The numbers are the format on disk.
#[derive(Encode, Decode)]
struct Main {
    #[n(0)]
    changed: Place,
    #[n(1)]
    kind: KindMain,
}

#[derive(Encode, Decode)]
enum KindMain {
    #[n(1)]
    Polled(#[n(0)] QueueMain),
    #[n(2)]
    Broker(#[n(0)] BrokerMain),
    #[n(3)]
    Events(#[n(0)] EventsMain),
    #[n(4)]
    Subscription(#[n(0)] Box<SubscriptionMain>),
}

impl ResourceSnapshot {
    pub(crate) fn new(id: QueueId, changed: Place, kind: &Kind) -> ResourceSnapshot {
        let kind = match kind {
            Kind::Polled(queue) => KindSnapshot::Polled(queue.snapshot()),
            Kind::Broker(queue) => KindSnapshot::Broker(queue.snapshot()),
            Kind::Events(store) => KindSnapshot::Events(store.snapshot()),
            Kind::Subscription(found) => KindSnapshot::Subscription(Box::new(found.snapshot())),
        };
        ResourceSnapshot { id, changed, kind }
    }

    /// The resource.
    pub fn id(&self) -> QueueId {
        self.id
    }

    /// The place after the last fact that changed the resource, soft ones too; it reflects all of
    /// its facts before.
    pub fn changed(&self) -> Place {
        self.changed
    }

    /// How many pointers taking it copied; one for up to 16,384 messages.
    pub fn weight(&self) -> usize {
        1 + match &self.kind {
            KindSnapshot::Polled(queue) => queue.weight(),
            KindSnapshot::Broker(queue) => queue.weight(),
            KindSnapshot::Events(store) => store.weight(),
            KindSnapshot::Subscription(_) => 1,
        }
    }

    /// It as blocks, in the order of their keys, each encoded as it is asked for. A resource that
    /// has not changed gives the same bytes again.
    pub fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
        let main = std::iter::once_with(|| self.main_block());
        let chunks: Blocks<'_> = match &self.kind {
            KindSnapshot::Polled(queue) => queue.blocks(self.id),
            KindSnapshot::Broker(queue) => queue.blocks(self.id),
            KindSnapshot::Events(store) => store.blocks(self.id),
            KindSnapshot::Subscription(_) => Box::new(std::iter::empty()),
        };
        main.chain(chunks)
    }

    fn main_block(&self) -> Block {
        let kind = match &self.kind {
            KindSnapshot::Polled(queue) => KindMain::Polled(queue.main().clone()),
            KindSnapshot::Broker(queue) => KindMain::Broker(queue.main().clone()),
            KindSnapshot::Events(store) => KindMain::Events(store.main().clone()),
            KindSnapshot::Subscription(main) => KindMain::Subscription(main.clone()),
        };
        Block::new(BlockKey::main(self.id), &Main { changed: self.changed, kind })
    }

    /// Where the bodies lie that it still needs: those of its messages, and states of sessions.
    pub fn bodies(&self) -> impl Iterator<Item = Place> + '_ {
        let bodies: Box<dyn Iterator<Item = Place>> = match &self.kind {
            KindSnapshot::Polled(queue) => queue.bodies(),
            KindSnapshot::Broker(queue) => queue.bodies(),
            KindSnapshot::Events(_) | KindSnapshot::Subscription(_) => Box::new(std::iter::empty()),
        };
        bodies
    }

    /// Whether it needs, beside [`ResourceSnapshot::bodies`], every body that a fact of its ever
    /// brought: an event store does, and knows no places; its index does.
    pub fn holds_all(&self) -> bool {
        match &self.kind {
            KindSnapshot::Polled(_) | KindSnapshot::Broker(_) | KindSnapshot::Subscription(_) => {
                false
            }
            KindSnapshot::Events(_) => true,
        }
    }

    pub(crate) fn of_main_block(block: &Block) -> Result<ResourceSnapshot, SnapshotError> {
        let Main { changed, kind } = block.content()?;
        let kind = match kind {
            KindMain::Polled(main) => KindSnapshot::Polled(QueueSnapshot::of(main)),
            KindMain::Broker(main) => KindSnapshot::Broker(BrokerSnapshot::of(main)),
            KindMain::Events(main) => KindSnapshot::Events(EventsSnapshot::of(main)),
            KindMain::Subscription(main) => KindSnapshot::Subscription(main),
        };
        Ok(ResourceSnapshot { id: block.key.queue, changed, kind })
    }

    pub(crate) fn add(&mut self, block: &Block) -> Result<(), SnapshotError> {
        match &mut self.kind {
            KindSnapshot::Polled(queue) => queue.add(block),
            KindSnapshot::Broker(queue) => queue.add(block),
            KindSnapshot::Events(store) => store.add(block),
            KindSnapshot::Subscription(_) => Err(block.misplaced()),
        }
    }

    /// The resource again, as of a moment when this was not yet in the past.
    pub(crate) fn restored(self, at: Stamp) -> (QueueId, Place, Kind) {
        let kind = match self.kind {
            KindSnapshot::Polled(queue) => Kind::Polled(Box::new(queue.restored(at))),
            KindSnapshot::Broker(queue) => Kind::Broker(Box::new(queue.restored())),
            KindSnapshot::Events(store) => Kind::Events(Box::new(store.restored())),
            KindSnapshot::Subscription(main) => Kind::Subscription(Box::new(main.restored())),
        };
        (self.id, self.changed, kind)
    }
}
