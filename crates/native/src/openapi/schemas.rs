//! The schemas of the document (JSON Schema 2020-12).

use serde_json::{Value, json};

use super::models;
use crate::bounds::{
    ATTRIBUTE_BYTES_MAX, EVENTS_MAX, EXTENSIONS_MAX, ID_CHARS_MAX, KEY_BYTES_MAX, LABEL_BYTES_MAX,
    LIMIT_DEFAULT, LIMIT_MAX, NAME_BYTES_MAX, NUMBER_MAX, QUERY_ITEMS_MAX, STREAM_BYTES_MAX,
    TAG_BYTES_MAX, TAGS_MAX,
};

/// The schema of a parameter.
#[derive(Clone, Copy)]
pub(super) enum Schema {
    Stream,
    Category,
    Label,
    Types,
    Tags,
    Query,
    Number,
    Moment,
    Limit,
    Flag,
    Mode,
    Token,
    Key,
    ExpectedHeader,
    ModelName,
    EntityId,
    Point,
    Plain,
    Few,
}

/// A schema by its name.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The schema of a parameter.
pub(super) fn of_parameter(schema: Schema) -> Value {
    match schema {
        Schema::Stream => reference("StreamName"),
        Schema::Category => reference("Category"),
        Schema::Label => reference("Label"),
        Schema::Types => {
            json!({"type": "array", "items": reference("Label"), "maxItems": TAGS_MAX})
        }
        Schema::Tags => json!({"type": "array", "items": reference("Tag"), "maxItems": TAGS_MAX}),
        Schema::Query => reference("Query"),
        Schema::Number => reference("Number"),
        Schema::Moment => json!({"type": "string", "format": "date-time"}),
        Schema::Limit => json!({
            "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT,
        }),
        Schema::Flag => json!({"type": "boolean", "default": false}),
        Schema::Mode => json!({"enum": ["structured", "binary"], "default": "structured"}),
        Schema::Token => json!({"type": "string", "pattern": "^e[0-9a-f]{1,13}$"}),
        Schema::Key => json!({
            "type": "string", "pattern": "^[!-+.-~-]([ -+.-~-]*[!-+.-~-])?$",
            "not": {"pattern": "^\"(.* )?\"$"},
            "minLength": 1, "maxLength": KEY_BYTES_MAX,
        }),
        Schema::Plain => json!({
            "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$",
            "minLength": 1, "maxLength": 128,
        }),
        Schema::Few => json!({"type": "integer", "minimum": 1, "maximum": 64}),
        Schema::ModelName => models::name(),
        Schema::EntityId => text(ID_CHARS_MAX),
        Schema::Point => models::point(),
        Schema::ExpectedHeader => {
            json!({"type": "string", "pattern": "^(any|empty|exists|[0-9]{1,15})$"})
        }
    }
}

/// The attributes that an event of CloudEvents has to have.
const CLOUD_EVENT: [&str; 4] = ["specversion", "id", "source", "type"];

/// All schemas that have a name.
pub(super) fn all() -> Value {
    json!({
        "CloudEvent": cloud_event(&CLOUD_EVENT, false),
        "CloudEventOfStream": of_stream(cloud_event(&CLOUD_EVENT, false)),
        "ProposedEvent": cloud_event(&["type"], true),
        "ProposedEventOfStream": of_stream(cloud_event(&["type"], true)),
        "RecordedEvent": recorded_event(),
        "Append": append(false),
        "AppendToStream": append(true),
        "Appended": appended(),
        "Page": page(),
        "Query": {
            "description": "An item, or items of which any may fit. No items fit every event.",
            "anyOf": [
                reference("QueryItem"),
                {"type": "array", "items": reference("QueryItem"), "maxItems": QUERY_ITEMS_MAX},
            ],
        },
        "QueryItem": query_item(),
        "Boundary": {
            "description": "No event behind `after` may match the query.",
            "type": "object",
            "properties": {"query": reference("Query"), "after": reference("Number")},
            "required": ["query", "after"],
            "additionalProperties": false,
        },
        "Expected": {
            "description": "The version that a stream has to have; empty is 0, exists is not 0.",
            "anyOf": [reference("Number"), {"enum": ["any", "empty", "exists"]}],
        },
        "ExpectedOfStreams": {
            "type": "object",
            "propertyNames": reference("StreamName"),
            "additionalProperties": reference("Expected"),
            "maxProperties": EVENTS_MAX,
        },
        "Number": {"type": "integer", "minimum": 0, "maximum": NUMBER_MAX},
        "StreamName": text(STREAM_BYTES_MAX),
        "Text": text(ATTRIBUTE_BYTES_MAX),
        "Category": {
            "type": "string", "pattern": format!("^[^-{}]+$", never()),
            "minLength": 1, "maxLength": STREAM_BYTES_MAX,
        },
        "Label": text(LABEL_BYTES_MAX),
        "Tag": {
            "type": "string",
            "pattern": format!("^[^,\\s{0}]([^,{0}]*[^,\\s{0}])?$", never()),
            "minLength": 1, "maxLength": TAG_BYTES_MAX,
        },
        "Problem": problem(),
    })
}

