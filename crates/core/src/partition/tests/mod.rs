//! Given facts, when a command at a moment, then facts, an answer or a refusal; and stories over
//! several commands.

mod blocks;
pub(crate) mod codec;
mod commands;
pub(crate) mod facts;
mod moves;
mod names;
mod notes;
pub(crate) mod random;
mod rests_on;
mod settings;
pub(crate) mod snapshots;
mod sources;
mod tags;
mod time;
mod weight;

use std::collections::BTreeSet;

use bytes::Bytes;

pub(crate) use super::Partition;
pub(crate) use crate::broker::{
    BrokerCommand, BrokerCreated, BrokerFact, BrokerOperation, BrokerRefusal, BrokerSettings,
    NewBrokerMessage, OneMessage, ReceiveMode, SubQueue,
};
pub(crate) use crate::command::{
    Command, Delivery, Description, NewDedup, NewMessage, Peeked, PeekedLease, Reply, Verdict,
};
pub(crate) use crate::events::{Appended, EventStoreCreated, Indexed, Query, QueryItem};
pub(crate) use crate::fact::{
    Batch, ClockMoved, DeadLettered, DedupMark, Deleted, Expired, Fact, Facts, LeaseChanged,
    Leased, MoveCancelled, MoveEnded, MovePassed, MoveStarted, Moved, Opened, QueueChanged,
    QueueCreated, QueueDeleted, QueuePurged, QueueTagged, Sent,
};
pub(crate) use crate::id::{
    BodyRef, Epoch, EventNumber, Label, MessageId, Name, PartitionId, Place, Position, QueueId,
    Seq, Text, Version,
};
pub(crate) use crate::limits::Limits;
pub(crate) use crate::parts::{DeadLetterRule, Texts};
pub(crate) use crate::queue::{
    DeadLetterSources, MoveFailure, MoveStatus, MoveTask, QueueKind, QueueSettings, Scope,
    SettingsPatch,
};
pub(crate) use crate::receipt::Receipt;
pub(crate) use crate::refusal::{QueueRefusal, Refusal, Setting};
pub(crate) use crate::stamp::{Millis, Stamp};
pub(crate) use crate::subscription::{
    Advanced, Feeds, Subscribed, SubscriptionCommand, SubscriptionDescription, SubscriptionRefusal,
    SubscriptionSettings, Workers,
};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text)
}

pub(crate) fn label(text: &str) -> Label {
    Label::new(text)
}

pub(crate) fn text(text: &str) -> Text {
    Text::new(text)
}

/// Keys and values.
pub(crate) fn pairs(pairs: &[(&str, &str)]) -> Vec<(Label, Text)> {
    pairs.iter().map(|(key, value)| (label(key), text(value))).collect()
}

pub(crate) fn seconds(seconds: u64) -> Millis {
    Millis::seconds(seconds)
}

/// The moment so many seconds after the beginning of the story.
pub(crate) fn stamp(seconds: u64) -> Stamp {
    Stamp(0) + Millis::seconds(seconds)
}

pub(crate) fn place(position: u64) -> Place {
    Place { position: Position(position), index: 0 }
}

/// The id of what the batch at `position` creates under `epoch`.
pub(crate) fn id_at(epoch: u32, position: u64) -> MessageId {
    MessageId::new(PartitionId(0), Epoch(epoch), place(position))
}

// Settings and commands.

pub(crate) fn no_settings() -> SettingsPatch {
    SettingsPatch::default()
}

pub(crate) fn rule(target: &str, receives_max: u32) -> DeadLetterRule {
    DeadLetterRule { target: name(target), receives_max }
}

pub(crate) fn dead_letter(target: &str, receives_max: u32) -> SettingsPatch {
    let dead_letter = Some(Some(rule(target, receives_max)));
    SettingsPatch { dead_letter, ..SettingsPatch::default() }
}

pub(crate) fn delay(by: u64) -> SettingsPatch {
    SettingsPatch { delay: Some(seconds(by)), ..SettingsPatch::default() }
}

pub(crate) fn retention(of: u64) -> SettingsPatch {
    SettingsPatch { retention: Some(seconds(of)), ..SettingsPatch::default() }
}

