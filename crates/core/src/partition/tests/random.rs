//! Random commands at random times, and random facts.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::Kind;
use super::facts::any_fact;
use super::*;

/// What happens next in a story of four queues: `q` and `f`, with the dead letters of each in `r`
/// and `s`. Receipts are named by a number modulo those there are.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Wait(u64),
    Tick(usize),
    Restart,
    Crash,
    Say(Wish),
}

#[derive(Clone, Debug)]
pub(super) enum Wish {
    Create(usize),
    Change { queue: usize, delay: Option<u64>, retention: Option<u64>, receives_max: Option<u32> },
    DeleteQueue(usize),
    Purge(usize),
    Look(usize, u8),
    Send { queue: usize, group: u8, dedup: u8, delay: Option<u64> },
    Receive { queue: usize, max: usize, visibility: Option<u64>, attempt: Option<u8> },
    Delete(usize),
    ChangeLease(usize, u64),
    Tag(usize, u8),
    Scope(Scope),
    StartMove { source: usize, destination: Option<usize>, rate: Option<u32> },
    CancelMove(usize, usize),
    Park(usize, bool),
    GiveBack(usize, Vec<u64>),
}

const QUEUES: [&str; 4] = ["q", "f", "r", "s"];

fn kind_of(queue: usize) -> QueueKind {
    if queue.is_multiple_of(2) { QueueKind::Standard } else { QueueKind::Fifo }
}

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    use proptest::option::of;
    // Mostly the queues whose dead letters go elsewhere.
    let queue = || prop_oneof![5 => 0..2_usize, 2 => 2..4_usize];
    let span = || 0..60_u64;
    prop_oneof![
        1 => queue().prop_map(Wish::Create),
        1 => (queue(), of(span()), of(60..300_u64), of(1..3_u32)).prop_map(
            |(queue, delay, retention, receives_max)| {
                Wish::Change { queue, delay, retention, receives_max }
            }
        ),
        1 => queue().prop_map(Wish::DeleteQueue),
        1 => queue().prop_map(Wish::Purge),
        3 => (queue(), 0..8_u8).prop_map(|(queue, what)| Wish::Look(queue, what)),
        9 => (queue(), 0..3_u8, 0..9_u8, of(span()))
            .prop_map(|(queue, group, dedup, delay)| Wish::Send { queue, group, dedup, delay }),
        9 => (queue(), 0..4_usize, of(span()), of(0..2_u8)).prop_map(
            |(queue, max, visibility, attempt)| {
                Wish::Receive { queue, max, visibility, attempt }
            }
        ),
        4 => (0..20_usize).prop_map(Wish::Delete),
        3 => (0..20_usize, span()).prop_map(|(which, timeout)| Wish::ChangeLease(which, timeout)),
        1 => (queue(), 0..6_u8).prop_map(|(queue, what)| Wish::Tag(queue, what)),
        1 => any::<bool>()
            .prop_map(|group| Wish::Scope(if group { Scope::Group } else { Scope::Queue })),
        3 => (2..4_usize, of(0..4_usize), of(1..60_u32)).prop_map(|(source, destination, rate)| {
            Wish::StartMove { source, destination, rate }
        }),
        1 => (2..4_usize, 0..3_usize).prop_map(|(source, which)| Wish::CancelMove(source, which)),
        2 => (0..20_usize, any::<bool>()).prop_map(|(which, why)| Wish::Park(which, why)),
        1 => (2..4_usize, vec(0..7_u64, 0..5)).prop_map(|(queue, seqs)| Wish::GiveBack(queue, seqs)),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..50_u64).prop_map(Step::Wait),
        2 => (1..4_usize).prop_map(Step::Tick),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
        24 => wish().prop_map(Step::Say),
    ]
}

pub(super) struct Story {
    pub(super) world: World,
    receipts: Vec<(usize, Receipt)>,
    ids: BTreeSet<MessageId>,
}

