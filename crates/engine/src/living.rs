//! Which bodies below a position still matter.

use std::fmt;
use std::sync::Arc;

use lineside_core::id::{Place, Position};

/// Places of bodies, ascending and each once, in few bytes each: a million of them are some
/// megabytes. It is read from front to back only, as a compaction walks the log.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LivingSet {
    /// Each place as two variable-length integers: how many positions after the one before it, and
    /// its index (minus the index before it, at the same position).
    bytes: Arc<[u8]>,
    len: usize,
}

impl LivingSet {
    /// The set of these places, in any order. Sorts: call it off the loop when they are many.
    pub fn of(mut places: Vec<Place>) -> LivingSet {
        places.sort_unstable();
        LivingSet::of_ascending(places.into_iter())
    }

    /// What is in either set.
    pub fn union(&self, other: &LivingSet) -> LivingSet {
        let (mut ours, mut theirs) = (self.iter().peekable(), other.iter().peekable());
        LivingSet::of_ascending(std::iter::from_fn(|| match (ours.peek(), theirs.peek()) {
            (Some(our), Some(their)) if their < our => theirs.next(),
            (Some(_), _) => ours.next(),
            (None, _) => theirs.next(),
        }))
    }

    /// From places in order; one that comes again right away counts once.
    fn of_ascending(places: impl Iterator<Item = Place>) -> LivingSet {
        let (mut bytes, mut len) = (Vec::new(), 0);
        let mut last = None;
        for place in places {
            if last == Some(place) {
                continue;
            }
            let before = last.replace(place).unwrap_or_default();
            let positions = place.position.0 - before.position.0;
            let indices = place.index - if positions == 0 { before.index } else { 0 };
            put(&mut bytes, positions);
            put(&mut bytes, u64::from(indices));
            len += 1;
        }
        LivingSet { bytes: bytes.into(), len }
    }

    /// How many places.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing lives.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The places in order.
    pub fn iter(&self) -> impl Iterator<Item = Place> {
        let (mut rest, mut before) = (&*self.bytes, Place::default());
        std::iter::from_fn(move || {
            let positions = take(&mut rest)?;
            let indices = u32::try_from(take(&mut rest)?).ok()?;
            let index = if positions == 0 { before.index + indices } else { indices };
            before = Place { position: Position(before.position.0 + positions), index };
            Some(before)
        })
    }
}

/// Gathers places into a set, a few at a time: all of them side by side would take ten times the
/// room of the set.
#[derive(Debug, Default)]
pub struct Gathering {
    set: LivingSet,
    loose: Vec<Place>,
}

/// Loose places that a gathering holds before it joins them to its set.
const LOOSE_MAX: usize = 1 << 16;

impl Gathering {
    /// Adds places in any order.
    pub fn extend(&mut self, places: impl IntoIterator<Item = Place>) {
        for place in places {
            self.loose.push(place);
            if self.loose.len() >= LOOSE_MAX {
                self.join();
            }
        }
    }

    fn join(&mut self) {
        self.set = self.set.union(&LivingSet::of(std::mem::take(&mut self.loose)));
    }

    /// Everything that was added.
    pub fn finish(mut self) -> LivingSet {
        self.join();
        self.set
    }
}

impl fmt::Debug for LivingSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LivingSet({} places in {} bytes)", self.len, self.bytes.len())
    }
}

/// Seven bits at a time, the lowest first; the highest bit of a byte says that more follow.
fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(position: u64, index: u32) -> Place {
        Place { position: Position(position), index }
    }

    #[test]
    fn it_gives_what_was_put_in_in_order_and_once() {
        let far = place(u64::MAX, u32::MAX);
        let set = LivingSet::of(vec![far, place(7, 300), place(0, 0), place(7, 2), place(7, 300)]);
        assert_eq!(set.len(), 4);
        let places: Vec<Place> = set.iter().collect();
        assert_eq!(places, [place(0, 0), place(7, 2), place(7, 300), far]);
    }

    #[test]
    fn a_union_has_what_either_has_once() {
        let odd = LivingSet::of((0..50).map(|n| place(2 * n + 1, 7)).collect());
        let some = LivingSet::of((0..60).map(|n| place(n, 7)).collect());
        let both: Vec<Place> = odd.union(&some).iter().collect();
        let mut expected: Vec<Place> = odd.iter().chain(some.iter()).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(both, expected);
        assert_eq!(odd.union(&some).len(), both.len());
    }

    #[test]
    fn gathering_in_any_order_gives_the_same_set() {
        let places: Vec<Place> =
            (0..200_000u64).map(|n| place(n * 7919 % 200_003, (n % 3) as u32)).collect();
        let mut gathering = Gathering::default();
        gathering.extend(places.iter().copied());
        assert!(gathering.loose.len() < LOOSE_MAX);
        assert_eq!(gathering.finish(), LivingSet::of(places));
    }

    #[test]
    fn nothing_is_a_set_too() {
        assert!(LivingSet::default().is_empty());
        assert_eq!(LivingSet::default().iter().count(), 0);
    }

    #[test]
    fn a_million_neighbours_are_two_megabytes() {
        let set = LivingSet::of((0..1_000_000).map(|n| place(n, 0)).collect());
        assert_eq!(set.bytes.len(), 2_000_000);
        assert_eq!(set.iter().count(), 1_000_000);
    }
}
