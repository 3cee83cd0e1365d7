//! The rules of event stores: a list of all events, read from its beginning whatever is asked.

use lineside_core::command::{Command, Reply};
use lineside_core::events::{
    Append, AppendReply, Appended, Boundary, EventHead, EventPart, EventRefusal,
    EventStoreDescription, Expected, FirstAppend, Known, Moved, Query, RecentEvent, RecentEvents,
    RecentHead,
};
use lineside_core::fact::Fact;
use lineside_core::id::{BodyRef, EventNumber, Label, Name, Place, QueueId, Version};
use lineside_core::limits::Limits;
use lineside_core::refusal::Refusal;
use lineside_core::stamp::Stamp;

use super::{Answer, Check, Decided, Model, Moment, Queue, Violation, ensure, expect};

/// All events of a store in their order.
#[derive(Clone, Debug, Default)]
pub struct Listing(Vec<Listed>);

#[derive(Clone, Debug)]
struct Listed {
    event: Appended,
    at: Stamp,
    place: Place,
}

/// An event store.
#[derive(Clone, Debug)]
pub struct Store {
    id: QueueId,
    created_at: Stamp,
    all: Listing,
    indexed: EventNumber,
}

impl Listed {
    fn head(&self) -> EventHead<'_> {
        let Appended { stream, kind, tags, correlation, .. } = &self.event;
        EventHead { stream, kind, tags, correlation: correlation.as_ref() }
    }

    /// The numbers of the first and the last event of its append.
    fn append_range(&self) -> (u64, u64) {
        let first = self.event.number.0 - u64::from(self.event.index);
        (first, first + u64::from(self.event.count) - 1)
    }
}

impl Listing {
    /// Adds an event that a fact of this moment and place brought.
    pub(crate) fn add(&mut self, (at, place): (Stamp, Place), event: &Appended) {
        self.0.push(Listed { event: event.clone(), at, place });
    }

    fn last(&self) -> EventNumber {
        self.0.last().map_or(EventNumber(0), |listed| listed.event.number)
    }

    fn upto(&self, upto: EventNumber) -> impl DoubleEndedIterator<Item = &Listed> {
        self.0.iter().filter(move |listed| listed.event.number <= upto)
    }

    /// The version of a stream as of an event.
    pub(crate) fn version(&self, stream: &Label, upto: EventNumber) -> Version {
        Version(self.upto(upto).filter(|listed| listed.event.stream == *stream).count() as u64)
    }

    fn newest(&self, boundary: &Boundary, upto: EventNumber) -> Option<EventNumber> {
        let Boundary { query, after } = boundary;
        let mut behind = self.upto(upto).filter(|listed| listed.event.number > *after);
        behind.rfind(|listed| query.matches(&listed.head())).map(|listed| listed.event.number)
    }

    /// The append that brought the first event that a query means.
    fn first_append(&self, query: &Query, upto: EventNumber) -> Option<FirstAppend> {
        let (first, last) =
            self.upto(upto).find(|listed| query.matches(&listed.head()))?.append_range();
        let mut streams = Vec::new();
        for Listed { event, .. } in &self.0 {
            if (first..=last).contains(&event.number.0) {
                note(&mut streams, &event.stream, event.version);
            }
        }
        Some(FirstAppend { first: EventNumber(first), last: EventNumber(last), streams })
    }

    /// What an index says of an append that has all up to an event.
    pub(crate) fn look_up(&self, append: &Append, as_of: EventNumber) -> Known {
        let expected = append.expected.iter().map(|(stream, _)| stream);
        let streams = append.events.iter().map(|event| &event.stream).chain(expected);
        let version = |stream: &Label| (stream.clone(), self.version(stream, as_of));
        Known {
            as_of,
            versions: streams.map(version).collect(),
            boundary_hit: append.boundary.as_ref().and_then(|b| self.newest(b, as_of)),
            unless_hit: append.unless.as_ref().and_then(|query| self.first_append(query, as_of)),
        }
    }
}

/// The version that a stream has now; a stream stands where it was first named.
fn note(streams: &mut Vec<(Label, Version)>, stream: &Label, version: Version) {
    match streams.iter_mut().find(|(known, _)| known == stream) {
        Some((_, latest)) => *latest = version,
        None => streams.push((stream.clone(), version)),
    }
}

const ALL: EventNumber = EventNumber(u64::MAX);

impl Store {
    fn created(id: QueueId, at: Stamp) -> Store {
        Store { id, created_at: at, all: Listing::default(), indexed: EventNumber(0) }
    }

    /// The events that the index has not said that it has.
    fn recent(&self) -> impl Iterator<Item = &Listed> {
        self.all.0.iter().filter(|listed| listed.event.number > self.indexed)
    }

