//! Moving messages out of a dead-letter queue, by rule.

use super::*;

/// A queue `q` (1) whose messages go to `d` (2) after one receive, and `e` (3) beside them.
fn world(kind: QueueKind) -> World {
    world_with(kind, |_| {})
}

fn world_with(kind: QueueKind, change: impl FnOnce(&mut Limits)) -> World {
    let mut world = World::with_limits(change).with("q", kind, no_settings());
    world = world.with("d", kind, no_settings()).with("e", kind, no_settings());
    world.done(change_queue("q", dead_letter("d", 1)));
    world
}

fn send_any(kind: QueueKind, queue: &str, n: usize) -> Command {
    let (group, dedup) = (format!("g{n}"), format!("{queue}{n}"));
    match kind {
        QueueKind::Standard => send_with(queue, |message| message.group = Some(label(&group))),
        QueueKind::Fifo => send_in(queue, &group, &dedup),
    }
}

/// So many messages of `q` in `d`, each in a group of its own.
fn dead(world: &mut World, kind: QueueKind, count: usize) {
    for n in 0..count {
        world.sent(send_any(kind, "q", n));
    }
    while !world.got(receive_for("q", 10, 0)).is_empty() {}
    while world.counts("q") != [0, 0, 0] {
        world.wait_ms(1).got(receive_for("q", 10, 0));
    }
}

#[track_caller]
fn begin(world: &mut World, destination: Option<&str>, rate: Option<u32>) -> MessageId {
    match world.say(start_move("d", destination, rate)) {
        Ok(Reply::MoveStarted { task }) => task,
        other => panic!("{other:?}"),
    }
}

/// Lets time go on from one due moment to the next until nothing is due any more for a second.
fn run(world: &mut World) {
    world.tick(256);
    while let Some(due) = world.partition.next_due().filter(|due| *due < world.at + seconds(1)) {
        world.at = world.at.max(due);
        world.tick(256);
    }
}

#[track_caller]
fn status(world: &World) -> MoveStatus {
    world.moves("d").first().expect("a task").status
}

fn moved_facts(world: &World) -> Vec<(Stamp, Moved)> {
    let moved = |batch: &Batch| {
        let facts = batch.facts.facts.iter().filter_map(|fact| match fact {
            Fact::Moved(moved) => Some(moved.clone()),
            _ => None,
        });
        facts.map(|moved| (batch.at, moved)).collect::<Vec<_>>()
    };
    world.log.iter().flat_map(moved).collect()
}

const KINDS: [QueueKind; 2] = [QueueKind::Standard, QueueKind::Fifo];

#[test]
fn a_start_says_what_there_is_and_up_to_where() {
    let facts = [
        (0, created(1, "q", QueueKind::Standard, &dead_letter("d", 1))),
        (0, standard(2, "d")),
        (0, standard(3, "e")),
        (0, sent(2, 1)),
        (0, sent(2, 7)),
        (0, sent_with(2, 8, |sent| sent.visible_at = stamp(99))),
        (1, soft_lease(2, 1, stamp(31), &[1])),
    ];
    let task = id_at(1, 8);
    let expected = |destination: Option<&str>, rate| {
        Fact::MoveStarted(MoveStarted {
            queue: QueueId(2),
            task,
            last: Seq(8),
            to_move: 1,
            destination: destination.map(name),
            rate,
        })
    };
    let world = given(facts);
    world
        .clone()
        .when(2, start_move("d", Some("e"), Some(500)))
        .says(Reply::MoveStarted { task })
        .then([expected(Some("e"), Some(500))])
        .rests_on(8);
    world.when(2, start_move("d", None, None)).then([expected(None, None)]);
}

