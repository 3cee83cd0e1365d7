//! How much may still be written, without asking the system each time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lineside_engine::log::{Full, Room};

use super::file::Disk;
use crate::limits::{FREE_BYTES_TO_GO_ON, SPACE_REFRESH_BYTES};

/// Free space above the reserve, as of the last look, less what was written since.
///
/// The reserve is what `reserve` never gives out. Half of it is for what makes room or shortens the
/// next start, rewritten segments and blobs; the other half is for batches that are submitted without
/// room, so that consumers can drain a disk that is full.
#[derive(Debug)]
pub(crate) struct Space {
    reserve: u64,
    free: AtomicU64,
    /// Written since the last look, in bytes.
    since: AtomicU64,
    promised: Arc<AtomicU64>,
}

impl Space {
    /// Looks for the first time.
    pub(crate) fn new(disk: &dyn Disk, reserve: u64) -> io::Result<Space> {
        let free = AtomicU64::new(disk.free_bytes()?.saturating_sub(reserve));
        Ok(Space { reserve, free, since: AtomicU64::new(0), promised: Arc::default() })
    }

    /// Sets room for `bytes` aside. Before it refuses it asks the system, so that space that was
    /// given back is seen by the next who wants some, and by nobody else: nothing polls.
    pub(crate) fn reserve(&self, disk: &dyn Disk, bytes: u64) -> Result<Room, Full> {
        let before = self.promised.fetch_add(bytes, Ordering::Relaxed);
        // Counted before it is judged, so that a refusal gives it back by dropping it.
        let room = Room::counted(bytes, Arc::clone(&self.promised));
        let fits = || before.saturating_add(bytes) <= self.free.load(Ordering::Relaxed);
        if fits() {
            return Ok(room);
        }
        self.refresh(disk);
        if fits() { Ok(room) } else { Err(Full { asked: bytes }) }
    }

    /// Whether `bytes` may be written beside the log.
    pub(crate) fn has_room_aside(&self, disk: &dyn Disk, bytes: u64) -> bool {
        let kept = self.reserve.checked_div(2).unwrap_or(0);
        disk.free_bytes().is_ok_and(|free| free.saturating_sub(kept) >= bytes)
    }

    /// Whether there is room for a small batch, in the reserve too. It asks the system.
    pub(crate) fn has_some(&self, disk: &dyn Disk) -> bool {
        self.refresh(disk);
        // A system that does not say is found out by a write.
        disk.free_bytes().map_or(true, |free| free >= FREE_BYTES_TO_GO_ON)
    }

    /// So many bytes were written: they are gone, and perhaps it is time to look again.
    pub(crate) fn wrote(&self, disk: &dyn Disk, bytes: u64) {
        let since = self.since.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let free = self.free.load(Ordering::Relaxed).saturating_sub(bytes);
        self.free.store(free, Ordering::Relaxed);
        if since >= SPACE_REFRESH_BYTES {
            self.refresh(disk);
        }
    }

    /// Asks the system again. If it does not answer, the old count goes on.
    pub(crate) fn refresh(&self, disk: &dyn Disk) {
        if let Ok(free) = disk.free_bytes() {
            self.free.store(free.saturating_sub(self.reserve), Ordering::Relaxed);
            self.since.store(0, Ordering::Relaxed);
        }
    }
}
