//! Hands of the engine: the adapters of its port `Log`.
//!
//! Owns [`MemoryLog`] (tests, simulation, `--durability memory`) and [`DiskLog`] (the embedded
//! default: one physical segmented log for all partitions; the format is in `docs/format.md`), and
//! the blobs beside each. Must never know what a fact means: it moves facts through `lineside_core::codec` and bodies as bytes,
//! decides nothing, and has no clock but the pace of its own syncs. Enter at [`disk`] or [`memory`].

mod bell;
mod blob;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod disk;
mod durability;
pub mod limits;
pub mod memory;
mod size;
#[cfg(feature = "testing")]
pub mod testing;

pub use disk::{DiskLog, DiskOptions, Housekeeping, OpenError, Recovery};
pub use durability::{Durability, Sync, UnknownDurability};
pub use memory::MemoryLog;
pub use memory::fault::Steering;
