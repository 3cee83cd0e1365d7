//! A disk in memory that knows what was synced, for tests of what runs on a disk.
//!
//! It does what a real one may do at the worst moment: what was written and not synced is lost at a
//! power cut, in whole or by the sector; names that were not synced are as they were; a sync that
//! failed forgets what it should have written, although reads still show it. Nothing in it is left
//! to chance but what the caller's `chance` says.

mod file;
mod machine;
mod recording;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::disk::{Disk, DiskFile, DiskLock, Hold};
use file::TestFile;
use machine::{Locks, Machine, State};
pub use recording::Recording;
use recording::Step;

/// The size of a sector, in bytes: what a power cut leaves whole.
pub const SECTOR_BYTES: usize = 512;

/// A directory on a machine whose power can be cut. A clone is the same directory.
#[derive(Clone, Debug)]
pub struct TestDisk {
    machine: Arc<Machine>,
    /// Which folder of the directory; none is the directory itself.
    folder: String,
}

/// What to do to one file, whatever was synced of it.
#[derive(Clone, Debug)]
pub enum Damage {
    /// Turns these bits of the byte at the offset.
    Flip(u64, u8),
    /// Puts these bytes at the offset.
    Put(u64, Vec<u8>),
    /// Cuts or extends the file to this length.
    SetLen(u64),
}

impl TestDisk {
    /// An empty directory with 1 TiB free.
    #[expect(clippy::new_without_default, reason = "each call makes another machine")]
    pub fn new() -> TestDisk {
        TestDisk::of(State::new())
    }

    fn of(state: State) -> TestDisk {
        TestDisk { machine: Arc::new(Machine::new(state)), folder: String::new() }
    }

    /// Cuts the power: every operation on this disk fails from now on, and what the disk holds is
    /// returned. Each unsynced write is lost, kept, or kept by the sector, as `chance` says; so are
    /// names.
    pub fn power_cut(&self, chance: &mut dyn FnMut() -> u64) -> TestDisk {
        TestDisk::of(self.machine.die().after_power_cut(chance))
    }

    /// As [`TestDisk::power_cut`], and exactly what was synced is left.
    pub fn power_cut_clean(&self) -> TestDisk {
        self.power_cut(&mut || 0)
    }

    /// Ends the process: every operation on this disk fails from now on, and the disk as the next
    /// process finds it is returned, what the system had not written yet included.
    pub fn kill(&self) -> TestDisk {
        TestDisk::of(self.machine.die().after_kill())
    }

    /// Another machine whose disk holds the same; this one goes on.
    pub fn copy(&self) -> TestDisk {
        TestDisk::of(self.machine.state().after_kill())
    }

    /// The sync after `skip` more fails with `EIO`, and forgets what it should have written.
    pub fn fail_sync(&self, skip: u64) {
        self.machine.state().fail_sync_after = Some(skip);
    }

    /// The write after `skip` more fails so after its first `partial` bytes.
    pub fn fail_write(&self, skip: u64, partial: usize, kind: io::ErrorKind) {
        self.machine.state().fail_write_after = Some((skip, partial, kind));
    }

    /// From now on every change is written down.
    pub fn record(&self) {
        self.machine.state().recorded = Some(Vec::new());
    }

    /// Writes down, between the changes, that something happened.
    pub fn note(&self, tag: u64) {
        self.machine.state().write_down(|| Step::Note(tag));
    }

    /// What was written down since [`TestDisk::record`], on a disk that was empty then.
    pub fn recording(&self) -> Recording {
        Recording::new(self.machine.state().recorded.take().unwrap_or_default())
    }

    /// The operation after `skip` more, of any kind, fails so and does nothing.
    pub fn fail_operation(&self, skip: u64, kind: io::ErrorKind) {
        self.machine.state().fail_operation_after = Some((skip, kind));
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.machine.state().operations
    }

    /// How many bytes were read of files.
    pub fn bytes_read(&self) -> u64 {
        self.machine.state().bytes_read
    }

    /// Whether an operation that was to fail has not come yet.
    pub fn has_fault_ahead(&self) -> bool {
        let state = self.machine.state();
        state.fail_sync_after.is_some()
            || state.fail_write_after.is_some()
            || state.fail_operation_after.is_some()
    }

    /// No operation fails any more that was to fail.
    pub fn heal(&self) {
        let mut state = self.machine.state();
        (state.fail_sync_after, state.fail_write_after) = (None, None);
        state.fail_operation_after = None;
    }

    /// Syncs of files wait from now on.
    pub fn hold_syncs(&self) {
        self.machine.state().hold_syncs = true;
    }