/// A note that is set, or without a text one that is taken out.
pub(crate) fn note(key: &str, value: Option<&str>) -> SettingsPatch {
    SettingsPatch { notes: vec![(label(key), value.map(text))], ..no_settings() }
}

pub(crate) fn taking_from(sources: DeadLetterSources) -> SettingsPatch {
    SettingsPatch { sources: Some(sources), ..no_settings() }
}

pub(crate) fn create(queue: &str, kind: QueueKind, given: SettingsPatch) -> Command {
    Command::CreateQueue { name: name(queue), kind, given, tags: Vec::new() }
}

pub(crate) fn change_queue(queue: &str, patch: SettingsPatch) -> Command {
    Command::ChangeQueue { name: name(queue), patch, only_if: None }
}

pub(crate) fn delete_queue(queue: &str) -> Command {
    Command::DeleteQueue { name: name(queue) }
}

pub(crate) fn purge(queue: &str) -> Command {
    Command::PurgeQueue { name: name(queue) }
}

pub(crate) fn describe(queue: &str) -> Command {
    Command::DescribeQueue { name: name(queue) }
}

pub(crate) fn find(queue: &str) -> Command {
    Command::FindQueue { name: name(queue) }
}

pub(crate) fn list(prefix: &str, after: Option<&str>, limit: usize) -> Command {
    Command::ListQueues { prefix: name(prefix), after: after.map(name), limit }
}

pub(crate) fn tag(queue: &str, tags: &[(&str, &str)]) -> Command {
    Command::TagQueue { name: name(queue), tags: pairs(tags) }
}

pub(crate) fn untag(queue: &str, keys: &[&str]) -> Command {
    Command::UntagQueue { name: name(queue), keys: keys.iter().map(|key| label(key)).collect() }
}

pub(crate) fn list_tags(queue: &str) -> Command {
    Command::ListTags { name: name(queue) }
}

pub(crate) fn list_sources(queue: &str, after: Option<&str>, limit: usize) -> Command {
    Command::ListSources { name: name(queue), after: after.map(name), limit }
}

pub(crate) fn start_move(source: &str, destination: Option<&str>, rate: Option<u32>) -> Command {
    Command::StartMove { source: name(source), destination: destination.map(name), rate }
}

pub(crate) fn list_moves(source: &str) -> Command {
    Command::ListMoves { source: name(source), limit: 99 }
}

pub(crate) fn cancel_move(source: &str, task: MessageId) -> Command {
    Command::CancelMove { source: name(source), task }
}

/// Looks at all messages.
pub(crate) fn peek(queue: &str, from: u64, max: usize) -> Command {
    let (queue, from) = (name(queue), Seq(from));
    Command::Peek { queue, from, max, in_flight: true, delayed: true }
}

pub(crate) fn send(queue: &str) -> Command {
    send_with(queue, |_| {})
}

pub(crate) fn send_with(queue: &str, change: impl FnOnce(&mut NewMessage)) -> Command {
    let body = Bytes::from_static(b"body");
    let mut message = NewMessage { body, size: 4, delay: None, group: None, dedup: NewDedup::None };
    change(&mut message);
    Command::Send { queue: name(queue), message }
}

pub(crate) fn send_later(queue: &str, by: u64) -> Command {
    send_with(queue, |message| message.delay = Some(seconds(by)))
}

/// To a FIFO queue: into a group, under a deduplication id.
pub(crate) fn send_in(queue: &str, group: &str, dedup: &str) -> Command {
    send_with(queue, |message| {
        message.group = Some(label(group));
        message.dedup = NewDedup::Id(label(dedup));
    })
}

pub(crate) fn receive(queue: &str, max: usize) -> Command {
    let (queue, visibility, wait, attempt) = (name(queue), None, None, None);
    Command::Receive { queue, max, visibility, wait, attempt, alone: false }
}

pub(crate) fn receive_for(queue: &str, max: usize, visibility: u64) -> Command {
    let (queue, visibility) = (name(queue), Some(seconds(visibility)));
    Command::Receive { queue, max, visibility, wait: None, attempt: None, alone: false }
}

