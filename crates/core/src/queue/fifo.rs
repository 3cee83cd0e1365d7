//! The FIFO queue: order inside a group, deduplication, leases that are promises.
//!
//! A group's lock is implied by what is in flight: a receive walks a group in order and stops at
//! the first message that is handed out or delayed. So nothing overtakes a message in flight, and
//! messages before it that came back are delivered again (observed on AWS: localstack#12457).

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::command::{Delivery, NewDedup, NewMessage, Reply};
use crate::decision::{Decision, Moment};
use crate::fact::{
    DeadLettered, DedupMark, Deleted, Expired, Fact, Facts, LeaseChanged, Leased, Moved, Sent,
};
use crate::id::{Label, MessageId, Place, Seq};
use crate::limits::Limits;
use crate::parts::{Chunked, DedupState, DedupWindow, INDEX_ENTRY_BYTES, SeqSet, Timeline, Weigh};
use crate::receipt::Receipt;
use crate::refusal::QueueRefusal;
use crate::stamp::{Millis, Stamp};

use super::dedup_key::DedupKey;
use super::look::Look;
use super::message::{Message, Standing};
use super::pick::{Ask, Dead, Pick};
use super::{Counts, is_full, lease_until};

/// How many ended leases leave the index of leases with each hand-out and each send; more than a
/// hand-out adds, so that none pile up.
const FORGOTTEN_PER_FACT: usize = 32;

/// Messages by group, and the groups by whether their first message is handed out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FifoQueue {
    messages: Chunked<Member>,
    groups: BTreeMap<Label, BTreeSet<Seq>>,
    /// First messages of groups, not handed out.
    free: SeqSet,
    /// First messages of groups, handed out (perhaps no longer).
    locked: Timeline,
    /// Messages whose lease runs, and some whose lease has ended.
    leased: Timeline,
    by_age: Timeline,
    dedup: DedupWindow<DedupKey, (Seq, MessageId)>,
    attempts: DedupWindow<Label, Vec<(Seq, u32)>>,
    last_seq: Seq,
}

/// A message of a group. The numbers are those of a checkpoint's blocks.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(super) struct Member {
    #[n(0)]
    pub(super) message: Message,
    #[n(1)]
    group: Label,
}

/// What the queue is made of; all else is a function of it.
#[derive(Clone, Debug, Default)]
pub(super) struct FifoState {
    pub(super) messages: Chunked<Member>,
    pub(super) last_seq: Seq,
    pub(super) dedup: DedupState<DedupKey, (Seq, MessageId)>,
    pub(super) attempts: DedupState<Label, Vec<(Seq, u32)>>,
}

/// Bytes that a group takes beside its messages: its place among the groups, its label, a tree of
/// numbers, and its head's place among the heads.
const GROUP_BYTES: u64 = 300;

impl Weigh for Member {
    /// Each is in the index by age and, with half an entry, in that of its group.
    fn beyond(&self) -> u64 {
        INDEX_ENTRY_BYTES + INDEX_ENTRY_BYTES / 2 + self.message.beyond()
    }
}

impl FifoQueue {
    /// Bytes that its messages, groups and memories take, about.
    pub(super) fn bytes(&self) -> u64 {
        let groups = (self.groups.len() as u64).saturating_mul(GROUP_BYTES);
        let memories = self.dedup.bytes().saturating_add(self.attempts.bytes());
        self.messages.bytes().saturating_add(groups).saturating_add(memories)
    }

    pub(super) fn next_seq(&self) -> Seq {
        self.last_seq.next()
    }

    /// A message that a decision looks at.
    fn message(&self, seq: Seq) -> Option<&Message> {
        self.member(seq).map(|member| &member.message)
    }

    fn member(&self, seq: Seq) -> Option<&Member> {
        #[cfg(test)]
        super::looked_at::count_one();
        self.messages.get(seq)
    }

    /// What the queue is made of.
    pub(super) fn state(&self) -> FifoState {
        FifoState {
            messages: self.messages.clone(),
            last_seq: self.last_seq,
            dedup: self.dedup.state(),
            attempts: self.attempts.state(),
        }
    }

