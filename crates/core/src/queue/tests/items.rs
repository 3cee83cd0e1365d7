//! The numbered list of SQS's semantics, 1 to 17 and 20, as far as floor 0 decides them. What is
//! about the wire alone (digests, digits, headers, ranges) is held by the SDKs' tests.

use super::*;

#[test]
fn item_01_nothing_overtakes_the_first_message_in_flight_though_a_later_lease_ended() {
    given([
        (0, fifo(1, "f")),
        (0, sent_in(1, 1, "g")),
        (0, sent_in(1, 2, "g")),
        (0, sent_in(1, 3, "g")),
        (1, hard_lease(1, 1, stamp(60), &[1])),
        (1, hard_lease(1, 1, stamp(10), &[2])),
    ])
    .when(20, receive("f", 10))
    .hands_out(&[])
    .then([]);
}

#[test]
fn item_01_other_groups_go_on_meanwhile() {
    given([
        (0, fifo(1, "f")),
        (0, sent_in(1, 1, "g")),
        (0, sent_in(1, 2, "g")),
        (0, sent_in(1, 3, "h")),
        (1, hard_lease(1, 1, stamp(60), &[1])),
    ])
    .when(20, receive("f", 10))
    .hands_out(&[3])
    .then([hard_lease(1, 1, stamp(50), &[3])]);
}

#[test]
fn item_01_the_group_is_free_at_the_moment_that_the_lease_ends() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b"]);
    assert_eq!(world.seqs(receive("f", 1)), [1]);
    world.wait_ms(29_999);
    assert_eq!(world.seqs(receive("f", 1)), []);
    world.wait_ms(1);
    assert_eq!(world.seqs(receive("f", 2)), [1, 2]);
}

#[test]
fn item_02_a_message_that_is_still_delayed_does_not_block_earlier_ones() {
    let mut world = World::new().with("f", QueueKind::Fifo, delay(10));
    world.send_group("f", "g", &["a"]);
    world.wait(5).send_group("f", "g", &["b"]);
    world.wait(5);
    let first = world.one(receive("f", 10));
    assert_eq!(first.seq, Seq(1));
    world.done(delete("f", first.receipt));
    assert_eq!(world.seqs(receive("f", 10)), []);
    world.wait(5);
    assert_eq!(world.seqs(receive("f", 10)), [2]);
}

#[test]
fn item_02_a_message_whose_delay_has_passed_waits_for_the_one_in_flight_before_it() {
    let mut world = World::new().with("f", QueueKind::Fifo, delay(10));
    world.send_group("f", "g", &["a"]);
    world.wait(5).send_group("f", "g", &["b"]);
    world.wait(5);
    assert_eq!(world.seqs(receive("f", 10)), [1]);
    world.wait(5);
    assert_eq!(world.seqs(receive("f", 10)), []);
}

#[test]
fn item_03_after_their_leases_messages_come_again_in_the_original_order() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b", "c"]);
    assert_eq!(world.seqs(receive("f", 10)), [1, 2, 3]);
    world.wait(30);
    assert_eq!(world.seqs(receive("f", 10)), [1, 2, 3]);
}

#[test]
fn item_03_whatever_the_order_in_which_their_leases_ended() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a", "b", "c"]);
    let handed_out = world.got(receive("f", 10));
    for (delivery, timeout) in handed_out.iter().zip([9, 6, 3]) {
        world.done(change_lease("f", delivery.receipt, timeout));
    }
    world.wait(9);
    assert_eq!(world.seqs(receive("f", 10)), [1, 2, 3]);
}

#[test]
fn item_04_a_receive_takes_as_many_of_a_group_as_it_may() {
    let mut world = World::fifo();
    let names: Vec<String> = (1..=12).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.send_group("f", "g", &names);
    assert_eq!(world.seqs(receive("f", 10)), (1..=10).collect::<Vec<_>>());
    assert_eq!(world.seqs(receive("f", 10)), [], "the rest waits for the ones in flight");
}

#[test]
fn item_04_it_goes_on_with_other_groups_when_one_has_no_more() {
    let mut world = World::fifo();
    for (group, dedup) in [("g", "a"), ("h", "b"), ("g", "c"), ("h", "d")] {
        world.sent(send_in("f", group, dedup));
    }
    assert_eq!(world.seqs(receive("f", 3)), [1, 3, 2]);
}

