//! What is too many, too long, or nothing at all.

use super::super::EventPart;
use super::*;

fn beyond(part: EventPart, event: impl Into<Option<usize>>, limit: usize) -> EventRefusal {
    EventRefusal::Beyond { part, event: event.into(), limit }
}

fn empty(part: EventPart, event: impl Into<Option<usize>>) -> EventRefusal {
    EventRefusal::Empty { part, event: event.into() }
}

/// An append whose second event is changed.
fn second(change: impl FnOnce(&mut NewEvent)) -> Append {
    let mut new = event("a");
    change(&mut new);
    append_all([event("a"), new])
}

/// As long as the limit says is taken, and one more is not.
#[track_caller]
fn edge(part: EventPart, limit: usize, wish: impl Fn(usize) -> Append) {
    let mut world = World::events();
    let verdict = world.decide(&wish(limit).command());
    assert!(verdict.answer.is_ok(), "{:?}", verdict.answer);
    assert_eq!(world.refuses(wish(limit + 1)), beyond(part, 1, limit));
}

#[test]
fn what_an_event_is_found_by_is_bounded() {
    let limits = Limits::cloud();
    let long = |len: usize| label(&"x".repeat(len));
    edge(EventPart::Stream, limits.stream_name_bytes_max, |len| second(|e| e.stream = long(len)));
    edge(EventPart::Kind, limits.event_label_bytes_max, |len| {
        second(|e| e.content.kind = long(len))
    });
    edge(EventPart::Correlation, limits.event_label_bytes_max, |len| {
        second(|e| e.correlation = Some(long(len)))
    });
    edge(EventPart::Tag, limits.event_tag_bytes_max, |len| {
        second(|e| e.tags = vec![label("t"), long(len)])
    });
    edge(EventPart::Tags, limits.event_tags_max, |count| {
        second(|e| e.tags = (0..count).map(|n| label(&n.to_string())).collect())
    });
}

#[test]
fn what_an_event_carries_is_bounded() {
    let limits = Limits::cloud();
    edge(EventPart::Data, limits.event_data_bytes_max, |len| {
        second(|e| e.content.data = Some(vec![7; len].into()))
    });
    // The id and the source are of the context.
    let own = event("a").content.context_bytes();
    edge(EventPart::Context, limits.event_context_bytes_max, |len| {
        second(|e| e.content.subject = Some(text(&"x".repeat(len - own))))
    });
    let value = |len: usize| super::super::ExtensionValue::Text(text(&"x".repeat(len - own - 1)));
    edge(EventPart::Context, limits.event_context_bytes_max, |len| {
        second(|e| e.content.extensions = vec![(label("x"), value(len))])
    });
}

/// Seen in the wild: an event of a thousand tags is told which limit it meets.
#[test]
fn a_thousand_tags_are_refused_with_the_limit() {
    let mut world = World::events();
    let tags = (0..1000).map(|n| label(&n.to_string())).collect();
    assert_eq!(world.refuses(second(|e| e.tags = tags)), beyond(EventPart::Tags, 1, 65));
}

#[test]
fn an_append_is_bounded_as_a_whole() {
    let mut world = World::events_with(|limits| {
        limits.append_events_max = 3;
        limits.append_tags_max = 4;
        limits.append_bytes_max = 5000;
    });
    assert_eq!(world.refuses(append(&[])), empty(EventPart::Events, None));
    assert_eq!(world.refuses(append(&["a"; 4])), beyond(EventPart::Events, None, 3));
    let expecting = |count: u32| {
        (0..count).fold(append(&["a"]), |append, n| append.expecting(&n.to_string(), Expected::Any))
    };
    assert!(world.decide(&expecting(3).command()).answer.is_ok());
    assert_eq!(world.refuses(expecting(4)), beyond(EventPart::Expected, None, 3));
    let of_tags = |tags: &[&str]| append_all([0, 1].map(|_| event_with("a", "k", tags)));
    assert!(world.decide(&of_tags(&["1", "2"]).command()).answer.is_ok());
    assert_eq!(world.refuses(of_tags(&["1", "2", "3"])), beyond(EventPart::AllTags, None, 4));
    let of_bytes = |bytes: usize| {
        append_all([0, 1].map(|_| {
            let mut new = event("a");
            new.content.data = Some(vec![7; bytes].into());
            new
        }))
    };
    let most = 2500 - of_bytes(0).bytes() / 2;
    assert!(world.decide(&of_bytes(most).command()).answer.is_ok());
    assert_eq!(world.refuses(of_bytes(most + 1)), beyond(EventPart::AllBytes, None, 5000));
}

#[test]
fn nothing_has_an_empty_name() {
    let mut world = World::events();
    let none = || label("");
    let cases = [
        (EventPart::Stream, second(|e| e.stream = none())),
        (EventPart::Kind, second(|e| e.content.kind = none())),
        (EventPart::Tag, second(|e| e.tags = vec![none()])),
        (EventPart::Correlation, second(|e| e.correlation = Some(none()))),
    ];
    for (part, wish) in cases {
        assert_eq!(world.refuses(wish), empty(part, 1));
    }
}

#[test]
fn queries_are_bounded_wherever_they_stand() {
    let mut world = World::events();
    let of_items = |items| Query { items: vec![QueryItem::default(); items] };
    let of_terms = |terms: usize| {
        let half = |count: usize| (0..count).map(|n| label(&n.to_string())).collect();
        let one = item(|item| item.tags = half(terms - 3));
        let other = item(|item| {
            item.types = half(1);
            item.stream = Some(label("s"));
            item.category = Some(label("s"));
        });
        Query { items: vec![one, other] }
    };
    let cases = [
        (EventPart::QueryItems, 33, of_items(33), of_items(34)),
        (EventPart::QueryTerms, 256, of_terms(256), of_terms(257)),
    ];
    for (part, limit, fits, too_much) in cases {
        for wish in [append(&["a"]).bounded(fits.clone(), 0), append(&["a"]).unless(fits)] {
            assert!(world.decide(&wish.command()).answer.is_ok(), "{part:?}");
        }
        let bounded = append(&["a"]).bounded(too_much.clone(), 0);
        assert_eq!(world.refuses(bounded), beyond(part, None, limit));
        assert_eq!(world.refuses(append(&["a"]).unless(too_much)), beyond(part, None, limit));
    }
}

#[test]
fn with_too_much_in_memory_appends_wait_for_the_index() {
    let mut world = World::events_with(|limits| limits.recent_events_max = 4);
    world.append(append_all([event_with("a", "Paid", &["key:7"])]));
    world.append(append(&["a", "a"]));
    let behind = EventRefusal::IndexBehind { indexed: EventNumber(0), last: EventNumber(3) };
    assert_eq!(world.refuses(append(&["a", "a"])), behind);
    assert_eq!(world.append(append(&["a"])), reply(4, 4, &[("a", 4)]));
    // What needs no room is answered: a repeat, and what is refused anyway.
    let repeat = append(&["a"]).unless(tagged(&["key:7"]));
    assert_eq!(world.append(repeat), again(1, 1, &[("a", 1)]));
    let moved = append(&["a"]).expecting("a", Expected::Empty);
    assert_eq!(world.refuses(moved), not_as("a", Expected::Empty, 4, 4));
    world.indexed(2);
    // 2 and 3 came together.
    assert_eq!(world.description_of("e").recent, 3);
    let wish = append(&["a"]).knowing(known(1, &[("a", 1)]));
    assert_eq!(world.append(wish), reply(5, 5, &[("a", 5)]));
}
