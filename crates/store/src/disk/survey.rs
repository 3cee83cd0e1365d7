//! What the writes of a segment add up to: where its batches stand, where the partitions stand
//! behind it, and what is damaged.

use std::collections::BTreeMap;
use std::sync::Arc;

use lineside_core::id::{PartitionId, Position};

use super::frame::kept;
use super::index::{Entry, Outside, SegmentIndex};
use super::roster::Until;
use super::segment::Segment;
use super::starts::Starts;
use super::walk::{FoundBatch, FoundWrite, Hurt, Loses, Step, Walk, WalkFault};
use super::write::Form;

/// What was found so far.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) index: SegmentIndex,
    /// Where the next batch of each partition belongs.
    pub(crate) tails: Starts,
    pub(crate) hurts: Vec<Hurt>,
    /// The last position of each partition that is damaged or missing.
    pub(crate) marks: BTreeMap<PartitionId, Position>,
    pub(crate) writes: u64,
    pub(crate) batches: u64,
    /// Whether positions may be missing without a word.
    rewritten: bool,
}

impl Survey {
    /// Nothing was found yet; the partitions stand where `starts` says.
    pub(crate) fn new(starts: Starts, rewritten: bool) -> Survey {
        Survey {
            index: SegmentIndex::default(),
            tails: starts,
            hurts: Vec::new(),
            marks: BTreeMap::new(),
            writes: 0,
            batches: 0,
            rewritten,
        }
    }

    /// A segment that is not the last, from front to back.
    pub(crate) fn of_sealed(
        segment: &Arc<Segment>,
        until: Until,
        starts: Starts,
        check_facts: bool,
    ) -> Result<(Survey, u64), WalkFault> {
        let mut survey = Survey::new(starts, segment.header.rewritten);
        let mut walk = Walk::new(segment, Some(until), check_facts)?;
        loop {
            match walk.step()? {
                Step::Write(write) => survey.write(&write),
                Step::Hurt(hurt) => survey.hurt(hurt),
                Step::End(_) => return Ok((survey, walk.offset)),
            }
        }
    }

    /// A write was found.
    pub(crate) fn write(&mut self, write: &FoundWrite) {
        self.writes = self.writes.saturating_add(1);
        write.batches.iter().for_each(|batch| self.batch(batch));
        write.hurts.iter().for_each(|hurt| self.hurt(hurt.clone()));
    }

    /// A damaged place was found.
    pub(crate) fn hurt(&mut self, hurt: Hurt) {
        if let Loses::Batches(_) = hurt.loses {
            self.tails.doubt_all();
        }
        self.hurts.push(hurt);
    }

    fn batch(&mut self, batch: &FoundBatch) {
        let head = &batch.head;
        let (partition, position) = (head.partition, head.position);
        let expected = self.tails.get(partition).position;
        if position < expected {
            let what =
                format!("position {} of partition {} is here again", position.0, partition.0);
            return self.note(batch.offset, what, Loses::Nothing);
        }
        if position > expected && !self.rewritten {
            let (from, to) = (expected, position);
            let (p, at) = (partition.0, position.0);
            let what = format!("position {at} of partition {p}, where {} should follow", from.0);
            self.note(batch.offset, what, Loses::Positions { partition, from, to });
            self.mark(partition, Position(position.0.saturating_sub(1)));
        }
        if batch.facts.is_err() {
            self.mark(partition, position);
        }
        self.tails.reach(partition, head.next());
        self.batches = self.batches.saturating_add(1);
        if !matches!(head.form, Form::Gap(_)) {
            let (bodies, bytes) = (head.bodies, head.total());
            let outside = Outside::of(position, &batch.directory);
            let (offset, kept) = (batch.offset, kept(&batch.directory));
            let entry = Entry { partition, position, offset, bodies, kept, bytes, outside };
            self.index.enter(&entry);
        }
    }

    fn mark(&mut self, partition: PartitionId, position: Position) {
        let mark = self.marks.entry(partition).or_default();
        *mark = position.max(*mark);
    }

    fn note(&mut self, offset: u64, what: String, loses: Loses) {
        self.hurts.push(Hurt { offset, end: offset, what, loses });
    }

    /// Whether positions may be missing without a word.
    pub(crate) fn may_skip(&self) -> bool {
        self.rewritten && !self.hurts.iter().any(|hurt| matches!(hurt.loses, Loses::Batches(_)))
    }
}
