//! DeleteQueue.

use lineside_core::command::Command;

use super::{Call, Nothing, name};
use crate::generated::sqs::DeleteQueueRequest;
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: DeleteQueueRequest,
) -> Result<Nothing, WireError> {
    let name = name::of_url(call.caller, request.queue_url.as_ref())?;
    call.command(Command::DeleteQueue { name }).await?;
    Ok(Nothing {})
}
