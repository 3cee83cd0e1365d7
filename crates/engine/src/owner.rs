//! The owner of a partition: decides, evolves, submits, and holds answers until they are durable.
//! It does no waiting and reads no clock, so that a simulation can drive it step by step.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use lineside_core::command::{Command, Reply, Verdict};
use lineside_core::fact::{Batch, ClockMoved, Fact, Facts};
use lineside_core::id::{PartitionId, Place, Position, QueueId};
use lineside_core::limits::Limits;
use lineside_core::partition::{Garbage, Partition};
use lineside_core::stamp::{Millis, Stamp};
use tokio::sync::oneshot;

use crate::checkpoint::Piece;
use crate::log::{AppendError, Log, LogFault, Room, Ticket};
use crate::replay::Replay;
use crate::request::{Advanced, CallError, Fired, Request};
use crate::waiters::{Answer, Waiters};
use crate::witness::Witness;

/// Most facts in one turn, and in one batch.
pub const TURN_FACTS_MAX: usize = 4096;
/// Most messages' worth of due work that one turn does before it looks at its inbox.
const TICK_FACTS_MAX: usize = 256;
/// Bytes decided and not yet submitted, beyond which a turn takes nothing more in.
const FILLING_BYTES_MAX: u64 = 32 << 20;
/// What a command's facts may add to the log beside bodies.
pub(crate) const FACT_BYTES_MAX: u64 = 4096;
/// A batch of nothing but soft facts waits so long for a hard one.
pub const SOFT_PATIENCE: Millis = Millis(100);

/// The two clocks that a turn is told.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The machine's time; the steerable offset is added here.
    pub stamp: Stamp,
    /// Real time since the engine's start, for the patience of open connections.
    pub patience: Millis,
}

/// One owner of one partition.
pub struct Owner {
    log: Arc<dyn Log>,
    id: PartitionId,
    partition: Partition,
    /// Where the next batch goes.
    next: Position,
    durable: Position,
    filling: Filling,
    in_flight: VecDeque<(Position, Ticket)>,
    held: VecDeque<Held>,
    waiters: Waiters,
    advance: Option<Advance>,
    opened_at: Position,
    evolved: u64,
    witness: Option<Box<dyn Witness>>,
    snapshotting: Option<Snapshotting>,
    logged: u64,
    state_bytes_max: u64,
    /// Nothing happens by time alone any more.
    rests: bool,
}

/// How far a checkpoint has come.
#[derive(Default)]
struct Snapshotting {
    after: Option<QueueId>,
    moved: Vec<Place>,
}

#[derive(Default)]
struct Filling {
    batches: Vec<(Batch, Room)>,
    bytes: u64,
    has_hard: bool,
    soft_since: Option<Millis>,
}

struct Held {
    rests_on: Position,
    answer: HeldAnswer,
}

enum HeldAnswer {
    Call(Answer, Result<Reply, CallError>),
    Advance(oneshot::Sender<Result<Advanced, CallError>>, Advanced),
}

impl HeldAnswer {
    fn tell(self) {
        match self {
            HeldAnswer::Call(answer, reply) => drop(answer.send(reply)),
            HeldAnswer::Advance(answer, advanced) => drop(answer.send(Ok(advanced))),
        }
    }
}

struct Advance {
    start: Stamp,
    at: Stamp,
    target: Stamp,
    fired: Vec<Fired>,
    reply: oneshot::Sender<Result<Advanced, CallError>>,
}

impl Owner {
    /// Reads the whole log and folds its facts. The owner may not serve before
    /// [`Owner::take_over`] is durable ([`Owner::is_ready`]).
    pub async fn replay(
        log: Arc<dyn Log>,
        id: PartitionId,
        limits: Limits,
    ) -> Result<Owner, LogFault> {
        Owner::resume(log, id, Partition::new(id, limits), Position::default()).await
    }

