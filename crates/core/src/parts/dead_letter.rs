//! When a message has been received too often, and where it goes then.

use minicbor::{Decode, Encode};

use crate::id::Name;

/// After `receives_max` receives from its queue, the next receive moves a message to `target`.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct DeadLetterRule {
    /// The queue that takes it; by name, so that a queue made again under the name serves.
    #[n(0)]
    pub target: Name,
    /// Receives that are allowed: 1 to 1,000.
    #[n(1)]
    pub receives_max: u32,
}

impl DeadLetterRule {
    /// Whether a message with so many receives from its queue has used them up.
    pub fn is_exhausted(&self, receives: u32) -> bool {
        receives >= self.receives_max
    }
}
