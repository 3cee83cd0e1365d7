//! A message is given up by who holds it, and comes back when somebody says so.

use super::*;

const KINDS: [QueueKind; 2] = [QueueKind::Standard, QueueKind::Fifo];

/// A queue `q` (2) whose messages go to `d` (1) after five receives, with so many in it.
fn pair(kind: QueueKind, messages: u64) -> World {
    let mut world = World::new().with("d", kind, no_settings());
    world = world.with("q", kind, dead_letter("d", 5));
    for message in 1..=messages {
        world.sent(send_of(kind, "q", &message.to_string()));
    }
    world
}

/// The same, with all of them parked.
fn parked(kind: QueueKind, messages: u64) -> World {
    let mut world = pair(kind, messages);
    for delivery in world.got(receive("q", 10)) {
        world.done(park("q", delivery.receipt, Some("why")));
    }
    world
}

#[track_caller]
fn gives(world: &mut World, seqs: &[u64], moved: u64) {
    assert_eq!(world.say(give_back("d", seqs)), Ok(Reply::Moved { moved }));
}

fn messages(world: &World, queue: &str) -> Vec<Peeked> {
    world.peeked(&peek(queue, 0, 99)).0
}

#[test]
fn who_holds_a_message_moves_it_by_one_fact() {
    for kind in KINDS {
        let mut world = pair(kind, 2);
        let (group, sent_at) = match kind {
            QueueKind::Standard => (None, Stamp(0)),
            // As when its attempts are used up.
            QueueKind::Fifo => (Some(label("g")), stamp(9)),
        };
        let held = world.wait(5).one(receive("q", 1));
        let fact = Fact::DeadLettered(DeadLettered {
            from: QueueId(2),
            seq: Seq(1),
            to: QueueId(1),
            to_seq: Seq(1),
            id: held.id,
            body: held.body,
            sent_at,
            receives: 1,
            first_received_at: Some(stamp(5)),
            group,
            origin: name("q"),
            reason: Some(text("why")),
        });
        let last = world.here().position.0;
        let then = world.when(9, park("q", held.receipt, Some("why")));
        then.then([fact]).says(Reply::Done).rests_on(last);
    }
}

#[test]
fn it_is_parked_once() {
    for kind in KINDS {
        let mut world = pair(kind, 1);
        let held = world.one(receive("q", 1));
        world.done(park("q", held.receipt, None));
        let again = park("q", held.receipt, None);
        world.clone().when(0, again).refused(QueueRefusal::LeaseEnded);
        assert_eq!((messages(&world, "q").len(), messages(&world, "d").len()), (0, 1));
    }
}

#[test]
fn only_who_holds_it_may() {
    for kind in KINDS {
        let mut world = pair(kind, 1);
        let ended = world.one(receive("q", 1)).receipt;
        world.wait(29);
        assert!(world.decide(&park("q", ended, None)).answer.is_ok());
        world.wait(1);
        world.clone().when(30, park("q", ended, None)).refused(QueueRefusal::LeaseEnded);
        let held = world.one(receive("q", 1)).receipt;
        world.clone().when(30, park("q", ended, None)).refused(QueueRefusal::LeaseEnded);
        world.done(change_lease("q", held, 0));
        world.clone().when(30, park("q", held, None)).refused(QueueRefusal::LeaseEnded);
        let settled = world.one(receive("q", 1)).receipt;
        world.done(delete("q", settled));
        world.when(30, park("q", settled, None)).refused(QueueRefusal::LeaseEnded);
    }
}

/// A crash takes a soft lease back, and the receipt with it; a hard one stays.
#[test]
fn a_lease_that_a_crash_took_back_parks_nothing() {
    for (kind, holds) in [(QueueKind::Standard, false), (QueueKind::Fifo, true)] {
        let mut world = pair(kind, 1);
        let held = world.one(receive("q", 1)).receipt;
        world.crash();
        assert_eq!(world.say(park("q", held, None)).is_ok(), holds);
    }
}

