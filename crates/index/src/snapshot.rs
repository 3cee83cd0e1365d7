//! Questions, answered as of one moment.

use std::sync::Arc;

use lineside_core::events::Query;
use lineside_core::id::{EventNumber, QueueId, Version};
use lineside_core::stamp::Stamp;

use crate::event::{Entry, Order, Row};
use crate::fault::Fault;
use crate::part::{Content, Part};
use crate::posting::{Stored, nearest};
use crate::run::Run;
use crate::search::{Budget, Matches, Shelf, Step};
use crate::table::GROUP;
use crate::term::{Groups, Term, items_of};

/// What there is, oldest first; the parts follow the runs, and the last part is still growing.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) runs: Vec<Arc<Run>>,
    pub(crate) parts: Vec<Arc<Part>>,
}

impl View {
    /// The last number that is on disk; 0 if none is.
    pub(crate) fn durable_end(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.last())
    }

    /// The last number; 0 if there is none.
    pub(crate) fn end(&self) -> u64 {
        self.parts.last().map_or(self.durable_end(), |part| part.last())
    }
}

/// What is asked of [`Snapshot::find`].
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The event store.
    pub store: QueueId,
    /// What events have to match. One without items matches every event of the store.
    pub query: &'a Query,
    /// The lowest number that is looked at.
    pub from: EventNumber,
    /// The highest number that is looked at; beyond the end is fine.
    pub to: EventNumber,
    /// Which of them come first.
    pub order: Order,
    /// How many at most; 0 is taken for 1.
    pub limit: usize,
    /// How much is looked at, in postings (some ten nanoseconds each when they are in memory); a
    /// call overruns it by at most some 1,300 for each item and term of the query.
    pub budget: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order that was asked for.
    pub entries: Vec<Entry>,
    /// Where to go on: the next `from` ([`Order::OldestFirst`]) or `to` ([`Order::NewestFirst`]).
    /// `None` if everything in the range was looked at. It is always further on than where this
    /// call began, also when nothing was found.
    pub next: Option<EventNumber>,
}

/// What came of looking for one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// This one.
    Hit(Entry),
    /// There is none.
    Nothing,
    /// The budget was spent; go on from here.
    GoOn(EventNumber),
}

/// The index at one moment. It is cheap, it does not change, and nothing waits for it. Files that
/// it reads stay until it is dropped.
#[derive(Clone, Debug)]
pub struct Snapshot {
    view: Arc<View>,
    end: u64,
}

impl Snapshot {
    pub(crate) fn new(view: Arc<View>) -> Snapshot {
        let end = view.end();
        Snapshot { view, end }
    }

    /// Every event up to this number, inclusive, is inside; 0 if there is none.
    pub fn end(&self) -> EventNumber {
        EventNumber(self.end)
    }

    /// The events that match, a page at a time.
    ///
    /// Events are matched by hashes of 128 bits, so an event that does not match could come along
    /// if two hashes were the same; whoever must not rely on hashes calls `Query::matches` on what
    /// he reads from the log. No event that matches is ever left out.
    pub fn find(&self, ask: &Ask<'_>) -> Result<Found, Fault> {
        let items = items_of(ask.store, ask.query);
        let (mut found, mut budget) = (Found::default(), Budget(ask.budget.max(1)));
        let mut range = (ask.from.0.max(1), ask.to.0.min(self.end));
        for shelf in self.shelves(ask.order) {
            if found.entries.len() >= ask.limit.max(1) || budget.is_spent() {
                found.next = rest(range, ask.order);
                break;
            }
            let shelf = shelf.shelf();
            found.next = search(&shelf, &items, ask, range, &mut budget, &mut found.entries)?;
            if found.next.is_some() {
                break;
            }
            range = without(range, &shelf, ask.order);
        }
        Ok(found)
    }

