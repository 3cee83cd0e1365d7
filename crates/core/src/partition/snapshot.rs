//! A partition to blocks, and from them.

use std::ops::Bound;

use super::{Kind, Partition, Resource};
use crate::directory::Directory;
use crate::id::{PartitionId, Place, Position, QueueId};
use crate::limits::Limits;
use crate::snapshot::{HeaderSnapshot, ResourceSnapshot, RestoredHeader};

impl Partition {
    /// The next resource after `after` in the order of ids, as it stands. It costs a pointer for
    /// each chunk of the resource ([`ResourceSnapshot::weight`]).
    pub fn snapshot_after(&self, after: Option<QueueId>) -> Option<ResourceSnapshot> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (id, resource) = self.resources.range((after, Bound::Unbounded)).next()?;
        Some(ResourceSnapshot::new(*id, resource.changed, &resource.kind))
    }

    /// What it remembers as a whole, as it stands. To be taken after all resources: that a name was
    /// given up is known to the header alone once the queue is gone.
    pub fn snapshot_header(&self) -> HeaderSnapshot {
        let (last_queue, given_up) = self.directory.state();
        HeaderSnapshot::new(&self.header, self.changed, last_queue, given_up)
    }

    /// The partition of a checkpoint; resources in the order of their ids.
    pub(crate) fn restored(
        id: PartitionId,
        limits: Limits,
        header: RestoredHeader,
        resources: impl Iterator<Item = (QueueId, Place, Kind)>,
    ) -> Partition {
        let mut partition = Partition::new(id, limits);
        partition.header = header.header;
        partition.changed = header.changed;
        partition.directory = Directory::from_state(header.last_queue, header.given_up);
        for (id, changed, kind) in resources {
            // Of two with one name the older was deleted before the younger was created, and the
            // facts that say so are replayed.
            partition.directory.taken(kind.name().clone(), id);
            partition.note_rule(Position::default(), id, &kind, true);
            let mut resource = Resource { kind, touched: Position::default(), changed, due: None };
            resource.note_due(id, &mut partition.due);
            partition.weight = partition.weight.saturating_add(resource.kind.bytes());
            partition.resources.insert(id, resource);
        }
        partition.sources.touched = Position::default();
        partition
    }
}
