//! What is said of every input to the parsers, whoever made it: a fuzzer (`make fuzz`) or the
//! corpus in `fuzz/corpus`, which the tests below replay. Each function takes one input and panics
//! if something does not hold for it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what does not hold must be seen"
)]

use http::request::Parts;
use http::{Request as HttpRequest, Response};
use serde_json::Value;

use crate::auth::policy::{Action, Context, Policy, Principal, authorize};
use crate::auth::sigv4::{Service, verify};
use crate::auth::{Keys, Moment};
use crate::generated::sqs::{
    AddPermissionRequest, CancelMessageMoveTaskRequest, ChangeMessageVisibilityBatchRequest,
    ChangeMessageVisibilityRequest, CreateQueueRequest, DeleteMessageBatchRequest,
    DeleteMessageRequest, DeleteQueueRequest, GetQueueAttributesRequest, GetQueueUrlRequest,
    ListDeadLetterSourceQueuesRequest, ListMessageMoveTasksRequest, ListQueueTagsRequest,
    ListQueuesRequest, Operation, PurgeQueueRequest, ReceiveMessageRequest,
    RemovePermissionRequest, SendMessageBatchRequest, SendMessageRequest,
    SetQueueAttributesRequest, StartMessageMoveTaskRequest, TagQueueRequest, UntagQueueRequest,
};
use crate::protocol::{Input, Params, Protocol, Request, WireError, read_query, write_xml};
use crate::sqs::SERVICE;

/// When the requests in the corpus were signed: 2026-11-23 15:48:41 UTC.
const NOW: Moment = Moment(1_795_448_921);
const ID: &str = "00000000-0000-4000-8000-000000000000";

/// AWS JSON: the name of an operation, a line feed, and a body. It is read or refused, and the
/// refusal can be shown.
pub fn json(data: &[u8]) {
    let (name, body) = cut(data);
    let name = String::from_utf8_lossy(name);
    let operation = Operation::from_name(&name).unwrap_or(Operation::SendMessageBatch);
    let request =
        Request { operation: operation.name().to_owned(), input: Input::Json(body), id: ID };
    if let Err(error) = typed(&request, operation) {
        let shown = Protocol::Json.respond(SERVICE, Err(error), ID);
        let read: Value = serde_json::from_slice(shown.body()).expect("an error is JSON");
        assert!(read["__type"].is_string() && read["message"].is_string());
        assert!(shown.status().is_client_error() && has_query_error(&shown));
    }
}

/// Query: a query string, a line feed, and a form. They are read or refused; what was read can be
/// written as XML, and so can the refusal.
pub fn query(data: &[u8]) {
    let (query, form) = cut(data);
    let query = String::from_utf8_lossy(query);
    let shown = match parameters(&query, form) {
        Err(error) => Protocol::Query.respond(SERVICE, Err(error), ID).into_body().to_vec(),
        Ok((operation, params)) => {
            let shape = operation.shapes().0;
            match read_query(shape, &params) {
                Ok(value) => write_xml(SERVICE, operation.name(), shape, &value, ID),
                Err(error) => Protocol::Query.respond(SERVICE, Err(error), ID).into_body().to_vec(),
            }
        }
    };
    assert_well_formed(&String::from_utf8(shown).expect("XML here is UTF-8"));
}

fn parameters(query: &str, form: &[u8]) -> Result<(Operation, Params), WireError> {
    let head = head_of("POST", &format!("/?{query}"), &[]);
    // What is no target of a request has no way here; the form alone has.
    let head = head.unwrap_or_else(|| head_of("POST", "/", &[]).expect("this is a head"));
    let request = Protocol::Query.request(SERVICE, &head, form, ID)?;
    let operation = Operation::from_name(&request.operation);
    let operation = operation.ok_or_else(|| Protocol::Query.unknown(&request.operation))?;
    typed(&request, operation)?;
    match request.input {
        Input::Query(params) => Ok((operation, params)),
        Input::Json(_) => unreachable!("Query was asked for"),
    }
}

/// A request: method and target in the first line, headers in the next ones, an empty line, a body.
/// Whoever it says signed it, another body or query is not theirs.
pub fn sigv4(data: &[u8]) {
    let Some((head, body)) = request_of(data) else { return };
    let mut keys = Keys::new();
    keys.add("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None).expect("a key");
    let service = Service { name: "sqs", region: None, unsigned_payload: false };
    match verify(&head, body, &keys, &service, NOW) {
        Err(error) => assert!(!error.to_string().is_empty() && error.status().is_client_error()),
        Ok(signer) => {
            assert_eq!((&*signer.key_id, &*signer.account), ("AKIDEXAMPLE", "000000000000"));
            let longer = [body, b"x"].concat();
            assert!(verify(&head, &longer, &keys, &service, NOW).is_err(), "another body");
            assert!(verify(&head, body, &Keys::new(), &service, NOW).is_err(), "no key");
            let mut other = head;
            let (path, query) = (other.uri.path(), other.uri.query().unwrap_or_default());
            // A target may be a host alone, or a star; a query needs a path before it.
            let path = if path.starts_with('/') { path } else { "/" };
            other.uri = format!("{path}?{query}&x=y").parse().expect("a target");
            assert!(verify(&other, body, &keys, &service, NOW).is_err(), "another query");
        }
    }
}

/// A policy. It is refused, or it says something of each operation and everybody; what cannot be
/// shared, it does not share.
pub fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(text.len() <= crate::auth::policy::POLICY_BYTES_MAX);
    let (owner, queue) = ("111122223333", "arn:aws:sqs:us-east-1:111122223333:orders");
    for account in [owner, "444455556666"] {
        let principal = Principal::of_key(account, "AKIDEXAMPLE");
        let context = Context::of(&principal, "us-east-1", NOW);
        for operation in Action::operations() {
            let action = Action::of_operation(operation).expect("its own operation");
            let answer = authorize(&principal, action, queue, &context, Some(&policy));
            assert!(answer.is_err() || account == owner || action.is_shared());
            let alone = authorize(&principal, action, queue, &context, None);
            assert_eq!(alone.is_ok(), account == owner);
        }
    }
}

