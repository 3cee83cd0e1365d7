//! The operations of subscriptions, and their schemas.

use serde_json::{Value, json};

use super::schemas::{Schema, reference};
use super::table::{Answer, Body, Operation, Parameter, Place, parameter};
use crate::bounds::{
    ATTEMPTS_MAX, LEASE_SECONDS_MAX, NUMBER_MAX, PARKED_MAX, REASON_BYTES_MAX, RECEIPTS_MAX,
    RECEIVE_MAX, WAIT_SECONDS_MAX,
};
use crate::problem::Kind;

const NAME: Parameter = parameter(
    Place::Path,
    "name",
    Schema::Plain,
    "The subscription's name: letters, digits, and inside - _ and a full stop.",
);

const PAGE: [Parameter; 2] = [
    parameter(Place::Query, "after", Schema::Plain, "Only those whose names come after this one."),
    parameter(Place::Query, "limit", Schema::Few, "At most so many; 64 if it does not say."),
];

const PARKED: [Parameter; 3] = [
    NAME,
    parameter(Place::Query, "from", Schema::Number, "The id to begin at, inclusive."),
    parameter(Place::Query, "limit", Schema::Few, "At most so many, up to 64."),
];

/// What any of them may say.
const COMMON: [Kind; 10] = [
    Kind::InvalidBody,
    Kind::InvalidParameter,
    Kind::UnknownParameter,
    Kind::LimitExceeded,
    Kind::MalformedJson,
    Kind::NoSuchSubscription,
    Kind::TooLarge,
    Kind::Internal,
    Kind::Busy,
    Kind::Unavailable,
];

/// What those say that want workers.
const OF_WORKERS: [Kind; 14] = [
    Kind::InvalidBody,
    Kind::InvalidParameter,
    Kind::UnknownParameter,
    Kind::LimitExceeded,
    Kind::MalformedJson,
    Kind::NoSuchSubscription,
    Kind::OtherKind,
    Kind::Moved,
    Kind::BeyondEnd,
    Kind::TooLarge,
    Kind::Internal,
    Kind::Behind,
    Kind::Busy,
    Kind::Unavailable,
];

