//! ListQueueTags.

use std::collections::BTreeMap;

use lineside_core::command::{Command, Reply};

use super::{Call, name};
use crate::generated::sqs::{ListQueueTagsRequest, ListQueueTagsResult};
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: ListQueueTagsRequest,
) -> Result<ListQueueTagsResult, WireError> {
    let name = name::of_url(call.caller, request.queue_url.as_ref())?;
    let Reply::Tags(tags) = call.command(Command::ListTags { name }).await? else {
        return Ok(ListQueueTagsResult::default());
    };
    let tags: BTreeMap<String, String> = tags
        .iter()
        .map(|(key, value)| (key.as_str().to_owned(), value.as_str().to_owned()))
        .collect();
    Ok(ListQueueTagsResult { tags: (!tags.is_empty()).then_some(tags) })
}
