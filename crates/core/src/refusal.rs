//! How the domain says no: values, not errors. Each face maps the families that it uses without a
//! wildcard, so that a new refusal does not compile until each face says what its cloud would say.

use crate::broker::BrokerRefusal;
use crate::events::EventRefusal;
use crate::id::{Label, Name};
use crate::stamp::Millis;
use crate::subscription::SubscriptionRefusal;

/// A refusal of any family.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// From a standard or FIFO queue.
    Queue(QueueRefusal),
    /// From a broker queue.
    Broker(BrokerRefusal),
    /// From an event store.
    Events(EventRefusal),
    /// From a subscription.
    Subscription(SubscriptionRefusal),
}

impl From<EventRefusal> for Refusal {
    fn from(refusal: EventRefusal) -> Refusal {
        Refusal::Events(refusal)
    }
}

impl From<QueueRefusal> for Refusal {
    fn from(refusal: QueueRefusal) -> Refusal {
        Refusal::Queue(refusal)
    }
}

impl From<BrokerRefusal> for Refusal {
    fn from(refusal: BrokerRefusal) -> Refusal {
        Refusal::Broker(refusal)
    }
}

/// Why a polled queue says no.
#[derive(Clone, Debug, PartialEq)]
pub enum QueueRefusal {
    /// No queue has this name.
    Missing {
        /// The name asked for.
        name: Name,
    },
    /// A queue has this name, and differs in the named setting.
    ExistsOtherwise {
        /// The name.
        name: Name,
        /// The first setting that differs.
        setting: Setting,
    },
    /// A queue of this name was deleted a moment ago.
    DeletedRecently {
        /// How long names rest.
        pause: Millis,
    },
    /// A purge ran a moment ago.
    PurgedRecently {
        /// The queue.
        name: Name,
        /// How long purges rest.
        pause: Millis,
    },
    /// The dead-letter rule names a queue that is not there.
    DeadLetterTargetMissing {
        /// The name.
        name: Name,
    },
    /// The dead-letter rule names a queue of another kind.
    DeadLetterTargetKind {
        /// The name.
        name: Name,
    },
    /// The message is larger than the queue takes.
    MessageTooLong {
        /// The queue's limit in bytes.
        limit: u32,
    },
    /// A FIFO queue needs an ordering group.
    GroupRequired,
    /// A FIFO queue takes no delay of a single message.
    MessageDelayOnFifo {
        /// The delay asked for.
        delay: Millis,
    },
    /// Neither a deduplication id nor content-based deduplication.
    DedupRequired,
    /// A deduplication id on a standard queue.
    DedupOnStandard,
    /// The receipt is none of this queue's.
    ReceiptOfAnotherQueue,
    /// The lease that the receipt names has ended (FIFO).
    LeaseEnded,
    /// The message is not handed out at the moment.
    NotInFlight,
    /// There is no such message, or a newer lease holds it.
    NotChangeable,
    /// The lease would last longer than it may in all.
    LeaseTooLong {
        /// The limit.
        limit: Millis,
    },
    /// Too many messages are handed out.
    InFlightFull {
        /// The limit.
        limit: usize,
    },
    /// A setting that only a FIFO queue has, on a standard one.
    FifoSettingOnStandard {
        /// Which.
        setting: Setting,
    },
    /// A change was to happen only if a note was as somebody had read it, and it is not any more.
    Changed {
        /// The queue.
        name: Name,
    },
    /// Throughput per group, where deduplication ids count in the whole queue.
    ThroughputNeedsGroupScope,
    /// The dead-letter rule names a queue that does not take this one's dead letters.
    DeadLetterTargetForbids {
        /// The name.
        name: Name,
    },
    /// More queues are named as sources of dead letters than may be.
    TooManySources {
        /// The limit.
        limit: usize,
    },
    /// The notes of the queue would be longer than they may be, all together.
    NotesTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The queue would have more tags than it may.
    TooManyTags {
        /// The limit.
        limit: usize,
    },
    /// Messages are to be moved out of a queue that no dead-letter rule names.
    NotADeadLetterQueue {
        /// The queue.
        name: Name,
    },
    /// Messages are to be moved to a queue that is not there.
    MoveDestinationMissing {
        /// The name.
        name: Name,
    },
    /// Messages are to be moved to a queue of another kind.
    MoveDestinationKind {
        /// The name.
        name: Name,
    },
    /// Messages are to be moved to where they are.
    MoveToItself,
    /// So many messages a second cannot be asked for.
    MoveRate {
        /// The largest rate; the smallest is 1.
        limit: u32,
    },
    /// Messages of the queue are being moved already.
    MoveRunning,
    /// The queue knows of no such task.
    MoveMissing,
    /// The task has ended, or is being cancelled.
    MoveNotRunning,
}

/// The settings of a polled queue by name, for refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `QueueSettings::visibility`.
    Visibility,
    /// `QueueSettings::delay`.
    Delay,
    /// `QueueSettings::retention`.
    Retention,
    /// `QueueSettings::message_bytes_max`.
    MessageBytesMax,
    /// `QueueSettings::receive_wait`.
    ReceiveWait,
    /// `QueueSettings::dead_letter`.
    DeadLetter,
    /// `QueueSettings::content_dedup`.
    ContentDedup,
    /// `QueueSettings::dedup_scope`.
    DedupScope,
    /// `QueueSettings::throughput`.
    Throughput,
    /// `QueueSettings::sources`.
    DeadLetterSources,
    /// One of `QueueSettings::notes`.
    Note(Label),
    /// The kind of queue.
    Kind,
}