const fn of_workers(
    path: &'static str,
    id: &'static str,
    (summary, description): (&'static str, &'static str),
    (body, is_needed): (&'static str, bool),
    answer: &'static str,
) -> Operation {
    Operation {
        method: "POST",
        path,
        id,
        summary,
        description,
        parameters: &[NAME],
        body: Some(Body::Json { schema: body, is_needed }),
        answer: Answer::Json { statuses: &["200"], schema: answer, description: "It is done." },
        problems: &OF_WORKERS,
    }
}

const OK: &[&str] = &["200"];

/// All of them.
pub(super) const OPERATIONS: [Operation; 10] = [
    Operation {
        method: "GET",
        path: "/v1/subscriptions",
        id: "listSubscriptions",
        summary: "List the durable subscriptions",
        description: "In the order of their names, a page at a time.",
        parameters: &PAGE,
        body: None,
        answer: Answer::Json {
            statuses: OK,
            schema: "Subscriptions",
            description: "Subscriptions as they stand.",
        },
        problems: &[
            Kind::InvalidParameter,
            Kind::UnknownParameter,
            Kind::LimitExceeded,
            Kind::Internal,
            Kind::Busy,
            Kind::Unavailable,
        ],
    },
    Operation {
        method: "PUT",
        path: "/v1/subscriptions/{name}",
        id: "putSubscription",
        summary: "Make a durable subscription",
        description: "A cursor; or work for those who compete for it, in order by key; or what \
                      feeds a queue. One that is there as it is to be stays as it is.",
        parameters: &[NAME],
        body: Some(Body::Json { schema: "SubscriptionSpec", is_needed: true }),
        answer: Answer::Json {
            statuses: &["200", "201"],
            schema: "Subscription",
            description: "The subscription as it stands.",
        },
        problems: &[
            Kind::InvalidBody,
            Kind::InvalidQuery,
            Kind::InvalidParameter,
            Kind::UnknownParameter,
            Kind::LimitExceeded,
            Kind::MalformedJson,
            Kind::NoSuchQueue,
            Kind::ExistsOtherwise,
            Kind::BeyondEnd,
            Kind::TooLarge,
            Kind::Internal,
            Kind::Busy,
            Kind::Unavailable,
            Kind::StorageFull,
        ],
    },
    Operation {
        method: "GET",
        path: "/v1/subscriptions/{name}",
        id: "getSubscription",
        summary: "Look at a subscription",
        description: "What it is, how far it has come, what waits and what was given up.",
        parameters: &[NAME],
        body: None,
        answer: Answer::Json {
            statuses: OK,
            schema: "Subscription",
            description: "The subscription as it stands.",
        },
        problems: &COMMON,
    },
    Operation {
        method: "DELETE",
        path: "/v1/subscriptions/{name}",
        id: "deleteSubscription",
        summary: "Delete a subscription",
        description: "With what waits for its workers and what they gave up; a queue that it fed \
                      stays.",
        parameters: &[NAME],
        body: None,
        answer: Answer::Empty,
        problems: &COMMON,
    },
    of_workers(
        "/v1/subscriptions/{name}/receive",
        "receiveWork",
        ("Ask for work", "Of one key, the next event comes when the one before is settled."),
        ("Receive", false),
        "Deliveries",
    ),
    of_workers(
        "/v1/subscriptions/{name}/ack",
        "ackWork",
        ("Settle work, or move a cursor", "Work by its receipts; a cursor by a number."),
        ("Ack", true),
        "SettledOrSubscription",
    ),
    of_workers(
        "/v1/subscriptions/{name}/nack",
        "nackWork",
        ("Give work back", "It is handed out again, after a while if that is said."),
        ("Nack", true),
        "Settled",
    ),
    of_workers(
        "/v1/subscriptions/{name}/park",
        "parkWork",
        ("Give work up", "It is parked, and the key goes on with its next event."),
        ("Park", true),
        "Settled",
    ),
    of_workers(
        "/v1/subscriptions/{name}/replay",
        "replayParked",
        ("Bring back what was given up", "Some of it by id, the oldest, or all of it."),
        ("Replay", false),
        "Replayed",
    ),
    Operation {
        method: "GET",
        path: "/v1/subscriptions/{name}/parked",
        id: "readParked",
        summary: "Look at what was given up",
        description: "In the order in which it was, a page at a time.",
        parameters: &PARKED,
        body: None,
        answer: Answer::Json { statuses: OK, schema: "Parked", description: "Parked events." },
        problems: &OF_WORKERS,
    },
];

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn whole(least: u64, most: u64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

fn receipts() -> Value {
    json!({
        "type": "array",
        "items": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 256},
        "minItems": 1,
        "maxItems": RECEIPTS_MAX,
    })
}

/// Their schemas by name.
pub(super) fn schemas() -> Value {
    let lease = whole(1, LEASE_SECONDS_MAX);
    let receipts = receipts();
    json!({
        "SubscriptionSpec": spec(),
        "Subscription": subscription(),
        "Subscriptions": object(&json!({
            "subscriptions": {"type": "array", "items": reference("Subscription")},
            "next": {"type": ["string", "null"], "description": "What to give as `after`."},
        }), &["subscriptions", "next"]),
        "Receive": object(&json!({
            "max": whole(1, RECEIVE_MAX as u64),
            "wait_seconds": whole(0, WAIT_SECONDS_MAX),
            "lease_seconds": lease,
        }), &[]),
        "Deliveries": object(&json!({
            "deliveries": {"type": "array", "items": object(&json!({
                "receipt": {"type": "string"},
                "attempt": {"type": "integer"},
                "event": reference("RecordedEvent"),
            }), &["receipt", "attempt", "event"])},
        }), &["deliveries"]),
        "Ack": {"anyOf": [
            object(&json!({"receipts": receipts}), &["receipts"]),
            object(&json!({"upto": reference("Number"), "after": reference("Number")}), &["upto"]),
        ]},
        "Nack": object(
            &json!({"receipts": receipts, "delay_seconds": whole(0, LEASE_SECONDS_MAX)}),
            &["receipts"],
        ),
        "Park": object(&json!({
            "receipts": receipts,
            "reason": {"type": "string", "pattern": "^[ -~]+$", "maxLength": REASON_BYTES_MAX},
        }), &["receipts"]),
        "Replay": {"anyOf": [
            object(&json!({"ids": {
                "type": "array", "items": whole(1, NUMBER_MAX), "maxItems": PARKED_MAX,
            }}), &["ids"]),
            object(&json!({"max": whole(1, NUMBER_MAX)}), &[]),
        ]},
        "Replayed": object(&json!({"replayed": {"type": "integer"}}), &["replayed"]),
        "Settled": settled(),
        "SettledOrSubscription": {"anyOf": [settled(), reference("Subscription")]},
        "Parked": parked(),
    })
}

fn settled() -> Value {
    object(
        &json!({
            "settled": {"type": "integer"},
            "lost": {
                "type": "array",
                "items": {"type": "string"},
                "description": "The receipts of what was in other hands by then.",
            },
        }),
        &["settled", "lost"],
    )
}

fn parked() -> Value {
    let one = json!({
        "id": {"type": "integer"},
        "attempts": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
        "reason": {"type": ["string", "null"]},
        "event": {"anyOf": [reference("RecordedEvent"), {"type": "null"}]},
        "eventnumber": {"type": "string"},
        "unreadable": {"type": "string", "description": "Why the event cannot be read."},
    });
    object(
        &json!({
            "parked": {"type": "array", "items": object(&one, &["id", "attempts", "at", "event"])},
            "next": {"type": ["integer", "null"], "description": "What to give as `from`."},
        }),
        &["parked", "next"],
    )
}

fn workers() -> Value {
    object(
        &json!({
            "lease_seconds": whole(1, LEASE_SECONDS_MAX),
            "attempts": whole(1, ATTEMPTS_MAX),
            "order": {"enum": ["stream", "correlation", "none"]},
        }),
        &[],
    )
}

fn spec() -> Value {
    let begin = json!({
        "description": "An event's number, inclusive; or start, the default; or end.",
        "anyOf": [whole(1, NUMBER_MAX), {"enum": ["start", "end"]}],
    });
    let with = |more: Value| {
        let mut properties = json!({"query": reference("Query"), "from": begin});
        if let (Value::Object(all), Value::Object(more)) = (&mut properties, more) {
            all.extend(more);
        }
        object(&properties, &[])
    };
    let queue = json!({
        "description": "A queue by its name, or a resource's full name.",
        "type": "string", "pattern": "^[!-~]+$", "maxLength": 512,
    });
    json!({
        "description": "With workers, work for those who compete for it; with a queue, what feeds \
                        it; with neither, a cursor.",
        "anyOf": [with(json!({})), with(json!({"workers": workers()})), with(json!({"queue": queue}))],
    })
}

fn subscription() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let moment = json!({"type": "string", "format": "date-time"});
    let properties = json!({
        "name": {"type": "string"},
        "query": reference("Query"),
        "from": {"type": "integer", "minimum": 1},
        "cursor": {"type": "integer", "description": "Events up to here are done with, or fed."},
        "end": {"type": "integer", "description": "The last event's number."},
        "behind": {"type": "integer", "description": "How far the cursor is behind the end."},
        "created": moment,
        "moved": moment,
        "workers": workers(),
        "queue": {"type": ["string", "null"]},
        "queue_is_there": {"type": "boolean"},
        "waiting": count,
        "in_flight": count,
        "parked": count,
        "fed": {"type": "integer", "description": "How many messages were made of events."},
        "trouble": {
            "type": ["string", "null"],
            "description": "What keeps it from going on at the moment.",
        },
    });
    let required = ["name", "query", "from", "cursor", "end", "behind", "created", "moved"];
    object(&properties, &required)
}
