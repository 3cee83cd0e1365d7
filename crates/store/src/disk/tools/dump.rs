//! Shows what a log holds, batch by batch, also where it is damaged.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use lineside_core::codec::decode_facts;
use lineside_core::fact::Fact;
use lineside_core::id::{PartitionId, Position};
use lineside_core::stamp::Stamp;

use super::{Cost, Finding, blobs_of, look, outside_fault, take_to_look};
use crate::disk::file::{Disk, DiskLock};
use crate::disk::options::OpenError;
use crate::disk::outside::Address;
use crate::disk::roster::{Listed, Roster, header_fault};
use crate::disk::segment::{self, Segment};
use crate::disk::walk::{FoundBatch, FoundWrite, Hurt, Loses, Step, Walk, WalkFault};
use crate::disk::write::Form;
use crate::limits::GAP_POSITIONS_UNKNOWN;

/// What stands in a log.
#[derive(Clone, Debug, PartialEq)]
pub enum Dumped {
    /// A batch.
    Batch {
        /// Where, in its partition.
        position: Position,
        /// When.
        at: Stamp,
        /// What was decided.
        facts: DumpedFacts,
        /// What the facts brought.
        bodies: Vec<DumpedBody>,
        /// File and offset.
        place: String,
    },
    /// Positions that are lost, which a repair accepted.
    Gap {
        /// The first.
        from: Position,
        /// How many, at most.
        count: u64,
    },
    /// A damaged place. It may be another partition's.
    Damage(Finding),
}

/// The facts of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum DumpedFacts {
    /// As they were written.
    Whole(Vec<Fact>),
    /// Compaction took them away: so many.
    Reclaimed(u32),
    /// They cannot be read, and why.
    Damaged(String),
}

/// A body in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DumpedBody {
    /// Of the fact that brought it.
    pub index: u32,
    /// In bytes.
    pub len: u32,
    /// Whether it is what was written.
    pub is_whole: bool,
}

/// Goes through a partition from front to back.
pub struct Dump {
    disk: Arc<dyn Disk>,
    /// Where blobs lie.
    folder: Option<Arc<dyn Disk>>,
    partition: PartitionId,
    from: Position,
    segments: VecDeque<Listed>,
    walk: Option<(Arc<Segment>, Walk)>,
    ready: VecDeque<Dumped>,
    /// Keeps servers out.
    _lock: DiskLock,
}

/// Shows the batches of a partition, from a position on, in a directory that no server uses.
pub fn dump(path: &Path, partition: PartitionId, from: Position) -> Result<Dump, OpenError> {
    dump_on(look(path)?, partition, from)
}

/// As [`dump`], of the last segments alone, so many: about what a start reads, and as quick.
pub fn dump_tail(path: &Path, partition: PartitionId, count: usize) -> Result<Dump, OpenError> {
    let mut dump = dump(path, partition, Position(0))?;
    let before = dump.segments.len().saturating_sub(count);
    dump.segments.drain(..before);
    Ok(dump)
}

/// As [`dump`], on a disk that may be one of the tests.
pub fn dump_on(
    disk: Arc<dyn Disk>,
    partition: PartitionId,
    from: Position,
) -> Result<Dump, OpenError> {
    let lock = take_to_look(disk.as_ref())?;
    let roster = Roster::read(disk.as_ref())?;
    let broken = roster.broken.values().map(|broken| {
        let what = broken.fault.to_string();
        let cost = Cost::Unknown { batches: GAP_POSITIONS_UNKNOWN };
        Dumped::Damage(Finding { file: disk.place(""), offset: 0, what, cost })
    });
    let ready = broken.collect();
    let next = roster.segments.iter().skip(1).map(Some).chain([None]);
    let holds = |(_, next): &(&Listed, Option<&Listed>)| {
        next.is_none_or(|next| next.starts.get(partition).position > from)
    };
    let segments = roster.segments.iter().zip(next).filter(holds).map(|(listed, _)| listed);
    let segments = segments.cloned().collect();
    let folder = blobs_of(disk.as_ref())?;
    Ok(Dump { disk, folder, partition, from, segments, walk: None, ready, _lock: lock })
}

impl Iterator for Dump {
    type Item = Result<Dumped, OpenError>;

