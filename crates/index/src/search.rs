//! Searching one shelf (a run or a part) for the events that match: the rarest list of an item
//! leads, the others are asked whether they have what it has, and the items are merged.

use std::sync::RwLockReadGuard;

use crate::event::Order;
use crate::fault::Fault;
use crate::part::Content;
use crate::posting::{Stored, nearest};
use crate::run::Run;
use crate::term::{Groups, Term};

/// Where events are looked for.
pub(crate) enum Shelf<'a> {
    Run(&'a Run),
    Part(u64, RwLockReadGuard<'a, Content>),
}

impl Shelf<'_> {
    /// The number of the first event.
    pub(crate) fn first(&self) -> u64 {
        match self {
            Shelf::Run(run) => run.first(),
            Shelf::Part(first, _) => *first,
        }
    }

    /// The number of the last event.
    pub(crate) fn last(&self) -> u64 {
        match self {
            Shelf::Run(run) => run.last(),
            Shelf::Part(first, part) => {
                first.saturating_add(part.rows.len() as u64).saturating_sub(1)
            }
        }
    }

    fn list(&self, term: Term) -> Result<Option<List<'_>>, Fault> {
        match self {
            Shelf::Run(run) => Ok(run.list(term)?.map(List::Stored)),
            Shelf::Part(_, part) => Ok(part.list(term).map(List::Memory)),
        }
    }
}

/// How much may still be looked at: numbers decoded, steps of searches, terms looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget(pub(crate) u64);

impl Budget {
    pub(crate) fn spend(&mut self, cost: u64) {
        self.0 = self.0.saturating_sub(cost);
    }

    pub(crate) fn is_spent(self) -> bool {
        self.0 == 0
    }
}

/// What an item may look at in any case: some blocks, so that it gets on by more than it costs to
/// come back.
const SHARE_MIN: u64 = 1_024;

/// What a list, or what is made of lists, has next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// This number.
    At(u32),
    /// Nothing any more.
    End,
    /// Nothing before this number; it was not looked at itself, since the budget is spent.
    Spent(u32),
}

impl Step {
    fn number(self) -> Option<u32> {
        match self {
            Step::At(number) | Step::Spent(number) => Some(number),
            Step::End => None,
        }
    }
}

/// Whether `a` comes before `b` in this direction.
fn is_before(a: u32, b: u32, order: Order) -> bool {
    match order {
        Order::OldestFirst => a < b,
        Order::NewestFirst => a > b,
    }
}

/// Of two numbers that which comes first in this direction.
fn nearer(a: Option<u32>, b: Option<u32>, order: Order) -> Option<u32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if is_before(b, a, order) { b } else { a }),
        (a, b) => a.or(b),
    }
}

/// The numbers of one term.
enum List<'a> {
    Memory(&'a [u32]),
    Stored(Stored<'a>),
}

impl List<'_> {
    fn count(&self) -> u64 {
        match self {
            List::Memory(numbers) => numbers.len() as u64,
            List::Stored(stored) => u64::from(stored.count()),
        }
    }

    fn seek(&mut self, from: u32, order: Order, budget: &mut Budget) -> Result<Option<u32>, Fault> {
        match self {
            List::Memory(numbers) => {
                budget.spend(1);
                Ok(nearest(numbers, from, order))
            }
            List::Stored(stored) => {
                let found = stored.seek(from, order);
                budget.spend(stored.take_cost());
                found
            }
        }
    }
}

/// A list, and what was last seen in it; nothing seen means that it was not asked yet.
struct Head<'a> {
    list: List<'a>,
    seen: Option<Option<u32>>,
}

impl Head<'_> {
    fn seek(&mut self, from: u32, order: Order, budget: &mut Budget) -> Result<Option<u32>, Fault> {
        let is_passed = |seen: Option<u32>| seen.is_some_and(|seen| is_before(seen, from, order));
        match self.seen {
            Some(seen) if !is_passed(seen) => Ok(seen),
            _ => {
                let found = self.list.seek(from, order, budget)?;
                self.seen = Some(found);
                Ok(found)
            }
        }
    }
}

/// Those that have any of some terms.
struct Group<'a>(Vec<Head<'a>>);

