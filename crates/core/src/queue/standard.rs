//! The standard queue: at-least-once, best-effort order, soft leases.

use minicbor::{Decode, Encode};

use crate::command::Reply;
use crate::decision::{Decision, Moment};
use crate::fact::{DeadLettered, Deleted, Expired, Fact, LeaseChanged, Leased, Moved, Sent};
use crate::id::{Place, Seq};
use crate::parts::{Chunked, INDEX_ENTRY_BYTES, SeqSet, Timeline, Weigh};
use crate::receipt::Receipt;
use crate::refusal::QueueRefusal;
use crate::stamp::{Millis, Stamp};

use super::look::Look;
use super::message::{Message, Standing};
use super::pick::{Ask, Dead, Pick};
use super::{Counts, is_full, lease_until};

/// How many messages whose time has come are put back among the ready with each hand-out and each
/// send; more than a fact can hide, so that none pile up.
const PROMOTED_PER_FACT: usize = 32;

/// Messages by where a receive finds them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StandardQueue {
    messages: Chunked<Entry>,
    ready: SeqSet,
    delayed: Timeline,
    leased: Timeline,
    by_age: Timeline,
    last_seq: Seq,
}

/// A message, and where a receive finds it. The numbers are those of a checkpoint's blocks.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(super) struct Entry {
    #[n(0)]
    pub(super) message: Message,
    #[n(1)]
    shown: Shown,
}

/// What the queue is made of; all else is a function of it.
#[derive(Clone, Debug, Default)]
pub(super) struct StandardState {
    pub(super) messages: Chunked<Entry>,
    pub(super) last_seq: Seq,
}

