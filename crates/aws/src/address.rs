//! Who calls, through which address, and what an address names: account, region and queue
//! (developer guide, "Queue and message identifiers"; LocalStack's documentation, "Queue URLs").

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderName, HeaderValue, header};

use crate::auth::Access;

/// The account of a caller whose access key is no account's number.
pub const DEFAULT_ACCOUNT: &str = "000000000000";
/// The region of a caller that names none.
pub const DEFAULT_REGION: &str = "us-east-1";

/// Who calls, and through which address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) host: String,
    /// Who it is, behind a gate; without one, nobody asks.
    pub(crate) access: Option<Access>,
}

impl Caller {
    /// The caller that a request names: by its credential's scope, in a header or in the URL; else
    /// by the name of the host that it came to.
    pub(crate) fn of(head: &Parts) -> Caller {
        let header = |name: HeaderName| {
            head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let credential = credential(head);
        let scope = credential.as_deref().map(Scope::parse).unwrap_or_default();
        let host = header(header::HOST).filter(|host| is_host(host)).unwrap_or("127.0.0.1");
        let account = scope.key.filter(|key| is_account(key)).unwrap_or(DEFAULT_ACCOUNT);
        let region = scope.region.or_else(|| region_of_host(host)).unwrap_or(DEFAULT_REGION);
        Caller {
            account: account.to_owned(),
            region: region.to_owned(),
            host: host.to_owned(),
            access: None,
        }
    }
}

/// What a credential's scope says: `KEY/DATE/REGION/SERVICE/aws4_request`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Scope<'a> {
    key: Option<&'a str>,
    region: Option<&'a str>,
    service: Option<&'a str>,
}

impl Scope<'_> {
    fn parse(text: &str) -> Scope<'_> {
        let mut parts = text.split('/');
        let key = parts.next();
        let region = parts.nth(1).filter(|region| is_plain(region));
        Scope { key, region, service: parts.next() }
    }
}

/// The service that a request's credential is scoped to.
pub(crate) fn scoped_service(head: &Parts) -> Option<String> {
    let credential = credential(head)?;
    Scope::parse(&credential).service.map(str::to_owned)
}

/// The credential of a request: in its header, or, where it is presigned, in its URL.
fn credential(head: &Parts) -> Option<Cow<'_, str>> {
    let header = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let signed = header.and_then(credential_of_header).map(Cow::Borrowed);
    let presigned = || credential_of_query(head.uri.query().unwrap_or_default());
    signed.or_else(|| presigned().map(Cow::Owned))
}

fn credential_of_header(authorization: &str) -> Option<&str> {
    authorization.split([',', ' ']).find_map(|part| part.strip_prefix("Credential="))
}

/// The credential of a presigned request.
fn credential_of_query(query: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, credential) = pairs.find(|(name, _)| *name == "X-Amz-Credential")?;
    Some(credential.replace("%2F", "/").replace("%2f", "/"))
}

/// A word that can be part of a name that the core knows a queue by.
pub(crate) fn is_plain(region: &str) -> bool {
    let plain = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    plain && (1..=32).contains(&region.len())
}

/// Whether this is the number of an account.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A host, and a port perhaps: it goes into URLs that others will read.
fn is_host(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (1..=255).contains(&text.len()) && text.bytes().all(part)
}

/// What the URL of a queue says of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueueAddress<'a> {
    pub(crate) region: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    /// The last part of the path; it may be no name of a queue.
    pub(crate) queue: &'a str,
}

