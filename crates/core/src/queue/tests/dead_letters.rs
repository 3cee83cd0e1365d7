//! What was received too often, and where it goes.

use super::*;

/// A queue `q` (1) whose messages go to `d` (2) after so many receives.
fn pair(kind: QueueKind, receives_max: u32) -> [(u64, Fact); 2] {
    let source = created(1, "q", kind, &dead_letter("d", receives_max));
    [(0, created(2, "d", kind, &no_settings())), (0, source)]
}

fn moved(seq: u64, to_seq: u64, position: u64) -> DeadLettered {
    DeadLettered {
        from: QueueId(1),
        seq: Seq(seq),
        to: QueueId(2),
        to_seq: Seq(to_seq),
        id: id_of(1, seq),
        body: BodyRef { place: place(position), len: 4 },
        sent_at: Stamp(0),
        receives: 1,
        first_received_at: Some(stamp(1)),
        group: Some(label("g")),
        origin: name("q"),
        reason: None,
    }
}

#[test]
fn a_standard_dead_letter_keeps_the_time_at_which_it_was_sent() {
    let facts = [(0, sent_in(1, 1, "g")), (0, sent(1, 2)), (1, soft_lease(1, 1, stamp(31), &[1]))];
    let world = given(pair(QueueKind::Standard, 1).into_iter().chain(facts));
    world
        .when(31, receive("q", 10))
        .hands_out(&[2])
        .rests_on(6)
        .then([Fact::DeadLettered(moved(1, 1, 3)), soft_lease(1, 1, stamp(61), &[2])]);
}

#[test]
fn a_fifo_dead_letter_counts_as_sent_when_it_is_moved() {
    let facts =
        [(0, sent_in(1, 1, "g")), (0, sent_in(1, 2, "g")), (1, hard_lease(1, 1, stamp(31), &[1]))];
    let world = given(pair(QueueKind::Fifo, 1).into_iter().chain(facts));
    let sent_at = stamp(31);
    world.when(31, receive("q", 10)).hands_out(&[2]).then([
        Fact::DeadLettered(DeadLettered { sent_at, ..moved(1, 1, 3) }),
        hard_lease(1, 1, stamp(61), &[2]),
    ]);
}

#[test]
fn several_take_numbers_one_after_another() {
    let facts = [
        (0, sent(2, 7)),
        (0, sent_in(1, 1, "g")),
        (0, sent_in(1, 2, "g")),
        (1, soft_lease(1, 1, stamp(31), &[1, 2])),
    ];
    given(pair(QueueKind::Standard, 1).into_iter().chain(facts))
        .when(31, receive("q", 10))
        .hands_out(&[])
        .then([Fact::DeadLettered(moved(1, 8, 4)), Fact::DeadLettered(moved(2, 9, 5))]);
}

#[test]
fn a_message_is_handed_out_as_often_as_the_rule_allows_and_then_moved() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = given(pair(kind, 3));
        world.sent(send_of(kind, "q", "a"));
        for receives in 1..=3 {
            assert_eq!(world.one(receive("q", 1)).receives, receives);
            world.wait(30);
        }
        assert_eq!(world.seqs(receive("q", 1)), []);
        assert_eq!(world.counts("d"), [1, 0, 0]);
    }
}

#[test]
fn a_dead_letter_says_where_it_comes_from_and_goes_on_counting() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = given(pair(kind, 2));
        let (id, _) = world.sent(send_of(kind, "q", "a"));
        world.wait(1).one(receive("q", 1));
        world.wait(30).one(receive("q", 1));
        world.wait(30).got(receive("q", 1));
        let dead = world.wait(1).one(receive("d", 1));
        assert_eq!((dead.id, dead.seq, dead.receives), (id, Seq(1), 3));
        assert_eq!((dead.origin, dead.first_received_at), (Some(name("q")), stamp(1)));
        let sent_at = if kind == QueueKind::Fifo { stamp(61) } else { stamp(0) };
        assert_eq!(dead.sent_at, sent_at);
    }
}

#[test]
fn receives_before_it_came_do_not_count_for_the_targets_own_rule() {
    let mut world = given(pair(QueueKind::Standard, 2));
    world = world.with("e", QueueKind::Standard, no_settings());
    world.done(change_queue("d", dead_letter("e", 2)));
    world.sent(send("q"));
    for (queue, expected) in [("q", 1), ("q", 2), ("q", 0), ("d", 3), ("d", 4), ("d", 0), ("e", 5)]
    {
        let got = world.got(receive(queue, 1));
        assert_eq!(got.first().map_or(0, |delivery| delivery.receives), expected);
        world.wait(30);
    }
}

#[test]
fn a_standard_dead_letter_outlives_the_retention_from_when_it_was_first_sent() {
    let mut world = given(pair(QueueKind::Standard, 1));
    world.done(change_queue("d", retention(100)));
    world.sent(send("q"));
    world.wait(60).one(receive("q", 1));
    world.wait(30).got(receive("q", 1));
    assert_eq!(world.counts("d"), [1, 0, 0]);
    world.wait(10);
    assert_eq!(world.tick(10), [expired(2, stamp(0), 1)]);
}

