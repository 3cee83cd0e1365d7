//! What an event store decides: appends under their conditions, and what it lets go.

use std::collections::BTreeMap;

use super::append::{Append, FirstAppend, Known, NewEvent};
use super::event::{Assigned, EventBody};
use super::fact::{Appended, Indexed};
use super::query::Query;
use super::recent::{Budget, Spent};
use super::refusal::{EventRefusal, Moved};
use super::reply::{EventStoreDescription, RecentEvents};
use super::store::EventStore;
use crate::command::Reply;
use crate::decision::{Decision, Moment};
use crate::fact::{Fact, Facts};
use crate::id::{EventNumber, Label, QueueId, Version};
use crate::limits::Limits;

impl EventStore {
    /// Decides to append events: all of them, or none.
    pub(crate) fn append(&self, now: &Moment<'_>, id: QueueId, append: &Append) -> Decision {
        let limits = now.limits;
        let judged = append.check(limits).and_then(|()| {
            let view = View::of(now, self, &append.known)?;
            match view.judge(append, limits)? {
                Some(first) => Ok(Decision::reply(Reply::Appended(first.answer(true)))),
                None => view.written(now, id, append),
            }
        });
        judged.unwrap_or_else(Decision::refuse)
    }

    /// Decides to let go what the index has: a bounded number of events, and whole appends, so that
    /// what a repeated append is answered with is here or in the index, and never half here.
    pub(crate) fn indexed(&self, now: &Moment<'_>, id: QueueId, upto: EventNumber) -> Decision {
        let upto = self.reach(upto.min(self.last), now.limits.indexed_step_max);
        if upto <= self.indexed {
            return Decision::reply(Reply::Indexed { upto: self.indexed });
        }
        let fact = Fact::Indexed(Indexed { store: id, upto });
        Decision::fact(fact, Reply::Indexed { upto })
    }

    /// How far up to `upto` one step comes.
    fn reach(&self, upto: EventNumber, step: usize) -> EventNumber {
        let (mut reached, mut entries) = (self.indexed, 0_usize);
        for (number, event) in self.recents.iter() {
            if number > upto {
                return if event.begins_append() { upto } else { reached };
            }
            if entries >= step && event.begins_append() {
                return reached;
            }
            entries += event.terms();
            if event.ends_append() {
                reached = number;
            }
        }
        upto
    }

    /// The events after a number that the index does not have, at most so many.
    pub(crate) fn recent(
        &self,
        now: &Moment<'_>,
        id: QueueId,
        after: EventNumber,
        max: usize,
    ) -> Decision {
        let events = self.recents.after(after).take(max.min(now.limits.recent_page_max));
        let events = events.map(|(number, recent)| recent.to_index(id, number)).collect();
        Decision::reply(Reply::Recent(RecentEvents { events, indexed: self.indexed }))
    }

    /// How far it has come.
    pub(crate) fn describe(store: QueueId, this: &EventStore) -> Decision {
        let EventStore { created_at, events, last, indexed, .. } = *this;
        let recent = this.recents.len();
        let description =
            EventStoreDescription { store, created_at, events, last, indexed, recent };
        Decision::reply(Reply::Events(description))
    }

    fn behind(&self) -> EventRefusal {
        EventRefusal::IndexBehind { indexed: self.indexed, last: self.last }
    }
}

/// A store as it is at this moment: what the index said, and what came since.
struct View<'a> {
    store: &'a EventStore,
    known: &'a Known,
    versions: BTreeMap<&'a Label, Version>,
}