    /// As [`Owner::replay`], with the log from `begin` on folded onto a checkpoint's state. Facts
    /// that are damaged are an error: what comes after them cannot be known.
    pub async fn resume(
        log: Arc<dyn Log>,
        id: PartitionId,
        partition: Partition,
        begin: Position,
    ) -> Result<Owner, LogFault> {
        let replay = Replay::of(log.as_ref(), id, partition, begin).await?;
        match replay.damage {
            Some(damage) => Err(damage),
            None => Ok(Owner::of(log, id, replay.partition, replay.next)),
        }
    }

    /// The owner of a state that reflects the whole log, which ends before `next`.
    pub(crate) fn of(
        log: Arc<dyn Log>,
        id: PartitionId,
        partition: Partition,
        next: Position,
    ) -> Owner {
        Owner {
            log,
            id,
            partition,
            next,
            durable: next,
            filling: Filling::default(),
            in_flight: VecDeque::new(),
            held: VecDeque::new(),
            waiters: Waiters::default(),
            advance: None,
            opened_at: Position(u64::MAX),
            evolved: 0,
            witness: None,
            snapshotting: None,
            logged: 0,
            state_bytes_max: u64::MAX,
            rests: false,
        }
    }

    /// Submits `Opened` of the next epoch; when it is durable, every earlier owner is fenced.
    pub fn take_over(&mut self, now: Now) {
        let at = self.stamp(now);
        self.opened_at = self.next;
        let opening = Facts::one(self.partition.opening());
        self.happen(at, now, opening);
        self.submit(now);
    }

    /// Whether the take-over is durable.
    pub fn is_ready(&self) -> bool {
        self.durable > self.opened_at
    }

    /// From here on `witness` sees what is decided.
    pub fn watched_by(&mut self, witness: Box<dyn Witness>) {
        self.witness = Some(witness);
    }

    /// From here on what would make the state larger than so many bytes is refused; without it, the
    /// state has no bound.
    pub fn bound_state(&mut self, bytes: u64) {
        self.state_bytes_max = bytes;
    }

    /// The commands whose callers wait for something to be there, and until when on the clock of
    /// patience.
    pub fn waiting(&self) -> impl Iterator<Item = (&Command, Millis)> {
        self.waiters.iter().map(|waiter| (&waiter.command, waiter.until))
    }

    /// The state.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// How many facts this owner has evolved since its replay.
    pub fn evolved(&self) -> u64 {
        self.evolved
    }

    /// About how many bytes this owner has put into the log since its replay.
    pub fn logged(&self) -> u64 {
        self.logged
    }

    /// Up to here (exclusive), what was decided is durable.
    pub fn durable(&self) -> Position {
        self.durable
    }

    /// Begins a checkpoint, giving up one that is under way.
    pub fn begin_checkpoint(&mut self) -> Piece {
        self.snapshotting = Some(Snapshotting::default());
        Piece::Begin(self.next_place())
    }

    /// The next pieces of a checkpoint: copies of about `weight` pointers. With the last one comes
    /// the position up to which (exclusive) the log must be durable before the checkpoint may be
    /// completed, since state is ahead of the log.
    pub fn checkpoint_slice(&mut self, weight: usize) -> (Vec<Piece>, Option<Position>) {
        let (mut pieces, mut left) = (Vec::new(), weight);
        let Some(mut under_way) = self.snapshotting.take() else { return (pieces, None) };
        while left > 0 {
            let Some(resource) = self.partition.snapshot_after(under_way.after) else {
                let header = self.partition.snapshot_header();
                pieces.push(Piece::End { header, moved: under_way.moved });
                return (pieces, Some(self.next));
            };
            left = left.saturating_sub(resource.weight().max(1));
            under_way.after = Some(resource.id());
            pieces.push(Piece::Resource(Box::new(resource)));
        }
        self.snapshotting = Some(under_way);
        (pieces, None)
    }

    /// No fact to come stands before this place.
    pub fn next_place(&self) -> Place {
        match self.filling.batches.last() {
            Some((batch, _)) => {
                let position = Position(self.next.0.saturating_sub(1));
                Place { position, index: 0 }.plus(batch.facts.len())
            }
            None => Place { position: self.next, index: 0 },
        }
    }