#[test]
fn a_receipt_of_another_queue_is_refused() {
    let mut world = pair(QueueKind::Standard, 1).with("r", QueueKind::Standard, no_settings());
    world.sent(send("r"));
    let other = world.one(receive("r", 1)).receipt;
    world.when(1, park("q", other, None)).refused(QueueRefusal::ReceiptOfAnotherQueue);
}

#[test]
fn without_a_place_to_go_it_stays_with_who_holds_it() {
    let mut world = pair(QueueKind::Standard, 1);
    let held = world.one(receive("q", 1)).receipt;
    let missing = |name| QueueRefusal::DeadLetterTargetMissing { name };
    world.done(delete_queue("d"));
    let gone = world.last().0;
    let then = world.clone().when(1, park("q", held, None));
    then.refused(missing(name("d"))).rests_on(gone);
    let none = SettingsPatch { dead_letter: Some(None), ..no_settings() };
    world.done(change_queue("q", none));
    world.clone().when(1, park("q", held, None)).refused(missing(name("q")));
    world.done(delete("q", held));
}

#[test]
fn what_has_outlived_the_queue_is_neither_parked_nor_given_back() {
    let mut world = pair(QueueKind::Standard, 2);
    world.done(change_queue("q", retention(60)));
    world.done(change_queue("d", retention(60)));
    let one = world.wait(59).one(receive("q", 1)).receipt;
    let other = world.one(receive("q", 1)).receipt;
    world.done(park("q", one, None));
    world.wait(1);
    world.clone().when(60, park("q", other, None)).refused(QueueRefusal::LeaseEnded);
    gives(&mut world, &[1], 0);
}

#[test]
fn attempts_and_the_reason_stay_with_it() {
    for kind in KINDS {
        let mut world = pair(kind, 1);
        world.one(receive_for("q", 1, 0));
        let held = world.wait(1).one(receive("q", 1));
        world.done(park("q", held.receipt, Some("why")));
        world.restart();
        let [message] = &messages(&world, "d")[..] else { panic!() };
        assert_eq!((message.id, message.receives), (held.id, 2));
        assert_eq!((&message.reason, &message.origin), (&Some(text("why")), &Some(name("q"))));
        assert_eq!(world.one(receive("d", 1)).receives, 3);
    }
}

#[test]
fn a_reason_weighs_what_it_is_long() {
    let weigh = |reason: &str| {
        let mut world = pair(QueueKind::Standard, 1);
        let held = world.one(receive("q", 1)).receipt;
        let park = park("q", held, Some(reason));
        assert!(park.body_len() >= reason.len());
        world.done(park);
        world.partition.state_bytes()
    };
    assert_eq!(weigh(&"r".repeat(500)), weigh("r") + 499);
}

#[test]
fn messages_come_back_in_the_order_in_which_they_are_named_as_new_ones() {
    for kind in KINDS {
        let mut world = parked(kind, 3);
        let before = messages(&world, "d");
        let here = world.here();
        let moved = |index: usize, seq: usize| {
            Fact::Moved(Moved {
                from: QueueId(1),
                seq: Seq(seq as u64),
                to: QueueId(2),
                to_seq: Seq(4 + index as u64),
                task: id_at(1, here.position.0),
                id: MessageId::new(PartitionId(0), Epoch(1), here.plus(index)),
                body: before[seq - 1].body,
                visible_at: stamp(3),
                group: before[seq - 1].group.clone(),
            })
        };
        let then = world.clone().when(3, give_back("d", &[3, 1]));
        then.then([moved(0, 3), moved(1, 1)]).says(Reply::Moved { moved: 2 });
        gives(&mut world, &[3, 1], 2);
        let bodies: Vec<BodyRef> = messages(&world, "q").iter().map(|m| m.body).collect();
        assert_eq!(bodies, [before[2].body, before[0].body]);
        assert_eq!(world.one(receive("q", 1)).receives, 1, "all attempts are left");
        assert_eq!(messages(&world, "d").len(), 1);
        world.partition.check(world.at);
    }
}

