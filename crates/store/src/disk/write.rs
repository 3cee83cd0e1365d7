//! The bytes of a write: its header, and the head of each batch in it (`docs/format.md`).
//!
//! Nothing here believes a length before it is bounded: by the room that is left where it was
//! found, and by the limits.

use bytes::{Buf, BufMut};
use crc_fast::crc32_iscsi;
use lineside_core::id::{PartitionId, Position};
use lineside_core::stamp::Stamp;

use super::segment::SegmentId;
use crate::limits::WRITE_BYTES_MAX;

/// Length of a segment's header, a write's header and a batch's head, in bytes.
pub(crate) const BLOCK_BYTES: usize = 64;

/// A header or head.
pub(crate) type Block = [u8; BLOCK_BYTES];

/// Writes and batches begin at multiples of this, in bytes.
pub(crate) const ALIGNMENT: u64 = 8;

/// Length of a body's entry in its batch's directory, in bytes.
pub(crate) const ENTRY_BYTES: u32 = 12;

/// The bit of an entry's index that says that the body lies outside. No batch has so many facts.
const OUTSIDE: u32 = 1 << 31;
const KEPT: u32 = 1 << 30;

/// The first bytes of a write.
pub(crate) const WRITE_MAGIC: [u8; 4] = *b"LSWR";
const BATCH_MAGIC: [u8; 4] = *b"LSBA";
/// Where the part of a batch's head begins that its checksum covers; it goes on to the end of the
/// directory.
const BATCH_CHECKED_FROM: usize = 8;

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Bad {
    #[error("there is no {0} here")]
    Magic(&'static str),
    #[error("the checksum of the {0} is wrong")]
    Checksum(&'static str),
    #[error("a write of kind {0}, which this program does not know")]
    Kind(u8),
    #[error("a length or count that cannot be: {0}")]
    Length(&'static str),
    #[error("{0}")]
    Other(String),
}

/// What a write is for. Other numbers are reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It brings batches.
    Batches = 1,
    /// It brings nothing, and says that all before it is durable.
    Mark = 2,
    /// It stands for a range of writes of which compaction took what is not needed.
    Rewritten = 3,
    /// It stands for a range of writes of which repair took what is lost.
    Repaired = 4,
}

impl Kind {
    /// Whether it stands for what was there before.
    pub(crate) fn is_rewritten(self) -> bool {
        matches!(self, Kind::Rewritten | Kind::Repaired)
    }

    fn may_bring(self, batches: u32) -> bool {
        self.is_rewritten() || (self == Kind::Batches) == (batches > 0)
    }
}

/// The header of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WriteHeader {
    pub(crate) kind: Kind,
    pub(crate) segment: SegmentId,
    /// Its number in the physical log, counted from 1.
    pub(crate) number: u64,
    /// The last write that it stands for: itself, unless it was rewritten.
    pub(crate) through: u64,
    /// The last write known to be durable when this one was written.
    pub(crate) synced: u64,
    pub(crate) batches: u32,
    /// Bytes of all batches, without this header.
    pub(crate) length: u32,
}

impl WriteHeader {
    pub(crate) fn encode(&self) -> Block {
        let mut block = [0; BLOCK_BYTES];
        let mut out = block.as_mut_slice();
        out.put_slice(&WRITE_MAGIC);
        out.put_u8(self.kind as u8);
        out.put_slice(&[0; 3]);
        out.put_u64_le(self.segment.number);
        out.put_u64_le(self.segment.salt);
        out.put_u64_le(self.number);
        out.put_u64_le(self.synced);
        out.put_u32_le(self.batches);
        out.put_u32_le(self.length);
        out.put_u64_le(if self.kind.is_rewritten() { self.through } else { 0 });
        seal(block)
    }

    pub(crate) fn decode(block: &Block) -> Result<WriteHeader, Bad> {
        if !block.starts_with(&WRITE_MAGIC) {
            return Err(Bad::Magic("write"));
        }
        if !is_sealed(block) {
            return Err(Bad::Checksum("write's header"));
        }
        let mut fields = block.as_slice();
        fields.advance(WRITE_MAGIC.len());
        let kind = kind(fields.get_u8())?;
        fields.advance(3);
        let segment = SegmentId { number: fields.get_u64_le(), salt: fields.get_u64_le() };
        let (number, synced) = (fields.get_u64_le(), fields.get_u64_le());
        let (batches, length) = (fields.get_u32_le(), fields.get_u32_le());
        let through = if kind.is_rewritten() { fields.get_u64_le() } else { number };
        WriteHeader { kind, segment, number, through, synced, batches, length }.bounded()
    }

    fn bounded(self) -> Result<WriteHeader, Bad> {
        let least = u64::from(self.batches).saturating_mul(BLOCK_BYTES as u64);
        let fits = self.length <= WRITE_BYTES_MAX
            && u64::from(self.length).is_multiple_of(ALIGNMENT)
            && least <= u64::from(self.length)
            && (self.batches == 0) == (self.length == 0)
            && self.kind.may_bring(self.batches)
            && self.through >= self.number;
        if !fits {
            return Err(Bad::Length("of a write"));
        }
        if self.synced >= self.number {
            return Err(Bad::Other("a write that says it was durable before it was".to_owned()));
        }
        Ok(self)
    }

    /// Length with the header, in bytes.
    pub(crate) fn total(&self) -> u64 {
        u64::from(self.length).saturating_add(BLOCK_BYTES as u64)
    }
}

fn kind(number: u8) -> Result<Kind, Bad> {
    match number {
        1 => Ok(Kind::Batches),
        2 => Ok(Kind::Mark),
        3 => Ok(Kind::Rewritten),
        4 => Ok(Kind::Repaired),
        other => Err(Bad::Kind(other)),
    }
}

/// The head of a batch. After it come the directory of its bodies, its facts, its bodies, and zeros
/// up to the alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchHead {
    /// The write that it is in.
    pub(crate) write: u64,
    pub(crate) partition: PartitionId,
    pub(crate) position: Position,
    pub(crate) at: Stamp,
    pub(crate) facts: u32,
    pub(crate) facts_bytes: u32,
    pub(crate) facts_crc: u32,
    pub(crate) bodies: u32,
    pub(crate) bodies_bytes: u32,
    pub(crate) form: Form,
}