    /// The moment that `now` is for what is stored: never before the last batch.
    pub fn stamp(&self, now: Now) -> Stamp {
        let header = self.partition.header();
        match &self.advance {
            Some(advance) => advance.at.max(header.last),
            None => (now.stamp + header.offset).max(header.last),
        }
    }

    /// One bounded turn: what time made due, then the inbox in order, then those who wait.
    pub fn turn(&mut self, now: Now, inbox: &mut VecDeque<Request>) {
        self.step_advance(now);
        let at = self.stamp(now);
        self.tick(at, now);
        self.serve_visible(at, now);
        let bound = self.evolved + TURN_FACTS_MAX as u64;
        while self.evolved < bound && !self.is_full() {
            match inbox.pop_front() {
                Some(Request::Call { command, reply }) => self.call(at, now, command, reply),
                Some(Request::Advance { by, reply }) => self.start_advance(at, by, reply),
                None => break,
            }
        }
        self.dismiss_impatient(at, now);
        self.submit_if_due(now);
    }

    /// Whether so much is decided and not yet submitted that a turn takes nothing more in.
    pub fn is_full(&self) -> bool {
        self.filling.bytes >= FILLING_BYTES_MAX
    }

    /// What purges and deletions left behind, to be dropped off the loop.
    pub fn take_garbage(&mut self) -> Option<Garbage> {
        self.partition.take_garbage()
    }

    /// Whether a turn would do something at once, without a request.
    pub fn has_work(&self, now: Now) -> bool {
        let at = self.stamp(now);
        self.advance.is_some() || self.next_due().is_some_and(|due| due <= at)
    }

    /// The moments at which the next turn is due without a request: on the clock of what is stored
    /// (without the offset), and on that of patience.
    pub fn wake_at(&self) -> (Option<Stamp>, Option<Millis>) {
        let due = [self.next_due(), self.waiters.next_visible()].into_iter().flatten().min();
        let offset = self.partition.header().offset;
        let due = due.map(|due| Stamp(due.0.saturating_sub(offset.0)));
        let soft = self.filling.soft_since.filter(|_| self.in_flight.is_empty());
        let soft = soft.map(|since| Millis(since.0 + SOFT_PATIENCE.0));
        (due, [self.waiters.next_deadline(), soft].into_iter().flatten().min())
    }

    /// Looks at what was submitted; answers what has become durable. Ready(Err) when a ticket
    /// failed: memory is then ahead of the log, every caller has been told, and this owner is done.
    pub fn poll_log(&mut self, cx: &mut Context<'_>, now: Now) -> Poll<Result<(), AppendError>> {
        let mut progress = false;
        while let Some((position, ticket)) = self.in_flight.front_mut() {
            match ticket.as_mut().poll(cx) {
                Poll::Pending => break,
                Poll::Ready(Ok(())) => self.durable = position.next(),
                Poll::Ready(Err(error)) => {
                    self.abandon(&error.to_string());
                    return Poll::Ready(Err(error));
                }
            }
            self.in_flight.pop_front();
            progress = true;
        }
        if !progress {
            return Poll::Pending;
        }
        self.release();
        self.submit_if_due(now);
        Poll::Ready(Ok(()))
    }

    /// Submits everything that was decided, soft facts too.
    pub fn flush(&mut self, now: Now) {
        if self.in_flight.is_empty() {
            self.submit(now);
        }
    }

    /// Whether everything that was decided is durable.
    pub fn is_drained(&self) -> bool {
        self.in_flight.is_empty() && self.filling.batches.is_empty() && self.held.is_empty()
    }

    /// From here on nothing happens by time alone. The last part of a shutdown: messages that are
    /// being moved would put it off until the last one has been.
    pub fn rest(&mut self) {
        self.rests = true;
    }

    fn next_due(&self) -> Option<Stamp> {
        self.partition.next_due().filter(|_| !self.rests)
    }

    /// Tells those who wait that there is nothing; part of a shutdown.
    pub fn dismiss_waiters(&mut self, now: Now) {
        let at = self.stamp(now);
        for waiter in self.waiters.drain() {
            self.answer_now(at, now, &waiter.command, waiter.answer);
        }
    }

