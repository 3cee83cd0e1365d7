//! Service Bus's sharp edges about locks and sessions, by their number in the list that the
//! project keeps. The eighth, the order of waiting receivers, is the engine's.

use super::*;
use SubQueue::{DeadLetter, Main};

#[test]
fn item_01_a_settlement_under_a_lock_that_has_run_out_is_refused() {
    let held = || given(plain(), [(0, sent(1)), (0, locked(1, 100, &[1]))]);
    let complete = || settle(receipt(1, 1, 1), Settlement::Complete);
    held().when(99, complete()).then([BrokerFact::Completed(one(1))]);
    held().when(100, complete()).refused(BrokerRefusal::LockLost);
    for how in [Settlement::Abandon, Settlement::Defer, because("x")] {
        held().when(100, settle(receipt(1, 1, 1), how)).refused(BrokerRefusal::LockLost);
    }
}

#[test]
fn item_01_a_settlement_under_the_lock_before_the_current_one_is_refused() {
    let facts = [(0, sent(1)), (0, locked(1, 100, &[1])), (100, locked(1, 200, &[1]))];
    let held = || given(plain(), facts.clone());
    let complete = |attempt| settle(receipt(1, 1, attempt), Settlement::Complete);
    held().when(150, complete(1)).refused(BrokerRefusal::LockLost);
    held().when(150, complete(3)).refused(BrokerRefusal::LockLost);
    held().when(150, complete(2)).then([BrokerFact::Completed(one(1))]);
}

#[test]
fn item_01_a_message_settles_once() {
    let mut world = World::new(plain());
    world.send(new("a"));
    let (_, receipt) = world.one(receive(Main, 1));
    world.done(settle(receipt, Settlement::Complete));
    let again = world.say(settle(receipt, Settlement::Complete));
    assert_eq!(again, Err(BrokerRefusal::LockLost));
}

#[test]
fn item_02_settling_in_a_session_whose_lock_is_lost_says_so() {
    let facts =
        [(0, sent_in("a", 1)), (0, accepted("a", 1, 1, 100)), (0, handed_out(1, None, &[1]))];
    let held = || given(with_sessions(), facts.clone());
    let complete = |hold| settle_in(&holder("a", 1, hold), receipt(1, 1, 1), Settlement::Complete);
    held().when(99, complete(1)).then([BrokerFact::Completed(one(1))]);
    held().when(100, complete(1)).refused(BrokerRefusal::SessionLockLost);
    held().when(50, complete(2)).refused(BrokerRefusal::SessionLockLost);
}

#[test]
fn item_02_the_next_holder_keeps_the_one_before_out() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    let first = world.hold(accept("a"));
    let (_, receipt) = world.one(receive_in(&first, 1));
    world.at = 100;
    let second = world.hold(accept("a"));
    let (_, again) = world.one(receive_in(&second, 1));
    let lost = Err(BrokerRefusal::SessionLockLost);
    assert_eq!(world.say(settle_in(&first, receipt, Settlement::Complete)), lost);
    assert_eq!(world.say(settle_in(&first, again, Settlement::Complete)), lost);
    world.done(settle_in(&second, again, Settlement::Complete));
}

#[test]
fn item_03_closing_a_session_receiver_counts_no_failure() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    for _ in 0..10 {
        let holder = world.hold(accept_next());
        let (message, _) = world.one(receive_in(&holder, 1));
        assert_eq!(message.failures, 0);
        world.done(BrokerOperation::ReleaseSession { holder });
    }
    assert_eq!(world.dead(), []);
}

#[test]
fn item_03_a_session_lock_that_runs_out_counts_each_message_handed_out() {
    let mut world = World::new(with_sessions());
    for _ in 0..3 {
        world.send(new_in("a", "x"));
    }
    let first = world.hold(accept("a"));
    assert_eq!(world.seqs(receive_in(&first, 2)), [1, 2]);
    world.at = 100;
    let second = world.hold(accept("a"));
    let failures: Vec<u32> =
        world.deliveries(receive_in(&second, 3)).iter().map(|d| d.message.failures).collect();
    assert_eq!(failures, [1, 1, 0]);
}

