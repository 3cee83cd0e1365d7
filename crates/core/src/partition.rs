//! The partition: every resource in it, one `decide`, one `evolve`, one `tick`.

mod rules;
mod snapshot;
mod subscriptions;

use std::collections::{BTreeMap, BTreeSet};

use crate::broker::{
    BrokerCommand, BrokerCreated, BrokerFact, BrokerQueue, BrokerRefusal, BrokerSettings,
};
use crate::command::{Command, Reply, Verdict};
use crate::decision::{Decision, Moment};
use crate::directory::Directory;
use crate::events::{EventRefusal, EventStore, EventStoreCreated};
use crate::fact::{Fact, Facts, Opened, QueueCreated, QueueDeleted};
use crate::id::{Epoch, EventNumber, Label, Name, PartitionId, Place, Position, QueueId, Text};
use crate::limits::Limits;
use crate::parts::Texts;
use crate::queue::{Destinations, Queue, QueueKind, QueueSettings, SettingsPatch};
use crate::refusal::{QueueRefusal, Refusal, Setting};
use crate::sources::Sources;
use crate::stamp::{Millis, Stamp};
use crate::subscription::{Subscription, SubscriptionCommand};
use rules::Wish;

/// The state of one partition: a fold of its facts.
#[derive(Clone, Debug)]
pub struct Partition {
    id: PartitionId,
    limits: Limits,
    header: Header,
    /// Durable up to here, all events that were given a number are durable.
    numbered: Position,
    /// The place after the last fact that the header reflects.
    changed: Place,
    directory: Directory,
    sources: Sources,
    resources: BTreeMap<QueueId, Resource>,
    due: BTreeSet<(Stamp, QueueId)>,
    garbage: Vec<Kind>,
    /// Bytes of all resources.
    weight: u64,
}

/// What the partition as a whole remembers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Header {
    /// The owner's epoch.
    pub epoch: Epoch,
    /// How far steerable time stands ahead.
    pub offset: Millis,
    /// The stamp of the last batch.
    pub last: Stamp,
    /// The last number that an event was given; 0 before the first.
    pub numbered: EventNumber,
}

#[derive(Clone, Debug, PartialEq)]
struct Resource {
    kind: Kind,
    /// Durable up to here, this resource's hard facts are durable.
    touched: Position,
    /// The place after the last fact that changed it.
    changed: Place,
    due: Option<Stamp>,
}

impl Resource {
    /// Keeps when it is due, here and among all.
    fn note_due(&mut self, id: QueueId, all: &mut BTreeSet<(Stamp, QueueId)>) {
        let due = self.kind.next_due();
        if due == self.due {
            return;
        }
        if let Some(before) = std::mem::replace(&mut self.due, due) {
            all.remove(&(before, id));
        }
        if let Some(due) = due {
            all.insert((due, id));
        }
    }
}

/// Boxed, since a tree of resources has room for more than there are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Polled(Box<Queue>),
    Broker(Box<BrokerQueue>),
    Events(Box<EventStore>),
    Subscription(Box<Subscription>),
}

impl Kind {
    fn name(&self) -> &Name {
        match self {
            Kind::Polled(queue) => queue.name(),
            Kind::Broker(queue) => queue.name(),
            Kind::Events(store) => store.name(),
            Kind::Subscription(subscription) => subscription.name(),
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Kind::Polled(queue) => queue.bytes(),
            Kind::Broker(queue) => queue.bytes(),
            Kind::Events(store) => store.bytes(),
            Kind::Subscription(subscription) => subscription.bytes(),
        }
    }

    fn next_due(&self) -> Option<Stamp> {
        match self {
            Kind::Polled(queue) => queue.next_due(),
            Kind::Broker(queue) => queue.next_due(),
            Kind::Events(_) | Kind::Subscription(_) => None,
        }
    }
}

