//! Holding sessions: who may, for how long, and which is next.

use super::*;
use SubQueue::Main;

#[test]
fn accepting_a_session_names_the_hold() {
    let world = given(with_sessions(), [(0, sent_in("a", 1))]);
    world.when(5, accept("a")).then([accepted("a", 1, 1, 105)]);
    let facts = [(0, accepted("b", 1, 4, 100)), (0, sent_in("a", 1))];
    given(with_sessions(), facts).when(5, accept_next()).then([accepted("a", 1, 5, 105)]);
}

#[test]
fn an_empty_session_can_be_accepted_by_name_only() {
    given(with_sessions(), []).when(5, accept("new")).then([accepted("new", 1, 1, 105)]);
    given(with_sessions(), []).when(5, accept_next()).says(BrokerReply::NoSession);
}

#[test]
fn a_held_session_is_refused_by_name_and_passed_over_otherwise() {
    let facts = [(0, sent_in("a", 1)), (0, sent_in("b", 2)), (0, accepted("a", 1, 1, 100))];
    let held = || given(with_sessions(), facts.clone());
    held().when(99, accept("a")).refused(BrokerRefusal::SessionHeld);
    held().when(99, accept_next()).then([accepted("b", 1, 2, 199)]);
    held().when(100, accept("a")).then([accepted("a", 1, 2, 200)]);
}

#[test]
fn the_next_session_is_the_one_with_the_oldest_message() {
    let mut world = World::new(with_sessions());
    for session in ["c", "a", "b", "a"] {
        world.send(new_in(session, "x"));
    }
    let mut order = Vec::new();
    for _ in 0..3 {
        order.push(world.hold(accept_next()));
    }
    let labels: Vec<&str> = order.iter().map(|holder| holder.session.as_str()).collect();
    assert_eq!(labels, ["c", "a", "b"]);
    assert_eq!(world.say(accept_next()), Ok(BrokerReply::NoSession));
    for holder in order.into_iter().skip(1).rev() {
        world.done(BrokerOperation::ReleaseSession { holder });
    }
    assert_eq!(world.hold(accept_next()).session, label("a"));
}

#[test]
fn a_lapsed_session_is_on_offer_with_all_that_it_had() {
    let mut world = World::new(with_sessions());
    for session in ["a", "b", "c"] {
        world.send(new_in(session, "x"));
    }
    let a = world.hold(accept("a"));
    assert_eq!(world.seqs(receive_in(&a, 1)), [1]);
    assert_eq!(world.queue.next_visible(Stamp(0)), Some(Stamp(100)));
    world.at = 100;
    let a = world.hold(accept_next());
    assert_eq!((a.session.as_str(), a.hold), ("a", 2));
    assert_eq!(world.seqs(receive_in(&a, 1)), [1]);
}

#[test]
fn a_session_with_nothing_to_hand_out_is_not_next() {
    let mut world = World::new(with_sessions());
    world.send(new_in("deferred", "x"));
    world.send(NewBrokerMessage { ttl: Some(Millis(50)), ..new_in("expired", "x") });
    world.send(NewBrokerMessage { scheduled_at: Some(Stamp(900)), ..new_in("later", "x") });
    world.send(NewBrokerMessage { ttl: Some(Millis(50)), ..new_in("mixed", "x") });
    world.send(new_in("other", "x"));
    world.send(new_in("mixed", "x"));
    let holder = world.hold(accept("deferred"));
    let (_, receipt) = world.one(receive_in(&holder, 1));
    world.done(settle_in(&holder, receipt, Settlement::Defer));
    world.done(BrokerOperation::ReleaseSession { holder });
    world.at = 50;
    let order = [world.hold(accept_next()), world.hold(accept_next())];
    assert_eq!(order.map(|holder| holder.session.to_string()), ["other", "mixed"]);
    assert_eq!(world.say(accept_next()), Ok(BrokerReply::NoSession));
}

#[test]
fn looking_for_the_next_session_is_bounded() {
    let mut world = World::new(with_sessions());
    for _ in 0..5 {
        world.send(NewBrokerMessage { ttl: Some(Millis(50)), ..new_in("a", "x") });
    }
    world.send(new_in("b", "x"));
    world.at = 50;
    world.limits.receive_scan_max = 5;
    assert_eq!(world.say(accept_next()), Ok(BrokerReply::NoSession));
    world.limits.receive_scan_max = 6;
    assert!(matches!(world.say(accept_next()), Ok(BrokerReply::Accepted { .. })));
    let mut world = World { limits: world.limits.clone(), ..World::new(with_sessions()) };
    world.send(new_in("a", "x"));
    world.limits.receive_scan_max = 5;
    world.tick();
    assert_eq!(world.hold(accept_next()).session, label("a"));
}

