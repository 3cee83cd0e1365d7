//! A broker queue: two shelves, one line of numbers, and what is remembered of what was sent.

use minicbor::{Decode, Encode};

use super::command::SubQueue;
use super::fact::{
    Activated, BrokerCreated, BrokerDeadLettered, BrokerFact, DeadLetterCause, OneMessage,
    OneSession,
};
use super::line::Line;
use super::message::{Fate, Hold, Message};
use super::reply::MessageState;
use super::sessions::{Sessions, SessionsState};
use super::settings::BrokerSettings;
use super::shelf::{Order, Shelf, Wear};
use crate::decision::Moment;
use crate::fact::{Fact, Facts};
use crate::id::{Label, MessageId, Name, QueueId, Seq};
use crate::parts::{Chunked, DedupState, DedupWindow, Weigh};
use crate::stamp::Stamp;

/// A queue with peek-lock, deferral, scheduling, a dead-letter sub-queue and, if it is set so,
/// sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerQueue {
    pub(super) name: Name,
    pub(super) settings: BrokerSettings,
    pub(super) created_at: Stamp,
    /// The last number given.
    pub(super) last: Seq,
    /// Session holds granted so far.
    pub(super) holds: u64,
    pub(super) main: Shelf,
    pub(super) dead: Shelf,
    pub(super) sent: DedupWindow<Label, Original>,
}

/// What a queue is made of besides its settings; all else is a function of both.
#[derive(Clone, Debug, Default)]
pub(super) struct BrokerState {
    pub(super) main: Chunked<Message>,
    pub(super) dead: Chunked<Message>,
    pub(super) sessions: SessionsState,
    pub(super) sent: DedupState<Label, Original>,
}

/// What a remembered message id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub(super) struct Original {
    #[n(0)]
    pub(super) id: MessageId,
    #[n(1)]
    pub(super) seq: Seq,
}

/// Messages by where they stand. Those handed out under a lock that lasts are `locked`, whatever
/// else they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokerCounts {
    /// To be handed out in their turn, those included whose time is over but not yet noticed.
    pub active: usize,
    /// Handed out.
    pub locked: usize,
    /// To be asked for by number.
    pub deferred: usize,
    /// To be enqueued later.
    pub scheduled: usize,
}

/// Bytes of an idle queue without its name.
const OWN_BYTES: u64 = 700;

impl Weigh for Original {
    fn beyond(&self) -> u64 {
        0
    }
}

impl BrokerCounts {
    /// All of them.
    pub fn total(&self) -> usize {
        self.active + self.locked + self.deferred + self.scheduled
    }
}

impl BrokerQueue {
    /// A new, empty queue.
    pub fn created(at: Stamp, created: &BrokerCreated) -> BrokerQueue {
        let (name, settings) = (created.name.clone(), created.settings.clone());
        BrokerQueue::of((name, settings, at), BrokerState::default())
    }

    /// A queue of this name, with these settings, created at this moment, from its state; the
    /// counters stand at zero.
    pub(super) fn of(
        (name, settings, created_at): (Name, BrokerSettings, Stamp),
        state: BrokerState,
    ) -> BrokerQueue {
        let wear = Wear { deliveries_max: settings.deliveries_max };
        let order = match settings.sessions {
            true => Order::Sessions(Box::new(Sessions::from_state(state.sessions))),
            false => Order::Plain(Line::default()),
        };
        BrokerQueue {
            name,
            settings,
            created_at,
            last: Seq(0),
            holds: 0,
            main: Shelf::of(Some(wear), order, state.main),
            dead: Shelf::of(None, Order::Plain(Line::default()), state.dead),
            sent: DedupWindow::from_state(state.sent),
        }
    }

