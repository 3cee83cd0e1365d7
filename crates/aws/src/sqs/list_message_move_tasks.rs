//! ListMessageMoveTasks.

use lineside_core::command::{Command, Reply};
use lineside_core::id::Name;
use lineside_core::queue::{MoveFailure, MoveStatus, MoveTask};

use super::error::invalid_value;
use super::move_task::{ask, of_arn, seal};
use super::{Call, name};
use crate::generated::sqs::{
    ListMessageMoveTasksRequest, ListMessageMoveTasksResult, ListMessageMoveTasksResultEntry,
};
use crate::protocol::WireError;

/// Most tasks that are listed (API reference, MaxResults).
const RESULTS_MAX: i32 = 10;

pub(super) async fn answer(
    call: Call<'_>,
    request: ListMessageMoveTasksRequest,
) -> Result<ListMessageMoveTasksResult, WireError> {
    let source = of_arn("SourceArn", request.source_arn.as_ref())?;
    let limit = limit(request.max_results.unwrap_or(1))?;
    let Reply::Moves(tasks) =
        ask(call, Command::ListMoves { source: source.clone(), limit }).await?
    else {
        return Ok(ListMessageMoveTasksResult::default());
    };
    let results = tasks.iter().map(|task| entry(&source, task)).collect();
    Ok(ListMessageMoveTasksResult { results: Some(results) })
}

fn limit(given: i32) -> Result<usize, WireError> {
    match usize::try_from(given) {
        Ok(limit) if (1..=RESULTS_MAX).contains(&given) => Ok(limit),
        _ => {
            let reason = "Must be between 1 and 10, if provided.";
            Err(invalid_value(given, "MaxResults", reason))
        }
    }
}

fn entry(source: &Name, task: &MoveTask) -> ListMessageMoveTasksResultEntry {
    let (status, failure) = status(task.status);
    let count = |count: u64| Some(i64::try_from(count).unwrap_or(i64::MAX));
    ListMessageMoveTasksResultEntry {
        task_handle: (task.status == MoveStatus::Running).then(|| seal(source, task.id)),
        status: Some(status.to_owned()),
        source_arn: Some(name::arn(source)),
        destination_arn: task.destination.as_ref().map(name::arn),
        max_number_of_messages_per_second: task.rate.and_then(|rate| i32::try_from(rate).ok()),
        approximate_number_of_messages_moved: count(task.moved),
        approximate_number_of_messages_to_move: count(task.to_move),
        failure_reason: failure.map(str::to_owned),
        started_timestamp: count(task.started_at.0),
    }
}

fn status(status: MoveStatus) -> (&'static str, Option<&'static str>) {
    match status {
        MoveStatus::Running => ("RUNNING", None),
        MoveStatus::Cancelling => ("CANCELLING", None),
        MoveStatus::Completed => ("COMPLETED", None),
        MoveStatus::Cancelled => ("CANCELLED", None),
        MoveStatus::Failed(MoveFailure::DestinationGone) => {
            ("FAILED", Some("AWS.SimpleQueueService.NonExistentQueue"))
        }
        MoveStatus::Failed(MoveFailure::NoOrigin) => {
            ("FAILED", Some("CouldNotDetermineMessageSource"))
        }
        MoveStatus::Failed(MoveFailure::KindsDiffer) => {
            ("FAILED", Some("DestinationIsOfAnotherType"))
        }
    }
}