#[test]
fn a_renewed_session_lasts_its_full_length_from_now() {
    let facts = [(0, sent_in("a", 1)), (0, accepted("a", 1, 1, 100))];
    let held = || given(with_sessions(), facts.clone());
    let renew = |hold| BrokerOperation::RenewSession { holder: holder("a", 1, hold) };
    let until = Stamp(199);
    let renewed = SessionRenewed { queue: QUEUE, session: label("a"), until };
    held().when(99, renew(1)).then([BrokerFact::SessionRenewed(renewed)]);
    held().when(100, renew(1)).refused(BrokerRefusal::SessionLockLost);
    held().when(50, renew(2)).refused(BrokerRefusal::SessionLockLost);
}

#[test]
fn a_renewed_session_keeps_its_messages_locked() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    let holder = world.hold(accept("a"));
    let (_, receipt) = world.one(receive_in(&holder, 1));
    world.at = 99;
    let renewed = world.say(BrokerOperation::RenewSession { holder: holder.clone() });
    assert_eq!(renewed, Ok(BrokerReply::LockedUntil(Stamp(199))));
    world.at = 198;
    assert_eq!(world.tick(), []);
    world.done(settle_in(&holder, receipt, Settlement::Complete));
}

#[test]
fn all_that_a_holder_does_is_refused_once_the_lock_is_lost() {
    let lost = |operation: BrokerOperation| {
        let facts = [(0, sent_in("a", 1)), (0, accepted("a", 1, 1, 100))];
        given(with_sessions(), facts.clone())
            .when(100, operation.clone())
            .refused(BrokerRefusal::SessionLockLost);
        let released = (10, BrokerFact::SessionReleased(session("a")));
        given(with_sessions(), facts.into_iter().chain([released]))
            .when(50, operation)
            .refused(BrokerRefusal::SessionLockLost);
    };
    let holder = || holder("a", 1, 1);
    lost(receive_in(&holder(), 1));
    lost(deferred_in(&holder(), &[1]));
    lost(settle_in(&holder(), receipt(1, 1, 1), Settlement::Abandon));
    lost(BrokerOperation::RenewSession { holder: holder() });
    lost(BrokerOperation::ReleaseSession { holder: holder() });
    lost(BrokerOperation::GetSessionState { holder: holder() });
    lost(BrokerOperation::SetSessionState { holder: holder(), state: None });
}

#[test]
fn releasing_gives_back_what_is_deferred_to_be_deferred() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    world.send(new_in("a", "y"));
    let holder = world.hold(accept("a"));
    let (_, receipt) = world.one(receive_in(&holder, 1));
    world.done(settle_in(&holder, receipt, Settlement::Defer));
    world.one(deferred_in(&holder, &[1]));
    world.one(receive_in(&holder, 1));
    let at = Stamp(world.at);
    assert_eq!(world.queue.counts(Main, at).locked, 2);
    world.done(BrokerOperation::ReleaseSession { holder });
    let counts = world.queue.counts(Main, at);
    assert_eq!((counts.active, counts.deferred, counts.locked), (1, 1, 0));
}

#[test]
fn a_session_that_lapses_with_nothing_leaves_nothing() {
    let mut world = World::new(with_sessions());
    for session in ["a", "b", "c"] {
        world.hold(accept(session));
    }
    assert_eq!(world.queue.session_count(), 3);
    world.at = 100;
    assert_eq!(world.tick().len(), 3);
    assert_eq!((world.queue.session_count(), world.queue.next_due()), (0, None));
    assert_eq!(world.hold(accept("a")).hold, 4, "a hold's name is never used again");
}

#[test]
fn a_session_hands_out_no_more_than_may_be_unsettled() {
    let mut world = World::new(with_sessions());
    for _ in 0..5 {
        world.send(new_in("a", "x"));
    }
    world.limits.unsettled_max = 3;
    let holder = world.hold(accept("a"));
    assert_eq!(world.seqs(receive_in(&holder, 2)), [1, 2]);
    let (_, third) = world.one(receive_in(&holder, 9));
    assert_eq!(world.seqs(receive_in(&holder, 9)), [] as [u64; 0]);
    world.done(settle_in(&holder, third, Settlement::Complete));
    assert_eq!(world.seqs(receive_in(&holder, 9)), [4]);
}

