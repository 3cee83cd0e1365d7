//! Sending, at once or later, and taking back what is not enqueued yet.

use std::collections::BTreeSet;

use super::hand_out::hand_out_max;
use super::{Here, Outcome, fact, says};
use crate::broker::command::NewBrokerMessage;
use crate::broker::fact::{BrokerFact, BrokerSent, SeveralMessages};
use crate::broker::queue::BrokerQueue;
use crate::broker::refusal::BrokerRefusal;
use crate::broker::reply::{BrokerReply, MessageState};
use crate::command::Reply;
use crate::decision::Decision;
use crate::fact::{DedupMark, Fact, Facts};
use crate::id::{Label, Seq};
use crate::stamp::Stamp;

impl BrokerQueue {
    pub(super) fn send(&self, here: Here<'_>, message: &NewBrokerMessage) -> Outcome {
        let len = self.fitting_len(message.body.len())?;
        if self.settings.sessions && message.session.is_none() {
            return Err(BrokerRefusal::SessionRequired);
        }
        let dedup = self.dedup_mark(here.now.at, message.message_id.as_ref());
        if let Some(original) = dedup.as_ref().and_then(|m| self.sent.find(&m.key, here.now.at)) {
            return Ok(says(BrokerReply::Sent { id: original.id, seq: original.seq }));
        }
        let (id, seq) = (here.now.id_of(0), self.last.next());
        let sent = BrokerSent {
            queue: here.queue,
            seq,
            id,
            len,
            session: message.session.clone().filter(|_| self.settings.sessions),
            ttl: message.ttl.into_iter().chain(self.settings.ttl).min(),
            scheduled_at: message.scheduled_at.filter(|at| *at > here.now.at),
            dedup,
        };
        let mut facts = Facts::none();
        facts.push_with_body(Fact::Broker(BrokerFact::Sent(sent)), message.body.clone());
        Ok(Decision { facts, answer: Ok(Reply::Broker(BrokerReply::Sent { id, seq })) })
    }

    fn dedup_mark(&self, at: Stamp, message_id: Option<&Label>) -> Option<DedupMark> {
        let window = self.settings.dedup_window?;
        Some(DedupMark { key: message_id?.clone(), until: at + window })
    }

    /// The length, if the queue takes so many bytes.
    pub(super) fn fitting_len(&self, len: usize) -> Result<u32, BrokerRefusal> {
        let limit = self.settings.message_bytes_max;
        let len = u32::try_from(len).ok().filter(|len| *len <= limit);
        len.ok_or(BrokerRefusal::TooLong { limit })
    }

    pub(super) fn cancel_scheduled(&self, here: Here<'_>, seqs: &[Seq]) -> Outcome {
        let seqs = distinct(here, seqs)?;
        if let Some(seq) = seqs.iter().find(|seq| !self.is_to_come(**seq, here.now.at)) {
            return Err(BrokerRefusal::MessageNotFound { seq: *seq });
        }
        if seqs.is_empty() {
            return Ok(says(BrokerReply::Done));
        }
        let cancelled = SeveralMessages { queue: here.queue, seqs };
        Ok(fact(BrokerFact::Cancelled(cancelled), BrokerReply::Done))
    }

    /// Scheduled, and its moment is not here: from then on it counts as enqueued, whether or not
    /// that has been written yet.
    fn is_to_come(&self, seq: Seq, now: Stamp) -> bool {
        let state = self.main.get(seq).map(|message| message.state);
        matches!(state, Some(MessageState::Scheduled { at }) if at > now)
    }
}

/// The numbers without repetitions, in the order of their first mention, if they are not too many.
pub(super) fn distinct(here: Here<'_>, seqs: &[Seq]) -> Result<Vec<Seq>, BrokerRefusal> {
    let limit = hand_out_max(here);
    if seqs.len() > limit {
        return Err(BrokerRefusal::TooManyNumbers { limit });
    }
    let mut seen = BTreeSet::new();
    Ok(seqs.iter().copied().filter(|seq| seen.insert(*seq)).collect())
}
