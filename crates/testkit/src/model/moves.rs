//! Moving messages out of a queue, by the rules: one after another in the order of their numbers,
//! who can be received when its turn comes, never more in any second than the rate allows.

use lineside_core::command::{Command, Reply};
use lineside_core::fact::{Fact, Moved};
use lineside_core::id::{MessageId, Name, Place, QueueId, Seq};
use lineside_core::queue::{MoveFailure, MoveStatus, MoveTask, QueueKind};
use lineside_core::refusal::QueueRefusal;
use lineside_core::stamp::{Millis, Stamp};

use super::names::{is_refused, missing};
use super::polled::{Message, Polled};
use super::{Answer, Check, Decided, Model, Moment, Queue, Violation, ensure, expect};

/// A task, and what is remembered of it to check what it does.
#[derive(Clone, Debug)]
pub(super) struct Task {
    view: MoveTask,
    /// The last number that there was when it started.
    last: u64,
    /// Who had a number up to here has had its turn.
    turned: u64,
    /// When each message was moved.
    moments: Vec<Stamp>,
    /// When it last did anything.
    acted_at: Option<Stamp>,
}

impl Task {
    fn is_active(&self) -> bool {
        matches!(self.view.status, MoveStatus::Running | MoveStatus::Cancelling)
    }

    /// Whether it must do something by now, if there is anything to do.
    fn owes(&self, at: Stamp) -> bool {
        match (self.view.status, self.view.rate, self.moments.last()) {
            (MoveStatus::Cancelling, _, _) => true,
            (_, None, _) => self.acted_at.is_none_or(|acted_at| acted_at < at),
            (_, Some(_), None) => true,
            // A slot later than evenly, at most.
            (_, Some(rate), Some(last)) => {
                at.since(*last) >= Millis(1000 / u64::from(rate.max(1)) + 21)
            }
        }
    }

    /// Whether one more in this moment is as many in a second as the rate allows.
    fn keeps_its_rate(&self, at: Stamp) -> bool {
        let Some(rate) = self.view.rate else { return true };
        let before = self.moments.len().checked_sub(rate as usize);
        let before = before.and_then(|index| self.moments.get(index));
        before.is_none_or(|before| at.since(*before) >= Millis(1000))
    }
}

/// What one tick does with a queue's task.
struct Outcome {
    task: Task,
    gone: Vec<Seq>,
    arrivals: Vec<(QueueId, Message)>,
}

impl Model {
    /// Commands about moves.
    pub(super) fn about_moves(&mut self, now: Moment, decided: Decided<'_>) -> Check {
        let (Command::StartMove { source, .. }
        | Command::ListMoves { source, .. }
        | Command::CancelMove { source, .. }) = decided.command
        else {
            return Ok(());
        };
        let Some((queue, _)) = self.polled(source) else {
            return expect(decided.answer, &Err(missing(source)));
        };
        match decided.command {
            Command::StartMove { destination, rate, .. } => {
                self.start_move(now, (queue, source), (destination.as_ref(), *rate), decided.answer)
            }
            Command::CancelMove { task, .. } => self.cancel_move(queue, *task, decided.answer),
            Command::ListMoves { limit, .. } => {
                let Some(Queue::Polled(polled)) = self.queues.get(&queue) else { return Ok(()) };
                let last = polled.tasks.iter().rev().take(10).take(*limit);
                let listed = last.map(|task| task.view.clone()).collect();
                expect(decided.answer, &Ok(Reply::Moves(listed)))
            }
            _ => Ok(()),
        }
    }

    fn start_move(
        &mut self,
        now: Moment,
        (queue, source): (QueueId, &Name),
        (destination, rate): (Option<&Name>, Option<u32>),
        answer: &Answer,
    ) -> Check {
        let objections = self.objections_to_move((queue, source), destination, rate);
        if is_refused(answer, &objections)? {
            return Ok(());
        }
        let id = self.id_at(now.here);
        expect(answer, &Ok(Reply::MoveStarted { task: id }))?;
        let Some(Queue::Polled(polled)) = self.queues.get_mut(&queue) else { return Ok(()) };
        let view = MoveTask {
            id,
            destination: destination.cloned(),
            rate,
            started_at: now.at,
            to_move: polled.described(now.at).visible as u64,
            moved: 0,
            status: MoveStatus::Running,
        };
        let last = polled.last;
        polled.tasks.push(Task { view, last, turned: 0, moments: Vec::new(), acted_at: None });
        Ok(())
    }

