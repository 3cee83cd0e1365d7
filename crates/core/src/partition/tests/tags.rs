//! Tags of a queue.

use super::*;

#[track_caller]
fn tags(world: &World, queue: &str) -> Vec<(String, String)> {
    match world.decide(&list_tags(queue)).answer {
        Ok(Reply::Tags(tags)) => {
            tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn owned(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn create_tagged(queue: &str, given: &[(&str, &str)]) -> Command {
    let (name, kind) = (name(queue), QueueKind::Standard);
    Command::CreateQueue { name, kind, given: no_settings(), tags: pairs(given) }
}

#[test]
fn tags_are_set_replaced_and_taken_away_and_are_listed_in_order() {
    let mut world = World::standard();
    assert_eq!(tags(&world, "q"), []);
    world.done(tag("q", &[("b", "1"), ("a", "2")]));
    world.done(tag("q", &[("b", "3"), ("c", "")]));
    assert_eq!(tags(&world, "q"), owned(&[("a", "2"), ("b", "3"), ("c", "")]));
    world.done(untag("q", &["a", "none"]));
    assert_eq!(tags(&world, "q"), owned(&[("b", "3"), ("c", "")]));
}

#[test]
fn one_fact_says_what_changes() {
    let tagged = |set: &[(&str, &str)], removed: &[&str]| {
        let removed = removed.iter().map(|key| label(key)).collect();
        Fact::QueueTagged(QueueTagged { queue: QueueId(1), set: pairs(set), removed })
    };
    let world = given([(0, standard(1, "q")), (1, tagged(&[("a", "1"), ("b", "2")], &[]))]);
    world.clone().when(2, tag("q", &[("a", "9")])).then([tagged(&[("a", "9")], &[])]).rests_on(3);
    world.clone().when(2, untag("q", &["b", "x"])).then([tagged(&[], &["b"])]).rests_on(3);
    world.clone().when(2, tag("q", &[("a", "1")])).says(Reply::Done).then([]).rests_on(2);
    world.clone().when(2, tag("q", &[])).says(Reply::Done).then([]).rests_on(2);
    world.when(2, untag("q", &["x"])).says(Reply::Done).then([]).rests_on(2);
}

#[test]
fn a_queue_has_at_most_fifty() {
    let some = |from: usize, count: usize| -> Vec<(String, &'static str)> {
        (from..from + count).map(|n| (format!("k{n}"), "v")).collect()
    };
    let add = |world: &mut World, from, count| {
        let tags = some(from, count);
        let tags: Vec<(&str, &str)> =
            tags.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        world.say(tag("q", &tags))
    };
    let mut world = World::standard();
    assert_eq!(add(&mut world, 0, 49), Ok(Reply::Done));
    let refusal = Refusal::Queue(QueueRefusal::TooManyTags { limit: 50 });
    assert_eq!(add(&mut world, 49, 2), Err(refusal.clone()));
    assert_eq!(add(&mut world, 49, 1), Ok(Reply::Done));
    assert_eq!(add(&mut world, 48, 2), Ok(Reply::Done), "they are there already");
    world.done(tag("q", &[("k0", "another value")]));
    let tags = some(0, 51);
    let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    assert_eq!(world.say(create_tagged("new", &tags)), Err(refusal));
}

#[test]
fn a_queue_comes_with_tags_and_creating_it_again_does_not_look_at_them() {
    let mut world = World::new();
    world.queue(create_tagged("q", &[("b", "1"), ("a", "2")]));
    assert_eq!(tags(&world, "q"), owned(&[("a", "2"), ("b", "1")]));
    assert_eq!(world.queue(create_tagged("q", &[("c", "3")])), 1);
    assert_eq!(tags(&world, "q"), owned(&[("a", "2"), ("b", "1")]));
}

#[test]
fn a_change_of_tags_is_no_change_of_settings_and_a_purge_leaves_them() {
    let mut world = World::standard();
    world.wait(9).done(tag("q", &[("a", "1")]));
    assert_eq!(world.description("q").modified_at, stamp(0));
    world.done(purge("q"));
    world.done(change_queue("q", delay(1)));
    assert_eq!(tags(&world, "q"), owned(&[("a", "1")]));
}

#[test]
fn a_queue_made_again_has_none() {
    let mut world = World::with_limits(|limits| limits.recreate_pause = Millis::ZERO);
    world.queue(create_tagged("q", &[("a", "1")]));
    world.done(delete_queue("q"));
    world.queue(create_tagged("q", &[]));
    assert_eq!(tags(&world, "q"), []);
}

#[test]
fn reading_them_rests_on_the_queues_last_fact() {
    let mut world = World::standard();
    world.done(tag("q", &[("a", "1")]));
    let last = world.last().0;
    world.done(Command::Canary);
    world.when(1, list_tags("q")).rests_on(last);
}