#[test]
fn item_04_without_sessions_a_lock_that_runs_out_counts() {
    let mut world = World::new(plain());
    world.send(new("a"));
    assert_eq!(world.one(receive(Main, 1)).0.failures, 0);
    world.at = 100;
    assert_eq!(world.one(receive(Main, 1)).0.failures, 1);
    world.at = 200;
    assert_eq!(world.peeked(peek(Main, 1, 1))[0].failures, 2);
    assert_eq!(world.one(receive(Main, 1)).0.failures, 2);
}

#[test]
fn item_05_a_dead_letter_is_never_dead_lettered_again() {
    let mut world = World::new(BrokerSettings { deliveries_max: 1, ..plain() });
    world.send(new("a"));
    let (_, receipt) = world.one(receive(Main, 1));
    world.done(settle(receipt, because("no")));
    for round in 0..20 {
        let (message, receipt) = world.one(receive(DeadLetter, 1));
        assert_eq!((message.seq, message.failures), (Seq(1), 0), "nothing is counted there");
        let again = world.say(settle(receipt, because("no")));
        assert_eq!(again, Err(BrokerRefusal::AlreadyDeadLettered));
        match round % 2 {
            0 => world.done(settle(receipt, Settlement::Abandon)),
            _ => world.at += 100,
        }
        assert_eq!(world.tick(), []);
    }
}

#[test]
fn item_06_dead_letters_of_a_session_queue_are_read_by_a_plain_receiver() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    let holder = world.hold(accept("a"));
    let (_, receipt) = world.one(receive_in(&holder, 1));
    world.done(settle_in(&holder, receipt, because("no")));
    let seen = world.peeked(peek(DeadLetter, 1, 10));
    assert_eq!((seen.len(), seen[0].session.clone()), (1, Some(label("a"))));
    let cause = seen[0].dead.clone().map(|dead| dead.cause);
    let reason = Some(label("no"));
    assert_eq!(cause, Some(DeadLetterCause::Receiver { reason, description: None }));
    let (message, receipt) = world.one(receive(DeadLetter, 1));
    assert_eq!(message.seq, Seq(1));
    world.done(settle(receipt, Settlement::Complete));
    assert!(world.queue.is_empty());
}

#[test]
fn item_07_the_lock_runs_from_the_hand_out_not_from_the_sending() {
    let mut world = World::new(plain());
    world.send(new("a"));
    world.at = 70;
    let locks: Vec<_> = world.deliveries(receive(Main, 1)).iter().map(|d| d.lock).collect();
    assert_eq!(locks[0].map(|lock| lock.until), Some(Stamp(170)));
}

#[test]
fn item_09_what_a_killed_consumer_had_stays_locked_until_the_lock_runs_out() {
    let mut world = World::new(plain());
    world.send(new("a"));
    world.one(receive(Main, 1));
    world.restart();
    world.at = 99;
    assert_eq!(world.seqs(receive(Main, 1)), [] as [u64; 0]);
    assert_eq!(world.queue.next_visible(Stamp(99)), Some(Stamp(100)));
    world.at = 100;
    assert_eq!(world.seqs(receive(Main, 1)), [1]);
}

#[test]
fn item_10_a_duplicate_is_accepted_and_dropped() {
    let settings = BrokerSettings { dedup_window: Some(Millis(500)), ..plain() };
    let mut world = World::new(settings);
    let message = NewBrokerMessage { message_id: Some(label("m")), ..new("a") };
    let send = || BrokerOperation::Send { message: message.clone() };
    let first = world.say(send());
    world.at = 499;
    assert_eq!(world.say(send()), first, "the reply is the original's");
    assert_eq!(world.log.len(), 1, "and nothing happened");
    let (_, receipt) = world.one(receive(Main, 1));
    world.done(settle(receipt, Settlement::Complete));
    assert_eq!(world.say(send()), first, "whatever became of the original");
    world.at = 500;
    assert_eq!(world.send(message), 2, "the window is over");
}

#[test]
fn item_10_the_key_is_the_message_id_and_the_window_a_setting() {
    let message = || NewBrokerMessage { message_id: Some(label("m")), ..new("a") };
    let mut without = World::new(plain());
    assert_eq!([without.send(message()), without.send(message())], [1, 2]);
    let mut with = World::new(BrokerSettings { dedup_window: Some(Millis(500)), ..plain() });
    assert_eq!([with.send(new("a")), with.send(new("a"))], [1, 2], "no id, no duplicate");
}

