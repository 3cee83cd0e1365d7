//! Which queues send their dead letters to a queue, and which may.

use super::*;

fn forbids(queue: &str) -> QueueRefusal {
    QueueRefusal::DeadLetterTargetForbids { name: name(queue) }
}

fn no_rule() -> SettingsPatch {
    SettingsPatch { dead_letter: Some(None), ..no_settings() }
}

/// `d`, and the named queues with rules that name it.
fn world(sources: &[&str]) -> World {
    let first = World::with_limits(|limits| limits.recreate_pause = Millis::ZERO);
    let first = first.with("d", QueueKind::Standard, no_settings());
    let add =
        |world: World, source: &&str| world.with(source, QueueKind::Standard, dead_letter("d", 1));
    sources.iter().fold(first, add)
}

#[track_caller]
fn sources(world: &mut World, target: &str) -> Vec<String> {
    let (names, more) = world.names(list_sources(target, None, 99));
    assert!(!more);
    names
}

#[test]
fn the_queues_whose_rule_names_it_come_in_the_order_of_their_names() {
    let mut world = world(&["c", "a", "e", "b"]).with("x", QueueKind::Standard, no_settings());
    assert_eq!(sources(&mut world, "d"), ["a", "b", "c", "e"]);
    assert_eq!(sources(&mut world, "x"), [""; 0]);
    assert_eq!(sources(&mut world, "a"), [""; 0]);
}

#[test]
fn they_come_a_page_at_a_time() {
    let mut world = world(&["a", "b", "c", "e"]);
    let mut page = |after, limit| world.names(list_sources("d", after, limit));
    let names = |names: &[&str], more| (names.iter().map(ToString::to_string).collect(), more);
    assert_eq!(page(None, 2), names(&["a", "b"], true));
    assert_eq!(page(Some("b"), 2), names(&["c", "e"], false));
    assert_eq!(page(Some("bb"), 1), names(&["c"], true));
    assert_eq!(page(Some("e"), 2), names(&[], false));
    assert_eq!(page(None, 0), names(&[], true));
    let mut bounded = World::with_limits(|limits| limits.list_names_max = 1);
    for source in ["d", "a", "b"] {
        bounded = bounded.with(source, QueueKind::Standard, no_settings());
    }
    bounded.done(change_queue("a", dead_letter("d", 1)));
    bounded.done(change_queue("b", dead_letter("d", 1)));
    assert_eq!(bounded.names(list_sources("d", None, 9)), names(&["a"], true));
}

#[test]
fn rules_that_change_or_go_with_their_queue_are_followed() {
    let mut world = world(&["a", "b", "c"]).with("e", QueueKind::Standard, no_settings());
    world.done(change_queue("a", dead_letter("e", 2)));
    assert_eq!(
        (sources(&mut world, "d"), sources(&mut world, "e")),
        (vec!["b".to_owned(), "c".to_owned()], vec!["a".to_owned()])
    );
    world.done(change_queue("b", no_rule()));
    world.done(delete_queue("c"));
    assert_eq!(sources(&mut world, "d"), [""; 0]);
    world.done(purge("a"));
    world.done(change_queue("a", delay(1)));
    assert_eq!(sources(&mut world, "e"), ["a"]);
}

#[test]
fn a_queue_made_again_under_the_name_has_the_same_sources() {
    let mut world = world(&["a"]);
    world.done(delete_queue("d"));
    world
        .clone()
        .when(1, list_sources("d", None, 9))
        .refused(QueueRefusal::Missing { name: name("d") });
    world.queue(create("d", QueueKind::Standard, no_settings()));
    assert_eq!(sources(&mut world, "d"), ["a"]);
}

