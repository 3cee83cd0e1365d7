//! Attributes of a queue: text on the wire, settings inside (API reference, SetQueueAttributes).

use std::collections::BTreeMap;

use lineside_core::command::Description;
use lineside_core::id::{Label, Name, Text};
use lineside_core::queue::{QueueKind, QueueSettings, Scope, SettingsPatch};
use lineside_core::stamp::Millis;

use super::error::error;
use super::{encryption, name, policies};
use crate::generated::sqs::QUEUE_ATTRIBUTE_NAME;
use crate::protocol::WireError;

/// Attributes of every queue that can be set.
const SETTABLE: [&str; 11] = [
    "VisibilityTimeout",
    "DelaySeconds",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "MaximumMessageSize",
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
];
/// Those that FIFO queues have beside them.
const OF_FIFO: [&str; 4] =
    ["FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"];

/// The kind of queue that a creation asks for. Only `true` may be said: a standard queue is asked
/// for by saying nothing (developer guide, "FifoQueue").
pub(super) fn kind(given: &BTreeMap<String, String>) -> Result<QueueKind, WireError> {
    match given.get("FifoQueue") {
        None => Ok(QueueKind::Standard),
        Some(value) if boolean("FifoQueue", value)? => Ok(QueueKind::Fifo),
        Some(_) => Err(unknown("FifoQueue")),
    }
}

/// Reads the attributes of a queue.
pub(super) fn parse(
    given: &BTreeMap<String, String>,
    queue: &Name,
) -> Result<SettingsPatch, WireError> {
    // A name that is none is told before a value that is none (as LocalStack does it).
    if let Some(name) = given.keys().find(|name| !is_settable(name, name::kind(queue))) {
        return Err(unknown(name));
    }
    encryption::check(given)?;
    let mut patch = SettingsPatch::default();
    for (name, value) in given {
        set(&mut patch, queue, name, value)?;
    }
    Ok(patch)
}

/// Whether a queue of this kind has such an attribute, and it can be set. `FifoQueue` has been read
/// before everything else, by [`kind`].
fn is_settable(name: &str, kind: QueueKind) -> bool {
    SETTABLE.contains(&name) || kind == QueueKind::Fifo && OF_FIFO.contains(&name)
}

fn set(patch: &mut SettingsPatch, queue: &Name, name: &str, value: &str) -> Result<(), WireError> {
    match name {
        "VisibilityTimeout" => patch.visibility = Some(seconds(name, value, 0, 43_200)?),
        "DelaySeconds" => patch.delay = Some(seconds(name, value, 0, 900)?),
        "MessageRetentionPeriod" => patch.retention = Some(seconds(name, value, 60, 1_209_600)?),
        "ReceiveMessageWaitTimeSeconds" => patch.receive_wait = Some(seconds(name, value, 0, 20)?),
        "MaximumMessageSize" => {
            let bytes = whole(name, value, 1024, 1_048_576)?;
            patch.message_bytes_max = Some(u32::try_from(bytes).map_err(|_| invalid(name))?);
        }
        "ContentBasedDeduplication" => patch.content_dedup = Some(boolean(name, value)?),
        "DeduplicationScope" => {
            patch.dedup_scope = Some(scope(name, value, "queue", "messageGroup")?);
        }
        "FifoThroughputLimit" => {
            patch.throughput = Some(scope(name, value, "perQueue", "perMessageGroupId")?);
        }
        "Policy" => policies::set_policy(patch, value)?,
        "RedrivePolicy" => policies::set_redrive(patch, queue, value)?,
        "RedriveAllowPolicy" => policies::set_redrive_allow(patch, queue, value)?,
        "KmsMasterKeyId" => encryption::set_key(patch, value)?,
        "KmsDataKeyReusePeriodSeconds" => encryption::set_reuse(patch, value)?,
        "SqsManagedSseEnabled" => encryption::set_managed(patch, boolean(name, value)?),
        "FifoQueue" => {}
        _ => return Err(unknown(name)),
    }
    Ok(())
}

/// Sets, or takes away, a text that the queue only keeps.
pub(super) fn note(patch: &mut SettingsPatch, name: &str, value: Option<&str>) {
    patch.notes.push((Label::new(name), value.map(Text::new)));
}

/// What SQS says of an attribute that it does not know.
pub(super) fn unknown(name: &str) -> WireError {
    error("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub(super) fn invalid(name: &str) -> WireError {
    error("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

pub(super) fn whole(name: &str, value: &str, least: u64, most: u64) -> Result<u64, WireError> {
    let number: u64 = value.parse().map_err(|_| invalid(name))?;
    if (least..=most).contains(&number) { Ok(number) } else { Err(invalid(name)) }
}

fn seconds(name: &str, value: &str, least: u64, most: u64) -> Result<Millis, WireError> {
    whole(name, value, least, most).map(Millis::seconds)
}

fn boolean(name: &str, value: &str) -> Result<bool, WireError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(invalid(name)),
    }
}

fn scope(name: &str, value: &str, queue: &str, group: &str) -> Result<Scope, WireError> {
    match value {
        value if value == queue => Ok(Scope::Queue),
        value if value == group => Ok(Scope::Group),
        _ => Err(invalid(name)),
    }
}

/// The attributes that a request asks for, of those that the queue has.
pub(super) fn render(
    queue: &Name,
    description: &Description,
    asked: &[String],
) -> Result<BTreeMap<String, String>, WireError> {
    if let Some(name) = asked.iter().find(|name| !QUEUE_ATTRIBUTE_NAME.contains(&name.as_str())) {
        return Err(unknown(name));
    }
    let all = asked.iter().any(|name| name == "All");
    let wanted = |name: &str| all || asked.iter().any(|asked| asked == name);
    let rendered = every(queue, description).into_iter().filter(|(name, _)| wanted(name));
    Ok(rendered.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn every(queue: &Name, description: &Description) -> Vec<(&'static str, String)> {
    let settings = &description.settings;
    let mut attributes = vec![
        ("QueueArn", name::arn(queue)),
        ("ApproximateNumberOfMessages", description.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", description.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", description.delayed.to_string()),
        ("CreatedTimestamp", (description.created_at.0 / 1000).to_string()),
        ("LastModifiedTimestamp", (description.modified_at.0 / 1000).to_string()),
        ("VisibilityTimeout", settings.visibility.as_seconds().to_string()),
        ("DelaySeconds", settings.delay.as_seconds().to_string()),
        ("MessageRetentionPeriod", settings.retention.as_seconds().to_string()),
        ("MaximumMessageSize", settings.message_bytes_max.to_string()),
        ("ReceiveMessageWaitTimeSeconds", settings.receive_wait.as_seconds().to_string()),
    ];
    attributes.extend(policies::render(settings));
    attributes.extend(encryption::render(&settings.notes));
    if description.kind == QueueKind::Fifo {
        attributes.extend(of_fifo(settings));
    }
    attributes
}

fn of_fifo(settings: &QueueSettings) -> [(&'static str, String); 4] {
    let of = |scope, queue: &str, group: &str| match scope {
        Scope::Queue => queue.to_owned(),
        Scope::Group => group.to_owned(),
    };
    [
        ("FifoQueue", "true".to_owned()),
        ("ContentBasedDeduplication", settings.content_dedup.to_string()),
        ("DeduplicationScope", of(settings.dedup_scope, "queue", "messageGroup")),
        ("FifoThroughputLimit", of(settings.throughput, "perQueue", "perMessageGroupId")),
    ]
}
