//! The data directory: whether it can be written, on what it lies, who has it, and how long its disk
//! takes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lineside_store::DiskOptions;
use rustix::fs::{FlockOperation, flock, statfs, statvfs};
use rustix::io::Errno;

use super::{Finding, bytes};

/// Most writes that are measured, and the longest that they may take together.
const ROUNDS: usize = 64;
const ROUNDS_PATIENCE: Duration = Duration::from_secs(1);
/// One write: a page, as a small batch is.
const ROUND_BYTES: usize = 4096;
/// A median beyond this is felt by everybody who waits for a call.
const SLOW: Duration = Duration::from_millis(20);
/// No medium that keeps what it is given answers faster than this.
const TOO_QUICK: Duration = Duration::from_micros(5);

/// Lines about a directory; `served` says that a server of ours answers.
pub(crate) fn look(data: &Path, served: bool) -> Vec<Finding> {
    let Some(there) = nearest(data) else {
        let told = format!("{} is not a directory, nor is anything above it", data.display());
        return vec![Finding::ill("data", told, "choose another with --data")];
    };
    let kind = kind(&there);
    let mut findings = vec![writable(data, &there)];
    findings.push(file_system(&there, kind));
    findings.push(space(&there));
    findings.push(lock(data, served));
    findings.push(sync(&there, kind));
    findings
}

/// The directory, or, where it is not there yet, the one that it would be made in.
fn nearest(data: &Path) -> Option<PathBuf> {
    let data = std::path::absolute(data).ok()?;
    let there = data.ancestors().find(|path| path.exists())?;
    there.is_dir().then(|| there.to_owned())
}

/// Whether others than the owner may read a file.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.mode() & 0o077 != 0)
}

fn writable(data: &Path, there: &Path) -> Finding {
    let shown = data.display();
    if let Err(error) = probe(there) {
        let told = format!("{} cannot be written: {error}", there.display());
        return Finding::ill(
            "data",
            told,
            "give its owner the right to, or choose another with --data",
        );
    }
    if !data.exists() {
        return Finding::well("data", format!("{shown} is made at the first start"));
    }
    let key = data.join("receipt.key");
    if is_open_to_others(&key) {
        let told = format!("others may read {}", key.display());
        return Finding::warning("data", told, format!("run `chmod 600 {}`", key.display()));
    }
    Finding::well("data", format!("{shown} can be written"))
}

/// A file that goes when this does.
struct Probe {
    path: PathBuf,
    file: File,
}

