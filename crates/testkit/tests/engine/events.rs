//! Event stores: what was appended is read, under conditions that hold wherever the events are that
//! they are about.

#![allow(clippy::indexing_slicing, reason = "helpers of tests are tests")]

use std::sync::Arc;

use futures::future::join_all;
use lineside_core::events::{
    AppendReply, Boundary, EventBody, EventRefusal, Expected, Moved, Query, QueryItem,
};
use lineside_core::id::{EventNumber, Version};
use lineside_core::stamp::Stamp;
use lineside_engine::engine::Storage;
use lineside_engine::events::{Events, EventsFault, ReadAsk, Wish};
use lineside_index::{Folder, Memory};
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions};

use crate::events_support::{
    Running, World, all, event, events, expect_all, expecting, fill, label, numbers, read, refusal,
    run, tagged, wish,
};
use crate::support::{engine, options};

/// Queries of each kind.
fn queries() -> Vec<Query> {
    let item = QueryItem::default;
    let of = |item: QueryItem| Query::of(item);
    let stream = QueryItem { stream: Some(label("order-1")), ..item() };
    let typed = QueryItem { types: vec![label("made"), label("sent")], ..item() };
    let both = QueryItem { tags: vec![label("a"), label("b")], ..item() };
    vec![
        Query::all(),
        of(stream.clone()),
        of(QueryItem { category: Some(label("order")), ..item() }),
        of(typed.clone()),
        of(both.clone()),
        of(QueryItem { correlation: Some(label("c1")), ..item() }),
        of(QueryItem { tags: vec![label("a")], ..typed }),
        of(QueryItem { stream: Some(label("nothing")), ..item() }),
        Query { items: vec![stream, both] },
    ]
}

/// Appends of one to three events; each is read at once. What was appended, by number.
async fn append_and_read(events: &Events) -> Vec<EventBody> {
    let kinds = ["made", "paid", "sent"];
    let tags: [&[&str]; 4] = [&[], &["a"], &["b"], &["a", "b"]];
    for n in 0..40_usize {
        let one = |k: usize| {
            let stream = format!("{}-{}", ["order", "user"][k % 2], k % 3);
            let mut event = event(&stream, kinds[(n + k) % 3], tags[(n + k) % 4]);
            event.correlation = k.is_multiple_of(2).then(|| label(format!("c{}", n % 2)));
            event
        };
        let wish = wish((0..=n % 3).map(|k| one(n + k)).collect());
        let reply = events.append(&wish).await.unwrap();
        let ask = ReadAsk { from: reply.first, ..all() };
        let found = read(events, ask).await.unwrap();
        let heads = |event: &EventBody| (event.assigned.stream.clone(), event.content.clone());
        let given = wish.events.iter().map(|event| (event.stream.clone(), event.content.clone()));
        assert_eq!(found.iter().map(heads).collect::<Vec<_>>(), given.collect::<Vec<_>>());
        assert_eq!(found.last().unwrap().assigned.number, reply.last);
    }
    let whole = read(events, all()).await.unwrap();
    assert_eq!(numbers(&whole), (1..=whole.len() as u64).collect::<Vec<_>>());
    whole
}

async fn each_query_finds_what_it_means(events: &Events, whole: &[EventBody]) {
    let last = whole.len() as u64;
    for (query, backwards) in queries().into_iter().flat_map(|q| [(q.clone(), false), (q, true)]) {
        for (from, to, limit) in [(0, u64::MAX, 1000), (1, last, 1), (5, 61, 7), (30, 20, 5)] {
            let between = |event: &&EventBody| (from..=to).contains(&event.assigned.number.0);
            let means = whole.iter().filter(|event| query.matches(&event.head()));
            let mut expected: Vec<_> = means.filter(between).cloned().collect();
            if backwards {
                expected.reverse();
            }
            let (from, to) = (EventNumber(from), EventNumber(to));
            let ask = ReadAsk { query: query.clone(), from, to, backwards, limit, ..all() };
            assert_eq!(read(events, ask.clone()).await.unwrap(), expected, "{ask:?}");
        }
    }
}

