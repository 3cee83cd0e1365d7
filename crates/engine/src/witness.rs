//! Somebody who looks on while an owner decides. Nothing that the owner does depends on it; a
//! simulation holds each decision against a model by it.

use lineside_core::command::{Command, Verdict};
use lineside_core::fact::Facts;
use lineside_core::id::Place;
use lineside_core::stamp::Stamp;

/// Sees what an owner decides, in the order in which it does, before any of it is evolved.
pub trait Witness: Send {
    /// A command was decided: when it was taken in, or again because its caller waits.
    fn decided(&mut self, at: Stamp, here: Place, command: &Command, verdict: &Verdict);

    /// What no command asked for: the take-over, what time made due (also when that is nothing),
    /// and time itself moving.
    fn happened(&mut self, at: Stamp, here: Place, facts: &Facts);
}
