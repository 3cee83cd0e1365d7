//! What callers wish of tags, notes, moves, and looks at messages.

use lineside_core::command::Command;
use lineside_core::id::{Epoch, Label, MessageId, Name, PartitionId, Place, Position, Seq, Text};
use lineside_core::parts::DeadLetterRule;
use lineside_core::queue::{DeadLetterSources, QueueKind, Scope, SettingsPatch};

use super::{Clients, Whim, named};
use crate::sim::plan::{Kind, QueuePlan};

const TAGS: [&str; 5] = ["a", "b", "c", "d", "e"];
const NOTES: [&str; 3] = ["policy", "key", "other"];
const TEXTS: [&str; 4] = ["", "one", "two", "a text that is as long as half a sentence"];

/// How often what is wished.
const WISHES: [u32; 9] = [10, 4, 4, 8, 22, 12, 10, 10, 30];

impl Clients {
    pub(super) fn about_more(&mut self, whim: &mut Whim<'_>, plan: QueuePlan) -> Command {
        let name = self.name_near(whim, plan);
        match whim.rng.weighted(&WISHES) {
            0 => Command::TagQueue { name, tags: tags(whim) },
            1 => Command::UntagQueue { name, keys: vec![whim.label(&TAGS), whim.label(&TAGS)] },
            2 => Command::ListTags { name },
            3 => Command::ListSources {
                name: if whim.rng.chance(70) { named(dead(plan.kind)) } else { name },
                after: whim.maybe(30, |_| named(plan.name)),
                limit: whim.rng.index(4),
            },
            4 => self.start_move(whim, plan),
            5 => Command::ListMoves { source: self.source(whim, plan), limit: whim.rng.index(12) },
            6 => {
                let source = self.source(whim, plan);
                let task = self.task(whim, &source);
                Command::CancelMove { source, task }
            }
            7 => {
                let count = whim.rng.between(1, 4);
                let seqs = (0..count).map(|_| Seq(whim.rng.below(12))).collect();
                Command::GiveBack { queue: self.source(whim, plan), seqs }
            }
            _ => Command::Peek {
                queue: name,
                from: Seq(whim.rng.below(12)),
                max: whim.rng.index(12),
                in_flight: whim.rng.chance(50),
                delayed: whim.rng.chance(50),
            },
        }
    }

    /// Mostly the queue that dead letters go to.
    fn source(&self, whim: &mut Whim<'_>, plan: QueuePlan) -> Name {
        if whim.rng.chance(85) { named(dead(plan.kind)) } else { self.name_near(whim, plan) }
    }

    fn start_move(&self, whim: &mut Whim<'_>, plan: QueuePlan) -> Command {
        let source = self.source(whim, plan);
        let any = whim.rng.pick(&self.queues).map_or("nowhere", |queue| queue.name);
        let likely = if plan.kind == Kind::Fifo { "orders" } else { "jobs" };
        let of = [likely, likely, plan.name, any, any, dead(plan.kind), "nowhere"];
        let destination = whim.maybe(70, |whim| named(whim.rng.one(&of, "nowhere")));
        let rate = whim.maybe(45, |whim| whim.rng.one(&[1, 2, 7, 60, 500, 0, 501], 1));
        Command::StartMove { source, destination, rate }
    }

