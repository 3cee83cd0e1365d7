//! What facts do to a broker queue. Nothing here can fail: a fact that does not apply does
//! nothing.

use super::fact::{
    Activated, BrokerDeadLettered, BrokerFact, BrokerSent, Locked, SessionAccepted, SessionStateSet,
};
use super::message::{Lock, Message};
use super::queue::{BrokerQueue, Original};
use super::reply::MessageState;
use super::shelf::Shelf;
use crate::id::{BodyRef, Label, Place, Seq};
use crate::parts::SessionLock;
use crate::stamp::Stamp;

impl BrokerQueue {
    /// Takes in a fact of this queue that stands at `here` in a batch of `at`.
    pub fn evolve(&mut self, at: Stamp, here: Place, fact: &BrokerFact) {
        match fact {
            BrokerFact::Created(_) => {}
            BrokerFact::Sent(fact) => self.evolve_sent(at, here, fact),
            BrokerFact::Activated(fact) => self.evolve_activated(at, fact),
            BrokerFact::Cancelled(fact) | BrokerFact::Taken(fact) => {
                fact.seqs.iter().for_each(|seq| self.forget(*seq));
            }
            BrokerFact::Completed(fact) | BrokerFact::Expired(fact) => self.forget(fact.seq),
            BrokerFact::Locked(fact) => self.evolve_locked(fact),
            BrokerFact::Abandoned(fact) => self.evolve_abandoned(fact.seq),
            BrokerFact::Deferred(fact) => self.evolve_deferred(fact.seq),
            BrokerFact::DeadLettered(fact) => self.evolve_dead_lettered(at, fact),
            BrokerFact::LockRenewed(fact) => self.evolve_renewed(fact.seq, fact.until),
            BrokerFact::SessionAccepted(fact) => self.evolve_accepted(fact),
            BrokerFact::SessionRenewed(fact) => {
                self.evolve_session_renewed(&fact.session, fact.until);
            }
            BrokerFact::SessionReleased(fact) => self.main.end_hold(&fact.session, false),
            BrokerFact::SessionLapsed(fact) => self.main.end_hold(&fact.session, true),
            BrokerFact::SessionStateSet(fact) => self.evolve_state_set(here, fact),
        }
    }

    fn evolve_sent(&mut self, at: Stamp, here: Place, fact: &BrokerSent) {
        self.last = self.last.max(fact.seq);
        let scheduled = |at| MessageState::Scheduled { at };
        let message = Message {
            id: fact.id,
            body: BodyRef { place: here, len: fact.len },
            enqueued_at: at,
            ttl: fact.ttl,
            session: fact.session.clone(),
            state: fact.scheduled_at.map_or(MessageState::Active, scheduled),
            lock: None,
            attempts: 0,
            failures: 0,
            dead: None,
        };
        self.main.insert(fact.seq, message);
        if let Some(mark) = &fact.dedup {
            let original = Original { id: fact.id, seq: fact.seq };
            self.sent.remember(mark.key.clone(), mark.until, original, at);
        }
    }

    fn evolve_activated(&mut self, at: Stamp, fact: &Activated) {
        self.last = self.last.max(fact.to);
        if let Some(message) = self.main.remove(fact.seq) {
            self.main.insert(fact.to, message.activated(at));
        }
    }

    fn forget(&mut self, seq: Seq) {
        self.main.remove(seq);
        self.dead.remove(seq);
    }

    /// The shelf that has the message; numbers are unique in the whole queue.
    fn shelf_of(&mut self, seq: Seq) -> &mut Shelf {
        if self.dead.get(seq).is_some() { &mut self.dead } else { &mut self.main }
    }

    fn evolve_locked(&mut self, fact: &Locked) {
        let epoch = fact.epoch;
        let lock = match fact.until {
            Some(until) => Lock::Own { epoch, until },
            None => Lock::Session { epoch },
        };
        for seq in &fact.seqs {
            let shelf = self.shelf_of(*seq);
            let counted = shelf.counts();
            shelf.change(*seq, |message| message.hand_out(lock, counted));
        }
    }

    fn evolve_abandoned(&mut self, seq: Seq) {
        let shelf = self.shelf_of(seq);
        let counted = shelf.counts();
        shelf.change(seq, |message| message.unlock(counted));
    }

    fn evolve_deferred(&mut self, seq: Seq) {
        self.shelf_of(seq).change(seq, |message| {
            message.unlock(false);
            message.state = MessageState::Deferred;
        });
    }

    fn evolve_dead_lettered(&mut self, at: Stamp, fact: &BrokerDeadLettered) {
        if let Some(message) = self.main.remove(fact.seq) {
            self.dead.insert(fact.seq, message.buried(fact.cause.clone(), fact.failures, at));
        }
    }

    fn evolve_renewed(&mut self, seq: Seq, end: Stamp) {
        self.shelf_of(seq).change(seq, |message| {
            if let Some(Lock::Own { until, .. }) = &mut message.lock {
                *until = end;
            }
        });
    }

    /// A lock that is still there has run out: the hold ends as in `SessionLapsed`.
    fn evolve_accepted(&mut self, fact: &SessionAccepted) {
        self.holds = self.holds.max(fact.hold);
        self.main.end_hold(&fact.session, true);
        let lock = SessionLock { epoch: fact.epoch, hold: fact.hold, until: fact.until };
        if let Some(sessions) = self.main.sessions_mut() {
            sessions.edit(&fact.session, |session| session.lock = Some(lock));
        }
    }

    fn evolve_session_renewed(&mut self, label: &Label, until: Stamp) {
        if let Some(sessions) = self.main.sessions_mut() {
            sessions.edit(label, |session| {
                session.lock = session.lock.map(|lock| SessionLock { until, ..lock });
            });
        }
    }

    fn evolve_state_set(&mut self, here: Place, fact: &SessionStateSet) {
        let state = fact.len.map(|len| BodyRef { place: here, len });
        if let Some(sessions) = self.main.sessions_mut() {
            sessions.edit(&fact.session, |session| session.state = state);
        }
    }
}
