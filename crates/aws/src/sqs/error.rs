//! What SQS says when it says no. Codes are the names of the model's error shapes or of SQS's
//! common errors (API reference, "Errors" of each operation, and "Common errors").

use http::StatusCode;
use lineside_core::refusal::{QueueRefusal, Refusal, Setting};
use lineside_engine::log::LogFault;
use lineside_engine::request::CallError;

use super::{attributes, move_task, name};
use crate::protocol::WireError;

/// An error of SQS with the status that most have.
pub(super) fn error(code: &str, message: impl Into<String>) -> WireError {
    WireError::new(StatusCode::BAD_REQUEST, format!("com.amazonaws.sqs#{code}"), message)
}

pub(super) fn missing_parameter(name: &str) -> WireError {
    error("MissingParameter", format!("The request must contain the parameter {name}."))
}

pub(super) fn invalid_parameter(message: impl Into<String>) -> WireError {
    error("InvalidParameterValue", message)
}

/// The common form of a value out of its range.
pub(super) fn invalid_value(value: impl std::fmt::Display, name: &str, reason: &str) -> WireError {
    invalid_parameter(format!("Value {value} for parameter {name} is invalid. Reason: {reason}"))
}

pub(super) fn invalid_receipt(handle: &str) -> WireError {
    let shown: String = handle.chars().take(100).collect();
    let message = format!("The input receipt handle \"{shown}\" is not a valid receipt handle.");
    error("ReceiptHandleIsInvalid", message)
}

/// What a failed call says; `handle` is the receipt handle that the request named, if any.
pub(super) fn from_call(failed: CallError, handle: &str) -> WireError {
    match failed {
        CallError::Refused(Refusal::Queue(refusal)) => from_refusal(refusal, handle),
        CallError::Refused(Refusal::Broker(_)) => no_such_queue(),
        CallError::Throttled => {
            let message = "Rate exceeded: too many requests are waiting. Try again.";
            error("RequestThrottled", message)
        }
        CallError::Full => {
            let message = "The disk is full: sends are refused until there is room again.";
            error("RequestThrottled", message)
        }
        CallError::Budget => {
            let message = "Too much is kept: sends are refused until messages are deleted, or the \
                           server is started with a larger --state-mib.";
            error("RequestThrottled", message)
        }
        CallError::ReadOnly(_) | CallError::Unavailable(_) => unavailable(failed.to_string()),
    }
}

/// A body that cannot be read.
pub(super) fn from_fault(fault: &LogFault) -> WireError {
    let kind = "com.amazonaws.sqs#InternalFailure".to_owned();
    WireError::new(StatusCode::INTERNAL_SERVER_ERROR, kind, fault.to_string())
}

fn unavailable(why: String) -> WireError {
    let kind = "com.amazonaws.sqs#ServiceUnavailable".to_owned();
    WireError::new(StatusCode::SERVICE_UNAVAILABLE, kind, why)
}

pub(super) fn no_such_queue() -> WireError {
    error("QueueDoesNotExist", "The specified queue does not exist.")
}

fn invalid_rule(reason: &str) -> WireError {
    invalid_parameter(format!("Value for parameter RedrivePolicy is invalid. Reason: {reason}"))
}

