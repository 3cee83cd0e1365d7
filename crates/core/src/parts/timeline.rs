//! Messages by a moment of theirs: lease ends, delays, times to live. What has come due is passive:
//! nobody removes it when its time comes, whoever asks sees that it has.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::id::Seq;
use crate::stamp::Stamp;

/// A set of (moment, message), ordered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    entries: BTreeSet<(Stamp, Seq)>,
}

impl Timeline {
    /// One that has nothing.
    pub const fn new() -> Timeline {
        Timeline { entries: BTreeSet::new() }
    }

    /// Adds a message at its moment.
    pub fn insert(&mut self, at: Stamp, seq: Seq) {
        self.entries.insert((at, seq));
    }

    /// Takes a message out; the moment must be the one it was added with.
    pub fn remove(&mut self, at: Stamp, seq: Seq) -> bool {
        let was_there = self.entries.remove(&(at, seq));
        self.release_if_empty();
        was_there
    }

    /// A tree that became empty keeps room for a dozen entries, and most queues are empty.
    fn release_if_empty(&mut self) {
        if self.entries.is_empty() {
            self.entries = BTreeSet::new();
        }
    }

    /// The earliest moment.
    pub fn first(&self) -> Option<Stamp> {
        self.entries.first().map(|(at, _)| *at)
    }

    /// The earliest entry.
    pub fn first_entry(&self) -> Option<(Stamp, Seq)> {
        self.entries.first().copied()
    }

    /// The first entry behind one, if its moment is `now` or earlier.
    pub fn lapsed_after(&self, entry: (Stamp, Seq), now: Stamp) -> Option<(Stamp, Seq)> {
        let lapsed = (Bound::Excluded(entry), Bound::Included((now, Seq(u64::MAX))));
        self.entries.range(lapsed).next().copied()
    }

    /// The messages whose moment is `now` or earlier, earliest first.
    pub fn lapsed(&self, now: Stamp) -> impl Iterator<Item = Seq> {
        self.entries.range(..=(now, Seq(u64::MAX))).map(|(_, seq)| *seq)
    }

    /// The earliest message, if its moment is `now` or earlier.
    pub fn first_lapsed(&self, now: Stamp) -> Option<Seq> {
        self.entries.first().filter(|(at, _)| *at <= now).map(|(_, seq)| *seq)
    }

    /// The earliest moment after `now`.
    pub fn next_after(&self, now: Stamp) -> Option<Stamp> {
        let after = (Bound::Excluded((now, Seq(u64::MAX))), Bound::Unbounded);
        self.entries.range(after).next().map(|(at, _)| *at)
    }

    /// The last message among the first `limit` ones whose moment is `now` or earlier.
    pub fn lapsed_bound(&self, now: Stamp, limit: usize) -> Option<(Stamp, Seq)> {
        self.entries.range(..=(now, Seq(u64::MAX))).take(limit).last().copied()
    }

    /// Takes out and returns the earliest entry if it is at or before `bound`.
    pub fn pop_through(&mut self, bound: (Stamp, Seq)) -> Option<Seq> {
        let first = *self.entries.first()?;
        (first <= bound).then(|| self.remove(first.0, first.1)).map(|_| first.1)
    }

    /// How many have lapsed by `now`; stops counting at `max`.
    pub fn lapsed_count(&self, now: Stamp, max: usize) -> usize {
        self.lapsed(now).take(max).count()
    }

    /// How many messages in all.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<(Stamp, Seq)> for Timeline {
    fn from_iter<I: IntoIterator<Item = (Stamp, Seq)>>(entries: I) -> Timeline {
        Timeline { entries: entries.into_iter().collect() }
    }
}
