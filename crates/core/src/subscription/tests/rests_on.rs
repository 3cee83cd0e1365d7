//! What must be durable before an answer of a subscription may leave.

use super::*;

/// Positions: 1 the store, 2 to 4 events, 5 the subscription `w` and its queues, 6 `q`, 7 `of q`,
/// 8 a step of `w`, 9 an event.
fn world() -> World {
    let mut world = World::of_events(3, |limits| limits.subscription_window_max = 1);
    world.queue(subscribe("w", working()));
    world = world.with("q", QueueKind::Standard, no_settings());
    world.queue(subscribe("of q", feeding("q")));
    assert_eq!(world.say(feed("w", 0, 1, &[1])), at(1));
    world.append_upto(4);
    assert_eq!(world.last().0, 9);
    world
}

#[test]
fn what_writes_rests_on_itself() {
    for command in [
        subscribe("n", settings(Feeds::Nothing)),
        unsubscribe("w"),
        feed("w", 1, 2, &[]),
        feed("of q", 0, 1, &[1]),
    ] {
        world().when(1, command).rests_on(10);
    }
}

#[test]
fn what_reads_a_subscription_rests_on_its_last_fact() {
    for (subscription, last) in [("w", 8), ("of q", 7)] {
        world().when(1, describe_subscription(subscription)).rests_on(last);
        world().when(1, feed(subscription, 3, 4, &[])).rests_on(last);
    }
    world().when(1, subscribe("w", working())).rests_on(8);
    world().when(1, subscribe("of q", feeding("q"))).rests_on(7);
}

#[test]
fn what_reads_names_rests_on_the_last_change_of_names() {
    for command in [
        describe_subscription("none"),
        unsubscribe("none"),
        feed("none", 0, 1, &[]),
        subscribe("w", feeding("q")),
        subscribe("n", feeding("none")),
        subscribe("n", settings(Feeds::Workers(workers("q", "p")))),
    ] {
        world().when(1, command).rests_on(7);
    }
}

#[test]
fn what_names_the_last_event_rests_on_it() {
    world().when(1, feed("w", 1, 5, &[])).rests_on(9);
    world().when(1, feed("of q", 0, 5, &[])).rests_on(9);
    let after = SubscriptionSettings { after: EventNumber(5), ..settings(Feeds::Nothing) };
    world().when(1, subscribe("n", after)).rests_on(9);
}

#[test]
fn a_step_that_waits_rests_on_what_filled_the_queue() {
    world().when(1, feed("w", 1, 2, &[2])).says(Reply::Advanced { upto: None }).rests_on(9);
    let mut world = world();
    world.sent(send("q"));
    world.clone().when(1, feed("of q", 0, 1, &[1])).says(Reply::Advanced { upto: None });
    world.clone().when(1, feed("of q", 0, 1, &[1])).rests_on(10);
    world.when(1, feed("of q", 0, 1, &[1, 1])).rests_on(10);
}

#[test]
fn a_step_without_a_queue_rests_on_the_names() {
    let mut world = world();
    world.done(delete_queue("q"));
    world.when(1, feed("of q", 0, 1, &[1])).rests_on(10);
}
