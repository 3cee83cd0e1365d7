//! The index of an event store follows the log, whatever becomes of either.

#![allow(clippy::indexing_slicing, reason = "helpers of tests are tests")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use lineside_core::events::{Expected, Query, QueryItem};
use lineside_core::fact::Fact;
use lineside_core::id::{EventNumber, PartitionId, Place, Position, Version};
use lineside_engine::engine::{Options, Storage};
use lineside_engine::events::{Events, EventsFault, ReadAsk};
use lineside_engine::log::Log;
use lineside_index::{Files, IndexFile, Memory};
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions};

use crate::events_support::{
    World, all, event, expect_all, expecting, fill, label, numbers, read, refusal, run, wish,
};
use crate::support::options;

/// In tests that fail only; nothing here waits for so long.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_restart_loses_nothing_and_has_nothing_twice() {
    let world = World::new();
    let mut last = 0;
    for more in [1, 7, 8, 30, 0, 65] {
        let running = world.start().await;
        fill(&running.events, "a", more).await;
        last += more;
        expect_all(&running.events, last).await;
        running.stop().await;
    }
}

/// Each few events begin a checkpoint, which takes the facts below it.
fn eager() -> Options {
    Options { checkpoint_bytes: 2_000, notice: |_| {}, ..options() }
}

async fn has_fact_of(world: &World, number: u64) -> bool {
    let is_it = |fact: &Fact| matches!(fact, Fact::Appended(f) if f.number.0 == number);
    world.facts().await.iter().any(is_it)
}

#[tokio::test]
async fn an_index_that_was_deleted_is_filled_again_though_the_facts_are_gone() {
    let mut world = World { options: eager(), ..World::new() };
    let running = world.start().await;
    let mut last = fill(&running.events, "a", 8).await;
    while has_fact_of(&world, 8).await {
        assert!(last.0 < 100_000, "no checkpoint takes the facts");
        last = fill(&running.events, "a", 8).await;
    }
    running.trimmed().await;
    running.stop().await;
    world.files = Arc::new(Memory::default());
    let running = world.start().await;
    let versions = last.0.div_ceil(5);
    // Before anything is read: who appends waits for what the store does not know any more.
    let wrong = running.events.append(&expecting("a-0", Expected::Empty)).await;
    assert!(format!("{:?}", refusal(wrong)).contains("actual"), "version {versions}");
    expect_all(&running.events, last.0).await;
    fill(&running.events, "b", 20).await;
    expect_all(&running.events, last.0 + 20).await;
    running.stop().await;
}

/// The index is of `theirs`, the log of `ours`: neither shorter nor longer does it harm.
#[tokio::test]
async fn an_index_of_another_log_is_made_anew() {
    for (theirs, ours) in [(40, 64), (64, 40), (40, 40), (64, 0)] {
        let another = World::new();
        let running = another.start().await;
        fill(&running.events, "theirs", theirs).await;
        running.trimmed().await;
        running.stop().await;
        let mut world = World::new();
        let running = world.start().await;
        fill(&running.events, "ours", ours).await;
        running.stop().await;
        world.files = another.files;
        let running = world.start().await;
        expect_all(&running.events, ours).await;
        let item = QueryItem { category: Some(label("theirs")), ..QueryItem::default() };
        let ask = ReadAsk { query: Query::of(item), ..all() };
        assert_eq!(read(&running.events, ask).await.unwrap(), []);
        let first = expecting("theirs-0", Expected::Empty);
        assert_eq!(running.events.append(&first).await.unwrap().first.0, ours + 1);
        expect_all(&running.events, ours + 1).await;
        running.stop().await;
    }
}

/// Flips a bit of every page of every run.
fn rot(files: &dyn Files) -> usize {
    let names = files.names().unwrap();
    let runs: Vec<_> = names.iter().filter(|name| name.ends_with(".run")).collect();
    for name in &runs {
        // A merge may have removed it since.
        let Ok(file) = files.open(name) else { continue };
        for page in 0..file.len().unwrap() / 4096 {
            let mut byte = [0];
            file.read_at(&mut byte, page * 4096 + 100).unwrap();
            file.write_at(&[byte[0] ^ 1], page * 4096 + 100).unwrap();
        }
    }
    runs.len()
}

