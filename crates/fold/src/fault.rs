//! Why there is no state.

use std::fmt;
use std::time::Duration;

use crate::limits::{
    MEMORY_BYTES_MAX, PLACE_PATIENCE, RUN_PATIENCE, SOURCE_BYTES_MAX, STACK_BYTES_MAX,
    STATE_BYTES_MAX,
};

/// Why there is no state, and where it came to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub cause: Cause,
    /// The event that was folded; none if it was none: the module was loaded, or made its first
    /// state.
    pub at: Option<At>,
    /// Where in the module, if that is known.
    pub place: Option<Place>,
}

/// An event, by what its store gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Its number in the store.
    pub number: u64,
    /// Its version in its stream.
    pub version: u64,
}

impl From<(u64, u64)> for At {
    /// Number and version.
    fn from((number, version): (u64, u64)) -> At {
        At { number, version }
    }
}

/// A place in a module's text; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The character in it.
    pub column: u32,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The text is too long.
    #[error("the module has {0} bytes, and at most {SOURCE_BYTES_MAX} are taken")]
    SourceTooLarge(usize),
    /// It is no module, or imports another one.
    #[error("the module cannot be loaded: {0}")]
    Malformed(String),
    /// It lacks the function.
    #[error("the module exports no function `evolve`")]
    NoEvolve,
    /// It waits for something while it is loaded.
    #[error("the module is not loaded at once: it awaits something outside of its functions")]
    Unfinished,
    /// It threw.
    #[error("the fold threw {0}")]
    Threw(String),
    /// It took too long.
    #[error("the fold took more than its {} ms of processor time", .0.as_millis())]
    Time(Duration),
    /// It wanted more memory.
    #[error("the fold wanted more than {} MiB of memory", MEMORY_BYTES_MAX >> 20)]
    Memory,
    /// It called itself too often.
    #[error("the fold wanted more than {} KiB of stack", STACK_BYTES_MAX >> 10)]
    Stack,
    /// What came of it cannot be written as JSON.
    #[error("the state is no JSON: at `{pointer}` is {what}")]
    NotJson {
        /// A JSON pointer (RFC 6901) into the state.
        pointer: String,
        /// What stands there.
        what: String,
    },
    /// The state is too large.
    #[error("the state has more than {STATE_BYTES_MAX} bytes as JSON")]
    StateTooLarge,
    /// An event is not what it should be. Whoever calls sees to that.
    #[error("this is no event: {0}")]
    NotAnEvent(String),
    /// All threads are taken.
    #[error("no place to fold was free for {} s", PLACE_PATIENCE.as_secs())]
    Busy,
    /// The machine has no thread left, or the one that there was is gone.
    #[error("there is no thread to fold on: {0}")]
    NoThread(String),
    /// Nobody knows how long it would have taken.
    #[error("the fold did not end within {} s", RUN_PATIENCE.as_secs())]
    Stuck,
}

impl Cause {
    /// A word for programs: lower-case words with hyphens.
    pub fn word(&self) -> &'static str {
        match self {
            Cause::SourceTooLarge(_) => "source-too-large",
            Cause::Malformed(_) => "malformed",
            Cause::NoEvolve => "no-evolve",
            Cause::Unfinished => "unfinished",
            Cause::Threw(_) => "threw",
            Cause::Time(_) => "time",
            Cause::Memory => "memory",
            Cause::Stack => "stack",
            Cause::NotJson { .. } => "not-json",
            Cause::StateTooLarge => "state-too-large",
            Cause::NotAnEvent(_) => "not-an-event",
            Cause::Busy => "busy",
            Cause::NoThread(_) => "no-thread",
            Cause::Stuck => "stuck",
        }
    }

    /// Whether it may go otherwise another time, with the same program and the same events.
    pub fn is_passing(&self) -> bool {
        matches!(self, Cause::Busy | Cause::NoThread(_) | Cause::Stuck)
    }

    /// Whether the state that came of it is at fault, and not the way to it.
    pub(crate) fn is_of_state(&self) -> bool {
        matches!(self, Cause::NotJson { .. } | Cause::StateTooLarge)
    }
}

impl Fault {
    /// One of no event and no place.
    pub fn of(cause: Cause) -> Fault {
        Fault { cause, at: None, place: None }
    }

    /// The same, of an event.
    pub(crate) fn at(self, at: Option<At>) -> Fault {
        Fault { at, ..self }
    }
}

impl From<Cause> for Fault {
    fn from(cause: Cause) -> Fault {
        Fault::of(cause)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(At { number, version }) = self.at {
            write!(f, "at event {number}, version {version} of its stream: ")?;
        }
        write!(f, "{}", self.cause)?;
        match self.place {
            Some(Place { line, column }) => write!(f, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
