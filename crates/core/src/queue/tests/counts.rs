//! Visible, in flight, delayed: every message is in one of the three.

use super::*;

#[test]
fn a_standard_message_is_delayed_then_visible_then_in_flight_then_visible_again() {
    let mut world = World::standard();
    world.sent(send_later("q", 5));
    assert_eq!(world.counts("q"), [0, 0, 1]);
    world.wait_ms(4_999);
    assert_eq!(world.counts("q"), [0, 0, 1]);
    world.wait_ms(1);
    assert_eq!(world.counts("q"), [1, 0, 0]);
    let receipt = world.one(receive("q", 1)).receipt;
    assert_eq!(world.counts("q"), [0, 1, 0]);
    world.wait_ms(29_999);
    assert_eq!(world.counts("q"), [0, 1, 0]);
    world.wait_ms(1);
    assert_eq!(world.counts("q"), [1, 0, 0]);
    world.done(delete("q", receipt));
    assert_eq!(world.counts("q"), [0, 0, 0]);
}

#[test]
fn a_fifo_message_too() {
    let mut world = World::new().with("f", QueueKind::Fifo, delay(5));
    world.send_group("f", "g", &["a"]);
    world.wait_ms(4_999);
    assert_eq!(world.counts("f"), [0, 0, 1]);
    world.wait_ms(1);
    assert_eq!(world.counts("f"), [1, 0, 0]);
    world.one(receive("f", 1));
    world.wait_ms(29_999);
    assert_eq!(world.counts("f"), [0, 1, 0]);
    world.wait_ms(1);
    assert_eq!(world.counts("f"), [1, 0, 0]);
}

#[test]
fn a_fifo_message_behind_one_in_flight_is_visible_though_it_cannot_be_received() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b"]);
    world.one(receive("f", 1));
    assert_eq!(world.counts("f"), [1, 1, 0]);
}

#[test]
fn a_fifo_message_in_flight_when_the_delay_was_raised_is_counted_once() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b"]);
    world.one(receive("f", 1));
    world.done(change_queue("f", delay(900)));
    assert_eq!(world.counts("f"), [0, 1, 1]);
    world.wait(30);
    assert_eq!(world.counts("f"), [0, 0, 2]);
}

#[test]
fn counting_stops_at_its_limit_and_stays_a_partition_of_the_queue() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = World::with_limits(|limits| limits.approximate_count_max = 2);
        world = world.with("q", kind, no_settings());
        for dedup in ["a", "b", "c", "d"] {
            world.sent(send_of(kind, "q", dedup));
        }
        world.got(receive("q", 4));
        world.wait(30);
        assert_eq!(world.counts("q"), [2, 2, 0]);
        if kind == QueueKind::Fifo {
            world.done(change_queue("q", delay(900)));
            assert_eq!(world.counts("q"), [0, 2, 2]);
        }
    }
}

#[test]
fn a_purge_leaves_nothing_to_count() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = World::new().with("q", kind, no_settings());
        world.sent(send_of(kind, "q", "a"));
        world.one(receive("q", 1));
        world.sent(send_of(kind, "q", "b"));
        world.done(purge("q"));
        assert_eq!(world.counts("q"), [0, 0, 0]);
    }
}

#[test]
fn what_outlived_its_retention_is_counted_until_a_tick_takes_it() {
    let mut world = World::new().with("q", QueueKind::Standard, retention(60));
    world.sent(send("q"));
    world.wait(60);
    assert_eq!(world.counts("q"), [1, 0, 0]);
    world.tick(10);
    assert_eq!(world.counts("q"), [0, 0, 0]);
}
