//! Goes through the writes of a segment from front to back, checks them, and goes on behind what is
//! damaged.
//!
//! It finds its way by headers of writes only, since each carries the segment's salt: bytes that a
//! client put into a body are never taken for a write, not even where damage makes one look.

use std::io;
use std::sync::Arc;

use lineside_core::id::{PartitionId, Position};

use super::roster::Until;
use super::segment::Segment;
use super::window::Window;
use super::write::{
    ALIGNMENT, BLOCK_BYTES, Bad, BatchHead, Block, BodyEntry, Kind, WRITE_MAGIC, WriteHeader,
};

const ZEROS: Block = [0; BLOCK_BYTES];

/// A write, or what is left of one.
#[derive(Debug)]
pub(crate) struct FoundWrite {
    /// Of its header, in the file.
    pub(crate) offset: u64,
    /// Behind its last byte.
    pub(crate) end: u64,
    pub(crate) header: WriteHeader,
    pub(crate) batches: Vec<FoundBatch>,
    /// What is damaged in it, bodies perhaps excepted.
    pub(crate) hurts: Vec<Hurt>,
}

/// A batch whose head and directory are whole.
#[derive(Clone, Debug)]
pub(crate) struct FoundBatch {
    pub(crate) head: BatchHead,
    pub(crate) directory: Vec<BodyEntry>,
    pub(crate) offset: u64,
    /// Whether its facts are whole; not looked at if nobody asked.
    pub(crate) facts: Result<(), Bad>,
}

impl FoundBatch {
    /// Each body with where it begins in the file; one that lies outside takes nothing there.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = (BodyEntry, u64)> {
        let start = self.offset.saturating_add(self.head.bodies_at());
        self.directory.iter().scan(start, |at, entry| {
            let here = *at;
            *at = at.saturating_add(u64::from(entry.len_inside()));
            Some((*entry, here))
        })
    }
}

/// A damaged place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hurt {
    pub(crate) offset: u64,
    /// Up to here nothing can be read.
    pub(crate) end: u64,
    /// What is wrong.
    pub(crate) what: String,
    pub(crate) loses: Loses,
}

/// What is lost with a damaged place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loses {
    /// Nothing: what it said is said elsewhere.
    Nothing,
    /// The facts of one batch, whose head is whole.
    Facts { partition: PartitionId, position: Position },
    /// Positions of a partition that should be here, from the first to before the second.
    Positions { partition: PartitionId, from: Position, to: Position },
    /// Batches whose heads cannot be read, so many at most.
    Batches(u64),
}

/// What a walk comes to next.
#[derive(Debug)]
pub(crate) enum Step {
    Write(FoundWrite),
    /// One or several writes are lost.
    Hurt(Hurt),
    /// There are no more: all were there, or, in the last segment, this is not a write and nothing
    /// says that one was durable here.
    End(Option<Bad>),
}

/// Why a walk does not go on.
#[derive(Debug)]
pub(crate) enum WalkFault {
    Io(io::Error),
    /// A later version made it.
    Newer {
        offset: u64,
        what: String,
    },
}

impl From<io::Error> for WalkFault {
    fn from(error: io::Error) -> WalkFault {
        WalkFault::Io(error)
    }
}

/// A walk through one segment.
#[derive(Debug)]
pub(crate) struct Walk {
    segment: Arc<Segment>,
    window: Window,
    /// Length of the file.
    len: u64,
    /// Where the next write should stand.
    pub(crate) offset: u64,
    /// Its number.
    pub(crate) next_write: u64,
    /// The first write of the next segment, if there is one: all before it were durable.
    until: Option<Until>,
    /// Whether facts are checked.
    check_facts: bool,
}

impl Walk {
    /// A walk from the first write on. `until` says where the writes end, unless it is the last
    /// segment.
    pub(crate) fn new(
        segment: &Arc<Segment>,
        until: Option<Until>,
        check_facts: bool,
    ) -> io::Result<Walk> {
        let len = segment.file.len()?;
        let (offset, next_write) = (segment.header.first_offset, segment.header.first_write);
        let window = Window::default();
        Ok(Walk {
            segment: Arc::clone(segment),
            window,
            len,
            offset,
            next_write,
            until,
            check_facts,
        })
    }

    /// Goes on to the next write.
    pub(crate) fn step(&mut self) -> Result<Step, WalkFault> {
        if self.until.is_some_and(|until| self.next_write >= until.write) {
            return Ok(Step::End(None));
        }
        let bad = match self.header(self.offset, self.next_write)? {
            Ok(header) => {
                let write = self.write(header)?;
                if let Some(hurt) = write.hurts.first().filter(|_| self.until.is_none())
                    && !self.is_claimed(write.header.number, write.offset)?
                {
                    return Ok(Step::End(Some(Bad::Other(hurt.what.clone()))));
                }
                self.pass(write.end, write.header.through);
                return Ok(Step::Write(write));
            }
            Err(Bad::Kind(kind)) => return Err(self.newer(kind)),
            Err(bad) => bad,
        };
        if self.until.is_none() && !self.is_claimed(self.next_write, self.offset)? {
            return Ok(Step::End(Some(bad)));
        }
        match self.headless(&bad)? {
            Some(write) => {
                self.pass(write.end, write.header.through);
                Ok(Step::Write(write))
            }
            None => self.lost(&bad),
        }
    }

