//! The codecs alone, for tests/sdk/test_vectors.py: a JSON object a line in, one a line out.
//!
//! `{"act": "read", "protocol", "service", "method", "uri", "headers", "body", "shape", "tables"}` ->
//! `{"operation", "value"}`; `{"act": "write", …, "operation", "shape", "tables", "value"}` -> `{"body"}`;
//! `{"act": "error", …, "error"}` -> `{"status", "headers", "body"}`. An error of a codec is
//! `{"refused": code}`. Tables are built here as `make gen` writes them for a service.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool of the tests")]

use std::collections::HashMap;
use std::io::BufRead;

use http::{Request, StatusCode};
use lineside_aws::protocol::shape::{
    ErrorCode, List, Map, Member, Service, Shape, Structure, member,
};
use lineside_aws::protocol::{
    Input, Protocol, WireError, read_json, read_query, write_json, write_xml,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// A recursive structure is unrolled so often; no vector goes deeper.
const DEPTH: usize = 6;
const ID: &str = "foo-id";

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "act")]
enum Task {
    Read(Read),
    Write(Write),
    Error(Erring),
}

#[derive(Deserialize)]
struct Common {
    protocol: String,
    service: ServiceOf,
    shape: Option<String>,
    #[serde(default)]
    tables: HashMap<String, Vec<(String, String, ShapeOf)>>,
}

#[derive(Deserialize)]
struct ServiceOf {
    prefix: String,
    version: String,
    namespace: String,
}

#[derive(Deserialize)]
struct Read {
    #[serde(flatten)]
    common: Common,
    method: String,
    uri: String,
    headers: HashMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
struct Write {
    #[serde(flatten)]
    common: Common,
    operation: String,
    value: Value,
}

#[derive(Deserialize)]
struct Erring {
    #[serde(flatten)]
    common: Common,
    name: String,
    code: String,
    status: u16,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ShapeOf {
    Scalar(String),
    List { item: Box<ShapeOf>, within: Option<String> },
    Map { key: String, value: String, item: Box<ShapeOf>, within: Option<String> },
    Structure(String),
}

fn main() {
    for line in std::io::stdin().lock().lines() {
        println!("{}", act(serde_json::from_str(&line.unwrap()).unwrap()));
    }
}

fn act(task: Task) -> Value {
    match task {
        Task::Read(read) => {
            self::read(&read).unwrap_or_else(|error| json!({ "refused": error.code() }))
        }
        Task::Write(write) => self::write(&write),
        Task::Error(error) => self::error(&error),
    }
}

fn read(task: &Read) -> Result<Value, WireError> {
    let mut request = Request::builder().method(task.method.as_str()).uri(&task.uri);
    for (name, value) in &task.headers {
        request = request.header(name, value);
    }
    let head = request.body(()).unwrap().into_parts().0;
    let protocol = Protocol::of(&head);
    assert_eq!(protocol, task.common.protocol(), "told by the request itself");
    let service = task.common.service(&[]);
    let request = protocol.request(service, &head, task.body.as_bytes(), ID)?;
    let value = match &request.input {
        Input::Json(body) => read_json(body)?,
        Input::Query(params) => read_query(task.common.structure(), params)?,
    };
    Ok(json!({ "operation": request.operation, "value": value }))
}

fn write(task: &Write) -> Value {
    let body = match task.common.protocol() {
        Protocol::Json => write_json(&task.value),
        Protocol::Query => {
            let shape = task.common.structure();
            write_xml(task.common.service(&[]), &task.operation, shape, &task.value, ID)
        }
    };
    json!({ "body": String::from_utf8(body).unwrap() })
}

fn error(task: &Erring) -> Value {
    let known = ErrorCode { name: leak(&task.name), code: leak(&task.code), status: task.status };
    let service = task.common.service(Vec::leak(vec![known]));
    let kind = format!("aws.protocoltests#{}", task.name);
    let error = WireError::new(StatusCode::BAD_REQUEST, kind, &task.message);
    let response = task.common.protocol().respond(service, Err(error), ID);
    let headers: HashMap<&str, &str> =
        response.headers().iter().map(|(k, v)| (k.as_str(), v.to_str().unwrap())).collect();
    let body = String::from_utf8(response.body().to_vec()).unwrap();
    json!({ "status": response.status().as_u16(), "headers": headers, "body": body })
}

impl Common {
    fn protocol(&self) -> Protocol {
        if self.protocol == "query" { Protocol::Query } else { Protocol::Json }
    }

    fn service(&self, errors: &'static [ErrorCode]) -> &'static Service {
        Box::leak(Box::new(Service {
            target_prefix: leak(&self.service.prefix),
            version: leak(&self.service.version),
            namespace: leak(&self.service.namespace),
            errors,
        }))
    }

    fn structure(&self) -> &'static Structure {
        self.table(self.shape.as_deref().unwrap_or_default(), DEPTH)
    }

    fn table(&self, name: &str, depth: usize) -> &'static Structure {
        let known = self.tables.get(name).filter(|_| depth > 0);
        let members = known
            .into_iter()
            .flatten()
            .map(|(name, wire, shape)| member(leak(name), leak(wire), self.form(shape, depth - 1)));
        let members: Vec<Member> = members.collect();
        Box::leak(Box::new(Structure { name: leak(name), members: members.leak() }))
    }

    fn form(&self, shape: &ShapeOf, depth: usize) -> Shape {
        let name = |name: &Option<String>| name.as_ref().map(|name| leak(name));
        match shape {
            ShapeOf::Scalar(kind) => scalar(kind),
            ShapeOf::Structure(name) => Shape::Structure(self.table(name, depth)),
            ShapeOf::List { item, within } => {
                let list = List { item: self.form(item, depth), within: name(within) };
                Shape::List(Box::leak(Box::new(list)))
            }
            ShapeOf::Map { key, value, item, within } => {
                let item = self.form(item, depth);
                let map = Map { key: leak(key), value: leak(value), item, within: name(within) };
                Shape::Map(Box::leak(Box::new(map)))
            }
        }
    }
}

fn scalar(kind: &str) -> Shape {
    match kind {
        "integer" => Shape::Integer,
        "long" => Shape::Long,
        "boolean" => Shape::Boolean,
        "float" | "double" => Shape::Float,
        "blob" => Shape::Blob,
        _ => Shape::Text,
    }
}

/// A process that lives for a moment may.
fn leak(text: &str) -> &'static str {
    String::leak(text.to_owned())
}