impl<'a> QueueAddress<'a> {
    /// Reads a URL with or without its host. The last part of the path is the queue, the one before
    /// it the account; `queue/{region}` may stand before both, or the host names the region.
    pub(crate) fn parse(url: &'a str) -> QueueAddress<'a> {
        let after_scheme = url.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//"));
        let (host, path) = match after_scheme {
            Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
            None => ("", url),
        };
        let mut parts = path.rsplit('/');
        let queue = parts.next().unwrap_or_default();
        let account = parts.next().filter(|part| is_account(part));
        let region = parts.next().filter(|part| is_plain(part) && parts.next() == Some("queue"));
        QueueAddress { region: region.or_else(|| region_of_host(host)), account, queue }
    }
}

/// The region that a host's name has: `{service}.{region}.…` or `{region}.queue.…`.
fn region_of_host(host: &str) -> Option<&str> {
    let mut labels = host.split('.');
    let region = match (labels.next()?, labels.next()?) {
        ("sqs" | "sns" | "sts", region) => region,
        (region, "queue") => region,
        _ => return None,
    };
    // `sqs.localhost.localstack.cloud` names none.
    let ends_with_digit = region.bytes().last().is_some_and(|byte| byte.is_ascii_digit());
    (is_plain(region) && region.contains('-') && ends_with_digit).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(uri: &str, headers: &[(&str, &str)]) -> Caller {
        let mut request = http::Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Caller::of(&request.body(()).unwrap().into_parts().0)
    }

    fn signed(scope: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00")
    }

    #[test]
    fn account_and_region_come_from_the_credential_scope() {
        let header = signed("123456789012/20260101/eu-west-1/sqs/aws4_request");
        let found = caller("/", &[("authorization", &header), ("host", "sqs.us-west-2.x:80")]);
        assert_eq!((&*found.account, &*found.region), ("123456789012", "eu-west-1"));
        assert_eq!(found.host, "sqs.us-west-2.x:80");
    }

    #[test]
    fn a_key_that_is_no_account_is_the_default_accounts() {
        for key in ["AKIDEXAMPLE", "12345678901", "1234567890123", "12345678901a", ""] {
            let header = signed(&format!("{key}/20260101/eu-west-1/sqs/aws4_request"));
            assert_eq!(caller("/", &[("authorization", &header)]).account, DEFAULT_ACCOUNT);
        }
    }

    #[test]
    fn a_presigned_request_has_its_scope_in_the_url() {
        let found = caller(
            "/?Action=ListQueues&X-Amz-Credential=123456789012%2F20260101%2Feu-west-1%2Fsqs%2Faws4_request",
            &[],
        );
        assert_eq!((&*found.account, &*found.region), ("123456789012", "eu-west-1"));
    }

    #[test]
    fn without_a_scope_the_host_may_name_the_region() {
        let region = |host: &str| caller("/", &[("host", host)]).region;
        assert_eq!(region("sqs.eu-west-1.localhost.localstack.cloud:4566"), "eu-west-1");
        assert_eq!(region("eu-west-1.queue.localhost.localstack.cloud:4566"), "eu-west-1");
        assert_eq!(region("sqs.us-gov-west-1.amazonaws.com"), "us-gov-west-1");
        for host in ["sqs.localhost.localstack.cloud", "localhost", "queue.amazonaws.com", "sqs"] {
            assert_eq!(region(host), DEFAULT_REGION, "{host}");
        }
    }

    #[test]
    fn a_scope_or_host_that_would_not_fit_in_a_name_is_none() {
        let header = signed("a/b/../c");
        let found = caller("/", &[("authorization", &header), ("host", "a\"b")]);
        assert_eq!((&*found.region, &*found.host), (DEFAULT_REGION, "127.0.0.1"));
        let header = signed(&format!("a/b/{}/c", "r".repeat(33)));
        assert_eq!(caller("/", &[("authorization", &header)]).region, DEFAULT_REGION);
    }

    #[test]
    fn the_url_of_a_queue_names_region_account_and_queue() {
        let address = |region, account, queue| QueueAddress { region, account, queue };
        let account = "123456789012";
        for (url, found) in [
            ("q", address(None, None, "q")),
            ("/q", address(None, None, "q")),
            ("http://h:1/123456789012/q", address(None, Some(account), "q")),
            ("/queue/eu-west-1/123456789012/q", address(Some("eu-west-1"), Some(account), "q")),
            ("http://h/queue/r/123456789012/q", address(Some("r"), Some(account), "q")),
            (
                "https://sqs.eu-west-1.amazonaws.com/123456789012/q",
                address(Some("eu-west-1"), Some(account), "q"),
            ),
            (
                "http://eu-west-1.queue.localhost.localstack.cloud:4566/123456789012/q",
                address(Some("eu-west-1"), Some(account), "q"),
            ),
            ("http://h/a/b/c/q", address(None, None, "q")),
            ("http://h", address(None, None, "")),
            ("http://h/123456789012/q/", address(None, None, "")),
        ] {
            assert_eq!(QueueAddress::parse(url), found, "{url}");
        }
    }
}
