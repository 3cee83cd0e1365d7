//! GetQueueUrl.

use lineside_core::command::Command;

use super::error::missing_parameter;
use super::{Call, name};
use crate::Caller;
use crate::generated::sqs::{GetQueueUrlRequest, GetQueueUrlResult};
use crate::json::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: GetQueueUrlRequest,
) -> Result<GetQueueUrlResult, WireError> {
    let queue = request.queue_name.ok_or_else(|| missing_parameter("QueueName"))?;
    name::kind_of(&queue)?;
    let account = request.queue_owner_aws_account_id;
    let account = account.unwrap_or_else(|| call.caller.account.clone());
    let owner = Caller { account, ..call.caller.clone() };
    call.command(Command::FindQueue { name: name::scoped(&owner, &queue) }).await?;
    Ok(GetQueueUrlResult { queue_url: Some(name::url(&owner, &queue)) })
}
