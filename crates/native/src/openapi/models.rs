//! The operations of models and states.

use serde_json::{Value, json};

use super::schemas::{Schema, reference};
use super::table::{AT_LEAST, Answer, Body, Operation, Parameter, Place, parameter, query};
use crate::bounds::{MODEL_NAME_BYTES_MAX, SCRIPT_BYTES_MAX};
use crate::problem::Kind;

const MODEL: Parameter = parameter(Place::Path, "model", Schema::ModelName, "The model's name.");

/// What any of these may say.
const ALWAYS: [Kind; 6] = [
    Kind::InvalidParameter,
    Kind::UnknownParameter,
    Kind::Internal,
    Kind::Behind,
    Kind::Busy,
    Kind::Unavailable,
];

/// The operations.
pub(super) const OPERATIONS: [Operation; 5] = [
    Operation {
        method: "GET",
        path: "/v1/models",
        id: "listModels",
        summary: "List the models",
        description: "By their names, without their modules.",
        parameters: &[AT_LEAST],
        body: None,
        answer: Answer::WithToken { schema: "Models", description: "The models." },
        problems: &ALWAYS,
    },
    Operation {
        method: "GET",
        path: "/v1/models/{model}",
        id: "readModel",
        summary: "Read one model",
        description: "As it is defined now. What it was is in the stream `$model-` with its name.",
        parameters: &[MODEL, AT_LEAST],
        body: None,
        answer: Answer::WithToken { schema: "Model", description: "The model." },
        problems: &[
            Kind::InvalidParameter,
            Kind::UnknownParameter,
            Kind::NoSuchModel,
            Kind::Internal,
            Kind::Behind,
            Kind::Busy,
            Kind::Unavailable,
        ],
    },
    Operation {
        method: "PUT",
        path: "/v1/models/{model}",
        id: "defineModel",
        summary: "Define a model",
        description: "How the events of each stream of a category become a state: by merge of \
                      their data, or by a module of JavaScript that exports \
                      `evolve(state, event)` and perhaps `initial`. It counts for all events, \
                      those before too. What is defined so already is not defined again.",
        parameters: &[MODEL],
        body: Some(Body::Json { schema: "ModelDefinition", is_needed: true }),
        answer: Answer::WithToken { schema: "Model", description: "The model." },
        problems: &[
            Kind::MalformedJson,
            Kind::InvalidBody,
            Kind::InvalidModel,
            Kind::InvalidParameter,
            Kind::UnknownParameter,
            Kind::LimitExceeded,
            Kind::TooLarge,
            Kind::Internal,
            Kind::Behind,
            Kind::Busy,
            Kind::Unavailable,
            Kind::StorageFull,
        ],
    },
    Operation {
        method: "DELETE",
        path: "/v1/models/{model}",
        id: "deleteModel",
        summary: "Delete a model",
        description: "What it folded stays, and so does the history of its definitions.",
        parameters: &[MODEL],
        body: None,
        answer: Answer::WithToken { schema: "DeletedModel", description: "It is deleted." },
        problems: &[
            Kind::InvalidParameter,
            Kind::UnknownParameter,
            Kind::NoSuchModel,
            Kind::Internal,
            Kind::Behind,
            Kind::Busy,
            Kind::Unavailable,
            Kind::StorageFull,
        ],
    },
    Operation {
        method: "GET",
        path: "/v1/state/{model}/{id}",
        id: "readState",
        summary: "Read the state of one entity, or the difference of two of its states",
        description: "The state of the stream that has the model's category before its first \
                      hyphen and the id behind it: at its last event, at a version, or at a \
                      moment by the time at which events were stored. Without events it is the \
                      model's first state, at version 0.",
        parameters: &[
            MODEL,
            parameter(Place::Path, "id", Schema::EntityId, "The entity's id, percent-encoded."),
            query("version", Schema::Number, "Behind the event of this version; 0: before all."),
            query(
                "at",
                Schema::Moment,
                "Behind the last event stored at this moment or before it. With version, both \
                 hold.",
            ),
            query(
                "diff",
                Schema::Point,
                "A version or a moment: the answer is the difference from the state there to the \
                 one that version and at say.",
            ),
            AT_LEAST,
        ],
        body: None,
        answer: Answer::WithToken { schema: "State", description: "The state, or the difference." },
        problems: &[
            Kind::InvalidParameter,
            Kind::UnknownParameter,
            Kind::NoSuchModel,
            Kind::NoSuchVersion,
            Kind::FoldFailed,
            Kind::Internal,
            Kind::Behind,
            Kind::Busy,
            Kind::Unavailable,
        ],
    },
];