#[test]
fn one_command_hands_out_a_part_of_what_the_session_has_room_for() {
    let mut world = World::new(with_sessions());
    for _ in 0..3 {
        world.send(new_in("a", "x"));
    }
    world.limits.broker_receive_max = 2;
    let holder = world.hold(accept("a"));
    assert_eq!(world.seqs(receive_in(&holder, 9)), [1, 2]);
    assert_eq!(world.seqs(receive_in(&holder, 9)), [3]);
}

#[test]
fn in_a_session_messages_can_be_taken_for_good() {
    let facts = [(0, sent_in("a", 1)), (0, sent_in("b", 2)), (0, accepted("a", 1, 1, 100))];
    let receive = BrokerOperation::ReceiveInSession {
        holder: holder("a", 1, 1),
        mode: ReceiveMode::ReceiveAndDelete,
        max: 9,
        wait: None,
    };
    let taken = BrokerFact::Taken(several(&[1]));
    given(with_sessions(), facts).when(5, receive).then([taken]);
}

#[test]
fn after_a_restart_a_hold_in_the_log_is_as_good_as_before() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    world.send(new_in("a", "y"));
    let holder = world.hold(accept("a"));
    let (_, receipt) = world.one(receive_in(&holder, 1));
    world.restart();
    assert_eq!(world.say(accept("a")), Err(BrokerRefusal::SessionHeld));
    world.done(settle_in(&holder, receipt, Settlement::Complete));
    let (_, receipt) = world.one(receive_in(&holder, 1));
    assert_eq!(receipt.epoch, Epoch(2));
    world.done(settle_in(&holder, receipt, Settlement::Complete));
}

#[test]
fn after_a_restart_a_hold_that_is_not_in_the_log_is_lost() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    let unwritten = world.hold(accept("a"));
    world.log.pop();
    world.restart();
    let granted = world.hold(accept("a"));
    assert_eq!(granted.hold, unwritten.hold, "only the epochs differ");
    let lost = Err(BrokerRefusal::SessionLockLost);
    assert_eq!(world.say(receive_in(&unwritten, 1)), lost);
    assert_eq!(world.seqs(receive_in(&granted, 1)), [1]);
}

#[test]
fn a_message_of_another_session_is_not_settled_by_its_holder() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    let (a, b) = (world.hold(accept("a")), world.hold(accept("b")));
    let (_, receipt) = world.one(receive_in(&a, 1));
    let lost = Err(BrokerRefusal::LockLost);
    assert_eq!(world.say(settle_in(&b, receipt, Settlement::Complete)), lost);
    let without = world.say(settle(receipt, Settlement::Complete));
    assert_eq!(without, lost);
}

#[test]
fn many_messages_under_one_lapsed_hold_count_against_the_ticks_limit() {
    let mut world = World::new(with_sessions());
    for session in ["a", "b", "c", "d"] {
        for _ in 0..3 {
            world.send(new_in(session, "x"));
        }
        let holder = world.hold(accept(session));
        assert_eq!(world.deliveries(receive_in(&holder, 9)).len(), 3);
    }
    world.at = 100;
    let lapses = |limit| world.queue.tick(&world.moment(), QUEUE, limit).len();
    assert_eq!([lapses(1), lapses(8), lapses(12), lapses(100)], [1, 2, 3, 4]);
}

#[test]
fn a_holder_settles_no_dead_letter_and_holds_nothing_elsewhere() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    let holder = world.hold(accept("a"));
    let (_, receipt) = world.one(receive_in(&holder, 1));
    world.done(settle_in(&holder, receipt, because("x")));
    let (_, dead) = world.one(receive(SubQueue::DeadLetter, 1));
    let settled = world.say(settle_in(&holder, dead, Settlement::Complete));
    assert_eq!(settled, Err(BrokerRefusal::LockLost));
    world.done(settle(dead, Settlement::Complete));
    let elsewhere = SessionHolder { queue: QueueId(8), ..holder };
    let lost = Err(BrokerRefusal::SessionLockLost);
    assert_eq!(world.say(receive_in(&elsewhere, 1)), lost);
}

#[test]
fn a_lapsed_session_that_had_only_deferred_messages_is_not_next() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    let holder = world.hold(accept("a"));
    let (_, receipt) = world.one(receive_in(&holder, 1));
    world.done(settle_in(&holder, receipt, Settlement::Defer));
    world.one(deferred_in(&holder, &[1]));
    world.at = 100;
    assert_eq!(world.say(accept_next()), Ok(BrokerReply::NoSession));
}
