//! CancelMessageMoveTask.

use lineside_core::command::{Command, Reply};

use super::Call;
use super::error::{invalid_parameter, missing_parameter};
use super::move_task::{ask, open};
use crate::generated::sqs::{CancelMessageMoveTaskRequest, CancelMessageMoveTaskResult};
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: CancelMessageMoveTaskRequest,
) -> Result<CancelMessageMoveTaskResult, WireError> {
    let handle = request.task_handle.ok_or_else(|| missing_parameter("TaskHandle"))?;
    let Some((source, task)) = open(&handle) else {
        return Err(invalid_parameter("Value for parameter TaskHandle is invalid."));
    };
    let Reply::MoveCancelled { moved } = ask(call, Command::CancelMove { source, task }).await?
    else {
        return Ok(CancelMessageMoveTaskResult::default());
    };
    Ok(CancelMessageMoveTaskResult {
        approximate_number_of_messages_moved: Some(i64::try_from(moved).unwrap_or(i64::MAX)),
    })
}
