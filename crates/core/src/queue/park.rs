//! Parking: a receiver gives a message up before its attempts are used up, and somebody brings back
//! what was given up, one by one.

use std::collections::BTreeSet;

use super::message::Standing;
use super::{DeadLetterTarget, Destinations, Queue, QueueKind, Store};
use crate::command::Reply;
use crate::decision::{Decision, Moment};
use crate::fact::{DeadLettered, Fact, Facts, Moved};
use crate::id::{Name, QueueId, Seq, Text};
use crate::receipt::Receipt;
use crate::refusal::QueueRefusal;

use super::look::Look;

impl Queue {
    /// Decides to move a message to the dead-letter queue at once; only who holds it may.
    pub(crate) fn park(
        &self,
        now: &Moment<'_>,
        id: QueueId,
        (receipt, reason): (&Receipt, Option<&Text>),
        target: Option<DeadLetterTarget>,
    ) -> Decision {
        if receipt.queue != id {
            return Decision::refuse(QueueRefusal::ReceiptOfAnotherQueue);
        }
        let held = |look: &Look<'_>| look.message.standing(receipt, now.at) == Standing::Held;
        let Some(look) = self.look_at(now, receipt.seq).filter(held) else {
            return Decision::refuse(QueueRefusal::LeaseEnded);
        };
        let Some(target) = target else {
            let name = self.rule_target().unwrap_or(self.name()).clone();
            return Decision::refuse(QueueRefusal::DeadLetterTargetMissing { name });
        };
        let parked = DeadLettered {
            from: id,
            seq: look.seq,
            to: target.queue,
            to_seq: target.next_seq,
            id: look.message.id,
            body: look.message.body(),
            // As when its attempts are used up.
            sent_at: if self.kind() == QueueKind::Fifo { now.at } else { look.message.sent_at },
            receives: look.message.receives,
            first_received_at: look.message.first_received_at(),
            group: look.group.cloned(),
            origin: self.name.clone(),
            reason: reason.cloned(),
        };
        Decision::fact(Fact::DeadLettered(parked), Reply::Done)
    }

    /// Decides to move some messages back to where they were dead-lettered from: those that are
    /// there, are not handed out, and have such a place. One that is named twice goes once.
    pub(crate) fn give_back(
        &self,
        now: &Moment<'_>,
        id: QueueId,
        seqs: &[Seq],
        destinations: &mut Destinations<'_>,
    ) -> Decision {
        let (mut facts, mut named) = (Facts::none(), BTreeSet::new());
        let most = now.limits.move_step_max;
        for seq in seqs.iter().take(most).filter(|seq| named.insert(**seq)) {
            let free = |look: &Look<'_>| look.lease(now.at).is_none();
            let Some(look) = self.look_at(now, *seq).filter(free) else { continue };
            let Some(origin) = look.message.origin() else { continue };
            let moved = self.moved_back(now, id, &look, (facts.len(), origin), destinations);
            moved.into_iter().for_each(|moved| facts.push(Fact::Moved(moved)));
        }
        let moved = facts.len() as u64;
        Decision { facts, answer: Ok(Reply::Moved { moved }) }
    }

    fn moved_back(
        &self,
        now: &Moment<'_>,
        from: QueueId,
        look: &Look<'_>,
        (index, origin): (usize, &Name),
        destinations: &mut Destinations<'_>,
    ) -> Option<Moved> {
        let to =
            destinations.find(origin).filter(|to| to.kind == self.kind() && to.queue != from)?;
        Some(Moved {
            from,
            seq: look.seq,
            to: to.queue,
            to_seq: destinations.next_seq(&to),
            // Of no task that a queue remembers.
            task: now.id_of(0),
            id: now.id_of(index),
            body: look.message.body(),
            visible_at: now.at + to.delay,
            group: look.group.cloned(),
        })
    }

    /// A message, unless it is outlived: that one is gone, whether or not time has been noticed.
    fn look_at(&self, now: &Moment<'_>, seq: Seq) -> Option<Look<'_>> {
        let retention = self.settings.retention;
        let lives = |look: &Look<'_>| !look.message.is_expired(now.at, retention);
        self.looks(seq).next().filter(|look| look.seq == seq).filter(lives)
    }

    /// How many messages it has, whatever their state.
    pub(crate) fn held(&self) -> usize {
        match &self.store {
            Store::Standard(store) => store.held(),
            Store::Fifo(store) => store.held(),
        }
    }
}
