//! Event stores, through the partition that holds them. The words of the tests are in
//! [`crate::partition::tests`]; the store is named `e`.

mod append;
mod codec;
mod conditions;
mod cost;
mod indexed;
mod known;
mod limits;
mod model;
mod query;
mod recent;
mod snapshots;

use std::sync::Arc;

pub(crate) use crate::partition::tests::*;

use super::recent::Recents;
use super::{
    Append, AppendReply, Assigned, Boundary, EventBody, EventContent, EventHead, EventRefusal,
    EventStore, EventStoreDescription, Expected, FirstAppend, Known, Moved, NewEvent, Query,
    QueryItem,
};

impl EventStore {
    /// Asserts that everything derived is what the heads make it.
    pub(crate) fn check(&self) {
        let again = Recents::of(self.recents.heads().clone());
        assert_eq!(again, self.recents);
        assert!(self.recents.iter().all(|(number, _)| number > self.indexed), "kept for nothing");
        assert!(self.recents.iter().all(|(number, _)| number <= self.last), "newer than the last");
    }
}

// Queries.

fn item(change: impl FnOnce(&mut QueryItem)) -> QueryItem {
    let mut item = QueryItem::default();
    change(&mut item);
    item
}

fn tagged(tags: &[&str]) -> Query {
    Query::of(item(|item| item.tags = labels(tags)))
}

fn typed(types: &[&str]) -> Query {
    Query::of(item(|item| item.types = labels(types)))
}

fn labels(texts: &[&str]) -> Vec<Label> {
    texts.iter().map(|text| label(text)).collect()
}

// Appends.

fn event(stream: &str) -> NewEvent {
    event_with(stream, "Happened", &[])
}

fn event_with(stream: &str, kind: &str, tags: &[&str]) -> NewEvent {
    let content = EventContent::new(label("id"), text("/tests"), label(kind));
    NewEvent { stream: label(stream), tags: labels(tags), correlation: None, content }
}

/// One event to each of these streams.
fn append(streams: &[&str]) -> Append {
    append_all(streams.iter().map(|stream| event(stream)))
}

fn append_all(events: impl IntoIterator<Item = NewEvent>) -> Append {
    Append {
        store: name("e"),
        events: events.into_iter().collect::<Arc<[NewEvent]>>(),
        expected: Vec::new(),
        boundary: None,
        unless: None,
        known: Known::default(),
    }
}

impl Append {
    fn expecting(mut self, stream: &str, expected: Expected) -> Append {
        self.expected.push((label(stream), expected));
        self
    }

    fn bounded(self, query: Query, after: u64) -> Append {
        Append { boundary: Some(Boundary { query, after: EventNumber(after) }), ..self }
    }

    fn unless(self, query: Query) -> Append {
        Append { unless: Some(query), ..self }
    }

    fn knowing(self, known: Known) -> Append {
        Append { known, ..self }
    }

    fn command(self) -> Command {
        Command::Append(Box::new(self))
    }
}

fn versions(streams: &[(&str, u64)]) -> Vec<(Label, Version)> {
    streams.iter().map(|(stream, version)| (label(stream), Version(*version))).collect()
}

fn known(as_of: u64, streams: &[(&str, u64)]) -> Known {
    Known { as_of: EventNumber(as_of), versions: versions(streams), ..Known::default() }
}

fn indexed(upto: u64) -> Command {
    Command::Indexed { store: name("e"), upto: EventNumber(upto) }
}

// Answers.

fn reply(first: u64, last: u64, streams: &[(&str, u64)]) -> AppendReply {
    let (first, last) = (EventNumber(first), EventNumber(last));
    AppendReply { first, last, streams: versions(streams), again: false }
}

fn again(first: u64, last: u64, streams: &[(&str, u64)]) -> AppendReply {
    AppendReply { again: true, ..reply(first, last, streams) }
}

/// The refusal of a version that is not the expected one; the store's last event is `now`.
fn not_as(stream: &str, expected: Expected, actual: u64, now: u64) -> EventRefusal {
    let (stream, actual, now) = (label(stream), Version(actual), EventNumber(now));
    EventRefusal::Moved(Box::new(Moved::Stream { stream, expected, actual, now }))
}

fn moved(after: u64, newest: u64, now: u64) -> EventRefusal {
    let [after, newest, now] = [after, newest, now].map(EventNumber);
    EventRefusal::Moved(Box::new(Moved::Boundary { after, newest, now }))
}

impl World {
    /// A world with one event store, `e`.
    pub(crate) fn events() -> World {
        World::events_with(|_| {})
    }

    fn events_with(change: impl FnOnce(&mut Limits)) -> World {
        let mut world = World::with_limits(change);
        world.create_events("e");
        world
    }

    fn create_events(&mut self, store: &str) -> u64 {
        self.queue(Command::CreateEventStore { name: name(store) })
    }

    #[track_caller]
    fn append(&mut self, append: Append) -> AppendReply {
        match self.say(append.command()) {
            Ok(Reply::Appended(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }

    /// Says no, and nothing happens.
    #[track_caller]
    fn refuses(&mut self, append: Append) -> EventRefusal {
        let verdict = self.decide(&append.command());
        assert!(verdict.facts.is_empty(), "a refusal changes nothing");
        match verdict.answer {
            Err(Refusal::Events(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn indexed(&mut self, upto: u64) -> u64 {
        match self.say(indexed(upto)) {
            Ok(Reply::Indexed { upto }) => upto.0,
            other => panic!("{other:?}"),
        }
    }

    fn description_of(&self, store: &str) -> EventStoreDescription {
        match self.decide(&Command::DescribeEvents { name: name(store) }).answer {
            Ok(Reply::Events(description)) => description,
            other => panic!("{other:?}"),
        }
    }

    /// Every event of the log, from its body alone.
    fn bodies(&self) -> Vec<EventBody> {
        let batches = self.log.iter().flat_map(|batch| {
            let facts = &batch.facts;
            facts.bodies.iter().map(|(index, body)| (&facts.facts[*index as usize], body))
        });
        let events = batches.filter(|(fact, _)| matches!(fact, Fact::Appended(_)));
        events.map(|(_, body)| EventBody::decode(body).unwrap()).collect()
    }
}
