//! Floor 2: how the events of a stream become a state.
//!
//! Owns programs (a merge of each event's data, or a module of JavaScript), the sandbox in which
//! modules run, its limits, and the threads on which they do. Must never know a stream, a store, a
//! request, or where a program came from. Enter at [`Folder`]; [`fold_here`] is the same without
//! threads.

mod fault;
mod fold;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod javascript;
pub mod limits;
mod merge;
mod program;
mod threads;
mod time;

pub use fault::{At, Cause, Fault, Place};
pub use fold::{Block, Event, Folded, check_here, fold_here};
pub use program::Program;
pub use threads::Folder;
