//! A process that owns the partition, or believes so: an owner with its inbox and its callers,
//! driven by hand instead of by the engine's task.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use lineside_core::command::{Command, Reply};
use lineside_core::limits::Limits;
use lineside_core::stamp::{Millis, Stamp};
use lineside_engine::log::AppendError;
use lineside_engine::owner::{Now, Owner};
use lineside_engine::request::{Advanced, CallError, Request};
use lineside_store::memory::{ConnectionId, MemoryLog};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::checkpoints::{self, Checkpointing};
use crate::ledger::{CallId, CallTag, Seen, Sight};
use crate::model::{Check, ensure};

/// The machine's time when a world begins.
const BEGINNING: u64 = 1_700_000_000_000;

/// What a call came to.
pub(crate) type Told = Result<Reply, CallError>;

/// An owner with everything around it.
pub(crate) struct Host {
    /// Its index among the tenures.
    pub(crate) number: usize,
    pub(crate) owner: Owner,
    pub(crate) checkpointing: Checkpointing,
    /// It read only the log's tail.
    pub(crate) from_checkpoint: bool,
    pub(crate) log: MemoryLog,
    /// It takes no more calls, and ends when everything is durable.
    pub(crate) stopping: bool,
    inbox: VecDeque<Request>,
    callers: Vec<Caller>,
    advance: Option<(Millis, oneshot::Receiver<Result<Advanced, CallError>>)>,
    seen: Seen,
    started: u64,
    /// How far its clock is ahead of the world's, or behind.
    skew: i64,
}

/// Somebody who called. Who has gone hears nothing, and may still be waited for.
struct Caller {
    call: CallId,
    tag: CallTag,
    answer: Option<oneshot::Receiver<Told>>,
    /// The owner has looked at it before, and it waits.
    waits: bool,
}

/// What was decided, for whom, and whether they had waited for it.
pub(crate) struct Seeing {
    pub(crate) call: Option<CallId>,
    pub(crate) waited: bool,
    pub(crate) sight: Sight,
}

impl Host {
    /// Reads the log and submits the take-over.
    pub(crate) fn start(
        log: MemoryLog,
        limits: &Limits,
        compared: bool,
        (number, time, skew): (usize, u64, i64),
    ) -> Check<Host> {
        let (owner, checkpointing, from_checkpoint) = checkpoints::start(&log, limits, compared)?;
        let seen = Seen::default();
        let mut host = Host {
            number,
            owner,
            checkpointing,
            from_checkpoint,
            log,
            stopping: false,
            inbox: VecDeque::new(),
            callers: Vec::new(),
            advance: None,
            seen: seen.clone(),
            started: time,
            skew,
        };
        host.owner.watched_by(Box::new(seen));
        host.owner.take_over(host.now(time));
        Ok(host)
    }

    /// What its clocks show at the world's time.
    pub(crate) fn now(&self, time: u64) -> Now {
        let stamp = Stamp((BEGINNING + time).saturating_add_signed(self.skew));
        Now { stamp, patience: Millis(time - self.started) }
    }

    /// The world's time at which it wants its next turn.
    pub(crate) fn wake_at(&self) -> Option<u64> {
        let (due, patience) = self.owner.wake_at();
        let due = due.map(|due| due.0.saturating_add_signed(-self.skew).saturating_sub(BEGINNING));
        let patience = patience.map(|patience| patience.0.saturating_add(self.started));
        [due, patience].into_iter().flatten().min()
    }

    pub(crate) fn connection(&self) -> ConnectionId {
        self.log.connection()
    }

    /// Puts a call into the inbox. A canary has no name to know it by, so there is one at a time.
    pub(crate) fn call(&mut self, call: CallId, command: Command) -> bool {
        let tag = CallTag::of(&command);
        if self.callers.iter().any(|caller| caller.tag == tag) {
            return false;
        }
        let (reply, answer) = oneshot::channel();
        self.callers.push(Caller { call, tag, answer: Some(answer), waits: false });
        self.inbox.push_back(Request::Call { command, reply });
        true
    }

    /// Asks for time to be moved, unless that is under way.
    pub(crate) fn steer_time(&mut self, by: Millis) -> bool {
        if self.advance.is_some() {
            return false;
        }
        let (reply, answer) = oneshot::channel();
        self.advance = Some((by, answer));
        self.inbox.push_back(Request::Advance { by, reply });
        true
    }

