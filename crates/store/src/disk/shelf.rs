//! Sealed segments that were read lately: their open files and their indexes, up to a number of
//! files and bytes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::LogFault;

use super::catalog::{Sealed, missing};
use super::file::Disk;
use super::index::SegmentIndex;
use super::segment::{self, HeaderFault, Segment};
use super::sidecar::Sidecar;
use super::survey::Survey;
use super::walk::{Hurt, WalkFault};
use crate::limits::{INDEX_BYTES_KEPT, SEGMENTS_KEPT_OPEN};

/// A segment that can be read. It stays as it is when another takes its place on the disk.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) segment: Arc<Segment>,
    pub(crate) index: SegmentIndex,
    /// What is damaged, if its index had to be made anew.
    pub(crate) hurts: Vec<Hurt>,
    /// Whether its index is on the disk, or somebody was told to put it there.
    pub(crate) is_stored: AtomicBool,
}

impl Loaded {
    /// A segment that was just sealed; its index is not on the disk.
    pub(crate) fn sealed(segment: Arc<Segment>, index: SegmentIndex) -> Loaded {
        let is_stored = AtomicBool::new(true);
        Loaded { segment, index, hurts: Vec::new(), is_stored }
    }

    /// Whether its index is to be put on the disk, by whoever asks first.
    pub(crate) fn wants_storing(&self) -> bool {
        !self.is_stored.swap(true, Ordering::Relaxed)
    }

    /// The fault of a batch that should be in it and is not.
    pub(crate) fn missing(&self, partition: PartitionId, at: Position) -> LogFault {
        missing(&self.segment, &self.hurts, partition, at)
    }

    /// Its index as a file.
    pub(crate) fn sidecar(&self) -> Sidecar {
        let (segment, end) = (self.segment.id(), self.segment.end());
        Sidecar { segment, end, index: self.index.clone() }
    }

    /// Whether positions may be missing in it without a word.
    pub(crate) fn may_skip(&self) -> bool {
        self.segment.header.rewritten
    }
}

/// Why a segment is not to be had.
#[derive(Debug)]
pub(crate) enum Absent {
    /// It is not there any more: look in the catalog again.
    Gone,
    Fault(LogFault),
}

/// The segments that were read lately.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    loaded: BTreeMap<u64, (Arc<Loaded>, u64)>,
    bytes: u64,
    /// Counts uses.
    clock: u64,
    /// Counts replacements: what was read before one may not be put here after it.
    replaced: u64,
}

impl Shelf {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The segment, from here or from the disk, which may take a while.
    pub(crate) fn get(&self, disk: &dyn Disk, sealed: &Sealed) -> Result<Arc<Loaded>, Absent> {
        let (known, replaced) = self.state().find(sealed.number);
        if let Some(known) = known {
            return Ok(known);
        }
        let loaded = Arc::new(load(disk, sealed)?);
        let mut state = self.state();
        if state.replaced == replaced {
            state.put(sealed.number, Arc::clone(&loaded));
        }
        Ok(loaded)
    }

    /// Puts a segment here that was just sealed.
    pub(crate) fn put(&self, loaded: &Arc<Loaded>) {
        let number = loaded.segment.id().number;
        self.state().put(number, Arc::clone(loaded));
    }

    /// Another file has these segments' place.
    pub(crate) fn replaced(&self, numbers: std::ops::RangeInclusive<u64>) {
        let mut state = self.state();
        state.replaced = state.replaced.saturating_add(1);
        for number in numbers {
            state.remove(number);
        }
    }
}

impl State {
    fn find(&mut self, number: u64) -> (Option<Arc<Loaded>>, u64) {
        self.clock = self.clock.saturating_add(1);
        let known = self.loaded.get_mut(&number).map(|(loaded, used)| {
            *used = self.clock;
            Arc::clone(loaded)
        });
        (known, self.replaced)
    }

    fn put(&mut self, number: u64, loaded: Arc<Loaded>) {
        self.remove(number);
        self.bytes = self.bytes.saturating_add(loaded.index.memory());
        self.clock = self.clock.saturating_add(1);
        self.loaded.insert(number, (loaded, self.clock));
        while self.loaded.len() > SEGMENTS_KEPT_OPEN
            || (self.bytes > INDEX_BYTES_KEPT && self.loaded.len() > 1)
        {
            let oldest = self.loaded.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(number, _)| *number) else { break };
            self.remove(oldest);
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some((loaded, _)) = self.loaded.remove(&number) {
            self.bytes = self.bytes.saturating_sub(loaded.index.memory());
        }
    }
}

/// Opens a segment and reads its index, or makes it anew.
pub(crate) fn load(disk: &dyn Disk, sealed: &Sealed) -> Result<Loaded, Absent> {
    let segment = Segment::open(disk, sealed.number);
    let segment = Arc::new(segment.map_err(|fault| absent(disk, sealed, fault))?);
    let unreadable = |error| Absent::Fault(segment.unreadable(&error));
    if let Some(sidecar) = Sidecar::load(disk, segment.id()).map_err(unreadable)? {
        segment.set_end(sidecar.end);
        return Ok(Loaded {
            segment,
            index: sidecar.index,
            hurts: Vec::new(),
            is_stored: AtomicBool::new(true),
        });
    }
    let starts = segment.header.starts.clone().unwrap_or_default();
    match Survey::of_sealed(&segment, sealed.until, starts, false) {
        Ok((survey, end)) => {
            segment.set_end(end);
            // An index of a damaged segment is made each time, with what is damaged.
            let is_stored = AtomicBool::new(!survey.hurts.is_empty());
            Ok(Loaded { segment, index: survey.index, hurts: survey.hurts, is_stored })
        }
        Err(fault) => Err(Absent::Fault(walk_fault(&segment, fault))),
    }
}

/// What a walk's fault says to whoever reads.
pub(crate) fn walk_fault(segment: &Segment, fault: WalkFault) -> LogFault {
    match fault {
        WalkFault::Io(error) => segment.unreadable(&error),
        WalkFault::Newer { offset, what } => segment.damaged(offset, &what),
    }
}

fn absent(disk: &dyn Disk, sealed: &Sealed, fault: HeaderFault) -> Absent {
    let place = disk.place(&segment::name(sealed.number));
    match fault {
        HeaderFault::Io(error) if error.kind() == std::io::ErrorKind::NotFound => Absent::Gone,
        HeaderFault::Io(error) => Absent::Fault(LogFault::Io(format!("{place}: {error}"))),
        HeaderFault::Broken(what) | HeaderFault::Newer(what) => {
            Absent::Fault(segment::damaged(&place, 0, &what))
        }
    }
}
