//! Reads the bodies that matter for ever, of batches that are whole and of those that compaction
//! has thinned.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use lineside_core::id::{BodyRef, PartitionId, Place, Position};
use lineside_engine::log::{KeptBody, LogFault};
use lineside_engine::off_loop::off_loop;

use super::outside::{self, Address};
use super::segment::Segment;
use super::shared::{Located, Shared};
use super::window::Window;
use super::write::{BLOCK_BYTES, Bad, BatchHead, BodyEntry};
use crate::limits::{READ_AHEAD_BYTES, READ_STEP_BATCHES};

type Item = Result<KeptBody, LogFault>;

/// A reader of one partition's kept bodies. It goes from front to back, a step of several batches at
/// a time, and ends at the tail.
#[derive(Debug)]
pub(crate) struct KeptReader {
    shared: Arc<Shared>,
    partition: PartitionId,
    next: Position,
    window: Window,
    ready: VecDeque<Item>,
    ended: bool,
}

impl KeptReader {
    pub(crate) fn new(shared: Arc<Shared>, partition: PartitionId, from: Position) -> KeptReader {
        let (window, ready) = (Window::default(), VecDeque::new());
        KeptReader { shared, partition, next: from, window, ready, ended: false }
    }

    /// The next body and the reader after it; `None` at the end. A body or a batch that is damaged is
    /// a fault with more behind it; where a segment cannot be read at all, there is no more.
    pub(crate) async fn step(mut self) -> Option<(Item, KeptReader)> {
        while self.ready.is_empty() {
            if self.ended {
                return None;
            }
            self = off_loop(move || self.filled()).await.ok()?;
        }
        self.ready.pop_front().map(|item| (item, self))
    }

    fn filled(mut self) -> KeptReader {
        let (mut batches, mut bytes) = (0, 0);
        while batches < READ_STEP_BATCHES && bytes < READ_AHEAD_BYTES && !self.ended {
            let before = self.next;
            bytes = bytes.saturating_add(self.advance().unwrap_or_else(|fault| {
                self.ready.push_back(Err(fault));
                // The index says where the next batch is, whatever this one has become.
                self.ended = self.next == before;
                0
            }));
            batches = batches.saturating_add(1);
        }
        self
    }

    /// Takes in the kept bodies of the next batch; how many bytes they are.
    fn advance(&mut self) -> Result<usize, LogFault> {
        match self.shared.locate(self.partition, self.next)? {
            Located::Nothing(_) => {
                self.ended = true;
                Ok(0)
            }
            Located::Batch { position, segment, offset } => {
                self.next = position.next();
                self.batch(&segment, offset, position)
            }
        }
    }

    fn batch(
        &mut self,
        segment: &Segment,
        offset: u64,
        position: Position,
    ) -> Result<usize, LogFault> {
        let end = segment.end();
        let block = self.bytes(segment, offset, BLOCK_BYTES as u64)?.first_chunk().copied();
        let block = block.ok_or_else(|| bad(segment, offset, &Bad::Magic("batch")))?;
        let head = BatchHead::decode(&block, end.saturating_sub(offset));
        let head = head.map_err(|error| bad(segment, offset, &error))?;
        let directory = head.directory(self.bytes(segment, offset, head.facts_at())?);
        let directory = directory.map_err(|error| bad(segment, offset, &error))?;
        let (mut at, mut taken) = (offset.saturating_add(head.bodies_at()), 0_usize);
        for entry in directory {
            if entry.kept {
                let place = Place { position, index: entry.index };
                let bytes = self.body(segment, at, place, &entry);
                taken = taken.saturating_add(bytes.as_ref().map_or(0, Bytes::len));
                let body = BodyRef { place, len: entry.len };
                self.ready.push_back(bytes.map(|bytes| KeptBody { body, at: head.at, bytes }));
            }
            at = at.saturating_add(u64::from(entry.len_inside()));
        }
        Ok(taken)
    }

    fn body(
        &mut self,
        segment: &Segment,
        at: u64,
        place: Place,
        entry: &BodyEntry,
    ) -> Result<Bytes, LogFault> {
        if entry.outside {
            let address = Address { partition: self.partition, place };
            return Ok(outside::read(self.shared.blobs.folder(), &address, entry)?);
        }
        let bytes = self.bytes(segment, at, u64::from(entry.len))?;
        let checked = entry.check(bytes).map(|()| Bytes::copy_from_slice(bytes));
        checked.map_err(|error| bad(segment, at, &error))
    }

    fn bytes(&mut self, segment: &Segment, offset: u64, len: u64) -> Result<&[u8], LogFault> {
        let bytes = self.window.get(segment, offset, len, segment.end());
        let bytes = bytes.map_err(|error| segment.unreadable(&error))?;
        bytes.ok_or_else(|| bad(segment, offset, &Bad::Length("of a batch")))
    }
}

fn bad(segment: &Segment, offset: u64, error: &Bad) -> LogFault {
    segment.damaged(offset, &error.to_string())
}
