//! Reads all of a log, and names each byte that is not what was written.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use lineside_core::id::{PartitionId, Position};
use lineside_engine::blobs::BlobFault;
use lineside_engine::log::LogFault;

use super::{Cost, Finding, blobs_of, failed, look, outside_fault, take_to_look};
use crate::disk::blobs;
use crate::disk::file::Disk;
use crate::disk::options::OpenError;
use crate::disk::outside::{self, Address};
use crate::disk::roster::{Broken, Listed, Roster, header_fault};
use crate::disk::segment::{self, Segment};
use crate::disk::sidecar::{self, Sidecar};
use crate::disk::starts::Starts;
use crate::disk::survey::Survey;
use crate::disk::walk::{FoundBatch, FoundWrite, Hurt, Step, Walk, WalkFault};
use crate::disk::write::Form;
use crate::limits::GAP_POSITIONS_UNKNOWN;

/// What a log holds, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Segments that are there.
    pub segments: usize,
    /// Writes in them, marks among them.
    pub writes: u64,
    /// Batches, of all partitions; without those that compaction took away whole.
    pub batches: u64,
    /// Bodies that are there and whole, those outside the log among them.
    pub bodies: u64,
    /// Blobs that are there and whole, without those that hold bodies.
    pub blobs: u64,
    /// Blobs of bodies that no batch names: a crash left them, and the next start removes them.
    pub leftovers: u64,
    /// The position after the last batch of each partition.
    pub tails: Vec<(PartitionId, Position)>,
    /// Where the last segment ends in what no crash left whole: file, offset and number of bytes. The
    /// next start cuts it; none of it was acknowledged.
    pub torn: Option<(String, u64, u64)>,
    /// What an earlier repair accepted as lost.
    pub gaps: Vec<AcceptedGap>,
    /// Each damaged place.
    pub findings: Vec<Finding>,
}

/// Positions that are lost, which a repair accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedGap {
    /// Whose.
    pub partition: PartitionId,
    /// The first.
    pub from: Position,
    /// How many; at the end of a log that was damaged there it is an upper bound.
    pub count: u64,
}

impl Verification {
    /// Whether nothing is damaged.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Reads all of the log in a directory that no server writes to. Nothing is changed there.
pub fn verify(path: &Path) -> Result<Verification, OpenError> {
    verify_on(look(path)?.as_ref())
}

/// As [`verify`], on a disk that may be one of the tests.
pub fn verify_on(disk: &dyn Disk) -> Result<Verification, OpenError> {
    let _lock = take_to_look(disk)?;
    inspect(disk)
}

/// As [`verify`], of a directory that is taken.
pub(crate) fn inspect(disk: &dyn Disk) -> Result<Verification, OpenError> {
    let roster = Roster::read(disk)?;
    let (folder, report) = (blobs_of(disk)?, Verification::default());
    let mut verifier = Verifier { disk, folder, named: BTreeSet::new(), report };
    verifier.report.segments = roster.segments.len();
    for broken in roster.broken.values() {
        verifier.broken(broken);
    }
    let next = roster.segments.iter().skip(1).map(Some).chain([None]);
    for (listed, next) in roster.segments.iter().zip(next) {
        verifier.segment(listed, next)?;
    }
    if let Some(folder) = verifier.folder.clone() {
        verifier.blobs(folder.as_ref())?;
        verifier.leftovers(folder.as_ref())?;
    }
    Ok(verifier.report)
}

struct Verifier<'a> {
    disk: &'a dyn Disk,
    /// Where blobs lie.
    folder: Option<Arc<dyn Disk>>,
    /// Bodies outside that batches name.
    named: BTreeSet<Address>,
    report: Verification,
}

