//! Handing messages out, in their order.

use super::{Here, Outcome, bodiless};
use crate::broker::command::{ReceiveMode, SessionHolder, SubQueue};
use crate::broker::fact::{Activated, BrokerFact, Locked, SeveralMessages};
use crate::broker::message::{Fate, Message};
use crate::broker::queue::BrokerQueue;
use crate::broker::refusal::BrokerRefusal;
use crate::broker::reply::{BrokerDelivery, BrokerLock, BrokerMessage, BrokerReply};
use crate::broker::shelf::Shelf;
use crate::command::Reply;
use crate::decision::Decision;
use crate::id::{Label, Seq};
use crate::receipt::Receipt;
use crate::stamp::Stamp;

/// How the messages of one hand-out leave.
#[derive(Clone, Copy)]
pub(super) enum Terms {
    /// Each under a lock of its own, until a moment.
    OwnLock(Stamp),
    /// Under the lock of their session, which lasts until a moment.
    SessionLock(Stamp),
    /// For good.
    Gone,
}

/// A hand-out being put together from one shelf.
pub(super) struct HandOut<'a> {
    queue: &'a BrokerQueue,
    here: Here<'a>,
    shelf: &'a Shelf,
    /// The last number given, those included that this hand-out gives.
    last: Seq,
    /// What had to happen before: messages put aside, scheduled ones enqueued.
    facts: Vec<BrokerFact>,
    picked: Vec<Picked>,
}

struct Picked {
    message: BrokerMessage,
    attempt: u32,
}

impl<'a> HandOut<'a> {
    pub(super) fn new(queue: &'a BrokerQueue, here: Here<'a>, sub: SubQueue) -> HandOut<'a> {
        let (shelf, last) = (queue.shelf(sub), queue.last);
        HandOut { queue, here, shelf, last, facts: Vec::new(), picked: Vec::new() }
    }

    /// Takes the message, or puts it aside if its time is over; says whether it was taken.
    pub(super) fn pick(&mut self, seq: Seq, message: &Message) -> bool {
        let at = self.here.now.at;
        let fate = self.shelf.fate(message, at);
        if fate == Fate::Deliver {
            let attempt = message.attempts.saturating_add(1);
            let message = self.shelf.view(seq, message, at);
            self.picked.push(Picked { message, attempt });
        }
        self.facts.extend(self.queue.put_aside(self.here.queue, seq, fate));
        fate == Fate::Deliver
    }

    /// Picks from `candidates` up to `max`. What is put aside on the way is bounded too; the rest
    /// is left to the next receive.
    fn pick_some(&mut self, candidates: impl Iterator<Item = Seq>, max: usize) {
        for seq in candidates {
            if self.picked.len() >= max || self.facts.len() >= self.scan_max() {
                return;
            }
            if let Some(message) = self.shelf.get(seq) {
                self.pick(seq, message);
            }
        }
    }

    /// Enqueues scheduled messages whose moment has come, and picks them, up to `max` in all: they
    /// come last, since their numbers are the newest.
    fn pick_scheduled(&mut self, session: Option<&Label>, max: usize) {
        let at = self.here.now.at;
        for (seq, message) in self.shelf.due_scheduled(at).take(self.scan_max()) {
            if self.picked.len() >= max || self.facts.len() >= self.scan_max() {
                return;
            }
            if session.is_none() || session == message.session.as_ref() {
                let (queue, to) = (self.here.queue, self.last.next());
                self.last = to;
                self.facts.push(BrokerFact::Activated(Activated { queue, seq, to }));
                self.pick(to, &message.clone().activated(at));
            }
        }
    }

    fn scan_max(&self) -> usize {
        self.here.now.limits.receive_scan_max
    }

    /// What had to happen before, if nothing is to be handed out after all.
    pub(super) fn into_facts(self) -> Vec<BrokerFact> {
        self.facts
    }

    pub(super) fn into_decision(mut self, terms: Terms) -> Decision {
        let seqs: Vec<Seq> = self.picked.iter().map(|picked| picked.message.seq).collect();
        if !seqs.is_empty() {
            self.facts.push(self.leave(terms, seqs));
        }
        let deliveries = self.picked.into_iter().map(|p| deliver(self.here, terms, p)).collect();
        let answer = Ok(Reply::Broker(BrokerReply::Received(deliveries)));
        Decision { facts: bodiless(self.facts), answer }
    }

    fn leave(&self, terms: Terms, seqs: Vec<Seq>) -> BrokerFact {
        let (queue, epoch) = (self.here.queue, self.here.now.epoch);
        let locked = |until, seqs| BrokerFact::Locked(Locked { queue, epoch, until, seqs });
        match terms {
            Terms::OwnLock(until) => locked(Some(until), seqs),
            Terms::SessionLock(_) => locked(None, seqs),
            Terms::Gone => BrokerFact::Taken(SeveralMessages { queue, seqs }),
        }
    }
}

fn deliver(here: Here<'_>, terms: Terms, picked: Picked) -> BrokerDelivery {
    let Picked { message, attempt } = picked;
    let receipt = Receipt { queue: here.queue, seq: message.seq, epoch: here.now.epoch, attempt };
    let lock = match terms {
        Terms::OwnLock(until) | Terms::SessionLock(until) => Some(BrokerLock { receipt, until }),
        Terms::Gone => None,
    };
    BrokerDelivery { message, lock }
}

impl BrokerQueue {
    /// How messages leave that are not under a session's lock.
    pub(super) fn own_terms(&self, here: Here<'_>, mode: ReceiveMode) -> Terms {
        match mode {
            ReceiveMode::PeekLock => Terms::OwnLock(here.now.at + self.settings.lock),
            ReceiveMode::ReceiveAndDelete => Terms::Gone,
        }
    }

    pub(super) fn receive(
        &self,
        here: Here<'_>,
        sub: SubQueue,
        mode: ReceiveMode,
        max: usize,
    ) -> Outcome {
        let line = self.shelf(sub).line().ok_or(BrokerRefusal::SessionReceiverRequired)?;
        let max = max.min(hand_out_max(here));
        let mut hand_out = HandOut::new(self, here, sub);
        hand_out.pick_some(line.candidates(here.now.at), max);
        hand_out.pick_scheduled(None, max);
        Ok(hand_out.into_decision(self.own_terms(here, mode)))
    }

    pub(super) fn receive_in_session(
        &self,
        here: Here<'_>,
        holder: &SessionHolder,
        mode: ReceiveMode,
        max: usize,
    ) -> Outcome {
        let (session, lock) = self.held_session(here, holder)?;
        let room = here.now.limits.unsettled_max.saturating_sub(session.held.len());
        let max = max.min(room).min(hand_out_max(here));
        let mut hand_out = HandOut::new(self, here, SubQueue::Main);
        hand_out.pick_some(session.free.iter().copied(), max);
        hand_out.pick_scheduled(Some(&holder.session), max);
        Ok(hand_out.into_decision(session_terms(mode, lock.until)))
    }
}

/// Most messages that one command hands out, or names.
pub(super) fn hand_out_max(here: Here<'_>) -> usize {
    here.now.limits.broker_receive_max.min(here.now.limits.unsettled_max)
}

/// How messages leave in a session whose lock lasts until `until`.
pub(super) fn session_terms(mode: ReceiveMode, until: Stamp) -> Terms {
    match mode {
        ReceiveMode::PeekLock => Terms::SessionLock(until),
        ReceiveMode::ReceiveAndDelete => Terms::Gone,
    }
}
