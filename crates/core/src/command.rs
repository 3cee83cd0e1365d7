//! Commands (wishes) and replies, free of any wire format.

use bytes::Bytes;

use crate::broker::{BrokerCommand, BrokerReply};
use crate::events::{Append, AppendReply, EventStoreDescription, RecentEvents};
use crate::fact::Facts;
use crate::id::{BodyRef, EventNumber, Label, MessageId, Name, Position, QueueId, Seq, Text};
use crate::parts::Texts;
use crate::queue::{MoveTask, QueueKind, QueueSettings, SettingsPatch};
use crate::receipt::Receipt;
use crate::refusal::Refusal;
use crate::stamp::{Millis, Stamp};
use crate::subscription::{SubscriptionCommand, SubscriptionDescription};

/// A wish, decided in its place in the inbox.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Send a fact through the log and answer when it is durable.
    Canary,
    /// Create a queue; creating it again with the same settings finds it.
    CreateQueue {
        /// Its name.
        name: Name,
        /// Its kind.
        kind: QueueKind,
        /// The settings that were given; the others take their defaults.
        given: SettingsPatch,
        /// Its tags, if it is created now; one that is found keeps what it has.
        tags: Vec<(Label, Text)>,
    },
    /// Change settings.
    ChangeQueue {
        /// The queue.
        name: Name,
        /// What to change.
        patch: SettingsPatch,
        /// Only if this note has this text, or is not there: so that whoever has read a note can
        /// write it anew, and nobody else has in between.
        only_if: Option<(Label, Option<Text>)>,
    },
    /// Set tags; the last one of a key counts.
    TagQueue {
        /// The queue.
        name: Name,
        /// Keys with their values.
        tags: Vec<(Label, Text)>,
    },
    /// Take tags away; where there is none under a key, nothing is to do.
    UntagQueue {
        /// The queue.
        name: Name,
        /// The keys.
        keys: Vec<Label>,
    },
    /// Read tags.
    ListTags {
        /// The queue.
        name: Name,
    },
    /// The queues whose dead-letter rule names a queue, in the order of their names, a page at a time.
    ListSources {
        /// The queue that is named.
        name: Name,
        /// Only names after this one.
        after: Option<Name>,
        /// At most so many (bounded by `list_names_max`).
        limit: usize,
    },
    /// Move the messages that a dead-letter queue has now to another queue, or back to where each
    /// came from. It goes on by itself, and each message is in exactly one queue at any moment.
    StartMove {
        /// The queue that they are in.
        source: Name,
        /// Where to; without it, each to the queue that it was dead-lettered from.
        destination: Option<Name>,
        /// At most so many in any second; without it, as fast as goes well.
        rate: Option<u32>,
    },
    /// The last moves out of a queue, newest first.
    ListMoves {
        /// The queue that messages are moved out of.
        source: Name,
        /// At most so many.
        limit: usize,
    },
    /// Move no more; what was moved stays moved.
    CancelMove {
        /// The queue that messages are moved out of.
        source: Name,
        /// The task's id.
        task: MessageId,
    },
    /// Look at messages of a polled queue and change nothing.
    Peek {
        /// The queue.
        queue: Name,
        /// From this number on.
        from: Seq,
        /// At most so many (bounded by `peek_messages_max`).
        max: usize,
        /// Also those that are handed out.
        in_flight: bool,
        /// Also those whose delay has not passed.
        delayed: bool,
    },
    /// Delete a queue and everything in it.
    DeleteQueue {
        /// The queue.
        name: Name,
    },
    /// Delete everything in a queue.
    PurgeQueue {
        /// The queue.
        name: Name,
    },
    /// Read settings and counts.
    DescribeQueue {
        /// The queue.
        name: Name,
    },
    /// Does the queue exist?
    FindQueue {
        /// The queue.
        name: Name,
    },
    /// Names in order, from one prefix, a page at a time.
    ListQueues {
        /// Only names that start so.
        prefix: Name,
        /// Only names after this one.
        after: Option<Name>,
        /// At most so many (bounded by `list_names_max`).
        limit: usize,
    },
    /// Put a message into a polled queue.
    Send {
        /// The queue.
        queue: Name,
        /// The message.
        message: NewMessage,
    },
    /// Hand out messages of a polled queue.
    Receive {
        /// The queue.
        queue: Name,
        /// At most so many.
        max: usize,
        /// The lease's length; the queue's own when absent.
        visibility: Option<Millis>,
        /// How long to wait for a first message; the queue's own when absent.
        wait: Option<Millis>,
        /// An id under which a repeated call gets the same messages (FIFO).
        attempt: Option<Label>,
        /// Of each group one message at most (FIFO), so that the next one comes when this one is
        /// settled, and not in the same hands before.
        alone: bool,
    },
    /// Settle a message.
    Delete {
        /// The queue.
        queue: Name,
        /// The lease.
        receipt: Receipt,
    },
    /// Let a lease end at another time, counted from now.
    ChangeLease {
        /// The queue.
        queue: Name,
        /// The lease.
        receipt: Receipt,
        /// From now; zero gives the message back.
        timeout: Millis,
    },
    /// A command to a broker queue.
    Broker(BrokerCommand),
    /// Create an event store; creating it again finds it.
    CreateEventStore {
        /// Its name.
        name: Name,
    },
    /// Append events to streams of an event store, under conditions.
    Append(Box<Append>),
    /// The index has a store's events up to this number, durably: they need not be kept in memory
    /// any more. It is let go a step at a time ([`Reply::Indexed`]).
    Indexed {
        /// The event store.
        store: Name,
        /// Inclusive.
        upto: EventNumber,
    },
    /// The events after a number that the index does not have yet; waits while there are none.
    RecentEvents {
        /// The event store.
        store: Name,
        /// Exclusive.
        after: EventNumber,
        /// At most so many (bounded by `recent_page_max`).
        max: usize,
        /// How long to wait for a first one.
        wait: Millis,
    },
    /// How far an event store has come.
    DescribeEvents {
        /// The event store.
        name: Name,
    },
    /// A command to a subscription.
    Subscription(SubscriptionCommand),
    /// Move a message that is handed out to where dead letters go.
    Park {
        /// The queue.
        queue: Name,
        /// The lease.
        receipt: Receipt,
        /// Why.
        reason: Option<Text>,
    },
    /// Move dead letters back to where they came from, at most `move_step_max`.
    GiveBack {
        /// The queue that they are in.
        queue: Name,
        /// Their numbers in it.
        seqs: Vec<Seq>,
    },
}

