//! Messages that are enqueued later.

use super::*;
use SubQueue::Main;

fn later(at: u64) -> NewBrokerMessage {
    NewBrokerMessage { scheduled_at: Some(Stamp(at)), ..new("a") }
}

fn later_in(session: &str, at: u64) -> NewBrokerMessage {
    NewBrokerMessage { scheduled_at: Some(Stamp(at)), ..new_in(session, "a") }
}

#[test]
fn a_scheduled_message_is_enqueued_in_its_time_under_a_new_number() {
    let mut world = World::new(plain());
    assert_eq!([world.send(later(900)), world.send(later(800)), world.send(new("b"))], [1, 2, 3]);
    assert_eq!(world.seqs(receive(Main, 9)), [3]);
    world.at = 799;
    assert_eq!((world.queue.next_due(), world.tick()), (Some(Stamp(800)), vec![]));
    world.at = 900;
    assert_eq!(world.tick(), [activated(2, 4), activated(1, 5)], "in the order of their times");
    assert_eq!(world.seqs(receive(Main, 9)), [3, 4, 5]);
}

#[test]
fn a_moment_that_is_not_in_the_future_means_now() {
    let mut world = World::new(plain()).at(500);
    world.send(later(500));
    world.send(later(499));
    world.send(later(501));
    assert_eq!(world.seqs(receive(Main, 9)), [1, 2]);
}

#[test]
fn its_life_begins_when_it_is_enqueued() {
    let mut world = World::new(plain());
    world.send(NewBrokerMessage { ttl: Some(Millis(50)), ..later(900) });
    world.at = 910;
    world.tick();
    let seen = world.peeked(peek(Main, 0, 9));
    assert_eq!((seen[0].seq, seen[0].enqueued_at), (Seq(2), Stamp(910)));
    assert_eq!(world.queue.next_due(), Some(Stamp(960)));
}

#[test]
fn a_receive_before_the_tick_sees_what_is_due() {
    let scheduled = |seq, at| (0, sent_with(seq, |sent| sent.scheduled_at = Some(Stamp(at))));
    let world =
        || given(plain(), [scheduled(1, 30), scheduled(2, 20), scheduled(3, 40), (0, sent(4))]);
    let enqueued = [activated(2, 5), activated(1, 6)];
    let then = |lock| enqueued.clone().into_iter().chain([lock]);
    world().when(30, receive(Main, 9)).then(then(locked(1, 130, &[4, 5, 6])));
    let taken = BrokerFact::Taken(several(&[4, 5, 6]));
    world().when(30, receive_and_delete(Main, 9)).then(then(taken));
    world().when(30, receive(Main, 1)).then([locked(1, 130, &[4])]);
    let lock = locked(1, 130, &[4, 5]);
    world().when(30, receive(Main, 2)).then([activated(2, 5), lock]);
}

#[test]
fn what_is_handed_out_so_is_shown_as_it_stands_then() {
    let mut world = World::new(plain());
    world.send(later(20));
    world.at = 30;
    let (message, receipt) = world.one(receive(Main, 1));
    let seen = world.peeked(peek(Main, 0, 9));
    assert_eq!((seen.len(), seen.first()), (1, Some(&message)));
    assert_eq!((message.seq, message.enqueued_at), (Seq(2), Stamp(30)));
    assert_eq!(message.body.place, world.log[0].1, "the body stays where it came in");
    world.done(settle(receipt, Settlement::Complete));
}

#[test]
fn in_a_session_the_holder_sees_what_is_due_of_the_session() {
    let mut world = World::new(with_sessions());
    world.send(later_in("b", 10));
    world.send(later_in("a", 20));
    world.send(new_in("a", "x"));
    world.at = 30;
    let holder = world.hold(accept("a"));
    assert_eq!(world.seqs(receive_in(&holder, 9)), [3, 4]);
    assert_eq!(world.tick(), [activated(1, 5)]);
}

#[test]
fn a_session_whose_message_is_due_is_on_offer_before_the_tick() {
    let mut world = World::new(with_sessions());
    world.send(later_in("b", 20));
    world.send(later_in("a", 10));
    assert_eq!(world.say(accept_next()), Ok(BrokerReply::NoSession));
    world.at = 20;
    let (first, second) = (world.hold(accept_next()), world.hold(accept_next()));
    assert_eq!([first.session.as_str(), second.session.as_str()], ["a", "b"]);
    assert_eq!(world.say(accept_next()), Ok(BrokerReply::NoSession));
    assert_eq!(world.seqs(receive_in(&first, 9)), [3]);
}

#[test]
fn a_message_without_any_life_is_not_handed_out() {
    let mut world = World::new(plain());
    world.send(NewBrokerMessage { ttl: Some(Millis::ZERO), ..later(20) });
    world.at = 20;
    assert_eq!(world.seqs(receive(Main, 9)), [] as [u64; 0]);
    assert!(world.queue.is_empty());
}

#[test]
fn a_tick_keeps_to_its_limit_and_the_next_goes_on() {
    let mut world = World::new(plain());
    for n in 0..5 {
        world.send(later(10 + n));
    }
    for _ in 0..2 {
        world.send(NewBrokerMessage { ttl: Some(Millis(10)), ..new("a") });
    }
    world.at = 50;
    let mut sizes = Vec::new();
    loop {
        let facts = world.queue.tick(&world.moment(), QUEUE, 3);
        sizes.push(facts.len());
        if facts.is_empty() {
            break;
        }
        world.take_in(facts);
    }
    assert_eq!(sizes, [3, 3, 1, 0]);
    assert_eq!(world.seqs(receive(Main, 9)), [8, 9, 10, 11, 12]);
    assert!(world.queue.tick(&world.moment(), QUEUE, 0).is_empty());
}