async fn streams_are_read_by_version(events: &Events, whole: &[EventBody]) {
    let name = label("order-1");
    let of: Vec<_> = whole.iter().filter(|event| event.assigned.stream == name).cloned().collect();
    let newest = of.len() as u64;
    assert_eq!(of.last().unwrap().assigned.version, Version(newest));
    for (from, to) in [(1, u64::MAX), (0, 3), (2, 2), (4, newest), (newest + 1, u64::MAX), (5, 4)] {
        let between = |event: &&EventBody| (from..=to).contains(&event.assigned.version.0);
        let mut expected: Vec<_> = of.iter().filter(between).cloned().collect();
        for backwards in [false, true] {
            let range = (Version(from), Version(to));
            let page = events.read_stream(&name, range, backwards, 1000).await.unwrap();
            assert_eq!((page.events, page.next), (expected.clone(), None), "{from} to {to}");
            expected.reverse();
        }
    }
}

async fn single_events_are_read(events: &Events, whole: &[EventBody]) {
    for event in whole {
        let found = events.read_one(event.assigned.number).await.unwrap();
        assert_eq!(found.as_ref(), Some(event));
    }
    assert_eq!(events.read_one(EventNumber(0)).await.unwrap(), None);
    assert_eq!(events.read_one(EventNumber(whole.len() as u64 + 1)).await.unwrap(), None);
}

async fn moments_are_found(events: &Events, whole: &[EventBody]) {
    let last = whole.len() as u64;
    let before = Stamp(whole[0].assigned.recorded.0 - 1);
    let after = Stamp(whole[whole.len() - 1].assigned.recorded.0 + 1);
    let at = async |stamp| {
        let (first, last) = events.around(stamp).await.unwrap();
        (first.0, last.0)
    };
    assert_eq!(at(Stamp(0)).await, (1, 0));
    assert_eq!(at(before).await, (1, 0));
    assert_eq!(at(after).await, (last + 1, last));
    for event in whole {
        let stamp = event.assigned.recorded;
        let of = || whole.iter().filter(|other| other.assigned.recorded == stamp);
        let (first, last) = (of().next().unwrap(), of().next_back().unwrap());
        assert_eq!(at(stamp).await, (first.assigned.number.0, last.assigned.number.0));
    }
}

async fn what_was_appended_is_read(running: &Running) {
    let events = &running.events;
    let whole = append_and_read(events).await;
    each_query_finds_what_it_means(events, &whole).await;
    running.trimmed().await;
    each_query_finds_what_it_means(events, &whole).await;
    streams_are_read_by_version(events, &whole).await;
    single_events_are_read(events, &whole).await;
    moments_are_found(events, &whole).await;
}

#[tokio::test]
async fn what_was_appended_is_read_at_once_and_by_each_query() {
    let world = World::new();
    let running = world.start().await;
    what_was_appended_is_read(&running).await;
    running.stop().await;
}

#[tokio::test]
async fn what_was_appended_is_read_on_a_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let disk = TestDisk::new();
    let log = DiskLog::open_on(Arc::new(disk.clone()), DiskOptions::default()).unwrap();
    let storage = Storage { blobs: Some(log.blobs()), log: Arc::new(log) };
    let files = Arc::new(Folder::open(&folder.path().join("events")).unwrap());
    let running = run(options(), storage, files.clone()).await;
    what_was_appended_is_read(&running).await;
    let whole = read(&running.events, all()).await.unwrap();
    running.stop().await;

    let left = disk.power_cut_clean();
    let log = DiskLog::open_on(Arc::new(left), DiskOptions::default()).unwrap();
    let storage = Storage { blobs: Some(log.blobs()), log: Arc::new(log) };
    let again = run(options(), storage, files).await;
    assert_eq!(read(&again.events, all()).await.unwrap(), whole);
    again.stop().await;
}

#[tokio::test]
async fn a_page_ends_when_its_bytes_are_reached_and_the_next_goes_on() {
    let running = World::new().start().await;
    fill(&running.events, "a", 20).await;
    let page = running.events.read(ReadAsk { bytes: 1, ..all() }).await.unwrap();
    assert_eq!((numbers(&page.events), page.next), (vec![1], Some(EventNumber(2))));
    let ask = ReadAsk { bytes: 300, backwards: true, ..all() };
    let found = read(&running.events, ask).await.unwrap();
    assert_eq!(numbers(&found), (1..=20).rev().collect::<Vec<_>>());
}