impl Story {
    pub(super) fn new() -> Story {
        let mut world = World::with_limits(|limits| {
            limits.receive_scan_max = 4;
            limits.standard_in_flight_max = 5;
            limits.noisy_in_flight_min = 2;
            limits.fifo_in_flight_max = 5;
            limits.dedup_window = Millis(100);
            limits.receive_attempt_window = Millis(100);
            limits.purge_pause = Millis(60);
            limits.recreate_pause = Millis(60);
            limits.move_step_max = 2;
            limits.move_scan_max = 3;
            limits.peek_scan_max = 4;
        });
        for queue in [2, 3, 0, 1] {
            let given = if queue < 2 { dead_letter(QUEUES[queue + 2], 2) } else { no_settings() };
            world = world.with(QUEUES[queue], kind_of(queue), given);
        }
        Story { world, receipts: Vec::new(), ids: BTreeSet::new() }
    }

    pub(super) fn take(&mut self, step: &Step) {
        match step {
            Step::Wait(by) => drop(self.world.wait_ms(*by)),
            Step::Tick(limit) => drop(self.world.tick(*limit)),
            Step::Restart => self.world.restart(),
            Step::Crash => self.world.crash(),
            Step::Say(wish) => self.say(wish),
        }
        self.world.partition.check(self.world.at);
        for resource in self.world.partition.resources.values() {
            if let Kind::Polled(queue) = &resource.kind {
                queue.check_counts(self.world.at);
            }
        }
    }

    fn say(&mut self, wish: &Wish) {
        let Some(command) = self.command(wish) else { return };
        let verdict = self.world.decide(&command);
        self.rests_on_all_that_it_says(&command, &verdict);
        self.world.take_in(verdict.facts.clone());
        match verdict.answer {
            Ok(Reply::Received(deliveries)) => {
                let queue = self.queue_of(&command);
                self.receipts.extend(deliveries.iter().map(|got| (queue, got.receipt)));
            }
            Ok(Reply::Sent { id, .. } | Reply::MoveStarted { task: id })
                if !verdict.facts.is_empty() =>
            {
                assert!(self.ids.insert(id), "{id} was given twice");
            }
            _ => {}
        }
    }

    /// Once the log is durable up to there, whatever a crash takes beyond, the answer is the same:
    /// soft leases excepted.
    fn rests_on_all_that_it_says(&self, command: &Command, verdict: &Verdict) {
        let here = self.world.here();
        if verdict.facts.facts.iter().any(|fact| !fact.is_soft()) {
            assert_eq!(verdict.rests_on, here.position.next());
            return;
        }
        let survived = self.world.survived(verdict.rests_on);
        let again = survived.decide(self.world.at, here, command);
        assert_eq!((again.answer, again.facts), (verdict.answer.clone(), verdict.facts.clone()));
    }

    fn queue_of(&self, command: &Command) -> usize {
        let Command::Receive { queue, .. } = command else { return 0 };
        QUEUES.iter().position(|name| *name == queue.as_str()).unwrap()
    }

    fn receipt(&self, which: usize) -> Option<(&'static str, Receipt)> {
        let (queue, receipt) = self.receipts.get(which.checked_rem(self.receipts.len())?)?;
        Some((QUEUES[*queue], *receipt))
    }

