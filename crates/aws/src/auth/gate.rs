//! The gate: whoever comes in shows a signature, and is known by it from then on.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;

use super::policy::{Context, Denied, Principal};
use super::sigv4::{self, Service};
use super::{AuthError, Keys, Moment};
use crate::address::Caller;
use crate::protocol::WireError;

/// Checks signatures by a set of keys and a clock.
#[derive(Clone)]
pub struct Gate {
    keys: Arc<Keys>,
    clock: fn() -> Moment,
}

/// Where a request comes from; an extension of its head, for `aws:SourceIp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Who a caller is, and what is known of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) principal: Principal,
    pub(crate) context: Context,
}

impl Gate {
    /// A gate for the holders of these keys; `clock` says the real time.
    pub fn new(keys: Keys, clock: fn() -> Moment) -> Gate {
        Gate { keys: Arc::new(keys), clock }
    }

    /// The caller who signed a request to a service.
    pub(crate) fn admit(
        &self,
        head: &Parts,
        body: &[u8],
        service: &str,
    ) -> Result<Caller, AuthError> {
        let service = Service { name: service, region: None, unsigned_payload: false };
        let now = (self.clock)();
        let signer = sigv4::verify(head, body, &self.keys, &service, now)?;
        let principal = Principal::of_signer(&signer);
        let mut context = Context::of(&principal, &signer.region, now);
        if let Some(Peer(address)) = head.extensions.get() {
            context.set("aws:SourceIp", &address.to_canonical().to_string());
        }
        let access = Some(Access { principal, context });
        Ok(Caller { account: signer.account, region: signer.region, access, ..Caller::of(head) })
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gate").field(&self.keys).finish()
    }
}

impl From<AuthError> for WireError {
    fn from(error: AuthError) -> WireError {
        WireError::common(error.status(), error.json_code(), error.to_string())
    }
}

impl From<Denied> for WireError {
    fn from(denied: Denied) -> WireError {
        WireError::common(Denied::STATUS, Denied::JSON_CODE, denied.to_string())
    }
}

/// What Query calls an error of the gate's, if it is one.
pub(crate) fn query_code(json_code: &str) -> Option<&'static str> {
    Some(match json_code {
        "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
        "IncompleteSignatureException" => "IncompleteSignature",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        Denied::JSON_CODE => Denied::CODE,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_name_in_both_protocols() {
        let moment = Moment(0);
        for error in [
            AuthError::Missing,
            AuthError::Twice,
            AuthError::UnknownKey,
            AuthError::Expired { end: moment, now: moment },
            AuthError::Late { signed: moment, now: moment },
        ] {
            let code = query_code(error.json_code()).unwrap_or(error.json_code());
            assert_eq!(code, error.code());
        }
    }
}
