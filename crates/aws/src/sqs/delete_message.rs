//! DeleteMessage and DeleteMessageBatch.

use futures::future::join_all;
use lineside_core::command::Command;
use lineside_core::id::Name;

use super::{Call, Nothing, batch, name, receipt};
use crate::generated::sqs::{
    DeleteMessageBatchRequest, DeleteMessageBatchResult, DeleteMessageBatchResultEntry,
    DeleteMessageRequest,
};
use crate::protocol::WireError;

pub(super) async fn one(
    call: Call<'_>,
    request: DeleteMessageRequest,
) -> Result<Nothing, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    delete(call, queue, request.receipt_handle.as_ref()).await?;
    Ok(Nothing {})
}

pub(super) async fn batch(
    call: Call<'_>,
    request: DeleteMessageBatchRequest,
) -> Result<DeleteMessageBatchResult, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    call.command(Command::FindQueue { name: queue.clone() }).await?;
    let kind = "DeleteMessageBatchRequestEntry";
    let entries = batch::entries(kind, request.entries.as_deref(), |entry| entry.id.as_ref())?;
    let answered = entries.into_iter().map(|(id, entry)| {
        let deleted = delete(call, queue.clone(), entry.receipt_handle.as_ref());
        async move {
            let entry = DeleteMessageBatchResultEntry { id: Some(id.to_owned()) };
            (id, deleted.await.map(|()| entry))
        }
    });
    let (successful, failed) = batch::split(join_all(answered).await);
    Ok(DeleteMessageBatchResult { successful, failed })
}

async fn delete(call: Call<'_>, queue: Name, handle: Option<&String>) -> Result<(), WireError> {
    let (receipt, handle) = receipt::of_handle(call, handle)?;
    call.command_on(Command::Delete { queue, receipt }, handle).await.map(|_| ())
}