#[test]
fn a_message_is_moved_by_one_fact_which_makes_it_a_new_one() {
    let dead = DeadLettered {
        from: QueueId(1),
        seq: Seq(4),
        to: QueueId(2),
        to_seq: Seq(1),
        id: id_of(1, 4),
        body: BodyRef { place: place(77), len: 4 },
        sent_at: stamp(1),
        receives: 3,
        first_received_at: Some(stamp(2)),
        group: Some(label("g")),
        origin: name("q"),
        reason: None,
    };
    let task = id_at(1, 9);
    let start = MoveStarted {
        queue: QueueId(2),
        task,
        last: Seq(1),
        to_move: 1,
        destination: None,
        rate: None,
    };
    let facts = |kind| {
        vec![
            (0, created(1, "q", kind, &delay(5))),
            (0, created(2, "d", kind, &no_settings())),
            (3, Fact::DeadLettered(dead.clone())),
            (4, Fact::MoveStarted(start.clone())),
        ]
    };
    let expected = Moved {
        from: QueueId(2),
        seq: Seq(1),
        to: QueueId(1),
        to_seq: Seq(1),
        task,
        id: id_at(1, 5),
        body: dead.body,
        visible_at: stamp(9),
        group: Some(label("g")),
    };
    let end = MoveEnded { queue: QueueId(2), task, status: MoveStatus::Completed };
    for kind in KINDS {
        let world = given(facts(kind));
        let ticked = world.clone().when_ticked(4, 10);
        assert_eq!(ticked, [Fact::Moved(expected.clone()), Fact::MoveEnded(end.clone())]);
        let mut world = world;
        world.at = stamp(4);
        world.tick(10);
        assert_eq!((world.counts("d"), world.counts("q")), ([0, 0, 0], [0, 0, 1]), "delayed anew");
        let got = world.wait(5).one(receive("q", 1));
        assert_eq!((got.id, got.body, got.seq), (expected.id, dead.body, Seq(1)));
        assert_eq!((got.sent_at, got.receives, got.origin), (stamp(4), 1, None));
        assert_eq!(got.first_received_at, stamp(9));
    }
}

#[test]
fn messages_go_back_to_where_each_came_from() {
    for kind in KINDS {
        let mut world = world(kind).with("p", kind, dead_letter("d", 1));
        for n in 0..3 {
            world.sent(send_any(kind, "q", n));
            world.sent(send_any(kind, "p", n));
        }
        for queue in ["q", "p", "q", "p"] {
            world.wait_ms(1).got(receive_for(queue, 10, 0));
        }
        assert_eq!(world.counts("d"), [6, 0, 0]);
        begin(&mut world, None, None);
        run(&mut world);
        assert_eq!(
            [world.counts("q"), world.counts("p"), world.counts("d")],
            [[3, 0, 0], [3, 0, 0], [0, 0, 0]]
        );
        let task = world.moves("d").remove(0);
        assert_eq!((task.status, task.to_move, task.moved), (MoveStatus::Completed, 6, 6));
    }
}

#[test]
fn messages_go_to_the_queue_that_was_named_in_their_order() {
    for kind in KINDS {
        let mut world = world(kind);
        dead(&mut world, kind, 200);
        begin(&mut world, Some("e"), None);
        run(&mut world);
        let moved = moved_facts(&world);
        assert_eq!(moved.len(), 200);
        assert!(moved.is_sorted_by_key(|(_, moved)| (moved.seq, moved.to_seq)));
        let numbers: Vec<u64> = moved.iter().map(|(_, moved)| moved.to_seq.0).collect();
        assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
        assert_eq!((world.counts("d"), world.counts("e")), ([0, 0, 0], [200, 0, 0]));
        assert_eq!(world.replayed(), world.partition);
    }
}

#[test]
fn a_group_keeps_its_order() {
    let mut world = world(QueueKind::Fifo);
    world.send_group("q", "g", &["a", "b", "c"]);
    world.send_group("q", "h", &["x"]);
    for _ in 0..2 {
        world.wait_ms(1).got(receive_for("q", 10, 0));
    }
    assert_eq!(world.counts("d"), [4, 0, 0]);
    begin(&mut world, Some("e"), None);
    run(&mut world);
    let (peeked, _) = world.peeked(&peek("e", 0, 9));
    let groups: Vec<&str> =
        peeked.iter().filter_map(|m| Some(m.group.as_ref()?.as_str())).collect();
    assert_eq!(groups, ["g", "g", "g", "h"]);
}

