//! What the operations of message move tasks share: handles, and errors of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineside_core::command::{Command, Reply};
use lineside_core::id::{MessageId, Name};
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_engine::request::CallError;
use serde_json::{Value, json};

use super::error::{self, error, invalid_parameter, missing_parameter};
use super::{Call, name};
use crate::protocol::WireError;

/// Here a queue is a resource like others, and one that is not there has their error.
pub(super) async fn ask(call: Call<'_>, command: Command) -> Result<Reply, WireError> {
    match call.aws.engine.call(command).await {
        Err(CallError::Refused(Refusal::Queue(QueueRefusal::Missing { .. }))) => {
            Err(not_found("SourceArn"))
        }
        answered => answered.map_err(|failed| error::from_call(failed, "")),
    }
}

/// An ARN that leads nowhere.
pub(super) fn not_found(parameter: &str) -> WireError {
    let message =
        format!("The resource that you specified for the {parameter} parameter doesn't exist.");
    error("ResourceNotFoundException", message)
}

/// The queue that an ARN names.
pub(super) fn of_arn(parameter: &str, arn: Option<&String>) -> Result<Name, WireError> {
    let arn = arn.ok_or_else(|| missing_parameter(parameter))?;
    name::of_arn(arn).ok_or_else(|| {
        invalid_parameter(format!(
            "You must use this format to specify the {parameter}: \
             arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
        ))
    })
}

/// A rate that cannot be asked for.
pub(super) fn rate_out_of_range(limit: u32) -> WireError {
    invalid_parameter(format!(
        "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and \
         {limit}, if provided."
    ))
}

/// A handle names the task and its source, in SQS's own form.
pub(super) fn seal(source: &Name, task: MessageId) -> String {
    let handle = json!({ "taskId": task.to_string(), "sourceArn": name::arn(source) });
    STANDARD.encode(handle.to_string())
}

/// The source and the task that a handle names.
pub(super) fn open(handle: &str) -> Option<(Name, MessageId)> {
    let handle: Value = serde_json::from_slice(&STANDARD.decode(handle).ok()?).ok()?;
    let source = name::of_arn(handle.get("sourceArn")?.as_str()?)?;
    let task = uuid(handle.get("taskId")?.as_str()?)?;
    Some((source, task))
}

fn uuid(text: &str) -> Option<MessageId> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok()?;
    let id = MessageId::from_bytes(number.to_be_bytes());
    // Only the form that it is given out in.
    (id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed() {
        let source = Name::new("aws/123456789012/eu-west-1/queue/dead");
        let task = MessageId::from_bytes([7; 16]);
        assert_eq!(open(&seal(&source, task)), Some((source, task)));
    }

    #[test]
    fn a_handle_has_one_form() {
        let arn = "arn:aws:sqs:us-east-1:000000000000:q";
        let handle = |task: &str| {
            let handle = json!({ "taskId": task, "sourceArn": arn }).to_string();
            open(&STANDARD.encode(handle)).is_some()
        };
        assert!(handle("0000abcd-0000-8000-8000-000000000000"));
        for task in ["", "0000ABCD-0000-8000-8000-000000000000", "0000abcd000080008000000000000000"]
        {
            assert!(!handle(task), "{task}");
        }
        assert_eq!(open("not base64!"), None);
    }
}
