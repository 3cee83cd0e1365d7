//! The lock on a whole session.

use minicbor::{Decode, Encode};

use crate::id::Epoch;
use crate::stamp::Stamp;

/// A session's holder, by the name of the hold, until a moment. A hold that has run out stays
/// here until somebody takes its place or clears it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SessionLock {
    /// The owner that granted the hold.
    #[n(0)]
    pub epoch: Epoch,
    /// The hold's number; with `epoch` it names the hold for ever.
    #[n(1)]
    pub hold: u64,
    /// From this moment on it has run out.
    #[n(2)]
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