#[test]
fn who_is_in_flight_or_delayed_when_its_turn_comes_stays() {
    for kind in KINDS {
        let mut world = world(kind);
        dead(&mut world, kind, 4);
        let held = world.one(receive("d", 1));
        assert_eq!(held.seq, Seq(1));
        let delayed = Fact::Sent(Sent {
            queue: QueueId(2),
            seq: Seq(5),
            id: id_of(2, 5),
            len: 4,
            visible_at: world.at + seconds(60),
            group: Some(label("late")),
            dedup: None,
            dedup_scope: None,
        });
        world.take_in(Facts::one(delayed));
        begin(&mut world, Some("e"), None);
        run(&mut world);
        let left = if kind == QueueKind::Standard { vec![1, 5] } else { vec![1] };
        let (peeked, _) = world.peeked(&peek("d", 0, 9));
        assert_eq!(peeked.iter().map(|message| message.seq.0).collect::<Vec<_>>(), left);
        assert_eq!(status(&world), MoveStatus::Completed);
        world.wait(100);
        run(&mut world);
        assert_eq!(world.peeked(&peek("d", 0, 9)).0.len(), left.len(), "it is over");
    }
}

#[test]
fn nobody_of_a_group_overtakes_who_stays() {
    let mut world = world(QueueKind::Fifo);
    world.send_group("q", "g", &["a", "b", "c"]);
    world.send_group("q", "h", &["x"]);
    for _ in 0..2 {
        world.wait_ms(1).got(receive_for("q", 10, 0));
    }
    let first = world.one(receive("d", 1));
    begin(&mut world, Some("e"), None);
    run(&mut world);
    assert_eq!((world.counts("e"), world.counts("d")), ([1, 0, 0], [2, 1, 0]));
    world.done(delete("d", first.receipt));
    begin(&mut world, Some("e"), None);
    run(&mut world);
    assert_eq!((world.counts("e"), world.counts("d")), ([3, 0, 0], [0, 0, 0]));
}

#[test]
fn what_comes_later_stays() {
    for kind in KINDS {
        let mut world = world(kind);
        dead(&mut world, kind, 3);
        begin(&mut world, Some("e"), Some(1));
        world.tick(10);
        world.sent(send_any(kind, "d", 9));
        run_long(&mut world, 5);
        assert_eq!((world.counts("d"), world.counts("e")), ([1, 0, 0], [3, 0, 0]));
    }
}

/// So many seconds, from one due moment to the next.
fn run_long(world: &mut World, by: u64) {
    let end = world.at + seconds(by);
    world.tick(256);
    while let Some(due) = world.partition.next_due().filter(|due| *due <= end) {
        world.at = world.at.max(due);
        world.tick(256);
    }
    world.at = end;
}

#[test]
fn a_rate_is_kept_on_the_clock() {
    let mut world = world(QueueKind::Standard);
    dead(&mut world, QueueKind::Standard, 61);
    let start = world.at;
    begin(&mut world, None, Some(20));
    run_long(&mut world, 10);
    let moments: Vec<u64> = moved_facts(&world).iter().map(|(at, _)| at.0 - start.0).collect();
    let expected: Vec<u64> = (0..61).map(|n| n * 50 / 20 * 20).collect();
    assert_eq!(moments, expected);
    assert_eq!(moments.iter().filter(|at| **at < 1000).count(), 20);
}

#[test]
fn nothing_is_caught_up_with_after_a_pause() {
    let mut world = world(QueueKind::Standard);
    dead(&mut world, QueueKind::Standard, 100);
    begin(&mut world, None, Some(10));
    run_long(&mut world, 1);
    let before = moved_facts(&world).len();
    // Nobody looks for a minute, then the owner starts anew.
    world.wait(60).restart();
    let (start, end) = (world.at, world.at + seconds(1));
    while world.at < end {
        world.tick(256);
        world.wait_ms(1);
    }
    let after = moved_facts(&world);
    let in_second = after.iter().skip(before).filter(|(at, _)| *at >= start && *at < end).count();
    assert_eq!((before, in_second), (11, 10));
}

