//! How subscriptions come and go, and what they are not to be.

use super::*;

fn own_queues() -> [Fact; 2] {
    let parked =
        QueueSettings { retention: seconds(100 * 366 * 24 * 3600), ..QueueSettings::default() };
    let shared = QueueSettings { dead_letter: Some(rule("w/p", 3)), ..parked.clone() };
    let queue = |queue, text, settings| {
        let (queue, name, kind) = (QueueId(queue), name(text), QueueKind::Fifo);
        Fact::QueueCreated(QueueCreated { queue, name, kind, settings, tags: None })
    };
    [queue(2, "w/p", parked), queue(3, "w/q", shared)]
}

#[test]
fn one_that_feeds_nothing_is_one_fact() {
    let made = subscribed(2, "n", settings(Feeds::Nothing));
    World::with_events(0)
        .when(1, subscribe("n", settings(Feeds::Nothing)))
        .then([made])
        .says(Reply::Queue { queue: QueueId(2) });
}

#[test]
fn one_with_workers_comes_in_one_batch_with_its_queues() {
    let [parked, shared] = own_queues();
    let made = subscribed(4, "w", working());
    World::with_events(0)
        .when(1, subscribe("w", working()))
        .then([parked, shared, made])
        .says(Reply::Queue { queue: QueueId(4) });
    let world = World::with_workers(0);
    assert_eq!(world.description("w/q").settings.dead_letter, Some(rule("w/p", 3)));
    assert_eq!(world.description("w/p").kind, QueueKind::Fifo);
}

#[test]
fn made_again_it_is_found_and_otherwise_refused() {
    let mut world = World::with_workers(9);
    world.wait(5).say(feed("w", 0, 9, &[])).unwrap();
    world
        .clone()
        .when(6, subscribe("w", working()))
        .then([])
        .says(Reply::Queue { queue: QueueId(4) });
    let exists = SubscriptionRefusal::ExistsOtherwise { name: name("w") };
    for other in [feeding("w/q"), SubscriptionSettings { after: EventNumber(1), ..working() }] {
        assert_eq!(world.says_no(&subscribe("w", other)), exists);
    }
}

#[test]
fn no_name_that_something_else_has_is_taken() {
    let mut world = World::with_workers(0).with("q", QueueKind::Standard, no_settings());
    world.queue(create_broker("b"));
    for taken in ["e", "q", "b", "w/q", "w/p"] {
        let exists = SubscriptionRefusal::ExistsOtherwise { name: name(taken) };
        assert_eq!(world.says_no(&subscribe(taken, settings(Feeds::Nothing))), exists);
        for own in [workers(taken, "new"), workers("new", taken)] {
            let own = settings(Feeds::Workers(own));
            assert_eq!(world.says_no(&subscribe("v", own)), exists);
        }
    }
    let taken = |command| matches!(world.decide(&command).answer, Err(Refusal::Queue(_)));
    assert!(taken(create("w", QueueKind::Standard, no_settings())), "nor by a queue");
    assert!(world.decide(&create_broker("w")).answer.is_err());
    assert!(world.decide(&Command::CreateEventStore { name: name("w") }).answer.is_err());
}

#[test]
fn no_two_of_its_own_have_one_name() {
    let world = World::with_events(0);
    for (queue, parked, twice) in [("v", "p", "v"), ("q", "v", "v"), ("q", "q", "q")] {
        let settings = settings(Feeds::Workers(workers(queue, parked)));
        let exists = SubscriptionRefusal::ExistsOtherwise { name: name(twice) };
        assert_eq!(world.says_no(&subscribe("v", settings)), exists);
    }
}

#[test]
fn it_begins_where_it_is_told_to_but_not_behind_the_end() {
    let mut world = World::with_events(3);
    let after =
        |after| SubscriptionSettings { after: EventNumber(after), ..settings(Feeds::Nothing) };
    world.queue(subscribe("n", after(3)));
    assert_eq!(world.upto("n"), 3);
    let beyond = SubscriptionRefusal::BeyondEnd { last: EventNumber(3) };
    assert_eq!(world.says_no(&subscribe("m", after(4))), beyond);
}

#[test]
fn a_query_has_its_limits() {
    let world = World::of_events(0, |limits| {
        limits.query_items_max = 2;
        limits.query_terms_max = 3;
    });
    let made = |items: &[usize]| {
        let item = |tags: &usize| QueryItem {
            tags: (0..*tags).map(|tag| label(&tag.to_string())).collect(),
            ..QueryItem::default()
        };
        let query = Query { items: items.iter().map(item).collect() };
        subscribe("n", SubscriptionSettings { query, ..settings(Feeds::Nothing) })
    };
    assert!(world.decide(&made(&[2, 1])).answer.is_ok());
    let too_long = SubscriptionRefusal::QueryTooLong { terms: 3, items: 2 };
    for items in [&[0, 0, 0][..], &[2, 2], &[4]] {
        assert_eq!(world.says_no(&made(items)), too_long);
    }
}

