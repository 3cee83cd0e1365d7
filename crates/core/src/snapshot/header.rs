//! What a partition remembers as a whole.

use minicbor::{Decode, Encode};

use super::block::{Block, BlockKey, Blocks, SnapshotError, chunk_blocks, part};
use crate::id::{Epoch, EventNumber, Name, Place, QueueId, Seq};
use crate::partition::Header;
use crate::parts::DedupState;
use crate::stamp::{Millis, Stamp};

/// What a partition remembers as a whole, at one place of the log.
#[derive(Clone, Debug)]
pub struct HeaderSnapshot {
    main: Main,
    given_up: DedupState<Name, Stamp>,
}

/// The main block. The numbers are the format on disk.
#[derive(Clone, Debug, Encode, Decode)]
struct Main {
    #[n(0)]
    changed: Place,
    #[n(1)]
    epoch: Epoch,
    #[n(2)]
    offset: Millis,
    #[n(3)]
    last: Stamp,
    #[n(4)]
    last_queue: QueueId,
    #[n(5)]
    last_given_up: Seq,
    /// The last number that an event was given; absent before the first.
    #[n(6)]
    numbered: Option<EventNumber>,
}

/// A header read back.
pub(crate) struct RestoredHeader {
    pub(crate) header: Header,
    pub(crate) changed: Place,
    pub(crate) last_queue: QueueId,
    pub(crate) given_up: DedupState<Name, Stamp>,
}

impl HeaderSnapshot {
    pub(crate) fn new(
        header: &Header,
        changed: Place,
        last_queue: QueueId,
        given_up: DedupState<Name, Stamp>,
    ) -> HeaderSnapshot {
        let Header { epoch, offset, last, numbered } = *header;
        let last_given_up = given_up.last;
        let numbered = (numbered > EventNumber(0)).then_some(numbered);
        let main = Main { changed, epoch, offset, last, last_queue, last_given_up, numbered };
        HeaderSnapshot { main, given_up }
    }

    /// The place after the last fact that it reflects; it reflects all before.
    pub fn changed(&self) -> Place {
        self.main.changed
    }

    /// How many pointers taking it copied.
    pub fn weight(&self) -> usize {
        1 + self.given_up.memos.weight()
    }

    /// It as blocks of queue 0, the main one first, each encoded as it is asked for.
    pub fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
        let main = std::iter::once_with(|| Block::new(BlockKey::main(QueueId(0)), &self.main));
        let names: Blocks<'_> = chunk_blocks(QueueId(0), part::DEDUP, &self.given_up.memos);
        main.chain(names)
    }

    pub(crate) fn of_main_block(block: &Block) -> Result<HeaderSnapshot, SnapshotError> {
        let main: Main = block.content()?;
        let given_up = DedupState { last: main.last_given_up, ..DedupState::default() };
        Ok(HeaderSnapshot { main, given_up })
    }

    pub(crate) fn add(&mut self, block: &Block) -> Result<(), SnapshotError> {
        match block.key.part {
            part::DEDUP => block.put_into(&mut self.given_up.memos),
            _ => Err(block.misplaced()),
        }
    }

    pub(crate) fn restored(self) -> RestoredHeader {
        let Main { changed, epoch, offset, last, last_queue, numbered, .. } = self.main;
        let header = Header { epoch, offset, last, numbered: numbered.unwrap_or_default() };
        RestoredHeader { header, changed, last_queue, given_up: self.given_up }
    }
}
