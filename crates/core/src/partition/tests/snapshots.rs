//! Snapshots taken while facts come in between, and the partition that is put together of them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::random::{Story, config, step, wish};
use super::*;
use crate::snapshot::{Block, ResourceSnapshot, Restoring};

/// Facts with the moments and places at which they stand.
pub(crate) type Log = Vec<(Stamp, Place, Fact)>;

/// When a checkpoint was taken: begun before the batch at an index modulo those there are; then so
/// many facts before each resource in its turn, and before the header.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    begin: prop::sample::Index,
    pauses: Vec<usize>,
}

pub(crate) fn schedule() -> impl Strategy<Value = Schedule> {
    let pause = prop_oneof![4 => 0..4_usize, 1 => 4..30_usize];
    (any::<prop::sample::Index>(), vec(pause, 8))
        .prop_map(|(begin, pauses)| Schedule { begin, pauses })
}

/// What a checkpoint holds, and from where on the log is replayed to it.
pub(crate) struct Checkpoint {
    pub(crate) blocks: Vec<Block>,
    from: Position,
}

impl Checkpoint {
    /// Told from zero, with snapshots in between.
    pub(crate) fn taken(log: &Log, schedule: &Schedule) -> Checkpoint {
        let from = log.get(schedule.begin.index(log.len().max(1)));
        let from = from.map_or(Position(0), |(_, place, _)| place.position);
        let begin = log.partition_point(|(_, place, _)| place.position < from);
        let (before, mut rest) = log.split_at(begin);
        let mut partition = told(Partition::new(PartitionId(0), Limits::cloud()), before);
        let (mut taken, mut pauses, mut after) = (Vec::new(), schedule.pauses.iter(), None);
        loop {
            let pause = pauses.next().map_or(0, |pause| *pause.min(&rest.len()));
            let (told_now, told_later) = rest.split_at(pause);
            (partition, rest) = (told(partition, told_now), told_later);
            let Some(snapshot) = partition.snapshot_after(after) else { break };
            after = Some(snapshot.id());
            taken.push(snapshot);
        }
        let header = partition.snapshot_header();
        // What was shared is encoded when all is over.
        partition = told(partition, rest);
        let resources = taken.iter().flat_map(ResourceSnapshot::blocks);
        let blocks = header.blocks().chain(resources).collect();
        drop(partition);
        Checkpoint { blocks, from }
    }

    pub(crate) fn restored(&self, limits: &Limits) -> Partition {
        let mut restoring = Restoring::new(PartitionId(0), limits.clone());
        self.blocks.iter().for_each(|block| restoring.add(block).unwrap());
        restoring.finish().unwrap()
    }

    /// The checkpoint, and the log from where it was begun.
    pub(crate) fn replayed(&self, log: &Log, limits: &Limits) -> Partition {
        let begin = log.partition_point(|(_, place, _)| place.position < self.from);
        told(self.restored(limits), &log[begin..])
    }
}

pub(crate) fn told(mut partition: Partition, facts: &[(Stamp, Place, Fact)]) -> Partition {
    facts.iter().for_each(|(at, here, fact)| partition.evolve(*at, *here, fact));
    partition
}

fn snapshots(partition: &Partition) -> Vec<ResourceSnapshot> {
    let mut after = None;
    let next = || {
        let snapshot = partition.snapshot_after(after)?;
        after = Some(snapshot.id());
        Some(snapshot)
    };
    std::iter::from_fn(next).collect()
}

/// All that a partition is made of.
pub(crate) fn blocks(partition: &Partition) -> Vec<Block> {
    let mut blocks: Vec<Block> = partition.snapshot_header().blocks().collect();
    blocks.extend(snapshots(partition).iter().flat_map(|s| s.blocks().collect::<Vec<_>>()));
    blocks
}

/// The same partition as if all were durable: a restored one rests on less.
pub(crate) fn resting_on_nothing(mut partition: Partition) -> Partition {
    partition.directory.touched = Position(0);
    partition.resources.values_mut().for_each(|resource| resource.touched = Position(0));
    partition
}

impl World {
    pub(crate) fn flat_log(&self) -> Log {
        let batches = (0..).map(Position).zip(&self.log);
        batches
            .flat_map(|(position, batch)| {
                batch.places(position).map(|(place, fact)| (batch.at, place, fact.clone()))
            })
            .collect()
    }
}

fn story_of(steps: &[super::random::Step]) -> Story {
    let mut story = Story::new();
    steps.iter().for_each(|step| story.take(step));
    story
}

