//! States of streams: the same with snapshots and without, at any version and any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use lineside_core::events::{EventBody, NewEvent};
use lineside_core::id::{EventNumber, Version};
use lineside_core::stamp::{Millis, Stamp};
use lineside_engine::engine::Options;
use lineside_engine::events::{
    BLOCK_EVENTS, Events, EventsFault, Fold, FoldBlock, FoldFault, FoldFaultKind, Folded, Identity,
    SNAPSHOT_BYTES, StateAt, StateFault, States, Until,
};
use lineside_engine::off_loop::on_own_thread;
use lineside_index::Memory;
use lineside_testkit::rng::Rng;
use minicbor::bytes::ByteVec;

use crate::events_support::{World, all, event, fill, label, read, wish};

/// A fold that tells all that it has seen, and how it was led through it: which event came as which
/// of its block. One that is not pure could tell as much.
#[derive(Default)]
struct Chain {
    identity: Identity,
    /// How many events it was given in all.
    folded: AtomicU64,
}

fn chained(mut state: Vec<u64>, events: &[EventBody]) -> Vec<u64> {
    for (index, event) in events.iter().enumerate() {
        let (number, version) = (event.assigned.number.0, event.assigned.version.0);
        let mut hash = state.pop().unwrap_or(7);
        for part in [number, version, index as u64] {
            hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ part;
        }
        state.push(hash);
    }
    state
}

fn bytes_of(state: &[u64]) -> Bytes {
    state.iter().flat_map(|hash| hash.to_be_bytes()).collect::<Vec<u8>>().into()
}

impl Fold for Chain {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn fold(&self, block: FoldBlock) -> BoxFuture<'_, Result<Folded, FoldFault>> {
        self.folded.fetch_add(block.events.len() as u64, Ordering::Relaxed);
        let from = block.from.iter().map(|state| u64::from_be_bytes(state[..].try_into().unwrap()));
        let state = bytes_of(&chained(from.collect(), &block.events));
        async move { Ok(Folded { state, spent: block.spent }) }.boxed()
    }
}

/// What the state has to be, of a stream's events.
fn expected(events: &[EventBody]) -> Bytes {
    let blocks = events.chunks(BLOCK_EVENTS);
    bytes_of(&blocks.fold(Vec::new(), chained))
}

fn version(version: u64) -> Until {
    Until { version: Some(Version(version)), at: None }
}

fn moment(at: Stamp) -> Until {
    Until { version: None, at: Some(at) }
}

async fn append(events: &Events, stream: &str, count: u64) {
    let some: Vec<NewEvent> = (0..count).map(|_| event(stream, "k", &[])).collect();
    events.append(&wish(some)).await.unwrap();
}

/// All events of a stream.
async fn history(events: &Events, stream: &str) -> Vec<EventBody> {
    let found = read(events, all()).await.unwrap();
    found.into_iter().filter(|event| event.assigned.stream.as_str() == stream).collect()
}

fn steerable() -> World {
    let mut world = World::new();
    world.options = Options { steerable: true, ..world.options };
    world
}

/// Streams that grow between one another while time goes on.
async fn grown(world: &World, rng: &mut Rng) -> crate::events_support::Running {
    let running = world.start().await;
    for _ in 0..40 {
        let stream = rng.one(&["long-1", "long-1", "long-1", "short-1", "other"], "long-1");
        append(&running.events, stream, rng.between(1, 40)).await;
        if rng.chance(50) {
            running.engine.advance(Millis(rng.between(1, 5_000))).await.unwrap();
        }
    }
    running
}

async fn check(states: &States, history: &[EventBody], stream: &str, until: Until) {
    let fold = Chain::default();
    let found = states.at(&fold, &label(stream), until).await.unwrap();
    let holds = |event: &&EventBody| {
        until.version.is_none_or(|version| event.assigned.version <= version)
            && until.at.is_none_or(|at| event.assigned.recorded <= at)
    };
    let count = history.iter().take_while(holds).count();
    let events: Vec<EventBody> = history.iter().take(count).cloned().collect();
    let last = events.last().map(|event| &event.assigned);
    let wanted = StateAt {
        version: last.map_or(Version(0), |last| last.version),
        number: last.map_or(EventNumber(0), |last| last.number),
        recorded: last.map(|last| last.recorded),
        state: expected(&events),
        end: found.end,
    };
    assert_eq!(found, wanted, "{stream} {until:?}");
}

