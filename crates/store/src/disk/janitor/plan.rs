//! Which segment to compact next, if one is worth it.

use std::collections::BTreeMap;

use lineside_core::id::{PartitionId, Position};
use lineside_engine::living::LivingSet;

use crate::disk::index::Outside;

/// What still matters of a partition below a position.
#[derive(Clone, Debug)]
pub(crate) struct Retained {
    pub(crate) below: Position,
    pub(crate) living: LivingSet,
}

/// What still matters, by partition. Of one that is not named everything does.
pub(crate) type Retention = BTreeMap<PartitionId, Retained>;

/// A sealed segment as the plan sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) number: u64,
    pub(crate) through: u64,
    /// Whether its neighbour before it is missing or damaged, so that nothing can join the two.
    pub(crate) apart: bool,
    /// Damaged inside: it may be dropped, and not rewritten.
    pub(crate) damaged: bool,
    pub(crate) shares: Vec<ShareView>,
}

/// What a segment holds of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShareView {
    pub(crate) partition: PartitionId,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) bodies: u64,
    /// Bodies that live whatever is said of them.
    pub(crate) kept: u64,
    pub(crate) bytes: u64,
    /// Bodies that live, those that are kept among them.
    pub(crate) living: u64,
    /// Bodies that lie outside, ascending.
    pub(crate) outside: Vec<Outside>,
    /// Bytes of those that live.
    pub(crate) living_outside: u64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing of these segments, from number to number, matters any more.
    Drop { from: u64, to: u64 },
    /// Of this one at least as much does not as does; about so many bytes in it do.
    Rewrite { number: u64, living_bytes: u64 },
}

impl ShareView {
    /// Bytes of bodies outside that do not matter any more.
    fn dead_outside(&self) -> u64 {
        let all: u64 = self.outside.iter().map(|outside| u64::from(outside.len)).sum();
        all.saturating_sub(self.living_outside)
    }

    /// Bytes of bodies outside that matter whatever is said of them.
    fn kept_outside(&self) -> u64 {
        let kept = self.outside.iter().filter(|outside| outside.kept);
        kept.map(|outside| u64::from(outside.len)).sum()
    }

    /// Bytes in the segment that still matter, about: bodies are taken to be of one size.
    fn living_bytes(&self) -> u64 {
        let bytes = u128::from(self.bytes).saturating_mul(u128::from(self.living));
        let bytes = bytes.checked_div(u128::from(self.bodies)).unwrap_or(0);
        u64::try_from(bytes).unwrap_or(u64::MAX).min(self.bytes)
    }
}

impl View {
    /// Whether everything in it is below what was said to matter.
    fn is_settled(&self, retention: &Retention) -> bool {
        self.shares.iter().all(|share| {
            let retained = retention.get(&share.partition);
            retained.is_some_and(|retained| share.last < retained.below.0)
        })
    }

    fn is_dead(&self, retention: &Retention) -> bool {
        self.is_settled(retention) && self.shares.iter().all(|share| share.living == 0)
    }

    /// Whether it holds nothing already.
    fn is_empty(&self) -> bool {
        self.shares.is_empty()
    }
}

/// Counts, for each view, the bodies that live in it. The views are in order.
pub(crate) fn count_living(views: &mut [View], retention: &Retention) {
    for (partition, retained) in retention {
        let shares = views.iter_mut().flat_map(|view| view.shares.iter_mut());
        let mut shares: Vec<_> = shares.filter(|share| share.partition == *partition).collect();
        shares.iter_mut().for_each(|share| share.living = share.kept);
        shares.iter_mut().for_each(|share| share.living_outside = share.kept_outside());
        let mut nth = 0;
        for place in retained.living.iter() {
            while shares.get(nth).is_some_and(|share| share.last < place.position.0) {
                nth = nth.saturating_add(1);
            }
            match shares.get_mut(nth) {
                Some(share) if share.first <= place.position.0 => {
                    share.living = share.living.saturating_add(1).min(share.bodies);
                    let outside = share.outside.binary_search_by_key(&place, |one| one.place);
                    let outside = outside.ok().and_then(|nth| share.outside.get(nth));
                    let len = outside.map_or(0, |outside| u64::from(outside.len));
                    share.living_outside = share.living_outside.saturating_add(len);
                }
                Some(_) => {}
                None => break,
            }
        }
    }
}

/// What to do next: what is dead goes first, since that costs nothing; then the oldest segment of
/// which at least as much is dead, with the bodies outside, as would be written again, without them.
pub(crate) fn choose(views: &[View], retention: &Retention) -> Option<Wish> {
    dead_run(views, retention).or_else(|| worth_rewriting(views, retention))
}

/// The oldest segments in a row that are dead, unless they are one empty segment already.
fn dead_run(views: &[View], retention: &Retention) -> Option<Wish> {
    let mut run: Option<(&View, &View)> = None;
    for view in views {
        let dead = view.is_dead(retention);
        if (!dead || view.apart)
            && let Some(wish) = run.take().and_then(drop_of)
        {
            return Some(wish);
        }
        if dead {
            run = Some(run.map_or((view, view), |(first, _)| (first, view)));
        }
    }
    run.and_then(drop_of)
}

