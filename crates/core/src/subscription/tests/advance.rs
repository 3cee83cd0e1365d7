//! The cursor's steps, and the messages that they bring.

use super::*;

#[test]
fn a_step_brings_its_messages_and_then_moves_the_cursor_all_in_one_batch() {
    let world = World::with_workers(9);
    let here = world.here();
    let message = |seq, index| {
        sent_with(3, seq, |sent| {
            (sent.len, sent.visible_at) = (1, stamp(1));
            sent.group = Some(label("g"));
            sent.id = MessageId::new(PartitionId(0), Epoch(1), here.plus(index));
        })
    };
    let then = world.when(1, feed("w", 0, 5, &[2, 4]));
    assert_eq!(then.0.facts.bodies, [(0, Bytes::from("2")), (1, Bytes::from("4"))]);
    then.then([message(1, 0), message(2, 1), advanced(4, 5, 2)])
        .says(Reply::Advanced { upto: Some(EventNumber(5)) });
}

#[test]
fn only_who_knows_where_the_cursor_is_moves_it() {
    let mut world = World::with_workers(9);
    assert_eq!(world.say(feed("w", 0, 3, &[1, 2, 3])), at(3));
    for stale in [0, 2, 4] {
        let moved = SubscriptionRefusal::Moved { upto: EventNumber(3) };
        assert_eq!(world.says_no(&feed("w", stale, 5, &[5])), moved);
    }
    assert_eq!(world.say(feed("w", 3, 5, &[5])), at(5));
    assert_eq!(world.events_in("w/q"), [1, 2, 3, 5]);
}

/// What he heard nothing of he says again: then the cursor is where it was to go.
#[test]
fn the_same_step_again_is_refused_and_brings_nothing() {
    let mut world = World::with_workers(9);
    assert_eq!(world.say(feed("w", 0, 3, &[1])), at(3));
    assert_eq!(world.say(feed("w", 0, 3, &[1])), has_moved(3));
    assert_eq!(world.events_in("w/q"), [1]);
}

#[test]
fn nobody_moves_it_behind_the_last_event() {
    let mut world = World::with_workers(3);
    world.queue(subscribe("n", settings(Feeds::Nothing)));
    let beyond = SubscriptionRefusal::BeyondEnd { last: EventNumber(3) };
    for subscription in ["w", "n"] {
        assert_eq!(world.says_no(&feed(subscription, 0, 4, &[])), beyond);
        assert_eq!(world.say(feed(subscription, 0, 3, &[])), at(3));
    }
}

#[test]
fn one_that_feeds_nothing_goes_both_ways_and_takes_no_message() {
    let mut world = World::with_events(9);
    world.queue(subscribe("n", settings(Feeds::Nothing)));
    assert_eq!(world.says_no(&feed("n", 0, 1, &[1])), SubscriptionRefusal::NotSo);
    world.clone().when(0, feed("n", 0, 9, &[])).then([advanced(2, 9, 0)]);
    for (after, upto) in [(0, 9), (9, 4), (4, 4), (4, 0)] {
        assert_eq!(world.say(feed("n", after, upto, &[])), at(upto));
        assert_eq!(world.upto("n"), upto);
    }
}

#[test]
fn one_that_feeds_goes_forward_only() {
    let mut world = World::with_workers(9);
    assert_eq!(world.say(feed("w", 0, 5, &[])), at(5));
    assert_eq!(world.says_no(&feed("w", 5, 4, &[])), SubscriptionRefusal::NotSo);
    assert_eq!(world.say(feed("w", 5, 5, &[])), at(5));
}

/// Else what two say at once of the same place, or one says again, comes twice.
#[test]
fn there_are_no_more_messages_than_events_on_the_way() {
    let mut world = World::with_workers(9);
    assert_eq!(world.say(feed("w", 0, 5, &[1, 2, 3, 4, 5])), at(5));
    for (upto, events) in [(5, &[5][..]), (6, &[6, 6]), (7, &[6, 7, 7])] {
        assert_eq!(world.says_no(&feed("w", 5, upto, events)), SubscriptionRefusal::NotSo);
    }
}