#[test]
fn the_group_goes_on_behind_a_message_that_is_moved() {
    let mut world = given(pair(QueueKind::Fifo, 1));
    world.send_group("q", "g", &["a"]);
    world.one(receive("q", 1));
    world.send_group("q", "g", &["b"]);
    assert_eq!(world.seqs(receive("q", 1)), []);
    world.wait(30);
    assert_eq!(world.seqs(receive("q", 1)), [2]);
}

#[test]
fn a_target_that_is_not_there_or_of_another_kind_or_the_queue_itself_leaves_all_as_it_is() {
    let here = |target| created(1, "q", QueueKind::Standard, &dead_letter(target, 1));
    let cases = [
        vec![here("d")],
        vec![fifo(2, "d"), here("d")],
        vec![here("q")],
        vec![standard(2, "d"), here("d"), queue_deleted(2)],
    ];
    for facts in cases {
        let lease = soft_lease(1, 1, stamp(1), &[1]);
        let facts = facts.into_iter().chain([sent(1, 1), lease]);
        given(facts.map(|fact| (0, fact)))
            .when(1, receive("q", 1))
            .hands_out(&[1])
            .then([soft_lease(1, 1, stamp(31), &[1])]);
    }
}

#[test]
fn a_target_made_again_under_the_name_serves() {
    let mut world = given(pair(QueueKind::Standard, 1));
    world.sent(send("q"));
    world.one(receive("q", 1));
    world.done(delete_queue("d"));
    let anew = world.wait(60).queue(create("d", QueueKind::Standard, no_settings()));
    assert_eq!(anew, 3);
    assert_eq!(world.seqs(receive("q", 1)), []);
    assert_eq!(world.counts("d"), [1, 0, 0]);
}

#[test]
fn a_rule_that_was_lowered_holds_from_the_next_receive() {
    let mut world = given(pair(QueueKind::Standard, 9));
    world.sent(send("q"));
    world.one(receive("q", 1));
    world.wait(30).one(receive("q", 1));
    world.done(change_queue("q", dead_letter("d", 1)));
    world.wait(30);
    assert_eq!(world.seqs(receive("q", 1)), []);
    assert_eq!(world.counts("d"), [1, 0, 0]);
}

#[test]
fn a_rule_that_was_removed_moves_nothing() {
    let mut world = given(pair(QueueKind::Standard, 1));
    world.sent(send("q"));
    world.one(receive("q", 1));
    world.done(change_queue("q", SettingsPatch { dead_letter: Some(None), ..no_settings() }));
    world.wait(30);
    assert_eq!(world.one(receive("q", 1)).receives, 2);
}

#[test]
fn one_receive_moves_no_more_than_it_may_look_at() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = World::with_limits(|limits| limits.receive_scan_max = 3);
        world = world.with("d", kind, no_settings()).with("q", kind, dead_letter("d", 1));
        for dedup in ["a", "b", "c", "e"] {
            let fifo = kind == QueueKind::Fifo;
            world.sent(if fifo { send_in("q", dedup, dedup) } else { send("q") });
        }
        while !world.seqs(receive("q", 10)).is_empty() {}
        world.wait(30);
        assert_eq!(world.seqs(receive("q", 10)), []);
        assert_eq!((world.counts("q"), world.counts("d")), ([1, 0, 0], [3, 0, 0]));
        assert_eq!(world.next_visible("q"), Some(world.at.0 + 1), "there is more to do");
        assert_eq!(world.seqs(receive("q", 10)), []);
        assert_eq!((world.counts("q"), world.counts("d")), ([0, 0, 0], [4, 0, 0]));
        let order: Vec<u64> = world.got(receive("d", 3)).iter().map(|got| got.seq.0).collect();
        assert_eq!(order, [1, 2, 3]);
    }
}

#[test]
fn a_receipt_from_before_the_move_settles_nothing() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = given(pair(kind, 1));
        world.sent(send_of(kind, "q", "a"));
        let receipt = world.one(receive("q", 1)).receipt;
        world.wait(30).got(receive("q", 1));
        world.done(delete("q", receipt));
        assert_eq!(world.counts("d"), [1, 0, 0]);
        assert_eq!(world.refusal(delete("d", receipt)), QueueRefusal::ReceiptOfAnotherQueue);
    }
}

#[test]
fn the_facts_alone_tell_both_sides() {
    let facts = pair(QueueKind::Fifo, 1).map(|(_, fact)| fact);
    let mut both = given(facts.clone().map(|fact| (0, fact)));
    both.take_in(Facts::one(Fact::DeadLettered(moved(5, 3, 9))));
    let [target, _] = facts;
    let mut alone = given([(0, target)]);
    alone.take_in(Facts::one(Fact::DeadLettered(moved(5, 3, 9))));
    let (left, right) = (both.one(receive("d", 1)), alone.one(receive("d", 1)));
    assert_eq!(left, right);
    assert_eq!(left.body, BodyRef { place: place(9), len: 4 });
}
