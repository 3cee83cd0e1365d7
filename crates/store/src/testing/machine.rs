//! The state of the machine that the disk is in.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::file::FileState;
use super::recording::Step;

pub(super) type FileId = u64;
pub(super) type Names = BTreeMap<String, FileId>;

/// The names in one folder. Each folder is synced for itself.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// As a process sees them.
    pub(super) names: Names,
    /// As they were after the last sync and after each change since.
    history: Vec<Names>,
}

impl Folder {
    fn of(names: Names) -> Folder {
        Folder { history: vec![names.clone()], names }
    }

    fn change(&mut self, change: impl FnOnce(&mut Names)) {
        change(&mut self.names);
        self.history.push(self.names.clone());
    }

    fn sync(&mut self) {
        self.history = vec![self.names.clone()];
    }

    fn after_power_cut(&self, chance: &mut dyn FnMut() -> u64) -> Folder {
        let survivor = usize::try_from(chance()).unwrap_or(0).checked_rem(self.history.len());
        Folder::of(survivor.and_then(|n| self.history.get(n)).cloned().unwrap_or_default())
    }
}

impl fmt::Debug for State {
    /// Without what is in the files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("folders", &self.folders).finish_non_exhaustive()
    }
}

/// What is free where nothing bounds it: 1 TiB.
const UNBOUNDED_FREE_BYTES: u64 = 1 << 40;

/// The state, and word of its changes.
#[derive(Debug)]
pub(super) struct Machine {
    state: Mutex<State>,
    pub(super) changed: Condvar,
}

/// Who is in the directory.
#[derive(Clone, Copy, Default)]
pub(super) struct Locks {
    /// Somebody may change it.
    pub(super) exclusive: bool,
    /// So many look.
    pub(super) shared: usize,
}

pub(super) struct State {
    pub(super) files: BTreeMap<FileId, FileState>,
    /// By name; the directory itself is the one without a name.
    pub(super) folders: BTreeMap<String, Folder>,
    pub(super) locks: Locks,
    /// The power is off, or the process is gone.
    dead: bool,
    /// How many bytes all files together may have; `None` is no bound.
    capacity: Option<u64>,
    pub(super) free_asked: u64,
    pub(super) fail_sync_after: Option<u64>,
    pub(super) fail_write_after: Option<(u64, usize, io::ErrorKind)>,
    pub(super) fail_operation_after: Option<(u64, io::ErrorKind)>,
    pub(super) operations: u64,
    pub(super) bytes_read: u64,
    pub(super) recorded: Option<Vec<Step>>,
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

