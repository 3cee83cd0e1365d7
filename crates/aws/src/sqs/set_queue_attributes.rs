//! SetQueueAttributes.

use lineside_core::command::Command;

use super::error::{error, missing_parameter};
use super::{Call, Nothing, attributes, name};
use crate::generated::sqs::SetQueueAttributesRequest;
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: SetQueueAttributesRequest,
) -> Result<Nothing, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    // A Query request cannot tell an empty map from none, and that is how Query names an attribute.
    let given = request.attributes.filter(|given| !given.is_empty());
    let given = given.ok_or_else(|| missing_parameter("Attribute.Name"))?;
    if given.contains_key("FifoQueue") {
        // A queue's kind is fixed at its creation.
        return Err(error("InvalidAttributeName", "Unknown Attribute FifoQueue."));
    }
    let patch = attributes::parse(&given, &queue)?;
    call.command(Command::ChangeQueue { name: queue, patch, only_if: None }).await?;
    Ok(Nothing {})
}
