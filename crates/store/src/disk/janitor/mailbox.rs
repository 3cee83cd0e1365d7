//! What the janitor is told, and what it reports.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lineside_core::id::PartitionId;

use super::plan::{Retained, Retention};
use crate::bell::Bell;
use crate::disk::shelf::Loaded;

/// What was reclaimed since the log was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Housekeeping {
    /// Segments that were dropped whole.
    pub dropped: u64,
    /// Segments that were rewritten.
    pub rewritten: u64,
    /// Bytes that this gave back to the disk.
    pub freed_bytes: u64,
    /// Why the last attempt stopped early, if it did. The next `retain` tries again.
    pub fault: Option<String>,
}

/// Letters to the janitor.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
    /// Rung when the janitor has nothing to do.
    bell: Bell,
}

#[derive(Debug)]
struct State {
    mail: Mail,
    report: Housekeeping,
    busy: bool,
    stopped: bool,
}

impl Default for State {
    /// The janitor is at work from the start: it looks for indexes that are missing.
    fn default() -> State {
        let (mail, report) = (Mail::default(), Housekeeping::default());
        State { mail, report, busy: true, stopped: false }
    }
}

/// What the janitor is to do.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// Segments whose index is to be put on the disk.
    pub(crate) sealed: Vec<Arc<Loaded>>,
    /// What matters from now on.
    pub(crate) retained: Retention,
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.retained.is_empty()
    }
}

impl Mailbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index of a segment is to be put on the disk.
    pub(crate) fn store(&self, loaded: Arc<Loaded>) {
        self.state().mail.sealed.push(loaded);
        self.changed.notify_all();
    }

    /// What matters of a partition from now on.
    pub(crate) fn retain(&self, partition: PartitionId, retained: Retained) {
        self.state().mail.retained.insert(partition, retained);
        self.changed.notify_all();
    }

    /// The janitor is to end.
    pub(crate) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    /// Whether it is.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Waits for something to do; `None` when it is to end.
    pub(crate) fn take(&self) -> Option<Mail> {
        let mut state = self.state();
        state.busy = !state.mail.is_empty();
        self.bell.ring();
        let idle = |state: &mut State| state.mail.is_empty() && !state.stopped;
        let mut state =
            self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return None;
        }
        state.busy = true;
        state.report.fault = None;
        Some(std::mem::take(&mut state.mail))
    }

    /// Waits so long, or until the janitor is to end; whether it is.
    pub(crate) fn pause(&self, pause: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.state(), pause, |s| !s.stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopped
    }

    /// Changes the report.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Housekeeping)) {
        change(&mut self.state().report);
    }

    /// What was done so far.
    pub(crate) fn report(&self) -> Housekeeping {
        self.state().report.clone()
    }

    /// The janitor has ended.
    pub(crate) fn end(&self) {
        self.state().busy = false;
        self.bell.ring();
    }

    /// Waits until there is nothing to do.
    pub(crate) async fn idle(&self) {
        let idle = || {
            let state = self.state();
            let idle = !state.busy && state.mail.is_empty();
            (idle || state.stopped).then_some(())
        };
        self.bell.wait_for(idle).await;
    }
}
