//! A polled queue as a snapshot shares it.

use minicbor::{Decode, Encode};

use super::fifo::{FifoQueue, FifoState};
use super::moves::{Move, Moves};
use super::standard::{StandardQueue, StandardState};
use super::{Queue, QueueKind, QueueSettings, Store};
use crate::id::{Label, Name, Place, QueueId, Seq, Text};
use crate::parts::{DedupState, Shares, Texts};
use crate::snapshot::{Block, Blocks, SnapshotError, chunk_blocks, part};
use crate::stamp::Stamp;

/// All that a polled queue is made of.
#[derive(Clone, Debug)]
pub(crate) struct QueueSnapshot {
    main: QueueMain,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Standard(StandardState),
    Fifo(Box<FifoState>),
}

/// What of a queue is not in chunks. The numbers are the format on disk.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct QueueMain {
    #[n(0)]
    name: Name,
    #[n(1)]
    kind: QueueKind,
    #[n(2)]
    settings: QueueSettings,
    #[n(3)]
    created_at: Stamp,
    #[n(4)]
    modified_at: Stamp,
    #[n(5)]
    purged_at: Option<Stamp>,
    /// The last number that a message was given.
    #[n(6)]
    last_seq: Seq,
    /// The last number of a deduplication id (FIFO).
    #[n(7)]
    last_dedup: Option<Seq>,
    /// The last number of a receive that may be asked for again (FIFO).
    #[n(8)]
    last_attempt: Option<Seq>,
    #[n(9)]
    tags: Option<Vec<(Label, Text)>>,
    #[n(10)]
    moves: Option<Vec<Move>>,
    /// Who kept the receivers busy lately, of messages in groups (standard).
    #[n(11)]
    busy: Option<Box<Shares>>,
}

impl Queue {
    /// Costs a pointer for each chunk.
    pub(crate) fn snapshot(&self) -> QueueSnapshot {
        let state = match &self.store {
            Store::Standard(queue) => State::Standard(queue.state()),
            Store::Fifo(queue) => State::Fifo(Box::new(queue.state())),
        };
        let (last_seq, last_dedup, last_attempt, busy) = match &state {
            State::Standard(state) => (state.last_seq, None, None, state.busy.clone()),
            State::Fifo(state) => {
                (state.last_seq, Some(state.dedup.last), Some(state.attempts.last), None)
            }
        };
        let main = QueueMain {
            name: self.name.clone(),
            kind: self.kind(),
            settings: self.settings.clone(),
            created_at: self.created_at,
            modified_at: self.modified_at,
            purged_at: self.purged_at,
            last_seq,
            last_dedup,
            last_attempt,
            tags: self.tags.to_list(),
            moves: self.moves.as_deref().map(Moves::to_list),
            busy,
        };
        QueueSnapshot { main, state }
    }
}

impl QueueSnapshot {
    /// The queue without what is in chunks.
    pub(crate) fn of(main: QueueMain) -> QueueSnapshot {
        let last_seq = main.last_seq;
        let state = match main.kind {
            QueueKind::Standard => {
                let busy = main.busy.clone();
                State::Standard(StandardState { last_seq, busy, ..StandardState::default() })
            }
            QueueKind::Fifo => State::Fifo(Box::new(FifoState {
                last_seq,
                dedup: numbered(main.last_dedup),
                attempts: numbered(main.last_attempt),
                ..FifoState::default()
            })),
        };
        QueueSnapshot { main, state }
    }

    pub(crate) fn main(&self) -> &QueueMain {
        &self.main
    }

    pub(crate) fn weight(&self) -> usize {
        match &self.state {
            State::Standard(state) => state.messages.weight(),
            State::Fifo(state) => {
                let (dedup, attempts) = (&state.dedup.memos, &state.attempts.memos);
                state.messages.weight() + dedup.weight() + attempts.weight()
            }
        }
    }

    /// The chunks as blocks.
    pub(crate) fn blocks(&self, queue: QueueId) -> Blocks<'_> {
        match &self.state {
            State::Standard(state) => chunk_blocks(queue, part::MESSAGES, &state.messages),
            State::Fifo(state) => Box::new(
                chunk_blocks(queue, part::MESSAGES, &state.messages)
                    .chain(chunk_blocks(queue, part::DEDUP, &state.dedup.memos))
                    .chain(chunk_blocks(queue, part::ATTEMPTS, &state.attempts.memos)),
            ),
        }
    }

    /// The bodies of all messages.
    pub(crate) fn bodies(&self) -> Box<dyn Iterator<Item = Place> + '_> {
        match &self.state {
            State::Standard(state) => {
                Box::new(state.messages.iter().map(|(_, entry)| entry.message.body().place))
            }
            State::Fifo(state) => {
                Box::new(state.messages.iter().map(|(_, member)| member.message.body().place))
            }
        }
    }

    /// Takes in a chunk.
    pub(crate) fn add(&mut self, block: &Block) -> Result<(), SnapshotError> {
        match (&mut self.state, block.key.part) {
            (State::Standard(state), part::MESSAGES) => block.put_into(&mut state.messages),
            (State::Fifo(state), part::MESSAGES) => block.put_into(&mut state.messages),
            (State::Fifo(state), part::DEDUP) => block.put_into(&mut state.dedup.memos),
            (State::Fifo(state), part::ATTEMPTS) => block.put_into(&mut state.attempts.memos),
            _ => Err(block.misplaced()),
        }
    }

    /// The queue again, as of a moment that was not after the snapshot's.
    pub(crate) fn restored(self, at: Stamp) -> Queue {
        let store = match self.state {
            State::Standard(state) => Store::Standard(StandardQueue::from_state(state)),
            State::Fifo(state) => Store::Fifo(Box::new(FifoQueue::from_state(*state, at))),
        };
        let QueueMain { name, settings, created_at, modified_at, purged_at, .. } = self.main;
        let tags = Texts::of_list(self.main.tags);
        let moves = Moves::of_list(self.main.moves);
        Queue { name, settings, created_at, modified_at, purged_at, tags, moves, store }
    }
}

fn numbered<K, V>(last: Option<Seq>) -> DedupState<K, V> {
    DedupState { last: last.unwrap_or_default(), ..DedupState::default() }
}
