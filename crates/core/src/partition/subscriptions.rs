//! What subscriptions decide. They ask their queues, which is why they are decided here.

use std::collections::BTreeSet;

use super::{Kind, Partition, Resource};
use crate::command::{NewMessage, Reply};
use crate::decision::{Decision, Moment};
use crate::fact::{Fact, Facts, QueueCreated, QueueDeleted, Sent};
use crate::id::{EventNumber, Name, Place, Position, QueueId, Seq};
use crate::parts::DeadLetterRule;
use crate::queue::{Queue, QueueKind, QueueSettings};
use crate::refusal::Refusal;
use crate::stamp::{Millis, Stamp};
use crate::subscription::{
    Advanced, Feeds, Subscribed, Subscription, SubscriptionCommand, SubscriptionRefusal,
    SubscriptionSettings, Workers,
};

/// What waits for workers is never outlived: a hundred years.
const FOR_EVER: Millis = Millis::seconds(100 * 366 * 24 * 3600);

/// A step that somebody wants a cursor to take.
#[derive(Clone, Copy)]
struct Step<'a> {
    after: EventNumber,
    upto: EventNumber,
    messages: &'a [NewMessage],
}

impl Partition {
    pub(super) fn decide_subscription(
        &self,
        now: &Moment<'_>,
        command: &SubscriptionCommand,
    ) -> (Decision, Position) {
        let found = self.subscription(command.name());
        match (command, found) {
            (SubscriptionCommand::Create { name, settings }, found) => {
                self.subscribe(now, name, settings, found)
            }
            (_, None) => {
                let refusal = SubscriptionRefusal::Missing { name: command.name().clone() };
                (Decision::refuse(refusal), self.directory.touched)
            }
            (SubscriptionCommand::Delete { .. }, Some((id, found, touched))) => {
                (self.unsubscribe(id, found), touched)
            }
            (SubscriptionCommand::Describe { .. }, Some((id, found, touched))) => {
                let description = Box::new(found.describe(id));
                (Decision::reply(Reply::Subscription(description)), touched)
            }
            (SubscriptionCommand::Advance { after, upto, messages, .. }, Some(found)) => {
                self.advance(now, found, Step { after: *after, upto: *upto, messages })
            }
        }
    }

    fn subscription(&self, name: &Name) -> Option<(QueueId, &Subscription, Position)> {
        let id = self.directory.find(name)?;
        match self.resources.get(&id)? {
            Resource { kind: Kind::Subscription(found), touched, .. } => {
                Some((id, found, *touched))
            }
            _ => None,
        }
    }

    fn subscribe(
        &self,
        now: &Moment<'_>,
        name: &Name,
        settings: &SubscriptionSettings,
        found: Option<(QueueId, &Subscription, Position)>,
    ) -> (Decision, Position) {
        if let Some((queue, found, touched)) = found
            && found.settings() == settings
        {
            return (Decision::reply(Reply::Queue { queue }), touched);
        }
        let names = self.directory.touched;
        match self.check_subscription(now, name, settings) {
            Err(refusal @ SubscriptionRefusal::BeyondEnd { .. }) => {
                (Decision::refuse(refusal), names.max(self.numbered))
            }
            Err(refusal) => (Decision::refuse(refusal), names),
            Ok(()) => (self.subscribed(name, settings), names),
        }
    }

    fn check_subscription(
        &self,
        now: &Moment<'_>,
        name: &Name,
        settings: &SubscriptionSettings,
    ) -> Result<(), SubscriptionRefusal> {
        if let Some(name) = self.taken_of(name, &settings.feeds) {
            return Err(SubscriptionRefusal::ExistsOtherwise { name: name.clone() });
        }
        let (items, terms) = (now.limits.query_items_max, now.limits.query_terms_max);
        let query = &settings.query;
        if query.items.len() > items || query.terms() > terms {
            return Err(SubscriptionRefusal::QueryTooLong { terms, items });
        }
        match &settings.feeds {
            Feeds::Nothing => {}
            Feeds::Queue(queue) => {
                let missing = || SubscriptionRefusal::QueueMissing { name: queue.clone() };
                self.polled(queue).ok_or_else(missing)?;
            }
            Feeds::Workers(workers) => check_workers(now, workers)?,
        }
        // The last question, so that no other answer rests on the events.
        if settings.after > self.header.numbered {
            return Err(SubscriptionRefusal::BeyondEnd { last: self.header.numbered });
        }
        Ok(())
    }

