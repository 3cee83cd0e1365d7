//! Messages by number, with the indexes that say who is next and what time does to them. Each
//! index is a function of the messages: [`Shelf::change`] takes a message out of all of them,
//! changes it, and puts it back.

use super::line::Line;
use super::message::{Fate, Hold, Lock, Message};
use super::reply::{BrokerMessage, MessageState};
use super::sessions::Sessions;
use crate::id::{Label, Seq};
use crate::parts::{Agenda, Chunked};
use crate::stamp::Stamp;

/// The messages of one sub-queue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shelf {
    messages: Chunked<Message>,
    index: Index,
}

#[derive(Clone, Debug, PartialEq)]
struct Index {
    wear: Option<Wear>,
    due: Agenda<Seq>,
    scheduled: Agenda<Seq>,
    order: Order,
}

/// What befalls messages on a shelf: they outlive their time, and fail once too often. On a shelf
/// without it (dead letters) they stay as they came: nothing is counted, nothing ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wear {
    /// So many failed deliveries are too many.
    pub(super) deliveries_max: u32,
}

/// Who is next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    /// Any receiver takes the next message.
    Plain(Line),
    /// A session's holder takes its next message. Boxed, since it is larger.
    Sessions(Box<Sessions>),
}

impl Index {
    /// Lets a message share the text of its session's label with the session.
    fn share_label(&self, message: &mut Message) {
        if let (Order::Sessions(sessions), Some(label)) = (&self.order, &mut message.session) {
            *label = sessions.known(label);
        }
    }

    fn link(&mut self, seq: Seq, message: &Message) {
        if let Some(at) = self.wear.and_then(|wear| message.due(wear.deliveries_max)) {
            self.due.insert(at, seq);
        }
        if let MessageState::Scheduled { at } = message.state {
            self.scheduled.insert(at, seq);
        }
        match &mut self.order {
            Order::Plain(line) => line.link(seq, message),
            Order::Sessions(sessions) => sessions.link(seq, message),
        }
    }

    fn unlink(&mut self, seq: Seq, message: &Message) {
        if let Some(at) = self.wear.and_then(|wear| message.due(wear.deliveries_max)) {
            self.due.remove(at, seq);
        }
        if let MessageState::Scheduled { at } = message.state {
            self.scheduled.remove(at, seq);
        }
        match &mut self.order {
            Order::Plain(line) => line.unlink(seq, message),
            Order::Sessions(sessions) => sessions.unlink(seq, message),
        }
    }
}

impl Shelf {
    /// The shelf with these messages, its indexes made anew; `order` has no messages yet.
    pub(super) fn of(wear: Option<Wear>, order: Order, mut messages: Chunked<Message>) -> Shelf {
        let mut index = Index { wear, due: Agenda::default(), scheduled: Agenda::default(), order };
        messages.for_each_mut(|seq, message| {
            index.share_label(message);
            index.link(seq, message);
        });
        Shelf { messages, index }
    }

    /// What a shelf is made of, sessions apart; all else is a function of it.
    pub(super) fn messages(&self) -> &Chunked<Message> {
        &self.messages
    }

    /// Bytes that its messages and sessions take in memory, about.
    pub(super) fn bytes(&self) -> u64 {
        self.messages.bytes().saturating_add(self.sessions().map_or(0, Sessions::bytes))
    }

    pub(super) fn get(&self, seq: Seq) -> Option<&Message> {
        self.messages.get(seq)
    }

