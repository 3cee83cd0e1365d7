//! SQS, one file per operation; what protocol a request came in, no operation knows.

mod access;
mod add_permission;
mod attributes;
mod batch;
mod cancel_message_move_task;
mod change_message_visibility;
mod create_queue;
mod delete_message;
mod delete_queue;
mod encryption;
mod error;
mod get_queue_attributes;
mod get_queue_url;
mod list_dead_letter_source_queues;
mod list_message_move_tasks;
mod list_queue_tags;
mod list_queues;
mod message;
mod message_attributes;
mod move_task;
mod name;
pub(crate) mod peek;
mod permissions;
mod policies;
mod purge_queue;
mod receipt;
mod receive_message;
mod remove_permission;
mod send_message;
mod set_queue_attributes;
mod start_message_move_task;
mod tag_queue;
mod tags;
mod untag_queue;

use lineside_core::command::{Command, Reply};
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_engine::request::CallError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::address::QueueAddress;
use crate::generated::sqs::Operation;
use crate::protocol::shape::Service;
use crate::protocol::{Input, Request, WireError};
use crate::{Aws, Caller};

pub use name::resource;

/// What all its operations share on the wire.
pub const SERVICE: &Service = &crate::generated::sqs_table::SERVICE;

/// Whether a path is the root or that of a queue.
pub fn is_path(path: &str) -> bool {
    let address = QueueAddress::parse(path);
    path == "/" || address.account.is_some() && name::kind_of(address.queue).is_some()
}

/// Answers one operation.
pub(crate) async fn answer(
    aws: &Aws,
    caller: &Caller,
    path: &str,
    mut request: Request<'_>,
) -> Result<Vec<u8>, WireError> {
    let Some(operation) = Operation::from_name(&request.operation) else {
        return Err(request.protocol().unknown(&request.operation));
    };
    if let Input::Query(params) = &mut request.input
        && path != "/"
    {
        // An action upon the queue whose URL it is sent to.
        params.set_default("QueueUrl", path);
    }
    let call = Call { aws, caller, operation, request: &request };
    access::check(call).await?;
    match operation {
        Operation::ChangeMessageVisibility => call.run(change_message_visibility::one).await,
        Operation::ChangeMessageVisibilityBatch => call.run(change_message_visibility::batch).await,
        Operation::CreateQueue => call.run(create_queue::answer).await,
        Operation::DeleteMessage => call.run(delete_message::one).await,
        Operation::DeleteMessageBatch => call.run(delete_message::batch).await,
        Operation::DeleteQueue => call.run(delete_queue::answer).await,
        Operation::GetQueueAttributes => call.run(get_queue_attributes::answer).await,
        Operation::GetQueueUrl => call.run(get_queue_url::answer).await,
        Operation::ListQueues => call.run(list_queues::answer).await,
        Operation::PurgeQueue => call.run(purge_queue::answer).await,
        Operation::ReceiveMessage => call.run(receive_message::answer).await,
        Operation::SendMessage => call.run(send_message::one).await,
        Operation::SendMessageBatch => call.run(send_message::batch).await,
        Operation::SetQueueAttributes => call.run(set_queue_attributes::answer).await,
        Operation::AddPermission => call.run(add_permission::answer).await,
        Operation::RemovePermission => call.run(remove_permission::answer).await,
        Operation::TagQueue => call.run(tag_queue::answer).await,
        Operation::UntagQueue => call.run(untag_queue::answer).await,
        Operation::ListQueueTags => call.run(list_queue_tags::answer).await,
        Operation::ListDeadLetterSourceQueues => {
            call.run(list_dead_letter_source_queues::answer).await
        }
        Operation::StartMessageMoveTask => call.run(start_message_move_task::answer).await,
        Operation::ListMessageMoveTasks => call.run(list_message_move_tasks::answer).await,
        Operation::CancelMessageMoveTask => call.run(cancel_message_move_task::answer).await,
    }
}

/// What an operation works with.
#[derive(Clone, Copy)]
struct Call<'a> {
    aws: &'a Aws,
    caller: &'a Caller,
    operation: Operation,
    request: &'a Request<'a>,
}

/// The reply of an operation that says nothing.
#[derive(Default, Serialize)]
struct Nothing {}

impl<'a> Call<'a> {
    async fn run<I, O, F>(self, operation: F) -> Result<Vec<u8>, WireError>
    where
        I: DeserializeOwned + Default,
        O: Serialize,
        F: AsyncFnOnce(Call<'a>, I) -> Result<O, WireError>,
    {
        let (input, output) = self.operation.shapes();
        let request = self.request.read(input)?;
        match operation(self, request).await {
            Ok(reply) => Ok(self.request.write(SERVICE, output, &reply)),
            Err(fault) => Err(self.graver(fault).await),
        }
    }

    /// What is said of a request that has this fault: a queue that is not there is the graver one. So
    /// it is with moto and LocalStack, whatever else is wrong; no document gives an order.
    async fn graver(self, fault: WireError) -> WireError {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "PascalCase")]
        struct Addressed {
            queue_url: Option<String>,
        }
        // To who is told to come later nothing else is worth a turn.
        if !fault.status().is_client_error() || fault.code() == "RequestThrottled" {
            return fault;
        }
        let addressed = self.request.read::<Addressed>(self.operation.shapes().0);
        let Ok(Addressed { queue_url: Some(url) }) = addressed else { return fault };
        let Ok(name) = name::of_url(self.caller, Some(&url)) else { return fault };
        match self.aws.engine.call(Command::FindQueue { name }).await {
            Err(CallError::Refused(Refusal::Queue(QueueRefusal::Missing { .. }))) => {
                error::no_such_queue()
            }
            _ => fault,
        }
    }

    async fn command(self, command: Command) -> Result<Reply, WireError> {
        self.command_on(command, "").await
    }

    /// A command on behalf of a receipt handle, which its error names.
    async fn command_on(self, command: Command, handle: &str) -> Result<Reply, WireError> {
        self.aws.engine.call(command).await.map_err(|failed| error::from_call(failed, handle))
    }
}