proptest! {
    #![proptest_config(config(600))]

    /// Whenever the snapshots were taken: with the tail of the log they make the partition that
    /// the whole log makes, and what is said to both is answered alike, with the same facts.
    #[test]
    fn a_checkpoint_and_its_tail_say_what_the_whole_log_says(
        steps in vec(step(), 0..90),
        schedule in schedule(),
        wishes in vec((0..40_u64, wish()), 0..12),
    ) {
        let mut story = story_of(&steps);
        let log = story.world.flat_log();
        let checkpoint = Checkpoint::taken(&log, &schedule);
        let mut restored = checkpoint.replayed(&log, &story.world.limits);
        restored.check(story.world.at);
        prop_assert_eq!(blocks(&restored), blocks(&story.world.partition));
        prop_assert_eq!(restored.state_bytes(), story.world.partition.state_bytes());
        for (by, wish) in &wishes {
            story.world.wait_ms(*by);
            let Some(command) = story.command(wish) else { continue };
            let (at, here) = (story.world.at, story.world.here());
            let (one, other) = (story.world.decide(&command), restored.decide(at, here, &command));
            prop_assert_eq!((&one.answer, &one.facts), (&other.answer, &other.facts));
            let ticked = restored.tick(at, here, 3);
            prop_assert_eq!(story.world.partition.tick(at, here, 3), ticked);
            for (index, fact) in one.facts.facts.iter().enumerate() {
                restored.evolve(at, here.plus(index), fact);
            }
            story.world.take_in(one.facts);
        }
        prop_assert_eq!(blocks(&restored), blocks(&story.world.partition));
    }
}

fn is_shared_and_sent<T: Send + Sync + Clone + 'static>(_: &T) {}

/// The blocks of `after` that `before` has not, by part and number.
fn news(before: &[Block], after: &[Block]) -> Vec<(u64, u8, u64)> {
    let new = after.iter().filter(|block| !before.contains(block));
    new.map(|block| (block.key.queue.0, block.key.part, block.key.number)).collect()
}

fn long_queue(messages: u64) -> World {
    given(std::iter::once((0, standard(1, "q"))).chain((1..=messages).map(|seq| (0, sent(1, seq)))))
}

#[test]
fn a_snapshot_keeps_what_it_saw_and_costs_pointers() {
    let mut world = long_queue(1_000);
    let snapshot = world.partition.snapshot_after(None).unwrap();
    is_shared_and_sent(&snapshot);
    is_shared_and_sent(&world.partition.snapshot_header());
    let before: Vec<Block> = snapshot.blocks().collect();
    world.done(purge("q"));
    world.sent(send("q"));
    assert_eq!(snapshot.blocks().collect::<Vec<_>>(), before);
    assert_eq!((snapshot.id(), snapshot.weight(), before.len()), (QueueId(1), 2, 5));
    assert!(before.is_sorted_by_key(|block| block.key));
}

#[test]
fn what_has_not_changed_gives_the_same_bytes() {
    let mut world = long_queue(1_000).with("r", QueueKind::Fifo, no_settings());
    let before = blocks(&world.partition);
    world.wait(5).sent(send_in("r", "g", "d"));
    let after = blocks(&world.partition);
    assert_eq!(news(&before, &after), [(0, 0, 0), (2, 0, 0), (2, 1, 0), (2, 2, 0)]);
    world.take_in(Facts::one(deleted(1, 600)));
    assert_eq!(news(&after, &blocks(&world.partition)), [(0, 0, 0), (1, 0, 0), (1, 1, 2)]);
}

#[test]
fn a_snapshot_says_up_to_where_it_reflects_the_log() {
    let mut world = World::standard();
    let changed = |world: &World| world.partition.snapshot_after(None).unwrap().changed();
    assert_eq!(changed(&world), place(1).plus(1));
    world.sent(send("q"));
    let receive = world.one(receive("q", 1));
    assert_eq!(changed(&world), place(3).plus(1), "a soft lease counts");
    world.queue(create("r", QueueKind::Standard, no_settings()));
    assert_eq!(changed(&world), place(3).plus(1), "another queue's fact does not");
    assert_eq!(world.partition.snapshot_header().changed(), place(4).plus(1), "here it does");
    world.done(delete("q", receive.receipt));
    assert_eq!(changed(&world), place(5).plus(1));
}