    fn pass(&mut self, end: u64, through: u64) {
        self.offset = end;
        self.next_write = through.saturating_add(1);
    }

    fn newer(&self, kind: u8) -> WalkFault {
        let what = format!(
            "{}: it was made by a newer version of Lineside; use that version",
            Bad::Kind(kind)
        );
        WalkFault::Newer { offset: self.offset, what }
    }

    /// The header of write `number` at `offset`, if one is there.
    fn header(&mut self, offset: u64, number: u64) -> io::Result<Result<WriteHeader, Bad>> {
        Ok(self.any_header(offset)?.and_then(|header| {
            if header.number == number {
                return Ok(header);
            }
            let (found, segment) = (header.number, header.segment.number);
            Err(Bad::Other(format!("write {found} of segment {segment}, not {number}")))
        }))
    }

    /// The header of a write of this segment at `offset`, if one is there.
    fn any_header(&mut self, offset: u64) -> io::Result<Result<WriteHeader, Bad>> {
        let Some(block) = self.block(offset)? else { return Ok(Err(Bad::Magic("write"))) };
        if !block.starts_with(&WRITE_MAGIC) {
            return Ok(Err(Bad::Magic("write")));
        }
        let header = WriteHeader::decode(&block).and_then(|header| {
            let beyond = offset.saturating_add(header.total()) > self.len;
            match header.segment == self.segment.id() {
                true if beyond => Err(Bad::Length("of a write, beyond the end of its file")),
                true => Ok(header),
                false => Err(Bad::Other("a write of another segment".to_owned())),
            }
        });
        Ok(header)
    }

    /// The write whose header stands at the walk's offset.
    fn write(&mut self, header: WriteHeader) -> io::Result<FoundWrite> {
        let (offset, mut batches, mut hurts) = (self.offset, Vec::new(), Vec::new());
        let end = offset.saturating_add(header.total());
        let mut at = offset.saturating_add(BLOCK_BYTES as u64);
        for _ in 0..header.batches {
            match self.batch(at, end, header.number)? {
                Ok(batch) => {
                    at = at.saturating_add(batch.head.total());
                    hurts.extend(facts_hurt(&batch));
                    batches.push(batch);
                }
                Err(bad) => {
                    let left = u64::from(header.batches).saturating_sub(batches.len() as u64);
                    hurts.push(hurt(at, end, &bad, Loses::Batches(left)));
                    return Ok(FoundWrite { offset, end, header, batches, hurts });
                }
            }
        }
        if at != end {
            let bad = Bad::Length("of the batches of a write");
            hurts.push(hurt(at, end, &bad, Loses::Batches(most_batches(at, end))));
        }
        Ok(FoundWrite { offset, end, header, batches, hurts })
    }

    /// The batch at `offset`, whose write ends at `end`: its head and directory are whole.
    fn batch(&mut self, offset: u64, end: u64, write: u64) -> io::Result<Result<FoundBatch, Bad>> {
        let Some(block) = self.block(offset)? else { return Ok(Err(Bad::Magic("batch"))) };
        let head = match BatchHead::decode(&block, end.saturating_sub(offset)) {
            Ok(head) => head,
            Err(bad) => return Ok(Err(bad)),
        };
        let Some(bytes) = self.window.get(&self.segment, offset, head.facts_at(), self.len)? else {
            return Ok(Err(Bad::Length("of a directory")));
        };
        let directory = match head.directory(bytes) {
            Ok(directory) => directory,
            Err(bad) => return Ok(Err(bad)),
        };
        if head.write != write {
            return Ok(Err(Bad::Other(format!("a batch of write {}", head.write))));
        }
        let facts = self.facts(offset, &head)?;
        Ok(Ok(FoundBatch { head, directory, offset, facts }))
    }

    fn facts(&mut self, offset: u64, head: &BatchHead) -> io::Result<Result<(), Bad>> {
        if !self.check_facts {
            return Ok(Ok(()));
        }
        let facts_at = offset.saturating_add(head.facts_at());
        let facts = self.window.get(&self.segment, facts_at, head.facts_bytes.into(), self.len)?;
        Ok(facts.ok_or(Bad::Length("of facts")).and_then(|facts| head.check_facts(facts)))
    }

