//! One message of a polled queue, as state holds it, never its body: 48 bytes while it waits. What
//! exists only after a hand-out, and what few messages have, lies in boxes beside it.

use minicbor::{Decode, Encode};

use crate::command::Delivery;
use crate::decision::Moment;
use crate::fact::{DeadLettered, Moved, Sent};
use crate::id::{BodyRef, Epoch, Label, MessageId, Name, Place, Seq, Text};
use crate::parts::{INDEX_ENTRY_BYTES, Weigh, piece};
use crate::receipt::Receipt;
use crate::stamp::{Millis, Stamp};

use super::pick::Ask;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub(super) id: MessageId,
    pub(super) sent_at: Stamp,
    len: u32,
    /// In all queues; with an epoch it names a lease.
    pub(super) receives: u32,
    handed_out: Option<Box<HandedOut>>,
    rare: Option<Box<Rare>>,
}

/// What a first hand-out adds. It stays when the lease has ended, since receipts are compared with
/// it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct HandedOut {
    lease: Lease,
    /// In any queue.
    first_received_at: Stamp,
}

/// What few messages have.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rare {
    /// Where the body lies, unless the id says it.
    place: Option<Place>,
    /// Of the receives, how many before it came to this queue.
    receives_elsewhere: u32,
    /// When it was first received before it came to this queue.
    received_elsewhere_at: Option<Stamp>,
    origin: Option<Name>,
    /// Why it was given up there.
    reason: Option<Text>,
    /// Its group in a standard queue, where it orders nothing.
    group: Option<Label>,
}

/// The last hand-out.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub(super) struct Lease {
    #[n(0)]
    pub(super) epoch: Epoch,
    #[n(1)]
    pub(super) since: Stamp,
    #[n(2)]
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
        let body = BodyRef { place: here, len: fact.len };
        Message::new(fact.id, body, at, Rare::default())
    }

    pub(super) fn dead_lettered(fact: &DeadLettered) -> Message {
        let rare = Rare {
            receives_elsewhere: fact.receives,
            received_elsewhere_at: fact.first_received_at,
            origin: Some(fact.origin.clone()),
            reason: fact.reason.clone(),
            ..Rare::default()
        };
        let message = Message::new(fact.id, fact.body, fact.sent_at, rare);
        Message { receives: fact.receives, ..message }
    }

    /// A message that was moved is a new one; only its body is where it was.
    pub(super) fn moved(at: Stamp, fact: &Moved) -> Message {
        Message::new(fact.id, fact.body, at, Rare::default())
    }

    /// The fact that creates a message mostly brings its body too, and then the id says where the
    /// body lies.
    fn new(id: MessageId, body: BodyRef, sent_at: Stamp, rare: Rare) -> Message {
        let place = (body.place != id.place()).then_some(body.place);
        let mut message =
            Message { id, sent_at, len: body.len, receives: 0, handed_out: None, rare: None };
        message.set_rare(Rare { place, ..rare });
        message
    }

    fn set_rare(&mut self, rare: Rare) {
        self.rare = (rare != Rare::default()).then(|| Box::new(rare));
    }

    /// The same message in a group of a standard queue.
    pub(super) fn in_group(mut self, group: Option<Label>) -> Message {
        if group.is_some() {
            self.rare.get_or_insert_default().group = group;
        }
        self
    }

    pub(super) fn group(&self) -> Option<&Label> {
        self.rare.as_ref()?.group.as_ref()
    }

    /// The same text of its group, kept once.
    pub(super) fn share_group(&mut self, known: impl FnOnce(&Label) -> Label) {
        if let Some(group) = self.rare.as_mut().and_then(|rare| rare.group.as_mut()) {
            *group = known(group);
        }
    }

    pub(super) fn body(&self) -> BodyRef {
        let elsewhere = self.rare.as_ref().and_then(|rare| rare.place);
        BodyRef { place: elsewhere.unwrap_or(self.id.place()), len: self.len }
    }

    pub(super) fn first_received_at(&self) -> Option<Stamp> {
        let elsewhere = || self.rare.as_ref()?.received_elsewhere_at;
        self.handed_out.as_ref().map(|handed_out| handed_out.first_received_at).or_else(elsewhere)
    }

    pub(super) fn origin(&self) -> Option<&Name> {
        self.rare.as_ref()?.origin.as_ref()
    }

    pub(super) fn reason(&self) -> Option<&Text> {
        self.rare.as_ref()?.reason.as_ref()
    }

    pub(super) fn receives_here(&self) -> u32 {
        let elsewhere = self.rare.as_ref().map_or(0, |rare| rare.receives_elsewhere);
        self.receives.saturating_sub(elsewhere)
    }

    pub(super) fn lease(&self) -> Option<Lease> {
        self.handed_out.as_ref().map(|handed_out| handed_out.lease)
    }

    /// Lets its lease end at another time; says no if it was never handed out.
    pub(super) fn end_lease_at(&mut self, until: Stamp) -> bool {
        let Some(handed_out) = &mut self.handed_out else { return false };
        handed_out.lease.until = until;
        true
    }

    pub(super) fn is_expired(&self, at: Stamp, retention: Millis) -> bool {
        self.sent_at + retention <= at
    }

    /// When the running lease ends, if one runs at `at`.
    pub(super) fn leased_until(&self, at: Stamp) -> Option<Stamp> {
        self.lease().map(|lease| lease.until).filter(|until| *until > at)
    }

    pub(super) fn hand_out(&mut self, at: Stamp, epoch: Epoch, until: Stamp) {
        let first_received_at = self.first_received_at().unwrap_or(at);
        self.receives = self.receives.saturating_add(1);
        let lease = Lease { epoch, since: at, until };
        self.handed_out = Some(Box::new(HandedOut { lease, first_received_at }));
    }

    pub(super) fn standing(&self, receipt: &Receipt, at: Stamp) -> Standing {
        let last = self.lease().map(|lease| (lease.epoch, self.receives));
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
        self.delivered(receipt, ask.ordered, self.first_received_at().unwrap_or(now.at))
    }

    /// The delivery of the last hand-out, once more.
    pub(super) fn same_delivery(&self, ask: &Ask<'_>, seq: Seq) -> Option<Delivery> {
        let (epoch, attempt) = (self.lease()?.epoch, self.receives);
        let receipt = Receipt { queue: ask.queue, seq, epoch, attempt };
        Some(self.delivered(receipt, ask.ordered, self.first_received_at()?))
    }

    fn delivered(&self, receipt: Receipt, ordered: bool, first: Stamp) -> Delivery {
        Delivery {
            id: self.id,
            seq: receipt.seq,
            ordered,
            body: self.body(),
            receipt,
            sent_at: self.sent_at,
            first_received_at: first,
            receives: receipt.attempt,
            origin: self.origin().cloned(),
        }
    }
}

