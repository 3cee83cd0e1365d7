//! What the native API says when it says no: RFC 9457, with a member `next` that says what to do.

use std::fmt;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

/// The media type of a problem (RFC 9457, section 6.1).
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Before the name of a kind. The types are names and not addresses: nothing is served under them
/// (RFC 9457, section 3.1.1, allows that).
const TYPE_PREFIX: &str = "urn:lineside:problem:";

/// Makes the enum of problems out of a table, so that no kind is without its facts.
macro_rules! problems {
    ($($(#[$doc:meta])* $kind:ident: $name:literal, $status:ident, $title:literal,
        $next:literal;)*) => {
        /// Every problem that the native API has. There is no other: an operation that finds a new
        /// one adds it here, and the document of the API has it from here.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All kinds, in the order of their statuses.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// Its name in types and in the document of the API: lower-case words with hyphens.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            /// The status of an answer with it.
            pub fn status(self) -> StatusCode {
                match self { $(Kind::$kind => StatusCode::$status,)* }
            }

            /// What is true of all problems of the kind, in a few words (RFC 9457, section 3.1.3).
            pub fn title(self) -> &'static str {
                match self { $(Kind::$kind => $title,)* }
            }

            /// What to do next, unless a problem of the kind knows better.
            pub fn next(self) -> &'static str {
                match self { $(Kind::$kind => $next,)* }
            }
        }
    };
}

