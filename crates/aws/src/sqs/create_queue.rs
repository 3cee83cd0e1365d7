//! CreateQueue.

use lineside_core::command::Command;

use super::error::{missing_parameter, unsupported};
use super::{Call, attributes, name};
use crate::generated::sqs::{CreateQueueRequest, CreateQueueResult};
use crate::json::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: CreateQueueRequest,
) -> Result<CreateQueueResult, WireError> {
    let queue = request.queue_name.ok_or_else(|| missing_parameter("QueueName"))?;
    if request.tags.is_some_and(|tags| !tags.is_empty()) {
        return Err(unsupported("A tag of a queue"));
    }
    let given = request.attributes.unwrap_or_default();
    let kind = attributes::kind(&given)?;
    name::check(&queue, kind)?;
    let given = attributes::parse(&given, kind)?;
    let name = name::scoped(call.caller, &queue);
    call.command(Command::CreateQueue { name, kind, given }).await?;
    Ok(CreateQueueResult { queue_url: Some(name::url(call.caller, &queue)) })
}
