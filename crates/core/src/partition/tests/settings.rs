//! Creating, changing and describing polled queues.

use super::*;

#[test]
fn a_queue_comes_with_the_documented_defaults() {
    let settings = QueueSettings {
        visibility: seconds(30),
        delay: seconds(0),
        retention: seconds(345_600),
        message_bytes_max: 1_048_576,
        receive_wait: seconds(0),
        dead_letter: None,
        content_dedup: false,
        dedup_scope: Scope::Queue,
        throughput: Scope::Queue,
        sources: DeadLetterSources::All,
        notes: Texts::default(),
    };
    let (queue, kind) = (QueueId(1), QueueKind::Standard);
    let expected = QueueCreated { queue, name: name("q"), kind, settings, tags: None };
    World::new()
        .when(1, create("q", kind, no_settings()))
        .says(Reply::Queue { queue })
        .then([Fact::QueueCreated(expected)])
        .rests_on(1);
}

fn each_setting() -> [(SettingsPatch, Setting); 10] {
    let none = no_settings;
    [
        (SettingsPatch { visibility: Some(seconds(1)), ..none() }, Setting::Visibility),
        (SettingsPatch { delay: Some(seconds(2)), ..none() }, Setting::Delay),
        (SettingsPatch { retention: Some(seconds(99)), ..none() }, Setting::Retention),
        (SettingsPatch { message_bytes_max: Some(2048), ..none() }, Setting::MessageBytesMax),
        (SettingsPatch { receive_wait: Some(seconds(3)), ..none() }, Setting::ReceiveWait),
        (dead_letter("d", 5), Setting::DeadLetter),
        (SettingsPatch { content_dedup: Some(true), ..none() }, Setting::ContentDedup),
        (SettingsPatch { dedup_scope: Some(Scope::Group), ..none() }, Setting::DedupScope),
        (taking_from(DeadLetterSources::only([name("x")])), Setting::DeadLetterSources),
        (note("policy", Some("{}")), Setting::Note(label("policy"))),
    ]
}

fn settings_with(patch: &SettingsPatch) -> QueueSettings {
    patch.onto(QueueSettings::default())
}

#[test]
fn what_is_given_at_the_creation_is_set_and_nothing_else() {
    for (given, _) in each_setting() {
        let mut world = World::new().with("d", QueueKind::Fifo, no_settings());
        world = world.with("f", QueueKind::Fifo, given.clone());
        let settings = world.description("f").settings;
        assert_eq!(given.differs_from(&settings), None);
        assert_eq!(settings, settings_with(&given));
        assert_ne!(settings, QueueSettings::default());
    }
}

#[test]
fn creating_again_finds_the_queue_unless_something_given_differs() {
    for (given, setting) in each_setting() {
        let mut world = World::new().with("d", QueueKind::Fifo, no_settings());
        world = world.with("f", QueueKind::Fifo, no_settings());
        assert_eq!(world.queue(create("f", QueueKind::Fifo, no_settings())), 2);
        let differing = world.refusal(create("f", QueueKind::Fifo, given.clone()));
        assert_eq!(differing, QueueRefusal::ExistsOtherwise { name: name("f"), setting });
        world.done(change_queue("f", given.clone()));
        assert_eq!(world.queue(create("f", QueueKind::Fifo, given)), 2);
        assert_eq!(world.queue(create("f", QueueKind::Fifo, no_settings())), 2);
    }
}

#[test]
fn a_queue_of_the_other_kind_is_another_queue() {
    let (name, setting) = (name("q"), Setting::Kind);
    World::standard()
        .when(1, create("q", QueueKind::Fifo, no_settings()))
        .refused(QueueRefusal::ExistsOtherwise { name, setting });
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let mut world = World::new().with("d", QueueKind::Fifo, no_settings());
    world = world.with("f", QueueKind::Fifo, no_settings());
    let mut expected = QueueSettings::default();
    for (patch, _) in each_setting() {
        expected = patch.onto(expected);
        world.wait(1).done(change_queue("f", patch));
        assert_eq!(world.description("f").settings, expected);
    }
    let expected = QueueSettings { dead_letter: None, ..expected };
    world.done(change_queue("f", SettingsPatch { dead_letter: Some(None), ..no_settings() }));
    assert_eq!(world.description("f").settings, expected);
}

#[test]
fn a_description_says_when_the_queue_came_to_be_and_was_changed() {
    let mut world = World::new();
    world = world.wait(5).clone().with("q", QueueKind::Standard, no_settings());
    let Description { kind, created_at, modified_at, .. } = world.description("q");
    assert_eq!((kind, created_at, modified_at), (QueueKind::Standard, stamp(5), stamp(5)));
    world.wait(4).done(change_queue("q", delay(1)));
    world.wait(4).done(purge("q"));
    let Description { created_at, modified_at, .. } = world.description("q");
    assert_eq!((created_at, modified_at), (stamp(5), stamp(9)));
}