impl Command {
    /// Whether it settles what was handed out; such commands are let in when others are throttled,
    /// since they make room.
    pub fn settles(&self) -> bool {
        match self {
            Command::Delete { .. }
            | Command::ChangeLease { .. }
            | Command::Park { .. }
            | Command::Indexed { .. }
            | Command::Canary => true,
            Command::Broker(command) => command.settles(),
            _ => false,
        }
    }

    /// Whether it makes what is kept larger; on a full disk only such commands are refused, so that
    /// consumers can look, receive and settle until there is room again.
    pub fn grows(&self) -> bool {
        match self {
            Command::Send { .. }
            | Command::CreateQueue { .. }
            | Command::ChangeQueue { .. }
            | Command::TagQueue { .. }
            | Command::StartMove { .. }
            | Command::CreateEventStore { .. }
            | Command::Append(_) => true,
            Command::Broker(command) => command.grows(),
            Command::Subscription(command) => command.grows(),
            _ => false,
        }
    }

    /// Bytes that it would add to the log beyond what any fact may take: bodies, notes and tags.
    pub fn body_len(&self) -> usize {
        let tags = |tags: &[(Label, Text)]| -> usize {
            tags.iter().map(|(key, value)| key.as_str().len() + value.as_str().len()).sum()
        };
        match self {
            Command::Send { message, .. } => message.body.len(),
            Command::CreateQueue { given, tags: all, .. } => given.note_bytes() + tags(all),
            Command::ChangeQueue { patch, .. } => patch.note_bytes(),
            Command::TagQueue { tags: all, .. } => tags(all),
            Command::Broker(command) => command.body_len(),
            Command::Append(append) => append.bytes(),
            Command::Subscription(command) => command.body_len(),
            Command::Park { reason: Some(reason), .. } => reason.as_str().len(),
            _ => 0,
        }
    }
}

/// A message on its way into a polled queue.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// The encoded payload; opaque to the queue.
    pub body: Bytes,
    /// Its size as the cloud counts it, in bytes: body, and names, types and values of attributes.
    pub size: u32,
    /// A delay of its own.
    pub delay: Option<Millis>,
    /// Its ordering group.
    pub group: Option<Label>,
    /// How it is recognised again.
    pub dedup: NewDedup,
}

/// How a sent message is recognised again.
#[derive(Clone, Debug, PartialEq)]
pub enum NewDedup {
    /// Not at all.
    None,
    /// By the id that the sender gave.
    Id(Label),
    /// By the digest of its body, if the queue says so.
    Content(Label),
}

