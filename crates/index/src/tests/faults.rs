//! Every change of the disk fails once, or is the last before a power cut.

use super::disk::{Break, TestDisk};
use super::world::{Log, check, open};
use crate::index::Index;

const EVENTS: usize = 210;

/// Fills an index step by step, with small runs, full ones and merges; up to the first fault.
fn story(log: &Log, index: &Index) -> Result<(), crate::Fault> {
    for upto in [30, 60, 65, 130, 210] {
        log.fill(index, upto)?;
        index.flush()?;
    }
    log.fill(index, EVENTS)
}

fn changes(log: &Log) -> u64 {
    let disk = TestDisk::default();
    let index = open(&disk).unwrap();
    story(log, &index).unwrap();
    check(log, &index.snapshot(), 0).unwrap();
    disk.changes()
}

#[test]
fn after_any_change_that_fails_the_rest_is_done_all_the_same() {
    let log = Log::by_chance(11, EVENTS);
    let count = changes(&log);
    assert!(count > 60, "{count} changes: this is not the story that was meant");
    let mut failed = 0;
    for number in 0..count {
        let disk = TestDisk::breaking(Some(Break::Once(number)));
        let index = open(&disk).unwrap();
        if story(&log, &index).is_err() {
            failed += 1;
            check(&log, &index.snapshot(), number).unwrap();
            story(&log, &index).unwrap();
        }
        assert_eq!(index.end().0, EVENTS as u64);
        check(&log, &index.snapshot(), number).unwrap();
        drop(index);
        let again = open(&disk).unwrap();
        check(&log, &again.snapshot(), number).unwrap();
        assert_eq!(again.take_dropped(), []);
    }
    // Only what removes a file may fail unseen.
    assert!(failed > count * 2 / 3, "{failed} of {count}");
}

#[test]
fn after_a_power_cut_at_any_change_it_is_a_prefix_and_can_be_filled_again() {
    let log = Log::by_chance(12, EVENTS);
    let count = changes(&log);
    for number in 0..count {
        let disk = TestDisk::breaking(Some(Break::ForGood(number)));
        let durable = match open(&disk) {
            Ok(index) => {
                let _broken = story(&log, &index);
                index.durable_end()
            }
            Err(_) => Default::default(),
        };
        for seed in 0..5 {
            let left = disk.after_power_cut(seed * 1_000 + number);
            let index = open(&left).unwrap();
            assert!(index.end() >= durable, "lost at change {number}: {:?}", index.end());
            check(&log, &index.snapshot(), seed).unwrap();
            story(&log, &index).unwrap();
            assert_eq!(index.end().0, EVENTS as u64);
            if seed == 0 {
                check(&log, &index.snapshot(), number).unwrap();
            }
        }
    }
}
