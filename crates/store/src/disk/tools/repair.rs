//! Makes a damaged log one that can be written to again: says in it what is lost, and loses nothing
//! else.

use std::path::Path;
use std::sync::Arc;

use lineside_core::id::{PartitionId, Position};
use lineside_core::stamp::Stamp;

use super::verify::inspect;
use super::{AcceptedGap, Cost, Finding, Verification, failed, look, take};
use crate::disk::blobs;
use crate::disk::dir::Directory;
use crate::disk::file::Disk;
use crate::disk::options::OpenError;
use crate::disk::recovery;
use crate::disk::rewrite::{Kept, Rewrite};
use crate::disk::roster::{Broken, Listed, Roster, header_fault, salvage};
use crate::disk::segment::{self, Header, Segment};
use crate::disk::sidecar;
use crate::disk::starts::Starts;
use crate::disk::survey::Survey;
use crate::disk::walk::{FoundBatch, FoundWrite, Loses, Step, Walk, WalkFault};
use crate::disk::write::{BatchHead, Form, Kind};
use crate::limits::GAP_POSITIONS_UNKNOWN;

/// What is done about a damaged body.
const BODY_LOST: &str = "nothing: what is lost is this message, and it is named when it is read";

/// What a repair did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// Each file that was repaired, or cannot be.
    pub repaired: Vec<Repaired>,
    /// What the log is now; `None` if nothing was changed.
    pub after: Option<Verification>,
}

/// What was done, or would be, to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The file, as a person calls it.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// What was done about it.
    pub did: String,
    /// Positions that are accepted as lost by that.
    pub lost: Vec<AcceptedGap>,
}

/// Repairs the log in a directory that no server uses; with `dry_run`, says what it would do.
pub fn repair(path: &Path, dry_run: bool) -> Result<Repairs, OpenError> {
    if dry_run {
        return repair_on(look(path)?.as_ref(), true);
    }
    // The directory must be there: repairing one that is misspelt must not make it.
    look(path)?;
    let what = format!("opening the data directory {}", path.display());
    let directory = Directory::open(path).map_err(|cause| OpenError::Io { what, cause })?;
    repair_on(&directory, false)
}

/// As [`repair`], on a disk that may be one of the tests.
pub fn repair_on(disk: &dyn Disk, dry_run: bool) -> Result<Repairs, OpenError> {
    let _lock = take(disk)?;
    let mut repairer = Repairer { disk, dry_run, repaired: Vec::new() };
    let roster = Roster::read(disk)?;
    let mut done = 0;
    for broken in roster.broken.values() {
        if broken.from > done {
            done = repairer.header(&roster, broken)?;
        }
    }
    if !dry_run {
        // Cuts the torn tail, and makes sure of what is before it.
        recovery::open(disk)?;
    }
    let findings = inspect(disk)?.findings;
    let roster = Roster::read(disk)?;
    let next = roster.segments.iter().skip(1).map(Some).chain([None]);
    for (listed, next) in roster.segments.iter().zip(next) {
        repairer.segment(listed, next, &findings)?;
    }
    repairer.others(&findings)?;
    let after = if dry_run { None } else { Some(inspect(disk)?) };
    Ok(Repairs { repaired: repairer.repaired, after })
}

struct Repairer<'a> {
    disk: &'a dyn Disk,
    dry_run: bool,
    repaired: Vec<Repaired>,
}

/// A segment that is being repaired.
struct Mending<'a> {
    /// What takes its place; none in a dry run.
    rewrite: Option<Rewrite<'a>>,
    /// Where the next batch of each partition belongs; doubtful where some may be lost.
    tails: Starts,
    /// Positions may be missing without a word, where nothing is lost.
    rewritten: bool,
    /// How many batches may be lost of which nobody knows anything.
    unknown: u64,
    lost: Vec<AcceptedGap>,
}