    /// Tells every caller that it is not known what became of the call.
    fn abandon(&mut self, why: &str) {
        let error = || CallError::Unavailable(why.to_owned());
        for held in self.held.drain(..) {
            match held.answer {
                HeldAnswer::Call(answer, _) => drop(answer.send(Err(error()))),
                HeldAnswer::Advance(answer, _) => drop(answer.send(Err(error()))),
            }
        }
        for waiter in self.waiters.drain() {
            drop(waiter.answer.send(Err(error())));
        }
        if let Some(advance) = self.advance.take() {
            drop(advance.reply.send(Err(error())));
        }
    }

    fn call(&mut self, at: Stamp, now: Now, command: Command, answer: Answer) {
        if answer.is_closed() {
            return;
        }
        if command.grows() && self.partition.state_bytes() >= self.state_bytes_max {
            return drop(answer.send(Err(CallError::Budget)));
        }
        let room = match self.log.reserve(command.body_len() as u64 + FACT_BYTES_MAX) {
            Ok(room) => room,
            Err(_) if !command.grows() => Room::default(),
            Err(_) => return drop(answer.send(Err(CallError::Full))),
        };
        let (verdict, served) = self.decide(at, now, &command, room);
        let nothing_yet = matches!(&verdict.answer, Ok(reply) if reply.is_nothing_yet());
        let patience = self.partition.patience_of(&command);
        match self.partition.queue_of(&command) {
            Some(queue) if nothing_yet && patience > Millis::ZERO => {
                let until = Millis(now.patience.0.saturating_add(patience.0));
                self.waiters.add(queue, command, answer, until);
                self.note_visible(queue, at);
                // Who was served meanwhile may have brought what this one waits for.
                if served.iter().any(|other| *other != queue) {
                    self.serve(queue, at, now);
                }
            }
            _ => self.hold(verdict.rests_on, answer, verdict.answer.map_err(CallError::Refused)),
        }
    }

    /// Decides, and serves those who wait for what that brings: at these queues.
    fn decide(
        &mut self,
        at: Stamp,
        now: Now,
        command: &Command,
        room: Room,
    ) -> (Verdict, Vec<QueueId>) {
        let mut verdict = self.verdict(at, command);
        let facts = std::mem::take(&mut verdict.facts);
        let served = self.put(at, now, facts, room);
        (verdict, served)
    }

    fn verdict(&mut self, at: Stamp, command: &Command) -> Verdict {
        let here = self.here(at);
        let verdict = self.partition.decide(at, here, command);
        if let Some(witness) = &mut self.witness {
            witness.decided(at, here, command, &verdict);
        }
        verdict
    }

    /// Puts in facts that no command brought.
    fn happen(&mut self, at: Stamp, now: Now, facts: Facts) {
        let here = self.here(at);
        if let Some(witness) = &mut self.witness {
            witness.happened(at, here, &facts);
        }
        self.put(at, now, facts, Room::default());
    }

    fn answer_now(&mut self, at: Stamp, now: Now, command: &Command, answer: Answer) {
        let (verdict, _) = self.decide(at, now, command, Room::default());
        self.hold(verdict.rests_on, answer, verdict.answer.map_err(CallError::Refused));
    }

    /// Where the next fact goes: into the batch of this moment, or the next one.
    fn here(&self, at: Stamp) -> Place {
        match self.filling.batches.last() {
            Some((batch, _)) if batch.at == at && batch.facts.len() < TURN_FACTS_MAX => {
                self.next_place()
            }
            _ => Place { position: self.next, index: 0 },
        }
    }

    /// Evolves facts, puts them where they will be submitted, and serves those who wait for them.
    fn put(&mut self, at: Stamp, now: Now, facts: Facts, room: Room) -> Vec<QueueId> {
        let ripe = self.record(at, now, facts, room);
        ripe.iter().for_each(|queue| self.serve(*queue, at, now));
        ripe
    }

