//! ListQueues.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lineside_core::command::{Command, Reply};
use lineside_core::id::Name;

use super::error::{invalid_parameter, invalid_value};
use super::{Call, name};
use crate::generated::sqs::{ListQueuesRequest, ListQueuesResult};
use crate::json::WireError;

/// Most URLs that a call returns (API reference, MaxResults).
const RESULTS_MAX: i32 = 1000;

pub(super) async fn answer(
    call: Call<'_>,
    request: ListQueuesRequest,
) -> Result<ListQueuesResult, WireError> {
    let limit = request.max_results.unwrap_or(RESULTS_MAX);
    if !(1..=RESULTS_MAX).contains(&limit) {
        let reason = "Must be between 1 and 1000, if provided.";
        return Err(invalid_value(limit, "MaxResults", reason));
    }
    let prefix = name::scoped(call.caller, request.queue_name_prefix.as_deref().unwrap_or(""));
    let after = request.next_token.map(|token| open_token(&token)).transpose()?;
    let limit = usize::try_from(limit).unwrap_or(1);
    let listed = call.command(Command::ListQueues { prefix, after, limit }).await?;
    let Reply::Names { names, more } = listed else { return Ok(ListQueuesResult::default()) };
    // Without MaxResults SQS returns no token, even if there are more.
    let paged = more && request.max_results.is_some();
    let next_token = names.last().filter(|_| paged).map(seal_token);
    let urls: Vec<String> =
        names.iter().map(|queue| name::url(call.caller, name::short(queue))).collect();
    Ok(ListQueuesResult { queue_urls: (!urls.is_empty()).then_some(urls), next_token })
}

fn seal_token(last: &Name) -> String {
    URL_SAFE_NO_PAD.encode(last.as_str())
}

fn open_token(token: &str) -> Result<Name, WireError> {
    let invalid = || invalid_parameter("Invalid or expired next token.");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    String::from_utf8(bytes).map(Name::new).map_err(|_| invalid())
}
