//! What is in the log: the segments, and where each durable batch stands in them.

use std::sync::Arc;

use lineside_core::id::{PartitionId, Position};

use super::index::{Index, Spot};
use super::segment::Segment;

/// The segments in order, from number 1, and the index into them.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    segments: Vec<Arc<Segment>>,
    pub(crate) index: Index,
}

impl Catalog {
    /// Adds the next segment, unless it is the last already.
    pub(crate) fn add(&mut self, segment: &Arc<Segment>) {
        if self.segments.last().is_none_or(|last| last.id.number < segment.id.number) {
            self.segments.push(Arc::clone(segment));
        }
    }

    /// How many segments there are.
    pub(crate) fn segments(&self) -> usize {
        self.segments.len()
    }

    /// The batch at `position`: its segment, and the offset of its head there.
    pub(crate) fn find(
        &self,
        partition: PartitionId,
        position: Position,
    ) -> Option<(Arc<Segment>, u64)> {
        let Spot { segment, offset } = self.index.find(partition, position)?;
        let segment = self.segments.get(usize::try_from(segment.checked_sub(1)?).ok()?)?;
        Some((Arc::clone(segment), offset))
    }
}