#[test]
fn item_05_a_delay_of_zero_is_ignored_and_the_queues_own_applies() {
    let mut world = World::new().with("f", QueueKind::Fifo, delay(10));
    world.sent(send_with("f", |message| {
        message.group = Some(label("g"));
        message.dedup = NewDedup::Id(label("a"));
        message.delay = Some(seconds(0));
    }));
    assert_eq!(world.seqs(receive("f", 10)), []);
    assert_eq!(world.counts("f"), [0, 0, 1]);
    world.wait(10);
    assert_eq!(world.seqs(receive("f", 10)), [1]);
}

#[test]
fn item_05_any_other_delay_of_a_single_message_is_refused() {
    let send = send_with("f", |message| {
        message.group = Some(label("g"));
        message.dedup = NewDedup::Id(label("a"));
        message.delay = Some(seconds(1));
    });
    given([(0, fifo(1, "f"))])
        .when(1, send)
        .refused(QueueRefusal::MessageDelayOnFifo { delay: seconds(1) });
}

#[test]
fn item_06_a_deduplication_id_outlives_its_message_for_five_minutes() {
    let mut world = World::fifo();
    let original = world.sent(send_in("f", "g", "a"));
    let receipt = world.one(receive("f", 1)).receipt;
    world.done(delete("f", receipt));
    world.wait_ms(299_999);
    assert_eq!(world.sent(send_in("f", "g", "a")), original);
    assert_eq!(world.seqs(receive("f", 10)), []);
    world.wait_ms(1);
    let again = world.sent(send_in("f", "g", "a"));
    assert_ne!(again.0, original.0);
    assert_eq!(world.seqs(receive("f", 10)), [2]);
}

#[test]
fn item_06_the_same_id_in_another_group_of_the_queue_is_a_duplicate() {
    let mut world = World::fifo();
    let original = world.sent(send_in("f", "g", "a"));
    assert_eq!(world.sent(send_in("f", "h", "a")), original);
}

#[test]
fn item_07_a_duplicate_is_answered_with_the_originals_id_and_number_and_writes_nothing() {
    let original = sent_with(1, 1, |sent| {
        sent.group = Some(label("g"));
        sent.dedup = Some(mark("a", stamp(300)));
    });
    given([(0, fifo(1, "f")), (0, original)])
        .when(299, send_in("f", "g", "a"))
        .says(Reply::Sent { id: id_of(1, 1), seq: Seq(1), ordered: true })
        .then([])
        .rests_on(2);
}

/// Each entry of a batch is a command of its own, decided in order in one turn.
#[test]
fn item_08_entries_of_a_batch_deduplicate_among_each_other_like_single_sends() {
    let mut world = World::fifo();
    let here = world.here();
    let first = world.partition.decide(world.at, here, &send_in("f", "g", "a"));
    world.partition.evolve(world.at, here, &first.facts.facts[0]);
    let second = world.partition.decide(world.at, here.plus(1), &send_in("f", "g", "a"));
    let third = world.partition.decide(world.at, here.plus(1), &send_in("f", "g", "b"));
    assert_eq!(second.answer, first.answer);
    assert_eq!((second.facts.len(), second.rests_on), (0, here.position.next()));
    let id = MessageId::new(PartitionId(0), Epoch(1), here.plus(1));
    assert_eq!(third.answer, Ok(Reply::Sent { id, seq: Seq(2), ordered: true }));
}

#[test]
fn item_09_numbers_rise_by_one_and_are_never_used_again() {
    let mut world = World::fifo();
    let seq = |world: &mut World, dedup| world.sent(send_in("f", "g", dedup)).1;
    assert_eq!([seq(&mut world, "a"), seq(&mut world, "b"), seq(&mut world, "a")], [1, 2, 1]);
    world.done(purge("f"));
    assert_eq!(seq(&mut world, "c"), 3);
    world.restart();
    assert_eq!(seq(&mut world, "d"), 4);
}

#[test]
fn item_10_changing_a_lease_that_has_ended_is_refused_and_hides_nothing() {
    for (mut world, queue) in [(World::standard(), "q"), (World::fifo(), "f")] {
        world.sent(send_to(queue));
        let receipt = world.one(receive(queue, 1)).receipt;
        world.wait(30);
        let refusal = world.refusal(change_lease(queue, receipt, 60));
        assert_eq!(refusal, QueueRefusal::NotInFlight);
        assert_eq!(world.seqs(receive(queue, 1)), [1]);
    }
}

