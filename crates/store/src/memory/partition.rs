//! The batches of one partition in memory.

use std::collections::VecDeque;

use bytes::Bytes;
use lineside_core::fact::Batch;
use lineside_core::id::{BodyRef, Place, Position};
use lineside_engine::living::LivingSet;

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
    Bodies(Bodies),
}

impl Slot {
    fn size(&self) -> u64 {
        match self {
            Slot::Whole(batch) => size_estimate(batch),
            Slot::Bodies(bodies) => bodies.iter().map(|(_, body)| body.len() as u64).sum(),
        }
    }

    fn bodies(&self) -> &Bodies {
        match self {
            Slot::Whole(batch) => &batch.facts.bodies,
            Slot::Bodies(bodies) => bodies,
        }
    }

    /// Keeps the bodies at these places.
    fn thin(&mut self, living: &[Place]) {
        let bodies = match self {
            Slot::Whole(batch) => std::mem::take(&mut batch.facts.bodies),
            Slot::Bodies(bodies) => std::mem::take(bodies),
        };
        let lives = |index: u32| living.binary_search_by_key(&index, |place| place.index).is_ok();
        *self = Slot::Bodies(bodies.into_iter().filter(|(index, _)| lives(*index)).collect());
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
            Slot::Bodies(_) => None,
        })
    }

    pub(super) fn body(&self, body: BodyRef) -> Option<Bytes> {
        let bodies = self.slot(body.place.position)?.bodies();
        let found = bodies.binary_search_by_key(&body.place.index, |(index, _)| *index).ok()?;
        let (_, bytes) = bodies.get(found)?;
        (u32::try_from(bytes.len()) == Ok(body.len)).then(|| bytes.clone())
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
    matches!(slot, Slot::Bodies(bodies) if bodies.is_empty())
}