    /// The newest event of those after `after`, up to `to` inclusive, that matches.
    /// [`Sought::GoOn`] names the next `to`.
    pub fn newest_match(
        &self,
        store: QueueId,
        query: &Query,
        (after, to): (EventNumber, EventNumber),
        budget: u64,
    ) -> Result<Sought, Fault> {
        let from = EventNumber(after.0.saturating_add(1));
        let order = Order::NewestFirst;
        self.one(&Ask { store, query, from, to, order, limit: 1, budget })
    }

    /// The first event, from `from` on, that matches; its append is [`Entry::append`].
    /// [`Sought::GoOn`] names the next `from`.
    pub fn first_match(
        &self,
        store: QueueId,
        query: &Query,
        from: EventNumber,
        budget: u64,
    ) -> Result<Sought, Fault> {
        let (to, order) = (self.end(), Order::OldestFirst);
        self.one(&Ask { store, query, from, to, order, limit: 1, budget })
    }

    fn one(&self, ask: &Ask<'_>) -> Result<Sought, Fault> {
        let found = self.find(ask)?;
        Ok(match (found.entries.first(), found.next) {
            (Some(entry), _) => Sought::Hit(*entry),
            (None, Some(next)) => Sought::GoOn(next),
            (None, None) => Sought::Nothing,
        })
    }

    /// The version of a stream: that of its last event; 0 if it has none.
    pub fn version(&self, store: QueueId, stream: &str) -> Result<Version, Fault> {
        let term = Term::stream(store, stream);
        for shelf in self.shelves(Order::NewestFirst) {
            if let Some(version) = self.version_on(shelf, term)? {
                return Ok(version);
            }
        }
        Ok(Version(0))
    }

    fn version_on(&self, shelf: Shelved<'_>, term: Term) -> Result<Option<Version>, Fault> {
        match shelf {
            Shelved::Run(run) => Ok(run.entry(term)?.map(|entry| entry.version)),
            Shelved::Part(part) => {
                let content = part.read();
                let Some(end) = self.end_in(part) else { return Ok(None) };
                let list = content.list(term).unwrap_or_default();
                let last = nearest(list, end, Order::NewestFirst);
                Ok(last.and_then(|number| content.row(number)).map(|row| row.version))
            }
        }
    }

    /// The highest number in a part that this snapshot sees, relative to the part's first.
    fn end_in(&self, part: &Part) -> Option<u32> {
        u32::try_from(self.end.checked_sub(part.first)?).ok()
    }

    /// The number of the event that has this version in its stream; `None` if there is none, or
    /// if it was added without its stream, since nobody could read it.
    pub fn number_of(
        &self,
        store: QueueId,
        stream: &str,
        version: Version,
    ) -> Result<Option<EventNumber>, Fault> {
        let term = Term::stream(store, stream);
        for shelf in self.shelves(Order::NewestFirst) {
            let Some(last) = self.version_on(shelf, term)? else { continue };
            if version > last {
                return Ok(None);
            }
            let (number, is_here) = match shelf {
                Shelved::Run(run) => of_version(&mut RunList::new(run, term)?, version, last)?,
                Shelved::Part(part) => {
                    let content = part.read();
                    let seen = content.list(term).unwrap_or_default();
                    let end = self.end_in(part).unwrap_or(0);
                    let seen = seen.partition_point(|number| *number <= end);
                    of_version(&mut PartList { content: &content, term, seen }, version, last)?
                }
            };
            if is_here {
                let number = number.map(|number| shelf.first().saturating_add(u64::from(number)));
                return Ok(number.map(EventNumber));
            }
        }
        Ok(None)
    }

    /// What is kept of an event; `None` if it is not inside.
    pub fn get(&self, number: EventNumber) -> Result<Option<Entry>, Fault> {
        if number.0 == 0 || number.0 > self.end {
            return Ok(None);
        }
        for shelf in self.shelves(Order::NewestFirst) {
            let Some(relative) = number.0.checked_sub(shelf.first()) else { continue };
            let relative = u32::try_from(relative).unwrap_or(u32::MAX);
            let row = match shelf {
                Shelved::Run(run) => Some(run.row(relative)?),
                Shelved::Part(part) => part.read().row(relative).copied(),
            };
            return Ok(row.map(|row| Entry { number, row }));
        }
        Ok(None)
    }