    /// Evolves facts and puts them where they will be submitted; the queues that somebody waits at.
    fn record(&mut self, at: Stamp, now: Now, facts: Facts, room: Room) -> Vec<QueueId> {
        let mut ripe = Vec::new();
        if facts.is_empty() {
            return ripe;
        }
        let here = self.here(at);
        self.count(&facts, now);
        for (index, fact) in facts.facts.iter().enumerate() {
            self.partition.evolve(at, here.plus(index), fact);
            let queues = fact.queues().into_iter().flatten();
            let rooms = fact.frees().map(QueueId::room);
            ripe.extend(queues.chain(rooms).filter(|queue| self.waiters.is_waited_at(*queue)));
        }
        if here.position == self.next {
            self.next = self.next.next();
            self.filling.batches.push((Batch { at, facts }, room));
        } else if let Some((batch, filled)) = self.filling.batches.last_mut() {
            batch.facts.extend(facts);
            filled.join(room);
        }
        ripe.dedup();
        ripe
    }

    fn count(&mut self, facts: &Facts, now: Now) {
        self.evolved += facts.len() as u64;
        let bodies: usize = facts.bodies.iter().map(|(_, body)| body.len()).sum();
        let bytes = bodies as u64 + 64 * facts.len() as u64;
        self.filling.bytes += bytes;
        self.logged += bytes;
        if let Some(under_way) = &mut self.snapshotting {
            under_way.moved.extend(facts.facts.iter().filter_map(moved_body));
        }
        if facts.facts.iter().any(|fact| !fact.is_soft()) {
            self.filling.has_hard = true;
        } else {
            self.filling.soft_since.get_or_insert(now.patience);
        }
    }

    /// Serves those who wait at a queue, and then at the queues that this moved something to.
    fn serve(&mut self, queue: QueueId, at: Stamp, now: Now) {
        loop {
            let (others, again) = self.serve_line(queue, at, now);
            others.into_iter().for_each(|other| self.serve(other, at, now));
            if !again {
                return;
            }
        }
    }

    /// Asks those who wait at a queue, in order of arrival, until one gets nothing that speaks for
    /// all. Gives the other queues where somebody may get something now, and whether somebody may
    /// here who was asked too early.
    fn serve_line(&mut self, queue: QueueId, at: Stamp, now: Now) -> (Vec<QueueId>, bool) {
        let (mut unserved, mut ripe, mut again) = (Vec::new(), Vec::new(), false);
        while let Some(waiter) = self.waiters.pop(queue) {
            let verdict = self.verdict(at, &waiter.command);
            let nothing_yet = matches!(&verdict.answer, Ok(reply) if reply.is_nothing_yet());
            again |= !unserved.is_empty() && !verdict.facts.is_empty();
            // Even a receive that gets nothing may have moved a dead letter to where others wait.
            ripe.extend(self.record(at, now, verdict.facts, Room::default()));
            if !nothing_yet {
                let reply = verdict.answer.map_err(CallError::Refused);
                self.hold(verdict.rests_on, waiter.answer, reply);
                continue;
            }
            let is_last = speaks_for_all(&waiter.command);
            unserved.push(waiter);
            if is_last {
                break;
            }
        }
        if !unserved.is_empty() {
            let back = unserved.into_iter().rev();
            back.for_each(|waiter| self.waiters.put_back(queue, waiter));
            self.note_visible(queue, at);
        }
        ripe.retain(|other| *other != queue);
        ripe.dedup();
        (ripe, again)
    }

    /// Serves where something may have become receivable by time alone.
    fn serve_visible(&mut self, at: Stamp, now: Now) {
        while let Some(queue) = self.waiters.pop_visible(at) {
            self.serve(queue, at, now);
        }
    }

    fn note_visible(&mut self, queue: QueueId, at: Stamp) {
        self.waiters.set_visible(queue, self.partition.next_visible(queue, at));
    }

    fn dismiss_impatient(&mut self, at: Stamp, now: Now) {
        while let Some((_, waiter)) = self.waiters.pop_impatient(now.patience) {
            self.answer_now(at, now, &waiter.command, waiter.answer);
        }
    }

    fn tick(&mut self, at: Stamp, now: Now) {
        if self.rests {
            return;
        }
        let facts = self.partition.tick(at, self.here(at), TICK_FACTS_MAX);
        if let Some(advance) = &mut self.advance {
            let fired = facts.facts.iter().map(|fact| Fired { at, what: describe(fact) });
            advance.fired.extend(fired.take(1000 - advance.fired.len().min(1000)));
        }
        self.happen(at, now, facts);
    }

