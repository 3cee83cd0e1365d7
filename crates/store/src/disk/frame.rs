//! The bytes of the next write, built in one pass in a buffer that is used again and again.

use crc_fast::crc32_iscsi;
use lineside_core::codec::encode_facts;
use lineside_core::fact::{Batch, Fact};
use lineside_core::id::{PartitionId, Position};

use super::index::{Entry, Outside};
use super::segment::SegmentId;
use super::write::{
    ALIGNMENT, BLOCK_BYTES, BatchHead, BodyEntry, ENTRY_BYTES, Form, Kind, WriteHeader,
};
use crate::limits::{BUFFER_BYTES_KEPT, WRITE_BYTES_MAX};

/// A write that is being built.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    number: u64,
    batches: u32,
    entries: Vec<Entry>,
}

impl Frame {
    /// Begins write `number`; what was there is gone.
    pub(crate) fn begin(&mut self, number: u64) {
        self.bytes.clear();
        self.bytes.shrink_to(BUFFER_BYTES_KEPT);
        self.bytes.resize(BLOCK_BYTES, 0);
        self.entries.clear();
        self.batches = 0;
        self.number = number;
    }

    /// Adds a batch. Bodies longer than `inside_max` bytes lie outside: only their entries are added.
    pub(crate) fn push(
        &mut self,
        partition: PartitionId,
        position: Position,
        batch: &Batch,
        inside_max: usize,
    ) {
        let start = self.bytes.len();
        let bodies = &batch.facts.bodies;
        let facts_at =
            bodies.len().saturating_mul(ENTRY_BYTES as usize).saturating_add(BLOCK_BYTES);
        self.bytes.resize(start.saturating_add(facts_at), 0);
        encode_facts(&batch.facts.facts, &mut self.bytes);
        let facts = self.bytes.get(start.saturating_add(facts_at)..).unwrap_or_default();
        let inside = || bodies.iter().filter(|(_, body)| body.len() <= inside_max);
        let head = BatchHead {
            write: self.number,
            partition,
            position,
            at: batch.at,
            facts: count(batch.facts.len()),
            facts_bytes: count(facts.len()),
            facts_crc: crc32_iscsi(facts),
            bodies: count(bodies.len()),
            bodies_bytes: count(inside().map(|(_, body)| body.len()).sum()),
            form: Form::Whole,
        };
        inside().for_each(|(_, body)| self.bytes.extend_from_slice(body));
        let entries = bodies.iter().map(|(index, body)| BodyEntry {
            index: *index,
            len: count(body.len()),
            crc: crc32_iscsi(body),
            outside: body.len() > inside_max,
            kept: is_kept(&batch.facts.facts, *index),
        });
        let entries: Vec<BodyEntry> = entries.collect();
        self.finish_batch(start, &head, &entries);
    }

    /// Adds what is kept of a batch: its head says how much. `facts` and `bodies` are bytes as they
    /// were found; the checksums of the head and of the entries stay theirs, so that what is damaged
    /// stays damaged.
    pub(crate) fn push_kept<'a>(
        &mut self,
        head: BatchHead,
        facts: &[u8],
        bodies: impl Iterator<Item = (&'a BodyEntry, &'a [u8])> + Clone,
    ) {
        let start = self.bytes.len();
        let facts_at = usize::try_from(head.facts_at()).unwrap_or(BLOCK_BYTES);
        self.bytes.resize(start.saturating_add(facts_at), 0);
        self.bytes.extend_from_slice(facts);
        bodies.clone().for_each(|(_, body)| self.bytes.extend_from_slice(body));
        let head = BatchHead { write: self.number, ..head };
        let entries: Vec<BodyEntry> = bodies.map(|(entry, _)| *entry).collect();
        self.finish_batch(start, &head, &entries);
    }

    fn finish_batch(&mut self, start: usize, head: &BatchHead, entries: &[BodyEntry]) {
        self.align();
        let facts_at = usize::try_from(head.facts_at()).unwrap_or(BLOCK_BYTES);
        let place = self.bytes.get_mut(start..start.saturating_add(facts_at)).unwrap_or_default();
        let directory = place.get_mut(BLOCK_BYTES..).unwrap_or_default();
        let slots = directory.chunks_exact_mut(ENTRY_BYTES as usize);
        slots.zip(entries).for_each(|(slot, entry)| entry.encode_into(slot));
        head.encode_into(place);
        let (partition, position) = (head.partition, head.position);
        let (bodies, bytes) = (head.bodies, head.total());
        self.batches = self.batches.saturating_add(1);
        if !matches!(head.form, Form::Gap(_)) {
            let (offset, outside) = (start as u64, Outside::of(position, entries));
            let kept = kept(entries);
            self.entries.push(Entry { partition, position, offset, bodies, kept, bytes, outside });
        }
    }

    fn align(&mut self) {
        let over = self.len().next_multiple_of(ALIGNMENT).saturating_sub(self.len());
        (0..over).for_each(|_| self.bytes.push(0));
    }

    /// Fills in the header of a new write. `synced` is the last write known to be durable.
    pub(crate) fn finish(&mut self, segment: SegmentId, synced: u64) {
        let kind = if self.batches == 0 { Kind::Mark } else { Kind::Batches };
        self.finish_as(kind, segment, self.number, synced);
    }

    /// Fills in the header of a write that stands for all up to `through`.
    pub(crate) fn finish_as(&mut self, kind: Kind, segment: SegmentId, through: u64, synced: u64) {
        let length = count(self.bytes.len().saturating_sub(BLOCK_BYTES));
        assert!(length <= WRITE_BYTES_MAX, "a write is as large as a reader believes at most");
        let (number, batches) = (self.number, self.batches);
        let header = WriteHeader { kind, segment, number, through, synced, batches, length };
        let place = self.bytes.first_chunk_mut::<BLOCK_BYTES>();
        place.into_iter().for_each(|place| *place = header.encode());
    }

    /// Its number in the physical log.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether it has no batches.
    pub(crate) fn is_empty(&self) -> bool {
        self.batches == 0
    }

    /// Length of the whole write, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Bytes of the bodies that lie outside.
    pub(crate) fn outside_bytes(&self) -> u64 {
        let outside = self.entries.iter().flat_map(|entry| &entry.outside);
        outside.map(|outside| u64::from(outside.len)).sum()
    }

    /// The bytes of the write.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Hands over the bytes of the write, followed by so many zeros.
    pub(crate) fn with_zeros<T>(&mut self, zeros: u64, hand_over: impl FnOnce(&[u8]) -> T) -> T {
        let len = self.bytes.len();
        self.bytes.resize(len.saturating_add(usize::try_from(zeros).unwrap_or(0)), 0);
        let result = hand_over(&self.bytes);
        self.bytes.truncate(len);
        result
    }

    /// The batches in it, without gaps; their offsets count from the write's first byte.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// Whether the body that this fact brought is one that matters for ever.
fn is_kept(facts: &[Fact], index: u32) -> bool {
    let fact = usize::try_from(index).ok().and_then(|index| facts.get(index));
    fact.is_some_and(Fact::keeps_its_body)
}

/// How many of these bodies are kept.
pub(crate) fn kept(entries: &[BodyEntry]) -> u32 {
    count(entries.iter().filter(|entry| entry.kept).count())
}

fn count(count: usize) -> u32 {
    let count = u32::try_from(count);
    assert!(count.is_ok(), "a batch is bounded by BATCH_BYTES_MAX before it gets here");
    count.unwrap_or(u32::MAX)
}
