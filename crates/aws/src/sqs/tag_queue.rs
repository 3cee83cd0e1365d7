//! TagQueue.

use lineside_core::command::Command;

use super::error::missing_parameter;
use super::{Call, Nothing, name, tags};
use crate::generated::sqs::TagQueueRequest;
use crate::protocol::WireError;

pub(super) async fn answer(call: Call<'_>, request: TagQueueRequest) -> Result<Nothing, WireError> {
    let name = name::of_url(call.caller, request.queue_url.as_ref())?;
    let tags = request.tags.filter(|tags| !tags.is_empty());
    let tags = tags::parse(tags.ok_or_else(|| missing_parameter("Tags"))?)?;
    let queue = name::short(&name).to_owned();
    tags::ask(call, &queue, Command::TagQueue { name, tags }).await?;
    Ok(Nothing {})
}
