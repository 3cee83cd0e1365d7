//! Wishes of subscriptions, and what is said of them.

use std::sync::Arc;

use super::settings::SubscriptionSettings;
use crate::command::NewMessage;
use crate::id::{EventNumber, Name, QueueId};
use crate::stamp::{Millis, Stamp};

/// A wish about a subscription.
#[derive(Clone, Debug, PartialEq)]
pub enum SubscriptionCommand {
    /// Make it; making it again with the same settings finds it.
    Create {
        /// Its name.
        name: Name,
        /// What it is to be.
        settings: SubscriptionSettings,
    },
    /// Delete it, and the queues that it has of its own with all that is in them.
    Delete {
        /// The subscription.
        name: Name,
    },
    /// How far it has come.
    Describe {
        /// The subscription.
        name: Name,
    },
    /// Move the cursor, and put the messages that were made of the events on the way into its queue;
    /// both or neither. Waits while that queue is fuller than a subscription may make it.
    Advance {
        /// The subscription.
        name: Name,
        /// Where the cursor is believed to be.
        after: EventNumber,
        /// Where it goes.
        upto: EventNumber,
        /// In order; none if the subscription feeds nothing.
        messages: Arc<[NewMessage]>,
        /// How long to wait for room.
        wait: Millis,
    },
}

impl SubscriptionCommand {
    /// The subscription.
    pub fn name(&self) -> &Name {
        match self {
            SubscriptionCommand::Create { name, .. }
            | SubscriptionCommand::Delete { name }
            | SubscriptionCommand::Describe { name }
            | SubscriptionCommand::Advance { name, .. } => name,
        }
    }

    /// Whether it makes what is kept larger. A cursor that only moves does not.
    pub(crate) fn grows(&self) -> bool {
        match self {
            SubscriptionCommand::Create { .. } => true,
            SubscriptionCommand::Advance { messages, .. } => !messages.is_empty(),
            SubscriptionCommand::Delete { .. } | SubscriptionCommand::Describe { .. } => false,
        }
    }

    /// Bytes that it would add to the log beyond what any fact may take.
    pub(crate) fn body_len(&self) -> usize {
        match self {
            SubscriptionCommand::Create { settings, .. } => settings.text_bytes(),
            SubscriptionCommand::Advance { messages, .. } => {
                messages.iter().map(|message| message.body.len() + MESSAGE_FACT_BYTES).sum()
            }
            SubscriptionCommand::Delete { .. } | SubscriptionCommand::Describe { .. } => 0,
        }
    }
}

/// What a message takes in the log beside its body, at most about: its group is bounded.
const MESSAGE_FACT_BYTES: usize = 1200;

/// How far a subscription has come.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionDescription {
    /// Its id.
    pub id: QueueId,
    /// What it is set to.
    pub settings: SubscriptionSettings,
    /// When it was made.
    pub created_at: Stamp,
    /// Events up to this number, inclusive, are done with, or are messages.
    pub upto: EventNumber,
    /// When the cursor last moved.
    pub moved_at: Stamp,
    /// How many messages were made of events.
    pub fed: u64,
}
