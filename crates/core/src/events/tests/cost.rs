//! What an append looks at does not grow with what is in memory.

use super::*;

const EVENTS: u64 = 200_000;
/// Look-ups: enough for queries of a few names, and nothing beside [`EVENTS`].
const SCAN_MAX: usize = 24;

/// Every event of a stream of its own two; even ones have a tag, odd ones another.
fn many() -> World {
    let mut world = World::events_with(|limits| {
        limits.recent_scan_max = SCAN_MAX;
        limits.recent_events_max = usize::MAX;
    });
    for number in 1..=EVENTS {
        let tags = [if number % 2 == 0 { "even" } else { "odd" }.to_owned(), format!("t-{number}")];
        let appended = Appended {
            store: QueueId(1),
            number: EventNumber(number),
            stream: label(&format!("s-{}", number / 2)),
            version: Version(number % 2 + 1),
            kind: label(if number == 5 { "Rare" } else { "Common" }),
            tags: tags.iter().map(|tag| label(tag)).collect(),
            correlation: Some(label(&format!("c-{}", number / 7))),
            len: 100,
            index: 0,
            count: 1,
        };
        world.partition.evolve(world.at, place(number + 9), &Fact::Appended(appended));
    }
    world
}

#[test]
fn among_200_000_events_what_is_named_is_found_in_a_few_steps() {
    let world = many();
    let stream = Query::of(item(|item| item.stream = Some(label("s-70000"))));
    let correlation = Query::of(item(|item| item.correlation = Some(label("c-9000"))));
    let category = Query::of(item(|item| item.category = Some(label("s"))));
    let rare = Query::of(item(|item| {
        item.types = labels(&["Common", "Rare"]);
        item.tags = labels(&["even", "t-100000"]);
        item.category = Some(label("s"));
    }));
    let none = Query::of(item(|item| {
        item.types = labels(&["Common"]);
        item.tags = labels(&["odd", "t-100000"]);
    }));
    let cases = [
        (stream, 140_001, 140_000),
        (correlation, 63_006, 63_000),
        (category, EVENTS, 1),
        (tagged(&["t-777"]), 777, 777),
        (typed(&["Common"]), EVENTS, 1),
        (typed(&["Rare", "Never"]), 5, 5),
        (rare, 100_000, 100_000),
        (Query::all(), EVENTS, 1),
    ];
    for (query, newest, oldest) in cases {
        let now = EVENTS;
        let verdict = world.decide(&append(&["x"]).bounded(query.clone(), 0).command());
        assert_eq!(verdict.answer, Err(Refusal::Events(moved(0, newest, now))), "{query:?}");
        match world.decide(&append(&["x"]).unless(query.clone()).command()).answer {
            Ok(Reply::Appended(AppendReply { first, again: true, .. })) => {
                assert_eq!(first, EventNumber(oldest), "{query:?}");
            }
            other => panic!("{query:?} {other:?}"),
        }
    }
    for wish in [append(&["x"]).bounded(none.clone(), 0), append(&["x"]).unless(none)] {
        assert!(world.decide(&wish.command()).answer.is_ok());
    }
    // A boundary behind most of it.
    let late = append(&["x"]).bounded(typed(&["Common"]), EVENTS);
    assert!(world.decide(&late.command()).answer.is_ok());
}

/// Two long lists that never meet cannot be told apart without walking them: that stops early.
#[test]
fn a_query_made_to_scan_everything_is_stopped() {
    let world = many();
    let evil = Query::of(item(|item| item.tags = labels(&["even", "odd"])));
    let behind = EventRefusal::IndexBehind { indexed: EventNumber(0), last: EventNumber(EVENTS) };
    for wish in [append(&["x"]).bounded(evil.clone(), 0), append(&["x"]).unless(evil.clone())] {
        let answer = world.decide(&wish.command()).answer;
        assert_eq!(answer, Err(Refusal::Events(behind.clone())));
    }
    // What was read before is not walked, and not what the index has.
    let late = append(&["x"]).bounded(evil.clone(), EVENTS - 4);
    assert!(world.decide(&late.command()).answer.is_ok());
    let indexed = append(&["x"]).bounded(evil.clone(), 0).unless(evil);
    let indexed = indexed.knowing(known(EVENTS - 4, &[("x", 0)]));
    assert!(world.decide(&indexed.command()).answer.is_ok());
}

/// Both conditions of an append share what it may look at.
#[test]
fn the_budget_is_the_appends() {
    let world = many();
    let half = Query { items: vec![item(|item| item.types = labels(&["None"])); 13] };
    let one = append(&["x"]).unless(half.clone());
    assert!(world.decide(&one.clone().command()).answer.is_ok());
    assert!(world.decide(&one.bounded(half, 0).command()).answer.is_err());
}
