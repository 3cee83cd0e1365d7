//! Positions whose loss a repair accepted. No index has them, since nobody asks for what is not
//! there; a reader that comes to positions which are missing has to know whether that is why, or
//! whether compaction took what it still wants. So the segment is read once, heads only.

use lineside_core::id::{PartitionId, Position};

use super::segment::SegmentId;
use super::shared::Shared;
use super::walk::{FoundBatch, Step, Walk};
use super::write::Form;

/// The gaps of a partition in the segment that was asked about last.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    segment: Option<SegmentId>,
    /// From the first position of each to before the second.
    found: Vec<(Position, Position)>,
}

impl Gaps {
    /// Where the gap ends that this position lies in; `None` if it lies in none. It may wait for the
    /// disk.
    pub(crate) fn end(
        &mut self,
        shared: &Shared,
        partition: PartitionId,
        position: Position,
    ) -> Option<Position> {
        let (segment, until) = shared.segment_of(partition, position)?;
        if self.segment != Some(segment.id()) {
            self.segment = Some(segment.id());
            self.found = gaps(Walk::new(&segment, until, false).ok()?, partition);
        }
        let has = |(from, to): &&(Position, Position)| *from <= position && position < *to;
        self.found.iter().find(has).map(|(_, to)| *to)
    }
}

/// What is damaged on the way is told by whoever wants it.
fn gaps(mut walk: Walk, partition: PartitionId) -> Vec<(Position, Position)> {
    let mut found = Vec::new();
    let gap = |batch: &FoundBatch| {
        let is_gap = matches!(batch.head.form, Form::Gap(_)) && batch.head.partition == partition;
        is_gap.then(|| (batch.head.position, batch.head.next()))
    };
    while let Ok(step) = walk.step() {
        match step {
            Step::Write(write) => found.extend(write.batches.iter().filter_map(gap)),
            Step::Hurt(_) => {}
            Step::End(_) => break,
        }
    }
    found
}
