//! Moving messages out of a queue: the tasks that it remembers, and how the running one goes on.
//!
//! A task walks through the messages in the order of their numbers, up to the last one that was
//! there when it started. Each that could be received is moved by one fact, which both queues
//! evolve by, so that a crash neither loses nor doubles one. What cannot be received when its turn
//! comes is passed over.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use minicbor::{Decode, Encode};

use super::look::Look;
use super::{Queue, QueueKind};
use crate::command::Reply;
use crate::decision::{Decision, Moment};
use crate::fact::{Fact, Facts, MoveCancelled, MoveEnded, MovePassed, MoveStarted, Moved};
use crate::id::{Label, MessageId, Name, QueueId, Seq};
use crate::refusal::QueueRefusal;
use crate::stamp::{Millis, Stamp};

/// So many tasks of a queue are remembered (SQS API reference, ListMessageMoveTasks).
const REMEMBERED: usize = 10;

/// A second has so many slots. A task with a rate moves a few messages in a slot: waking up for each
/// single one would lose the timer's inaccuracy with each.
const SLOTS: u64 = 50;
/// How long a slot is.
const SLOT: Millis = Millis(1000 / SLOTS);
/// How soon a task without a rate goes on.
const BREATH: Millis = Millis(1);

/// A task that moves messages, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveTask {
    /// Its id.
    pub id: MessageId,
    /// Where to; without it, each to the queue that it was dead-lettered from.
    pub destination: Option<Name>,
    /// At most so many a second.
    pub rate: Option<u32>,
    /// When it started.
    pub started_at: Stamp,
    /// Messages that could be received when it started; approximate, as counts are.
    pub to_move: u64,
    /// Messages that it has moved.
    pub moved: u64,
    /// How it stands.
    pub status: MoveStatus,
}

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum MoveStatus {
    /// It goes on.
    #[n(0)]
    Running,
    /// It was told to stop, and will have stopped at once.
    #[n(1)]
    Cancelling,
    /// It has come to the last message that was there when it started.
    #[n(2)]
    Completed,
    /// It was told to stop, and has.
    #[n(3)]
    Cancelled,
    /// It cannot go on.
    #[n(4)]
    Failed(#[n(0)] MoveFailure),
}

/// Why a task cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum MoveFailure {
    /// There is no polled queue of the destination's name.
    #[n(0)]
    DestinationGone,
    /// A message was not dead-lettered, so it is not known where it came from.
    #[n(1)]
    NoOrigin,
    /// The destination is of another kind.
    #[n(2)]
    KindsDiffer,
}

impl MoveStatus {
    fn is_active(self) -> bool {
        matches!(self, MoveStatus::Running | MoveStatus::Cancelling)
    }
}

/// The last tasks of a queue, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moves(VecDeque<Move>);

/// A task as state holds it. The numbers are those of a checkpoint's main block.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub(super) struct Move {
    #[n(0)]
    id: MessageId,
    #[n(1)]
    started_at: Stamp,
    #[n(2)]
    to_move: u64,
    #[n(3)]
    status: MoveStatus,
    /// All messages before this number have had their turn.
    #[n(4)]
    next: Seq,
    /// The last number that is to have its turn.
    #[n(5)]
    last: Seq,
    #[n(6)]
    pace: Pace,
    #[n(7)]
    destination: Option<Name>,
}

/// When a task moves its next message.
///
/// With a rate, message `n` (from 0) goes in slot `n * SLOTS / rate`, counted from `since`: so any
/// `SLOTS` slots in a row have exactly `rate` messages. What is late moves `since`, and all that
/// follows with it: so no second ever has more, and nothing is caught up with after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
struct Pace {
    #[n(0)]
    since: Stamp,
    #[n(1)]
    moved: u64,
    #[n(2)]
    rate: Option<u32>,
}

impl Pace {
    fn due(&self) -> Stamp {
        let Some(rate) = self.rate else { return self.since };
        let slot = self.moved.saturating_mul(SLOTS) / u64::from(rate).max(1);
        self.since + Millis(slot.saturating_mul(SLOT.0))
    }

    /// A message is moved at `at`.
    fn step(&mut self, at: Stamp) {
        self.since = match self.rate {
            Some(_) => self.since + at.since(self.due()),
            None => at + BREATH,
        };
        self.moved = self.moved.saturating_add(1);
    }
}

