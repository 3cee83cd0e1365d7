//! Subscriptions, through the partition that holds them. The words of the tests are in
//! [`crate::partition::tests`]; the event store is named `e`, and a subscription with workers `w`,
//! its queues `w/q` and `w/p`.

mod advance;
mod making;
mod model;
mod rests_on;
mod snapshots;
mod working;

use std::sync::Arc;

use bytes::Bytes;

pub(crate) use crate::partition::tests::*;

// Settings and commands.

fn settings(feeds: Feeds) -> SubscriptionSettings {
    let (store, query, after, note) = (name("e"), Query::all(), EventNumber(0), None);
    SubscriptionSettings { store, query, after, feeds, note }
}

fn feeding(queue: &str) -> SubscriptionSettings {
    settings(Feeds::Queue(name(queue)))
}

fn workers(queue: &str, parked: &str) -> Workers {
    let (queue, parked) = (name(queue), name(parked));
    Workers { queue, parked, lease: seconds(30), attempts: 3 }
}

/// With the queues `w/q` and `w/p`.
fn working() -> SubscriptionSettings {
    settings(Feeds::Workers(workers("w/q", "w/p")))
}

fn subscribe(subscription: &str, settings: SubscriptionSettings) -> Command {
    Command::Subscription(SubscriptionCommand::Create { name: name(subscription), settings })
}

fn unsubscribe(subscription: &str) -> Command {
    Command::Subscription(SubscriptionCommand::Delete { name: name(subscription) })
}

fn describe_subscription(subscription: &str) -> Command {
    Command::Subscription(SubscriptionCommand::Describe { name: name(subscription) })
}

/// A message of an event; its body is the event's number.
fn of_event(number: u64, group: Option<&str>) -> NewMessage {
    let (body, group) = (Bytes::from(number.to_string()), group.map(label));
    let size = u32::try_from(body.len()).unwrap();
    NewMessage { body, size, delay: None, group, dedup: NewDedup::None }
}

fn advance(subscription: &str, after: u64, upto: u64, messages: &[NewMessage]) -> Command {
    Command::Subscription(SubscriptionCommand::Advance {
        name: name(subscription),
        after: EventNumber(after),
        upto: EventNumber(upto),
        messages: Arc::from(messages),
        wait: Millis::ZERO,
    })
}

/// From there, with a message in group `g` of each of these events.
fn feed(subscription: &str, after: u64, upto: u64, events: &[u64]) -> Command {
    let messages: Vec<NewMessage> =
        events.iter().map(|event| of_event(*event, Some("g"))).collect();
    advance(subscription, after, upto, &messages)
}

// Facts.

fn subscribed(id: u64, subscription: &str, settings: SubscriptionSettings) -> Fact {
    let (subscription, name) = (QueueId(id), name(subscription));
    Fact::Subscribed(Subscribed { subscription, name, settings })
}

fn advanced(id: u64, upto: u64, messages: u32) -> Fact {
    let (subscription, upto) = (QueueId(id), EventNumber(upto));
    Fact::Advanced(Advanced { subscription, upto, messages })
}

/// An event of store 1.
fn appended(number: u64) -> Fact {
    Fact::Appended(Appended {
        store: QueueId(1),
        number: EventNumber(number),
        stream: label("s"),
        version: Version(number),
        kind: label("k"),
        tags: Vec::new(),
        correlation: None,
        len: 4,
        index: 0,
        count: 1,
    })
}

// Answers.

fn at(upto: u64) -> Result<Reply, Refusal> {
    Ok(Reply::Advanced { upto: Some(EventNumber(upto)) })
}

fn no_room() -> Result<Reply, Refusal> {
    Ok(Reply::Advanced { upto: None })
}

fn no<T>(refusal: SubscriptionRefusal) -> Result<T, Refusal> {
    Err(Refusal::Subscription(refusal))
}

fn has_moved<T>(upto: u64) -> Result<T, Refusal> {
    no(SubscriptionRefusal::Moved { upto: EventNumber(upto) })
}

impl World {
    /// A world with an event store `e` (1) that has so many events.
    fn with_events(events: u64) -> World {
        World::of_events(events, |_| {})
    }

    fn of_events(events: u64, change: impl FnOnce(&mut Limits)) -> World {
        let mut world = World::with_limits(change);
        world.queue(Command::CreateEventStore { name: name("e") });
        world.append_upto(events);
        world
    }

    fn append_upto(&mut self, last: u64) {
        for number in self.partition.header().numbered.0 + 1..=last {
            self.take_in(Facts::one(appended(number)));
        }
    }

    /// With the subscription `w` (4) and its queues `w/p` (2) and `w/q` (3).
    fn with_workers(events: u64) -> World {
        let mut world = World::with_events(events);
        assert_eq!(world.queue(subscribe("w", working())), 4);
        world
    }

    #[track_caller]
    fn described(&self, subscription: &str) -> SubscriptionDescription {
        match self.decide(&describe_subscription(subscription)).answer {
            Ok(Reply::Subscription(description)) => *description,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn upto(&self, subscription: &str) -> u64 {
        self.described(subscription).upto.0
    }

    /// Says no, and nothing happens.
    #[track_caller]
    fn says_no(&self, command: &Command) -> SubscriptionRefusal {
        let verdict = self.decide(command);
        assert!(verdict.facts.is_empty(), "a refusal changes nothing");
        match verdict.answer {
            Err(Refusal::Subscription(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// The event that a message was made of.
    #[track_caller]
    fn event_of(&self, body: BodyRef) -> u64 {
        let batch = &self.log[usize::try_from(body.place.position.0).unwrap()];
        let (_, body) =
            batch.facts.bodies.iter().find(|(index, _)| *index == body.place.index).unwrap();
        std::str::from_utf8(body).unwrap().parse().unwrap()
    }

    /// The events whose messages are in a queue, in their order.
    #[track_caller]
    fn events_in(&self, queue: &str) -> Vec<u64> {
        let (messages, _) = self.peeked(&peek(queue, 0, 1000));
        messages.iter().map(|message| self.event_of(message.body)).collect()
    }
}
