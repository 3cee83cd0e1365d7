//! A message as the queue keeps it, and what it alone can say about itself.

use minicbor::{Decode, Encode};

use super::fact::DeadLetterCause;
use super::reply::{BrokerMessage, DeadLetter, MessageState};
use crate::id::{BodyRef, Epoch, Label, MessageId, Seq};
use crate::parts::{INDEX_ENTRY_BYTES, Weigh, piece};
use crate::receipt::Receipt;
use crate::stamp::{Millis, Stamp};

/// A message; its number is the key under which it is kept. The numbers of the fields are those of
/// a checkpoint's blocks.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(super) struct Message {
    #[n(0)]
    pub(super) id: MessageId,
    #[n(1)]
    pub(super) body: BodyRef,
    #[n(2)]
    pub(super) enqueued_at: Stamp,
    #[n(3)]
    pub(super) ttl: Option<Millis>,
    #[n(4)]
    pub(super) session: Option<Label>,
    #[n(5)]
    pub(super) state: MessageState,
    #[n(6)]
    /// Under which lock it was handed out. A lock that has run out stays until a fact follows.
    pub(super) lock: Option<Lock>,
    #[n(7)]
    /// Times that it was handed out; with the lock's epoch this names the hand-out.
    pub(super) attempts: u32,
    #[n(8)]
    /// Deliveries that failed, apart from one whose lock has run out and is still here.
    pub(super) failures: u32,
    #[n(9)]
    /// Boxed, since few messages die.
    pub(super) dead: Option<Box<DeadLetter>>,
}

/// What a message was handed out under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum Lock {
    /// A lock of its own, until a moment.
    #[n(0)]
    Own {
        #[n(0)]
        epoch: Epoch,
        #[n(1)]
        until: Stamp,
    },
    /// The lock of its session, however long that lasts.
    #[n(1)]
    Session {
        #[n(0)]
        epoch: Epoch,
    },
}

impl Weigh for Message {
    /// Each is in its line or its session's, and most are where their time ends.
    fn beyond(&self) -> u64 {
        let indexes = if self.ttl.is_some() { 2 } else { 1 };
        let reasons = |cause: &DeadLetterCause| match cause {
            DeadLetterCause::Receiver { reason, description } => {
                reason.beyond() + description.beyond()
            }
            _ => 0,
        };
        let dead = self.dead.as_ref();
        let dead = dead.map_or(0, |dead| piece::<DeadLetter>(1) + reasons(&dead.cause));
        indexes * INDEX_ENTRY_BYTES + dead
    }
}

impl Lock {
    fn epoch(self) -> Epoch {
        match self {
            Lock::Own { epoch, .. } | Lock::Session { epoch } => epoch,
        }
    }
}

/// Whether a message is handed out at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// It is not.
    Free,
    /// It is.
    Live,
    /// It was, and its lock has run out unnoticed.
    Lapsed,
}

/// What is to happen to a message that somebody would hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Hand it out.
    Deliver,
    /// Too many of its deliveries failed, the named count in all.
    Exhausted { failures: u32 },
    /// It outlived its time, after the named count of failed deliveries.
    Expired { failures: u32 },
}

impl Message {
    /// When its time is over.
    pub(super) fn expires_at(&self) -> Option<Stamp> {
        self.ttl.map(|ttl| self.enqueued_at + ttl)
    }

    pub(super) fn is_expired(&self, at: Stamp) -> bool {
        self.expires_at().is_some_and(|end| end <= at)
    }

    pub(super) fn is(&self, state: MessageState) -> bool {
        self.state == state
    }

    /// Whether `receipt` names the latest hand-out, live or not.
    pub(super) fn was_handed_out_as(&self, receipt: &Receipt) -> bool {
        let epoch = self.lock.map(Lock::epoch);
        epoch == Some(receipt.epoch) && self.attempts == receipt.attempt
    }

    /// The moment at which time alone does something to it, on a shelf where `deliveries_max`
    /// failed deliveries are too many. Scheduled messages are due elsewhere, and what is under a
    /// session's lock waits for the session.
    pub(super) fn due(&self, deliveries_max: u32) -> Option<Stamp> {
        let lapses = |until: Stamp| self.expires_at().map(|end| end.max(until));
        match (self.state, self.lock) {
            (MessageState::Scheduled { .. }, _) | (_, Some(Lock::Session { .. })) => None,
            (_, Some(Lock::Own { until, .. }))
                if self.failures.saturating_add(1) >= deliveries_max =>
            {
                Some(until)
            }
            (MessageState::Active, Some(Lock::Own { until, .. })) => lapses(until),
            (_, None) if self.failures >= deliveries_max => Some(self.enqueued_at),
            (MessageState::Active, None) => self.expires_at(),
            (MessageState::Deferred, _) => None,
        }
    }

    /// Hands it out. A lock that is still there has run out; `counted`: that was a failure.
    pub(super) fn hand_out(&mut self, lock: Lock, counted: bool) {
        self.unlock(counted);
        self.attempts = self.attempts.saturating_add(1);
        self.lock = Some(lock);
    }

    /// Takes it back from whoever had it, if anybody had; `counted`: as a failed delivery.
    pub(super) fn unlock(&mut self, counted: bool) {
        if self.lock.take().is_some() && counted {
            self.failures = self.failures.saturating_add(1);
        }
    }

    /// The same message, enqueued at `at`.
    pub(super) fn activated(mut self, at: Stamp) -> Message {
        self.state = MessageState::Active;
        self.enqueued_at = at;
        self
    }

    /// The same message as a dead letter. Its hand-outs are counted on, so that no receipt from
    /// before names one to come.
    pub(super) fn buried(mut self, cause: DeadLetterCause, failures: u32, since: Stamp) -> Message {
        self.lock = None;
        self.state = MessageState::Active;
        self.failures = failures;
        self.dead = Some(Box::new(DeadLetter { cause, since }));
        self
    }

    /// What a client sees of it, with the given count of failed deliveries.
    pub(super) fn view(&self, seq: Seq, failures: u32) -> BrokerMessage {
        BrokerMessage {
            seq,
            id: self.id,
            body: self.body,
            state: self.state,
            enqueued_at: self.enqueued_at,
            ttl: self.ttl,
            session: self.session.clone(),
            failures,
            dead: self.dead.as_deref().cloned(),
        }
    }
}
