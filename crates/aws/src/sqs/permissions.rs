//! A queue's policy, edited as a whole: what AddPermission and RemovePermission share.

use lineside_core::command::{Command, Description, Reply};
use lineside_core::id::{Label, Name, Text};
use lineside_core::queue::SettingsPatch;
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_engine::request::CallError;
use serde_json::{Map, Value};

use super::error::{self, error, invalid_value, missing_parameter};
use super::policies::POLICY;
use super::{Call, Nothing, name};
use crate::protocol::WireError;

/// Edits that find the policy changed under them so often give up; each time somebody else's edit
/// went through.
const TRIES_MAX: usize = 100;

/// The label of a permission.
pub(super) fn check_label(label: Option<String>) -> Result<String, WireError> {
    let label = label.ok_or_else(|| missing_parameter("Label"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=80).contains(&label.len()) && label.bytes().all(plain) {
        return Ok(label);
    }
    let shown: String = label.chars().take(80).collect();
    Err(invalid_value(shown, "Label", name::RULE))
}

/// Reads the policy, changes it, and sets it if it is still what was read; else once more.
pub(super) async fn edit(
    call: Call<'_>,
    queue: &Name,
    change: impl Fn(Option<&str>) -> Result<Option<String>, WireError>,
) -> Result<Nothing, WireError> {
    for _ in 0..TRIES_MAX {
        let described = call.command(Command::DescribeQueue { name: queue.clone() }).await?;
        let Reply::Description(description) = described else { break };
        let read = policy_of(&description);
        let changed = change(read.as_ref().map(Text::as_str))?;
        if set(call, queue, read, changed).await? {
            return Ok(Nothing {});
        }
    }
    let message = "Too many changes of the policy at once. Try again.";
    Err(error("RequestThrottled", message))
}

fn policy_of(description: &Description) -> Option<Text> {
    description.settings.notes.get(&Label::new(POLICY)).cloned()
}

/// False if the policy is not any more what was read.
async fn set(
    call: Call<'_>,
    queue: &Name,
    read: Option<Text>,
    changed: Option<String>,
) -> Result<bool, WireError> {
    let notes = vec![(Label::new(POLICY), changed.map(Text::new))];
    let patch = SettingsPatch { notes, ..SettingsPatch::default() };
    let only_if = Some((Label::new(POLICY), read));
    let command = Command::ChangeQueue { name: queue.clone(), patch, only_if };
    match call.aws.engine.call(command).await {
        Ok(_) => Ok(true),
        Err(CallError::Refused(Refusal::Queue(QueueRefusal::Changed { .. }))) => Ok(false),
        Err(failed) => Err(error::from_call(failed, "")),
    }
}

/// A policy as JSON.
pub(super) fn read(policy: Option<&str>) -> Option<Map<String, Value>> {
    policy.and_then(|policy| serde_json::from_str(policy).ok())
}

/// The statements of a policy, as a list even where there is one alone.
pub(super) fn statements(policy: &mut Map<String, Value>) -> &mut Vec<Value> {
    let slot = policy.entry("Statement").or_insert_with(|| Value::Array(Vec::new()));
    if !slot.is_array() {
        *slot = Value::Array(vec![slot.take()]);
    }
    match slot {
        Value::Array(statements) => statements,
        _ => unreachable!("it was made a list"),
    }
}

/// Whether a statement has this label.
pub(super) fn is_labelled(statement: &Value, label: &str) -> bool {
    statement.get("Sid").and_then(Value::as_str) == Some(label)
}
