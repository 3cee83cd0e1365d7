//! Says of most terms that a run does not have that it does not have them, without a look at the
//! disk: a Bloom filter whose bits for one term lie in one cache line.

use crate::term::Term;

/// Words of 64 bits in a line.
const LINE_WORDS: usize = 8;
/// Bits for each term; with [`PROBES`] some two in a hundred absent terms are looked for in vain.
const TERM_BITS: u64 = 10;
const PROBES: u32 = 6;

/// A filter over the terms of a run.
#[derive(Debug, Default)]
pub(crate) struct Bloom {
    pub(crate) words: Vec<u64>,
}

/// How many words the filter of so many terms has.
pub(crate) fn words_for(terms: u64) -> u64 {
    terms.saturating_mul(TERM_BITS).div_ceil(512).max(1).saturating_mul(LINE_WORDS as u64)
}

impl Bloom {
    /// An empty filter for so many terms.
    pub(crate) fn new(terms: u64) -> Bloom {
        Bloom { words: vec![0; usize::try_from(words_for(terms)).unwrap_or(LINE_WORDS)] }
    }

    /// Adds a term.
    pub(crate) fn add(&mut self, term: Term) {
        let start = self.line(term);
        for (word, bit) in probes(term) {
            if let Some(word) = self.words.get_mut(start.saturating_add(word)) {
                *word |= bit;
            }
        }
    }

    /// Whether the term may have been added; never false for one that was.
    pub(crate) fn may_have(&self, term: Term) -> bool {
        let start = self.line(term);
        let is_set = |(word, bit): (usize, u64)| {
            self.words.get(start.saturating_add(word)).is_none_or(|word| word & bit != 0)
        };
        probes(term).all(is_set)
    }

    /// Where the line of a term begins.
    fn line(&self, term: Term) -> usize {
        let lines = (self.words.len() / LINE_WORDS) as u128;
        let line = u128::from(term.low).wrapping_mul(lines) >> 64;
        usize::try_from(line).unwrap_or(0).saturating_mul(LINE_WORDS)
    }
}

/// The bits of a term: word in the line, and mask. Nine bits of the hash for each.
fn probes(term: Term) -> impl Iterator<Item = (usize, u64)> {
    (0..PROBES).map(move |probe| {
        let bits = term.high >> (9 * probe) & 511;
        (usize::try_from(bits >> 6).unwrap_or(0), 1 << (bits & 63))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(n: u64) -> Term {
        // Odd multipliers spread the numbers well enough to stand for hashes.
        let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let low = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Term { high: mixed ^ low >> 31, low }
    }

    #[test]
    fn what_was_added_is_there_and_little_else() {
        let mut bloom = Bloom::new(10_000);
        (0..10_000).for_each(|n| bloom.add(term(n)));
        assert!((0..10_000).all(|n| bloom.may_have(term(n))));
        let wrong = (10_000..110_000).filter(|n| bloom.may_have(term(*n))).count();
        assert!((100..4_000).contains(&wrong), "{wrong} of 100,000 absent terms");
    }
}