    /// Syncs that wait go on, and later ones do not wait.
    pub fn release_syncs(&self) {
        self.machine.state().hold_syncs = false;
        self.machine.changed.notify_all();
    }

    /// Blocks until a sync waits.
    pub fn wait_for_held_sync(&self) {
        self.machine.wait_until(|state| state.held_syncs > 0);
    }

    /// Blocks until so many syncs of files were begun in all.
    pub fn wait_for_syncs(&self, count: u64) {
        self.machine.wait_until(|state| state.syncs >= count);
    }

    /// How many syncs of files were begun.
    pub fn syncs(&self) -> u64 {
        self.machine.state().syncs
    }

    /// So many bytes are free now; what is written takes of them, and what is removed gives back.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.machine.state().set_free(bytes);
    }

    /// How often free space was asked for.
    pub fn times_free_asked(&self) -> u64 {
        self.machine.state().free_asked
    }

    /// Blocks until free space was asked for so often.
    pub fn wait_for_free_asked(&self, count: u64) {
        self.machine.wait_until(|state| state.free_asked >= count);
    }

    /// The names of all files of this folder, in order.
    pub fn file_names(&self) -> Vec<String> {
        self.machine.state().names(&self.folder).keys().cloned().collect()
    }

    /// The names of all files of a folder, in order.
    pub fn folder_names(&self, folder: &str) -> Vec<String> {
        self.machine.state().names(folder).keys().cloned().collect()
    }

    /// What is in a file; empty if there is none of the name. A file in a folder is `folder/name`,
    /// here and below.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        self.machine.state().at_path(name).map(|file| file.now.clone()).unwrap_or_default()
    }

    /// Damages a file, in what was synced too.
    pub fn damage(&self, name: &str, damage: &Damage) {
        self.machine.state().at_path(name).into_iter().for_each(|file| file.damage(damage));
    }

    /// Removes a file as if it had never been.
    pub fn lose(&self, name: &str) {
        self.machine.state().lose(name);
    }
}

impl TestDisk {
    fn held(&self, shared: bool) -> DiskLock {
        Box::new(Held { machine: Arc::clone(&self.machine), shared: AtomicBool::new(shared) })
    }
}

impl Disk for TestDisk {
    fn lock(&self) -> io::Result<Option<DiskLock>> {
        let mut state = self.machine.alive()?;
        if state.locks.exclusive || state.locks.shared > 0 {
            return Ok(None);
        }
        state.locks.exclusive = true;
        Ok(Some(self.held(false)))
    }

    fn lock_shared(&self) -> io::Result<Option<DiskLock>> {
        let mut state = self.machine.alive()?;
        if state.locks.exclusive {
            return Ok(None);
        }
        state.locks.shared += 1;
        Ok(Some(self.held(true)))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.machine.alive()?.names(&self.folder).keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let id = self.machine.alive()?.create(&self.folder, name);
        Ok(Arc::new(TestFile::new(Arc::clone(&self.machine), id)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let id = self.machine.alive()?.id(&self.folder, name)?;
        Ok(Arc::new(TestFile::new(Arc::clone(&self.machine), id)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.machine.alive()?.rename(&self.folder, from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.machine.alive()?.remove(&self.folder, name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.machine.alive()?.sync_names(&self.folder);
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let mut state = self.machine.alive()?;
        state.free_asked = state.free_asked.saturating_add(1);
        self.machine.changed.notify_all();
        Ok(state.free())
    }

    fn place(&self, name: &str) -> String {
        match self.folder.as_str() {
            "" => format!("test/{name}"),
            folder => format!("test/{folder}/{name}"),
        }
    }

    fn folder(&self, name: &str) -> io::Result<Arc<dyn Disk>> {
        // Made and durable at once: that a new folder may be lost is not what is tested here.
        drop(self.machine.alive()?);
        Ok(Arc::new(TestDisk { machine: Arc::clone(&self.machine), folder: name.to_owned() }))
    }
}

#[derive(Debug)]
struct Held {
    machine: Arc<Machine>,
    shared: AtomicBool,
}

impl Hold for Held {
    fn share(&self) -> io::Result<()> {
        let mut state = self.machine.alive()?;
        if !self.shared.swap(true, Ordering::Relaxed) {
            state.locks = Locks { exclusive: false, shared: 1 };
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.machine.state();
        match self.shared.load(Ordering::Relaxed) {
            true => state.locks.shared -= 1,
            false => state.locks.exclusive = false,
        }
    }
}
