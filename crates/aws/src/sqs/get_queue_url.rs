//! GetQueueUrl.

use lineside_core::command::Command;

use super::error::{invalid_value, missing_parameter};
use super::{Call, name};
use crate::Caller;
use crate::address::is_account;
use crate::generated::sqs::{GetQueueUrlRequest, GetQueueUrlResult};
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: GetQueueUrlRequest,
) -> Result<GetQueueUrlResult, WireError> {
    let queue = request.queue_name.ok_or_else(|| missing_parameter("QueueName"))?;
    let account = request.queue_owner_aws_account_id;
    let account = account.unwrap_or_else(|| call.caller.account.clone());
    if !is_account(&account) {
        return Err(invalid_value(&account, "QueueOwnerAWSAccountId", "Must be 12 digits."));
    }
    let owner = Caller { account, ..call.caller.clone() };
    call.command(Command::FindQueue { name: name::scoped(&owner, &queue) }).await?;
    Ok(GetQueueUrlResult { queue_url: Some(name::url(&owner, &queue)) })
}
