//! The manifest: which blocks a checkpoint has, and where they lie.

use lineside_core::id::{Place, QueueId};
use lineside_core::snapshot::BlockKey;
use minicbor::{Decode, Encode};

use super::CheckpointId;

/// Version of the manifest and of what the blocks hold.
pub const VERSION: u32 = 1;

/// One checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Manifest {
    /// [`VERSION`]; a start does not read another.
    #[n(0)]
    pub version: u32,
    /// Which.
    #[n(1)]
    pub id: CheckpointId,
    /// A start reads the log from here on.
    #[n(2)]
    pub begin: Place,
    /// No resource in it has seen a fact from here on; the log was durable up to here.
    #[n(3)]
    pub end: Place,
    /// The blobs that hold its blocks.
    #[n(4)]
    pub blobs: Vec<BlobEntry>,
    /// Its blocks, in order of their keys.
    #[n(5)]
    pub blocks: Vec<BlockEntry>,
}

/// A blob of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub struct BlobEntry {
    /// The checkpoint that wrote it.
    #[n(0)]
    pub id: CheckpointId,
    /// Which of that checkpoint's.
    #[n(1)]
    pub nth: u32,
    /// Its length in bytes.
    #[n(2)]
    pub len: u32,
}

/// A block, and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub struct BlockEntry {
    /// The resource.
    #[n(0)]
    pub queue: QueueId,
    /// Which kind of part of it.
    #[n(1)]
    pub part: u8,
    /// Which of these.
    #[n(2)]
    pub number: u64,
    /// The index of its blob in [`Manifest::blobs`].
    #[n(3)]
    pub blob: u32,
    /// Where it begins there.
    #[n(4)]
    pub offset: u32,
    /// Its length in bytes.
    #[n(5)]
    pub len: u32,
    /// Its digest: equal digests are equal blocks.
    #[n(6)]
    pub digest: [u64; 2],
}

impl BlockEntry {
    /// Its key.
    pub fn key(&self) -> BlockKey {
        BlockKey { queue: self.queue, part: self.part, number: self.number }
    }
}

impl Manifest {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoded = minicbor::encode(self, &mut bytes);
        assert!(encoded.is_ok(), "a vector takes all bytes");
        bytes
    }

    /// From bytes; why not, in words.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, String> {
        let manifest: Manifest = minicbor::decode(bytes).map_err(|error| error.to_string())?;
        if manifest.version != VERSION {
            return Err(format!("its version is {}, and {VERSION} is read here", manifest.version));
        }
        let known = |entry: &BlockEntry| {
            let blob = manifest.blobs.get(usize::try_from(entry.blob).unwrap_or(usize::MAX));
            let end = u64::from(entry.offset) + u64::from(entry.len);
            blob.is_some_and(|blob| end <= u64::from(blob.len))
        };
        match manifest.blocks.iter().find(|entry| !known(entry)) {
            Some(entry) => Err(format!("block {:?} lies outside its blob", entry.key())),
            None => Ok(manifest),
        }
    }

    /// Bytes of all its blocks.
    pub fn bytes(&self) -> u64 {
        self.blocks.iter().map(|block| u64::from(block.len)).sum()
    }
}
