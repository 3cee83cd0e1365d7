//! The lock on a whole session.

use crate::id::Epoch;
use crate::stamp::Stamp;

/// A session's holder, by the name of the hold, until a moment. A hold that has run out stays
/// here until somebody takes its place or clears it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLock {
    /// The owner that granted the hold.
    pub epoch: Epoch,
    /// The hold's number; with `epoch` it names the hold for ever.
    pub hold: u64,
    /// From this moment on it has run out.
    pub until: Stamp,
}

impl SessionLock {
    /// Whether it keeps others away at `now`.
    pub fn is_live(&self, now: Stamp) -> bool {
        self.until > now
    }

    /// Whether the hold of this name is in force at `now`.
    pub fn is_held_by(&self, epoch: Epoch, hold: u64, now: Stamp) -> bool {
        self.is_live(now) && self.epoch == epoch && self.hold == hold
    }
}
