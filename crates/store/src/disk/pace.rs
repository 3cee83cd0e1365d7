//! When to sync, and when to say that all is synced.

use std::time::{Duration, Instant};

use super::options::DiskOptions;
use crate::durability::Sync;

/// The pace of one writer. It is measured on the machine's own clock: it bounds what a power cut may
/// take and is never seen by a client, so steerable time has no say in it.
#[derive(Debug)]
pub(crate) struct Pace {
    sync: Sync,
    idle: Duration,
    /// When the first write was made that is not synced.
    unsynced_since: Option<Instant>,
    /// Whether the last write is one that nothing vouches for yet.
    unmarked: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Sync,
    Mark,
}

impl Pace {
    pub(crate) fn new(options: &DiskOptions) -> Pace {
        let (sync, idle) = (options.sync, options.idle_mark_after);
        Pace { sync, idle, unsynced_since: None, unmarked: false }
    }

    /// A write was made. Whether it must be synced before its tickets resolve.
    pub(crate) fn wrote(&mut self) -> bool {
        self.unmarked = true;
        let commits = self.sync == Sync::Commit;
        if !commits && self.unsynced_since.is_none() {
            self.unsynced_since = Some(now());
        }
        commits
    }

    /// All that was written is synced.
    pub(crate) fn synced(&mut self) {
        self.unsynced_since = None;
    }

    /// A mark was written and synced.
    pub(crate) fn marked(&mut self) {
        self.unsynced_since = None;
        self.unmarked = false;
    }

    /// Whether the last write is one that no later one vouches for.
    pub(crate) fn is_unmarked(&self) -> bool {
        self.unmarked
    }

    /// How long to wait for more at most; `None` is for ever.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let until_sync =
            self.unsynced_since.map(|since| self.interval().saturating_sub(since.elapsed()));
        until_sync.or(self.unmarked.then_some(self.idle))
    }

    /// What the time that went by has made due; `quiet` says that nothing came in all the patience.
    pub(crate) fn due(&self, quiet: bool) -> Due {
        match self.unsynced_since {
            Some(since) if since.elapsed() >= self.interval() => Due::Sync,
            None if quiet && self.unmarked => Due::Mark,
            _ => Due::Nothing,
        }
    }

    fn interval(&self) -> Duration {
        match self.sync {
            Sync::Commit => Duration::ZERO,
            Sync::Interval(interval) => interval,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the pace of syncs is real time; see `Pace`")]
fn now() -> Instant {
    Instant::now()
}