/// Reads until that works: what is found is right, and what fails says what is damaged.
async fn expect_all_in_the_end(events: &Events, last: u64) {
    let reads = async {
        loop {
            match read(events, all()).await {
                Ok(found) => return assert_eq!(numbers(&found), (1..=last).collect::<Vec<_>>()),
                Err(EventsFault::Index(fault)) => assert!(fault.to_string().contains("damaged")),
                Err(other) => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(LONG, reads).await.unwrap();
}

#[tokio::test]
async fn a_damaged_index_is_made_anew_while_it_is_used() {
    let world = World::new();
    let running = world.start().await;
    fill(&running.events, "a", 200).await;
    running.trimmed().await;
    for round in 1..5 {
        assert!(rot(&*world.files) > 0);
        expect_all_in_the_end(&running.events, 192 + 8 * round).await;
        fill(&running.events, "a", 8).await;
        expect_all_in_the_end(&running.events, 200 + 8 * round).await;
        running.trimmed().await;
    }
    running.stop().await;
}

#[tokio::test]
async fn an_index_that_is_damaged_at_the_start_is_made_anew() {
    let world = World::new();
    let running = world.start().await;
    fill(&running.events, "a", 64).await;
    running.trimmed().await;
    running.stop().await;
    // Only the pages between the first and the last, which no start looks at.
    for name in world.files.names().unwrap().iter().filter(|name| name.ends_with(".run")) {
        let file = world.files.open(name).unwrap();
        let pages = file.len().unwrap() / 4096;
        for page in 1..pages.saturating_sub(1).max(2) {
            file.write_at(&[0xff; 64], page * 4096 + 8).unwrap();
        }
    }
    let running = world.start().await;
    expect_all_in_the_end(&running.events, 64).await;
    running.stop().await;
}

/// Where the body of an event lies.
pub(crate) async fn place_of(world: &World, number: u64) -> Place {
    let kept = world.log.kept(PartitionId(0), Position::default());
    let bodies: Vec<_> = kept.map(|kept| kept.unwrap().body.place).collect().await;
    bodies[usize::try_from(number).unwrap() - 1]
}

fn is_unreadable<T>(answer: &Result<T, EventsFault>, of: u64) -> bool {
    matches!(answer, Err(EventsFault::Unreadable { number, .. }) if number.0 == of)
}

#[tokio::test]
async fn an_event_that_is_damaged_is_named_and_all_others_are_read() {
    let mut world = World::new();
    let running = world.start().await;
    let events = &running.events;
    for _ in 0..64 {
        events.append(&wish(vec![event("s", "k", &[])])).await.unwrap();
    }
    running.trimmed().await;
    for number in [1, 10, 63, 64] {
        let place = place_of(&world, number).await;
        world.damaged.lock().unwrap().insert(place);
    }
    assert!(is_unreadable(&read(events, all()).await, 1));
    let page = events.read(ReadAsk { from: EventNumber(2), ..all() }).await.unwrap();
    assert_eq!((numbers(&page.events), page.next), ((2..10).collect(), Some(EventNumber(10))));
    assert!(is_unreadable(&events.read_one(EventNumber(10)).await, 10));
    let ask = ReadAsk { from: EventNumber(11), to: EventNumber(62), ..all() };
    assert_eq!(numbers(&read(events, ask).await.unwrap()), (11..63).collect::<Vec<_>>());
    running.stop().await;

    // The last ones are among those that the store does not know any more, and nothing follows.
    world.files = Arc::new(Memory::default());
    let running = world.start().await;
    let events = &running.events;
    let left: Vec<u64> = (2..63).filter(|number| *number != 10).collect();
    assert_eq!(numbers(&read(events, all()).await.unwrap()), left);
    assert!(is_unreadable(&events.read_one(EventNumber(64)).await, 64));
    let range = (Version(10), Version(12));
    let page = events.read_stream(&label("s"), range, false, 9).await.unwrap();
    assert_eq!(numbers(&page.events), [11, 12]);
    let range = (Version(1), Version(10));
    let page = events.read_stream(&label("s"), range, true, 9).await.unwrap();
    assert_eq!(numbers(&page.events), (2..10).rev().collect::<Vec<_>>());
    fill(events, "more", 10).await;
    let found = numbers(&read(events, all()).await.unwrap());
    assert_eq!(found, left.into_iter().chain(65..=74).collect::<Vec<_>>());
    running.stop().await;
}

/// A folder in which nothing can be created while it is full.
#[derive(Debug, Default)]
struct Bounded {
    inside: Memory,
    is_full: AtomicBool,
}

impl Files for Bounded {
    fn names(&self) -> io::Result<Vec<String>> {
        self.inside.names()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn IndexFile>> {
        match self.is_full.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => self.inside.create(name),
        }
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn IndexFile>> {
        self.inside.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inside.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inside.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.inside.sync_names()
    }
}

#[tokio::test]
async fn who_reads_while_the_index_cannot_follow_hears_how_far_it_is() {
    let files = Arc::new(Bounded::default());
    let world = World { files: files.clone(), ..World::new() };
    let running = world.start().await;
    files.is_full.store(true, Ordering::Relaxed);
    fill(&running.events, "a", 40).await;
    running.events.reaches(EventNumber(24)).await.unwrap();
    // Three parts are full, or four if one was just about to be written, and none can be. Ten seconds
    // pass at once.
    tokio::time::pause();
    match running.events.read(all()).await {
        Err(EventsFault::Behind { wanted, end }) => {
            assert_eq!(wanted, EventNumber(40));
            assert!([24, 32].contains(&end.0), "{end:?}");
        }
        other => panic!("{other:?}"),
    }
    tokio::time::resume();
    let found = running.events.append(&expecting("a-0", Expected::At(Version(8)))).await;
    assert_eq!(found.unwrap().first, EventNumber(41), "the store decides all the same");
    files.is_full.store(false, Ordering::Relaxed);
    expect_all(&running.events, 41).await;
    running.trimmed().await;
    running.stop().await;
}

/// Time jumps only when nobody has anything to do, and each jump ends at somebody's timer: whoever
/// polled would be seen here, and who is busy for ever would never let it end.
#[tokio::test]
async fn an_idle_store_costs_nothing() {
    let world = World::new();
    let running = world.start().await;
    fill(&running.events, "a", 20).await;
    expect_all(&running.events, 20).await;
    running.trimmed().await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.worker_park_count(0);
    tokio::time::sleep(Duration::from_secs(600)).await;
    let parked = metrics.worker_park_count(0) - before;
    assert!(parked < 50, "{parked} wake-ups in ten minutes");
    tokio::time::resume();
    expect_all(&running.events, 20).await;
    running.stop().await;
}

/// Told to stop at whatever moment, it does.
#[tokio::test]
async fn a_shutdown_does_not_wait_for_the_index() {
    let world = World::new();
    let mut last = 0;
    for count in [1, 9, 40, 200] {
        let running = world.start().await;
        last += count;
        fill(&running.events, "a", count).await;
        running.engine.dismiss();
        fill(&running.events, "a", 1).await;
        last += 1;
        tokio::time::timeout(LONG, running.stop()).await.unwrap();
    }
    let running = world.start().await;
    expect_all(&running.events, last).await;
}

/// The disk is full for a while: the state is read again, and the index goes on with it.
#[tokio::test]
async fn a_refused_append_is_not_found_and_the_index_goes_on() {
    let disk = TestDisk::new();
    let log = DiskLog::open_on(Arc::new(disk.clone()), DiskOptions::default()).unwrap();
    let storage = Storage { blobs: Some(log.blobs()), log: Arc::new(log) };
    let options = Options { notice: |_| {}, ..options() };
    let running = run(options, storage, Arc::new(Memory::default())).await;
    fill(&running.events, "a", 20).await;
    for round in 0..3 {
        // The answer to the follower's steps is told, so that the write that fails is the append's.
        running.trimmed().await;
        disk.fail_write(0, 0, io::ErrorKind::StorageFull);
        let refused = running.events.append(&wish(vec![event("a-1", "k", &["refused"])])).await;
        assert!(matches!(refused, Err(EventsFault::Call(_))), "{refused:?}");
        disk.set_free_bytes(1 << 40);
        let again = wish(vec![event("a-2", "k", &[])]);
        while running.events.append(&again).await.is_err() {
            tokio::task::yield_now().await;
        }
        fill(&running.events, "a", 9).await;
        expect_all(&running.events, 30 + 10 * round).await;
    }
    running.stop().await;
}
