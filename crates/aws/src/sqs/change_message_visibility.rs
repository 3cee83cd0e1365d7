//! ChangeMessageVisibility and ChangeMessageVisibilityBatch.

use futures::future::join_all;
use lineside_core::command::Command;
use lineside_core::id::Name;
use lineside_core::stamp::Millis;

use super::error::{invalid_value, missing_parameter};
use super::{Call, Nothing, batch, name, receipt};
use crate::generated::sqs::{
    ChangeMessageVisibilityBatchRequest, ChangeMessageVisibilityBatchResult,
    ChangeMessageVisibilityBatchResultEntry, ChangeMessageVisibilityRequest,
};
use crate::protocol::WireError;

pub(super) async fn one(
    call: Call<'_>,
    request: ChangeMessageVisibilityRequest,
) -> Result<Nothing, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    let timeout = request.visibility_timeout;
    change(call, queue, request.receipt_handle.as_ref(), timeout).await?;
    Ok(Nothing {})
}

pub(super) async fn batch(
    call: Call<'_>,
    request: ChangeMessageVisibilityBatchRequest,
) -> Result<ChangeMessageVisibilityBatchResult, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    call.command(Command::FindQueue { name: queue.clone() }).await?;
    let kind = "ChangeMessageVisibilityBatchRequestEntry";
    let entries = batch::entries(kind, request.entries.as_deref(), |entry| entry.id.as_ref())?;
    let answered = entries.into_iter().map(|(id, entry)| {
        let handle = entry.receipt_handle.as_ref();
        let changed = change(call, queue.clone(), handle, entry.visibility_timeout);
        async move {
            let entry = ChangeMessageVisibilityBatchResultEntry { id: Some(id.to_owned()) };
            (id, changed.await.map(|()| entry))
        }
    });
    let (successful, failed) = batch::split(join_all(answered).await);
    Ok(ChangeMessageVisibilityBatchResult { successful, failed })
}

async fn change(
    call: Call<'_>,
    queue: Name,
    handle: Option<&String>,
    timeout: Option<i32>,
) -> Result<(), WireError> {
    let timeout = timeout.ok_or_else(|| missing_parameter("VisibilityTimeout"))?;
    let timeout = visibility(timeout)?;
    let (receipt, handle) = receipt::of_handle(call, handle)?;
    call.command_on(Command::ChangeLease { queue, receipt, timeout }, handle).await.map(|_| ())
}

/// A visibility timeout from the wire: 0 to 43,200 seconds.
pub(super) fn visibility(seconds: i32) -> Result<Millis, WireError> {
    match u64::try_from(seconds) {
        Ok(seconds) if seconds <= 43_200 => Ok(Millis::seconds(seconds)),
        _ => Err(invalid_value(seconds, "VisibilityTimeout", "Must be between 0 and 43200.")),
    }
}