#[test]
fn a_step_without_a_rate_is_bounded_and_takes_a_breath() {
    let mut world = world_with(QueueKind::Standard, |limits| limits.move_step_max = 5);
    dead(&mut world, QueueKind::Standard, 12);
    begin(&mut world, None, None);
    let mut count = |by| world.wait_ms(by).tick(256).len();
    assert_eq!([count(0), count(0), count(1), count(1), count(1)], [5, 0, 5, 3, 0]);
}

#[test]
fn a_tick_keeps_to_its_limit_over_several_moves() {
    let mut world = world(QueueKind::Standard).with("s", QueueKind::Standard, dead_letter("e", 1));
    dead(&mut world, QueueKind::Standard, 6);
    for _ in 0..6 {
        world.sent(send("e"));
    }
    begin(&mut world, Some("q"), None);
    assert!(world.say(start_move("e", Some("q"), None)).is_ok());
    let facts = world.partition.tick(world.at, world.here(), 8);
    let moved = |from: u64| {
        let numbers = facts.facts.iter().filter_map(|fact| match fact {
            Fact::Moved(moved) if moved.from == QueueId(from) => Some(moved.to_seq.0),
            _ => None,
        });
        numbers.collect::<Vec<u64>>()
    };
    // Both give numbers of one queue, from one state.
    assert_eq!((moved(2), moved(3)), ((7..=12).collect(), vec![13]));
}

#[test]
fn a_walk_that_finds_nothing_to_move_goes_on_where_it_was() {
    let mut world = world_with(QueueKind::Standard, |limits| limits.move_scan_max = 3);
    dead(&mut world, QueueKind::Standard, 10);
    assert_eq!(world.got(receive("d", 10)).len(), 10);
    let task = begin(&mut world, Some("e"), None);
    let passed = |seq| Fact::MovePassed(MovePassed { queue: QueueId(2), task, seq: Seq(seq) });
    assert_eq!(world.tick(9), [passed(3)]);
    assert_eq!(world.tick(9), [], "it takes a breath");
    assert_eq!(world.wait_ms(1).tick(9), [passed(6)]);
    // What was passed over is, even when it comes back.
    world.take_in(Facts::one(lease_changed(2, 1, Stamp(0))));
    world.take_in(Facts::one(lease_changed(2, 8, Stamp(0))));
    run(&mut world);
    let moved: Vec<u64> = moved_facts(&world).iter().map(|(_, moved)| moved.seq.0).collect();
    assert_eq!((moved, status(&world)), (vec![8], MoveStatus::Completed));
}

#[test]
fn a_move_that_is_cancelled_stops_and_leaves_what_it_has_moved() {
    let mut world = world(QueueKind::Standard);
    dead(&mut world, QueueKind::Standard, 5);
    let task = begin(&mut world, None, Some(1));
    run_long(&mut world, 1);
    let cancelled = world.say(cancel_move("d", task));
    assert_eq!(cancelled, Ok(Reply::MoveCancelled { moved: 2 }));
    assert_eq!(status(&world), MoveStatus::Cancelling);
    assert_eq!(world.refusal(cancel_move("d", task)), QueueRefusal::MoveNotRunning);
    assert_eq!(world.refusal(start_move("d", None, None)), QueueRefusal::MoveRunning);
    let status = MoveStatus::Cancelled;
    assert_eq!(world.tick(9), [Fact::MoveEnded(MoveEnded { queue: QueueId(2), task, status })]);
    run_long(&mut world, 10);
    assert_eq!((world.counts("q"), world.counts("d")), ([2, 0, 0], [3, 0, 0]));
    assert_eq!(world.refusal(cancel_move("d", task)), QueueRefusal::MoveNotRunning);
    assert_eq!(world.refusal(cancel_move("q", task)), QueueRefusal::MoveMissing);
    begin(&mut world, None, None);
}

