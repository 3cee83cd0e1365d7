//! Who sends dead letters where: the dead-letter rules of all queues, by the queue that they name.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::id::{Name, Position, QueueId};

/// An index of dead-letter rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sources {
    /// The queue that a rule names, and the name and the id of the queue whose rule it is. The id is
    /// there since in a replay two queues can have one name for a moment.
    rules: BTreeSet<(Name, Name, QueueId)>,
    /// Durable up to here, it is durable which rules there are.
    pub(crate) touched: Position,
}

impl Sources {
    /// The rule of a queue, of this name and id, names another one now, or none.
    pub(crate) fn changed(
        &mut self,
        (name, queue): (&Name, QueueId),
        before: Option<&Name>,
        after: Option<&Name>,
        here: Position,
    ) {
        if before == after {
            return;
        }
        let entry = |target: &Name| (target.clone(), name.clone(), queue);
        if let Some(target) = before {
            self.rules.remove(&entry(target));
        }
        self.rules.extend(after.map(entry));
        self.touched = here.next();
    }

    /// Whether any queue's rule names this one.
    pub(crate) fn has_any(&self, target: &Name) -> bool {
        self.of(target, None).next().is_some()
    }

    /// A page of the queues whose rule names `target`, after `after`; and whether there are more.
    pub(crate) fn page(
        &self,
        target: &Name,
        after: Option<&Name>,
        limit: usize,
    ) -> (Vec<Name>, bool) {
        let mut names = self.of(target, after);
        let page = names.by_ref().take(limit).cloned().collect();
        (page, names.next().is_some())
    }

    fn of<'a>(
        &'a self,
        target: &'a Name,
        after: Option<&Name>,
    ) -> impl Iterator<Item = &'a Name> + use<'a> {
        let first = match after {
            Some(after) => Bound::Excluded((target.clone(), after.clone(), QueueId(u64::MAX))),
            None => Bound::Included((target.clone(), Name::new(""), QueueId(0))),
        };
        let rules = self.rules.range((first, Bound::Unbounded));
        rules.take_while(move |(named, _, _)| named == target).map(|(_, name, _)| name)
    }

    /// All rules: the queue that is named, and whose rule it is.
    #[cfg(test)]
    pub(crate) fn rules(&self) -> &BTreeSet<(Name, Name, QueueId)> {
        &self.rules
    }
}
