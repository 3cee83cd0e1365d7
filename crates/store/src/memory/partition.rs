//! The batches of one partition in memory.

use std::collections::VecDeque;

use bytes::Bytes;
use lineside_core::fact::{Batch, Fact};
use lineside_core::id::{BodyRef, Place, Position};
use lineside_core::stamp::Stamp;
use lineside_engine::living::LivingSet;
use lineside_engine::log::KeptBody;

use crate::size::size_estimate;

/// Bodies of a batch by the index of their fact, ascending.
type Bodies = Vec<(u32, Bytes)>;

/// The batches, as far as they were not reclaimed.
#[derive(Debug, Default)]
pub(super) struct Partition {
    slots: VecDeque<Slot>,
    /// The position of the first slot.
    base: u64,
    /// All batches that ever were, for the hand of a simulation.
    history: Option<Vec<Batch>>,
}

#[derive(Debug)]
enum Slot {
    Whole(Batch),
    /// What is left of it.
    Thinned(Thinned),
}

/// What is left of a batch.
#[derive(Debug)]
struct Thinned {
    at: Stamp,
    bodies: Bodies,
    /// Which of them are kept whatever is said of them.
    kept: Vec<u32>,
}

impl Slot {
    fn size(&self) -> u64 {
        match self {
            Slot::Whole(batch) => size_estimate(batch),
            Slot::Thinned(left) => left.bodies.iter().map(|(_, body)| body.len() as u64).sum(),
        }
    }

    fn at(&self) -> Stamp {
        match self {
            Slot::Whole(batch) => batch.at,
            Slot::Thinned(left) => left.at,
        }
    }

    fn bodies(&self) -> &Bodies {
        match self {
            Slot::Whole(batch) => &batch.facts.bodies,
            Slot::Thinned(left) => &left.bodies,
        }
    }

    fn is_kept(&self, index: u32) -> bool {
        match self {
            Slot::Whole(batch) => {
                let fact = usize::try_from(index).ok().and_then(|at| batch.facts.facts.get(at));
                fact.is_some_and(Fact::keeps_its_body)
            }
            Slot::Thinned(left) => left.kept.binary_search(&index).is_ok(),
        }
    }

    /// Keeps the bodies at these places, and those that are kept whatever is said of them.
    fn thin(&mut self, living: &[Place]) {
        let at = self.at();
        let is_kept = |(index, _): &&(u32, Bytes)| self.is_kept(*index);
        let kept: Vec<u32> =
            self.bodies().iter().filter(is_kept).map(|(index, _)| *index).collect();
        let bodies = match self {
            Slot::Whole(batch) => std::mem::take(&mut batch.facts.bodies),
            Slot::Thinned(left) => std::mem::take(&mut left.bodies),
        };
        let lives = |index: u32| {
            kept.binary_search(&index).is_ok()
                || living.binary_search_by_key(&index, |place| place.index).is_ok()
        };
        let bodies = bodies.into_iter().filter(|(index, _)| lives(*index)).collect();
        *self = Slot::Thinned(Thinned { at, bodies, kept });
    }
}

impl Partition {
    /// A partition that remembers every batch, if `history` says so.
    pub(super) fn new(history: bool) -> Partition {
        Partition { history: history.then(Vec::new), ..Partition::default() }
    }

    pub(super) fn tail(&self) -> Position {
        Position(self.base.saturating_add(self.slots.len() as u64))
    }

    pub(super) fn push(&mut self, batch: Batch) {
        if let Some(history) = &mut self.history {
            history.push(batch.clone());
        }
        self.slots.push_back(Slot::Whole(batch));
    }

    /// All batches that ever were, if they are remembered.
    pub(super) fn history(&self) -> &[Batch] {
        self.history.as_deref().unwrap_or_default()
    }

    fn slot(&self, position: Position) -> Option<&Slot> {
        let nth = position.0.checked_sub(self.base)?;
        self.slots.get(usize::try_from(nth).ok()?)
    }

    /// The first batch at `at` or behind it that has its facts.
    pub(super) fn at_or_after(&self, at: Position) -> Option<(Position, &Batch)> {
        let first = at.0.max(self.base);
        let skipped = usize::try_from(first.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let slots = (first..).zip(self.slots.iter().skip(skipped));
        slots.into_iter().find_map(|(position, slot)| match slot {
            Slot::Whole(batch) => Some((Position(position), batch)),
            Slot::Thinned(_) => None,
        })
    }

    pub(super) fn body(&self, body: BodyRef) -> Option<Bytes> {
        let bodies = self.slot(body.place.position)?.bodies();
        let found = bodies.binary_search_by_key(&body.place.index, |(index, _)| *index).ok()?;
        let (_, bytes) = bodies.get(found)?;
        (u32::try_from(bytes.len()) == Ok(body.len)).then(|| bytes.clone())
    }

    /// The bodies that are kept whatever is said of them, from `from` on.
    pub(super) fn kept(&self, from: Position) -> Vec<KeptBody> {
        let slots = (self.base..).zip(&self.slots).filter(|(position, _)| *position >= from.0);
        let kept = slots.flat_map(|(position, slot)| {
            let kept = slot.bodies().iter().filter(|(index, _)| slot.is_kept(*index));
            kept.map(move |(index, bytes)| KeptBody {
                body: BodyRef {
                    place: Place { position: Position(position), index: *index },
                    len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
                },
                at: slot.at(),
                bytes: bytes.clone(),
            })
        });
        kept.collect()
    }

    /// Reclaims what does not live below `below`; how many bytes that was.
    pub(super) fn retain(&mut self, below: Position, living: &LivingSet) -> u64 {
        let mut freed = 0_u64;
        let mut living = living.iter().peekable();
        for (position, slot) in (self.base..below.0).zip(&mut self.slots) {
            while living.next_if(|place| place.position.0 < position).is_some() {}
            let here = |place: &Place| place.position.0 == position;
            let mut places = Vec::new();
            while let Some(place) = living.next_if(here) {
                places.push(place);
            }
            let before = slot.size();
            slot.thin(&places);
            freed = freed.saturating_add(before.saturating_sub(slot.size()));
        }
        while self.slots.pop_front_if(|slot| is_nothing(slot)).is_some() {
            self.base = self.base.saturating_add(1);
        }
        freed
    }
}

fn is_nothing(slot: &Slot) -> bool {
    matches!(slot, Slot::Thinned(left) if left.bodies.is_empty())
}