#[tokio::test]
async fn snapshots_change_no_answer() {
    for seed in 1..=4 {
        let (world, mut rng) = (steerable(), Rng::new(seed));
        let running = grown(&world, &mut rng).await;
        let room = |bytes| States::new(running.events.clone(), bytes);
        let kept = [room(0), room(700), room(SNAPSHOT_BYTES)];
        for stream in ["long-1", "short-1", "nobody-1"] {
            let history = history(&running.events, stream).await;
            for _ in 0..40 {
                let last = history.len() as u64;
                let at = rng.pick(&history).map_or(Stamp(9), |event| event.assigned.recorded);
                let near = Stamp(at.0.saturating_add(rng.below(3)).saturating_sub(1));
                let chosen = version(rng.between(0, last));
                let both = Until { at: Some(near), ..chosen };
                let until = [Until::default(), chosen, moment(near), both];
                let until = rng.one(&until, Until::default());
                for states in &kept {
                    check(states, &history, stream, until).await;
                }
            }
        }
        drop(kept);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_second_question_folds_only_what_no_snapshot_has() {
    let world = World::new();
    let running = world.start().await;
    append(&running.events, "s", 600).await;
    let states = States::new(running.events.clone(), SNAPSHOT_BYTES);
    let folds = async |identity: u8, until| {
        let fold = Chain { identity: [identity; 32], ..Chain::default() };
        states.at(&fold, &label("s"), until).await.unwrap();
        fold.folded.into_inner()
    };
    assert_eq!(folds(1, Until::default()).await, 600);
    assert_eq!(folds(1, Until::default()).await, 600 - 512);
    assert_eq!(folds(1, version(512)).await, 0);
    assert_eq!(folds(1, version(511)).await, 511 - 256);
    assert_eq!(folds(2, Until::default()).await, 600, "another fold meets no state of this one");
    drop(states);
    running.stop().await;
}

#[tokio::test]
async fn before_the_first_event_and_behind_the_last_one() {
    let world = World::new();
    let running = world.start().await;
    let states = States::new(running.events.clone(), SNAPSHOT_BYTES);
    let (fold, stream) = (Chain::default(), label("s"));
    let none = states.at(&fold, &stream, Until::default()).await.unwrap();
    assert_eq!((none.version, none.recorded, none.end), (Version(0), None, EventNumber(0)));
    assert!(states.at(&fold, &stream, version(1)).await.is_err(), "not even a store");
    append(&running.events, "s", 5).await;
    let events = history(&running.events, "s").await;
    for until in [moment(Stamp(0)), version(0), moment(Stamp::MAX), version(5), Until::default()] {
        check(&states, &events, "s", until).await;
    }
    let beyond = states.at(&fold, &stream, version(6)).await;
    assert!(
        matches!(beyond, Err(StateFault::NoSuchVersion { wanted: Version(6), last: Version(5) })),
        "{beyond:?}"
    );
    drop(states);
    running.stop().await;
}

/// A block ends where its data becomes too much to hold, whatever the pages are.
#[tokio::test]
async fn large_events_make_short_blocks() {
    let world = World::new();
    let running = world.start().await;
    for _ in 0..12 {
        let mut large = event("s", "k", &[]);
        large.content.data = Some(ByteVec::from(vec![b'1'; 1_000_000]));
        running.events.append(&wish(vec![large])).await.unwrap();
    }
    let history = history(&running.events, "s").await;
    let blocks = history.chunks(5).fold(Vec::new(), chained);
    for bytes in [0, SNAPSHOT_BYTES, SNAPSHOT_BYTES] {
        let states = States::new(running.events.clone(), bytes);
        for _ in 0..2 {
            let found = states.at(&Chain::default(), &label("s"), Until::default()).await;
            assert_eq!(found.unwrap().state, bytes_of(&blocks));
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn no_state_is_told_behind_an_event_that_cannot_be_read() {
    let mut world = World::new();
    let running = world.start().await;
    append(&running.events, "s", 40).await;
    fill(&running.events, "more", 30).await;
    running.trimmed().await;
    let place = crate::events_index::place_of(&world, 10).await;
    world.damaged.lock().unwrap().insert(place);
    let history = history_upto(&running.events, 9).await;
    let states = States::new(running.events.clone(), SNAPSHOT_BYTES);
    check(&states, &history, "s", version(9)).await;
    let (fold, stream) = (Chain::default(), label("s"));
    let damaged = states.at(&fold, &stream, Until::default()).await;
    let is_named = |fault: &StateFault| {
        let StateFault::Events(EventsFault::Unreadable { number, .. }) = fault else {
            return false;
        };
        *number == EventNumber(10)
    };
    assert!(damaged.as_ref().is_err_and(is_named), "{damaged:?}");
    drop(states);
    running.stop().await;

    // An index that is made anew does not even know that it was of this stream.
    world.files = Arc::new(Memory::default());
    let running = world.start().await;
    let states = States::new(running.events.clone(), SNAPSHOT_BYTES);
    check(&states, &history, "s", version(9)).await;
    for until in [version(10), version(11), Until::default()] {
        let lost = states.at(&fold, &stream, until).await;
        assert!(matches!(lost, Err(StateFault::Lost(Version(10)))), "{lost:?}");
    }
    drop(states);
    running.stop().await;
}

async fn history_upto(events: &Events, last: u64) -> Vec<EventBody> {
    let ask = lineside_engine::events::ReadAsk { to: EventNumber(last), ..all() };
    read(events, ask).await.unwrap()
}

/// A fold that has a second for a question, and takes 400 ms for a block.
struct Slow;

impl Fold for Slow {
    fn identity(&self) -> Identity {
        [9; 32]
    }

    fn fold(&self, block: FoldBlock) -> BoxFuture<'_, Result<Folded, FoldFault>> {
        let spent = block.spent + Duration::from_millis(400);
        let kind = match (
            spent > Duration::from_secs(1),
            block.events.iter().any(|e| e.assigned.version.0 == 2000),
        ) {
            (true, _) => Some((FoldFaultKind::Time, "time")),
            (false, true) => Some((FoldFaultKind::Lasting, "threw")),
            (false, false) => None,
        };
        let from = block.from.iter().map(|state| u64::from_be_bytes(state[..].try_into().unwrap()));
        let state = bytes_of(&chained(from.collect(), &block.events));
        async move {
            match kind {
                Some((kind, word)) => {
                    Err(FoldFault { why: word.to_owned(), word, kind, at: None, place: None })
                }
                None => Ok(Folded { state, spent }),
            }
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_question_that_runs_out_of_time_is_taken_up_by_the_next_one() {
    let world = World::new();
    let running = world.start().await;
    append(&running.events, "s", 1000).await;
    append(&running.events, "s", 1000).await;
    let states = States::new(running.events.clone(), SNAPSHOT_BYTES);
    let stream = label("s");
    let first = states.at(&Slow, &stream, version(1000)).await;
    assert!(
        matches!(first, Err(StateFault::Unfinished { folded: Version(512), of: Version(1000) })),
        "{first:?}"
    );
    let second = states.at(&Slow, &stream, version(1000)).await.unwrap();
    let history = history(&running.events, "s").await;
    assert_eq!(second.state, expected(&history[..1000]));
    loop {
        match states.at(&Slow, &stream, Until::default()).await {
            Err(StateFault::Unfinished { .. }) => {}
            Err(StateFault::Fold(fault)) => break assert_eq!(fault.word, "threw"),
            other => panic!("{other:?}"),
        }
    }
    drop(states);
    running.stop().await;
}

/// Many who ask at once, while the stream grows, each hear of a state that there was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_ask_while_the_stream_grows() {
    let world = World::new();
    let running = world.start().await;
    append(&running.events, "s", 100).await;
    let states = States::new(running.events.clone(), 2_000);
    let asks = (0..8).map(|_| {
        let states = states.clone();
        tokio::spawn(async move {
            let mut answers = Vec::new();
            for _ in 0..20 {
                let found = states.at(&Chain::default(), &label("s"), Until::default()).await;
                answers.push(found.unwrap());
            }
            answers
        })
    });
    let asks: Vec<_> = asks.collect();
    for _ in 0..20 {
        append(&running.events, "s", 37).await;
    }
    let mut answers = Vec::new();
    for ask in asks {
        let of_one = ask.await.unwrap();
        assert!(of_one.is_sorted_by_key(|answer| answer.version));
        answers.extend(of_one);
    }
    let history = history(&running.events, "s").await;
    let right = on_own_thread("check", move || {
        answers.iter().all(|answer| {
            let count = usize::try_from(answer.version.0).unwrap();
            answer.state == expected(&history[..count])
        })
    });
    assert!(right.await.unwrap());
    drop(states);
    running.stop().await;
}
