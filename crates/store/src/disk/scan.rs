//! Reads the writes of a segment from front to back and checks them.

use std::io;

use lineside_core::id::{PartitionId, Position};

use super::segment::Segment;
use super::window::Window;
use super::write::{ALIGNMENT, BLOCK_BYTES, Bad, BatchHead, Block, WRITE_MAGIC, WriteHeader};

const ZEROS: Block = [0; BLOCK_BYTES];

/// A write that is whole, its bodies perhaps excepted.
#[derive(Debug)]
pub(crate) struct FoundWrite {
    pub(crate) header: WriteHeader,
    pub(crate) offset: u64,
    pub(crate) batches: Vec<FoundBatch>,
}

/// Where a batch stands, and what it says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundBatch {
    pub(crate) partition: PartitionId,
    pub(crate) position: Position,
    pub(crate) offset: u64,
}

/// Why a scan does not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The bytes at `offset` are not those of a write.
    Bad { offset: u64, bad: Bad },
    /// The file cannot be read.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

/// A reader of one segment.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    segment: &'a Segment,
    window: Window,
    /// Length of the file.
    end: u64,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(segment: &'a Segment) -> io::Result<Scan<'a>> {
        Ok(Scan { segment, window: Window::default(), end: segment.file.len()? })
    }

    /// Write `number`, which should stand at `offset`. Its bodies are not looked at.
    pub(crate) fn write_at(&mut self, offset: u64, number: u64) -> Result<FoundWrite, Stop> {
        let header = self.header(offset)?;
        let expected = header.segment == self.segment.id && header.number == number;
        if !expected {
            let other = format!("write {} of segment {}", header.number, header.segment.number);
            return Err(Stop::Bad { offset, bad: Bad::Other(format!("{other}, not {number}")) });
        }
        let mut batches = Vec::new();
        let stop = offset.saturating_add(header.total());
        let mut at = offset.saturating_add(BLOCK_BYTES as u64);
        for _ in 0..header.batches {
            let head = self.batch(at, stop, number)?;
            let (partition, position) = (head.partition, head.position);
            batches.push(FoundBatch { partition, position, offset: at });
            at = at.saturating_add(head.total());
        }
        if at != stop {
            return Err(Stop::Bad { offset: at, bad: Bad::Length("of the batches of a write") });
        }
        Ok(FoundWrite { header, offset, batches })
    }

    fn header(&mut self, offset: u64) -> Result<WriteHeader, Stop> {
        let bad = |bad| Stop::Bad { offset, bad };
        let block = self.block(offset)?.ok_or(bad(Bad::Magic("write")))?;
        let header = WriteHeader::decode(&block).map_err(bad)?;
        if offset.saturating_add(header.total()) > self.end {
            return Err(bad(Bad::Length("of a write, beyond the end of its file")));
        }
        Ok(header)
    }

    /// The batch at `offset`, whose write ends at `stop`: its head, directory and facts are whole.
    fn batch(&mut self, offset: u64, stop: u64, write: u64) -> Result<BatchHead, Stop> {
        let bad = |bad| Stop::Bad { offset, bad };
        let block = self.block(offset)?.ok_or(bad(Bad::Length("of a write")))?;
        let head = BatchHead::decode(&block, stop.saturating_sub(offset)).map_err(bad)?;
        let directory = self.bytes(offset, head.facts_at())?;
        head.directory(directory).map_err(bad)?;
        if head.write != write {
            return Err(bad(Bad::Other(format!("a batch of write {}", head.write))));
        }
        let facts_at = offset.saturating_add(head.facts_at());
        let facts = self.bytes(facts_at, u64::from(head.facts_bytes))?;
        head.check_facts(facts).map_err(bad)?;
        Ok(head)
    }

    /// Checks the bodies of a write that was found whole otherwise.
    pub(crate) fn check_bodies(&mut self, write: &FoundWrite) -> Result<(), Stop> {
        write.batches.iter().try_for_each(|batch| self.check_bodies_of(batch.offset))
    }

    fn check_bodies_of(&mut self, offset: u64) -> Result<(), Stop> {
        let bad = |bad| Stop::Bad { offset, bad };
        let block = self.block(offset)?.ok_or(bad(Bad::Length("of a write")))?;
        let head = BatchHead::decode(&block, self.end.saturating_sub(offset)).map_err(bad)?;
        let directory = head.directory(self.bytes(offset, head.facts_at())?).map_err(bad)?;
        let mut at = offset.saturating_add(head.bodies_at());
        for entry in directory {
            entry.check(self.bytes(at, u64::from(entry.len))?).map_err(bad)?;
            at = at.saturating_add(u64::from(entry.len));
        }
        Ok(())
    }

    /// A write at `from` or after it that says that `number` was durable, if there is one: its
    /// offset. Its header is enough: it was written when that was true.
    pub(crate) fn claim_of(&mut self, number: u64, from: u64) -> io::Result<Option<u64>> {
        let mut at = from.next_multiple_of(ALIGNMENT);
        while let Some(block) = self.block(at)? {
            if block.starts_with(&WRITE_MAGIC) && self.claims(&block, number) {
                return Ok(Some(at));
            }
            at = at.saturating_add(ALIGNMENT);
        }
        Ok(None)
    }

    fn claims(&self, block: &Block, number: u64) -> bool {
        WriteHeader::decode(block)
            .is_ok_and(|header| header.segment == self.segment.id && header.synced >= number)
    }

    /// How many bytes there are from `from` up to the last that is not zero.
    pub(crate) fn left_over(&mut self, from: u64) -> io::Result<u64> {
        let (mut at, mut last) = (from, from);
        while at < self.end {
            let len = self.end.saturating_sub(at).min(BLOCK_BYTES as u64);
            let bytes = self.window.get(self.segment, at, len, self.end)?.unwrap_or_default();
            at = at.saturating_add(len);
            if !ZEROS.starts_with(bytes) {
                last = at;
            }
        }
        Ok(last.saturating_sub(from))
    }

    fn block(&mut self, offset: u64) -> io::Result<Option<Block>> {
        let bytes = self.window.get(self.segment, offset, BLOCK_BYTES as u64, self.end)?;
        Ok(bytes.and_then(|bytes| bytes.first_chunk()).copied())
    }

    /// Bytes that are inside the file, by what was checked before.
    fn bytes(&mut self, offset: u64, len: u64) -> io::Result<&[u8]> {
        let bytes = self.window.get(self.segment, offset, len, self.end)?;
        bytes.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    }
}
