//! The bytes of the next write, built in one pass in a buffer that is used again and again.

use crc_fast::crc32_iscsi;
use lineside_core::codec::encode_facts;
use lineside_core::fact::Batch;
use lineside_core::id::{PartitionId, Position};

use super::segment::SegmentId;
use super::write::{ALIGNMENT, BLOCK_BYTES, BatchHead, BodyEntry, ENTRY_BYTES, Kind, WriteHeader};
use crate::limits::{BUFFER_BYTES_KEPT, WRITE_BYTES_MAX};

/// A write that is being built.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    number: u64,
    entries: Vec<FrameEntry>,
}

/// Where a batch stands in its write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameEntry {
    pub(crate) partition: PartitionId,
    pub(crate) position: Position,
    /// From the write's first byte.
    pub(crate) offset: u64,
}

impl Frame {
    /// Begins write `number`; what was there is gone.
    pub(crate) fn begin(&mut self, number: u64) {
        self.bytes.clear();
        self.bytes.shrink_to(BUFFER_BYTES_KEPT);
        self.bytes.resize(BLOCK_BYTES, 0);
        self.entries.clear();
        self.number = number;
    }

    /// Adds a batch.
    pub(crate) fn push(&mut self, partition: PartitionId, position: Position, batch: &Batch) {
        let start = self.bytes.len();
        let bodies = &batch.facts.bodies;
        let facts_at =
            bodies.len().saturating_mul(ENTRY_BYTES as usize).saturating_add(BLOCK_BYTES);
        self.bytes.resize(start.saturating_add(facts_at), 0);
        encode_facts(&batch.facts.facts, &mut self.bytes);
        let facts = self.bytes.get(start.saturating_add(facts_at)..).unwrap_or_default();
        let head = BatchHead {
            write: self.number,
            partition,
            position,
            at: batch.at,
            facts: count(batch.facts.len()),
            facts_bytes: count(facts.len()),
            facts_crc: crc32_iscsi(facts),
            bodies: count(bodies.len()),
            bodies_bytes: count(bodies.iter().map(|(_, body)| body.len()).sum()),
        };
        bodies.iter().for_each(|(_, body)| self.bytes.extend_from_slice(body));
        self.align();
        self.fill_in(start, facts_at, &head, batch);
        self.entries.push(FrameEntry { partition, position, offset: start as u64 });
    }

    fn fill_in(&mut self, start: usize, facts_at: usize, head: &BatchHead, batch: &Batch) {
        let place = self.bytes.get_mut(start..start.saturating_add(facts_at)).unwrap_or_default();
        let directory = place.get_mut(BLOCK_BYTES..).unwrap_or_default();
        let slots = directory.chunks_exact_mut(ENTRY_BYTES as usize);
        for (slot, (index, body)) in slots.zip(&batch.facts.bodies) {
            let entry = BodyEntry { index: *index, len: count(body.len()), crc: crc32_iscsi(body) };
            entry.encode_into(slot);
        }
        head.encode_into(place);
    }

    fn align(&mut self) {
        let over = self.len().next_multiple_of(ALIGNMENT).saturating_sub(self.len());
        (0..over).for_each(|_| self.bytes.push(0));
    }

    /// Fills in the header. `synced` is the last write known to be durable.
    pub(crate) fn finish(&mut self, segment: SegmentId, synced: u64) {
        let length = count(self.bytes.len().saturating_sub(BLOCK_BYTES));
        assert!(length <= WRITE_BYTES_MAX, "a write is as large as a reader believes at most");
        let batches = count(self.entries.len());
        let kind = if batches == 0 { Kind::Mark } else { Kind::Batches };
        let header = WriteHeader { kind, segment, number: self.number, synced, batches, length };
        let place = self.bytes.first_chunk_mut::<BLOCK_BYTES>();
        place.into_iter().for_each(|place| *place = header.encode());
    }

    /// Its number in the physical log.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Length of the whole write, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Hands over the bytes of the write, followed by so many zeros.
    pub(crate) fn with_zeros<T>(&mut self, zeros: u64, hand_over: impl FnOnce(&[u8]) -> T) -> T {
        let len = self.bytes.len();
        self.bytes.resize(len.saturating_add(usize::try_from(zeros).unwrap_or(0)), 0);
        let result = hand_over(&self.bytes);
        self.bytes.truncate(len);
        result
    }

    /// Where each batch stands.
    pub(crate) fn entries(&self) -> &[FrameEntry] {
        &self.entries
    }
}

fn count(count: usize) -> u32 {
    let count = u32::try_from(count);
    assert!(count.is_ok(), "a batch is bounded by BATCH_BYTES_MAX before it gets here");
    count.unwrap_or(u32::MAX)
}
