//! Looking at messages.

use super::*;

fn seqs(peeked: &[Peeked]) -> Vec<u64> {
    peeked.iter().map(|message| message.seq.0).collect()
}

fn shown(world: &World, queue: &str, in_flight: bool, delayed: bool) -> Vec<u64> {
    let (queue, from, max) = (name(queue), Seq(0), 99);
    let (messages, next) = world.peeked(&Command::Peek { queue, from, max, in_flight, delayed });
    assert_eq!(next, None);
    seqs(&messages)
}

#[test]
fn those_that_wait_are_shown_and_the_others_when_they_are_asked_for() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = World::new().with("q", kind, no_settings());
        for dedup in ["a", "b"] {
            world.sent(send_of(kind, "q", dedup));
        }
        world.one(receive("q", 1));
        assert_eq!(shown(&world, "q", false, false), [2], "behind one in flight, and it waits");
        assert_eq!(shown(&world, "q", true, false), [1, 2]);
        world.done(change_queue("q", delay(10)));
        world.wait(20).sent(send_of(kind, "q", "c"));
        assert_eq!(shown(&world, "q", false, false), [2]);
        assert_eq!(shown(&world, "q", false, true), [2, 3]);
        assert_eq!(shown(&world, "q", true, true), [1, 2, 3]);
        world.wait(10);
        assert_eq!(shown(&world, "q", false, false), [1, 2, 3], "all that time gave back");
    }
}

#[test]
fn a_message_is_shown_with_all_that_is_known_of_it() {
    let mut world = World::standard().with("d", QueueKind::Standard, no_settings());
    world.done(change_queue("q", dead_letter("d", 1)));
    let grouped = send_with("q", |message| message.group = Some(label("g")));
    let (id, _) = world.wait(5).sent(grouped);
    let body = BodyRef { place: place(world.last().0), len: 4 };
    let waits = Peeked {
        id,
        seq: Seq(1),
        ordered: false,
        body,
        sent_at: stamp(5),
        receives: 0,
        first_received_at: None,
        origin: None,
        reason: None,
        group: Some(label("g")),
        visible_at: stamp(5),
        lease: None,
    };
    let shown = |world: &World, queue| match world.peeked(&peek(queue, 1, 9)).0.as_slice() {
        [message] => message.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(&world, "q"), waits);
    let got = world.wait(1).one(receive_for("q", 1, 20));
    let lease = PeekedLease { receipt: got.receipt, since: stamp(6), until: stamp(26) };
    let leased = Peeked {
        receives: 1,
        first_received_at: Some(stamp(6)),
        visible_at: stamp(26),
        lease: Some(lease),
        ..waits.clone()
    };
    assert_eq!(shown(&world, "q"), leased);
    world.wait(20);
    let back = Peeked { visible_at: stamp(5), lease: None, ..leased };
    assert_eq!(shown(&world, "q"), back);
    world.got(receive("q", 1));
    let dead = Peeked { origin: Some(name("q")), ..back };
    assert_eq!(shown(&world, "d"), dead);
}

#[test]
fn a_delayed_message_says_until_when() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = World::new().with("q", kind, delay(10));
        world.wait(3).sent(send_of(kind, "q", "a"));
        let (messages, _) = world.peeked(&peek("q", 0, 9));
        let ordered = kind == QueueKind::Fifo;
        assert_eq!((messages[0].visible_at, messages[0].ordered), (stamp(13), ordered));
    }
}

#[test]
fn a_page_goes_on_from_a_number() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = World::new().with("q", kind, no_settings());
        for dedup in ["a", "b", "c", "d", "e"] {
            world.sent(send_of(kind, "q", dedup));
        }
        world.take_in(Facts::one(deleted(1, 3)));
        let page = |from, max| {
            let (messages, next) = world.peeked(&peek("q", from, max));
            (seqs(&messages), next)
        };
        assert_eq!(page(0, 2), (vec![1, 2], Some(4)));
        assert_eq!(page(3, 2), (vec![4, 5], None));
        assert_eq!(page(4, 1), (vec![4], Some(5)));
        assert_eq!(page(6, 9), (vec![], None));
        assert_eq!(page(0, 0), (vec![], Some(1)));
    }
}

#[test]
fn a_page_is_bounded_by_what_it_shows_and_by_what_it_looks_at() {
    let mut world = World::with_limits(|limits| {
        limits.peek_messages_max = 3;
        limits.peek_scan_max = 4;
    });
    world = world.with("q", QueueKind::Standard, no_settings());
    for _ in 0..9 {
        world.sent(send("q"));
    }
    let (messages, next) = world.peeked(&peek("q", 0, 99));
    assert_eq!((seqs(&messages), next), (vec![1, 2, 3], Some(4)));
    world.got(receive("q", 6));
    let waiting = |from| Command::Peek {
        queue: name("q"),
        from: Seq(from),
        max: 99,
        in_flight: false,
        delayed: false,
    };
    assert_eq!(world.peeked(&waiting(0)), (vec![], Some(5)));
    let (messages, next) = world.peeked(&waiting(5));
    assert_eq!((seqs(&messages), next), (vec![7, 8], Some(9)));
}

#[test]
fn what_has_outlived_the_retention_is_gone_before_time_is_noticed() {
    let mut world = World::new().with("q", QueueKind::Standard, retention(60));
    world.sent(send("q"));
    world.wait(1).sent(send("q"));
    world.wait(59);
    assert_eq!(shown(&world, "q", true, true), [2]);
}

#[test]
fn a_look_rests_on_the_queues_last_fact_and_not_on_soft_ones() {
    let mut world = World::standard();
    world.sent(send("q"));
    let last = world.last().0;
    world.one(receive("q", 1));
    world.when(1, peek("q", 0, 9)).rests_on(last);
}
