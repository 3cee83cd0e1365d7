//! Service Bus's sharp edges about expiry, browsing, deferral and scheduling, by their number in
//! the list that the project keeps.

use super::*;
use SubQueue::{DeadLetter, Main};

fn lasting(ttl: u64) -> NewBrokerMessage {
    NewBrokerMessage { ttl: Some(Millis(ttl)), ..new("a") }
}

fn short_lived(dead_letter_on_expiry: bool) -> BrokerSettings {
    BrokerSettings { ttl: Some(Millis(50)), dead_letter_on_expiry, ..plain() }
}

#[test]
fn item_22_the_shorter_of_the_two_lives_counts() {
    let ttl = |settings, message| {
        let mut world = World::new(settings);
        world.send(message);
        world.queue.next_due()
    };
    assert_eq!(ttl(short_lived(true), lasting(20)), Some(Stamp(20)));
    assert_eq!(ttl(short_lived(true), lasting(80)), Some(Stamp(50)));
    assert_eq!(ttl(short_lived(true), new("a")), Some(Stamp(50)));
    assert_eq!(ttl(plain(), lasting(80)), Some(Stamp(80)));
    assert_eq!(ttl(plain(), new("a")), None);
}

#[test]
fn item_22_a_receive_comes_across_what_has_expired() {
    let expired = |dead_letter| {
        let lived = |seq| (seq, sent_with(seq, |sent| sent.ttl = Some(Millis(50))));
        given(short_lived(dead_letter), [lived(1), lived(2), lived(30)])
    };
    let lock = || locked(1, 160, &[30]);
    let gone = [BrokerFact::Expired(one(1)), BrokerFact::Expired(one(2)), lock()];
    expired(false).when(60, receive(Main, 1)).then(gone);
    let dead = |seq| dead_lettered(seq, DeadLetterCause::Expired, 0);
    expired(true).when(60, receive(Main, 1)).then([dead(1), dead(2), lock()]);
    expired(false)
        .when(51, receive(Main, 1))
        .then([BrokerFact::Expired(one(1)), locked(1, 151, &[2])]);
    expired(false).when(50, receive(Main, 1)).then([locked(1, 150, &[1])]);
}

#[test]
fn item_22_time_alone_expires_too() {
    let expired = |dead_letter| given(short_lived(dead_letter), [(0, sent_lasting(1, 50))]);
    assert_eq!(expired(false).when_ticked(49), []);
    assert_eq!(expired(false).when_ticked(50), [BrokerFact::Expired(one(1))]);
    let dead = dead_lettered(1, DeadLetterCause::Expired, 0);
    assert_eq!(expired(true).when_ticked(50), [dead]);
}

fn sent_lasting(seq: u64, ttl: u64) -> BrokerFact {
    sent_with(seq, |sent| sent.ttl = Some(Millis(ttl)))
}

#[test]
fn item_22_a_message_under_lock_expires_when_the_lock_ends() {
    let mut world = World::new(short_lived(true));
    world.send(new("a"));
    world.at = 40;
    let (_, receipt) = world.one(receive(Main, 1));
    assert_eq!(world.queue.next_due(), Some(Stamp(140)));
    world.at = 139;
    assert_eq!(world.tick(), []);
    world.say(BrokerOperation::RenewLock { receipt }).unwrap();
    world.at = 238;
    assert_eq!(world.tick(), [], "a renewal puts it off");
    world.at = 239;
    assert_eq!(world.tick(), [dead_lettered(1, DeadLetterCause::Expired, 1)]);
}

#[test]
fn item_22_settling_after_the_end_of_life_is_in_time_while_the_lock_lasts() {
    let mut world = World::new(short_lived(true));
    world.send(new("a"));
    let (_, receipt) = world.one(receive(Main, 1));
    world.at = 80;
    world.done(settle(receipt, Settlement::Abandon));
    assert_eq!(world.tick(), [dead_lettered(1, DeadLetterCause::Expired, 1)]);
    let dead = world.dead();
    assert_eq!((dead.len(), dead[0].ttl), (1, Some(Millis(50))));
    world.at = 1_000_000;
    assert_eq!(world.tick(), [], "a dead letter outlives everything");
    assert_eq!(world.seqs(receive(DeadLetter, 1)), [1]);
}

