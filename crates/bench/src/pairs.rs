//! Pairs that alternate, so that both sides meet the same machine.

use crate::load::Outcome;

/// One pair, run one right after the other.
pub(crate) struct Pair {
    pub(crate) ours: Outcome,
    pub(crate) peer: Outcome,
    /// What a sync cost around the pair, in milliseconds.
    pub(crate) sync_ms: f64,
}

impl Pair {
    pub(crate) fn ratio(&self) -> f64 {
        self.ours.per_second() / self.peer.per_second()
    }
}

/// Least, middle and most of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

/// The spread of one figure over all pairs.
pub(crate) fn spread(pairs: &[Pair], figure: impl Fn(&Pair) -> f64) -> Spread {
    let mut figures: Vec<f64> = pairs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
    Spread { min: at(0), median: at(figures.len() / 2), max: at(figures.len().saturating_sub(1)) }
}