#[test]
fn a_move_fails_when_its_destination_goes() {
    for kind in KINDS {
        let mut world = world(kind);
        dead(&mut world, kind, 5);
        begin(&mut world, Some("e"), Some(1));
        world.tick(9);
        world.done(delete_queue("e"));
        run_long(&mut world, 5);
        assert_eq!(status(&world), MoveStatus::Failed(MoveFailure::DestinationGone));
        assert_eq!((world.moves("d")[0].moved, world.counts("d")), (1, [4, 0, 0]));
    }
}

#[test]
fn a_destination_made_again_under_the_name_serves_unless_it_is_of_another_kind() {
    for (kind, expected) in [
        (QueueKind::Standard, MoveStatus::Completed),
        (QueueKind::Fifo, MoveStatus::Failed(MoveFailure::KindsDiffer)),
    ] {
        let mut world = world_with(QueueKind::Standard, |l| l.recreate_pause = Millis::ZERO);
        dead(&mut world, QueueKind::Standard, 3);
        begin(&mut world, Some("e"), Some(1));
        world.tick(9);
        world.done(delete_queue("e"));
        world.queue(create("e", kind, no_settings()));
        run_long(&mut world, 5);
        assert_eq!(status(&world), expected);
    }
}

#[test]
fn a_message_that_came_by_itself_has_no_way_back() {
    let mut world = world(QueueKind::Standard);
    dead(&mut world, QueueKind::Standard, 2);
    world.sent(send("d"));
    begin(&mut world, None, None);
    run(&mut world);
    let task = world.moves("d").remove(0);
    assert_eq!((task.status, task.moved), (MoveStatus::Failed(MoveFailure::NoOrigin), 2));
    assert_eq!((world.counts("q"), world.counts("d")), ([2, 0, 0], [1, 0, 0]));
    begin(&mut world, Some("e"), None);
    run(&mut world);
    assert_eq!(world.counts("e"), [1, 0, 0], "to a queue that is named it can go");
}

#[test]
fn an_origin_that_is_gone_or_another_kind_now_fails_the_move() {
    for (again, failure) in
        [(None, MoveFailure::DestinationGone), (Some(QueueKind::Fifo), MoveFailure::KindsDiffer)]
    {
        let mut world = world_with(QueueKind::Standard, |l| l.recreate_pause = Millis::ZERO);
        dead(&mut world, QueueKind::Standard, 2);
        world.done(change_queue("e", dead_letter("d", 1)));
        world.done(delete_queue("q"));
        if let Some(kind) = again {
            world.queue(create("q", kind, no_settings()));
        }
        begin(&mut world, None, None);
        run(&mut world);
        assert_eq!(status(&world), MoveStatus::Failed(failure));
        assert_eq!(world.counts("d"), [2, 0, 0]);
    }
}

#[test]
fn a_broker_queue_is_no_destination() {
    let mut world = world(QueueKind::Standard);
    world.queue(create_broker("b"));
    let missing = QueueRefusal::MoveDestinationMissing { name: name("b") };
    assert_eq!(world.refusal(start_move("d", Some("b"), None)), missing);
}

#[test]
fn purging_the_source_completes_the_move_and_deleting_it_takes_it_along() {
    let mut world = world(QueueKind::Standard);
    dead(&mut world, QueueKind::Standard, 5);
    begin(&mut world, None, Some(1));
    world.tick(9);
    world.done(purge("d"));
    run_long(&mut world, 2);
    let task = world.moves("d").remove(0);
    assert_eq!((task.status, task.moved, task.to_move), (MoveStatus::Completed, 1, 5));
    dead(&mut world, QueueKind::Standard, 2);
    begin(&mut world, None, Some(1));
    world.done(delete_queue("d"));
    run_long(&mut world, 5);
    assert_eq!(world.refusal(list_moves("d")), QueueRefusal::Missing { name: name("d") });
    assert_eq!(moved_facts(&world).len(), 1);
}

