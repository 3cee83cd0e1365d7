//! The operations of the native API.

use super::schemas::Schema;
use super::{models, queues, subscriptions};
use crate::problem::Kind;

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) body: Option<Body>,
    pub(super) answer: Answer,
    pub(super) problems: &'static [Kind],
}

/// One parameter.
#[derive(Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) description: &'static str,
    pub(super) schema: Schema,
    /// Its value is a JSON document.
    pub(super) is_json: bool,
    /// Its name alone says that it is true.
    pub(super) is_flag: bool,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
}

impl Place {
    pub(super) fn word(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
        }
    }
}

/// The body of a request.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// Its events may go to any stream.
    Anywhere,
    /// The path names the stream.
    OneStream,
    /// A JSON document.
    Json { schema: &'static str, is_needed: bool },
}

/// What a success brings.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    Appended,
    Events {
        follows: bool,
    },
    Event,
    /// A JSON document, with any of these statuses.
    Json {
        statuses: &'static [&'static str],
        schema: &'static str,
        description: &'static str,
    },
    /// A JSON document, and as of when it is.
    WithToken {
        schema: &'static str,
        description: &'static str,
    },
    /// Nothing but that it is done.
    Empty,
}

pub(super) const fn parameter(
    place: Place,
    name: &'static str,
    schema: Schema,
    description: &'static str,
) -> Parameter {
    let (is_json, is_flag) = (false, matches!(schema, Schema::Flag));
    Parameter { name, place, description, schema, is_json, is_flag }
}

pub(super) const fn query(
    name: &'static str,
    schema: Schema,
    description: &'static str,
) -> Parameter {
    parameter(Place::Query, name, schema, description)
}

const STREAM: Parameter =
    parameter(Place::Path, "stream", Schema::Stream, "The stream's name, percent-encoded.");

const IDEMPOTENCY_KEY: Parameter = parameter(
    Place::Header,
    "Idempotency-Key",
    Schema::Key,
    "Makes the append safe to repeat: if it was done under this key, its first answer comes again, \
     with `again`. The first event has the key as its tag `idempotency:…`.",
);

const EXPECTED_VERSION: Parameter = parameter(
    Place::Header,
    "Expected-Version",
    Schema::ExpectedHeader,
    "The version that the stream has to have: a number, empty (0), exists (not 0), any.",
);

const LAST_EVENT_ID: Parameter = parameter(
    Place::Header,
    "Last-Event-ID",
    Schema::Number,
    "The id of the last event that the reader has; it goes before from and after.",
);

pub(super) const AT_LEAST: Parameter = parameter(
    Place::Header,
    "At-Least",
    Schema::Token,
    "The Token of an answer: waits, for a while, until all that it had can be read.",
);

const FROM: Parameter = query("from", Schema::Number, "The number to begin at, inclusive.");
const TO: Parameter = query("to", Schema::Number, "The last number to read, inclusive.");
const LIMIT: Parameter = query("limit", Schema::Limit, "At most so many events.");
const BACKWARDS: Parameter = query("backwards", Schema::Flag, "From the newest to the oldest.");

const EVENTS: [Parameter; 15] = [
    query("type", Schema::Types, "Of this type; of any of them, if there are several."),
    query("tag", Schema::Tags, "With this tag; with all of them, if there are several."),
    query("stream", Schema::Stream, "In this stream."),
    query("category", Schema::Category, "In a stream whose name has this before its first hyphen."),
    query("correlation", Schema::Label, "With this correlation id."),
    Parameter {
        is_json: true,
        ..query("query", Schema::Query, "More items: an event fits if it fits any item.")
    },
    FROM,
    query(
        "after",
        Schema::Number,
        "The number to begin behind; backwards, below. With from, both hold.",
    ),
    query("at", Schema::Moment, "No event stored before this moment; backwards, none after it."),
    TO,
    LIMIT,
    BACKWARDS,
    query(
        "follow",
        Schema::Flag,
        "Stays open, and goes on with what comes, until to or limit. Server-Sent Events, or lines.",
    ),
    LAST_EVENT_ID,
    AT_LEAST,
];

