//! What SQS says when it says no. Codes are the names of the model's error shapes or of SQS's
//! common errors (API reference, "Errors" of each operation, and "Common errors").

use http::StatusCode;
use lineside_core::id::Name;
use lineside_core::refusal::{QueueRefusal, Refusal, Setting};
use lineside_core::stamp::Millis;
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
        CallError::Refused(Refusal::Broker(_) | Refusal::Events(_) | Refusal::Subscription(_)) => {
            no_such_queue()
        }
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

/// Without a wildcard: a new refusal does not compile before it is said here what SQS would say.
fn from_refusal(refusal: QueueRefusal, handle: &str) -> WireError {
    match refusal {
        QueueRefusal::Missing { .. } => no_such_queue(),
        QueueRefusal::ExistsOtherwise { setting, .. } => exists_otherwise(&setting),
        QueueRefusal::DeletedRecently { pause } => deleted_recently(pause),
        QueueRefusal::PurgedRecently { name, pause } => purged_recently(&name, pause),
        QueueRefusal::DeadLetterTargetMissing { .. } => invalid_rule(NO_TARGET),
        QueueRefusal::DeadLetterTargetKind { .. } => invalid_rule(TARGET_OF_OTHER_TYPE),
        QueueRefusal::DeadLetterTargetForbids { .. } => invalid_rule(TARGET_FORBIDS),
        QueueRefusal::MessageTooLong { limit } => message_too_long(limit),
        QueueRefusal::GroupRequired => missing_parameter("MessageGroupId"),
        QueueRefusal::MessageDelayOnFifo { delay } => {
            invalid_value(delay.as_seconds(), "DelaySeconds", NOT_FOR_THIS_TYPE)
        }
        QueueRefusal::DedupRequired => invalid_parameter(NO_DEDUPLICATION_ID),
        QueueRefusal::DedupOnStandard => invalid_parameter(DEDUPLICATION_ON_STANDARD),
        QueueRefusal::ReceiptOfAnotherQueue => invalid_receipt(handle),
        QueueRefusal::LeaseEnded => invalid_value(handle, "ReceiptHandle", RECEIPT_EXPIRED),
        QueueRefusal::NotInFlight => error("MessageNotInflight", NOT_IN_FLIGHT),
        QueueRefusal::NotChangeable => invalid_value(handle, "ReceiptHandle", NOT_CHANGEABLE),
        QueueRefusal::LeaseTooLong { limit } => lease_too_long(limit),
        QueueRefusal::InFlightFull { limit } => in_flight_full(limit),
        QueueRefusal::FifoSettingOnStandard { setting } => {
            attributes::unknown(attribute_name(&setting))
        }
        QueueRefusal::Changed { .. } => error("RequestThrottled", CHANGED_MEANWHILE),
        QueueRefusal::ThroughputNeedsGroupScope => error("InvalidAttributeValue", NEEDS_SCOPE),
        QueueRefusal::TooManySources { limit } => too_many_sources(limit),
        QueueRefusal::NotesTooLong { limit } => texts_too_long(limit),
        QueueRefusal::TooManyTags { limit } => too_many_tags(limit),
        QueueRefusal::NotADeadLetterQueue { .. } => invalid_parameter(NO_DEAD_LETTER_QUEUE),
        QueueRefusal::MoveDestinationMissing { .. } => move_task::not_found("DestinationArn"),
        QueueRefusal::MoveDestinationKind { .. } => invalid_parameter(DESTINATION_OF_OTHER_TYPE),
        QueueRefusal::MoveToItself => invalid_parameter(MOVE_TO_ITSELF),
        QueueRefusal::MoveRate { limit } => move_task::rate_out_of_range(limit),
        // Not the UnsupportedOperation that the API reference lists: AWS was seen to say this.
        QueueRefusal::MoveRunning => invalid_parameter(MOVE_RUNNING),
        QueueRefusal::MoveMissing => error("ResourceNotFoundException", "Task does not exist."),
        QueueRefusal::MoveNotRunning => error("UnsupportedOperation", MOVE_NOT_RUNNING),
    }
}

const NO_TARGET: &str = "Dead letter target does not exist.";
const TARGET_OF_OTHER_TYPE: &str = "Dead-letter queue must be same type of queue as the source.";
const TARGET_FORBIDS: &str = "The RedriveAllowPolicy of the dead letter target does not allow it.";
const NOT_FOR_THIS_TYPE: &str =
    "The request include parameter that is not valid for this queue type.";
const NO_DEDUPLICATION_ID: &str = "The queue should either have ContentBasedDeduplication enabled \
                                   or MessageDeduplicationId provided explicitly";
const DEDUPLICATION_ON_STANDARD: &str = "The request includes a parameter that is not valid for \
                                         this queue type: MessageDeduplicationId";
const RECEIPT_EXPIRED: &str = "The receipt handle has expired.";
const NOT_IN_FLIGHT: &str = "The specified message isn't in flight.";
const NOT_CHANGEABLE: &str =
    "Message does not exist or is not available for visibility timeout change.";
const CHANGED_MEANWHILE: &str = "The queue was changed at the same moment. Try again.";
const NEEDS_SCOPE: &str = "Invalid value for the parameter FifoThroughputLimit. Reason: \
                           perMessageGroupId is allowed only when DeduplicationScope is \
                           messageGroup.";
const NO_DEAD_LETTER_QUEUE: &str = "Source queue must be configured as a Dead Letter Queue.";
const DESTINATION_OF_OTHER_TYPE: &str =
    "Destination queue must be same type of queue as the source.";
const MOVE_TO_ITSELF: &str = "Source queue and destination queue must be different queues.";
const MOVE_RUNNING: &str = "There is already a task running. Only one active task is allowed for \
                            a source queue arn at a given time.";
const MOVE_NOT_RUNNING: &str = "Only active tasks can be cancelled.";

fn exists_otherwise(setting: &Setting) -> WireError {
    let same = "A queue already exists with the same name and a different value for";
    error("QueueNameExists", format!("{same} attribute {}", attribute_name(setting)))
}

fn deleted_recently(pause: Millis) -> WireError {
    let message = format!(
        "You must wait {} seconds after deleting a queue before you can create another with the \
         same name.",
        pause.as_seconds()
    );
    error("QueueDeletedRecently", message)
}

fn purged_recently(name: &Name, pause: Millis) -> WireError {
    let (name, pause) = (name::short(name), pause.as_seconds());
    let message =
        format!("Only one PurgeQueue operation on {name} is allowed every {pause} seconds.");
    error("PurgeQueueInProgress", message)
}

fn message_too_long(limit: u32) -> WireError {
    invalid_parameter(format!(
        "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
    ))
}

fn lease_too_long(limit: Millis) -> WireError {
    invalid_parameter(format!(
        "Total VisibilityTimeout for the message is beyond the limit [{} seconds]",
        limit.as_seconds()
    ))
}

fn in_flight_full(limit: usize) -> WireError {
    error("OverLimit", format!("Too many messages are in flight: the limit is {limit}."))
}

fn too_many_sources(limit: usize) -> WireError {
    invalid_parameter(format!(
        "Value for parameter RedriveAllowPolicy is invalid. Reason: It names more than {limit} \
         queues."
    ))
}

fn texts_too_long(limit: usize) -> WireError {
    let message =
        format!("The attributes of the queue that are texts have more than {limit} bytes.");
    error("InvalidAttributeValue", message)
}

fn too_many_tags(limit: usize) -> WireError {
    invalid_parameter(format!("Too many tags: a queue has at most {limit} tags."))
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
