//! What must be durable before an answer may leave: the last fact of each resource that it was
//! read from, and its own. In [`super::random`] the same for any story.

use super::*;

/// Positions: 1 `q`, 2 `d`, 3 and 4 messages in `q`, 5 a message in `d`.
fn world() -> World {
    given([
        (0, standard(1, "q")),
        (0, standard(2, "d")),
        (0, sent(1, 1)),
        (0, sent(1, 2)),
        (0, sent(2, 1)),
    ])
}

#[test]
fn what_writes_rests_on_itself() {
    let commands = [
        Command::Canary,
        send("q"),
        purge("q"),
        delete_queue("q"),
        change_queue("q", delay(1)),
        create("new", QueueKind::Fifo, no_settings()),
        create_broker("new"),
    ];
    for command in commands {
        world().when(1, command).rests_on(6);
    }
}

#[test]
fn what_reads_a_queue_rests_on_that_queues_last_fact() {
    for command in [find("q"), describe("q"), create("q", QueueKind::Standard, no_settings())] {
        world().when(1, command).rests_on(4);
    }
    world().when(1, describe("d")).rests_on(5);
}

#[test]
fn what_reads_names_rests_on_the_last_change_of_names() {
    world().when(1, list("", None, 9)).rests_on(2);
    world().when(1, find("none")).rests_on(2);
    world().when(1, broker_receive("none")).rests_on(2);
    let mut world = world();
    world.done(delete_queue("d"));
    world.clone().when(1, list("", None, 9)).rests_on(6);
    world.clone().when(1, create("d", QueueKind::Standard, no_settings())).rests_on(6);
    world.when(1, find("q")).rests_on(4);
}

#[test]
fn a_soft_hand_out_rests_on_what_it_hands_out() {
    world().when(1, receive("q", 1)).hands_out(&[1]).rests_on(4);
}

#[test]
fn what_was_read_after_a_soft_hand_out_does_not_wait_for_it() {
    let mut world = world();
    world.one(receive("q", 2 - 1));
    world.clone().when(1, describe("q")).rests_on(4);
    world.when(1, receive("q", 1)).hands_out(&[2]).rests_on(4);
}

#[test]
fn an_empty_receive_rests_on_what_emptied_the_queue() {
    let mut world = world();
    world.done(purge("q"));
    world.when(1, receive("q", 1)).hands_out(&[]).rests_on(6);
}

#[test]
fn a_dead_letter_touches_both_queues() {
    let mut world = world();
    world.done(change_queue("q", dead_letter("d", 1)));
    world.got(receive("q", 2));
    world.wait(30).got(receive("q", 2));
    let moved = world.last().0;
    assert_eq!(moved, 8);
    world.clone().when(31, describe("q")).rests_on(moved);
    world.when(31, describe("d")).rests_on(moved);
}

#[test]
fn a_hand_out_in_spite_of_a_rule_rests_on_the_missing_of_its_other_side() {
    let mut world = world();
    world.done(change_queue("q", dead_letter("d", 1)));
    world.one(receive("q", 1));
    world.done(delete_queue("d"));
    let gone = world.last().0;
    assert_eq!(gone, 8);
    world.when(30, receive("q", 1)).hands_out(&[1]).rests_on(gone);
}

#[test]
fn a_refused_rule_rests_on_the_names() {
    let mut world = world();
    world.done(delete_queue("d"));
    world.when(1, change_queue("q", dead_letter("d", 1))).rests_on(6);
}

#[test]
fn a_broker_queues_answers_rest_on_its_last_fact_or_on_themselves() {
    let mut world = World::standard();
    world.queue(create_broker("b"));
    let message = NewBrokerMessage::default();
    assert!(world.say(to_broker("b", BrokerOperation::Send { message })).is_ok());
    world.sent(send("q"));
    let (sub, from, max, session) = (SubQueue::Main, Seq(0), 9, None);
    let peek = BrokerOperation::Peek { sub, from, max, session };
    world.clone().when(0, to_broker("b", peek)).rests_on(3);
    world.clone().when(0, create_broker("b")).rests_on(2);
    assert_eq!(world.last().0, 4);
    world.when(0, broker_receive("b")).rests_on(5);
}

#[test]
fn an_opening_touches_no_queue() {
    let mut world = world();
    world.restart();
    world.when(1, describe("q")).rests_on(4);
}
