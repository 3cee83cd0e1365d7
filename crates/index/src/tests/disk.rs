//! A disk in memory that knows what was synced, fails when told to, and can lose what was not.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::files::{Files, IndexFile};

/// What may be lost or kept on its own.
const SECTOR: usize = 512;

/// How the disk breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// The change with this number fails, halfway if it is a write; those after it succeed.
    Once(u64),
    /// That one and all after it.
    ForGood(u64),
}

#[derive(Debug, Default)]
struct Bytes {
    now: Vec<u8>,
    synced: Vec<u8>,
}

type File = Arc<Mutex<Bytes>>;

#[derive(Debug, Default)]
struct Names {
    now: BTreeMap<String, File>,
    synced: BTreeMap<String, File>,
}

#[derive(Debug, Default)]
struct Faults {
    broken: Mutex<Option<Break>>,
    changes: AtomicU64,
    reads: AtomicU64,
    written: AtomicU64,
}

impl Faults {
    /// Counts a change; whether it fails.
    fn change(&self) -> bool {
        let number = self.changes.fetch_add(1, Ordering::Relaxed);
        match *self.broken.lock().unwrap() {
            None => false,
            Some(Break::Once(at)) => number == at,
            Some(Break::ForGood(at)) => number >= at,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct TestDisk {
    names: Arc<Mutex<Names>>,
    faults: Arc<Faults>,
}

#[derive(Debug)]
struct TestFile {
    bytes: File,
    faults: Arc<Faults>,
}

fn fault() -> io::Error {
    io::Error::other("the disk was told to fail")
}

impl TestDisk {
    pub(super) fn breaking(how: Option<Break>) -> TestDisk {
        let disk = TestDisk::default();
        *disk.faults.broken.lock().unwrap() = how;
        disk
    }

    pub(super) fn changes(&self) -> u64 {
        self.faults.changes.load(Ordering::Relaxed)
    }

    pub(super) fn reads(&self) -> u64 {
        self.faults.reads.load(Ordering::Relaxed)
    }

    /// Bytes of all writes.
    pub(super) fn written(&self) -> u64 {
        self.faults.written.load(Ordering::Relaxed)
    }

    pub(super) fn files(&self) -> Arc<dyn Files> {
        Arc::new(self.clone())
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        self.names.lock().unwrap().now[name].lock().unwrap().now.clone()
    }

    /// A disk of its own with the same files, all of them synced, and these bytes in one.
    pub(super) fn with(&self, name: &str, bytes: Vec<u8>) -> TestDisk {
        let names = self.names.lock().unwrap();
        let copy = |file: &File| file.lock().unwrap().now.clone();
        let mut all: BTreeMap<String, Vec<u8>> =
            names.now.iter().map(|(name, file)| (name.clone(), copy(file))).collect();
        all.insert(name.to_owned(), bytes);
        TestDisk::of(all)
    }

    fn of(all: BTreeMap<String, Vec<u8>>) -> TestDisk {
        let disk = TestDisk::default();
        let file =
            |bytes: Vec<u8>| Arc::new(Mutex::new(Bytes { synced: bytes.clone(), now: bytes }));
        let files: BTreeMap<String, File> =
            all.into_iter().map(|(name, bytes)| (name, file(bytes))).collect();
        *disk.names.lock().unwrap() = Names { now: files.clone(), synced: files };
        disk
    }

    /// What may be left after a power cut: of what was not synced, each name and each sector is as
    /// it was or as it became.
    pub(super) fn after_power_cut(&self, seed: u64) -> TestDisk {
        let mut chance = Chance(seed);
        let names = self.names.lock().unwrap();
        let all: std::collections::BTreeSet<&String> =
            names.now.keys().chain(names.synced.keys()).collect();
        let mut left = BTreeMap::new();
        for name in all {
            let held = if chance.coin() { &names.now } else { &names.synced };
            if let Some(file) = held.get(name) {
                left.insert(name.clone(), torn(&file.lock().unwrap(), &mut chance));
            }
        }
        TestDisk::of(left)
    }
}

fn torn(bytes: &Bytes, chance: &mut Chance) -> Vec<u8> {
    let len = if chance.coin() { bytes.now.len() } else { bytes.synced.len() };
    let mut left = vec![0; len];
    for (number, sector) in left.chunks_mut(SECTOR).enumerate() {
        let from = if chance.coin() { &bytes.now } else { &bytes.synced };
        let at = number * SECTOR;
        let given = from.get(at..).unwrap_or_default();
        let count = given.len().min(sector.len());
        sector[..count].copy_from_slice(&given[..count]);
    }
    left
}

/// A small generator, so that a seed tells all.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % bound
    }

    pub(super) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

impl Files for TestDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.names.lock().unwrap().now.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn IndexFile>> {
        if self.faults.change() {
            return Err(fault());
        }
        let bytes = File::default();
        self.names.lock().unwrap().now.insert(name.to_owned(), bytes.clone());
        Ok(Arc::new(TestFile { bytes, faults: self.faults.clone() }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn IndexFile>> {
        let bytes = self.names.lock().unwrap().now.get(name).cloned();
        let bytes = bytes.ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(TestFile { bytes, faults: self.faults.clone() }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if self.faults.change() {
            return Err(fault());
        }
        let mut names = self.names.lock().unwrap();
        let file = names.now.remove(from).ok_or(io::ErrorKind::NotFound)?;
        names.now.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        if self.faults.change() {
            return Err(fault());
        }
        self.names.lock().unwrap().now.remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync_names(&self) -> io::Result<()> {
        if self.faults.change() {
            return Err(fault());
        }
        let mut names = self.names.lock().unwrap();
        names.synced = names.now.clone();
        Ok(())
    }
}

impl IndexFile for TestFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.faults.reads.fetch_add(1, Ordering::Relaxed);
        let bytes = self.bytes.lock().unwrap();
        let given = bytes.now.get(offset as usize..).unwrap_or_default();
        let count = given.len().min(into.len());
        into[..count].copy_from_slice(&given[..count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let fails = self.faults.change();
        self.faults.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let written = if fails { &bytes[..bytes.len() / 2] } else { bytes };
        let (start, end) = (offset as usize, offset as usize + written.len());
        let mut file = self.bytes.lock().unwrap();
        if file.now.len() < end {
            file.now.resize(end, 0);
        }
        file.now[start..end].copy_from_slice(written);
        if fails { Err(fault()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        if self.faults.change() {
            return Err(fault());
        }
        let mut file = self.bytes.lock().unwrap();
        file.synced = file.now.clone();
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().now.len() as u64)
    }
}
