//! The heads of events that the index does not have, and where each thing that a query may name is
//! among them.

use std::collections::{BTreeMap, VecDeque};

use minicbor::{Decode, Encode};

use super::append::FirstAppend;
use super::event::{EventHead, category_of};
use super::fact::Appended;
use super::query::{Query, QueryItem};
use super::reply::{RecentEvent, RecentHead};
use crate::id::{BodyRef, EventNumber, Label, Place, QueueId, Seq, Version};
use crate::parts::{Chunked, Weigh};
use crate::stamp::Stamp;

/// What is kept of an event. The numbers are the format on disk.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(super) struct Recent {
    #[n(0)]
    stream: Label,
    #[n(1)]
    version: Version,
    #[n(2)]
    kind: Label,
    #[n(3)]
    tags: Vec<Label>,
    #[n(4)]
    correlation: Option<Label>,
    #[n(5)]
    index: u32,
    #[n(6)]
    count: u32,
    #[n(7)]
    body: BodyRef,
    #[n(8)]
    stamp: Stamp,
}

/// Events by number. Everything beside `heads` is a function of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Recents {
    heads: Chunked<Recent>,
    streams: Terms,
    categories: Terms,
    kinds: Terms,
    tags: Terms,
    correlations: Terms,
}

/// By what a query may name, the events that have it. A tree, not a hash table, so that nothing
/// hangs on a seed.
#[derive(Clone, Debug, Default, PartialEq)]
struct Terms(BTreeMap<Label, Postings>);

/// Numbers of events, ascending; twice that of an event that has a tag twice.
#[derive(Clone, Debug, Default, PartialEq)]
struct Postings(VecDeque<EventNumber>);

/// How many more look-ups a command may make.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

/// A command would have made more look-ups than it may.
#[derive(Debug, PartialEq)]
pub(super) struct Spent;

/// Bytes of an entry in the lists of numbers, and of its share of the tree that leads to them.
const TERM_BYTES: u64 = 64;

impl Weigh for Recent {
    fn beyond(&self) -> u64 {
        let labels = self.stream.beyond() + self.kind.beyond() + self.correlation.beyond();
        let tags: u64 = self.tags.iter().map(Weigh::beyond).sum();
        labels + self.tags.beyond() + tags + TERM_BYTES * self.terms() as u64
    }
}

impl Recent {
    /// The event of a fact that stands at `place`.
    pub(super) fn of(stamp: Stamp, place: Place, appended: &Appended) -> Recent {
        let Appended { stream, version, kind, tags, correlation, len, index, count, .. } =
            appended.clone();
        let body = BodyRef { place, len };
        Recent { stream, version, kind, tags, correlation, index, count, body, stamp }
    }

    /// For whoever indexes it.
    pub(super) fn to_index(&self, store: QueueId, number: EventNumber) -> RecentEvent {
        let Recent { stream, version, kind, tags, correlation, index, count, body, stamp } =
            self.clone();
        let head = RecentHead { stream, kind, tags, correlation };
        RecentEvent { store, number, stamp, body, version, index, count, head }
    }

    /// How many entries it has in the lists of numbers.
    pub(super) fn terms(&self) -> usize {
        3 + self.tags.len() + usize::from(self.correlation.is_some())
    }

    /// Whether it is the last event of its append.
    pub(super) fn ends_append(&self) -> bool {
        self.index.saturating_add(1) >= self.count
    }

    /// Whether it is the first event of its append.
    pub(super) fn begins_append(&self) -> bool {
        self.index == 0
    }

    /// The numbers of the first and the last event of its append.
    fn append_range(&self, number: EventNumber) -> (EventNumber, EventNumber) {
        let first = EventNumber(number.0.saturating_sub(u64::from(self.index)));
        (first, first.plus(u64::from(self.count).saturating_sub(1)))
    }

    fn head(&self) -> EventHead<'_> {
        let Recent { stream, kind, tags, correlation, .. } = self;
        EventHead { stream, kind, tags, correlation: correlation.as_ref() }
    }
}

impl Recents {
    /// Those of a checkpoint.
    pub(super) fn of(heads: Chunked<Recent>) -> Recents {
        let mut recents = Recents::default();
        for (seq, recent) in heads.iter() {
            recents.add_terms(EventNumber(seq.0), recent);
        }
        Recents { heads, ..recents }
    }

