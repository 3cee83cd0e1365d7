//! Which of AWS's services a request is for: what its credential is scoped to, its target, its host,
//! or its version of the API say so, in this order; a request that says nothing of it is SQS's.

use http::request::Parts;
use http::{HeaderName, HeaderValue, header};

use crate::protocol::shape;
use crate::{address, iam, sqs, sts};

/// A service that is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Sqs,
    Sts,
    Iam,
}

impl Service {
    const ALL: [Service; 3] = [Service::Sqs, Service::Sts, Service::Iam];

    /// The service that a request is for.
    pub(crate) fn of(head: &Parts, body: &[u8]) -> Service {
        let header = |name: HeaderName| {
            head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let query = head.uri.query().unwrap_or_default();
        let target = || header(HeaderName::from_static("x-amz-target"))?.split('.').next();
        let host = || header(header::HOST)?.split('.').next();
        let scoped = address::scoped_service(head);
        let scoped = scoped.as_deref().and_then(|name| Service::find(|s| s.signing_name() == name));
        scoped
            .or_else(|| target().and_then(|prefix| Service::find(|s| s.has_target(prefix))))
            .or_else(|| host().and_then(|label| Service::find(|s| s.signing_name() == label)))
            .or_else(|| Service::of_version(query.as_bytes()))
            .or_else(|| Service::of_version(body))
            .unwrap_or(Service::Sqs)
    }

    fn find(fits: impl Fn(&Service) -> bool) -> Option<Service> {
        Service::ALL.into_iter().find(fits)
    }

    fn has_target(self, prefix: &str) -> bool {
        let own = self.shared().target_prefix;
        !own.is_empty() && own == prefix
    }

    /// The parameter `Version` of a form: no two services that speak Query have the same.
    fn of_version(form: &[u8]) -> Option<Service> {
        let mut pairs = form.split(|byte| *byte == b'&');
        let version = pairs.find_map(|pair| pair.strip_prefix(b"Version="))?;
        Service::find(|service| service.shared().version.as_bytes() == version)
    }

    /// What all its operations share on the wire.
    pub(crate) fn shared(self) -> &'static shape::Service {
        match self {
            Service::Sqs => sqs::SERVICE,
            Service::Sts => sts::SERVICE,
            Service::Iam => iam::SERVICE,
        }
    }

    /// What the scope of a signature, and the first label of its host, call it.
    pub(crate) fn signing_name(self) -> &'static str {
        match self {
            Service::Sqs => "sqs",
            Service::Sts => "sts",
            Service::Iam => "iam",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(request: http::request::Builder, body: &str) -> Service {
        Service::of(&request.body(()).unwrap().into_parts().0, body.as_bytes())
    }

    #[test]
    fn the_scope_of_a_signature_goes_before_all() {
        let scope =
            "AWS4-HMAC-SHA256 Credential=k/20260101/eu-west-1/iam/aws4_request, Signature=0";
        let signed = || http::Request::post("/").header("authorization", scope);
        assert_eq!(of(signed(), "Version=2011-06-15"), Service::Iam);
        assert_eq!(of(signed().header("host", "sts.amazonaws.com"), ""), Service::Iam);
        let uri = "/?X-Amz-Credential=k%2F20260101%2Feu-west-1%2Fsts%2Faws4_request";
        assert_eq!(of(http::Request::get(uri), ""), Service::Sts);
    }

    #[test]
    fn without_one_target_host_and_version_tell() {
        let post = || http::Request::post("/");
        let host = |host: &str| of(post().header("host", host), "");
        assert_eq!(host("sts.us-east-1.amazonaws.com"), Service::Sts);
        assert_eq!(host("iam.localhost.localstack.cloud:4566"), Service::Iam);
        assert_eq!(host("localhost:4566"), Service::Sqs);
        let target = post().header("x-amz-target", "AmazonSQS.ListQueues");
        assert_eq!(of(target.header("host", "sts.x"), ""), Service::Sqs);
        assert_eq!(of(post(), "Action=GetCallerIdentity&Version=2011-06-15"), Service::Sts);
        assert_eq!(of(http::Request::get("/?Action=x&Version=2010-05-08"), ""), Service::Iam);
        assert_eq!(of(post(), "Action=SendMessage&Version=2012-11-05"), Service::Sqs);
        assert_eq!(of(post(), "Message=Version%3D2010-05-08"), Service::Sqs);
    }
}
