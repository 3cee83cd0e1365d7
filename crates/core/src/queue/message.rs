//! One message of a polled queue, as state holds it: 144 bytes, never its body.

use crate::command::Delivery;
use crate::decision::Moment;
use crate::fact::{DeadLettered, Sent};
use crate::id::{BodyRef, Epoch, Label, MessageId, Name, Place, Seq};
use crate::receipt::Receipt;
use crate::stamp::{Millis, Stamp};

use super::pick::Ask;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub(super) id: MessageId,
    pub(super) body: BodyRef,
    pub(super) sent_at: Stamp,
    pub(super) first_received_at: Option<Stamp>,
    /// In all queues; with an epoch it names a lease.
    pub(super) receives: u32,
    /// Of these, how many before it came to this queue.
    pub(super) receives_elsewhere: u32,
    pub(super) lease: Option<Lease>,
    pub(super) origin: Option<Name>,
    pub(super) group: Option<Label>,
}

/// The last hand-out. It stays when it has ended, since receipts are compared with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lease {
    pub(super) epoch: Epoch,
    pub(super) since: Stamp,
    pub(super) until: Stamp,
}

/// How a receipt stands to the message that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It names the last lease, which still runs.
    Held,
    /// It names the last lease, which has ended.
    Ended,
    /// It names a lease that a crash took back: later than any in the log.
    Forgotten,
    /// A newer lease was given since.
    Superseded,
}

impl Message {
    pub(super) fn sent(at: Stamp, here: Place, fact: &Sent) -> Message {
        Message {
            id: fact.id,
            body: BodyRef { place: here, len: fact.len },
            sent_at: at,
            first_received_at: None,
            receives: 0,
            receives_elsewhere: 0,
            lease: None,
            origin: None,
            group: fact.group.clone(),
        }
    }

    pub(super) fn dead_lettered(fact: &DeadLettered) -> Message {
        Message {
            id: fact.id,
            body: fact.body,
            sent_at: fact.sent_at,
            first_received_at: fact.first_received_at,
            receives: fact.receives,
            receives_elsewhere: fact.receives,
            lease: None,
            origin: Some(fact.origin.clone()),
            group: fact.group.clone(),
        }
    }

    pub(super) fn receives_here(&self) -> u32 {
        self.receives.saturating_sub(self.receives_elsewhere)
    }

    pub(super) fn is_expired(&self, at: Stamp, retention: Millis) -> bool {
        self.sent_at + retention <= at
    }

    /// When the running lease ends, if one runs at `at`.
    pub(super) fn leased_until(&self, at: Stamp) -> Option<Stamp> {
        self.lease.map(|lease| lease.until).filter(|until| *until > at)
    }

    pub(super) fn lease(&mut self, at: Stamp, epoch: Epoch, until: Stamp) {
        self.receives = self.receives.saturating_add(1);
        self.first_received_at.get_or_insert(at);
        self.lease = Some(Lease { epoch, since: at, until });
    }

    pub(super) fn standing(&self, receipt: &Receipt, at: Stamp) -> Standing {
        let last = self.lease.map(|lease| (lease.epoch, self.receives));
        match last.cmp(&Some((receipt.epoch, receipt.attempt))) {
            std::cmp::Ordering::Less => Standing::Forgotten,
            std::cmp::Ordering::Greater => Standing::Superseded,
            std::cmp::Ordering::Equal if self.leased_until(at).is_some() => Standing::Held,
            std::cmp::Ordering::Equal => Standing::Ended,
        }
    }

    /// The delivery of a new hand-out at `now`.
    pub(super) fn delivery(&self, now: &Moment<'_>, ask: &Ask<'_>, seq: Seq) -> Delivery {
        let attempt = self.receives.saturating_add(1);
        let receipt = Receipt { queue: ask.queue, seq, epoch: now.epoch, attempt };
        self.delivered(receipt, ask.ordered, self.first_received_at.unwrap_or(now.at))
    }

    /// The delivery of the last hand-out, once more.
    pub(super) fn same_delivery(&self, ask: &Ask<'_>, seq: Seq) -> Option<Delivery> {
        let (epoch, attempt) = (self.lease?.epoch, self.receives);
        let receipt = Receipt { queue: ask.queue, seq, epoch, attempt };
        Some(self.delivered(receipt, ask.ordered, self.first_received_at?))
    }

    fn delivered(&self, receipt: Receipt, ordered: bool, first: Stamp) -> Delivery {
        Delivery {
            id: self.id,
            seq: receipt.seq,
            ordered,
            body: self.body,
            receipt,
            sent_at: self.sent_at,
            first_received_at: first,
            receives: receipt.attempt,
            origin: self.origin.clone(),
        }
    }
}
