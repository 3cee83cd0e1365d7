//! The facts: what a partition's log says happened. Everything else is a function of these.
//!
//! The numbers are the format on disk (`docs/format.md`): a number, of a fact or of a field, is
//! never given another meaning, and a field that comes later is an `Option`.

use bytes::Bytes;
use minicbor::{Decode, Encode};

use crate::broker::BrokerFact;
use crate::events::{Appended, EventStoreCreated, Indexed};
use crate::id::{BodyRef, Epoch, Label, MessageId, Name, Place, QueueId, Seq, Text};
use crate::queue::{MoveStatus, QueueKind, QueueSettings, Scope};
use crate::stamp::{Millis, Stamp};
use crate::subscription::{Advanced, Subscribed};

/// One decided change.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Fact {
    /// An owner took the partition over; the first fact of each epoch.
    #[n(1)]
    Opened(#[n(0)] Opened),
    /// Steerable time was moved.
    #[n(2)]
    ClockMoved(#[n(0)] ClockMoved),
    /// Went through the log to show that it can.
    #[n(3)]
    Canary,
    /// A polled queue (standard or FIFO) came to be.
    #[n(10)]
    QueueCreated(#[n(0)] QueueCreated),
    /// A polled queue's settings were replaced.
    #[n(11)]
    QueueChanged(#[n(0)] QueueChanged),
    /// A queue of any kind is gone with all its messages.
    #[n(12)]
    QueueDeleted(#[n(0)] QueueDeleted),
    /// Everything that a polled queue held is gone; the queue stays.
    #[n(13)]
    QueuePurged(#[n(0)] QueuePurged),
    /// A message joined a polled queue; its body lies beside this fact.
    #[n(14)]
    Sent(#[n(0)] Sent),
    /// Messages of a polled queue were handed out.
    #[n(15)]
    Leased(#[n(0)] Leased),
    /// One lease now ends at another time.
    #[n(16)]
    LeaseChanged(#[n(0)] LeaseChanged),
    /// A message was settled by its receiver.
    #[n(17)]
    Deleted(#[n(0)] Deleted),
    /// A message moved from one polled queue to another.
    #[n(18)]
    DeadLettered(#[n(0)] DeadLettered),
    /// The oldest messages of a polled queue outlived its retention.
    #[n(19)]
    Expired(#[n(0)] Expired),
    /// A polled queue's tags were changed.
    #[n(20)]
    QueueTagged(#[n(0)] QueueTagged),
    /// The messages of a polled queue are to be moved to where they came from, or to another queue.
    #[n(21)]
    MoveStarted(#[n(0)] MoveStarted),
    /// A message was moved so.
    #[n(22)]
    Moved(#[n(0)] Moved),
    /// Messages that could not be moved were passed over.
    #[n(23)]
    MovePassed(#[n(0)] MovePassed),
    /// No more messages are to be moved.
    #[n(24)]
    MoveCancelled(#[n(0)] MoveCancelled),
    /// No more messages will be moved.
    #[n(25)]
    MoveEnded(#[n(0)] MoveEnded),
    /// What happened in a broker queue.
    #[n(40)]
    Broker(#[n(0)] BrokerFact),
    /// An event store came to be.
    #[n(60)]
    EventStoreCreated(#[n(0)] EventStoreCreated),
    /// An event was appended; its body lies beside this fact. The events of one append stand one
    /// behind the other in one batch.
    #[n(61)]
    Appended(#[n(0)] Appended),
    /// The index has a store's events, and will not lose them.
    #[n(62)]
    Indexed(#[n(0)] Indexed),
    /// A subscription to the events of a store came to be, behind the queues that are its own.
    #[n(63)]
    Subscribed(#[n(0)] Subscribed),
    /// A subscription's cursor moved, behind the messages that were made of the events on the way.
    #[n(64)]
    Advanced(#[n(0)] Advanced),
}

impl Fact {
    /// A standard queue's lease: written with the next batch, and no answer waits for it.
    pub fn is_soft(&self) -> bool {
        matches!(self, Fact::Leased(leased) if leased.soft)
    }

    /// Whether the body that it brings matters for ever: an event's, which is history.
    pub fn keeps_its_body(&self) -> bool {
        matches!(self, Fact::Appended(_))
    }

    /// The queue that it takes messages out of.
    pub fn frees(&self) -> Option<QueueId> {
        match self {
            Fact::QueueDeleted(f) => Some(f.queue),
            Fact::QueuePurged(f) => Some(f.queue),
            Fact::Deleted(f) => Some(f.queue),
            Fact::DeadLettered(f) => Some(f.from),
            Fact::Expired(f) => Some(f.queue),
            Fact::Moved(f) => Some(f.from),
            _ => None,
        }
    }

    /// The queues that this fact changes: itself, and the other side of a move.
    pub fn queues(&self) -> [Option<QueueId>; 2] {
        match self {
            Fact::Opened(_) | Fact::ClockMoved(_) | Fact::Canary => [None, None],
            Fact::QueueCreated(f) => [Some(f.queue), None],
            Fact::QueueChanged(f) => [Some(f.queue), None],
            Fact::QueueDeleted(f) => [Some(f.queue), None],
            Fact::QueuePurged(f) => [Some(f.queue), None],
            Fact::Sent(f) => [Some(f.queue), None],
            Fact::Leased(f) => [Some(f.queue), None],
            Fact::LeaseChanged(f) => [Some(f.queue), None],
            Fact::Deleted(f) => [Some(f.queue), None],
            Fact::DeadLettered(f) => [Some(f.from), Some(f.to)],
            Fact::Expired(f) => [Some(f.queue), None],
            Fact::QueueTagged(f) => [Some(f.queue), None],
            Fact::MoveStarted(f) => [Some(f.queue), None],
            Fact::Moved(f) => [Some(f.from), Some(f.to)],
            Fact::MovePassed(f) => [Some(f.queue), None],
            Fact::MoveCancelled(f) => [Some(f.queue), None],
            Fact::MoveEnded(f) => [Some(f.queue), None],
            Fact::Broker(f) => [Some(f.queue()), None],
            Fact::EventStoreCreated(f) => [Some(f.store), None],
            Fact::Appended(f) => [Some(f.store), None],
            Fact::Indexed(f) => [Some(f.store), None],
            Fact::Subscribed(f) => [Some(f.subscription), None],
            Fact::Advanced(f) => [Some(f.subscription), None],
        }
    }
}

/// See [`Fact::Opened`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Opened {
    /// One more than the epoch before.
    #[n(0)]
    pub epoch: Epoch,
    /// How far steerable time stands ahead of the machine's.
    #[n(1)]
    pub offset: Millis,
}

/// See [`Fact::ClockMoved`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct ClockMoved {
    /// How far steerable time stands ahead of the machine's, in all.
    #[n(0)]
    pub offset: Millis,
}

/// See [`Fact::QueueCreated`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct QueueCreated {
    /// Its id.
    #[n(0)]
    pub queue: QueueId,
    /// Its name, unused at this moment.
    #[n(1)]
    pub name: Name,
    /// Standard or FIFO, for ever.
    #[n(2)]
    pub kind: QueueKind,
    /// All settings, defaults filled in.
    #[n(3)]
    pub settings: QueueSettings,
    /// Its tags.
    #[n(4)]
    pub tags: Option<Vec<(Label, Text)>>,
}

/// See [`Fact::QueueChanged`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct QueueChanged {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// All settings as they are from here on.
    #[n(1)]
    pub settings: QueueSettings,
}

/// See [`Fact::QueueDeleted`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct QueueDeleted {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
}

/// See [`Fact::QueuePurged`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct QueuePurged {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
}

/// See [`Fact::Sent`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Sent {
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
    /// When it may first be received (standard queues; FIFO queues delay as a whole).
    #[n(4)]
    pub visible_at: Stamp,
    /// The ordering group (always on FIFO queues).
    #[n(5)]
    pub group: Option<Label>,
    /// The deduplication id to remember.
    #[n(6)]
    pub dedup: Option<DedupMark>,
    /// Where that id counts; in the whole queue when absent.
    #[n(7)]
    pub dedup_scope: Option<Scope>,
}

/// A deduplication id and how long it counts.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct DedupMark {
    /// The id as the sender gave it, or the digest of the body.
    #[n(0)]
    pub key: Label,
    /// From this moment on the id is free again.
    #[n(1)]
    pub until: Stamp,
}

/// See [`Fact::Leased`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Leased {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The owner that handed out; with the message's count of receives it names the lease.
    #[n(1)]
    pub epoch: Epoch,
    /// From this moment on the messages can be received again.
    #[n(2)]
    pub until: Stamp,
    /// The messages.
    #[n(3)]
    pub seqs: Vec<Seq>,
    /// A promise that need not outlive a crash (standard queues).
    #[n(4)]
    pub soft: bool,
    /// The receive's own id, to be answered again in the same way.
    #[n(5)]
    pub attempt: Option<DedupMark>,
}

/// See [`Fact::LeaseChanged`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct LeaseChanged {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The message.
    #[n(1)]
    pub seq: Seq,
    /// The lease's new end; a moment that is not after the batch's own ends it now.
    #[n(2)]
    pub until: Stamp,
}

/// See [`Fact::Deleted`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Deleted {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The message.
    #[n(1)]
    pub seq: Seq,
}

/// See [`Fact::DeadLettered`]. It carries all that the receiving side needs, so that each side is a
/// function of this fact and itself alone.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct DeadLettered {
    /// The queue that gives it up.
    #[n(0)]
    pub from: QueueId,
    /// Its number there.
    #[n(1)]
    pub seq: Seq,
    /// The queue that takes it.
    #[n(2)]
    pub to: QueueId,
    /// Its number there.
    #[n(3)]
    pub to_seq: Seq,
    /// Its id, which it keeps.
    #[n(4)]
    pub id: MessageId,
    /// Its body, which stays where it is.
    #[n(5)]
    pub body: BodyRef,
    /// When it was sent (standard queues keep it, FIFO queues start anew).
    #[n(6)]
    pub sent_at: Stamp,
    /// How often it was received so far, in all queues.
    #[n(7)]
    pub receives: u32,
    /// When it was first received.
    #[n(8)]
    pub first_received_at: Option<Stamp>,
    /// Its ordering group.
    #[n(9)]
    pub group: Option<Label>,
    /// The name of the queue that gives it up.
    #[n(10)]
    pub origin: Name,
    /// Why, if a receiver gave it up; absent: it was received too often.
    #[n(11)]
    pub reason: Option<Text>,
}

/// See [`Fact::Expired`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Expired {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// The last message, in order of (sent, number), that is gone; all before it are too.
    #[n(1)]
    pub sent_at: Stamp,
    /// Its number.
    #[n(2)]
    pub seq: Seq,
}

/// See [`Fact::QueueTagged`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct QueueTagged {
    /// The queue.
    #[n(0)]
    pub queue: QueueId,
    /// Tags that it has from now on, whatever it had under these keys.
    #[n(1)]
    pub set: Vec<(Label, Text)>,
    /// Keys that it has no tags under any more.
    #[n(2)]
    pub removed: Vec<Label>,
}

/// See [`Fact::MoveStarted`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct MoveStarted {
    /// The queue whose messages are to be moved.
    #[n(0)]
    pub queue: QueueId,
    /// The task's id.
    #[n(1)]
    pub task: MessageId,
    /// The last number that a message of the queue has; later ones stay.
    #[n(2)]
    pub last: Seq,
    /// How many messages could be received at this moment.
    #[n(3)]
    pub to_move: u64,
    /// Where to; absent: each to the queue that it was dead-lettered from.
    #[n(4)]
    pub destination: Option<Name>,
    /// At most so many a second.
    #[n(5)]
    pub rate: Option<u32>,
}

/// See [`Fact::Moved`]. It carries all that the receiving side needs, so that each side is a function
/// of this fact and itself alone. There the message is a new one, sent at this moment.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Moved {
    /// The queue that gives it.
    #[n(0)]
    pub from: QueueId,
    /// Its number there.
    #[n(1)]
    pub seq: Seq,
    /// The queue that takes it.
    #[n(2)]
    pub to: QueueId,
    /// Its number there.
    #[n(3)]
    pub to_seq: Seq,
    /// The task of the queue that gives it.
    #[n(4)]
    pub task: MessageId,
    /// Its new id.
    #[n(5)]
    pub id: MessageId,
    /// Its body, which stays where it is.
    #[n(6)]
    pub body: BodyRef,
    /// When it may first be received (standard queues; FIFO queues delay as a whole).
    #[n(7)]
    pub visible_at: Stamp,
    /// Its ordering group.
    #[n(8)]
    pub group: Option<Label>,
}

/// See [`Fact::MovePassed`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct MovePassed {
    /// The queue whose messages are being moved.
    #[n(0)]
    pub queue: QueueId,
    /// The task.
    #[n(1)]
    pub task: MessageId,
    /// The last number that was passed over.
    #[n(2)]
    pub seq: Seq,
}

/// See [`Fact::MoveCancelled`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct MoveCancelled {
    /// The queue whose messages are being moved.
    #[n(0)]
    pub queue: QueueId,
    /// The task.
    #[n(1)]
    pub task: MessageId,
}

/// See [`Fact::MoveEnded`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct MoveEnded {
    /// The queue whose messages were moved.
    #[n(0)]
    pub queue: QueueId,
    /// The task.
    #[n(1)]
    pub task: MessageId,
    /// How it stands from now on.
    #[n(2)]
    pub status: MoveStatus,
}

/// Facts in order, with the bodies that some of them bring.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The facts.
    pub facts: Vec<Fact>,
    /// Bodies by the index of their fact, ascending.
    pub bodies: Vec<(u32, Bytes)>,
}

impl Facts {
    /// No facts.
    pub fn none() -> Facts {
        Facts::default()
    }

    /// One fact without a body.
    pub fn one(fact: Fact) -> Facts {
        Facts { facts: vec![fact], bodies: Vec::new() }
    }

    /// One fact with its body.
    pub fn one_with_body(fact: Fact, body: Bytes) -> Facts {
        Facts { facts: vec![fact], bodies: vec![(0, body)] }
    }

    /// Adds a fact without a body.
    pub fn push(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// Adds a fact with its body.
    pub fn push_with_body(&mut self, fact: Fact, body: Bytes) {
        let index = u32::try_from(self.facts.len()).unwrap_or(u32::MAX);
        self.bodies.push((index, body));
        self.facts.push(fact);
    }

    /// Appends `more`, whose bodies then count from here.
    pub fn extend(&mut self, more: Facts) {
        let base = u32::try_from(self.facts.len()).unwrap_or(u32::MAX);
        self.bodies.extend(more.bodies.into_iter().map(|(i, b)| (base.saturating_add(i), b)));
        self.facts.extend(more.facts);
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// How many facts.
    pub fn len(&self) -> usize {
        self.facts.len()
    }
}

/// The log's unit: facts decided at one moment, written as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The moment.
    pub at: Stamp,
    /// What was decided.
    pub facts: Facts,
}

impl Batch {
    /// Each fact with the place where it stands when the batch is at `position`.
    pub fn places(&self, position: crate::id::Position) -> impl Iterator<Item = (Place, &Fact)> {
        let start = Place { position, index: 0 };
        self.facts.facts.iter().enumerate().map(move |(i, fact)| (start.plus(i), fact))
    }
}