impl Move {
    fn view(&self) -> MoveTask {
        MoveTask {
            id: self.id,
            destination: self.destination.clone(),
            rate: self.pace.rate,
            started_at: self.started_at,
            to_move: self.to_move,
            moved: self.pace.moved,
            status: self.status,
        }
    }

    fn due(&self) -> Option<Stamp> {
        match self.status {
            MoveStatus::Running => Some(self.pace.due()),
            MoveStatus::Cancelling => Some(self.pace.since),
            MoveStatus::Completed | MoveStatus::Cancelled | MoveStatus::Failed(_) => None,
        }
    }
}

impl Moves {
    /// As a checkpoint has them.
    pub(super) fn to_list(&self) -> Vec<Move> {
        self.0.iter().cloned().collect()
    }

    /// Of what [`Moves::to_list`] gave; nothing at all when there are none.
    pub(super) fn of_list(list: Option<Vec<Move>>) -> Option<Box<Moves>> {
        let list = list.filter(|list| !list.is_empty())?;
        Some(Box::new(Moves(list.into())))
    }

    fn active(&self) -> Option<&Move> {
        self.0.back().filter(|task| task.status.is_active())
    }

    fn get_mut(&mut self, id: MessageId) -> Option<&mut Move> {
        self.0.iter_mut().rev().find(|task| task.id == id)
    }
}

/// A queue that messages can be moved to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination {
    pub(crate) queue: QueueId,
    pub(crate) kind: QueueKind,
    pub(crate) next_seq: Seq,
    pub(crate) delay: Millis,
}

/// The queues that messages can be moved to, and how many numbers one tick has given there: facts
/// of one tick are decided on the same state.
pub(crate) struct Destinations<'a> {
    find: &'a dyn Fn(&Name) -> Option<Destination>,
    given: BTreeMap<QueueId, u64>,
}

impl<'a> Destinations<'a> {
    pub(crate) fn new(find: &'a dyn Fn(&Name) -> Option<Destination>) -> Destinations<'a> {
        Destinations { find, given: BTreeMap::new() }
    }

    pub(super) fn find(&self, name: &Name) -> Option<Destination> {
        (self.find)(name)
    }

    pub(super) fn next_seq(&mut self, to: &Destination) -> Seq {
        let given = self.given.entry(to.queue).or_default();
        let seq = Seq(to.next_seq.0.saturating_add(*given));
        *given += 1;
        seq
    }
}

/// One walk of a task, as far as one tick lets it go.
struct Walk<'a, 'b> {
    now: &'a Moment<'a>,
    queue: QueueId,
    task: &'a Move,
    kind: QueueKind,
    pace: Pace,
    destinations: &'a mut Destinations<'b>,
    facts: Vec<Fact>,
}

/// How a walk stopped.
#[derive(Clone, Copy)]
enum Stop {
    /// There is nobody left whose turn it would be.
    End,
    /// For now: it has moved what it may.
    Enough,
    /// For now: it has looked at as many as it may, the last of them being this one.
    Tired(Seq),
    /// For good.
    Failed(MoveFailure),
}

impl Walk<'_, '_> {
    fn go<'l>(&mut self, looks: impl Iterator<Item = (Look<'l>, bool)>, most: usize) -> Stop {
        let mut passed = self.task.next;
        for (looked_at, (look, is_free)) in looks.enumerate() {
            if look.seq > self.task.last {
                return Stop::End;
            }
            if looked_at >= self.now.limits.move_scan_max.max(1) {
                return Stop::Tired(passed);
            }
            passed = look.seq;
            if !is_free {
                continue;
            }
            if self.facts.len() >= most || self.pace.due() > self.now.at {
                return Stop::Enough;
            }
            if let Err(failure) = self.take(&look) {
                return Stop::Failed(failure);
            }
        }
        Stop::End
    }

    fn take(&mut self, look: &Look<'_>) -> Result<(), MoveFailure> {
        let name = self.task.destination.as_ref().or(look.message.origin());
        let name = name.ok_or(MoveFailure::NoOrigin)?;
        let to = (self.destinations.find)(name).ok_or(MoveFailure::DestinationGone)?;
        if to.queue == self.queue {
            return Err(MoveFailure::NoOrigin);
        }
        if to.kind != self.kind {
            return Err(MoveFailure::KindsDiffer);
        }
        self.facts.push(Fact::Moved(Moved {
            from: self.queue,
            seq: look.seq,
            to: to.queue,
            to_seq: self.destinations.next_seq(&to),
            task: self.task.id,
            id: self.now.id_of(self.facts.len()),
            body: look.message.body(),
            visible_at: self.now.at + to.delay,
            group: look.group.cloned(),
        }));
        if self.pace.rate.is_some() {
            self.pace.step(self.now.at);
        }
        Ok(())
    }

    /// What happened, the walk having stopped so.
    fn facts(self, stop: Stop) -> Facts {
        let (queue, task) = (self.queue, self.task.id);
        let mut facts = Facts { facts: self.facts, bodies: Vec::new() };
        let ended = |status| Fact::MoveEnded(MoveEnded { queue, task, status });
        match stop {
            Stop::End => facts.push(ended(MoveStatus::Completed)),
            Stop::Failed(failure) => facts.push(ended(MoveStatus::Failed(failure))),
            Stop::Tired(seq) if facts.is_empty() => {
                facts.push(Fact::MovePassed(MovePassed { queue, task, seq }));
            }
            Stop::Tired(_) | Stop::Enough => {}
        }
        facts
    }
}

