//! Reference models: what the documented rules say, as simply as it can be said. A queue is a list
//! of messages, and every question is answered by looking at all of them. The models are told each
//! command in its place in the log, with the answer that the engine gave, and object if the rules
//! do not allow that answer there.
//!
//! A model never looks at what the engine keeps. It takes two hints from the facts, where the rules
//! leave a choice: which messages a receive moved to a dead-letter queue, and when time was noticed.

pub mod events;
pub mod fair;
mod fifo;
mod looks;
mod moves;
pub mod names;
mod park;
pub mod polled;
pub mod session;
pub mod standard;
mod subscriptions;

use std::collections::BTreeMap;

use lineside_core::broker::BrokerFact;
use lineside_core::command::{Command, Reply};
use lineside_core::fact::Fact;
use lineside_core::id::{Epoch, MessageId, Name, PartitionId, Place, QueueId};
use lineside_core::limits::Limits;
use lineside_core::queue::QueueKind;
use lineside_core::refusal::Refusal;
use lineside_core::stamp::Stamp;

use events::Store;
use polled::Polled;
use session::Broker;
use subscriptions::Follower;

/// Something that the rules do not allow, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation(pub String);

/// What a check comes to.
pub type Check<T = ()> = Result<T, Violation>;

/// What a caller heard.
pub type Answer = Result<Reply, Refusal>;

/// Objects unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::model::Violation(format!($($text)+)));
        }
    };
}
pub(crate) use ensure;

/// Objects unless the answer is the expected one.
fn expect(answer: &Answer, expected: &Answer) -> Check {
    ensure!(answer == expected, "the answer is\n  {answer:?}\nand should be\n  {expected:?}");
    Ok(())
}

/// Where and when something was decided.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// When.
    pub at: Stamp,
    /// Where its first fact stands, or would stand.
    pub here: Place,
}

/// A command that was decided: with the answer, and the facts that it brought.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'a> {
    /// The wish.
    pub command: &'a Command,
    /// The answer.
    pub answer: &'a Answer,
    /// What it brought.
    pub facts: &'a [Fact],
}

/// When less than this is due, counted in messages, one tick takes it all. How much more it may take
/// is the engine's to tune.
const TICK_MIN: usize = 250;

/// Everything that a partition knows, by the rules.
#[derive(Clone, Debug)]
pub struct Model {
    limits: Limits,
    partition: PartitionId,
    epoch: Epoch,
    names: Vec<(Name, QueueId)>,
    given_up: Vec<(Name, Stamp)>,
    last_queue: u64,
    /// The last number that an event was given.
    numbered: u64,
    queues: BTreeMap<QueueId, Queue>,
}

/// A queue of either family, an event store, or who follows one.
#[derive(Clone, Debug)]
enum Queue {
    Polled(Box<Polled>),
    Broker(Box<Broker>),
    Events(Box<Store>),
    Subscription(Box<Follower>),
}

impl Model {
    /// Nothing yet.
    pub fn new(partition: PartitionId, limits: Limits) -> Model {
        Model {
            limits,
            partition,
            epoch: Epoch::default(),
            names: Vec::new(),
            given_up: Vec::new(),
            last_queue: 0,
            numbered: 0,
            queues: BTreeMap::new(),
        }
    }