#[test]
fn item_22_in_a_session_a_message_expires_when_the_hold_ends() {
    let settings = BrokerSettings { sessions: true, ..short_lived(false) };
    let mut world = World::new(settings);
    world.send(new_in("a", "x"));
    world.send(new_in("a", "y"));
    let holder = world.hold(accept("a"));
    let (_, receipt) = world.one(receive_in(&holder, 1));
    world.at = 60;
    assert_eq!(world.tick(), [BrokerFact::Expired(one(2))], "it was not handed out");
    world.at = 99;
    assert_eq!(world.tick(), []);
    let mut other = World { log: world.log.clone(), ..World::new(world.queue.settings().clone()) };
    other.restart();
    other.at = 100;
    let lapsed = BrokerFact::SessionLapsed(session("a"));
    assert_eq!(other.tick(), [lapsed, BrokerFact::Expired(one(1))]);
    world.done(settle_in(&holder, receipt, Settlement::Complete));
}

#[test]
fn item_23_peek_sees_every_state_and_locks_nothing() {
    let mut world = World::new(plain());
    for _ in 0..4 {
        world.send(new("a"));
    }
    world.send(NewBrokerMessage { scheduled_at: Some(Stamp(900)), ..new("b") });
    let got = world.deliveries(receive(Main, 2));
    world.done(settle(got[1].lock.unwrap().receipt, Settlement::Defer));
    let seen = world.peeked(peek(Main, 1, 10));
    let states: Vec<_> = seen.iter().map(|message| (message.seq.0, message.state)).collect();
    use MessageState::{Active, Deferred, Scheduled};
    let scheduled = Scheduled { at: Stamp(900) };
    assert_eq!(states, [(1, Active), (2, Deferred), (3, Active), (4, Active), (5, scheduled)]);
    assert_eq!(world.log.len(), 7, "five sent, one hand-out, one settlement: nothing from peek");
    assert_eq!(world.seqs(receive(Main, 10)), [3, 4]);
}

#[test]
fn item_23_peek_starts_at_the_number_given_and_ends_at_the_count() {
    let mut world = World::new(plain());
    for _ in 0..5 {
        world.send(new("a"));
    }
    let mut seqs = |from, max| -> Vec<u64> {
        world.peeked(peek(Main, from, max)).iter().map(|message| message.seq.0).collect()
    };
    assert_eq!(seqs(3, 2), [3, 4]);
    assert_eq!(seqs(0, 2), [1, 2]);
    assert_eq!(seqs(6, 2), [] as [u64; 0]);
    assert_eq!(seqs(u64::MAX, 2), [] as [u64; 0]);
    world.limits.receive_scan_max = 3;
    assert_eq!(world.peeked(peek(Main, 1, 100)).len(), 3, "one look is bounded");
}

#[test]
fn item_23_peek_can_keep_to_a_session() {
    let mut world = World::new(with_sessions());
    for session in ["a", "b", "a", "b", "a"] {
        world.send(new_in(session, "x"));
    }
    let holder = world.hold(accept("a"));
    let got = world.deliveries(receive_in(&holder, 2));
    world.done(settle_in(&holder, got[0].lock.unwrap().receipt, Settlement::Defer));
    let mut seqs = |session: &str, from: u64| -> Vec<u64> {
        let session = Some(label(session));
        let (sub, from) = (Main, Seq(from));
        let peek = BrokerOperation::Peek { sub, from, max: 2, session };
        world.peeked(peek).iter().map(|message| message.seq.0).collect()
    };
    assert_eq!(
        [seqs("a", 0), seqs("a", 2), seqs("b", 0), seqs("c", 0)],
        [vec![1, 3], vec![3, 5], vec![2, 4], vec![]]
    );
}

fn put_aside(settings: BrokerSettings) -> World {
    let mut world = World::new(settings);
    world.send(new("a"));
    let (_, receipt) = world.one(receive(Main, 1));
    world.done(settle(receipt, Settlement::Defer));
    world
}

#[test]
fn item_24_a_deferred_message_comes_by_its_number_only() {
    let mut world = put_aside(plain());
    world.at = 1_000;
    assert_eq!(world.seqs(receive(Main, 10)), [] as [u64; 0]);
    let (message, receipt) = world.one(deferred(Main, &[1]));
    assert_eq!((message.state, message.failures), (MessageState::Deferred, 0));
    world.done(settle(receipt, Settlement::Complete));
    let gone = BrokerRefusal::MessageNotFound { seq: Seq(1) };
    assert_eq!(world.say(deferred(Main, &[1])), Err(gone));
}

#[test]
fn item_24_a_deferred_message_does_not_expire_on_its_own() {
    for dead_letter in [false, true] {
        let mut world = put_aside(short_lived(dead_letter));
        world.at = 1_000_000;
        assert_eq!((world.queue.next_due(), world.tick()), (None, vec![]));
        let put_aside = match dead_letter {
            true => dead_lettered(1, DeadLetterCause::Expired, 0),
            false => BrokerFact::Expired(one(1)),
        };
        let not_found = BrokerRefusal::MessageNotFound { seq: Seq(1) };
        let at = world.at;
        world.when(at, deferred(Main, &[1])).refused_with(not_found, [put_aside]);
    }
}

