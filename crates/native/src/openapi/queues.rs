//! The operation of queues, and its schemas.

use serde_json::{Value, json};

use super::schemas::{Schema, reference};
use super::table::{Answer, Operation, Parameter, Place, parameter};
use crate::problem::Kind;

const PARAMETERS: [Parameter; 3] = [
    parameter(
        Place::Path,
        "queue",
        Schema::Stream,
        "The queue's name, percent-encoded: as an SDK gives it, or a resource's full name.",
    ),
    parameter(Place::Query, "from", Schema::Number, "The number to begin at, inclusive."),
    parameter(Place::Query, "limit", Schema::Few, "At most so many; 64 if it does not say."),
];

/// All of them.
pub(super) const OPERATIONS: [Operation; 1] = [Operation {
    method: "GET",
    path: "/v1/queues/{queue}/events",
    id: "readQueue",
    summary: "Read the messages of a queue as events",
    description: "Those that live, in the order of their numbers; nothing is received by it. A \
                  message that is a structured CloudEvent is that event.",
    parameters: &PARAMETERS,
    body: None,
    answer: Answer::Json { statuses: &["200"], schema: "Messages", description: "Messages." },
    problems: &[
        Kind::InvalidParameter,
        Kind::UnknownParameter,
        Kind::LimitExceeded,
        Kind::NoSuchQueue,
        Kind::Internal,
        Kind::Busy,
        Kind::Unavailable,
    ],
}];

/// Their schemas by name.
pub(super) fn schemas() -> Value {
    let one = json!({
        "type": "object",
        "properties": {
            "number": {"type": "integer", "description": "Its number in the queue."},
            "state": {"enum": ["waiting", "in-flight", "delayed"]},
            "receives": {"type": "integer"},
            "group": {"type": "string"},
            "dead_lettered_from": {"type": "string"},
            "attributes": {"type": "object"},
            "unreadable": {"type": "string", "description": "Why the event cannot be read."},
            "event": {
                "description": "The event; null if it cannot be read.",
                "anyOf": [{"type": "object", "required": ["specversion"]}, {"type": "null"}],
            },
        },
        "required": ["number", "state", "receives", "event"],
        "additionalProperties": false,
    });
    json!({
        "Messages": {
            "type": "object",
            "properties": {
                "messages": {"type": "array", "items": one},
                "next": {"anyOf": [reference("Number"), {"type": "null"}]},
            },
            "required": ["messages", "next"],
            "additionalProperties": false,
        },
    })
}
