//! What a receive takes out of a queue: messages to hand out, and dead letters that it comes upon.

use crate::command::{Delivery, Reply};
use crate::decision::{Decision, Moment};
use crate::fact::{DeadLettered, DedupMark, Fact, Facts, Leased};
use crate::id::{Label, Name, QueueId, Seq};
use crate::parts::DeadLetterRule;
use crate::stamp::{Millis, Stamp};

use super::message::Message;

/// One receive of a polled queue, with everything about it that the queue itself does not hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) queue: QueueId,
    pub(crate) name: &'a Name,
    /// Whether the queue is ordered. Only where it is not, a hand-out need not outlive a crash.
    pub(crate) ordered: bool,
    pub(crate) max: usize,
    pub(crate) visibility: Millis,
    pub(crate) retention: Millis,
    pub(crate) delay: Millis,
    pub(crate) dead_letter: Option<(&'a DeadLetterRule, DeadLetterTarget)>,
    pub(crate) attempt: Option<&'a DedupMark>,
    /// Of each group one message at most.
    pub(crate) alone: bool,
}

/// The other side of a dead-letter rule, if it is there; else messages stay where they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadLetterTarget {
    pub(crate) queue: QueueId,
    pub(crate) next_seq: Seq,
}

/// What a message would be as a dead letter, as far as its kind of queue has a say in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dead<'a> {
    pub(super) sent_at: Stamp,
    pub(super) group: Option<&'a Label>,
}

/// What becomes of a message that a receive looks at.
pub(super) enum Fate {
    Deliver,
    Bury,
    Skip,
}

impl Ask<'_> {
    pub(super) fn fate(&self, message: &Message, at: Stamp) -> Fate {
        if message.is_expired(at, self.retention) {
            return Fate::Skip;
        }
        match &self.dead_letter {
            Some((rule, _)) if rule.is_exhausted(message.receives_here()) => Fate::Bury,
            _ => Fate::Deliver,
        }
    }
}

/// Collects one receive.
pub(super) struct Pick<'a> {
    ask: &'a Ask<'a>,
    now: &'a Moment<'a>,
    looked_at: usize,
    deliveries: Vec<Delivery>,
    buried: Vec<Fact>,
}

impl<'a> Pick<'a> {
    pub(super) fn new(ask: &'a Ask<'a>, now: &'a Moment<'a>) -> Pick<'a> {
        Pick { ask, now, looked_at: 0, deliveries: Vec::new(), buried: Vec::new() }
    }

    /// How many messages are to be handed out so far.
    pub(super) fn picked(&self) -> usize {
        self.deliveries.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.deliveries.len() >= self.ask.max || self.looked_at >= self.now.limits.receive_scan_max
    }

    /// Looks at a message; as a dead letter it would be what `dead` says.
    pub(super) fn take(&mut self, seq: Seq, message: &Message, dead: Dead<'_>) {
        self.looked_at += 1;
        match self.ask.fate(message, self.now.at) {
            Fate::Skip => {}
            Fate::Deliver => {
                self.deliveries.push(message.delivery(self.now, self.ask, seq));
            }
            Fate::Bury => self.bury(seq, message, dead),
        }
    }

    fn bury(&mut self, seq: Seq, message: &Message, dead: Dead<'_>) {
        let Some((_, target)) = self.ask.dead_letter else { return };
        let moved = self.buried.len() as u64;
        self.buried.push(Fact::DeadLettered(DeadLettered {
            from: self.ask.queue,
            seq,
            to: target.queue,
            to_seq: Seq(target.next_seq.0.saturating_add(moved)),
            id: message.id,
            body: message.body(),
            sent_at: dead.sent_at,
            receives: message.receives,
            first_received_at: message.first_received_at(),
            group: dead.group.cloned(),
            origin: self.ask.name.clone(),
            reason: None,
        }));
    }

    /// The facts and the answer.
    pub(super) fn decision(self) -> Decision {
        let mut facts = Facts { facts: self.buried, bodies: Vec::new() };
        if !self.deliveries.is_empty() {
            facts.push(Fact::Leased(Leased {
                queue: self.ask.queue,
                epoch: self.now.epoch,
                until: self.now.at + self.ask.visibility,
                seqs: self.deliveries.iter().map(|d| d.seq).collect(),
                soft: !self.ask.ordered,
                attempt: self.ask.attempt.cloned(),
            }));
        }
        Decision { facts, answer: Ok(Reply::Received(self.deliveries)) }
    }
}
