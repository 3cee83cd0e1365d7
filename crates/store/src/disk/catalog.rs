//! What is in the log: the segments, which of them holds a position, and where the partitions stand.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use lineside_core::id::{PartitionId, Place, Position};
use lineside_engine::log::LogFault;

use super::index::{Entry, SegmentIndex};
use super::roster::{Listed, Until};
use super::segment::Segment;
use super::starts::Starts;
use super::walk::{Hurt, Loses};

/// The segments in order and what is known of them without reading them.
#[derive(Debug)]
pub(crate) struct Catalog {
    /// All but the last, by number.
    sealed: BTreeMap<u64, Sealed>,
    /// Segments that are missing or whose header is damaged, by number.
    broken: BTreeMap<u64, LogFault>,
    /// The last: the one that is written to.
    active: Arc<Segment>,
    active_index: SegmentIndex,
    /// What was damaged in it when the log was opened.
    active_hurts: Vec<Hurt>,
    runs: HashMap<PartitionId, Vec<Run>>,
    tails: Starts,
    /// Why some tails are doubtful.
    doubt: Option<LogFault>,
}

/// A segment that is not written to any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) number: u64,
    /// The last segment that it stands for.
    pub(crate) through: u64,
    /// Where its writes end.
    pub(crate) until: Until,
}

impl Sealed {
    /// What the roster says of it, unless it is the last.
    pub(crate) fn of(listed: &Listed) -> Option<Sealed> {
        let (number, through) = (listed.number(), listed.header.through);
        Some(Sealed { number, through, until: listed.until? })
    }
}

/// The batches of one partition in one segment begin here, and end where the next run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: Position,
    /// Its number.
    pub(crate) segment: u64,
}

/// Where to look for a batch.
#[derive(Debug)]
pub(crate) enum Look {
    /// It, or the first behind it, is here, in the segment that is written to.
    Here { position: Position, segment: Arc<Segment>, offset: u64 },
    /// In this segment, if it is anywhere before `end`.
    In { sealed: Sealed, end: Position, behind: Option<LogFault> },
    /// Nothing is there before this position, which may be the tail.
    Nothing(Position),
    /// It is lost.
    Lost(LogFault),
}

impl Catalog {
    /// A catalog of these segments, and of one that is written to.
    pub(crate) fn new(
        sealed: BTreeMap<u64, Sealed>,
        broken: BTreeMap<u64, LogFault>,
        runs: HashMap<PartitionId, Vec<Run>>,
        active: Arc<Segment>,
        starts: Starts,
    ) -> Catalog {
        let active_index = SegmentIndex::default();
        let active_hurts = Vec::new();
        let (tails, doubt) = (starts, None);
        Catalog { sealed, broken, active, active_index, active_hurts, runs, tails, doubt }
    }

    /// Takes what a survey of the last segment found.
    pub(crate) fn surveyed(
        &mut self,
        index: SegmentIndex,
        tails: Starts,
        hurts: Vec<Hurt>,
        doubt: Option<LogFault>,
    ) {
        let (number, starts) = (self.active.id().number, std::mem::replace(&mut self.tails, tails));
        let tails: Vec<_> = self.tails.known.iter().map(|(p, tail)| (*p, tail.position)).collect();
        for (partition, tail) in tails {
            let first = starts.get(partition).position;
            if first < tail {
                self.begin_run(partition, first, number);
            }
        }
        (self.active_index, self.active_hurts, self.doubt) = (index, hurts, doubt);
    }

    /// The segment that is written to.
    pub(crate) fn active(&self) -> &Arc<Segment> {
        &self.active
    }

    /// Writes go to another segment from now on. The one before, if there was another, with its
    /// index.
    pub(crate) fn roll(&mut self, to: &Arc<Segment>) -> Option<(Arc<Segment>, SegmentIndex)> {
        if to.id() == self.active.id() {
            return None;
        }
        let before = std::mem::replace(&mut self.active, Arc::clone(to));
        let index = std::mem::take(&mut self.active_index);
        self.active_hurts.clear();
        let (number, through) = (before.id().number, before.header.through);
        let until = Until { write: to.header.first_write, exact: true };
        let sealed = Sealed { number, through, until };
        self.sealed.insert(number, sealed);
        Some((before, index))
    }

    /// Enters a batch of the segment that is written to, at its partition's tail.
    pub(crate) fn enter(&mut self, entry: &Entry) {
        let at_tail = self.tails.get(entry.partition).position == entry.position;
        let entered = at_tail && self.active_index.enter(entry);
        assert!(entered, "the inbox takes batches at their partition's tail only");
        self.begin_run(entry.partition, entry.position, self.active.id().number);
        self.tails.reach(entry.partition, entry.position.next());
    }

    fn begin_run(&mut self, partition: PartitionId, first: Position, segment: u64) {
        let runs = self.runs.entry(partition).or_default();
        if runs.last().is_none_or(|run| run.segment != segment) {
            runs.push(Run { first, segment });
        }
    }

    /// The position after the last batch of the partition.
    pub(crate) fn tail(&self, partition: PartitionId) -> Position {
        self.tails.get(partition).position
    }

