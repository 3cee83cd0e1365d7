//! Expected versions, boundaries, and appends that were done before.

use super::*;

#[test]
fn an_expected_version_holds_or_not() {
    let cases = [
        (Expected::Any, true, true, true),
        (Expected::Empty, true, false, false),
        (Expected::Exists, false, true, true),
        (Expected::At(Version(0)), true, false, false),
        (Expected::At(Version(1)), false, true, false),
        (Expected::At(Version(2)), false, false, true),
    ];
    let mut world = World::events();
    world.append(append(&["one", "two", "two"]));
    for (expected, at_0, at_1, at_2) in cases {
        for (stream, version, holds) in [("none", 0, at_0), ("one", 1, at_1), ("two", 2, at_2)] {
            let wish = append(&["else"]).expecting(stream, expected);
            if holds {
                assert!(world.decide(&wish.command()).answer.is_ok(), "{expected:?} {version}");
            } else {
                assert_eq!(world.refuses(wish), not_as(stream, expected, version, 3));
            }
        }
    }
}

#[test]
fn expectations_of_several_streams_hold_all_or_nothing_happens() {
    let mut world = World::events();
    world.append(append(&["a", "b"]));
    let wish = |a, b| {
        let wish = append(&["a", "b"]).expecting("a", Expected::At(Version(a)));
        wish.expecting("b", Expected::At(Version(b)))
    };
    assert_eq!(world.refuses(wish(1, 2)), not_as("b", Expected::At(Version(2)), 1, 2));
    assert_eq!(world.refuses(wish(0, 2)), not_as("a", Expected::At(Version(0)), 1, 2));
    assert_eq!(world.append(wish(1, 1)), reply(3, 4, &[("a", 2), ("b", 2)]));
    // Two of one stream that cannot both hold.
    let never = append(&["c"]).expecting("c", Expected::Empty).expecting("c", Expected::Exists);
    assert_eq!(world.refuses(never), not_as("c", Expected::Exists, 0, 4));
}

#[test]
fn a_boundary_moves_by_what_matches_behind_it_and_by_nothing_else() {
    let mut world = World::events();
    world.append(append_all([event_with("a", "Sold", &["seat:1"])]));
    world.append(append_all([event_with("b", "Sold", &["seat:2"])]));
    world.append(append_all([event_with("c", "Seen", &["seat:1"])]));
    let sold = Query::of(item(|item| {
        item.types = labels(&["Sold", "Returned"]);
        item.tags = labels(&["seat:1"]);
    }));
    assert_eq!(world.refuses(append(&["x"]).bounded(sold.clone(), 0)), moved(0, 1, 3));
    let fits = append_all([event_with("x", "Returned", &["seat:1"])]).bounded(sold.clone(), 1);
    assert_eq!(world.append(fits.clone()), reply(4, 4, &[("x", 1)]));
    // It moved by itself.
    assert_eq!(world.refuses(fits), moved(1, 4, 4));
    assert_eq!(world.refuses(append(&["x"]).bounded(Query::all(), 3)), moved(3, 4, 4));
    assert_eq!(world.append(append(&["x"]).bounded(Query::all(), 4)), reply(5, 5, &[("x", 2)]));
    // Nothing is behind the last event, nor behind what is not there yet.
    assert_eq!(world.append(append(&["x"]).bounded(Query::all(), 99)), reply(6, 6, &[("x", 3)]));
    assert_eq!(world.append(append(&["x"]).bounded(sold, u64::MAX)), reply(7, 7, &[("x", 4)]));
}

#[test]
fn a_boundary_that_always_moves_is_always_refused() {
    let mut world = World::events();
    for round in 1..=100 {
        world.append(append(&["busy"]));
        let wish = append(&["slow"]).bounded(typed(&["Happened"]), round - 1);
        assert_eq!(world.refuses(wish), moved(round - 1, round, round));
    }
    assert_eq!(world.description_of("e").events, 100);
}

#[test]
fn what_was_done_is_answered_as_it_was_then() {
    let mut world = World::events();
    let once = || {
        let events = [event_with("a", "Paid", &["key:7"]), event("b"), event("a")];
        append_all(events).unless(tagged(&["key:7"]))
    };
    let first = world.append(once());
    assert_eq!(first, reply(1, 3, &[("a", 2), ("b", 1)]));
    world.append(append(&["a", "b"]));
    let before = world.log.len();
    assert_eq!(world.append(once()), again(1, 3, &[("a", 2), ("b", 1)]));
    assert_eq!(world.log.len(), before, "nothing happened");
}

#[test]
fn a_hit_in_the_middle_of_an_append_is_answered_with_the_whole() {
    let mut world = World::events();
    world.append(append(&["x"]));
    world.append(append_all([event("a"), event_with("b", "Paid", &["key:7"]), event("c")]));
    let wish = append(&["d"]).unless(tagged(&["key:7"]));
    assert_eq!(world.append(wish), again(2, 4, &[("a", 1), ("b", 1), ("c", 1)]));
}

#[test]
fn of_several_the_first_counts() {
    let mut world = World::events();
    for _ in 0..3 {
        world.append(append(&["x"]));
    }
    let wish = append(&["y"]).unless(typed(&["Never", "Happened"]));
    assert_eq!(world.append(wish), again(1, 1, &[("x", 1)]));
    assert_eq!(world.append(append(&["y"]).unless(Query::all())), again(1, 1, &[("x", 1)]));
}

/// A repeat is answered whatever has moved since; of what moved, versions are told first.
#[test]
fn the_order_is_done_before_then_versions_then_the_boundary() {
    let mut world = World::events();
    let wish = |unless: &Query| {
        let events = [event_with("a", "Paid", &["key:7"])];
        let wish = append_all(events).expecting("a", Expected::Empty);
        wish.bounded(typed(&["Paid"]), 0).unless(unless.clone())
    };
    let key = tagged(&["key:7"]);
    assert_eq!(world.append(wish(&key)), reply(1, 1, &[("a", 1)]));
    assert_eq!(world.append(wish(&key)), again(1, 1, &[("a", 1)]));
    let other = tagged(&["key:8"]);
    assert_eq!(world.refuses(wish(&other)), not_as("a", Expected::Empty, 1, 1));
    let at_1 = Append { expected: Vec::new(), ..wish(&other) }.expecting("a", Expected::Exists);
    assert_eq!(world.refuses(at_1), moved(0, 1, 1));
}

/// Uniqueness over streams is a boundary from the very beginning.
#[test]
fn a_name_is_taken_once_in_all_streams() {
    let mut world = World::events();
    let take = |stream: &str, name: &str| {
        let tag = format!("name:{name}");
        append_all([event_with(stream, "Registered", &[&tag])]).bounded(tagged(&[&tag]), 0)
    };
    world.append(take("user-1", "ada"));
    assert_eq!(world.refuses(take("user-2", "ada")), moved(0, 1, 1));
    assert_eq!(world.append(take("user-2", "eve")), reply(2, 2, &[("user-2", 1)]));
}
