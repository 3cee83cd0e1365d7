//! The attributes of a queue that are JSON: its policy, where its dead letters go, and whose it takes
//! (API reference, SetQueueAttributes; developer guide, "Dead-letter queues").

use lineside_core::id::{Label, Name};
use lineside_core::parts::DeadLetterRule;
use lineside_core::queue::{DeadLetterSources, QueueSettings, SettingsPatch};
use serde_json::{Map, Value, json};

use super::attributes::note;
use super::error::{error, invalid_value};
use super::name;
use crate::auth::policy::Policy;
use crate::protocol::WireError;

/// The note that holds a queue's policy, as it was given.
pub(super) const POLICY: &str = "Policy";
const REDRIVE: &str = "RedrivePolicy";
const ALLOW: &str = "RedriveAllowPolicy";
const TARGET: &str = "deadLetterTargetArn";
const COUNT: &str = "maxReceiveCount";
const PERMISSION: &str = "redrivePermission";
const SOURCES: &str = "sourceQueueArns";
const ALLOW_ALL: &str = "allowAll";
/// Most queues that may be named as sources.
const SOURCES_MAX: usize = 10;

/// A policy is kept as it was given; an empty one goes away.
pub(super) fn set_policy(patch: &mut SettingsPatch, value: &str) -> Result<(), WireError> {
    if value.is_empty() {
        note(patch, POLICY, None);
        return Ok(());
    }
    match Policy::parse(value) {
        Ok(_) => note(patch, POLICY, Some(value)),
        Err(why) => {
            let message = format!("Invalid value for the parameter Policy. Reason: {why}.");
            return Err(error("InvalidAttributeValue", message));
        }
    }
    Ok(())
}

/// An empty policy removes the rule.
pub(super) fn set_redrive(
    patch: &mut SettingsPatch,
    queue: &Name,
    value: &str,
) -> Result<(), WireError> {
    patch.dead_letter = Some(match value {
        "" => None,
        value => Some(redrive(queue, value).map_err(|reason| refuse(REDRIVE, value, &reason))?),
    });
    Ok(())
}

fn redrive(queue: &Name, value: &str) -> Result<DeadLetterRule, String> {
    let policy = object(value, "Redrive policy")?;
    check_members(&policy, &[TARGET, COUNT])?;
    for name in [TARGET, COUNT] {
        if !policy.contains_key(name) {
            return Err(format!("Redrive policy does not contain mandatory attribute: {name}."));
        }
    }
    let target = policy.get(TARGET).and_then(Value::as_str).unwrap_or_default();
    let target = queue_of_arn(queue, target, TARGET)?;
    let receives_max = count(policy.get(COUNT).unwrap_or(&Value::Null))?;
    Ok(DeadLetterRule { target, receives_max })
}

/// SDK users write the count as a number and as a text; SQS takes both.
fn count(value: &Value) -> Result<u32, String> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.filter(|number| (1..=1000).contains(number)).ok_or_else(|| {
        let shown: String = value.to_string().chars().take(100).collect();
        format!(
            "Invalid value for {COUNT}: {shown}, valid values are from 1 to 1000 both inclusive."
        )
    })
}

/// An empty policy is the default: every queue may.
pub(super) fn set_redrive_allow(
    patch: &mut SettingsPatch,
    queue: &Name,
    value: &str,
) -> Result<(), WireError> {
    let sources = match value {
        "" => DeadLetterSources::All,
        value => redrive_allow(queue, value).map_err(|reason| refuse(ALLOW, value, &reason))?,
    };
    // The default is shown only where somebody asked for it.
    let said = (sources == DeadLetterSources::All && !value.is_empty()).then_some(ALLOW_ALL);
    note(patch, ALLOW, said);
    patch.sources = Some(sources);
    Ok(())
}

fn redrive_allow(queue: &Name, value: &str) -> Result<DeadLetterSources, String> {
    let policy = object(value, "Redrive allow policy")?;
    check_members(&policy, &[PERMISSION, SOURCES])?;
    let permission = policy.get(PERMISSION).and_then(Value::as_str);
    let sources = policy.get(SOURCES);
    match (permission, sources) {
        (Some(ALLOW_ALL), None) => Ok(DeadLetterSources::All),
        (Some("denyAll"), None) => Ok(DeadLetterSources::None),
        (Some("byQueue"), Some(sources)) => by_queue(queue, sources),
        (Some("byQueue"), None) => {
            Err(format!("{SOURCES} is required when {PERMISSION} is byQueue."))
        }
        (Some(ALLOW_ALL | "denyAll"), Some(_)) => {
            Err(format!("{SOURCES} is allowed only when {PERMISSION} is byQueue."))
        }
        _ => Err(format!("{PERMISSION} must be one of allowAll, denyAll and byQueue.")),
    }
}

fn by_queue(queue: &Name, sources: &Value) -> Result<DeadLetterSources, String> {
    let arns = sources.as_array().map(Vec::as_slice).unwrap_or_default();
    if !(1..=SOURCES_MAX).contains(&arns.len()) {
        return Err(format!("{SOURCES} must be a list of 1 to {SOURCES_MAX} ARNs of queues."));
    }
    let names =
        arns.iter().map(|arn| queue_of_arn(queue, arn.as_str().unwrap_or_default(), SOURCES));
    names.collect::<Result<Vec<Name>, String>>().map(DeadLetterSources::only)
}

fn object(value: &str, what: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(value).map_err(|_| format!("{what} is not a valid JSON map."))
}

fn check_members(policy: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match policy.keys().all(|name| known.contains(&name.as_str())) {
        true => Ok(()),
        false => Err(format!("Only following attributes are supported: [{}].", known.join(", "))),
    }
}

/// A queue and its dead-letter queue belong to one account and one region.
fn queue_of_arn(queue: &Name, arn: &str, parameter: &str) -> Result<Name, String> {
    let shown: String = arn.chars().take(200).collect();
    let Some(named) = name::of_arn(arn) else {
        return Err(format!("Invalid value for {parameter}: {shown} is not the ARN of a queue."));
    };
    if name::world(&named) != name::world(queue) {
        return Err(format!(
            "Invalid value for {parameter}: {shown} is not in the account and region of the queue."
        ));
    }
    Ok(named)
}

fn refuse(parameter: &str, value: &str, reason: &str) -> WireError {
    let shown: String = value.chars().take(1000).collect();
    invalid_value(shown, parameter, reason)
}

pub(super) fn render(settings: &QueueSettings) -> Vec<(&'static str, String)> {
    let note = |name| settings.notes.get(&Label::new(name));
    let redrive = settings.dead_letter.as_ref().map(|rule| {
        json!({ TARGET: name::arn(&rule.target), COUNT: rule.receives_max }).to_string()
    });
    let policy = note(POLICY).map(|policy| policy.as_str().to_owned());
    let allow = match &settings.sources {
        DeadLetterSources::All => note(ALLOW).map(|_| json!({ PERMISSION: ALLOW_ALL })),
        DeadLetterSources::None => Some(json!({ PERMISSION: "denyAll" })),
        DeadLetterSources::Only(names) => {
            let arns: Vec<String> = names.iter().map(name::arn).collect();
            Some(json!({ PERMISSION: "byQueue", SOURCES: arns }))
        }
    };
    let allow = allow.map(|allow| allow.to_string());
    let all = [(POLICY, policy), (REDRIVE, redrive), (ALLOW, allow)];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
