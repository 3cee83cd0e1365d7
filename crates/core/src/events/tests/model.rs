//! Random appends beside a list of all events that is read from its beginning, whatever is asked.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const STORES: [&str; 2] = ["e", "d"];
const STREAMS: [&str; 5] = ["a-1", "a-2", "b-1", "b", "c"];
const KINDS: [&str; 3] = ["Opened", "Paid", "Closed"];
const TAGS: [&str; 3] = ["x", "y", "z"];
/// Events of a store that may be in memory.
const RECENT_MAX: usize = 12;

#[derive(Clone, Debug)]
pub(super) enum Step {
    Append(Box<Wish>),
    Indexed(usize, Index),
    Restart,
}

#[derive(Clone, Debug)]
pub(super) struct Wish {
    store: usize,
    append: Append,
    /// Of what the boundary's author may have read.
    after: Index,
    /// As of which event the index is asked.
    as_of: Index,
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = Label> {
    prop::sample::select(texts).prop_map(label)
}

fn any_item() -> impl Strategy<Value = QueryItem> {
    let sets = (vec(one_of(&KINDS), 0..3), vec(one_of(&TAGS), 0..3));
    let single = (option::of(one_of(&STREAMS)), option::of(one_of(&["a", "b", "c"])));
    (sets, single, option::weighted(0.2, one_of(&["k", "l"]))).prop_map(
        |((types, tags), (stream, category), correlation)| QueryItem {
            types,
            tags,
            stream,
            category,
            correlation,
        },
    )
}

fn any_query() -> impl Strategy<Value = Query> {
    prop_oneof![9 => vec(any_item(), 1..4), 1 => Just(Vec::new())].prop_map(|items| Query { items })
}

fn any_event() -> impl Strategy<Value = NewEvent> {
    let tags = prop::sample::subsequence(&TAGS, 0..=3);
    (prop::sample::select(&STREAMS), prop::sample::select(&KINDS), tags, option::of(one_of(&["k"])))
        .prop_map(|(stream, kind, tags, correlation)| NewEvent {
            correlation,
            ..event_with(stream, kind, &tags)
        })
}

fn any_expected() -> impl Strategy<Value = (Label, Expected)> {
    let expected = prop_oneof![
        Just(Expected::Any),
        Just(Expected::Empty),
        Just(Expected::Exists),
        (0..4_u64).prop_map(|version| Expected::At(Version(version))),
    ];
    (one_of(&STREAMS), expected)
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let events = (vec(any_event(), 1..4), vec(any_expected(), 0..2));
    let queries = (option::of(any_query()), option::of(any_query()));
    let picks = (0..STORES.len(), any::<Index>(), any::<Index>());
    (events, queries, picks).prop_map(|((events, expected), (bound, unless), picks)| {
        let (store, after, as_of) = picks;
        let boundary = bound.map(|query| Boundary { query, after: EventNumber(0) });
        let all = Append { store: name(STORES[store]), ..append_all(events) };
        Wish { store, append: Append { expected, boundary, unless, ..all }, after, as_of }
    })
}

pub(super) fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => any_wish().prop_map(|wish| Step::Append(Box::new(wish))),
        4 => (0..STORES.len(), any::<Index>()).prop_map(|(store, upto)| Step::Indexed(store, upto)),
        1 => Just(Step::Restart),
    ]
}

/// An event as the naive list has it.
#[derive(Clone, Debug)]
struct Listed {
    store: usize,
    body: EventBody,
}

/// The partition, and the list beside it.
pub(super) struct Story {
    pub(super) world: World,
    all: Vec<Listed>,
    indexed: [u64; 2],
    pub(super) heard: BTreeMap<&'static str, usize>,
}

impl Story {
    pub(super) fn new() -> Story {
        let mut world = World::with_limits(|limits| {
            limits.recent_events_max = RECENT_MAX;
            limits.indexed_step_max = 12;
        });
        for store in STORES {
            world.create_events(store);
        }
        Story { world, all: Vec::new(), indexed: [0; 2], heard: BTreeMap::new() }
    }

    pub(super) fn take(&mut self, step: &Step) {
        match step {
            Step::Append(wish) => self.append(wish),
            Step::Indexed(store, upto) => self.say_indexed(*store, upto.index(self.all.len() + 2)),
            Step::Restart => self.world.restart(),
        }
        self.world.wait(1);
        self.world.partition.check(self.world.at);
    }

