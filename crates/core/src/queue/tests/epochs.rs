//! What one owner leaves to the next. A soft lease may be lost with a crash; what an answer rested
//! on is not.

use super::*;

#[test]
fn a_soft_lease_that_a_crash_took_back_is_forgotten() {
    let mut world = World::standard();
    world.sent(send("q"));
    world.one(receive("q", 1));
    world.crash();
    let again = world.one(receive("q", 1));
    assert_eq!((again.receives, again.receipt), (1, receipt(1, 1, 2, 1)));
}

#[test]
fn a_soft_lease_that_the_log_has_stands() {
    let mut world = World::standard();
    world.sent(send("q"));
    let receipt = world.one(receive("q", 1)).receipt;
    world.restart();
    assert_eq!(world.seqs(receive("q", 1)), []);
    world.done(change_lease("q", receipt, 60));
    world.done(delete("q", receipt));
    assert_eq!(world.counts("q"), [0, 0, 0]);
}

#[test]
fn a_receipt_of_a_forgotten_lease_settles_while_there_is_no_newer_one() {
    let mut world = World::standard();
    world.sent(send("q"));
    let forgotten = world.one(receive("q", 1)).receipt;
    world.crash();
    world.done(delete("q", forgotten));
    assert_eq!(world.counts("q"), [0, 0, 0]);
}

#[test]
fn a_receipt_of_a_forgotten_lease_does_nothing_to_a_newer_one() {
    let mut world = World::standard();
    world.sent(send("q"));
    let forgotten = world.one(receive("q", 1)).receipt;
    world.crash();
    world.one(receive("q", 1));
    world.done(delete("q", forgotten));
    assert_eq!(world.counts("q"), [0, 1, 0]);
    assert_eq!(world.refusal(change_lease("q", forgotten, 9)), QueueRefusal::NotChangeable);
}

#[test]
fn a_forgotten_lease_is_told_from_a_lower_attempt_that_the_log_has() {
    let mut world = World::standard();
    world.sent(send("q"));
    world.one(receive("q", 1));
    world.wait(30).sent(send("q"));
    let forgotten = world.got(receive("q", 1))[0].receipt;
    assert_eq!(forgotten, receipt(1, 1, 1, 2));
    world.crash();
    world.done(delete("q", forgotten));
    assert_eq!(world.seqs(receive("q", 10)), [2]);
}

#[test]
fn a_lease_that_was_forgotten_cannot_be_changed() {
    let mut world = World::standard();
    world.sent(send("q"));
    let forgotten = world.one(receive("q", 1)).receipt;
    world.crash();
    assert_eq!(world.refusal(change_lease("q", forgotten, 9)), QueueRefusal::NotInFlight);
    assert_eq!(world.counts("q"), [1, 0, 0]);
}

#[test]
fn a_fifo_lease_is_a_promise_that_the_next_owner_keeps() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b"]);
    let receipt = world.one(receive("f", 1)).receipt;
    world.crash();
    assert_eq!(world.seqs(receive("f", 10)), []);
    world.wait(29).done(change_lease("f", receipt, 30));
    world.wait(29).done(delete("f", receipt));
    assert_eq!(world.seqs(receive("f", 10)), [2]);
}

#[test]
fn a_fifo_lease_that_the_log_has_not_is_lost() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a"]);
    let lost = receipt(1, 1, 1, 1);
    assert_eq!(world.refusal(delete("f", lost)), QueueRefusal::LeaseEnded);
    assert_eq!(world.refusal(change_lease("f", lost, 9)), QueueRefusal::NotInFlight);
    world.restart();
    world.one(receive("f", 1));
    assert_eq!(world.refusal(delete("f", lost)), QueueRefusal::LeaseEnded);
    assert_eq!(world.refusal(change_lease("f", lost, 9)), QueueRefusal::NotChangeable);
    assert_eq!(world.counts("f"), [0, 1, 0]);
}

#[test]
fn every_opening_is_the_next_epoch_and_keeps_the_offset_of_the_clock() {
    let mut world = World::new();
    assert_eq!(world.partition.header().epoch, Epoch(1));
    world.take_in(Facts::one(Fact::ClockMoved(ClockMoved { offset: seconds(9) })));
    world.restart();
    let header = world.partition.header();
    assert_eq!((header.epoch, header.offset), (Epoch(2), seconds(9)));
}

#[test]
fn an_id_that_a_crash_took_back_is_not_given_again_at_the_same_place() {
    let mut world = World::standard();
    let lost = world.sent(send("q")).0;
    world.log.pop();
    world.crash();
    world.log.pop();
    let again = world.sent(send("q")).0;
    assert_ne!(again, lost);
    assert_eq!(again, id_at(2, 2));
}

#[test]
fn only_a_standard_hand_out_need_not_be_waited_for() {
    let messages =
        [(0, standard(1, "q")), (0, sent(1, 1)), (0, fifo(2, "f")), (0, sent_in(2, 1, "g"))];
    let world = given(messages);
    world.clone().when(1, receive("q", 1)).hands_out(&[1]).rests_on(2);
    world.when(1, receive("f", 1)).hands_out(&[1]).rests_on(5);
}
