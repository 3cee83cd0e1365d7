//! Random events, flushes, merges and starts: the index says what a scan of the log says.

use proptest::prelude::*;

use super::disk::TestDisk;
use super::world::{Log, check, open, perform};
use crate::event::Order;
use crate::index::Index;
use crate::snapshot::{Ask, Sought};
use lineside_core::events::{Query, QueryItem};
use lineside_core::id::{EventNumber, Label, QueueId};

#[derive(Clone, Copy, Debug)]
enum Step {
    Add(usize),
    Flush,
    Work,
    Reopen,
    FallBack(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..150_usize).prop_map(Step::Add),
        2 => Just(Step::Flush),
        3 => Just(Step::Work),
        1 => Just(Step::Reopen),
        1 => (0..1_000_u64).prop_map(Step::FallBack),
    ]
}

/// Does a step; what was held before it still says what it said.
fn take(step: Step, log: &Log, disk: &TestDisk, index: &mut Index) {
    let before = index.snapshot();
    match step {
        Step::Add(count) => {
            let end = index.end().0 as usize;
            log.fill(index, end + count).unwrap();
        }
        Step::Flush => {
            index.flush().unwrap();
            assert_eq!(index.durable_end(), index.end());
        }
        Step::Work => {
            while let Some(work) = index.work() {
                perform(index, work).unwrap();
            }
        }
        Step::Reopen => {
            let durable = index.durable_end();
            *index = open(disk).unwrap();
            assert_eq!((index.end(), index.take_dropped().len()), (durable, 0));
        }
        Step::FallBack(end) => {
            index.fall_back(EventNumber(end)).unwrap();
            assert!(index.end().0 <= end.max(index.durable_end().0));
            assert!(index.durable_end().0 <= end);
        }
    }
    check(log, &before, 1).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn it_answers_as_a_scan_does(seed: u64, steps in prop::collection::vec(step(), 1..25)) {
        let log = Log::by_chance(seed, 1_200);
        let disk = TestDisk::default();
        let mut index = open(&disk).unwrap();
        for (number, step) in steps.into_iter().enumerate() {
            take(step, &log, &disk, &mut index);
            check(&log, &index.snapshot(), seed ^ number as u64).unwrap();
        }
    }
}

#[test]
fn long_lists_are_searched_in_both_directions() {
    let (log, disk) = (Log::by_chance(5, 3_000), TestDisk::default());
    let index = open(&disk).unwrap();
    log.fill(&index, 3_000).unwrap();
    index.flush().unwrap();
    assert!(index.snapshot().end().0 >= 3_000);
    (0..40).for_each(|seed| check(&log, &index.snapshot(), seed).unwrap());
}

#[test]
fn a_merge_leaves_one_run_of_many_and_no_other_file() {
    let (log, disk) = (Log::by_chance(1, 640), TestDisk::default());
    let index = open(&disk).unwrap();
    log.fill(&index, 640).unwrap();
    index.flush().unwrap();
    while let Some(work) = index.work() {
        perform(&index, work).unwrap();
    }
    // 640 events in parts of 40, two of each size making one of the next: 512 + 128 and no more
    // than one of each power of two.
    let names = disk.files().names().unwrap();
    assert!(names.len() <= 6, "{names:?}");
    check(&log, &index.snapshot(), 3).unwrap();
}

#[test]
fn a_merge_stops_when_it_is_told_to() {
    let (log, disk) = (Log::by_chance(1, 6_000), TestDisk::default());
    let options = crate::Options { part_events: 3_000, fan: 2, ..crate::Options::new([7; 16]) };
    let index = Index::open(disk.files(), options).unwrap();
    let events: Vec<_> = log.0.iter().take(6_000).map(super::world::Event::indexed).collect();
    assert_eq!(index.add(&events).unwrap(), 6_000);
    index.flush().unwrap();
    let files = disk.files().names().unwrap();
    assert!(matches!(index.merge(&|| false), Err(crate::Fault::Stopped)));
    assert_eq!(disk.files().names().unwrap(), files);
    assert_eq!(index.work(), Some(crate::Work::Merge));
    index.merge(&|| true).unwrap();
    assert_eq!(index.work(), None);
    assert!(disk.files().names().unwrap().len() < files.len());
}

