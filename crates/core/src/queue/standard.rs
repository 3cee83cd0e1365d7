//! The standard queue: at-least-once, best-effort order, soft leases.

use minicbor::{Decode, Encode};

use crate::command::Reply;
use crate::decision::{Decision, Moment};
use crate::fact::{DeadLettered, Deleted, Expired, Fact, LeaseChanged, Leased, Moved, Sent};
use crate::id::{Label, Place, Seq};
use crate::limits::Limits;
use crate::parts::{Chunked, INDEX_ENTRY_BYTES, SeqSet, Shares, Timeline, Weigh};
use crate::receipt::Receipt;
use crate::refusal::QueueRefusal;
use crate::stamp::{Millis, Stamp};

use super::look::Look;
use super::message::{Lease, Message, Standing};
use super::pick::{Ask, Dead, Pick};
use super::tenants::Tenants;
use super::{Counts, is_full, lease_until};

/// How many messages whose time has come are put back among the ready with each hand-out and each
/// send; more than a fact can hide, so that none pile up.
const PROMOTED_PER_FACT: usize = 32;

/// Messages by where a receive finds them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StandardQueue {
    messages: Chunked<Entry>,
    /// Of those without a group, as the next two.
    ready: SeqSet,
    delayed: Timeline,
    leased: Timeline,
    /// Those with a group, and who kept the receivers busy lately; if there is anything to say.
    tenants: Option<Box<Tenants>>,
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
    /// Who kept the receivers busy lately, if there is anybody with a name.
    pub(super) busy: Option<Box<Shares>>,
}

