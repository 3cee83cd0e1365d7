//! Settling what was handed out under a lock, and renewing the lock.

use super::{Here, Outcome, fact};
use crate::broker::command::{SessionHolder, Settlement, SubQueue};
use crate::broker::fact::{
    BrokerDeadLettered, BrokerFact, DeadLetterCause, LockRenewed, OneMessage,
};
use crate::broker::message::{Hold, Message};
use crate::broker::queue::BrokerQueue;
use crate::broker::refusal::BrokerRefusal;
use crate::broker::reply::BrokerReply;
use crate::receipt::Receipt;

impl BrokerQueue {
    pub(super) fn settle(
        &self,
        here: Here<'_>,
        receipt: &Receipt,
        holder: Option<&SessionHolder>,
        how: &Settlement,
    ) -> Outcome {
        let (sub, message) = self.locked(here, receipt, holder)?;
        let one = OneMessage { queue: here.queue, seq: receipt.seq };
        let settled = match how {
            Settlement::Complete => BrokerFact::Completed(one),
            Settlement::Abandon => self.abandon(sub, message, one),
            Settlement::Defer => BrokerFact::Deferred(one),
            Settlement::DeadLetter { .. } if sub == SubQueue::DeadLetter => {
                return Err(BrokerRefusal::AlreadyDeadLettered);
            }
            Settlement::DeadLetter { reason, description } => {
                let (reason, description) = (reason.clone(), description.clone());
                let cause = DeadLetterCause::Receiver { reason, description };
                dead_lettered(&one, cause, message.failures)
            }
        };
        Ok(fact(settled, BrokerReply::Done))
    }

    /// A delivery that fails once too often makes a dead letter at once; in the dead-letter
    /// sub-queue nothing is counted.
    fn abandon(&self, sub: SubQueue, message: &Message, one: OneMessage) -> BrokerFact {
        let failures = message.failures.saturating_add(1);
        if sub == SubQueue::Main && failures >= self.settings.deliveries_max {
            return dead_lettered(&one, DeadLetterCause::DeliveriesExhausted, failures);
        }
        BrokerFact::Abandoned(one)
    }

    pub(super) fn renew_lock(&self, here: Here<'_>, receipt: &Receipt) -> Outcome {
        self.locked(here, receipt, None)?;
        let until = here.now.at + self.settings.lock;
        let renewed = LockRenewed { queue: here.queue, seq: receipt.seq, until };
        Ok(fact(BrokerFact::LockRenewed(renewed), BrokerReply::LockedUntil(until)))
    }

    /// The message whose live lock `receipt` names. With a hold, only a message of the session will
    /// do, and the hold is looked at first; without one, only a message that is in no session or is
    /// a dead letter.
    fn locked(
        &self,
        here: Here<'_>,
        receipt: &Receipt,
        holder: Option<&SessionHolder>,
    ) -> Result<(SubQueue, &Message), BrokerRefusal> {
        if let Some(holder) = holder {
            self.held_session(here, holder)?;
        }
        let dead = self.dead.get(receipt.seq).filter(|_| holder.is_none());
        let session = holder.map(|holder| &holder.session);
        let main = || self.main.get(receipt.seq).filter(|m| m.session.as_ref() == session);
        let found = dead.map(|dead| (SubQueue::DeadLetter, dead));
        let found = found.or_else(|| Some((SubQueue::Main, main()?)));
        let (sub, message) = found.ok_or(BrokerRefusal::LockLost)?;
        let is_live = self.shelf(sub).hold(message, here.now.at) == Hold::Live;
        let is_named = receipt.queue == here.queue && message.was_handed_out_as(receipt);
        if is_live && is_named { Ok((sub, message)) } else { Err(BrokerRefusal::LockLost) }
    }
}

fn dead_lettered(one: &OneMessage, cause: DeadLetterCause, failures: u32) -> BrokerFact {
    let (queue, seq) = (one.queue, one.seq);
    BrokerFact::DeadLettered(BrokerDeadLettered { queue, seq, cause, failures })
}