    fn of(&self, store: usize) -> impl Iterator<Item = &EventBody> {
        self.all.iter().filter(move |listed| listed.store == store).map(|listed| &listed.body)
    }

    fn last(&self, store: usize) -> EventNumber {
        self.of(store).last().map_or(EventNumber(0), |body| body.assigned.number)
    }

    fn version(&self, store: usize, stream: &Label, upto: u64) -> Version {
        let fits =
            |body: &&EventBody| body.assigned.stream == *stream && body.assigned.number.0 <= upto;
        Version(self.of(store).filter(fits).count() as u64)
    }

    /// The append that brought the oldest event that matches.
    fn first_append(&self, store: usize, query: &Query, upto: u64) -> Option<FirstAppend> {
        let fits = |body: &&EventBody| query.matches(&body.head());
        let hit = self.of(store).filter(|body| body.assigned.number.0 <= upto).find(fits)?;
        let Assigned { number, index, count, .. } = &hit.assigned;
        let first = number.0 - u64::from(*index);
        let last = first + u64::from(*count) - 1;
        let mut streams: Vec<(Label, Version)> = Vec::new();
        for body in self.of(store) {
            let Assigned { number, stream, version, .. } = &body.assigned;
            if (first..=last).contains(&number.0) {
                match streams.iter_mut().find(|(known, _)| known == stream) {
                    Some((_, latest)) => *latest = *version,
                    None => streams.push((stream.clone(), *version)),
                }
            }
        }
        Some(FirstAppend { first: EventNumber(first), last: EventNumber(last), streams })
    }

    fn newest(&self, store: usize, boundary: &Boundary, upto: u64) -> Option<EventNumber> {
        let range = boundary.after.0.saturating_add(1)..=upto;
        let fits = |body: &&EventBody| {
            range.contains(&body.assigned.number.0) && boundary.query.matches(&body.head())
        };
        self.of(store).filter(fits).last().map(|body| body.assigned.number)
    }

    /// What an index says that has all up to `as_of`.
    fn look_up(&self, store: usize, append: &Append, as_of: u64) -> Known {
        let expected = append.expected.iter().map(|(stream, _)| stream);
        let streams = append.events.iter().map(|event| &event.stream).chain(expected);
        let version = |stream: &Label| (stream.clone(), self.version(store, stream, as_of));
        Known {
            as_of: EventNumber(as_of),
            versions: streams.map(version).collect(),
            boundary_hit: append.boundary.as_ref().and_then(|b| self.newest(store, b, as_of)),
            unless_hit: append.unless.as_ref().and_then(|q| self.first_append(store, q, as_of)),
        }
    }

    /// What is to be answered, by the list alone.
    fn expected(&self, store: usize, append: &Append) -> Result<AppendReply, EventRefusal> {
        let (now, all) = (self.last(store), u64::MAX);
        if let Some(query) = &append.unless
            && let Some(first) = self.first_append(store, query, all)
        {
            return Ok(first.answer(true));
        }
        for (stream, expected) in &append.expected {
            let actual = self.version(store, stream, all);
            if !expected.holds(actual) {
                return Err(not_as(stream.as_str(), *expected, actual.0, now.0));
            }
        }
        if let Some(boundary) = &append.boundary
            && let Some(newest) = self.newest(store, boundary, all)
        {
            return Err(moved(boundary.after.0, newest.0, now.0));
        }
        let indexed = self.indexed[store];
        let recent = self.of(store).filter(|body| body.assigned.number.0 > indexed).count();
        if recent + append.events.len() > RECENT_MAX {
            return Err(EventRefusal::IndexBehind { indexed: EventNumber(indexed), last: now });
        }
        let first = self.all.len() as u64 + 1;
        let mut streams: Vec<(Label, Version)> = Vec::new();
        for event in append.events.iter() {
            match streams.iter_mut().find(|(known, _)| *known == event.stream) {
                Some((_, version)) => *version = version.next(),
                None => {
                    let version = self.version(store, &event.stream, all).next();
                    streams.push((event.stream.clone(), version));
                }
            }
        }
        let last = first + append.events.len() as u64 - 1;
        let (first, last) = (EventNumber(first), EventNumber(last));
        Ok(AppendReply { first, last, streams, again: false })
    }