#[test]
fn item_10_a_new_timeout_counts_from_now_and_is_not_added() {
    let leases = [("q", standard(1, "q")), ("f", fifo(1, "f"))];
    for (queue, created) in leases {
        let lease = Fact::Leased(Leased {
            queue: QueueId(1),
            epoch: Epoch(1),
            until: stamp(30),
            seqs: vec![Seq(1)],
            soft: queue == "q",
            attempt: None,
        });
        given([(0, created), (0, sent_in(1, 1, "g")), (0, lease)])
            .when(10, change_lease(queue, receipt(1, 1, 1, 1), 25))
            .says(Reply::Done)
            .then([lease_changed(1, 1, stamp(35))]);
    }
}

#[test]
fn item_10_a_timeout_of_zero_gives_the_message_back_at_once() {
    for (mut world, queue) in [(World::standard(), "q"), (World::fifo(), "f")] {
        world.sent(send_to(queue));
        let receipt = world.one(receive(queue, 1)).receipt;
        world.done(change_lease(queue, receipt, 0));
        assert_eq!(world.counts(queue), [1, 0, 0]);
        assert_eq!(world.seqs(receive(queue, 1)), [1]);
    }
}

#[test]
fn item_11_a_fifo_delete_fails_after_the_lease_and_succeeds_after_an_extension() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a"]);
    let receipt = world.one(receive("f", 1)).receipt;
    world.wait(29).done(change_lease("f", receipt, 60));
    world.wait(59).done(delete("f", receipt));
    assert_eq!(world.counts("f"), [0, 0, 0]);

    world.send_group("f", "g", &["b"]);
    let receipt = world.one(receive("f", 1)).receipt;
    world.wait(30);
    assert_eq!(world.refusal(delete("f", receipt)), QueueRefusal::LeaseEnded);
    assert_eq!(world.counts("f"), [1, 0, 0]);
}

#[test]
fn item_11_a_standard_delete_succeeds_after_the_lease() {
    given([(0, standard(1, "q")), (0, sent(1, 1)), (0, soft_lease(1, 1, stamp(30), &[1]))])
        .when(31, delete("q", receipt(1, 1, 1, 1)))
        .says(Reply::Done)
        .then([deleted(1, 1)]);
}

#[test]
fn item_12_an_older_receipt_deletes_nothing_that_a_newer_lease_holds() {
    let leases = |kind: Fact, lease: fn(u64, u32, Stamp, &[u64]) -> Fact| {
        given([
            (0, kind),
            (0, sent_in(1, 1, "g")),
            (0, lease(1, 1, stamp(30), &[1])),
            (30, lease(1, 1, stamp(60), &[1])),
        ])
    };
    let older = receipt(1, 1, 1, 1);
    leases(standard(1, "q"), soft_lease).when(31, delete("q", older)).says(Reply::Done).then([]);
    leases(fifo(1, "f"), hard_lease).when(31, delete("f", older)).refused(QueueRefusal::LeaseEnded);
    // Not even when the newer lease has ended too: it may be in somebody's hands.
    leases(standard(1, "q"), soft_lease).when(99, delete("q", older)).says(Reply::Done).then([]);
}

#[test]
fn item_13_visibility_is_the_requests_then_the_queues_then_thirty_seconds() {
    let visibility = SettingsPatch { visibility: Some(seconds(7)), ..no_settings() };
    let own = created(1, "q", QueueKind::Standard, &visibility);
    let cases = [
        (own.clone(), receive_for("q", 1, 3), 3),
        (own.clone(), receive_for("q", 1, 0), 0),
        (own, receive("q", 1), 7),
        (standard(1, "q"), receive("q", 1), 30),
    ];
    for (created, receive, expected) in cases {
        given([(0, created), (0, sent(1, 1))]).when(1, receive).hands_out(&[1]).then([soft_lease(
            1,
            1,
            stamp(1 + expected),
            &[1],
        )]);
    }
}

#[test]
fn item_14_who_waits_is_due_when_a_delay_ends() {
    let mut world = World::standard();
    world.sent(send_later("q", 5));
    assert_eq!(world.seqs(receive("q", 1)), []);
    assert_eq!(world.next_visible("q"), Some(5000));
    world.wait(5);
    assert_eq!(world.seqs(receive("q", 1)), [1]);
}

#[test]
fn item_14_who_waits_at_a_fifo_queue_is_due_when_a_delay_ends() {
    let mut world = World::new().with("f", QueueKind::Fifo, delay(5));
    world.send_group("f", "g", &["a"]);
    assert_eq!(world.seqs(receive("f", 1)), []);
    assert_eq!(world.next_visible("f"), Some(5000));
    world.wait(5);
    assert_eq!(world.seqs(receive("f", 1)), [1]);
}

