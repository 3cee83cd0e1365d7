//! Who is next where messages belong to sessions.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::command::SessionHolder;
use super::message::{Lock, Message};
use super::reply::MessageState;
use crate::id::{BodyRef, Label, Seq};
use crate::parts::{Agenda, Chunked, INDEX_ENTRY_BYTES, SessionLock, Weigh};
use crate::stamp::Stamp;

/// The sessions of a queue that have a message, a lock or a state; the others are nowhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sessions {
    by_label: BTreeMap<Label, Session>,
    /// Sessions without a lock that have a free message, by the first of these.
    offers: BTreeSet<(Seq, Label)>,
    /// The ends of all locks.
    ends: Agenda<Label>,
    /// The locks and the states once more, by the number of the session that has one.
    kept: Chunked<Kept>,
    last_kept: Seq,
}

/// What is known of a session apart from its messages. The numbers are those of a checkpoint's
/// blocks.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(super) struct Kept {
    #[n(0)]
    label: Label,
    #[n(1)]
    lock: Option<SessionLock>,
    #[n(2)]
    pub(super) state: Option<BodyRef>,
}

impl Weigh for Kept {
    /// Most have a lock, which is in the index of ends.
    fn beyond(&self) -> u64 {
        INDEX_ENTRY_BYTES
    }
}

/// Bytes that a session takes beside its messages: its label, its places among the sessions and
/// the offers, and three trees of numbers.
const SESSION_BYTES: u64 = 500;

/// What sessions are made of, messages apart; all else is a function of both.
#[derive(Clone, Debug, Default)]
pub(super) struct SessionsState {
    pub(super) kept: Chunked<Kept>,
    pub(super) last: Seq,
}

/// One session. Each of its messages is in one of the three sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Session {
    /// Active and not handed out.
    pub(super) free: BTreeSet<Seq>,
    /// Handed out under the session's lock, active and deferred ones.
    pub(super) held: BTreeSet<Seq>,
    /// Deferred or scheduled, and not handed out.
    pub(super) aside: BTreeSet<Seq>,
    pub(super) lock: Option<SessionLock>,
    pub(super) state: Option<BodyRef>,
    /// Under which number the lock and the state are kept, while there is one of them.
    kept: Option<Seq>,
}

impl Session {
    fn is_nothing(&self) -> bool {
        let empty = self.free.is_empty() && self.held.is_empty() && self.aside.is_empty();
        empty && self.lock.is_none() && self.state.is_none()
    }

    /// Whether somebody holds it at `at`.
    pub(super) fn is_held(&self, at: Stamp) -> bool {
        self.lock.is_some_and(|lock| lock.is_live(at))
    }

    fn set_of(&mut self, message: &Message) -> &mut BTreeSet<Seq> {
        match (message.state, message.lock) {
            (_, Some(Lock::Session { .. })) => &mut self.held,
            (MessageState::Active, _) => &mut self.free,
            _ => &mut self.aside,
        }
    }

    /// Its messages from `from` on, at most `max`, by number.
    pub(super) fn from(&self, from: Seq, max: usize) -> Vec<Seq> {
        let sets = [&self.free, &self.held, &self.aside];
        let mut seqs: Vec<Seq> =
            sets.into_iter().flat_map(|set| set.range(from..).take(max)).copied().collect();
        seqs.sort_unstable();
        seqs.truncate(max);
        seqs
    }
}

impl Sessions {
    /// Bytes that they take beside their messages, about.
    pub(super) fn bytes(&self) -> u64 {
        let sessions = (self.by_label.len() as u64).saturating_mul(SESSION_BYTES);
        sessions.saturating_add(self.kept.bytes())
    }

    pub(super) fn link(&mut self, seq: Seq, message: &Message) {
        if let Some(label) = &message.session {
            self.edit(label, |session| {
                session.set_of(message).insert(seq);
            });
        }
    }

    pub(super) fn unlink(&mut self, seq: Seq, message: &Message) {
        if let Some(label) = &message.session {
            self.edit(label, |session| {
                session.set_of(message).remove(&seq);
            });
        }
    }

