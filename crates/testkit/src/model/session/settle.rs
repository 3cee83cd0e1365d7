//! Settling what was handed out, by the rules.

use lineside_core::broker::{
    BrokerRefusal, BrokerReply, DeadLetterCause, MessageState, SessionHolder, Settlement,
};
use lineside_core::id::Seq;
use lineside_core::receipt::Receipt;

use super::{Ask, Broker, Lock, Message, Outcome};

impl Broker {
    pub(super) fn settle(
        &mut self,
        ask: Ask<'_>,
        receipt: &Receipt,
        holder: Option<&SessionHolder>,
        how: &Settlement,
    ) -> Outcome {
        let (at, seq) = (ask.now.at, self.locked(ask, receipt, holder)?);
        let is_dead = self.find(seq).is_some_and(|message| message.dead.is_some());
        match how {
            Settlement::Complete => self.messages.retain(|message| message.seq != seq),
            Settlement::Abandon => self.abandon(ask, seq, is_dead),
            Settlement::Defer => {
                if let Some(message) = self.find_mut(seq) {
                    message.lock = None;
                    message.state = MessageState::Deferred;
                }
            }
            Settlement::DeadLetter { .. } if is_dead => {
                return Err(BrokerRefusal::AlreadyDeadLettered);
            }
            Settlement::DeadLetter { reason, description } => {
                let (reason, description) = (reason.clone(), description.clone());
                self.bury(seq, DeadLetterCause::Receiver { reason, description }, at);
            }
        }
        Ok(BrokerReply::Done)
    }

    /// Back to its place, as a failed delivery; one failure too many makes a dead letter.
    fn abandon(&mut self, ask: Ask<'_>, seq: Seq, is_dead: bool) {
        let most = self.settings.deliveries_max;
        let Some(message) = self.find_mut(seq) else { return };
        message.lock = None;
        if is_dead {
            return;
        }
        message.failures += 1;
        if message.failures >= most {
            self.bury(seq, DeadLetterCause::DeliveriesExhausted, ask.now.at);
        }
    }

    pub(super) fn renew_lock(&mut self, ask: Ask<'_>, receipt: &Receipt) -> Outcome {
        let seq = self.locked(ask, receipt, None)?;
        let until = ask.now.at + self.settings.lock;
        if let Some(Lock { until: end, .. }) = self.find_mut(seq).and_then(|m| m.lock.as_mut()) {
            *end = Some(until);
        }
        Ok(BrokerReply::LockedUntil(until))
    }

    /// The message that is handed out under this receipt: in a session only with its hold, else
    /// only without one.
    fn locked(
        &self,
        ask: Ask<'_>,
        receipt: &Receipt,
        holder: Option<&SessionHolder>,
    ) -> Result<Seq, BrokerRefusal> {
        if let Some(holder) = holder {
            self.held(ask, holder)?;
        }
        let is_reached = |message: &&Message| match holder {
            Some(holder) => {
                message.dead.is_none() && message.session.as_ref() == Some(&holder.session)
            }
            None => message.dead.is_some() || message.session.is_none(),
        };
        let is_named = |message: &&Message| {
            let last = message.lock.map(|lock| (lock.epoch, message.attempts));
            let named = Some((receipt.epoch, receipt.attempt));
            receipt.queue == ask.queue && last == named && self.is_locked(message, ask.now.at)
        };
        let found = self.find(receipt.seq).filter(is_reached).filter(is_named);
        found.map(|message| message.seq).ok_or(BrokerRefusal::LockLost)
    }
}