impl Verifier<'_> {
    fn find(&mut self, number: u64, offset: u64, what: &str, cost: Cost) {
        let file = self.disk.place(&segment::name(number));
        self.report.findings.push(Finding { file, offset, what: what.to_owned(), cost });
    }

    fn broken(&mut self, broken: &Broken) {
        let what = match &broken.fault {
            LogFault::Damaged { what, .. } => what.clone(),
            other => other.to_string(),
        };
        self.find(broken.from, 0, &what, Cost::Unknown { batches: GAP_POSITIONS_UNKNOWN });
    }

    fn segment(&mut self, listed: &Listed, next: Option<&Listed>) -> Result<(), OpenError> {
        let number = listed.number();
        let place = self.disk.place(&segment::name(number));
        let segment = Segment::open(self.disk, number);
        let segment = Arc::new(segment.map_err(|fault| header_fault(&place, fault))?);
        if listed.header.has_lost_table {
            let what = "the checksum of the table of partitions is wrong";
            self.find(number, 64, what, Cost::Nothing);
        }
        let survey = self.walk(&segment, listed)?;
        if let Some(next) = next.filter(|_| listed.until.is_some_and(|until| until.exact)) {
            self.ends(number, segment.end(), &survey, &next.starts);
        }
        if next.is_some() {
            self.sidecar(listed, &survey)?;
        } else {
            if listed.starts.has_doubt() {
                let what = "some partitions may have lost batches before this segment";
                self.find(number, 0, what, Cost::Unknown { batches: GAP_POSITIONS_UNKNOWN });
            }
            let tails = survey.tails.known.iter();
            self.report.tails = tails.map(|(p, start)| (*p, start.position)).collect();
        }
        Ok(())
    }

    fn walk(&mut self, segment: &Arc<Segment>, listed: &Listed) -> Result<Survey, OpenError> {
        let number = listed.number();
        let unreadable = |error| OpenError::Fault(segment.unreadable(&error));
        let mut walk = Walk::new(segment, listed.until, true).map_err(unreadable)?;
        let mut survey = Survey::new(listed.starts.clone(), segment.header.rewritten);
        let mut confirmed = u64::MAX;
        if listed.until.is_none() {
            confirmed = confirmed_by(segment)?;
        }
        let bad = loop {
            let before = survey.hurts.len();
            match walk.step() {
                Ok(Step::Write(write)) => {
                    if self.bodies(&mut walk, &write, confirmed).map_err(unreadable)? {
                        self.torn(segment, &mut walk, write.offset).map_err(unreadable)?;
                        return Ok(survey);
                    }
                    write.batches.iter().try_for_each(|batch| self.outside(batch))?;
                    survey.write(&write);
                }
                Ok(Step::Hurt(hurt)) => survey.hurt(hurt),
                Ok(Step::End(bad)) => break bad,
                Err(WalkFault::Io(error)) => return Err(unreadable(error)),
                Err(WalkFault::Newer { offset, what }) => {
                    return Err(OpenError::Newer { place: segment.place(offset), what });
                }
            }
            let hurts: Vec<Hurt> = survey.hurts.iter().skip(before).cloned().collect();
            hurts.iter().for_each(|hurt| self.hurt(number, hurt));
        };
        let end = walk.offset;
        if bad.is_some() {
            self.torn(segment, &mut walk, end).map_err(unreadable)?;
        } else if walk.left_over(end).map_err(unreadable)? > 0 {
            let what = "there are bytes behind the last write";
            self.find(number, end, what, Cost::Nothing);
        }
        (self.report.writes, self.report.batches) = (
            self.report.writes.saturating_add(survey.writes),
            self.report.batches.saturating_add(survey.batches),
        );
        Ok(survey)
    }

    fn hurt(&mut self, number: u64, hurt: &Hurt) {
        self.find(number, hurt.offset, &hurt.what, Cost::of(&hurt.loses));
    }

    /// Checks the bodies and the zeros of a write; `true` if it is the beginning of a torn tail.
    fn bodies(
        &mut self,
        walk: &mut Walk,
        write: &FoundWrite,
        confirmed: u64,
    ) -> std::io::Result<bool> {
        for batch in &write.batches {
            if let Form::Gap(count) = batch.head.form {
                let (partition, from) = (batch.head.partition, batch.head.position);
                self.report.gaps.push(AcceptedGap { partition, from, count });
            }
            for (entry, offset) in batch.bodies().filter(|(entry, _)| !entry.outside) {
                if walk.body_is_whole(&entry, offset)? {
                    self.report.bodies = self.report.bodies.saturating_add(1);
                    continue;
                }
                if write.header.number > confirmed {
                    return Ok(true);
                }
                let (partition, position) = (batch.head.partition, batch.head.position);
                let cost = Cost::Body { partition, position, index: entry.index };
                let number = write.header.segment.number;
                self.find(number, offset, "the checksum of the body is wrong", cost);
            }
            self.padding(walk, write, batch)?;
        }
        Ok(false)
    }

    /// Checks the bodies of a batch that lie outside. They were durable before it was written, so one
    /// that is not there is never a torn tail's.
    fn outside(&mut self, batch: &FoundBatch) -> Result<(), OpenError> {
        let (partition, position) = (batch.head.partition, batch.head.position);
        for entry in batch.directory.iter().filter(|entry| entry.outside) {
            let address = Address::new(partition, position, entry.index);
            self.named.insert(address);
            match outside_fault(self.folder.as_deref(), &address, entry)? {
                None => self.report.bodies = self.report.bodies.saturating_add(1),
                Some((file, what)) => {
                    let cost = Cost::Body { partition, position, index: entry.index };
                    self.report.findings.push(Finding { file, offset: 0, what, cost });
                }
            }
        }
        Ok(())
    }

    fn padding(
        &mut self,
        walk: &mut Walk,
        write: &FoundWrite,
        batch: &FoundBatch,
    ) -> std::io::Result<()> {
        let end = batch.head.bodies_at().saturating_add(u64::from(batch.head.bodies_bytes));
        let len = batch.head.total().saturating_sub(end);
        let offset = batch.offset.saturating_add(end);
        let zeros = walk.bytes(offset, len)?.is_none_or(|bytes| bytes.iter().all(|b| *b == 0));
        if !zeros {
            let what = "the zeros behind a batch are none";
            self.find(write.header.segment.number, offset, what, Cost::Nothing);
        }
        Ok(())
    }

    fn torn(&mut self, segment: &Segment, walk: &mut Walk, from: u64) -> std::io::Result<()> {
        let bytes = walk.left_over(from)?;
        if bytes > 0 {
            let file = self.disk.place(&segment::name(segment.id().number));
            self.report.torn = Some((file, from, bytes));
        }
        Ok(())
    }

    /// Positions that should be in the segment, as the next one says, and are not.
    fn ends(&mut self, number: u64, end: u64, survey: &Survey, next: &Starts) {
        for (partition, start) in &next.known {
            let (partition, from, to) =
                (*partition, survey.tails.get(*partition).position, start.position);
            if to > from && !survey.may_skip() {
                let what = "the segment ends before the next one begins";
                self.find(number, end, what, Cost::Facts { partition, from, to });
            } else if to < from {
                let what = "the next segment begins before this one ends";
                self.find(number, end, what, Cost::Nothing);
            }
        }
    }

    fn sidecar(&mut self, listed: &Listed, survey: &Survey) -> Result<(), OpenError> {
        let name = sidecar::name(listed.number());
        let what = match Sidecar::read(self.disk, listed.number()) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("reading an index")(error)),
            Ok(Err(what)) => what,
            // A crash came between a segment and its index: this is that of the one before.
            Ok(Ok(sidecar)) if sidecar.segment != listed.header.id => return Ok(()),
            Ok(Ok(sidecar)) if survey.hurts.is_empty() && sidecar.index != survey.index => {
                "it is not what its segment holds".to_owned()
            }
            Ok(Ok(_)) => return Ok(()),
        };
        let file = self.disk.place(&name);
        self.report.findings.push(Finding { file, offset: 0, what, cost: Cost::Nothing });
        Ok(())
    }

    fn blobs(&mut self, folder: &dyn Disk) -> Result<(), OpenError> {
        for name in blobs::names(folder, "").map_err(failed("listing blobs"))? {
            if self.blob(folder, &name, Cost::Blob(name.clone()))? {
                self.report.blobs = self.report.blobs.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Reads a blob; whether it is whole.
    fn blob(&mut self, folder: &dyn Disk, name: &str, cost: Cost) -> Result<bool, OpenError> {
        let file = folder.place(&blobs::file_name(name));
        match blobs::read(folder, name) {
            Ok(_) => Ok(true),
            Err(BlobFault::Damaged { what, .. }) => {
                self.report.findings.push(Finding { file, offset: 0, what, cost });
                Ok(false)
            }
            Err(BlobFault::Io { why, .. }) => Err(LogFault::Io(format!("{file}: {why}")).into()),
            Err(other) => Err(LogFault::Io(other.to_string()).into()),
        }
    }

    fn leftovers(&mut self, folder: &dyn Disk) -> Result<(), OpenError> {
        for address in outside::addresses(folder).map_err(failed("listing blobs"))? {
            if !self.named.contains(&address) {
                self.report.leftovers = self.report.leftovers.saturating_add(1);
                self.blob(folder, &address.name(), Cost::Nothing)?;
            }
        }
        Ok(())
    }
}

/// The highest write of the last segment that a later one says was durable. Behind it a body that is
/// not whole begins the torn tail.
fn confirmed_by(segment: &Arc<Segment>) -> Result<u64, OpenError> {
    let unreadable = |error| OpenError::Fault(segment.unreadable(&error));
    let mut walk = Walk::new(segment, None, false).map_err(unreadable)?;
    let mut confirmed = 0;
    loop {
        match walk.step() {
            Ok(Step::Write(write)) => {
                let hurt = if write.hurts.is_empty() { 0 } else { write.header.through };
                confirmed = confirmed.max(write.header.synced).max(hurt);
            }
            Ok(Step::Hurt(_)) => confirmed = walk.next_write.saturating_sub(1),
            Ok(Step::End(_)) | Err(WalkFault::Newer { .. }) => return Ok(confirmed),
            Err(WalkFault::Io(error)) => return Err(unreadable(error)),
        }
    }
}
