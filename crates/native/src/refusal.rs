//! What an event store refuses, in the words of the native API; without a wildcard, so that a new
//! refusal does not compile until it has words here.

use lineside_core::events::{EventPart, EventRefusal, Expected, Moved};
use serde_json::Value;

use crate::problem::{Kind, Problem};

impl From<&EventRefusal> for Problem {
    fn from(refusal: &EventRefusal) -> Problem {
        match refusal {
            // The native API names its stores itself and makes them before it serves.
            EventRefusal::Missing { name } => {
                Problem::new(Kind::Internal, format!("There is no event store `{name}`."))
            }
            EventRefusal::Exists { name } => {
                Problem::new(Kind::Internal, format!("`{name}` is there, and is no event store."))
            }
            EventRefusal::Empty { part, event } => {
                let kind = if event.is_some() { Kind::InvalidEvent } else { Kind::InvalidBody };
                let detail = format!("There has to be {}, and there is none.", one_of(*part));
                of_event(Problem::new(kind, detail), *event)
            }
            EventRefusal::Beyond { part, event, limit } => {
                let detail = format!("{} at most {limit}, and there is more.", at_most(*part));
                of_event(Problem::new(kind_beyond(*part), detail), *event)
            }
            EventRefusal::Moved(moved) => of_moved(moved),
            EventRefusal::Stale { last, .. } => {
                let detail = format!(
                    "While the append was looked up, others came, again and again; the newest \
                     event is {}.",
                    last.0
                );
                Problem::new(Kind::Busy, detail)
            }
            EventRefusal::IndexBehind { indexed, last } => {
                let detail = format!(
                    "The index has the events up to {}, and the newest is {}: appends wait for it.",
                    indexed.0, last.0
                );
                Problem::new(Kind::Busy, detail)
            }
        }
    }
}

fn of_moved(moved: &Moved) -> Problem {
    match moved {
        Moved::Stream { stream, expected, actual, now } => {
            let (said, value) = said(*expected);
            let detail = format!("The stream `{stream}` is at version {}, not {said}.", actual.0);
            Problem::new(Kind::Moved, detail)
                .with("stream", stream.as_str())
                .with("expected", value)
                .with("actual", actual.0)
                .with("now", now.0)
        }
        Moved::Boundary { after, newest, now } => {
            let detail = format!(
                "Event {} matches the boundary's query, and came after event {}.",
                newest.0, after.0
            );
            Problem::new(Kind::Moved, detail)
                .with("after", after.0)
                .with("newest", newest.0)
                .with("now", now.0)
        }
    }
}

/// What was expected, in a sentence and for programs.
fn said(expected: Expected) -> (String, Value) {
    match expected {
        Expected::Any => ("any".to_owned(), "any".into()),
        Expected::Empty => ("0, as an empty stream is".to_owned(), "empty".into()),
        Expected::Exists => ("1 or more".to_owned(), "exists".into()),
        Expected::At(version) => (version.0.to_string(), version.0.into()),
    }
}

/// With the event that is to blame: which of the request's, from 0.
fn of_event(problem: Problem, event: Option<usize>) -> Problem {
    match event {
        Some(index) => problem.with("event", index),
        None => problem,
    }
}

fn kind_beyond(part: EventPart) -> Kind {
    match part {
        EventPart::AllBytes | EventPart::Data => Kind::TooLarge,
        EventPart::Events
        | EventPart::Expected
        | EventPart::Tags
        | EventPart::AllTags
        | EventPart::Stream
        | EventPart::Kind
        | EventPart::Tag
        | EventPart::Correlation
        | EventPart::Context
        | EventPart::QueryItems
        | EventPart::QueryTerms => Kind::LimitExceeded,
    }
}

/// Before "at most 7": who has what.
fn at_most(part: EventPart) -> &'static str {
    match part {
        EventPart::Events => "The events of one append are",
        EventPart::Expected => "The streams of which one append expects something are",
        EventPart::Tags => "The tags of one event are",
        EventPart::AllTags => "The tags of all events of one append are",
        EventPart::AllBytes => "The bytes of all events of one append are",
        EventPart::Stream => "The bytes of a stream's name are",
        EventPart::Kind => "The bytes of a type are",
        EventPart::Tag => "The bytes of a tag are",
        EventPart::Correlation => "The bytes of a correlation id are",
        EventPart::Context => "The bytes of an event's attributes are, data, type and tags apart,",
        EventPart::Data => "The bytes of an event's data are",
        EventPart::QueryItems => "The items of a query are",
        EventPart::QueryTerms => "The types, tags, streams and ids that a query names are",
    }
}

