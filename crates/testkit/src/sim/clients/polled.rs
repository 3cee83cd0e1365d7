//! What callers wish of standard and FIFO queues, and of queues as such.

use lineside_core::command::{Command, NewDedup, NewMessage};
use lineside_core::id::{Label, Name, Seq, Text};
use lineside_core::parts::DeadLetterRule;
use lineside_core::queue::{QueueKind, SettingsPatch};
use lineside_core::stamp::Millis;

use super::{Clients, Whim, named};
use crate::sim::plan::{Kind, QueuePlan};

const GROUPS: [&str; 4] = ["red", "green", "blue", "red"];
const KEYS: [&str; 4] = ["k1", "k2", "k3", "k4"];

/// How often what is wished of a polled queue.
const WISHES: [u32; 5] = [42, 26, 26, 6, 4];
/// How often what is wished about queues.
const ABOUT: [u32; 8] = [24, 20, 5, 6, 16, 8, 10, 8];

/// Looks at a queue, and takes what is there.
pub(super) fn audit(name: &str) -> Vec<Command> {
    let receive = Command::Receive {
        queue: named(name),
        max: 10,
        visibility: Some(Millis::seconds(30)),
        wait: Some(Millis::ZERO),
        attempt: None,
        alone: false,
    };
    let describe = || Command::DescribeQueue { name: named(name) };
    let moves = Command::ListMoves { source: named(name), limit: 10 };
    let (from, max) = (Seq(0), usize::MAX);
    let peek = Command::Peek { queue: named(name), from, max, in_flight: true, delayed: true };
    let tags = Command::ListTags { name: named(name) };
    vec![describe(), peek, moves, tags, receive, describe()]
}

impl Clients {
    pub(super) fn about_polled(
        &mut self,
        whim: &mut Whim<'_>,
        index: usize,
        plan: QueuePlan,
    ) -> Command {
        let queue = named(plan.name);
        let settles = self.has_receipts(whim, index);
        let wishes = if settles { &WISHES[..] } else { &WISHES[..2] };
        match whim.rng.weighted(wishes) {
            0 if self.is_crowded(index) => self.receive(whim, plan, queue),
            0 => Command::Send { queue, message: self.message(whim, plan.kind) },
            1 => self.receive(whim, plan, queue),
            2 => Command::Delete { queue, receipt: self.receipt(whim, index).0 },
            3 => {
                let timeout = whim.seconds(&[0, 0, 1, 5, 30, 50_000]);
                Command::ChangeLease { queue, receipt: self.receipt(whim, index).0, timeout }
            }
            _ => self.park(whim, index, queue),
        }
    }

    pub(super) fn park(&mut self, whim: &mut Whim<'_>, index: usize, queue: Name) -> Command {
        let reason = whim.maybe(70, |whim| Text::new(whim.rng.one(&["broken", "unknown", ""], "")));
        Command::Park { queue, receipt: self.receipt(whim, index).0, reason }
    }

    pub(super) fn message(&mut self, whim: &mut Whim<'_>, kind: Kind) -> NewMessage {
        let body = self.body(whim);
        let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let is_fifo = kind == Kind::Fifo;
        let usual = if is_fifo { 3 } else { 15 };
        let delay = whim.maybe(usual, |whim| whim.seconds(&[0, 1, 2, 10]));
        let group = whim.maybe(if is_fifo { 98 } else { 20 }, |whim| whim.label(&GROUPS));
        let dedup = match is_fifo {
            true => self.dedup(whim),
            false if whim.rng.chance(2) => NewDedup::Id(whim.label(&KEYS)),
            false => NewDedup::None,
        };
        NewMessage { body, size, delay, group, dedup }
    }

    fn dedup(&mut self, whim: &mut Whim<'_>) -> NewDedup {
        match whim.rng.below(20) {
            0 => NewDedup::None,
            1..=2 => NewDedup::Content(whim.label(&KEYS)),
            3..=5 => NewDedup::Id(whim.label(&KEYS)),
            _ => NewDedup::Id(Label::new(format!("u{}", self.next()))),
        }
    }

    pub(super) fn receive(&mut self, whim: &mut Whim<'_>, plan: QueuePlan, queue: Name) -> Command {
        let attempts = if plan.kind == Kind::Fifo { 20 } else { 2 };
        Command::Receive {
            queue,
            max: 1 + whim.rng.index(10),
            visibility: whim.maybe(50, |whim| whim.seconds(&[0, 1, 5, 30])),
            wait: whim.maybe(self.waits, |whim| whim.seconds(&[0, 1, 5, 20])),
            attempt: whim.maybe(attempts, |whim| whim.label(&KEYS)),
            alone: plan.kind == Kind::Fifo && whim.rng.chance(25),
        }
    }

