//! Recognising what was there before.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::id::Seq;
use crate::stamp::Stamp;

use super::{Chunked, INDEX_ENTRY_BYTES, Weigh};

/// How many that have ended leave with each one that comes: more than one, so that none pile up.
const FORGOTTEN_PER_KEY: usize = 4;

/// Keys (deduplication ids, names) with what they stand for, each until a moment of its own. A key
/// counts whatever became of its message.
///
/// They are numbered as they come, so a snapshot shares what has not changed since. Keys come
/// nearly in the order of their ends, since a window is mostly as long as it was before; one that
/// ends late keeps those behind it in memory until then, never in answers.
///
/// Behind one pointer that is null until there is a first key, since most windows are of queues
/// that nobody uses at the moment.
#[derive(Clone, Debug, PartialEq)]
pub struct DedupWindow<K, V>(Option<Box<Window<K, V>>>);

#[derive(Clone, Debug, PartialEq)]
struct Window<K, V> {
    memos: Chunked<Memo<K, V>>,
    known: BTreeMap<K, Seq>,
    last: Seq,
}

/// One key and what it stands for. The numbers are those of a checkpoint's blocks.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Memo<K, V> {
    /// The key.
    #[n(0)]
    pub key: K,
    /// From this moment on the key stands for nothing.
    #[n(1)]
    pub until: Stamp,
    /// What it stands for.
    #[n(2)]
    pub value: V,
}

/// What a window is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct DedupState<K, V> {
    /// The keys by number, as they came.
    pub memos: Chunked<Memo<K, V>>,
    /// The last number given.
    pub last: Seq,
}

impl<K, V> Default for DedupState<K, V> {
    fn default() -> DedupState<K, V> {
        DedupState { memos: Chunked::default(), last: Seq(0) }
    }
}

impl<K, V> Default for DedupWindow<K, V> {
    fn default() -> DedupWindow<K, V> {
        DedupWindow(None)
    }
}

impl<K: Weigh, V: Weigh> Weigh for Memo<K, V> {
    /// The key stands in the index too, and shares its text with it.
    fn beyond(&self) -> u64 {
        INDEX_ENTRY_BYTES + 2 * size_of::<K>() as u64 + self.key.beyond() + self.value.beyond()
    }
}

impl<K: Ord + Clone + Weigh, V: Clone + Weigh> DedupWindow<K, V> {
    /// Bytes that it takes in memory, about.
    pub fn bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, |window| window.memos.bytes() + size_of::<Window<K, V>>() as u64)
    }

    /// What `key` stands for at `now`.
    pub fn find(&self, key: &K, now: Stamp) -> Option<&V> {
        let window = self.0.as_ref()?;
        let memo = window.memos.get(*window.known.get(key)?)?;
        (memo.until > now).then_some(&memo.value)
    }

    /// Remembers `key`, and forgets a few that have ended: more than one for each one added, so
    /// the window shrinks to what it needs without ever making a turn long.
    pub fn remember(&mut self, key: K, until: Stamp, value: V, now: Stamp) {
        let empty = || Box::new(Window::of(DedupState::default()));
        let window = self.0.get_or_insert_with(empty);
        window.forget_ended(now);
        window.forget(&key);
        window.last = window.last.next();
        window.known.insert(key.clone(), window.last);
        window.memos.insert(window.last, Memo { key, until, value });
    }

    /// Forgets `key` before its time.
    pub fn forget(&mut self, key: &K) {
        if let Some(window) = &mut self.0 {
            window.forget(key);
        }
    }

    /// How many keys, those included that have ended and are not yet forgotten.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |window| window.memos.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the window is made of; all else is a function of it.
    pub fn state(&self) -> DedupState<K, V> {
        let state = |w: &Window<K, V>| DedupState { memos: w.memos.clone(), last: w.last };
        self.0.as_deref().map(state).unwrap_or_default()
    }

    /// The window of a state.
    pub fn from_state(state: DedupState<K, V>) -> DedupWindow<K, V> {
        let was_used = state.last > Seq(0) || !state.memos.is_empty();
        DedupWindow(was_used.then(|| Box::new(Window::of(state))))
    }
}

