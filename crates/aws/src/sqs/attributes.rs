//! Attributes of a queue: text on the wire, settings inside (API reference, SetQueueAttributes).

use std::collections::BTreeMap;

use lineside_core::command::Description;
use lineside_core::id::Name;
use lineside_core::parts::DeadLetterRule;
use lineside_core::queue::{QueueKind, SettingsPatch};
use lineside_core::stamp::Millis;
use serde::Deserialize;

use super::error::{error, unsupported};
use super::name;
use crate::generated::sqs::QUEUE_ATTRIBUTE_NAME;
use crate::json::WireError;

/// Attributes that are SQS's and not here yet; naming one is refused, not ignored.
const NOT_YET: [&str; 7] = [
    "Policy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

/// The kind of queue that a creation asks for. Only `true` may be said: a standard queue is asked
/// for by saying nothing (developer guide, "FifoQueue").
pub(super) fn kind(given: &BTreeMap<String, String>) -> Result<QueueKind, WireError> {
    match given.get("FifoQueue") {
        None => Ok(QueueKind::Standard),
        Some(value) if boolean("FifoQueue", value)? => Ok(QueueKind::Fifo),
        Some(_) => Err(unknown("FifoQueue")),
    }
}

/// Reads the attributes of a queue of that kind.
pub(super) fn parse(
    given: &BTreeMap<String, String>,
    kind: QueueKind,
) -> Result<SettingsPatch, WireError> {
    let mut patch = SettingsPatch::default();
    for (name, value) in given {
        set(&mut patch, kind, name, value)?;
    }
    Ok(patch)
}

fn set(
    patch: &mut SettingsPatch,
    kind: QueueKind,
    name: &str,
    value: &str,
) -> Result<(), WireError> {
    match name {
        "VisibilityTimeout" => patch.visibility = Some(seconds(name, value, 0, 43_200)?),
        "DelaySeconds" => patch.delay = Some(seconds(name, value, 0, 900)?),
        "MessageRetentionPeriod" => patch.retention = Some(seconds(name, value, 60, 1_209_600)?),
        "ReceiveMessageWaitTimeSeconds" => patch.receive_wait = Some(seconds(name, value, 0, 20)?),
        "MaximumMessageSize" => {
            let bytes = whole(name, value, 1024, 1_048_576)?;
            patch.message_bytes_max = Some(u32::try_from(bytes).map_err(|_| invalid(name))?);
        }
        "RedrivePolicy" => patch.dead_letter = Some(redrive_policy(value)?),
        "ContentBasedDeduplication" => patch.content_dedup = Some(boolean(name, value)?),
        // Read before everything else, by [`kind`].
        "FifoQueue" if kind == QueueKind::Fifo => {}
        _ if NOT_YET.contains(&name) => {
            return Err(unsupported(&format!("The queue attribute {name}")));
        }
        _ => return Err(unknown(name)),
    }
    Ok(())
}

/// What SQS says of an attribute that it does not know.
pub(super) fn unknown(name: &str) -> WireError {
    error("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

fn invalid(name: &str) -> WireError {
    error("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

fn whole(name: &str, value: &str, least: u64, most: u64) -> Result<u64, WireError> {
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RedrivePolicy {
    dead_letter_target_arn: String,
    max_receive_count: Count,
}

/// SDK users write the count as a number and as a string; SQS takes both.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u32),
    Text(String),
}

/// An empty policy removes the rule.
fn redrive_policy(value: &str) -> Result<Option<DeadLetterRule>, WireError> {
    if value.is_empty() {
        return Ok(None);
    }
    let invalid = || invalid("RedrivePolicy");
    let policy: RedrivePolicy = serde_json::from_str(value).map_err(|_| invalid())?;
    let count = match policy.max_receive_count {
        Count::Number(count) => count,
        Count::Text(text) => text.parse().map_err(|_| invalid())?,
    };
    let target = name::of_arn(&policy.dead_letter_target_arn).ok_or_else(invalid)?;
    if !(1..=1000).contains(&count) {
        return Err(invalid());
    }
    Ok(Some(DeadLetterRule { target, receives_max: count }))
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
    if let Some(rule) = &settings.dead_letter {
        attributes.push(("RedrivePolicy", render_rule(rule)));
    }
    if description.kind == QueueKind::Fifo {
        attributes.push(("FifoQueue", "true".to_owned()));
        attributes.push(("ContentBasedDeduplication", settings.content_dedup.to_string()));
    }
    attributes
}

fn render_rule(rule: &DeadLetterRule) -> String {
    let arn = name::arn(&rule.target);
    serde_json::json!({ "deadLetterTargetArn": arn, "maxReceiveCount": rule.receives_max })
        .to_string()
}
