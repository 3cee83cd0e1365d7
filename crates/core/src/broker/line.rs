//! Who is next where there are no sessions.

use super::message::{Lock, Message};
use super::reply::MessageState;
use crate::id::Seq;
use crate::parts::{Agenda, SeqSet};
use crate::stamp::Stamp;

/// The active messages of a shelf: the free ones by number, the locked ones by the end of their
/// lock.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    free: SeqSet,
    locked: Agenda<Seq>,
}

impl Line {
    pub(super) fn link(&mut self, seq: Seq, message: &Message) {
        match (message.state, message.lock) {
            (MessageState::Active, None) => {
                self.free.insert(seq);
            }
            (MessageState::Active, Some(Lock::Own { until, .. })) => self.locked.insert(until, seq),
            _ => {}
        }
    }

    pub(super) fn unlink(&mut self, seq: Seq, message: &Message) {
        match (message.state, message.lock) {
            (MessageState::Active, None) => {
                self.free.remove(seq);
            }
            (MessageState::Active, Some(Lock::Own { until, .. })) => {
                self.locked.remove(until, seq);
            }
            _ => {}
        }
    }

    /// What could be handed out at `at`, in the order of hand-out: first what came back because
    /// its lock ran out, by that moment, since it was ahead of nearly everything that never left;
    /// then the free ones by number.
    pub(super) fn candidates(&self, at: Stamp) -> impl Iterator<Item = Seq> {
        self.locked.due(at).copied().chain(self.free.iter())
    }

    /// The first lock to run out after `at`.
    pub(super) fn next_visible(&self, at: Stamp) -> Option<Stamp> {
        self.locked.first_after(at, Seq(0))
    }
}