impl Repairer<'_> {
    fn note(&mut self, number: u64, what: &str, did: &str, lost: Vec<AcceptedGap>) {
        let file = self.disk.place(&segment::name(number));
        let (what, did) = (what.to_owned(), did.to_owned());
        self.repaired.push(Repaired { file, what, did, lost });
    }

    /// A segment whose header is damaged, or that is missing; the last number that was dealt with.
    fn header(&mut self, roster: &Roster, broken: &Broken) -> Result<u64, OpenError> {
        let before = roster.segments.iter().rfind(|listed| listed.number() < broken.from);
        let (starts, first_write) = match before {
            Some(before) => ends_of(self.disk, before)?,
            None => (Starts::default(), 1),
        };
        let next = roster.segments.iter().find(|listed| listed.number() > broken.to);
        let Some(mut header) = salvage(self.disk, broken, &starts)? else {
            self.lose(broken, &starts, first_write, next)?;
            return Ok(broken.to);
        };
        if let Some(next) = next.filter(|_| header.rewritten) {
            // Compaction joined it with those behind it, if they are not there.
            let missing = roster.broken.get(&next.number().saturating_sub(1));
            let joined = missing.filter(|missing| missing.from == broken.to.saturating_add(1));
            header.through = joined.map_or(broken.to, |missing| missing.to);
        }
        if !self.dry_run {
            let file = self.disk.open(&segment::name(broken.to));
            let file = file.map_err(failed("opening a segment"))?;
            // In place: what is there is not a header, and nothing else is touched.
            let written = file.write_at(&header.encode(), 0).and_then(|()| file.sync_all());
            written.map_err(failed("writing a segment's header"))?;
        }
        let did = "its header is written again, from what stands elsewhere; nothing is lost";
        self.note(broken.to, &broken.fault.to_string(), did, Vec::new());
        Ok(header.through)
    }

    /// Puts a segment that says what is lost in the place of one that cannot be read.
    fn lose(
        &mut self,
        broken: &Broken,
        starts: &Starts,
        first_write: u64,
        next: Option<&Listed>,
    ) -> Result<(), OpenError> {
        let mut mending = Mending::new(starts.clone());
        let header = Header::new(broken.from, first_write, sure(starts));
        let header = header.rewritten(broken.to, sure(starts));
        if !self.dry_run {
            let rewrite = Rewrite::begin(self.disk, header, Kind::Repaired);
            mending.rewrite = Some(rewrite.map_err(failed("making a segment"))?);
        }
        mending.unknown = GAP_POSITIONS_UNKNOWN;
        mending.tails.doubt_all();
        let lost = mending.end(first_write, next, "making a segment")?;
        let did = "what it held is accepted as lost";
        self.note(broken.from, &broken.fault.to_string(), did, lost);
        Ok(())
    }

    fn segment(
        &mut self,
        listed: &Listed,
        next: Option<&Listed>,
        findings: &[Finding],
    ) -> Result<(), OpenError> {
        let number = listed.number();
        let file = self.disk.place(&segment::name(number));
        let here = || findings.iter().filter(|finding| finding.file == file);
        for finding in here().filter(|finding| matches!(finding.cost, Cost::Body { .. })) {
            self.note(number, &finding.to_string(), BODY_LOST, Vec::new());
        }
        let other: Vec<String> = here()
            .filter(|finding| !matches!(finding.cost, Cost::Body { .. }))
            .map(ToString::to_string)
            .collect();
        if other.is_empty() {
            return Ok(());
        }
        let lost = self.mend(listed, next)?;
        let did = match lost.is_empty() {
            true => "it is written anew; nothing is lost",
            false => "it is written anew without what is lost, which is accepted",
        };
        self.note(number, &other.join("; "), did, lost);
        Ok(())
    }

    /// Writes a segment anew, with what is whole, and says what is not.
    fn mend(&self, listed: &Listed, next: Option<&Listed>) -> Result<Vec<AcceptedGap>, OpenError> {
        let place = self.disk.place(&segment::name(listed.number()));
        let segment = Segment::open(self.disk, listed.number());
        let segment = Arc::new(segment.map_err(|fault| header_fault(&place, fault))?);
        let doing = format!("writing {place} anew");
        let mut mending = Mending::new(listed.starts.clone());
        mending.rewritten = segment.header.rewritten;
        if !self.dry_run {
            let header = segment.header.rewritten(segment.header.through, sure(&listed.starts));
            let rewrite = Rewrite::begin(self.disk, header, Kind::Repaired);
            mending.rewrite = Some(rewrite.map_err(failed(&doing))?);
        }
        if listed.starts.has_doubt() {
            mending.unknown = GAP_POSITIONS_UNKNOWN;
        }
        let mut walk = Walk::new(&segment, listed.until, true).map_err(failed(&doing))?;
        loop {
            match walk.step() {
                Ok(Step::Write(write)) => {
                    mending.write(&mut walk, &write).map_err(failed(&doing))?;
                }
                Ok(Step::Hurt(hurt)) => mending.hurt(&hurt.loses),
                Ok(Step::End(_)) => break,
                Err(WalkFault::Io(error)) => return Err(failed(&doing)(error)),
                Err(WalkFault::Newer { offset, what }) => {
                    return Err(OpenError::Newer { place: segment.place(offset), what });
                }
            }
        }
        mending.end(walk.next_write, next, &doing)
    }

    /// Indexes and blobs that are damaged.
    fn others(&mut self, findings: &[Finding]) -> Result<(), OpenError> {
        for name in self.disk.names().map_err(failed("listing the data directory"))? {
            let file = self.disk.place(&name);
            let found = findings.iter().find(|finding| finding.file == file);
            if let (Some(_), Some(finding)) = (sidecar::number(&name), found) {
                self.remove(self.disk, &name, finding, "it is removed; it can be made anew")?;
            }
        }
        self.bodies_outside(findings)?;
        let blobs = findings.iter().filter_map(|finding| match &finding.cost {
            Cost::Blob(name) => Some((name, finding)),
            _ => None,
        });
        for (name, finding) in blobs {
            let folder = self.disk.folder(blobs::FOLDER);
            let folder = folder.map_err(failed("opening the folder of blobs"))?;
            let did = "it is removed; what it said is had from the one before, or from the log";
            self.remove(folder.as_ref(), &blobs::file_name(name), finding, did)?;
        }
        Ok(())
    }

    /// Bodies outside that are damaged or missing stay what they are.
    fn bodies_outside(&mut self, findings: &[Finding]) -> Result<(), OpenError> {
        let names = self.disk.names().map_err(failed("listing the data directory"))?;
        let files: Vec<String> = names.iter().map(|name| self.disk.place(name)).collect();
        let bodies = findings.iter().filter(|finding| matches!(finding.cost, Cost::Body { .. }));
        for finding in bodies.filter(|finding| !files.contains(&finding.file)) {
            let (file, what) = (finding.file.clone(), finding.to_string());
            self.repaired.push(Repaired {
                file,
                what,
                did: BODY_LOST.to_owned(),
                lost: Vec::new(),
            });
        }
        Ok(())
    }

    fn remove(
        &mut self,
        disk: &dyn Disk,
        name: &str,
        finding: &Finding,
        did: &str,
    ) -> Result<(), OpenError> {
        if !self.dry_run {
            let removed = disk.remove(name).and_then(|()| disk.sync_names());
            removed.map_err(failed(&format!("removing {}", finding.file)))?;
        }
        let (file, what, did) = (finding.file.clone(), finding.what.clone(), did.to_owned());
        self.repaired.push(Repaired { file, what, did, lost: Vec::new() });
        Ok(())
    }
}

