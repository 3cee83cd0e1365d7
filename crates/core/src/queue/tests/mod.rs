//! The polled queues, through the partition that holds them. The words of the tests are in
//! [`crate::partition::tests`].

mod attempts;
mod counts;
mod dead_letters;
mod dedup;
mod epochs;
mod fair;
mod fifo;
mod items;
mod leases;
mod million;
mod park;
mod peek;
mod refusals;
mod standard;
mod turns;
mod visible;

use bytes::Bytes;

pub(crate) use crate::partition::tests::*;

use super::{Counts, Message, Queue, Store, looked_at};

impl Queue {
    /// Asserts that the indexes are what the messages make them.
    pub(crate) fn check(&self, at: Stamp) {
        match &self.store {
            Store::Standard(store) => store.check(at),
            Store::Fifo(store) => store.check(at),
        }
    }

    /// Asserts that the counts are those of the messages one by one.
    pub(crate) fn check_counts(&self, at: Stamp) {
        let naive = match &self.store {
            Store::Standard(store) => store.naive_counts(at),
            Store::Fifo(store) => store.naive_counts(at, self.settings.delay),
        };
        assert_eq!(self.counts(at, usize::MAX), naive);
    }

    /// How many messages the index of leases holds, of leases that ended too.
    pub(crate) fn leases_indexed(&self) -> usize {
        match &self.store {
            Store::Standard(store) => store.leases_indexed(),
            Store::Fifo(store) => store.leases_indexed(),
        }
    }
}

impl Counts {
    pub(super) fn add(&mut self, is_in_flight: bool, is_delayed: bool) {
        match (is_in_flight, is_delayed) {
            (true, _) => self.in_flight += 1,
            (false, true) => self.delayed += 1,
            (false, false) => self.visible += 1,
        }
    }
}

/// Any message that the queue takes.
fn send_to(queue: &str) -> Command {
    if queue.starts_with('f') { send_in(queue, "g", "a") } else { send(queue) }
}

fn backlog(created: Fact, facts: impl Iterator<Item = Fact>) -> World {
    given(std::iter::once((0, created)).chain(facts.map(|fact| (0, fact))))
}

fn standard_backlog(messages: u64) -> (World, &'static str) {
    (backlog(standard(1, "q"), (1..=messages).map(|seq| sent(1, seq))), "q")
}

fn fifo_backlog_in_one_group(messages: u64) -> (World, &'static str) {
    (backlog(fifo(1, "f"), (1..=messages).map(|seq| sent_in(1, seq, "g"))), "f")
}

fn fifo_backlog_of_groups(messages: u64) -> (World, &'static str) {
    let facts = (1..=messages).map(|seq| sent_in(1, seq, &seq.to_string()));
    (backlog(fifo(1, "f"), facts), "f")
}

/// Any message that a queue of the kind takes.
fn send_of(kind: QueueKind, queue: &str, dedup: &str) -> Command {
    match kind {
        QueueKind::Standard => send(queue),
        QueueKind::Fifo => send_in(queue, "g", dedup),
    }
}
