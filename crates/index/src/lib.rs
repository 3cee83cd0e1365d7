//! Hands: the index of events, which finds events by stream, category, type, tag, correlation and
//! time without a scan of the log.
//!
//! Owns [`Index`]: immutable runs on disk over contiguous ranges of event numbers, and the newest
//! events in memory. It is derived: it can be deleted, and is filled again from the log. Must never
//! know the log's format (it is given numbers, places and heads of events), decide anything, or
//! hold anybody up: it has no clock, no thread and no executor, and its owner does flushes, merges
//! and repairs when [`Index::work`] says so. Enter at [`Index`] to fill it and at [`Snapshot`] to
//! ask it; the format is told in `page.rs`, `run.rs`, `posting.rs`, `table.rs` and `manifest.rs`,
//! and weighed in `docs/adr/0007-index-of-events.md`.

mod bloom;
mod cache;
mod event;
mod fault;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod index;
mod manifest;
mod memory;
mod merge;
mod page;
mod part;
mod posting;
mod run;
mod run_writer;
mod search;
mod snapshot;
mod table;
mod term;
#[cfg(test)]
mod tests;

pub use event::{Entry, Indexed, Order, Row};
pub use fault::{AddError, Damage, Fault};
pub use files::{Files, Folder, IndexFile};
pub use index::{Index, Options, Work};
pub use memory::Memory;
pub use snapshot::{Ask, Found, Snapshot, Sought};