/// In which index a message is. Where it stays when its time has come decides who is handed out
/// first, so it is no function of the message alone.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub(super) enum Shown {
    #[n(0)]
    Ready,
    #[n(1)]
    Delayed(#[n(0)] Stamp),
    #[n(2)]
    Leased(#[n(0)] Stamp),
}

impl Shown {
    /// Whether a lease that runs only got another end.
    fn goes_on_as(self, after: Shown, at: Stamp) -> bool {
        matches!((self, after), (Shown::Leased(until), Shown::Leased(_)) if until > at)
    }

    /// From when it can be had; what is ready, since ever.
    pub(super) fn from(self) -> Stamp {
        match self {
            Shown::Ready => Stamp(0),
            Shown::Delayed(until) | Shown::Leased(until) => until,
        }
    }
}

impl Weigh for Entry {
    /// Each is in the index by age; one of a tenant in the tenant's too, and among the tenant's
    /// leases.
    fn beyond(&self) -> u64 {
        let tenants = match (self.message.group(), self.message.lease()) {
            (None, _) => 0,
            (Some(_), None) => INDEX_ENTRY_BYTES,
            (Some(_), Some(_)) => 2 * INDEX_ENTRY_BYTES,
        };
        INDEX_ENTRY_BYTES + tenants + self.message.beyond()
    }
}

impl StandardQueue {
    /// Bytes that its messages take in memory, about.
    pub(super) fn bytes(&self) -> u64 {
        let tenants = self.tenants.as_deref().map_or(0, Tenants::bytes);
        self.messages.bytes().saturating_add(tenants)
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
        let busy = self.tenants().busy();
        let busy = (*busy != Shares::NONE).then(|| Box::new(busy.clone()));
        StandardState { messages: self.messages.clone(), last_seq: self.last_seq, busy }
    }

    /// The queue of a state.
    pub(super) fn from_state(state: StandardState) -> StandardQueue {
        let StandardState { mut messages, last_seq, busy } = state;
        let ages = messages.iter().map(|(seq, entry)| (entry.message.sent_at, seq));
        let mut queue = StandardQueue {
            by_age: ages.collect(),
            tenants: busy.map(|busy| Box::new(Tenants::new(*busy))),
            ..StandardQueue::default()
        };
        messages.for_each_mut(|seq, entry| {
            entry.message.share_group(|group| queue.tenants().known(group));
            queue.index(seq, entry.message.group(), entry.shown);
        });
        StandardQueue { last_seq: last_seq.max(messages.last_seq()), messages, ..queue }
    }

    /// The same queue without its messages; numbers go on where they were.
    pub(super) fn emptied(&self) -> StandardQueue {
        StandardQueue { last_seq: self.last_seq, ..StandardQueue::default() }
    }

    pub(super) fn receive(&self, now: &Moment<'_>, ask: &Ask<'_>) -> Decision {
        let limit = now.limits.standard_in_flight_max;
        if is_full(self.all_leased(), now.at, limit) {
            return Decision::refuse(QueueRefusal::InFlightFull { limit });
        }
        let mut pick = Pick::new(ask, now);
        for seq in self.receivable(now.at, now.limits) {
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

    /// Ended leases first, then delays that have passed, then the rest in order of arrival, except
    /// that tenants take turns.
    fn receivable<'a>(&'a self, at: Stamp, limits: &'a Limits) -> impl Iterator<Item = Seq> {
        let lapsed = self.leased.lapsed(at).chain(self.delayed.lapsed(at));
        lapsed.chain(self.tenants().turns(at, limits, (self.ready.iter(), &self.leased)))
    }

    fn has_receivable(&self, at: Stamp) -> bool {
        let is_lapsed = |timeline: &Timeline| timeline.first_lapsed(at).is_some();
        let own = !self.ready.is_empty() || is_lapsed(&self.leased) || is_lapsed(&self.delayed);
        own || self.tenants().has_turn(at)
    }

    fn tenants(&self) -> &Tenants {
        self.tenants.as_deref().unwrap_or(Tenants::NOBODY)
    }

    /// Of those without a group, and of those with one.
    fn all_leased(&self) -> [&Timeline; 2] {
        [&self.leased, self.tenants().leased()]
    }

    fn all_delayed(&self) -> [&Timeline; 2] {
        [&self.delayed, self.tenants().delayed()]
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
        let count = |all: [&Timeline; 2]| {
            let lapsed = all.iter().flat_map(|timeline| timeline.lapsed(at)).take(max).count();
            all.iter().map(|timeline| timeline.len()).sum::<usize>() - lapsed
        };
        let (in_flight, delayed) = (count(self.all_leased()), count(self.all_delayed()));
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

    pub(super) fn held(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn by_age(&self) -> &Timeline {
        &self.by_age
    }

    /// The first moment after `at` at which a receive finds something, were nothing else to happen.
    pub(super) fn next_visible(&self, at: Stamp) -> Option<Stamp> {
        if self.has_receivable(at) {
            return Some(at + Millis(1));
        }
        let timelines = self.all_leased().into_iter().chain(self.all_delayed());
        timelines.filter_map(|timeline| timeline.next_after(at)).min()
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
        self.add(at, seq, Entry { message, shown });
    }

    pub(super) fn dead_letter_came(&mut self, at: Stamp, fact: &DeadLettered) {
        let message = Message::dead_lettered(fact).in_group(fact.group.clone());
        self.add(at, fact.to_seq, Entry { message, shown: Shown::Ready });
    }

    pub(super) fn leased(&mut self, at: Stamp, fact: &Leased) {
        self.promote(at);
        for seq in &fact.seqs {
            self.show(at, *seq, Shown::Leased(fact.until));
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
        self.show(at, fact.seq, shown);
    }

    pub(super) fn expired(&mut self, at: Stamp, fact: &Expired) {
        while let Some(seq) = self.by_age.pop_through((fact.sent_at, fact.seq)) {
            self.remove(at, seq);
        }
    }

    pub(super) fn remove(&mut self, at: Stamp, seq: Seq) {
        if let Some(entry) = self.messages.remove(seq) {
            let group = entry.message.group();
            self.hand_out_ended(at, group, (entry.shown, entry.message.lease()));
            self.unindex(seq, group, entry.shown);
            self.by_age.remove(entry.message.sent_at, seq);
        }
    }

    fn add(&mut self, at: Stamp, seq: Seq, mut entry: Entry) {
        self.remove(at, seq);
        self.last_seq = self.last_seq.max(seq);
        self.by_age.insert(entry.message.sent_at, seq);
        entry.message.share_group(|group| self.tenants().known(group));
        self.index(seq, entry.message.group(), entry.shown);
        self.messages.insert(seq, entry);
    }

    fn show(&mut self, at: Stamp, seq: Seq, shown: Shown) {
        let Some(mut entry) = self.messages.get_mut(seq) else { return };
        let before = std::mem::replace(&mut entry.shown, shown);
        let (group, lease) = (entry.message.group().cloned(), entry.message.lease());
        drop(entry);
        if !before.goes_on_as(shown, at) {
            self.hand_out_ended(at, group.as_ref(), (before, lease));
        }
        self.unindex(seq, group.as_ref(), before);
        self.index(seq, group.as_ref(), shown);
    }

    /// A hand-out, if it was one, is over, and took its time: until now, or until its lease ended.
    fn hand_out_ended(
        &mut self,
        at: Stamp,
        group: Option<&Label>,
        (shown, lease): (Shown, Option<Lease>),
    ) {
        if let (Shown::Leased(until), Some(lease), Some(tenants)) =
            (shown, lease, &mut self.tenants)
        {
            tenants.was_busy(at, group, until.min(at).since(lease.since));
        }
    }

    fn index(&mut self, seq: Seq, group: Option<&Label>, shown: Shown) {
        if let Some(group) = group {
            return self.tenants.get_or_insert_default().insert(group, seq, shown);
        }
        match shown {
            Shown::Ready => self.ready.insert(seq),
            Shown::Delayed(until) => self.delayed.insert(until, seq),
            Shown::Leased(until) => self.leased.insert(until, seq),
        }
    }

    fn unindex(&mut self, seq: Seq, group: Option<&Label>, shown: Shown) {
        if let Some(group) = group {
            self.tenants.iter_mut().for_each(|tenants| tenants.remove(group, seq, shown));
            self.tenants.take_if(|tenants| tenants.is_nobody());
            return;
        }
        match shown {
            Shown::Ready => self.ready.remove(seq),
            Shown::Delayed(until) => self.delayed.remove(until, seq),
            Shown::Leased(until) => self.leased.remove(until, seq),
        };
    }

    /// Keeps the counts cheap: without it, delays that passed long ago would be counted again and
    /// again by whoever asks for the number of visible messages.
    fn promote(&mut self, at: Stamp) {
        self.promote_those_in(at, |queue| [&queue.delayed, &queue.leased]);
        self.promote_those_in(at, |queue| [queue.tenants().delayed(), queue.tenants().leased()]);
    }

    fn promote_those_in(&mut self, at: Stamp, timelines: fn(&StandardQueue) -> [&Timeline; 2]) {
        for _ in 0..PROMOTED_PER_FACT {
            let lapsed = timelines(self).into_iter().find_map(|timeline| timeline.first_lapsed(at));
            let Some(seq) = lapsed else { return };
            self.show(at, seq, Shown::Ready);
        }
    }

    #[cfg(test)]
    pub(super) fn leases_indexed(&self) -> usize {
        self.all_leased().iter().map(|leased| leased.len()).sum()
    }

    /// Asserts that the indexes are what the messages make them.
    #[cfg(test)]
    pub(super) fn check(&self, at: Stamp) {
        let busy = |tenants: &Tenants| Box::new(Tenants::new(tenants.busy().clone()));
        let tenants = self.tenants.as_deref().map(busy);
        let mut queue = StandardQueue { tenants, ..StandardQueue::default() };
        for (seq, entry) in self.messages.iter() {
            queue.add(at, seq, entry.clone());
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
