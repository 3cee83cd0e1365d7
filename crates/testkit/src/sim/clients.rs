//! Those who call: they send and receive at random over few queues and few keys, keep what they
//! were handed, and use it again when it is long stale.

mod broker;
mod events;
mod moves;
mod polled;
mod subscriptions;

use bytes::Bytes;
use lineside_core::broker::{BrokerRefusal, BrokerReply, SessionHolder};
use lineside_core::command::{Command, Reply};
use lineside_core::events::EventRefusal;
use lineside_core::id::{Epoch, EventNumber, Label, MessageId, Name, QueueId, Seq};
use lineside_core::receipt::Receipt;
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_core::stamp::{Millis, Stamp};
use lineside_core::subscription::SubscriptionRefusal;

use super::plan::{Kind, Plan, QueuePlan};
use crate::model::Answer;
use crate::rng::Rng;

/// Most receipts, holds and numbers that are remembered of a queue.
const REMEMBERED_MAX: usize = 24;

/// All callers of a world.
#[derive(Debug)]
pub(crate) struct Clients {
    queues: Vec<QueuePlan>,
    stashes: Vec<Stash>,
    waits: u64,
    looks: u64,
    backlog_max: usize,
    /// What the index has.
    diary: events::Diary,
    /// Counts what must differ: bodies, and ids that are no duplicates.
    count: u64,
}

/// What callers remember of one queue.
#[derive(Debug, Default)]
struct Stash {
    /// They were told last that it is not there.
    missing: bool,
    /// How many messages they believe to be in it.
    backlog: usize,
    receipts: Vec<(Receipt, Option<SessionHolder>)>,
    holders: Vec<SessionHolder>,
    seqs: Vec<Seq>,
    /// Moves that somebody was told of.
    tasks: Vec<MessageId>,
    /// Where a subscription's cursor was last.
    cursor: EventNumber,
}

/// Chance, and the moment that it is for who calls.
pub(crate) struct Whim<'a> {
    pub(crate) rng: &'a mut Rng,
    pub(crate) at: Stamp,
}

impl Whim<'_> {
    fn label(&mut self, of: &[&str]) -> Label {
        Label::new(self.rng.one(of, ""))
    }

    /// Sometimes something.
    fn maybe<T>(&mut self, percent: u64, something: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.rng.chance(percent).then(|| something(self))
    }

    fn seconds(&mut self, of: &[u64]) -> Millis {
        Millis::seconds(self.rng.one(of, 0))
    }
}

impl Clients {
    pub(crate) fn new(plan: &Plan) -> Clients {
        let stashes = plan.queues.iter().map(|_| Stash::default()).collect();
        Clients {
            queues: plan.queues.clone(),
            stashes,
            waits: plan.waits,
            looks: plan.looks,
            backlog_max: plan.backlog_max,
            diary: events::Diary::default(),
            count: 0,
        }
    }

    /// The commands that make the queues.
    pub(crate) fn openings(&mut self, whim: &mut Whim<'_>) -> Vec<Command> {
        let queues = self.queues.clone();
        queues.iter().map(|queue| self.create(whim, *queue)).collect()
    }

    /// Commands that look at everything that is there.
    pub(crate) fn audits(&self) -> Vec<Command> {
        let looks = |queue: &QueuePlan| match queue.kind {
            Kind::Standard | Kind::Fifo => polled::audit(queue.name),
            Kind::Broker { .. } => broker::audit(queue.name),
            Kind::Events => events::audit(queue.name),
            Kind::Subscription(feeding) => subscriptions::audit(queue.name, feeding),
        };
        self.queues.iter().flat_map(looks).collect()
    }