    /// Whether somebody who waits for events behind this one would get any.
    pub(super) fn gives(&self, after: EventNumber) -> bool {
        self.recent().any(|listed| listed.event.number > after)
    }

    fn described(&self) -> EventStoreDescription {
        EventStoreDescription {
            store: self.id,
            created_at: self.created_at,
            events: self.all.0.len() as u64,
            last: self.all.last(),
            indexed: self.indexed,
            recent: self.recent().count(),
        }
    }

    fn page(&self, after: EventNumber, max: usize) -> RecentEvents {
        let events = self.recent().filter(|listed| listed.event.number > after).take(max);
        let event = |Listed { event, at, place }: &Listed| {
            let Appended { store, number, version, len, index, count, .. } = *event;
            let Appended { stream, kind, tags, correlation, .. } = event.clone();
            let head = RecentHead { stream, kind, tags, correlation };
            let body = BodyRef { place: *place, len };
            RecentEvent { store, number, stamp: *at, body, version, index, count, head }
        };
        RecentEvents { events: events.map(event).collect(), indexed: self.indexed }
    }

    /// What an append is to be answered with, and whether that is by the rules of its size alone.
    fn judged(
        &self,
        append: &Append,
        numbered: u64,
        limits: &Limits,
    ) -> Result<AppendReply, EventRefusal> {
        check_size(append, limits)?;
        let (as_of, now) = (append.known.as_of, self.all.last());
        if as_of < self.indexed || as_of.0 > numbered {
            return Err(EventRefusal::Stale { as_of, indexed: self.indexed, last: now });
        }
        let applied = append.unless.as_ref().and_then(|query| self.all.first_append(query, ALL));
        if let Some(FirstAppend { first, last, streams }) = applied {
            return Ok(AppendReply { first, last, streams, again: true });
        }
        self.check_conditions(append, now)?;
        if self.recent().count() + append.events.len() > limits.recent_events_max {
            return Err(EventRefusal::IndexBehind { indexed: self.indexed, last: now });
        }
        let mut streams: Vec<(Label, Version)> = Vec::new();
        for event in append.events.iter() {
            let known = streams.iter().find(|(stream, _)| *stream == event.stream);
            let before = known.map(|(_, version)| *version);
            let version = before.unwrap_or_else(|| self.all.version(&event.stream, ALL)).next();
            note(&mut streams, &event.stream, version);
        }
        let (first, last) = (numbered + 1, numbered + append.events.len() as u64);
        let (first, last) = (EventNumber(first), EventNumber(last));
        Ok(AppendReply { first, last, streams, again: false })
    }

    fn check_conditions(&self, append: &Append, now: EventNumber) -> Result<(), EventRefusal> {
        for (stream, expected) in &append.expected {
            let (expected, actual) = (*expected, self.all.version(stream, ALL));
            let holds = match expected {
                Expected::Any => true,
                Expected::Empty => actual.0 == 0,
                Expected::Exists => actual.0 > 0,
                Expected::At(version) => version == actual,
            };
            if !holds {
                let moved = Moved::Stream { stream: stream.clone(), expected, actual, now };
                return Err(EventRefusal::Moved(Box::new(moved)));
            }
        }
        let boundary = append.boundary.as_ref();
        match boundary.and_then(|b| Some((b.after, self.all.newest(b, ALL)?))) {
            None => Ok(()),
            Some((after, newest)) => {
                Err(EventRefusal::Moved(Box::new(Moved::Boundary { after, newest, now })))
            }
        }
    }

    /// The events of an append that has been answered so.
    fn wanted(&self, append: &Append, answer: &AppendReply) -> Vec<Appended> {
        let mut streams: Vec<(Label, Version)> = Vec::new();
        let count = u32::try_from(append.events.len()).unwrap_or(u32::MAX);
        let events = append.events.iter().zip(0_u32..);
        let wanted = events.map(|(event, index)| {
            let known = streams.iter().find(|(stream, _)| *stream == event.stream);
            let before = known.map(|(_, version)| *version);
            let version = before.unwrap_or_else(|| self.all.version(&event.stream, ALL)).next();
            note(&mut streams, &event.stream, version);
            Appended {
                store: self.id,
                number: EventNumber(answer.first.0 + u64::from(index)),
                stream: event.stream.clone(),
                version,
                kind: event.content.kind.clone(),
                tags: event.tags.clone(),
                correlation: event.correlation.clone(),
                len: 0,
                index,
                count,
            }
        });
        wanted.collect()
    }