    fn append(&mut self, Wish { store, append, after, as_of }: &Wish) {
        let (store, mut append) = (*store, append.clone());
        let numbered = self.all.len();
        if let Some(boundary) = &mut append.boundary {
            boundary.after = EventNumber(after.index(numbered + 1) as u64);
        }
        let as_of = as_of.index(numbered + 1) as u64;
        append.known = self.look_up(store, &append, as_of);
        let indexed = self.indexed[store];
        let expected = if as_of < indexed {
            let [as_of, indexed] = [as_of, indexed].map(EventNumber);
            Err(EventRefusal::Stale { as_of, indexed, last: self.last(store) })
        } else {
            self.expected(store, &append)
        };
        self.count(&expected);
        let before = self.world.log.len();
        let said = self.world.say(append.clone().command());
        assert_eq!(said, expected.clone().map(Reply::Appended).map_err(Refusal::Events));
        let is_new = expected.is_ok_and(|reply| !reply.again);
        assert_eq!(self.world.log.len() - before, usize::from(is_new), "all in one batch, or none");
        if is_new {
            let bodies = self.world.bodies().split_off(numbered);
            let contents = |body: &EventBody| body.content.clone();
            let appended: Vec<EventContent> = bodies.iter().map(contents).collect();
            let wanted: Vec<EventContent> =
                append.events.iter().map(|e| e.content.clone()).collect();
            assert_eq!(appended, wanted);
            self.all.extend(bodies.into_iter().map(|body| Listed { store, body }));
        }
    }

    fn count(&mut self, answer: &Result<AppendReply, EventRefusal>) {
        let heard = match answer {
            Ok(AppendReply { again: true, .. }) => "again",
            Ok(_) => "appended",
            Err(EventRefusal::Stale { .. }) => "stale",
            Err(EventRefusal::IndexBehind { .. }) => "index behind",
            Err(EventRefusal::Moved(moved)) => match **moved {
                Moved::Stream { .. } => "stream moved",
                Moved::Boundary { .. } => "boundary moved",
            },
            Err(other) => panic!("{other:?}"),
        };
        *self.heard.entry(heard).or_default() += 1;
    }

    fn say_indexed(&mut self, store: usize, upto: usize) {
        let (upto, before) = (upto as u64, self.indexed[store]);
        let command = Command::Indexed { store: name(STORES[store]), upto: EventNumber(upto) };
        let Ok(Reply::Indexed { upto: reached }) = self.world.say(command) else { panic!() };
        assert!(
            reached.0 >= before && reached.0 <= upto.max(before),
            "{before} {reached:?} {upto}"
        );
        let cut = |body: &EventBody| {
            let Assigned { number, index, count, .. } = body.assigned;
            number == reached && index + 1 < count
        };
        assert!(!self.of(store).any(cut), "an append is cut at {reached:?}");
        self.indexed[store] = reached.0;
    }

    /// Numbers are gapless over all stores, versions in each stream, and both in every body.
    pub(super) fn check_gapless(&self) {
        let mut versions: BTreeMap<(usize, &Label), u64> = BTreeMap::new();
        for (listed, number) in self.all.iter().zip(1..) {
            let Assigned { number: given, stream, version, .. } = &listed.body.assigned;
            assert_eq!(given.0, number);
            let latest = versions.entry((listed.store, stream)).or_default();
            *latest += 1;
            assert_eq!(version.0, *latest);
        }
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn every_answer_is_the_one_of_a_list_of_all_events(steps in vec(any_step(), 0..60)) {
        let mut story = Story::new();
        steps.iter().for_each(|step| story.take(step));
        story.check_gapless();
        prop_assert_eq!(story.world.replayed(), story.world.partition);
    }
}

/// The story's words do what they are there for: else the property above says little.
#[test]
fn stories_reach_far() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut heard: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..40 {
        let steps = vec(any_step(), 60).new_tree(&mut runner).unwrap().current();
        let mut story = Story::new();
        steps.iter().for_each(|step| story.take(step));
        story.heard.iter().for_each(|(what, count)| *heard.entry(what).or_default() += count);
    }
    let what: Vec<&str> = heard.keys().copied().collect();
    let all = ["again", "appended", "boundary moved", "index behind", "stale", "stream moved"];
    assert_eq!(what, all);
    assert!(heard.values().all(|count| *count > 20), "{heard:?}");
}