#[test]
fn a_fifo_queue_takes_messages_with_a_group_only_and_a_standard_one_any() {
    let mut world = World::with_workers(9).with("q", QueueKind::Standard, no_settings());
    world.queue(subscribe("of q", feeding("q")));
    let messages = [of_event(1, Some("g")), of_event(2, None)];
    assert_eq!(world.says_no(&advance("w", 0, 2, &messages)), SubscriptionRefusal::NotSo);
    assert_eq!(world.say(advance("of q", 0, 2, &messages)), at(2));
    let (peeked, _) = world.peeked(&peek("q", 0, 9));
    let groups: Vec<_> = peeked.iter().map(|message| message.group.clone()).collect();
    assert_eq!((groups, world.events_in("q")), (vec![Some(label("g")), None], vec![1, 2]));
}

#[test]
fn a_step_has_its_limits() {
    let mut world = World::of_events(9, |limits| limits.subscription_step_max = 2);
    world.queue(subscribe("w", working()));
    let too_many = SubscriptionRefusal::TooManyMessages { limit: 2 };
    assert_eq!(world.says_no(&feed("w", 0, 9, &[1, 2, 3])), too_many);
    let limit = world.description("w/q").settings.message_bytes_max;
    let sized = |size| NewMessage { size, ..of_event(2, Some("g")) };
    let long = advance("w", 0, 2, &[of_event(1, Some("g")), sized(limit + 1)]);
    let too_long = SubscriptionRefusal::MessageTooLong { index: 1, limit };
    assert_eq!(world.says_no(&long), too_long);
    assert_eq!(world.say(advance("w", 0, 2, &[sized(limit), sized(limit)])), at(2));
}

#[test]
fn a_step_that_brings_something_counts_as_growth_and_by_its_bytes() {
    assert!(feed("w", 0, 1, &[1]).grows() && subscribe("w", working()).grows());
    for command in [feed("w", 0, 1, &[]), unsubscribe("w"), describe_subscription("w")] {
        assert!(!command.grows());
        assert_eq!(command.body_len(), 0);
    }
    let body = Bytes::from(vec![7; 5000]);
    let large = NewMessage { body, ..of_event(1, Some("g")) };
    assert!(advance("w", 0, 1, &[large.clone(), large]).body_len() >= 10_000);
}

#[test]
fn a_queue_that_is_too_full_takes_nothing_more_until_there_is_room() {
    let mut world = World::of_events(9, |limits| limits.subscription_window_max = 3);
    world.queue(subscribe("w", working()));
    assert_eq!(world.say(feed("w", 0, 2, &[1, 2])), at(2), "there is room for one");
    assert_eq!(world.say(feed("w", 2, 4, &[3, 4])), at(4), "so there was for two");
    let more = feed("w", 4, 5, &[5]);
    world.clone().when(1, more.clone()).then([]).says(Reply::Advanced { upto: None });
    assert!(Reply::Advanced { upto: None }.is_nothing_yet());
    let settled = world.one(receive("w/q", 1));
    assert_eq!(world.say(more.clone()), no_room(), "what is handed out takes its room");
    world.done(delete("w/q", settled.receipt));
    assert_eq!(world.say(more.clone()), no_room(), "there are three");
    let parked = world.one(receive("w/q", 1));
    world.done(park("w/q", parked.receipt, None));
    assert_eq!(world.say(more), at(5), "what is parked takes none");
}

#[test]
fn a_step_over_what_does_not_match_needs_no_room() {
    let mut world = World::of_events(9, |limits| limits.subscription_window_max = 1);
    world.queue(subscribe("w", working()));
    assert_eq!(world.say(feed("w", 0, 1, &[1])), at(1));
    assert_eq!(world.say(feed("w", 1, 2, &[2])), no_room());
    assert_eq!(world.say(feed("w", 1, 9, &[])), at(9));
}

#[test]
fn a_stale_step_is_refused_also_while_there_is_no_room() {
    let mut world = World::of_events(9, |limits| limits.subscription_window_max = 1);
    world.queue(subscribe("w", working()));
    assert_eq!(world.say(feed("w", 0, 1, &[1])), at(1));
    assert_eq!(world.say(feed("w", 0, 2, &[2])), has_moved(1));
}