    fn next(&mut self) -> Option<Result<Dumped, OpenError>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(Ok(ready));
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    // What comes behind a disk that cannot be read is not shown as if it followed.
                    self.segments.clear();
                    self.walk = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Dump {
    /// Goes on to the next write; `false` at the end.
    fn advance(&mut self) -> Result<bool, OpenError> {
        let Some((segment, mut walk)) = self.walk.take() else {
            let Some(listed) = self.segments.pop_front() else { return Ok(false) };
            self.walk = Some(self.open(&listed)?);
            return Ok(true);
        };
        match walk.step() {
            Ok(Step::Write(write)) => self.write(&segment, &mut walk, &write)?,
            Ok(Step::Hurt(hurt)) => self.hurt(&segment, &hurt),
            Ok(Step::End(_)) => return Ok(true),
            Err(WalkFault::Io(error)) => return Err(segment.unreadable(&error).into()),
            Err(WalkFault::Newer { offset, what }) => {
                return Err(OpenError::Newer { place: segment.place(offset), what });
            }
        }
        self.walk = Some((segment, walk));
        Ok(true)
    }

    fn open(&self, listed: &Listed) -> Result<(Arc<Segment>, Walk), OpenError> {
        let place = self.disk.place(&segment::name(listed.number()));
        let segment = Segment::open(self.disk.as_ref(), listed.number());
        let segment = Arc::new(segment.map_err(|fault| header_fault(&place, fault))?);
        let walk = Walk::new(&segment, listed.until, true);
        let walk = walk.map_err(|error| segment.unreadable(&error))?;
        Ok((segment, walk))
    }

    fn write(
        &mut self,
        segment: &Segment,
        walk: &mut Walk,
        write: &FoundWrite,
    ) -> Result<(), OpenError> {
        let here = |batch: &&FoundBatch| {
            batch.head.partition == self.partition && batch.head.next() > self.from
        };
        for batch in write.batches.iter().filter(here) {
            let dumped = dumped(segment, walk, batch, self.folder.as_deref())?;
            self.ready.push_back(dumped);
        }
        // Facts that are damaged are shown with their batch.
        let apart = |hurt: &&Hurt| !matches!(hurt.loses, Loses::Facts { .. });
        write.hurts.iter().filter(apart).for_each(|hurt| self.hurt(segment, hurt));
        Ok(())
    }

    fn hurt(&mut self, segment: &Segment, hurt: &Hurt) {
        let file = self.disk.place(&segment::name(segment.id().number));
        let cost = Cost::of(&hurt.loses);
        let (offset, what) = (hurt.offset, hurt.what.clone());
        self.ready.push_back(Dumped::Damage(Finding { file, offset, what, cost }));
    }
}

fn dumped(
    segment: &Segment,
    walk: &mut Walk,
    batch: &FoundBatch,
    folder: Option<&dyn Disk>,
) -> Result<Dumped, OpenError> {
    let unreadable = |error| segment.unreadable(&error);
    let head = &batch.head;
    if let Form::Gap(count) = head.form {
        return Ok(Dumped::Gap { from: head.position, count });
    }
    let mut bodies = Vec::with_capacity(batch.directory.len());
    for (entry, offset) in batch.bodies() {
        let address = Address::new(head.partition, head.position, entry.index);
        let is_whole = match entry.outside {
            true => outside_fault(folder, &address, &entry)?.is_none(),
            false => walk.body_is_whole(&entry, offset).map_err(unreadable)?,
        };
        bodies.push(DumpedBody { index: entry.index, len: entry.len, is_whole });
    }
    let (facts, place) = (facts(walk, batch).map_err(unreadable)?, segment.place(batch.offset));
    Ok(Dumped::Batch { position: head.position, at: head.at, facts, bodies, place })
}

fn facts(walk: &mut Walk, batch: &FoundBatch) -> std::io::Result<DumpedFacts> {
    if batch.head.form == Form::Thinned {
        return Ok(DumpedFacts::Reclaimed(batch.head.facts));
    }
    if let Err(bad) = &batch.facts {
        return Ok(DumpedFacts::Damaged(bad.to_string()));
    }
    let at = batch.offset.saturating_add(batch.head.facts_at());
    let bytes = walk.bytes(at, u64::from(batch.head.facts_bytes))?.unwrap_or_default();
    let count = usize::try_from(batch.head.facts).unwrap_or(usize::MAX);
    Ok(match decode_facts(bytes, count) {
        Ok(facts) => DumpedFacts::Whole(facts),
        Err(error) => DumpedFacts::Damaged(error.to_string()),
    })
}
