//! Bodies that lie outside the log, each in a blob of its own, since they are larger than a batch
//! should be.
//!
//! A blob is durable before the write that names it is begun, so a write that is there never names
//! one that is not. The other way about there may be blobs that nothing names: a crash came before
//! the write, or after the rewrite of a segment that dropped the body. They are named by the place of
//! their fact, which is given out once, so that what the log knows tells which they are.

use std::io;

use lineside_core::fact::Batch;
use lineside_core::id::{PartitionId, Place, Position};
use lineside_engine::blobs::BlobFault;
use lineside_engine::log::LogFault;

use super::blobs;
use super::file::Disk;
use super::starts::Starts;
use super::write::BodyEntry;
use crate::blob::BODIES;

/// Where the fact stands that brought a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) partition: PartitionId,
    pub(crate) place: Place,
}

impl Address {
    /// Of a body of the batch at `position`.
    pub(crate) fn new(partition: PartitionId, position: Position, index: u32) -> Address {
        Address { partition, place: Place { position, index } }
    }

    /// The name of its blob.
    pub(crate) fn name(&self) -> String {
        let (partition, place) = (self.partition.0, self.place);
        format!("{BODIES}{partition:04x}-{:016x}-{:08x}", place.position.0, place.index)
    }

    /// What a blob of this name holds, if it is a body.
    pub(crate) fn of(name: &str) -> Option<Address> {
        let mut parts = name.strip_prefix(BODIES)?.splitn(3, '-');
        let partition = u16::from_str_radix(parts.next()?, 16).ok()?;
        let position = u64::from_str_radix(parts.next()?, 16).ok()?;
        let index = u32::from_str_radix(parts.next()?, 16).ok()?;
        let address = Address::new(PartitionId(partition), Position(position), index);
        (address.name() == name).then_some(address)
    }
}

/// Stores the bodies of a batch that are longer than `inside_max` bytes, durably; how many bytes they
/// have.
pub(crate) fn store_all(
    folder: &dyn Disk,
    partition: PartitionId,
    position: Position,
    batch: &Batch,
    inside_max: usize,
) -> io::Result<u64> {
    let mut stored = 0_u64;
    let outside = batch.facts.bodies.iter().filter(|(_, body)| body.len() > inside_max);
    for (index, body) in outside {
        let name = Address::new(partition, position, *index).name();
        blobs::store(folder, &name, body, blobs::Syncs::AtTheEnd)?;
        stored = stored.saturating_add(body.len() as u64);
    }
    Ok(stored)
}

/// Removes what there is of the bodies of a batch that was refused. What cannot be removed is left to
/// the next start.
pub(crate) fn remove_all(
    folder: &dyn Disk,
    partition: PartitionId,
    position: Position,
    batch: &Batch,
    inside_max: usize,
) {
    let outside = batch.facts.bodies.iter().filter(|(_, body)| body.len() > inside_max);
    for (index, _) in outside {
        drop(remove(folder, &Address::new(partition, position, *index)));
    }
}

/// Removes a body; whether it was there. Its name is not gone for good before the folder is synced,
/// and need not be.
pub(crate) fn remove(folder: &dyn Disk, address: &Address) -> io::Result<bool> {
    match folder.remove(&blobs::file_name(&address.name())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true),
    }
}

/// All that lie in the folder, in order.
pub(crate) fn addresses(folder: &dyn Disk) -> io::Result<Vec<Address>> {
    let names = folder.names()?;
    let found = names.iter().filter_map(|name| Address::of(blobs::name_of(name)?));
    let mut found: Vec<Address> = found.collect();
    found.sort_unstable();
    Ok(found)
}

/// Removes those whose batch was never written: a crash came before. Where batches may have been lost
/// to damage, they stay.
pub(crate) fn remove_unwritten(folder: &dyn Disk, tails: &Starts) -> io::Result<()> {
    for address in addresses(folder)? {
        let tail = tails.get(address.partition);
        if !tail.doubtful && address.place.position >= tail.position {
            remove(folder, &address)?;
        }
    }
    Ok(())
}

/// What became of a look for a body.
#[derive(Debug)]
pub(crate) enum Missed {
    /// There is no blob of the name.
    Gone(LogFault),
    Other(LogFault),
}

impl From<Missed> for LogFault {
    fn from(missed: Missed) -> LogFault {
        match missed {
            Missed::Gone(fault) | Missed::Other(fault) => fault,
        }
    }
}

/// Reads a body, if it is what its entry says.
pub(crate) fn read(
    folder: &dyn Disk,
    address: &Address,
    entry: &BodyEntry,
) -> Result<bytes::Bytes, Missed> {
    let name = address.name();
    let place = || folder.place(&blobs::file_name(&name));
    let damaged = |what: &str| {
        let at = address.place;
        let what = format!("{what}; it holds the body of position {}, {}", at.position.0, at.index);
        LogFault::Damaged { place: place(), what }
    };
    let body = blobs::read(folder, &name).map_err(|fault| match fault {
        BlobFault::Missing(_) => Missed::Gone(damaged("the file is missing")),
        BlobFault::Damaged { what, .. } => Missed::Other(damaged(&what)),
        BlobFault::Io { why, .. } => Missed::Other(LogFault::Io(format!("{}: {why}", place()))),
        other => Missed::Other(LogFault::Io(other.to_string())),
    })?;
    entry.check(&body).map_err(|bad| Missed::Other(damaged(&bad.to_string())))?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_only_as_it_is_written() {
        let address = Address::new(PartitionId(0x1f), Position(u64::MAX - 1), 77);
        assert_eq!(address.name(), "body-001f-fffffffffffffffe-0000004d");
        assert_eq!(Address::of(&address.name()), Some(address));
        for other in [
            "body-1f-fffffffffffffffe-0000004d",
            "body-001F-fffffffffffffffe-0000004d",
            "body-001f-fffffffffffffffe-0000004d-1",
            "body-001f-fffffffffffffffe",
            "body-",
            "checkpoint-0000-00000001-00000001-manifest",
        ] {
            assert_eq!(Address::of(other), None, "{other}");
        }
    }
}
