//! What only a standard queue does, beside the numbered items.

use super::*;

#[test]
fn a_send_writes_one_fact_with_its_body() {
    let then = given([(0, standard(1, "q"))]).when(5, send("q"));
    let expected = sent_with(1, 1, |sent| {
        sent.id = id_at(1, 2);
        sent.visible_at = stamp(5);
    });
    let mut facts = Facts::none();
    facts.push_with_body(expected.clone(), Bytes::from_static(b"body"));
    assert_eq!(then.0.facts, facts);
    let reply = Reply::Sent { id: id_at(1, 2), seq: Seq(1), ordered: false };
    then.then([expected]).says(reply).rests_on(2);
}

#[test]
fn messages_are_handed_out_in_order_of_arrival() {
    let mut world = World::standard();
    for _ in 0..3 {
        world.sent(send("q"));
    }
    assert_eq!(world.seqs(receive("q", 2)), [1, 2]);
    assert_eq!(world.seqs(receive("q", 2)), [3]);
}

#[test]
fn what_came_back_goes_first_and_what_was_delayed_next() {
    let mut world = World::standard();
    world.sent(send("q"));
    world.one(receive_for("q", 1, 10));
    world.sent(send_later("q", 5));
    world.sent(send("q"));
    world.wait(10);
    assert_eq!(world.seqs(receive("q", 10)), [1, 2, 3]);
}

#[test]
fn a_groups_name_does_not_make_an_order() {
    let mut world = World::standard();
    for _ in 0..2 {
        world.sent(send_with("q", |message| message.group = Some(label("g"))));
    }
    assert_eq!(world.seqs(receive("q", 1)), [1]);
    assert_eq!(world.seqs(receive("q", 1)), [2]);
}

#[test]
fn a_messages_own_delay_goes_before_the_queues_and_may_be_zero() {
    let mut world = World::new().with("q", QueueKind::Standard, delay(10));
    world.sent(send("q"));
    world.sent(send_later("q", 3));
    world.sent(send_later("q", 0));
    assert_eq!(world.counts("q"), [1, 0, 2]);
    assert_eq!(world.seqs(receive("q", 10)), [3]);
    world.wait_ms(2_999);
    assert_eq!(world.seqs(receive("q", 10)), []);
    world.wait_ms(1);
    assert_eq!(world.seqs(receive("q", 10)), [2]);
    world.wait(7);
    assert_eq!(world.seqs(receive("q", 10)), [1]);
}

/// SQS developer guide, delay queues: a change does not affect the messages already in the queue.
#[test]
fn a_change_of_the_queues_delay_is_for_what_comes_after_it() {
    let mut world = World::standard();
    world.sent(send("q"));
    world.done(change_queue("q", delay(10)));
    world.sent(send("q"));
    assert_eq!(world.seqs(receive("q", 10)), [1]);
}

#[test]
fn a_message_past_its_retention_is_not_handed_out_before_any_tick() {
    let mut world = World::new().with("q", QueueKind::Standard, retention(60));
    world.sent(send("q"));
    world.wait_ms(59_999);
    assert_eq!(world.clone().seqs(receive("q", 1)), [1]);
    world.wait_ms(1);
    assert_eq!(world.seqs(receive("q", 1)), []);
}

#[test]
fn a_full_queue_refuses_until_there_is_room() {
    let mut world = World::with_limits(|limits| limits.standard_in_flight_max = 2);
    world = world.with("q", QueueKind::Standard, no_settings());
    for _ in 0..4 {
        world.sent(send("q"));
    }
    let first = world.one(receive("q", 1));
    world.one(receive_for("q", 1, 60));
    assert_eq!(world.refusal(receive("q", 1)), QueueRefusal::InFlightFull { limit: 2 });
    world.done(delete("q", first.receipt));
    assert_eq!(world.seqs(receive("q", 1)), [3]);
    assert_eq!(world.refusal(receive("q", 1)), QueueRefusal::InFlightFull { limit: 2 });
    world.wait(30);
    assert_eq!(world.seqs(receive("q", 1)), [3], "a lease that has ended is not in flight");
}

#[test]
fn one_receive_hands_out_ten_at_most() {
    let (mut world, _) = standard_backlog(11);
    assert_eq!(world.seqs(receive("q", 100)).len(), 10);
}