#[test]
fn purging_the_destination_takes_what_was_moved_there_and_the_move_goes_on() {
    let mut world = world(QueueKind::Standard);
    dead(&mut world, QueueKind::Standard, 3);
    begin(&mut world, Some("e"), Some(1));
    world.tick(9);
    world.done(purge("e"));
    run_long(&mut world, 5);
    assert_eq!((world.counts("e"), status(&world)), ([2, 0, 0], MoveStatus::Completed));
}

#[test]
fn what_has_outlived_the_retention_is_not_moved() {
    let mut world = world(QueueKind::Standard);
    world.done(change_queue("d", retention(60)));
    world.sent(send("q"));
    world.wait(30).sent(send("q"));
    for _ in 0..2 {
        world.wait_ms(1).got(receive_for("q", 10, 0));
    }
    begin(&mut world, Some("e"), None);
    world.wait(30);
    let ticked = world.partition.tick(world.at, world.here(), 256);
    assert_eq!(ticked.facts, [expired(2, stamp(0), 1)], "and in that tick nothing else");
    run(&mut world);
    assert_eq!((world.counts("e"), world.counts("d")), ([1, 0, 0], [0, 0, 0]));
}

#[test]
fn the_last_ten_are_listed_newest_first() {
    let mut world = world(QueueKind::Standard);
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(begin(&mut world, None, None));
        world.tick(9);
    }
    ids.reverse();
    let listed: Vec<MessageId> = world.moves("d").iter().map(|task| task.id).collect();
    assert_eq!(listed, ids[..10]);
    let two = Command::ListMoves { source: name("d"), limit: 2 };
    let Ok(Reply::Moves(tasks)) = world.say(two) else { panic!() };
    assert_eq!(tasks.iter().map(|task| task.id).collect::<Vec<_>>(), ids[..2]);
    assert_eq!(world.refusal(cancel_move("d", ids[11])), QueueRefusal::MoveMissing);
}

#[test]
fn a_task_says_how_it_was_asked_for() {
    let mut world = world(QueueKind::Standard);
    dead(&mut world, QueueKind::Standard, 3);
    world.wait(7);
    let id = begin(&mut world, Some("e"), Some(5));
    let expected = MoveTask {
        id,
        destination: Some(name("e")),
        rate: Some(5),
        started_at: world.at,
        to_move: 3,
        moved: 0,
        status: MoveStatus::Running,
    };
    assert_eq!(world.moves("d"), [expected]);
}

#[test]
fn a_rate_must_be_one_that_can_be_kept() {
    for rate in [0, 501, u32::MAX] {
        let start = start_move("d", None, Some(rate));
        world(QueueKind::Standard).when(1, start).refused(QueueRefusal::MoveRate { limit: 500 });
    }
}

/// Each is said before those below it.
#[test]
fn of_several_faults_the_first_answers() {
    let mut world = world(QueueKind::Standard).with("f", QueueKind::Fifo, no_settings());
    let mut refusal =
        |source: &str, destination, rate| world.refusal(start_move(source, destination, rate));
    let named = |text: &str| name(text);
    assert_eq!(
        refusal("none", Some("none"), Some(0)),
        QueueRefusal::Missing { name: named("none") }
    );
    assert_eq!(refusal("e", Some("none"), Some(0)), QueueRefusal::MoveRate { limit: 500 });
    let missing = QueueRefusal::MoveDestinationMissing { name: named("none") };
    assert_eq!(refusal("e", Some("none"), None), missing);
    assert_eq!(refusal("e", Some("e"), None), QueueRefusal::MoveToItself);
    let kind = QueueRefusal::MoveDestinationKind { name: named("f") };
    assert_eq!(refusal("e", Some("f"), None), kind);
    let no_source = QueueRefusal::NotADeadLetterQueue { name: named("e") };
    assert_eq!(refusal("e", Some("q"), None), no_source);
}

