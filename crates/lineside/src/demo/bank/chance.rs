//! Chance that a seed decides.

/// Numbers by SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
/// Ours, in a few lines, because a crate's next version may give other numbers, and then the same
/// seed would tell another story.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both inclusive. That small ones are a little likelier does
    /// not matter to a story.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        assert!(low <= high, "a range has to have a number in it");
        let span = u64::from(high - low) + 1;
        let more = u32::try_from(self.next() % span).unwrap_or_default();
        low + more
    }

    /// Cents, from `low` to `high`.
    pub(super) fn cents(&mut self, low: u32, high: u32) -> i64 {
        i64::from(self.between(low, high))
    }

    /// True in so many of a thousand cases.
    pub(super) fn in_a_thousand(&mut self, cases: u32) -> bool {
        self.between(1, 1000) <= cases
    }

    /// One of these; none of none.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let last = u32::try_from(of.len().checked_sub(1)?).ok()?;
        let index = usize::try_from(self.between(0, last)).ok()?;
        of.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_paper() {
        let mut chance = Chance::new(1_234_567);
        assert_eq!(chance.next(), 6_457_827_717_110_365_317);
        assert_eq!(chance.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn a_range_is_met_from_end_to_end() {
        let mut chance = Chance::new(7);
        let met: std::collections::BTreeSet<u32> = (0..200).map(|_| chance.between(3, 6)).collect();
        assert_eq!(met.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6]);
    }

    #[test]
    fn one_of_none_is_none() {
        let mut chance = Chance::new(7);
        assert_eq!(chance.pick::<u8>(&[]), None);
        assert_eq!(chance.pick(&[5]), Some(5));
    }
}