    /// The state of a machine that runs, for one operation, unless that is to fail.
    pub(super) fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.dead {
            return Err(io::Error::other("the machine is off"));
        }
        state.operations = state.operations.saturating_add(1);
        match state.operation_fails() {
            Some(kind) => Err(kind.into()),
            None => Ok(state),
        }
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
            folders: BTreeMap::new(),
            locks: Locks::default(),
            dead: false,
            capacity: None,
            free_asked: 0,
            fail_sync_after: None,
            fail_write_after: None,
            fail_operation_after: None,
            operations: 0,
            bytes_read: 0,
            recorded: None,
            hold_syncs: false,
            held_syncs: 0,
            syncs: 0,
        }
    }

    fn with_files(
        &self,
        files: BTreeMap<FileId, FileState>,
        folders: BTreeMap<String, Folder>,
    ) -> State {
        State { files, folders, capacity: self.capacity, ..State::new() }
    }

    pub(super) fn after_kill(&self) -> State {
        self.with_files(self.files.clone(), self.folders.clone())
    }

    pub(super) fn after_power_cut(&self, chance: &mut dyn FnMut() -> u64) -> State {
        let folders = self.folders.iter();
        let folders = folders.map(|(at, folder)| (at.clone(), folder.after_power_cut(chance)));
        let folders = folders.collect();
        let files = self.files.iter();
        let files = files.map(|(id, file)| (*id, file.after_power_cut(chance))).collect();
        self.with_files(files, folders)
    }

    fn folder(&mut self, folder: &str) -> &mut Folder {
        self.folders.entry(folder.to_owned()).or_insert_with(|| Folder::of(Names::new()))
    }

    pub(super) fn names(&mut self, folder: &str) -> &Names {
        &self.folder(folder).names
    }

    /// Writes a change down, if changes are.
    pub(super) fn write_down(&mut self, step: impl FnOnce() -> Step) {
        if let Some(recorded) = &mut self.recorded {
            recorded.push(step());
        }
    }

    pub(super) fn rename(&mut self, folder: &str, from: &str, to: &str) -> io::Result<()> {
        let id = self.id(folder, from)?;
        self.change_names(folder, |names| {
            names.remove(from);
            names.insert(to.to_owned(), id);
        });
        let [folder, from, to] = [folder, from, to].map(str::to_owned);
        self.write_down(|| Step::Rename { folder, from, to });
        Ok(())
    }

    pub(super) fn remove(&mut self, folder: &str, name: &str) -> io::Result<()> {
        self.id(folder, name)?;
        self.change_names(folder, |names| names.retain(|known, _| known != name));
        let [folder, name] = [folder, name].map(str::to_owned);
        self.write_down(|| Step::Remove { folder, name });
        Ok(())
    }

    pub(super) fn create(&mut self, folder: &str, name: &str) -> FileId {
        let last = self.files.keys().next_back();
        let id = last.map_or(0, |last| last.saturating_add(1));
        self.files.insert(id, FileState::default());
        self.change_names(folder, |names| names.extend([(name.to_owned(), id)]));
        let [folder, name] = [folder, name].map(str::to_owned);
        self.write_down(|| Step::Create { folder, name });
        id
    }

    pub(super) fn id(&mut self, folder: &str, name: &str) -> io::Result<FileId> {
        self.names(folder).get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The file of this path: a name, or a folder's and a name.
    pub(super) fn at_path(&mut self, path: &str) -> Option<&mut FileState> {
        let (folder, name) = split(path);
        let id = self.id(folder, name).ok()?;
        self.files.get_mut(&id)
    }

    pub(super) fn change_names(&mut self, folder: &str, change: impl FnOnce(&mut Names)) {
        self.folder(folder).change(change);
    }

    pub(super) fn sync_names(&mut self, folder: &str) {
        self.folder(folder).sync();
        self.write_down(|| Step::SyncNames(folder.to_owned()));
    }

    pub(super) fn lose(&mut self, path: &str) {
        let (folder, name) = split(path);
        let folder = self.folder(folder);
        folder.names.remove(name);
        folder.sync();
    }

    /// Bytes of all files that have a name.
    fn used(&self) -> u64 {
        let ids = self.folders.values().flat_map(|folder| folder.names.values());
        let files = ids.filter_map(|id| self.files.get(id));
        files.map(|file| file.now.len() as u64).sum()
    }

    pub(super) fn free(&self) -> u64 {
        self.capacity.map_or(UNBOUNDED_FREE_BYTES, |all| all.saturating_sub(self.used()))
    }

    pub(super) fn set_free(&mut self, bytes: u64) {
        self.capacity = Some(self.used().saturating_add(bytes));
    }

    /// How far a file of `len` bytes may grow, if not to `wanted`.
    pub(super) fn grows_to(&self, len: u64, wanted: u64) -> Option<u64> {
        self.capacity?;
        let most = len.saturating_add(self.free());
        (wanted > most).then_some(most)
    }

    fn operation_fails(&mut self) -> Option<io::ErrorKind> {
        let (left, kind) = self.fail_operation_after?;
        self.fail_operation_after = left.checked_sub(1).map(|left| (left, kind));
        (left == 0).then_some(kind)
    }

    /// How much of a write of `len` bytes is done before it fails, if it is to fail.
    pub(super) fn write_fails(&mut self, len: usize) -> Option<(usize, io::ErrorKind)> {
        let (left, partial, kind) = self.fail_write_after?;
        self.fail_write_after = left.checked_sub(1).map(|left| (left, partial, kind));
        (left == 0).then_some((partial.min(len), kind))
    }
}

/// The folder and the name that a path says.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
