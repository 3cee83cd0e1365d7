//! `/_aws/sqs/messages`: all messages of a queue, looked at and left as they are. Not of AWS: an
//! endpoint that LocalStack has (its documentation of SQS, "Developer endpoints"), by GET or POST,
//! with the queue's URL as `QueueUrl` or as `/{region}/{account}/{queue}` behind the path. An SDK that
//! has it for its endpoint gets the answer from `ReceiveMessage`.

use bytes::Bytes;
use futures::future::join_all;
use http::request::Parts;
use http::{HeaderValue, Response, header};
use lineside_core::command::{Command, Peeked, Reply};
use lineside_core::id::{Name, Seq};
use serde_json::{Map, Value, json};

use super::error::{invalid_parameter, missing_parameter};
use super::message::{Asked, Stored};
use super::{Call, SERVICE, access, name};
use crate::Aws;
use crate::generated::sqs::{Message, Operation, ReceiveMessageRequest, ReceiveMessageResult};
use crate::protocol::shape::{Shape, Structure};
use crate::protocol::{
    Input, Params, Protocol, Request, WireError, neutral, read_json, write_json, write_xml,
};
use crate::service::Service;

const PATH: &str = "/_aws/sqs/messages";
/// Instead of a receipt: nothing can be done with it.
const NO_RECEIPT: &str = "SQS/BACKDOOR/ACCESS";
/// Says that there are more messages than an answer has.
const TRUNCATED: &str = "x-lineside-truncated";
/// Most messages in an answer.
const MESSAGES_MAX: usize = 10_000;
/// An answer with so many bytes of messages gets no more.
const BYTES_MAX: usize = 64 << 20;
/// Messages that are asked for at a time.
const PAGE: usize = 100;

/// Whether a path is that of this endpoint.
pub(crate) fn is_path(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request to it.
pub(crate) async fn answer(aws: &Aws, head: &Parts, body: &[u8], id: &str) -> Response<Bytes> {
    let form = Form::of(head);
    match look(aws, head, body, id).await {
        Ok(found) => form.respond(found, id),
        Err(error) => form.refuse(error, id),
    }
}

/// How the answer is written.
#[derive(Clone, Copy)]
enum Form {
    /// As `ReceiveMessage` of AWS JSON.
    Json,
    /// As `ReceiveMessage` of Query.
    Xml,
    /// Query's answer, element by element, in JSON: for who accepts that.
    XmlInJson,
}

/// Messages, and whether there are more.
struct Found {
    messages: Vec<Message>,
    truncated: bool,
}

async fn look(aws: &Aws, head: &Parts, body: &[u8], id: &str) -> Result<Found, WireError> {
    let caller = aws.admit(Service::Sqs, head, body)?;
    let flags = Params::read(head.uri.query(), b"")?;
    let (in_flight, delayed) = (flag(&flags, "ShowInvisible")?, flag(&flags, "ShowDelayed")?);
    let url = url_of_queue(head, body)?;
    let request = request(&url, id);
    let operation = Operation::ReceiveMessage;
    let call = Call { aws, caller: &caller, operation, request: &request };
    access::check(call).await?;
    let queue = name::of_url(&caller, Some(&url))?;
    all(call, &queue, in_flight, delayed).await
}

/// The queue is all that counts of a request; who may receive from it may look at it.
fn request<'a>(url: &str, id: &'a str) -> Request<'a> {
    let mut params = Params::default();
    params.set_default("QueueUrl", url);
    let operation = Operation::ReceiveMessage.name().to_owned();
    Request { operation, input: Input::Query(params), id }
}

/// The URL of the queue: a member or parameter of the request, or the end of its path.
fn url_of_queue(head: &Parts, body: &[u8]) -> Result<String, WireError> {
    let given = match Protocol::of(head) {
        Protocol::Json => read_json::<ReceiveMessageRequest>(body)?.queue_url,
        Protocol::Query => Params::read(None, body)?.get("QueueUrl").map(str::to_owned),
    };
    let in_url = Params::read(head.uri.query(), b"")?;
    let given = given.or_else(|| in_url.get("QueueUrl").map(str::to_owned));
    let path = head.uri.path().strip_prefix(PATH).unwrap_or_default();
    // `/{region}/{account}/{queue}`, as the URL of a queue has it.
    let in_path = (path.len() > 1).then(|| format!("/queue{path}"));
    given.or(in_path).ok_or_else(|| missing_parameter("QueueUrl"))
}

fn flag(params: &Params, name: &str) -> Result<bool, WireError> {
    match params.get(name).unwrap_or("false").to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err(invalid_parameter(format!("The parameter {name} must be true or false."))),
    }
}