    /// The last event of the partition that was recorded at or before a stamp; 0 if none was.
    pub fn number_at(&self, stamp: Stamp) -> Result<EventNumber, Fault> {
        for shelf in self.shelves(Order::NewestFirst) {
            let by = match shelf {
                Shelved::Run(run) => run.recorded_by(stamp)?,
                Shelved::Part(part) => {
                    part.read().rows.partition_point(|row| row.stamp <= stamp) as u64
                }
            };
            if by > 0 {
                let number = shelf.first().saturating_add(by).saturating_sub(1);
                return Ok(EventNumber(number.min(self.end)));
            }
        }
        Ok(EventNumber(0))
    }

    fn shelves(&self, order: Order) -> impl Iterator<Item = Shelved<'_>> {
        let runs = self.view.runs.iter().map(|run| Shelved::Run(run));
        let parts = self.view.parts.iter().map(|part| Shelved::Part(part));
        let mut shelves: Vec<Shelved<'_>> = runs.chain(parts).collect();
        if order == Order::NewestFirst {
            shelves.reverse();
        }
        shelves.into_iter()
    }
}

/// A run or a part of a view.
#[derive(Clone, Copy)]
enum Shelved<'a> {
    Run(&'a Run),
    Part(&'a Part),
}

impl<'a> Shelved<'a> {
    fn first(self) -> u64 {
        match self {
            Shelved::Run(run) => run.first(),
            Shelved::Part(part) => part.first,
        }
    }

    fn shelf(self) -> Shelf<'a> {
        match self {
            Shelved::Run(run) => Shelf::Run(run),
            Shelved::Part(part) => Shelf::Part(part.first, part.read()),
        }
    }
}

/// The events of a stream on a shelf, by rank.
trait Ranked {
    fn count(&self) -> u32;
    /// Number and version of the event at this rank.
    fn at(&mut self, rank: u32) -> Result<(u32, Version), Fault>;
}

struct RunList<'a> {
    run: &'a Run,
    list: Option<Stored<'a>>,
}

impl<'a> RunList<'a> {
    fn new(run: &'a Run, term: Term) -> Result<RunList<'a>, Fault> {
        Ok(RunList { run, list: run.list(term)? })
    }
}

impl Ranked for RunList<'_> {
    fn count(&self) -> u32 {
        self.list.as_ref().map_or(0, Stored::count)
    }

    fn at(&mut self, rank: u32) -> Result<(u32, Version), Fault> {
        let number = self.list.as_mut().map_or(Ok(None), |list| list.ranked(rank))?;
        let number =
            number.ok_or_else(|| self.run.pages.damage("a list is shorter than it says"))?;
        Ok((number, self.run.row(number)?.version))
    }
}

struct PartList<'a> {
    content: &'a Content,
    term: Term,
    seen: usize,
}

impl Ranked for PartList<'_> {
    fn count(&self) -> u32 {
        u32::try_from(self.seen).unwrap_or(u32::MAX)
    }

    fn at(&mut self, rank: u32) -> Result<(u32, Version), Fault> {
        let list = self.content.list(self.term).unwrap_or_default();
        let number = list.get(rank as usize).copied().unwrap_or_default();
        let version = self.content.row(number).map(|row| row.version);
        Ok((number, version.unwrap_or_default()))
    }
}

