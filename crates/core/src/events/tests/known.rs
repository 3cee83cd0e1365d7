//! What the index says, joined with what came since.

use super::*;

/// Three events of `a` and one of `b`, and the index has said that it has the first three.
fn half_indexed() -> World {
    let mut world = World::events();
    for streams in [&["a"][..], &["a", "b"], &["a"]] {
        world.append(append(streams));
    }
    assert_eq!(world.indexed(3), 3);
    assert_eq!(world.description_of("e").recent, 1);
    world
}

fn stale(as_of: u64, indexed: u64, last: u64) -> EventRefusal {
    let [as_of, indexed, last] = [as_of, indexed, last].map(EventNumber);
    EventRefusal::Stale { as_of, indexed, last }
}

#[test]
fn a_version_is_the_newest_that_either_knows() {
    let mut world = half_indexed();
    let wish = append(&["a", "b", "c"]).knowing(known(3, &[("a", 2), ("b", 1), ("c", 0)]));
    assert_eq!(world.append(wish), reply(5, 7, &[("a", 4), ("b", 2), ("c", 1)]));
}

#[test]
fn expectations_are_of_both_together() {
    let mut world = half_indexed();
    let knows = || known(3, &[("a", 2), ("b", 1)]);
    let at = |stream, version| {
        append(&["a"]).expecting(stream, Expected::At(Version(version))).knowing(knows())
    };
    assert_eq!(world.refuses(at("a", 2)), not_as("a", Expected::At(Version(2)), 3, 4));
    assert_eq!(world.refuses(at("b", 0)), not_as("b", Expected::At(Version(0)), 1, 4));
    assert_eq!(world.append(at("b", 1)), reply(5, 5, &[("a", 4)]));
}

#[test]
fn what_is_looked_up_too_early_is_stale() {
    let mut world = half_indexed();
    for as_of in 0..3 {
        let wish = append(&["a"]).knowing(known(as_of, &[("a", as_of)]));
        assert_eq!(world.refuses(wish), stale(as_of, 3, 4));
    }
    let wish = append(&["a"]).knowing(known(4, &[("a", 3)]));
    assert_eq!(world.append(wish), reply(5, 5, &[("a", 4)]), "the index may be ahead");
}

#[test]
fn the_index_of_another_log_is_stale_too() {
    let mut world = half_indexed();
    assert_eq!(world.refuses(append(&["a"]).knowing(known(5, &[("a", 3)]))), stale(5, 3, 4));
    world.create_events("d");
    world.append(Append { store: name("d"), ..append(&["z"]) });
    let wish = append(&["a"]).knowing(known(5, &[("a", 3)]));
    assert_eq!(world.append(wish), reply(6, 6, &[("a", 4)]), "numbers of other stores count");
}

#[test]
fn a_stream_that_was_not_looked_up_is_not_taken_for_empty() {
    let mut world = half_indexed();
    assert_eq!(world.refuses(append(&["b"]).knowing(known(3, &[]))), stale(3, 3, 4));
    let expecting = append(&["a"]).expecting("b", Expected::Any).knowing(known(3, &[]));
    assert_eq!(world.refuses(expecting), stale(3, 3, 4));
    // This one the store knows by itself.
    assert_eq!(world.append(append(&["a"]).knowing(known(3, &[]))), reply(5, 5, &[("a", 4)]));
}

#[test]
fn a_boundary_is_looked_for_on_both_sides() {
    let mut world = half_indexed();
    let about = |stream: &str| Query::of(item(|item| item.stream = Some(label(stream))));
    let wish = |query: Query, after, hit: Option<u64>| {
        let boundary_hit = hit.map(EventNumber);
        let known = Known { boundary_hit, ..known(3, &[("x", 0)]) };
        append(&["x"]).bounded(query, after).knowing(known)
    };
    assert_eq!(world.refuses(wish(about("b"), 0, Some(3))), moved(0, 3, 4));
    assert_eq!(world.refuses(wish(about("a"), 0, Some(2))), moved(0, 4, 4), "the newest is told");
    assert_eq!(world.refuses(wish(about("a"), 3, None)), moved(3, 4, 4));
    // A hit that is not behind the boundary is none.
    assert!(world.decide(&wish(about("b"), 3, Some(3)).command()).answer.is_ok());
    assert_eq!(world.append(wish(about("b"), 3, None)), reply(5, 5, &[("x", 1)]));
}

/// What the index has said is not looked at again: it may have been asked before.
#[test]
fn a_repeat_is_answered_alike_from_memory_and_from_the_index() {
    let mut world = World::events();
    let events = || [event_with("a", "Paid", &["key:7"]), event("b")];
    let once = || append_all(events()).unless(tagged(&["key:7"]));
    world.append(once());
    assert_eq!(world.append(once()), again(1, 2, &[("a", 1), ("b", 1)]));
    world.append(append(&["a"]));
    assert_eq!(world.indexed(3), 3);
    assert_eq!(world.refuses(once()), stale(0, 3, 3));
    let (first, last) = (EventNumber(1), EventNumber(2));
    let hit = FirstAppend { first, last, streams: versions(&[("a", 1), ("b", 1)]) };
    let known = Known { unless_hit: Some(hit), ..known(3, &[("a", 2), ("b", 1)]) };
    assert_eq!(world.append(once().knowing(known)), again(1, 2, &[("a", 1), ("b", 1)]));
}

#[test]
fn a_repeat_between_look_up_and_decision_is_seen() {
    let mut world = half_indexed();
    let once = || {
        let wish = append_all([event_with("a", "Paid", &["key:7"])]).unless(tagged(&["key:7"]));
        wish.knowing(known(3, &[("a", 2)]))
    };
    // Both have looked up the same, and one comes first.
    assert_eq!(world.append(once()), reply(5, 5, &[("a", 4)]));
    assert_eq!(world.append(once()), again(5, 5, &[("a", 4)]));
}

/// As of the middle of an append, the rest of which the index does not have.
#[test]
fn a_look_up_may_be_as_of_the_middle_of_an_append() {
    let mut world = World::events();
    world.append(append_all([event("a"), event_with("b", "Paid", &["key:7"])]));
    let wish = append(&["c"]).unless(tagged(&["key:7"]));
    assert_eq!(world.append(wish.knowing(known(1, &[]))), again(1, 2, &[("a", 1), ("b", 1)]));
}
