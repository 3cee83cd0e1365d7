//! What broker queues answer.

use minicbor::{Decode, Encode};

use super::command::SessionHolder;
use super::fact::DeadLetterCause;
use crate::id::{BodyRef, Label, MessageId, Seq};
use crate::receipt::Receipt;
use crate::stamp::{Millis, Stamp};

/// What a broker queue answers.
#[derive(Clone, Debug, PartialEq)]
pub enum BrokerReply {
    /// It is done, and there is nothing more to say.
    Done,
    /// A message is in the queue, or was already: for a duplicate, the original's id and number.
    Sent {
        /// Its id.
        id: MessageId,
        /// Its number; a scheduled message's number is good until it is enqueued.
        seq: Seq,
    },
    /// Messages handed out.
    Received(Vec<BrokerDelivery>),
    /// A session is held from now on.
    Accepted {
        /// The hold.
        holder: SessionHolder,
        /// Until then, unless renewed.
        until: Stamp,
    },
    /// No session is free that has a message to hand out.
    NoSession,
    /// A lock was renewed.
    LockedUntil(Stamp),
    /// A session's state.
    State(Option<BodyRef>),
    /// Messages looked at, in the order of their numbers.
    Peeked(Vec<BrokerMessage>),
}

impl BrokerReply {
    /// Whether a caller who is willing to wait would wait on after this reply.
    pub fn is_nothing_yet(&self) -> bool {
        match self {
            BrokerReply::Received(deliveries) => deliveries.is_empty(),
            BrokerReply::NoSession => true,
            BrokerReply::Done
            | BrokerReply::Sent { .. }
            | BrokerReply::Accepted { .. }
            | BrokerReply::LockedUntil(_)
            | BrokerReply::State(_)
            | BrokerReply::Peeked(_) => false,
        }
    }

    /// The bodies that the caller is to be given with it, in its order.
    pub fn bodies(&self) -> Vec<BodyRef> {
        match self {
            BrokerReply::Received(deliveries) => {
                deliveries.iter().map(|d| d.message.body).collect()
            }
            BrokerReply::Peeked(messages) => messages.iter().map(|m| m.body).collect(),
            BrokerReply::State(state) => state.iter().copied().collect(),
            BrokerReply::Done
            | BrokerReply::Sent { .. }
            | BrokerReply::Accepted { .. }
            | BrokerReply::NoSession
            | BrokerReply::LockedUntil(_) => Vec::new(),
        }
    }
}

/// A message handed out. Its body is named, and read after the decision.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerDelivery {
    /// The message as it stands with this hand-out.
    pub message: BrokerMessage,
    /// Its lock; absent when it is gone from the queue.
    pub lock: Option<BrokerLock>,
}

/// The lock under which a message was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokerLock {
    /// Its name.
    pub receipt: Receipt,
    /// Until then, unless renewed; in a session it is the session's lock.
    pub until: Stamp,
}

/// A message as a client sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerMessage {
    /// Its number in the queue, which it keeps as a dead letter.
    pub seq: Seq,
    /// Its id.
    pub id: MessageId,
    /// Where its body lies.
    pub body: BodyRef,
    /// Where it stands.
    pub state: MessageState,
    /// When it was enqueued; for a scheduled message, when it was accepted.
    pub enqueued_at: Stamp,
    /// How long it lives from then on; a dead letter outlives it.
    pub ttl: Option<Millis>,
    /// Its session.
    pub session: Option<Label>,
    /// Deliveries that failed so far: 0 at the first hand-out.
    pub failures: u32,
    /// Why and when it became a dead letter.
    pub dead: Option<DeadLetter>,
}

/// Where a message stands, whether or not it is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum MessageState {
    /// To be handed out in its turn.
    #[n(0)]
    Active,
    /// To be asked for by its number.
    #[n(1)]
    Deferred,
    /// To be enqueued later.
    #[n(2)]
    Scheduled {
        /// When.
        #[n(0)]
        at: Stamp,
    },
}

/// What is known of a dead letter.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct DeadLetter {
    /// Why.
    #[n(0)]
    pub cause: DeadLetterCause,
    /// Since when.
    #[n(1)]
    pub since: Stamp,
}