impl Queue {
    /// Whether messages are being moved out of it.
    pub(crate) fn is_moving(&self) -> bool {
        self.moves.as_ref().is_some_and(|moves| moves.active().is_some())
    }

    /// The fact that starts a move; all that could speak against it has been asked.
    pub(crate) fn start_move(
        &self,
        now: &Moment<'_>,
        queue: QueueId,
        destination: Option<&Name>,
        rate: Option<u32>,
    ) -> Decision {
        let task = now.id_of(0);
        let counts = self.counts(now.at, now.limits.approximate_count_max);
        let started = MoveStarted {
            queue,
            task,
            last: Seq(self.next_seq().0.saturating_sub(1)),
            to_move: counts.visible as u64,
            destination: destination.cloned(),
            rate,
        };
        Decision::fact(Fact::MoveStarted(started), Reply::MoveStarted { task })
    }

    pub(super) fn list_moves(&self, limit: usize) -> Decision {
        let tasks = self.moves.iter().flat_map(|moves| moves.0.iter().rev());
        Decision::reply(Reply::Moves(tasks.take(limit).map(Move::view).collect()))
    }

    pub(super) fn cancel_move(&self, queue: QueueId, task: MessageId) -> Decision {
        let mut tasks = self.moves.iter().flat_map(|moves| moves.0.iter());
        match tasks.find(|known| known.id == task) {
            None => Decision::refuse(QueueRefusal::MoveMissing),
            Some(Move { status: MoveStatus::Running, pace, .. }) => {
                let cancelled = Fact::MoveCancelled(MoveCancelled { queue, task });
                Decision::fact(cancelled, Reply::MoveCancelled { moved: pace.moved })
            }
            Some(_) => Decision::refuse(QueueRefusal::MoveNotRunning),
        }
    }

    /// When its running task goes on.
    pub(super) fn move_due(&self) -> Option<Stamp> {
        self.moves.as_ref()?.active()?.due()
    }

    /// How its running task goes on, if it is due: for at most `limit` messages.
    pub(crate) fn tick_move(
        &self,
        now: &Moment<'_>,
        queue: QueueId,
        limit: usize,
        destinations: &mut Destinations<'_>,
    ) -> Facts {
        let task = self.moves.as_ref().and_then(|moves| moves.active());
        let due = |task: &&Move| task.due().is_some_and(|due| due <= now.at);
        let Some(task) = task.filter(due) else { return Facts::none() };
        if task.status == MoveStatus::Cancelling {
            let status = MoveStatus::Cancelled;
            return Facts::one(Fact::MoveEnded(MoveEnded { queue, task: task.id, status }));
        }
        let (kind, pace) = (self.kind(), task.pace);
        let facts = Vec::new();
        let mut walk = Walk { now, queue, task, kind, pace, destinations, facts };
        let stop = walk.go(self.in_turn(now.at, task.next), limit.min(now.limits.move_step_max));
        walk.facts(stop)
    }

    /// The messages from a number on, each with whether it may be moved, given that all before it
    /// that may be moved are. Of a group only the first one ever may: else what stays behind would be
    /// overtaken.
    fn in_turn(&self, at: Stamp, from: Seq) -> impl Iterator<Item = (Look<'_>, bool)> {
        let mut taken: BTreeMap<&Label, Seq> = BTreeMap::new();
        self.looks(from).map(move |look| {
            let can_be_received = look.lease(at).is_none() && look.shown_from <= at;
            let is_free = match (self.kind(), look.group) {
                (QueueKind::Fifo, Some(group)) => {
                    let before =
                        taken.get(group).map_or(Bound::Unbounded, |seq| Bound::Excluded(*seq));
                    let is_first = self.first_of_group(group, before) == Some(look.seq);
                    if can_be_received && is_first {
                        taken.insert(group, look.seq);
                    }
                    can_be_received && is_first
                }
                _ => can_be_received,
            };
            (look, is_free)
        })
    }

