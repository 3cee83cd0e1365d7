//! Opens what an earlier run left: reads the headers of all segments, and of the last one all
//! writes; tells a torn tail from damage, and cuts the tail.
//!
//! A write that is not whole is a torn tail, unless something later says that it was durable: a
//! later write by its `synced`, or a later segment by being there, since a segment is only begun
//! when all before it is synced. Then it is damage, which is noted and passed by: it costs what it
//! hit, and nothing may be written behind it before it is repaired.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::LogFault;

use super::appender::End;
use super::catalog::{Catalog, Run, Sealed};
use super::file::Disk;
use super::options::OpenError;
use super::roster::{Listed, Roster, failed, header_fault};
use super::segment::{self, Header, Segment};
use super::shelf::walk_fault;
use super::starts::Starts;
use super::survey::Survey;
use super::walk::{FoundWrite, Hurt, Loses, Step, Walk, WalkFault};
use crate::limits::READ_AHEAD_BYTES;

/// What opening a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments that there are.
    pub segments: usize,
    /// Writes that were found in the last segment, marks among them.
    pub writes: u64,
    /// Batches that were found in the last segment, of all partitions.
    pub batches: u64,
    /// Where the tail was torn: file and offset.
    pub torn_at: Option<String>,
    /// How many bytes were cut there.
    pub torn_bytes: u64,
    /// Damaged places that were seen: segments that are missing or have a damaged header, and what
    /// is wrong in the last one. The others are not read at a start.
    pub damage: Vec<LogFault>,
}

/// A log that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) catalog: Catalog,
    pub(crate) end: End,
    pub(crate) recovery: Recovery,
    /// The last position of each partition that is known to be damaged.
    pub(crate) marks: BTreeMap<PartitionId, Position>,
}

/// Opens the log in `disk`, or begins one.
pub(crate) fn open(disk: &dyn Disk) -> Result<Opened, OpenError> {
    // A name that an earlier run gave or took may not have become durable.
    disk.sync_names().map_err(failed("syncing the data directory"))?;
    let mut roster = Roster::read(disk)?;
    roster.tidy(disk).map_err(failed("tidying the data directory"))?;
    let last = roster.segments.pop();
    let last_number = last.as_ref().map_or(0, Listed::number);
    if let Some((_, broken)) = roster.broken.range(last_number.saturating_add(1)..).next_back() {
        // Nobody knows where such a log ends.
        return Err(OpenError::Fault(broken.fault.clone()));
    }
    let (segment, starts) = match last {
        Some(last) => {
            let place = disk.place(&segment::name(last.number()));
            let opened = Segment::open(disk, last.number());
            (opened.map_err(|fault| header_fault(&place, fault))?, last.starts)
        }
        None => {
            let header = Header::new(1, 1, Starts::default());
            let made = Segment::create(disk, header);
            (made.map_err(failed("making the first segment"))?, Starts::default())
        }
    };
    let segment = Arc::new(segment);
    let catalog = catalog(roster, &segment, &starts);
    Finder::new(catalog, Arc::clone(&segment), starts).read()
}

fn catalog(roster: Roster, last: &Arc<Segment>, starts: &Starts) -> Catalog {
    let next = roster.segments.iter().skip(1).map(|listed| &listed.starts);
    let next = next.chain(std::iter::once(starts));
    let mut runs: HashMap<PartitionId, Vec<Run>> = HashMap::new();
    for (listed, next) in roster.segments.iter().zip(next) {
        for (partition, end) in &next.known {
            let first = listed.starts.get(*partition).position;
            if end.position > first {
                let run = Run { first, segment: listed.number() };
                runs.entry(*partition).or_default().push(run);
            }
        }
    }
    let sealed = roster.segments.iter().filter_map(Sealed::of);
    let sealed = sealed.map(|sealed| (sealed.number, sealed)).collect();
    let broken = roster.broken.into_iter().map(|(number, broken)| (number, broken.fault)).collect();
    Catalog::new(sealed, broken, runs, Arc::clone(last), starts.clone())
}

/// Goes through the last segment and gathers what is there.
#[derive(Debug)]
struct Finder {
    catalog: Catalog,
    segment: Arc<Segment>,
    survey: Survey,
    recovery: Recovery,
    /// The highest write that something later says was durable.
    confirmed: u64,
    next_write: u64,
    /// Where the next write should stand.
    offset: u64,
    /// Writes that are whole but for their bodies, and are not confirmed yet.
    unconfirmed: Vec<FoundWrite>,
}

impl Finder {
    fn new(catalog: Catalog, segment: Arc<Segment>, starts: Starts) -> Finder {
        let recovery = Recovery {
            segments: catalog.segments(),
            damage: catalog.broken().values().cloned().collect(),
            ..Recovery::default()
        };
        let first = segment.header.first_write;
        Finder {
            survey: Survey::new(starts, segment.header.rewritten),
            confirmed: first.saturating_sub(1),
            next_write: first,
            offset: segment.header.first_offset,
            unconfirmed: Vec::new(),
            catalog,
            segment,
            recovery,
        }
    }