#[test]
fn who_waits_for_room_waits_at_the_queue_and_is_woken_by_what_frees_it() {
    let mut world = World::with_workers(9).with("q", QueueKind::Standard, no_settings());
    world.queue(subscribe("of q", feeding("q")));
    world.queue(subscribe("n", settings(Feeds::Nothing)));
    let waits_at = |world: &World, of: &str| world.partition.queue_of(&feed(of, 0, 1, &[]));
    assert_eq!(waits_at(&world, "w"), Some(QueueId(3).room()));
    assert_eq!(waits_at(&world, "of q"), Some(QueueId(5).room()));
    assert_eq!(waits_at(&world, "n"), None);
    assert_eq!(waits_at(&world, "none"), None);
    world.done(delete_queue("q"));
    assert_eq!(waits_at(&world, "of q"), None);
    let waiting = Command::Subscription(SubscriptionCommand::Advance {
        name: name("w"),
        after: EventNumber(0),
        upto: EventNumber(1),
        messages: Arc::from([]),
        wait: seconds(7),
    });
    assert_eq!(world.partition.patience_of(&waiting), seconds(7));
}

#[test]
fn what_takes_a_message_out_of_a_queue_frees_it() {
    let freed: Vec<(u8, u64)> = crate::partition::tests::facts::every_fact()
        .iter()
        .filter_map(|fact| Some((crate::partition::tests::facts::number(fact), fact.frees()?.0)))
        .collect();
    let expected =
        [(12, u64::MAX), (13, 24), (17, 1), (18, 1), (18, 1), (18, 1), (19, 1), (22, 1), (22, 1)];
    assert_eq!(freed, expected);
    assert_ne!(QueueId(3).room(), QueueId(3));
}

#[test]
fn without_its_queue_it_waits_where_it_is() {
    let mut world = World::with_workers(9);
    assert_eq!(world.say(feed("w", 0, 1, &[1])), at(1));
    world.done(delete_queue("w/q"));
    let missing = SubscriptionRefusal::QueueMissing { name: name("w/q") };
    assert_eq!(world.says_no(&feed("w", 1, 2, &[2])), missing);
    assert_eq!(world.says_no(&feed("w", 1, 2, &[])), missing, "nor past what does not match");
    assert_eq!(world.say(feed("w", 0, 2, &[2])), has_moved(1));
}

#[test]
fn a_queue_that_has_its_queues_name_is_its_queue() {
    for kind in [QueueKind::Fifo, QueueKind::Standard] {
        let mut world = World::with_workers(9);
        assert_eq!(world.say(feed("w", 0, 1, &[1])), at(1));
        world.done(delete_queue("w/q"));
        world.wait(60).queue(create("w/q", kind, no_settings()));
        assert_eq!(world.say(feed("w", 1, 2, &[2])), at(2));
        assert_eq!(world.events_in("w/q"), [2]);
    }
}

#[test]
fn a_purge_takes_what_is_in_the_queue_and_not_what_comes() {
    let mut world = World::with_workers(9);
    assert_eq!(world.say(feed("w", 0, 2, &[1, 2])), at(2));
    world.done(purge("w/q"));
    assert_eq!(world.say(feed("w", 2, 3, &[3])), at(3));
    assert_eq!((world.upto("w"), world.events_in("w/q")), (3, vec![3]));
}

#[test]
fn two_subscriptions_of_one_queue_share_its_numbers() {
    let mut world = World::with_events(9).with("f", QueueKind::Fifo, no_settings());
    world.queue(subscribe("a", feeding("f")));
    world.queue(subscribe("b", feeding("f")));
    assert_eq!(world.say(feed("a", 0, 2, &[1, 2])), at(2));
    world.sent(send_in("f", "h", "by hand"));
    assert_eq!(world.say(feed("b", 0, 2, &[1])), at(2));
    let (messages, _) = world.peeked(&peek("f", 0, 9));
    assert_eq!(messages.iter().map(|m| m.seq.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn a_message_is_delayed_as_its_queue_says() {
    let mut world = World::with_events(1).with("f", QueueKind::Fifo, delay(10));
    world.queue(subscribe("a", feeding("f")));
    assert_eq!(world.say(feed("a", 0, 1, &[1])), at(1));
    assert_eq!(world.counts("f"), [0, 0, 1]);
    assert_eq!(world.wait(10).counts("f"), [1, 0, 0]);
}