    /// How far the index is may be taken in steps: whole appends, and a step is not smaller than it
    /// has to be.
    fn indexed(&mut self, asked: EventNumber, reached: EventNumber, limits: &Limits) -> Check {
        let (before, asked) = (self.indexed, asked.min(self.all.last()).max(self.indexed));
        ensure!((before..=asked).contains(&reached), "{reached:?} of {before:?} to {asked:?}");
        let is_gone = |listed: &&Listed| listed.event.number <= reached;
        for listed in self.recent() {
            let (_, last) = listed.append_range();
            let whole = is_gone(&listed) == (last <= reached.0);
            ensure!(whole, "an append is cut at {reached:?}");
        }
        let entries = |listed: &Listed| {
            3 + listed.event.tags.len() + usize::from(listed.event.correlation.is_some())
        };
        let gone: usize = self.recent().filter(is_gone).map(entries).sum();
        let is_left = |listed: &Listed| !is_gone(&listed) && listed.append_range().1 <= asked.0;
        let more = self.recent().any(is_left);
        ensure!(!more || gone >= limits.indexed_step_max, "a step to {reached:?} is too small");
        self.indexed = reached;
        Ok(())
    }
}

fn check_size(append: &Append, limits: &Limits) -> Result<(), EventRefusal> {
    let (part, event, limit) = (EventPart::Events, None, limits.append_events_max);
    match append.events.len() {
        0 => Err(EventRefusal::Empty { part, event }),
        count if count > limit => Err(EventRefusal::Beyond { part, event, limit }),
        _ => Ok(()),
    }
}

impl Model {
    /// Commands about event stores.
    pub(super) fn about_events(&mut self, now: Moment, decided: Decided<'_>) -> Check {
        let (Command::CreateEventStore { name }
        | Command::DescribeEvents { name }
        | Command::RecentEvents { store: name, .. }
        | Command::Indexed { store: name, .. }) = decided.command
        else {
            return self.append(now, decided);
        };
        if matches!(decided.command, Command::CreateEventStore { .. }) {
            return self.create_events(now, name, decided.answer);
        }
        let (numbers, limits) = (decided.answer, self.limits.clone());
        let Some(store) = self.event_store(name) else {
            return expect(numbers, &Err(no_store(name)));
        };
        match decided.command {
            Command::RecentEvents { after, max, .. } => {
                let page = store.page(*after, (*max).min(limits.recent_page_max));
                expect(numbers, &Ok(Reply::Recent(page)))
            }
            Command::Indexed { upto, .. } => match numbers {
                Ok(Reply::Indexed { upto: reached }) => store.indexed(*upto, *reached, &limits),
                other => Err(Violation(format!("it is indexed, and the answer is {other:?}"))),
            },
            _ => expect(numbers, &Ok(Reply::Events(store.described()))),
        }
    }

    fn event_store(&mut self, name: &Name) -> Option<&mut Store> {
        let id = self.find(name)?;
        match self.queues.get_mut(&id)? {
            Queue::Events(store) => Some(store),
            _ => None,
        }
    }

    fn create_events(&mut self, now: Moment, name: &Name, answer: &Answer) -> Check {
        let next = QueueId(self.last_queue + 1);
        match self.find(name) {
            Some(queue) if self.event_store(name).is_some() => {
                expect(answer, &Ok(Reply::Queue { queue }))
            }
            Some(_) => {
                let refusal = EventRefusal::Exists { name: name.clone() };
                expect(answer, &Err(refusal.into()))
            }
            None => {
                expect(answer, &Ok(Reply::Queue { queue: next }))?;
                self.add(name, Queue::Events(Box::new(Store::created(next, now.at))));
                Ok(())
            }
        }
    }

    fn append(&mut self, now: Moment, decided: Decided<'_>) -> Check {
        let Command::Append(append) = decided.command else { return Ok(()) };
        let (numbered, limits) = (self.numbered, self.limits.clone());
        let Some(store) = self.event_store(&append.store) else {
            return expect(decided.answer, &Err(no_store(&append.store)));
        };
        let judged = store.judged(append, numbered, &limits);
        expect(decided.answer, &judged.clone().map(Reply::Appended).map_err(Refusal::Events))?;
        let Ok(answer) = judged else { return Ok(()) };
        let wanted = if answer.again { Vec::new() } else { store.wanted(append, &answer) };
        ensure!(wanted.len() == decided.facts.len(), "facts of an append: {:?}", decided.facts);
        for (nth, (wanted, fact)) in wanted.into_iter().zip(decided.facts).enumerate() {
            // The length is the bodies' affair, which are held against the command elsewhere.
            let len = if let Fact::Appended(appended) = fact { appended.len } else { 0 };
            let event = Appended { len, ..wanted };
            let same = *fact == Fact::Appended(event.clone());
            ensure!(same, "appended was\n  {fact:?}\nand should be\n  {event:?}");
            store.all.add((now.at, now.here.plus(nth)), &event);
        }
        if !answer.again {
            self.numbered = answer.last.0;
        }
        Ok(())
    }
}

fn no_store(name: &Name) -> Refusal {
    EventRefusal::Missing { name: name.clone() }.into()
}
