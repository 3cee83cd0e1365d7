//! ListQueues.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lineside_core::command::{Command, Reply};
use lineside_core::id::Name;

use super::error::{invalid_parameter, invalid_value};
use super::{Call, name};
use crate::generated::sqs::{ListQueuesRequest, ListQueuesResult};
use crate::protocol::WireError;

/// Most URLs that a call returns (API reference, MaxResults).
pub(super) const RESULTS_MAX: i32 = 1000;

pub(super) async fn answer(
    call: Call<'_>,
    request: ListQueuesRequest,
) -> Result<ListQueuesResult, WireError> {
    let limit = check_limit(request.max_results.unwrap_or(RESULTS_MAX))?;
    let prefix = name::scoped(call.caller, request.queue_name_prefix.as_deref().unwrap_or(""));
    let after = request.next_token.map(|token| open_token(&token)).transpose()?;
    let listed = call.command(Command::ListQueues { prefix, after, limit }).await?;
    let Reply::Names { names, more } = listed else { return Ok(ListQueuesResult::default()) };
    // Without MaxResults SQS returns no token, even if there are more.
    let paged = more && request.max_results.is_some();
    let next_token = names.last().filter(|_| paged).map(seal_token);
    let urls: Vec<String> =
        names.iter().map(|queue| name::url(call.caller, name::short(queue))).collect();
    Ok(ListQueuesResult { queue_urls: (!urls.is_empty()).then_some(urls), next_token })
}

pub(super) fn check_limit(limit: i32) -> Result<usize, WireError> {
    match usize::try_from(limit) {
        Ok(count) if (1..=RESULTS_MAX).contains(&limit) => Ok(count),
        _ => {
            let reason = "Must be between 1 and 1000, if provided.";
            Err(invalid_value(limit, "MaxResults", reason))
        }
    }
}

pub(super) fn seal_token(last: &Name) -> String {
    URL_SAFE_NO_PAD.encode(last.as_str())
}

pub(super) fn open_token(token: &str) -> Result<Name, WireError> {
    let invalid = || invalid_parameter("Invalid or expired next token.");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    String::from_utf8(bytes).map(Name::new).map_err(|_| invalid())
}
