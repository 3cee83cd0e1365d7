//! Snapshots: a partition resource by resource, as blocks, and back.
//!
//! A snapshot is taken between two commands, so it copies pointers only: what is large in a
//! resource lies in chunks ([`crate::parts::Chunked`]) that it shares. Encoding happens later and
//! elsewhere, with [`ResourceSnapshot::blocks`].
//!
//! Snapshots of different resources are taken at different places of the log, facts come in
//! between. So each says up to where it reflects the log (its `changed`), a checkpoint is replayed
//! from a position at or before all of its snapshots, and [`Partition::evolve`] passes over what a
//! resource has seen. Indexes are not stored: [`Restoring`] makes them anew.
//!
//! [`Partition::evolve`]: crate::partition::Partition::evolve

mod block;
mod header;
mod resource;
mod restoring;

pub use block::{Block, BlockKey, SnapshotError};
pub use header::HeaderSnapshot;
pub use resource::ResourceSnapshot;
pub use restoring::Restoring;

pub(crate) use block::{Blocks, chunk_blocks, part};
pub(crate) use header::RestoredHeader;