/// The schemas that have a name.
pub(super) fn schemas() -> Value {
    json!({
        "ModelDefinition": definition(),
        "Model": model(),
        "Models": models(),
        "DeletedModel": deleted(),
        "State": state(),
    })
}

/// The schema of a model's name.
pub(super) fn name() -> Value {
    let pattern = format!("^[A-Za-z0-9_-]{{1,{MODEL_NAME_BYTES_MAX}}}$");
    json!({"type": "string", "pattern": pattern})
}

/// Where a state is told: a version, or a moment.
pub(super) fn point() -> Value {
    json!({"anyOf": [reference("Number"), {"type": "string", "format": "date-time"}]})
}

/// What PUT takes.
fn definition() -> Value {
    let category = reference("Category");
    let off = json!({"anyOf": [{"const": false}, {"type": "null"}]});
    let script = json!({
        "type": "string", "maxLength": SCRIPT_BYTES_MAX,
        "description": "The text of a module. `evolve(state, event)` gives the state behind an \
            event, or changes the one that it is given and gives nothing. An event is as in the \
            structured mode. What would differ from one time or place to another is refused: \
            Date.now(), new Date() without a moment, Math.random(), imports.",
    });
    json!({
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "category": category, "merge": {"const": true}, "javascript": {"type": "null"},
                },
                "required": ["category", "merge"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": {"category": category, "javascript": script, "merge": off},
                "required": ["category", "javascript"],
                "additionalProperties": false,
            },
        ],
    })
}

fn members() -> Value {
    json!({
        "name": name(),
        "category": {"type": "string"},
        "version": {"type": "integer", "description": "How often it was defined or deleted."},
        "number": {"type": "integer", "description": "The number of the event that says so."},
        "defined": {"type": ["string", "null"], "format": "date-time"},
    })
}

/// One model as an answer.
fn model() -> Value {
    let mut properties = members();
    if let Value::Object(properties) = &mut properties {
        properties.insert("merge".into(), json!({"const": true}));
        properties.insert("javascript".into(), json!({"type": "string"}));
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": ["name", "category", "version", "number", "defined"],
        "additionalProperties": false,
    })
}

/// All of them as an answer.
fn models() -> Value {
    let mut properties = members();
    if let Value::Object(properties) = &mut properties {
        properties.insert("kind".into(), json!({"enum": ["merge", "javascript"]}));
    }
    let one = json!({
        "type": "object",
        "properties": properties,
        "required": ["name", "category", "version", "number", "defined", "kind"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {"models": {"type": "array", "items": one}},
        "required": ["models"],
        "additionalProperties": false,
    })
}

/// What a deletion answers.
fn deleted() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": name(),
            "version": {"type": "integer"},
            "number": {"type": "integer", "description": "The number of the event that says so."},
        },
        "required": ["name", "version", "number"],
        "additionalProperties": false,
    })
}

/// A state, or a difference, as an answer.
fn state() -> Value {
    let entity = |mut more: Value, names: &[&str]| {
        let mut required = vec!["model", "id", "stream"];
        required.extend(names);
        if let Value::Object(more) = &mut more {
            more.extend(
                ["model", "id", "stream"].map(|name| (name.to_owned(), json!({"type": "string"}))),
            );
        }
        json!({
            "type": "object", "properties": more, "required": required,
            "additionalProperties": false,
        })
    };
    let names = ["version", "number", "recorded", "state"];
    let side = json!({
        "type": "object", "properties": of_side(), "required": names,
        "additionalProperties": false,
    });
    let patch = json!({
        "type": "array", "items": {"type": "object"},
        "description": "A JSON Patch (RFC 6902) that makes the one state of the other.",
    });
    let difference = json!({"from": side, "to": side, "diff": patch});
    json!({"anyOf": [entity(of_side(), &names), entity(difference, &["from", "to", "diff"])]})
}

fn of_side() -> Value {
    json!({
        "version": {
            "type": "integer",
            "description": "The version of the last event in the state; 0 if there is none.",
        },
        "number": {"type": "integer", "description": "That event's number; 0 if there is none."},
        "recorded": {
            "type": ["string", "null"], "format": "date-time",
            "description": "When that event was stored.",
        },
        "state": {"description": "Any JSON."},
    })
}
