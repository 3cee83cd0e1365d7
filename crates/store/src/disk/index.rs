//! Where each batch stands: position to segment and offset, 4 bytes a batch.

use std::collections::HashMap;

use lineside_core::id::{PartitionId, Position};

use super::write::ALIGNMENT;

/// Where a batch stands in the physical log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The segment's number.
    pub(crate) segment: u64,
    /// Of the batch's head, in bytes.
    pub(crate) offset: u64,
}

/// The batches of all partitions.
#[derive(Debug, Default)]
pub(crate) struct Index {
    partitions: HashMap<PartitionId, Vec<Run>>,
}

/// Batches of one partition in one segment, at consecutive positions.
#[derive(Debug)]
struct Run {
    first: u64,
    segment: u64,
    /// In units of the alignment.
    offsets: Vec<u32>,
}

impl Run {
    fn next(&self) -> u64 {
        self.first.saturating_add(self.offsets.len() as u64)
    }
}

impl Index {
    /// The position after the last batch of the partition.
    pub(crate) fn next(&self, partition: PartitionId) -> Position {
        let runs = self.partitions.get(&partition);
        Position(runs.and_then(|runs| runs.last()).map_or(0, Run::next))
    }

    /// Every partition that has batches, with the position after its last.
    pub(crate) fn tails(&self) -> HashMap<PartitionId, Position> {
        self.partitions.keys().map(|partition| (*partition, self.next(*partition))).collect()
    }

    /// Enters the batch after the last; `false` if `position` is not that.
    pub(crate) fn enter(&mut self, partition: PartitionId, position: Position, spot: Spot) -> bool {
        if self.next(partition) != position {
            return false;
        }
        let units = u32::try_from(spot.offset.checked_div(ALIGNMENT).unwrap_or(u64::MAX));
        assert!(units.is_ok(), "an offset is bounded by SEGMENT_BYTES_MAX and one write");
        let runs = self.partitions.entry(partition).or_default();
        if runs.last().is_none_or(|run| run.segment != spot.segment) {
            runs.push(Run { first: position.0, segment: spot.segment, offsets: Vec::new() });
        }
        runs.last_mut().into_iter().zip(units).for_each(|(run, units)| run.offsets.push(units));
        true
    }

    /// Where the batch at `position` stands.
    pub(crate) fn find(&self, partition: PartitionId, position: Position) -> Option<Spot> {
        let runs = self.partitions.get(&partition)?;
        let after = runs.partition_point(|run| run.first <= position.0);
        let run = runs.get(after.checked_sub(1)?)?;
        let nth = usize::try_from(position.0.checked_sub(run.first)?).ok()?;
        let offset = u64::from(*run.offsets.get(nth)?).saturating_mul(ALIGNMENT);
        Some(Spot { segment: run.segment, offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_batch_is_found_where_it_was_entered_and_none_beside() {
        let mut index = Index::default();
        let spot = |n: u64| Spot { segment: 1 + n / 10, offset: 64 + n % 10 * 8 };
        for n in 0..35 {
            assert!(index.enter(PartitionId(3), Position(n), spot(n)));
            assert!(!index.enter(PartitionId(3), Position(n), spot(n)));
            assert!(!index.enter(PartitionId(3), Position(n + 2), spot(n)));
        }
        for n in 0..35 {
            assert_eq!(index.find(PartitionId(3), Position(n)), Some(spot(n)));
        }
        assert_eq!(index.find(PartitionId(3), Position(35)), None);
        assert_eq!(index.find(PartitionId(4), Position(0)), None);
        assert_eq!(index.tails(), HashMap::from([(PartitionId(3), Position(35))]));
    }
}
