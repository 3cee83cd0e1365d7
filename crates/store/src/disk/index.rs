//! Where the batches of one segment stand: position to offset, 4 bytes a batch.

use std::collections::BTreeMap;

use lineside_core::id::{PartitionId, Place, Position};

use super::write::{ALIGNMENT, BodyEntry};

/// The batches of one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SegmentIndex {
    pub(crate) partitions: BTreeMap<PartitionId, Share>,
}

/// What a segment holds of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// The first position.
    pub(crate) first: u64,
    /// How far each position is from the first; empty while each is next to the one before it.
    pub(crate) steps: Vec<u32>,
    /// Of each batch's head, in units of the alignment.
    pub(crate) offsets: Vec<u32>,
    /// How many bodies there are, those outside among them.
    pub(crate) bodies: u64,
    /// Of these, how many are kept whatever is said of them.
    pub(crate) kept: u64,
    /// Bytes of the batches.
    pub(crate) bytes: u64,
    /// Bodies that lie outside, ascending.
    pub(crate) outside: Vec<Outside>,
}

/// A body of a partition that lies outside the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Outside {
    /// Of the fact that brought it.
    pub(crate) place: Place,
    /// Its length.
    pub(crate) len: u32,
    /// It matters whatever is said of it.
    pub(crate) kept: bool,
}

impl Outside {
    /// Those of a batch.
    pub(crate) fn of<'a>(
        position: Position,
        entries: impl IntoIterator<Item = &'a BodyEntry>,
    ) -> Vec<Outside> {
        let outside = entries.into_iter().filter(|entry| entry.outside);
        let place = |entry: &BodyEntry| Place { position, index: entry.index };
        let outside =
            outside.map(|entry| Outside { place: place(entry), len: entry.len, kept: entry.kept });
        outside.collect()
    }
}

/// A batch to be entered.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) partition: PartitionId,
    pub(crate) position: Position,
    /// Of its head, in bytes.
    pub(crate) offset: u64,
    pub(crate) bodies: u32,
    /// Of these, how many are kept.
    pub(crate) kept: u32,
    /// Its length.
    pub(crate) bytes: u64,
    pub(crate) outside: Vec<Outside>,
}

impl Share {
    /// The last position.
    pub(crate) fn last(&self) -> u64 {
        let dense = || self.offsets.len().saturating_sub(1) as u64;
        let step = self.steps.last().map_or_else(dense, |step| u64::from(*step));
        self.first.saturating_add(step)
    }

    /// Enters a batch behind the last; `false` if its position is not above that one's.
    fn enter(&mut self, position: u64, offset: u32) -> bool {
        if self.offsets.is_empty() {
            self.first = position;
        } else if position <= self.last() || !self.step(position) {
            return false;
        }
        self.offsets.push(offset);
        true
    }

    fn step(&mut self, position: u64) -> bool {
        let Ok(step) = u32::try_from(position.saturating_sub(self.first)) else { return false };
        let dense = self.steps.is_empty();
        if dense && usize::try_from(step).is_ok_and(|step| step == self.offsets.len()) {
            return true;
        }
        if dense {
            let count = u32::try_from(self.offsets.len()).unwrap_or(u32::MAX);
            self.steps = (0..count).collect();
        }
        self.steps.push(step);
        true
    }

    /// The first batch at `position` or behind it: its position, and its head's offset in bytes.
    fn at_or_after(&self, position: u64) -> Option<(u64, u64)> {
        let step = position.saturating_sub(self.first);
        let nth = match self.steps.as_slice() {
            [] => usize::try_from(step).ok()?,
            steps => steps.partition_point(|known| u64::from(*known) < step),
        };
        let offset = u64::from(*self.offsets.get(nth)?).saturating_mul(ALIGNMENT);
        let step = self.steps.get(nth).map_or(nth as u64, |step| u64::from(*step));
        Some((self.first.saturating_add(step), offset))
    }
}

impl SegmentIndex {
    /// Enters a batch behind the last of its partition; `false` if its position is not above that
    /// one's.
    pub(crate) fn enter(&mut self, entry: &Entry) -> bool {
        let units = entry.offset.checked_div(ALIGNMENT).and_then(|units| u32::try_from(units).ok());
        let Some(units) = units else { return false };
        let share = self.partitions.entry(entry.partition).or_default();
        let entered = share.enter(entry.position.0, units);
        if entered {
            share.bodies = share.bodies.saturating_add(u64::from(entry.bodies));
            share.kept = share.kept.saturating_add(u64::from(entry.kept));
            share.bytes = share.bytes.saturating_add(entry.bytes);
            share.outside.extend(&entry.outside);
        }
        entered
    }

