//! What is known of a request, by the keys that conditions and variables name.

use std::collections::BTreeMap;

use super::Principal;
use crate::auth::Moment;

/// Values by key. Keys are the same in any case (IAM user guide, "Condition": key names).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// Knows nothing.
    pub fn new() -> Context {
        Context::default()
    }

    /// What every request says: who calls, when, for which region. `aws:SourceIp` is the caller's
    /// own to add, since a service that calls has none.
    pub fn of(principal: &Principal, region: &str, now: Moment) -> Context {
        let mut context = Context::new();
        match principal {
            Principal::Key { account, arn, name } => {
                context.set("aws:PrincipalArn", arn);
                context.set("aws:PrincipalAccount", account);
                context.set("aws:PrincipalType", "User");
                context.set("aws:username", name);
                context.set("aws:userid", name);
            }
            Principal::Service(name) => context.set("aws:PrincipalServiceName", name),
        }
        let service = matches!(principal, Principal::Service(_));
        context.set("aws:PrincipalIsAWSService", if service { "true" } else { "false" });
        context.set("aws:ViaAWSService", "false");
        context.set("aws:SecureTransport", "false");
        context.set("aws:RequestedRegion", region);
        context.set("aws:CurrentTime", &now.extended());
        context.set("aws:EpochTime", &now.0.to_string());
        context
    }

    /// Gives a key its one value.
    pub fn set(&mut self, key: &str, value: &str) {
        self.0.insert(key.to_ascii_lowercase(), vec![value.to_owned()]);
    }

    /// Gives a key several values; none is the same as no key.
    pub fn set_all(&mut self, key: &str, values: Vec<String>) {
        self.0.insert(key.to_ascii_lowercase(), values);
    }

    /// The values of a key in lower case.
    pub(super) fn values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// The value of a key that has one.
    pub(super) fn single(&self, key: &str) -> Option<&str> {
        match self.values(key) {
            [value] => Some(value),
            _ => None,
        }
    }
}
