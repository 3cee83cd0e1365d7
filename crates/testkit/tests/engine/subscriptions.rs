//! Durable subscriptions: each event that matches becomes one message, whoever feeds and whatever
//! crashes; who feeds waits for room, and writes nothing where there is nothing to feed.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use lineside_core::command::{Command, Description, NewDedup, NewMessage, Reply};
use lineside_core::events::{EventBody, Query};
use lineside_core::fact::Fact;
use lineside_core::id::{EventNumber, Name, Seq};
use lineside_core::limits::Limits;
use lineside_core::queue::QueueKind;
use lineside_core::stamp::Millis;
use lineside_core::subscription::{Feeds, SubscriptionSettings, Workers};
use lineside_engine::engine::Options;
use lineside_engine::subscriptions::{Standing, SubscriptionFault, Subscriptions};

use crate::events_support::{Running, World, event, fill, tagged, wish};
use crate::support::{deliveries, queue, receive};

const PATIENCE: Duration = Duration::from_secs(20);

fn of(running: &Running) -> Subscriptions {
    of_telling(running, |_| {})
}

fn of_telling(running: &Running, notice: fn(&str)) -> Subscriptions {
    let prefix = Name::new("s/");
    Subscriptions::new(running.engine.clone(), running.events.clone(), prefix, message, notice)
}

/// A message whose body is the event's number as a text.
fn message(event: &EventBody, _: u32) -> NewMessage {
    let number = event.assigned.number.0.to_string();
    let body = Bytes::from(number.into_bytes());
    NewMessage { body, size: 1, delay: None, group: None, dedup: NewDedup::None }
}

fn settings(query: Query, feeds: Feeds) -> SubscriptionSettings {
    let (store, after, note) = (Name::new("native/default"), EventNumber(0), None);
    SubscriptionSettings { store, query, after, feeds, note }
}

fn to_queue(query: Query) -> SubscriptionSettings {
    settings(query, Feeds::Queue(Name::new("q")))
}

fn workers() -> Feeds {
    let (queue, parked) = (Name::new("w/work"), Name::new("w/parked"));
    Feeds::Workers(Workers { queue, parked, lease: Millis::seconds(30), attempts: 3 })
}

