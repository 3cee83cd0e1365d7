//! What callers wish of event stores. Before an append somebody asks the index; here it is a list of
//! what has reached the storage.

use lineside_core::command::Command;
use lineside_core::events::{
    Append, Boundary, EventContent, Expected, Known, NewEvent, Query, QueryItem,
};
use lineside_core::fact::{Batch, Fact};
use lineside_core::id::{Epoch, EventNumber, Label, Position, QueueId, Text, Version};
use lineside_core::stamp::Millis;

use super::{Clients, Whim, named};
use crate::model::events::Listing;
use crate::sim::plan::QueuePlan;

const STREAMS: [&str; 5] = ["seat-1", "seat-2", "account-1", "account-2", "audit"];
const CATEGORIES: [&str; 3] = ["seat", "account", "audit"];
const KINDS: [&str; 3] = ["Opened", "Paid", "Closed"];
const TAGS: [&str; 3] = ["vip", "late", "web"];
const KEYS: [&str; 6] = ["key:1", "key:2", "key:3", "key:4", "key:5", "key:6"];

/// How often what is wished.
const WISHES: [u32; 5] = [60, 14, 12, 5, 2];
/// Most events that somebody appends; more than the plan's limit.
const EVENTS_MAX: u64 = 6;

/// What the index has: all that has reached the storage under an owner.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    stores: Vec<(&'static str, QueueId, Listing)>,
    pub(super) last: EventNumber,
}

impl Diary {
    /// What the log says up to where another owner than this one took over.
    fn of(names: &[&'static str], log: &[Batch], epoch: Epoch) -> Diary {
        let mut diary = Diary::default();
        for (batch, position) in log.iter().zip((0..).map(Position)) {
            let later = |fact: &Fact| matches!(fact, Fact::Opened(o) if o.epoch > epoch);
            if batch.facts.facts.iter().any(later) {
                return diary;
            }
            for (place, fact) in batch.places(position) {
                match fact {
                    Fact::EventStoreCreated(created) => {
                        let name = names.iter().find(|name| **name == created.name.as_str());
                        let store = name.map(|name| (*name, created.store, Listing::default()));
                        diary.stores.extend(store);
                    }
                    Fact::Appended(event) => {
                        diary.last = event.number;
                        let mut stores = diary.stores.iter_mut();
                        if let Some((.., all)) = stores.find(|(_, id, _)| *id == event.store) {
                            all.add((batch.at, place), event);
                        }
                    }
                    _ => {}
                }
            }
        }
        diary
    }

    fn store(&self, name: &str) -> Option<&Listing> {
        self.stores.iter().find(|(known, ..)| *known == name).map(|(.., all)| all)
    }
}

/// Everything that is in memory, and how far it is.
pub(super) fn audit(name: &str) -> Vec<Command> {
    let (after, max, wait) = (EventNumber(0), 1000, Millis::ZERO);
    vec![
        Command::DescribeEvents { name: named(name) },
        Command::RecentEvents { store: named(name), after, max, wait },
    ]
}

impl Clients {
    /// Whether anybody asks the index.
    pub(crate) fn keeps_events(&self) -> bool {
        self.queues.iter().any(|queue| queue.kind == crate::sim::plan::Kind::Events)
    }

    /// The index has what is in this log, up to where another owner than this one took over.
    pub(crate) fn index(&mut self, log: &[Batch], epoch: Epoch) {
        let names: Vec<&'static str> = self.queues.iter().map(|queue| queue.name).collect();
        self.diary = Diary::of(&names, log, epoch);
    }

    pub(super) fn about_events(&mut self, whim: &mut Whim<'_>, plan: QueuePlan) -> Command {
        let last = self.diary.last;
        let some = |whim: &mut Whim<'_>| EventNumber(whim.rng.between(0, last.0));
        match whim.rng.weighted(&WISHES) {
            0 => Command::Append(Box::new(self.append(whim, plan))),
            1 => Command::RecentEvents {
                store: self.name_near(whim, plan),
                after: if whim.rng.chance(60) { last } else { some(whim) },
                max: 1 + whim.rng.index(5),
                wait: if whim.rng.chance(50) { whim.seconds(&[1, 5, 20]) } else { Millis::ZERO },
            },
            2 => {
                let upto = if whim.rng.chance(50) { last } else { some(whim) };
                Command::Indexed { store: self.name_near(whim, plan), upto }
            }
            3 => Command::DescribeEvents { name: self.name_near(whim, plan) },
            _ => Command::CreateEventStore { name: self.name_near(whim, plan) },
        }
    }

