//! What the index needs of a disk: one folder of files that nobody else changes. Whoever opens an
//! index holds the lock of the data directory that the folder lies in.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Dir, Mode, OFlags, open};
use rustix::io::retry_on_intr;

/// A folder. Nothing that is done to names is durable before [`Files::sync_names`].
pub trait Files: Send + Sync + fmt::Debug {
    /// The names of all files.
    fn names(&self) -> io::Result<Vec<String>>;
    /// An empty file of this name, in place of what had it.
    fn create(&self, name: &str) -> io::Result<Arc<dyn IndexFile>>;
    /// The file of this name, to read it.
    fn open(&self, name: &str) -> io::Result<Arc<dyn IndexFile>>;
    /// Gives a file another name, in place of what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; who has it open may go on reading it.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes durable what was done to names.
    fn sync_names(&self) -> io::Result<()>;
}

/// A file. Nothing that is written is durable before it is synced.
pub trait IndexFile: Send + Sync + fmt::Debug {
    /// Reads up to `into.len()` bytes from `offset` on; fewer only where the file ends.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes bytes and length durable.
    fn sync(&self) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether there is nothing in it.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// A folder of the machine.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    handle: File,
}

impl Folder {
    /// Opens the folder, and makes it, for its owner only (0700), if it is not there. The folder
    /// that it lies in is there.
    pub fn open(path: &Path) -> io::Result<Folder> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        Ok(Folder { path: path.to_owned(), handle: File::open(path)? })
    }
}

impl Files for Folder {
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

    fn create(&self, name: &str) -> io::Result<Arc<dyn IndexFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        Ok(Arc::new(RealFile(options.open(self.path.join(name))?)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn IndexFile>> {
        Ok(Arc::new(RealFile(File::open(self.path.join(name))?)))
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
}

#[derive(Debug)]
struct RealFile(File);

impl IndexFile for RealFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset.saturating_add(done as u64)) {
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

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_may_look_and_files_read_as_they_were_written() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("events");
        let folder = Folder::open(&path).unwrap();
        let file = folder.create("a.new").unwrap();
        file.write_at(b"cde", 2).unwrap();
        file.write_at(b"ab", 0).unwrap();
        file.sync().unwrap();
        folder.rename("a.new", "a").unwrap();
        folder.sync_names().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("a"))), (0o700, 0o600));
        let again = Folder::open(&path).unwrap();
        assert_eq!(again.names().unwrap(), ["a"]);
        let (file, mut bytes) = (again.open("a").unwrap(), [0; 9]);
        assert_eq!((file.len().unwrap(), file.read_at(&mut bytes, 1).unwrap()), (5, 4));
        assert_eq!(&bytes[..4], b"bcde");
        again.remove("a").unwrap();
        assert_eq!(again.open("a").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn an_index_is_there_again_in_a_folder() {
        let outer = tempfile::tempdir().unwrap();
        let open = || {
            let folder = Folder::open(outer.path()).unwrap();
            crate::Index::open(Arc::new(folder), crate::Options::new([1; 16])).unwrap()
        };
        let log = crate::tests::world::Log::by_chance(3, 200);
        log.fill(&open(), 200).unwrap();
        assert_eq!(open().end().0, 0, "nobody flushed");
        let index = open();
        log.fill(&index, 200).unwrap();
        index.flush().unwrap();
        drop(index);
        let index = open();
        assert_eq!(index.end().0, 200);
        crate::tests::world::check(&log, &index.snapshot(), 1).unwrap();
    }
}
