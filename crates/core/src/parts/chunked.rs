//! Values by number, in chunks that are shared with snapshots.
//!
//! A snapshot has to be taken between two commands, so it may not copy a million messages, nor a
//! pointer for each few hundred of them. Values lie in chunks, and chunks in spans; a clone of a
//! [`Chunked`] copies one pointer for each span. A span, and a chunk in it, is copied when it is
//! changed while a clone still has it. So a snapshot of ten million costs the loop a few
//! microseconds, and later a copy of what changes, bounded by a span's pointers and a chunk.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::id::Seq;

use super::Weigh;

/// Numbers that one chunk spans.
pub const CHUNK_LEN: u64 = 256;
/// Chunks that one span has room for.
const SPAN_LEN: u64 = 64;

/// Values by number, in order of their numbers.
#[derive(Clone, Debug)]
pub struct Chunked<V> {
    spans: Sorted<u64, Arc<Span<V>>>,
    len: usize,
    /// Bytes beyond the values, of all of them.
    beyond: u64,
}

/// The chunks whose numbers fall into one span.
type Span<V> = Sorted<u64, Arc<Chunk<V>>>;

/// The values whose numbers fall into one chunk.
pub type Chunk<V> = Sorted<Seq, V>;

/// A short list in order of its keys. Not a tree, since a tree has room for eleven where most
/// queues have nothing or one.
#[derive(Clone, Debug, PartialEq)]
pub struct Sorted<K, V> {
    entries: Vec<(K, V)>,
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Sorted<K, V> {
        Sorted { entries: Vec::new() }
    }
}

impl<K: Ord + Copy, V> Sorted<K, V> {
    /// The values in order.
    pub fn entries(&self) -> &[(K, V)] {
        &self.entries
    }

    fn find(&self, key: K) -> Result<usize, usize> {
        match self.entries.last() {
            // What comes, comes last.
            Some((last, _)) if *last < key => Err(self.entries.len()),
            _ => self.entries.binary_search_by_key(&key, |(key, _)| *key),
        }
    }

    fn get(&self, key: K) -> Option<&V> {
        self.entries.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let index = self.find(key).ok()?;
        self.entries.get_mut(index).map(|(_, value)| value)
    }

    /// Sets the value of a key; `room`: so many there can be in all, and room for more is not
    /// made, as doubling would.
    fn insert(&mut self, key: K, value: V, room: u64) -> Option<V> {
        match self.find(key) {
            Ok(index) => {
                let (_, before) = self.entries.get_mut(index)?;
                Some(std::mem::replace(before, value))
            }
            Err(index) => {
                self.reserve_one(usize::try_from(room).unwrap_or(usize::MAX));
                self.entries.insert(index, (key, value));
                None
            }
        }
    }

    fn reserve_one(&mut self, room: usize) {
        let len = self.entries.len();
        if len == self.entries.capacity() {
            self.entries.reserve_exact((2 * len).clamp(1, room.max(len + 1)) - len);
        }
    }

    /// Takes a value out. A few that stay behind for long must not keep the room of all.
    fn remove(&mut self, key: K) -> Option<V> {
        let index = self.find(key).ok()?;
        let (_, value) = self.entries.remove(index);
        if self.entries.capacity() > 4 * self.entries.len() {
            self.entries.shrink_to(2 * self.entries.len());
        }
        Some(value)
    }
}

impl<V> Default for Chunked<V> {
    fn default() -> Chunked<V> {
        Chunked { spans: Sorted::default(), len: 0, beyond: 0 }
    }
}

impl<V: PartialEq> PartialEq for Chunked<V> {
    fn eq(&self, other: &Chunked<V>) -> bool {
        self.len == other.len && self.spans == other.spans
    }
}

/// A value that is being changed; what it weighs is kept when it is let go.
pub struct Changing<'a, V: Weigh> {
    value: &'a mut V,
    all: &'a mut u64,
    before: u64,
}

impl<V: Weigh> Deref for Changing<'_, V> {
    type Target = V;

    fn deref(&self) -> &V {
        self.value
    }
}

impl<V: Weigh> DerefMut for Changing<'_, V> {
    fn deref_mut(&mut self) -> &mut V {
        self.value
    }
}