/// What there has to be one of.
fn one_of(part: EventPart) -> &'static str {
    match part {
        EventPart::Events => "an event",
        EventPart::Expected => "something that is expected",
        EventPart::Tags | EventPart::AllTags => "a tag",
        EventPart::AllBytes => "something to append",
        EventPart::Stream => "a name of the stream",
        EventPart::Kind => "a type",
        EventPart::Tag => "a letter in a tag",
        EventPart::Correlation => "a letter in the correlation id",
        EventPart::Context => "an attribute",
        EventPart::Data => "data",
        EventPart::QueryItems | EventPart::QueryTerms => "something in the query",
    }
}

#[cfg(test)]
mod tests {
    use lineside_core::id::{EventNumber, Label, Name, Version};

    use super::*;

    fn shown(refusal: &EventRefusal) -> (u16, Value) {
        let problem = Problem::from(refusal);
        (problem.kind().status().as_u16(), problem.document())
    }

    #[test]
    fn a_condition_that_does_not_hold_says_what_is() {
        let moved = Moved::Stream {
            stream: Label::new("account-42"),
            expected: Expected::At(Version(7)),
            actual: Version(8),
            now: EventNumber(99),
        };
        let (status, document) = shown(&EventRefusal::Moved(Box::new(moved)));
        assert_eq!((status, &document["type"]), (409, &"urn:lineside:problem:moved".into()));
        assert_eq!(document["detail"], "The stream `account-42` is at version 8, not 7.");
        let numbers = [&document["expected"], &document["actual"], &document["now"]];
        assert_eq!(numbers, [&Value::from(7), &8.into(), &99.into()]);
        let (after, newest, now) = (EventNumber(5), EventNumber(6), EventNumber(9));
        let moved = Moved::Boundary { after, newest, now };
        let (status, document) = shown(&EventRefusal::Moved(Box::new(moved)));
        assert_eq!((status, &document["newest"]), (409, &6.into()));
    }

    #[test]
    fn what_was_expected_is_said_as_it_was_asked() {
        for (expected, value) in [
            (Expected::Any, Value::from("any")),
            (Expected::Empty, "empty".into()),
            (Expected::Exists, "exists".into()),
            (Expected::At(Version(3)), 3.into()),
        ] {
            assert_eq!(said(expected).1, value);
        }
    }

    #[test]
    fn each_part_has_a_status_and_a_sentence() {
        let beyond = |part| shown(&EventRefusal::Beyond { part, event: Some(3), limit: 64 });
        let (status, document) = beyond(EventPart::Tags);
        assert_eq!((status, &document["event"]), (400, &3.into()));
        assert_eq!(document["detail"], "The tags of one event are at most 64, and there is more.");
        assert_eq!(beyond(EventPart::Data).0, 413);
        assert_eq!(beyond(EventPart::AllBytes).0, 413);
        let empty = |event| shown(&EventRefusal::Empty { part: EventPart::Events, event });
        assert_eq!(empty(None).1["type"], "urn:lineside:problem:invalid-body");
        assert_eq!(empty(Some(0)).1["type"], "urn:lineside:problem:invalid-event");
    }

    #[test]
    fn what_only_has_to_wait_may_be_tried_again() {
        let (indexed, last, as_of) = (EventNumber(1), EventNumber(9), EventNumber(1));
        assert_eq!(shown(&EventRefusal::IndexBehind { indexed, last }).0, 503);
        assert_eq!(shown(&EventRefusal::Stale { as_of, indexed, last }).0, 503);
        let name = Name::new("native/default");
        assert_eq!(shown(&EventRefusal::Missing { name: name.clone() }).0, 500);
        assert_eq!(shown(&EventRefusal::Exists { name }).0, 500);
    }
}
