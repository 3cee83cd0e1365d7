//! Reads batches and bodies back.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use lineside_core::codec::decode_facts;
use lineside_core::fact::{Batch, Fact, Facts};
use lineside_core::id::{BodyRef, PartitionId, Position};
use lineside_core::stamp::Stamp;
use lineside_engine::log::LogFault;
use lineside_engine::off_loop::off_loop;

use super::gaps::Gaps;
use super::outside::{self, Address, Missed};
use super::segment::Segment;
use super::shared::{Located, Shared};
use super::window::Window;
use super::write::{BLOCK_BYTES, Bad, BatchHead, BodyEntry, Form};
use crate::limits::{BODY_READ_BYTES, READ_AHEAD_BYTES, READ_STEP_BATCHES};

type Item = Result<(Position, Batch), LogFault>;
/// A batch and how many bytes its facts took.
type Measured = ((Position, Batch), usize);

/// A reader of one partition. It goes from front to back, a step of several batches at a time, and
/// waits at the tail.
#[derive(Debug)]
pub(crate) struct Reader {
    shared: Arc<Shared>,
    partition: PartitionId,
    /// The first batch that is not in `ready`.
    next: Position,
    window: Window,
    gaps: Gaps,
    ready: VecDeque<Item>,
    /// A fault was met: what comes after it would not follow what came before.
    failed: bool,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, partition: PartitionId, from: Position) -> Reader {
        let (window, gaps, ready) = (Window::default(), Gaps::default(), VecDeque::new());
        Reader { shared, partition, next: from, window, gaps, ready, failed: false }
    }

    /// The next batch and the reader after it; `None` when there will not be another.
    pub(crate) async fn step(mut self) -> Option<(Item, Reader)> {
        while self.ready.is_empty() {
            if self.failed || !self.wait().await {
                return None;
            }
            // Known without the disk.
            match self.shared.doubt_at(self.partition, self.next) {
                Some(doubt) => self.fail(doubt),
                None => self = off_loop(move || self.filled()).await.ok()?,
            }
        }
        self.ready.pop_front().map(|item| (item, self))
    }

    /// Waits for a batch to read; `false` if none will come.
    async fn wait(&self) -> bool {
        let look = || {
            let ended = self.shared.has_ended();
            let more = self.shared.has_news(self.partition, self.next);
            (more || ended).then_some(more)
        };
        self.shared.bell.wait_for(look).await
    }

    fn filled(mut self) -> Reader {
        let mut bytes = 0;
        while self.ready.len() < READ_STEP_BATCHES && bytes < READ_AHEAD_BYTES {
            match self.advance() {
                Ok(Some((item, size))) => {
                    bytes = bytes.saturating_add(size);
                    self.ready.push_back(Ok(item));
                }
                Ok(None) => break,
                Err(fault) => {
                    if let LogFault::Damaged { .. } = fault {
                        self.shared.damage.mark(self.partition, self.next);
                    }
                    self.fail(fault);
                    break;
                }
            }
        }
        self
    }

    fn fail(&mut self, fault: LogFault) {
        self.failed = true;
        self.ready.push_back(Err(fault));
    }

    /// The next batch that has its facts, or the end of a gap, and how many bytes the facts took;
    /// `None` at the tail.
    fn advance(&mut self) -> Result<Option<Measured>, LogFault> {
        loop {
            let located = self.shared.locate(self.partition, self.next)?;
            if located.is_behind(self.next)
                && let Some(end) = self.gaps.end(&self.shared, self.partition, self.next)
            {
                return Ok(Some((self.pass_gap(end), 0)));
            }
            match located {
                Located::Nothing(until) => {
                    self.next = until;
                    return Ok(None);
                }
                Located::Batch { position, segment, offset } => {
                    self.next = position;
                    let found = self.batch(&segment, offset, position)?;
                    self.next = position.next();
                    if let Some((batch, size)) = found {
                        return Ok(Some(((position, batch), size)));
                    }
                }
            }
        }
    }

    /// Passes over positions that a repair accepted as lost, and says so for the first and the last.
    fn pass_gap(&mut self, end: Position) -> (Position, Batch) {
        let lost = || Batch { at: Stamp(0), facts: Facts::none() };
        let last = Position(end.0.saturating_sub(1));
        if last > self.next {
            self.ready.push_back(Ok((self.next, lost())));
        }
        self.next = end;
        (last, lost())
    }

    /// The batch at `offset`, without its bodies, and how many bytes its facts took; `None` if
    /// compaction took the facts away.
    fn batch(
        &mut self,
        segment: &Segment,
        offset: u64,
        position: Position,
    ) -> Result<Option<(Batch, usize)>, LogFault> {
        let (partition, end) = (self.partition, segment.end());
        let block = self.bytes(segment, offset, BLOCK_BYTES as u64, end)?.first_chunk().copied();
        let block = block.ok_or_else(|| bad(segment, offset, &Bad::Magic("batch")))?;
        let head = BatchHead::decode(&block, end.saturating_sub(offset));
        let head = head.map_err(|error| bad(segment, offset, &error))?;
        let whole = self.bytes(segment, offset, head.bodies_at(), end)?;
        let facts = facts(&head, whole, partition, position);
        let facts = facts.map_err(|error| bad(segment, offset, &error))?;
        let batch = Batch { at: head.at, facts: Facts { facts, bodies: Vec::new() } };
        Ok((head.form == Form::Whole).then_some((batch, whole.len())))
    }

    fn bytes(
        &mut self,
        segment: &Segment,
        offset: u64,
        len: u64,
        end: u64,
    ) -> Result<&[u8], LogFault> {
        let bytes = self.window.get(segment, offset, len, end);
        let bytes = bytes.map_err(|error| segment.unreadable(&error))?;
        bytes.ok_or_else(|| bad(segment, offset, &Bad::Length("of a batch")))
    }
}