    fn objections_to_move(
        &self,
        (queue, source): (QueueId, &Name),
        destination: Option<&Name>,
        rate: Option<u32>,
    ) -> Vec<QueueRefusal> {
        let (mut objections, limit) = (Vec::new(), self.limits.move_rate_max);
        if rate.is_some_and(|rate| rate < 1 || rate > limit) {
            objections.push(QueueRefusal::MoveRate { limit });
        }
        let here = self.polled(source).map(|(_, polled)| polled);
        if let Some(name) = destination.cloned() {
            match self.polled(&name) {
                None => objections.push(QueueRefusal::MoveDestinationMissing { name }),
                Some((to, _)) if to == queue => objections.push(QueueRefusal::MoveToItself),
                Some((_, to)) if here.is_some_and(|here| here.kind != to.kind) => {
                    objections.push(QueueRefusal::MoveDestinationKind { name });
                }
                Some(_) => {}
            }
        }
        if self.sources_of(source).is_empty() {
            objections.push(QueueRefusal::NotADeadLetterQueue { name: source.clone() });
        }
        if here.is_some_and(|here| here.tasks.iter().any(Task::is_active)) {
            objections.push(QueueRefusal::MoveRunning);
        }
        objections
    }

    fn cancel_move(&mut self, queue: QueueId, id: MessageId, answer: &Answer) -> Check {
        let Some(Queue::Polled(polled)) = self.queues.get_mut(&queue) else { return Ok(()) };
        let mut known = polled.tasks.iter_mut().rev().take(10);
        let Some(task) = known.find(|task| task.view.id == id) else {
            return expect(answer, &Err(QueueRefusal::MoveMissing.into()));
        };
        if task.view.status != MoveStatus::Running {
            return expect(answer, &Err(QueueRefusal::MoveNotRunning.into()));
        }
        task.view.status = MoveStatus::Cancelling;
        expect(answer, &Ok(Reply::MoveCancelled { moved: task.view.moved }))
    }

    /// What time brings to all tasks; `all`: all that is due has to have happened.
    pub(super) fn moves_ticked(&mut self, now: Moment, facts: &[Fact], all: bool) -> Check {
        let queues: Vec<QueueId> = self.queues.keys().copied().collect();
        let mut given: Vec<QueueId> = Vec::new();
        let mut outcomes = Vec::new();
        // In the order of the facts, since the numbers that they give follow one another.
        let first = |id: &QueueId| facts.iter().position(|fact| source_of(fact) == Some(*id));
        let mut ordered = queues.clone();
        ordered.sort_by_key(|id| first(id).unwrap_or(usize::MAX));
        for id in ordered {
            let outcome = self.move_ticked(id, now, facts, all, &mut given)?;
            outcomes.extend(outcome.map(|outcome| (id, outcome)));
        }
        for (id, Outcome { task, gone, arrivals }) in outcomes {
            if let Some(Queue::Polled(polled)) = self.queues.get_mut(&id) {
                polled.messages.retain(|message| !gone.contains(&message.seq));
                polled.tasks.pop();
                polled.tasks.push(task);
            }
            for (to, message) in arrivals {
                if let Some(Queue::Polled(polled)) = self.queues.get_mut(&to) {
                    polled.push(message);
                }
            }
        }
        Ok(())
    }