    /// What somebody wishes.
    pub(crate) fn wish(&mut self, whim: &mut Whim<'_>) -> Command {
        let index = self.any_queue(whim);
        let Some(queue) = self.queues.get(index).copied() else { return Command::Canary };
        if whim.rng.chance(4) && !matches!(queue.kind, Kind::Subscription(_)) {
            return self.about_queues(whim, queue);
        }
        if self.stash(index).is_some_and(|stash| stash.missing) && whim.rng.chance(60) {
            return self.create(whim, queue);
        }
        match queue.kind {
            Kind::Standard | Kind::Fifo if whim.rng.chance(self.looks) => {
                self.about_more(whim, queue)
            }
            Kind::Standard | Kind::Fifo => self.about_polled(whim, index, queue),
            Kind::Broker { sessions } => self.about_broker(whim, index, (queue, sessions)),
            Kind::Events => self.about_events(whim, queue),
            Kind::Subscription(feeding) => {
                self.about_subscriptions(whim, index, (queue.name, feeding))
            }
        }
    }

    /// Any queue, but seldom one that is not there.
    fn any_queue(&self, whim: &mut Whim<'_>) -> usize {
        let first = whim.rng.index(self.queues.len());
        let missing = self.stashes.get(first).is_some_and(|stash| stash.missing);
        if missing && whim.rng.chance(80) { whim.rng.index(self.queues.len()) } else { first }
    }

    fn create(&mut self, whim: &mut Whim<'_>, queue: QueuePlan) -> Command {
        match queue.kind {
            Kind::Standard | Kind::Fifo => self.create_polled(whim, queue),
            Kind::Broker { sessions } => Clients::create_broker(whim, queue.name, sessions),
            Kind::Events => Command::CreateEventStore { name: named(queue.name) },
            Kind::Subscription(feeding) => self.subscribe(whim, queue.name, feeding),
        }
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn body(&mut self, whim: &mut Whim<'_>) -> Bytes {
        let padding = "................................";
        let padding = padding.get(..whim.rng.index(32)).unwrap_or_default();
        Bytes::from(format!("{} {padding}", self.next()))
    }

    fn stash(&mut self, index: usize) -> Option<&mut Stash> {
        self.stashes.get_mut(index)
    }

    /// Whether there is so much in a queue that nobody wants to send.
    fn is_crowded(&self, index: usize) -> bool {
        self.stashes.get(index).is_some_and(|stash| stash.backlog >= self.backlog_max)
    }

    /// Whether there is anything to settle with; without it there seldom is a wish to.
    fn has_receipts(&self, whim: &mut Whim<'_>, index: usize) -> bool {
        let known = self.stashes.get(index).is_some_and(|stash| !stash.receipts.is_empty());
        known || whim.rng.chance(5)
    }

    /// A receipt to use: the last one, an older one, or a false one. It is often kept, to be used
    /// again.
    fn receipt(&mut self, whim: &mut Whim<'_>, index: usize) -> (Receipt, Option<SessionHolder>) {
        let known = self.stash(index).map_or(0, |stash| stash.receipts.len());
        let at = if whim.rng.chance(60) { known.wrapping_sub(1) } else { whim.rng.index(known) };
        let keeps = whim.rng.chance(25);
        let Some(stash) = self.stash(index).filter(|stash| at < stash.receipts.len()) else {
            return (strange(whim), None);
        };
        let found = match keeps {
            true => stash.receipts.get(at).cloned(),
            false => Some(stash.receipts.remove(at)),
        };
        let Some((receipt, holder)) = found else { return (strange(whim), None) };
        if whim.rng.chance(4) { (twisted(whim, receipt), holder) } else { (receipt, holder) }
    }

    /// Remembers what an answer brought.
    pub(crate) fn learn(&mut self, command: &Command, answer: &Answer) {
        let name = match command {
            Command::Send { queue: name, .. }
            | Command::Receive { queue: name, .. }
            | Command::StartMove { source: name, .. }
            | Command::Peek { queue: name, .. }
            | Command::CreateQueue { name, .. } => name,
            Command::Subscription(command) => command.name(),
            Command::Broker(command) => command.queue(),
            Command::Append(append) => &append.store,
            Command::CreateEventStore { name } => name,
            _ => return,
        };
        let is_of = |queue: &QueuePlan| subscriptions::is_of(name.as_str(), queue.name);
        let index = self.queues.iter().position(is_of);
        let Some(stash) = index.and_then(|index| self.stashes.get_mut(index)) else { return };
        stash.missing = matches!(
            answer,
            Err(Refusal::Queue(QueueRefusal::Missing { .. }))
                | Err(Refusal::Broker(BrokerRefusal::Missing { .. }))
                | Err(Refusal::Events(EventRefusal::Missing { .. }))
                | Err(Refusal::Subscription(SubscriptionRefusal::Missing { .. }))
        );
        stash.learn_cursor(answer);
        let Ok(reply) = answer else { return };
        match reply {
            Reply::Sent { .. } => stash.backlog += 1,
            Reply::Received(deliveries) => {
                stash.received(deliveries.len());
                stash.receipts.extend(deliveries.iter().map(|delivery| (delivery.receipt, None)));
            }
            Reply::MoveStarted { task } => stash.tasks.push(*task),
            Reply::Peeked { messages, .. } if subscriptions::is_parking(name.as_str()) => {
                stash.seqs = messages.iter().map(|message| message.seq).collect();
            }
            Reply::Broker(reply) => stash.learn_broker(command, reply),
            _ => {}
        }
        forget_old(&mut stash.receipts);
        forget_old(&mut stash.holders);
        forget_old(&mut stash.seqs);
        forget_old(&mut stash.tasks);
    }
}

impl Stash {
    /// Who gets nothing believes that there is nothing.
    fn received(&mut self, count: usize) {
        self.backlog = if count == 0 { 0 } else { self.backlog.saturating_sub(count) };
    }