    /// The first batch of the partition at `position` or behind it, and its head's offset in bytes.
    pub(crate) fn at_or_after(
        &self,
        partition: PartitionId,
        position: Position,
    ) -> Option<(Position, u64)> {
        let found = self.partitions.get(&partition)?.at_or_after(position.0);
        found.map(|(position, offset)| (Position(position), offset))
    }

    /// Whether the body of this fact is there and lies outside.
    pub(crate) fn has_outside(&self, partition: PartitionId, place: Place) -> bool {
        let share = self.partitions.get(&partition);
        share.is_some_and(|share| {
            share.outside.binary_search_by_key(&place, |outside| outside.place).is_ok()
        })
    }

    /// Bytes of all bodies that lie outside.
    pub(crate) fn outside_bytes(&self) -> u64 {
        let outside = self.partitions.values().flat_map(|share| &share.outside);
        outside.map(|outside| u64::from(outside.len)).sum()
    }

    /// What it takes in memory, about.
    pub(crate) fn memory(&self) -> u64 {
        let units = |share: &Share| {
            let apart = share.outside.len().saturating_mul(6);
            let units = share.offsets.len().saturating_add(share.steps.len());
            units.saturating_add(apart) as u64
        };
        self.partitions.values().map(|share| units(share).saturating_mul(4)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(position: u64) -> Entry {
        let position = Position(position);
        let offset = 64 + position.0 * 8;
        let outside = Vec::new();
        let (partition, kept) = (PartitionId(3), 1);
        Entry { partition, position, offset, bodies: 2, kept, bytes: 8, outside }
    }

    fn index(positions: &[u64]) -> SegmentIndex {
        let mut index = SegmentIndex::default();
        for position in positions {
            assert!(index.enter(&entry(*position)));
            assert!(!index.enter(&entry(*position)), "no position twice");
        }
        index
    }

    fn check(positions: &[u64]) {
        let index = index(positions);
        for wanted in 0..40 {
            let found = index.at_or_after(PartitionId(3), Position(wanted));
            let expected = positions.iter().find(|position| **position >= wanted);
            assert_eq!(found, expected.map(|p| (Position(*p), 64 + p * 8)), "{wanted}");
            assert_eq!(index.at_or_after(PartitionId(4), Position(wanted)), None);
        }
        let share = &index.partitions[&PartitionId(3)];
        assert_eq!(Some(&share.last()), positions.last());
        let count = positions.len() as u64;
        assert_eq!((share.bodies, share.kept, share.bytes), (count * 2, count, count * 8));
    }

    #[test]
    fn every_batch_is_found_and_the_next_one_where_there_is_none() {
        check(&(10..35).collect::<Vec<_>>());
        check(&[0, 1, 2, 7, 8, 30]);
        check(&[5, 9]);
        check(&[33]);
    }

    #[test]
    fn steps_are_kept_only_where_positions_are_missing() {
        assert_eq!(index(&(10..35).collect::<Vec<_>>()).memory(), 25 * 4);
        assert_eq!(index(&[10, 11, 13]).memory(), 6 * 4);
    }

    #[test]
    fn what_is_too_far_is_refused() {
        let mut index = index(&[1]);
        let far = |n| Entry { offset: 72, position: Position(n), ..entry(0) };
        assert!(!index.enter(&far(2 + u64::from(u32::MAX))));
        assert!(index.enter(&far(1 + u64::from(u32::MAX))));
        assert!(!index.enter(&Entry { offset: 1 << 36, ..far(9) }));
    }

    #[test]
    fn bodies_outside_are_known_by_their_places() {
        let body =
            |index, outside| BodyEntry { index, len: 100 + index, crc: 0, outside, kept: false };
        let mut index = SegmentIndex::default();
        for position in [Position(7), Position(9)] {
            let outside = Outside::of(position, &[body(0, true), body(3, false), body(4, true)]);
            assert!(index.enter(&Entry { outside, ..entry(position.0) }));
        }
        let has = |position, index_| {
            let place = Place { position: Position(position), index: index_ };
            index.has_outside(PartitionId(3), place)
        };
        assert!(has(7, 0) && has(7, 4) && has(9, 0) && has(9, 4));
        assert!(!has(7, 3) && !has(8, 0) && !has(10, 0));
        assert!(!index.has_outside(PartitionId(0), Place { position: Position(7), index: 0 }));
        assert_eq!(index.outside_bytes(), 408);
    }
}