    /// The write at the walk's offset, whose header is not whole, if its batches lead to the next
    /// header.
    fn headless(&mut self, bad: &Bad) -> io::Result<Option<FoundWrite>> {
        let (offset, number) = (self.offset, self.next_write);
        let (mut at, mut batches) = (offset.saturating_add(BLOCK_BYTES as u64), Vec::new());
        while let Ok(batch) = self.batch(at, self.len, number)? {
            at = at.saturating_add(batch.head.total());
            batches.push(batch);
        }
        let through = match self.any_header(at)? {
            Ok(next) if next.number > number => next.number.saturating_sub(1),
            _ => return Ok(None),
        };
        let mut hurts = vec![hurt(offset, offset, bad, Loses::Nothing)];
        hurts.extend(batches.iter().filter_map(facts_hurt));
        let kind = if batches.is_empty() { Kind::Mark } else { Kind::Batches };
        let header = WriteHeader {
            kind,
            segment: self.segment.id(),
            number,
            through,
            synced: number.saturating_sub(1),
            batches: u32::try_from(batches.len()).unwrap_or(u32::MAX),
            length: 0,
        };
        Ok(Some(FoundWrite { offset, end: at, header, batches, hurts }))
    }

    /// What is lost from here to the next write that is whole, or to the end of a segment that is
    /// not the last.
    fn lost(&mut self, bad: &Bad) -> Result<Step, WalkFault> {
        let (from, number) = (self.offset, self.next_write);
        let mut at = from.saturating_add(ALIGNMENT);
        while at < self.len {
            match self.any_header(at)? {
                Ok(next) if next.number > number => {
                    self.pass(at, next.number.saturating_sub(1));
                    let loses = Loses::Batches(most_batches(from, at));
                    return Ok(Step::Hurt(hurt(from, at, bad, loses)));
                }
                _ => at = at.saturating_add(ALIGNMENT),
            }
        }
        if self.until.is_some_and(|until| !until.exact) && self.left_over(from)? == 0 {
            // The segment behind it is missing, so nobody knows how many there should be.
            return Ok(Step::End(None));
        }
        let until = self.until.map_or(number.saturating_add(1), |until| until.write);
        self.pass(self.len, until.saturating_sub(1));
        let loses = Loses::Batches(most_batches(from, self.len).max(1));
        Ok(Step::Hurt(hurt(from, self.len, bad, loses)))
    }

    /// Whether a write at `from` or after it says that `number` was durable. Its header is enough:
    /// it was written when that was true.
    fn is_claimed(&mut self, number: u64, from: u64) -> io::Result<bool> {
        let mut at = from.next_multiple_of(ALIGNMENT);
        while let Some(block) = self.block(at)? {
            let claims = |header: WriteHeader| {
                header.segment == self.segment.id() && header.synced >= number
            };
            if block.starts_with(&WRITE_MAGIC) && WriteHeader::decode(&block).is_ok_and(claims) {
                return Ok(true);
            }
            at = at.saturating_add(ALIGNMENT);
        }
        Ok(false)
    }

    /// Whether all bodies in a batch are whole. Those outside were durable before it was written.
    pub(crate) fn bodies_are_whole(&mut self, batch: &FoundBatch) -> io::Result<bool> {
        for (entry, offset) in batch.bodies().filter(|(entry, _)| !entry.outside) {
            if !self.body_is_whole(&entry, offset)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the body at `offset` is what was written.
    pub(crate) fn body_is_whole(&mut self, entry: &BodyEntry, offset: u64) -> io::Result<bool> {
        let bytes = self.window.get(&self.segment, offset, u64::from(entry.len), self.len)?;
        Ok(bytes.is_some_and(|bytes| entry.check(bytes).is_ok()))
    }

    /// Bytes of the file, if they are there.
    pub(crate) fn bytes(&mut self, offset: u64, len: u64) -> io::Result<Option<&[u8]>> {
        self.window.get(&self.segment, offset, len, self.len)
    }

    /// How many bytes there are from `from` up to the last that is not zero.
    pub(crate) fn left_over(&mut self, from: u64) -> io::Result<u64> {
        let (mut at, mut last) = (from, from);
        while at < self.len {
            let len = self.len.saturating_sub(at).min(BLOCK_BYTES as u64);
            let bytes = self.window.get(&self.segment, at, len, self.len)?.unwrap_or_default();
            if !ZEROS.starts_with(bytes) {
                let behind = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
                last = at.saturating_add(behind as u64).saturating_add(1);
            }
            at = at.saturating_add(len);
        }
        Ok(last.saturating_sub(from))
    }

    fn block(&mut self, offset: u64) -> io::Result<Option<Block>> {
        let bytes = self.window.get(&self.segment, offset, BLOCK_BYTES as u64, self.len)?;
        Ok(bytes.and_then(|bytes| bytes.first_chunk()).copied())
    }
}

fn hurt(offset: u64, end: u64, bad: &Bad, loses: Loses) -> Hurt {
    Hurt { offset, end, what: bad.to_string(), loses }
}

fn facts_hurt(batch: &FoundBatch) -> Option<Hurt> {
    let bad = batch.facts.as_ref().err()?;
    let head = &batch.head;
    let (partition, position) = (head.partition, head.position);
    let end = batch.offset.saturating_add(head.total());
    Some(hurt(batch.offset, end, bad, Loses::Facts { partition, position }))
}

/// How many batches so many bytes can have been.
fn most_batches(from: u64, to: u64) -> u64 {
    to.saturating_sub(from).checked_div(BLOCK_BYTES as u64).unwrap_or(0)
}