problems! {
    /// The body is no JSON, or is nested too deep.
    MalformedJson: "malformed-json", BAD_REQUEST, "Malformed JSON",
        "Send a body that is one JSON document.";

    /// The body is JSON of another form than the operation takes.
    InvalidBody: "invalid-body", BAD_REQUEST, "Invalid body",
        "Send an event, an array of events, or an object with events and conditions.";

    /// An event breaks a rule of CloudEvents, or one of ours.
    InvalidEvent: "invalid-event", BAD_REQUEST, "Invalid event",
        "Correct the attribute that is named, and send the request again; nothing was \
         appended.";

    /// A query is of another form than queries have.
    InvalidQuery: "invalid-query", BAD_REQUEST, "Invalid query",
        "Give a query as an item, or an array of items, each with types, tags, stream, \
         category, correlation.";

    /// A parameter, a header or a part of the path has a value that it cannot have.
    InvalidParameter: "invalid-parameter", BAD_REQUEST, "Invalid parameter",
        "Correct the value that is named, and send the request again.";

    /// A parameter that the operation does not have.
    UnknownParameter: "unknown-parameter", BAD_REQUEST, "Unknown parameter",
        "Leave the parameter out, or use one that the operation has.";

    /// More events, tags, or bytes of a name than one request may bring.
    LimitExceeded: "limit-exceeded", BAD_REQUEST, "Limit exceeded",
        "Send less at once: the limit is in the detail.";

    /// A module that is none, or that cannot be a fold.
    InvalidModel: "invalid-model", BAD_REQUEST, "Invalid model",
        "Correct the module at the line and the column, and send the request again; the model \
         is as it was before.";

    /// An event of a client was to go to a stream of the server.
    ReservedStream: "reserved-stream", FORBIDDEN, "Reserved stream",
        "Give the stream a name that does not begin with `$`; nothing was appended.";

    /// The path names nothing that is served.
    NoSuchPath: "no-such-path", NOT_FOUND, "No such path",
        "Look the paths up in the OpenAPI document.";

    /// No event has the number.
    NoSuchEvent: "no-such-event", NOT_FOUND, "No such event",
        "Read GET /v1/events?backwards&limit=1 for the newest event and its number.";

    /// No model has the name.
    NoSuchModel: "no-such-model", NOT_FOUND, "No such model",
        "Look at GET /v1/models, or define it with PUT.";

    /// The stream has not come to the version.
    NoSuchVersion: "no-such-version", NOT_FOUND, "No such version",
        "Ask for the last version or one before it; or wait for what is on its way with the \
         header At-Least.";

    /// No subscription has the name.
    NoSuchSubscription: "no-such-subscription", NOT_FOUND, "No such subscription",
        "Look at GET /v1/subscriptions, or make it with PUT.";

    /// The queue that events are to go to is not there.
    NoSuchQueue: "no-such-queue", NOT_FOUND, "No such queue",
        "Make the queue first, then the subscription.";

    /// The path is served, but not by this method.
    MethodNotAllowed: "method-not-allowed", METHOD_NOT_ALLOWED, "Method not allowed",
        "Use a method that the header Allow names.";

    /// None of the forms that the client takes can be given.
    NotAcceptable: "not-acceptable", NOT_ACCEPTABLE, "Not acceptable",
        "Name a media type that is given here in Accept, or leave Accept out.";

    /// A condition of an append does not hold any more.
    Moved: "moved", CONFLICT, "The store has moved on",
        "Read again from where you read before, decide again, and append under the new \
         condition.";

    /// Something has the name, and is set otherwise.
    ExistsOtherwise: "exists-otherwise", CONFLICT, "Exists otherwise",
        "Use another name, or delete what is there first.";

    /// A cursor is to be behind the last event.
    BeyondEnd: "beyond-end", CONFLICT, "Beyond the end",
        "Begin at `end`, or at a number that an event has.";

    /// What is asked for is of another kind than what is there.
    OtherKind: "other-kind", CONFLICT, "Of another kind",
        "Look at what it is with GET, and ask for what its kind has.";

    /// The body, or the data of an event, is too large.
    TooLarge: "too-large", PAYLOAD_TOO_LARGE, "Too large",
        "Append in several requests, or keep large data elsewhere and name it in the event.";

    /// The body is of a form that is not read here.
    UnsupportedMediaType: "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE,
        "Unsupported media type",
        "Send application/cloudevents+json, application/cloudevents-batch+json, headers ce-* \
         with any body, or application/json.";

    /// A model came to no state.
    FoldFailed: "fold-failed", UNPROCESSABLE_ENTITY, "The fold failed",
        "Correct the model, so that it takes the event that is named, and define it anew; or \
         ask for a version before that event.";

    /// The machine broke.
    Internal: "internal", INTERNAL_SERVER_ERROR, "Internal error",
        "Look into the server's log for the request's id, and report what is there.";

    /// The events that were asked for are not here yet, and the wait for them ended.
    Behind: "behind", SERVICE_UNAVAILABLE, "Not caught up yet",
        "Ask again after Retry-After seconds: what was asked for is still on its way.";

    /// There is more to do than is being done; nothing happened.
    Busy: "busy", SERVICE_UNAVAILABLE, "Busy",
        "Send the same request again after Retry-After seconds: nothing happened.";

    /// The engine is starting, stopping, or has lost its log.
    Unavailable: "unavailable", SERVICE_UNAVAILABLE, "Unavailable",
        "Send the same request again after Retry-After seconds; an append with an \
         Idempotency-Key is safe to repeat.";

    /// The disk is full; nothing was written.
    StorageFull: "storage-full", INSUFFICIENT_STORAGE, "Storage full",
        "Make room on the disk of the data directory, then send the same request again.";
}

impl Kind {
    /// The URI of the kind (RFC 9457, section 3.1.1).
    pub fn uri(self) -> String {
        format!("{TYPE_PREFIX}{}", self.name())
    }

    /// Whether the same request may succeed later, as it is.
    pub fn is_retryable(self) -> bool {
        matches!(self, Kind::Behind | Kind::Busy | Kind::Unavailable | Kind::StorageFull)
    }
}

/// One problem, as it is told to a client.
#[derive(Clone, Debug, PartialEq)]
// In a box: most results are no problem, and should not be as large as one.
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug, PartialEq)]
struct Parts {
    kind: Kind,
    detail: String,
    next: Option<String>,
    at: Option<String>,
    instance: Option<String>,
    allow: Option<&'static str>,
    more: Map<String, Value>,
}