impl<V: Weigh> Drop for Changing<'_, V> {
    fn drop(&mut self) {
        *self.all = self.all.saturating_sub(self.before).saturating_add(self.value.beyond());
    }
}

impl<V: Clone + Weigh> Chunked<V> {
    /// How many values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of a number.
    pub fn get(&self, seq: Seq) -> Option<&V> {
        self.spans.get(span_of(seq))?.get(chunk_of(seq))?.get(seq)
    }

    /// The value of a number, to be changed; copies its chunk if a snapshot shares it.
    pub fn get_mut(&mut self, seq: Seq) -> Option<Changing<'_, V>> {
        // Asked first, so that nothing is copied for a number that has no value.
        self.get(seq)?;
        let span = Arc::make_mut(self.spans.get_mut(span_of(seq))?);
        let value = Arc::make_mut(span.get_mut(chunk_of(seq))?).get_mut(seq)?;
        let before = value.beyond();
        Some(Changing { value, all: &mut self.beyond, before })
    }

    /// Bytes that it takes in memory, about; a function of the values alone.
    pub fn bytes(&self) -> u64 {
        let values = self.len.saturating_mul(size_of::<(Seq, V)>()) as u64;
        values.saturating_add(self.beyond)
    }

    /// Sets the value of a number; the one that it had.
    pub fn insert(&mut self, seq: Seq, value: V) -> Option<V> {
        let beyond = value.beyond();
        let before = self.chunk_mut(seq)?.insert(seq, value, CHUNK_LEN);
        self.len += usize::from(before.is_none());
        self.beyond = self.beyond.saturating_sub(before.beyond()).saturating_add(beyond);
        before
    }

    /// The chunk that a number belongs into, made if it is not there.
    fn chunk_mut(&mut self, seq: Seq) -> Option<&mut Chunk<V>> {
        if self.spans.get(span_of(seq)).is_none() {
            self.spans.insert(span_of(seq), Arc::default(), u64::MAX);
        }
        let span = Arc::make_mut(self.spans.get_mut(span_of(seq))?);
        if span.get(chunk_of(seq)).is_none() {
            span.insert(chunk_of(seq), Arc::default(), SPAN_LEN);
        }
        span.get_mut(chunk_of(seq)).map(Arc::make_mut)
    }

    /// Takes the value of a number out.
    pub fn remove(&mut self, seq: Seq) -> Option<V> {
        self.get(seq)?;
        let span = Arc::make_mut(self.spans.get_mut(span_of(seq))?);
        let chunk = Arc::make_mut(span.get_mut(chunk_of(seq))?);
        let value = chunk.remove(seq);
        if chunk.entries.is_empty() {
            span.remove(chunk_of(seq));
        }
        if span.entries.is_empty() {
            self.spans.remove(span_of(seq));
        }
        self.len -= usize::from(value.is_some());
        self.beyond = self.beyond.saturating_sub(value.beyond());
        value
    }

    /// All values in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Seq, &V)> {
        let spans = self.spans.entries.iter();
        let chunks = spans.flat_map(|(_, span)| span.entries.iter());
        chunks.flat_map(|(_, chunk)| chunk.entries.iter().map(|(seq, value)| (*seq, value)))
    }

    /// Changes all values, in order.
    pub fn for_each_mut(&mut self, mut change: impl FnMut(Seq, &mut V)) {
        let spans = self.spans.entries.iter_mut();
        for (_, chunk) in spans.flat_map(|(_, span)| &mut Arc::make_mut(span).entries) {
            for (seq, value) in &mut Arc::make_mut(chunk).entries {
                let before = value.beyond();
                change(*seq, value);
                self.beyond = self.beyond.saturating_sub(before).saturating_add(value.beyond());
            }
        }
    }

    /// The values from `from` on, in order.
    pub fn from(&self, from: Seq) -> impl Iterator<Item = (Seq, &V)> {
        let first = self.spans.find(span_of(from)).unwrap_or_else(|index| index);
        let spans = self.spans.entries.iter().skip(first);
        let chunks = spans.flat_map(|(_, span)| span.entries.iter());
        let entries = chunks
            .skip_while(move |(number, _)| *number < chunk_of(from))
            .flat_map(|(_, chunk)| chunk.entries.iter());
        entries.map(|(seq, value)| (*seq, value)).skip_while(move |(seq, _)| *seq < from)
    }

    /// The first value.
    pub fn first(&self) -> Option<(Seq, &V)> {
        self.iter().next()
    }

    /// The last number that has a value; 0 if none has.
    pub fn last_seq(&self) -> Seq {
        self.iter().next_back().map_or(Seq(0), |(seq, _)| seq)
    }

    /// The chunks in order, each with its number.
    pub fn chunks(&self) -> impl Iterator<Item = (u64, &Arc<Chunk<V>>)> {
        let spans = self.spans.entries.iter();
        let chunks = spans.flat_map(|(_, span)| span.entries.iter());
        chunks.map(|(number, chunk)| (*number, chunk))
    }

    /// So many pointers a clone copies.
    pub fn weight(&self) -> usize {
        self.spans.entries.len()
    }

    /// Puts a whole chunk in its place, as [`Chunked::chunks`] gave it; says no if the entries are
    /// none, or not those of a chunk of this number, in order, or if the chunk is there already.
    #[must_use]
    pub fn put_chunk(&mut self, number: u64, entries: Vec<(Seq, V)>) -> bool {
        let belongs = entries.iter().all(|(seq, _)| chunk_of(*seq) == number);
        let in_order = entries.is_sorted_by(|(a, _), (b, _)| a < b);
        let Some((first, _)) = entries.first() else { return false };
        let (first, len) = (*first, entries.len());
        let beyond: u64 = entries.iter().map(|(_, value)| value.beyond()).sum();
        if !belongs || !in_order {
            return false;
        }
        match self.chunk_mut(first) {
            Some(chunk) if chunk.entries.is_empty() => chunk.entries = entries,
            _ => return false,
        }
        self.len += len;
        self.beyond = self.beyond.saturating_add(beyond);
        true
    }
}

