//! A subscription in a checkpoint: all of it is in its main block.

use minicbor::{Decode, Encode};

use super::Subscription;
use super::settings::SubscriptionSettings;
use crate::id::{EventNumber, Name};
use crate::stamp::Stamp;

/// A subscription whole. The numbers are the format on disk.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct SubscriptionMain {
    #[n(0)]
    name: Name,
    #[n(1)]
    created_at: Stamp,
    #[n(2)]
    settings: SubscriptionSettings,
    #[n(3)]
    upto: EventNumber,
    #[n(4)]
    moved_at: Stamp,
    #[n(5)]
    fed: u64,
}

impl Subscription {
    pub(crate) fn snapshot(&self) -> SubscriptionMain {
        let Subscription { name, created_at, settings, upto, moved_at, fed } = self.clone();
        SubscriptionMain { name, created_at, settings, upto, moved_at, fed }
    }
}

impl SubscriptionMain {
    pub(crate) fn restored(self) -> Subscription {
        let SubscriptionMain { name, created_at, settings, upto, moved_at, fed } = self;
        Subscription { name, created_at, settings, upto, moved_at, fed }
    }
}