#[allow(clippy::too_many_lines, reason = "an arm for each refusal, and nothing else")]
fn from_refusal(refusal: QueueRefusal, handle: &str) -> WireError {
    match refusal {
        QueueRefusal::Missing { .. } => no_such_queue(),
        QueueRefusal::ExistsOtherwise { setting, .. } => {
            let same = "A queue already exists with the same name and a different value for";
            error("QueueNameExists", format!("{same} attribute {}", attribute_name(&setting)))
        }
        QueueRefusal::DeletedRecently { pause } => {
            let message = format!(
                "You must wait {} seconds after deleting a queue before you can create another with \
                 the same name.",
                pause.as_seconds()
            );
            error("QueueDeletedRecently", message)
        }
        QueueRefusal::PurgedRecently { name, pause } => {
            let (name, pause) = (name::short(&name), pause.as_seconds());
            let message = format!(
                "Only one PurgeQueue operation on {name} is allowed every {pause} seconds."
            );
            error("PurgeQueueInProgress", message)
        }
        QueueRefusal::DeadLetterTargetMissing { .. } => {
            invalid_rule("Dead letter target does not exist.")
        }
        QueueRefusal::DeadLetterTargetKind { .. } => {
            invalid_rule("Dead-letter queue must be same type of queue as the source.")
        }
        QueueRefusal::MessageTooLong { limit } => invalid_parameter(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        )),
        QueueRefusal::GroupRequired => missing_parameter("MessageGroupId"),
        QueueRefusal::MessageDelayOnFifo { delay } => {
            let reason = "The request include parameter that is not valid for this queue type.";
            invalid_value(delay.as_seconds(), "DelaySeconds", reason)
        }
        QueueRefusal::DedupRequired => invalid_parameter(
            "The queue should either have ContentBasedDeduplication enabled or \
             MessageDeduplicationId provided explicitly",
        ),
        QueueRefusal::DedupOnStandard => invalid_parameter(
            "The request includes a parameter that is not valid for this queue type: \
             MessageDeduplicationId",
        ),
        QueueRefusal::ReceiptOfAnotherQueue => invalid_receipt(handle),
        QueueRefusal::LeaseEnded => {
            invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")
        }
        QueueRefusal::NotInFlight => {
            error("MessageNotInflight", "The specified message isn't in flight.")
        }
        QueueRefusal::NotChangeable => {
            let reason =
                "Message does not exist or is not available for visibility timeout change.";
            invalid_value(handle, "ReceiptHandle", reason)
        }
        QueueRefusal::LeaseTooLong { limit } => invalid_parameter(format!(
            "Total VisibilityTimeout for the message is beyond the limit [{} seconds]",
            limit.as_seconds()
        )),
        QueueRefusal::InFlightFull { limit } => {
            error("OverLimit", format!("Too many messages are in flight: the limit is {limit}."))
        }
        QueueRefusal::FifoSettingOnStandard { setting } => {
            attributes::unknown(attribute_name(&setting))
        }
        QueueRefusal::Changed { .. } => {
            error("RequestThrottled", "The queue was changed at the same moment. Try again.")
        }
        QueueRefusal::ThroughputNeedsGroupScope => error(
            "InvalidAttributeValue",
            "Invalid value for the parameter FifoThroughputLimit. Reason: perMessageGroupId is \
             allowed only when DeduplicationScope is messageGroup.",
        ),
        QueueRefusal::DeadLetterTargetForbids { .. } => {
            invalid_rule("The RedriveAllowPolicy of the dead letter target does not allow it.")
        }
        QueueRefusal::TooManySources { limit } => invalid_parameter(format!(
            "Value for parameter RedriveAllowPolicy is invalid. Reason: It names more than {limit} \
             queues."
        )),
        QueueRefusal::NotesTooLong { limit } => error(
            "InvalidAttributeValue",
            format!("The attributes of the queue that are texts have more than {limit} bytes."),
        ),
        QueueRefusal::TooManyTags { limit } => {
            invalid_parameter(format!("Too many tags: a queue has at most {limit} tags."))
        }
        QueueRefusal::NotADeadLetterQueue { .. } => {
            invalid_parameter("Source queue must be configured as a Dead Letter Queue.")
        }
        QueueRefusal::MoveDestinationMissing { .. } => move_task::not_found("DestinationArn"),
        QueueRefusal::MoveDestinationKind { .. } => {
            invalid_parameter("Destination queue must be same type of queue as the source.")
        }
        QueueRefusal::MoveToItself => {
            invalid_parameter("Source queue and destination queue must be different queues.")
        }
        QueueRefusal::MoveRate { limit } => move_task::rate_out_of_range(limit),
        QueueRefusal::MoveRunning => error(
            "UnsupportedOperation",
            "There is already a task running. Only one active task is allowed for a source queue \
             arn at a given time.",
        ),
        QueueRefusal::MoveMissing => error("ResourceNotFoundException", "Task does not exist."),
        QueueRefusal::MoveNotRunning => {
            error("UnsupportedOperation", "Only active tasks can be cancelled.")
        }
    }
}

/// The name of a setting as an attribute of a queue.
pub(super) fn attribute_name(setting: &Setting) -> &str {
    match setting {
        Setting::Visibility => "VisibilityTimeout",
        Setting::Delay => "DelaySeconds",
        Setting::Retention => "MessageRetentionPeriod",
        Setting::MessageBytesMax => "MaximumMessageSize",
        Setting::ReceiveWait => "ReceiveMessageWaitTimeSeconds",
        Setting::DeadLetter => "RedrivePolicy",
        Setting::ContentDedup => "ContentBasedDeduplication",
        Setting::DedupScope => "DeduplicationScope",
        Setting::Throughput => "FifoThroughputLimit",
        Setting::DeadLetterSources => "RedriveAllowPolicy",
        Setting::Note(label) => label.as_str(),
        Setting::Kind => "FifoQueue",
    }
}
