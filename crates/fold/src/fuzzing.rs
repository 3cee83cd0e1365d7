//! What `fuzz/` runs: not part of the product.

use std::time::Duration;

use crate::fault::At;
use crate::fold::{Block, Event, fold_here};
use crate::limits::STATE_BYTES_MAX;
use crate::program::Program;

/// Folds two events by any text as a module: whatever it is, it ends, and what it gives is JSON
/// within the limits.
pub fn module(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let event = |version: u64| Event {
        json: format!(r#"{{"type":"t","streamversion":"{version}","data":{{"n":{version}}}}}"#),
        at: At { number: version, version },
    };
    let block = Block {
        program: Program::JavaScript(text.as_ref().into()),
        from: None,
        events: vec![event(1), event(2)],
        time: Duration::from_millis(50),
    };
    if let Ok(folded) = fold_here(&block) {
        assert!(folded.state.len() <= STATE_BYTES_MAX, "a state is within its limit");
        let value = serde_json::from_str::<serde_json::Value>(&folded.state);
        assert!(value.is_ok(), "a state is JSON");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn modules_of_all_kinds_end() {
        for text in
            [&b""[..], b"export const evolve = (s, e) => e.data", b"for(;;);", b"\xff", b"'"]
        {
            super::module(text);
        }
    }
}
