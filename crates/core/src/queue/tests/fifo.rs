//! What only a FIFO queue does, beside the numbered items, deduplication and receive attempts.

use super::*;

#[test]
fn a_message_needs_a_group() {
    let send = send_with("f", |message| message.dedup = NewDedup::Id(label("a")));
    given([(0, fifo(1, "f"))]).when(1, send).refused(QueueRefusal::GroupRequired);
}

#[test]
fn a_message_is_answered_with_its_number_in_the_queue() {
    given([(0, fifo(1, "f")), (0, sent_in(1, 41, "g"))])
        .when(1, send_in("f", "h", "a"))
        .says(Reply::Sent { id: id_at(1, 3), seq: Seq(42), ordered: true })
        .rests_on(3);
}

#[test]
fn deliveries_say_that_the_queue_is_ordered() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a"]);
    assert!(world.one(receive("f", 1)).ordered);
    let mut repeated = World::fifo();
    repeated.send_group("f", "g", &["a"]);
    repeated.got(receive_as("f", 1, "r"));
    assert!(repeated.one(receive_as("f", 1, "r")).ordered);
}

#[test]
fn a_group_begins_with_what_came_back_and_ends_before_what_is_in_flight() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b", "c"]);
    let handed_out = world.got(receive("f", 2));
    world.done(change_lease("f", handed_out[0].receipt, 0));
    assert_eq!(world.seqs(receive("f", 10)), [1]);
}

#[test]
fn settling_the_first_in_flight_does_not_free_what_waits_behind_the_second() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b", "c"]);
    let handed_out = world.got(receive("f", 2));
    world.done(delete("f", handed_out[0].receipt));
    assert_eq!(world.seqs(receive("f", 10)), []);
    world.done(delete("f", handed_out[1].receipt));
    assert_eq!(world.seqs(receive("f", 10)), [3]);
}

#[test]
fn the_queues_delay_holds_for_what_is_in_it_already() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a"]);
    world.done(change_queue("f", delay(10)));
    assert_eq!(world.seqs(receive("f", 1)), []);
    assert_eq!(world.next_visible("f"), Some(10_000));
    world.wait(2).done(change_queue("f", delay(1)));
    assert_eq!(world.seqs(receive("f", 1)), [1]);
}

#[test]
fn a_delay_that_was_raised_holds_back_what_came_back() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a"]);
    let receipt = world.one(receive("f", 1)).receipt;
    world.wait(1).done(change_lease("f", receipt, 0));
    world.done(change_queue("f", delay(60)));
    assert_eq!(world.seqs(receive("f", 1)), []);
    assert_eq!(world.next_visible("f"), Some(60_000));
    world.wait(59);
    assert_eq!(world.seqs(receive("f", 1)), [1]);
}

#[test]
fn a_message_past_its_retention_is_not_handed_out_and_blocks_nothing() {
    let mut world = World::new().with("f", QueueKind::Fifo, retention(60));
    world.send_group("f", "g", &["a"]);
    world.wait(1).send_group("f", "g", &["b"]);
    world.wait(59);
    assert_eq!(world.seqs(receive("f", 1)), [2], "before any tick");
}

#[test]
fn a_full_queue_answers_with_nothing_until_a_lease_ends() {
    let mut world = World::with_limits(|limits| limits.fifo_in_flight_max = 2);
    world = world.with("f", QueueKind::Fifo, no_settings());
    for dedup in ["a", "b", "c"] {
        world.sent(send_in("f", dedup, dedup));
    }
    world.one(receive_for("f", 1, 5));
    let second = world.one(receive_for("f", 1, 9));
    assert_eq!(world.seqs(receive("f", 1)), []);
    assert_eq!(world.next_visible("f"), Some(5000));
    world.done(delete("f", second.receipt));
    assert_eq!(world.seqs(receive_for("f", 1, 9)), [3]);
    assert_eq!(world.seqs(receive("f", 1)), []);
    world.wait(5);
    assert_eq!(world.seqs(receive("f", 1)), [1]);
}

#[test]
fn a_message_without_a_group_in_an_old_log_is_not_lost() {
    let mut world = given([(0, fifo(1, "f")), (0, sent(1, 1)), (0, sent(1, 2))]);
    assert_eq!(world.seqs(receive("f", 10)), [1, 2]);
}

#[test]
fn a_purge_leaves_no_group_locked() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b"]);
    world.one(receive("f", 1));
    world.done(purge("f"));
    assert_eq!(world.counts("f"), [0, 0, 0]);
    world.send_group("f", "g", &["c"]);
    assert_eq!(world.seqs(receive("f", 10)), [3]);
}
