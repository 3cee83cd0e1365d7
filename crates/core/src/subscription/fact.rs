//! What happens to subscriptions. The numbers are the format on disk.

use minicbor::{Decode, Encode};

use super::settings::SubscriptionSettings;
use crate::id::{EventNumber, Name, QueueId};

/// See [`crate::fact::Fact::Subscribed`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Subscribed {
    /// Its id.
    #[n(0)]
    pub subscription: QueueId,
    /// Its name, unused at this moment.
    #[n(1)]
    pub name: Name,
    /// What it is set to.
    #[n(2)]
    pub settings: SubscriptionSettings,
}

/// See [`crate::fact::Fact::Advanced`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Advanced {
    /// The subscription.
    #[n(0)]
    pub subscription: QueueId,
    /// Where its cursor is from now on.
    #[n(1)]
    pub upto: EventNumber,
    /// How many messages stand before this fact that were made of the events on the way.
    #[n(2)]
    pub messages: u32,
}
