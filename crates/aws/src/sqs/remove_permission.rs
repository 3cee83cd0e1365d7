//! RemovePermission: a statement less in the queue's policy.

use serde_json::Value;

use super::error::invalid_value;
use super::permissions::{check_label, edit, is_labelled, read, statements};
use super::{Call, Nothing, name};
use crate::generated::sqs::RemovePermissionRequest;
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: RemovePermissionRequest,
) -> Result<Nothing, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    let label = check_label(request.label)?;
    edit(call, &queue, |policy| without(policy, &label)).await
}

/// The policy without the statements of a label; none at all, if no other is left.
fn without(policy: Option<&str>, label: &str) -> Result<Option<String>, WireError> {
    let mut policy = read(policy).unwrap_or_default();
    let statements = statements(&mut policy);
    let before = statements.len();
    statements.retain(|known| !is_labelled(known, label));
    if statements.len() == before {
        let reason = "can't find label on existing policy.";
        return Err(invalid_value(label, "Label", reason));
    }
    let left = !statements.is_empty();
    Ok(left.then(|| Value::Object(policy).to_string()))
}
