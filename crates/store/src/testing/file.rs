//! A file that remembers what was synced, and what was done since.

use std::io;
use std::sync::Arc;

use super::machine::{FileId, Machine, State};
use super::recording::Step;
use super::{Damage, SECTOR_BYTES};
use crate::disk::DiskFile;

/// A file's contents.
#[derive(Clone, Debug, Default)]
pub(super) struct FileState {
    /// As reads show it.
    pub(super) now: Vec<u8>,
    /// As the disk has it.
    durable: Vec<u8>,
    /// What was done since and is not on the disk.
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Write(offset, written) => put(bytes, *offset, written),
            Change::SetLen(len) => bytes.resize(*len, 0),
        }
    }

    /// What a power cut leaves of it: nothing, all, or some of its sectors.
    fn apply_by_chance(&self, bytes: &mut Vec<u8>, chance: &mut dyn FnMut() -> u64) {
        let lot = chance() % 3;
        match self {
            _ if lot == 0 => {}
            Change::Write(offset, written) if lot == 1 => {
                for (at, sector) in sectors(*offset, written) {
                    if chance() % 2 == 1 {
                        put(bytes, at, sector);
                    }
                }
            }
            _ => self.apply(bytes),
        }
    }
}

/// The bytes by the sector that they lie in, each with where it begins.
fn sectors(offset: usize, bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let (mut at, mut rest, mut found) = (offset, bytes, Vec::new());
    while !rest.is_empty() {
        let len = SECTOR_BYTES.saturating_sub(at % SECTOR_BYTES).min(rest.len());
        let (sector, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        found.push((at, sector));
        (at, rest) = (at.saturating_add(len), after);
    }
    found
}

fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    let end = offset.saturating_add(written.len());
    bytes.resize(bytes.len().max(end), 0);
    if let Some(place) = bytes.get_mut(offset..end) {
        place.copy_from_slice(written);
    }
}

impl FileState {
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            change.apply(&mut self.durable);
        }
    }

    /// A sync that failed: reads show what they showed, and no later sync writes it.
    fn forget(&mut self) {
        self.unsynced.clear();
    }

    pub(super) fn after_power_cut(&self, chance: &mut dyn FnMut() -> u64) -> FileState {
        let mut durable = self.durable.clone();
        self.unsynced.iter().for_each(|change| change.apply_by_chance(&mut durable, chance));
        FileState { now: durable.clone(), durable, unsynced: Vec::new() }
    }

    pub(super) fn damage(&mut self, damage: &Damage) {
        for bytes in [&mut self.now, &mut self.durable] {
            match damage {
                Damage::Flip(offset, bits) => {
                    let byte = bytes.get_mut(usize::try_from(*offset).unwrap_or(usize::MAX));
                    byte.into_iter().for_each(|byte| *byte ^= bits);
                }
                Damage::Put(offset, with) => put(bytes, whole(*offset), with),
                Damage::SetLen(len) => bytes.resize(whole(*len), 0),
            }
        }
    }
}

fn whole(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(0)
}

/// An open file.
#[derive(Debug)]
pub(super) struct TestFile {
    machine: Arc<Machine>,
    id: FileId,
}

impl TestFile {
    pub(super) fn new(machine: Arc<Machine>, id: FileId) -> TestFile {
        TestFile { machine, id }
    }

    fn with<T>(&self, state: &mut State, work: impl FnOnce(&mut FileState) -> T) -> io::Result<T> {
        let file = state.files.get_mut(&self.id);
        file.map(work).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl DiskFile for TestFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.machine.alive()?;
        let read = self.with(&mut state, |file| {
            let from = file.now.get(whole(offset)..).unwrap_or_default();
            let read = into.len().min(from.len());
            let pair = into.get_mut(..read).zip(from.get(..read));
            pair.into_iter().for_each(|(into, from)| into.copy_from_slice(from));
            read
        })?;
        state.bytes_read = state.bytes_read.saturating_add(read as u64);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.machine.alive()?;
        let len = self.with(&mut state, |file| file.now.len() as u64)?;
        let most = state.grows_to(len, offset.saturating_add(bytes.len() as u64));
        let most = most.map(|most| whole(most.saturating_sub(offset)).min(bytes.len()));
        let most = most.map(|most| (most, io::ErrorKind::StorageFull));
        let fails = state.write_fails(bytes.len()).or(most);
        let written = fails.and_then(|(partial, _)| bytes.get(..partial)).unwrap_or(bytes);
        let change = Change::Write(whole(offset), written.to_vec());
        state.write_down(|| Step::Change(self.id, change.clone()));
        self.with(&mut state, |file| file.change(change))?;
        fails.map_or(Ok(()), |(_, kind)| Err(kind.into()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let (mut state, fails) = self.machine.begin_sync()?;
        state.write_down(|| Step::Sync(self.id));
        self.with(&mut state, if fails { FileState::forget } else { FileState::sync })?;
        if fails { Err(io::Error::other("EIO")) } else { Ok(()) }
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        self.with(&mut *self.machine.alive()?, |file| file.now.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let change = Change::SetLen(whole(len));
        let mut state = self.machine.alive()?;
        state.write_down(|| Step::Change(self.id, change.clone()));
        self.with(&mut state, |file| file.change(change))
    }
}