    /// A name: mostly the queue's own, sometimes any other's.
    pub(super) fn name_near(&self, whim: &mut Whim<'_>, plan: QueuePlan) -> Name {
        match whim.rng.below(12) {
            0 => named("nowhere"),
            1 => named(whim.rng.pick(&self.queues).map_or("", |queue| queue.name)),
            _ => named(plan.name),
        }
    }

    pub(super) fn about_queues(&mut self, whim: &mut Whim<'_>, plan: QueuePlan) -> Command {
        let name = self.name_near(whim, plan);
        match whim.rng.weighted(&ABOUT) {
            0 => self.create(whim, plan),
            1 => {
                let (patch, only_if) = (self.patch(whim, plan.kind), Clients::only_if(whim));
                Command::ChangeQueue { name, patch, only_if }
            }
            2 => Command::DeleteQueue { name },
            3 => Command::PurgeQueue { name },
            4 => Command::DescribeQueue { name },
            5 => Command::FindQueue { name },
            6 => Command::ListQueues {
                prefix: named(whim.rng.one(&["", "jobs", "o"], "")),
                after: whim.maybe(40, |_| name),
                limit: 1 + whim.rng.index(4),
            },
            _ => Command::Canary,
        }
    }

    pub(super) fn create_polled(&mut self, whim: &mut Whim<'_>, plan: QueuePlan) -> Command {
        let kind = match (plan.kind, whim.rng.chance(4)) {
            (Kind::Fifo, false) | (Kind::Standard, true) => QueueKind::Fifo,
            _ => QueueKind::Standard,
        };
        let given = whim.maybe(70, |whim| self.patch(whim, plan.kind)).unwrap_or_default();
        let tags = Clients::tags_of_new(whim);
        Command::CreateQueue { name: named(plan.name), kind, given, tags }
    }

    /// The other side of dead-letter rules goes or comes, and in the same breath everybody asks what
    /// depends on it.
    pub(crate) fn flap(&mut self, whim: &mut Whim<'_>) -> Vec<Command> {
        let Some(source) = whim.rng.pick(&self.queues).copied() else { return Vec::new() };
        let dead_letter = self.rule(whim, source.kind);
        let target = QueuePlan { name: self.known_as(&dead_letter.target), ..source };
        let mut commands = vec![match whim.rng.chance(50) {
            true => Command::DeleteQueue { name: named(target.name) },
            false => self.create_polled(whim, target),
        }];
        for _ in 0..3 {
            let (name, dead_letter) = (named(source.name), Some(Some(dead_letter.clone())));
            let patch = SettingsPatch { dead_letter, ..SettingsPatch::default() };
            commands.push(match whim.rng.below(3) {
                0 => Command::ChangeQueue { name, patch, only_if: None },
                1 => self.about_queues(whim, source),
                _ => self.receive(whim, source, name),
            });
        }
        commands
    }

    fn known_as(&self, name: &Name) -> &'static str {
        let known = self.queues.iter().find(|queue| queue.name == name.as_str());
        known.map_or("nowhere", |queue| queue.name)
    }

    fn patch(&self, whim: &mut Whim<'_>, kind: Kind) -> SettingsPatch {
        let dedups = if kind == Kind::Fifo { 40 } else { 3 };
        SettingsPatch {
            visibility: whim.maybe(40, |whim| whim.seconds(&[0, 1, 5, 30])),
            delay: whim.maybe(15, |whim| whim.seconds(&[0, 0, 1, 5])),
            retention: whim.maybe(30, |whim| whim.seconds(&[60, 120, 345_600])),
            message_bytes_max: whim.maybe(10, |whim| whim.rng.one(&[20, 1024, 1 << 20], 1024)),
            receive_wait: whim.maybe(15, |whim| whim.seconds(&[0, 2, 20])),
            dead_letter: whim.maybe(40, |whim| whim.maybe(85, |whim| self.rule(whim, kind))),
            content_dedup: whim.maybe(dedups, |whim| whim.rng.chance(70)),
            ..Clients::newer(whim, kind)
        }
    }

    fn rule(&self, whim: &mut Whim<'_>, kind: Kind) -> DeadLetterRule {
        let likely = if kind == Kind::Fifo { "orders-dead" } else { "jobs-dead" };
        let any = whim.rng.pick(&self.queues).map_or("nowhere", |queue| queue.name);
        let target = named(whim.rng.one(&[likely, likely, any, "nowhere"], likely));
        let receives_max = whim.rng.one(&[1, 1, 2, 3], 1);
        DeadLetterRule { target, receives_max }
    }
}