/// All messages, a page after the other.
async fn all(
    call: Call<'_>,
    queue: &Name,
    in_flight: bool,
    delayed: bool,
) -> Result<Found, WireError> {
    let mut found = Found { messages: Vec::new(), truncated: false };
    let (mut from, mut bytes) = (Some(Seq(0)), 0);
    while let Some(next) = from {
        if found.messages.len() >= MESSAGES_MAX || bytes >= BYTES_MAX {
            found.truncated = true;
            break;
        }
        let queue = queue.clone();
        let command = Command::Peek { queue, from: next, max: PAGE, in_flight, delayed };
        let Reply::Peeked { messages, next } = call.command(command).await? else { break };
        bytes += messages.iter().map(|message| message.body.len as usize).sum::<usize>();
        let page = join_all(messages.iter().map(|message| show(call, message))).await;
        found.messages.extend(page.into_iter().collect::<Result<Vec<_>, _>>()?);
        from = next;
    }
    Ok(found)
}

/// A message with all that there is, and a little more than a receive tells.
async fn show(call: Call<'_>, peeked: &Peeked) -> Result<Message, WireError> {
    let stored = Stored::of_peeked(peeked);
    let mut message = stored.show(call, &Asked::all(), NO_RECEIPT.to_owned()).await?;
    if let Some(attributes) = &mut message.attributes {
        // One that waits is visible from when it was sent.
        let delayed = peeked.lease.is_none() && peeked.visible_at > peeked.sent_at;
        let visible = peeked.lease.is_none() && !delayed;
        attributes.insert("IsVisible".to_owned(), visible.to_string());
        attributes.insert("IsDelayed".to_owned(), delayed.to_string());
    }
    Ok(message)
}

impl Form {
    fn of(head: &Parts) -> Form {
        let accept = head.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        match Protocol::of(head) {
            Protocol::Json => Form::Json,
            Protocol::Query if accept.is_some_and(|kind| kind.contains("json")) => Form::XmlInJson,
            Protocol::Query => Form::Xml,
        }
    }

    fn refuse(self, error: WireError, id: &str) -> Response<Bytes> {
        let in_json = error_in_json(&error, id);
        let mut response = self.protocol().respond(SERVICE, Err(error), id);
        if let Form::XmlInJson = self {
            *response.body_mut() = in_json.into();
        }
        self.labelled(response)
    }

    /// What an answer is written in, or translated from.
    fn protocol(self) -> Protocol {
        match self {
            Form::Json => Protocol::Json,
            Form::XmlInJson | Form::Xml => Protocol::Query,
        }
    }

    fn labelled(self, mut response: Response<Bytes>) -> Response<Bytes> {
        if let Form::XmlInJson = self {
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        response
    }

    fn respond(self, found: Found, id: &str) -> Response<Bytes> {
        let truncated = found.truncated;
        let operation = Operation::ReceiveMessage;
        let shape = operation.shapes().1;
        let messages = Some(found.messages).filter(|messages| !messages.is_empty());
        let reply = ReceiveMessageResult { messages };
        let body = match self {
            Form::Json => write_json(&reply),
            Form::Xml => {
                let reply = neutral(&reply);
                write_xml(SERVICE, operation.name(), shape, &reply, id)
            }
            Form::XmlInJson => in_json(shape, &neutral(&reply), id),
        };
        let mut response = self.labelled(self.protocol().respond(SERVICE, Ok(body), id));
        if truncated {
            response.headers_mut().insert(TRUNCATED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// The elements of Query's answer as members of JSON, as LocalStack translates them: without knowing
/// what they are, so that one alone is no list, and one without content is null.
fn in_json(shape: &Structure, reply: &Value, id: &str) -> Vec<u8> {
    let answer = json!({ "ReceiveMessageResponse": {
        "ReceiveMessageResult": elements(shape, reply),
        "ResponseMetadata": { "RequestId": id },
    } });
    write_json(&answer)
}

fn error_in_json(error: &WireError, id: &str) -> Vec<u8> {
    let said = json!({
        "Code": SERVICE.code(error), "Type": error.fault(), "Message": error.message(),
    });
    write_json(&json!({ "ErrorResponse": { "Error": said, "RequestId": id } }))
}

fn elements(shape: &Structure, value: &Value) -> Value {
    let mut object = Map::new();
    for member in shape.members {
        if let Some(value) = value.get(member.name).filter(|value| !value.is_null()) {
            object.insert(member.wire.to_owned(), element(&member.shape, value));
        }
    }
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

fn element(shape: &Shape, value: &Value) -> Value {
    match (shape, value) {
        (Shape::Structure(shape), value) => elements(shape, value),
        (Shape::List(list), Value::Array(items)) => {
            repeated(items.iter().map(|item| element(&list.item, item)))
        }
        (Shape::Map(map), Value::Object(entries)) => {
            let entry = |(key, value): (&String, &Value)| json!({ map.key: key, map.value: element(&map.item, value) });
            repeated(entries.iter().map(entry))
        }
        (_, value) => value.clone(),
    }
}

fn repeated(elements: impl Iterator<Item = Value>) -> Value {
    let mut elements: Vec<Value> = elements.collect();
    if elements.len() == 1 { elements.remove(0) } else { Value::Array(elements) }
}