/// Of each group one at most.
pub(crate) fn receive_alone(queue: &str, max: usize) -> Command {
    match receive(queue, max) {
        Command::Receive { queue, max, visibility, wait, attempt, .. } => {
            Command::Receive { queue, max, visibility, wait, attempt, alone: true }
        }
        other => other,
    }
}

pub(crate) fn receive_as(queue: &str, max: usize, attempt: &str) -> Command {
    let (queue, attempt) = (name(queue), Some(label(attempt)));
    Command::Receive { queue, max, visibility: None, wait: None, attempt, alone: false }
}

pub(crate) fn delete(queue: &str, receipt: Receipt) -> Command {
    Command::Delete { queue: name(queue), receipt }
}

pub(crate) fn change_lease(queue: &str, receipt: Receipt, timeout: u64) -> Command {
    Command::ChangeLease { queue: name(queue), receipt, timeout: seconds(timeout) }
}

pub(crate) fn park(queue: &str, receipt: Receipt, reason: Option<&str>) -> Command {
    Command::Park { queue: name(queue), receipt, reason: reason.map(text) }
}

pub(crate) fn give_back(queue: &str, seqs: &[u64]) -> Command {
    Command::GiveBack { queue: name(queue), seqs: seqs.iter().copied().map(Seq).collect() }
}

pub(crate) fn create_broker(queue: &str) -> Command {
    let (name, settings) = (name(queue), BrokerSettings::default());
    Command::Broker(BrokerCommand::Create { name, settings })
}

pub(crate) fn to_broker(queue: &str, operation: BrokerOperation) -> Command {
    Command::Broker(BrokerCommand::To { queue: name(queue), operation })
}

pub(crate) fn broker_receive(queue: &str) -> Command {
    let (sub, mode) = (SubQueue::Main, ReceiveMode::PeekLock);
    to_broker(queue, BrokerOperation::Receive { sub, mode, max: 1, wait: None })
}

// Facts.

pub(crate) fn created(queue: u64, text: &str, kind: QueueKind, given: &SettingsPatch) -> Fact {
    let settings = given.onto(QueueSettings::default());
    let (queue, name) = (QueueId(queue), name(text));
    Fact::QueueCreated(QueueCreated { queue, name, kind, settings, tags: None })
}

pub(crate) fn standard(queue: u64, text: &str) -> Fact {
    created(queue, text, QueueKind::Standard, &no_settings())
}

pub(crate) fn fifo(queue: u64, text: &str) -> Fact {
    created(queue, text, QueueKind::Fifo, &no_settings())
}

pub(crate) fn changed(queue: u64, settings: QueueSettings) -> Fact {
    Fact::QueueChanged(QueueChanged { queue: QueueId(queue), settings })
}

pub(crate) fn purged(queue: u64) -> Fact {
    Fact::QueuePurged(QueuePurged { queue: QueueId(queue) })
}

pub(crate) fn queue_deleted(queue: u64) -> Fact {
    Fact::QueueDeleted(QueueDeleted { queue: QueueId(queue) })
}

/// The id that [`sent`] gives.
pub(crate) fn id_of(queue: u64, seq: u64) -> MessageId {
    id_at(9, queue * 1_000_000 + seq)
}

pub(crate) fn sent(queue: u64, seq: u64) -> Fact {
    sent_with(queue, seq, |_| {})
}

pub(crate) fn sent_in(queue: u64, seq: u64, group: &str) -> Fact {
    sent_with(queue, seq, |sent| sent.group = Some(label(group)))
}

pub(crate) fn sent_with(queue: u64, seq: u64, change: impl FnOnce(&mut Sent)) -> Fact {
    let mut sent = Sent {
        queue: QueueId(queue),
        seq: Seq(seq),
        id: id_of(queue, seq),
        len: 4,
        visible_at: Stamp(0),
        group: None,
        dedup: None,
        dedup_scope: None,
    };
    change(&mut sent);
    Fact::Sent(sent)
}

pub(crate) fn mark(key: &str, until: Stamp) -> DedupMark {
    DedupMark { key: label(key), until }
}

