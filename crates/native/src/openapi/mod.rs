//! The OpenAPI 3.1 document of the native API, out of one table of its operations. What is not in
//! the table is not there; `openapi.json` beside the sources is the document as it is served, and a
//! test compares them (`LINESIDE_WRITE_OPENAPI=1` with that test writes it anew).

mod models;
mod queues;
mod schemas;
mod subscriptions;
mod table;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::problem::{Kind, MEDIA_TYPE};
use table::{Answer, Body, Operation, Parameter, Place, operations};

/// The document as it is served.
pub fn text() -> Bytes {
    Bytes::from_static(include_bytes!("../../openapi.json"))
}

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(operation.method.to_lowercase(), described(operation));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lineside",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Streams of events: append under a condition, read at any time, follow.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": all_schemas(), "responses": problems()},
    })
}

fn all_schemas() -> Value {
    let mut all = schemas::all();
    for more in [subscriptions::schemas(), models::schemas(), queues::schemas()] {
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
    }
    all
}

fn described(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": operation.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": responses(operation),
    });
    if let (Some(body), Value::Object(members)) = (operation.body, &mut described) {
        members.insert("requestBody".to_owned(), request_body(body));
    }
    described
}

fn parameter(parameter: &Parameter) -> Value {
    let mut described = json!({
        "name": parameter.name,
        "in": parameter.place.word(),
        "required": parameter.place == Place::Path,
        "description": parameter.description,
    });
    let Value::Object(members) = &mut described else { return described };
    let schema = schemas::of_parameter(parameter.schema);
    if parameter.is_json {
        members.insert("content".into(), json!({"application/json": {"schema": schema}}));
    } else {
        members.insert("schema".into(), schema);
    }
    if parameter.is_flag {
        members.insert("allowEmptyValue".into(), true.into());
    }
    described
}

fn request_body(body: Body) -> Value {
    let (own, event) = match body {
        Body::Anywhere => ("Append", "CloudEvent"),
        Body::OneStream => ("AppendToStream", "CloudEventOfStream"),
        Body::Json { schema, is_needed } => {
            let content = json!({"application/json": {"schema": schemas::reference(schema)}});
            return json!({"required": is_needed, "content": content});
        }
    };
    json!({
        "required": true,
        "description": "CloudEvents, structured or in a batch; or our own form, which leaves out \
            what the server can give, and may say a condition. In binary mode the body is the \
            data, of any media type, and the attributes are headers ce-*.",
        "content": {
            "application/cloudevents+json": {"schema": schemas::reference(event)},
            "application/cloudevents-batch+json": {
                "schema": {
                    "type": "array",
                    "items": schemas::reference(event),
                    "maxItems": crate::bounds::EVENTS_MAX,
                },
            },
            "application/json": {"schema": schemas::reference(own)},
        },
    })
}

/// What the operation answers: its success, and all problems of one status together.
fn responses(operation: &Operation) -> Value {
    let mut responses = Map::new();
    for status in statuses(operation.answer) {
        responses.insert((*status).to_owned(), success(operation.answer));
    }
    if let Answer::Event = operation.answer {
        let bare = "The event in binary mode: it has no data, and its attributes are headers ce-*.";
        responses.insert("204".to_owned(), json!({"description": bare}));
    }
    for kind in operation.problems {
        let status = kind.status();
        let of_status = operation.problems.iter().filter(|other| other.status() == status);
        let names: Vec<&str> = of_status.map(|kind| kind.name()).collect();
        let response = match names.as_slice() {
            [name] => json!({"$ref": format!("#/components/responses/{name}")}),
            _ => problem_response(&names.join(", "), &names),
        };
        responses.insert(status.as_str().to_owned(), response);
    }
    Value::Object(responses)
}

/// The statuses of its success.
fn statuses(answer: Answer) -> &'static [&'static str] {
    match answer {
        Answer::Json { statuses, .. } => statuses,
        Answer::Empty => &["204"],
        Answer::Appended | Answer::Events { .. } | Answer::Event | Answer::WithToken { .. } => {
            &["200"]
        }
    }
}

fn success(answer: Answer) -> Value {
    let array = json!({"type": "array", "items": schemas::reference("RecordedEvent")});
    let text = json!({"type": "string"});
    match answer {
        Answer::Appended => json!({
            "description": "The events are stored, durably; or were before, which `again` says.",
            "headers": {"Token": token()},
            "content": {"application/json": {"schema": schemas::reference("Appended")}},
        }),
        Answer::Events { follows } => {
            let mut content = json!({
                "application/json": {"schema": schemas::reference("Page")},
                "application/cloudevents-batch+json": {"schema": array},
                "application/x-ndjson": {"schema": text},
            });
            if let (true, Value::Object(content)) = (follows, &mut content) {
                let events = "Server-Sent Events; the data of each is an event, or of one with a \
                    name, a notice.";
                let schema = json!({"description": events});
                content.insert("text/event-stream".to_owned(), json!({"schema": schema}));
            }
            json!({
                "description": "Events, in the order that was asked for.",
                "headers": {"Token": token(), "Next": next()},
                "content": content,
            })
        }
        Answer::Event => json!({
            "description": "The event: structured; in binary mode, of its data's media type.",
            "content": {
                "application/cloudevents+json": {"schema": schemas::reference("RecordedEvent")},
                "*/*": {"schema": {}},
            },
        }),
        Answer::Json { schema, description, .. } => json!({
            "description": description,
            "content": {"application/json": {"schema": schemas::reference(schema)}},
        }),
        Answer::WithToken { schema, description } => json!({
            "description": description,
            "headers": {"Token": token()},
            "content": {"application/json": {"schema": schemas::reference(schema)}},
        }),
        Answer::Empty => json!({"description": "It is done."}),
    }
}

fn token() -> Value {
    json!({
        "description": "As of when the answer is: a read with it in At-Least has at least as much. \
            An answer that stays open has none.",
        "schema": {"type": "string"},
    })
}

fn next() -> Value {
    json!({
        "description": "What to give as `from` to go on, if there is more.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    })
}

/// A response for each problem.
fn problems() -> Value {
    let one =
        |kind: &Kind| (kind.name().to_owned(), problem_response(kind.title(), &[kind.name()]));
    Value::Object(Kind::ALL.iter().map(one).collect())
}

fn problem_response(description: &str, names: &[&str]) -> Value {
    let types: Vec<String> = Kind::ALL
        .iter()
        .filter(|kind| names.contains(&kind.name()))
        .map(|kind| kind.uri())
        .collect();
    let schema = json!({
        "allOf": [
            schemas::reference("Problem"),
            {"properties": {"type": {"enum": types}}},
        ],
    });
    json!({"description": description, "content": {MEDIA_TYPE: {"schema": schema}}})
}

#[cfg(test)]
mod tests;