    pub(super) fn command(&self, wish: &Wish) -> Option<Command> {
        Some(match wish {
            Wish::Create(queue) => create(QUEUES[*queue], kind_of(*queue), no_settings()),
            Wish::Change { queue, delay, retention, receives_max } => {
                let dead_letter = receives_max.map(|max| Some(rule(QUEUES[queue % 2 + 2], max)));
                let (delay, retention) = (delay.map(Millis), retention.map(Millis));
                let patch = SettingsPatch { delay, retention, dead_letter, ..no_settings() };
                change_queue(QUEUES[*queue], patch)
            }
            Wish::DeleteQueue(queue) => delete_queue(QUEUES[*queue]),
            Wish::Purge(queue) => purge(QUEUES[*queue]),
            Wish::Look(queue, 0) => find(QUEUES[*queue]),
            Wish::Look(_, 1) => list("", None, 3),
            Wish::Look(queue, 2) => list_sources(QUEUES[*queue], None, 3),
            Wish::Look(queue, 3) => list_moves(QUEUES[*queue]),
            Wish::Look(queue, 4) => peek(QUEUES[*queue], 0, 5),
            Wish::Look(queue, 5) => list_tags(QUEUES[*queue]),
            Wish::Look(queue, _) => describe(QUEUES[*queue]),
            Wish::Tag(queue, 0) => untag(QUEUES[*queue], &["a"]),
            Wish::Tag(queue, what) => tag(QUEUES[*queue], &[("a", &what.to_string())]),
            Wish::Scope(scope) => {
                change_queue("f", SettingsPatch { dedup_scope: Some(*scope), ..no_settings() })
            }
            Wish::StartMove { source, destination, rate } => {
                start_move(QUEUES[*source], destination.map(|queue| QUEUES[queue]), *rate)
            }
            Wish::CancelMove(source, which) => {
                let Ok(Reply::Moves(tasks)) =
                    self.world.decide(&list_moves(QUEUES[*source])).answer
                else {
                    return None;
                };
                let task = tasks.get(*which).map_or(id_at(9, 9), |task| task.id);
                cancel_move(QUEUES[*source], task)
            }
            Wish::Send { queue, group, dedup, delay } => send_with(QUEUES[*queue], |message| {
                message.group = Some(label(&group.to_string()));
                match kind_of(*queue) {
                    QueueKind::Standard => message.delay = delay.map(Millis),
                    QueueKind::Fifo => message.dedup = NewDedup::Id(label(&dedup.to_string())),
                }
            }),
            Wish::Receive { queue, max, visibility, attempt } => Command::Receive {
                queue: name(QUEUES[*queue]),
                max: *max,
                visibility: visibility.map(Millis),
                wait: None,
                attempt: attempt.map(|attempt| label(&attempt.to_string())),
                alone: false,
            },
            Wish::Delete(which) => {
                let (queue, receipt) = self.receipt(*which)?;
                delete(queue, receipt)
            }
            Wish::ChangeLease(which, timeout) => {
                let (queue, receipt) = self.receipt(*which)?;
                let timeout = Millis(*timeout);
                Command::ChangeLease { queue: name(queue), receipt, timeout }
            }
            Wish::Park(which, why) => {
                let (queue, receipt) = self.receipt(*which)?;
                park(queue, receipt, why.then_some("why"))
            }
            Wish::GiveBack(queue, seqs) => give_back(QUEUES[*queue], seqs),
        })
    }
}

impl World {
    /// The partition after a crash that took all that nobody waited for: hard facts before
    /// `durable`, soft ones and openings all.
    pub(crate) fn survived(&self, durable: Position) -> Partition {
        let mut partition = Partition::new(PartitionId(0), self.limits.clone());
        for (position, batch) in (0..).map(Position).zip(&self.log) {
            for (here, fact) in batch.places(position) {
                let opens = matches!(fact, Fact::Opened(_));
                if position < durable || fact.is_soft() || opens {
                    partition.evolve(batch.at, here, fact);
                }
            }
        }
        partition
    }
}

pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(400))]

    /// Its checks: see `Story::take`. The log alone gives the same partition again.
    #[test]
    fn a_story_keeps_its_indexes_and_can_be_told_again(steps in vec(step(), 0..70)) {
        let mut story = Story::new();
        steps.iter().for_each(|step| story.take(step));
        prop_assert_eq!(story.world.replayed(), story.world.partition);
    }

    /// Facts in any order, of numbers that nobody gave: nothing panics, the indexes stay true,
    /// time comes to an end, and every command gets an answer.
    #[test]
    fn any_facts_can_be_taken_in(
        facts in vec((0..100_u64, any_fact()), 0..40),
        wishes in vec(wish(), 0..10),
    ) {
        let mut story = Story::new();
        for (by, fact) in facts {
            story.world.wait_ms(by).take_in(Facts::one(fact));
            story.world.partition.check(story.world.at);
        }
        for wish in wishes {
            if let Some(command) = story.command(&wish) {
                let _ = story.world.say(command);
            }
        }
        story.world.at = Stamp(u64::MAX / 2);
        story.world.tick(3);
    }
}

/// The story's words do what they are there for: else the properties above say little.
#[test]
fn stories_reach_far() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..150 {
        let steps = vec(step(), 200..210).new_tree(&mut runner).unwrap().current();
        let mut story = Story::new();
        steps.iter().for_each(|step| story.take(step));
        let facts = story.world.log.iter().flat_map(|batch| &batch.facts.facts);
        seen.extend(facts.map(super::facts::number));
    }
    let seen: Vec<u8> = seen.into_iter().collect();
    assert_eq!(seen, std::iter::once(1).chain(10..=25).collect::<Vec<u8>>());
}
