//! The face: one request in, one answer out; one file for each operation.

mod append;
mod body;
mod fault;
mod follow;
mod models;
mod queues;
mod read;
mod reserved;
mod state;
mod subscriptions;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use lineside_core::id::EventNumber;
use lineside_engine::engine::Handle;
use lineside_engine::events::Events;
use tokio::sync::watch;

pub use body::Body;
pub use models::{Defined, Folding};
pub use subscriptions::{Prefixes, Subscribing, Wish};

use crate::openapi;
use crate::problem::{Kind, Problem};

/// The header with which an answer says as of when it is, for [`AT_LEAST`].
pub const TOKEN: &str = "token";

/// The header that makes a read wait until it has everything that an answer with this token had.
pub const AT_LEAST: &str = "at-least";

const ROOT: &str = "/v1/";

/// The native face.
#[derive(Clone)]
pub struct Native {
    engine: Handle,
    events: Events,
    subscribing: Subscribing,
    folding: Folding,
    /// Becomes true when the server stops: reads that follow end then.
    stopping: watch::Receiver<bool>,
}

/// What an operation answers.
type Answered = Result<Response<Body>, Problem>;

impl Native {
    /// A face over the events of a store, the subscriptions to it, and the states of its streams.
    pub fn new(
        engine: Handle,
        events: Events,
        subscribing: Subscribing,
        folding: Folding,
        stopping: watch::Receiver<bool>,
    ) -> Native {
        Native { engine, events, subscribing, folding, stopping }
    }

    /// Whether a request is of the native API.
    pub fn is_addressed(head: &Parts) -> bool {
        head.uri.path().starts_with(ROOT)
    }

    /// Answers one request, which is known by `id` from now on.
    pub async fn answer(&self, head: &Parts, body: &Bytes, id: &str) -> Response<Body> {
        match self.route(head, body).await {
            Ok(response) => response,
            Err(problem) => problem.instance(format!("urn:uuid:{id}")).response().map(Body::Whole),
        }
    }

    async fn route(&self, head: &Parts, body: &Bytes) -> Answered {
        let path = head.uri.path().strip_prefix(ROOT).unwrap_or_default();
        let mut parts = path.splitn(2, '/');
        let (noun, rest) = (parts.next().unwrap_or_default(), parts.next());
        match (noun, rest, &head.method) {
            ("events", None, &Method::POST) => self.append_events(head, body).await,
            ("events", None, &Method::GET) => self.read_events(head).await,
            ("events", None, _) => Err(wrong_method("GET, POST")),
            ("events", Some(number), &Method::GET) => self.read_event(number, head).await,
            ("events", Some(_), _) => Err(wrong_method("GET")),
            ("streams", Some(stream), &Method::POST) => {
                self.append_to_stream(stream, head, body).await
            }
            ("streams", Some(stream), &Method::GET) => self.read_stream(stream, head).await,
            ("streams", Some(_), _) => Err(wrong_method("GET, POST")),
            ("subscriptions", rest, _) => self.subscriptions(rest, head, body).await,
            ("queues", Some(rest), _) => self.queues(rest, head).await,
            ("models", rest, _) => self.models(rest, head, body).await,
            ("state", Some(rest), &Method::GET) => self.state(rest, head).await,
            ("state", Some(_), _) => Err(wrong_method("GET")),
            ("openapi.json", None, &Method::GET) => {
                Ok(answer(StatusCode::OK, "application/json", openapi::text()))
            }
            ("openapi.json", None, _) => Err(wrong_method("GET")),
            _ => Err(Problem::new(Kind::NoSuchPath, format!("There is nothing at {ROOT}{path}."))),
        }
    }

    /// Waits for what a reader wants to see at least.
    async fn wait_for_token(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(value) = headers.get(AT_LEAST) else { return Ok(()) };
        let number = value.to_str().ok().and_then(number_of).ok_or_else(|| {
            let detail = "The header At-Least has to be a token that an answer had.";
            Problem::new(Kind::InvalidParameter, detail).at(format!("header {AT_LEAST}"))
        })?;
        Ok(self.events.reaches(number).await?)
    }
}

fn wrong_method(allow: &'static str) -> Problem {
    let detail = format!("This path takes {allow}.");
    Problem::new(Kind::MethodNotAllowed, detail).allow(allow)
}

/// A whole answer.
fn answer(status: StatusCode, media_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::Whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// With a header of ours.
fn with(mut response: Response<Body>, name: &'static str, value: &str) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

/// The token of a moment at which everything up to this event was there. What it is made of is
/// nobody's business, so that it may be made of more.
fn token_of(number: EventNumber) -> String {
    format!("e{:x}", number.0)
}

fn number_of(token: &str) -> Option<EventNumber> {
    let digits = token.strip_prefix('e').filter(|digits| !digits.starts_with('+'))?;
    u64::from_str_radix(digits, 16).ok().map(EventNumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_only_as_it_is_written() {
        for number in [0, 1, 0xbeef, u64::MAX] {
            assert_eq!(number_of(&token_of(EventNumber(number))), Some(EventNumber(number)));
        }
        for text in ["", "e", "1", "e+1", "e-1", "ex", "e10000000000000000"] {
            assert_eq!(number_of(text), None, "{text}");
        }
    }
}
