//! What says how events become a state.

use std::sync::Arc;

use sha2::{Digest, Sha256};

/// How events become a state. A clone shares its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// The data of each event, if it is JSON, is a merge patch (RFC 7396) to the state, which is
    /// `{}` before the first.
    Merge,
    /// A module of JavaScript that exports `evolve(state, event)`, which gives the state behind the
    /// event or changes the one that it is given, and perhaps `initial`, the state before the first;
    /// else that is null. At most [`crate::limits::SOURCE_BYTES_MAX`] bytes are loaded.
    JavaScript(Arc<str>),
}

impl Program {
    /// The same for programs that say the same, in all processes and versions of this one, and for
    /// no others.
    pub fn identity(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        match self {
            Program::Merge => hash.update(b"merge\0"),
            Program::JavaScript(source) => {
                hash.update(b"javascript\0");
                hash.update(source.as_bytes());
            }
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_say_something_else_are_others() {
        let script = |text: &str| Program::JavaScript(text.into()).identity();
        assert_eq!(script("a"), script("a"));
        assert_ne!(script("a"), script("a "));
        assert_ne!(script(""), Program::Merge.identity());
        assert_eq!(Program::Merge.identity(), Program::Merge.identity());
    }
}
