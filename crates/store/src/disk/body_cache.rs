//! Bodies that were written or read lately, up to a number of bytes.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use lineside_core::id::{PartitionId, Position};

type Key = (PartitionId, Position);

/// Bodies by batch. The batch that came first goes first: a queue is read in the order in which it
/// was written, and keeping order of use would cost each read a write to the cache.
#[derive(Debug)]
pub(crate) struct BodyCache {
    limit: u64,
    bytes: u64,
    batches: HashMap<Key, Vec<(u32, Bytes)>>,
    order: VecDeque<Key>,
}

impl BodyCache {
    /// Keeps up to `limit` bytes of bodies.
    pub(crate) fn new(limit: u64) -> BodyCache {
        BodyCache { limit, bytes: 0, batches: HashMap::new(), order: VecDeque::new() }
    }

    /// The body of the fact at `index`, if it is here.
    pub(crate) fn get(&self, partition: PartitionId, at: Position, index: u32) -> Option<Bytes> {
        let bodies = self.batches.get(&(partition, at))?;
        let found = bodies.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        bodies.get(found).map(|(_, body)| body.clone())
    }

    /// Takes the bodies of a batch, ascending by index.
    pub(crate) fn put(&mut self, partition: PartitionId, at: Position, bodies: Vec<(u32, Bytes)>) {
        let added = size(&bodies);
        if bodies.is_empty() || added > self.limit {
            return;
        }
        self.bytes = self.bytes.saturating_add(added);
        self.merge((partition, at), bodies);
        while self.bytes > self.limit && self.drop_oldest() {}
    }

    fn merge(&mut self, key: Key, bodies: Vec<(u32, Bytes)>) {
        let Some(known) = self.batches.get_mut(&key) else {
            self.batches.insert(key, bodies);
            return self.order.push_back(key);
        };
        for (index, body) in bodies {
            match known.binary_search_by_key(&index, |(index, _)| *index) {
                Ok(_) => self.bytes = self.bytes.saturating_sub(body.len() as u64),
                Err(place) => known.insert(place, (index, body)),
            }
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let oldest = self.order.pop_front();
        let gone = oldest.and_then(|key| self.batches.remove(&key));
        self.bytes = self.bytes.saturating_sub(gone.as_deref().map_or(0, size));
        oldest.is_some()
    }
}

fn size(bodies: &[(u32, Bytes)]) -> u64 {
    bodies.iter().map(|(_, body)| body.len() as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: PartitionId = PartitionId(0);

    fn body(len: usize) -> Bytes {
        Bytes::from(vec![7; len])
    }

    #[test]
    fn keeps_the_latest_within_its_limit() {
        let mut cache = BodyCache::new(100);
        for n in 0..10 {
            cache.put(P, Position(n), vec![(2, body(30))]);
        }
        let kept: Vec<_> = (0..10).filter(|n| cache.get(P, Position(*n), 2).is_some()).collect();
        assert_eq!(kept, [7, 8, 9]);
        assert_eq!(cache.bytes, 90);
        assert_eq!(cache.get(P, Position(9), 1), None);
    }

    #[test]
    fn bodies_of_one_batch_may_come_one_by_one() {
        let mut cache = BodyCache::new(100);
        for index in [5, 1, 5] {
            cache.put(P, Position(1), vec![(index, body(20))]);
        }
        assert!(cache.get(P, Position(1), 1).is_some() && cache.get(P, Position(1), 5).is_some());
        assert_eq!(cache.bytes, 40);
    }

    #[test]
    fn does_not_empty_itself_for_what_cannot_fit() {
        let mut cache = BodyCache::new(100);
        cache.put(P, Position(1), vec![(0, body(60))]);
        cache.put(P, Position(2), vec![(0, body(101))]);
        assert!(cache.get(P, Position(1), 0).is_some() && cache.get(P, Position(2), 0).is_none());
    }
}
