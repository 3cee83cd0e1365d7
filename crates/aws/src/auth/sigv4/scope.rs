//! The credential: `KEY/DATE/REGION/SERVICE/aws4_request`.

use super::Service;
use crate::auth::error::cut;
use crate::auth::{AuthError, Moment};

/// What each scope ends with.
pub(super) const TERMINATOR: &str = "aws4_request";

/// A credential and the scope that it is narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) key_id: String,
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
    terminator: String,
}

impl Scope {
    pub(super) fn read(credential: &str) -> Result<Scope, AuthError> {
        let mut parts = credential.split('/').map(str::to_owned);
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let read = (part(), part(), part(), part(), part(), parts.next());
        let (Some(key_id), Some(date), Some(region), Some(service), Some(terminator), None) = read
        else {
            let what = "Credential must have exactly 5 slash-delimited elements, e.g. \
                        keyid/date/region/service/term";
            return Err(AuthError::malformed(what, credential));
        };
        Ok(Scope { key_id, date, region, service, terminator })
    }

    /// Whether this is a scope of the service, on the day of the signature.
    pub(super) fn check(&self, service: &Service<'_>, signed: Moment) -> Result<(), AuthError> {
        let wrong = |why: String| Err(AuthError::Scope(why));
        if self.terminator != TERMINATOR {
            let shown = cut(&self.terminator);
            return wrong(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{shown}'."
            ));
        }
        if self.service != service.name {
            let right = service.name;
            return wrong(format!("Credential should be scoped to correct service: '{right}'."));
        }
        if !is_region(&self.region) || service.region.is_some_and(|right| right != self.region) {
            let shown = cut(&self.region);
            return wrong(format!("Credential should be scoped to a valid region, not '{shown}'."));
        }
        let moment = signed.basic();
        let day = moment.get(..8).unwrap_or_default();
        if self.date != day {
            let shown = cut(&self.date);
            return wrong(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{shown}' != '{day}', from '{moment}'."
            ));
        }
        Ok(())
    }

    /// As the string to sign has it.
    pub(super) fn text(&self) -> String {
        [&self.date, &self.region, &self.service, &self.terminator].map(String::as_str).join("/")
    }
}

/// Regions name worlds, and stand in ARNs: nothing that would be read as more than one part.
fn is_region(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    plain && (1..=32).contains(&text.len())
}