/// The facts of the batch whose head, directory and facts are `bytes`.
fn facts(
    head: &BatchHead,
    bytes: &[u8],
    partition: PartitionId,
    position: Position,
) -> Result<Vec<Fact>, Bad> {
    let facts_at = usize::try_from(head.facts_at()).unwrap_or(usize::MAX);
    let (before, facts) = bytes.split_at_checked(facts_at).ok_or(Bad::Length("of a batch"))?;
    head.directory(before)?;
    belongs(head, partition, position)?;
    if head.form != Form::Whole {
        return Ok(Vec::new());
    }
    head.check_facts(facts)?;
    let count = usize::try_from(head.facts).unwrap_or(usize::MAX);
    decode_facts(facts, count).map_err(|error| Bad::Other(error.to_string()))
}

/// What stands where the index says is what the index says.
fn belongs(head: &BatchHead, partition: PartitionId, position: Position) -> Result<(), Bad> {
    if (head.partition, head.position) == (partition, position) {
        return Ok(());
    }
    let (p, at) = (head.partition.0, head.position.0);
    Err(Bad::Other(format!("batch {at} of partition {p}, not the one that belongs here")))
}

fn bad(segment: &Segment, offset: u64, error: &Bad) -> LogFault {
    segment.damaged(offset, &error.to_string())
}

/// Reads a body off the disk; one that lies in its batch is kept in the cache.
pub(crate) async fn body(
    shared: Arc<Shared>,
    partition: PartitionId,
    wanted: BodyRef,
) -> Result<Bytes, LogFault> {
    let read = move || find(&shared, partition, wanted);
    off_loop(read).await.map_err(|error| LogFault::Io(error.to_string()))?
}