#[test]
fn numbers_have_no_gap_and_memory_has_an_end() {
    let (log, disk) = (Log::by_chance(2, 300), TestDisk::default());
    let index = open(&disk).unwrap();
    let events: Vec<_> = log.0.iter().map(super::world::Event::indexed).collect();
    let gap = index.add(&events[1..]).unwrap_err();
    let (expected, given) = (EventNumber(1), EventNumber(2));
    assert_eq!(gap, crate::AddError::Gap { expected, given });
    // Three parts of 40, and then somebody has to write them.
    assert_eq!(index.add(&events).unwrap(), 120);
    assert_eq!(index.add(&events[120..]).unwrap(), 0);
    index.flush_full().unwrap();
    assert_eq!((index.durable_end().0, index.end().0), (120, 120));
    assert_eq!(index.add(&events[120..]).unwrap(), 120);
}

#[test]
fn the_first_and_the_newest_match_are_found_across_runs() {
    let (log, disk) = (Log::by_chance(4, 900), TestDisk::default());
    let index = open(&disk).unwrap();
    log.fill(&index, 900).unwrap();
    let (snapshot, store) = (index.snapshot(), QueueId(1));
    let query = Query::of(QueryItem { tags: vec![Label::new("rare1")], ..QueryItem::default() });
    let (from, to, order) = (EventNumber(1), snapshot.end(), Order::OldestFirst);
    let ask = Ask { store, query: &query, from, to, order, limit: 9_999, budget: 1 << 40 };
    let all = log.found(&ask, to.0);
    let (first, last) = (all[0], *all.last().unwrap());
    let sought = |answer: Result<Sought, crate::Fault>| answer.unwrap();
    assert_eq!(sought(snapshot.first_match(store, &query, from, 1 << 40)), Sought::Hit(first));
    let newest = |after, to| sought(snapshot.newest_match(store, &query, (after, to), 1 << 40));
    assert_eq!(newest(EventNumber(0), to), Sought::Hit(last));
    assert_eq!(newest(last.number, to), Sought::Nothing);
    assert_eq!(newest(EventNumber(0), EventNumber(first.number.0 - 1)), Sought::Nothing);
    for entry in all {
        let (begin, end) = entry.append();
        assert_eq!(end.0 - begin.0 + 1, u64::from(entry.row.count));
        assert_eq!(entry.number.0 - begin.0, u64::from(entry.row.index));
    }
}

#[test]
fn who_asks_is_right_while_others_add_flush_and_merge() {
    let (log, disk) = (Log::by_chance(6, 1_500), TestDisk::default());
    let index = open(&disk).unwrap();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let done = || is_done.load(std::sync::atomic::Ordering::Relaxed);
    let events: Vec<_> = log.0.iter().map(super::world::Event::indexed).collect();
    let left = || events.get(index.end().0 as usize..).filter(|rest| !rest.is_empty());
    let ask = || {
        for seed in 0.. {
            let snapshot = index.snapshot();
            check(&log, &snapshot, seed).unwrap();
            // As of a moment: the same answers later on.
            check(&log, &snapshot, seed + 1).unwrap();
            if snapshot.end().0 == events.len() as u64 || done() {
                return;
            }
        }
    };
    std::thread::scope(|threads| {
        let flushing = threads.spawn(|| while_not(done, || index.flush_full()));
        threads.spawn(|| while_not(done, || index.merge(&|| true)));
        let asking = threads.spawn(ask);
        // Without a flush there is no more room, and nobody would ever end.
        while let Some(rest) = left().filter(|_| !flushing.is_finished()) {
            index.add(&rest[..rest.len().min(7)]).unwrap();
        }
        let asked = if left().is_some() { Ok(()) } else { asking.join() };
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        asked.unwrap();
    });
    assert_eq!(index.end().0, events.len() as u64);
}

fn while_not(done: impl Fn() -> bool, work: impl Fn() -> Result<(), crate::Fault>) {
    while !done() {
        work().unwrap();
    }
}
