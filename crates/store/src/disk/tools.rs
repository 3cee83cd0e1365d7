//! What a person does with a data directory that no server uses, and the backup of one that a
//! server does.

mod backup;
mod dump;
mod repair;
mod verify;

use std::path::Path;
use std::sync::Arc;

use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::LogFault;

use super::blobs;
use super::dir::Directory;
use super::file::{Disk, DiskLock};
use super::options::OpenError;
use super::outside::{self, Address};
use super::roster::failed;
use super::walk::Loses;
use super::write::BodyEntry;

pub(crate) use backup::backup;
pub use backup::{BackupReport, restore, restore_on};
pub use dump::{Dump, Dumped, DumpedBody, DumpedFacts, dump, dump_on, dump_tail};
pub use repair::{Repaired, Repairs, repair, repair_on};
pub use verify::{AcceptedGap, Verification, verify, verify_on};

/// A damaged place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, as a person calls it.
    pub file: String,
    /// Where in it, in bytes from its beginning.
    pub offset: u64,
    /// What is wrong there.
    pub what: String,
    /// What it costs.
    pub cost: Cost,
}

/// What a damaged place costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Nothing: what stood there can be had elsewhere, or nobody needs it.
    Nothing,
    /// A message's body: that message is lost, and named whenever it is asked for.
    Body {
        /// Of the fact that brought it.
        partition: PartitionId,
        /// Of its batch.
        position: Position,
        /// Of the fact in its batch.
        index: u32,
    },
    /// The facts of these positions, from the first to before the second: nothing is written to the
    /// partition before a repair, unless a checkpoint is behind them.
    Facts {
        /// Whose.
        partition: PartitionId,
        /// The first that is lost.
        from: Position,
        /// The one after the last that is lost.
        to: Position,
    },
    /// Batches that nobody can tell: of which partitions, and how many, up to this number.
    Unknown {
        /// How many there can have been.
        batches: u64,
    },
    /// A blob: a checkpoint of this name is not there, and the one before it is used.
    Blob(String),
}

impl Cost {
    fn of(loses: &Loses) -> Cost {
        match *loses {
            Loses::Nothing => Cost::Nothing,
            Loses::Facts { partition, position } => {
                Cost::Facts { partition, from: position, to: position.next() }
            }
            Loses::Positions { partition, from, to } => Cost::Facts { partition, from, to },
            Loses::Batches(batches) => Cost::Unknown { batches },
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, byte {}: {}; it costs {}", self.file, self.offset, self.what, self.cost)
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cost::Nothing => f.write_str("nothing"),
            Cost::Body { partition, position, index } => {
                let (p, at) = (partition.0, position.0);
                write!(f, "the message of partition {p}, position {at}, index {index}")
            }
            Cost::Facts { partition, from, to } => {
                let (p, from, last) = (partition.0, from.0, to.0.saturating_sub(1));
                write!(f, "the facts of partition {p} at positions {from} to {last}")
            }
            Cost::Unknown { batches } => write!(f, "up to {batches} batches that nobody can tell"),
            Cost::Blob(name) => write!(f, "the blob {name}"),
        }
    }
}

/// Opens a directory that no server writes to, to look at it.
fn look(path: &Path) -> Result<Arc<dyn Disk>, OpenError> {
    let what = format!("opening the data directory {}", path.display());
    let opened = Directory::look(path).map_err(|cause| OpenError::Io { what, cause })?;
    Ok(Arc::new(opened))
}

/// The folder of blobs; a log that never ran has none, or a backup of one.
fn blobs_of(disk: &dyn Disk) -> Result<Option<Arc<dyn Disk>>, OpenError> {
    match disk.folder(blobs::FOLDER) {
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(None),
        folder => folder.map(Some).map_err(failed("opening the folder of blobs")),
    }
}

/// What is wrong with a body that lies outside: where, and what.
fn outside_fault(
    folder: Option<&dyn Disk>,
    address: &Address,
    entry: &BodyEntry,
) -> Result<Option<(String, String)>, OpenError> {
    let Some(folder) = folder else {
        let what = format!("the folder of blobs is missing, and with it {}", address.name());
        return Ok(Some((blobs::FOLDER.to_owned(), what)));
    };
    match outside::read(folder, address, entry).map_err(LogFault::from) {
        Ok(_) => Ok(None),
        Err(LogFault::Damaged { place, what }) => Ok(Some((place, what))),
        Err(other) => Err(other.into()),
    }
}

/// Keeps out who would change something while somebody looks.
fn take_to_look(disk: &dyn Disk) -> Result<DiskLock, OpenError> {
    let lock = disk.lock_shared().map_err(failed("locking the data directory"))?;
    lock.ok_or_else(|| OpenError::InUse(disk.place("")))
}

/// Keeps everybody out while somebody is at it.
fn take(disk: &dyn Disk) -> Result<DiskLock, OpenError> {
    let lock = disk.lock().map_err(failed("locking the data directory"))?;
    lock.ok_or_else(|| OpenError::InUse(disk.place("")))
}