    /// Changes a session and keeps the indexes; makes it if it is new, drops it if nothing is left.
    pub(super) fn edit(&mut self, label: &Label, change: impl FnOnce(&mut Session)) {
        let Sessions { by_label, offers, ends, .. } = self;
        let session = by_label.entry(label.clone()).or_default();
        match (session.lock, session.free.first()) {
            (Some(lock), _) => {
                ends.remove(lock.until, label.clone());
            }
            (None, Some(head)) => {
                offers.remove(&(*head, label.clone()));
            }
            (None, None) => {}
        }
        let before = (session.lock, session.state);
        change(session);
        if before != (session.lock, session.state) {
            keep(session, label, &mut self.kept, &mut self.last_kept);
        }
        match (session.lock, session.free.first()) {
            (Some(lock), _) => ends.insert(lock.until, label.clone()),
            (None, Some(head)) => {
                offers.insert((*head, label.clone()));
            }
            (None, None) if session.is_nothing() => {
                by_label.remove(label);
            }
            (None, None) => {}
        }
    }

    /// The label of a session, so that all of its messages share one text.
    pub(super) fn known(&self, label: &Label) -> Label {
        self.by_label.get_key_value(label).map_or(label, |(known, _)| known).clone()
    }

    pub(super) fn get(&self, label: &Label) -> Option<&Session> {
        self.by_label.get(label)
    }

    /// The session, if `holder` names the hold that is in force at `at`.
    pub(super) fn held_by(&self, holder: &SessionHolder, at: Stamp) -> Option<&Session> {
        let session = self.get(&holder.session)?;
        let is_theirs = |lock: SessionLock| lock.is_held_by(holder.epoch, holder.hold, at);
        session.lock.is_some_and(is_theirs).then_some(session)
    }

    pub(super) fn is_held(&self, label: &Label, at: Stamp) -> bool {
        self.get(label).is_some_and(|session| session.is_held(at))
    }

    /// Sessions whose lock has run out, in that order.
    pub(super) fn lapsed(&self, at: Stamp) -> impl Iterator<Item = (&Label, &Session)> {
        self.ends.due(at).filter_map(|label| Some((label, self.get(label)?)))
    }

    /// Sessions without a lock that have free messages, by the first of these.
    pub(super) fn offers(&self) -> impl Iterator<Item = (Seq, &Session, &Label)> {
        let found = |(head, label)| Some((head, self.by_label.get(label)?, label));
        self.offers.iter().filter_map(move |(head, label)| found((*head, label)))
    }

    pub(super) fn next_due(&self) -> Option<Stamp> {
        self.ends.first()
    }

    /// The first lock to run out after `at`.
    pub(super) fn next_visible(&self, at: Stamp) -> Option<Stamp> {
        self.ends.first_after(at, Label::new(""))
    }

    pub(super) fn len(&self) -> usize {
        self.by_label.len()
    }

    /// The locks and the states alone.
    pub(super) fn state(&self) -> SessionsState {
        SessionsState { kept: self.kept.clone(), last: self.last_kept }
    }

    /// The sessions of a state, without messages.
    pub(super) fn from_state(state: SessionsState) -> Sessions {
        let mut sessions = Sessions { last_kept: state.last, ..Sessions::default() };
        for (seq, Kept { label, lock, state }) in state.kept.iter() {
            let (lock, state, kept) = (*lock, *state, Some(seq));
            let session = Session { lock, state, kept, ..Session::default() };
            sessions.by_label.insert(label.clone(), session);
            sessions.last_kept = sessions.last_kept.max(seq);
            if let Some(lock) = lock {
                sessions.ends.insert(lock.until, label.clone());
            }
        }
        Sessions { kept: state.kept, ..sessions }
    }
}

/// Keeps a session's lock and state where snapshots share them.
fn keep(session: &mut Session, label: &Label, all: &mut Chunked<Kept>, last: &mut Seq) {
    let (lock, state) = (session.lock, session.state);
    if lock.is_none() && state.is_none() {
        session.kept.take().map(|seq| all.remove(seq));
        return;
    }
    let seq = *session.kept.get_or_insert_with(|| {
        *last = last.next();
        *last
    });
    all.insert(seq, Kept { label: label.clone(), lock, state });
}
