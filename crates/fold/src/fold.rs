//! One block of events, folded on the thread that asks.

use std::time::Duration;

use crate::fault::{At, Fault};
use crate::program::Program;
use crate::{javascript, merge};

/// An event as a program sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// A CloudEvent in the JSON format, with what the store gave it.
    pub json: String,
    /// Which one it is, for whoever has to look for it.
    pub at: At,
}

/// Events to fold. A block is the unit of purity: whatever a module keeps beside its state is gone
/// at its end.
#[derive(Clone, Debug)]
pub struct Block {
    /// How.
    pub program: Program,
    /// The state before them, as JSON; none is the state before the first event of all.
    pub from: Option<String>,
    /// In their order; there may be none.
    pub events: Vec<Event>,
    /// The processor time that is left for them.
    pub time: Duration,
}

/// What came of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// The state behind it, as JSON of at most [`crate::limits::STATE_BYTES_MAX`] bytes.
    pub state: String,
    /// The processor time that it took.
    pub spent: Duration,
}

/// Folds a block on this thread, whose stack has to have room.
pub fn fold_here(block: &Block) -> Result<Folded, Fault> {
    match &block.program {
        Program::Merge => merge::fold(block),
        Program::JavaScript(source) => javascript::fold(source, block),
    }
}

/// Whether a program can be one: that its text is a module, and has what it has to have.
pub fn check_here(program: &Program) -> Result<(), Fault> {
    let time = crate::limits::TIME_MAX;
    fold_here(&Block { program: program.clone(), from: None, events: Vec::new(), time }).map(drop)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// An event of a version; its number is a hundred more.
    pub(crate) fn event(version: u64, data: &Value) -> Event {
        let number = version + 100;
        let json = json!({
            "specversion": "1.0", "id": version.to_string(), "source": "/t", "type": "t",
            "stream": "s-1", "streamversion": version.to_string(),
            "eventnumber": number.to_string(), "data": data,
        });
        Event { json: json.to_string(), at: At { number, version } }
    }

    pub(crate) fn block(program: &Program, events: Vec<Event>) -> Block {
        Block { program: program.clone(), from: None, events, time: crate::limits::TIME_MAX }
    }

    pub(crate) fn folded(program: &Program, events: Vec<Event>) -> String {
        fold_here(&block(program, events)).unwrap().state
    }
}