    /// Messages are to be moved to a queue that goes in the same breath, and may come again as
    /// another.
    pub(crate) fn pull_away(&mut self, whim: &mut Whim<'_>) -> Vec<Command> {
        let Some(plan) = whim.rng.pick(&self.queues).copied() else { return Vec::new() };
        let (source, name) = (dead(plan.kind), || named(plan.name));
        let (target, receives_max) = (named(source), 1);
        let dead_letter = Some(Some(DeadLetterRule { target, receives_max }));
        let patch = SettingsPatch { dead_letter, ..SettingsPatch::default() };
        let kind = match plan.kind {
            Kind::Fifo => QueueKind::Standard,
            _ => QueueKind::Fifo,
        };
        let given = SettingsPatch::default();
        let rate = whim.maybe(30, |_| 2);
        let send = |clients: &mut Clients, whim: &mut Whim<'_>| Command::Send {
            queue: named(source),
            message: clients.message(whim, plan.kind),
        };
        let mut commands = vec![
            Command::ChangeQueue { name: name(), patch, only_if: None },
            send(self, whim),
            send(self, whim),
            Command::StartMove { source: named(source), destination: Some(name()), rate },
            Command::DeleteQueue { name: name() },
        ];
        if whim.rng.chance(60) {
            commands.push(Command::CreateQueue { name: name(), kind, given, tags: Vec::new() });
        }
        commands
    }

    /// A task of a queue that somebody was told of, or none that there is.
    fn task(&mut self, whim: &mut Whim<'_>, source: &Name) -> MessageId {
        let place = Place { position: Position(whim.rng.below(9)), index: 0 };
        let strange = MessageId::new(PartitionId(0), Epoch(1), place);
        let last = whim.rng.chance(70);
        let index = self.queues.iter().position(|queue| queue.name == source.as_str());
        let Some(stash) = index.and_then(|index| self.stashes.get(index)) else { return strange };
        let known = if last { stash.tasks.last() } else { whim.rng.pick(&stash.tasks) };
        known.copied().filter(|_| !whim.rng.chance(5)).unwrap_or(strange)
    }

    /// What a patch has beside what it always had.
    pub(super) fn newer(whim: &mut Whim<'_>, kind: Kind) -> SettingsPatch {
        let scopes = if kind == Kind::Fifo { 25 } else { 2 };
        let scope = |whim: &mut Whim<'_>| whim.rng.one(&[Scope::Queue, Scope::Group], Scope::Queue);
        SettingsPatch {
            dedup_scope: whim.maybe(scopes, scope),
            throughput: whim.maybe(scopes, scope),
            sources: whim.maybe(12, |whim| sources(whim, kind)),
            notes: whim.maybe(25, notes).unwrap_or_default(),
            ..SettingsPatch::default()
        }
    }

    /// What a change rests on: it is mostly a guess.
    pub(super) fn only_if(whim: &mut Whim<'_>) -> Option<(Label, Option<Text>)> {
        whim.maybe(25, |whim| (whim.label(&NOTES), whim.maybe(40, text)))
    }

    pub(super) fn tags_of_new(whim: &mut Whim<'_>) -> Vec<(Label, Text)> {
        whim.maybe(20, tags).unwrap_or_default()
    }
}

/// The queue that most dead letters of a kind go to.
fn dead(kind: Kind) -> &'static str {
    if kind == Kind::Fifo { "orders-dead" } else { "jobs-dead" }
}

fn text(whim: &mut Whim<'_>) -> Text {
    Text::new(whim.rng.one(&TEXTS, ""))
}

fn tags(whim: &mut Whim<'_>) -> Vec<(Label, Text)> {
    (0..whim.rng.index(4)).map(|_| (whim.label(&TAGS), text(whim))).collect()
}

fn notes(whim: &mut Whim<'_>) -> Vec<(Label, Option<Text>)> {
    let count = whim.rng.between(1, 2);
    (0..count).map(|_| (whim.label(&NOTES), whim.maybe(70, text))).collect()
}

fn sources(whim: &mut Whim<'_>, kind: Kind) -> DeadLetterSources {
    let likely = if kind == Kind::Fifo { ["orders", "steps"] } else { ["jobs", "mail"] };
    let [one, two] = likely.map(named);
    match whim.rng.below(8) {
        0..=3 => DeadLetterSources::All,
        4 => DeadLetterSources::None,
        5 => DeadLetterSources::only([one]),
        6 => DeadLetterSources::only([one, two]),
        _ => DeadLetterSources::only([one, two, named("nowhere")]),
    }
}