    /// Somebody hangs up. Who may be waited for stays known; a canary is never waited for, and would
    /// keep others from being sent.
    pub(crate) fn hang_up(&mut self, nth: usize) -> Option<CallId> {
        let open = self.callers.iter().enumerate().filter(|(_, caller)| caller.answer.is_some());
        let open: Vec<usize> = open.map(|(index, _)| index).collect();
        let index = *open.get(nth.checked_rem(open.len())?)?;
        let caller = self.callers.get_mut(index)?;
        caller.answer = None;
        let call = caller.call;
        if caller.tag == CallTag::of(&Command::Canary) {
            self.callers.remove(index);
        }
        Some(call)
    }

    /// One turn; afterwards nobody may wait whose patience is over.
    pub(crate) fn turn(&mut self, time: u64) -> Check {
        let now = self.now(time);
        self.owner.turn(now, &mut self.inbox);
        drop(self.owner.take_garbage());
        let late = self.owner.waiting().find(|(_, until)| *until <= now.patience);
        ensure!(late.is_none(), "somebody waits beyond the end: {late:?}");
        Ok(())
    }

    /// Those who wait for something to be there.
    pub(crate) fn waiting(&self) -> Vec<CallId> {
        let tags = self.owner.waiting().map(|(command, _)| CallTag::of(command));
        tags.filter_map(|tag| self.known(tag)).collect()
    }

    fn known(&self, tag: CallTag) -> Option<CallId> {
        self.callers.iter().find(|caller| caller.tag == tag).map(|caller| caller.call)
    }

    /// Looks at the log's answers; the error with which the owner ended.
    pub(crate) fn poll(&mut self, time: u64) -> Option<AppendError> {
        let mut context = Context::from_waker(futures::task::noop_waker_ref());
        match self.owner.poll_log(&mut context, self.now(time)) {
            Poll::Ready(Err(error)) => Some(error),
            Poll::Ready(Ok(())) | Poll::Pending => None,
        }
    }

    /// Everything that was decided since the last look.
    pub(crate) fn sights(&mut self) -> Vec<Seeing> {
        let sights = self.seen.take();
        sights.into_iter().map(|sight| self.seeing(sight)).collect()
    }

    fn seeing(&mut self, sight: Sight) -> Seeing {
        let caller = match &sight {
            Sight::Decided { tag, .. } => self.callers.iter_mut().find(|c| c.tag == *tag),
            Sight::Happened { .. } => None,
        };
        let call = caller.as_ref().map(|caller| caller.call);
        let waited = caller.is_some_and(|caller| std::mem::replace(&mut caller.waits, true));
        Seeing { call, waited, sight }
    }

    /// The answers that were told since the last look; `None`: it will never be told.
    pub(crate) fn answers(&mut self) -> Vec<(CallId, Option<Told>)> {
        let mut told = Vec::new();
        self.callers.retain_mut(|caller| {
            let Some(answer) = &mut caller.answer else { return true };
            match answer.try_recv() {
                Ok(answer) => told.push((caller.call, Some(answer))),
                Err(TryRecvError::Closed) => told.push((caller.call, None)),
                Err(TryRecvError::Empty) => return true,
            }
            false
        });
        told
    }

    /// The time to which a wish has moved it, if it has; it is not before that any more.
    pub(crate) fn advanced(&mut self, time: u64) -> Check<Option<Stamp>> {
        let Some((by, answer)) = &mut self.advance else { return Ok(None) };
        let (by, told) = (*by, answer.try_recv());
        if told != Err(TryRecvError::Empty) {
            self.advance = None;
        }
        let Ok(Ok(advanced)) = told else { return Ok(None) };
        let stamp = self.owner.stamp(self.now(time));
        ensure!(advanced.by == by, "time was to move by {by:?} and moved by {:?}", advanced.by);
        ensure!(stamp >= advanced.now, "time was moved to {:?} and is {stamp:?}", advanced.now);
        Ok(Some(advanced.now))
    }

    /// Whether nobody waits for anything from it.
    pub(crate) fn is_idle(&self) -> bool {
        let open = self.callers.iter().any(|caller| caller.answer.is_some());
        self.inbox.is_empty() && self.owner.is_drained() && !open && self.advance.is_none()
    }

    /// The process ends, and with it the inbox and every promise; who called and heard nothing.
    pub(crate) fn die(self) -> Vec<CallId> {
        let Host { owner, inbox, callers, .. } = self;
        drop((owner, inbox));
        let open = callers.into_iter().filter(|caller| caller.answer.is_some());
        open.map(|caller| caller.call).collect()
    }
}
