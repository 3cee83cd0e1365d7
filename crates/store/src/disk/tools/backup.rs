//! Copies a log that is in use, up to what is durable; and puts such a copy in place.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Verification, blobs_of, failed, look, take, take_to_look};
use crate::disk::blobs;
use crate::disk::dir::Directory;
use crate::disk::file::{Disk, DiskFile};
use crate::disk::options::OpenError;
use crate::disk::outside::{self, Address};
use crate::disk::segment;
use crate::disk::shared::Shared;
use crate::disk::tools::verify::inspect;
use crate::limits::{ASIDE_SYNC_BYTES, READ_AHEAD_BYTES};

/// What a backup holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupReport {
    /// Segments in it.
    pub segments: usize,
    /// Blobs in it, those of bodies among them.
    pub blobs: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// Of which so many are shared with the log, as further names of files that never change.
    pub linked_bytes: u64,
}

/// What a backup needs of a log: nothing that it copies is replaced meanwhile.
pub(crate) fn backup(shared: &Shared, to: &Path) -> Result<BackupReport, OpenError> {
    let target = target(to)?;
    let mut copy =
        Copy { from: shared.disk.as_ref(), to: &target, report: BackupReport::default() };
    let _held = shared.hold_housekeeping();
    // Blobs first: a checkpoint must not be ahead of the log that is beside it, and it is not behind
    // what compaction has taken away, since compaction is held.
    let gate = shared.blobs.hold();
    copy.blobs()?;
    drop(gate);
    let (sealed, active, end, tails) = {
        let catalog = shared.catalog();
        let sealed: Vec<u64> = catalog.sealed().map(|sealed| sealed.number).collect();
        let active = Arc::clone(catalog.active());
        let end = active.end();
        (sealed, active, end, catalog.tails().clone())
    };
    for number in sealed {
        copy.sealed(number)?;
    }
    let name = segment::name(active.id().number);
    copy.prefix(active.file.as_ref(), &name, end)?;
    copy.report.segments = copy.report.segments.saturating_add(1);
    // What the copied batches name is there: bodies are stored before their batch, and nothing takes
    // them away while compaction is held. Others, of batches to come, may go at any time.
    copy.bodies(|body| body.place.position < tails.get(body.partition).position)?;
    target.sync_names().map_err(failed("syncing the backup"))?;
    Ok(copy.report)
}

/// Puts a backup in the place of a data directory, which must not be there or be empty, and reads
/// all of it. The backup stays as it is.
pub fn restore(from: &Path, to: &Path) -> Result<Verification, OpenError> {
    let source = look(from)?;
    let target = target(to)?;
    restore_on(source.as_ref(), &target)
}

/// As [`restore`], on disks that may be those of the tests.
pub fn restore_on(from: &dyn Disk, to: &dyn Disk) -> Result<Verification, OpenError> {
    let _locks = (take_to_look(from)?, take(to)?);
    let mut copy = Copy { from, to, report: BackupReport::default() };
    for name in from.names().map_err(failed("listing the backup"))? {
        if segment::number(&name).is_some() {
            let file = from.open(&name).map_err(failed("opening a segment"))?;
            let len = file.len().map_err(failed("opening a segment"))?;
            copy.prefix(file.as_ref(), &name, len)?;
        }
    }
    copy.blobs()?;
    copy.bodies(|_| true)?;
    to.sync_names().map_err(failed("syncing the data directory"))?;
    inspect(to)
}

fn target(to: &Path) -> Result<Directory, OpenError> {
    let occupied = to.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    let what = format!("making the directory {}", to.display());
    if occupied {
        let cause = io::Error::new(io::ErrorKind::AlreadyExists, "it is there, and not empty");
        return Err(OpenError::Io { what, cause });
    }
    Directory::open(to).map_err(failed(&what))
}

struct Copy<'a> {
    from: &'a dyn Disk,
    to: &'a dyn Disk,
    report: BackupReport,
}