impl<K: Ord + Clone + Weigh, V: Clone + Weigh> Window<K, V> {
    fn of(state: DedupState<K, V>) -> Window<K, V> {
        let DedupState { memos, last } = state;
        let known = memos.iter().map(|(seq, memo)| (memo.key.clone(), seq)).collect();
        Window { last: last.max(memos.last_seq()), memos, known }
    }

    fn forget(&mut self, key: &K) {
        if let Some(seq) = self.known.remove(key) {
            self.memos.remove(seq);
        }
    }

    fn forget_ended(&mut self, now: Stamp) {
        for _ in 0..FORGOTTEN_PER_KEY {
            let first = self.memos.first().filter(|(_, memo)| memo.until <= now);
            let Some((seq, memo)) = first else { return };
            self.known.remove(&memo.key);
            self.memos.remove(seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(keys: &[(char, u64, u64)]) -> DedupWindow<char, u64> {
        let mut window = DedupWindow::default();
        for (key, now, until) in keys {
            window.remember(*key, Stamp(*until), *now, Stamp(*now));
        }
        window
    }

    #[test]
    fn a_key_counts_until_its_end_exclusive() {
        let window = remembered(&[('a', 0, 10)]);
        assert_eq!(window.find(&'a', Stamp(9)), Some(&0));
        assert_eq!(window.find(&'a', Stamp(10)), None);
    }

    #[test]
    fn remembering_forgets_what_has_ended() {
        let mut window = DedupWindow::default();
        for n in 0..100u64 {
            window.remember(n, Stamp(n + 5), n, Stamp(n));
        }
        assert!(window.len() <= 6, "{} kept", window.len());
        assert_eq!(window.0.as_ref().unwrap().known.len(), window.len());
    }

    #[test]
    fn a_key_remembered_again_takes_the_new_end() {
        let window = remembered(&[('a', 1, 10), ('a', 10, 20), ('b', 11, 30)]);
        assert_eq!(window.find(&'a', Stamp(15)), Some(&10));
        assert_eq!(window.len(), 2);
    }

    #[test]
    fn a_key_that_was_forgotten_stands_for_nothing() {
        let mut window = remembered(&[('a', 0, 10), ('b', 1, 10)]);
        window.forget(&'a');
        window.forget(&'c');
        assert_eq!((window.find(&'a', Stamp(2)), window.find(&'b', Stamp(2))), (None, Some(&1)));
        assert_eq!(window.0.as_ref().unwrap().known.len(), window.len());
    }

    #[test]
    fn one_that_ends_late_holds_others_back_from_being_forgotten_but_not_from_ending() {
        let mut window = remembered(&[('z', 0, 100), ('a', 1, 5), ('b', 2, 6), ('c', 50, 55)]);
        assert_eq!(window.find(&'a', Stamp(50)), None);
        assert_eq!(window.len(), 4);
        window.remember('d', Stamp(200), 100, Stamp(100));
        assert_eq!(window.len(), 1);
    }

    #[test]
    fn a_window_that_nobody_uses_is_a_pointer() {
        let window = DedupWindow::<char, u64>::default();
        assert_eq!(size_of_val(&window), size_of::<usize>());
        assert_eq!(DedupWindow::from_state(window.state()), window);
    }

    #[test]
    fn it_is_made_again_of_its_state() {
        let mut window = remembered(&[('a', 0, 3), ('b', 1, 10), ('a', 4, 12), ('c', 5, 12)]);
        window.forget(&'c');
        assert_eq!(DedupWindow::from_state(window.state()), window);
        assert_eq!(window.state().last, Seq(4), "a number is given once");
    }
}
