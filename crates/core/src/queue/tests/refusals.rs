//! Every way in which a polled queue says no.

use super::*;

/// Without a wildcard, so that a new refusal does not compile until it has its case below.
fn number(refusal: &QueueRefusal) -> usize {
    match refusal {
        QueueRefusal::Missing { .. } => 0,
        QueueRefusal::ExistsOtherwise { .. } => 1,
        QueueRefusal::DeletedRecently { .. } => 2,
        QueueRefusal::PurgedRecently { .. } => 3,
        QueueRefusal::DeadLetterTargetMissing { .. } => 4,
        QueueRefusal::DeadLetterTargetKind { .. } => 5,
        QueueRefusal::MessageTooLong { .. } => 6,
        QueueRefusal::GroupRequired => 7,
        QueueRefusal::MessageDelayOnFifo { .. } => 8,
        QueueRefusal::DedupRequired => 9,
        QueueRefusal::DedupOnStandard => 10,
        QueueRefusal::ReceiptOfAnotherQueue => 11,
        QueueRefusal::LeaseEnded => 12,
        QueueRefusal::NotInFlight => 13,
        QueueRefusal::NotChangeable => 14,
        QueueRefusal::LeaseTooLong { .. } => 15,
        QueueRefusal::InFlightFull { .. } => 16,
        QueueRefusal::FifoSettingOnStandard { .. } => 17,
        QueueRefusal::Changed { .. } => 18,
        QueueRefusal::ThroughputNeedsGroupScope => 19,
        QueueRefusal::DeadLetterTargetForbids { .. } => 20,
        QueueRefusal::TooManySources { .. } => 21,
        QueueRefusal::NotesTooLong { .. } => 22,
        QueueRefusal::TooManyTags { .. } => 23,
        QueueRefusal::NotADeadLetterQueue { .. } => 24,
        QueueRefusal::MoveDestinationMissing { .. } => 25,
        QueueRefusal::MoveDestinationKind { .. } => 26,
        QueueRefusal::MoveToItself => 27,
        QueueRefusal::MoveRate { .. } => 28,
        QueueRefusal::MoveRunning => 29,
        QueueRefusal::MoveMissing => 30,
        QueueRefusal::MoveNotRunning => 31,
    }
}

/// One world in which each of them can be met: `q` standard and `f` FIFO, each with one message
/// handed out, `q` purged and `gone` deleted a moment ago; `d` (4), which takes no dead letters but
/// has a source, with a move that has ended, and another that runs.
fn world() -> World {
    let mut world = World::with_limits(|limits| limits.standard_in_flight_max = 1);
    world = world.with("gone", QueueKind::Standard, no_settings());
    world = world.with("q", QueueKind::Standard, no_settings());
    world = world.with("f", QueueKind::Fifo, no_settings());
    world.done(delete_queue("gone"));
    world.done(purge("q"));
    world.sent(send("q"));
    world.send_group("f", "g", &["a"]);
    world.one(receive("q", 1));
    world.one(receive("f", 1));
    world = world.with("d", QueueKind::Standard, no_settings());
    world = world.with("s", QueueKind::Standard, dead_letter("d", 1));
    world.done(change_queue("d", taking_from(DeadLetterSources::None)));
    world.say(start_move("d", None, None)).unwrap();
    world.tick(9);
    world.say(start_move("d", None, None)).unwrap();
    world
}

/// The position at which the first move was started.
const FIRST_MOVE: u64 = 13;

fn cases() -> Vec<(Command, QueueRefusal)> {
    [cases_of_queues_and_messages(), cases_of_settings(), cases_of_moves()].concat()
}

fn standard_with(given: SettingsPatch) -> Command {
    create("new", QueueKind::Standard, given)
}

