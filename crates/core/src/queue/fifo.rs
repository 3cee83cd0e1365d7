//! The FIFO queue: order inside a group, deduplication, leases that are promises.
//!
//! A group's lock is implied by what is in flight: a receive walks a group in order and stops at
//! the first message that is handed out or delayed. So nothing overtakes a message in flight, and
//! messages before it that came back are delivered again (observed on AWS: localstack#12457).

use std::collections::{BTreeMap, BTreeSet};

use crate::command::{Delivery, NewDedup, NewMessage, Reply};
use crate::decision::{Decision, Moment};
use crate::fact::{
    DeadLettered, DedupMark, Deleted, Expired, Fact, Facts, LeaseChanged, Leased, Sent,
};
use crate::id::{Label, MessageId, Place, Seq};
use crate::limits::Limits;
use crate::parts::{DedupWindow, Timeline};
use crate::receipt::Receipt;
use crate::refusal::QueueRefusal;
use crate::stamp::{Millis, Stamp};

use super::message::{Message, Standing};
use super::pick::{Ask, Pick};
use super::{Counts, is_full, lease_until};

/// How many ended leases leave the index of leases with each hand-out and each send; more than a
/// hand-out adds, so that none pile up.
const FORGOTTEN_PER_FACT: usize = 32;

/// Messages by group, and the groups by whether their first message is handed out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FifoQueue {
    messages: BTreeMap<Seq, Message>,
    groups: BTreeMap<Label, BTreeSet<Seq>>,
    /// First messages of groups, not handed out.
    free: BTreeSet<Seq>,
    /// First messages of groups, handed out (perhaps no longer).
    locked: Timeline,
    /// Messages whose lease runs, and some whose lease has ended.
    leased: Timeline,
    by_age: Timeline,
    dedup: DedupWindow<(Seq, MessageId)>,
    attempts: DedupWindow<Vec<(Seq, u32)>>,
    last_seq: Seq,
}

impl FifoQueue {
    pub(super) fn next_seq(&self) -> Seq {
        self.last_seq.next()
    }

    /// A message that a decision looks at.
    fn message(&self, seq: Seq) -> Option<&Message> {
        #[cfg(test)]
        super::looked_at::count_one();
        self.messages.get(&seq)
    }

    /// The same queue without its messages; numbers go on, and what was sent stays known: moved
    /// over, since copying five minutes of ids would make a long turn.
    pub(super) fn emptied(&mut self) -> FifoQueue {
        let dedup = std::mem::take(&mut self.dedup);
        FifoQueue { last_seq: self.last_seq, dedup, ..FifoQueue::default() }
    }

    /// Checks what only a FIFO queue asks of a message; the mark to remember it by.
    pub(super) fn admit(
        &self,
        now: &Moment<'_>,
        message: &NewMessage,
        content_dedup: bool,
    ) -> Result<DedupMark, QueueRefusal> {
        if message.group.is_none() {
            return Err(QueueRefusal::GroupRequired);
        }
        match message.delay {
            Some(delay) if delay > Millis::ZERO => {
                return Err(QueueRefusal::MessageDelayOnFifo { delay });
            }
            _ => {}
        }
        let key = match &message.dedup {
            NewDedup::Id(id) => id.clone(),
            NewDedup::Content(digest) if content_dedup => digest.clone(),
            NewDedup::Content(_) | NewDedup::None => return Err(QueueRefusal::DedupRequired),
        };
        Ok(DedupMark { key, until: now.at + now.limits.dedup_window })
    }

    /// What was sent before under this key.
    pub(super) fn original(&self, at: Stamp, key: &Label) -> Option<(Seq, MessageId)> {
        self.dedup.find(key, at).copied()
    }

    pub(super) fn receive(&self, now: &Moment<'_>, ask: &Ask<'_>) -> Decision {
        if let Some(again) = ask.attempt.and_then(|mark| self.repeat(now, ask, mark)) {
            return again;
        }
        if is_full(&self.leased, now.at, now.limits.fifo_in_flight_max) {
            // Unlike a standard queue, a full FIFO queue answers without an error (SQS quotas).
            return Decision::reply(Reply::Received(Vec::new()));
        }
        let mut pick = Pick::new(ask, now);
        for head in self.heads(now.at, ask.delay, now.limits) {
            if pick.is_full() {
                break;
            }
            self.walk_group(head, now.at, ask, &mut pick);
        }
        pick.decision()
    }

    /// The first messages of the groups that have something to give. Delays count from the send
    /// for the whole queue, so the delayed heads are the last ones; but a delay that was raised
    /// holds back heads that came back too, and those stand in order of their leases' ends.
    fn heads(&self, at: Stamp, delay: Millis, limits: &Limits) -> impl Iterator<Item = Seq> {
        let is_due = move |seq: &Seq| self.delay_end(*seq, delay).is_some_and(|end| end <= at);
        let back = self.locked.lapsed(at).take(limits.receive_scan_max).filter(is_due);
        back.chain(self.free.iter().copied().take_while(is_due))
    }