impl Problem {
    /// A problem of a kind; `detail` says in sentences what happened, and why.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        let (next, at, instance, allow) = (None, None, None, None);
        let detail = detail.into();
        Problem(Box::new(Parts { kind, detail, next, at, instance, allow, more: Map::new() }))
    }

    /// With something better to do than what its kind says.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Problem {
        self.0.next = Some(next.into());
        self
    }

    /// With where it lies in the request: a JSON pointer (RFC 6901) into the body, or the name of a
    /// header, `header ce-time`, or of a parameter, `parameter limit`.
    #[must_use]
    pub fn at(mut self, at: impl Into<String>) -> Problem {
        self.0.at = Some(at.into());
        self
    }

    /// With the request that it is about (RFC 9457, section 3.1.5: a URI reference).
    #[must_use]
    pub fn instance(mut self, instance: impl Into<String>) -> Problem {
        self.0.instance = Some(instance.into());
        self
    }

    /// With the methods that the path has, for the header Allow, which a 405 must have (RFC 9110,
    /// section 15.5.6).
    #[must_use]
    pub fn allow(mut self, methods: &'static str) -> Problem {
        self.0.allow = Some(methods);
        self
    }

    /// With a member of its own, for programs: the stream, the version that is.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What happened, and why.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Where it lies in the request, if that is known.
    pub fn place(&self) -> Option<&str> {
        self.0.at.as_deref()
    }

    /// The members of its document. Its own come last and cannot hide those of every problem.
    pub fn document(&self) -> Value {
        let parts = &*self.0;
        let mut members = parts.more.clone();
        let next = parts.next.as_deref().unwrap_or(parts.kind.next());
        members.insert("type".into(), parts.kind.uri().into());
        members.insert("title".into(), parts.kind.title().into());
        members.insert("status".into(), parts.kind.status().as_u16().into());
        members.insert("detail".into(), parts.detail.clone().into());
        members.insert("next".into(), next.into());
        for (name, value) in [("at", &parts.at), ("instance", &parts.instance)] {
            if let Some(value) = value {
                members.insert(name.into(), value.clone().into());
            }
        }
        Value::Object(members)
    }

    /// The answer with it.
    pub fn response(&self) -> Response<Bytes> {
        let body = Bytes::from(self.document().to_string());
        let mut response = Response::new(body);
        *response.status_mut() = self.0.kind.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.0.kind.is_retryable() {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(methods) = self.0.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind.title(), self.0.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_name_and_whole_sentences() {
        let mut names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            let word = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(kind.name().chars().all(word), "{kind:?}");
            assert!(kind.next().ends_with('.') && !kind.title().ends_with('.'), "{kind:?}");
            assert!(kind.status().is_client_error() || kind.status().is_server_error());
        }
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.status()));
    }

    #[test]
    fn the_document_has_the_members_of_rfc_9457() {
        let problem = Problem::new(Kind::Moved, "The stream `a` is at version 3, not 2.")
            .with("stream", "a")
            .with("status", "hidden")
            .at("/expected")
            .instance("/v1/streams/a");
        let golden = concat!(
            r#"{"at":"/expected","detail":"The stream `a` is at version 3, not 2.","#,
            r#""instance":"/v1/streams/a","next":"Read again from where you read before, decide "#,
            r#"again, and append under the new condition.","status":409,"stream":"a","#,
            r#""title":"The store has moved on","type":"urn:lineside:problem:moved"}"#,
        );
        let response = problem.response();
        assert_eq!(response.body(), golden);
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert!(!response.headers().contains_key(RETRY_AFTER));
    }

    #[test]
    fn what_may_be_tried_again_says_when_and_a_405_says_how() {
        let busy = Problem::new(Kind::Busy, "So many.").next("Wait.").response();
        assert_eq!(busy.headers()[RETRY_AFTER], "1");
        assert!(String::from_utf8_lossy(busy.body()).contains(r#""next":"Wait.""#));
        let put = Problem::new(Kind::MethodNotAllowed, "PUT.").allow("GET, POST").response();
        assert_eq!(put.headers()[ALLOW], "GET, POST");
    }
}
