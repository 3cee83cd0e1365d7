//! What the log needs of a disk: one directory of files. The real one is [`super::Directory`]; the
//! one of the tests knows what was synced and can lose the rest.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Held while a directory is in use; dropping it lets the next one in.
pub type DiskLock = Box<dyn Hold>;

/// What keeps others out of a directory.
pub trait Hold: Send + Sync + fmt::Debug {
    /// From now on others may look at the directory too, and nobody may change it. An error if
    /// somebody else took it meanwhile.
    fn share(&self) -> io::Result<()>;
}

/// A directory. Nothing that is done to names is durable before [`Disk::sync_names`].
pub trait Disk: Send + Sync + fmt::Debug {
    /// Takes the directory for this process; `None` if somebody else has it.
    fn lock(&self) -> io::Result<Option<DiskLock>>;
    /// Takes the directory to look at it, beside others who look; `None` if somebody may change it.
    fn lock_shared(&self) -> io::Result<Option<DiskLock>>;
    /// The names of all files.
    fn names(&self) -> io::Result<Vec<String>>;
    /// An empty file of this name, in place of what had it.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// The file of this name.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes durable what was done to names.
    fn sync_names(&self) -> io::Result<()>;
    /// How many bytes may still be written.
    fn free_bytes(&self) -> io::Result<u64>;
    /// What a person calls the file of this name.
    fn place(&self, name: &str) -> String;
    /// A folder in this directory, made durably if it is not there. Its lock is this directory's.
    fn folder(&self, name: &str) -> io::Result<Arc<dyn Disk>>;
    /// Where the system has the file of this name, if it has it somewhere.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let _ = name;
        None
    }
}

/// A file. Nothing that is written is durable before it is synced.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Reads up to `into.len()` bytes from `offset` on; fewer only where the file ends.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes the bytes durable, and the length as far as it is needed to read them.
    fn sync_data(&self) -> io::Result<()>;
    /// Makes everything durable, a shorter length too.
    fn sync_all(&self) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether there is nothing in it.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;
}
