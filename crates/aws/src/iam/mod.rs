//! IAM, as far as those need it who set up other services: roles and policies are kept and returned.
//! Every other operation answers that it is not supported.

mod account;
mod error;
mod page;
mod policy;
mod role;
mod role_policy;
mod rule;

use std::sync::Arc;

use lineside_core::stamp::Stamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use account::IamAccount;

use crate::generated::iam::{OTHER_OPERATIONS, Operation};
use crate::ledger::Ledger;
use crate::protocol::shape::Service;
use crate::protocol::{Request, WireError};
use crate::{Aws, Caller};

/// What all its operations share on the wire.
pub(crate) const SERVICE: &Service = &crate::generated::iam_table::SERVICE;

/// Answers one operation.
pub(crate) async fn answer(
    aws: &Aws,
    caller: &Caller,
    request: Request<'_>,
) -> Result<Vec<u8>, WireError> {
    let Some(operation) = Operation::from_name(&request.operation) else {
        return Err(request.not_here("IAM", OTHER_OPERATIONS));
    };
    let ledger = &aws.kept()?.iam;
    let call = Call { ledger, caller, operation, request: &request };
    match operation {
        Operation::CreateRole => call.run(role::create).await,
        Operation::GetRole => call.run(role::get).await,
        Operation::ListRoles => call.run(role::list).await,
        Operation::DeleteRole => call.run(role::delete).await,
        Operation::CreatePolicy => call.run(policy::create).await,
        Operation::GetPolicy => call.run(policy::get).await,
        Operation::GetPolicyVersion => call.run(policy::version).await,
        Operation::ListPolicies => call.run(policy::list).await,
        Operation::DeletePolicy => call.run(policy::delete).await,
        Operation::AttachRolePolicy => call.run(role_policy::attach).await,
        Operation::DetachRolePolicy => call.run(role_policy::detach).await,
        Operation::ListAttachedRolePolicies => call.run(role_policy::list_attached).await,
        Operation::PutRolePolicy => call.run(role_policy::put).await,
        Operation::GetRolePolicy => call.run(role_policy::get).await,
        Operation::ListRolePolicies => call.run(role_policy::list).await,
        Operation::DeleteRolePolicy => call.run(role_policy::delete).await,
    }
}

/// What an operation works with.
#[derive(Clone, Copy)]
struct Call<'a> {
    ledger: &'a Ledger<IamAccount>,
    caller: &'a Caller,
    operation: Operation,
    request: &'a Request<'a>,
}

/// The reply of an operation that says nothing.
#[derive(Default, Serialize)]
struct Nothing {}

impl<'a> Call<'a> {
    async fn run<I, O, F>(self, operation: F) -> Result<Vec<u8>, WireError>
    where
        I: DeserializeOwned + Default,
        O: Serialize,
        F: AsyncFnOnce(Call<'a>, I) -> Result<O, WireError>,
    {
        let (input, output) = self.operation.shapes();
        let reply = operation(self, self.request.read(input)?).await?;
        Ok(self.request.write(SERVICE, output, &reply))
    }

    /// Roles and policies belong to no region.
    fn stream(self) -> String {
        format!("$iam-{}", self.caller.account)
    }

    async fn account(self) -> Result<Arc<IamAccount>, WireError> {
        Ok(self.ledger.state(&self.stream()).await?)
    }

    async fn change<T>(
        self,
        decide: impl Fn(&IamAccount) -> Result<(Vec<account::IamEvent>, T), WireError>,
    ) -> Result<T, WireError> {
        self.ledger.change(&self.stream(), decide).await
    }
}

/// The ARN of something of the caller's account; the path begins and ends with a slash.
fn arn(call: Call<'_>, kind: &str, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{}:{kind}{path}{name}", call.caller.account)
}

/// A moment as IAM writes it, in whole seconds.
fn moment(at: Stamp) -> String {
    let seconds = i64::try_from(at.0 / 1000).unwrap_or(i64::MAX);
    crate::auth::Moment(seconds).extended()
}

/// What RFC 3986 calls unreserved.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A document as IAM returns it: escaped as in a URL (API reference, GetRole).
fn encoded(document: &str) -> String {
    utf8_percent_encode(document, UNRESERVED).to_string()
}
