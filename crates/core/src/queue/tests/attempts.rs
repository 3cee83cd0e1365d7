//! A FIFO receive that is repeated under its own id gets the same answer.

use super::*;

fn world() -> World {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b", "c"]);
    world
}

#[test]
fn a_hand_out_remembers_its_id_for_five_minutes() {
    let lease = Fact::Leased(Leased {
        queue: QueueId(1),
        epoch: Epoch(1),
        until: stamp(31),
        seqs: vec![Seq(1)],
        soft: false,
        attempt: Some(mark("r", stamp(301))),
    });
    given([(0, fifo(1, "f")), (0, sent_in(1, 1, "g"))])
        .when(1, receive_as("f", 1, "r"))
        .hands_out(&[1])
        .then([lease]);
}

#[test]
fn the_same_messages_come_under_the_same_receipts_and_their_leases_start_again() {
    let mut world = world();
    let first = world.got(receive_as("f", 2, "r"));
    let again = world.wait(20).got(receive_as("f", 2, "r"));
    assert_eq!(again, first);
    world.wait(29).done(delete("f", first[0].receipt));
}

#[test]
fn the_leases_that_start_again_have_the_length_that_is_asked_for_now() {
    let mut world = world();
    world.got(receive_as("f", 2, "r"));
    let repeat = Command::Receive {
        queue: name("f"),
        max: 1,
        visibility: Some(seconds(7)),
        wait: None,
        attempt: Some(label("r")),
        alone: false,
    };
    let here = world.here().position.0;
    world
        .when(20, repeat)
        .hands_out(&[1, 2])
        .then([lease_changed(1, 1, stamp(27)), lease_changed(1, 2, stamp(27))])
        .rests_on(here);
}

#[test]
fn another_id_or_none_gets_what_is_free() {
    let mut world = world();
    world.send_group("f", "h", &["d"]);
    assert_eq!(world.seqs(receive_as("f", 2, "r")), [1, 2]);
    assert_eq!(world.seqs(receive_as("f", 2, "s")), [4]);
    assert_eq!(world.seqs(receive("f", 2)), []);
}

#[test]
fn it_is_a_new_receive_once_one_of_the_messages_is_settled() {
    let mut world = world();
    let first = world.got(receive_as("f", 2, "r"));
    world.done(delete("f", first[0].receipt));
    assert_eq!(world.seqs(receive_as("f", 2, "r")), [], "the other is in flight");
    world.done(delete("f", first[1].receipt));
    assert_eq!(world.seqs(receive_as("f", 2, "r")), [3]);
}

#[test]
fn it_is_a_new_receive_once_a_lease_has_ended() {
    let mut world = world();
    world.got(receive_as("f", 2, "r"));
    let again = world.wait(30).got(receive_as("f", 3, "r"));
    assert_eq!(
        again.iter().map(|got| (got.seq.0, got.receives)).collect::<Vec<_>>(),
        [(1, 2), (2, 2), (3, 1)]
    );
    // And that one can be repeated in its turn.
    assert_eq!(world.wait(1).got(receive_as("f", 3, "r")), again);
}

#[test]
fn it_is_a_new_receive_once_a_message_was_given_to_somebody_else() {
    let mut world = world();
    let first = world.one(receive_as("f", 1, "r"));
    world.done(change_lease("f", first.receipt, 0));
    assert_eq!(world.one(receive_as("f", 1, "s")).receives, 2);
    assert_eq!(world.seqs(receive_as("f", 1, "r")), []);
}

#[test]
fn an_id_is_free_again_after_five_minutes() {
    let mut world = world();
    world.send_group("f", "h", &["d"]);
    let first = world.one(receive_as("f", 1, "r"));
    world.done(change_lease("f", first.receipt, 3600));
    world.wait_ms(299_999);
    assert_eq!(world.seqs(receive_as("f", 1, "r")), [1]);
    world.wait_ms(1);
    assert_eq!(world.seqs(receive_as("f", 1, "r")), [4]);
}

#[test]
fn an_empty_receive_is_not_remembered() {
    let mut world = World::fifo();
    assert_eq!(world.seqs(receive_as("f", 1, "r")), []);
    world.send_group("f", "g", &["a"]);
    assert_eq!(world.seqs(receive_as("f", 1, "r")), [1]);
}

#[test]
fn another_owner_remembers_too() {
    let mut world = world();
    world.restart();
    let first = world.got(receive_as("f", 2, "r"));
    world.restart();
    assert_eq!(world.got(receive_as("f", 2, "r")), first);
}

#[test]
fn a_purge_forgets_them() {
    let mut world = world();
    world.got(receive_as("f", 2, "r"));
    world.done(purge("f"));
    world.send_group("f", "g", &["d"]);
    assert_eq!(world.seqs(receive_as("f", 1, "r")), [4]);
}

#[test]
fn a_full_queue_still_repeats() {
    let mut world = World::with_limits(|limits| limits.fifo_in_flight_max = 2);
    world = world.with("f", QueueKind::Fifo, no_settings());
    world.send_group("f", "g", &["a", "b"]);
    let first = world.got(receive_as("f", 2, "r"));
    assert_eq!(world.got(receive_as("f", 2, "r")), first);
}

#[test]
fn on_a_standard_queue_the_id_means_nothing() {
    let mut world = World::standard();
    world.sent(send("q"));
    world.sent(send("q"));
    assert_eq!(world.seqs(receive_as("q", 1, "r")), [1]);
    assert_eq!(world.seqs(receive_as("q", 1, "r")), [2]);
}