#[test]
fn item_24_a_deferred_message_stays_deferred_through_abandon_and_lapse() {
    let mut world = put_aside(plain());
    let (_, receipt) = world.one(deferred(Main, &[1]));
    world.done(settle(receipt, Settlement::Abandon));
    let (message, _) = world.one(deferred(Main, &[1]));
    assert_eq!(message.failures, 1);
    let busy = BrokerRefusal::MessageNotFound { seq: Seq(1) };
    assert_eq!(world.say(deferred(Main, &[1])), Err(busy), "it is handed out");
    world.at = 100;
    assert_eq!(world.seqs(receive(Main, 1)), [] as [u64; 0]);
    let (message, receipt) = world.one(deferred(Main, &[1]));
    assert_eq!(message.failures, 2);
    world.done(settle(receipt, Settlement::Abandon));
    assert_eq!(world.dead()[0].failures, 3, "it fails once too often as any other");
}

#[test]
fn item_24_numbers_are_asked_for_all_or_none() {
    let mut world = World::new(plain());
    for _ in 0..3 {
        world.send(new("a"));
    }
    for delivery in world.deliveries(receive(Main, 2)) {
        world.done(settle(delivery.lock.unwrap().receipt, Settlement::Defer));
    }
    for missing in [3, 4] {
        let not_found = BrokerRefusal::MessageNotFound { seq: Seq(missing) };
        assert_eq!(world.say(deferred(Main, &[1, missing, 2])), Err(not_found));
    }
    assert_eq!(world.seqs(deferred(Main, &[2, 1, 2])), [2, 1], "as asked for, each once");
}

#[test]
fn item_24_a_deferred_message_of_a_session_goes_to_its_holder_only() {
    let mut world = World::new(with_sessions());
    world.send(new_in("a", "x"));
    let a = world.hold(accept("a"));
    let (_, receipt) = world.one(receive_in(&a, 1));
    world.done(settle_in(&a, receipt, Settlement::Defer));
    let b = world.hold(accept("b"));
    let not_found = BrokerRefusal::MessageNotFound { seq: Seq(1) };
    assert_eq!(world.say(deferred_in(&b, &[1])), Err(not_found));
    let needed = BrokerRefusal::SessionReceiverRequired;
    assert_eq!(world.say(deferred(Main, &[1])), Err(needed));
    assert_eq!(world.one(deferred_in(&a, &[1])).0.seq, Seq(1));
    world.at = 100;
    let lost = BrokerRefusal::SessionLockLost;
    assert_eq!(world.say(deferred_in(&a, &[1])), Err(lost));
    let a = world.hold(accept("a"));
    assert_eq!(world.seqs(receive_in(&a, 1)), [] as [u64; 0], "it went back to be deferred");
    assert_eq!(world.one(deferred_in(&a, &[1])).0.failures, 1);
}

#[test]
fn item_25_cancelling_an_unknown_number_is_refused() {
    let scheduled = |seq| (0, sent_with(seq, |sent| sent.scheduled_at = Some(Stamp(900))));
    let world = || given(plain(), [scheduled(1), scheduled(2), (0, sent(3))]);
    let not_found = |seq| BrokerRefusal::MessageNotFound { seq: Seq(seq) };
    world().when(5, cancel(&[9])).refused(not_found(9));
    world().when(5, cancel(&[1, 3, 9])).refused(not_found(3));
    world().when(900, cancel(&[1])).refused(not_found(1));
    world().when(899, cancel(&[2, 1, 2])).then([BrokerFact::Cancelled(several(&[2, 1]))]);
    world().when(5, cancel(&[])).then([]);
}

#[test]
fn item_25_a_number_is_cancelled_once_and_only_while_scheduled() {
    let mut world = World::new(plain());
    let later = || NewBrokerMessage { scheduled_at: Some(Stamp(900)), ..new("a") };
    world.send(later());
    world.send(later());
    world.done(cancel(&[1]));
    let not_found = |seq| Err(BrokerRefusal::MessageNotFound { seq: Seq(seq) });
    assert_eq!(world.say(cancel(&[1])), not_found(1));
    world.at = 900;
    assert_eq!(world.tick(), [activated(2, 3)]);
    assert_eq!([world.say(cancel(&[2])), world.say(cancel(&[3]))], [not_found(2), not_found(3)]);
    assert_eq!(world.seqs(receive(Main, 10)), [3]);
}
