//! All that was done to a disk, in order: at each moment of it the power may be cut, again and again.

use super::TestDisk;
use super::file::Change;
use super::machine::{FileId, State};

/// A change, or a word about what happened.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Create { folder: String, name: String },
    Rename { folder: String, from: String, to: String },
    Remove { folder: String, name: String },
    SyncNames(String),
    Change(FileId, Change),
    Sync(FileId),
    Note(u64),
}

/// A recorded run, played from its beginning.
#[derive(Debug)]
pub struct Recording {
    steps: Vec<Step>,
    played: usize,
    state: State,
    noted: Vec<u64>,
}

impl Recording {
    pub(super) fn new(steps: Vec<Step>) -> Recording {
        Recording { steps, played: 0, state: State::new(), noted: Vec::new() }
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Plays on until so many steps were played; never back.
    pub fn play_to(&mut self, count: usize) {
        let steps: Vec<Step> = self.steps.get(self.played..count).unwrap_or_default().to_vec();
        self.played = self.played.max(count.min(self.steps.len()));
        steps.into_iter().for_each(|step| self.play(step));
    }

    fn play(&mut self, step: Step) {
        let state = &mut self.state;
        match step {
            Step::Create { folder, name } => {
                state.create(&folder, &name);
            }
            Step::Rename { folder, from, to } => drop(state.rename(&folder, &from, &to)),
            Step::Remove { folder, name } => drop(state.remove(&folder, &name)),
            Step::SyncNames(folder) => state.sync_names(&folder),
            Step::Change(id, change) => {
                state.files.get_mut(&id).into_iter().for_each(|file| file.change(change.clone()));
            }
            Step::Sync(id) => state.files.get_mut(&id).into_iter().for_each(|file| file.sync()),
            Step::Note(tag) => self.noted.push(tag),
        }
    }

    /// What was noted so far.
    pub fn noted(&self) -> &[u64] {
        &self.noted
    }

    /// What the disk holds if the power is cut here.
    pub fn power_cut(&self, chance: &mut dyn FnMut() -> u64) -> TestDisk {
        TestDisk::of(self.state.after_power_cut(chance))
    }
}