/// What is left of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// All that was written.
    Whole,
    /// Bodies that still matter; the facts are gone, their number stays.
    Thinned,
    /// Nothing of this and so many batches in all: they are lost, and repair accepted that.
    Gap(u64),
}

const THINNED: u16 = 1;
const GAP: u16 = 2;

impl Form {
    fn flags(self) -> u16 {
        match self {
            Form::Whole => 0,
            Form::Thinned => THINNED,
            Form::Gap(_) => GAP,
        }
    }

    fn decode(flags: u16, count: u64) -> Result<Form, Bad> {
        match flags {
            0 => Ok(Form::Whole),
            THINNED => Ok(Form::Thinned),
            GAP => Ok(Form::Gap(count)),
            _ => Err(Bad::Other(format!("a batch with flags {flags}, which nobody knows"))),
        }
    }
}

/// A body in its batch's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyEntry {
    /// The fact that brought it.
    pub(crate) index: u32,
    pub(crate) len: u32,
    pub(crate) crc: u32,
    /// It lies in a blob of its own, and takes nothing in its batch.
    pub(crate) outside: bool,
    /// It matters for ever, whatever [`lineside_engine::log::Log::retain`] is told.
    pub(crate) kept: bool,
}

impl BatchHead {
    /// Fills in the head before the directory that is already in `place`.
    pub(crate) fn encode_into(&self, place: &mut [u8]) {
        let mut out = &mut *place;
        out.put_slice(&BATCH_MAGIC);
        out.put_u32_le(0);
        out.put_u64_le(self.write);
        out.put_u64_le(self.position.0);
        out.put_u64_le(self.at.0);
        out.put_u16_le(self.partition.0);
        out.put_u16_le(self.form.flags());
        out.put_u32_le(self.facts);
        out.put_u32_le(self.facts_bytes);
        out.put_u32_le(self.facts_crc);
        out.put_u32_le(self.bodies);
        out.put_u32_le(self.bodies_bytes);
        out.put_u64_le(if let Form::Gap(count) = self.form { count } else { 0 });
        let crc = crc32_iscsi(place.get(BATCH_CHECKED_FROM..).unwrap_or_default());
        let mut out = place.get_mut(BATCH_MAGIC.len()..).unwrap_or_default();
        out.put_u32_le(crc);
    }

    /// Reads the head of a batch of which `room` bytes are there at most. It is not to be believed
    /// before [`BatchHead::directory`] was, but its lengths are inside the room.
    pub(crate) fn decode(block: &Block, room: u64) -> Result<BatchHead, Bad> {
        if !block.starts_with(&BATCH_MAGIC) {
            return Err(Bad::Magic("batch"));
        }
        let mut fields = block.as_slice();
        fields.advance(BATCH_CHECKED_FROM);
        let (write, position, at) = (fields.get_u64_le(), fields.get_u64_le(), fields.get_u64_le());
        let (partition, flags) = (PartitionId(fields.get_u16_le()), fields.get_u16_le());
        let (facts, facts_bytes) = (fields.get_u32_le(), fields.get_u32_le());
        let facts_crc = fields.get_u32_le();
        let (bodies, bodies_bytes) = (fields.get_u32_le(), fields.get_u32_le());
        let form = Form::decode(flags, fields.get_u64_le())?;
        let (position, at) = (Position(position), Stamp(at));
        let head = BatchHead {
            write,
            partition,
            position,
            at,
            facts,
            facts_bytes,
            facts_crc,
            bodies,
            bodies_bytes,
            form,
        };
        head.bounded(room)
    }

    fn bounded(self, room: u64) -> Result<BatchHead, Bad> {
        // A fact has at least one byte, and at most one body.
        let counts = self.bodies <= self.facts
            && match self.form {
                Form::Whole => self.facts <= self.facts_bytes,
                Form::Thinned => self.facts_bytes == 0,
                Form::Gap(count) => self.facts == 0 && self.facts_bytes == 0 && count > 0,
            };
        if !counts || self.total() > room.min(u64::from(WRITE_BYTES_MAX)) {
            return Err(Bad::Length("of a batch"));
        }
        Ok(self)
    }

