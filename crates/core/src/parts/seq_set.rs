//! Numbers in order, most of them neighbours.

use std::collections::BTreeMap;

use crate::id::Seq;

/// A set of numbers. Numbers that follow one another cost little more than a bit each, so a
/// million messages that wait need no tree of a million numbers beside them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeqSet {
    /// By a number's upper bits; in a word, each bit is a number. No word is 0.
    words: BTreeMap<u64, u64>,
}

impl SeqSet {
    /// Adds a number.
    pub fn insert(&mut self, seq: Seq) {
        *self.words.entry(word_of(seq)).or_insert(0) |= bit_of(seq);
    }

    /// Takes a number out; whether it was there.
    pub fn remove(&mut self, seq: Seq) -> bool {
        let Some(word) = self.words.get_mut(&word_of(seq)) else { return false };
        let was_there = *word & bit_of(seq) != 0;
        *word &= !bit_of(seq);
        if *word == 0 {
            self.words.remove(&word_of(seq));
        }
        if self.words.is_empty() {
            // As a timeline does.
            self.words = BTreeMap::new();
        }
        was_there
    }

    /// The first number.
    pub fn first(&self) -> Option<Seq> {
        self.iter().next()
    }

    /// The numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = Seq> {
        self.words.iter().flat_map(|(word, bits)| bits_of(*word, *bits))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

fn word_of(seq: Seq) -> u64 {
    seq.0 / 64
}

fn bit_of(seq: Seq) -> u64 {
    1 << (seq.0 % 64)
}

/// The numbers of a word, lowest first.
fn bits_of(word: u64, bits: u64) -> impl Iterator<Item = Seq> {
    let and_then = |bits: &u64| Some(bits & (bits - 1)).filter(|bits| *bits != 0);
    let left = std::iter::successors(Some(bits), and_then);
    left.map(move |bits| Seq(64 * word + u64::from(bits.trailing_zeros())))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(
            steps in proptest::collection::vec(
                (any::<bool>(), prop_oneof![0..200u64, u64::MAX - 70..=u64::MAX]), 0..300)
        ) {
            let (mut set, mut model) = (SeqSet::default(), BTreeSet::new());
            for (insert, seq) in steps {
                if insert {
                    set.insert(Seq(seq));
                    model.insert(Seq(seq));
                } else {
                    prop_assert_eq!(set.remove(Seq(seq)), model.remove(&Seq(seq)));
                }
                prop_assert_eq!(set.first(), model.first().copied());
                prop_assert_eq!(set.is_empty(), model.is_empty());
            }
            prop_assert!(set.iter().eq(model));
        }
    }

    #[test]
    fn neighbours_share_a_word() {
        let mut set = SeqSet::default();
        (0..640).for_each(|seq| set.insert(Seq(seq)));
        assert_eq!(set.words.len(), 10);
        (0..640).for_each(|seq| assert!(set.remove(Seq(seq))));
        assert_eq!(set.words.len(), 0);
    }
}
