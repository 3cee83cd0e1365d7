//! The blob store of a log on a disk: files beside the segments, each written whole.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, BufMut, Bytes};
use crc_fast::crc32_iscsi;
use futures::FutureExt;
use futures::future::BoxFuture;
use lineside_engine::blobs::{BlobFault, Blobs};
use lineside_engine::off_loop::off_loop;

use super::aside::{Aside, is_full};
use super::file::{Disk, DiskFile};
use super::segment::MAGIC;
use super::space::Space;
use super::write::{BLOCK_BYTES, Block, is_sealed, seal};
use crate::blob::{check_len, check_name, damaged, io};
use crate::limits::BLOB_BYTES_MAX;

/// The folder of the data directory in which blobs lie.
pub(crate) const FOLDER: &str = "blobs";
const VERSION: u16 = 1;
const KIND_BLOB: u16 = 2;
const SUFFIX: &str = ".blob";
const SUFFIX_UNFINISHED: &str = ".blob.new";

/// A connection to the blobs. A clone is the same one.
#[derive(Clone, Debug)]
pub(crate) struct DiskBlobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    disk: Arc<dyn Disk>,
    space: Arc<Space>,
    /// Held while a blob is changed.
    gate: Mutex<Gate>,
}

/// Whether blobs may still be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    /// The directory is another's by now.
    Closed,
}

impl DiskBlobs {
    /// Opens the folder in the data directory and removes what a crash left unfinished there.
    pub(crate) fn open(directory: &dyn Disk, space: Arc<Space>) -> io::Result<DiskBlobs> {
        let disk = directory.folder(FOLDER)?;
        let unfinished = |name: &&String| name.ends_with(SUFFIX_UNFINISHED);
        disk.names()?.iter().filter(unfinished).try_for_each(|name| disk.remove(name))?;
        let gate = Mutex::new(Gate::Open);
        Ok(DiskBlobs { inner: Arc::new(Inner { disk, space, gate }) })
    }

    /// Holds back whoever would change a blob.
    pub(crate) fn hold(&self) -> MutexGuard<'_, Gate> {
        self.inner.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing is changed any more; waits for a change that is under way.
    pub(crate) fn close(&self) {
        *self.hold() = Gate::Closed;
    }

    /// The folder that they lie in.
    pub(crate) fn folder(&self) -> &dyn Disk {
        self.inner.disk.as_ref()
    }

    fn run<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Inner, &str) -> Result<T, BlobFault> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, BlobFault>> {
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        async move {
            let gone = io(&name, "the thread that was at it is gone");
            off_loop(move || work(&inner, &name)).await.unwrap_or(Err(gone))
        }
        .boxed()
    }
}

impl Blobs for DiskBlobs {
    fn put(&self, name: &str, content: Bytes) -> BoxFuture<'_, Result<(), BlobFault>> {
        self.run(name, move |inner, name| inner.put(name, &content))
    }

    fn get(&self, name: &str) -> BoxFuture<'_, Result<Bytes, BlobFault>> {
        self.run(name, Inner::get)
    }

    fn list(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<String>, BlobFault>> {
        self.run(prefix, Inner::list)
    }

    fn delete(&self, name: &str) -> BoxFuture<'_, Result<(), BlobFault>> {
        self.run(name, Inner::delete)
    }
}

impl Inner {
    fn put(&self, name: &str, content: &[u8]) -> Result<(), BlobFault> {
        check_name(name)?;
        check_len(name, content.len())?;
        let _gate = self.enter(name)?;
        if !self.space.has_room_aside(self.disk.as_ref(), content.len() as u64) {
            return Err(BlobFault::Full(name.to_owned()));
        }
        let written = store(self.disk.as_ref(), name, content, Syncs::NowAndThen);
        self.space.refresh(self.disk.as_ref());
        written.map_err(|error| match is_full(&error) {
            true => BlobFault::Full(name.to_owned()),
            false => io(name, &error.to_string()),
        })
    }

    fn get(&self, name: &str) -> Result<Bytes, BlobFault> {
        check_name(name)?;
        read(self.disk.as_ref(), name)
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, BlobFault> {
        names(self.disk.as_ref(), prefix).map_err(|error| io(prefix, &error.to_string()))
    }

    fn delete(&self, name: &str) -> Result<(), BlobFault> {
        check_name(name)?;
        let _gate = self.enter(name)?;
        let removed = self.disk.remove(&file_name(name));
        let removed = match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.and_then(|()| self.disk.sync_names()),
        };
        self.space.refresh(self.disk.as_ref());
        removed.map_err(|error| io(name, &error.to_string()))
    }