    fn hold(&mut self, rests_on: Position, answer: Answer, reply: Result<Reply, CallError>) {
        if rests_on <= self.durable {
            drop(answer.send(reply));
        } else {
            self.held.push_back(Held { rests_on, answer: HeldAnswer::Call(answer, reply) });
        }
    }

    /// Tells what is durable now; what is not keeps its order.
    fn release(&mut self) {
        for _ in 0..self.held.len() {
            match self.held.pop_front() {
                Some(held) if held.rests_on <= self.durable => held.answer.tell(),
                Some(held) => self.held.push_back(held),
                None => return,
            }
        }
    }

    fn submit_if_due(&mut self, now: Now) {
        let patience_over =
            self.filling.soft_since.is_some_and(|s| s.0 + SOFT_PATIENCE.0 <= now.patience.0);
        if self.in_flight.is_empty() && (self.filling.has_hard || patience_over) {
            self.submit(now);
        }
    }

    fn submit(&mut self, _: Now) {
        let filling = std::mem::take(&mut self.filling);
        let first = self.next.0.saturating_sub(filling.batches.len() as u64);
        for (position, (batch, room)) in (first..).zip(filling.batches) {
            let ticket = self.log.submit(self.id, Position(position), room, batch);
            self.in_flight.push_back((Position(position), ticket));
        }
    }

    fn start_advance(
        &mut self,
        at: Stamp,
        by: Millis,
        reply: oneshot::Sender<Result<Advanced, CallError>>,
    ) {
        if self.advance.is_some() {
            let busy = CallError::Unavailable("time is being moved already".to_owned());
            return drop(reply.send(Err(busy)));
        }
        let fired = Vec::new();
        self.advance = Some(Advance { start: at, at, target: at + by, fired, reply });
    }

    /// One step of moving time: to the next moment at which something is due, or to the target.
    fn step_advance(&mut self, now: Now) {
        let Some(advance) = &self.advance else { return };
        let next =
            [self.partition.next_due(), self.waiters.next_visible()].into_iter().flatten().min();
        let target = advance.target;
        match next {
            Some(due) if due <= target => {
                if let Some(advance) = &mut self.advance {
                    advance.at = advance.at.max(due);
                }
            }
            _ => self.finish_advance(now),
        }
    }

    fn finish_advance(&mut self, now: Now) {
        let Some(advance) = self.advance.take() else { return };
        let offset = Millis(advance.target.0.saturating_sub(now.stamp.0));
        let moved = Facts::one(Fact::ClockMoved(ClockMoved { offset }));
        let by = advance.target.since(advance.start);
        let advanced = Advanced { now: advance.target, by, fired: advance.fired };
        self.happen(advance.target, now, moved);
        let answer = HeldAnswer::Advance(advance.reply, advanced);
        self.held.push_back(Held { rests_on: self.next, answer });
    }
}

/// The body of a message that a fact moves from one resource to another.
fn moved_body(fact: &Fact) -> Option<Place> {
    match fact {
        Fact::DeadLettered(moved) => Some(moved.body.place),
        Fact::Moved(moved) => Some(moved.body.place),
        _ => None,
    }
}

/// Whether nobody else who waits at its queue gets anything if this caller does not. Receivers of a
/// polled queue all want the same; at a broker queue each may want another session, or dead letters.
fn speaks_for_all(command: &Command) -> bool {
    matches!(command, Command::Receive { .. })
}

fn describe(fact: &Fact) -> String {
    let name = match fact {
        Fact::Expired(_) => "messages expired",
        Fact::Moved(_) => "a message moved",
        Fact::MoveEnded(_) => "a move of messages ended",
        Fact::Broker(_) => "a broker queue's time came",
        _ => "due",
    };
    let queues = fact.queues().into_iter().flatten().map(|q| format!(" in queue {}", q.0));
    format!("{name}{}", queues.collect::<String>())
}
