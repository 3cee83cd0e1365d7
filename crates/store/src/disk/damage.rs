//! What is known to be damaged, and whether it still matters to whoever writes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lineside_core::id::{PartitionId, Position};

/// The damaged positions of all partitions.
///
/// Whoever writes to a partition has read it first, from its last checkpoint on: damage before that
/// costs nothing, damage behind it means that the writer cannot know what it writes on. So the last
/// damaged position is held against the highest position from which somebody began to read, or below
/// which somebody said that facts do not matter any more.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    /// Whether there is any, so that a log without damage does not take the lock for each batch.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    marks: BTreeMap<PartitionId, Position>,
    floors: BTreeMap<PartitionId, Position>,
}

impl Damage {
    /// What opening found: the last damaged position of each partition; `doubt` says that some
    /// partitions do not even know where they end.
    pub(crate) fn new(marks: BTreeMap<PartitionId, Position>, doubt: bool) -> Damage {
        let any = AtomicBool::new(doubt || !marks.is_empty());
        Damage { any, state: Mutex::new(State { marks, floors: BTreeMap::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything at all is damaged.
    pub(crate) fn is_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// A reader met damage at `position`.
    pub(crate) fn mark(&self, partition: PartitionId, position: Position) {
        let mut state = self.state();
        let mark = state.marks.entry(partition).or_default();
        *mark = position.max(*mark);
        self.any.store(true, Ordering::Release);
    }

    /// Somebody does without what is below `position`.
    pub(crate) fn raise_floor(&self, partition: PartitionId, position: Position) {
        let mut state = self.state();
        let floor = state.floors.entry(partition).or_default();
        *floor = position.max(*floor);
    }

    /// The last damaged position that still matters to whoever writes.
    pub(crate) fn in_the_way(&self, partition: PartitionId) -> Option<Position> {
        let state = self.state();
        let floor = state.floors.get(&partition).copied().unwrap_or_default();
        state.marks.get(&partition).copied().filter(|mark| *mark >= floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: PartitionId = PartitionId(4);

    #[test]
    fn damage_matters_until_somebody_begins_behind_it() {
        let damage = Damage::default();
        assert!(!damage.is_any());
        damage.mark(P, Position(7));
        damage.mark(P, Position(5));
        assert!(damage.is_any());
        for (floor, mark) in [(0, Some(7)), (7, Some(7)), (8, None), (3, None)] {
            damage.raise_floor(P, Position(floor));
            assert_eq!(damage.in_the_way(P), mark.map(Position));
            assert_eq!(damage.in_the_way(PartitionId(0)), None);
        }
    }
}
