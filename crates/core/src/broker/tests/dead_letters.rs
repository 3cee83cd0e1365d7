//! How messages become dead letters, and what they are then.

use super::*;
use SubQueue::{DeadLetter, Main};

#[test]
fn the_last_failed_delivery_makes_a_dead_letter_at_once() {
    let mut facts = vec![(0, sent(1))];
    for _ in 0..2 {
        facts.extend([(0, locked(1, 100, &[1])), (0, BrokerFact::Abandoned(one(1)))]);
    }
    facts.push((0, locked(1, 100, &[1])));
    let dead = dead_lettered(1, DeadLetterCause::DeliveriesExhausted, 3);
    given(plain(), facts).when(5, settle(receipt(1, 1, 3), Settlement::Abandon)).then([dead]);
}

fn about_to_fail() -> World {
    let facts = [
        (0, sent(1)),
        (0, locked(1, 100, &[1])),
        (100, locked(1, 200, &[1])),
        (200, locked(1, 300, &[1])),
    ];
    given(plain(), facts)
}

#[test]
fn the_last_lock_to_run_out_makes_a_dead_letter_without_anybody_receiving() {
    let dead = dead_lettered(1, DeadLetterCause::DeliveriesExhausted, 3);
    assert_eq!(about_to_fail().queue.next_due(), Some(Stamp(300)));
    assert_eq!(about_to_fail().when_ticked(299), []);
    assert_eq!(about_to_fail().when_ticked(300), [dead]);
}

#[test]
fn a_receive_before_the_tick_sees_the_same() {
    let dead = dead_lettered(1, DeadLetterCause::DeliveriesExhausted, 3);
    about_to_fail().when(300, receive(Main, 1)).then([dead.clone()]);
    about_to_fail().when(300, receive_and_delete(Main, 1)).then([dead]);
}

#[test]
fn a_message_that_failed_too_often_and_expired_failed_too_often() {
    let mut world = World::new(BrokerSettings {
        ttl: Some(Millis(50)),
        deliveries_max: 1,
        dead_letter_on_expiry: true,
        ..plain()
    });
    world.send(new("a"));
    world.one(receive(Main, 1));
    world.at = 100;
    assert_eq!(world.tick(), [dead_lettered(1, DeadLetterCause::DeliveriesExhausted, 1)]);
}

#[test]
fn a_dead_letter_keeps_its_number_its_time_and_its_count() {
    let mut world = World::new(plain());
    world.at = 10;
    world.send(new("body"));
    let body = BodyRef { place: world.log[0].1, len: 4 };
    let (_, receipt) = world.one(receive(Main, 1));
    world.done(settle(receipt, Settlement::Abandon));
    let (_, receipt) = world.one(receive(Main, 1));
    world.at = 60;
    let description = Some(label("the long story"));
    let how = Settlement::DeadLetter { reason: None, description: description.clone() };
    world.done(settle(receipt, how));
    let cause = DeadLetterCause::Receiver { reason: None, description };
    let expected = BrokerMessage {
        seq: Seq(1),
        id: id(1, 1),
        body,
        state: MessageState::Active,
        enqueued_at: Stamp(10),
        ttl: None,
        session: None,
        failures: 1,
        dead: Some(super::DeadLetter { cause, since: Stamp(60) }),
    };
    assert_eq!(world.dead().first(), Some(&expected));
    assert_eq!(world.one(receive(DeadLetter, 1)).0, expected);
    assert_eq!(world.peeked(peek(Main, 0, 10)), []);
}

#[test]
fn a_receipt_from_before_does_not_settle_the_dead_letter() {
    let mut world = World::new(plain());
    world.send(new("a"));
    let (_, before) = world.one(receive(Main, 1));
    world.done(settle(before, because("x")));
    let lost = Err(BrokerRefusal::LockLost);
    assert_eq!(world.say(settle(before, Settlement::Complete)), lost);
    let (_, after) = world.one(receive(DeadLetter, 1));
    assert_eq!(world.say(settle(before, Settlement::Complete)), lost);
    world.done(settle(after, Settlement::Complete));
}

#[test]
fn dead_letters_are_locked_renewed_deferred_and_taken_as_others() {
    let mut world = World::new(plain());
    for _ in 0..2 {
        world.send(new("a"));
        let (_, receipt) = world.one(receive(Main, 1));
        world.done(settle(receipt, because("x")));
    }
    let (_, receipt) = world.one(receive(DeadLetter, 1));
    world.at = 50;
    let renewed = world.say(BrokerOperation::RenewLock { receipt });
    assert_eq!(renewed, Ok(BrokerReply::LockedUntil(Stamp(150))));
    world.done(settle(receipt, Settlement::Defer));
    assert_eq!(world.seqs(receive_and_delete(DeadLetter, 9)), [2]);
    let (message, receipt) = world.one(deferred(DeadLetter, &[1]));
    assert_eq!(message.state, MessageState::Deferred);
    let not_found = BrokerRefusal::MessageNotFound { seq: Seq(1) };
    assert_eq!(world.say(deferred(Main, &[1])), Err(not_found));
    world.done(settle(receipt, Settlement::Complete));
    assert!(world.queue.is_empty());
}

#[test]
fn each_message_of_a_lapsed_session_is_judged_on_its_own() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    for _ in 0..2 {
        let holder = world.hold(accept("a"));
        let (_, receipt) = world.one(receive_in(&holder, 1));
        world.done(settle_in(&holder, receipt, Settlement::Abandon));
        world.done(BrokerOperation::ReleaseSession { holder });
    }
    world.send(new_in("a", "y"));
    let holder = world.hold(accept("a"));
    assert_eq!(world.seqs(receive_in(&holder, 9)), [1, 2]);
    world.at = 100;
    let dead = dead_lettered(1, DeadLetterCause::DeliveriesExhausted, 3);
    let lapsed = BrokerFact::SessionLapsed(session("a"));
    assert_eq!(world.tick(), [lapsed, dead]);
    let holder = world.hold(accept_next());
    let (message, _) = world.one(receive_in(&holder, 9));
    assert_eq!((message.seq, message.failures), (Seq(2), 1));
}
