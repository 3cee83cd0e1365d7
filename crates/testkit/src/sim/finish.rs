//! The end of a world: troubles cease, everybody is answered, everything is looked at once more.

use std::sync::Arc;

use futures::FutureExt;
use lineside_core::command::Command;
use lineside_engine::owner::Owner;

use super::checkpoints::same;
use super::{PARTITION, World};
use crate::model::{Check, Violation, ensure};

/// Within so many rounds of turn and write everybody has been answered, or never will be.
const ROUNDS_MAX: usize = 2000;

impl World {
    pub(super) fn finish(&mut self) -> Check {
        self.make_room();
        self.settle_down()?;
        // Who is left may have been fenced by one that is gone: only a write can tell.
        self.send(0, vec![Command::Canary]);
        self.settle_down()?;
        let audits = self.clients.audits();
        self.send(0, audits);
        self.settle_down()?;
        self.compare_with_replay()
    }

    /// Lets everything come to rest: one owner, nothing on its way, nobody waiting.
    pub(super) fn settle_down(&mut self) -> Check {
        for _ in 0..ROUNDS_MAX {
            if self.hosts.is_empty() {
                self.start_host()?;
            }
            for index in (0..self.hosts.len()).rev() {
                self.let_run(index)?;
            }
            let idle = self.hosts.iter().all(|host| host.is_idle() && host.owner.is_ready());
            if idle && self.hosts.len() == 1 {
                return Ok(());
            }
            self.rest();
        }
        let waiting: Vec<_> = self.hosts.iter().map(|host| host.waiting()).collect();
        Err(Violation(format!("callers are never answered, waiting: {waiting:?}")))
    }

    fn let_run(&mut self, index: usize) -> Check {
        let Some(host) = self.hosts.get(index) else { return Ok(()) };
        let (number, connection) = (host.number, host.connection());
        self.turn(index)?;
        let is_there = |world: &World| world.hosts.get(index).is_some_and(|h| h.number == number);
        while is_there(self) && self.steering.complete(connection) {
            self.poll(index)?;
        }
        Ok(())
    }

    /// Time goes on when nothing else does; and of two owners at peace the older one has to write,
    /// to find out that it is fenced.
    fn rest(&mut self) {
        let wake = self.hosts.iter().filter_map(super::host::Host::wake_at).min();
        self.time = wake.unwrap_or(0).clamp(self.time + 1, self.time + 60_000);
        if self.hosts.len() > 1 {
            self.send(0, vec![Command::Canary]);
        }
    }

    /// The log from its beginning gives what the living owner has in memory.
    fn compare_with_replay(&mut self) -> Check {
        let Some(host) = self.hosts.last_mut() else { return Ok(()) };
        host.owner.flush(host.now(self.time));
        while self.steering.complete(host.connection()) {
            ensure!(host.poll(self.time).is_none(), "the last write failed");
        }
        let limits = self.plan.limits.clone();
        let replayed = Owner::replay(Arc::new(self.root.connect()), PARTITION, limits);
        let Some(Ok(replayed)) = replayed.now_or_never() else {
            return Err(Violation("the log cannot be read at once".to_owned()));
        };
        let (replayed, living) = (replayed.partition(), host.owner.partition());
        same(replayed, living, "a replay of the log", "the living owner's memory").map_err(
            |found| {
                let (replayed, living) = (format!("{replayed:#?}"), format!("{living:#?}"));
                Violation(format!("{}{}", found.0, difference(&replayed, &living)))
            },
        )
    }
}

/// The lines in which two texts differ, with a few before them.
fn difference(replayed: &str, living: &str) -> String {
    let (one, two): (Vec<&str>, Vec<&str>) = (replayed.lines().collect(), living.lines().collect());
    let same = one.iter().zip(&two).take_while(|(one, two)| one == two).count();
    let around = |lines: &[&str]| {
        let lines = lines.iter().skip(same.saturating_sub(20)).take(40);
        lines.copied().collect::<Vec<&str>>().join("\n")
    };
    format!("\nreplayed:\n{}\nliving:\n{}", around(&one), around(&two))
}