/// Memory that no answer depends on any more; dropping it may take long, so that is done elsewhere.
#[derive(Debug)]
pub struct Garbage(#[allow(dead_code, reason = "it is here to be dropped")] Vec<Kind>);

/// Two partitions are equal when they hold the same; limits and garbage are no part of that.
impl PartialEq for Partition {
    fn eq(&self, other: &Partition) -> bool {
        self.id == other.id
            && self.header == other.header
            && self.changed == other.changed
            && self.directory == other.directory
            && self.sources == other.sources
            && self.resources == other.resources
            && self.due == other.due
            && self.weight == other.weight
    }
}

impl Partition {
    /// An empty partition.
    pub fn new(id: PartitionId, limits: Limits) -> Partition {
        Partition {
            id,
            limits,
            header: Header::default(),
            numbered: Position::default(),
            changed: Place::default(),
            directory: Directory::default(),
            sources: Sources::default(),
            resources: BTreeMap::new(),
            due: BTreeSet::new(),
            garbage: Vec::new(),
            weight: 0,
        }
    }

    /// Bytes that the state takes in memory, about: an estimate that costs nothing to ask for, the
    /// same for the same state however it came to be. Bodies and what nobody can reach any more
    /// ([`Partition::take_garbage`]) are no part of it.
    pub fn state_bytes(&self) -> u64 {
        self.weight.saturating_add(self.directory.bytes())
    }

    /// What it remembers as a whole.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The first fact of the next owner.
    pub fn opening(&self) -> Fact {
        let Header { epoch, offset, .. } = self.header;
        Fact::Opened(Opened { epoch: epoch.next(), offset })
    }

    /// Decides one command. Pure; the answer may leave when the log is durable up to `rests_on`.
    pub fn decide(&self, at: Stamp, here: Place, command: &Command) -> Verdict {
        let now = self.moment(at, here);
        let (decision, looked_at) = match command {
            Command::Canary => (Decision::fact(Fact::Canary, Reply::Done), Position::default()),
            Command::ListQueues { prefix, after, limit } => {
                (self.list(prefix, after.as_ref(), *limit), self.directory.touched)
            }
            Command::CreateQueue { name, kind, given, tags } => {
                self.create(&now, (name, *kind), given, tags)
            }
            Command::Broker(BrokerCommand::Create { name, settings }) => {
                self.create_broker(name, settings)
            }
            Command::Broker(command) => self.decide_broker(&now, command),
            Command::CreateEventStore { name } => self.create_events(name),
            Command::Append(append) => {
                self.with_events(&append.store, |id, store| store.append(&now, id, append))
            }
            Command::Indexed { store: name, upto } => {
                self.with_events(name, |id, store| store.indexed(&now, id, *upto))
            }
            Command::RecentEvents { store: name, after, max, .. } => {
                self.with_events(name, |id, store| store.recent(&now, id, *after, *max))
            }
            Command::DescribeEvents { name } => self.with_events(name, EventStore::describe),
            Command::Subscription(command) => self.decide_subscription(&now, command),
            Command::ChangeQueue { name, .. }
            | Command::DeleteQueue { name }
            | Command::PurgeQueue { name }
            | Command::DescribeQueue { name }
            | Command::FindQueue { name }
            | Command::Send { queue: name, .. }
            | Command::Receive { queue: name, .. }
            | Command::Delete { queue: name, .. }
            | Command::ChangeLease { queue: name, .. }
            | Command::TagQueue { name, .. }
            | Command::UntagQueue { name, .. }
            | Command::ListTags { name }
            | Command::ListSources { name, .. }
            | Command::StartMove { source: name, .. }
            | Command::ListMoves { source: name, .. }
            | Command::CancelMove { source: name, .. }
            | Command::Park { queue: name, .. }
            | Command::GiveBack { queue: name, .. }
            | Command::Peek { queue: name, .. } => self.decide_polled(&now, name, command),
        };
        let hard = decision.facts.facts.iter().any(|fact| !fact.is_soft());
        let rests_on = if hard { here.position.next() } else { looked_at };
        Verdict { facts: decision.facts, answer: decision.answer, rests_on }
    }

    fn moment(&self, at: Stamp, here: Place) -> Moment<'_> {
        let epoch = self.header.epoch;
        let next_number = self.header.numbered.next();
        Moment { at, here, partition: self.id, epoch, next_number, limits: &self.limits }
    }

    fn list(&self, prefix: &Name, after: Option<&Name>, limit: usize) -> Decision {
        let (names, more) =
            self.directory.page(prefix, after, limit.min(self.limits.list_names_max));
        Decision::reply(Reply::Names { names, more })
    }

    fn polled(&self, name: &Name) -> Option<(QueueId, &Queue, Position)> {
        let id = self.directory.find(name)?;
        match self.resources.get(&id)? {
            Resource { kind: Kind::Polled(queue), touched, .. } => Some((id, queue, *touched)),
            _ => None,
        }
    }

    fn missing(&self, name: &Name) -> (Decision, Position) {
        let refusal = QueueRefusal::Missing { name: name.clone() };
        (Decision::refuse(refusal), self.directory.touched)
    }

    fn decide_polled(
        &self,
        now: &Moment<'_>,
        name: &Name,
        command: &Command,
    ) -> (Decision, Position) {
        let Some((id, queue, touched)) = self.polled(name) else { return self.missing(name) };
        let (decision, looked_at) = match command {
            Command::DeleteQueue { .. } => {
                let deleted = Fact::QueueDeleted(QueueDeleted { queue: id });
                (Decision::fact(deleted, Reply::Done), touched)
            }
            Command::ChangeQueue { patch, only_if, .. } => {
                self.change_queue((id, queue), patch, only_if)
            }
            Command::ListSources { after, limit, .. } => {
                self.list_sources(name, after.as_ref(), *limit)
            }
            Command::StartMove { destination, rate, .. } => {
                let wish = Wish { destination: destination.as_ref(), rate: *rate };
                self.start_move(now, (id, queue), wish)
            }
            Command::Receive { .. } => {
                let target = self.target_of(id, queue);
                // A rule without its other side: that it is not there is read from the names.
                let has_read_names = queue.settings().dead_letter.is_some() && target.is_none();
                let names = if has_read_names { self.directory.touched } else { touched };
                (queue.decide(now, id, command, target), names)
            }
            Command::Park { receipt, reason, .. } => {
                let target = self.target_of(id, queue);
                let names = if target.is_none() { self.directory.touched } else { touched };
                (queue.park(now, id, (receipt, reason.as_ref()), target), names)
            }
            Command::GiveBack { seqs, .. } => {
                let find = |name: &Name| self.destination(name);
                let mut destinations = Destinations::new(&find);
                let names = self.directory.touched;
                (queue.give_back(now, id, seqs, &mut destinations), names)
            }
            _ => (queue.decide(now, id, command, None), touched),
        };
        (decision, looked_at.max(touched))
    }

    fn create(
        &self,
        now: &Moment<'_>,
        (name, kind): (&Name, QueueKind),
        given: &SettingsPatch,
        tags: &[(Label, Text)],
    ) -> (Decision, Position) {
        let Some((queue, found, touched)) = self.polled(name) else {
            return self.create_new(now, (name, kind), given, tags);
        };
        let differs = given.differs_from(found.settings());
        let decision = match differs.or((found.kind() != kind).then_some(Setting::Kind)) {
            None => Decision::reply(Reply::Queue { queue }),
            Some(setting) => {
                Decision::refuse(QueueRefusal::ExistsOtherwise { name: name.clone(), setting })
            }
        };
        (decision, touched)
    }

    fn create_new(
        &self,
        now: &Moment<'_>,
        (name, kind): (&Name, QueueKind),
        given: &SettingsPatch,
        tags: &[(Label, Text)],
    ) -> (Decision, Position) {
        let defaults = QueueSettings::default();
        let (checked, looked_at) = match self.check_name(now, name) {
            Err(refusal) => (Err(refusal), Position::default()),
            Ok(()) => self.check_settings((name, kind), &defaults, given),
        };
        let (tags, limit) = (tags.iter().cloned().collect::<Texts>(), self.limits.tags_max);
        let decision = match checked {
            Err(refusal) => Decision::refuse(refusal),
            Ok(()) if tags.len() > limit => Decision::refuse(QueueRefusal::TooManyTags { limit }),
            Ok(()) => {
                let (queue, settings) = (self.directory.next_queue(), given.onto(defaults));
                let (name, tags) = (name.clone(), tags.to_list());
                let created = QueueCreated { queue, name, kind, settings, tags };
                Decision::fact(Fact::QueueCreated(created), Reply::Queue { queue })
            }
        };
        (decision, looked_at.max(self.directory.touched))
    }

    /// Whether a new queue may have this name now.
    fn check_name(&self, now: &Moment<'_>, name: &Name) -> Result<(), QueueRefusal> {
        if self.directory.find(name).is_some() {
            // Not a polled queue, or it would have been found: something else has the name.
            let (name, setting) = (name.clone(), Setting::Kind);
            return Err(QueueRefusal::ExistsOtherwise { name, setting });
        }
        let pause = self.limits.recreate_pause;
        if self.directory.given_up_at(name, now.at).is_some_and(|then| then + pause > now.at) {
            return Err(QueueRefusal::DeletedRecently { pause });
        }
        Ok(())
    }

    fn create_broker(&self, name: &Name, settings: &BrokerSettings) -> (Decision, Position) {
        let decision = match self.directory.find(name) {
            Some(_) => Decision::refuse(BrokerRefusal::Exists { name: name.clone() }),
            None => {
                let queue = self.directory.next_queue();
                let (name, settings) = (name.clone(), settings.clone());
                let created = BrokerFact::Created(BrokerCreated { queue, name, settings });
                Decision::fact(Fact::Broker(created), Reply::Queue { queue })
            }
        };
        (decision, self.directory.touched)
    }

    fn decide_broker(&self, now: &Moment<'_>, command: &BrokerCommand) -> (Decision, Position) {
        let name = command.queue();
        let found = self.directory.find(name).and_then(|id| Some((id, self.resources.get(&id)?)));
        match found {
            Some((id, Resource { kind: Kind::Broker(queue), touched, .. })) => {
                (queue.decide(now, id, command), *touched)
            }
            _ => {
                let refusal = BrokerRefusal::Missing { name: name.clone() };
                (Decision::refuse(Refusal::Broker(refusal)), self.directory.touched)
            }
        }
    }

    fn create_events(&self, name: &Name) -> (Decision, Position) {
        let found = self.directory.find(name).and_then(|id| Some((id, self.resources.get(&id)?)));
        match found {
            Some((queue, Resource { kind: Kind::Events(_), touched, .. })) => {
                (Decision::reply(Reply::Queue { queue }), *touched)
            }
            Some(_) => {
                let refusal = EventRefusal::Exists { name: name.clone() };
                (Decision::refuse(refusal), self.directory.touched)
            }
            None => {
                let store = self.directory.next_queue();
                let created = EventStoreCreated { store, name: name.clone() };
                let reply = Reply::Queue { queue: store };
                (Decision::fact(Fact::EventStoreCreated(created), reply), self.directory.touched)
            }
        }
    }

    fn with_events(
        &self,
        name: &Name,
        decide: impl FnOnce(QueueId, &EventStore) -> Decision,
    ) -> (Decision, Position) {
        let found = self.directory.find(name).and_then(|id| Some((id, self.resources.get(&id)?)));
        match found {
            Some((id, Resource { kind: Kind::Events(store), touched, .. })) => {
                (decide(id, store), *touched)
            }
            _ => {
                let refusal = EventRefusal::Missing { name: name.clone() };
                (Decision::refuse(refusal), self.directory.touched)
            }
        }
    }

    /// What time alone has made due by `at`, for at most `limit` messages of all queues together.
    pub fn tick(&self, at: Stamp, here: Place, limit: usize) -> Facts {
        let (mut facts, mut left) = (Facts::none(), limit);
        let find = |name: &Name| self.destination(name);
        let mut destinations = Destinations::new(&find);
        for (due, id) in &self.due {
            if *due > at || left == 0 {
                break;
            }
            let now = self.moment(at, here.plus(facts.len()));
            let (more, count) = self.tick_one(&now, *id, left, &mut destinations);
            facts.extend(more);
            left = left.saturating_sub(count.max(1));
        }
        facts
    }

    /// What is due in one queue, and for how many messages.
    fn tick_one(
        &self,
        now: &Moment<'_>,
        id: QueueId,
        limit: usize,
        destinations: &mut Destinations<'_>,
    ) -> (Facts, usize) {
        match self.resources.get(&id).map(|resource| &resource.kind) {
            Some(Kind::Polled(queue)) => self.tick_polled(now, (id, queue), limit, destinations),
            Some(Kind::Broker(queue)) => {
                let facts = queue.tick(now, id, limit);
                let count = facts.len();
                (facts, count)
            }
            Some(Kind::Events(_) | Kind::Subscription(_)) | None => (Facts::none(), 0),
        }
    }

    /// When `tick` next has something to say.
    pub fn next_due(&self) -> Option<Stamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The first moment after `at` at which somebody who waits at the queue gets something by time
    /// alone; asked for those who have just got nothing.
    pub fn next_visible(&self, queue: QueueId, at: Stamp) -> Option<Stamp> {
        match &self.resources.get(&queue)?.kind {
            Kind::Polled(queue) => queue.next_visible(at, &self.limits),
            Kind::Broker(queue) => queue.next_visible(at),
            Kind::Events(_) | Kind::Subscription(_) => None,
        }
    }

    /// The queue that a command names, for waiting there.
    pub fn queue_of(&self, command: &Command) -> Option<QueueId> {
        match command {
            Command::Receive { queue, .. } => self.directory.find(queue),
            Command::Broker(command) => self.directory.find(command.queue()),
            Command::RecentEvents { store, .. } => self.directory.find(store),
            Command::Subscription(SubscriptionCommand::Advance { name, .. }) => self.room_for(name),
            _ => None,
        }
    }

    /// How long a caller of this command waits for something to be there.
    pub fn patience_of(&self, command: &Command) -> Millis {
        match command {
            Command::Receive { wait: Some(wait), .. } => *wait,
            Command::Receive { queue, wait: None, .. } => self
                .polled(queue)
                .map_or(Millis::ZERO, |(_, queue, _)| queue.settings().receive_wait),
            Command::Broker(command) => command.wait().unwrap_or(Millis::ZERO),
            Command::RecentEvents { wait, .. } => *wait,
            Command::Subscription(SubscriptionCommand::Advance { wait, .. }) => *wait,
            _ => Millis::ZERO,
        }
    }

    /// Takes away what purges and deletions left behind.
    pub fn take_garbage(&mut self) -> Option<Garbage> {
        (!self.garbage.is_empty()).then(|| Garbage(std::mem::take(&mut self.garbage)))
    }

    /// Applies one fact. Total: it cannot fail, and looks at nothing but the fact and its resource.
    ///
    /// After a restore from a checkpoint a resource may be ahead of the log that is replayed: then
    /// it passes over its facts until it meets one that it has not seen.
    pub fn evolve(&mut self, at: Stamp, here: Place, fact: &Fact) {
        self.evolve_header(at, here, fact);
        let before = self.weight_of(fact.queues());
        match fact {
            Fact::Opened(_) | Fact::ClockMoved(_) | Fact::Canary => {}
            Fact::QueueCreated(created) => {
                let kind = Kind::Polled(Box::new(Queue::created(at, created)));
                self.add(here, created.queue, &created.name, kind);
            }
            Fact::Broker(BrokerFact::Created(created)) => {
                let kind = Kind::Broker(Box::new(BrokerQueue::created(at, created)));
                self.add(here, created.queue, &created.name, kind);
            }
            Fact::EventStoreCreated(created) => {
                let kind = Kind::Events(Box::new(EventStore::created(at, created)));
                self.add(here, created.store, &created.name, kind);
            }
            Fact::Subscribed(made) => {
                let kind = Kind::Subscription(Box::new(Subscription::created(at, made)));
                self.add(here, made.subscription, &made.name, kind);
            }
            Fact::Advanced(advanced) => self.evolve_subscription(at, here, advanced),
            Fact::Appended(_) | Fact::Indexed(_) => self.evolve_events(at, here, fact),
            Fact::QueueDeleted(deleted) => self.remove(at, here, deleted.queue),
            Fact::QueueChanged(changed) => self.evolve_settings(at, here, changed),
            Fact::DeadLettered(moved) => self.move_dead_letter(at, here, moved),
            Fact::Moved(moved) => self.move_message(at, here, moved),
            Fact::Broker(fact) => self.evolve_broker(at, here, fact),
            other => self.evolve_polled(at, here, other),
        }
        for queue in fact.queues().into_iter().flatten() {
            self.note(here, queue, fact.is_soft());
        }
        let after = self.weight_of(fact.queues());
        self.weight = self.weight.saturating_sub(before).saturating_add(after);
        self.changed = self.changed.max(here.plus(1));
    }

    /// Bytes of these resources, of those that there are. Asked before and after each fact rather
    /// than kept with each resource, of which there may be many that nothing happens to.
    fn weight_of(&self, queues: [Option<QueueId>; 2]) -> u64 {
        let [one, other] = queues;
        let both = one.into_iter().chain(other.filter(|_| other != one));
        let known = both.filter_map(|id| self.resources.get(&id));
        known.map(|resource| resource.kind.bytes()).sum()
    }

    /// Whether the header has not seen a fact that stands here.
    fn is_news(&self, here: Place) -> bool {
        self.changed <= here
    }

    fn evolve_header(&mut self, at: Stamp, here: Place, fact: &Fact) {
        self.header.last = self.header.last.max(at);
        match fact {
            Fact::Opened(opened) if self.is_news(here) => {
                self.header.epoch = opened.epoch;
                self.header.offset = opened.offset;
            }
            Fact::ClockMoved(moved) if self.is_news(here) => self.header.offset = moved.offset,
            // Also what is no news: numbers only grow.
            Fact::Appended(appended) => {
                self.header.numbered = self.header.numbered.max(appended.number);
                self.numbered = here.position.next();
            }
            _ => {}
        }
    }

    /// A resource for which a fact that stands here is news.
    fn resource(&mut self, here: Place, id: QueueId) -> Option<&mut Resource> {
        self.resources.get_mut(&id).filter(|resource| resource.changed <= here)
    }

    /// In a replay the name changes hands even if the queue is there already: an older one may just
    /// have had the name and left it.
    fn add(&mut self, here: Place, queue: QueueId, name: &Name, kind: Kind) {
        self.directory.taken(name.clone(), queue);
        self.directory.touched = here.position.next();
        if self.is_news(here) {
            self.directory.forget_given_up(name);
        }
        if self.resources.get(&queue).is_some_and(|resource| resource.changed > here) {
            return;
        }
        if let Some(before) = self.resources.remove(&queue) {
            // No log of ours creates a queue twice; still what is due must not outlive its queue.
            self.forget(here, queue, before);
        }
        self.note_rule(here.position, queue, &kind, true);
        let resource = Resource { kind, touched: here.position.next(), changed: here, due: None };
        self.resources.insert(queue, resource);
    }

    fn remove(&mut self, at: Stamp, here: Place, queue: QueueId) {
        if self.resource(here, queue).is_none() {
            return;
        }
        let Some(resource) = self.resources.remove(&queue) else { return };
        let name = resource.kind.name();
        self.directory.left(name);
        self.directory.touched = here.position.next();
        if self.is_news(here) {
            self.directory.give_up(name, at);
        }
        self.forget(here, queue, resource);
    }

    fn forget(&mut self, here: Place, queue: QueueId, resource: Resource) {
        self.note_rule(here.position, queue, &resource.kind, false);
        if let Some(due) = resource.due {
            self.due.remove(&(due, queue));
        }
        self.garbage.push(resource.kind);
    }

    fn with_polled(&mut self, here: Place, id: QueueId, change: impl FnOnce(&mut Queue)) {
        if let Some(Resource { kind: Kind::Polled(queue), .. }) = self.resource(here, id) {
            change(queue);
        }
    }

    fn evolve_broker(&mut self, at: Stamp, here: Place, fact: &BrokerFact) {
        let resource = self.resource(here, fact.queue());
        if let Some(Resource { kind: Kind::Broker(queue), .. }) = resource {
            queue.evolve(at, here, fact);
        }
    }

    fn evolve_events(&mut self, at: Stamp, here: Place, fact: &Fact) {
        let [Some(id), None] = fact.queues() else { return };
        let Some(Resource { kind: Kind::Events(store), .. }) = self.resource(here, id) else {
            return;
        };
        match fact {
            Fact::Appended(appended) => store.evolve_appended(at, here, appended),
            Fact::Indexed(indexed) => store.evolve_indexed(indexed.upto),
            _ => {}
        }
    }

    fn evolve_polled(&mut self, at: Stamp, here: Place, fact: &Fact) {
        let mut left_behind = None;
        let [Some(id), None] = fact.queues() else { return };
        self.with_polled(here, id, |queue| match fact {
            Fact::QueuePurged(_) => left_behind = Some(queue.purged(at)),
            Fact::Sent(sent) => queue.sent(at, here, sent),
            Fact::Leased(leased) => queue.leased(at, leased),
            Fact::LeaseChanged(changed) => queue.lease_changed(at, changed),
            Fact::Deleted(deleted) => queue.removed(at, deleted.seq),
            Fact::Expired(expired) => queue.expired(at, expired),
            Fact::QueueTagged(tagged) => queue.tagged(tagged),
            Fact::MoveStarted(started) => queue.move_started(at, started),
            Fact::MovePassed(passed) => queue.move_passed(at, passed),
            Fact::MoveCancelled(cancelled) => queue.move_cancelled(at, cancelled),
            Fact::MoveEnded(ended) => queue.move_ended(ended),
            _ => {}
        });
        self.garbage.extend(left_behind.map(|queue| Kind::Polled(Box::new(queue))));
    }

    /// Keeps what is derived from a resource: what its answers rest on, what it has seen, and when
    /// it is due.
    fn note(&mut self, here: Place, id: QueueId, soft: bool) {
        let Partition { resources, due, .. } = self;
        let Some(resource) = resources.get_mut(&id).filter(|r| r.changed <= here) else { return };
        if !soft {
            resource.touched = here.position.next();
        }
        resource.changed = here.plus(1);
        resource.note_due(id, due);
    }
}

#[cfg(test)]
pub(crate) mod tests;
