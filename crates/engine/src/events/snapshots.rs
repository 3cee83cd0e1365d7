//! States that were folded before, so that a later question need not begin at the first event. They
//! are in memory alone, can go at any time, and no answer tells whether there was one.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use lineside_core::id::{EventNumber, Label, Version};
use lineside_core::stamp::Stamp;

use super::fold::Identity;

/// Bytes that one takes beside its state and its stream's name, about: it is in two trees.
const FRAME_BYTES: usize = 256;

/// A state with the event that it is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) version: Version,
    pub(super) number: EventNumber,
    pub(super) recorded: Stamp,
    pub(super) state: Bytes,
}

/// A changed model has another identity, and so never meets what its former self made.
type Key = (Identity, Label, Version);

/// The states; those that were not used for longest go first.
pub(super) struct Snapshots {
    bytes_max: usize,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    kept: BTreeMap<Key, (u64, Kept)>,
    /// When each was used last, counted in uses.
    uses: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
}

impl Snapshots {
    /// With room for so many bytes; 0 keeps nothing.
    pub(super) fn new(bytes_max: usize) -> Snapshots {
        Snapshots { bytes_max, shelf: Mutex::default() }
    }

    /// The newest that is not newer than a version.
    pub(super) fn nearest(&self, fold: Identity, stream: &Label, upto: Version) -> Option<Kept> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let first = (fold, stream.clone(), Version(0));
        let last = (fold, stream.clone(), upto);
        let (key, (_, kept)) = shelf.kept.range(first..=last).next_back()?;
        let (key, kept) = (key.clone(), kept.clone());
        shelf.touch(&key);
        Some(kept)
    }

    /// Keeps a state, if it has room at all.
    pub(super) fn keep(&self, fold: Identity, stream: &Label, kept: Kept) {
        let key = (fold, stream.clone(), kept.version);
        let bytes = bytes_of(&key, &kept);
        if bytes > self.bytes_max {
            return;
        }
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.remove(&key);
        while shelf.bytes.saturating_add(bytes) > self.bytes_max {
            let Some((_, oldest)) = shelf.uses.first_key_value() else { break };
            let oldest = oldest.clone();
            shelf.remove(&oldest);
        }
        shelf.insert(key, kept, bytes);
    }
}

impl Shelf {
    fn insert(&mut self, key: Key, kept: Kept, bytes: usize) {
        self.clock += 1;
        self.bytes += bytes;
        self.uses.insert(self.clock, key.clone());
        self.kept.insert(key, (self.clock, kept));
    }

    fn remove(&mut self, key: &Key) {
        if let Some((used, kept)) = self.kept.remove(key) {
            self.uses.remove(&used);
            self.bytes -= bytes_of(key, &kept);
        }
    }

    fn touch(&mut self, key: &Key) {
        self.clock += 1;
        if let Some((used, _)) = self.kept.get_mut(key) {
            self.uses.remove(used);
            *used = self.clock;
            self.uses.insert(self.clock, key.clone());
        }
    }
}

fn bytes_of((_, stream, _): &Key, kept: &Kept) -> usize {
    kept.state.len() + 2 * stream.as_str().len() + FRAME_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(version: u64, bytes: usize) -> Kept {
        let (number, recorded) = (EventNumber(version), Stamp(version));
        Kept { version: Version(version), number, recorded, state: vec![b'x'; bytes].into() }
    }

    fn label(text: &str) -> Label {
        Label::new(text)
    }

    #[test]
    fn the_nearest_of_its_own_fold_and_stream_is_found() {
        let snapshots = Snapshots::new(1 << 20);
        let (ours, others) = ([1; 32], [2; 32]);
        for version in [10, 20, 30] {
            snapshots.keep(ours, &label("s"), kept(version, 5));
        }
        let nearest = |fold, stream, upto| {
            snapshots.nearest(fold, &label(stream), Version(upto)).map(|kept| kept.version.0)
        };
        assert_eq!(nearest(ours, "s", 9), None);
        assert_eq!((nearest(ours, "s", 10), nearest(ours, "s", 29)), (Some(10), Some(20)));
        assert_eq!(nearest(ours, "s", u64::MAX), Some(30));
        assert_eq!((nearest(others, "s", 30), nearest(ours, "t", 30)), (None, None));
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first_and_room_is_never_exceeded() {
        let one = bytes_of(&([0; 32], label("s"), Version(0)), &kept(1, 1000));
        let snapshots = Snapshots::new(3 * one);
        let is_there = |version| {
            let found = snapshots.nearest([0; 32], &label("s"), Version(version));
            found.is_some_and(|kept| kept.version.0 == version)
        };
        for version in 1..=3 {
            snapshots.keep([0; 32], &label("s"), kept(version, 1000));
        }
        assert!(is_there(1));
        snapshots.keep([0; 32], &label("s"), kept(4, 1000));
        assert_eq!([1, 2, 3, 4].map(is_there), [true, false, true, true]);
        snapshots.keep([0; 32], &label("s"), kept(4, 1000));
        assert_eq!(snapshots.shelf.lock().unwrap().bytes, 3 * one, "the same again takes nothing");
        snapshots.keep([0; 32], &label("s"), kept(5, 4 * one));
        assert!(is_there(4) && !is_there(5), "what has no room at all drives nothing out");
        Snapshots::new(0).keep([0; 32], &label("s"), kept(1, 0));
        let shelf = snapshots.shelf.lock().unwrap();
        assert_eq!(shelf.kept.len(), shelf.uses.len());
    }
}
