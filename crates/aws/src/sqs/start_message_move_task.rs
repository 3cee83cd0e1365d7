//! StartMessageMoveTask.

use lineside_core::command::{Command, Reply};

use super::Call;
use super::move_task::{ask, of_arn, rate_out_of_range, seal};
use crate::generated::sqs::{StartMessageMoveTaskRequest, StartMessageMoveTaskResult};
use crate::protocol::WireError;

/// Most messages a second (API reference); here only for who asks for fewer than none.
const RATE_MAX: u32 = 500;

pub(super) async fn answer(
    call: Call<'_>,
    request: StartMessageMoveTaskRequest,
) -> Result<StartMessageMoveTaskResult, WireError> {
    let source = of_arn("SourceArn", request.source_arn.as_ref())?;
    let destination = request.destination_arn.as_ref().filter(|arn| !arn.is_empty());
    let destination = destination.map(|arn| of_arn("DestinationArn", Some(arn))).transpose()?;
    let rate = request.max_number_of_messages_per_second.map(rate).transpose()?;
    let command = Command::StartMove { source: source.clone(), destination, rate };
    let Reply::MoveStarted { task } = ask(call, command).await? else {
        return Ok(StartMessageMoveTaskResult::default());
    };
    Ok(StartMessageMoveTaskResult { task_handle: Some(seal(&source, task)) })
}

/// A negative rate is as wrong as none; the queue knows the largest.
fn rate(given: i32) -> Result<u32, WireError> {
    u32::try_from(given).map_err(|_| rate_out_of_range(RATE_MAX))
}
