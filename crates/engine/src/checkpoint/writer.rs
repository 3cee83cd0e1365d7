//! Turns pieces into blobs and a manifest. It does no input or output, so that a simulation can
//! drive it step by step.

use std::collections::BTreeSet;
use std::hash::Hasher;

use bytes::Bytes;
use lineside_core::id::{Epoch, PartitionId, Place, Position};
use lineside_core::snapshot::{Block, BlockKey};
use siphasher::sip128::{Hasher128, SipHasher24};

use super::manifest::{BlobEntry, BlockEntry, Manifest, VERSION};
use super::{CheckpointId, Piece};
use crate::living::{Gathering, LivingSet};

/// A blob is handed out to be written when it has so many bytes.
const BLOB_BYTES_TARGET: usize = 4 << 20;
/// A blob of which less than one part in so many is still in use is given up: its blocks are
/// written anew.
const WORN_BELOW: u64 = 4;

/// Blocks are shared with the older of the two that are kept, which goes when the new one is
/// complete. So the two that stay have no block in common, and one damaged block costs one of them.
/// The price: a block that changed is written by the next two.
const SHARED_WITH: usize = 1;

/// The checkpoints that one owner of a partition writes.
#[derive(Debug)]
pub struct Writer {
    partition: PartitionId,
    /// The next one.
    next: CheckpointId,
    /// The last two that were completed, the newest first.
    kept: Vec<Kept>,
    /// The names of all blobs that there may be, those of earlier owners and of checkpoints that
    /// failed among them.
    names: BTreeSet<String>,
    under_way: Option<UnderWay>,
    last_bytes: u64,
}

#[derive(Debug)]
struct Kept {
    manifest: Manifest,
    /// The bodies that it names.
    bodies: LivingSet,
}

#[derive(Debug, Default)]
struct UnderWay {
    manifest: Manifest,
    bodies: Gathering,
    /// Where the comparison with the other manifest's blocks stands; both are in order of keys.
    compared: usize,
    /// For each blob of the other manifest: its index in this one, once a block of it is kept.
    kept_blobs: Vec<Option<u32>>,
    worn: Vec<bool>,
    filling: Vec<u8>,
    /// Blocks in `filling`: their blob's index is known when it is full.
    written: u32,
}

/// A checkpoint whose blobs are all handed out.
#[derive(Debug)]
pub struct Complete {
    /// The manifest's name.
    pub name: String,
    /// The manifest; when it is durable, call [`Writer::completed`].
    pub content: Bytes,
    manifest: Manifest,
    bodies: LivingSet,
}

/// What a completed checkpoint makes possible.
#[derive(Debug, Default)]
pub struct Reclaim {
    /// Blobs that no kept checkpoint uses.
    pub stale: Vec<String>,
    /// What the log still has to keep: everything from here on, and below it these bodies.
    pub retain: Option<(Position, LivingSet)>,
}

impl Writer {
    /// For the owner of this epoch, which finds blobs of these names, and loaded a checkpoint of so
    /// many bytes.
    pub fn new(
        partition: PartitionId,
        epoch: Epoch,
        names: Vec<String>,
        last_bytes: u64,
    ) -> Writer {
        Writer {
            partition,
            next: CheckpointId { epoch, number: 1 },
            kept: Vec::new(),
            names: names.into_iter().collect(),
            under_way: None,
            last_bytes,
        }
    }

    /// Bytes of the last checkpoint that was completed or loaded.
    pub fn last_bytes(&self) -> u64 {
        self.last_bytes
    }

    /// Takes the next piece in; the blobs that are full now, and after the end the manifest.
    pub fn take(&mut self, piece: Piece) -> (Vec<(String, Bytes)>, Option<Complete>) {
        match piece {
            Piece::Begin(begin) => {
                self.begin(begin);
                (Vec::new(), None)
            }
            Piece::Resource(resource) => {
                let mut blobs = Vec::new();
                for block in resource.blocks() {
                    blobs.extend(self.add(&block));
                }
                if let Some(under_way) = &mut self.under_way {
                    under_way.bodies.extend(resource.bodies());
                }
                (blobs, None)
            }
            Piece::End { header, moved } => {
                // Its blocks come first in order of keys, and last in time: they are compared with
                // nothing, since they change with every batch.
                let mut blobs: Vec<_> = header.blocks().filter_map(|b| self.put(&b)).collect();
                blobs.extend(self.flush());
                (blobs, self.complete(header.changed(), moved))
            }
        }
    }

    fn begin(&mut self, begin: Place) {
        let id = self.next;
        self.next.number = id.number.saturating_add(1);
        let shared = self.kept.get(SHARED_WITH).map(|kept| &kept.manifest);
        self.under_way = Some(UnderWay {
            manifest: Manifest { version: VERSION, id, begin, ..Manifest::default() },
            kept_blobs: shared.map_or(Vec::new(), |shared| vec![None; shared.blobs.len()]),
            worn: shared.map_or(Vec::new(), worn),
            ..UnderWay::default()
        });
    }

    /// Keeps a block where it lies if it has not changed, else writes it.
    fn add(&mut self, block: &Block) -> Option<(String, Bytes)> {
        let shared = self.kept.get(SHARED_WITH).map(|kept| &kept.manifest);
        if let (Some(shared), Some(under_way)) = (shared, &mut self.under_way)
            && under_way.keep(shared, block)
        {
            return None;
        }
        self.put(block)
    }

    fn put(&mut self, block: &Block) -> Option<(String, Bytes)> {
        let under_way = self.under_way.as_mut()?;
        under_way.write(block);
        if under_way.filling.len() < BLOB_BYTES_TARGET { None } else { self.flush() }
    }

