//! Holding a session, by the rules.

use bytes::Bytes;
use lineside_core::broker::{BrokerRefusal, BrokerReply, SessionHolder, WhichSession};
use lineside_core::command::Reply;
use lineside_core::id::{BodyRef, Label};
use lineside_core::stamp::Stamp;

use super::{Ask, Broker, Fate, Hold, Message, Outcome, Session};

impl Broker {
    fn hold(&self, label: &Label) -> Option<Hold> {
        self.sessions.iter().find(|session| session.label == *label)?.hold
    }

    pub(super) fn is_held(&self, label: &Label, at: Stamp) -> bool {
        self.hold(label).is_some_and(|hold| hold.until > at)
    }

    /// The hold that is named here, while it lasts.
    pub(super) fn held(&self, ask: Ask<'_>, holder: &SessionHolder) -> Result<Hold, BrokerRefusal> {
        if !self.settings.sessions {
            return Err(BrokerRefusal::NoSessionsHere);
        }
        let is_named = |hold: &Hold| {
            let named = (holder.queue, holder.epoch, holder.hold);
            (ask.queue, hold.epoch, hold.number) == named && hold.until > ask.now.at
        };
        self.hold(&holder.session).filter(is_named).ok_or(BrokerRefusal::SessionLockLost)
    }

    fn session(&mut self, label: &Label) -> Option<&mut Session> {
        if !self.sessions.iter().any(|session| session.label == *label) {
            self.sessions.push(Session { label: label.clone(), hold: None, state: None });
        }
        self.sessions.iter_mut().find(|session| session.label == *label)
    }

    pub(super) fn accept(&mut self, ask: Ask<'_>, which: &WhichSession) -> Outcome {
        if !self.settings.sessions {
            return Err(BrokerRefusal::NoSessionsHere);
        }
        let at = ask.now.at;
        let label = match which {
            WhichSession::Specific(label) if self.is_held(label, at) => {
                return Err(BrokerRefusal::SessionHeld);
            }
            WhichSession::Specific(label) => label.clone(),
            WhichSession::Next => match self.next_session(ask) {
                Some(label) => label,
                None => return Ok(BrokerReply::NoSession),
            },
        };
        self.end_hold(&label, true);
        self.holds += 1;
        let (epoch, number, until) = (ask.epoch, self.holds, at + self.settings.lock);
        if let Some(session) = self.session(&label) {
            session.hold = Some(Hold { epoch, number, until });
        }
        let holder = SessionHolder { queue: ask.queue, session: label, epoch, hold: number };
        Ok(BrokerReply::Accepted { holder, until })
    }

    /// Of the sessions that nobody holds the one with the oldest message to hand out; else the one
    /// whose scheduled message came due first. Where there is more to look at than a receive may,
    /// any of them will do, or none.
    fn next_session(&self, ask: Ask<'_>) -> Option<Label> {
        let at = ask.now.at;
        let is_free = |m: &Message| m.session.as_ref().is_some_and(|l| !self.is_held(l, at));
        let is_ready = |m: &Message| m.dead.is_none() && m.is_active() && is_free(m);
        let ready = self.seqs(|m| is_ready(m) && self.fate(m, at) == Fate::Deliver, |m| m.seq);
        let due = self.due_scheduled(at, is_free);
        let sessions = ready.iter().chain(&due).filter_map(|seq| self.find(*seq)?.session.clone());
        let mut sessions = sessions.collect::<Vec<Label>>().into_iter();
        let looked_at = self.messages.iter().filter(|m| is_ready(m)).count();
        match ask.told {
            _ if looked_at < ask.limits.receive_scan_max => sessions.next(),
            Some(Ok(Reply::Broker(BrokerReply::Accepted { holder, .. }))) => {
                sessions.find(|session| *session == holder.session)
            }
            _ => None,
        }
    }

    /// Nobody holds the session any more; what was handed out in it goes back. `counted`: each as a
    /// failed delivery.
    pub(super) fn end_hold(&mut self, label: &Label, counted: bool) {
        if let Some(session) = self.session(label) {
            session.hold = None;
        }
        let of_session = |message: &&mut Message| {
            message.dead.is_none() && message.session.as_ref() == Some(label)
        };
        for message in self.messages.iter_mut().filter(of_session) {
            let was_out = message.lock.take().is_some();
            message.failures += u32::from(was_out && counted);
        }
    }

    pub(super) fn renew_session(&mut self, ask: Ask<'_>, holder: &SessionHolder) -> Outcome {
        let hold = self.held(ask, holder)?;
        let until = ask.now.at + self.settings.lock;
        if let Some(session) = self.session(&holder.session) {
            session.hold = Some(Hold { until, ..hold });
        }
        Ok(BrokerReply::LockedUntil(until))
    }

    pub(super) fn release_session(&mut self, ask: Ask<'_>, holder: &SessionHolder) -> Outcome {
        self.held(ask, holder)?;
        self.end_hold(&holder.session, false);
        Ok(BrokerReply::Done)
    }

    pub(super) fn session_state(&self, ask: Ask<'_>, holder: &SessionHolder) -> Outcome {
        self.held(ask, holder)?;
        let session = self.sessions.iter().find(|session| session.label == holder.session);
        Ok(BrokerReply::State(session.and_then(|session| session.state)))
    }

    pub(super) fn set_session_state(
        &mut self,
        ask: Ask<'_>,
        holder: &SessionHolder,
        state: Option<&Bytes>,
    ) -> Outcome {
        self.held(ask, holder)?;
        let len = state.map(|state| self.fits(state)).transpose()?;
        if let Some(session) = self.session(&holder.session) {
            session.state = len.map(|len| BodyRef { place: ask.now.here, len });
        }
        Ok(BrokerReply::Done)
    }
}