    pub(super) fn heads(&self) -> &Chunked<Recent> {
        &self.heads
    }

    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.heads.bytes()
    }

    /// Those after a number.
    pub(super) fn after(
        &self,
        number: EventNumber,
    ) -> impl Iterator<Item = (EventNumber, &Recent)> {
        self.heads.from(Seq(number.0).next()).map(|(seq, recent)| (EventNumber(seq.0), recent))
    }

    /// Those from the oldest on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EventNumber, &Recent)> {
        self.heads.iter().map(|(seq, recent)| (EventNumber(seq.0), recent))
    }

    /// Takes in an event that is newer than all.
    pub(super) fn push(&mut self, number: EventNumber, recent: Recent) {
        self.add_terms(number, &recent);
        self.heads.insert(Seq(number.0), recent);
    }

    /// Lets go all events up to this one.
    pub(super) fn drop_upto(&mut self, upto: EventNumber) {
        while let Some((seq, _)) = self.heads.first().filter(|(seq, _)| seq.0 <= upto.0) {
            let Some(recent) = self.heads.remove(seq) else { return };
            self.remove_terms(EventNumber(seq.0), &recent);
        }
    }

    fn add_terms(&mut self, number: EventNumber, recent: &Recent) {
        let EventHead { stream, kind, tags, correlation } = recent.head();
        let category = category_of(stream.as_str());
        self.streams.add(stream.as_str(), number, || stream.clone());
        self.categories.add(category, number, || Label::new(category));
        self.kinds.add(kind.as_str(), number, || kind.clone());
        for tag in tags {
            self.tags.add(tag.as_str(), number, || tag.clone());
        }
        if let Some(correlation) = correlation {
            self.correlations.add(correlation.as_str(), number, || correlation.clone());
        }
    }

    fn remove_terms(&mut self, number: EventNumber, recent: &Recent) {
        let EventHead { stream, kind, tags, correlation } = recent.head();
        self.streams.drop_upto(stream, number);
        self.categories.drop_upto(category_of(stream.as_str()), number);
        self.kinds.drop_upto(kind, number);
        tags.iter().for_each(|tag| self.tags.drop_upto(tag, number));
        correlation.into_iter().for_each(|id| self.correlations.drop_upto(id, number));
    }

    /// The version of a stream, if any of its events is here.
    pub(super) fn version(&self, stream: &Label) -> Option<Version> {
        let number = self.streams.0.get(stream)?.0.back()?;
        self.heads.get(Seq(number.0)).map(|recent| recent.version)
    }

    /// The append that an event came with.
    pub(super) fn append_of(&self, number: EventNumber) -> Option<FirstAppend> {
        let (first, last) = self.heads.get(Seq(number.0))?.append_range(number);
        let mut streams: Vec<(Label, Version)> = Vec::new();
        let mut indexes: BTreeMap<&Label, usize> = BTreeMap::new();
        let events = self.heads.from(Seq(first.0)).take_while(|(seq, _)| seq.0 <= last.0);
        for (_, event) in events {
            let index = *indexes.entry(&event.stream).or_insert(streams.len());
            match streams.get_mut(index) {
                Some((_, version)) => *version = event.version,
                None => streams.push((event.stream.clone(), event.version)),
            }
        }
        Some(FirstAppend { first, last, streams })
    }

    /// The newest event after `after` that a query means.
    pub(super) fn newest(
        &self,
        query: &Query,
        after: EventNumber,
        budget: &mut Budget,
    ) -> Result<Option<EventNumber>, Spent> {
        let last = EventNumber(self.heads.last_seq().0);
        self.best(query, |parts| {
            if parts.is_empty() {
                return Ok(Some(last).filter(|last| *last > after));
            }
            meet(parts, last, budget, |part, at| part.at_or_below(at).filter(|at| *at > after))
        })
        .map(|found| found.into_iter().max())
    }

    /// The oldest event after `after` that a query means.
    pub(super) fn oldest(
        &self,
        query: &Query,
        after: EventNumber,
        budget: &mut Budget,
    ) -> Result<Option<EventNumber>, Spent> {
        let from = after.next();
        self.best(query, |parts| {
            if parts.is_empty() {
                let first = self.heads.from(Seq(from.0)).next();
                return Ok(first.map(|(seq, _)| EventNumber(seq.0)));
            }
            meet(parts, from, budget, |part, at| part.at_or_above(at))
        })
        .map(|found| found.into_iter().min())
    }

    /// What `find` says about each item of a query of which all that it names is here.
    fn best(
        &self,
        query: &Query,
        mut find: impl FnMut(&[Part<'_>]) -> Result<Option<EventNumber>, Spent>,
    ) -> Result<Vec<EventNumber>, Spent> {
        if query.items.is_empty() {
            return Ok(find(&[])?.into_iter().collect());
        }
        let items = query.items.iter().filter_map(|item| self.parts(item));
        items.filter_map(|parts| find(&parts).transpose()).collect()
    }

    /// The lists whose common numbers are the events that fit an item; none if something that it
    /// names is not here.
    fn parts(&self, item: &QueryItem) -> Option<Vec<Part<'_>>> {
        let mut parts = Vec::new();
        if !item.types.is_empty() {
            let lists: Vec<_> =
                item.types.iter().filter_map(|kind| self.kinds.0.get(kind)).collect();
            parts.push(Part(lists));
        }
        let single = [
            (&self.streams, &item.stream),
            (&self.categories, &item.category),
            (&self.correlations, &item.correlation),
        ];
        let single = single.into_iter().filter_map(|(terms, label)| Some((terms, label.as_ref()?)));
        let tags = item.tags.iter().map(|tag| (&self.tags, tag));
        for (terms, label) in single.chain(tags) {
            parts.push(Part(vec![terms.0.get(label)?]));
        }
        Some(parts)
    }
}