impl<'a> View<'a> {
    /// Both together, unless there is a gap between them. The index may be ahead of the store's
    /// last event, since others of the partition have numbers too; what is ahead of all of them is
    /// the index of another log.
    fn of(
        now: &Moment<'_>,
        store: &'a EventStore,
        known: &'a Known,
    ) -> Result<View<'a>, EventRefusal> {
        let versions = known.versions.iter().map(|(stream, version)| (stream, *version)).collect();
        let view = View { store, known, versions };
        let covers = (store.indexed..now.next_number).contains(&known.as_of);
        if covers { Ok(view) } else { Err(view.stale()) }
    }

    fn stale(&self) -> EventRefusal {
        let EventStore { indexed, last, .. } = *self.store;
        EventRefusal::Stale { as_of: self.known.as_of, indexed, last }
    }

    /// Whether the append was done before. That it may be done, if not, is asked in this order: a
    /// repeated append is answered as the first was, whatever has moved since.
    fn judge(&self, append: &Append, limits: &Limits) -> Result<Option<FirstAppend>, EventRefusal> {
        let mut budget = Budget::of(limits.recent_scan_max);
        if let Some(query) = &append.unless
            && let Some(first) = self.applied(query, &mut budget)?
        {
            return Ok(Some(first));
        }
        self.check_expected(append)?;
        self.check_boundary(append, &mut budget)?;
        if self.store.recents.len() + append.events.len() > limits.recent_events_max {
            return Err(self.store.behind());
        }
        Ok(None)
    }

    fn applied(
        &self,
        query: &Query,
        budget: &mut Budget,
    ) -> Result<Option<FirstAppend>, EventRefusal> {
        if let Some(first) = &self.known.unless_hit {
            return Ok(Some(first.clone()));
        }
        let recents = &self.store.recents;
        let found = recents.oldest(query, self.known.as_of, budget);
        let found = found.map_err(|Spent| self.store.behind())?;
        Ok(found.and_then(|number| recents.append_of(number)))
    }

    fn check_expected(&self, append: &Append) -> Result<(), EventRefusal> {
        for (stream, expected) in &append.expected {
            let actual = self.version(stream)?;
            if !expected.holds(actual) {
                let (stream, expected, now) = (stream.clone(), *expected, self.store.last);
                let moved = Moved::Stream { stream, expected, actual, now };
                return Err(EventRefusal::Moved(Box::new(moved)));
            }
        }
        Ok(())
    }

    fn check_boundary(&self, append: &Append, budget: &mut Budget) -> Result<(), EventRefusal> {
        let Some(boundary) = &append.boundary else { return Ok(()) };
        let after = boundary.after;
        let from = after.max(self.known.as_of);
        let newest = self.store.recents.newest(&boundary.query, from, budget);
        let newest = newest.map_err(|Spent| self.store.behind())?;
        let before = self.known.boundary_hit.filter(|hit| *hit > after);
        match newest.or(before) {
            None => Ok(()),
            Some(newest) => {
                let moved = Moved::Boundary { after, newest, now: self.store.last };
                Err(EventRefusal::Moved(Box::new(moved)))
            }
        }
    }

    /// The version of a stream. What is here is newer than what the index knows. A stream that was
    /// not looked up is empty only where the index knows of no event at all.
    fn version(&self, stream: &Label) -> Result<Version, EventRefusal> {
        let known = || self.versions.get(stream).copied();
        let empty = (self.known.as_of == EventNumber(0)).then_some(Version(0));
        self.store.recents.version(stream).or_else(known).or(empty).ok_or_else(|| self.stale())
    }

    /// The facts of an append that may be done, and its answer.
    fn written(
        &self,
        now: &Moment<'_>,
        store: QueueId,
        append: &Append,
    ) -> Result<Decision, EventRefusal> {
        let mut facts = Facts::none();
        let mut heads = Heads::default();
        for (event, index) in append.events.iter().zip(0_u32..) {
            let version = heads.next(&event.stream, || self.version(&event.stream))?;
            let assigned = Assigned {
                store,
                number: now.next_number.plus(u64::from(index)),
                stream: event.stream.clone(),
                version,
                recorded: now.at,
                tags: event.tags.clone(),
                correlation: event.correlation.clone(),
                index,
                count: u32::try_from(append.events.len()).unwrap_or(u32::MAX),
            };
            push(&mut facts, event, assigned);
        }
        let first = now.next_number;
        let last = first.plus(append.events.len().saturating_sub(1) as u64);
        let answer = FirstAppend { first, last, streams: heads.streams }.answer(false);
        Ok(Decision { facts, answer: Ok(Reply::Appended(answer)) })
    }
}

fn push(facts: &mut Facts, event: &NewEvent, assigned: Assigned) {
    let body = EventBody::encode_parts(&event.content, &assigned);
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let Assigned { store, number, stream, version, tags, correlation, index, count, .. } = assigned;
    let kind = event.content.kind.clone();
    let appended =
        Appended { store, number, stream, version, kind, tags, correlation, len, index, count };
    facts.push_with_body(Fact::Appended(appended), body);
}

/// The streams of an append, in the order of their first event, with the version that each has so
/// far.
#[derive(Default)]
struct Heads<'a> {
    streams: Vec<(Label, Version)>,
    indexes: BTreeMap<&'a Label, usize>,
}

impl<'a> Heads<'a> {
    /// The version of the stream's next event; `before`: the one before the append.
    fn next(
        &mut self,
        stream: &'a Label,
        before: impl FnOnce() -> Result<Version, EventRefusal>,
    ) -> Result<Version, EventRefusal> {
        let index = *self.indexes.entry(stream).or_insert(self.streams.len());
        if let Some((_, version)) = self.streams.get_mut(index) {
            *version = version.next();
            return Ok(*version);
        }
        let version = before()?.next();
        self.streams.push((stream.clone(), version));
        Ok(version)
    }
}