#[test]
fn a_snapshot_names_the_bodies_of_its_messages_and_no_others() {
    let mut world = World::standard().with("d", QueueKind::Standard, no_settings());
    world.done(change_queue("q", dead_letter("d", 1)));
    let bodies = |world: &World| {
        let all = snapshots(&world.partition);
        all.iter().map(|s| s.bodies().map(|b| b.position.0).collect()).collect::<Vec<Vec<_>>>()
    };
    for _ in 0..3 {
        world.sent(send("q"));
    }
    assert_eq!(bodies(&world), [vec![4, 5, 6], vec![]]);
    let settled = world.got(receive_for("q", 2, 0)).remove(0);
    world.done(delete("q", settled.receipt));
    assert_eq!(bodies(&world), [vec![5, 6], vec![]]);
    world.one(receive("q", 1));
    assert_eq!(bodies(&world), [vec![6], vec![5]], "a dead letter's body stays where it is");
    assert!(world.say(start_move("d", Some("q"), None)).is_ok());
    world.tick(9);
    assert_eq!(bodies(&world), [vec![6, 5], vec![]], "and a moved message's too");
}

/// Taken at a moment, told the facts from then on.
fn after_a_crash(world: &World, begin: Position, blocks: Vec<Block>) -> Partition {
    Checkpoint { blocks, from: begin }.replayed(&world.flat_log(), &world.limits)
}

#[test]
fn a_name_that_passed_on_while_snapshots_were_taken_is_with_its_last_owner() {
    let mut world = World::with_limits(|limits| limits.recreate_pause = Millis(0));
    world = world.with("q", QueueKind::Standard, no_settings());
    let begin = world.here().position;
    let mut taken: Vec<Block> = world.partition.snapshot_after(None).unwrap().blocks().collect();
    world.done(delete_queue("q"));
    assert_eq!(world.queue(create("q", QueueKind::Fifo, no_settings())), 2);
    let second = world.partition.snapshot_after(Some(QueueId(1))).unwrap();
    taken.extend(second.blocks().chain(world.partition.snapshot_header().blocks()));
    let restored = after_a_crash(&world, begin, taken);
    assert_eq!(blocks(&restored), blocks(&world.partition));
    let found = restored.decide(world.at, world.here(), &find("q")).answer;
    assert_eq!(found, Ok(Reply::Queue { queue: QueueId(2) }));
}

#[test]
fn what_a_resource_has_seen_does_nothing_again_its_creation_least_of_all() {
    let mut world = World::standard();
    for _ in 0..3 {
        world.sent(send("q"));
    }
    let settled = world.got(receive("q", 2)).remove(0);
    world.done(delete("q", settled.receipt));
    let (log, taken) = (world.flat_log(), blocks(&world.partition));
    let checkpoint = Checkpoint { blocks: taken.clone(), from: Position(0) };
    for fact in &log {
        let restored = checkpoint.restored(&world.limits);
        assert_eq!(blocks(&told(restored, std::slice::from_ref(fact))), taken, "{fact:?}");
    }
}

#[test]
fn a_header_that_was_not_taken_last_is_refused() {
    let mut world = World::standard();
    let header = world.partition.snapshot_header();
    world.sent(send("q"));
    let mut restoring = Restoring::new(PartitionId(0), Limits::cloud());
    let resource = world.partition.snapshot_after(None).unwrap();
    header.blocks().chain(resource.blocks()).for_each(|block| restoring.add(&block).unwrap());
    let error = restoring.finish().unwrap_err().to_string();
    assert!(error.ends_with("a resource has seen more than the header"), "{error}");
}

#[test]
fn a_name_that_was_given_up_while_snapshots_were_taken_still_rests() {
    let mut world = World::standard().with("r", QueueKind::Standard, no_settings());
    let begin = world.here().position;
    world.done(delete_queue("r"));
    let mut taken: Vec<Block> = world.partition.snapshot_after(None).unwrap().blocks().collect();
    assert!(world.partition.snapshot_after(Some(QueueId(1))).is_none());
    taken.extend(world.partition.snapshot_header().blocks());
    let restored = after_a_crash(&world, begin, taken);
    let again = create("r", QueueKind::Standard, no_settings());
    let refusal = restored.decide(world.at, world.here(), &again).answer;
    assert_eq!(refusal, world.decide(&again).answer);
    assert!(matches!(refusal, Err(Refusal::Queue(QueueRefusal::DeletedRecently { .. }))));
}

#[test]
fn a_restored_partition_does_not_count_leases_that_ended_before() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b", "c"]);
    world.got(receive_for("f", 2, 10));
    world.wait(10).done(Command::Canary);
    let taken = blocks(&world.partition);
    let restored = after_a_crash(&world, world.here().position, taken);
    world.partition = restored;
    assert_eq!(world.leases_indexed("f"), 0);
    assert_eq!(world.counts("f"), [3, 0, 0]);
}