impl Mending<'_> {
    fn new(tails: Starts) -> Self {
        Mending { rewrite: None, tails, rewritten: false, unknown: 0, lost: Vec::new() }
    }

    fn gap(&mut self, partition: PartitionId, from: Position, count: u64) {
        self.lost.push(AcceptedGap { partition, from, count });
        let head = BatchHead {
            write: 0,
            partition,
            position: from,
            at: Stamp(0),
            facts: 0,
            facts_bytes: 0,
            facts_crc: 0,
            bodies: 0,
            bodies_bytes: 0,
            form: Form::Gap(count),
        };
        self.tails.reach(partition, head.next());
        self.rewrite.iter_mut().for_each(|rewrite| rewrite.gap(head));
    }

    fn hurt(&mut self, loses: &Loses) {
        if let Loses::Batches(count) = loses {
            self.unknown = self.unknown.saturating_add(*count);
            self.tails.doubt_all();
        }
    }

    fn write(&mut self, walk: &mut Walk, write: &FoundWrite) -> std::io::Result<()> {
        for batch in &write.batches {
            self.batch(walk, batch)?;
        }
        write.hurts.iter().for_each(|hurt| self.hurt(&hurt.loses));
        match &mut self.rewrite {
            Some(rewrite) => rewrite.end_write(write.header.through).map(drop),
            None => Ok(()),
        }
    }

    fn batch(&mut self, walk: &mut Walk, batch: &FoundBatch) -> std::io::Result<()> {
        let (partition, position) = (batch.head.partition, batch.head.position);
        let tail = self.tails.get(partition);
        if position < tail.position {
            return Ok(());
        }
        if position > tail.position && (tail.doubtful || !self.rewritten) {
            let count = position.0.saturating_sub(tail.position.0);
            self.gap(partition, tail.position, count);
        }
        self.tails.reach(partition, batch.head.next());
        if batch.facts.is_err() {
            self.gap(partition, position, 1);
            return Ok(());
        }
        match (&mut self.rewrite, batch.head.form) {
            (None, _) => Ok(()),
            (Some(rewrite), Form::Gap(_)) => {
                rewrite.gap(batch.head);
                Ok(())
            }
            (Some(rewrite), _) => rewrite.take(walk, batch, &Kept::Whole).map(drop),
        }
    }

    /// Partitions of which batches may be missing go on behind all that can have been lost, so that
    /// no position is given twice.
    fn close_doubts(&mut self, most: u64) {
        let doubtful = self.tails.known.iter().filter(|(_, start)| start.doubtful);
        let doubtful: Vec<_> = doubtful.map(|(p, start)| (*p, start.position)).collect();
        doubtful.into_iter().for_each(|(partition, from)| self.gap(partition, from, most));
        self.tails.others_doubtful = false;
    }

    /// The segment ends before write `next_write`.
    fn end(
        mut self,
        next_write: u64,
        next: Option<&Listed>,
        doing: &str,
    ) -> Result<Vec<AcceptedGap>, OpenError> {
        let Some(next) = next else {
            self.close_doubts(self.unknown);
            if let Some(mut rewrite) = self.rewrite {
                let marked = rewrite.mark(next_write.saturating_sub(1));
                let finished = marked.and_then(|()| rewrite.finish_marked());
                finished.map_err(failed(doing))?;
            }
            return Ok(self.lost);
        };
        for (partition, start) in &next.starts.known {
            let tail = self.tails.get(*partition);
            if start.position > tail.position && (tail.doubtful || !self.rewritten) {
                let count = start.position.0.saturating_sub(tail.position.0);
                self.gap(*partition, tail.position, count);
            }
        }
        if let Some(rewrite) = self.rewrite {
            let finished = rewrite.finish(next.header.first_write.saturating_sub(1));
            finished.map_err(failed(doing))?;
        }
        Ok(self.lost)
    }
}