/// In which index a message is. Where it stays when its time has come decides who is handed out
/// first, so it is no function of the message alone.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
enum Shown {
    #[n(0)]
    Ready,
    #[n(1)]
    Delayed(#[n(0)] Stamp),
    #[n(2)]
    Leased(#[n(0)] Stamp),
}

impl Weigh for Entry {
    /// Each is in the index by age.
    fn beyond(&self) -> u64 {
        INDEX_ENTRY_BYTES + self.message.beyond()
    }
}

impl StandardQueue {
    /// Bytes that its messages take in memory, about.
    pub(super) fn bytes(&self) -> u64 {
        self.messages.bytes()
    }

    pub(super) fn next_seq(&self) -> Seq {
        self.last_seq.next()
    }

    /// A message that a decision looks at.
    fn message(&self, seq: Seq) -> Option<&Message> {
        #[cfg(test)]
        super::looked_at::count_one();
        self.messages.get(seq).map(|entry| &entry.message)
    }

    /// What the queue is made of.
    pub(super) fn state(&self) -> StandardState {
        StandardState { messages: self.messages.clone(), last_seq: self.last_seq }
    }

    /// The queue of a state.
    pub(super) fn from_state(state: StandardState) -> StandardQueue {
        let StandardState { messages, last_seq } = state;
        let ages = messages.iter().map(|(seq, entry)| (entry.message.sent_at, seq));
        let mut queue = StandardQueue { by_age: ages.collect(), ..StandardQueue::default() };
        for (seq, entry) in messages.iter() {
            queue.index(seq, entry.shown);
        }
        StandardQueue { last_seq: last_seq.max(messages.last_seq()), messages, ..queue }
    }

    /// The same queue without its messages; numbers go on where they were.
    pub(super) fn emptied(&self) -> StandardQueue {
        StandardQueue { last_seq: self.last_seq, ..StandardQueue::default() }
    }

    pub(super) fn receive(&self, now: &Moment<'_>, ask: &Ask<'_>) -> Decision {
        let limit = now.limits.standard_in_flight_max;
        if is_full(&self.leased, now.at, limit) {
            return Decision::refuse(QueueRefusal::InFlightFull { limit });
        }
        let mut pick = Pick::new(ask, now);
        for seq in self.receivable(now.at) {
            if pick.is_full() {
                break;
            }
            if let Some(message) = self.message(seq) {
                let dead = Dead { sent_at: message.sent_at, group: message.group() };
                pick.take(seq, message, dead);
            }
        }
        pick.decision()
    }

    /// Ended leases first, then delays that have passed, then the rest in order of arrival.
    fn receivable(&self, at: Stamp) -> impl Iterator<Item = Seq> {
        self.leased.lapsed(at).chain(self.delayed.lapsed(at)).chain(self.ready.iter())
    }

    /// A receipt that names the last lease settles, even when the lease has ended, and so does one
    /// whose lease a crash took back; an older one succeeds and does nothing (SQS API reference,
    /// DeleteMessage).
    pub(super) fn delete(&self, now: &Moment<'_>, receipt: &Receipt) -> Decision {
        let Some(message) = self.message(receipt.seq) else {
            return Decision::reply(Reply::Done);
        };
        match message.standing(receipt, now.at) {
            Standing::Superseded => Decision::reply(Reply::Done),
            Standing::Held | Standing::Ended | Standing::Forgotten => {
                let deleted = Deleted { queue: receipt.queue, seq: receipt.seq };
                Decision::fact(Fact::Deleted(deleted), Reply::Done)
            }
        }
    }

    pub(super) fn change_lease(
        &self,
        now: &Moment<'_>,
        receipt: &Receipt,
        timeout: Millis,
    ) -> Decision {
        lease_until(now, self.message(receipt.seq), receipt, timeout)
    }

    /// Exact while no more than `max` leases, and delays, have ended that no fact has met since.
    pub(super) fn counts(&self, at: Stamp, max: usize) -> Counts {
        let in_flight = self.leased.len() - self.leased.lapsed_count(at, max);
        let delayed = self.delayed.len() - self.delayed.lapsed_count(at, max);
        Counts { visible: self.messages.len() - in_flight - delayed, in_flight, delayed }
    }

    /// The messages from a number on.
    pub(super) fn looks(&self, from: Seq) -> impl Iterator<Item = Look<'_>> {
        self.messages.from(from).map(|(seq, Entry { message, shown })| {
            #[cfg(test)]
            super::looked_at::count_one();
            let shown_from = match shown {
                Shown::Delayed(until) => *until,
                Shown::Ready | Shown::Leased(_) => message.sent_at,
            };
            Look { seq, message, group: message.group(), shown_from }
        })
    }

    pub(super) fn by_age(&self) -> &Timeline {
        &self.by_age
    }

    /// The first moment after `at` at which a receive finds something, were nothing else to happen.
    pub(super) fn next_visible(&self, at: Stamp) -> Option<Stamp> {
        if self.receivable(at).next().is_some() {
            return Some(at + Millis(1));
        }
        [self.leased.next_after(at), self.delayed.next_after(at)].into_iter().flatten().min()
    }

    pub(super) fn sent(&mut self, at: Stamp, here: Place, fact: &Sent) {
        let message = Message::sent(at, here, fact).in_group(fact.group.clone());
        self.came(at, fact.seq, message, fact.visible_at);
    }

    pub(super) fn moved_here(&mut self, at: Stamp, fact: &Moved) {
        let message = Message::moved(at, fact).in_group(fact.group.clone());
        self.came(at, fact.to_seq, message, fact.visible_at);
    }

    fn came(&mut self, at: Stamp, seq: Seq, message: Message, visible_at: Stamp) {
        self.promote(at);
        let shown = if visible_at > at { Shown::Delayed(visible_at) } else { Shown::Ready };
        self.add(seq, Entry { message, shown });
    }

    pub(super) fn dead_letter_came(&mut self, fact: &DeadLettered) {
        let message = Message::dead_lettered(fact).in_group(fact.group.clone());
        self.add(fact.to_seq, Entry { message, shown: Shown::Ready });
    }

    pub(super) fn leased(&mut self, at: Stamp, fact: &Leased) {
        self.promote(at);
        for seq in &fact.seqs {
            self.show(*seq, Shown::Leased(fact.until));
            if let Some(mut entry) = self.messages.get_mut(*seq) {
                entry.message.hand_out(at, fact.epoch, fact.until);
            }
        }
    }

    pub(super) fn lease_changed(&mut self, at: Stamp, fact: &LeaseChanged) {
        let Some(mut entry) = self.messages.get_mut(fact.seq) else { return };
        if !entry.message.end_lease_at(fact.until) {
            return;
        }
        drop(entry);
        let shown = if fact.until > at { Shown::Leased(fact.until) } else { Shown::Ready };
        self.show(fact.seq, shown);
    }

    pub(super) fn expired(&mut self, fact: &Expired) {
        while let Some(seq) = self.by_age.pop_through((fact.sent_at, fact.seq)) {
            self.remove(seq);
        }
    }

    pub(super) fn remove(&mut self, seq: Seq) {
        if let Some(entry) = self.messages.remove(seq) {
            self.unindex(seq, entry.shown);
            self.by_age.remove(entry.message.sent_at, seq);
        }
    }

    fn add(&mut self, seq: Seq, entry: Entry) {
        self.remove(seq);
        self.last_seq = self.last_seq.max(seq);
        self.by_age.insert(entry.message.sent_at, seq);
        self.index(seq, entry.shown);
        self.messages.insert(seq, entry);
    }

    fn show(&mut self, seq: Seq, shown: Shown) {
        let Some(mut entry) = self.messages.get_mut(seq) else { return };
        let before = std::mem::replace(&mut entry.shown, shown);
        drop(entry);
        self.unindex(seq, before);
        self.index(seq, shown);
    }

    fn index(&mut self, seq: Seq, shown: Shown) {
        match shown {
            Shown::Ready => self.ready.insert(seq),
            Shown::Delayed(until) => self.delayed.insert(until, seq),
            Shown::Leased(until) => self.leased.insert(until, seq),
        }
    }

    fn unindex(&mut self, seq: Seq, shown: Shown) {
        match shown {
            Shown::Ready => self.ready.remove(seq),
            Shown::Delayed(until) => self.delayed.remove(until, seq),
            Shown::Leased(until) => self.leased.remove(until, seq),
        };
    }

    /// Keeps the counts cheap: without it, delays that passed long ago would be counted again and
    /// again by whoever asks for the number of visible messages.
    fn promote(&mut self, at: Stamp) {
        for _ in 0..PROMOTED_PER_FACT {
            let lapsed = self.delayed.first_lapsed(at).or_else(|| self.leased.first_lapsed(at));
            let Some(seq) = lapsed else { return };
            self.show(seq, Shown::Ready);
        }
    }

    #[cfg(test)]
    pub(super) fn leases_indexed(&self) -> usize {
        self.leased.len()
    }

    /// Asserts that the indexes are what the messages make them.
    #[cfg(test)]
    pub(super) fn check(&self, at: Stamp) {
        let mut queue = StandardQueue::default();
        for (seq, entry) in self.messages.iter() {
            queue.add(seq, entry.clone());
            if let Some(until) = entry.message.leased_until(at) {
                assert_eq!(entry.shown, Shown::Leased(until), "{seq:?} has a lease that runs");
            }
        }
        assert_eq!(StandardQueue { last_seq: self.last_seq, ..queue }, *self);
    }

    /// Each message looked at.
    #[cfg(test)]
    pub(super) fn naive_counts(&self, at: Stamp) -> Counts {
        let mut counts = Counts { visible: 0, in_flight: 0, delayed: 0 };
        for (_, entry) in self.messages.iter() {
            let delayed = matches!(entry.shown, Shown::Delayed(until) if until > at);
            counts.add(entry.message.leased_until(at).is_some(), delayed);
        }
        counts
    }
}
