//! Floor 2: the AWS face. Parses, calls one command, and renders the reply as AWS would.
//!
//! Owns AWS's protocols, names, limits of form and error texts; SQS so far, in [`sqs`], one file per
//! operation. Must never know a file, a socket or the log. Enter at [`Aws::answer`].

mod blob;
mod generated;
mod json;
pub mod sqs;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use lineside_core::receipt::ReceiptKey;
use lineside_engine::engine::Handle;

use crate::json::WireError;

/// The account that every caller has until accounts are told apart.
pub const DEFAULT_ACCOUNT: &str = "000000000000";
/// The region of a caller that names none.
pub const DEFAULT_REGION: &str = "us-east-1";

/// The face.
#[derive(Clone)]
pub struct Aws {
    engine: Handle,
    key: ReceiptKey,
}

/// Who calls, and through which address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) host: String,
}

impl Aws {
    /// A face over an engine; receipts are sealed under `key`.
    pub fn new(engine: Handle, key: ReceiptKey) -> Aws {
        Aws { engine, key }
    }

    /// Whether a request is AWS's, whatever its path: it is signed for a scope, or names a target.
    pub fn is_addressed(head: &Parts) -> bool {
        let signed = |value: &HeaderValue| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256 ");
        head.headers.contains_key("x-amz-target")
            || head.headers.get(http::header::AUTHORIZATION).is_some_and(signed)
    }

    /// Answers one request of AWS's JSON protocol.
    pub async fn answer(&self, head: &Parts, body: Bytes) -> Response<Bytes> {
        let target = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        let answered = match target.and_then(|target| target.split_once('.')) {
            Some((sqs::TARGET_PREFIX, operation)) => {
                sqs::answer(self, &Caller::of(head), operation, &body).await
            }
            _ => Err(WireError::unknown_operation(target.unwrap_or_default())),
        };
        let (status, body) = match answered {
            Ok(body) => (StatusCode::OK, body),
            Err(error) => (error.status(), error.body()),
        };
        respond(status, body)
    }
}

impl Caller {
    fn of(head: &Parts) -> Caller {
        let header =
            |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let region = header("authorization").and_then(scope_region).unwrap_or(DEFAULT_REGION);
        Caller {
            account: DEFAULT_ACCOUNT.to_owned(),
            region: region.to_owned(),
            host: header("host").unwrap_or("127.0.0.1").to_owned(),
        }
    }
}

/// The region in `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn scope_region(authorization: &str) -> Option<&str> {
    let credential = authorization.split_once("Credential=")?.1;
    let region = credential.split(',').next()?.split('/').nth(2)?;
    let plain = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (plain && (1..=32).contains(&region.len())).then_some(region)
}

/// A response of AWS's JSON protocol.
fn respond(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/x-amz-json-1.0");
    headers.insert(http::header::CONTENT_TYPE, kind);
    response
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
            notice: |_| {},
        };
        let fault = Err(lineside_engine::log::LogFault::Closed);
        let (engine, _ended) = lineside_engine::engine::start(options, async { fault });
        let aws = Aws::new(engine, ReceiptKey::new([1; 16]));
        let request = http::Request::post("/").header("x-amz-target", "AmazonSQS.ListQueues");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let answer = aws.answer(&head, Bytes::from_static(b"{}")).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = String::from_utf8(answer.body().to_vec()).unwrap();
        assert!(body.contains("com.amazonaws.sqs#ServiceUnavailable"), "{body}");
    }

    #[test]
    fn region_comes_from_the_credential_scope() {
        let header = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/sqs/aws4_request, \
                      SignedHeaders=host, Signature=00";
        assert_eq!(scope_region(header), Some("eu-west-1"));
        assert_eq!(scope_region("Bearer x"), None);
        assert_eq!(scope_region("Credential=a/b/../c"), None);
    }
}