#[test]
fn a_dead_letter_queue_must_be_there_and_of_the_same_kind() {
    let world = World::standard().with("f", QueueKind::Fifo, no_settings());
    let cases = [
        (dead_letter("none", 1), QueueRefusal::DeadLetterTargetMissing { name: name("none") }),
        (dead_letter("f", 1), QueueRefusal::DeadLetterTargetKind { name: name("f") }),
    ];
    for (given, refusal) in cases {
        let new = create("new", QueueKind::Standard, given.clone());
        world.clone().when(1, new).refused(refusal.clone());
        world.clone().when(1, change_queue("q", given)).refused(refusal);
    }
}

#[test]
fn a_fifo_setting_on_a_standard_queue_is_refused_whatever_its_value() {
    let content = |value| SettingsPatch { content_dedup: Some(value), ..no_settings() };
    let scope = |value| SettingsPatch { dedup_scope: Some(value), ..no_settings() };
    let throughput = |value| SettingsPatch { throughput: Some(value), ..no_settings() };
    for (given, setting) in [
        (content(false), Setting::ContentDedup),
        (content(true), Setting::ContentDedup),
        (scope(Scope::Queue), Setting::DedupScope),
        (scope(Scope::Group), Setting::DedupScope),
        (throughput(Scope::Queue), Setting::Throughput),
        (throughput(Scope::Group), Setting::Throughput),
    ] {
        let refusal = QueueRefusal::FifoSettingOnStandard { setting };
        let new = create("new", QueueKind::Standard, given.clone());
        World::standard().when(1, new).refused(refusal.clone());
        World::standard().when(1, change_queue("q", given)).refused(refusal);
    }
}

fn throughput(dedup_scope: Option<Scope>, throughput: Option<Scope>) -> SettingsPatch {
    SettingsPatch { dedup_scope, throughput, ..no_settings() }
}

#[test]
fn throughput_per_group_needs_deduplication_per_group_whichever_comes_last() {
    let refusal = QueueRefusal::ThroughputNeedsGroupScope;
    let per_group = throughput(None, Some(Scope::Group));
    let both = throughput(Some(Scope::Group), Some(Scope::Group));
    World::new().when(1, create("f", QueueKind::Fifo, per_group.clone())).refused(refusal.clone());
    World::fifo().when(1, change_queue("f", per_group.clone())).refused(refusal.clone());
    let mut world = World::fifo();
    world.done(change_queue("f", throughput(Some(Scope::Group), None)));
    world.done(change_queue("f", per_group));
    let back = throughput(Some(Scope::Queue), None);
    assert_eq!(world.refusal(change_queue("f", back)), refusal);
    world.done(change_queue("f", throughput(Some(Scope::Queue), Some(Scope::Queue))));
    world.done(change_queue("f", both.clone()));
    let differing =
        world.refusal(create("f", QueueKind::Fifo, throughput(None, Some(Scope::Queue))));
    let setting = Setting::Throughput;
    assert_eq!(differing, QueueRefusal::ExistsOtherwise { name: name("f"), setting });
    assert_eq!(world.queue(create("f", QueueKind::Fifo, both)), 1);
}

#[test]
fn purges_rest_for_a_minute() {
    let mut world = World::standard();
    world.done(purge("q"));
    world.wait_ms(59_999);
    let pause = seconds(60);
    assert_eq!(world.refusal(purge("q")), QueueRefusal::PurgedRecently { name: name("q"), pause });
    world.wait_ms(1).done(purge("q"));
}

#[test]
fn the_relaxed_limits_know_no_pauses() {
    let mut world = World::with_limits(|limits| *limits = Limits::relaxed());
    world = world.with("q", QueueKind::Standard, no_settings());
    world.done(purge("q"));
    world.done(purge("q"));
    world.done(delete_queue("q"));
    assert_eq!(world.queue(create("q", QueueKind::Standard, no_settings())), 2);
}

#[test]
fn patience_is_the_requests_then_the_queues() {
    let given = SettingsPatch { receive_wait: Some(seconds(9)), ..no_settings() };
    let world = World::new().with("q", QueueKind::Standard, given);
    let waiting = |wait| {
        let (queue, max, visibility, attempt) = (name("q"), 1, None, None);
        world.partition.patience_of(&Command::Receive {
            queue,
            max,
            visibility,
            wait,
            attempt,
            alone: false,
        })
    };
    assert_eq!([waiting(None), waiting(Some(seconds(4)))], [seconds(9), seconds(4)]);
    assert_eq!(waiting(Some(Millis::ZERO)), Millis::ZERO);
    assert_eq!(world.partition.patience_of(&receive("none", 1)), Millis::ZERO);
    assert_eq!(world.partition.patience_of(&send("q")), Millis::ZERO);
}
