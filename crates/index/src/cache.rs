//! Pages of runs that were read lately, bounded in bytes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::page::PAGE_BYTES;

/// How many pages share a lock.
const WAYS: usize = 8;

/// A page of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    run: u64,
    page: u32,
}

struct Slot {
    key: Key,
    page: Arc<[u8]>,
    /// Asked for since the hand last passed.
    is_used: bool,
}

/// Pages that compete for the same places. A hand goes round and takes the first page that nobody
/// asked for since it last came by; a list in order of use would cost a write for each read.
#[derive(Default)]
struct Set {
    slots: Vec<Slot>,
    hand: usize,
}

/// A cache that many threads read.
pub(crate) struct Cache {
    sets: Vec<Mutex<Set>>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache of {} pages", self.sets.len().saturating_mul(WAYS))
    }
}

impl Cache {
    /// A cache of at most `bytes` (at least eight pages).
    pub(crate) fn new(bytes: usize) -> Cache {
        let sets = (bytes / (PAGE_BYTES * WAYS)).max(1);
        Cache { sets: (0..sets).map(|_| Mutex::default()).collect() }
    }

    /// The page, from here or by `read`.
    pub(crate) fn page<E>(
        &self,
        run: u64,
        page: u32,
        read: impl FnOnce() -> Result<Arc<[u8]>, E>,
    ) -> Result<Arc<[u8]>, E> {
        let key = Key { run, page };
        let Some(set) = self.set(key) else { return read() };
        if let Some(page) = set.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(page);
        }
        // Read without the lock: two threads may read the same page, and nobody waits for a disk
        // on behalf of another page.
        let page = read()?;
        set.lock().unwrap_or_else(PoisonError::into_inner).put(key, &page);
        Ok(page)
    }

    fn set(&self, key: Key) -> Option<&Mutex<Set>> {
        let mixed = (key.run ^ u64::from(key.page) << 20).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let wide = u128::from(mixed).wrapping_mul(self.sets.len() as u128) >> 64;
        self.sets.get(usize::try_from(wide).unwrap_or(0))
    }
}

impl Set {
    fn get(&mut self, key: Key) -> Option<Arc<[u8]>> {
        let slot = self.slots.iter_mut().find(|slot| slot.key == key)?;
        slot.is_used = true;
        Some(slot.page.clone())
    }

    fn put(&mut self, key: Key, page: &Arc<[u8]>) {
        let new = Slot { key, page: page.clone(), is_used: false };
        if self.slots.len() < WAYS {
            return self.slots.push(new);
        }
        // One round clears all marks, so the second finds a place.
        for _ in 0..=WAYS {
            let hand = self.hand;
            self.hand = (hand + 1) % WAYS;
            let Some(slot) = self.slots.get_mut(hand) else { continue };
            if !std::mem::take(&mut slot.is_used) {
                *slot = new;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte(number: u32) -> u8 {
        u8::try_from(number).unwrap()
    }

    fn page(byte: u8) -> Arc<[u8]> {
        Arc::from([byte; PAGE_BYTES].as_slice())
    }

    #[test]
    fn it_holds_what_is_used_and_no_more_than_it_may() {
        let cache = Cache::new(PAGE_BYTES * WAYS);
        let read = |n: u32| cache.page(1, n, || Ok::<_, ()>(page(byte(n)))).unwrap()[0];
        assert_eq!((0..8).map(read).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
        for n in 100..200 {
            assert_eq!(read(n), byte(n));
            // Asked for each time, so it stays.
            let again = cache.page(1, 3, || Err("read again"));
            assert_eq!(again.map(|page| page[0]), Ok(3), "after {n}");
        }
        assert_eq!(cache.sets[0].lock().unwrap().slots.len(), WAYS);
        assert!(cache.page(1, 0, || Err(())).is_err(), "page 0 made room");
    }
}