fn find(shared: &Shared, partition: PartitionId, wanted: BodyRef) -> Result<Bytes, LogFault> {
    let (position, index) = (wanted.place.position, wanted.place.index);
    let mut missed_in = None;
    loop {
        let (segment, offset) = match shared.locate(partition, position)? {
            Located::Batch { position: found, segment, offset } if found == position => {
                (segment, offset)
            }
            Located::Batch { .. } | Located::Nothing(_) => return Err(LogFault::NoBody(wanted)),
        };
        let reader = BodyReader { segment: &segment, offset, partition, wanted };
        let entry = match reader.read()? {
            Found::Inside(body) => {
                shared.keep(partition, position, index, &body);
                return Ok(body);
            }
            Found::Outside(entry) => entry,
        };
        let address = Address { partition, place: wanted.place };
        match outside::read(shared.blobs.folder(), &address, &entry) {
            // Compaction may have dropped the body since: then another file has the segment's place.
            Err(Missed::Gone(_)) if missed_in != Some(segment.id()) => {
                missed_in = Some(segment.id());
            }
            found => return Ok(found?),
        }
    }
}

/// Where a body was found.
enum Found {
    Inside(Bytes),
    Outside(BodyEntry),
}

/// A look for one body in its batch.
struct BodyReader<'a> {
    segment: &'a Segment,
    offset: u64,
    partition: PartitionId,
    wanted: BodyRef,
}

impl BodyReader<'_> {
    /// One read if the body is small or early, two otherwise. One that lies outside is not read.
    fn read(&self) -> Result<Found, LogFault> {
        let mut start = self.pread(self.offset, BODY_READ_BYTES as u64)?;
        let head = start.first_chunk().ok_or(Bad::Length("of a batch"));
        let room = self.segment.end().saturating_sub(self.offset);
        let head = head.and_then(|block| BatchHead::decode(block, room));
        let head = head.map_err(|error| self.bad(&error))?;
        if (start.len() as u64) < head.facts_at() {
            start = self.pread(self.offset, head.facts_at())?;
        }
        let (entry, at) = self.entry(&head, &start)?;
        if entry.outside {
            return Ok(Found::Outside(entry));
        }
        let body = self.bytes(&start, at, u64::from(entry.len))?;
        entry.check(&body).map_err(|error| self.bad(&error))?;
        Ok(Found::Inside(body))
    }

    /// The body's entry, and where the body begins, counted from the batch.
    fn entry(&self, head: &BatchHead, start: &[u8]) -> Result<(BodyEntry, u64), LogFault> {
        let directory = usize::try_from(head.facts_at()).ok().and_then(|end| start.get(..end));
        let directory = head.directory(directory.unwrap_or_default());
        let directory = directory.map_err(|error| self.bad(&error))?;
        let place = self.wanted.place;
        belongs(head, self.partition, place.position).map_err(|error| self.bad(&error))?;
        let mut at = head.bodies_at();
        for entry in directory {
            if entry.index == place.index && entry.len == self.wanted.len {
                return Ok((entry, at));
            }
            at = at.saturating_add(u64::from(entry.len_inside()));
        }
        Err(LogFault::NoBody(self.wanted))
    }

    /// The `len` bytes `at` bytes into the batch, of which `start` is the beginning.
    fn bytes(&self, start: &[u8], at: u64, len: u64) -> Result<Bytes, LogFault> {
        let from = usize::try_from(at).unwrap_or(usize::MAX);
        let to = from.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
        match start.get(from..to) {
            // Copied, so that a small body does not keep the whole read alive.
            Some(bytes) => Ok(Bytes::copy_from_slice(bytes)),
            None => self.pread(self.offset.saturating_add(at), len).map(Bytes::from),
        }
    }

    fn pread(&self, offset: u64, len: u64) -> Result<Vec<u8>, LogFault> {
        let len = len.min(self.segment.end().saturating_sub(offset));
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        let read = self.segment.file.read_at(&mut bytes, offset);
        bytes.truncate(read.map_err(|error| self.segment.unreadable(&error))?);
        Ok(bytes)
    }

    fn bad(&self, error: &Bad) -> LogFault {
        let place = self.wanted.place;
        let what = format!("{error}; the body of position {}, {}", place.position.0, place.index);
        self.segment.damaged(self.offset, &what)
    }
}