    /// Its writes, up to the torn tail if there is one, which is cut.
    fn read(mut self) -> Result<Opened, OpenError> {
        let segment = Arc::clone(&self.segment);
        let unreadable = |error| segment.unreadable(&error);
        let mut walk = Walk::new(&segment, None, true).map_err(unreadable)?;
        loop {
            match walk.step().map_err(|fault| refusal(&segment, fault))? {
                Step::Write(write) => self.write(write, &walk),
                Step::Hurt(hurt) => self.hurt(hurt, &walk),
                Step::End(_) => break,
            }
        }
        let insecure = self.unconfirmed.first().map_or(self.offset, |write| write.offset);
        self.check_unconfirmed(&mut walk).map_err(unreadable)?;
        self.cut(&mut walk).map_err(unreadable)?;
        self.secure(insecure).map_err(unreadable)?;
        segment.set_end(self.offset);
        self.finish()
    }

    /// Takes a write; if it is damaged, something later said that it was durable.
    fn write(&mut self, write: FoundWrite, walk: &Walk) {
        let hurt = if write.hurts.is_empty() { 0 } else { write.header.through };
        self.confirmed = self.confirmed.max(write.header.synced).max(hurt);
        (self.offset, self.next_write) = (walk.offset, walk.next_write);
        self.unconfirmed.push(write);
        // In a log that syncs with each write, all but the last one leave at once.
        self.release();
    }

    /// Something later said that what was here was durable, and so was all before it.
    fn hurt(&mut self, hurt: Hurt, walk: &Walk) {
        (self.offset, self.next_write) = (walk.offset, walk.next_write);
        self.confirmed = self.confirmed.max(walk.next_write.saturating_sub(1));
        self.release();
        self.survey.hurt(hurt);
    }

    /// Enters the writes that are confirmed by now. Their bodies are checked when they are read.
    fn release(&mut self) {
        let confirmed = self.confirmed;
        let count = self.unconfirmed.partition_point(|write| write.header.number <= confirmed);
        self.unconfirmed.drain(..count).for_each(|write| self.survey.write(&write));
    }

    /// Nothing vouches for the last writes but themselves, so their bodies count too: the first that
    /// is not whole begins the torn tail.
    fn check_unconfirmed(&mut self, walk: &mut Walk) -> io::Result<()> {
        for write in std::mem::take(&mut self.unconfirmed) {
            for batch in &write.batches {
                if !walk.bodies_are_whole(batch)? {
                    (self.offset, self.next_write) = (write.offset, write.header.number);
                    return Ok(());
                }
            }
            self.survey.write(&write);
        }
        Ok(())
    }

    /// Cuts what is behind the last write, so that it is never taken for a later write. It is synced
    /// with what is secured next, before anything new is written.
    fn cut(&mut self, walk: &mut Walk) -> io::Result<()> {
        let torn = walk.left_over(self.offset)?;
        if torn > 0 {
            self.segment.file.set_len(self.offset)?;
            self.recovery.torn_at = Some(self.segment.place(self.offset));
            self.recovery.torn_bytes = torn;
        }
        Ok(())
    }

    /// Writes again, and syncs, what stands `from` on, which is not confirmed. The process before
    /// this one may have been killed between the write and the sync, or its sync may have failed:
    /// then the system may hold the bytes as if they were on the disk, and a sync alone would say so
    /// too.
    fn secure(&self, from: u64) -> io::Result<()> {
        let mut at = from;
        let mut bytes = vec![0; READ_AHEAD_BYTES];
        while at < self.offset {
            let len = self.offset.saturating_sub(at).min(READ_AHEAD_BYTES as u64);
            bytes.truncate(usize::try_from(len).unwrap_or(READ_AHEAD_BYTES));
            self.segment.file.read_at(&mut bytes, at)?;
            self.segment.file.write_at(&bytes, at)?;
            at = at.saturating_add(len);
        }
        self.segment.file.sync_all()
    }

    fn finish(self) -> Result<Opened, OpenError> {
        let Finder { mut catalog, segment, survey, mut recovery, offset, next_write, .. } = self;
        let zeroed = segment.file.len().map_err(|error| segment.unreadable(&error))?;
        (recovery.writes, recovery.batches) = (survey.writes, survey.batches);
        let place = |hurt: &Hurt| segment.damaged(hurt.offset, &hurt.what);
        recovery.damage.extend(survey.hurts.iter().map(place));
        let doubt = survey.tails.has_doubt().then(|| doubt(&segment, &survey.hurts));
        let starts = survey.tails.clone();
        let outside = survey.index.outside_bytes();
        catalog.surveyed(survey.index, survey.tails, survey.hurts, doubt);
        let synced = next_write.saturating_sub(1);
        let end = End { segment, offset, outside, zeroed, next_write, synced, starts };
        Ok(Opened { catalog, end, recovery, marks: survey.marks })
    }
}

/// Why nobody knows where some partitions end.
fn doubt(segment: &Segment, hurts: &[Hurt]) -> LogFault {
    let lost = hurts.iter().rfind(|hurt| matches!(hurt.loses, Loses::Batches(_)));
    let what = "batches may have been lost here, behind the last that can be read";
    match lost {
        Some(hurt) => segment.damaged(hurt.offset, &format!("{}; {what}", hurt.what)),
        None => segment.damaged(0, "batches may have been lost in a segment before this one"),
    }
}

fn refusal(segment: &Segment, fault: WalkFault) -> OpenError {
    match fault {
        WalkFault::Newer { offset, what } => {
            OpenError::Newer { place: segment.place(offset), what }
        }
        WalkFault::Io(_) => walk_fault(segment, fault).into(),
    }
}