#[test]
fn leases_and_attempts_have_their_ranges() {
    let world = World::with_events(0);
    let made = |lease, attempts| {
        let workers = Workers { lease: Millis(lease), attempts, ..workers("w/q", "w/p") };
        subscribe("w", settings(Feeds::Workers(workers)))
    };
    let most = 12 * 3600 * 1000;
    for (lease, attempts) in [(1000, 1), (most, 1000)] {
        assert!(world.decide(&made(lease, attempts)).answer.is_ok());
    }
    for lease in [0, 999, most + 1] {
        let what = "lease, in milliseconds";
        let out = SubscriptionRefusal::OutOfRange { what, least: 1000, most };
        assert_eq!(world.says_no(&made(lease, 1)), out);
    }
    for attempts in [0, 1001] {
        let out = SubscriptionRefusal::OutOfRange { what: "attempts", least: 1, most: 1000 };
        assert_eq!(world.says_no(&made(1000, attempts)), out);
    }
}

#[test]
fn what_is_to_be_fed_is_a_polled_queue_of_either_kind() {
    let mut world = World::with_events(0).with("q", QueueKind::Standard, no_settings()).with(
        "f",
        QueueKind::Fifo,
        no_settings(),
    );
    world.queue(create_broker("b"));
    world.queue(subscribe("of q", feeding("q")));
    world.queue(subscribe("of f", feeding("f")));
    for none in ["b", "e", "none", "of q"] {
        let missing = SubscriptionRefusal::QueueMissing { name: name(none) };
        assert_eq!(world.says_no(&subscribe("n", feeding(none))), missing);
    }
}

#[test]
fn what_is_not_there_is_missing() {
    let world = World::with_workers(1);
    for none in ["none", "e", "w/q"] {
        let missing = SubscriptionRefusal::Missing { name: name(none) };
        for command in [unsubscribe(none), describe_subscription(none), feed(none, 0, 1, &[1])] {
            assert_eq!(world.says_no(&command), missing);
        }
    }
    let refused = world.decide(&send("w")).answer;
    assert_eq!(refused, Err(Refusal::Queue(QueueRefusal::Missing { name: name("w") })));
}

#[test]
fn it_goes_with_its_queues_in_one_batch() {
    let mut world = World::with_workers(2).with("q", QueueKind::Standard, no_settings());
    world.say(feed("w", 0, 2, &[1, 2])).unwrap();
    world.clone().when(1, unsubscribe("w")).says(Reply::Done).then([
        queue_deleted(3),
        queue_deleted(2),
        queue_deleted(4),
    ]);
    world.done(unsubscribe("w"));
    world.partition.check(world.at);
    assert_eq!(world.names(list("", None, 9)).0, ["e", "q"]);
    let left = subscribe("of q", feeding("q"));
    world.queue(left);
    world.clone().when(1, unsubscribe("of q")).then([queue_deleted(6)]);
}

#[test]
fn its_names_need_no_rest() {
    let mut world = World::with_workers(2);
    world.say(feed("w", 0, 2, &[1, 2])).unwrap();
    world.done(unsubscribe("w"));
    assert_eq!(world.queue(subscribe("w", working())), 7, "in the same moment");
    assert_eq!((world.upto("w"), world.counts("w/q")), (0, [0, 0, 0]));
    assert_eq!(world.partition, world.replayed());
}

/// Somebody who knows the names took its queues away: it goes all the same.
#[test]
fn it_goes_without_the_queues_that_are_gone() {
    let mut world = World::with_workers(0);
    world.done(delete_queue("w/q"));
    world.clone().when(0, unsubscribe("w")).then([queue_deleted(2), queue_deleted(4)]);
    world.done(delete_queue("w/p"));
    world.when(0, unsubscribe("w")).then([queue_deleted(4)]);
}

#[test]
fn a_description_says_how_far_it_has_come_and_when() {
    let mut world = World::with_workers(5);
    let created_at = world.at;
    let fresh = SubscriptionDescription {
        id: QueueId(4),
        settings: working(),
        created_at,
        upto: EventNumber(0),
        moved_at: created_at,
        fed: 0,
    };
    assert_eq!(world.described("w"), fresh);
    world.wait(7).say(feed("w", 0, 3, &[1, 3])).unwrap();
    let (upto, moved_at) = (EventNumber(3), created_at + seconds(7));
    assert_eq!(world.described("w"), SubscriptionDescription { upto, moved_at, fed: 2, ..fresh });
}

#[test]
fn what_somebody_wrote_in_it_weighs_what_it_is_long() {
    let weigh = |settings| {
        let mut world = World::with_events(0);
        let empty = world.partition.state_bytes();
        world.queue(subscribe("n", settings));
        world.partition.state_bytes() - empty
    };
    let noted = |len| SubscriptionSettings {
        note: Some(text(&"n".repeat(len))),
        ..settings(Feeds::Nothing)
    };
    assert_eq!(weigh(noted(2000)), weigh(noted(1000)) + 1000);
    let tagged = |len: usize| {
        let item = QueryItem { tags: vec![label(&"t".repeat(len))], ..QueryItem::default() };
        SubscriptionSettings { query: Query { items: vec![item] }, ..settings(Feeds::Nothing) }
    };
    assert_eq!(weigh(tagged(200)), weigh(tagged(100)) + 100);
    assert!(subscribe("n", noted(1000)).body_len() >= 1000);
    assert!(subscribe("n", tagged(200)).body_len() >= 200);
}