    fn delay_end(&self, seq: Seq, delay: Millis) -> Option<Stamp> {
        self.message(seq).map(|message| message.sent_at + delay)
    }

    fn walk_group(&self, head: Seq, at: Stamp, ask: &Ask<'_>, pick: &mut Pick<'_>) {
        let Some(group) = self.message(head).and_then(|m| m.group.as_ref()) else { return };
        for seq in self.groups.get(group).into_iter().flatten() {
            let Some(message) = self.message(*seq) else { return };
            let blocked = message.leased_until(at).is_some() || message.sent_at + ask.delay > at;
            if blocked || pick.is_full() {
                return;
            }
            // A dead letter is sent anew: SQS resets the enqueue time on FIFO queues.
            pick.take(*seq, message, at);
        }
    }

    /// The same messages under the same receipts, if nothing happened to them since; the leases
    /// start again (SQS API reference, ReceiveRequestAttemptId).
    fn repeat(&self, now: &Moment<'_>, ask: &Ask<'_>, mark: &DedupMark) -> Option<Decision> {
        let before = self.attempts.find(&mark.key, now.at)?;
        let mut facts = Facts::none();
        let mut deliveries = Vec::new();
        for (seq, receives) in before {
            deliveries.push(self.delivery_again(now.at, ask, *seq, *receives)?);
            let until = now.at + ask.visibility;
            let changed = LeaseChanged { queue: ask.queue, seq: *seq, until };
            facts.push(Fact::LeaseChanged(changed));
        }
        Some(Decision { facts, answer: Ok(Reply::Received(deliveries)) })
    }

    fn delivery_again(
        &self,
        at: Stamp,
        ask: &Ask<'_>,
        seq: Seq,
        receives: u32,
    ) -> Option<Delivery> {
        let message = self.message(seq)?;
        let untouched = message.receives == receives && message.leased_until(at).is_some();
        message.same_delivery(ask, seq).filter(|_| untouched)
    }

