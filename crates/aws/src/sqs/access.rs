//! Whether a caller may do what it asks for: the one place where SQS asks for permission. Only
//! behind a gate; without one, everybody may do everything.

use lineside_core::command::{Command, Reply};
use lineside_core::id::{Label, Name};
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_engine::request::CallError;
use serde::Deserialize;

use super::{Call, error, move_task, name, policies};
use crate::Caller;
use crate::address::is_account;
use crate::auth::Access;
use crate::auth::policy::{Action, Policy, authorize};
use crate::generated::sqs::Operation;
use crate::protocol::WireError;

/// What requests name queues by.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Named {
    queue_url: Option<String>,
    queue_name: Option<String>,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
    source_arn: Option<String>,
    task_handle: Option<String>,
    destination_arn: Option<String>,
}

/// Passes if the caller may do what the request asks for, with each queue that it names.
pub(super) async fn check(call: Call<'_>) -> Result<(), WireError> {
    let Some(access) = &call.caller.access else { return Ok(()) };
    let named: Named = call.request.read(call.operation.shapes().0)?;
    for (operation, queue) in wanted(call, &named)? {
        let action = Action::of_operation(operation.name());
        assert!(action.is_some(), "policies know each operation of the model");
        let Some(action) = action else { continue };
        let policy = match policy_of(call, &queue).await? {
            Policed::Missing if name::account(&queue) == call.caller.account => None,
            // Whether it is not there or not yours, SQS says the same.
            Policed::Missing => return Err(error::no_such_queue()),
            Policed::By(policy) => policy,
        };
        let Access { principal, context } = access;
        authorize(principal, action, &name::arn(&queue), context, policy.as_ref())?;
    }
    Ok(())
}

/// What a request does with which queues. One that names none, or badly, goes on, and is refused by
/// its operation.
fn wanted(call: Call<'_>, named: &Named) -> Result<Vec<(Operation, Name)>, WireError> {
    let arn = |arn: &Option<String>| arn.as_deref().and_then(name::of_arn);
    let queue = match call.operation {
        Operation::ListQueues => None,
        Operation::CreateQueue => named_queue(call.caller, named),
        Operation::GetQueueUrl => match &named.owner {
            None => named_queue(call.caller, named),
            Some(account) if !is_account(account) => None,
            Some(account) => {
                let owner = Caller { account: account.clone(), ..call.caller.clone() };
                named_queue(&owner, named)
            }
        },
        Operation::ListMessageMoveTasks | Operation::StartMessageMoveTask => arn(&named.source_arn),
        Operation::CancelMessageMoveTask => {
            named.task_handle.as_deref().and_then(move_task::open).map(|(source, _)| source)
        }
        _ if named.queue_url.is_none() => None,
        _ => Some(name::of_url(call.caller, named.queue_url.as_ref())?),
    };
    let mut wanted: Vec<_> = queue.map(|queue| (call.operation, queue)).into_iter().collect();
    // API reference, StartMessageMoveTask: it needs SendMessage on the destination.
    wanted.extend(arn(&named.destination_arn).map(|queue| (Operation::SendMessage, queue)));
    Ok(wanted)
}

fn named_queue(owner: &Caller, named: &Named) -> Option<Name> {
    named.queue_name.as_ref().map(|queue| name::scoped(owner, queue))
}

enum Policed {
    /// There is no such queue.
    Missing,
    /// The queue's policy, if it has one.
    By(Option<Policy>),
}

async fn policy_of(call: Call<'_>, queue: &Name) -> Result<Policed, WireError> {
    let described = call.aws.engine.call(Command::DescribeQueue { name: queue.clone() }).await;
    let description = match described {
        Ok(Reply::Description(description)) => description,
        Ok(_) | Err(CallError::Refused(Refusal::Queue(QueueRefusal::Missing { .. }))) => {
            return Ok(Policed::Missing);
        }
        Err(failed) => return Err(error::from_call(failed, "")),
    };
    let text = description.settings.notes.get(&Label::new(policies::POLICY));
    let policy =
        text.filter(|text| !text.as_str().is_empty()).map(|text| Policy::parse(text.as_str()));
    policy.transpose().map(Policed::By).map_err(|why| {
        error::error("InvalidAttributeValue", format!("The queue's policy cannot be read: {why}."))
    })
}