    fn learn_broker(&mut self, command: &Command, reply: &BrokerReply) {
        match reply {
            BrokerReply::Received(deliveries) => {
                self.received(deliveries.len());
                let locks = deliveries.iter().filter_map(|delivery| delivery.lock);
                let holder = broker::holder_of(command);
                self.receipts.extend(locks.map(|lock| (lock.receipt, holder.clone())));
            }
            BrokerReply::Accepted { holder, .. } => self.holders.push(holder.clone()),
            BrokerReply::Sent { seq, .. } => {
                self.backlog += 1;
                self.seqs.extend(broker::is_scheduled(command).then_some(*seq));
            }
            BrokerReply::Done => self.seqs.extend(broker::deferred_by(command)),
            _ => {}
        }
    }
}

fn forget_old<T>(remembered: &mut Vec<T>) {
    let surplus = remembered.len().saturating_sub(REMEMBERED_MAX);
    remembered.drain(..surplus);
}

/// A receipt that nobody was ever given, probably.
fn strange(whim: &mut Whim<'_>) -> Receipt {
    let (rng, small) = (&mut *whim.rng, |n: u64| u32::try_from(n).unwrap_or(0));
    Receipt {
        queue: QueueId(rng.between(1, 6)),
        seq: Seq(rng.between(1, 20)),
        epoch: Epoch(small(rng.between(1, 3))),
        attempt: small(rng.between(1, 3)),
    }
}

/// A receipt that is a little wrong.
fn twisted(whim: &mut Whim<'_>, receipt: Receipt) -> Receipt {
    let Receipt { queue, seq, epoch, attempt } = receipt;
    match whim.rng.below(5) {
        0 => Receipt { queue: QueueId(queue.0 + 1), ..receipt },
        1 => Receipt { seq: seq.next(), ..receipt },
        2 => Receipt { epoch: epoch.next(), ..receipt },
        3 => Receipt { attempt: attempt + 1, ..receipt },
        _ => Receipt { attempt: attempt.saturating_sub(1), ..receipt },
    }
}

/// A name of its own memory, by which the call is known.
fn named(name: &str) -> Name {
    Name::new(name)
}