    pub(super) fn delete(&self, now: &Moment<'_>, receipt: &Receipt) -> Decision {
        let Some(message) = self.message(receipt.seq) else {
            return Decision::reply(Reply::Done);
        };
        match message.standing(receipt, now.at) {
            Standing::Held => {
                let deleted = Deleted { queue: receipt.queue, seq: receipt.seq };
                Decision::fact(Fact::Deleted(deleted), Reply::Done)
            }
            Standing::Ended | Standing::Forgotten | Standing::Superseded => {
                Decision::refuse(QueueRefusal::LeaseEnded)
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

    /// Exact while no more than `max` messages are delayed, and no more leases have ended that no
    /// fact has met since.
    pub(super) fn counts(&self, at: Stamp, delay: Millis, max: usize) -> Counts {
        let in_flight = self.leased.len() - self.leased.lapsed_count(at, max);
        let newest = self.messages.values().rev().take(max);
        let delayed = newest
            .take_while(|message| message.sent_at + delay > at)
            .filter(|message| message.leased_until(at).is_none())
            .count();
        Counts { visible: self.messages.len() - in_flight - delayed, in_flight, delayed }
    }

    pub(super) fn by_age(&self) -> &Timeline {
        &self.by_age
    }

    /// The first moment after `at` at which a receive finds something, were nothing else to
    /// happen. Never late; early only where the queue is full, or where a delay that was raised
    /// holds back what was handed out before.
    pub(super) fn next_visible(&self, at: Stamp, delay: Millis, limits: &Limits) -> Option<Stamp> {
        if is_full(&self.leased, at, limits.fifo_in_flight_max) {
            return self.leased.next_after(at);
        }
        if self.heads(at, delay, limits).next().is_some() {
            return Some(at + Millis(1));
        }
        let back = self.locked.next_after(at);
        let fresh = self.free.first().and_then(|head| self.delay_end(*head, delay));
        let held_back = self.locked.first_lapsed(at).and_then(|_| self.next_delay_end(at, delay));
        [back, fresh, held_back].into_iter().flatten().min()
    }

    /// The earliest delay of any message that ends after `at`, found by age, which is the order of
    /// delays.
    fn next_delay_end(&self, at: Stamp, delay: Millis) -> Option<Stamp> {
        let next = match at.0.checked_sub(delay.0) {
            Some(sent_by) => self.by_age.next_after(Stamp(sent_by)),
            None => self.by_age.first(),
        };
        next.map(|sent_at| sent_at + delay)
    }

    pub(super) fn sent(&mut self, at: Stamp, here: Place, fact: &Sent) {
        self.forget_ended(at);
        if let Some(mark) = &fact.dedup {
            self.dedup.remember(mark.key.clone(), mark.until, (fact.seq, fact.id), at);
        }
        self.add(fact.seq, Message::sent(at, here, fact));
    }

    pub(super) fn dead_letter_came(&mut self, fact: &DeadLettered) {
        self.add(fact.to_seq, Message::dead_lettered(fact));
    }

    pub(super) fn leased(&mut self, at: Stamp, fact: &Leased) {
        self.forget_ended(at);
        for seq in &fact.seqs {
            self.reindex(*seq, |message| message.lease(at, fact.epoch, fact.until));
        }
        if let Some(mark) = &fact.attempt {
            let receives = |seq: &Seq| Some((*seq, self.messages.get(seq)?.receives));
            let handed_out = fact.seqs.iter().filter_map(receives).collect();
            self.attempts.remember(mark.key.clone(), mark.until, handed_out, at);
        }
    }

    pub(super) fn lease_changed(&mut self, fact: &LeaseChanged) {
        self.reindex(fact.seq, |message| {
            if let Some(lease) = message.lease.as_mut() {
                lease.until = fact.until;
            }
        });
    }

    pub(super) fn expired(&mut self, fact: &Expired) {
        while let Some(seq) = self.by_age.pop_through((fact.sent_at, fact.seq)) {
            self.remove(seq);
        }
    }

    pub(super) fn remove(&mut self, seq: Seq) {
        let Some(group) = self.messages.get(&seq).and_then(|m| m.group.clone()) else { return };
        self.unindex(seq);
        self.unindex_head(&group);
        if let Some(message) = self.messages.remove(&seq) {
            self.by_age.remove(message.sent_at, seq);
        }
        self.leave_group(&group, seq);
        self.index_head(&group);
    }

    /// Keeps it cheap to see whether the queue is full: without it, leases that ended long ago would
    /// be counted with each receive. The messages keep them, since receipts are compared with them.
    fn forget_ended(&mut self, at: Stamp) {
        let ended = (at, Seq(u64::MAX));
        for _ in 0..FORGOTTEN_PER_FACT {
            if self.leased.pop_through(ended).is_none() {
                return;
            }
        }
    }

    fn leave_group(&mut self, group: &Label, seq: Seq) {
        if let Some(seqs) = self.groups.get_mut(group) {
            seqs.remove(&seq);
            if seqs.is_empty() {
                self.groups.remove(group);
            }
        }
    }

    fn add(&mut self, seq: Seq, mut message: Message) {
        self.remove(seq);
        // A message without a group came from a log that this version would not write; it still
        // must not be lost.
        let group = message.group.get_or_insert_with(|| Label::new("")).clone();
        self.last_seq = self.last_seq.max(seq);
        self.unindex_head(&group);
        self.by_age.insert(message.sent_at, seq);
        self.messages.insert(seq, message);
        self.groups.entry(group.clone()).or_default().insert(seq);
        self.index_head(&group);
    }

    fn reindex(&mut self, seq: Seq, change: impl FnOnce(&mut Message)) {
        let Some(group) = self.messages.get(&seq).and_then(|m| m.group.clone()) else { return };
        self.unindex(seq);
        self.unindex_head(&group);
        if let Some(message) = self.messages.get_mut(&seq) {
            change(message);
            if let Some(lease) = message.lease {
                self.leased.insert(lease.until, seq);
            }
        }
        self.index_head(&group);
    }

    fn unindex(&mut self, seq: Seq) {
        if let Some(lease) = self.messages.get(&seq).and_then(|message| message.lease) {
            self.leased.remove(lease.until, seq);
        }
    }

    fn head(&self, group: &Label) -> Option<(Seq, Option<Stamp>)> {
        let head = *self.groups.get(group)?.first()?;
        Some((head, self.messages.get(&head)?.lease.map(|lease| lease.until)))
    }

    fn unindex_head(&mut self, group: &Label) {
        match self.head(group) {
            Some((head, Some(until))) => drop(self.locked.remove(until, head)),
            Some((head, None)) => drop(self.free.remove(&head)),
            None => {}
        }
    }

    fn index_head(&mut self, group: &Label) {
        match self.head(group) {
            Some((head, Some(until))) => self.locked.insert(until, head),
            Some((head, None)) => drop(self.free.insert(head)),
            None => {}
        }
    }

    #[cfg(test)]
    pub(super) fn leases_indexed(&self) -> usize {
        self.leased.len()
    }

    /// Asserts that the indexes are what the messages make them.
    #[cfg(test)]
    pub(super) fn check(&self, at: Stamp) {
        let mut queue = FifoQueue {
            dedup: self.dedup.clone(),
            attempts: self.attempts.clone(),
            ..FifoQueue::default()
        };
        let indexed: BTreeSet<Seq> = self.leased.lapsed(Stamp::MAX).collect();
        for (seq, message) in &self.messages {
            queue.add(*seq, message.clone());
            if let Some(lease) = message.lease
                && (lease.until > at || indexed.contains(seq))
            {
                queue.leased.insert(lease.until, *seq);
            }
        }
        assert_eq!(FifoQueue { last_seq: self.last_seq, ..queue }, *self);
    }

    /// Each message looked at.
    #[cfg(test)]
    pub(super) fn naive_counts(&self, at: Stamp, delay: Millis) -> Counts {
        let mut counts = Counts { visible: 0, in_flight: 0, delayed: 0 };
        for message in self.messages.values() {
            counts.add(message.leased_until(at).is_some(), message.sent_at + delay > at);
        }
        counts
    }
}