    fn find(&self, name: &Name) -> Option<QueueId> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, queue)| *queue)
    }

    fn polled(&self, name: &Name) -> Option<(QueueId, &Polled)> {
        let queue = self.find(name)?;
        match self.queues.get(&queue)? {
            Queue::Polled(polled) => Some((queue, polled)),
            _ => None,
        }
    }

    fn id_at(&self, here: Place) -> MessageId {
        MessageId::new(self.partition, self.epoch, here)
    }

    /// Checks an answer by the rules, and lets happen what the command brings about.
    pub fn decided(&mut self, now: Moment, decided: Decided<'_>) -> Check {
        match decided.command {
            Command::Canary => expect(decided.answer, &Ok(Reply::Done)),
            Command::Broker(command) => self.broker(now, command, decided.answer),
            Command::ListQueues { .. }
            | Command::CreateQueue { .. }
            | Command::ChangeQueue { .. }
            | Command::DeleteQueue { .. }
            | Command::PurgeQueue { .. }
            | Command::DescribeQueue { .. }
            | Command::FindQueue { .. } => self.about_queues(now, decided),
            Command::Send { .. }
            | Command::Receive { .. }
            | Command::Delete { .. }
            | Command::ChangeLease { .. } => self.about_messages(now, decided),
            Command::StartMove { .. } | Command::ListMoves { .. } | Command::CancelMove { .. } => {
                self.about_moves(now, decided)
            }
            Command::TagQueue { .. }
            | Command::UntagQueue { .. }
            | Command::ListTags { .. }
            | Command::ListSources { .. }
            | Command::Peek { .. } => self.about_looks(now, decided),
            Command::CreateEventStore { .. }
            | Command::Append(_)
            | Command::Indexed { .. }
            | Command::RecentEvents { .. }
            | Command::DescribeEvents { .. } => self.about_events(now, decided),
            Command::Subscription(command) => self.about_subscriptions(now, command, decided),
            Command::Park { .. } | Command::GiveBack { .. } => self.about_parked(now, decided),
        }
    }

    /// What no command asked for: a take-over, steerable time moving, or else exactly what is due.
    pub fn happened(&mut self, now: Moment, facts: &[Fact]) -> Check {
        match facts {
            [Fact::Opened(opened)] => {
                let next = self.epoch.next();
                ensure!(opened.epoch == next, "epoch {:?} follows {:?}", opened.epoch, self.epoch);
                self.epoch = next;
                Ok(())
            }
            [Fact::ClockMoved(_)] => Ok(()),
            due => self.ticked(now, due),
        }
    }

    /// One tick does no more than it may, of all queues together: then the rest is for the next.
    fn ticked(&mut self, now: Moment, facts: &[Fact]) -> Check {
        let (at, step_max) = (now.at, self.limits.move_step_max);
        let due = self.queues.iter().map(|(id, queue)| queue.due(*id, at, step_max));
        let all = due.sum::<usize>() < TICK_MIN;
        self.moves_ticked(now, facts, all)?;
        let mut told = 0;
        for (id, queue) in &mut self.queues {
            let is_of = |fact: &&Fact| queue_of_due(fact) == Some(*id);
            let facts: Vec<&Fact> = facts.iter().filter(is_of).collect();
            told += facts.len();
            match queue {
                Queue::Polled(polled) => polled.ticked(at, &facts, all)?,
                Queue::Broker(broker) => broker.ticked((*id, at), &facts, all)?,
                Queue::Events(_) | Queue::Subscription(_) => {
                    ensure!(facts.is_empty(), "time brought what it cannot: {facts:?}");
                }
            }
        }
        ensure!(told == facts.len(), "time brought more than the queues know: {facts:?}");
        Ok(())
    }

    /// Whether a receive soon has looked at as much as one may: then the first in line may get nothing
    /// where somebody else gets something, until the next moment.
    pub fn gives_up_early(&self) -> bool {
        self.limits.receive_scan_max < Limits::cloud().receive_scan_max
    }

    /// A standard queue's lease is in force, whatever it was decided on.
    pub fn seen_leased(&mut self, at: Stamp, fact: &Fact) {
        let Fact::Leased(leased) = fact else { return };
        let Some(Queue::Polled(polled)) = self.queues.get_mut(&leased.queue) else { return };
        for seq in &leased.seqs {
            polled.hand_out(*seq, at, (leased.epoch, leased.until));
        }
    }

    /// Whether somebody who waits with this command would get an answer other than "nothing yet".
    pub fn gives(&self, at: Stamp, command: &Command) -> bool {
        match command {
            Command::Receive { queue, .. } => match self.polled(queue) {
                Some((id, polled)) => {
                    let target = self.dead_letter_target(id, polled);
                    polled.gives(at, &self.limits, target)
                }
                None => true,
            },
            Command::Broker(command) => match self.find(command.queue()) {
                Some(id) => match self.queues.get(&id) {
                    Some(Queue::Broker(broker)) => broker.gives(self.ask_broker(at, id), command),
                    _ => true,
                },
                None => true,
            },
            Command::RecentEvents { store, after, .. } => match self.find(store) {
                Some(id) => match self.queues.get(&id) {
                    Some(Queue::Events(store)) => store.gives(*after),
                    _ => true,
                },
                None => true,
            },
            Command::Subscription(command) => self.gives_room(command),
            _ => true,
        }
    }

    fn ask_broker(&self, at: Stamp, queue: QueueId) -> session::Ask<'_> {
        let now = Moment { at, here: Place::default() };
        let id = self.id_at(now.here);
        session::Ask { now, queue, id, epoch: self.epoch, limits: &self.limits, told: None }
    }

    /// Whether it is a standard queue.
    pub fn is_standard(&self, queue: QueueId) -> bool {
        match self.queues.get(&queue) {
            Some(Queue::Polled(polled)) => polled.kind == QueueKind::Standard,
            _ => false,
        }
    }
}

impl Queue {
    fn due(&self, id: QueueId, at: Stamp, step_max: usize) -> usize {
        match self {
            Queue::Polled(polled) => polled.due(at) + polled.moves_due(step_max),
            Queue::Broker(broker) => broker.due(id, at).len() + broker.lapsed(at),
            Queue::Events(_) | Queue::Subscription(_) => 0,
        }
    }
}

/// The queue of something that time brings.
fn queue_of_due(fact: &Fact) -> Option<QueueId> {
    match fact {
        Fact::Expired(expired) => Some(expired.queue),
        Fact::Broker(fact) => Some(fact.queue()),
        other => moves::source_of(other),
    }
}

/// What time brought to a broker queue, out of its wrapping.
fn broker_facts(facts: &[&Fact]) -> Vec<BrokerFact> {
    let broker = |fact: &&Fact| match fact {
        Fact::Broker(fact) => Some(fact.clone()),
        _ => None,
    };
    facts.iter().filter_map(broker).collect()
}