#[test]
fn answers_about_moves_rest_on_what_they_were_read_from() {
    let mut world = world(QueueKind::Standard).with("x", QueueKind::Standard, no_settings());
    let rule = 5;
    world.done(delete_queue("x"));
    let names = world.last().0;
    let missing = start_move("d", Some("x"), None);
    world.clone().when(1, missing).rests_on(names);
    world.done(change_queue("q", SettingsPatch { dead_letter: Some(None), ..no_settings() }));
    let gone = world.last().0;
    assert!(gone > rule);
    world.done(Command::Canary);
    world.clone().when(1, start_move("d", None, None)).rests_on(gone);
    world.done(change_queue("q", dead_letter("d", 1)));
    let task = begin(&mut world, None, None);
    let started = world.last().0;
    world.done(Command::Canary);
    world.clone().when(1, list_moves("d")).rests_on(started);
    world.clone().when(1, start_move("d", None, None)).rests_on(started);
    world.clone().when(1, cancel_move("d", id_at(9, 9))).rests_on(started);
    let cancelled = world.here().position.0;
    world.when(1, cancel_move("d", task)).rests_on(cancelled);
}

#[test]
fn a_move_wakes_the_loop_when_it_is_due_and_not_before() {
    let mut world = world(QueueKind::Standard);
    dead(&mut world, QueueKind::Standard, 3);
    let retention = world.partition.next_due();
    world.wait(1);
    begin(&mut world, None, Some(2));
    assert_eq!(world.partition.next_due(), Some(world.at));
    world.tick(9);
    assert_eq!(world.partition.next_due(), Some(world.at + Millis(500)));
    assert!(world.partition.tick(world.at + Millis(499), world.here(), 9).is_empty());
    run_long(&mut world, 1);
    assert_eq!(world.counts("q"), [3, 0, 0]);
    assert!(world.partition.next_due() > retention, "nothing more is to be moved");
}

#[test]
fn a_crash_at_any_point_neither_loses_nor_doubles_a_message() {
    for kind in KINDS {
        let mut world = world(kind);
        dead(&mut world, kind, 6);
        begin(&mut world, Some("e"), Some(3));
        let from = world.log.len();
        run_long(&mut world, 5);
        assert_eq!(status(&world), MoveStatus::Completed);
        for cut in from..=world.log.len() {
            let mut world = world.clone();
            world.log.truncate(cut);
            world.restart();
            let there = world.counts("d")[0] + world.counts("e")[0];
            assert_eq!(there, 6, "after a crash at {cut}");
            run_long(&mut world, 10);
            assert_eq!((world.counts("d"), world.counts("e")), ([0, 0, 0], [6, 0, 0]));
            assert_eq!((status(&world), world.moves("d")[0].moved), (MoveStatus::Completed, 6));
            let mut bodies: Vec<BodyRef> =
                world.peeked(&peek("e", 0, 99)).0.iter().map(|message| message.body).collect();
            bodies.dedup();
            assert_eq!(bodies.len(), 6);
        }
    }
}

#[test]
fn the_facts_alone_tell_both_sides() {
    let moved = Moved {
        from: QueueId(2),
        seq: Seq(5),
        to: QueueId(1),
        to_seq: Seq(3),
        task: id_at(1, 1),
        id: id_at(1, 9),
        body: BodyRef { place: place(9), len: 4 },
        visible_at: Stamp(0),
        group: None,
    };
    let alone = |facts: Vec<Fact>| {
        let mut world = given(facts.into_iter().map(|fact| (0, fact)));
        world.take_in(Facts::one(Fact::Moved(moved.clone())));
        world
    };
    let both = alone(vec![standard(1, "q"), standard(2, "d"), sent(2, 5)]);
    let target = alone(vec![standard(1, "q")]);
    let seen =
        |world: &World| world.peeked(&peek("q", 0, 9)).0.first().map(|m| (m.seq, m.id, m.body));
    assert_eq!(seen(&both), seen(&target));
    assert_eq!(seen(&both), Some((Seq(3), moved.id, moved.body)));
    assert_eq!(both.counts("d"), [0, 0, 0]);
}