#[test]
fn a_message_that_is_named_twice_comes_back_once() {
    for kind in KINDS {
        let mut world = parked(kind, 2);
        gives(&mut world, &[2, 2, 1, 2], 2);
        assert_eq!((messages(&world, "q").len(), messages(&world, "d").len()), (2, 0));
        gives(&mut world, &[2, 1], 0);
    }
}

#[test]
fn what_is_handed_out_or_is_not_there_stays() {
    for kind in KINDS {
        let mut world = parked(kind, 2);
        let held = world.one(receive("d", 1));
        gives(&mut world, &[held.seq.0, 0, 7, u64::MAX], 0);
        gives(&mut world, &[1, 2], 1);
        world.done(change_lease("d", held.receipt, 0));
        gives(&mut world, &[1, 2], 1);
    }
}

#[test]
fn what_did_not_come_from_anywhere_stays() {
    let mut world = parked(QueueKind::Standard, 1);
    world.sent(send("d"));
    gives(&mut world, &[2, 1], 1);
    assert_eq!(messages(&world, "d").len(), 1);
}

#[test]
fn what_has_nowhere_to_go_stays_until_it_has() {
    for kind in KINDS {
        let other = if kind == QueueKind::Fifo { KINDS[0] } else { KINDS[1] };
        let mut world = parked(kind, 1);
        world.done(delete_queue("q"));
        let last = world.last().0;
        world.clone().when(0, give_back("d", &[1])).then([]).rests_on(last);
        gives(&mut world, &[1], 0);
        world.wait(60).queue(create("q", other, no_settings()));
        gives(&mut world, &[1], 0);
        world.done(delete_queue("q"));
        world.wait(60).queue(create("q", kind, delay(7)));
        gives(&mut world, &[1], 1);
        assert_eq!(world.counts("q"), [0, 0, 1], "delayed as what is sent there");
    }
}

/// A queue that was deleted while its dead letters were not has its name taken by the other.
#[test]
fn nothing_is_given_back_to_the_queue_that_it_is_in() {
    let mut world = World::new().with("d", QueueKind::Standard, no_settings());
    world = world.with("q", QueueKind::Standard, dead_letter("d", 5));
    world.done(change_queue("d", dead_letter("q", 5)));
    world.sent(send("q"));
    let held = world.one(receive("q", 1)).receipt;
    world.done(park("q", held, None));
    let held = world.one(receive("d", 1)).receipt;
    world.done(park("d", held, None));
    assert_eq!(messages(&world, "q")[0].origin, Some(name("d")));
    world.done(delete_queue("d"));
    assert_eq!(world.say(give_back("q", &[1])), Ok(Reply::Moved { moved: 0 }));
}

#[test]
fn one_step_looks_at_no_more_than_it_may() {
    let mut world = World::with_limits(|limits| limits.move_step_max = 2);
    world = world.with("d", QueueKind::Standard, no_settings());
    world = world.with("q", QueueKind::Standard, dead_letter("d", 5));
    for _ in 0..4 {
        world.sent(send("q"));
    }
    for delivery in world.got(receive("q", 10)) {
        world.done(park("q", delivery.receipt, None));
    }
    gives(&mut world, &[7, 1, 2], 1);
    gives(&mut world, &[2, 3, 4], 2);
}

/// The id that stands for a task in such a move is never that of a task.
#[test]
fn a_move_that_runs_does_not_take_it_for_its_own() {
    let mut world = parked(QueueKind::Standard, 3);
    assert!(world.say(start_move("d", None, Some(1))).is_ok());
    world.tick(1);
    let before = world.moves("d");
    assert_eq!((before[0].moved, before[0].status), (1, MoveStatus::Running));
    gives(&mut world, &[2], 1);
    assert_eq!(world.moves("d"), before);
    world.wait(5).tick(9);
    let after = world.moves("d");
    assert_eq!((after[0].moved, after[0].status), (2, MoveStatus::Completed));
    assert_eq!(messages(&world, "q").len(), 3);
}
