//! Subscriptions in checkpoints.

use super::*;
use crate::partition::tests::codec::{hex, unhex};
use crate::partition::tests::snapshots::{blocks, resting_on_nothing};
use crate::snapshot::{Block, BlockKey, Restoring};

fn something() -> World {
    let mut world = given([(1, standard(1, "q"))]);
    let item = QueryItem {
        types: vec![label("t")],
        tags: vec![label("a"), label("b")],
        stream: Some(label("s-1")),
        category: Some(label("s")),
        correlation: Some(label("c")),
    };
    let full = SubscriptionSettings {
        query: Query { items: vec![item] },
        after: EventNumber(7),
        note: Some(text("by tag")),
        ..working()
    };
    for (id, subscription, settings) in
        [(2, "w", full), (3, "n", settings(Feeds::Nothing)), (4, "of q", feeding("q"))]
    {
        world.take_in(Facts::one(subscribed(id, subscription, settings)));
    }
    world.wait(8).take_in(Facts::one(advanced(2, 300, 24)));
    world
}

/// A line that changes makes old checkpoints unreadable: add a field that is an `Option` at the end.
#[rustfmt::skip]
const BLOCKS: [(u64, u8, u64, &str); 5] = [
    (0, 0, 0, "8682050101001923280400"),
    (1, 0, 0, "828201018201818761710087197530001a149970001a0010000000f6f41903e81903e8f600"),
    (2, 0, 0, "828205018204818661771903e8856165818185816174826161616263732d31617361630782028184\
        63772f7163772f70197530036662792074616719012c1923281818"),
    (3, 0, 0, "8282030182048186616e1903e8846165818000820080001903e800"),
    (4, 0, 0, "8282040182048186646f6620711903e88461658180008201816171001903e800"),
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

fn restored(blocks: &[Block]) -> Result<Partition, String> {
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
fn a_damaged_block_is_an_error_or_a_subscription() {
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
}

#[test]
fn a_subscription_is_its_main_block_and_no_other() {
    let mut more = known_blocks();
    let main = more.iter().find(|block| block.key.queue.0 == 3).unwrap().clone();
    more.push(Block { key: BlockKey { part: 1, ..main.key }, ..main });
    assert!(restored(&more).unwrap_err().contains("block 0 of part 1 of queue 3"));
    let snapshot = something().partition.snapshot_after(Some(QueueId(1))).unwrap();
    assert_eq!((snapshot.weight(), snapshot.bodies().count()), (2, 0));
    assert!(!snapshot.holds_all());
}

#[test]
fn a_reason_outlives_a_restart_from_a_checkpoint() {
    let mut world = World::with_workers(2);
    assert_eq!(world.say(feed("w", 0, 2, &[1, 2])), at(2));
    let first = world.one(receive("w/q", 1));
    world.done(park("w/q", first.receipt, Some("no such order")));
    let weight = world.partition.state_bytes();
    world.partition = restored(&blocks(&world.partition)).unwrap();
    assert_eq!(world.partition.state_bytes(), weight);
    let (parked, _) = world.peeked(&peek("w/p", 0, 9));
    assert_eq!(parked[0].reason, Some(text("no such order")));
    assert_eq!(world.say(feed("w", 0, 2, &[2])), has_moved(2));
}
