//! A directory of the machine.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Dir, FlockOperation, Mode, OFlags, flock, fstatvfs, open};
use rustix::io::{Errno, retry_on_intr};

use super::file::{Disk, DiskFile, DiskLock, Hold};

/// The file whose `flock` says that the directory is in use. It stays when the process goes; the
/// kernel lets go of the lock, so that a crash leaves nothing to clean up.
const LOCK_NAME: &str = "lock";

/// The locked file; none where there is none to lock.
#[derive(Debug)]
struct FileLock(Option<File>);

/// A real directory, used by one log at a time.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    handle: File,
    /// Nothing is changed or made in it.
    read_only: bool,
}

impl Directory {
    /// Opens the directory, and makes it, for its owner only (0700), if it is not there.
    pub fn open(path: &Path) -> io::Result<Directory> {
        make(path)?;
        Ok(Directory { path: path.to_owned(), handle: File::open(path)?, read_only: false })
    }

    /// Opens a directory that is there, to look at it only.
    pub fn look(path: &Path) -> io::Result<Directory> {
        if !path.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Directory { path: path.to_owned(), handle: File::open(path)?, read_only: true })
    }

    fn file(&self, name: &str, options: &mut OpenOptions) -> io::Result<File> {
        options.read(true).write(!self.read_only).mode(0o600).open(self.path.join(name))
    }

    fn take(&self, how: FlockOperation) -> io::Result<Option<DiskLock>> {
        let Some(file) = self.lock_file()? else { return Ok(Some(Box::new(FileLock(None)))) };
        match retry_on_intr(|| flock(&file, how)) {
            Ok(()) => Ok(Some(Box::new(FileLock(Some(file))))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The lock's file; none if there is none and it may not be made.
    fn lock_file(&self) -> io::Result<Option<File>> {
        if !self.read_only {
            return self.file(LOCK_NAME, OpenOptions::new().create(true)).map(Some);
        }
        match self.file(LOCK_NAME, &mut OpenOptions::new()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }
}

impl Hold for FileLock {
    fn share(&self) -> io::Result<()> {
        let FileLock(Some(file)) = self else { return Ok(()) };
        Ok(retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockShared))?)
    }
}

/// Makes the directory and what is missing above it, each name durable in its parent.
fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make(parent)?;
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.and_then(|()| File::open(parent)?.sync_all()),
    }
}

impl Disk for Directory {
    fn lock(&self) -> io::Result<Option<DiskLock>> {
        self.take(FlockOperation::NonBlockingLockExclusive)
    }

    fn lock_shared(&self) -> io::Result<Option<DiskLock>> {
        self.take(FlockOperation::NonBlockingLockShared)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        // Not std's iterator: it panics if the folder cannot be closed, which is no reason to end.
        let folder =
            retry_on_intr(|| open(&self.path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()))?;
        let mut names = Vec::new();
        for entry in Dir::new(folder)? {
            match entry?.file_name().to_str() {
                Ok("." | "..") => {}
                Ok(name) => names.push(name.to_owned()),
                // A name that is not UTF-8 is none of ours.
                Err(_) => {}
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.file(name, OpenOptions::new().create(true).truncate(true))?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(self.file(name, &mut OpenOptions::new())?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.path.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        self.handle.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let stat = retry_on_intr(|| fstatvfs(&self.handle))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn place(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.path.join(name))
    }

    fn folder(&self, name: &str) -> io::Result<Arc<dyn Disk>> {
        let path = self.path.join(name);
        if self.read_only {
            return Ok(Arc::new(Directory::look(&path)?));
        }
        let folder = Directory::open(&path)?;
        // It may be there already and not be durable: whoever made it may have been cut off.
        self.handle.sync_all()?;
        Ok(Arc::new(folder))
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
            match self.0.read_at(rest, at) {
                Ok(0) => break,
                Ok(count) => done = done.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_may_look() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("a/b");
        let directory = Directory::open(&path).unwrap();
        let _held = directory.lock().unwrap().unwrap();
        drop(directory.create("x").unwrap());
        let modes = [&path, &path.join("lock"), &path.join("x")].map(|p| mode(p));
        assert_eq!(modes, [0o700, 0o600, 0o600]);
    }

    #[test]
    fn one_at_a_time() {
        let outer = tempfile::tempdir().unwrap();
        let directory = Directory::open(outer.path()).unwrap();
        let held = directory.lock().unwrap();
        assert!(held.is_some());
        assert!(Directory::open(outer.path()).unwrap().lock().unwrap().is_none());
        drop(held);
        assert!(Directory::open(outer.path()).unwrap().lock().unwrap().is_some());
    }
}