    /// The position after it, and after what it stands for.
    pub(crate) fn next(&self) -> Position {
        match self.form {
            Form::Gap(count) => Position(self.position.0.saturating_add(count)),
            Form::Whole | Form::Thinned => self.position.next(),
        }
    }

    /// Where the facts begin, from the head's first byte.
    pub(crate) fn facts_at(&self) -> u64 {
        let directory = u64::from(self.bodies).saturating_mul(u64::from(ENTRY_BYTES));
        directory.saturating_add(BLOCK_BYTES as u64)
    }

    /// Where the bodies begin.
    pub(crate) fn bodies_at(&self) -> u64 {
        self.facts_at().saturating_add(u64::from(self.facts_bytes))
    }

    /// Length of the whole batch with the zeros at its end, in bytes.
    pub(crate) fn total(&self) -> u64 {
        let end = self.bodies_at().saturating_add(u64::from(self.bodies_bytes));
        end.next_multiple_of(ALIGNMENT)
    }

    /// The directory, if `bytes`, which are all before the facts, are what was written.
    pub(crate) fn directory(&self, bytes: &[u8]) -> Result<Vec<BodyEntry>, Bad> {
        if u64::try_from(bytes.len()) != Ok(self.facts_at()) {
            return Err(Bad::Length("of a directory"));
        }
        let mut written = bytes.get(BATCH_MAGIC.len()..BATCH_CHECKED_FROM).unwrap_or_default();
        let checked = bytes.get(BATCH_CHECKED_FROM..).unwrap_or_default();
        if written.get_u32_le() != crc32_iscsi(checked) {
            return Err(Bad::Checksum("batch's head"));
        }
        let entries = bytes.get(BLOCK_BYTES..).unwrap_or_default();
        let entries = entries.chunks_exact(ENTRY_BYTES as usize).map(BodyEntry::decode);
        self.sound(entries.collect())
    }

    /// A directory that was written by this program has its bodies in order and of the length that
    /// the head says; one that passes its checksum and has not was written wrongly.
    fn sound(&self, entries: Vec<BodyEntry>) -> Result<Vec<BodyEntry>, Bad> {
        let ascending = entries.is_sorted_by(|a, b| a.index < b.index);
        let known = entries.last().is_none_or(|last| last.index < self.facts);
        let bytes: u64 = entries.iter().map(|entry| u64::from(entry.len_inside())).sum();
        if ascending && known && bytes == u64::from(self.bodies_bytes) {
            return Ok(entries);
        }
        Err(Bad::Length("in a directory"))
    }

    /// The facts' bytes, if they are what was written.
    pub(crate) fn check_facts(&self, bytes: &[u8]) -> Result<(), Bad> {
        check(bytes, self.facts_bytes, self.facts_crc, "facts")
    }
}

impl BodyEntry {
    pub(crate) fn encode_into(&self, mut place: &mut [u8]) {
        let flags = [(self.outside, OUTSIDE), (self.kept, KEPT)];
        let flags = flags.iter().filter(|(set, _)| *set).fold(0, |all, (_, flag)| all | flag);
        place.put_u32_le(self.index | flags);
        place.put_u32_le(self.len);
        place.put_u32_le(self.crc);
    }

    fn decode(mut bytes: &[u8]) -> BodyEntry {
        let (index, len, crc) = (bytes.get_u32_le(), bytes.get_u32_le(), bytes.get_u32_le());
        let has = |flag| index & flag != 0;
        let (outside, kept) = (has(OUTSIDE), has(KEPT));
        BodyEntry { index: index & !(OUTSIDE | KEPT), len, crc, outside, kept }
    }

    /// How many bytes it takes in its batch.
    pub(crate) fn len_inside(&self) -> u32 {
        if self.outside { 0 } else { self.len }
    }

    /// The body's bytes, if they are what was written.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), Bad> {
        check(bytes, self.len, self.crc, "body")
    }
}

fn check(bytes: &[u8], len: u32, crc: u32, what: &'static str) -> Result<(), Bad> {
    let whole = u32::try_from(bytes.len()) == Ok(len) && crc32_iscsi(bytes) == crc;
    if whole { Ok(()) } else { Err(Bad::Checksum(what)) }
}

/// Puts the checksum of all before it into the last four bytes.
pub(crate) fn seal(mut block: Block) -> Block {
    if let Some((fields, crc)) = block.split_last_chunk_mut::<4>() {
        *crc = crc32_iscsi(fields).to_le_bytes();
    }
    block
}

/// Whether the last four bytes are the checksum of all before them.
pub(crate) fn is_sealed(block: &Block) -> bool {
    let parts = block.split_last_chunk::<4>();
    parts.is_some_and(|(fields, crc)| crc32_iscsi(fields).to_le_bytes() == *crc)
}

#[cfg(test)]
mod tests;