    /// The first of its names that is not free, or that it wants twice.
    fn taken_of<'a>(&self, name: &'a Name, feeds: &'a Feeds) -> Option<&'a Name> {
        let own = match feeds {
            Feeds::Workers(workers) => [Some(&workers.queue), Some(&workers.parked)],
            Feeds::Nothing | Feeds::Queue(_) => [None, None],
        };
        let mut names = BTreeSet::new();
        let mut taken =
            |name: &&'a Name| self.directory.find(name).is_some() || !names.insert(*name);
        [Some(name)].into_iter().chain(own).flatten().find(&mut taken)
    }

    /// The facts that make a subscription, with the queues that are its own.
    fn subscribed(&self, name: &Name, settings: &SubscriptionSettings) -> Decision {
        let mut next = self.directory.next_queue();
        let mut facts = Facts::none();
        if let Feeds::Workers(workers) = &settings.feeds {
            for (name, settings) in queues_of(workers) {
                let (queue, kind, tags) = (next, QueueKind::Fifo, None);
                let created = QueueCreated { queue, name: name.clone(), kind, settings, tags };
                facts.push(Fact::QueueCreated(created));
                next = QueueId(next.0.saturating_add(1));
            }
        }
        let (name, settings) = (name.clone(), settings.clone());
        facts.push(Fact::Subscribed(Subscribed { subscription: next, name, settings }));
        Decision { facts, answer: Ok(Reply::Queue { queue: next }) }
    }

    fn unsubscribe(&self, id: QueueId, found: &Subscription) -> Decision {
        let mut facts = Facts::none();
        if let Feeds::Workers(workers) = &found.settings().feeds {
            let own = [&workers.queue, &workers.parked].into_iter();
            for (queue, _, _) in own.filter_map(|name| self.polled(name)) {
                facts.push(Fact::QueueDeleted(QueueDeleted { queue }));
            }
        }
        facts.push(Fact::QueueDeleted(QueueDeleted { queue: id }));
        Decision { facts, answer: Ok(Reply::Done) }
    }

    fn advance(
        &self,
        now: &Moment<'_>,
        (id, found, touched): (QueueId, &Subscription, Position),
        step: Step<'_>,
    ) -> (Decision, Position) {
        if found.upto() != step.after {
            let refusal = SubscriptionRefusal::Moved { upto: found.upto() };
            return (Decision::refuse(refusal), touched);
        }
        // From here on an answer says also that there are events so far, or are not.
        let (last, touched) = (self.header.numbered, touched.max(self.numbered));
        if step.upto > last {
            return (Decision::refuse(SubscriptionRefusal::BeyondEnd { last }), touched);
        }
        let Some(name) = found.settings().feeds.queue() else {
            return (advance_alone(id, step), touched);
        };
        let Some((to, queue, queue_touched)) = self.polled(name) else {
            let refusal = SubscriptionRefusal::QueueMissing { name: name.clone() };
            return (Decision::refuse(refusal), touched.max(self.directory.touched));
        };
        (feed(now, id, (to, queue), step), touched.max(queue_touched))
    }

    /// Where somebody waits who wants to put something into a subscription's queue.
    pub(super) fn room_for(&self, name: &Name) -> Option<QueueId> {
        let (_, found, _) = self.subscription(name)?;
        let (queue, _, _) = self.polled(found.settings().feeds.queue()?)?;
        Some(queue.room())
    }

    pub(super) fn evolve_subscription(&mut self, at: Stamp, here: Place, fact: &Advanced) {
        let resource = self.resource(here, fact.subscription);
        if let Some(Resource { kind: Kind::Subscription(found), .. }) = resource {
            found.advanced(at, fact);
        }
    }
}

