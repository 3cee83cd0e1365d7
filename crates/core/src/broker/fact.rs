//! What happens in broker queues. Numbers are the format on disk, as in [`crate::fact`].

use minicbor::{Decode, Encode};

use super::settings::BrokerSettings;
use crate::fact::DedupMark;
use crate::id::{Epoch, Label, MessageId, Name, QueueId, Seq};
use crate::stamp::{Millis, Stamp};

/// One decided change of a broker queue.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum BrokerFact {
    /// The queue came to be.
    #[n(1)]
    Created(#[n(0)] BrokerCreated),
    /// A message joined the queue, or was scheduled; its body lies beside this fact.
    #[n(2)]
    Sent(#[n(0)] BrokerSent),
    /// A scheduled message was enqueued, as if sent at this moment.
    #[n(3)]
    Activated(#[n(0)] Activated),
    /// Scheduled messages were taken back by a client.
    #[n(4)]
    Cancelled(#[n(0)] SeveralMessages),
    /// Messages were handed out under a lock. A lock that they were under has run out: that
    /// delivery failed.
    #[n(5)]
    Locked(#[n(0)] Locked),
    /// Messages were handed out for good.
    #[n(6)]
    Taken(#[n(0)] SeveralMessages),
    /// A message was settled by its receiver, and is gone.
    #[n(7)]
    Completed(#[n(0)] OneMessage),
    /// A message was given back by its receiver: that delivery failed.
    #[n(8)]
    Abandoned(#[n(0)] OneMessage),
    /// A message was put aside by its receiver.
    #[n(9)]
    Deferred(#[n(0)] OneMessage),
    /// A message moved to the dead-letter sub-queue, where it keeps its number.
    #[n(10)]
    DeadLettered(#[n(0)] BrokerDeadLettered),
    /// A message outlived its time, and is gone.
    #[n(11)]
    Expired(#[n(0)] OneMessage),
    /// A message's own lock now ends at another time.
    #[n(12)]
    LockRenewed(#[n(0)] LockRenewed),
    /// A session has a holder. A lock that it was under has run out.
    #[n(13)]
    SessionAccepted(#[n(0)] SessionAccepted),
    /// A session's lock now ends at another time.
    #[n(14)]
    SessionRenewed(#[n(0)] SessionRenewed),
    /// A session was given up by its holder; what was handed out in it is as it was before.
    #[n(15)]
    SessionReleased(#[n(0)] OneSession),
    /// A session's lock has run out: what was handed out in it was not delivered.
    #[n(16)]
    SessionLapsed(#[n(0)] OneSession),
    /// A session's state was replaced; the new one lies beside this fact.
    #[n(17)]
    SessionStateSet(#[n(0)] SessionStateSet),
}

impl BrokerFact {
    /// The queue that it changes.
    pub fn queue(&self) -> QueueId {
        match self {
            BrokerFact::Created(f) => f.queue,
            BrokerFact::Sent(f) => f.queue,
            BrokerFact::Activated(f) => f.queue,
            BrokerFact::Cancelled(f) | BrokerFact::Taken(f) => f.queue,
            BrokerFact::Locked(f) => f.queue,
            BrokerFact::Completed(f)
            | BrokerFact::Abandoned(f)
            | BrokerFact::Deferred(f)
            | BrokerFact::Expired(f) => f.queue,
            BrokerFact::DeadLettered(f) => f.queue,
            BrokerFact::LockRenewed(f) => f.queue,
            BrokerFact::SessionAccepted(f) => f.queue,
            BrokerFact::SessionRenewed(f) => f.queue,
            BrokerFact::SessionReleased(f) | BrokerFact::SessionLapsed(f) => f.queue,
            BrokerFact::SessionStateSet(f) => f.queue,
        }
    }
}

/// See [`BrokerFact::Created`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct BrokerCreated {
    /// Its id.
    #[n(0)]
    pub queue: QueueId,
    /// Its name, unused at this moment.
    #[n(1)]
    pub name: Name,
    /// All settings.
    #[n(2)]
    pub settings: BrokerSettings,
}

/// See [`BrokerFact::Sent`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct BrokerSent {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The message's number in it.
    #[n(1)]
    pub seq: Seq,
    /// The message's id.
    #[n(2)]
    pub id: MessageId,
    /// Length in bytes of the body beside this fact.
    #[n(3)]
    pub len: u32,
    /// Its session (always on session queues, never on others).
    #[n(4)]
    pub session: Option<Label>,
    /// How long it lives once enqueued: the shorter of its own and the queue's.
    #[n(5)]
    pub ttl: Option<Millis>,
    /// Not enqueued yet, but to be at this moment.
    #[n(6)]
    pub scheduled_at: Option<Stamp>,
    /// The message id to remember.
    #[n(7)]
    pub dedup: Option<DedupMark>,
}

/// See [`BrokerFact::Activated`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Activated {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The number that it had while scheduled.
    #[n(1)]
    pub seq: Seq,
    /// Its number from here on.
    #[n(2)]
    pub to: Seq,
}

/// Messages of a queue, named.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct SeveralMessages {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The messages.
    #[n(1)]
    pub seqs: Vec<Seq>,
}

/// See [`BrokerFact::Locked`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Locked {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The owner that handed out; with the message's count of hand-outs it names the lock.
    #[n(1)]
    pub epoch: Epoch,
    /// From this moment on the lock has run out; absent: it is the lock of the messages' session.
    #[n(2)]
    pub until: Option<Stamp>,
    /// The messages.
    #[n(3)]
    pub seqs: Vec<Seq>,
}

/// A message of a queue, named.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct OneMessage {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The message.
    #[n(1)]
    pub seq: Seq,
}

/// See [`BrokerFact::DeadLettered`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct BrokerDeadLettered {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The message.
    #[n(1)]
    pub seq: Seq,
    /// Why.
    #[n(2)]
    pub cause: DeadLetterCause,
    /// Its count of failed deliveries, the last one included.
    #[n(3)]
    pub failures: u32,
}

/// Why a message became a dead letter.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum DeadLetterCause {
    /// As many deliveries failed as the queue allows.
    #[n(0)]
    DeliveriesExhausted,
    /// It outlived its time.
    #[n(1)]
    Expired,
    /// Its receiver said so.
    #[n(2)]
    Receiver {
        /// The reason, in short.
        #[n(0)]
        reason: Option<Label>,
        /// More about it.
        #[n(1)]
        description: Option<Label>,
    },
}

/// See [`BrokerFact::LockRenewed`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct LockRenewed {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The message.
    #[n(1)]
    pub seq: Seq,
    /// The lock's new end.
    #[n(2)]
    pub until: Stamp,
}

/// See [`BrokerFact::SessionAccepted`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct SessionAccepted {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The session.
    #[n(1)]
    pub session: Label,
    /// The owner that granted the hold.
    #[n(2)]
    pub epoch: Epoch,
    /// The queue's count of holds with this one.
    #[n(3)]
    pub hold: u64,
    /// From this moment on the lock has run out.
    #[n(4)]
    pub until: Stamp,
}

/// See [`BrokerFact::SessionRenewed`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct SessionRenewed {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The session.
    #[n(1)]
    pub session: Label,
    /// The lock's new end.
    #[n(2)]
    pub until: Stamp,
}

/// A session of a queue, named.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct OneSession {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The session.
    #[n(1)]
    pub session: Label,
}

/// See [`BrokerFact::SessionStateSet`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct SessionStateSet {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The session.
    #[n(1)]
    pub session: Label,
    /// Length in bytes of the state beside this fact; absent: the state was cleared.
    #[n(2)]
    pub len: Option<u32>,
}