const ONE_STREAM: [Parameter; 6] = [
    STREAM,
    query("from", Schema::Number, "The version to begin at, inclusive."),
    query("to", Schema::Number, "The last version to read, inclusive."),
    LIMIT,
    BACKWARDS,
    AT_LEAST,
];

const ONE_EVENT: [Parameter; 3] = [
    parameter(Place::Path, "number", Schema::Number, "The event's number."),
    query("mode", Schema::Mode, "The content mode of the answer; structured by default."),
    AT_LEAST,
];

/// What an append may say.
const APPEND_PROBLEMS: [Kind; 15] = [
    Kind::MalformedJson,
    Kind::InvalidBody,
    Kind::InvalidEvent,
    Kind::InvalidQuery,
    Kind::InvalidParameter,
    Kind::UnknownParameter,
    Kind::LimitExceeded,
    Kind::ReservedStream,
    Kind::Moved,
    Kind::TooLarge,
    Kind::UnsupportedMediaType,
    Kind::Internal,
    Kind::Busy,
    Kind::Unavailable,
    Kind::StorageFull,
];

/// All operations.
pub(super) fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS
        .iter()
        .chain(&subscriptions::OPERATIONS)
        .chain(&models::OPERATIONS)
        .chain(&queues::OPERATIONS)
}

/// The operations of events.
const OPERATIONS: [Operation; 5] = [
    Operation {
        method: "POST",
        path: "/v1/events",
        id: "appendEvents",
        summary: "Append events to any streams",
        description: "All of them, or none: also over several streams. The three modes of \
                      CloudEvents, and our own form with conditions.",
        parameters: &[IDEMPOTENCY_KEY],
        body: Some(Body::Anywhere),
        answer: Answer::Appended,
        problems: &APPEND_PROBLEMS,
    },
    Operation {
        method: "GET",
        path: "/v1/events",
        id: "readEvents",
        summary: "Read events by a query, or follow them",
        description: "In the order of their numbers. With follow the answer stays open.",
        parameters: &EVENTS,
        body: None,
        answer: Answer::Events { follows: true },
        problems: &[
            Kind::InvalidQuery,
            Kind::InvalidParameter,
            Kind::UnknownParameter,
            Kind::LimitExceeded,
            Kind::MalformedJson,
            Kind::NotAcceptable,
            Kind::Internal,
            Kind::Behind,
            Kind::Busy,
            Kind::Unavailable,
        ],
    },
    Operation {
        method: "POST",
        path: "/v1/streams/{stream}",
        id: "appendToStream",
        summary: "Append events to one stream",
        description: "All of them, or none; at the version that is expected, if one is.",
        parameters: &[STREAM, EXPECTED_VERSION, IDEMPOTENCY_KEY],
        body: Some(Body::OneStream),
        answer: Answer::Appended,
        problems: &APPEND_PROBLEMS,
    },
    Operation {
        method: "GET",
        path: "/v1/streams/{stream}",
        id: "readStream",
        summary: "Read one stream",
        description: "In the order of its versions. A stream without events is an empty one.",
        parameters: &ONE_STREAM,
        body: None,
        answer: Answer::Events { follows: false },
        problems: &[
            Kind::InvalidParameter,
            Kind::UnknownParameter,
            Kind::LimitExceeded,
            Kind::NotAcceptable,
            Kind::Internal,
            Kind::Behind,
            Kind::Busy,
            Kind::Unavailable,
        ],
    },
    Operation {
        method: "GET",
        path: "/v1/events/{number}",
        id: "readEvent",
        summary: "Read one event",
        description: "By its number, structured or in binary mode.",
        parameters: &ONE_EVENT,
        body: None,
        answer: Answer::Event,
        problems: &[
            Kind::InvalidParameter,
            Kind::UnknownParameter,
            Kind::LimitExceeded,
            Kind::NoSuchEvent,
            Kind::Internal,
            Kind::Behind,
            Kind::Busy,
            Kind::Unavailable,
        ],
    },
];
