//! What is let go when the index has it.

use super::*;

#[test]
fn the_index_says_how_far_it_is_and_memory_is_let_go() {
    let mut world = World::events();
    let empty = world.partition.state_bytes();
    for n in 0..10 {
        world.append(append_all([event_with(&format!("s-{n}"), "Happened", &["t"])]));
    }
    let full = world.partition.state_bytes();
    let each = (full - empty) / 10;
    assert!((350..600).contains(&each), "an event weighs {each}");
    let fact = Fact::Indexed(Indexed { store: QueueId(1), upto: EventNumber(4) });
    let then = world.clone().when(0, indexed(4));
    then.then([fact]).says(Reply::Indexed { upto: EventNumber(4) });
    assert_eq!(world.indexed(4), 4);
    let description = world.description_of("e");
    assert_eq!((description.events, description.indexed.0, description.recent), (10, 4, 6));
    assert_eq!(world.partition.state_bytes(), full - 4 * each);
    assert_eq!(world.indexed(10), 10);
    assert_eq!(world.partition.state_bytes(), empty);
}

#[test]
fn what_was_said_before_changes_nothing() {
    let mut world = World::events();
    world.append(append(&["a", "b"]));
    world.indexed(2);
    let before = world.log.len();
    assert_eq!([world.indexed(2), world.indexed(1), world.indexed(0)], [2, 2, 2]);
    assert_eq!(world.log.len(), before);
}

#[test]
fn nothing_is_let_go_that_has_not_come() {
    let mut world = World::events();
    assert_eq!(world.indexed(7), 0);
    world.append(append(&["a"]));
    assert_eq!(world.indexed(7), 1);
    assert_eq!(world.append(append(&["a"]).knowing(known(1, &[("a", 1)]))).last, EventNumber(2));
    assert_eq!(world.description_of("e").recent, 1);
}

#[test]
fn an_append_is_let_go_as_a_whole() {
    let mut world = World::events();
    for _ in 0..3 {
        world.append(append(&["a", "a", "a"]));
    }
    let reached: Vec<u64> = (1..=9).map(|upto| world.clone().indexed(upto)).collect();
    assert_eq!(reached, [0, 0, 3, 3, 3, 6, 6, 6, 9]);
}

#[test]
fn numbers_of_another_store_are_passed_over() {
    let mut world = World::events();
    world.create_events("d");
    world.append(append(&["a"]));
    world.append(Append { store: name("d"), ..append(&["z", "z"]) });
    world.append(append(&["a"]));
    // 2 and 3 are the other store's.
    assert_eq!(world.clone().indexed(2), 2);
    assert_eq!(world.indexed(3), 3);
    assert_eq!(world.description_of("e").recent, 1);
}

#[test]
fn one_step_lets_go_no_more_than_it_may_and_at_least_an_append() {
    let mut world = World::events_with(|limits| limits.indexed_step_max = 12);
    for _ in 0..20 {
        world.append(append(&["a"]));
    }
    world.append(append(&["a"; 50]));
    // Three entries each.
    let steps: Vec<u64> = (0..6).map(|_| world.indexed(70)).collect();
    assert_eq!(steps, [4, 8, 12, 16, 20, 70]);
}

#[test]
fn a_tag_that_is_there_twice_is_let_go_with_its_event() {
    let mut world = World::events();
    let empty = world.partition.state_bytes();
    world.append(append_all([event_with("a", "Happened", &["t", "t"])]));
    assert_eq!(world.append(append(&["b"]).unless(tagged(&["t"]))), again(1, 1, &[("a", 1)]));
    world.indexed(1);
    world.partition.check(world.at);
    assert_eq!(world.partition.state_bytes(), empty);
}

/// No log of ours has such facts; whatever has them does no harm.
#[test]
fn facts_that_nobody_could_have_decided_change_nothing() {
    let mut world = World::events();
    world.append(append(&["a"]));
    world.append(append(&["a"]));
    world.indexed(1);
    let before = world.description_of("e");
    let log = world.flat_log();
    let (_, _, appended) = log.iter().find(|(.., fact)| matches!(fact, Fact::Appended(_))).unwrap();
    world.take_in(Facts::one(appended.clone()));
    world.take_in(Facts::one(Fact::Indexed(Indexed { store: QueueId(1), upto: EventNumber(0) })));
    world.partition.check(world.at);
    assert_eq!(world.description_of("e"), before);
}
