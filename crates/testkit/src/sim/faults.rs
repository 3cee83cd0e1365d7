//! What befalls owners: they crash, are fenced, lose their log, run out of room, are shut down.

use futures::FutureExt;
use lineside_core::fact::Fact;
use lineside_engine::log::{AppendError, Log};
use lineside_store::memory::fault::Failure;

use super::plan::Faults;
use super::{PARTITION, World};
use crate::ledger::Heard;
use crate::model::Check;

/// Most owners at one time.
const HOSTS_MAX: usize = 2;

impl World {
    pub(super) fn fault(&mut self) -> Check {
        let Faults { crash, rival, conflict, rejected, unknown, full, shutdown } = self.plan.faults;
        let index = self.any_host();
        match self.rng.weighted(&[crash, rival, conflict, rejected, unknown, full, shutdown]) {
            0 => self.crash(index),
            1 => self.start_rival(),
            2 => self.fail(index, Failure::Conflict, "append conflict injected"),
            3 => self.fail(index, Failure::Rejected, "append rejected"),
            4 => {
                let written = self.rng.index(3);
                self.fail(index, Failure::Unknown { written }, "append unknown")
            }
            5 => {
                self.tighten();
                Ok(())
            }
            _ => {
                self.shut_down(index);
                self.end_if_stopped(index)
            }
        }
    }

    /// Another owner takes over while the old one still works.
    fn start_rival(&mut self) -> Check {
        if self.hosts.len() >= HOSTS_MAX {
            return Ok(());
        }
        if self.hosts.iter().any(|host| host.owner.is_ready()) {
            self.journal.count("take-over beside a living owner");
        }
        self.start_host()
    }

    /// The process dies; of what was on its way some arrives.
    fn crash(&mut self, index: usize) -> Check {
        let Some(host) = self.hosts.get(index) else { return Ok(()) };
        let (number, connection) = (host.number, host.connection());
        let pending = self.steering.pending(connection);
        let waiting = pending.iter().filter(|batch| batch.written.is_none()).count();
        let keep = self.rng.index(waiting + 1);
        let kept = self.steering.crash(connection, keep);
        self.journal.count("crash");
        if waiting > 0 {
            self.journal.count("crash with a write under way");
        }
        if kept > 0 {
            self.journal.count("crash that kept some of what was under way");
        }
        self.journal.line(format_args!(
            "{:>9} owner {number} crashes, {kept} of {waiting} batches arrive",
            self.time
        ));
        self.end(index);
        Ok(())
    }

    fn fail(&mut self, index: usize, failure: Failure, name: &'static str) -> Check {
        let Some(host) = self.hosts.get(index) else { return Ok(()) };
        if self.steering.fail(host.connection(), failure) {
            self.journal.count(name);
            let number = host.number;
            self.journal.line(format_args!("{:>9} owner {number}: {name}", self.time));
        }
        self.poll(index)
    }

    /// The log has room for what is in it and a little more, or for less.
    fn tighten(&mut self) {
        let limit = self.rng.below(200_000);
        self.is_tight = true;
        self.steering.limit(Some(limit));
        self.journal.line(format_args!("{:>9} room for {limit} bytes", self.time));
    }

    pub(super) fn make_room(&mut self) {
        self.is_tight = false;
        self.steering.limit(None);
        self.journal.line(format_args!("{:>9} room for all", self.time));
    }

    /// First half of an orderly end: nobody waits any more, nobody else is let in.
    fn shut_down(&mut self, index: usize) {
        let Some(host) = self.hosts.get_mut(index) else { return };
        if host.stopping || !host.owner.is_ready() {
            return;
        }
        host.stopping = true;
        host.owner.dismiss_waiters(host.now(self.time));
        self.journal.count("orderly shutdown");
        let number = host.number;
        self.journal.line(format_args!("{:>9} owner {number} is shut down", self.time));
    }

    pub(super) fn end_if_stopped(&mut self, index: usize) -> Check {
        self.collect(index)?;
        if self.hosts.get(index).is_some_and(|host| host.stopping && host.is_idle()) {
            self.end(index);
        }
        Ok(())
    }

    /// Its memory is ahead of the log: it has told its callers, and is done.
    pub(super) fn end_by(&mut self, index: usize, error: &AppendError) -> Check {
        let Some(host) = self.hosts.get(index) else { return Ok(()) };
        let number = host.number;
        if matches!(error, AppendError::Conflict) {
            self.journal.count("owner fenced");
        }
        self.journal.line(format_args!("{:>9} owner {number} ends: {error}", self.time));
        self.end(index);
        Ok(())
    }

    /// Takes a host away; who called it and heard nothing will never know.
    fn end(&mut self, index: usize) {
        if index >= self.hosts.len() {
            return;
        }
        let host = self.hosts.remove(index);
        self.facts += host.owner.evolved();
        self.count_losses(host.number);
        for call in host.die() {
            if let Some(call) = self.ledger.calls.get_mut(call.0) {
                call.heard = Heard::Unknown;
            }
        }
    }

    /// Counts what an owner decided that is not in the log, as far as it is known now.
    fn count_losses(&mut self, number: usize) {
        let tail = self.root.tail(PARTITION).now_or_never();
        let tail = tail.and_then(Result::ok).unwrap_or_default();
        let Some(tenure) = self.ledger.tenures.get(number) else { return };
        let lost = tenure.entries.iter().rev().filter_map(|entry| entry.facts());
        let lost =
            lost.take_while(|(moment, facts)| facts.is_empty() || moment.here.position >= tail);
        let (mut soft, mut hard) = (0, 0);
        for fact in lost.flat_map(|(_, facts)| &facts.facts) {
            let is_soft = Fact::is_soft(fact);
            (soft, hard) = (soft + u64::from(is_soft), hard + u64::from(!is_soft));
        }
        (0..soft).for_each(|_| self.journal.count("soft lease lost"));
        (0..hard.min(1)).for_each(|_| self.journal.count("batch lost"));
    }
}