#[test]
fn item_14_nobody_is_due_at_an_empty_queue() {
    assert_eq!(World::standard().next_visible("q"), None);
    assert_eq!(World::fifo().next_visible("f"), None);
}

#[test]
fn item_15_a_message_is_moved_by_the_next_receive_and_not_by_time() {
    let mut world = World::standard().with("d", QueueKind::Standard, no_settings());
    world.done(change_queue("q", dead_letter("d", 1)));
    world.sent(send("q"));
    world.one(receive("q", 1));
    world.wait(3600);
    assert_eq!(world.tick(100), []);
    assert_eq!((world.counts("q"), world.counts("d")), ([1, 0, 0], [0, 0, 0]));
    assert_eq!(world.seqs(receive("q", 1)), []);
    assert_eq!((world.counts("q"), world.counts("d")), ([0, 0, 0], [1, 0, 0]));
}

#[test]
fn item_15_a_fifo_dead_letter_keeps_its_group_and_its_body_with_the_ids() {
    let mut world = World::fifo().with("d", QueueKind::Fifo, no_settings());
    world.done(change_queue("f", dead_letter("d", 1)));
    world.send_group("f", "g", &["a", "b"]);
    let bodies: Vec<_> = world.got(receive("f", 10)).iter().map(|got| got.body).collect();
    world.wait(30);
    assert_eq!(world.seqs(receive("f", 10)), []);
    let dead = world.one(receive("d", 1));
    assert_eq!(dead.body, bodies[0]);
    // In one group still, or the second could be received while the first is in flight.
    assert_eq!(world.seqs(receive("d", 10)), []);
    world.done(delete("d", dead.receipt));
    assert_eq!(world.one(receive("d", 10)).body, bodies[1]);
}

#[test]
fn item_15_without_its_dead_letter_queue_a_message_stays_under_a_lease() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let mut world = World::new().with("d", kind, no_settings());
        world = world.with("q", kind, dead_letter("d", 1));
        let send = if kind == QueueKind::Fifo { send_in("q", "g", "a") } else { send("q") };
        world.sent(send);
        world.done(delete_queue("d"));
        for receives in 1..=3 {
            assert_eq!(world.one(receive("q", 1)).receives, receives);
            assert_eq!(world.next_visible("q"), Some(world.at.0 + 30_000), "no hot loop");
            world.wait(30);
        }
    }
}

#[test]
fn item_16_the_queues_largest_message_is_honoured() {
    let patch = SettingsPatch { message_bytes_max: Some(1024), ..no_settings() };
    for (kind, name) in [(QueueKind::Standard, "q"), (QueueKind::Fifo, "f")] {
        let sized = |size| {
            send_with(name, |message| {
                message.size = size;
                message.group = Some(label("g"));
                if kind == QueueKind::Fifo {
                    message.dedup = NewDedup::Id(label("a"));
                }
            })
        };
        let world = || given([(0, created(1, name, kind, &patch))]);
        world().when(1, sized(1025)).refused(QueueRefusal::MessageTooLong { limit: 1024 });
        let fits = Reply::Sent { id: id_at(1, 2), seq: Seq(1), ordered: name == "f" };
        world().when(1, sized(1024)).says(fits);
    }
}

#[test]
fn item_16_an_empty_receive_writes_nothing() {
    given([(0, standard(1, "q"))]).when(1, receive("q", 10)).says(Reply::Received(vec![])).then([]);
    given([(0, fifo(1, "f"))]).when(1, receive("f", 10)).says(Reply::Received(vec![])).then([]);
}

#[test]
fn item_17_a_missing_queue_is_refused_by_its_name() {
    given([(0, standard(1, "q"))])
        .when(1, find("other"))
        .refused(QueueRefusal::Missing { name: name("other") });
}

#[test]
fn item_20_a_receive_looks_at_as_many_messages_of_a_backlog_as_of_a_handful() {
    for backlog in [standard_backlog, fifo_backlog_in_one_group, fifo_backlog_of_groups] {
        let (mut few, queue) = backlog(25);
        let (mut many, _) = backlog(10_000);
        for _ in 0..2 {
            let (looked_at_few, got_few) = looked_at::counting(|| few.seqs(receive(queue, 10)));
            let (looked_at_many, got_many) = looked_at::counting(|| many.seqs(receive(queue, 10)));
            assert_eq!(got_few, got_many);
            assert_eq!(looked_at_few, looked_at_many);
        }
    }
}