/// Appends one event at the version that the stream has then; how often somebody else was first.
async fn append_at_its_version(events: Events) -> (u64, u64) {
    let (mut version, mut moved) = (Version(0), 0);
    loop {
        let answer = events.append(&expecting("one-1", Expected::At(version))).await;
        if let Ok(reply) = answer {
            assert_eq!(reply.streams, [(label("one-1"), version.next())]);
            return (version.0 + 1, moved);
        }
        match refusal(answer) {
            EventRefusal::Moved(what) => match *what {
                Moved::Stream { actual, .. } => version = actual,
                other @ Moved::Boundary { .. } => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
        moved += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writers_to_one_stream_one_wins_each_version() {
    let running = World::new().start().await;
    let tasks = (0..64).map(|_| tokio::spawn(append_at_its_version(running.events.clone())));
    let done: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let mut versions: Vec<u64> = done.iter().map(|(version, _)| *version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=64).collect::<Vec<_>>());
    assert!(done.iter().any(|(_, moved)| *moved > 0), "nobody raced");
    expect_all(&running.events, 64).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_to_streams_of_their_own_do_not_meet() {
    let running = World::new().start().await;
    let writer = |events: Events, n: u64| async move {
        for version in 0..5 {
            let wish = expecting(&format!("own-{n}"), Expected::At(Version(version)));
            events.append(&wish).await.unwrap();
        }
    };
    let tasks = (0..64).map(|n| tokio::spawn(writer(running.events.clone(), n)));
    join_all(tasks).await.into_iter().for_each(Result::unwrap);
    expect_all(&running.events, 320).await;
}

fn moved(answer: Result<AppendReply, EventsFault>) -> Moved {
    match refusal(answer) {
        EventRefusal::Moved(moved) => *moved,
        other => panic!("{other:?}"),
    }
}

/// The stream's events are in the index alone, in the store's memory alone, and in both.
#[tokio::test]
async fn expectations_hold_wherever_the_events_are() {
    let running = World::new().start().await;
    let events = &running.events;
    let end = fill(events, "cold", 64).await;
    running.trimmed().await;
    let store = events.describe().await.unwrap().unwrap();
    assert_eq!((store.indexed, store.recent), (end, 0), "all is in the index alone");
    for wrong in [Expected::Empty, Expected::At(Version(12)), Expected::At(Version(14))] {
        let Moved::Stream { actual, expected, .. } =
            moved(events.append(&expecting("cold-0", wrong)).await)
        else {
            panic!("not the stream's version")
        };
        assert_eq!((actual, expected), (Version(13), wrong));
    }
    moved(events.append(&expecting("none", Expected::Exists)).await);
    for right in [Expected::At(Version(13)), Expected::Exists, Expected::At(Version(15))] {
        events.append(&expecting("cold-0", right)).await.unwrap();
    }
    events.append(&expecting("new", Expected::Empty)).await.unwrap();
    // One in memory, one in the index, all or nothing.
    let expected = vec![
        (label("cold-0"), Expected::At(Version(16))),
        (label("cold-1"), Expected::At(Version(13))),
    ];
    let both = |last| {
        let mut expected = expected.clone();
        expected.push((label("cold-2"), Expected::At(Version(last))));
        let written = ["cold-0", "cold-3", "cold-0"].map(|stream| event(stream, "k", &[]));
        Wish { expected, ..wish(written.to_vec()) }
    };
    moved(events.append(&both(12)).await);
    let reply = events.append(&both(13)).await.unwrap();
    let streams = [(label("cold-0"), Version(18)), (label("cold-3"), Version(14))];
    assert_eq!(reply.streams, streams);
    expect_all(events, 71).await;
}

fn bounded(tag: &str, after: EventNumber) -> Wish {
    let boundary = Some(Boundary { query: tagged(tag), after });
    Wish { boundary, ..wish(vec![event("b-1", "k", &[tag])]) }
}

#[tokio::test]
async fn boundaries_hold_wherever_the_events_are() {
    let running = World::new().start().await;
    let events = &running.events;
    let end = fill(events, "cold", 64).await;
    running.trimmed().await;
    // `cold:0` has 1, 4, ... 64; in the index alone.
    for (after, newest) in [(0, 64), (30, 64), (63, 64)] {
        let found = moved(events.append(&bounded("cold:0", EventNumber(after))).await);
        let (after, newest) = (EventNumber(after), EventNumber(newest));
        assert_eq!(found, Moved::Boundary { after, newest, now: end });
    }
    assert_eq!(events.append(&bounded("cold:0", end)).await.unwrap().first, end.next());
    // Now one is in memory, and nobody looks further than that.
    for after in [0, 64] {
        let found = moved(events.append(&bounded("cold:0", EventNumber(after))).await);
        let Moved::Boundary { newest, .. } = found else { panic!("{found:?}") };
        assert_eq!(newest, end.next());
    }
    events.append(&bounded("cold:0", end.next())).await.unwrap();
    events.append(&bounded("never seen", EventNumber(0))).await.unwrap();
    // One that is further on than anything there is.
    events.append(&bounded("cold:0", EventNumber(1 << 40))).await.unwrap();
}

fn once(key: &str) -> Wish {
    let written = ["u-1", "u-2", "u-1"].map(|stream| event(stream, "k", &[key]));
    Wish { unless: Some(tagged(key)), ..wish(written.to_vec()) }
}

#[tokio::test]
async fn a_repeated_append_is_answered_as_the_first_was() {
    let running = World::new().start().await;
    let events = &running.events;
    let first = events.append(&once("key")).await.unwrap();
    assert!(!first.again);
    let again = AppendReply { again: true, ..first.clone() };
    assert_eq!(events.append(&once("key")).await.unwrap(), again, "from the store's memory");
    fill(events, "u", 61).await;
    running.trimmed().await;
    assert_eq!(events.describe().await.unwrap().unwrap().recent, 0);
    assert_eq!(events.append(&once("key")).await.unwrap(), again, "from the index");
    let boundary = Some(Boundary { query: Query::all(), after: EventNumber(0) });
    let moved_since = Wish { boundary, ..once("key") };
    assert_eq!(events.append(&moved_since).await.unwrap(), again, "whatever has moved since");
    assert!(!events.append(&once("another")).await.unwrap().again);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_appends_that_race_one_happens_and_all_have_its_answer() {
    let running = World::new().start().await;
    for round in 0..8 {
        fill(&running.events, "between", 7).await;
        let wish = Arc::new(once(&format!("key {round}")));
        let tasks = (0..4).map(|_| {
            let (events, wish) = (running.events.clone(), wish.clone());
            tokio::spawn(async move { events.append(&wish).await.unwrap() })
        });
        let replies: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(replies.iter().filter(|reply| !reply.again).count(), 1);
        for reply in &replies {
            assert_eq!((reply.first, reply.last), (replies[0].first, replies[0].last));
            assert_eq!(reply.streams, replies[0].streams);
        }
    }
}

#[tokio::test]
async fn a_store_is_made_by_the_first_append_alone() {
    let world = World::new();
    let running = world.start().await;
    let events = &running.events;
    assert_eq!(events.describe().await.unwrap(), None);
    assert_eq!(read(events, all()).await.unwrap(), []);
    assert_eq!(events.read_one(EventNumber(1)).await.unwrap(), None);
    assert_eq!(events.around(Stamp(u64::MAX)).await.unwrap(), (EventNumber(1), EventNumber(0)));
    let range = (Version(1), Version(9));
    assert_eq!(events.read_stream(&label("s"), range, false, 9).await.unwrap().events, []);
    assert_eq!(world.stores_made().await, 0);
    let appends = (0..16).map(|_| expecting("s", Expected::Any)).collect::<Vec<_>>();
    let replies = join_all(appends.iter().map(|wish| events.append(wish))).await;
    replies.into_iter().for_each(|reply| drop(reply.unwrap()));
    assert_eq!(world.stores_made().await, 1);
    expect_all(events, 16).await;
}

/// Nobody has begun: the first read does.
#[tokio::test]
async fn who_reads_lets_the_index_follow() {
    let world = World::new();
    let running = world.start().await;
    fill(&running.events, "a", 30).await;
    running.stop().await;
    let (engine, _ended) = engine(Arc::new(world.log.connect())).await;
    expect_all(&events(&engine, Arc::new(Memory::default())), 30).await;
}
