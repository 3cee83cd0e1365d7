//! Stores in checkpoints.

use proptest::collection::vec;
use proptest::prelude::*;

use super::model::{Story, any_step};
use super::*;
use crate::partition::tests::codec::{hex, unhex};
use crate::partition::tests::snapshots::{Checkpoint, blocks, resting_on_nothing, schedule};
use crate::snapshot::{Block, BlockKey, Restoring};

fn something() -> World {
    let mut world = World::events();
    world.at = stamp(9);
    let mut new = event_with("account-42", "Paid", &["t"]);
    new.correlation = Some(label("k"));
    world.append(append(&["a"]));
    world.append(append_all([new, event("b")]));
    world.indexed(1);
    world
}

/// A line that changes makes old checkpoints unreadable.
#[rustfmt::skip]
const BLOCKS: [(u64, u8, u64, &str); 3] = [
    (0, 0, 0, "878204010100192328010003"),
    (1, 0, 0, "8282040182038185616500030301"),
    (1, 6, 0, "828202896a6163636f756e742d3432016450616964816174616b000282820300183419232882038961\
      62016848617070656e656480f6010282820301182c192328"),
];

fn line(block: &Block) -> (u64, u8, u64, String) {
    (block.key.queue.0, block.key.part, block.key.number, hex(&block.bytes))
}

fn known_blocks() -> Vec<Block> {
    let block = |(queue, part, number, hex): (u64, u8, u64, &str)| Block {
        key: BlockKey { queue: QueueId(queue), part, number },
        bytes: unhex(hex),
    };
    BLOCKS.map(block).to_vec()
}

fn restored(blocks: &[Block]) -> Result<crate::partition::Partition, String> {
    let mut restoring = Restoring::new(PartitionId(0), Limits::cloud());
    for block in blocks {
        restoring.add(block).map_err(|error| error.to_string())?;
    }
    restoring.finish().map_err(|error| error.to_string())
}

#[test]
fn blocks_are_written_and_read_as_they_always_were() {
    let world = something();
    let written: Vec<_> = blocks(&world.partition).iter().map(line).collect();
    let known = BLOCKS.map(|(queue, part, number, hex)| (queue, part, number, hex.to_owned()));
    assert_eq!(written, known);
    let partition = restored(&known_blocks()).unwrap();
    partition.check(world.at);
    assert_eq!(partition, resting_on_nothing(world.partition));
}

#[test]
fn a_restored_store_goes_on_where_it_was() {
    let mut world = something();
    world.partition = restored(&blocks(&world.partition)).unwrap();
    let wish = append(&["b", "a"]).knowing(known(1, &[("a", 1), ("b", 0)]));
    assert_eq!(world.append(wish), reply(4, 5, &[("b", 2), ("a", 2)]));
}

#[test]
fn a_damaged_block_is_an_error_or_a_store() {
    let good = known_blocks();
    for (index, block) in good.iter().enumerate() {
        for at in 0..block.bytes.len() {
            let mut cut = good.clone();
            cut[index].bytes.truncate(at);
            assert!(restored(&cut).is_err(), "{:?} cut at {at}", block.key);
            for bit in [0x01, 0x20, 0x80] {
                let mut flipped = good.clone();
                flipped[index].bytes[at] ^= bit;
                if let Ok(partition) = restored(&flipped) {
                    let _ = blocks(&partition);
                }
            }
        }
    }
    let mut misplaced = good.clone();
    misplaced[2].key.part = 1;
    assert!(restored(&misplaced).is_err(), "messages of an event store");
}

/// Chunks that nothing happened to are shared, not copied: a snapshot costs the loop little.
#[test]
fn a_snapshot_of_many_costs_a_few_pointers() {
    let mut world = World::events();
    for _ in 0..50 {
        world.append(append(&["a"; 1000]));
    }
    let snapshot = world.partition.snapshot_after(None).unwrap();
    assert!(snapshot.weight() <= 5, "{}", snapshot.weight());
    assert!(snapshot.holds_all());
    assert_eq!(snapshot.bodies().count(), 0);
    world.say(create("q", QueueKind::Standard, no_settings())).unwrap();
    assert!(!world.partition.snapshot_after(Some(snapshot.id())).unwrap().holds_all());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Resources are taken at different places, facts come in between, and those that a resource has
    /// seen are passed over.
    #[test]
    fn a_checkpoint_and_the_log_from_there_give_the_same(
        steps in vec(any_step(), 1..60),
        schedule in schedule(),
    ) {
        let mut story = Story::new();
        steps.iter().for_each(|step| story.take(step));
        let log = story.world.flat_log();
        let restored = Checkpoint::taken(&log, &schedule).replayed(&log, &story.world.limits);
        restored.check(story.world.at);
        prop_assert_eq!(
            resting_on_nothing(restored),
            resting_on_nothing(story.world.partition)
        );
    }
}
