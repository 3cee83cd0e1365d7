//! What a queue only keeps for whoever gave it, and how that is changed by several at once.

use super::*;

fn change_if(queue: &str, patch: SettingsPatch, only_if: (&str, Option<&str>)) -> Command {
    let only_if = Some((label(only_if.0), only_if.1.map(text)));
    Command::ChangeQueue { name: name(queue), patch, only_if }
}

#[track_caller]
fn notes(world: &World, queue: &str) -> Vec<(String, String)> {
    let notes = world.description(queue).settings.notes;
    notes.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

#[test]
fn notes_are_set_and_taken_out_one_by_one() {
    let mut world = World::standard();
    world.done(change_queue("q", note("policy", Some("{}"))));
    world.done(change_queue("q", note("key", Some("k"))));
    assert_eq!(notes(&world, "q").len(), 2);
    world.done(change_queue("q", note("policy", None)));
    world.done(change_queue("q", note("none", None)));
    assert_eq!(notes(&world, "q"), [("key".to_owned(), "k".to_owned())]);
    let both = vec![(label("key"), None), (label("key"), Some(text("last")))];
    world.done(change_queue("q", SettingsPatch { notes: both, ..no_settings() }));
    assert_eq!(notes(&world, "q"), [("key".to_owned(), "last".to_owned())]);
}

#[test]
fn a_change_that_rests_on_a_note_happens_only_if_the_note_is_as_it_was_read() {
    let mut world = World::standard();
    let changed = QueueRefusal::Changed { name: name("q") };
    let first = change_if("q", note("policy", Some("one")), ("policy", None));
    world.done(first.clone());
    assert_eq!(world.refusal(first), changed, "it is there now");
    let second = change_if("q", note("policy", Some("two")), ("policy", Some("one")));
    world.done(second.clone());
    assert_eq!(world.refusal(second), changed, "somebody else was faster");
    world.done(change_if("q", note("policy", None), ("policy", Some("two"))));
    assert_eq!(world.refusal(change_if("q", delay(1), ("policy", Some("two")))), changed);
    assert_eq!((notes(&world, "q"), world.description("q").settings.delay), (vec![], seconds(0)));
}

#[test]
fn what_was_changed_is_said_before_what_is_wrong_with_the_change() {
    let wrong = SettingsPatch { content_dedup: Some(true), ..no_settings() };
    World::standard()
        .when(1, change_if("q", wrong, ("policy", Some("read"))))
        .refused(QueueRefusal::Changed { name: name("q") });
}

#[test]
fn creating_again_compares_the_notes_that_are_given() {
    let mut world = World::new().with("q", QueueKind::Standard, note("policy", Some("{}")));
    let mut again = |given| world.say(create("q", QueueKind::Standard, given));
    assert!(again(no_settings()).is_ok());
    assert!(again(note("policy", Some("{}"))).is_ok());
    assert!(again(note("other", None)).is_ok(), "it is not there");
    for (given, key) in [
        (note("policy", Some("{ }")), "policy"),
        (note("policy", None), "policy"),
        (note("other", Some("x")), "other"),
    ] {
        let setting = Setting::Note(label(key));
        let refusal = QueueRefusal::ExistsOtherwise { name: name("q"), setting };
        assert_eq!(again(given), Err(Refusal::Queue(refusal)));
    }
}

#[test]
fn all_notes_together_are_bounded() {
    let long = |bytes: usize| "x".repeat(bytes);
    let mut world = World::with_limits(|limits| limits.notes_bytes_max = 100);
    let refusal = QueueRefusal::NotesTooLong { limit: 100 };
    let given = note("a", Some(&long(100)));
    assert_eq!(world.refusal(create("q", QueueKind::Standard, given)), refusal);
    world = world.with("q", QueueKind::Standard, note("a", Some(&long(59))));
    assert_eq!(world.refusal(change_queue("q", note("b", Some(&long(40))))), refusal);
    world.done(change_queue("q", note("b", Some(&long(39)))));
    world.done(change_queue("q", delay(1)));
    assert_eq!(world.refusal(change_queue("q", note("c", Some("")))), refusal);
}

#[test]
fn a_changed_note_is_told_when_it_is_durable() {
    let mut world = World::standard();
    world.done(change_queue("q", note("policy", Some("new"))));
    let last = world.last().0;
    world.done(Command::Canary);
    world.when(1, change_if("q", no_settings(), ("policy", Some("old")))).rests_on(last);
}