#[test]
fn what_is_listed_rests_on_the_last_rule_and_on_the_queue() {
    let mut world = world(&["a", "b"]);
    let rule = world.last().0;
    world.sent(send("a"));
    world.done(change_queue("b", delay(1)));
    world.clone().when(1, list_sources("d", None, 9)).rests_on(rule);
    world.sent(send("d"));
    let touched = world.last().0;
    world.clone().when(1, list_sources("d", None, 9)).rests_on(touched);
    world.done(delete_queue("b"));
    let gone = world.last().0;
    world.when(1, list_sources("d", None, 9)).rests_on(gone);
}

#[test]
fn a_queue_says_who_may_name_it() {
    let only = |names: &[&str]| DeadLetterSources::only(names.iter().copied().map(name));
    let cases = [
        (DeadLetterSources::All, true),
        (DeadLetterSources::None, false),
        (only(&["q", "z"]), true),
        (only(&["z"]), false),
        (only(&[]), false),
    ];
    for (allowed, may) in cases {
        let mut world = World::standard().with("d", QueueKind::Standard, taking_from(allowed));
        let changed = world.say(change_queue("q", dead_letter("d", 1)));
        let refusal = Err(Refusal::Queue(forbids("d")));
        assert_eq!(changed, if may { Ok(Reply::Done) } else { refusal.clone() });
        let created = world.say(create("z", QueueKind::Standard, dead_letter("d", 1)));
        let z_may = world.description("d").settings.sources.allow(&name("z"));
        assert_eq!(created.is_ok(), z_may);
        assert!(created.is_ok() || created == refusal);
    }
}

#[test]
fn whom_it_takes_from_is_asked_when_a_rule_is_set_and_not_later() {
    let mut world = world(&["a"]);
    world.done(change_queue("d", taking_from(DeadLetterSources::None)));
    world.done(change_queue("a", delay(1)));
    assert_eq!(world.refusal(change_queue("a", dead_letter("d", 1))), forbids("d"));
    assert_eq!(sources(&mut world, "d"), ["a"]);
    world.sent(send("a"));
    world.wait(1).one(receive_for("a", 1, 0));
    world.wait(1).got(receive("a", 1));
    assert_eq!(world.counts("d"), [1, 0, 0], "it still moves its dead letters there");
}

#[test]
fn a_refusal_for_the_targets_settings_rests_on_them() {
    let mut world = world(&["a"]);
    world.done(change_queue("d", taking_from(DeadLetterSources::None)));
    let last = world.last().0;
    world.done(Command::Canary);
    let new = create("new", QueueKind::Standard, dead_letter("d", 1));
    world.clone().when(1, new).refused(forbids("d")).rests_on(last);
    world.when(1, change_queue("a", dead_letter("d", 1))).refused(forbids("d")).rests_on(last);
}

#[test]
fn the_order_in_which_sources_are_named_says_nothing() {
    let given =
        |names: &[&str]| taking_from(DeadLetterSources::only(names.iter().copied().map(name)));
    let mut world = World::new().with("d", QueueKind::Standard, given(&["b", "a", "b"]));
    assert_eq!(world.queue(create("d", QueueKind::Standard, given(&["a", "b"]))), 1);
    let setting = Setting::DeadLetterSources;
    let differing = world.refusal(create("d", QueueKind::Standard, given(&["a"])));
    assert_eq!(differing, QueueRefusal::ExistsOtherwise { name: name("d"), setting });
    let ten: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    let ten: Vec<&str> = ten.iter().map(String::as_str).collect();
    world.done(change_queue("d", given(&ten)));
    let eleven = [ten, vec!["x"]].concat();
    let refusal = QueueRefusal::TooManySources { limit: 10 };
    assert_eq!(world.refusal(change_queue("d", given(&eleven))), refusal);
}

#[test]
fn none_named_is_nobody_and_none_given_in_a_long_form_is_the_same() {
    let long = taking_from(DeadLetterSources::Only(std::sync::Arc::new([])));
    let mut world = World::new().with("d", QueueKind::Standard, long.clone());
    assert_eq!(world.description("d").settings.sources, DeadLetterSources::None);
    assert_eq!(world.queue(create("d", QueueKind::Standard, long)), 1);
}
