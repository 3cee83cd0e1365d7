//! Refusals that no list item names; and that a refused command changes nothing.

use super::*;
use SubQueue::{DeadLetter, Main};

#[test]
fn a_message_that_is_too_long_is_refused_first() {
    let small = |settings| BrokerSettings { message_bytes_max: 3, ..settings };
    let send = |message| BrokerOperation::Send { message };
    let too_long = || BrokerRefusal::TooLong { limit: 3 };
    given(small(plain()), []).when(0, send(new("1234"))).refused(too_long());
    given(small(with_sessions()), []).when(0, send(new("1234"))).refused(too_long());
    assert_eq!(World::new(small(plain())).send(new("123")), 1);
}

#[test]
fn a_session_state_that_is_too_long_is_refused() {
    let settings = BrokerSettings { message_bytes_max: 3, ..with_sessions() };
    let set = |state: &'static str| BrokerOperation::SetSessionState {
        holder: holder("a", 1, 1),
        state: Some(Bytes::from_static(state.as_bytes())),
    };
    let held = || given(settings.clone(), [(0, accepted("a", 1, 1, 100))]);
    held().when(5, set("1234")).refused(BrokerRefusal::TooLong { limit: 3 });
    let len = |len| SessionStateSet { queue: QUEUE, session: label("a"), len };
    held().when(5, set("123")).then([BrokerFact::SessionStateSet(len(Some(3)))]);
    held().when(5, set("")).then([BrokerFact::SessionStateSet(len(Some(0)))]);
}

#[test]
fn a_queue_without_sessions_has_none_to_accept() {
    let nobody = || holder("a", 1, 1);
    let peek = BrokerOperation::Peek { sub: Main, from: Seq(1), max: 1, session: Some(label("a")) };
    for operation in [
        accept("a"),
        accept_next(),
        receive_in(&nobody(), 1),
        settle_in(&nobody(), receipt(1, 1, 1), Settlement::Complete),
        BrokerOperation::RenewSession { holder: nobody() },
        BrokerOperation::ReleaseSession { holder: nobody() },
        BrokerOperation::GetSessionState { holder: nobody() },
        BrokerOperation::SetSessionState { holder: nobody(), state: None },
        peek,
    ] {
        given(plain(), [(0, sent(1))]).when(5, operation).refused(BrokerRefusal::NoSessionsHere);
    }
}

#[test]
fn dead_letters_have_no_sessions() {
    let session = Some(label("a"));
    let peek = BrokerOperation::Peek { sub: DeadLetter, from: Seq(1), max: 1, session };
    given(with_sessions(), []).when(5, peek).refused(BrokerRefusal::NoSessionsHere);
}

#[test]
fn a_plain_receiver_gets_nothing_from_a_session_queue() {
    let needed = || BrokerRefusal::SessionReceiverRequired;
    let world = || given(with_sessions(), [(0, sent_in("a", 1))]);
    world().when(5, receive(Main, 1)).refused(needed());
    world().when(5, receive_and_delete(Main, 1)).refused(needed());
    world().when(5, receive(DeadLetter, 1)).says(BrokerReply::Received(vec![]));
}

#[test]
fn a_session_message_has_no_lock_of_its_own_to_renew() {
    let facts =
        [(0, sent_in("a", 1)), (0, accepted("a", 1, 1, 100)), (0, handed_out(1, None, &[1]))];
    let renew = BrokerOperation::RenewLock { receipt: receipt(1, 1, 1) };
    given(with_sessions(), facts).when(5, renew).refused(BrokerRefusal::LockLost);
}

#[test]
fn too_many_numbers_at_once_are_refused() {
    let mut world = World::new(plain());
    world.limits.broker_receive_max = 2;
    let too_many = || Err(BrokerRefusal::TooManyNumbers { limit: 2 });
    assert_eq!(world.say(cancel(&[1, 2, 3])), too_many());
    assert_eq!(world.say(deferred(Main, &[1, 2, 3])), too_many());
    let not_found = Err(BrokerRefusal::MessageNotFound { seq: Seq(1) });
    assert_eq!(world.say(cancel(&[1, 2])), not_found);
}

#[test]
fn a_queue_is_not_created_twice() {
    let world = World::new(plain());
    let command = BrokerCommand::Create { name: name(), settings: plain() };
    let decision = world.queue.decide(&world.moment(), QUEUE, &command);
    assert_eq!(plainly(decision.answer), Err(BrokerRefusal::Exists { name: name() }));
}

#[test]
fn commands_say_what_they_are_to_those_who_admit_them() {
    let to = |operation| BrokerCommand::To { queue: name(), operation };
    let send = to(BrokerOperation::Send { message: new("1234") });
    assert_eq!((send.body_len(), send.settles(), send.queue()), (4, false, &name()));
    let settle = to(settle(receipt(1, 1, 1), Settlement::Complete));
    assert_eq!((settle.body_len(), settle.settles(), settle.wait()), (0, true, None));
    let wait = Some(Millis(5));
    let which = WhichSession::Next;
    assert_eq!(to(BrokerOperation::AcceptSession { which, wait }).wait(), wait);
    let state = Some(Bytes::from_static(b"12"));
    let holder = holder("a", 1, 1);
    assert_eq!(to(BrokerOperation::SetSessionState { holder, state }).body_len(), 2);
}

#[test]
fn replies_say_whether_to_wait_on_and_which_bodies_to_read() {
    assert!(BrokerReply::NoSession.is_nothing_yet());
    assert!(BrokerReply::Received(vec![]).is_nothing_yet());
    assert!(!BrokerReply::Peeked(vec![]).is_nothing_yet());
    let mut world = World::new(plain());
    world.send(new("a"));
    world.send(new("bc"));
    let reply = world.say(receive(Main, 2)).unwrap();
    assert!(!reply.is_nothing_yet());
    let bodies: Vec<_> = reply.bodies().iter().map(|body| (body.place, body.len)).collect();
    assert_eq!(bodies, [(world.log[0].1, 1), (world.log[1].1, 2)]);
}
