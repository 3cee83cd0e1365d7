//! Floor 2: the AWS face. Parses, calls one command, and renders the reply as AWS would.
//!
//! Owns AWS's protocols, names, limits of form and error texts; a folder for each service, in it a file
//! for each operation. Must never know a file, a socket or the log. Enter at [`Aws::answer`].

mod address;
pub mod auth;
mod blob;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod generated;
mod iam;
mod ledger;
pub mod protocol;
mod service;
pub mod sqs;
mod sts;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use lineside_core::receipt::ReceiptKey;
use lineside_engine::engine::Handle;
use lineside_engine::events::Events;

pub use crate::address::{DEFAULT_ACCOUNT, DEFAULT_REGION};

pub(crate) use crate::address::Caller;
use crate::auth::Gate;
use crate::iam::IamAccount;
use crate::ledger::Ledger;
use crate::protocol::{Protocol, WireError};
use crate::service::Service;

/// What services keep beside queues.
struct Kept {
    iam: Ledger<IamAccount>,
}

/// The face.
#[derive(Clone)]
pub struct Aws {
    engine: Handle,
    /// What is kept in streams of the server's own, once those can be read.
    kept: Arc<OnceLock<Kept>>,
    key: ReceiptKey,
    /// Without one, nobody's signature is checked.
    gate: Option<Gate>,
}

impl Aws {
    /// A face over an engine; receipts are sealed under `key`.
    pub fn new(engine: Handle, key: ReceiptKey) -> Aws {
        Aws { engine, kept: Arc::default(), key, gate: None }
    }

    /// From here on services that keep something in streams of the server's own answer.
    pub fn keep_in(&self, events: &Events) {
        // Whoever comes second brings the same.
        drop(self.kept.set(Kept { iam: Ledger::new(events.clone()) }));
    }

    fn kept(&self) -> Result<&Kept, WireError> {
        let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        let not_yet = || WireError::common(status, code, "Events cannot be read yet; try again.");
        self.kept.get().ok_or_else(not_yet)
    }

    /// The same face, behind a gate.
    #[must_use]
    pub fn behind(self, gate: Gate) -> Aws {
        Aws { gate: Some(gate), ..self }
    }

    /// Whether callers must show who they are.
    pub fn is_guarded(&self) -> bool {
        self.gate.is_some()
    }

    /// Whether a request is AWS's: whatever its path, one that is signed for a scope, or names a
    /// target or an action; and a form that is posted to the root or to a queue.
    pub fn is_addressed(head: &Parts, body: &[u8]) -> bool {
        let query = head.uri.query().unwrap_or_default();
        is_signed(head, query)
            || head.headers.contains_key("x-amz-target")
            || has_action(query.as_bytes())
            || sqs::peek::is_path(head.uri.path())
            || is_form(head) && (has_action(body) || sqs::is_path(head.uri.path()))
    }

    /// Answers one request, which is known by `id` from now on.
    pub async fn answer(&self, head: &Parts, body: Bytes, id: &str) -> Response<Bytes> {
        if sqs::peek::is_path(head.uri.path()) {
            return sqs::peek::answer(self, head, &body, id).await;
        }
        let protocol = Protocol::of(head);
        let service = Service::of(head, &body);
        let answered = self.serve(service, protocol, head, &body, id).await;
        protocol.respond(service.shared(), answered, id)
    }

    async fn serve(
        &self,
        service: Service,
        protocol: Protocol,
        head: &Parts,
        body: &[u8],
        id: &str,
    ) -> Result<Vec<u8>, WireError> {
        let caller = self.admit(service, head, body)?;
        let request = protocol.request(service.shared(), head, body, id)?;
        match service {
            Service::Sqs => sqs::answer(self, &caller, head.uri.path(), request).await,
            Service::Sts => sts::answer(&caller, &request),
            Service::Iam => iam::answer(self, &caller, request).await,
        }
    }

    /// Who calls, if that is let in.
    pub(crate) fn admit(
        &self,
        service: Service,
        head: &Parts,
        body: &[u8],
    ) -> Result<Caller, WireError> {
        match &self.gate {
            None => Ok(Caller::of(head)),
            Some(gate) => Ok(gate.admit(head, body, service.signing_name())?),
        }
    }
}

fn is_signed(head: &Parts, query: &str) -> bool {
    let signed = |value: &HeaderValue| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256 ");
    head.headers.get(header::AUTHORIZATION).is_some_and(signed)
        || query.split('&').any(|pair| pair == "X-Amz-Algorithm=AWS4-HMAC-SHA256")
}

fn has_action(form: &[u8]) -> bool {
    form.split(|byte| *byte == b'&').any(|pair| pair.starts_with(b"Action="))
}

fn is_form(head: &Parts) -> bool {
    let kind = head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let form = kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded"));
    form && head.method == Method::POST
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any 5xx is retried by the SDKs (their standard mode), and so is throttling by its code.
    #[tokio::test]
    async fn without_an_engine_the_answer_is_one_that_sdks_retry() {
        let options = lineside_engine::engine::Options {
            partition: lineside_core::id::PartitionId(0),
            limits: lineside_core::limits::Limits::cloud(),
            steerable: false,
            inbox_max: 16,
            checkpoint_bytes: 1 << 20,
            state_bytes_max: u64::MAX,
            notice: |_| {},
        };
        let fault = Err(lineside_engine::log::LogFault::Closed);
        let (engine, _ended) = lineside_engine::engine::start(options, async { fault });
        let aws = Aws::new(engine, ReceiptKey::new([1; 16]));
        let request = http::Request::post("/").header("x-amz-target", "AmazonSQS.ListQueues");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let answer = aws.answer(&head, Bytes::from_static(b"{}"), "id").await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        assert!(body.contains("com.amazonaws.sqs#ServiceUnavailable"), "{body}");
    }

    fn addressed(request: http::request::Builder, body: &str) -> bool {
        Aws::is_addressed(&request.body(()).unwrap().into_parts().0, body.as_bytes())
    }

    #[test]
    fn a_request_is_awss_by_its_signature_its_target_or_its_action() {
        let form = |path: &str| {
            let kind = "application/x-www-form-urlencoded; charset=utf-8";
            http::Request::post(path).header("content-type", kind)
        };
        let get = |path: &str| http::Request::get(path);
        assert!(addressed(get("/x").header("authorization", "AWS4-HMAC-SHA256 Credential="), ""));
        assert!(addressed(get("/x?X-Amz-Algorithm=AWS4-HMAC-SHA256"), ""));
        assert!(addressed(get("/x").header("x-amz-target", "AmazonSQS.ListQueues"), ""));
        assert!(addressed(get("/?Action=ListQueues"), ""));
        assert!(addressed(form("/x"), "Version=2012-11-05&Action=ListQueues"));
        assert!(addressed(form("/"), "Version=2012-11-05"));
        assert!(addressed(form("/000000000000/orders"), ""));
        assert!(!addressed(form("/_lineside/clock"), "advance=1"));
        assert!(!addressed(get("/"), "Action=ListQueues"));
        assert!(!addressed(get("/x").header("authorization", "Bearer x"), ""));
    }
}
