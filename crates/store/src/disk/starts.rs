//! Where each partition stands at the beginning of a segment: what lets a start look at the last
//! segment only, and what says which segment holds a position.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut};
use lineside_core::id::{PartitionId, Position};

/// Length of an entry, in bytes.
const ENTRY_BYTES: u32 = 16;
/// Longest table that a reader believes, in bytes: an entry for each number that a partition can
/// have.
pub(crate) const TABLE_BYTES_MAX: u32 = (1 << 16) * ENTRY_BYTES;
const DOUBTFUL: u16 = 1;

/// Where the next batch of one partition belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) position: Position,
    /// Batches behind it may have been lost to damage: nothing may be written there.
    pub(crate) doubtful: bool,
}

/// Where the next batch of each partition belongs. One that is not named stands at 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Starts {
    pub(crate) known: BTreeMap<PartitionId, Start>,
    /// Damage may have taken batches of partitions that are not named.
    pub(crate) others_doubtful: bool,
}

impl Starts {
    /// Where the partition stands.
    pub(crate) fn get(&self, partition: PartitionId) -> Start {
        let unnamed = Start { position: Position(0), doubtful: self.others_doubtful };
        self.known.get(&partition).copied().unwrap_or(unnamed)
    }

    /// Batches up to before `next` are there, so what was doubtful is known again.
    pub(crate) fn reach(&mut self, partition: PartitionId, next: Position) {
        self.known.insert(partition, Start { position: next, doubtful: false });
    }

    /// Batches of any partition may have been lost here.
    pub(crate) fn doubt_all(&mut self) {
        self.known.values_mut().for_each(|start| start.doubtful = true);
        self.others_doubtful = true;
    }

    /// Whether anything is doubtful.
    pub(crate) fn has_doubt(&self) -> bool {
        self.others_doubtful || self.known.values().any(|start| start.doubtful)
    }

    /// The table's bytes, ascending by partition.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.known.len().saturating_mul(ENTRY_BYTES as usize));
        for (partition, start) in &self.known {
            out.put_u16_le(partition.0);
            out.put_u16_le(if start.doubtful { DOUBTFUL } else { 0 });
            out.put_u32_le(0);
            out.put_u64_le(start.position.0);
        }
        out
    }

    /// Reads a table whose checksum was right.
    pub(crate) fn decode(bytes: &[u8], others_doubtful: bool) -> Starts {
        let entry = |mut entry: &[u8]| {
            let (partition, flags, _) =
                (entry.get_u16_le(), entry.get_u16_le(), entry.get_u32_le());
            let position = Position(entry.get_u64_le());
            (PartitionId(partition), Start { position, doubtful: flags & DOUBTFUL != 0 })
        };
        Starts {
            known: bytes.chunks_exact(ENTRY_BYTES as usize).map(entry).collect(),
            others_doubtful,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_back() {
        let mut starts = Starts::default();
        starts.reach(PartitionId(4095), Position(u64::MAX));
        starts.reach(PartitionId(0), Position(7));
        assert!(!starts.has_doubt());
        starts.doubt_all();
        starts.reach(PartitionId(3), Position(1));
        let bytes = starts.encode();
        assert_eq!(bytes.len(), 48);
        assert_eq!(Starts::decode(&bytes, true), starts);
        assert!(starts.get(PartitionId(0)).doubtful && !starts.get(PartitionId(3)).doubtful);
        assert!(starts.get(PartitionId(99)).doubtful && starts.has_doubt());
    }
}
