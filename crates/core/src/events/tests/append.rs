//! What an append brings: numbers, versions, bodies, all or nothing.

use super::*;

#[test]
fn an_event_gets_a_number_and_a_version_and_its_body_tells_everything() {
    let mut world = World::events();
    world.at = stamp(7);
    let mut new = event_with("account-1", "Opened", &["vip"]);
    new.correlation = Some(label("c"));
    new.content.data = Some(b"{}".to_vec().into());
    let verdict = world.decide(&append_all([new.clone()]).command());
    let body = verdict.facts.bodies[0].1.clone();
    let appended = Appended {
        store: QueueId(1),
        number: EventNumber(1),
        stream: label("account-1"),
        version: Version(1),
        kind: label("Opened"),
        tags: labels(&["vip"]),
        correlation: Some(label("c")),
        len: u32::try_from(body.len()).unwrap(),
        index: 0,
        count: 1,
    };
    assert_eq!(verdict.facts.facts, [Fact::Appended(appended)]);
    assert_eq!(verdict.answer, Ok(Reply::Appended(reply(1, 1, &[("account-1", 1)]))));
    assert_eq!(verdict.rests_on, world.here().position.next());
    let assigned = Assigned {
        store: QueueId(1),
        number: EventNumber(1),
        stream: label("account-1"),
        version: Version(1),
        recorded: stamp(7),
        tags: labels(&["vip"]),
        correlation: Some(label("c")),
        index: 0,
        count: 1,
    };
    assert_eq!(EventBody::decode(&body), Ok(EventBody { content: new.content, assigned }));
}

#[test]
fn numbers_follow_each_other_over_streams_and_versions_in_each() {
    let mut world = World::events();
    let answer = world.append(append(&["a", "b", "a", "c", "a"]));
    assert_eq!(answer, reply(1, 5, &[("a", 3), ("b", 1), ("c", 1)]));
    assert_eq!(world.append(append(&["b", "d"])), reply(6, 7, &[("b", 2), ("d", 1)]));
    let standing = |body: &EventBody| {
        let Assigned { number, version, index, count, .. } = body.assigned;
        (number.0, version.0, index, count)
    };
    let standing: Vec<_> = world.bodies().iter().map(standing).collect();
    let first = [(1, 1, 0, 5), (2, 1, 1, 5), (3, 2, 2, 5), (4, 1, 3, 5), (5, 3, 4, 5)];
    assert_eq!(standing, [&first[..], &[(6, 2, 0, 2), (7, 1, 1, 2)]].concat());
}

#[test]
fn numbers_are_the_partitions_and_versions_the_stores() {
    let mut world = World::events();
    world.create_events("d");
    world.append(append(&["a", "a"]));
    let other = Append { store: name("d"), ..append(&["a"]) };
    assert_eq!(world.append(other.clone()), reply(3, 3, &[("a", 1)]));
    assert_eq!(world.append(append(&["a"])), reply(4, 4, &[("a", 3)]));
    assert_eq!(world.append(other), reply(5, 5, &[("a", 2)]));
    assert_eq!(world.partition.header().numbered, EventNumber(5));
    let (one, two) = (world.description_of("e"), world.description_of("d"));
    assert_eq!((one.events, one.last.0, one.recent), (3, 4, 3));
    assert_eq!((two.events, two.last.0, two.recent), (2, 5, 2));
}

#[test]
fn what_is_refused_leaves_no_gap() {
    let mut world = World::events();
    world.append(append(&["a"]));
    // The second event could be appended, the first cannot.
    let half = append(&["b", "a"]).expecting("a", Expected::Empty);
    assert_eq!(world.refuses(half), not_as("a", Expected::Empty, 1, 1));
    assert_eq!(world.append(append(&["b"])), reply(2, 2, &[("b", 1)]));
}

#[test]
fn a_store_is_created_once_and_found_again() {
    let mut world = World::standard();
    assert_eq!(world.create_events("e"), 2);
    let before = world.log.len();
    assert_eq!(world.create_events("e"), 2);
    assert_eq!(world.log.len(), before, "nothing happened");
    let taken = world.say(Command::CreateEventStore { name: name("q") });
    assert_eq!(taken, Err(Refusal::Events(EventRefusal::Exists { name: name("q") })));
    let queue = create("e", QueueKind::Standard, no_settings());
    let (taken, setting) = (name("e"), Setting::Kind);
    assert_eq!(world.refusal(queue), QueueRefusal::ExistsOtherwise { name: taken, setting });
    assert_eq!(world.refusal(send("e")), QueueRefusal::Missing { name: name("e") });
}

#[test]
fn a_store_that_is_not_there_is_missing() {
    let mut world = World::standard();
    let missing = |store| EventRefusal::Missing { name: name(store) };
    for store in ["none", "q"] {
        let elsewhere = Append { store: name(store), ..append(&["a"]) };
        assert_eq!(world.refuses(elsewhere), missing(store));
        let named = name(store);
        for command in [
            Command::DescribeEvents { name: named.clone() },
            Command::Indexed { store: named, upto: EventNumber(1) },
        ] {
            assert_eq!(world.say(command), Err(Refusal::Events(missing(store))));
        }
    }
}

#[test]
fn an_answer_rests_on_what_it_looked_at() {
    let mut world = World::events();
    world.append(append(&["a"]));
    let last = world.last();
    world.say(create("q", QueueKind::Standard, no_settings())).unwrap();
    let asked = [
        append(&["a"]).expecting("a", Expected::Empty).command(),
        append(&["b"]).unless(typed(&["Happened"])).command(),
        append(&["b"]).bounded(Query::all(), 0).command(),
        Command::DescribeEvents { name: name("e") },
        Command::CreateEventStore { name: name("e") },
    ];
    for command in asked {
        let verdict = world.decide(&command);
        assert_eq!((verdict.facts.len(), verdict.rests_on), (0, last.next()), "{command:?}");
    }
}

#[test]
fn what_commands_say_about_themselves() {
    let (one, indexed) = (append(&["a"]).command(), indexed(1));
    let create = Command::CreateEventStore { name: name("e") };
    assert_eq!([&one, &indexed, &create].map(Command::grows), [true, false, true]);
    assert_eq!([&one, &indexed, &create].map(Command::settles), [false, true, false]);
    let mut long = event("a");
    long.content.data = Some(vec![7; 1000].into());
    let more = append_all([long]).command().body_len() - one.body_len();
    assert_eq!(more, 1000);
}

#[test]
fn a_thousand_writers_on_one_stream_and_each_version_is_won_once() {
    let mut world = World::events();
    let mut won = 0;
    for round in 0..10 {
        // All have read the same version.
        let wish = append(&["s"]).expecting("s", Expected::At(Version(round)));
        for _ in 0..1000 {
            match world.say(wish.clone().command()) {
                Ok(Reply::Appended(answer)) => {
                    assert_eq!(answer, reply(round + 1, round + 1, &[("s", round + 1)]));
                    won += 1;
                }
                Err(Refusal::Events(refusal)) => {
                    let expected = Expected::At(Version(round));
                    assert_eq!(refusal, not_as("s", expected, round + 1, round + 1));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(won, round + 1);
    }
}