    fn move_ticked(
        &self,
        id: QueueId,
        now: Moment,
        facts: &[Fact],
        all: bool,
        given: &mut Vec<QueueId>,
    ) -> Check<Option<Outcome>> {
        let Some(Queue::Polled(queue)) = self.queues.get(&id) else { return Ok(None) };
        let mine: Vec<(usize, &Fact)> =
            facts.iter().enumerate().filter(|(_, fact)| source_of(fact) == Some(id)).collect();
        let task = queue.tasks.last().filter(|task| task.is_active());
        // Who has outlived the retention goes first.
        let Some(task) = task.filter(|_| queue.due(now.at) == 0) else {
            ensure!(mine.is_empty(), "nothing is to be moved out of {}: {mine:?}", queue.name);
            return Ok(None);
        };
        if mine.is_empty() {
            ensure!(!all || !task.owes(now.at), "a move out of {} stands: {task:?}", queue.name);
            return Ok(None);
        }
        let outcome = Outcome { task: task.clone(), gone: Vec::new(), arrivals: Vec::new() };
        let mut walk = Walk { model: self, id, queue, at: now.at, outcome };
        for (index, fact) in &mine {
            walk.fact(fact, now.here.plus(*index), given)?;
            walk.outcome.task.acted_at = Some(now.at);
        }
        walk.stopped_for_a_reason(task, all)?;
        Ok(Some(walk.outcome))
    }

    /// Where a message is to go, by the name of the queue.
    fn destination(
        &self,
        name: Option<&Name>,
        kind: QueueKind,
    ) -> Result<(QueueId, &Polled), MoveFailure> {
        let name = name.ok_or(MoveFailure::NoOrigin)?;
        let (id, polled) = self.polled(name).ok_or(MoveFailure::DestinationGone)?;
        if polled.kind == kind { Ok((id, polled)) } else { Err(MoveFailure::KindsDiffer) }
    }
}

/// One queue's task in one tick.
struct Walk<'a> {
    model: &'a Model,
    id: QueueId,
    queue: &'a Polled,
    at: Stamp,
    outcome: Outcome,
}

