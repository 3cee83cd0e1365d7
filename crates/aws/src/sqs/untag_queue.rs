//! UntagQueue.

use lineside_core::command::Command;
use lineside_core::id::Label;

use super::error::missing_parameter;
use super::{Call, Nothing, name, tags};
use crate::generated::sqs::UntagQueueRequest;
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: UntagQueueRequest,
) -> Result<Nothing, WireError> {
    let name = name::of_url(call.caller, request.queue_url.as_ref())?;
    let keys = request.tag_keys.filter(|keys| !keys.is_empty());
    let keys = keys.ok_or_else(|| missing_parameter("TagKeys"))?;
    keys.iter().try_for_each(|key| tags::check_key(key))?;
    let keys = keys.into_iter().map(Label::new).collect();
    call.command(Command::UntagQueue { name, keys }).await?;
    Ok(Nothing {})
}