impl Weigh for Message {
    /// One that was handed out is, or was, among the leases too.
    fn beyond(&self) -> u64 {
        let handed_out = self.handed_out.as_ref();
        let handed_out = handed_out.map_or(0, |_| piece::<HandedOut>(1) + INDEX_ENTRY_BYTES);
        let texts = |rare: &Rare| rare.origin.beyond() + rare.group.beyond() + rare.reason.beyond();
        let rare = self.rare.as_ref().map_or(0, |rare| piece::<Rare>(1) + texts(rare));
        handed_out + rare
    }
}

/// A message as a checkpoint has it; the numbers are the format on disk.
#[derive(Encode, Decode)]
struct Record {
    #[n(0)]
    id: MessageId,
    #[n(1)]
    len: u32,
    #[n(2)]
    sent_at: Stamp,
    #[n(3)]
    receives: u32,
    #[n(4)]
    lease: Option<Lease>,
    #[n(5)]
    first_received_at: Option<Stamp>,
    /// Absent: the body lies beside the fact that the id names.
    #[n(6)]
    place: Option<Place>,
    #[n(7)]
    receives_elsewhere: Option<u32>,
    #[n(8)]
    received_elsewhere_at: Option<Stamp>,
    #[n(9)]
    origin: Option<Name>,
    #[n(10)]
    group: Option<Label>,
    #[n(11)]
    reason: Option<Text>,
}

impl From<&Message> for Record {
    fn from(message: &Message) -> Record {
        let rare = message.rare.as_deref().cloned().unwrap_or_default();
        Record {
            id: message.id,
            len: message.len,
            sent_at: message.sent_at,
            receives: message.receives,
            lease: message.lease(),
            first_received_at: message.handed_out.as_ref().map(|h| h.first_received_at),
            place: rare.place,
            receives_elsewhere: (rare.receives_elsewhere > 0).then_some(rare.receives_elsewhere),
            received_elsewhere_at: rare.received_elsewhere_at,
            origin: rare.origin,
            group: rare.group,
            reason: rare.reason,
        }
    }
}

impl From<Record> for Message {
    fn from(record: Record) -> Message {
        let handed_out = record.lease.zip(record.first_received_at);
        let handed_out = handed_out
            .map(|(lease, first_received_at)| Box::new(HandedOut { lease, first_received_at }));
        let Record { id, len, sent_at, receives, .. } = record;
        let mut message = Message { id, sent_at, len, receives, handed_out, rare: None };
        message.set_rare(Rare {
            place: record.place,
            receives_elsewhere: record.receives_elsewhere.unwrap_or(0),
            received_elsewhere_at: record.received_elsewhere_at,
            origin: record.origin,
            group: record.group,
            reason: record.reason,
        });
        message
    }
}

impl<C> Encode<C> for Message {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        Record::from(self).encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Message {
    fn decode(
        d: &mut minicbor::Decoder<'b>,
        ctx: &mut C,
    ) -> Result<Message, minicbor::decode::Error> {
        Record::decode(d, ctx).map(Message::from)
    }
}