/// The subscription, once it is as it should be.
async fn once(
    subscriptions: &Subscriptions,
    name: &Name,
    holds: impl Fn(&Standing) -> bool,
) -> Standing {
    let look = async {
        loop {
            let standing = subscriptions.standing(name).await.unwrap().unwrap();
            if holds(&standing) {
                return standing;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap()
}

fn held(queue: &Description) -> usize {
    queue.visible + queue.in_flight + queue.delayed
}

/// The bodies of all messages of the queue, in order of their numbers, none of which goes away.
async fn fed(running: &Running) -> Vec<u64> {
    let (queue, from, max) = (Name::new("q"), Seq(1), 1000);
    let peek = Command::Peek { queue, from, max, in_flight: true, delayed: true };
    let Reply::Peeked { messages, .. } = running.engine.call(peek).await.unwrap() else {
        panic!("no messages were shown");
    };
    let mut all = Vec::new();
    for message in messages {
        let body = running.engine.body(message.body).await.unwrap();
        all.push(std::str::from_utf8(&body).unwrap().parse().unwrap());
    }
    all
}

#[tokio::test]
async fn each_event_is_fed_once_by_two_who_feed_and_through_restarts() {
    let world = World::new();
    let name = Name::new("s/a");
    let mut last = EventNumber(0);
    for round in 0..3 {
        let running = world.start().await;
        queue(&running.engine, "q", QueueKind::Standard).await;
        let (one, other) = (of(&running), of(&running));
        one.begin().await.unwrap();
        let made = one.create(name.clone(), to_queue(Query::all())).await.unwrap();
        assert_eq!(made, round == 0);
        other.begin().await.unwrap();
        last = fill(&running.events, "x", 50).await.max(last);
        once(&one, &name, |s| s.description.upto == last).await;
        assert_eq!(fed(&running).await, (1..=last.0).collect::<Vec<_>>());
        drop((one, other));
        running.stop().await;
    }
}

#[tokio::test]
async fn who_feeds_waits_for_room_and_goes_on_when_there_is_some() {
    let limits = Limits { subscription_window_max: 5, ..Limits::cloud() };
    let mut world = World::new();
    world.options = Options { limits, ..world.options };
    let running = world.start().await;
    let name = Name::new("s/a");
    let q = queue(&running.engine, "q", QueueKind::Standard).await;
    let subscriptions = of(&running);
    subscriptions.create(name.clone(), to_queue(Query::all())).await.unwrap();
    let mut taken = 0;
    let last = fill(&running.events, "x", 200).await;
    // One who waits at the queue itself does not stand in the way of who waits for room there.
    while taken < last.0 {
        let full = |s: &Standing| s.queue.as_ref().is_some_and(|q| held(q) > 0);
        let standing = once(&subscriptions, &name, full).await;
        let most = 5 + 256;
        assert!(standing.queue.is_some_and(|q| held(&q) <= most), "more than a step beyond");
        for delivery in deliveries(running.engine.call(receive(&q, 0)).await) {
            let (queue, receipt) = (q.clone(), delivery.receipt);
            running.engine.call(Command::Delete { queue, receipt }).await.unwrap();
            taken += 1;
        }
    }
    let standing = once(&subscriptions, &name, |s| s.description.upto == last).await;
    assert_eq!(standing.description.fed, 200);
    drop(subscriptions);
    running.stop().await;
}

#[tokio::test]
async fn where_there_is_nothing_to_feed_nothing_is_written() {
    let world = World::new();
    let running = world.start().await;
    let name = Name::new("s/a");
    queue(&running.engine, "q", QueueKind::Standard).await;
    let subscriptions = of(&running);
    subscriptions.create(name.clone(), to_queue(tagged("wanted"))).await.unwrap();
    fill(&running.events, "x", 60).await;
    let wanted = event("s", "t", &["wanted"]);
    let last = running.events.append(&wish(vec![wanted])).await.unwrap().last;
    once(&subscriptions, &name, |s| s.description.upto == last).await;
    assert_eq!(fed(&running).await, [last.0]);
    drop(subscriptions);
    running.stop().await;
    let facts = world.facts().await;
    let steps = facts.iter().filter(|fact| matches!(fact, Fact::Advanced(_))).count();
    assert_eq!(steps, 1, "for one event of {}", last.0);
}

static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[tokio::test]
async fn an_event_that_cannot_be_read_is_named_and_keeps_nobody_from_the_others() {
    let world = World::new();
    let running = world.start().await;
    let name = Name::new("s/a");
    queue(&running.engine, "q", QueueKind::Standard).await;
    let last = fill(&running.events, "x", 30).await;
    let kept = running.engine.kept(None, 100).await.unwrap();
    world.damaged.lock().unwrap().insert(kept[11].body.place);
    let subscriptions = of_telling(&running, |text| TOLD.lock().unwrap().push(text.to_owned()));
    subscriptions.create(name.clone(), to_queue(Query::all())).await.unwrap();
    once(&subscriptions, &name, |s| s.description.upto == last).await;
    let all_but_one: Vec<u64> = (1..=last.0).filter(|number| *number != 12).collect();
    assert_eq!(fed(&running).await, all_but_one);
    let told = TOLD.lock().unwrap().join("\n");
    assert!(told.contains("event 12 cannot be read, and the subscription s/a goes on"), "{told}");
    drop(subscriptions);
    running.stop().await;
}

#[tokio::test]
async fn a_workers_event_that_cannot_be_read_is_parked_with_the_reason() {
    let world = World::new();
    let running = world.start().await;
    let name = Name::new("s/a");
    let subscriptions = of(&running);
    subscriptions.create(name.clone(), settings(Query::all(), workers())).await.unwrap();
    let stream = |n: u32| event(&format!("s-{n}"), "t", &[]);
    running.events.append(&wish((0..3).map(stream).collect())).await.unwrap();
    once(&subscriptions, &name, |s| s.description.upto == EventNumber(3)).await;
    let kept = running.engine.kept(None, 100).await.unwrap();
    world.damaged.lock().unwrap().insert(kept[1].body.place);
    let got = subscriptions.receive(&name, 10, Millis::ZERO, None).await.unwrap();
    let numbers: Vec<u64> = got.iter().map(|one| one.event.assigned.number.0).collect();
    assert_eq!(numbers, [1, 3]);
    let page = subscriptions.parked(&name, Seq(1), 10).await.unwrap();
    assert_eq!(page.parked.len(), 1);
    let reason = page.parked[0].reason.as_ref().unwrap().as_str();
    assert!(reason.starts_with("event 2 cannot be read"), "{reason}");
    assert!(matches!(&page.parked[0].event, Err((EventNumber(2), _))));
    drop(subscriptions);
    running.stop().await;
}

#[tokio::test]
async fn only_a_cursor_is_moved_by_hand() {
    let world = World::new();
    let running = world.start().await;
    let subscriptions = of(&running);
    let last = fill(&running.events, "x", 3).await;
    let (cursor, work) = (Name::new("s/cursor"), Name::new("s/work"));
    let of_nothing = settings(Query::all(), Feeds::Nothing);
    subscriptions.create(cursor.clone(), of_nothing).await.unwrap();
    subscriptions.create(work.clone(), settings(Query::all(), workers())).await.unwrap();
    subscriptions.advance(cursor.clone(), EventNumber(0), last).await.unwrap();
    let stale = subscriptions.advance(cursor, EventNumber(0), last).await;
    assert!(matches!(stale, Err(SubscriptionFault::Refused(_))), "{stale:?}");
    once(&subscriptions, &work, |s| s.description.upto == last).await;
    let by_hand = subscriptions.advance(work.clone(), last, last).await;
    assert!(matches!(by_hand, Err(SubscriptionFault::Refused(_))), "{by_hand:?}");
    let missing = subscriptions.advance(Name::new("s/none"), last, last).await;
    assert!(matches!(missing, Err(SubscriptionFault::Missing)));
    let no_workers = subscriptions.ack(&Name::new("s/cursor"), receipt()).await;
    assert!(matches!(no_workers, Err(SubscriptionFault::NoWorkers)));
    subscriptions.delete(work.clone()).await.unwrap();
    assert!(subscriptions.standing(&work).await.unwrap().is_none());
    drop(subscriptions);
    running.stop().await;
}

fn receipt() -> lineside_core::receipt::Receipt {
    use lineside_core::id::{Epoch, QueueId};
    lineside_core::receipt::Receipt { queue: QueueId(1), seq: Seq(1), epoch: Epoch(1), attempt: 1 }
}