/// The number of a version in a list whose last version is `last`; and whether the version would
/// be in this list, if anywhere.
fn of_version(
    list: &mut dyn Ranked,
    version: Version,
    last: Version,
) -> Result<(Option<u32>, bool), Fault> {
    let back = u32::try_from(last.0.saturating_sub(version.0)).unwrap_or(u32::MAX);
    // Versions have no gaps, so the rank follows from the version; but for events that were lost.
    if let Some(rank) = list.count().checked_sub(back).and_then(|rank| rank.checked_sub(1)) {
        let (number, found) = list.at(rank)?;
        if found == version {
            return Ok((Some(number), true));
        }
    }
    let (mut low, mut high) = (0, list.count());
    while low < high {
        let middle = low.midpoint(high);
        let is_before = list.at(middle)?.1 < version;
        (low, high) = if is_before { (middle.saturating_add(1), high) } else { (low, middle) };
    }
    if low == list.count() {
        return Ok((None, true));
    }
    let (number, found) = list.at(low)?;
    let hit = (found == version).then_some(number);
    Ok((hit, hit.is_some() || low > 0))
}

/// Where to go on if a range is left, from its near end.
fn rest((from, to): (u64, u64), order: Order) -> Option<EventNumber> {
    let near = if order == Order::OldestFirst { from } else { to };
    (from <= to && to > 0).then_some(EventNumber(near))
}

/// What is left of a range once a shelf was looked at.
fn without((from, to): (u64, u64), shelf: &Shelf<'_>, order: Order) -> (u64, u64) {
    match order {
        Order::OldestFirst => (from.max(shelf.last().saturating_add(1)), to),
        Order::NewestFirst => (from, to.min(shelf.first().saturating_sub(1))),
    }
}

/// Looks through one shelf. Says where to go on if it stopped before its end.
fn search(
    shelf: &Shelf<'_>,
    items: &[Groups],
    ask: &Ask<'_>,
    (from, to): (u64, u64),
    budget: &mut Budget,
    found: &mut Vec<Entry>,
) -> Result<Option<EventNumber>, Fault> {
    let (first, order) = (shelf.first(), ask.order);
    let (low, high) = (from.max(first), to.min(shelf.last()));
    if low > high {
        return Ok(None);
    }
    let relative = |number: u64| u32::try_from(number.saturating_sub(first)).unwrap_or(u32::MAX);
    let (low, high) = (relative(low), relative(high));
    let mut at = if order == Order::OldestFirst { low } else { high };
    let number = |at: u32| EventNumber(first.saturating_add(u64::from(at)));
    let mut matches = Matches::new(shelf, items, order, budget)?;
    let mut rows = Rows { shelf, group: None };
    loop {
        let hit = match matches.step(at, budget)? {
            Step::At(hit) | Step::Spent(hit) if !(low..=high).contains(&hit) => return Ok(None),
            Step::End => return Ok(None),
            // Only the item's share was spent, not all of it.
            Step::Spent(next) if !budget.is_spent() => {
                at = next;
                continue;
            }
            Step::Spent(next) => return Ok(Some(number(next))),
            Step::At(hit) => hit,
        };
        found.extend(rows.get(hit)?.map(|row| Entry { number: number(hit), row }));
        let next = match order {
            Order::OldestFirst => hit.checked_add(1).filter(|next| *next <= high),
            Order::NewestFirst => hit.checked_sub(1).filter(|next| *next >= low),
        };
        let Some(next) = next else { return Ok(None) };
        if found.len() >= ask.limit || budget.is_spent() {
            return Ok(Some(number(next)));
        }
        at = next;
    }
}

/// The rows of a shelf; those of the last group are remembered, since matches lie together.
struct Rows<'a> {
    shelf: &'a Shelf<'a>,
    group: Option<(u32, Vec<Row>)>,
}

impl Rows<'_> {
    fn get(&mut self, number: u32) -> Result<Option<Row>, Fault> {
        let run = match self.shelf {
            Shelf::Run(run) => run,
            Shelf::Part(_, part) => return Ok(part.row(number).copied()),
        };
        let wanted = number / GROUP;
        if self.group.as_ref().is_none_or(|(group, _)| *group != wanted) {
            self.group = Some((wanted, run.group(wanted)?));
        }
        let rows = self.group.as_ref().map(|(_, rows)| rows.as_slice()).unwrap_or_default();
        let row = rows.get((number % GROUP) as usize).copied();
        row.map(Some).ok_or_else(|| run.pages.damage("a list names an event beyond its end"))
    }
}
