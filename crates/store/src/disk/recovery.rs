//! Opens what an earlier run left: finds all writes, tells a torn tail from damage, cuts the tail.
//!
//! A write that is not whole is a torn tail, unless something later says that it was durable: a
//! later write by its `synced`, or a later segment by being there, since a segment is only begun
//! when all before it is synced. Then it is damage, and is named.

use std::io;
use std::sync::Arc;

use super::appender::End;
use super::catalog::Catalog;
use super::file::Disk;
use super::index::Spot;
use super::options::OpenError;
use super::scan::{FoundWrite, Scan, Stop};
use super::segment::{self, FIRST_OFFSET, Segment};
use super::write::Bad;
use crate::limits::READ_AHEAD_BYTES;

/// What opening a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments that there are.
    pub segments: usize,
    /// Writes that were found, marks among them.
    pub writes: u64,
    /// Batches that were found, of all partitions.
    pub batches: u64,
    /// Where the tail was torn: file and offset.
    pub torn_at: Option<String>,
    /// How many bytes were cut there.
    pub torn_bytes: u64,
}

/// A log that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) catalog: Catalog,
    pub(crate) end: End,
    pub(crate) recovery: Recovery,
}

/// Opens the log in `disk`, or begins one.
pub(crate) fn open(disk: &dyn Disk) -> Result<Opened, OpenError> {
    let numbers = tidy(disk).map_err(failed("listing the data directory"))?;
    if numbers.is_empty() {
        let first = Segment::create(disk, 1, 1).map_err(failed("making the first segment"))?;
        return Finder::default().finish(&Arc::new(first));
    }
    let mut finder = Finder::default();
    let mut segments = Vec::new();
    for (expected, number) in (1..).zip(numbers) {
        let segment = Segment::open(disk, number)?;
        if number != expected {
            return Err(segment.damaged(0, &format!("segment {expected} is missing")).into());
        }
        segments.push(Arc::new(segment));
    }
    let (last, sealed) = segments.split_last().ok_or_else(nothing)?;
    for (segment, next) in sealed.iter().zip(segments.iter().skip(1)) {
        finder.read_sealed(segment, next.first_write)?;
    }
    finder.read_last(last)?;
    finder.finish(last)
}

