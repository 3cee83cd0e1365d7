//! Peek-lock without sessions: order of hand-out, renewal, owners that come and go.

use super::*;
use SubQueue::{DeadLetter, Main};

#[test]
fn a_hand_out_locks_up_to_max_by_number() {
    let sent = || (1..=4).map(|seq| (0, sent(seq)));
    given(plain(), sent()).when(5, receive(Main, 3)).then([locked(1, 105, &[1, 2, 3])]);
    given(plain(), sent()).when(5, receive(Main, 0)).says(BrokerReply::Received(vec![]));
    given(plain(), []).when(5, receive(Main, 3)).says(BrokerReply::Received(vec![]));
    let mut world = given(plain(), sent());
    world.limits.broker_receive_max = 2;
    world.when(5, receive(Main, 3)).then([locked(1, 105, &[1, 2])]);
}

#[test]
fn receive_and_delete_hands_out_for_good() {
    let facts = [(0, sent(1)), (0, sent(2))];
    let taken = BrokerFact::Taken(several(&[1, 2]));
    given(plain(), facts).when(5, receive_and_delete(Main, 9)).then([taken]);
    let mut world = World::new(plain());
    world.send(new("a"));
    let got = world.deliveries(receive_and_delete(Main, 1));
    assert_eq!((got.len(), got[0].lock), (1, None));
    assert!(world.queue.is_empty());
}

#[test]
fn receive_and_delete_takes_what_a_lapsed_lock_left() {
    let mut world = World::new(plain());
    world.send(new("a"));
    world.one(receive(Main, 1));
    world.at = 100;
    let got = world.deliveries(receive_and_delete(Main, 1));
    assert_eq!((got[0].message.seq, got[0].message.failures), (Seq(1), 1));
    assert!(world.queue.is_empty());
}

#[test]
fn what_came_back_by_a_lapse_goes_first() {
    let mut world = World::new(plain());
    for _ in 0..4 {
        world.send(new("a"));
    }
    let (_, first) = world.one(receive(Main, 1));
    world.at = 50;
    assert_eq!(world.seqs(receive(Main, 2)), [2, 3]);
    world.done(settle(first, Settlement::Abandon));
    world.at = 150;
    assert_eq!(world.seqs(receive(Main, 4)), [2, 3, 1, 4]);
}

#[test]
fn a_renewed_lock_lasts_its_full_length_from_now() {
    let held = || given(plain(), [(0, sent(1)), (0, locked(1, 100, &[1]))]);
    let renew = |attempt| BrokerOperation::RenewLock { receipt: receipt(1, 1, attempt) };
    let renewed = LockRenewed { queue: QUEUE, seq: Seq(1), until: Stamp(199) };
    held().when(99, renew(1)).then([BrokerFact::LockRenewed(renewed)]);
    held().when(100, renew(1)).refused(BrokerRefusal::LockLost);
    held().when(50, renew(2)).refused(BrokerRefusal::LockLost);
}

#[test]
fn a_renewed_lock_keeps_its_receipt_and_its_place() {
    let mut world = World::new(plain());
    world.send(new("a"));
    let (_, receipt) = world.one(receive(Main, 1));
    world.at = 99;
    let renewed = world.say(BrokerOperation::RenewLock { receipt });
    assert_eq!(renewed, Ok(BrokerReply::LockedUntil(Stamp(199))));
    world.at = 198;
    assert_eq!(world.seqs(receive(Main, 1)), [] as [u64; 0]);
    world.done(settle(receipt, Settlement::Complete));
}

#[test]
fn after_a_restart_a_lock_in_the_log_is_as_good_as_before() {
    let mut world = World::new(plain());
    world.send(new("a"));
    world.send(new("b"));
    let got = world.deliveries(receive(Main, 2));
    let receipts: Vec<Receipt> = got.iter().filter_map(|d| Some(d.lock?.receipt)).collect();
    world.restart();
    world.at = 60;
    world.done(settle(receipts[0], Settlement::Complete));
    world.say(BrokerOperation::RenewLock { receipt: receipts[1] }).unwrap();
    world.at = 159;
    world.done(settle(receipts[1], Settlement::Complete));
}

#[test]
fn after_a_restart_a_lock_that_is_not_in_the_log_is_lost() {
    let mut world = World::new(plain());
    world.send(new("a"));
    let (_, unwritten) = world.one(receive(Main, 1));
    world.log.pop();
    world.restart();
    let lost = Err(BrokerRefusal::LockLost);
    assert_eq!(world.say(settle(unwritten, Settlement::Complete)), lost);
    let (message, again) = world.one(receive(Main, 1));
    assert_eq!((message.failures, again.attempt), (0, unwritten.attempt));
    assert_eq!(world.say(settle(unwritten, Settlement::Complete)), lost, "the epochs differ");
    world.done(settle(again, Settlement::Complete));
}

#[test]
fn a_receipt_of_another_queue_is_not_looked_at() {
    let held = given(plain(), [(0, sent(1)), (0, locked(1, 100, &[1]))]);
    let other = Receipt { queue: QueueId(8), ..receipt(1, 1, 1) };
    held.when(5, settle(other, Settlement::Complete)).refused(BrokerRefusal::LockLost);
}

#[test]
fn the_moment_of_the_next_visible_message_is_known() {
    let mut world = World::new(plain());
    for _ in 0..3 {
        world.send(new("a"));
    }
    assert_eq!(world.queue.next_visible(Stamp(0)), None);
    let (_, receipt) = world.one(receive(Main, 1));
    world.done(settle(receipt, because("x")));
    world.one(receive(Main, 1));
    world.at = 30;
    world.one(receive(DeadLetter, 1));
    assert_eq!(world.queue.next_visible(Stamp(0)), Some(Stamp(100)));
    assert_eq!(world.queue.next_visible(Stamp(100)), Some(Stamp(130)), "dead letters too");
    assert_eq!(world.queue.next_visible(Stamp(130)), None);
    world.send(NewBrokerMessage { scheduled_at: Some(Stamp(120)), ..new("b") });
    assert_eq!(world.queue.next_visible(Stamp(100)), Some(Stamp(120)));
}

#[test]
fn one_receive_moves_a_bounded_number_aside() {
    let lasting = |seq| (0, sent_with(seq, |sent| sent.ttl = Some(Millis(10))));
    let mut world = given(plain(), (1..=5).map(lasting).chain([(0, sent(6))]));
    (world.limits.receive_scan_max, world.at) = (2, 20);
    let mut facts = Vec::new();
    let handed: Vec<_> = (0..4)
        .map(|_| {
            let before = world.log.len();
            let seqs = world.seqs(receive(Main, 9));
            facts.push(world.log.len() - before);
            seqs
        })
        .collect();
    assert_eq!(facts, [2, 2, 2, 0]);
    assert_eq!(handed, [vec![], vec![], vec![6], vec![]]);
}