fn leased_with(queue: u64, epoch: u32, until: Stamp, seqs: &[u64], soft: bool) -> Fact {
    let seqs = seqs.iter().copied().map(Seq).collect();
    let (queue, epoch) = (QueueId(queue), Epoch(epoch));
    Fact::Leased(Leased { queue, epoch, until, seqs, soft, attempt: None })
}

/// A lease of a standard queue.
pub(crate) fn soft_lease(queue: u64, epoch: u32, until: Stamp, seqs: &[u64]) -> Fact {
    leased_with(queue, epoch, until, seqs, true)
}

/// A lease of a FIFO queue.
pub(crate) fn hard_lease(queue: u64, epoch: u32, until: Stamp, seqs: &[u64]) -> Fact {
    leased_with(queue, epoch, until, seqs, false)
}

pub(crate) fn lease_changed(queue: u64, seq: u64, until: Stamp) -> Fact {
    Fact::LeaseChanged(LeaseChanged { queue: QueueId(queue), seq: Seq(seq), until })
}

pub(crate) fn deleted(queue: u64, seq: u64) -> Fact {
    Fact::Deleted(Deleted { queue: QueueId(queue), seq: Seq(seq) })
}

pub(crate) fn expired(queue: u64, sent_at: Stamp, seq: u64) -> Fact {
    Fact::Expired(Expired { queue: QueueId(queue), sent_at, seq: Seq(seq) })
}

pub(crate) fn receipt(queue: u64, seq: u64, epoch: u32, attempt: u32) -> Receipt {
    Receipt { queue: QueueId(queue), seq: Seq(seq), epoch: Epoch(epoch), attempt }
}

// Given, when, then.

/// A partition, opened in epoch 1, with these facts, each at its second and in a batch of its own:
/// the first of them at position 1.
pub(crate) fn given(facts: impl IntoIterator<Item = (u64, Fact)>) -> World {
    let mut world = World::new();
    for (at, fact) in facts {
        world.at = stamp(at);
        world.take_in(Facts::one(fact));
    }
    world
}

/// A partition at a moment under an owner, and the log behind it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) partition: Partition,
    pub(crate) at: Stamp,
    pub(crate) log: Vec<Batch>,
    pub(crate) limits: Limits,
}

impl World {
    pub(crate) fn new() -> World {
        World::with_limits(|_| {})
    }

    pub(crate) fn with_limits(change: impl FnOnce(&mut Limits)) -> World {
        let mut limits = Limits::cloud();
        change(&mut limits);
        let partition = Partition::new(PartitionId(0), limits.clone());
        let mut world = World { partition, at: Stamp(0), log: Vec::new(), limits };
        world.open();
        world
    }

    /// A world with one standard queue, `q`.
    pub(crate) fn standard() -> World {
        World::new().with("q", QueueKind::Standard, no_settings())
    }

    /// A world with one FIFO queue, `f`.
    pub(crate) fn fifo() -> World {
        World::new().with("f", QueueKind::Fifo, no_settings())
    }

    pub(crate) fn with(mut self, queue: &str, kind: QueueKind, given: SettingsPatch) -> World {
        assert!(self.say(create(queue, kind, given)).is_ok(), "{queue} can be created");
        self
    }

    fn open(&mut self) {
        let opening = self.partition.opening();
        self.take_in(Facts::one(opening));
    }

    pub(crate) fn here(&self) -> Place {
        place(self.log.len() as u64)
    }

    /// The position of the last batch; a bound that covers it is one more.
    pub(crate) fn last(&self) -> Position {
        Position(self.log.len() as u64 - 1)
    }

    /// One batch of these facts at this moment.
    pub(crate) fn take_in(&mut self, facts: Facts) {
        if facts.is_empty() {
            return;
        }
        let (batch, position) = (Batch { at: self.at, facts }, self.here().position);
        for (here, fact) in batch.places(position) {
            self.partition.evolve(batch.at, here, fact);
        }
        self.log.push(batch);
    }

    pub(crate) fn decide(&self, command: &Command) -> Verdict {
        self.partition.decide(self.at, self.here(), command)
    }