    /// Messages from `from` on, by number.
    pub(super) fn from(&self, from: Seq) -> impl Iterator<Item = (Seq, &Message)> {
        self.messages.from(from)
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Adds a message; one that had its number makes place.
    pub(super) fn insert(&mut self, seq: Seq, mut message: Message) {
        self.remove(seq);
        self.index.share_label(&mut message);
        self.index.link(seq, &message);
        self.messages.insert(seq, message);
    }

    pub(super) fn remove(&mut self, seq: Seq) -> Option<Message> {
        let message = self.messages.remove(seq)?;
        self.index.unlink(seq, &message);
        Some(message)
    }

    /// Changes a message, if it is here, and keeps the indexes.
    pub(super) fn change(&mut self, seq: Seq, change: impl FnOnce(&mut Message)) {
        if let Some(mut message) = self.messages.get_mut(seq) {
            self.index.unlink(seq, &message);
            change(&mut message);
            self.index.link(seq, &message);
        }
    }

    /// Ends a session's hold and takes back what was handed out in it; `counted`: as failed
    /// deliveries.
    pub(super) fn end_hold(&mut self, label: &Label, counted: bool) {
        let Some(sessions) = self.sessions_mut() else {
            return;
        };
        let held = sessions.get(label).map(|session| session.held.clone()).unwrap_or_default();
        sessions.edit(label, |session| session.lock = None);
        for seq in held {
            self.change(seq, |message| message.unlock(counted));
        }
    }

    /// Whether failed deliveries count here.
    pub(super) fn counts(&self) -> bool {
        self.index.wear.is_some()
    }

    /// The line, if there are no sessions here.
    pub(super) fn line(&self) -> Option<&Line> {
        match &self.index.order {
            Order::Plain(line) => Some(line),
            Order::Sessions(_) => None,
        }
    }

    /// The sessions, if there are any here.
    pub(super) fn sessions(&self) -> Option<&Sessions> {
        match &self.index.order {
            Order::Plain(_) => None,
            Order::Sessions(sessions) => Some(sessions),
        }
    }

    pub(super) fn sessions_mut(&mut self) -> Option<&mut Sessions> {
        match &mut self.index.order {
            Order::Plain(_) => None,
            Order::Sessions(sessions) => Some(sessions),
        }
    }

    /// Whether a message is handed out at `at`.
    pub(super) fn hold(&self, message: &Message, at: Stamp) -> Hold {
        let is_live = match message.lock {
            None => return Hold::Free,
            Some(Lock::Own { until, .. }) => until > at,
            Some(Lock::Session { .. }) => self.is_session_held(message, at),
        };
        if is_live { Hold::Live } else { Hold::Lapsed }
    }

    /// Whether somebody holds the message's session at `at`.
    pub(super) fn is_session_held(&self, message: &Message, at: Stamp) -> bool {
        let sessions = self.sessions().zip(message.session.as_ref());
        sessions.is_some_and(|(sessions, label)| sessions.is_held(label, at))
    }

    /// A message's failed deliveries, one whose lock has run out by `at` included.
    pub(super) fn failures(&self, message: &Message, at: Stamp) -> u32 {
        let lapsed = self.counts() && self.hold(message, at) == Hold::Lapsed;
        message.failures.saturating_add(u32::from(lapsed))
    }

    /// What is to happen to a message that is free, or whose lock has run out, at `at`. A lock
    /// ends before its message's time does, so the count of failures is looked at first.
    pub(super) fn fate(&self, message: &Message, at: Stamp) -> Fate {
        let failures = self.failures(message, at);
        match self.index.wear {
            Some(wear) if failures >= wear.deliveries_max => Fate::Exhausted { failures },
            Some(_) if message.is_expired(at) => Fate::Expired { failures },
            _ => Fate::Deliver,
        }
    }

    /// What a client sees of a message.
    pub(super) fn view(&self, seq: Seq, message: &Message, at: Stamp) -> BrokerMessage {
        message.view(seq, self.failures(message, at))
    }

    /// Messages that time has exhausted or expired.
    pub(super) fn worn_out(&self, at: Stamp) -> impl Iterator<Item = (Seq, &Message)> {
        self.found(self.index.due.due(at))
    }

    /// Scheduled messages whose moment has come.
    pub(super) fn due_scheduled(&self, at: Stamp) -> impl Iterator<Item = (Seq, &Message)> {
        self.found(self.index.scheduled.due(at))
    }

    fn found<'a>(
        &'a self,
        seqs: impl Iterator<Item = &'a Seq>,
    ) -> impl Iterator<Item = (Seq, &'a Message)> {
        seqs.filter_map(|seq| Some((*seq, self.get(*seq)?)))
    }

    /// The first moment at which time alone does something here.
    pub(super) fn next_due(&self) -> Option<Stamp> {
        let sessions = self.sessions().and_then(Sessions::next_due);
        [self.index.due.first(), self.index.scheduled.first(), sessions].into_iter().flatten().min()
    }

    /// The first moment after `at` at which something may be there to be received or accepted.
    pub(super) fn next_visible(&self, at: Stamp) -> Option<Stamp> {
        let unlocked = match &self.index.order {
            Order::Plain(line) => line.next_visible(at),
            Order::Sessions(sessions) => sessions.next_visible(at),
        };
        let scheduled = self.index.scheduled.first_after(at, Seq(0));
        [unlocked, scheduled].into_iter().flatten().min()
    }

    /// The same shelf with indexes made anew from its messages.
    #[cfg(test)]
    pub(super) fn reindexed(&self) -> Shelf {
        let order = match &self.index.order {
            Order::Plain(_) => Order::Plain(Line::default()),
            Order::Sessions(sessions) => {
                Order::Sessions(Box::new(Sessions::from_state(sessions.state())))
            }
        };
        Shelf::of(self.index.wear, order, self.messages.clone())
    }
}
