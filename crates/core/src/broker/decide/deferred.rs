//! Handing out deferred messages, by their numbers.

use super::hand_out::{HandOut, Terms, session_terms};
use super::send::distinct;
use super::{Here, Outcome, bodiless};
use crate::broker::command::{ReceiveMode, SessionHolder, SubQueue};
use crate::broker::message::{Hold, Message};
use crate::broker::queue::BrokerQueue;
use crate::broker::refusal::BrokerRefusal;
use crate::broker::reply::MessageState;
use crate::broker::shelf::Shelf;
use crate::decision::Decision;
use crate::id::{Label, Seq};

impl BrokerQueue {
    /// A message whose time is over is put aside and counts as not found: nobody else would do it,
    /// since deferred messages do not expire on their own. So this refusal may come with facts.
    pub(super) fn receive_deferred(
        &self,
        here: Here<'_>,
        sub: SubQueue,
        holder: Option<&SessionHolder>,
        mode: ReceiveMode,
        seqs: &[Seq],
    ) -> Outcome {
        let terms = self.deferred_terms(here, sub, holder, mode)?;
        let shelf = self.shelf(sub);
        let session = shelf.sessions().and(holder).map(|holder| &holder.session);
        let mut hand_out = HandOut::new(self, here, sub);
        let mut missing = None;
        for seq in distinct(here, seqs)? {
            let found = deferred(shelf, here, session, seq);
            if !found.is_some_and(|message| hand_out.pick(seq, message)) {
                missing = missing.or(Some(seq));
            }
        }
        Ok(match missing {
            None => hand_out.into_decision(terms),
            Some(seq) => Decision {
                facts: bodiless(hand_out.into_facts()),
                answer: Err(BrokerRefusal::MessageNotFound { seq }.into()),
            },
        })
    }

    fn deferred_terms(
        &self,
        here: Here<'_>,
        sub: SubQueue,
        holder: Option<&SessionHolder>,
        mode: ReceiveMode,
    ) -> Result<Terms, BrokerRefusal> {
        if self.shelf(sub).sessions().is_none() {
            return Ok(self.own_terms(here, mode));
        }
        let holder = holder.ok_or(BrokerRefusal::SessionReceiverRequired)?;
        let (_, lock) = self.held_session(here, holder)?;
        Ok(session_terms(mode, lock.until))
    }
}

/// The message of this number, if it is deferred, not handed out, and of this session.
fn deferred<'a>(
    shelf: &'a Shelf,
    here: Here<'_>,
    session: Option<&Label>,
    seq: Seq,
) -> Option<&'a Message> {
    let message = shelf.get(seq).filter(|message| message.is(MessageState::Deferred))?;
    let is_theirs = session.is_none() || session == message.session.as_ref();
    let is_free = shelf.hold(message, here.now.at) != Hold::Live;
    (is_theirs && is_free).then_some(message)
}