    #[allow(clippy::needless_pass_by_value, reason = "tests read better without a reference")]
    pub(crate) fn when(mut self, at: u64, command: Command) -> Then {
        self.at = stamp(at);
        Then(self.decide(&command))
    }

    pub(crate) fn when_ticked(mut self, at: u64, limit: usize) -> Vec<Fact> {
        self.at = stamp(at);
        self.partition.tick(self.at, self.here(), limit).facts
    }

    // Stories.

    pub(crate) fn wait(&mut self, by: u64) -> &mut World {
        self.wait_ms(by * 1000)
    }

    pub(crate) fn wait_ms(&mut self, by: u64) -> &mut World {
        self.at = self.at + Millis(by);
        self
    }

    #[allow(clippy::needless_pass_by_value, reason = "tests read better without a reference")]
    pub(crate) fn say(&mut self, command: Command) -> Result<Reply, Refusal> {
        let verdict = self.decide(&command);
        self.take_in(verdict.facts);
        verdict.answer
    }

    #[track_caller]
    pub(crate) fn done(&mut self, command: Command) {
        assert_eq!(self.say(command), Ok(Reply::Done));
    }

    #[track_caller]
    pub(crate) fn queue(&mut self, command: Command) -> u64 {
        match self.say(command) {
            Ok(Reply::Queue { queue }) => queue.0,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn sent(&mut self, command: Command) -> (MessageId, u64) {
        match self.say(command) {
            Ok(Reply::Sent { id, seq, .. }) => (id, seq.0),
            other => panic!("{other:?}"),
        }
    }

    /// Sends one message for each name, all into the named group of a FIFO queue.
    pub(crate) fn send_group(&mut self, queue: &str, group: &str, names: &[&str]) {
        for dedup in names {
            self.sent(send_in(queue, group, dedup));
        }
    }

    #[track_caller]
    pub(crate) fn got(&mut self, command: Command) -> Vec<Delivery> {
        match self.say(command) {
            Ok(Reply::Received(deliveries)) => deliveries,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn seqs(&mut self, command: Command) -> Vec<u64> {
        self.got(command).iter().map(|delivery| delivery.seq.0).collect()
    }

    #[track_caller]
    pub(crate) fn one(&mut self, command: Command) -> Delivery {
        match self.got(command).as_slice() {
            [delivery] => delivery.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn refusal(&mut self, command: Command) -> QueueRefusal {
        match self.say(command) {
            Err(Refusal::Queue(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn names(&mut self, command: Command) -> (Vec<String>, bool) {
        match self.say(command) {
            Ok(Reply::Names { names, more }) => {
                (names.iter().map(|name| name.to_string()).collect(), more)
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn description(&self, queue: &str) -> Description {
        match self.decide(&describe(queue)).answer {
            Ok(Reply::Description(description)) => *description,
            other => panic!("{other:?}"),
        }
    }

    /// Visible, in flight, delayed.
    #[track_caller]
    pub(crate) fn counts(&self, queue: &str) -> [usize; 3] {
        let Description { visible, in_flight, delayed, .. } = self.description(queue);
        [visible, in_flight, delayed]
    }

    #[track_caller]
    pub(crate) fn moves(&self, source: &str) -> Vec<MoveTask> {
        match self.decide(&list_moves(source)).answer {
            Ok(Reply::Moves(tasks)) => tasks,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn peeked(&self, command: &Command) -> (Vec<Peeked>, Option<u64>) {
        let verdict = self.decide(command);
        assert!(verdict.facts.is_empty(), "a look changes nothing");
        match verdict.answer {
            Ok(Reply::Peeked { messages, next }) => (messages, next.map(|next| next.0)),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn id(&self, queue: &str) -> QueueId {
        match self.decide(&find(queue)).answer {
            Ok(Reply::Queue { queue }) => queue,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn leases_indexed(&self, queue: &str) -> usize {
        self.partition.polled(&name(queue)).map_or(0, |(_, queue, _)| queue.leases_indexed())
    }

    /// In milliseconds since the beginning.
    pub(crate) fn next_visible(&self, queue: &str) -> Option<u64> {
        self.partition.next_visible(self.id(queue), self.at).map(|at| at.0)
    }

    /// Lets time alone do everything that is due, a slice of `limit` at a time; gives the facts.
    #[track_caller]
    pub(crate) fn tick(&mut self, limit: usize) -> Vec<Fact> {
        let mut ticked = Vec::new();
        while self.partition.next_due().is_some_and(|due| due <= self.at) {
            let facts = self.partition.tick(self.at, self.here(), limit);
            assert!(!facts.is_empty(), "something is due, and tick does nothing");
            ticked.extend(facts.facts.clone());
            self.take_in(facts);
        }
        ticked
    }

    /// Another owner takes over; the log is whole.
    pub(crate) fn restart(&mut self) {
        self.partition = self.replayed();
        self.open();
    }

    /// Another owner takes over; what no answer waited for, soft leases at the log's end, is lost.
    pub(crate) fn crash(&mut self) {
        let is_soft = |batch: &Batch| batch.facts.facts.iter().all(Fact::is_soft);
        while self.log.last().is_some_and(is_soft) {
            self.log.pop();
        }
        self.restart();
    }

    /// The partition as the log alone says it.
    pub(crate) fn replayed(&self) -> Partition {
        let mut partition = Partition::new(PartitionId(0), self.limits.clone());
        for (position, batch) in (0..).map(Position).zip(&self.log) {
            for (here, fact) in batch.places(position) {
                partition.evolve(batch.at, here, fact);
            }
        }
        partition
    }
}

/// What was decided.
pub(crate) struct Then(pub(crate) Verdict);

impl Then {
    #[track_caller]
    pub(crate) fn then(self, facts: impl IntoIterator<Item = Fact>) -> Then {
        assert!(self.0.answer.is_ok(), "{:?}", self.0.answer);
        assert_eq!(self.0.facts.facts, facts.into_iter().collect::<Vec<_>>());
        self
    }

    #[track_caller]
    pub(crate) fn says(self, reply: Reply) -> Then {
        assert_eq!(self.0.answer, Ok(reply));
        self
    }

    /// The numbers handed out, in order.
    #[track_caller]
    pub(crate) fn hands_out(self, seqs: &[u64]) -> Then {
        match &self.0.answer {
            Ok(Reply::Received(deliveries)) => {
                let got: Vec<u64> = deliveries.iter().map(|delivery| delivery.seq.0).collect();
                assert_eq!(got, seqs);
            }
            other => panic!("{other:?}"),
        }
        self
    }

    #[track_caller]
    pub(crate) fn refused(self, refusal: QueueRefusal) -> Then {
        assert_eq!(self.0.answer, Err(Refusal::Queue(refusal)));
        assert_eq!(self.0.facts, Facts::none(), "a refusal changes nothing");
        self
    }

    /// The answer may leave when the batch at `position` is durable.
    #[track_caller]
    pub(crate) fn rests_on(self, position: u64) -> Then {
        assert_eq!(self.0.rests_on, Position(position).next());
        self
    }
}

impl Partition {
    /// Asserts that everything derived is what the facts make it.
    pub(crate) fn check(&self, at: Stamp) {
        let (mut due, mut rules) = (Vec::new(), BTreeSet::new());
        for (id, resource) in &self.resources {
            let next = match &resource.kind {
                super::Kind::Polled(queue) => {
                    queue.check(at);
                    let target = queue.rule_target();
                    rules.extend(target.map(|target| (target.clone(), queue.name().clone(), *id)));
                    queue.next_due()
                }
                super::Kind::Broker(queue) => queue.next_due(),
                super::Kind::Events(store) => {
                    store.check();
                    None
                }
                super::Kind::Subscription(_) => None,
            };
            assert_eq!(resource.due, next, "when {id:?} is due");
            due.extend(next.map(|next| (next, *id)));
        }
        let weight: u64 = self.resources.values().map(|resource| resource.kind.bytes()).sum();
        assert_eq!(self.weight, weight);
        assert_eq!(rules, *self.sources.rules());
        due.sort();
        assert_eq!(due, self.due.iter().copied().collect::<Vec<_>>());
    }
}
