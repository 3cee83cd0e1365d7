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
    }
}

/// One world in which each of them can be met: `q` standard and `f` FIFO, each with one message
/// handed out, `q` purged and `gone` deleted a moment ago.
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
    world
}

fn cases() -> Vec<(Command, QueueRefusal)> {
    let standard = |given| create("new", QueueKind::Standard, given);
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

#[test]
fn each_refusal_is_reached_and_changes_nothing() {
    let world = world();
    let cases = cases();
    for (command, refusal) in &cases {
        world.clone().when(1, command.clone()).refused(refusal.clone());
    }
    let reached: Vec<usize> = cases.iter().map(|(_, refusal)| number(refusal)).collect();
    assert_eq!(reached, (0..=17).collect::<Vec<_>>());
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