/// The number of the chunk that a value belongs into.
fn chunk_of(seq: Seq) -> u64 {
    seq.0 / CHUNK_LEN
}

/// The number of the span that a value's chunk belongs into.
fn span_of(seq: Seq) -> u64 {
    chunk_of(seq) / SPAN_LEN
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    impl Weigh for u32 {
        fn beyond(&self) -> u64 {
            u64::from(*self % 7)
        }
    }

    impl Weigh for u64 {
        fn beyond(&self) -> u64 {
            0
        }
    }

    impl Weigh for () {
        fn beyond(&self) -> u64 {
            0
        }
    }

    impl Weigh for char {
        fn beyond(&self) -> u64 {
            0
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64, u32),
        Change(u64, u32),
        Remove(u64),
        Snapshot,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let seq = || prop_oneof![0..20u64, 250..260u64, 5_000..5_010u64, 16_380..16_390u64];
        let step = prop_oneof![
            4 => (seq(), any::<u32>()).prop_map(|(seq, value)| Step::Insert(seq, value)),
            2 => (seq(), any::<u32>()).prop_map(|(seq, value)| Step::Change(seq, value)),
            3 => seq().prop_map(Step::Remove),
            1 => Just(Step::Snapshot),
        ];
        proptest::collection::vec(step, 0..200)
    }

    fn content(chunked: &Chunked<u32>) -> Vec<(u64, u32)> {
        chunked.iter().map(|(seq, value)| (seq.0, *value)).collect()
    }

    fn put_together(chunked: &Chunked<u32>) -> Chunked<u32> {
        let mut again = Chunked::default();
        for (number, chunk) in chunked.chunks() {
            assert!(again.put_chunk(number, chunk.entries().to_vec()));
        }
        again
    }

    proptest! {
        #[test]
        fn it_is_a_map_and_a_snapshot_keeps_what_it_saw(steps in steps()) {
            let (mut chunked, mut model) = (Chunked::default(), BTreeMap::new());
            let mut snapshots = Vec::new();
            for step in steps {
                match step {
                    Step::Insert(seq, value) => {
                        prop_assert_eq!(chunked.insert(Seq(seq), value), model.insert(seq, value));
                    }
                    Step::Change(seq, value) => {
                        if let Some(mut found) = chunked.get_mut(Seq(seq)) {
                            *found = value;
                            model.insert(seq, value);
                        }
                    }
                    Step::Remove(seq) => {
                        prop_assert_eq!(chunked.remove(Seq(seq)), model.remove(&seq));
                    }
                    Step::Snapshot => snapshots.push((chunked.clone(), content(&chunked))),
                }
                prop_assert_eq!(chunked.len(), model.len());
                let beyond: u64 = model.values().map(Weigh::beyond).sum();
                prop_assert_eq!(chunked.bytes(), 16 * model.len() as u64 + beyond);
                prop_assert_eq!(
                    chunked.first().map(|(seq, value)| (seq.0, *value)),
                    model.first_key_value().map(|(seq, value)| (*seq, *value))
                );
                for from in [0, 5, 256, 300, 5_003, 16_384, 90_000] {
                    prop_assert!(chunked.from(Seq(from)).map(|(seq, _)| seq.0)
                        .eq(model.range(from..).map(|(seq, _)| *seq)));
                }
            }
            prop_assert_eq!(content(&chunked), model.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(&put_together(&chunked), &chunked);
            prop_assert_eq!(put_together(&chunked).bytes(), chunked.bytes());
            for (snapshot, saw) in snapshots {
                prop_assert_eq!(content(&snapshot), saw);
            }
        }
    }

    #[test]
    fn a_change_after_a_snapshot_copies_one_chunk() {
        let mut chunked = Chunked::default();
        for seq in 0..10 * CHUNK_LEN {
            chunked.insert(Seq(seq), seq);
        }
        let snapshot = chunked.clone();
        chunked.remove(Seq(3 * CHUNK_LEN));
        let shared = chunked.chunks().filter(|(number, chunk)| {
            snapshot.chunks().any(|(other, before)| *number == other && Arc::ptr_eq(chunk, before))
        });
        assert_eq!(shared.count(), 9);
    }

    #[test]
    fn a_clone_copies_few_pointers() {
        let mut chunked = Chunked::default();
        for seq in 0..100_000 {
            chunked.insert(Seq(seq), ());
        }
        assert_eq!((chunked.weight(), chunked.chunks().count()), (7, 391));
        for seq in 0..100_000 {
            chunked.remove(Seq(seq));
        }
        assert_eq!((chunked.weight(), chunked), (0, Chunked::default()));
    }

    #[test]
    fn those_left_behind_do_not_keep_the_room_of_all() {
        let mut chunked = Chunked::default();
        for seq in 0..CHUNK_LEN {
            chunked.insert(Seq(seq), seq);
        }
        for seq in 1..CHUNK_LEN {
            chunked.remove(Seq(seq));
        }
        let (_, chunk) = chunked.chunks().next().unwrap();
        assert!(chunk.entries.capacity() <= 8, "{}", chunk.entries.capacity());
    }

    #[test]
    fn a_chunk_that_is_none_is_not_taken() {
        let mut chunked = Chunked::default();
        let entries = |seqs: &[u64]| seqs.iter().map(|seq| (Seq(*seq), 'v')).collect::<Vec<_>>();
        for (number, seqs) in
            [(0, &[][..]), (1, &[3]), (0, &[3, 3]), (0, &[4, 3]), (0, &[255, 256])]
        {
            assert!(!chunked.put_chunk(number, entries(seqs)), "{seqs:?}");
        }
        assert!(chunked.put_chunk(0, entries(&[3, 4])));
        assert!(!chunked.put_chunk(0, entries(&[255])), "it is there already");
        assert_eq!(chunked.len(), 2);
    }

    #[test]
    fn a_copy_that_grows_again_has_no_more_room_than_a_span() {
        let mut chunked = Chunked::default();
        for seq in 0..CHUNK_LEN {
            let snapshot = chunked.clone();
            chunked.insert(Seq(seq), seq);
            drop(snapshot);
        }
        let (_, chunk) = chunked.chunks().next().unwrap();
        assert_eq!(chunk.entries.capacity(), usize::try_from(CHUNK_LEN).unwrap());
    }
}
