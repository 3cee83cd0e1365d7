//! Names: which queue has which, and which were given up a moment ago.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::id::{Name, Position, QueueId};
use crate::parts::Agenda;
use crate::stamp::{Millis, Stamp};

/// How long a name that was given up is remembered: longer than any pause that a limit asks for.
const GIVEN_UP_FOR: Millis = Millis::seconds(3600);
/// How many of these are forgotten when another comes: more than one, so that none pile up.
const FORGOTTEN_PER_NAME: usize = 4;

/// The names of a partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Directory {
    names: BTreeMap<Name, QueueId>,
    given_up: BTreeMap<Name, Stamp>,
    /// The same by when they may be forgotten.
    forgettable: Agenda<Name>,
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

    /// When the name was last given up, if nobody has it now.
    pub(crate) fn given_up_at(&self, name: &Name) -> Option<Stamp> {
        self.given_up.get(name).copied()
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

    pub(crate) fn taken(&mut self, name: Name, queue: QueueId) {
        self.forget(&name);
        self.last_queue = self.last_queue.max(queue);
        self.names.insert(name, queue);
    }

    /// Gives a name up and remembers when.
    pub(crate) fn freed(&mut self, name: &Name, at: Stamp) {
        self.names.remove(name);
        self.forget(name);
        let old = self.forgettable.due(at).take(FORGOTTEN_PER_NAME).cloned();
        for name in old.collect::<Vec<_>>() {
            self.forget(&name);
        }
        self.given_up.insert(name.clone(), at);
        self.forgettable.insert(at + GIVEN_UP_FOR, name.clone());
    }

    fn forget(&mut self, name: &Name) {
        if let Some(at) = self.given_up.remove(name) {
            self.forgettable.remove(at + GIVEN_UP_FOR, name.clone());
        }
    }

    /// How many names that were given up are remembered.
    #[cfg(test)]
    pub(crate) fn given_up_count(&self) -> usize {
        assert_eq!(self.given_up.len(), self.forgettable.len());
        self.given_up.len()
    }
}