fn check_workers(now: &Moment<'_>, workers: &Workers) -> Result<(), SubscriptionRefusal> {
    let (least, most) = (1000, now.limits.lease_total_max.0);
    if !(least..=most).contains(&workers.lease.0) {
        let what = "lease, in milliseconds";
        return Err(SubscriptionRefusal::OutOfRange { what, least, most });
    }
    if !(1..=1000).contains(&workers.attempts) {
        let what = "attempts";
        return Err(SubscriptionRefusal::OutOfRange { what, least: 1, most: 1000 });
    }
    Ok(())
}

/// The one that is named by the other's rule comes first.
fn queues_of(workers: &Workers) -> [(&Name, QueueSettings); 2] {
    let parked = QueueSettings { retention: FOR_EVER, ..QueueSettings::default() };
    let rule = DeadLetterRule { target: workers.parked.clone(), receives_max: workers.attempts };
    let shared =
        QueueSettings { visibility: workers.lease, dead_letter: Some(rule), ..parked.clone() };
    [(&workers.parked, parked), (&workers.queue, shared)]
}

fn advance_alone(subscription: QueueId, step: Step<'_>) -> Decision {
    if !step.messages.is_empty() {
        return Decision::refuse(SubscriptionRefusal::NotSo);
    }
    let advanced = Advanced { subscription, upto: step.upto, messages: 0 };
    Decision::fact(Fact::Advanced(advanced), Reply::Advanced { upto: Some(step.upto) })
}

/// A step whose events become messages of a queue.
fn feed(
    now: &Moment<'_>,
    subscription: QueueId,
    (to, queue): (QueueId, &Queue),
    step: Step<'_>,
) -> Decision {
    if let Err(refusal) = check_step(now, queue, step) {
        return Decision::refuse(refusal);
    }
    // A step that brings nothing needs no room: events that do not match never wait for it.
    if !step.messages.is_empty() && queue.held() >= now.limits.subscription_window_max {
        return Decision::reply(Reply::Advanced { upto: None });
    }
    let (mut facts, mut seq) = (Facts::none(), queue.next_seq());
    for message in step.messages {
        let sent = sent(now, (to, queue), message, (facts.len(), seq));
        facts.push_with_body(Fact::Sent(sent), message.body.clone());
        seq = seq.next();
    }
    let messages = u32::try_from(step.messages.len()).unwrap_or(u32::MAX);
    facts.push(Fact::Advanced(Advanced { subscription, upto: step.upto, messages }));
    Decision { facts, answer: Ok(Reply::Advanced { upto: Some(step.upto) }) }
}

fn check_step(now: &Moment<'_>, queue: &Queue, step: Step<'_>) -> Result<(), SubscriptionRefusal> {
    let limit = now.limits.subscription_step_max;
    if step.messages.len() > limit {
        return Err(SubscriptionRefusal::TooManyMessages { limit });
    }
    let has_groups = step.messages.iter().all(|message| message.group.is_some());
    // With more messages than events one would come twice; without a step, with each repetition.
    let events = step.upto.0.checked_sub(step.after.0);
    let is_fed = events.is_some_and(|events| step.messages.len() as u64 <= events);
    if !is_fed || queue.kind() == QueueKind::Fifo && !has_groups {
        return Err(SubscriptionRefusal::NotSo);
    }
    let limit = queue.settings().message_bytes_max;
    match step.messages.iter().position(|message| message.size > limit) {
        Some(index) => Err(SubscriptionRefusal::MessageTooLong { index, limit }),
        None => Ok(()),
    }
}

/// The cursor sees to it that no event comes twice, so nothing is remembered to recognise it by.
fn sent(
    now: &Moment<'_>,
    (to, queue): (QueueId, &Queue),
    message: &NewMessage,
    (index, seq): (usize, Seq),
) -> Sent {
    Sent {
        queue: to,
        seq,
        id: now.id_of(index),
        len: u32::try_from(message.body.len()).unwrap_or(u32::MAX),
        visible_at: now.at + queue.settings().delay,
        group: message.group.clone(),
        dedup: None,
        dedup_scope: None,
    }
}

impl From<SubscriptionRefusal> for Refusal {
    fn from(refusal: SubscriptionRefusal) -> Refusal {
        Refusal::Subscription(refusal)
    }
}
