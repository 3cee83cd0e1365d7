//! Recognising what was sent before.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::Label;
use crate::stamp::Stamp;

/// Deduplication ids with what they stand for, each until a moment of its own. An id counts
/// whatever became of its message.
#[derive(Clone, Debug, PartialEq)]
pub struct DedupWindow<T> {
    known: BTreeMap<Label, (Stamp, T)>,
    ends: BTreeSet<(Stamp, Label)>,
}

impl<T> Default for DedupWindow<T> {
    fn default() -> DedupWindow<T> {
        DedupWindow { known: BTreeMap::new(), ends: BTreeSet::new() }
    }
}

impl<T> DedupWindow<T> {
    /// What `key` stands for at `now`.
    pub fn find(&self, key: &Label, now: Stamp) -> Option<&T> {
        self.known.get(key).filter(|(until, _)| *until > now).map(|(_, value)| value)
    }

    /// Remembers `key`, and forgets a few that have ended: more than one for each one added, so
    /// the window shrinks to what it needs without ever making a turn long.
    pub fn remember(&mut self, key: Label, until: Stamp, value: T, now: Stamp) {
        self.forget_ended(now, 4);
        if let Some((earlier, _)) = self.known.insert(key.clone(), (until, value)) {
            self.ends.remove(&(earlier, key.clone()));
        }
        self.ends.insert((until, key));
    }

    fn forget_ended(&mut self, now: Stamp, limit: usize) {
        for _ in 0..limit {
            match self.ends.first() {
                Some((until, _)) if *until <= now => {
                    if let Some((_, key)) = self.ends.pop_first() {
                        self.known.remove(&key);
                    }
                }
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_until_its_end_exclusive() {
        let mut window = DedupWindow::default();
        window.remember(Label::new("a"), Stamp(10), 1, Stamp(0));
        assert_eq!(window.find(&Label::new("a"), Stamp(9)), Some(&1));
        assert_eq!(window.find(&Label::new("a"), Stamp(10)), None);
    }

    #[test]
    fn remembering_forgets_what_has_ended() {
        let mut window = DedupWindow::default();
        for n in 0..100u64 {
            window.remember(Label::new(n.to_string()), Stamp(n + 5), n, Stamp(n));
        }
        assert!(window.known.len() <= 6, "{} kept", window.known.len());
        assert_eq!(window.known.len(), window.ends.len());
    }

    #[test]
    fn a_key_remembered_again_takes_the_new_end() {
        let mut window = DedupWindow::default();
        window.remember(Label::new("a"), Stamp(10), 1, Stamp(0));
        window.remember(Label::new("a"), Stamp(20), 2, Stamp(10));
        window.remember(Label::new("b"), Stamp(30), 3, Stamp(11));
        assert_eq!(window.find(&Label::new("a"), Stamp(15)), Some(&2));
        assert_eq!(window.ends.len(), 2);
    }
}
