//! Writes a segment anew without what is not needed: aside, under its own range of writes, and then
//! in its place. Compaction and repair both do.

use std::io;

use super::aside::Aside;
use super::file::Disk;
use super::frame::Frame;
use super::index::{Entry, SegmentIndex};
use super::segment::{self, Header};
use super::sidecar::Sidecar;
use super::walk::{FoundBatch, Walk};
use super::write::{BatchHead, BodyEntry, Form, Kind};
use crate::limits::REWRITE_BYTES_TARGET;

/// A segment that is being written in the place of one or several others.
#[derive(Debug)]
pub(crate) struct Rewrite<'a> {
    aside: Aside<'a>,
    disk: &'a dyn Disk,
    header: Header,
    frame: Frame,
    index: SegmentIndex,
    kind: Kind,
}

/// What is kept of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Nothing,
    /// All of it.
    Whole,
    /// These bodies, without the facts.
    Bodies(Vec<BodyEntry>),
}

impl<'a> Rewrite<'a> {
    /// Begins one; it is not seen before it is finished.
    pub(crate) fn begin(disk: &'a dyn Disk, header: Header, kind: Kind) -> io::Result<Rewrite<'a>> {
        let mut aside = Aside::create(disk, segment::unfinished(header.id.number))?;
        aside.push(&header.encode())?;
        let mut frame = Frame::default();
        frame.begin(header.first_write);
        Ok(Rewrite { aside, disk, header, frame, index: SegmentIndex::default(), kind })
    }

    /// Takes what is kept of a batch that `walk` found. `false` if it is not all there.
    pub(crate) fn take(
        &mut self,
        walk: &mut Walk,
        batch: &FoundBatch,
        kept: &Kept,
    ) -> io::Result<bool> {
        let entries = match kept {
            Kept::Nothing => return Ok(true),
            Kept::Whole => &batch.directory,
            Kept::Bodies(entries) => entries,
        };
        let facts_at = batch.offset.saturating_add(batch.head.facts_at());
        let len = batch.head.bodies_at().saturating_sub(batch.head.facts_at());
        let len = len.saturating_add(u64::from(batch.head.bodies_bytes));
        let Some(bytes) = walk.bytes(facts_at, len)? else { return Ok(false) };
        let facts_len = usize::try_from(batch.head.facts_bytes).unwrap_or(usize::MAX);
        let Some((facts, bodies)) = bytes.split_at_checked(facts_len) else { return Ok(false) };
        let found = with_bytes(&batch.directory, bodies);
        let kept_bodies = found.into_iter().filter(|(entry, _)| entries.contains(entry));
        match kept {
            Kept::Whole => self.frame.push_kept(batch.head, facts, kept_bodies),
            _ => self.frame.push_kept(thinned(&batch.head, entries), &[], kept_bodies),
        }
        Ok(true)
    }

    /// Says that positions of a partition are lost.
    pub(crate) fn gap(&mut self, head: BatchHead) {
        self.frame.push_kept(head, &[], std::iter::empty());
    }

    /// What was taken stands for all writes up to `through`. How many bytes were written, if it was
    /// time for that.
    pub(crate) fn end_write(&mut self, through: u64) -> io::Result<u64> {
        if self.frame.len() < REWRITE_BYTES_TARGET { Ok(0) } else { self.flush(through) }
    }

    fn flush(&mut self, through: u64) -> io::Result<u64> {
        let number = self.frame.number();
        if number > through {
            return Ok(0);
        }
        let synced = number.saturating_sub(1);
        self.frame.finish_as(self.kind, self.header.id, through, synced);
        let start = self.aside.len();
        self.aside.push(self.frame.bytes())?;
        for entry in self.frame.entries() {
            let offset = entry.offset.saturating_add(start);
            self.index.enter(&Entry { offset, ..entry.clone() });
        }
        let written = self.frame.len();
        self.frame.begin(through.saturating_add(1));
        Ok(written)
    }

    /// Writes a mark that says that all before it is durable: a last segment needs one.
    pub(crate) fn mark(&mut self, through: u64) -> io::Result<()> {
        // What was said beyond the last write is a write of its own.
        let through =
            if self.frame.is_empty() { through } else { through.max(self.frame.number()) };
        self.flush(through)?;
        self.frame.finish(self.header.id, through);
        self.aside.push(self.frame.bytes())
    }

    /// What was taken stands for all writes up to `through`; the segment takes its place. Its length
    /// and index.
    pub(crate) fn finish(mut self, through: u64) -> io::Result<(u64, SegmentIndex)> {
        self.flush(through)?;
        self.finish_marked()
    }

    /// As [`Rewrite::finish`], when all was written.
    pub(crate) fn finish_marked(self) -> io::Result<(u64, SegmentIndex)> {
        let (end, number) = (self.aside.len(), self.header.id.number);
        self.aside.finish(&segment::name(number))?;
        let sidecar = Sidecar { segment: self.header.id, end, index: self.index };
        // One that is missing is made anew.
        drop(sidecar.store(self.disk));
        Ok((end, sidecar.index))
    }
}

/// Each body with its bytes; one that lies outside has none here.
fn with_bytes<'a>(
    directory: &'a [BodyEntry],
    mut bytes: &'a [u8],
) -> Vec<(&'a BodyEntry, &'a [u8])> {
    let mut found = Vec::with_capacity(directory.len());
    for entry in directory {
        let len = usize::try_from(entry.len_inside()).unwrap_or(usize::MAX);
        let Some((body, rest)) = bytes.split_at_checked(len) else { break };
        found.push((entry, body));
        bytes = rest;
    }
    found
}

/// The head of what is left of a batch.
fn thinned(head: &BatchHead, entries: &[BodyEntry]) -> BatchHead {
    let bytes: u32 = entries.iter().map(BodyEntry::len_inside).sum();
    BatchHead {
        facts_bytes: 0,
        facts_crc: 0,
        bodies: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        bodies_bytes: bytes,
        form: Form::Thinned,
        ..*head
    }
}

/// What stands for segments of which nothing is left.
pub(crate) fn empty(disk: &dyn Disk, header: Header, until: u64) -> io::Result<()> {
    let rewrite = Rewrite::begin(disk, header, Kind::Rewritten)?;
    rewrite.finish(until.saturating_sub(1)).map(drop)
}

/// Removes the files of a segment that another stands for. One that cannot be removed is left to
/// the next start.
pub(crate) fn remove(disk: &dyn Disk, number: u64) {
    drop(disk.remove(&segment::name(number)));
    drop(disk.remove(&super::sidecar::name(number)));
}
