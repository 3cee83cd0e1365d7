//! GetQueueAttributes.

use lineside_core::command::{Command, Reply};

use super::{Call, attributes, name};
use crate::generated::sqs::{GetQueueAttributesRequest, GetQueueAttributesResult};
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: GetQueueAttributesRequest,
) -> Result<GetQueueAttributesResult, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    let described = call.command(Command::DescribeQueue { name: queue.clone() }).await?;
    let Reply::Description(description) = described else {
        return Ok(GetQueueAttributesResult::default());
    };
    let asked = request.attribute_names.unwrap_or_default();
    let attributes = attributes::render(&queue, &description, &asked)?;
    Ok(GetQueueAttributesResult { attributes: (!attributes.is_empty()).then_some(attributes) })
}
