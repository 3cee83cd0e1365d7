//! Postings: the numbers of the events that have a term, relative to the first of their run,
//! ascending.
//!
//! In blocks of 128. A block is a varint, twice its first number, plus one if its numbers follow
//! one another without a gap; and if not, a varint for each further number: the gap before it less
//! one. A list of one block is told by where it begins. A longer one is told by where its *steps*
//! begin, behind its blocks: for each block its first number (4 bytes) and how far before the steps
//! it begins (4 bytes). A list of one number is that number, in place of where it lies.

use crate::event::Order;
use crate::fault::Fault;
use crate::page::{ByteReader, PageWriter, Pages, Through, put_varint};

/// How many numbers a block has.
pub(crate) const BLOCK: u32 = 128;
const STEP_BYTES: u64 = 8;

/// Where the postings of a term lie, as the dictionary says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    /// The offset of the block or of the steps, or the number itself if there is one only.
    pub(crate) at: u64,
    /// How many numbers, at least 1.
    pub(crate) count: u32,
    /// The last number.
    pub(crate) last: u32,
}

impl Posted {
    fn blocks(&self) -> u32 {
        self.count.div_ceil(BLOCK)
    }

    /// How many numbers a block has.
    fn len_of(&self, block: u32) -> u32 {
        self.count.saturating_sub(block.saturating_mul(BLOCK)).min(BLOCK)
    }
}

/// Writes the postings of one term after another.
#[derive(Debug)]
pub(crate) struct PostingWriter {
    out: PageWriter,
    block: Vec<u32>,
    /// The first number and the offset of each block that is written.
    steps: Vec<(u32, u64)>,
    count: u32,
    scratch: Vec<u8>,
}

impl PostingWriter {
    pub(crate) fn new(out: PageWriter) -> PostingWriter {
        PostingWriter { out, block: Vec::new(), steps: Vec::new(), count: 0, scratch: Vec::new() }
    }

    /// The next number of this term, higher than those before.
    pub(crate) fn put(&mut self, number: u32) -> Result<(), Fault> {
        if self.block.len() == BLOCK as usize {
            self.write_block()?;
        }
        self.block.push(number);
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// Ends the term, which had a number at least.
    pub(crate) fn end(&mut self) -> Result<Posted, Fault> {
        let last = self.block.last().copied().unwrap_or(0);
        let count = std::mem::take(&mut self.count);
        if count == 1 {
            self.block.clear();
            return Ok(Posted { at: u64::from(last), count, last });
        }
        self.write_block()?;
        let at = match self.steps.as_slice() {
            [(_, only)] => *only,
            _ => self.write_steps()?,
        };
        self.steps.clear();
        Ok(Posted { at, count, last })
    }

    pub(crate) fn finish(self) -> Result<u32, Fault> {
        self.out.finish()
    }

    fn write_block(&mut self) -> Result<(), Fault> {
        let (Some(first), Some(last)) = (self.block.first(), self.block.last()) else {
            return Ok(());
        };
        let is_dense = (last.saturating_sub(*first) as usize) < self.block.len();
        self.steps.push((*first, self.out.offset()));
        self.scratch.clear();
        put_varint(u64::from(*first) << 1 | u64::from(is_dense), &mut self.scratch);
        let gaps = self.block.iter().zip(self.block.iter().skip(1));
        for (before, number) in gaps.take_while(|_| !is_dense) {
            let gap = number.saturating_sub(*before).saturating_sub(1);
            put_varint(u64::from(gap), &mut self.scratch);
        }
        self.out.put(&self.scratch)?;
        self.block.clear();
        Ok(())
    }

    fn write_steps(&mut self) -> Result<u64, Fault> {
        let at = self.out.offset();
        for (first, offset) in &self.steps {
            let back = u32::try_from(at.saturating_sub(*offset));
            // A run has 2^31 events at most, and a number takes less than two bytes on average
            // when there are so many of them in one list.
            assert!(back.is_ok(), "the blocks of one list take less than 4 GiB");
            self.out.put(&first.to_le_bytes())?;
            self.out.put(&back.unwrap_or(0).to_le_bytes())?;
        }
        Ok(at)
    }
}

/// The numbers of a list one after another, each once: for merging. The blocks lie one behind the
/// other, so only the first one is looked for.
pub(crate) fn each(
    pages: &Pages,
    posted: Posted,
    reader: &mut ByteReader<'_>,
    mut put: impl FnMut(u32) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if posted.count == 1 {
        return put(posted.last);
    }
    reader.go_to(Stored::new(pages, posted, Through::Disk).offset(0)?)?;
    for block in 0..posted.blocks() {
        decode_block(pages, posted.len_of(block), reader, &mut put)?;
    }
    Ok(())
}

/// The numbers of a block of so many, from where the reader is.
fn decode_block(
    pages: &Pages,
    len: u32,
    reader: &mut ByteReader<'_>,
    mut put: impl FnMut(u32) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let too_large = || pages.damage("a number in a list is too large");
    let head = reader.varint()?;
    let mut number = u32::try_from(head >> 1).map_err(|_| too_large())?;
    put(number)?;
    for _ in 1..len {
        let gap = if head & 1 == 1 { 0 } else { reader.small()? };
        let next = number.checked_add(gap).and_then(|number| number.checked_add(1));
        number = next.ok_or_else(too_large)?;
        put(number)?;
    }
    Ok(())
}

/// A list that lies in a run.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    pages: &'a Pages,
    posted: Posted,
    through: Through,
    block: Vec<u32>,
    /// Which block is decoded.
    at: Option<u32>,
    /// Numbers decoded and steps looked at, since this was last taken.
    cost: u64,
}