/// Removes what a crash left of making a segment; the numbers of the segments, ascending.
fn tidy(disk: &dyn Disk) -> io::Result<Vec<u64>> {
    let names = disk.names()?;
    names.iter().filter(|name| segment::is_unfinished(name)).try_for_each(|n| disk.remove(n))?;
    // A name that an earlier run gave may not have become durable.
    disk.sync_names()?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment::number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn failed(what: &str) -> impl FnOnce(io::Error) -> OpenError {
    let what = what.to_owned();
    move |source| OpenError::Io { what, source }
}

fn nothing() -> OpenError {
    failed("looking for segments")(io::ErrorKind::NotFound.into())
}

/// Goes through the segments and gathers what is there.
#[derive(Debug)]
struct Finder {
    catalog: Catalog,
    recovery: Recovery,
    /// The number that the next write has to have.
    next_write: u64,
    /// The last write that something later says was durable.
    confirmed: u64,
    /// Where the next write has to stand.
    offset: u64,
    /// Whole writes of the last segment that are not confirmed. Their bodies are still to be
    /// checked, so they are not in the index yet.
    unconfirmed: Vec<FoundWrite>,
}

impl Default for Finder {
    fn default() -> Finder {
        Finder {
            catalog: Catalog::default(),
            recovery: Recovery::default(),
            next_write: 1,
            confirmed: 0,
            offset: FIRST_OFFSET,
            unconfirmed: Vec::new(),
        }
    }
}

impl Finder {
    fn begin(&mut self, segment: &Arc<Segment>) -> Result<(), OpenError> {
        if segment.first_write != self.next_write {
            let what = format!(
                "the segment begins with write {}, and write {} ended the one before",
                segment.first_write,
                self.next_write.saturating_sub(1)
            );
            return Err(segment.damaged(0, &what).into());
        }
        self.catalog.add(segment);
        self.confirmed = segment.first_write.saturating_sub(1);
        self.offset = FIRST_OFFSET;
        Ok(())
    }

    /// A segment that is followed by another, whose first write is `until`: all its writes were
    /// durable.
    fn read_sealed(&mut self, segment: &Arc<Segment>, until: u64) -> Result<(), OpenError> {
        self.begin(segment)?;
        self.confirmed = until.saturating_sub(1);
        let mut scan = Scan::new(segment).map_err(|error| segment.unreadable(&error))?;
        while self.next_write < until {
            match scan.write_at(self.offset, self.next_write) {
                Ok(write) => self.pass(segment, write)?,
                Err(stop) => {
                    return Err(fault(segment, stop, "a later segment was begun after it"));
                }
            }
        }
        if scan.write_at(self.offset, until).is_ok() {
            let what = format!("write {until} is here, and a later segment begins with it too");
            return Err(segment.damaged(self.offset, &what).into());
        }
        self.release(segment)?;
        segment.set_end(self.offset);
        Ok(())
    }

    /// The last segment: its writes, up to the torn tail if there is one, which is cut.
    fn read_last(&mut self, segment: &Arc<Segment>) -> Result<(), OpenError> {
        self.begin(segment)?;
        let unreadable = |error| segment.unreadable(&error);
        let mut scan = Scan::new(segment).map_err(unreadable)?;
        let stop = loop {
            match scan.write_at(self.offset, self.next_write) {
                Ok(write) => self.pass(segment, write)?,
                Err(stop) => break stop,
            }
        };
        self.judge(segment, &mut scan, stop)?;
        let insecure = self.unconfirmed.first().map_or(self.offset, |write| write.offset);
        self.check_unconfirmed(segment, &mut scan)?;
        self.cut(segment, &mut scan).map_err(unreadable)?;
        self.secure(segment, insecure).map_err(unreadable)?;
        segment.set_end(self.offset);
        Ok(())
    }

    /// Takes a write that is whole but for its bodies.
    fn pass(&mut self, segment: &Segment, write: FoundWrite) -> Result<(), OpenError> {
        self.confirmed = self.confirmed.max(write.header.synced);
        self.next_write = self.next_write.saturating_add(1);
        self.offset = write.offset.saturating_add(write.header.total());
        self.unconfirmed.push(write);
        // In a log that syncs with each write, all but the last one leave at once.
        self.release(segment)
    }

    /// Enters the writes that are confirmed by now. Their bodies are checked when they are read.
    fn release(&mut self, segment: &Segment) -> Result<(), OpenError> {
        let confirmed = self.unconfirmed.partition_point(|w| w.header.number <= self.confirmed);
        let writes: Vec<FoundWrite> = self.unconfirmed.drain(..confirmed).collect();
        writes.iter().try_for_each(|write| self.enter(segment, write))
    }

    fn enter(&mut self, segment: &Segment, write: &FoundWrite) -> Result<(), OpenError> {
        self.recovery.writes = self.recovery.writes.saturating_add(1);
        for batch in &write.batches {
            let spot = Spot { segment: segment.id.number, offset: batch.offset };
            if !self.catalog.index.enter(batch.partition, batch.position, spot) {
                let next = self.catalog.index.next(batch.partition).0;
                let what = format!("position {} where {next} should follow", batch.position.0);
                return Err(segment.damaged(batch.offset, &what).into());
            }
            self.recovery.batches = self.recovery.batches.saturating_add(1);
        }
        Ok(())
    }

    /// What stopped the scan is a torn tail, or the end, unless a later write says that it was
    /// durable.
    fn judge(&self, segment: &Segment, scan: &mut Scan<'_>, stop: Stop) -> Result<(), OpenError> {
        let unknown = matches!(stop, Stop::Bad { bad: Bad::Kind(_), .. });
        if unknown || matches!(stop, Stop::Io(_)) {
            return Err(fault(segment, stop, "it was made by a newer version"));
        }
        let claim = scan.claim_of(self.next_write, self.offset);
        match claim.map_err(|error| segment.unreadable(&error))? {
            Some(at) => Err(fault(segment, stop, &format!("the write at byte {at} says so"))),
            None => Ok(()),
        }
    }

    /// Nothing vouches for the last writes but themselves, so their bodies count too: the first that
    /// is not whole begins the torn tail.
    fn check_unconfirmed(
        &mut self,
        segment: &Segment,
        scan: &mut Scan<'_>,
    ) -> Result<(), OpenError> {
        let writes = std::mem::take(&mut self.unconfirmed);
        for write in &writes {
            match scan.check_bodies(write) {
                Ok(()) => self.enter(segment, write)?,
                Err(Stop::Io(error)) => return Err(segment.unreadable(&error).into()),
                Err(Stop::Bad { .. }) => {
                    (self.offset, self.next_write) = (write.offset, write.header.number);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Cuts what is behind the last write, so that it is never taken for a later write. It is synced
    /// with what is secured next, before anything new is written.
    fn cut(&mut self, segment: &Segment, scan: &mut Scan<'_>) -> io::Result<()> {
        let torn = scan.left_over(self.offset)?;
        if torn > 0 {
            segment.file.set_len(self.offset)?;
            self.recovery.torn_at = Some(segment.place(self.offset));
            self.recovery.torn_bytes = torn;
        }
        Ok(())
    }

    /// Writes again, and syncs, what stands `from` on, which is not confirmed. The process before
    /// this one may have been killed between the write and the sync, or its sync may have failed:
    /// then the system may hold the bytes as if they were on the disk, and a sync alone would say so
    /// too.
    fn secure(&self, segment: &Segment, from: u64) -> io::Result<()> {
        let mut at = from;
        let mut bytes = vec![0; READ_AHEAD_BYTES];
        while at < self.offset {
            let len = self.offset.saturating_sub(at).min(READ_AHEAD_BYTES as u64);
            bytes.truncate(usize::try_from(len).unwrap_or(READ_AHEAD_BYTES));
            segment.file.read_at(&mut bytes, at)?;
            segment.file.write_at(&bytes, at)?;
            at = at.saturating_add(len);
        }
        segment.file.sync_all()
    }

    fn finish(mut self, last: &Arc<Segment>) -> Result<Opened, OpenError> {
        self.catalog.add(last);
        self.recovery.segments = self.catalog.segments();
        let zeroed = last.file.len().map_err(|error| last.unreadable(&error))?;
        let end = End {
            segment: Arc::clone(last),
            offset: self.offset,
            zeroed,
            next_write: self.next_write,
            synced: self.next_write.saturating_sub(1),
        };
        Ok(Opened { catalog: self.catalog, end, recovery: self.recovery })
    }
}

/// The fault of a write that was durable, as `because` shows, and is not whole.
fn fault(segment: &Segment, stop: Stop, because: &str) -> OpenError {
    match stop {
        Stop::Io(error) => segment.unreadable(&error).into(),
        Stop::Bad { offset, bad } => segment.damaged(offset, &format!("{bad}; {because}")).into(),
    }
}
