//! Holding a session: accept, renew, release, and the state that the holder keeps there.

use bytes::Bytes;

use super::{Here, Outcome, fact, says};
use crate::broker::command::{SessionHolder, WhichSession};
use crate::broker::fact::{
    BrokerFact, OneSession, SessionAccepted, SessionRenewed, SessionStateSet,
};
use crate::broker::queue::BrokerQueue;
use crate::broker::refusal::BrokerRefusal;
use crate::broker::reply::BrokerReply;
use crate::broker::sessions::Session;
use crate::command::Reply;
use crate::decision::Decision;
use crate::fact::{Fact, Facts};
use crate::id::Label;
use crate::parts::SessionLock;

impl BrokerQueue {
    pub(super) fn accept_session(&self, here: Here<'_>, which: &WhichSession) -> Outcome {
        let sessions = self.main.sessions().ok_or(BrokerRefusal::NoSessionsHere)?;
        match which {
            WhichSession::Specific(label) if sessions.is_held(label, here.now.at) => {
                Err(BrokerRefusal::SessionHeld)
            }
            WhichSession::Specific(label) => Ok(self.grant(here, label)),
            WhichSession::Next => {
                let free = self.next_session(here, sessions);
                Ok(free.map_or_else(|| says(BrokerReply::NoSession), |l| self.grant(here, l)))
            }
        }
    }

    fn grant(&self, here: Here<'_>, label: &Label) -> Decision {
        let (queue, epoch) = (here.queue, here.now.epoch);
        let (session, hold) = (label.clone(), self.holds.saturating_add(1));
        let until = here.now.at + self.settings.lock;
        let holder = SessionHolder { queue, session: session.clone(), epoch, hold };
        let accepted = SessionAccepted { queue, session, epoch, hold, until };
        fact(BrokerFact::SessionAccepted(accepted), BrokerReply::Accepted { holder, until })
    }

    /// The session that `holder` holds, and the lock on it.
    pub(super) fn held_session(
        &self,
        here: Here<'_>,
        holder: &SessionHolder,
    ) -> Result<(&Session, SessionLock), BrokerRefusal> {
        let sessions = self.main.sessions().ok_or(BrokerRefusal::NoSessionsHere)?;
        let session = sessions.held_by(holder, here.now.at);
        let held = session.filter(|_| holder.queue == here.queue);
        held.and_then(|session| Some((session, session.lock?)))
            .ok_or(BrokerRefusal::SessionLockLost)
    }

    pub(super) fn renew_session(&self, here: Here<'_>, holder: &SessionHolder) -> Outcome {
        self.held_session(here, holder)?;
        let until = here.now.at + self.settings.lock;
        let session = holder.session.clone();
        let renewed = SessionRenewed { queue: here.queue, session, until };
        Ok(fact(BrokerFact::SessionRenewed(renewed), BrokerReply::LockedUntil(until)))
    }

    pub(super) fn release_session(&self, here: Here<'_>, holder: &SessionHolder) -> Outcome {
        self.held_session(here, holder)?;
        let one = OneSession { queue: here.queue, session: holder.session.clone() };
        Ok(fact(BrokerFact::SessionReleased(one), BrokerReply::Done))
    }

    pub(super) fn session_state(&self, here: Here<'_>, holder: &SessionHolder) -> Outcome {
        let (session, _) = self.held_session(here, holder)?;
        Ok(says(BrokerReply::State(session.state)))
    }

    pub(super) fn set_session_state(
        &self,
        here: Here<'_>,
        holder: &SessionHolder,
        state: Option<&Bytes>,
    ) -> Outcome {
        self.held_session(here, holder)?;
        let (queue, session) = (here.queue, holder.session.clone());
        let set = |len| {
            let set = SessionStateSet { queue, session, len };
            Fact::Broker(BrokerFact::SessionStateSet(set))
        };
        let mut facts = Facts::none();
        match state {
            Some(state) => {
                facts.push_with_body(set(Some(self.fitting_len(state.len())?)), state.clone());
            }
            None => facts.push(set(None)),
        }
        Ok(Decision { facts, answer: Ok(Reply::Broker(BrokerReply::Done)) })
    }
}
