//! AWS's protocols. A service's operations are typed and know none of them; a codec turns requests
//! into their types and replies into bytes. Two are here: AWS JSON, which is serde over generated
//! types, and Query, which walks generated tables ([`shape`]).
//!
//! Enter at [`Protocol::of`], which tells what a request speaks.

mod error;
mod form;
mod json;
mod query;
pub mod shape;
mod xml;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::WireError;
pub use form::Params;
pub(crate) use json::neutral;
pub use json::{read as read_json, write as write_json};
pub use query::read as read_query;
pub use xml::{write as write_xml, write_error as write_xml_error};

use shape::{Service, Structure};

const JSON: &str = "application/x-amz-json-1.0";
const XML: &str = "text/xml";

/// What a request speaks, and so what its answer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.0: the operation in `X-Amz-Target`, its members in the body.
    Json,
    /// Query: the operation in `Action`, members as parameters, the answer in XML.
    Query,
}

/// A request as far as its protocol alone can tell.
#[derive(Debug)]
pub struct Request<'a> {
    /// What it calls the operation.
    pub operation: String,
    /// The members of the operation's input.
    pub input: Input<'a>,
    /// The id that it is answered with.
    pub id: &'a str,
}

/// The members of an input, not yet typed.
#[derive(Debug)]
pub enum Input<'a> {
    /// A JSON object.
    Json(&'a [u8]),
    /// Parameters.
    Query(Params),
}

impl Protocol {
    /// The protocol of a request: JSON's names itself twice, everything else is Query.
    pub fn of(head: &Parts) -> Protocol {
        let kind = head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let json = kind.is_some_and(|kind| kind.starts_with(b"application/x-amz-json"));
        let target = head.headers.contains_key("x-amz-target");
        if json || target { Protocol::Json } else { Protocol::Query }
    }

    /// Reads a request to a service, up to its operation's name.
    pub fn request<'a>(
        self,
        service: &Service,
        head: &Parts,
        body: &'a [u8],
        id: &'a str,
    ) -> Result<Request<'a>, WireError> {
        match self {
            Protocol::Json => {
                let operation = target(service, &head.headers)?.to_owned();
                Ok(Request { operation, input: Input::Json(body), id })
            }
            Protocol::Query => {
                let params = Params::read(head.uri.query(), body)?;
                let operation = query::action(service, &params)?;
                Ok(Request { operation, input: Input::Query(params), id })
            }
        }
    }

    /// What an operation that is none of the service's is answered with.
    pub fn unknown(self, operation: &str) -> WireError {
        match self {
            Protocol::Json => WireError::unknown_operation(operation),
            Protocol::Query => query::invalid_action(operation),
        }
    }

    /// The whole answer.
    pub fn respond(
        self,
        service: &Service,
        answered: Result<Vec<u8>, WireError>,
        id: &str,
    ) -> Response<Bytes> {
        match (self, answered) {
            (Protocol::Json, Ok(body)) => response(StatusCode::OK, JSON, body),
            (Protocol::Query, Ok(body)) => response(StatusCode::OK, XML, body),
            (Protocol::Json, Err(error)) => {
                let mut response = response(error.status(), JSON, json::error(&error));
                add_query_error(response.headers_mut(), service, &error);
                response
            }
            (Protocol::Query, Err(error)) => {
                let body = xml::write_error(service, &error, id);
                response(service.status(&error), XML, body)
            }
        }
    }
}

fn response(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// SDKs of a service that spoke Query before it spoke JSON show that protocol's codes.
fn add_query_error(headers: &mut HeaderMap, service: &Service, error: &WireError) {
    let (code, fault) = (service.code(error), error.fault());
    if let Ok(value) = HeaderValue::from_str(&format!("{code};{fault}")) {
        headers.insert("x-amzn-query-error", value);
    }
}

/// The operation in `X-Amz-Target`, if it is one of this service.
fn target<'h>(service: &Service, headers: &'h HeaderMap) -> Result<&'h str, WireError> {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    match target.and_then(|target| target.split_once('.')) {
        Some((prefix, operation)) if prefix == service.target_prefix => Ok(operation),
        _ => Err(WireError::unknown_operation(target.unwrap_or_default())),
    }
}

impl Request<'_> {
    /// What an operation is answered with that is not one of those that are here: a service may have
    /// it all the same, and then it is said that it is not supported.
    pub fn not_here(&self, service: &str, others: &[&str]) -> WireError {
        let operation = self.operation.as_str();
        if !others.contains(&operation) {
            return self.protocol().unknown(operation);
        }
        let message = format!("{operation} of {service} is not supported here, see docs/fidelity.");
        WireError::common(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    /// The protocol that it came in.
    pub fn protocol(&self) -> Protocol {
        match self.input {
            Input::Json(_) => Protocol::Json,
            Input::Query(_) => Protocol::Query,
        }
    }

    /// The typed input of an operation that takes a `shape`.
    pub fn read<T: DeserializeOwned + Default>(&self, shape: &Structure) -> Result<T, WireError> {
        match &self.input {
            Input::Json(body) => json::read(body),
            Input::Query(params) => query::read_typed(shape, params),
        }
    }

    /// The body of a reply, of an operation that says a `shape`.
    pub fn write<T: Serialize>(&self, service: &Service, shape: &Structure, reply: &T) -> Vec<u8> {
        match self.input {
            Input::Json(_) => json::write(reply),
            Input::Query(_) => {
                xml::write(service, &self.operation, shape, &json::neutral(reply), self.id)
            }
        }
    }
}