impl<'a> Stored<'a> {
    pub(crate) fn new(pages: &'a Pages, posted: Posted, through: Through) -> Stored<'a> {
        Stored { pages, posted, through, block: Vec::new(), at: None, cost: 0 }
    }

    pub(crate) fn count(&self) -> u32 {
        self.posted.count
    }

    /// What was looked at since this was last asked.
    pub(crate) fn take_cost(&mut self) -> u64 {
        std::mem::take(&mut self.cost)
    }

    /// The number nearest to `from` in this direction, `from` itself included.
    pub(crate) fn seek(&mut self, from: u32, order: Order) -> Result<Option<u32>, Fault> {
        self.cost = self.cost.saturating_add(1);
        if order == Order::OldestFirst && from > self.posted.last {
            return Ok(None);
        }
        if !self.holds(from) {
            let block = self.block_of(from)?;
            self.load(block)?;
        }
        if let Some(number) = nearest(&self.block, from, order) {
            return Ok(Some(number));
        }
        let next = self.at.map_or(0, |at| at.saturating_add(1));
        if order == Order::NewestFirst || next >= self.posted.blocks() {
            return Ok(None);
        }
        self.load(next)?;
        // A search that is led back would never end.
        let first = self.block.first().copied().filter(|first| *first > from);
        first.map(Some).ok_or_else(|| self.pages.damage("the blocks of a list are not in order"))
    }

    /// The number at this rank, from 0.
    pub(crate) fn ranked(&mut self, rank: u32) -> Result<Option<u32>, Fault> {
        if rank >= self.posted.count {
            return Ok(None);
        }
        self.load(rank / BLOCK)?;
        Ok(self.block.get((rank % BLOCK) as usize).copied())
    }

    /// Whether the decoded block reaches around a number.
    fn holds(&self, number: u32) -> bool {
        let ends = self.block.first().zip(self.block.last());
        ends.is_some_and(|(first, last)| (*first..=*last).contains(&number))
    }

    /// The last block that begins at or before a number; the first one if none does.
    fn block_of(&mut self, number: u32) -> Result<u32, Fault> {
        let (mut low, mut high): (u32, u32) = (0, self.posted.blocks());
        if high <= 1 {
            return Ok(0);
        }
        let mut reader = ByteReader::new(self.pages, self.posted.at, self.through)?;
        while low.saturating_add(1) < high {
            let middle = low.midpoint(high);
            self.cost = self.cost.saturating_add(1);
            reader.go_to(self.step(middle))?;
            let first = u32::from_le_bytes(reader.fixed()?);
            *(if first <= number { &mut low } else { &mut high }) = middle;
        }
        Ok(low)
    }

    fn step(&self, block: u32) -> u64 {
        self.posted.at.saturating_add(u64::from(block).saturating_mul(STEP_BYTES))
    }

    fn load(&mut self, block: u32) -> Result<(), Fault> {
        if self.at == Some(block) {
            return Ok(());
        }
        let offset = if self.posted.count == 1 { 0 } else { self.offset(block)? };
        let mut reader = ByteReader::new(self.pages, offset, self.through)?;
        self.decode(block, &mut reader)
    }

    /// Where a block lies.
    fn offset(&self, block: u32) -> Result<u64, Fault> {
        if self.posted.blocks() <= 1 {
            return Ok(self.posted.at);
        }
        let mut reader = ByteReader::new(self.pages, self.step(block), self.through)?;
        let _first: [u8; 4] = reader.fixed()?;
        let back = u64::from(u32::from_le_bytes(reader.fixed()?));
        let offset = self.posted.at.checked_sub(back);
        offset.ok_or_else(|| self.pages.damage("a list begins before its file"))
    }

    /// Decodes a block from where the reader is.
    fn decode(&mut self, block: u32, reader: &mut ByteReader<'_>) -> Result<(), Fault> {
        self.block.clear();
        self.at = Some(block);
        let len = self.posted.len_of(block);
        self.cost = self.cost.saturating_add(u64::from(len));
        if self.posted.count == 1 {
            self.block.push(self.posted.last);
            return Ok(());
        }
        decode_block(self.pages, len, reader, |number| {
            self.block.push(number);
            Ok(())
        })
    }
}

/// The number of an ascending list that is nearest to `from` in this direction.
pub(crate) fn nearest(numbers: &[u32], from: u32, order: Order) -> Option<u32> {
    match order {
        Order::OldestFirst => numbers.get(numbers.partition_point(|n| *n < from)).copied(),
        Order::NewestFirst => {
            let after = numbers.partition_point(|n| *n <= from);
            numbers.get(..after).and_then(<[u32]>::last).copied()
        }
    }
}
