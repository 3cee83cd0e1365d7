//! SQS over AWS JSON 1.0, one file per operation.

mod attributes;
mod batch;
mod change_message_visibility;
mod create_queue;
mod delete_message;
mod delete_queue;
mod error;
mod get_queue_attributes;
mod get_queue_url;
mod list_queues;
mod message_attributes;
mod name;
mod purge_queue;
mod receipt;
mod receive_message;
mod send_message;
mod set_queue_attributes;

use lineside_core::command::{Command, Reply};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::generated::sqs::Operation;
use crate::json::{self, WireError};
use crate::{Aws, Caller};

pub use crate::generated::sqs::TARGET_PREFIX;

/// Answers one operation.
pub(crate) async fn answer(
    aws: &Aws,
    caller: &Caller,
    operation: &str,
    body: &[u8],
) -> Result<Vec<u8>, WireError> {
    let Some(operation) = Operation::from_name(operation) else {
        return Err(WireError::unknown_operation(operation));
    };
    let call = Call { aws, caller };
    match operation {
        Operation::ChangeMessageVisibility => call.run(body, change_message_visibility::one).await,
        Operation::ChangeMessageVisibilityBatch => {
            call.run(body, change_message_visibility::batch).await
        }
        Operation::CreateQueue => call.run(body, create_queue::answer).await,
        Operation::DeleteMessage => call.run(body, delete_message::one).await,
        Operation::DeleteMessageBatch => call.run(body, delete_message::batch).await,
        Operation::DeleteQueue => call.run(body, delete_queue::answer).await,
        Operation::GetQueueAttributes => call.run(body, get_queue_attributes::answer).await,
        Operation::GetQueueUrl => call.run(body, get_queue_url::answer).await,
        Operation::ListQueues => call.run(body, list_queues::answer).await,
        Operation::PurgeQueue => call.run(body, purge_queue::answer).await,
        Operation::ReceiveMessage => call.run(body, receive_message::answer).await,
        Operation::SendMessage => call.run(body, send_message::one).await,
        Operation::SendMessageBatch => call.run(body, send_message::batch).await,
        Operation::SetQueueAttributes => call.run(body, set_queue_attributes::answer).await,
        Operation::AddPermission
        | Operation::CancelMessageMoveTask
        | Operation::ListDeadLetterSourceQueues
        | Operation::ListMessageMoveTasks
        | Operation::ListQueueTags
        | Operation::RemovePermission
        | Operation::StartMessageMoveTask
        | Operation::TagQueue
        | Operation::UntagQueue => Err(error::unsupported(operation.name())),
    }
}

/// What an operation works with.
#[derive(Clone, Copy)]
struct Call<'a> {
    aws: &'a Aws,
    caller: &'a Caller,
}

/// The reply of an operation that says nothing.
#[derive(Default, Serialize)]
struct Nothing {}

impl<'a> Call<'a> {
    async fn run<I, O, F>(self, body: &[u8], operation: F) -> Result<Vec<u8>, WireError>
    where
        I: DeserializeOwned + Default,
        O: Serialize,
        F: AsyncFnOnce(Call<'a>, I) -> Result<O, WireError>,
    {
        let request = json::read(body)?;
        operation(self, request).await.map(|reply| json::write(&reply))
    }

    async fn command(self, command: Command) -> Result<Reply, WireError> {
        self.command_on(command, "").await
    }

    /// A command on behalf of a receipt handle, which its error names.
    async fn command_on(self, command: Command, handle: &str) -> Result<Reply, WireError> {
        self.aws.engine.call(command).await.map_err(|failed| error::from_call(failed, handle))
    }
}