    fn flush(&mut self) -> Option<(String, Bytes)> {
        let under_way = self.under_way.as_mut()?;
        if under_way.filling.is_empty() {
            return None;
        }
        let content = std::mem::take(&mut under_way.filling);
        let (id, nth) = (under_way.manifest.id, under_way.written);
        let len = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let index = u32::try_from(under_way.manifest.blobs.len()).unwrap_or(u32::MAX);
        under_way.manifest.blobs.push(BlobEntry { id, nth, len });
        let unplaced = under_way.manifest.blocks.iter_mut().filter(|b| b.blob == UNPLACED);
        unplaced.for_each(|block| block.blob = index);
        under_way.written += 1;
        let name = id.blob_name(self.partition, nth);
        self.names.insert(name.clone());
        Some((name, content.into()))
    }

    fn complete(&mut self, end: Place, moved: Vec<Place>) -> Option<Complete> {
        let mut under_way = self.under_way.take()?;
        under_way.manifest.blocks.sort_unstable_by_key(BlockEntry::key);
        under_way.bodies.extend(moved);
        let manifest = Manifest { end, ..under_way.manifest };
        Some(Complete {
            name: manifest.id.manifest_name(self.partition),
            content: manifest.encode().into(),
            bodies: under_way.bodies.finish(),
            manifest,
        })
    }

    /// The manifest is durable: what that makes possible.
    pub fn completed(&mut self, complete: Complete) -> Reclaim {
        let Complete { name, manifest, bodies, .. } = complete;
        self.names.insert(name);
        self.last_bytes = manifest.bytes();
        self.kept.insert(0, Kept { manifest, bodies });
        self.kept.truncate(2);
        Reclaim { stale: self.take_stale(), retain: self.retain() }
    }

    /// The names that no kept checkpoint needs; they count as gone from here on. None before there
    /// are two: until then an earlier owner's is what a start falls back to.
    fn take_stale(&mut self) -> Vec<String> {
        if self.kept.len() < 2 {
            return Vec::new();
        }
        let mut needed = BTreeSet::new();
        for Kept { manifest, .. } in &self.kept {
            needed.insert(manifest.id.manifest_name(self.partition));
            let blobs = manifest.blobs.iter();
            needed.extend(blobs.map(|blob| blob.id.blob_name(self.partition, blob.nth)));
        }
        let stale = self.names.difference(&needed).cloned().collect();
        self.names = needed;
        stale
    }

    /// The older of the two kept ones says from where on the log is needed, so that a start can
    /// fall back to it. The bodies of both live: an answer that is still being filled may name a
    /// body that was living when the older one was taken and is not now.
    fn retain(&self) -> Option<(Position, LivingSet)> {
        let [newer, older] = self.kept.as_slice() else { return None };
        Some((older.manifest.begin.position, newer.bodies.union(&older.bodies)))
    }
}

/// The blob of a block that is not handed out yet.
const UNPLACED: u32 = u32::MAX;

impl UnderWay {
    /// Whether the other checkpoint has the same block in a blob that is worth keeping; then this
    /// one names it there.
    fn keep(&mut self, shared: &Manifest, block: &Block) -> bool {
        let Some(entry) = self.find(shared, block.key) else { return false };
        let Ok(index) = usize::try_from(entry.blob) else { return false };
        let is_worn = self.worn.get(index).copied().unwrap_or(true);
        if is_worn || entry.digest != digest(&block.bytes) {
            return false;
        }
        let (Some(slot), Some(blob)) = (self.kept_blobs.get_mut(index), shared.blobs.get(index))
        else {
            return false;
        };
        let next = u32::try_from(self.manifest.blobs.len()).unwrap_or(u32::MAX);
        let kept = *slot.get_or_insert_with(|| {
            self.manifest.blobs.push(*blob);
            next
        });
        self.manifest.blocks.push(BlockEntry { blob: kept, ..entry });
        true
    }

    fn find(&mut self, shared: &Manifest, key: BlockKey) -> Option<BlockEntry> {
        while let Some(entry) = shared.blocks.get(self.compared) {
            match entry.key().cmp(&key) {
                std::cmp::Ordering::Less => self.compared += 1,
                std::cmp::Ordering::Equal => return Some(*entry),
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }

    fn write(&mut self, block: &Block) {
        let BlockKey { queue, part, number } = block.key;
        let offset = u32::try_from(self.filling.len()).unwrap_or(u32::MAX);
        let len = u32::try_from(block.bytes.len()).unwrap_or(u32::MAX);
        self.filling.extend_from_slice(&block.bytes);
        let (digest, blob) = (digest(&block.bytes), UNPLACED);
        self.manifest.blocks.push(BlockEntry { queue, part, number, blob, offset, len, digest });
    }
}

/// Which blobs of a manifest hold little that it still names.
fn worn(manifest: &Manifest) -> Vec<bool> {
    let mut live = vec![0u64; manifest.blobs.len()];
    for block in &manifest.blocks {
        if let Some(bytes) = usize::try_from(block.blob).ok().and_then(|i| live.get_mut(i)) {
            *bytes += u64::from(block.len);
        }
    }
    let blobs = live.iter().zip(&manifest.blobs);
    blobs.map(|(live, blob)| live * WORN_BELOW < u64::from(blob.len)).collect()
}

/// 128 bits by which blocks are compared and checked. Not against an enemy: whoever can write
/// blobs can write anything.
pub(crate) fn digest(bytes: &[u8]) -> [u64; 2] {
    let mut hasher = SipHasher24::new();
    hasher.write(bytes);
    let hash = hasher.finish128();
    [hash.h1, hash.h2]
}
