//! A broker queue as a snapshot shares it.

use minicbor::{Decode, Encode};

use super::queue::{BrokerQueue, BrokerState};
use super::settings::BrokerSettings;
use crate::id::{Name, Place, QueueId, Seq};
use crate::snapshot::{Block, Blocks, SnapshotError, chunk_blocks, part};
use crate::stamp::Stamp;

/// All that a broker queue is made of.
#[derive(Clone, Debug)]
pub(crate) struct BrokerSnapshot {
    main: BrokerMain,
    state: BrokerState,
}

/// What of a queue is not in chunks. The numbers are the format on disk.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct BrokerMain {
    #[n(0)]
    name: Name,
    #[n(1)]
    settings: BrokerSettings,
    #[n(2)]
    created_at: Stamp,
    /// The last number that a message was given.
    #[n(3)]
    last: Seq,
    /// Session holds granted so far.
    #[n(4)]
    holds: u64,
    /// The last number of a remembered message id.
    #[n(5)]
    last_sent: Seq,
    /// The last number of a session that had a lock or a state.
    #[n(6)]
    last_session: Seq,
}

impl BrokerQueue {
    /// Costs a pointer for each chunk.
    pub(crate) fn snapshot(&self) -> BrokerSnapshot {
        let state = self.state();
        let main = BrokerMain {
            name: self.name.clone(),
            settings: self.settings.clone(),
            created_at: self.created_at,
            last: self.last,
            holds: self.holds,
            last_sent: state.sent.last,
            last_session: state.sessions.last,
        };
        BrokerSnapshot { main, state }
    }
}

impl BrokerSnapshot {
    /// The queue without what is in chunks.
    pub(crate) fn of(main: BrokerMain) -> BrokerSnapshot {
        let mut state = BrokerState::default();
        state.sent.last = main.last_sent;
        state.sessions.last = main.last_session;
        BrokerSnapshot { main, state }
    }

    pub(crate) fn main(&self) -> &BrokerMain {
        &self.main
    }

    pub(crate) fn weight(&self) -> usize {
        let BrokerState { main, dead, sessions, sent } = &self.state;
        main.weight() + dead.weight() + sessions.kept.weight() + sent.memos.weight()
    }

    /// The chunks as blocks.
    pub(crate) fn blocks(&self, queue: QueueId) -> Blocks<'_> {
        let BrokerState { main, dead, sessions, sent } = &self.state;
        Box::new(
            chunk_blocks(queue, part::MESSAGES, main)
                .chain(chunk_blocks(queue, part::DEDUP, &sent.memos))
                .chain(chunk_blocks(queue, part::DEAD, dead))
                .chain(chunk_blocks(queue, part::SESSIONS, &sessions.kept)),
        )
    }

    /// The bodies of all messages, and the states of sessions.
    pub(crate) fn bodies(&self) -> Box<dyn Iterator<Item = Place> + '_> {
        let BrokerState { main, dead, sessions, .. } = &self.state;
        let messages = main.iter().chain(dead.iter()).map(|(_, message)| message.body.place);
        let states = sessions.kept.iter().filter_map(|(_, kept)| Some(kept.state?.place));
        Box::new(messages.chain(states))
    }

    /// Takes in a chunk.
    pub(crate) fn add(&mut self, block: &Block) -> Result<(), SnapshotError> {
        match block.key.part {
            part::MESSAGES => block.put_into(&mut self.state.main),
            part::DEDUP => block.put_into(&mut self.state.sent.memos),
            part::DEAD => block.put_into(&mut self.state.dead),
            part::SESSIONS if self.main.settings.sessions => {
                block.put_into(&mut self.state.sessions.kept)
            }
            _ => Err(block.misplaced()),
        }
    }

    /// The queue again.
    pub(crate) fn restored(self) -> BrokerQueue {
        let BrokerMain { name, settings, created_at, last, holds, .. } = self.main;
        let queue = BrokerQueue::of((name, settings, created_at), self.state);
        BrokerQueue { last, holds, ..queue }
    }
}