    fn enter(&self, name: &str) -> Result<MutexGuard<'_, Gate>, BlobFault> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        match *gate {
            Gate::Open => Ok(gate),
            Gate::Closed => Err(io(name, "the log beside it is closed")),
        }
    }
}

/// When what is stored is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syncs {
    /// So that the log's own syncs are not held up.
    NowAndThen,
    AtTheEnd,
}

/// Stores a blob in the place of what has its name, durably.
pub(crate) fn store(disk: &dyn Disk, name: &str, content: &[u8], syncs: Syncs) -> io::Result<()> {
    let aside = Aside::create(disk, format!("{name}{SUFFIX_UNFINISHED}"))?;
    let mut aside = if syncs == Syncs::AtTheEnd { aside.in_one_sync() } else { aside };
    aside.push(&encode(name, content))?;
    aside.push(content)?;
    aside.finish(&file_name(name)).map(drop)
}

/// The names of the blobs in a folder that begin so, in order; without the log's own.
pub(crate) fn names(disk: &dyn Disk, prefix: &str) -> io::Result<Vec<String>> {
    let names = disk.names()?;
    let blobs = names.iter().filter_map(|name| name_of(name));
    let known = |name: &&str| name.starts_with(prefix) && check_name(name).is_ok();
    let mut blobs: Vec<String> = blobs.filter(known).map(str::to_owned).collect();
    blobs.sort_unstable();
    Ok(blobs)
}

/// The name of a blob's file.
pub(crate) fn file_name(blob: &str) -> String {
    format!("{blob}{SUFFIX}")
}

/// The name of the blob whose file has this name.
pub(crate) fn name_of(file: &str) -> Option<&str> {
    file.strip_suffix(SUFFIX)
}

/// Reads a blob, if it is what was stored under this name.
pub(crate) fn read(disk: &dyn Disk, name: &str) -> Result<Bytes, BlobFault> {
    let file = disk.open(&file_name(name)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BlobFault::Missing(name.to_owned()),
        _ => io(name, &error.to_string()),
    })?;
    let bytes = read_all(file.as_ref()).map_err(|error| io(name, &error.to_string()))?;
    let mut bytes = bytes.ok_or_else(|| damaged(name, "it is larger than a blob can be"))?;
    check(name, &bytes).map_err(|what| damaged(name, &what))?;
    Ok(bytes.split_off(BLOCK_BYTES))
}

/// The whole file, unless it is larger than a blob can be.
fn read_all(file: &dyn DiskFile) -> io::Result<Option<Bytes>> {
    let largest = BLOB_BYTES_MAX.saturating_add(BLOCK_BYTES);
    let len = usize::try_from(file.len()?).unwrap_or(usize::MAX);
    if len > largest {
        return Ok(None);
    }
    let mut bytes = vec![0; len];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(Some(Bytes::from(bytes)))
}

fn encode(name: &str, content: &[u8]) -> Block {
    let mut block = [0; BLOCK_BYTES];
    let mut out = block.as_mut_slice();
    out.put_slice(&MAGIC);
    out.put_u16_le(VERSION);
    out.put_u16_le(KIND_BLOB);
    out.put_u32_le(0);
    out.put_u64_le(content.len() as u64);
    out.put_u32_le(crc32_iscsi(content));
    out.put_u32_le(crc32_iscsi(name.as_bytes()));
    seal(block)
}

/// What is wrong with the bytes of a blob's file.
fn check(name: &str, bytes: &[u8]) -> Result<(), String> {
    let (block, content) = bytes.split_first_chunk().ok_or("it is shorter than its header")?;
    let mut fields = block.as_slice();
    if fields.copy_to_bytes(MAGIC.len()).as_ref() != MAGIC {
        return Err("this is not the header of a blob".to_owned());
    }
    if !is_sealed(block) {
        return Err("its header fails its checksum".to_owned());
    }
    let (version, kind, _) = (fields.get_u16_le(), fields.get_u16_le(), fields.get_u32_le());
    if (version, kind) != (VERSION, KIND_BLOB) {
        return Err(format!(
            "version {version}, kind {kind}: this program reads version {VERSION}, kind {KIND_BLOB}"
        ));
    }
    let (len, content_crc, name_crc) =
        (fields.get_u64_le(), fields.get_u32_le(), fields.get_u32_le());
    if name_crc != crc32_iscsi(name.as_bytes()) {
        return Err("it was stored under another name".to_owned());
    }
    if len != content.len() as u64 {
        return Err(format!("{} bytes of {len}", content.len()));
    }
    let whole = crc32_iscsi(content) == content_crc;
    if whole { Ok(()) } else { Err("its content fails its checksum".to_owned()) }
}