impl<'a> Group<'a> {
    fn new(shelf: &'a Shelf<'_>, terms: &[Term], budget: &mut Budget) -> Result<Group<'a>, Fault> {
        let mut heads = Vec::new();
        for term in terms {
            budget.spend(1);
            heads.extend(shelf.list(*term)?.map(|list| Head { list, seen: None }));
        }
        Ok(Group(heads))
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|head| head.list.count()).sum()
    }

    fn seek(&mut self, from: u32, order: Order, budget: &mut Budget) -> Result<Option<u32>, Fault> {
        let mut found = None;
        for head in &mut self.0 {
            found = nearer(found, head.seek(from, order, budget)?, order);
        }
        Ok(found)
    }
}

/// Those that have one of each group's terms: the rarest group first.
struct Item<'a> {
    groups: Vec<Group<'a>>,
    seen: Option<Step>,
}

impl<'a> Item<'a> {
    /// `None` if a group has nobody on this shelf.
    fn new(
        shelf: &'a Shelf<'_>,
        terms: &Groups,
        budget: &mut Budget,
    ) -> Result<Option<Item<'a>>, Fault> {
        let mut groups = Vec::new();
        for terms in &terms.0 {
            let group = Group::new(shelf, terms, budget)?;
            if group.0.is_empty() {
                return Ok(None);
            }
            groups.push(group);
        }
        groups.sort_by_key(Group::count);
        Ok(Some(Item { groups, seen: None }))
    }

    fn step(&mut self, from: u32, order: Order, budget: &mut Budget) -> Result<Step, Fault> {
        match self.seen {
            Some(Step::End) => Ok(Step::End),
            Some(Step::At(seen)) if !is_before(seen, from, order) => Ok(Step::At(seen)),
            _ => {
                let step = self.leap(from, order, budget)?;
                self.seen = Some(step);
                Ok(step)
            }
        }
    }

    /// The first number from `from` on that all groups have. Each group in turn is asked for the
    /// number that the one before it had, until all agree.
    fn leap(&mut self, from: u32, order: Order, budget: &mut Budget) -> Result<Step, Fault> {
        let (mut at, mut agreed, count) = (from, 0, self.groups.len());
        for turn in 0_usize.. {
            let group = self.groups.get_mut(turn % count.max(1));
            let Some(found) = group.map_or(Ok(None), |group| group.seek(at, order, budget))? else {
                return Ok(Step::End);
            };
            agreed = if found == at && turn > 0 { agreed + 1 } else { 1 };
            if agreed == count {
                return Ok(Step::At(found));
            }
            // Only once it is further on than `from`, so that whoever comes back for the rest
            // finds himself further on too.
            if budget.is_spent() && is_before(from, found, order) {
                return Ok(Step::Spent(found));
            }
            at = found;
        }
        Ok(Step::End)
    }
}

/// The numbers on a shelf that match one of several items.
pub(crate) struct Matches<'a> {
    items: Vec<Item<'a>>,
    order: Order,
}

impl<'a> Matches<'a> {
    pub(crate) fn new(
        shelf: &'a Shelf<'_>,
        items: &[Groups],
        order: Order,
        budget: &mut Budget,
    ) -> Result<Matches<'a>, Fault> {
        let mut found = Vec::new();
        for item in items {
            found.extend(Item::new(shelf, item, budget)?);
        }
        Ok(Matches { items: found, order })
    }

    /// The first match from `from` on.
    pub(crate) fn step(&mut self, from: u32, budget: &mut Budget) -> Result<Step, Fault> {
        let mut nearest: Option<Step> = None;
        let mut left = self.items.len() as u64;
        for item in &mut self.items {
            // A share for each: if the first could spend it all, the others would get on by one
            // number in each call, and so would the search.
            let share = budget.0.checked_div(left).unwrap_or(0).max(SHARE_MIN);
            let mut own = Budget(share);
            let step = item.step(from, self.order, &mut own);
            budget.spend(share.saturating_sub(own.0));
            left = left.saturating_sub(1);
            let step = step?;
            let Some(number) = step.number() else { continue };
            let held = nearest.and_then(Step::number);
            let comes_first = held.is_none_or(|held| is_before(number, held, self.order));
            // At the same number a match is a match, though another item stopped there.
            let settles = held == Some(number) && matches!(step, Step::At(_));
            if comes_first || settles {
                nearest = Some(step);
            }
        }
        Ok(nearest.unwrap_or(Step::End))
    }
}