    /// The queue of a state as of `at`. Which leases ended before is kept only for a while, and no
    /// answer depends on it.
    pub(super) fn from_state(state: FifoState, at: Stamp) -> FifoQueue {
        let FifoState { mut messages, last_seq, dedup, attempts } = state;
        let ages = messages.iter().map(|(seq, member)| (member.message.sent_at, seq));
        let leases = messages
            .iter()
            .filter_map(|(seq, member)| Some((member.message.leased_until(at)?, seq)));
        let mut queue = FifoQueue {
            by_age: ages.collect(),
            leased: leases.collect(),
            dedup: DedupWindow::from_state(dedup),
            attempts: DedupWindow::from_state(attempts),
            ..FifoQueue::default()
        };
        queue.last_seq = last_seq.max(messages.last_seq());
        messages.for_each_mut(|seq, member| {
            member.group = queue.known(&member.group);
            queue.groups.entry(member.group.clone()).or_default().insert(seq);
        });
        queue.messages = messages;
        let groups: Vec<Label> = queue.groups.keys().cloned().collect();
        groups.iter().for_each(|group| queue.index_head(group));
        queue
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
    pub(super) fn original(&self, at: Stamp, key: &DedupKey) -> Option<(Seq, MessageId)> {
        self.dedup.find(key, at).copied()
    }

    pub(super) fn receive(&self, now: &Moment<'_>, ask: &Ask<'_>) -> Decision {
        if let Some(again) = ask.attempt.and_then(|mark| self.repeat(now, ask, mark)) {
            return again;
        }
        if is_full([&self.leased], now.at, now.limits.fifo_in_flight_max) {
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
        back.chain(self.free.iter().take_while(is_due))
    }

    fn delay_end(&self, seq: Seq, delay: Millis) -> Option<Stamp> {
        self.message(seq).map(|message| message.sent_at + delay)
    }

    fn walk_group(&self, head: Seq, at: Stamp, ask: &Ask<'_>, pick: &mut Pick<'_>) {
        let Some(Member { group, .. }) = self.member(head) else { return };
        for seq in self.groups.get(group).into_iter().flatten() {
            let Some(message) = self.message(*seq) else { return };
            let blocked = message.leased_until(at).is_some() || message.sent_at + ask.delay > at;
            if blocked || pick.is_full() {
                return;
            }
            // A dead letter is sent anew: SQS resets the enqueue time on FIFO queues.
            let before = pick.picked();
            pick.take(*seq, message, Dead { sent_at: at, group: Some(group) });
            if ask.alone && pick.picked() > before {
                return;
            }
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
        let newest = self.messages.iter().rev().take(max).map(|(_, member)| &member.message);
        let delayed = newest
            .take_while(|message| message.sent_at + delay > at)
            .filter(|message| message.leased_until(at).is_none())
            .count();
        Counts { visible: self.messages.len() - in_flight - delayed, in_flight, delayed }
    }

    /// The messages from a number on.
    pub(super) fn looks(&self, from: Seq, delay: Millis) -> impl Iterator<Item = Look<'_>> {
        self.messages.from(from).map(move |(seq, Member { message, group })| {
            #[cfg(test)]
            super::looked_at::count_one();
            Look { seq, message, group: Some(group), shown_from: message.sent_at + delay }
        })
    }

    /// The messages of a group.
    pub(super) fn group(&self, group: &Label) -> Option<&BTreeSet<Seq>> {
        self.groups.get(group)
    }

    pub(super) fn held(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn by_age(&self) -> &Timeline {
        &self.by_age
    }

    /// The first moment after `at` at which a receive finds something, were nothing else to
    /// happen. Never late; early only where the queue is full, or where a delay that was raised
    /// holds back what was handed out before.
    pub(super) fn next_visible(&self, at: Stamp, delay: Millis, limits: &Limits) -> Option<Stamp> {
        if is_full([&self.leased], at, limits.fifo_in_flight_max) {
            return self.leased.next_after(at);
        }
        if self.heads(at, delay, limits).next().is_some() {
            return Some(at + Millis(1));
        }
        let back = self.locked.next_after(at);
        let fresh = self.free.first().and_then(|head| self.delay_end(head, delay));
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
            let scope = fact.dedup_scope.unwrap_or_default();
            let key = DedupKey::new(scope, fact.group.as_ref(), &mark.key);
            self.dedup.remember(key, mark.until, (fact.seq, fact.id), at);
        }
        self.add(fact.seq, Message::sent(at, here, fact), fact.group.as_ref());
    }

    pub(super) fn dead_letter_came(&mut self, fact: &DeadLettered) {
        self.add(fact.to_seq, Message::dead_lettered(fact), fact.group.as_ref());
    }

    pub(super) fn moved_here(&mut self, at: Stamp, fact: &Moved) {
        self.forget_ended(at);
        self.add(fact.to_seq, Message::moved(at, fact), fact.group.as_ref());
    }

    pub(super) fn leased(&mut self, at: Stamp, fact: &Leased) {
        self.forget_ended(at);
        for seq in &fact.seqs {
            self.reindex(*seq, |message| message.hand_out(at, fact.epoch, fact.until));
        }
        if let Some(mark) = &fact.attempt {
            let receives = |seq: &Seq| Some((*seq, self.messages.get(*seq)?.message.receives));
            let handed_out = fact.seqs.iter().filter_map(receives).collect();
            self.attempts.remember(mark.key.clone(), mark.until, handed_out, at);
        }
    }

    pub(super) fn lease_changed(&mut self, fact: &LeaseChanged) {
        self.reindex(fact.seq, |message| {
            message.end_lease_at(fact.until);
        });
    }

    pub(super) fn expired(&mut self, fact: &Expired) {
        while let Some(seq) = self.by_age.pop_through((fact.sent_at, fact.seq)) {
            self.remove(seq);
        }
    }

    pub(super) fn remove(&mut self, seq: Seq) {
        let Some(group) = self.group_of(seq) else { return };
        self.unindex(seq);
        self.unindex_head(&group);
        if let Some(member) = self.messages.remove(seq) {
            self.by_age.remove(member.message.sent_at, seq);
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
        if self.groups.is_empty() {
            // As a timeline does.
            self.groups = BTreeMap::new();
        }
    }

    fn add(&mut self, seq: Seq, message: Message, group: Option<&Label>) {
        self.remove(seq);
        // A message without a group came from a log that this version would not write; it still
        // must not be lost.
        let group = group.map_or_else(|| Label::new(""), |group| self.known(group));
        self.last_seq = self.last_seq.max(seq);
        self.unindex_head(&group);
        self.by_age.insert(message.sent_at, seq);
        self.messages.insert(seq, Member { message, group: group.clone() });
        self.groups.entry(group.clone()).or_default().insert(seq);
        self.index_head(&group);
    }

    /// The label of a group, so that all of its messages share one text.
    fn known(&self, group: &Label) -> Label {
        self.groups.get_key_value(group).map_or(group, |(known, _)| known).clone()
    }

    fn group_of(&self, seq: Seq) -> Option<Label> {
        self.messages.get(seq).map(|member| member.group.clone())
    }

    fn lease_end(&self, seq: Seq) -> Option<Stamp> {
        Some(self.messages.get(seq)?.message.lease()?.until)
    }

    fn reindex(&mut self, seq: Seq, change: impl FnOnce(&mut Message)) {
        let Some(group) = self.group_of(seq) else { return };
        self.unindex(seq);
        self.unindex_head(&group);
        if let Some(mut member) = self.messages.get_mut(seq) {
            change(&mut member.message);
        }
        if let Some(until) = self.lease_end(seq) {
            self.leased.insert(until, seq);
        }
        self.index_head(&group);
    }

    fn unindex(&mut self, seq: Seq) {
        if let Some(until) = self.lease_end(seq) {
            self.leased.remove(until, seq);
        }
    }

    fn head(&self, group: &Label) -> Option<(Seq, Option<Stamp>)> {
        let head = *self.groups.get(group)?.first()?;
        self.messages.get(head).map(|member| (head, member.message.lease().map(|l| l.until)))
    }

    fn unindex_head(&mut self, group: &Label) {
        match self.head(group) {
            Some((head, Some(until))) => drop(self.locked.remove(until, head)),
            Some((head, None)) => drop(self.free.remove(head)),
            None => {}
        }
    }

    fn index_head(&mut self, group: &Label) {
        match self.head(group) {
            Some((head, Some(until))) => self.locked.insert(until, head),
            Some((head, None)) => self.free.insert(head),
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
        for (seq, Member { message, group }) in self.messages.iter() {
            queue.add(seq, message.clone(), Some(group));
            if let Some(lease) = message.lease()
                && (lease.until > at || indexed.contains(&seq))
            {
                queue.leased.insert(lease.until, seq);
            }
        }
        assert_eq!(FifoQueue { last_seq: self.last_seq, ..queue }, *self);
    }

    /// Each message looked at.
    #[cfg(test)]
    pub(super) fn naive_counts(&self, at: Stamp, delay: Millis) -> Counts {
        let mut counts = Counts { visible: 0, in_flight: 0, delayed: 0 };
        for (_, Member { message, .. }) in self.messages.iter() {
            counts.add(message.leased_until(at).is_some(), message.sent_at + delay > at);
        }
        counts
    }
}