fn drop_of((first, last): (&View, &View)) -> Option<Wish> {
    let done = first.number == last.number && first.is_empty();
    (!done).then_some(Wish::Drop { from: first.number, to: last.number })
}

fn worth_rewriting(views: &[View], retention: &Retention) -> Option<Wish> {
    views.iter().find_map(|view| {
        let bytes: u64 = view.shares.iter().map(|share| share.bytes).sum();
        let living_bytes: u64 = view.shares.iter().map(ShareView::living_bytes).sum();
        let dead_outside: u64 = view.shares.iter().map(ShareView::dead_outside).sum();
        let dead = bytes.saturating_sub(living_bytes).saturating_add(dead_outside);
        let pays = !view.is_empty() && dead >= living_bytes;
        let rewrites = pays && !view.damaged && view.is_settled(retention);
        rewrites.then_some(Wish::Rewrite { number: view.number, living_bytes })
    })
}

#[cfg(test)]
mod tests {
    use lineside_core::id::Place;

    use super::*;

    const P: PartitionId = PartitionId(0);

    /// Segment `number` with the ten batches from `number * 10` on, a body each.
    fn view(number: u64) -> View {
        let (first, last) = (number * 10, number * 10 + 9);
        let (outside, living_outside) = (Vec::new(), 0);
        let share = ShareView {
            partition: P,
            first,
            last,
            bodies: 10,
            kept: 0,
            bytes: 1000,
            living: 0,
            outside,
            living_outside,
        };
        View { number, through: number, apart: false, damaged: false, shares: vec![share] }
    }

    fn retention(below: u64, living: &[u64]) -> Retention {
        let place = |position: &u64| Place { position: Position(*position), index: 0 };
        let living = LivingSet::of(living.iter().map(place).collect());
        Retention::from([(P, Retained { below: Position(below), living })])
    }

    fn choice(mut views: Vec<View>, retention: &Retention) -> Option<Wish> {
        count_living(&mut views, retention);
        choose(&views, retention)
    }

    #[test]
    fn dead_segments_in_a_row_go_at_once() {
        let views: Vec<_> = (0..6).map(view).collect();
        let dead = retention(50, &[25]);
        assert_eq!(choice(views, &dead), Some(Wish::Drop { from: 0, to: 1 }));
    }

    #[test]
    fn what_is_not_below_is_left_alone() {
        assert_eq!(choice(vec![view(0)], &retention(9, &[])), None);
        assert_eq!(choice(vec![view(0)], &retention(10, &[])), Some(Wish::Drop { from: 0, to: 0 }));
        assert_eq!(choice(vec![view(0)], &Retention::new()), None);
        let mut two = view(0);
        two.shares.push(ShareView { partition: PartitionId(1), ..two.shares[0].clone() });
        assert_eq!(choice(vec![two], &retention(100, &[])), None, "nobody spoke for partition 1");
    }

    #[test]
    fn rewriting_pays_from_half_on_and_the_oldest_goes_first() {
        let views: Vec<_> = (0..3).map(view).collect();
        let living = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 20];
        let wish = choice(views, &retention(30, &living));
        assert_eq!(wish, Some(Wish::Rewrite { number: 1, living_bytes: 500 }));
    }

    #[test]
    fn a_large_body_outside_that_is_dead_makes_rewriting_pay() {
        let mut large = view(1);
        let outside = |position| Outside {
            place: Place { position: Position(position), index: 0 },
            len: 900,
            kept: false,
        };
        large.shares[0].outside = vec![outside(12), outside(17)];
        let all: Vec<u64> = (10..20).collect();
        let without = |dead| all.iter().copied().filter(|at| *at != dead).collect::<Vec<_>>();
        assert_eq!(choice(vec![large.clone()], &retention(30, &all)), None);
        assert_eq!(choice(vec![large.clone()], &retention(30, &without(13))), None);
        let wish = choice(vec![large], &retention(30, &without(17)));
        assert_eq!(wish, Some(Wish::Rewrite { number: 1, living_bytes: 900 }));
    }

    #[test]
    fn what_lives_in_full_is_left_alone() {
        let mut rewritten = view(0);
        rewritten.shares[0].bodies = 2;
        assert_eq!(choice(vec![rewritten], &retention(30, &[0, 7])), None);
    }

    #[test]
    fn empty_segments_are_joined_with_their_neighbours_and_then_left_alone() {
        let mut empty = view(0);
        (empty.shares, empty.through) = (vec![], 4);
        let dead = retention(90, &[60]);
        assert_eq!(choice(vec![empty.clone()], &dead), None);
        let views = vec![empty.clone(), view(5), view(6)];
        assert_eq!(choice(views, &dead), Some(Wish::Drop { from: 0, to: 5 }));
        let apart = View { apart: true, ..view(5) };
        let views = vec![empty, apart, view(6)];
        assert_eq!(choice(views, &dead), Some(Wish::Drop { from: 5, to: 5 }));
    }

    #[test]
    fn what_is_damaged_may_be_dropped_and_not_rewritten() {
        let damaged = View { damaged: true, ..view(1) };
        assert_eq!(choice(vec![damaged.clone()], &retention(30, &[10])), None);
        let dropped = choice(vec![damaged], &retention(30, &[]));
        assert_eq!(dropped, Some(Wish::Drop { from: 1, to: 1 }));
    }
}