    /// Where the partitions stand.
    pub(crate) fn tails(&self) -> &Starts {
        &self.tails
    }

    /// Why nothing may be written at the partition's tail: damage may have taken batches there.
    pub(crate) fn doubt(&self, partition: PartitionId) -> Option<&LogFault> {
        self.doubt.as_ref().filter(|_| self.tails.get(partition).doubtful)
    }

    /// Where to look for the batch at `position`, or the first behind it.
    pub(crate) fn look(&self, partition: PartitionId, position: Position) -> Look {
        let tail = self.tails.get(partition);
        if position >= tail.position {
            let nothing = Look::Nothing(position);
            return self.doubt(partition).cloned().map_or(nothing, Look::Lost);
        }
        let runs = self.runs.get(&partition).map_or(&[][..], Vec::as_slice);
        let after = runs.partition_point(|run| run.first <= position);
        let Some(run) = after.checked_sub(1).and_then(|nth| runs.get(nth)) else {
            return Look::Lost(self.lost(partition, position, 0, u64::MAX));
        };
        let next = runs.get(after);
        if run.segment == self.active.id().number {
            return self.look_here(partition, position);
        }
        let Some(sealed) = self.sealed.get(&run.segment) else {
            return Look::Lost(self.lost(partition, position, run.segment, run.segment));
        };
        let until = next.map_or(self.active.id().number, |next| next.segment);
        let behind = self.broken.range(sealed.through..until).next();
        let end = next.map_or(tail.position, |next| next.first);
        Look::In { sealed: *sealed, end, behind: behind.map(|(_, fault)| fault.clone()) }
    }

    /// Whether the segment that is written to has the body of this fact, and it lies outside.
    pub(crate) fn has_outside_here(&self, partition: PartitionId, place: Place) -> bool {
        self.active_index.has_outside(partition, place)
    }

    fn look_here(&self, partition: PartitionId, position: Position) -> Look {
        let found = self.active_index.at_or_after(partition, position);
        let rewritten = self.active.header.rewritten;
        match found.filter(|(found, _)| *found == position || rewritten) {
            Some((position, offset)) => {
                Look::Here { position, segment: Arc::clone(&self.active), offset }
            }
            None if rewritten => Look::Nothing(self.tail(partition)),
            None => Look::Lost(missing(&self.active, &self.active_hurts, partition, position)),
        }
    }

    /// The segment that a position belongs into, if it is the one that is written to.
    pub(crate) fn active_of(
        &self,
        partition: PartitionId,
        position: Position,
    ) -> Option<Arc<Segment>> {
        let runs = self.runs.get(&partition)?;
        let run = runs.iter().rev().find(|run| run.first <= position)?;
        (run.segment == self.active.id().number).then(|| Arc::clone(&self.active))
    }

    /// The fault of a position that is in none of the segments.
    fn lost(&self, partition: PartitionId, position: Position, from: u64, to: u64) -> LogFault {
        let broken = self.broken.range(from..=to).next();
        broken.map(|(_, fault)| fault.clone()).unwrap_or_else(|| LogFault::Damaged {
            place: format!("position {} of partition {}", position.0, partition.0),
            what: "no segment holds it".to_owned(),
        })
    }

    /// All segments that are not written to, in order.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = &Sealed> {
        self.sealed.values()
    }

    /// Where each partition stands at the beginning of a segment.
    pub(crate) fn starts_of(&self, segment: u64) -> Starts {
        let mut starts = Starts::default();
        for (partition, tail) in &self.tails.known {
            let runs = self.runs.get(partition).map_or(&[][..], Vec::as_slice);
            let run = runs.iter().find(|run| run.segment >= segment);
            starts.reach(*partition, run.map_or(tail.position, |run| run.first));
        }
        starts
    }

    /// The segments that are missing or whose header is damaged.
    pub(crate) fn broken(&self) -> &BTreeMap<u64, LogFault> {
        &self.broken
    }

    /// `by` stands for all segments from its number up to its `through` from now on.
    pub(crate) fn replace(&mut self, by: Sealed) {
        let replaced = by.number..=by.through;
        self.sealed.retain(|number, _| !replaced.contains(number));
        self.sealed.insert(by.number, by);
        for runs in self.runs.values_mut() {
            let mut kept = false;
            runs.retain_mut(|run| {
                if !replaced.contains(&run.segment) {
                    return true;
                }
                run.segment = by.number;
                !std::mem::replace(&mut kept, true)
            });
        }
    }

    /// How many segments there are.
    pub(crate) fn segments(&self) -> usize {
        self.sealed.len().saturating_add(1)
    }
}

/// The fault of a batch that is not in its segment: what is damaged there may say why.
pub(crate) fn missing(
    segment: &Segment,
    hurts: &[Hurt],
    partition: PartitionId,
    at: Position,
) -> LogFault {
    let what = format!("position {} of partition {} is lost", at.0, partition.0);
    let costs = |hurt: &&Hurt| hurt.loses != Loses::Nothing;
    match hurts.iter().find(costs).or(hurts.first()) {
        None => segment.damaged(segment.header.first_offset, &what),
        Some(hurt) => segment.damaged(hurt.offset, &format!("{}; {what}", hurt.what)),
    }
}
