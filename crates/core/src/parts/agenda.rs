//! Things by a moment of theirs. What has come due is passive: nobody removes it when its time
//! comes, whoever asks sees that it has.

use std::collections::BTreeSet;

use crate::stamp::{Millis, Stamp};

/// A set of (moment, key), ordered.
#[derive(Clone, Debug, PartialEq)]
pub struct Agenda<K: Ord> {
    entries: BTreeSet<(Stamp, K)>,
}

impl<K: Ord> Default for Agenda<K> {
    fn default() -> Agenda<K> {
        Agenda { entries: BTreeSet::new() }
    }
}

impl<K: Ord> Agenda<K> {
    /// Adds a key at its moment.
    pub fn insert(&mut self, at: Stamp, key: K) {
        self.entries.insert((at, key));
    }

    /// Takes a key out; the moment must be the one that it was added with.
    pub fn remove(&mut self, at: Stamp, key: K) -> bool {
        let was_there = self.entries.remove(&(at, key));
        if self.entries.is_empty() {
            // As a timeline does.
            self.entries = BTreeSet::new();
        }
        was_there
    }

    /// The earliest moment.
    pub fn first(&self) -> Option<Stamp> {
        self.entries.first().map(|(at, _)| *at)
    }

    /// The keys whose moment is `now` or earlier, earliest first.
    pub fn due(&self, now: Stamp) -> impl Iterator<Item = &K> {
        self.entries.iter().take_while(move |(at, _)| *at <= now).map(|(_, key)| key)
    }

    /// The earliest moment after `now`; `least` is a key that no other is below.
    pub fn first_after(&self, now: Stamp, least: K) -> Option<Stamp> {
        let next = now + Millis(1);
        let first = self.entries.range((next, least)..).next();
        first.map(|(at, _)| *at).filter(|at| *at > now)
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_is_up_to_now_inclusive_and_in_order() {
        let mut agenda = Agenda::default();
        for (at, key) in [(7, 'c'), (5, 'b'), (5, 'a'), (8, 'd')] {
            agenda.insert(Stamp(at), key);
        }
        assert_eq!(agenda.due(Stamp(7)).collect::<String>(), "abc");
        assert_eq!(agenda.first(), Some(Stamp(5)));
    }

    #[test]
    fn first_after_passes_over_what_is_due() {
        let mut agenda = Agenda::default();
        for at in [5, 7, 9, u64::MAX] {
            agenda.insert(Stamp(at), 'a');
        }
        let after = |now| agenda.first_after(Stamp(now), '\0').map(|at| at.0);
        assert_eq!([after(4), after(5), after(8)], [Some(5), Some(7), Some(9)]);
        assert_eq!([after(9), after(u64::MAX)], [Some(u64::MAX), None]);
    }
}
