//! Which free session is next: the one whose first message that can be handed out is the oldest.

use super::Here;
use crate::broker::message::Fate;
use crate::broker::queue::BrokerQueue;
use crate::broker::reply::MessageState;
use crate::broker::sessions::{Session, Sessions};
use crate::broker::shelf::Shelf;
use crate::id::{Label, Seq};
use crate::stamp::Stamp;

/// The best session so far, and how many more messages and sessions may be looked at.
struct Search<'a> {
    shelf: &'a Shelf,
    at: Stamp,
    budget: usize,
    best: Option<(Seq, &'a Label)>,
}

impl<'a> Search<'a> {
    /// Whether `seq` would be better than what was found so far.
    fn improves(&self, seq: Seq) -> bool {
        self.best.is_none_or(|(best, _)| seq < best)
    }

    fn consider(&mut self, label: &'a Label, session: &'a Session) {
        for set in [&session.free, &session.held] {
            let first = set.iter().find(|seq| !self.improves(**seq) || self.is_deliverable(**seq));
            if let Some(seq) = first.filter(|seq| self.budget > 0 && self.improves(**seq)) {
                self.best = Some((*seq, label));
            }
        }
    }

    /// Also true, to end the search, when the budget is spent.
    fn is_deliverable(&mut self, seq: Seq) -> bool {
        self.budget = self.budget.saturating_sub(1);
        let deliverable = self.shelf.get(seq).is_some_and(|message| {
            message.is(MessageState::Active) && self.shelf.fate(message, self.at) == Fate::Deliver
        });
        deliverable || self.budget == 0
    }
}

impl BrokerQueue {
    pub(super) fn next_session<'a>(
        &'a self,
        here: Here<'_>,
        sessions: &'a Sessions,
    ) -> Option<&'a Label> {
        let (shelf, at) = (&self.main, here.now.at);
        // One more than may be looked at: the search stops when the last one is taken.
        let budget = here.now.limits.receive_scan_max.saturating_add(1);
        let mut search = Search { shelf, at, budget, best: None };
        for (label, session) in sessions.lapsed(at).take(budget) {
            search.consider(label, session);
        }
        for (head, session, label) in sessions.offers() {
            if search.budget == 0 || !search.improves(head) {
                break;
            }
            search.consider(label, session);
        }
        let found = search.best.map(|(_, label)| label);
        found.or_else(|| self.next_scheduled_session(here, sessions))
    }

    /// The session of the first scheduled message whose moment has come and that nobody holds.
    fn next_scheduled_session(&self, here: Here<'_>, sessions: &Sessions) -> Option<&Label> {
        let at = here.now.at;
        let due = self.main.due_scheduled(at).take(here.now.limits.receive_scan_max);
        due.filter_map(|(_, message)| message.session.as_ref())
            .find(|label| !sessions.is_held(label, at))
    }
}
