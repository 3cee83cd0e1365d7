//! Checkpoints: what a start loads, so that it reads only the log's tail.
//!
//! A checkpoint is taken while commands are served. The owner gives one resource after another as
//! a cheap clone, a few in each turn ([`crate::owner::Owner::checkpoint_slice`]); a task encodes
//! them, writes the blocks that changed since the last checkpoint into blobs, and then a manifest
//! that names all blocks ([`writer`]). Two manifests are kept. Resources are as of different
//! places, the first of which the manifest says: a start reads the log from there ([`load`]), and
//! each resource ignores the facts that it has already seen.

pub(crate) mod driver;
pub mod load;
pub mod manifest;
pub(crate) mod task;
pub mod writer;

pub use driver::BYTES_BETWEEN;

use lineside_core::id::{Epoch, PartitionId, Place};
use lineside_core::snapshot::{HeaderSnapshot, ResourceSnapshot};
use minicbor::{Decode, Encode};

/// What the owner gives to a checkpoint, in this order: a begin, resources by id, an end.
#[derive(Debug)]
pub enum Piece {
    /// No fact before this place will be read by a start that uses the checkpoint.
    Begin(Place),
    /// One resource.
    Resource(Box<ResourceSnapshot>),
    /// All resources were given.
    End {
        /// The partition's own state.
        header: HeaderSnapshot,
        /// Bodies of messages that moved from one resource to another meanwhile: the one may have
        /// been given after it gave the message up, and the other before it took it.
        moved: Vec<Place>,
    },
}

/// What all blobs of a partition's checkpoints are called by.
pub(crate) fn prefix(partition: PartitionId) -> String {
    format!("checkpoint-{:04x}-", partition.0)
}

/// Which checkpoint of a partition. An owner writes under its own epoch only, and uses blobs of no
/// other: so an owner that was fenced and does not know it yet cannot harm its successor's. In
/// order, the newest is the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct CheckpointId {
    /// The owner.
    #[n(0)]
    pub epoch: Epoch,
    /// Counts the owner's checkpoints, from 1.
    #[n(1)]
    pub number: u32,
}

impl CheckpointId {
    fn stem(self, partition: PartitionId) -> String {
        format!("{}{:08x}-{:08x}", prefix(partition), self.epoch.0, self.number)
    }

    /// The name of its manifest.
    pub(crate) fn manifest_name(self, partition: PartitionId) -> String {
        format!("{}-manifest", self.stem(partition))
    }

    /// The name of the `nth` blob of blocks that it wrote.
    pub(crate) fn blob_name(self, partition: PartitionId, nth: u32) -> String {
        format!("{}-{nth:04x}", self.stem(partition))
    }

    /// The checkpoint whose manifest has this name, if it is the name of one.
    pub(crate) fn of_manifest(partition: PartitionId, name: &str) -> Option<CheckpointId> {
        let stem = name.strip_prefix(&prefix(partition))?.strip_suffix("-manifest")?;
        let (epoch, number) = stem.split_once('-')?;
        let hexadecimal = |text| u32::from_str_radix(text, 16).ok();
        Some(CheckpointId { epoch: Epoch(hexadecimal(epoch)?), number: hexadecimal(number)? })
    }
}
