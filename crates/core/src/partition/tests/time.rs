//! What time alone does: retention, in bounded slices.

use super::*;

fn minute(queue: u64, text: &str, kind: QueueKind) -> Fact {
    created(queue, text, kind, &retention(60))
}

#[test]
fn a_message_outlives_its_retention_at_its_moment() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let world = given([(0, minute(1, "q", kind)), (7, sent_in(1, 1, "g"))]);
        assert_eq!(world.partition.next_due(), Some(stamp(67)));
        assert_eq!(world.clone().when_ticked(66, 10), []);
        assert_eq!(world.when_ticked(67, 10), [expired(1, stamp(7), 1)]);
    }
}

#[test]
fn one_fact_takes_all_that_are_old_enough() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let messages = (1..=5).map(|seq| (seq, sent_in(1, seq, "g")));
        let mut world = given([(0, minute(1, "q", kind))].into_iter().chain(messages));
        world.at = stamp(63);
        assert_eq!(world.tick(10), [expired(1, stamp(3), 3)]);
        assert_eq!(world.counts("q"), [2, 0, 0]);
        assert_eq!(world.partition.next_due(), Some(stamp(64)));
    }
}

#[test]
fn a_tick_keeps_to_its_limit_and_the_next_goes_on() {
    let messages = (1..=5).map(|seq| (0, sent(1, seq)));
    let first = [(0, minute(1, "q", QueueKind::Standard))];
    let mut world = given(first.into_iter().chain(messages));
    world.at = stamp(60);
    let ticked = world.tick(2);
    assert_eq!(ticked, [2, 4, 5].map(|seq| expired(1, stamp(0), seq)));
}

#[test]
fn the_limit_is_for_all_queues_together() {
    let world = given([
        (0, minute(1, "a", QueueKind::Standard)),
        (0, minute(2, "b", QueueKind::Fifo)),
        (1, sent(1, 1)),
        (1, sent(1, 2)),
        (2, sent_in(2, 1, "g")),
        (2, sent_in(2, 2, "g")),
    ]);
    let ticked = |limit| world.clone().when_ticked(62, limit);
    assert_eq!(ticked(0), []);
    assert_eq!(ticked(2), [expired(1, stamp(1), 2)]);
    assert_eq!(ticked(3), [expired(1, stamp(1), 2), expired(2, stamp(2), 1)]);
    assert_eq!(ticked(9), [expired(1, stamp(1), 2), expired(2, stamp(2), 2)]);
}

#[test]
fn messages_in_flight_and_delayed_ones_outlive_it_too() {
    let mut world = World::new().with("q", QueueKind::Standard, retention(60));
    world.sent(send_later("q", 900));
    world.sent(send("q"));
    let receipt = world.one(receive_for("q", 1, 3600)).receipt;
    world.wait(60).tick(10);
    assert_eq!(world.counts("q"), [0, 0, 0]);
    world.done(delete("q", receipt));
}

/// SQS developer guide, on `MessageRetentionPeriod`: a change is for the messages in the queue too.
#[test]
fn a_changed_retention_is_for_what_is_in_the_queue() {
    let mut world = World::standard();
    world.sent(send("q"));
    world.wait(100).done(change_queue("q", retention(60)));
    assert_eq!(world.partition.next_due(), Some(stamp(60)));
    assert_eq!(world.tick(10), [expired(1, stamp(0), 1)]);
    assert_eq!(world.partition.next_due(), None);
}

#[test]
fn dead_letters_that_came_late_go_by_the_time_at_which_they_were_first_sent() {
    let mut world = World::new().with("d", QueueKind::Standard, retention(100));
    world = world.with("q", QueueKind::Standard, dead_letter("d", 1));
    world.sent(send("q"));
    world.wait(10).sent(send("d"));
    world.one(receive("q", 1));
    world.wait(30).got(receive("q", 1));
    world.at = stamp(100);
    assert_eq!(world.tick(10), [expired(1, stamp(0), 2)], "the second by number, the first by age");
    assert_eq!(world.partition.next_due(), Some(stamp(110)));
}

#[test]
fn nothing_is_due_where_nothing_is() {
    assert_eq!(World::standard().partition.next_due(), None);
    let mut world = World::standard();
    world.sent(send("q"));
    world.done(purge("q"));
    assert_eq!(world.partition.next_due(), None);
    world.sent(send("q"));
    world.done(delete_queue("q"));
    assert_eq!(world.partition.next_due(), None);
}

#[test]
fn a_broker_queues_time_passes_in_the_same_tick() {
    let mut world = World::new().with("q", QueueKind::Standard, retention(60));
    world.sent(send("q"));
    world.queue(create_broker("b"));
    let message = NewBrokerMessage { ttl: Some(seconds(60)), ..NewBrokerMessage::default() };
    let sent = world.say(to_broker("b", BrokerOperation::Send { message }));
    assert!(sent.is_ok(), "{sent:?}");
    world.at = stamp(60);
    let gone = BrokerFact::Expired(OneMessage { queue: QueueId(2), seq: Seq(1) });
    assert_eq!(world.tick(10), [expired(1, stamp(0), 1), Fact::Broker(gone)]);
    assert_eq!(world.partition.next_due(), None);
}

#[test]
fn the_header_remembers_the_last_stamp() {
    let mut world = World::standard();
    world.wait(7).sent(send("q"));
    assert_eq!(world.partition.header().last, stamp(7));
}

#[test]
fn waiting_at_a_queue_that_is_gone_is_for_nothing() {
    assert_eq!(World::new().partition.next_visible(QueueId(1), stamp(0)), None);
}