impl Copy<'_> {
    /// The blobs that are not the log's own.
    fn blobs(&mut self) -> Result<(), OpenError> {
        let Some(from) = blobs_of(self.from)? else { return Ok(()) };
        let names = blobs::names(from.as_ref(), "").map_err(failed("listing blobs"))?;
        self.copy_blobs(from.as_ref(), &names)
    }

    /// Bodies that lie outside the log, as far as they are wanted.
    fn bodies(&mut self, wanted: impl Fn(&Address) -> bool) -> Result<(), OpenError> {
        let Some(from) = blobs_of(self.from)? else { return Ok(()) };
        let bodies = outside::addresses(from.as_ref()).map_err(failed("listing blobs"))?;
        let names: Vec<_> = bodies.iter().filter(|body| wanted(body)).map(Address::name).collect();
        self.copy_blobs(from.as_ref(), &names)
    }

    fn copy_blobs(&mut self, from: &dyn Disk, names: &[String]) -> Result<(), OpenError> {
        let doing = "making the folder of blobs";
        let to = self.to.folder(blobs::FOLDER).map_err(failed(doing))?;
        for name in names {
            self.whole(from, to.as_ref(), &blobs::file_name(name))?;
            self.report.blobs = self.report.blobs.saturating_add(1);
        }
        to.sync_names().map_err(failed("syncing the folder of blobs"))
    }

    /// A segment that is not written to any more: its file never changes.
    fn sealed(&mut self, number: u64) -> Result<(), OpenError> {
        let (from, to) = (self.from, self.to);
        self.whole(from, to, &segment::name(number))?;
        self.report.segments = self.report.segments.saturating_add(1);
        Ok(())
    }

    /// A file that never changes: by another name for it, or, on another file system, by its bytes.
    fn whole(&mut self, from: &dyn Disk, to: &dyn Disk, name: &str) -> Result<(), OpenError> {
        let file = from.open(name).map_err(failed("opening a file"))?;
        let len = file.len().map_err(failed("opening a file"))?;
        if let (Some(old), Some(new)) = (from.path(name), to.path(name))
            && std::fs::hard_link(old, new).is_ok()
        {
            self.report.bytes = self.report.bytes.saturating_add(len);
            self.report.linked_bytes = self.report.linked_bytes.saturating_add(len);
            return Ok(());
        }
        self.copy(file.as_ref(), to, name, len)
    }

    fn prefix(&mut self, file: &dyn DiskFile, name: &str, len: u64) -> Result<(), OpenError> {
        let to = self.to;
        self.copy(file, to, name, len)?;
        Ok(())
    }

    fn copy(
        &mut self,
        file: &dyn DiskFile,
        to: &dyn Disk,
        name: &str,
        len: u64,
    ) -> Result<(), OpenError> {
        let doing = format!("copying {}", to.place(name));
        copy(file, to, name, len).map_err(failed(&doing))?;
        self.report.bytes = self.report.bytes.saturating_add(len);
        Ok(())
    }
}

/// Copies so many bytes, durably, and syncs now and then.
fn copy(file: &dyn DiskFile, to: &dyn Disk, name: &str, len: u64) -> io::Result<()> {
    let target = to.create(name)?;
    let mut bytes = vec![0; READ_AHEAD_BYTES];
    let (mut at, mut unsynced) = (0_u64, 0_usize);
    while at < len {
        let rest = usize::try_from(len.saturating_sub(at)).unwrap_or(usize::MAX);
        let chunk = bytes.get_mut(..rest.min(READ_AHEAD_BYTES)).unwrap_or_default();
        let read = file.read_at(chunk, at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        target.write_at(chunk.get(..read).unwrap_or_default(), at)?;
        at = at.saturating_add(read as u64);
        unsynced = unsynced.saturating_add(read);
        if unsynced >= ASIDE_SYNC_BYTES {
            target.sync_data()?;
            unsynced = 0;
        }
    }
    target.sync_all()
}