/// What a decided command answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// It is done, and there is nothing more to say.
    Done,
    /// The queue exists (now).
    Queue {
        /// Its id.
        queue: QueueId,
    },
    /// A queue's description.
    Description(Box<Description>),
    /// A page of names.
    Names {
        /// In order.
        names: Vec<Name>,
        /// There are more after the last one.
        more: bool,
    },
    /// A message is in the queue, or was already.
    Sent {
        /// Its id: for a duplicate, the original's.
        id: MessageId,
        /// Its number: for a duplicate, the original's.
        seq: Seq,
        /// Whether the queue is ordered, and so the number means something.
        ordered: bool,
    },
    /// Messages handed out.
    Received(Vec<Delivery>),
    /// A queue's tags.
    Tags(Texts),
    /// Messages will be moved.
    MoveStarted {
        /// The task's id.
        task: MessageId,
    },
    /// Moves, newest first.
    Moves(Vec<MoveTask>),
    /// No more messages will be moved.
    MoveCancelled {
        /// So many were.
        moved: u64,
    },
    /// Messages as they stand, in the order of their numbers.
    Peeked {
        /// The messages.
        messages: Vec<Peeked>,
        /// There may be more, from this number on.
        next: Option<Seq>,
    },
    /// From a broker queue.
    Broker(BrokerReply),
    /// Events are in the store, or were already.
    Appended(AppendReply),
    /// What the index has need not be kept in memory any more.
    Indexed {
        /// So far; if that is not as far as was asked for, the rest is to be asked for again.
        upto: EventNumber,
    },
    /// Events that the index does not have.
    Recent(RecentEvents),
    /// An event store's description.
    Events(EventStoreDescription),
    /// A subscription's description.
    Subscription(Box<SubscriptionDescription>),
    /// A subscription's cursor.
    Advanced {
        /// Where it is; absent while there is no room for the messages on the way.
        upto: Option<EventNumber>,
    },
    /// Messages are in another queue now.
    Moved {
        /// How many.
        moved: u64,
    },
}

impl Reply {
    /// Whether a caller who is willing to wait would wait on after this reply.
    pub fn is_nothing_yet(&self) -> bool {
        match self {
            Reply::Received(deliveries) => deliveries.is_empty(),
            Reply::Broker(reply) => reply.is_nothing_yet(),
            Reply::Recent(recent) => recent.events.is_empty(),
            Reply::Advanced { upto } => upto.is_none(),
            _ => false,
        }
    }
}

/// One handed-out message of a polled queue. The body is named, and read after the decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its id.
    pub id: MessageId,
    /// Its number in the queue.
    pub seq: Seq,
    /// Whether the queue is ordered.
    pub ordered: bool,
    /// Where its body lies.
    pub body: BodyRef,
    /// The lease.
    pub receipt: Receipt,
    /// When it was sent.
    pub sent_at: Stamp,
    /// When it was first received.
    pub first_received_at: Stamp,
    /// How often it has been received in all queues, this time included.
    pub receives: u32,
    /// The queue that it was dead-lettered from.
    pub origin: Option<Name>,
}

/// One message of a polled queue as it stands. The body is named, and read after the decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Peeked {
    /// Its id.
    pub id: MessageId,
    /// Its number in the queue.
    pub seq: Seq,
    /// Whether the queue is ordered.
    pub ordered: bool,
    /// Where its body lies.
    pub body: BodyRef,
    /// When it was sent.
    pub sent_at: Stamp,
    /// How often it has been received in all queues.
    pub receives: u32,
    /// When it was first received.
    pub first_received_at: Option<Stamp>,
    /// The queue that it was dead-lettered from.
    pub origin: Option<Name>,
    /// Why it was given up there, if a receiver said so.
    pub reason: Option<Text>,
    /// Its group.
    pub group: Option<Label>,
    /// It cannot be received before this moment, as far as its delay and its lease say; in the past
    /// when it waits.
    pub visible_at: Stamp,
    /// The lease that runs.
    pub lease: Option<PeekedLease>,
}

/// A lease that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeekedLease {
    /// Its name.
    pub receipt: Receipt,
    /// When the message was handed out.
    pub since: Stamp,
    /// When it ends.
    pub until: Stamp,
}

/// A polled queue as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Standard or FIFO.
    pub kind: QueueKind,
    /// The settings in force.
    pub settings: QueueSettings,
    /// When it was created.
    pub created_at: Stamp,
    /// When its settings last changed.
    pub modified_at: Stamp,
    /// Messages that could be received.
    pub visible: usize,
    /// Messages handed out.
    pub in_flight: usize,
    /// Messages whose delay has not passed.
    pub delayed: usize,
}

/// What `decide` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What happens, for any resources, in one batch.
    pub facts: Facts,
    /// What the caller hears.
    pub answer: Result<Reply, Refusal>,
    /// The answer may leave when the log is durable up to here (exclusive).
    pub rests_on: Position,
}

impl Verdict {
    /// An answer without facts.
    pub fn says(answer: Result<Reply, Refusal>, rests_on: Position) -> Verdict {
        Verdict { facts: Facts::none(), answer, rests_on }
    }
}
