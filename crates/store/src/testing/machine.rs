//! The state of the machine that the disk is in.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::file::FileState;

pub(super) type FileId = u64;
type Names = BTreeMap<String, FileId>;

/// The state, and word of its changes.
#[derive(Debug)]
pub(super) struct Machine {
    state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) files: BTreeMap<FileId, FileState>,
    /// As a process sees them.
    pub(super) names: Names,
    /// As they were after the last sync and after each change since.
    history: Vec<Names>,
    pub(super) locked: bool,
    /// The power is off, or the process is gone.
    dead: bool,
    pub(super) free_bytes: u64,
    pub(super) free_asked: u64,
    pub(super) fail_sync_after: Option<u64>,
    pub(super) fail_write_after: Option<(u64, usize)>,
    pub(super) hold_syncs: bool,
    pub(super) held_syncs: u64,
    pub(super) syncs: u64,
}

impl Machine {
    pub(super) fn new(state: State) -> Machine {
        Machine { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of a machine that runs.
    pub(super) fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.dead { Err(io::Error::other("the machine is off")) } else { Ok(state) }
    }

    /// Ends it for those who use it; syncs that are held return.
    pub(super) fn die(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.dead = true;
        self.changed.notify_all();
        state
    }

    pub(super) fn wait_until(&self, mut reached: impl FnMut(&State) -> bool) {
        let waited = self.changed.wait_while(self.state(), |state| !reached(state));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Holds a sync back while syncs are held, then counts it and says whether it is to fail.
    pub(super) fn begin_sync(&self) -> io::Result<(MutexGuard<'_, State>, bool)> {
        let mut state = self.alive()?;
        state.syncs = state.syncs.saturating_add(1);
        state.held_syncs = state.held_syncs.saturating_add(1);
        self.changed.notify_all();
        let held = |state: &mut State| state.hold_syncs && !state.dead;
        state = self.changed.wait_while(state, held).unwrap_or_else(PoisonError::into_inner);
        state.held_syncs = state.held_syncs.saturating_sub(1);
        if state.dead {
            return Err(io::Error::other("the machine is off"));
        }
        let fails = count_down(&mut state.fail_sync_after);
        Ok((state, fails))
    }
}

/// Counts down to the operation that fails; whether this is it.
fn count_down(after: &mut Option<u64>) -> bool {
    let now = *after == Some(0);
    *after = after.and_then(|left| left.checked_sub(1));
    now
}

impl State {
    pub(super) fn new() -> State {
        State {
            files: BTreeMap::new(),
            names: Names::new(),
            history: vec![Names::new()],
            locked: false,
            dead: false,
            free_bytes: 1 << 40,
            free_asked: 0,
            fail_sync_after: None,
            fail_write_after: None,
            hold_syncs: false,
            held_syncs: 0,
            syncs: 0,
        }
    }

    fn with_files(&self, files: BTreeMap<FileId, FileState>, history: Vec<Names>) -> State {
        let names = history.last().cloned().unwrap_or_default();
        State { files, names, history, free_bytes: self.free_bytes, ..State::new() }
    }

    pub(super) fn after_kill(&self) -> State {
        self.with_files(self.files.clone(), self.history.clone())
    }

    pub(super) fn after_power_cut(&self, chance: &mut dyn FnMut() -> u64) -> State {
        let survivor = usize::try_from(chance()).unwrap_or(0).checked_rem(self.history.len());
        let names = survivor.and_then(|n| self.history.get(n)).cloned().unwrap_or_default();
        let files = self.files.iter();
        let files = files.map(|(id, file)| (*id, file.after_power_cut(chance))).collect();
        self.with_files(files, vec![names])
    }

    pub(super) fn create(&mut self, name: &str) -> FileId {
        let last = self.files.keys().next_back();
        let id = last.map_or(0, |last| last.saturating_add(1));
        self.files.insert(id, FileState::default());
        self.change_names(|names| names.extend([(name.to_owned(), id)]));
        id
    }

    pub(super) fn id(&self, name: &str) -> io::Result<FileId> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn named(&mut self, name: &str) -> Option<&mut FileState> {
        let id = self.id(name).ok()?;
        self.files.get_mut(&id)
    }

    pub(super) fn change_names(&mut self, change: impl FnOnce(&mut Names)) {
        change(&mut self.names);
        self.history.push(self.names.clone());
    }

    pub(super) fn sync_names(&mut self) {
        self.history = vec![self.names.clone()];
    }

    pub(super) fn lose(&mut self, name: &str) {
        self.names.remove(name);
        self.sync_names();
    }

    /// How much of a write of `len` bytes is done before it fails, if it is to fail.
    pub(super) fn write_fails(&mut self, len: usize) -> Option<usize> {
        let (left, partial) = self.fail_write_after?;
        self.fail_write_after = left.checked_sub(1).map(|left| (left, partial));
        (left == 0).then_some(partial.min(len))
    }
}