    /// What the queue is made of; costs pointers only.
    pub(super) fn state(&self) -> BrokerState {
        BrokerState {
            main: self.main.messages().clone(),
            dead: self.dead.messages().clone(),
            sessions: self.main.sessions().map(Sessions::state).unwrap_or_default(),
            sent: self.sent.state(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn bytes(&self) -> u64 {
        let messages = self.main.bytes().saturating_add(self.dead.bytes());
        OWN_BYTES + self.name.beyond() + messages + self.sent.bytes()
    }

    /// Its settings.
    pub fn settings(&self) -> &BrokerSettings {
        &self.settings
    }

    /// When it was created.
    pub fn created_at(&self) -> Stamp {
        self.created_at
    }

    /// The last number that a message was given; 0 before the first.
    pub fn last_seq(&self) -> Seq {
        self.last
    }

    /// Sessions that have a message, a lock or a state.
    pub fn session_count(&self) -> usize {
        self.main.sessions().map_or(0, Sessions::len)
    }

    /// How many messages a sub-queue has, in any state.
    pub fn len(&self, sub: SubQueue) -> usize {
        self.shelf(sub).len()
    }

    /// Whether there is no message in it, in any state.
    pub fn is_empty(&self) -> bool {
        self.main.len() == 0 && self.dead.len() == 0
    }

    /// Counts by state at `at`. It walks all messages: for tests and the simulation.
    pub fn counts(&self, sub: SubQueue, at: Stamp) -> BrokerCounts {
        let shelf = self.shelf(sub);
        let mut counts = BrokerCounts::default();
        for (_, message) in shelf.from(Seq(0)) {
            match (shelf.hold(message, at), message.state) {
                (Hold::Live, _) => counts.locked += 1,
                (_, MessageState::Active) => counts.active += 1,
                (_, MessageState::Deferred) => counts.deferred += 1,
                (_, MessageState::Scheduled { .. }) => counts.scheduled += 1,
            }
        }
        counts
    }

    pub(super) fn shelf(&self, sub: SubQueue) -> &Shelf {
        match sub {
            SubQueue::Main => &self.main,
            SubQueue::DeadLetter => &self.dead,
        }
    }

    /// The first moment at which [`BrokerQueue::tick`] has something to say.
    pub fn next_due(&self) -> Option<Stamp> {
        self.main.next_due()
    }

    /// The first moment after `at` at which time alone may make a message receivable or a session
    /// acceptable: a lock's end, or a scheduled message's moment.
    pub fn next_visible(&self, at: Stamp) -> Option<Stamp> {
        [self.main.next_visible(at), self.dead.next_visible(at)].into_iter().flatten().min()
    }

    /// What time alone has made due: sessions whose lock has run out, messages that are exhausted
    /// or expired, and scheduled messages, in this order and at most `limit` facts. One call may
    /// make more due; it is to be called again until nothing is.
    pub fn tick(&self, now: &Moment<'_>, queue: QueueId, limit: usize) -> Facts {
        let mut facts = self.lapse_sessions(now.at, queue, limit);
        let room = limit - facts.len();
        for (seq, message) in self.main.worn_out(now.at).take(room) {
            facts.extend(self.put_aside(queue, seq, self.main.fate(message, now.at)));
        }
        let room = limit - facts.len();
        let mut to = self.last;
        for (seq, _) in self.main.due_scheduled(now.at).take(room) {
            to = to.next();
            facts.push(BrokerFact::Activated(Activated { queue, seq, to }));
        }
        Facts { facts: facts.into_iter().map(Fact::Broker).collect(), bodies: Vec::new() }
    }

    /// A session gives back all that was handed out in it at once, so each counts with its
    /// messages against the limit; the first one always goes, for progress.
    fn lapse_sessions(&self, at: Stamp, queue: QueueId, limit: usize) -> Vec<BrokerFact> {
        let mut facts = Vec::new();
        let mut changes = 0;
        for (label, session) in self.main.sessions().into_iter().flat_map(|s| s.lapsed(at)) {
            changes += 1 + session.held.len();
            if facts.len() >= limit || (changes > limit && !facts.is_empty()) {
                break;
            }
            facts.push(BrokerFact::SessionLapsed(OneSession { queue, session: label.clone() }));
        }
        facts
    }

    /// How a message of the main shelf leaves it when its fate is not to be delivered.
    pub(super) fn put_aside(&self, queue: QueueId, seq: Seq, fate: Fate) -> Option<BrokerFact> {
        let (cause, failures) = match fate {
            Fate::Deliver => return None,
            Fate::Exhausted { failures } => (DeadLetterCause::DeliveriesExhausted, failures),
            Fate::Expired { failures } => (DeadLetterCause::Expired, failures),
        };
        if cause == DeadLetterCause::Expired && !self.settings.dead_letter_on_expiry {
            return Some(BrokerFact::Expired(OneMessage { queue, seq }));
        }
        let dead = BrokerDeadLettered { queue, seq, cause, failures };
        Some(BrokerFact::DeadLettered(dead))
    }
}
