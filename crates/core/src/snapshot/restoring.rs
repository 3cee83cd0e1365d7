//! From blocks to a partition.

use std::collections::BTreeMap;

use super::block::{Block, BlockKey, SnapshotError};
use super::header::HeaderSnapshot;
use super::resource::ResourceSnapshot;
use crate::id::{PartitionId, QueueId};
use crate::limits::Limits;
use crate::partition::Partition;

/// Puts a partition together from the blocks of a checkpoint. A main block comes before the others
/// of its queue; apart from that they come in any order.
///
/// What it gives has then to be told all facts from the position on at which the checkpoint was
/// begun: until it has seen the last fact that a snapshot reflects, it is no state that ever was.
#[derive(Debug)]
pub struct Restoring {
    id: PartitionId,
    limits: Limits,
    header: Option<HeaderSnapshot>,
    resources: BTreeMap<QueueId, ResourceSnapshot>,
}

impl Restoring {
    /// Nothing yet.
    pub fn new(id: PartitionId, limits: Limits) -> Restoring {
        Restoring { id, limits, header: None, resources: BTreeMap::new() }
    }

    /// Takes a block in. After an error it is of no use any more.
    pub fn add(&mut self, block: &Block) -> Result<(), SnapshotError> {
        let is_main = block.key == BlockKey::main(block.key.queue);
        match (block.key.queue, is_main) {
            (QueueId(0), true) => self.header = Some(HeaderSnapshot::of_main_block(block)?),
            (queue, true) => {
                self.resources.insert(queue, ResourceSnapshot::of_main_block(block)?);
            }
            (QueueId(0), false) => self.header.as_mut().ok_or_else(|| early(block))?.add(block)?,
            (queue, false) => {
                self.resources.get_mut(&queue).ok_or_else(|| early(block))?.add(block)?;
            }
        }
        Ok(())
    }

    /// The partition; an error if its header is missing, or was not taken after all resources.
    pub fn finish(self) -> Result<Partition, SnapshotError> {
        let error = |reason| SnapshotError::new(BlockKey::main(QueueId(0)), reason);
        let header = self.header.ok_or_else(|| error("it is missing"))?.restored();
        if self.resources.values().any(|resource| resource.changed() > header.changed) {
            return Err(error("a resource has seen more than the header"));
        }
        let at = header.header.last;
        let resources = self.resources.into_values().map(|resource| resource.restored(at));
        Ok(Partition::restored(self.id, self.limits, header, resources))
    }
}

fn early(block: &Block) -> SnapshotError {
    SnapshotError::new(block.key, "the main block of its queue did not come before it")
}