impl Terms {
    fn add(&mut self, text: &str, number: EventNumber, label: impl FnOnce() -> Label) {
        match self.0.get_mut(text) {
            Some(postings) => postings.push(number),
            None => self.0.entry(label()).or_default().push(number),
        }
    }

    fn drop_upto<Q: Ord + ?Sized>(&mut self, text: &Q, number: EventNumber)
    where
        Label: std::borrow::Borrow<Q>,
    {
        let Some(postings) = self.0.get_mut(text) else { return };
        postings.drop_upto(number);
        if postings.0.is_empty() {
            self.0.remove(text);
        }
    }
}

impl Postings {
    fn push(&mut self, number: EventNumber) {
        self.0.push_back(number);
    }

    fn drop_upto(&mut self, number: EventNumber) {
        while self.0.front().is_some_and(|first| *first <= number) {
            self.0.pop_front();
        }
        // What is left must not keep the room of all.
        if self.0.capacity() > 64 + 4 * self.0.len() {
            self.0.shrink_to(2 * self.0.len());
        }
    }
}

/// Lists of which an event has to be in any.
struct Part<'a>(Vec<&'a Postings>);

impl Part<'_> {
    fn at_or_below(&self, number: EventNumber) -> Option<EventNumber> {
        let each = self.0.iter().filter_map(|postings| {
            let index = postings.0.partition_point(|known| *known <= number).checked_sub(1)?;
            postings.0.get(index).copied()
        });
        each.max()
    }

    fn at_or_above(&self, number: EventNumber) -> Option<EventNumber> {
        let each = self.0.iter().filter_map(|postings| {
            postings.0.get(postings.0.partition_point(|known| *known < number)).copied()
        });
        each.min()
    }
}

/// The first number, from `from` on in the direction of `step`, that all parts have: each is asked
/// for its next one in turn, until all have said the same. So a list that is long is not walked
/// where another one is short.
fn meet(
    parts: &[Part<'_>],
    from: EventNumber,
    budget: &mut Budget,
    step: impl Fn(&Part<'_>, EventNumber) -> Option<EventNumber>,
) -> Result<Option<EventNumber>, Spent> {
    let (mut at, mut agreed) = (from, 0);
    for part in parts.iter().cycle() {
        budget.spend(part.0.len().max(1))?;
        let Some(next) = step(part, at) else { return Ok(None) };
        agreed = if next == at { agreed + 1 } else { 1 };
        at = next;
        if agreed == parts.len() {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

impl Budget {
    pub(super) fn of(left: usize) -> Budget {
        Budget { left }
    }

    fn spend(&mut self, count: usize) -> Result<(), Spent> {
        self.left = self.left.checked_sub(count).ok_or(Spent)?;
        Ok(())
    }
}