#[test]
fn item_11_a_duplicate_of_a_scheduled_message_is_found_when_it_is_scheduled() {
    let settings = BrokerSettings { dedup_window: Some(Millis(500)), ..plain() };
    let mut world = World::new(settings);
    let now = NewBrokerMessage { message_id: Some(label("m")), ..new("a") };
    let later = NewBrokerMessage { scheduled_at: Some(Stamp(900)), ..now.clone() };
    assert_eq!(world.send(later.clone()), 1);
    assert_eq!([world.send(later.clone()), world.send(now.clone())], [1, 1]);
    world.done(cancel(&[1]));
    assert_eq!(world.send(now.clone()), 1, "a cancelled one is remembered too");
    world.at = 500;
    assert_eq!(world.send(now), 2, "its window runs from its scheduling");
}

#[test]
fn item_12_a_session_keeps_its_state_without_messages() {
    let mut world = World::new(with_sessions());
    let holder = world.hold(accept("a"));
    let set = |holder: &SessionHolder, state: Option<&'static str>| {
        let state = state.map(|text| Bytes::from_static(text.as_bytes()));
        BrokerOperation::SetSessionState { holder: holder.clone(), state }
    };
    world.done(set(&holder, Some("step 3")));
    let state = BodyRef { place: world.log[1].1, len: 6 };
    world.done(BrokerOperation::ReleaseSession { holder });
    world.at = 1_000_000;
    assert_eq!(world.tick(), []);
    let holder = world.hold(accept("a"));
    let get = BrokerOperation::GetSessionState { holder: holder.clone() };
    assert_eq!(world.say(get.clone()), Ok(BrokerReply::State(Some(state))));
    world.done(set(&holder, None));
    assert_eq!(world.say(get), Ok(BrokerReply::State(None)));
    world.done(BrokerOperation::ReleaseSession { holder });
    assert_eq!(world.queue.session_count(), 0, "nothing is left of it");
}

#[test]
fn item_12_the_state_is_not_among_the_sessions_on_offer() {
    let mut world = World::new(with_sessions());
    let holder = world.hold(accept("a"));
    let state = Some(Bytes::from_static(b"s"));
    world.done(BrokerOperation::SetSessionState { holder: holder.clone(), state });
    world.done(BrokerOperation::ReleaseSession { holder });
    assert_eq!(world.say(accept_next()), Ok(BrokerReply::NoSession));
}

#[test]
fn item_13_an_abandoned_message_comes_next_again() {
    let mut world = World::new(plain());
    for _ in 0..3 {
        world.send(new("a"));
    }
    for failures in 0..2 {
        let (message, receipt) = world.one(receive(Main, 1));
        assert_eq!((message.seq, message.failures), (Seq(1), failures));
        world.done(settle(receipt, Settlement::Abandon));
    }
    assert_eq!(world.seqs(receive(Main, 3)), [1, 2, 3]);
}

#[test]
fn item_13_order_is_kept_in_a_session() {
    let mut world = World::new(with_sessions());
    for _ in 0..4 {
        world.send(new_in("a", "x"));
        world.send(new_in("b", "x"));
    }
    let holder = world.hold(accept("a"));
    let got = world.deliveries(receive_in(&holder, 2));
    let receipts: Vec<Receipt> = got.iter().filter_map(|d| Some(d.lock?.receipt)).collect();
    world.done(settle_in(&holder, receipts[1], Settlement::Abandon));
    world.done(settle_in(&holder, receipts[0], Settlement::Abandon));
    assert_eq!(world.seqs(receive_in(&holder, 1)), [1]);
    assert_eq!(world.seqs(receive_in(&holder, 10)), [3, 5, 7]);
}

#[test]
fn item_14_a_session_queue_refuses_a_message_without_a_session() {
    let send = |message| BrokerOperation::Send { message };
    given(with_sessions(), []).when(0, send(new("a"))).refused(BrokerRefusal::SessionRequired);
    assert_eq!(World::new(with_sessions()).send(new_in("a", "x")), 1);
    let mut world = World::new(plain());
    world.send(new_in("a", "x"));
    let (message, receipt) = world.one(receive(Main, 1));
    assert_eq!(message.session, None, "elsewhere it is not looked at");
    world.done(settle(receipt, Settlement::Complete));
}
