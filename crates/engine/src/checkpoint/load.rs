//! Loading the newest checkpoint that can be read.

use lineside_core::id::{PartitionId, Place};
use lineside_core::limits::Limits;
use lineside_core::partition::Partition;
use lineside_core::snapshot::{Block, Restoring};

use super::manifest::{BlockEntry, Manifest};
use super::writer::digest;
use super::{CheckpointId, prefix};
use crate::blobs::{BlobFault, Blobs};

/// Where a start begins.
#[derive(Debug)]
pub struct Loaded {
    /// The state as the checkpoint has it, or an empty one.
    pub partition: Partition,
    /// The log is read from here on.
    pub begin: Place,
    /// And has to reach at least to here.
    pub end: Place,
    /// Bytes of the checkpoint's blocks.
    pub bytes: u64,
    /// The names of all blobs of the partition's checkpoints.
    pub names: Vec<String>,
    /// Checkpoints that could not be read, and why: the start went on with an older one.
    pub passed_over: Vec<String>,
}

/// Loads the newest checkpoint that is whole. None, when there is none; one that is damaged is
/// passed over. A blob store that cannot be reached is a fault.
pub async fn load(
    blobs: &dyn Blobs,
    partition: PartitionId,
    limits: Limits,
) -> Result<Loaded, BlobFault> {
    let names = blobs.list(&prefix(partition)).await?;
    let ids = names.iter().filter_map(|name| CheckpointId::of_manifest(partition, name));
    let mut ids: Vec<CheckpointId> = ids.collect();
    ids.sort_unstable();
    let mut passed_over = Vec::new();
    for id in ids.into_iter().rev() {
        match read(blobs, partition, &limits, id).await {
            Ok((state, manifest)) => {
                let (begin, end, bytes) = (manifest.begin, manifest.end, manifest.bytes());
                return Ok(Loaded { partition: state, begin, end, bytes, names, passed_over });
            }
            Err(Unreadable::Store(fault)) => return Err(fault),
            Err(Unreadable::Damaged(why)) => passed_over.push(why),
        }
    }
    let state = Partition::new(partition, limits);
    let (begin, end) = (Place::default(), Place::default());
    Ok(Loaded { partition: state, begin, end, bytes: 0, names, passed_over })
}

/// Why a checkpoint cannot be read.
enum Unreadable {
    Damaged(String),
    Store(BlobFault),
}

impl From<BlobFault> for Unreadable {
    fn from(fault: BlobFault) -> Unreadable {
        match fault {
            BlobFault::Missing(_) | BlobFault::Damaged { .. } => {
                Unreadable::Damaged(fault.to_string())
            }
            BlobFault::Full(_) | BlobFault::Io { .. } => Unreadable::Store(fault),
        }
    }
}

async fn read(
    blobs: &dyn Blobs,
    partition: PartitionId,
    limits: &Limits,
    id: CheckpointId,
) -> Result<(Partition, Manifest), Unreadable> {
    let name = id.manifest_name(partition);
    let content = blobs.get(&name).await?;
    let decoded = Manifest::decode(&content);
    let manifest = decoded.map_err(|why| Unreadable::Damaged(format!("{name}: {why}")))?;
    let mut restoring = Restoring::new(partition, limits.clone());
    // A resource's first part says what it is, so these come before the others. Blobs are read one
    // at a time, since all together may be as large as the state.
    for first_parts in [true, false] {
        for index in 0..manifest.blobs.len() {
            let wanted = |block: &&BlockEntry| {
                usize::try_from(block.blob) == Ok(index) && (block.part == 0) == first_parts
            };
            let blocks: Vec<&BlockEntry> = manifest.blocks.iter().filter(wanted).collect();
            add(blobs, partition, &manifest, index, &blocks, &mut restoring).await?;
        }
    }
    let damaged = |why| Unreadable::Damaged(format!("{name}: {why}"));
    let state = restoring.finish().map_err(|error| damaged(error.to_string()))?;
    Ok((state, manifest))
}

async fn add(
    blobs: &dyn Blobs,
    partition: PartitionId,
    manifest: &Manifest,
    index: usize,
    blocks: &[&BlockEntry],
    restoring: &mut Restoring,
) -> Result<(), Unreadable> {
    let (Some(blob), false) = (manifest.blobs.get(index), blocks.is_empty()) else {
        return Ok(());
    };
    let content = blobs.get(&blob.id.blob_name(partition, blob.nth)).await?;
    let damaged = |entry: &BlockEntry, why: &str| {
        Unreadable::Damaged(format!("checkpoint {:?}, {:?}: {why}", manifest.id, entry.key()))
    };
    for entry in blocks {
        let start = usize::try_from(entry.offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(entry.len).unwrap_or(usize::MAX));
        let bytes = content.get(start..end).ok_or_else(|| damaged(entry, "its blob is short"))?;
        if digest(bytes) != entry.digest {
            return Err(damaged(entry, "its digest differs"));
        }
        let block = Block { key: entry.key(), bytes: bytes.to_vec() };
        restoring.add(&block).map_err(|error| damaged(entry, &error.to_string()))?;
    }
    Ok(())
}
