//! ListDeadLetterSourceQueues.

use lineside_core::command::{Command, Reply};

use super::list_queues::{RESULTS_MAX, check_limit, open_token, seal_token};
use super::{Call, name};
use crate::generated::sqs::{ListDeadLetterSourceQueuesRequest, ListDeadLetterSourceQueuesResult};
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: ListDeadLetterSourceQueuesRequest,
) -> Result<ListDeadLetterSourceQueuesResult, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    let limit = check_limit(request.max_results.unwrap_or(RESULTS_MAX))?;
    let after = request.next_token.map(|token| open_token(&token)).transpose()?;
    let listed = call.command(Command::ListSources { name: queue, after, limit }).await?;
    let Reply::Names { names, more } = listed else {
        return Ok(ListDeadLetterSourceQueuesResult::default());
    };
    // As with ListQueues: a token only for who asked for pages.
    let paged = more && request.max_results.is_some();
    Ok(ListDeadLetterSourceQueuesResult {
        next_token: names.last().filter(|_| paged).map(seal_token),
        queue_urls: Some(names.iter().map(|queue| name::url_of(call.caller, queue)).collect()),
    })
}
