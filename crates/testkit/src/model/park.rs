//! Parking, by the rules: who holds a message gives it up for good, and somebody brings it back.

use std::collections::BTreeSet;

use lineside_core::command::{Command, Reply};
use lineside_core::fact::{Fact, Moved};
use lineside_core::id::{Name, QueueId, Seq, Text};
use lineside_core::receipt::Receipt;
use lineside_core::refusal::QueueRefusal;

use super::moves::fresh;
use super::names::missing;
use super::polled::{Ask, Message, Named, Polled};
use super::{Check, Decided, Model, Moment, Queue, ensure, expect};

impl Model {
    /// Commands that park messages, or bring them back.
    pub(super) fn about_parked(&mut self, now: Moment, decided: Decided<'_>) -> Check {
        let (Command::Park { queue: name, .. } | Command::GiveBack { queue: name, .. }) =
            decided.command
        else {
            return Ok(());
        };
        let Some((queue, _)) = self.polled(name) else {
            return expect(decided.answer, &Err(missing(name)));
        };
        match decided.command {
            Command::Park { receipt, reason, .. } => {
                self.park(now, queue, (receipt, reason.as_ref()), decided)
            }
            Command::GiveBack { seqs, .. } => self.give_back(now, queue, seqs, decided),
            _ => Ok(()),
        }
    }

    fn park(
        &mut self,
        now: Moment,
        queue: QueueId,
        (receipt, reason): (&Receipt, Option<&Text>),
        decided: Decided<'_>,
    ) -> Check {
        let (id, epoch, limits) = (self.id_at(now.here), self.epoch, self.limits.clone());
        let Some(Queue::Polled(polled)) = self.queues.get(&queue) else { return Ok(()) };
        if let Some(refusal) = polled.objection_to_park(now, queue, receipt) {
            return expect(decided.answer, &Err(refusal.into()));
        }
        let Some(target) = self.dead_letter_target(queue, polled) else {
            let rule = polled.settings.dead_letter.as_ref();
            let name = rule.map_or(&polled.name, |rule| &rule.target).clone();
            let refusal = QueueRefusal::DeadLetterTargetMissing { name };
            return expect(decided.answer, &Err(refusal.into()));
        };
        let to_seq = Seq(target.last + 1);
        let [Fact::DeadLettered(fact)] = decided.facts else {
            return Err(super::Violation(format!("what was parked moves: {:?}", decided.facts)));
        };
        let fits = (fact.from, fact.seq, fact.to, fact.to_seq, fact.reason.as_ref())
            == (queue, receipt.seq, target.queue, to_seq, reason);
        ensure!(fits, "{fact:?} should go to {:?} as {to_seq:?}", target.queue);
        let ask = Ask { now, queue, id, epoch, limits: &limits, target: Some(target) };
        let Some(Queue::Polled(polled)) = self.queues.get_mut(&queue) else { return Ok(()) };
        let parked = polled.bury(&ask, &[(receipt.seq, to_seq)]);
        if let Some(Queue::Polled(target)) = self.queues.get_mut(&target.queue) {
            let why = |message| Message { reason: reason.cloned(), ..message };
            parked.into_iter().map(why).for_each(|message| target.push(message));
        }
        expect(decided.answer, &Ok(Reply::Done))
    }

    /// In the order in which they are named, each once.
    fn give_back(
        &mut self,
        now: Moment,
        from: QueueId,
        seqs: &[Seq],
        decided: Decided<'_>,
    ) -> Check {
        let mut named = BTreeSet::new();
        let mut facts = Vec::new();
        for seq in seqs.iter().take(self.limits.move_step_max).filter(|seq| named.insert(**seq)) {
            let moved = self.given_back(now, (from, *seq), facts.len());
            let Some(moved) = moved else { continue };
            if let Some(Queue::Polled(polled)) = self.queues.get_mut(&from) {
                polled.messages.retain(|message| message.seq != *seq);
            }
            if let Some(Queue::Polled(polled)) = self.queues.get_mut(&moved.to) {
                polled.push(fresh(&moved, now.at));
            }
            facts.push(Fact::Moved(moved));
        }
        ensure!(
            *decided.facts == facts,
            "given back\n  {:?}\nand should be\n  {facts:?}",
            decided.facts
        );
        expect(decided.answer, &Ok(Reply::Moved { moved: facts.len() as u64 }))
    }

    fn given_back(&self, now: Moment, (from, seq): (QueueId, Seq), index: usize) -> Option<Moved> {
        let Some(Queue::Polled(here)) = self.queues.get(&from) else { return None };
        let message = here.messages.iter().find(|message| message.seq == seq)?;
        let stays = message.is_leased(now.at) || here.is_expired(message, now.at);
        let origin: &Name = message.origin.as_ref().filter(|_| !stays)?;
        let (to, there) = self.polled(origin)?;
        let fits = to != from && there.kind == here.kind;
        fits.then(|| Moved {
            from,
            seq,
            to,
            to_seq: Seq(there.last + 1),
            task: self.id_at(now.here),
            id: self.id_at(now.here.plus(index)),
            body: message.body,
            visible_at: now.at + there.settings.delay,
            group: message.group.clone(),
        })
    }
}

impl Polled {
    fn objection_to_park(
        &self,
        now: Moment,
        queue: QueueId,
        receipt: &Receipt,
    ) -> Option<QueueRefusal> {
        if receipt.queue != queue {
            return Some(QueueRefusal::ReceiptOfAnotherQueue);
        }
        let found = self.messages.iter().find(|message| message.seq == receipt.seq);
        let held = found.filter(|message| !self.is_expired(message, now.at));
        let held = held.map(|message| message.named(receipt, now.at));
        (held != Some(Named::Running)).then_some(QueueRefusal::LeaseEnded)
    }
}
