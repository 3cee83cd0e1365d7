//! The one waiting mechanism: who waits where, served in order of arrival.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lineside_core::command::{Command, Reply};
use lineside_core::id::QueueId;
use lineside_core::stamp::{Millis, Stamp};
use tokio::sync::oneshot;

use crate::request::CallError;

/// Where an answer goes.
pub(crate) type Answer = oneshot::Sender<Result<Reply, CallError>>;

/// Somebody who waits for a queue to have something. Never in facts, gone with its connection.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) command: Command,
    pub(crate) answer: Answer,
    /// The end of its patience, in real time since the engine's start.
    pub(crate) until: Millis,
    ticket: u64,
}

/// All who wait.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    queues: BTreeMap<QueueId, VecDeque<Waiter>>,
    deadlines: BTreeSet<(Millis, u64, QueueId)>,
    /// When time alone may give something to those who wait at a queue.
    visible: BTreeMap<QueueId, Stamp>,
    by_visible: BTreeSet<(Stamp, QueueId)>,
    arrivals: u64,
}

impl Waiters {
    pub(crate) fn add(&mut self, queue: QueueId, command: Command, answer: Answer, until: Millis) {
        self.arrivals += 1;
        let ticket = self.arrivals;
        self.deadlines.insert((until, ticket, queue));
        let waiter = Waiter { command, answer, until, ticket };
        self.queues.entry(queue).or_default().push_back(waiter);
    }

    /// Everybody, by queue and in order of arrival.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.queues.values().flatten()
    }

    pub(crate) fn is_waited_at(&self, queue: QueueId) -> bool {
        self.queues.contains_key(&queue)
    }

    /// Remembers when time alone may give something to those who wait at a queue.
    pub(crate) fn set_visible(&mut self, queue: QueueId, at: Option<Stamp>) {
        let before = match at.filter(|_| self.is_waited_at(queue)) {
            Some(at) => {
                self.by_visible.insert((at, queue));
                self.visible.insert(queue, at).filter(|before| *before != at)
            }
            None => self.visible.remove(&queue),
        };
        if let Some(before) = before {
            self.by_visible.remove(&(before, queue));
        }
    }

    /// The earliest such moment of all queues.
    pub(crate) fn next_visible(&self) -> Option<Stamp> {
        self.by_visible.first().map(|(at, _)| *at)
    }

    /// Takes out a queue whose moment has come.
    pub(crate) fn pop_visible(&mut self, now: Stamp) -> Option<QueueId> {
        let (_, queue) = *self.by_visible.first().filter(|(at, _)| *at <= now)?;
        self.set_visible(queue, None);
        Some(queue)
    }

    /// The first in line who is still there.
    pub(crate) fn pop(&mut self, queue: QueueId) -> Option<Waiter> {
        loop {
            let line = self.queues.get_mut(&queue)?;
            let waiter = line.pop_front();
            if line.is_empty() {
                self.queues.remove(&queue);
                self.set_visible(queue, None);
            }
            let waiter = waiter?;
            self.deadlines.remove(&(waiter.until, waiter.ticket, queue));
            if !waiter.answer.is_closed() {
                return Some(waiter);
            }
        }
    }

    /// Back to the front of the line, as if it had never been asked.
    pub(crate) fn put_back(&mut self, queue: QueueId, waiter: Waiter) {
        self.deadlines.insert((waiter.until, waiter.ticket, queue));
        self.queues.entry(queue).or_default().push_front(waiter);
    }

    /// The earliest end of anybody's patience.
    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.deadlines.first().map(|(until, _, _)| *until)
    }

    /// Takes out somebody whose patience has ended.
    pub(crate) fn pop_impatient(&mut self, now: Millis) -> Option<(QueueId, Waiter)> {
        let (until, ticket, queue) = *self.deadlines.first()?;
        if until > now {
            return None;
        }
        self.deadlines.pop_first();
        let line = self.queues.get_mut(&queue)?;
        let index = line.iter().position(|waiter| waiter.ticket == ticket)?;
        let waiter = line.remove(index)?;
        if line.is_empty() {
            self.queues.remove(&queue);
            self.set_visible(queue, None);
        }
        Some((queue, waiter))
    }

    /// Everybody, to be told that there is nothing.
    pub(crate) fn drain(&mut self) -> Vec<Waiter> {
        self.deadlines.clear();
        self.visible.clear();
        self.by_visible.clear();
        std::mem::take(&mut self.queues).into_values().flatten().collect()
    }
}