    fn append(&mut self, whim: &mut Whim<'_>, plan: QueuePlan) -> Append {
        let last = self.diary.last;
        let count = if whim.rng.chance(96) {
            whim.rng.between(1, 3)
        } else {
            whim.rng.one(&[0, EVENTS_MAX], 0)
        };
        let key = whim.maybe(30, |whim| whim.label(&KEYS));
        let events: Vec<NewEvent> = (0..count).map(|_| self.event(whim, key.as_ref())).collect();
        let expected = whim.maybe(40, |whim| self.expected(whim, plan));
        let boundary = whim.maybe(35, |whim| Boundary {
            query: query(whim),
            after: if whim.rng.chance(60) { last } else { some_of(whim, last) },
        });
        let unless = match key {
            Some(key) => Some(Query::of(QueryItem { tags: vec![key], ..QueryItem::default() })),
            None => whim.maybe(3, query),
        };
        let append = Append {
            store: self.name_near(whim, plan),
            events: events.into(),
            expected: expected.into_iter().collect(),
            boundary,
            unless,
            known: Known::default(),
        };
        // Whoever is slow decides on what is long past.
        let as_of = if whim.rng.chance(85) { last } else { some_of(whim, last) };
        let known = self.diary.store(append.store.as_str());
        let known = known.map(|all| all.look_up(&append, as_of)).unwrap_or_default();
        Append { known, ..append }
    }

    fn event(&mut self, whim: &mut Whim<'_>, key: Option<&Label>) -> NewEvent {
        let (id, data) = (Label::new(self.next().to_string()), self.body(whim));
        let mut content = EventContent::new(id, Text::new("/sim"), whim.label(&KINDS));
        content.data = Some(data.to_vec().into());
        let tags = TAGS.iter().filter(|_| whim.rng.chance(30)).map(|tag| Label::new(*tag));
        let tags: Vec<Label> = tags.chain(key.cloned()).collect();
        let correlation = whim.maybe(20, |whim| whim.label(&["order-1", "order-2"]));
        NewEvent { stream: whim.label(&STREAMS), tags, correlation, content }
    }

    /// What somebody who has asked the index expects of a stream; seldom something else.
    fn expected(&self, whim: &mut Whim<'_>, plan: QueuePlan) -> (Label, Expected) {
        let (stream, last) = (whim.label(&STREAMS), self.diary.last);
        let version = self.diary.store(plan.name).map(|all| all.version(&stream, last));
        let version = version.unwrap_or_default();
        let of = [
            Expected::At(version),
            Expected::At(version),
            Expected::At(version),
            Expected::At(Version(version.0.saturating_sub(1))),
            Expected::Exists,
            Expected::Empty,
            Expected::Any,
        ];
        (stream, whim.rng.one(&of, Expected::Any))
    }
}

fn some_of(whim: &mut Whim<'_>, last: EventNumber) -> EventNumber {
    EventNumber(whim.rng.between(0, last.0))
}

fn query(whim: &mut Whim<'_>) -> Query {
    if whim.rng.chance(5) {
        return Query::all();
    }
    let items = whim.rng.between(1, 3);
    Query { items: (0..items).map(|_| item(whim)).collect() }
}

fn item(whim: &mut Whim<'_>) -> QueryItem {
    let some = |whim: &mut Whim<'_>, percent, of: &[&str]| {
        whim.maybe(percent, |whim| whim.label(of)).into_iter().collect::<Vec<Label>>()
    };
    QueryItem {
        types: some(whim, 40, &KINDS),
        tags: some(whim, 40, &TAGS),
        stream: whim.maybe(30, |whim| whim.label(&STREAMS)),
        category: whim.maybe(20, |whim| whim.label(&CATEGORIES)),
        correlation: whim.maybe(15, |whim| whim.label(&["order-1", "order-2"])),
    }
}