/// Makes one under a name that no log knows, and that nobody else has.
fn probe(directory: &Path) -> std::io::Result<Probe> {
    let path = directory.join(format!(".lineside-doctor-{}", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok(Probe { path, file })
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A kind of file system by its magic number (statfs(2)), and what is to be said against it.
struct Kind {
    magic: u32,
    name: &'static str,
    against: &'static str,
}

const fn good(magic: u32, name: &'static str) -> Kind {
    Kind { magic, name, against: "" }
}

const IN_MEMORY: &str = "what is on it is gone with the machine's power";
const REMOTE: &str = "whether it keeps what is synced, and its locks, is up to another machine";

static KINDS: [Kind; 15] = [
    good(0xef53, "ext4"),
    good(0x5846_5342, "xfs"),
    good(0x9123_683e, "btrfs"),
    good(0x2fc1_2fc1, "zfs"),
    good(0xf2f5_2010, "f2fs"),
    good(0xca45_1a4e, "bcachefs"),
    Kind {
        magic: 0x794c_7630,
        name: "overlay",
        against: "what is on it is gone with the container",
    },
    Kind { magic: 0x0102_1994, name: "tmpfs", against: IN_MEMORY },
    Kind { magic: 0x8584_58f6, name: "ramfs", against: IN_MEMORY },
    Kind { magic: 0x6969, name: "nfs", against: REMOTE },
    Kind { magic: 0xff53_4d42, name: "cifs", against: REMOTE },
    Kind { magic: 0xfe53_4d42, name: "smb2", against: REMOTE },
    Kind {
        magic: 0x6573_5546,
        name: "fuse",
        against: "whether it keeps what is synced is up to its program",
    },
    Kind {
        magic: 0x0102_1997,
        name: "9p",
        against: "whether it keeps what is synced is up to the host",
    },
    Kind {
        magic: 0x6a65_6a63,
        name: "virtiofs",
        against: "whether it keeps what is synced is up to the host",
    },
];

/// The magic number of the file system below a path.
fn kind(path: &Path) -> Option<u32> {
    // As wide as the machine's word on some, and never more than 32 bits in truth.
    let magic = u64::try_from(statfs(path).ok()?.f_type).ok()?;
    u32::try_from(magic & 0xffff_ffff).ok()
}

fn file_system(there: &Path, magic: Option<u32>) -> Finding {
    let Some(magic) = magic else {
        return Finding::skipped(
            "file system",
            format!("{} does not tell its kind", there.display()),
        );
    };
    match KINDS.iter().find(|kind| kind.magic == magic) {
        Some(Kind { name, against: "", .. }) => Finding::well("file system", *name),
        Some(Kind { name, against, .. }) => {
            let remedy = "use a directory on a disk of this machine where that matters";
            Finding::warning("file system", format!("{name}: {against}"), remedy)
        }
        None => Finding::well("file system", format!("a kind that is not known here ({magic:#x})")),
    }
}

fn space(there: &Path) -> Finding {
    match statvfs(there) {
        Ok(found) => enough(found.f_bavail.saturating_mul(found.f_frsize)),
        Err(error) => Finding::skipped("free space", error.to_string()),
    }
}

fn enough(free: u64) -> Finding {
    let reserve = DiskOptions::default().reserve_bytes;
    let told = format!("{} are free, of which {} stay in reserve", bytes(free), bytes(reserve));
    if free <= reserve {
        let told = format!("{told}: every send is refused");
        return Finding::ill("free space", told, "make room, or move the data directory");
    }
    if free < reserve.saturating_mul(4) {
        return Finding::warning("free space", told, "make room before sends are refused");
    }
    Finding::well("free space", told)
}

/// Who has the directory. The lock is asked for and given back at once; a server that starts in
/// that moment says that the directory is in use.
fn lock(data: &Path, served: bool) -> Finding {
    let path = data.join("lock");
    let Ok(file) = File::open(&path) else {
        return Finding::well("lock", "no server was ever here");
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Finding::well("lock", "nobody has the directory"),
        Err(Errno::WOULDBLOCK) => {
            let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
            let inode = file.metadata().map(|found| found.ino()).unwrap_or_default();
            held(holder(&locks, inode), served)
        }
        Err(error) => Finding::skipped("lock", format!("{}: {error}", path.display())),
    }
}

fn held(holder: Option<u32>, served: bool) -> Finding {
    let who = match holder {
        Some(process) => format!("process {process} has the directory"),
        None => "a process that cannot be seen from here has the directory".to_owned(),
    };
    if served {
        return Finding::well("lock", who);
    }
    let told = format!("{who}, and no server answers at the address");
    Finding::warning(
        "lock",
        told,
        "say its --listen to this command, or stop it before another starts",
    )
}

/// The process that holds a `flock` on an inode, as `/proc/locks` (proc_locks(5)) tells it:
/// `1: FLOCK ADVISORY WRITE <pid> <major>:<minor>:<inode> 0 EOF`.
fn holder(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, pid, place) = (words.next()?, words.nth(2)?, words.next()?);
        let is_it = kind == "FLOCK" && place.rsplit(':').next()?.parse() == Ok(inode);
        // A process of another namespace is shown as 0 or -1.
        pid.parse().ok().filter(|pid| is_it && *pid > 0)
    })
}

fn sync(there: &Path, kind: Option<u32>) -> Finding {
    match measure(there) {
        Ok(mut times) => {
            times.sort_unstable();
            let median = times.get(times.len() / 2).copied().unwrap_or_default();
            let slowest = times.last().copied().unwrap_or_default();
            let in_memory =
                KINDS.iter().any(|known| Some(known.magic) == kind && known.against == IN_MEMORY);
            quick(times.len(), median, slowest, in_memory)
        }
        Err(error) => {
            let told = format!("a write in {} cannot be synced: {error}", there.display());
            Finding::ill(
                "sync",
                told,
                "look at the disk and the system's log, or choose another with --data",
            )
        }
    }
}

