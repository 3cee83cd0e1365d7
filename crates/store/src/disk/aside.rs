//! A file that is written beside what it will replace, and takes its name when it is whole.

use std::io;
use std::sync::Arc;

use super::file::{Disk, DiskFile};
use crate::limits::ASIDE_SYNC_BYTES;

/// Whether the system had no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// A file under a temporary name. One that is dropped before it is finished is removed; a crash
/// leaves it to the next start.
#[derive(Debug)]
pub(crate) struct Aside<'a> {
    disk: &'a dyn Disk,
    name: String,
    file: Arc<dyn DiskFile>,
    len: u64,
    unsynced: usize,
    /// It is synced each time that so many bytes were written.
    sync_bytes: usize,
    finished: bool,
}

impl<'a> Aside<'a> {
    pub(crate) fn create(disk: &'a dyn Disk, name: String) -> io::Result<Aside<'a>> {
        let file = disk.create(&name)?;
        let sync_bytes = ASIDE_SYNC_BYTES;
        Ok(Aside { disk, name, file, len: 0, unsynced: 0, sync_bytes, finished: false })
    }

    /// The same, synced only at its end: for whoever holds up the log's own syncs anyway.
    pub(crate) fn in_one_sync(mut self) -> Aside<'a> {
        self.sync_bytes = usize::MAX;
        self
    }

    /// How long it is, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Writes at the end, and syncs now and then.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        for chunk in bytes.chunks(self.sync_bytes) {
            self.file.write_at(chunk, self.len)?;
            self.len = self.len.saturating_add(chunk.len() as u64);
            self.unsynced = self.unsynced.saturating_add(chunk.len());
            if self.unsynced >= self.sync_bytes {
                self.file.sync_data()?;
                self.unsynced = 0;
            }
        }
        Ok(())
    }

    /// Makes it durable and gives it its name, in the place of what had it. An error says nothing of
    /// which of the two has the name after a crash; both are whole.
    pub(crate) fn finish(mut self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.file.sync_all()?;
        self.disk.rename(&self.name, name)?;
        self.finished = true;
        // Whatever the system says of it, this is not a file that was not made.
        self.disk.sync_names().map_err(io::Error::other)?;
        Ok(Arc::clone(&self.file))
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // The next start removes what cannot be removed now.
            drop(self.disk.remove(&self.name));
        }
    }
}