fn cases_of_queues_and_messages() -> Vec<(Command, QueueRefusal)> {
    let standard = standard_with;
    let minute = seconds(60);
    let (mine, lost) = (receipt(2, 1, 1, 1), receipt(3, 1, 1, 9));
    let in_group = |change: fn(&mut NewMessage)| {
        send_with("f", |message| {
            message.group = Some(label("g"));
            change(message);
        })
    };
    let visibility = SettingsPatch { visibility: Some(seconds(1)), ..no_settings() };
    let content = SettingsPatch { content_dedup: Some(false), ..no_settings() };
    vec![
        (find("none"), QueueRefusal::Missing { name: name("none") }),
        (
            create("q", QueueKind::Standard, visibility),
            QueueRefusal::ExistsOtherwise { name: name("q"), setting: Setting::Visibility },
        ),
        (
            create("gone", QueueKind::Standard, no_settings()),
            QueueRefusal::DeletedRecently { pause: minute },
        ),
        (purge("q"), QueueRefusal::PurgedRecently { name: name("q"), pause: minute }),
        (
            standard(dead_letter("none", 1)),
            QueueRefusal::DeadLetterTargetMissing { name: name("none") },
        ),
        (standard(dead_letter("f", 1)), QueueRefusal::DeadLetterTargetKind { name: name("f") }),
        (
            send_with("q", |message| message.size = u32::MAX),
            QueueRefusal::MessageTooLong { limit: 1 << 20 },
        ),
        (send_with("f", |_| {}), QueueRefusal::GroupRequired),
        (
            in_group(|message| message.delay = Some(Millis(1))),
            QueueRefusal::MessageDelayOnFifo { delay: Millis(1) },
        ),
        (in_group(|_| {}), QueueRefusal::DedupRequired),
        (
            send_with("q", |message| message.dedup = NewDedup::Id(label("a"))),
            QueueRefusal::DedupOnStandard,
        ),
        (delete("f", mine), QueueRefusal::ReceiptOfAnotherQueue),
        (delete("f", lost), QueueRefusal::LeaseEnded),
        (change_lease("f", lost, 1), QueueRefusal::NotInFlight),
        (change_lease("q", receipt(2, 7, 1, 1), 1), QueueRefusal::NotChangeable),
        (
            change_lease("q", mine, 12 * 3600 + 1),
            QueueRefusal::LeaseTooLong { limit: seconds(12 * 3600) },
        ),
        (receive("q", 1), QueueRefusal::InFlightFull { limit: 1 }),
        (standard(content), QueueRefusal::FifoSettingOnStandard { setting: Setting::ContentDedup }),
    ]
}

fn cases_of_settings() -> Vec<(Command, QueueRefusal)> {
    let standard = standard_with;
    let note = |text: &str| note("n", Some(text));
    let many: Vec<(String, &str)> = (0..51).map(|n| (n.to_string(), "v")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let eleven = (0..11).map(|n| name(&n.to_string()));
    let throughput = SettingsPatch { throughput: Some(Scope::Group), ..no_settings() };
    let only_if = Some((label("n"), Some(text("read before"))));
    let change = Command::ChangeQueue { name: name("q"), patch: no_settings(), only_if };
    vec![
        (change, QueueRefusal::Changed { name: name("q") }),
        (change_queue("f", throughput), QueueRefusal::ThroughputNeedsGroupScope),
        (standard(dead_letter("d", 1)), QueueRefusal::DeadLetterTargetForbids { name: name("d") }),
        (
            standard(taking_from(DeadLetterSources::only(eleven))),
            QueueRefusal::TooManySources { limit: 10 },
        ),
        (standard(note(&"x".repeat(32 * 1024))), QueueRefusal::NotesTooLong { limit: 32 * 1024 }),
        (tag("q", &many), QueueRefusal::TooManyTags { limit: 50 }),
    ]
}

fn cases_of_moves() -> Vec<(Command, QueueRefusal)> {
    let missing = name("none");
    vec![
        (start_move("q", None, None), QueueRefusal::NotADeadLetterQueue { name: name("q") }),
        (
            start_move("d", Some("none"), None),
            QueueRefusal::MoveDestinationMissing { name: missing },
        ),
        (start_move("d", Some("f"), None), QueueRefusal::MoveDestinationKind { name: name("f") }),
        (start_move("d", Some("d"), None), QueueRefusal::MoveToItself),
        (start_move("d", None, Some(501)), QueueRefusal::MoveRate { limit: 500 }),
        (start_move("d", None, None), QueueRefusal::MoveRunning),
        (cancel_move("d", id_at(1, 1)), QueueRefusal::MoveMissing),
        (cancel_move("d", id_at(1, FIRST_MOVE)), QueueRefusal::MoveNotRunning),
    ]
}

#[test]
fn each_refusal_is_reached_and_changes_nothing() {
    let world = world();
    let cases = cases();
    for (command, refusal) in &cases {
        world.clone().when(1, command.clone()).refused(refusal.clone());
    }
    let reached: Vec<usize> = cases.iter().map(|(_, refusal)| number(refusal)).collect();
    assert_eq!(reached, (0..=31).collect::<Vec<_>>());
}

#[test]
fn every_command_to_a_missing_queue_says_so() {
    let lost = receipt(1, 1, 1, 1);
    let commands = [
        change_queue("q", no_settings()),
        delete_queue("q"),
        purge("q"),
        describe("q"),
        find("q"),
        send("q"),
        receive("q", 1),
        delete("q", lost),
        change_lease("q", lost, 1),
        tag("q", &[("a", "b")]),
        untag("q", &["a"]),
        list_tags("q"),
        list_sources("q", None, 1),
        start_move("q", None, Some(0)),
        list_moves("q"),
        cancel_move("q", id_at(1, 1)),
        peek("q", 0, 1),
    ];
    for command in commands {
        World::new().when(1, command).refused(QueueRefusal::Missing { name: name("q") });
    }
}

#[test]
fn a_message_that_is_too_long_is_refused_before_all_else() {
    let send = send_with("f", |message| message.size = u32::MAX);
    World::fifo().when(1, send).refused(QueueRefusal::MessageTooLong { limit: 1 << 20 });
}
