//! CreateQueue.

use lineside_core::command::Command;

use super::error::missing_parameter;
use super::{Call, attributes, name, tags};
use crate::generated::sqs::{CreateQueueRequest, CreateQueueResult};
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: CreateQueueRequest,
) -> Result<CreateQueueResult, WireError> {
    let queue = request.queue_name.ok_or_else(|| missing_parameter("QueueName"))?;
    let given = request.attributes.unwrap_or_default();
    let kind = attributes::kind(&given)?;
    name::check(&queue, kind)?;
    let name = name::scoped(call.caller, &queue);
    let given = attributes::parse(&given, &name)?;
    let tags = tags::parse(request.tags.unwrap_or_default())?;
    tags::ask(call, &queue, Command::CreateQueue { name, kind, given, tags }).await?;
    Ok(CreateQueueResult { queue_url: Some(name::url(call.caller, &queue)) })
}
