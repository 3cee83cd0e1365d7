//! Blocks: what a snapshot is written as, and read back from.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::id::{QueueId, Seq};
use crate::parts::{Chunked, Weigh};

/// Which block: in a checkpoint each key is there once, and a block replaces the one that had its
/// key in the checkpoint before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockKey {
    /// The resource; 0 is the partition itself.
    pub queue: QueueId,
    /// What of it: 0 is its main block, without which the others mean nothing.
    pub part: u8,
    /// Which chunk of that; 0 in a main block.
    pub number: u64,
}

/// The parts of a resource. The numbers are the format on disk.
pub(crate) mod part {
    /// Settings, counters, and when it last changed.
    pub(crate) const MAIN: u8 = 0;
    /// Messages by number.
    pub(crate) const MESSAGES: u8 = 1;
    /// Deduplication ids, and names that were given up.
    pub(crate) const DEDUP: u8 = 2;
    /// Receives that may be asked for again.
    pub(crate) const ATTEMPTS: u8 = 3;
    /// Messages of the dead-letter sub-queue.
    pub(crate) const DEAD: u8 = 4;
    /// Locks and states of sessions.
    pub(crate) const SESSIONS: u8 = 5;
    /// Events of a store that the index did not have.
    pub(crate) const EVENTS: u8 = 6;
}

/// A piece of a resource as bytes: CBOR with explicit numbers, as facts are. Equal pieces have
/// equal bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which.
    pub key: BlockKey,
    /// Its content, a few bytes to some ten thousand.
    pub bytes: Vec<u8>,
}

/// This is no block of a version that this program knows, or blocks are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError {
    /// The block.
    pub key: BlockKey,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BlockKey { queue, part, number } = self.key;
        write!(f, "block {number} of part {part} of queue {}: {}", queue.0, self.reason)
    }
}

impl std::error::Error for SnapshotError {}

/// Blocks of one resource, made as they are asked for.
pub(crate) type Blocks<'a> = Box<dyn Iterator<Item = Block> + 'a>;

impl BlockKey {
    /// The main block of a resource.
    pub(crate) fn main(queue: QueueId) -> BlockKey {
        BlockKey { queue, part: part::MAIN, number: 0 }
    }
}

impl SnapshotError {
    pub(crate) fn new(key: BlockKey, reason: impl Into<String>) -> SnapshotError {
        SnapshotError { key, reason: reason.into() }
    }
}

impl Block {
    pub(crate) fn new(key: BlockKey, content: &(impl Encode<()> + ?Sized)) -> Block {
        let mut bytes = Vec::new();
        let written = minicbor::encode(content, &mut bytes);
        assert!(written.is_ok(), "writing CBOR to memory cannot fail");
        Block { key, bytes }
    }

    /// The content of exactly these bytes.
    pub(crate) fn content<'b, T: Decode<'b, ()>>(&'b self) -> Result<T, SnapshotError> {
        let mut decoder = minicbor::Decoder::new(&self.bytes);
        let content = decoder.decode().map_err(|error| self.error(error.to_string()))?;
        match self.bytes.len() - decoder.position() {
            0 => Ok(content),
            left => Err(self.error(format!("{left} bytes too many"))),
        }
    }

    /// Puts the chunk that this is into its place.
    pub(crate) fn put_into<'b, V>(&'b self, chunked: &mut Chunked<V>) -> Result<(), SnapshotError>
    where
        V: Decode<'b, ()> + Clone + Weigh,
    {
        let entries: Vec<(Seq, V)> = self.content()?;
        let is_chunk = chunked.put_chunk(self.key.number, entries);
        is_chunk.then_some(()).ok_or_else(|| self.error("not the values of this chunk in order"))
    }

    /// An error for a block that its resource has no place for.
    pub(crate) fn misplaced(&self) -> SnapshotError {
        self.error("there is no such part")
    }

    fn error(&self, reason: impl Into<String>) -> SnapshotError {
        SnapshotError::new(self.key, reason)
    }
}

/// The chunks of one part as blocks.
pub(crate) fn chunk_blocks<V: Encode<()> + Clone + Weigh>(
    queue: QueueId,
    part: u8,
    chunked: &Chunked<V>,
) -> Blocks<'_> {
    let key = move |number| BlockKey { queue, part, number };
    Box::new(chunked.chunks().map(move |(number, chunk)| Block::new(key(number), chunk.entries())))
}