/// The letters that no text of CloudEvents has, for inside of brackets of a pattern: control
/// characters, and the code points that are no characters, each as itself, since the dialects of
/// patterns agree on no escape for those beyond 16 bits.
fn never() -> String {
    let planes = (0..=0x10_u32).flat_map(|plane| [plane << 16 | 0xfffe, plane << 16 | 0xffff]);
    let nonchars = planes.filter_map(char::from_u32);
    "\\u0000-\\u001f\\u007f-\\u009f\\ufdd0-\\ufdef".chars().chain(nonchars).collect()
}

/// A text of CloudEvents that is not empty.
fn text(longest: usize) -> Value {
    json!({
        "type": "string", "pattern": format!("^[^{}]+$", never()),
        "minLength": 1, "maxLength": longest,
    })
}

/// A text of CloudEvents.
fn any_text() -> Value {
    json!({
        "type": "string", "pattern": format!("^[^{}]*$", never()),
        "maxLength": ATTRIBUTE_BYTES_MAX,
    })
}

/// An event that is sent, in CloudEvents' form or in our own. An optional attribute that is null is
/// not there.
fn cloud_event(required: &[&str], is_ours: bool) -> Value {
    json!({
        "description": "An event of CloudEvents 1.0; all other members are extensions.",
        "type": "object",
        "properties": attributes(required, is_ours),
        "required": required,
        "propertyNames": {"pattern": format!("^([a-z0-9]{{1,{NAME_BYTES_MAX}}}|data_base64)$")},
        "additionalProperties": {
            "anyOf": [
                {"type": ["boolean", "null"]},
                any_text(),
                {"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX},
            ],
        },
        "maxProperties": EXTENSIONS_MAX,
        "not": {"required": ["data", "data_base64"]},
        // Data is text in a string, unless its content type says JSON, or says nothing.
        "anyOf": [
            {"properties": {"data": {"type": "string"}}},
            {"properties": {"datacontenttype": {
                "anyOf": [
                    {"type": "string", "pattern": "^[a-z]+/([a-z.+-]+\\+)?json$"},
                    {"type": "null"},
                ],
            }}},
        ],
    })
}

/// An event whose stream the path names. It may name the same, which a schema cannot say, and is
/// refused when it names another, so here it names none.
fn of_stream(mut event: Value) -> Value {
    if let Some(stream) = event.pointer_mut("/properties/stream") {
        *stream = json!({"type": "null", "description": "The path names the stream."});
    }
    event
}

/// The attributes that have a meaning here.
fn attributes(required: &[&str], is_ours: bool) -> Value {
    let maybe = |schema: Value| json!({"anyOf": [schema, {"type": "null"}]});
    let format = |format: &str| json!({"type": "string", "format": format, "minLength": 1});
    let list = json!({"type": "array", "items": reference("Tag"), "maxItems": TAGS_MAX});
    let tag = format!("[^,{}]{{0,{TAG_BYTES_MAX}}}", never());
    let tags = json!({
        "description": "Tags with commas between them.",
        "type": "string", "pattern": format!("^{tag}(,{tag}){{0,{}}}$", TAGS_MAX - 1),
    });
    let mut all = json!({
        "specversion": {"const": "1.0"},
        "id": reference("Text"),
        "source": format("uri-reference"),
        "type": reference("Label"),
        "subject": reference("Text"),
        "time": format("date-time"),
        "datacontenttype": {"type": "string", "pattern": "^[a-z]+/[a-z.+-]+$"},
        "dataschema": format("uri"),
        "stream": reference("StreamName"),
        "tags": if is_ours { json!({"anyOf": [list, tags]}) } else { tags },
        "correlationid": reference("Label"),
        "causationid": reference("Text"),
        "traceparent": any_text(),
        "data_base64": {
            "type": "string",
            "contentEncoding": "base64",
            "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        },
    });
    if let Value::Object(all) = &mut all {
        for (_, schema) in all.iter_mut().filter(|(name, _)| !required.contains(&name.as_str())) {
            *schema = maybe(schema.take());
        }
        let data = "JSON; of another datacontenttype, its text in a string.";
        all.insert("data".to_owned(), json!({"description": data}));
    }
    all
}

fn recorded_event() -> Value {
    let digits = json!({"type": "string", "pattern": "^[1-9][0-9]*$"});
    let described =
        |schema: &Value, description: &str| json!({"allOf": [schema], "description": description});
    json!({
        "description": "An event with what the store gave it. Numbers are strings: an Integer \
                        of CloudEvents has 32 bits.",
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string"},
            "source": {"type": "string"},
            "type": {"type": "string"},
            "stream": {"type": "string"},
            "eventnumber": described(&digits, "Its number, without gaps over all streams, from 1."),
            "streamversion": described(&digits, "Its version in its stream, without gaps, from 1."),
            "storedtime": {"type": "string", "format": "date-time"},
            "tags": {"type": "string"},
        },
        "required": [
            "specversion", "id", "source", "type", "stream", "eventnumber", "streamversion",
        ],
    })
}

/// Our own form of an append: an event, events, or events under a condition.
fn append(has_stream: bool) -> Value {
    let event = if has_stream { "ProposedEventOfStream" } else { "ProposedEvent" };
    let events = json!({
        "type": "array", "items": reference(event), "minItems": 1, "maxItems": EVENTS_MAX,
    });
    let expected = if has_stream {
        json!({"anyOf": [reference("Expected"), reference("ExpectedOfStreams")]})
    } else {
        reference("ExpectedOfStreams")
    };
    let conditional = json!({
        "type": "object",
        "properties": {
            "events": events,
            "expected": expected,
            "boundary": reference("Boundary"),
            "unless": {
                "allOf": [reference("Query")],
                "description": "If an event matches, this was done before: the first answer comes.",
            },
        },
        "required": ["events"],
        "additionalProperties": false,
    });
    json!({"anyOf": [conditional, events, reference(event)]})
}

fn appended() -> Value {
    json!({
        "type": "object",
        "properties": {
            "first": {"type": ["integer", "null"], "description": "The first event's number."},
            "last": {"type": ["integer", "null"], "description": "The last event's number."},
            "again": {"type": "boolean", "description": "It was done before, and not now."},
            "streams": {
                "type": "object",
                "additionalProperties": {"type": "integer"},
                "description": "The version of each stream that was appended to, behind it.",
            },
        },
        "required": ["first", "last", "again", "streams"],
        "additionalProperties": false,
    })
}

fn page() -> Value {
    json!({
        "type": "object",
        "properties": {
            "events": {"type": "array", "items": reference("RecordedEvent")},
            "next": {
                "type": ["integer", "null"],
                "description": "What to give as `from` to go on; null: there is no more.",
            },
        },
        "required": ["events", "next"],
        "additionalProperties": false,
    })
}

fn query_item() -> Value {
    let list = |name| json!({"type": "array", "items": reference(name), "maxItems": TAGS_MAX});
    json!({
        "description": "Fits an event for which every part that is given holds.",
        "type": "object",
        "properties": {
            "types": list("Label"),
            "tags": list("Tag"),
            "stream": reference("StreamName"),
            "category": reference("Category"),
            "correlation": reference("Label"),
        },
        "additionalProperties": false,
    })
}

fn problem() -> Value {
    json!({
        "description": "RFC 9457, with what to do next.",
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What happened, and why."},
            "next": {"type": "string", "description": "What to do next."},
            "at": {
                "type": "string",
                "description": "Where it lies in the request: a JSON pointer into the body, \
                                `header …` or `parameter …`.",
            },
            "instance": {"type": "string", "format": "uri-reference"},
        },
        "required": ["type", "title", "status", "detail", "next"],
    })
}