impl<'a> Walk<'a> {
    /// Those of the queue who have not had their turn and are still there.
    fn rest(&self) -> impl Iterator<Item = &'a Message> {
        let (turned, last) = (self.outcome.task.turned, self.outcome.task.last);
        let range = move |message: &&Message| message.seq.0 > turned && message.seq.0 <= last;
        self.queue.messages.iter().filter(range)
    }

    fn can_be_moved(&self, message: &Message) -> bool {
        let is_before = |other: &Message| {
            other.seq < message.seq
                && other.group == message.group
                && !self.outcome.gone.contains(&other.seq)
        };
        let overtakes =
            self.queue.kind == QueueKind::Fifo && self.queue.messages.iter().any(is_before);
        !message.is_leased(self.at) && self.queue.shown_from(message) <= self.at && !overtakes
    }

    fn next(&self) -> Option<&'a Message> {
        self.rest().find(|message| self.can_be_moved(message))
    }

    fn fact(&mut self, fact: &Fact, here: Place, given: &mut Vec<QueueId>) -> Check {
        ensure!(self.outcome.task.is_active(), "it has ended, and then {fact:?}");
        match fact {
            Fact::Moved(moved) => self.moved(moved, here, given),
            Fact::MovePassed(passed) => {
                let over: Vec<&Message> =
                    self.rest().filter(|message| message.seq <= passed.seq).collect();
                let passes = over.iter().all(|message| !self.can_be_moved(message));
                let is_long = over.len() >= self.model.limits.move_scan_max;
                ensure!(passes && is_long, "{passed:?} passes over {over:?}");
                self.outcome.task.turned = passed.seq.0;
                self.is_of(passed.task)
            }
            Fact::MoveEnded(ended) => {
                let expected = self.ends_as();
                ensure!(expected == Some(ended.status), "{ended:?} should be {expected:?}");
                self.outcome.task.view.status = ended.status;
                self.is_of(ended.task)
            }
            other => Err(Violation(format!("time cannot bring {other:?}"))),
        }
    }

    fn is_of(&self, task: MessageId) -> Check {
        let id = self.outcome.task.view.id;
        ensure!(task == id, "{task} should be {id}");
        Ok(())
    }

    /// How the task would end, if it ended here.
    fn ends_as(&self) -> Option<MoveStatus> {
        if self.outcome.task.view.status == MoveStatus::Cancelling {
            return Some(MoveStatus::Cancelled);
        }
        let Some(next) = self.next() else { return Some(MoveStatus::Completed) };
        let name = self.outcome.task.view.destination.as_ref().or(next.origin.as_ref());
        self.model.destination(name, self.queue.kind).err().map(MoveStatus::Failed)
    }

    fn moved(&mut self, moved: &Moved, here: Place, given: &mut Vec<QueueId>) -> Check {
        self.is_of(moved.task)?;
        let running = self.outcome.task.view.status == MoveStatus::Running;
        ensure!(running && self.outcome.task.keeps_its_rate(self.at), "too soon for {moved:?}");
        let Some(message) = self.next() else {
            return Err(Violation(format!("nobody can be moved, and {moved:?} was")));
        };
        let name = self.outcome.task.view.destination.as_ref().or(message.origin.as_ref());
        let to = self.model.destination(name, self.queue.kind);
        let Ok((to, destination)) = to else {
            return Err(Violation(format!("{moved:?} cannot go there: {to:?}")));
        };
        let earlier = given.iter().filter(|queue| **queue == to).count() as u64;
        given.push(to);
        let expected = Moved {
            from: self.id,
            seq: message.seq,
            to,
            to_seq: Seq(destination.last + 1 + earlier),
            task: moved.task,
            id: self.model.id_at(here),
            body: message.body,
            visible_at: self.at + destination.settings.delay,
            group: message.group.clone(),
        };
        ensure!(*moved == expected, "moved is\n  {moved:?}\nand should be\n  {expected:?}");
        self.outcome.gone.push(message.seq);
        let task = &mut self.outcome.task;
        task.turned = message.seq.0;
        task.moments.push(self.at);
        task.view.moved += 1;
        self.outcome.arrivals.push((to, fresh(&expected, self.at)));
        Ok(())
    }

    /// Without a rate a step ends when it has moved as many as it may, or has looked at as many, or
    /// with the task.
    fn stopped_for_a_reason(&self, before: &Task, all: bool) -> Check {
        let (task, limits) = (&self.outcome.task, &self.model.limits);
        let moved = self.outcome.gone.len();
        ensure!(moved <= limits.move_step_max, "{moved} at once");
        if !all || !task.is_active() || task.view.rate.is_some() {
            return Ok(());
        }
        let until = self.next().map_or(u64::MAX, |next| next.seq.0);
        let looked_at = self.queue.messages.iter().filter(|message| {
            message.seq.0 > before.turned && message.seq.0 <= until.min(task.last)
        });
        let is_tired = looked_at.count() >= limits.move_scan_max;
        ensure!(moved == limits.move_step_max || is_tired, "it could go on: {task:?}");
        Ok(())
    }
}

/// The message as it is where it came to: a new one.
pub(super) fn fresh(moved: &Moved, at: Stamp) -> Message {
    Message {
        seq: moved.to_seq,
        id: moved.id,
        body: moved.body,
        sent_at: at,
        visible_at: moved.visible_at,
        receives: 0,
        receives_here: 0,
        first_received_at: None,
        lease: None,
        origin: None,
        reason: None,
        group: moved.group.clone(),
    }
}

/// The queue whose task brought a fact.
pub(super) fn source_of(fact: &Fact) -> Option<QueueId> {
    match fact {
        Fact::Moved(moved) => Some(moved.from),
        Fact::MovePassed(passed) => Some(passed.queue),
        Fact::MoveEnded(ended) => Some(ended.queue),
        _ => None,
    }
}

impl Polled {
    /// About how many messages its task may move now.
    pub(super) fn moves_due(&self, step_max: usize) -> usize {
        let is_moving = self.tasks.last().is_some_and(Task::is_active);
        if is_moving { 1 + self.messages.len().min(step_max) } else { 0 }
    }
}
