//! Names: which queue has which, and which were given up a moment ago.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::id::{Name, Position, QueueId};
use crate::stamp::Stamp;

/// The names of a partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Directory {
    names: BTreeMap<Name, QueueId>,
    given_up: BTreeMap<Name, Stamp>,
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
            Some(after) if after > prefix => Bound::Excluded(after),
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
        self.given_up.remove(&name);
        self.last_queue = self.last_queue.max(queue);
        self.names.insert(name, queue);
    }

    /// Gives a name up and remembers when; names given up over an hour ago are forgotten, a few at
    /// a time, which is long after any pause that a limit asks for.
    pub(crate) fn freed(&mut self, name: &Name, at: Stamp) {
        self.names.remove(name);
        let old = self.given_up.iter().take(16).filter(|(_, then)| at.since(**then).0 > 3_600_000);
        let old: Vec<Name> = old.map(|(name, _)| name.clone()).collect();
        for name in old {
            self.given_up.remove(&name);
        }
        self.given_up.insert(name.clone(), at);
    }
}