/// The same without doubts: they are settled by gaps.
fn sure(starts: &Starts) -> Starts {
    let mut sure = starts.clone();
    sure.known.values_mut().for_each(|start| start.doubtful = false);
    sure.others_doubtful = false;
    sure
}

/// Where the partitions stand behind a segment, and the number of the write behind its last.
fn ends_of(disk: &dyn Disk, listed: &Listed) -> Result<(Starts, u64), OpenError> {
    let place = disk.place(&segment::name(listed.number()));
    let segment = Segment::open(disk, listed.number());
    let segment = Arc::new(segment.map_err(|fault| header_fault(&place, fault))?);
    let doing = format!("reading {place}");
    let mut walk = Walk::new(&segment, listed.until, false).map_err(failed(&doing))?;
    let mut survey = Survey::new(listed.starts.clone(), segment.header.rewritten);
    loop {
        match walk.step() {
            Ok(Step::Write(write)) => survey.write(&write),
            Ok(Step::Hurt(hurt)) => survey.hurt(hurt),
            Ok(Step::End(_)) => return Ok((survey.tails, walk.next_write)),
            Err(WalkFault::Io(error)) => return Err(failed(&doing)(error)),
            Err(WalkFault::Newer { offset, what }) => {
                return Err(OpenError::Newer { place: segment.place(offset), what });
            }
        }
    }
}
