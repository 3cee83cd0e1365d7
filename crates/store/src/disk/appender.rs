//! The end of the physical log: puts writes there, syncs, and begins segments.

use std::io;
use std::sync::Arc;

use super::aside::is_full;
use super::file::Disk;
use super::frame::Frame;
use super::segment::{Header, Segment};
use super::starts::Starts;
use crate::limits::ZEROS_AHEAD_BYTES;

/// Where the physical log ends.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) segment: Arc<Segment>,
    /// Where the next write goes.
    pub(crate) offset: u64,
    /// Bytes of bodies outside that the segment names.
    pub(crate) outside: u64,
    /// Up to here the file is there, and zero from `offset` on.
    pub(crate) zeroed: u64,
    /// The next write's number.
    pub(crate) next_write: u64,
    /// The last write that is known to be durable.
    pub(crate) synced: u64,
    /// Where the next batch of each partition belongs.
    pub(crate) starts: Starts,
}

/// Why a write is not in the log for good.
#[derive(Debug)]
pub(crate) enum WriteFault {
    /// Nothing of it was written, and nothing is wrong but that there is no room.
    Full(io::Error),
    /// Nothing of it was written.
    Before(io::Error),
    /// Some or all of it was.
    Amid(io::Error),
}

impl WriteFault {
    /// What the system said.
    pub(crate) fn into_cause(self) -> io::Error {
        match self {
            WriteFault::Full(error) | WriteFault::Before(error) | WriteFault::Amid(error) => error,
        }
    }
}

/// Writes at the end.
#[derive(Debug)]
pub(crate) struct Appender {
    disk: Arc<dyn Disk>,
    end: End,
    segment_bytes: u64,
}

impl Appender {
    pub(crate) fn new(disk: Arc<dyn Disk>, end: End, segment_bytes: u64) -> Appender {
        Appender { disk, end, segment_bytes }
    }

    /// The number that the next write will have.
    pub(crate) fn next_write(&self) -> u64 {
        self.end.next_write
    }

    /// The segment that is written to.
    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.end.segment
    }

    /// What a person calls the end.
    pub(crate) fn place(&self) -> String {
        self.end.segment.place(self.end.offset)
    }

    /// Writes the frame at the end, in another segment if it does not fit into this one; where it
    /// begins. It is not durable before [`Appender::sync`].
    pub(crate) fn append(&mut self, frame: &mut Frame) -> Result<u64, WriteFault> {
        assert_eq!(frame.number(), self.end.next_write, "writes are numbered one after another");
        self.make_room(frame.len(), frame.outside_bytes())?;
        frame.finish(self.end.segment.id(), self.end.synced);
        let offset = self.end.offset;
        let after = offset.saturating_add(frame.len());
        let zeros = self.zeros_after(after);
        let file = &self.end.segment.file;
        let written = frame.with_zeros(zeros, |bytes| file.write_at(bytes, offset));
        written.or_else(|error| self.take_back(error))?;
        self.end.offset = after;
        self.end.outside = self.end.outside.saturating_add(frame.outside_bytes());
        self.end.zeroed = self.end.zeroed.max(after.saturating_add(zeros));
        self.end.next_write = self.end.next_write.saturating_add(1);
        for entry in frame.entries() {
            self.end.starts.reach(entry.partition, entry.position.next());
        }
        Ok(offset)
    }

    /// A write had no room. What there is of it must not be found by the next start, which cannot know
    /// that it was refused: it is cut off, durably.
    fn take_back(&mut self, error: io::Error) -> Result<(), WriteFault> {
        if !is_full(&error) {
            return Err(WriteFault::Amid(error));
        }
        let file = &self.end.segment.file;
        match file.set_len(self.end.offset).and_then(|()| file.sync_all()) {
            Ok(()) => {
                self.end.zeroed = self.end.offset;
                self.end.synced = self.end.next_write.saturating_sub(1);
                Err(WriteFault::Full(error))
            }
            Err(_) => Err(WriteFault::Amid(error)),
        }
    }

    /// Makes all that was written durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.end.segment.file.sync_data()?;
        self.end.synced = self.end.next_write.saturating_sub(1);
        Ok(())
    }

    /// Begins another segment if this one is full, or of an earlier version of the format. Bodies outside count as if they were in it: or else
    /// a segment would name any number of them before it is sealed, and only then are they reclaimed.
    fn make_room(&mut self, len: u64, outside: u64) -> Result<(), WriteFault> {
        let is_empty = self.end.offset == self.end.segment.header.first_offset;
        let outside = self.end.outside.saturating_add(outside);
        let filled = self.end.offset.saturating_add(len).saturating_add(outside);
        let fits = is_empty || filled <= self.segment_bytes;
        if fits && !self.end.segment.is_of_old() {
            return Ok(());
        }
        // A segment that is there says that all before it is durable.
        self.sync().map_err(WriteFault::Before)?;
        let number = self.end.segment.header.through.saturating_add(1);
        let header = Header::new(number, self.end.next_write, self.end.starts.clone());
        let next = Segment::create(self.disk.as_ref(), header);
        let next = next.map_err(|error| match is_full(&error) {
            true => WriteFault::Full(error),
            false => WriteFault::Before(error),
        })?;
        self.end.offset = next.header.first_offset;
        self.end.zeroed = self.end.offset;
        self.end.outside = 0;
        self.end.segment = Arc::new(next);
        Ok(())
    }

    /// How many zeros to write behind a write that ends at `after`. A file that grows with each sync
    /// has its length written too; zeros ahead spare that to the writes that follow. A large write
    /// gains nothing by it.
    fn zeros_after(&self, after: u64) -> u64 {
        let len = after.saturating_sub(self.end.offset);
        if after <= self.end.zeroed || len >= ZEROS_AHEAD_BYTES {
            return 0;
        }
        let ahead = after.next_multiple_of(ZEROS_AHEAD_BYTES).min(self.segment_bytes);
        ahead.saturating_sub(after)
    }
}
