//! Names: which queue has which, and which were given up a moment ago.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::id::{Name, Position, QueueId};
use crate::parts::{DedupState, DedupWindow};
use crate::stamp::{Millis, Stamp};

/// How long a name that was given up is remembered: longer than any pause that a limit asks for.
const GIVEN_UP_FOR: Millis = Millis::seconds(3600);

/// The names of a partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Directory {
    names: BTreeMap<Name, QueueId>,
    /// When names were given up; remembered as deduplication ids are.
    given_up: DedupWindow<Name, Stamp>,
    last_queue: QueueId,
    pub(crate) touched: Position,
}

impl Directory {
    pub(crate) fn find(&self, name: &Name) -> Option<QueueId> {
        self.names.get(name).copied()
    }

    pub(crate) fn next_queue(&self) -> QueueId {
        QueueId(self.last_queue.0.saturating_add(1))
    }

    /// When the name was last given up, if that was within the last hour.
    pub(crate) fn given_up_at(&self, name: &Name, now: Stamp) -> Option<Stamp> {
        self.given_up.find(name, now).copied()
    }

    /// A page of names that start with `prefix`, after `after`; and whether there are more.
    pub(crate) fn page(
        &self,
        prefix: &Name,
        after: Option<&Name>,
        limit: usize,
    ) -> (Vec<Name>, bool) {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let range = self.names.range::<Name, _>((start, Bound::Unbounded));
        let mut names = range
            .map(|(name, _)| name)
            .take_while(|name| name.as_str().starts_with(prefix.as_str()));
        let page = names.by_ref().take(limit).cloned().collect();
        (page, names.next().is_some())
    }

    /// A queue has the name from now on.
    pub(crate) fn taken(&mut self, name: Name, queue: QueueId) {
        self.last_queue = self.last_queue.max(queue);
        self.names.insert(name, queue);
    }

    /// Nobody has the name any more.
    pub(crate) fn left(&mut self, name: &Name) {
        self.names.remove(name);
    }

    /// Remembers when a name was given up.
    pub(crate) fn give_up(&mut self, name: &Name, at: Stamp) {
        self.given_up.remember(name.clone(), at + GIVEN_UP_FOR, at, at);
    }

    /// Forgets that a name was given up, since somebody has it.
    pub(crate) fn forget_given_up(&mut self, name: &Name) {
        self.given_up.forget(name);
    }

    /// What it is made of, names apart, which the queues have.
    pub(crate) fn state(&self) -> (QueueId, DedupState<Name, Stamp>) {
        (self.last_queue, self.given_up.state())
    }

    /// The directory of a state, without names.
    pub(crate) fn from_state(last_queue: QueueId, given_up: DedupState<Name, Stamp>) -> Directory {
        let given_up = DedupWindow::from_state(given_up);
        Directory { last_queue, given_up, ..Directory::default() }
    }

    /// Bytes that names which were given up take, about; those in use weigh with their queues.
    pub(crate) fn bytes(&self) -> u64 {
        self.given_up.bytes()
    }

    /// How many names that were given up are remembered.
    #[cfg(test)]
    pub(crate) fn given_up_count(&self) -> usize {
        self.given_up.len()
    }
}