/// Reads the typed input of an operation.
fn typed(request: &Request<'_>, operation: Operation) -> Result<(), WireError> {
    macro_rules! read {
        ($($name:ident as $input:ident),* $(,)?) => {
            match operation {
                $(Operation::$name => request.read::<$input>(operation.shapes().0).map(drop),)*
            }
        };
    }
    read!(
        AddPermission as AddPermissionRequest,
        CancelMessageMoveTask as CancelMessageMoveTaskRequest,
        ChangeMessageVisibility as ChangeMessageVisibilityRequest,
        ChangeMessageVisibilityBatch as ChangeMessageVisibilityBatchRequest,
        CreateQueue as CreateQueueRequest,
        DeleteMessage as DeleteMessageRequest,
        DeleteMessageBatch as DeleteMessageBatchRequest,
        DeleteQueue as DeleteQueueRequest,
        GetQueueAttributes as GetQueueAttributesRequest,
        GetQueueUrl as GetQueueUrlRequest,
        ListDeadLetterSourceQueues as ListDeadLetterSourceQueuesRequest,
        ListMessageMoveTasks as ListMessageMoveTasksRequest,
        ListQueueTags as ListQueueTagsRequest,
        ListQueues as ListQueuesRequest,
        PurgeQueue as PurgeQueueRequest,
        ReceiveMessage as ReceiveMessageRequest,
        RemovePermission as RemovePermissionRequest,
        SendMessage as SendMessageRequest,
        SendMessageBatch as SendMessageBatchRequest,
        SetQueueAttributes as SetQueueAttributesRequest,
        StartMessageMoveTask as StartMessageMoveTaskRequest,
        TagQueue as TagQueueRequest,
        UntagQueue as UntagQueueRequest,
    )
}

/// The first line, and what follows it.
fn cut(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n');
    end.map_or((data, &[]), |end| (&data[..end], &data[end + 1..]))
}

fn request_of(data: &[u8]) -> Option<(Parts, &[u8])> {
    let (first, mut rest) = cut(data);
    let (method, target) = std::str::from_utf8(first).ok()?.split_once(' ')?;
    let mut headers = Vec::new();
    loop {
        let (line, after) = cut(rest);
        rest = after;
        if line.is_empty() {
            return Some((head_of(method, target, &headers)?, rest));
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        headers.push((&line[..colon], &line[colon + 1..]));
    }
}

fn head_of(method: &str, target: &str, headers: &[(&[u8], &[u8])]) -> Option<Parts> {
    let mut request = HttpRequest::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, value.trim_ascii());
    }
    request.body(()).ok().map(|request| request.into_parts().0)
}

fn has_query_error(response: &Response<bytes::Bytes>) -> bool {
    response.headers().get("x-amzn-query-error").is_some_and(|value| value.to_str().is_ok())
}

/// Each tag is closed where it should be, and no text has what XML cannot say.
fn assert_well_formed(xml: &str) {
    let said = |c: char| c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}') || "\t\n".contains(c);
    assert!(xml.chars().all(said), "{xml}");
    let mut open: Vec<&str> = Vec::new();
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        assert!(!text.contains('>'), "{xml}");
        let mut escapes = text.split('&').skip(1);
        assert!(escapes.all(|rest| rest.split_once(';').is_some_and(|(name, _)| name.len() < 8)));
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{xml}"),
            None if tag.starts_with('?') || tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
    }
    assert!(open.is_empty(), "{xml}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the target over its part of the corpus; the sizes of what it met.
    fn replay(target: &str, run: fn(&[u8])) -> Vec<usize> {
        let folder = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let replayed = files.map(|file| {
            let input = std::fs::read(file.unwrap().path()).unwrap();
            run(&input);
            input.len()
        });
        replayed.collect()
    }

    #[test]
    fn the_corpus_holds() {
        for (target, run) in
            [("json", json as fn(&[u8])), ("query", query), ("sigv4", sigv4), ("policy", policy)]
        {
            let sizes = replay(target, run);
            assert!(sizes.len() >= 10, "{target}: {} inputs", sizes.len());
        }
    }

    /// The corpus has requests whose signatures hold, so that what comes after the check is met
    /// too.
    #[test]
    fn some_requests_of_the_corpus_are_signed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/sigv4");
        let mut keys = Keys::new();
        keys.add("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None).unwrap();
        let service = Service { name: "sqs", region: None, unsigned_payload: false };
        let inputs = std::fs::read_dir(folder).unwrap();
        let holds = inputs.filter(|file| {
            let input = std::fs::read(file.as_ref().unwrap().path()).unwrap();
            request_of(&input)
                .is_some_and(|(head, body)| verify(&head, body, &keys, &service, NOW).is_ok())
        });
        assert!(holds.count() >= 3);
    }

    #[test]
    #[should_panic(expected = "<a><b></a>")]
    fn a_tag_that_is_not_closed_is_seen() {
        assert_well_formed("<a><b></a>");
    }
}