/// Times of writes that are synced each.
#[expect(clippy::disallowed_methods, reason = "the disk's own time is what is measured")]
fn measure(there: &Path) -> std::io::Result<Vec<Duration>> {
    use std::io::Write;
    let mut probe = probe(there)?;
    let (begin, page) = (Instant::now(), [0x5a; ROUND_BYTES]);
    let mut times = Vec::with_capacity(ROUNDS);
    while times.len() < ROUNDS && begin.elapsed() < ROUNDS_PATIENCE {
        let before = Instant::now();
        probe.file.write_all(&page)?;
        probe.file.sync_data()?;
        times.push(before.elapsed());
    }
    Ok(times)
}

fn quick(count: usize, median: Duration, slowest: Duration, in_memory: bool) -> Finding {
    let told = format!(
        "{count} writes: the median took {} µs, the slowest {} µs",
        median.as_micros(),
        slowest.as_micros()
    );
    if median > SLOW {
        let remedy =
            "use a faster disk, or durability `interval=<ms>` if the last moments may be lost";
        return Finding::warning("sync", told, remedy);
    }
    if median < TOO_QUICK && !in_memory {
        let told = format!("{told}: no disk is so quick that keeps what it is given");
        let remedy = "see whether something here leaves out fsync";
        return Finding::warning("sync", told, remedy);
    }
    Finding::well("sync", told)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_directory_that_is_not_there_is_made_in_one_that_is() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/b");
        assert_eq!(nearest(&data), Some(folder.path().to_owned()));
        assert_eq!(writable(&data, folder.path()).state, State::Well);
        assert!(!data.exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn what_is_no_directory_is_ill() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(look(&file, false)[0].state, State::Ill);
        assert_eq!(look(&file.join("below"), false)[0].state, State::Ill);
    }

    #[test]
    fn a_key_that_others_may_read_is_worth_a_warning() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("receipt.key");
        std::fs::write(&key, "x").unwrap();
        let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode));
        mode(0o644).unwrap();
        assert_eq!(writable(folder.path(), folder.path()).state, State::Warning);
        mode(0o600).unwrap();
        assert_eq!(writable(folder.path(), folder.path()).state, State::Well);
    }

    #[test]
    fn little_room_is_told_before_there_is_none() {
        assert_eq!(enough(256 << 20).state, State::Ill);
        assert_eq!(enough(300 << 20).state, State::Warning);
        assert_eq!(enough(2 << 30).state, State::Well);
    }

    #[test]
    fn file_systems_are_known_by_name() {
        let told = |magic| file_system(Path::new("/"), magic);
        assert_eq!(told(Some(0xef53)).state, State::Well);
        assert_eq!(told(Some(0x6969)).state, State::Warning);
        assert_eq!(told(Some(0x0102_1994)).state, State::Warning);
        assert!(told(Some(0x1234)).told.contains("0x1234"));
        assert_eq!(told(None).state, State::Skipped);
    }

    #[test]
    fn the_holder_of_the_lock_is_found() {
        let locks = "1: POSIX  ADVISORY  WRITE 17 fd:01:42 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 18 fd:01:41 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 19 fd:01:42 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 0 fd:01:43 0 EOF\n";
        assert_eq!(holder(locks, 42), Some(19));
        assert_eq!(holder(locks, 43), None);
        assert_eq!(holder(locks, 44), None);
        assert_eq!(held(Some(19), true).state, State::Well);
        assert_eq!(held(None, false).state, State::Warning);
    }

    #[test]
    fn a_lock_that_is_held_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(lock(folder.path(), false).told, "no server was ever here");
        let file = File::create(folder.path().join("lock")).unwrap();
        assert_eq!(lock(folder.path(), false).told, "nobody has the directory");
        flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
        let told = lock(folder.path(), true);
        assert!(told.told.contains(&std::process::id().to_string()), "{}", told.told);
    }

    #[test]
    fn a_slow_disk_and_one_that_is_too_quick_are_worth_a_warning() {
        let micros = Duration::from_micros;
        assert_eq!(quick(9, micros(300), micros(9000), false).state, State::Well);
        assert_eq!(quick(9, micros(25_000), micros(30_000), false).state, State::Warning);
        assert_eq!(quick(9, micros(1), micros(2), false).state, State::Warning);
        assert_eq!(quick(9, micros(1), micros(2), true).state, State::Well);
        let folder = tempfile::tempdir().unwrap();
        assert!(!measure(folder.path()).unwrap().is_empty());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
