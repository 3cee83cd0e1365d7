//! STS: who is it that calls. Every other operation answers that it is not supported: nobody here
//! hands out credentials.

use crate::Caller;
use crate::auth::policy::Principal;
use crate::generated::sts::{GetCallerIdentityResponse, OTHER_OPERATIONS, Operation};
use crate::protocol::shape::Service;
use crate::protocol::{Request, WireError};

/// What all its operations share on the wire.
pub(crate) const SERVICE: &Service = &crate::generated::sts_table::SERVICE;

/// Answers one operation.
pub(crate) fn answer(caller: &Caller, request: &Request<'_>) -> Result<Vec<u8>, WireError> {
    let Some(operation) = Operation::from_name(&request.operation) else {
        return Err(request.not_here("STS", OTHER_OPERATIONS));
    };
    match operation {
        Operation::GetCallerIdentity => {
            Ok(request.write(SERVICE, operation.shapes().1, &identity(caller)))
        }
    }
}

/// Where nobody's signature is checked, everybody is the root of the account that they name.
fn identity(caller: &Caller) -> GetCallerIdentityResponse {
    let account = caller.account.clone();
    let (user, arn) = match caller.access.as_ref().map(|access| &access.principal) {
        Some(Principal::Key { arn, name, .. }) => (name.clone(), arn.clone()),
        Some(Principal::Service(_)) | None => {
            (account.clone(), format!("arn:aws:iam::{account}:root"))
        }
    };
    GetCallerIdentityResponse { user_id: Some(user), account: Some(account), arn: Some(arn) }
}
