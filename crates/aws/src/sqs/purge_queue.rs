//! PurgeQueue.

use lineside_core::command::Command;

use super::{Call, Nothing, name};
use crate::generated::sqs::PurgeQueueRequest;
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: PurgeQueueRequest,
) -> Result<Nothing, WireError> {
    let name = name::of_url(call.caller, request.queue_url.as_ref())?;
    call.command(Command::PurgeQueue { name }).await?;
    Ok(Nothing {})
}
