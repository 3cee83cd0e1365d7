//! Who took how much of something lately, of a crowd that may be large.

use minicbor::{Decode, Encode};

use crate::id::Label;
use crate::parts::{Weigh, piece};
use crate::stamp::{Millis, Stamp};

/// What was taken so long ago counts for half.
const HALF_LIFE: Millis = Millis::seconds(60);
/// So many half-lives after the last was taken, nothing counts any more.
const RECENT: u64 = 5;
/// How many are counted apart. So a share is exact while no more than these took something lately,
/// and else too small by a 64th of all at most.
const COUNTED: usize = 64;

/// Sums of what was taken lately: in all, and by those who took most.
///
/// Bounded whoever comes: when there is no room for another, the least of the counted gives its
/// place, and its sum stays as what the next one may not have taken itself (Metwally, Agrawal, El
/// Abbadi: Efficient computation of frequent and top-k elements, 2005: "space saving").
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Shares {
    /// The half-life that the sums are of, counted from the beginning of time.
    #[n(0)]
    age: u64,
    #[n(1)]
    total: u64,
    /// By name.
    #[n(2)]
    counted: Vec<Counted>,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct Counted {
    #[n(0)]
    who: Label,
    #[n(1)]
    sum: u64,
    /// How much of the sum may have been others'.
    #[n(2)]
    not_sure: u64,
}

impl Shares {
    /// Nobody took anything.
    pub const NONE: Shares = Shares { age: 0, total: 0, counted: Vec::new() };

    /// Somebody took something; without a name it counts in the whole only.
    pub fn add(&mut self, at: Stamp, who: Option<&Label>, amount: Millis) {
        if amount == Millis::ZERO {
            return;
        }
        self.grow_old(at);
        self.total = self.total.saturating_add(amount.0);
        if let Some(who) = who {
            self.add_to(who, amount.0);
        }
    }

    /// Whether somebody's share of what was taken lately is over so many of a hundred.
    pub fn is_over(&self, at: Stamp, who: &Label, percent: u64) -> bool {
        let is_recent = age(at).saturating_sub(self.age) < RECENT;
        let found = self.counted.binary_search_by(|counted| counted.who.cmp(who)).ok();
        let Some(counted) = found.and_then(|index| self.counted.get(index)) else { return false };
        let sum = u128::from(counted.sum - counted.not_sure.min(counted.sum));
        is_recent && sum * 100 > u128::from(self.total) * u128::from(percent)
    }

    fn grow_old(&mut self, at: Stamp) {
        let halvings = age(at).saturating_sub(self.age);
        if halvings == 0 {
            return;
        }
        self.age = age(at);
        if halvings >= RECENT {
            (self.total, self.counted) = (0, Vec::new());
            return;
        }
        self.total >>= halvings;
        for counted in &mut self.counted {
            counted.sum >>= halvings;
            counted.not_sure >>= halvings;
        }
        self.counted.retain(|counted| counted.sum > 0);
    }

    fn add_to(&mut self, who: &Label, amount: u64) {
        match self.counted.binary_search_by(|counted| counted.who.cmp(who)) {
            Ok(index) => {
                if let Some(counted) = self.counted.get_mut(index) {
                    counted.sum = counted.sum.saturating_add(amount);
                }
            }
            Err(_) => {
                let not_sure = self.make_room();
                let sum = not_sure.saturating_add(amount);
                let index = self.counted.partition_point(|counted| counted.who < *who);
                self.counted.insert(index, Counted { who: who.clone(), sum, not_sure });
            }
        }
    }

    /// What the one that gave its place had; nothing if there was room.
    fn make_room(&mut self) -> u64 {
        if self.counted.len() < COUNTED {
            return 0;
        }
        let sums = self.counted.iter().enumerate().map(|(index, counted)| (counted.sum, index));
        let least = sums.min().map(|(_, index)| self.counted.remove(index));
        least.map_or(0, |counted| counted.sum)
    }
}

impl Weigh for Shares {
    fn beyond(&self) -> u64 {
        let names = self.counted.iter().map(|counted| counted.who.beyond());
        piece::<Counted>(self.counted.len()).saturating_add(names.sum())
    }
}

fn age(at: Stamp) -> u64 {
    at.0 / HALF_LIFE.0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const AT: Stamp = Stamp(1_000_000 * HALF_LIFE.0);

    fn taken(taken: &[(&str, u64)]) -> Shares {
        let mut shares = Shares::default();
        for (who, amount) in taken {
            let who = Some(*who).filter(|who| !who.is_empty()).map(Label::new);
            shares.add(AT, who.as_ref(), Millis(*amount));
        }
        shares
    }

    fn is_over(shares: &Shares, at: Stamp, who: &str) -> bool {
        shares.is_over(at, &Label::new(who), 10)
    }

    #[test]
    fn a_share_is_over_a_tenth_or_not() {
        let shares = taken(&[("a", 100), ("b", 101), ("c", 700), ("", 99)]);
        assert!(!is_over(&shares, AT, "a"), "just a tenth");
        assert!(is_over(&shares, AT, "b"));
        assert!(!is_over(&shares, AT, "x"));
    }

    #[test]
    fn what_took_no_time_counts_for_nothing() {
        assert_eq!(taken(&[("a", 0)]), Shares::NONE);
    }

    #[test]
    fn what_was_taken_before_counts_for_less_and_less_beside_what_others_take() {
        let mut shares = taken(&[("a", 1000)]);
        let b = Label::new("b");
        shares.add(AT + HALF_LIFE, Some(&b), Millis(4500));
        assert!(!is_over(&shares, AT + HALF_LIFE, "a"), "500 of 5,000");
        shares = taken(&[("a", 1000)]);
        shares.add(AT + HALF_LIFE, Some(&b), Millis(4499));
        assert!(is_over(&shares, AT + HALF_LIFE, "a"));
    }

    #[test]
    fn who_took_nothing_for_five_minutes_has_no_share() {
        let mut shares = taken(&[("a", 1000)]);
        assert!(is_over(&shares, AT + Millis(300_000 - 1), "a"));
        assert!(!is_over(&shares, AT + Millis(300_000), "a"));
        shares.add(AT + Millis(300_000), None, Millis(1));
        assert_eq!(shares, Shares { age: age(AT) + 5, total: 1, counted: Vec::new() });
    }

    proptest! {
        /// Each that has a share of more than 10 % + 1/64 is said to be over a tenth; none that has
        /// a tenth or less is; and while there are few, the answer is exact.
        #[test]
        fn shares_are_as_sure_as_they_say(
            taken in prop::collection::vec((0..200_u64, 0..1000_u64), 1..600),
            few in any::<bool>(),
        ) {
            let (mut shares, mut sums) = (Shares::default(), BTreeMap::<u64, u64>::new());
            for (who, amount) in taken {
                let who = if few { who % COUNTED as u64 } else { who % 80 * (who % 3) };
                shares.add(AT, Some(&Label::new(who.to_string())), Millis(amount));
                *sums.entry(who).or_default() += amount;
            }
            prop_assert!(shares.counted.len() <= COUNTED);
            let total: u64 = sums.values().sum();
            for (who, sum) in sums {
                let is_over = is_over(&shares, AT, &who.to_string());
                if few {
                    prop_assert_eq!(is_over, sum * 10 > total);
                }
                prop_assert!(!is_over || sum * 10 > total);
                prop_assert!(is_over || sum * 640 <= total * 74);
            }
        }
    }
}