    pub(crate) fn move_started(&mut self, at: Stamp, fact: &MoveStarted) {
        let moves = self.moves.get_or_insert_default();
        if moves.0.len() >= REMEMBERED {
            moves.0.pop_front();
        }
        moves.0.push_back(Move {
            id: fact.task,
            started_at: at,
            to_move: fact.to_move,
            status: MoveStatus::Running,
            next: Seq(0),
            last: fact.last,
            pace: Pace { since: at, moved: 0, rate: fact.rate },
            destination: fact.destination.clone(),
        });
    }

    fn with_move(&mut self, task: MessageId, change: impl FnOnce(&mut Move)) {
        if let Some(task) = self.moves.as_mut().and_then(|moves| moves.get_mut(task)) {
            change(task);
        }
    }

    /// One of its messages is in another queue now.
    pub(crate) fn moved_away(&mut self, at: Stamp, fact: &Moved) {
        self.removed(at, fact.seq);
        self.with_move(fact.task, |task| {
            task.pace.step(at);
            task.next = fact.seq.next();
        });
    }

    pub(crate) fn move_passed(&mut self, at: Stamp, fact: &MovePassed) {
        self.with_move(fact.task, |task| {
            task.next = fact.seq.next();
            if task.pace.rate.is_none() {
                task.pace.since = at + BREATH;
            }
        });
    }

    pub(crate) fn move_cancelled(&mut self, at: Stamp, fact: &MoveCancelled) {
        self.with_move(fact.task, |task| {
            if task.status == MoveStatus::Running {
                task.status = MoveStatus::Cancelling;
                task.pace.since = at;
            }
        });
    }

    pub(crate) fn move_ended(&mut self, fact: &MoveEnded) {
        self.with_move(fact.task, |task| task.status = fact.status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moments at which a task with a rate moves its messages, when each tick comes so late.
    fn moments(rate: u32, count: usize, late: impl Fn(u64) -> u64) -> Vec<u64> {
        let mut pace = Pace { since: Stamp(7), moved: 0, rate: Some(rate) };
        let (mut moments, mut at) = (Vec::new(), Stamp(7));
        while moments.len() < count {
            if pace.due() > at {
                at = Stamp(pace.due().0 + late(pace.due().0));
            }
            moments.push(at.0);
            pace.step(at);
        }
        moments
    }

    fn most_in_a_second(moments: &[u64]) -> usize {
        let within = |(index, first): (usize, &u64)| {
            moments.iter().skip(index).take_while(|at| **at < first + 1000).count()
        };
        moments.iter().enumerate().map(within).max().unwrap()
    }

    #[test]
    fn any_second_has_exactly_the_rate_when_nothing_is_late() {
        for rate in (1..=500).step_by(7).chain([2, 3, 49, 50, 51, 499, 500]) {
            let moments = moments(rate, 4 * rate as usize + 1, |_| 0);
            assert_eq!(moments.first(), Some(&7), "the first goes at once");
            for (one, later) in moments.iter().zip(moments.iter().skip(rate as usize)) {
                assert_eq!(later - one, 1000, "{rate}: one in, one out");
            }
        }
    }

    #[test]
    fn no_second_ever_has_more_whatever_is_late() {
        for rate in [1, 3, 7, 49, 50, 51, 99, 250, 499, 500] {
            for most in [1, 3, 19, 20, 21, 400, 7000] {
                let late = |due: u64| due * 2_654_435_761 % (most + 1);
                let moments = moments(rate, 3 * rate as usize + 20, late);
                assert!(most_in_a_second(&moments) <= rate as usize, "{rate} late by {most}");
            }
        }
    }

    #[test]
    fn a_slot_has_no_more_than_its_share_after_a_pause() {
        let moments = moments(500, 40, |due| if due == 27 { 60_000 } else { 0 });
        assert_eq!(moments.iter().filter(|at| **at == 60_027).count(), 10);
        assert_eq!(moments.iter().filter(|at| **at == 60_047).count(), 10);
    }
}
