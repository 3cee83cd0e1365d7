//! A stretch of a segment in memory, for readers that go from front to back.

use std::io;

use super::segment::{Segment, SegmentId};
use crate::limits::READ_AHEAD_BYTES;

/// The last stretch that was read.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// Which segment; the number 0 is none. A rewritten segment has the number of the one before.
    segment: SegmentId,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// The `len` bytes at `offset`; `None` if they are not all before `end`, which is where what may
    /// be read of the segment ends, or before the end of the file. Whoever calls has bounded `len`.
    pub(crate) fn get(
        &mut self,
        segment: &Segment,
        offset: u64,
        len: u64,
        end: u64,
    ) -> io::Result<Option<&[u8]>> {
        if offset.checked_add(len).is_none_or(|stop| stop > end) {
            return Ok(None);
        }
        if self.find(segment, offset, len).is_none() {
            self.fill(segment, offset, len, end)?;
        }
        Ok(self.find(segment, offset, len))
    }

    fn find(&self, segment: &Segment, offset: u64, len: u64) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let to = from.checked_add(usize::try_from(len).ok()?)?;
        (self.segment == segment.id()).then(|| self.bytes.get(from..to))?
    }

    fn fill(&mut self, segment: &Segment, offset: u64, len: u64, end: u64) -> io::Result<()> {
        let ahead = len.max(READ_AHEAD_BYTES as u64).min(end.saturating_sub(offset));
        let ahead = usize::try_from(ahead).map_err(io::Error::other)?;
        // None while the bytes change, so that a failed read leaves no window behind.
        self.segment = SegmentId::default();
        self.bytes.resize(ahead, 0);
        let read = segment.file.read_at(&mut self.bytes, offset)?;
        self.bytes.truncate(read);
        (self.segment, self.start) = (segment.id(), offset);
        Ok(())
    }
}
