//! Tags of a queue (developer guide, "Cost allocation tags" and "Quotas related to queues").

use std::collections::BTreeMap;

use lineside_core::command::{Command, Reply};
use lineside_core::id::{Label, Text};
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_engine::request::CallError;

use super::Call;
use super::error::{self, invalid_parameter};
use crate::protocol::WireError;

/// Most characters of a key; the least is one.
const KEY_LEN_MAX: usize = 128;
/// Most characters of a value.
const VALUE_LEN_MAX: usize = 256;

/// Checks tags that are to be set.
pub(super) fn parse(tags: BTreeMap<String, String>) -> Result<Vec<(Label, Text)>, WireError> {
    for (key, value) in &tags {
        check_key(key)?;
        if value.chars().count() > VALUE_LEN_MAX || !value.chars().all(is_plain) {
            return Err(invalid_parameter(format!(
                "The value of a tag has 0 to {VALUE_LEN_MAX} letters, digits, spaces and any of \
                 _ . : / = + - @."
            )));
        }
    }
    Ok(tags.into_iter().map(|(key, value)| (Label::new(key), Text::new(value))).collect())
}

pub(super) fn check_key(key: &str) -> Result<(), WireError> {
    if !(1..=KEY_LEN_MAX).contains(&key.chars().count()) {
        return Err(invalid_parameter(format!(
            "Tag keys must be between 1 and {KEY_LEN_MAX} characters in length."
        )));
    }
    if key.chars().all(is_plain) && !key.to_lowercase().starts_with("aws:") {
        return Ok(());
    }
    Err(invalid_parameter(format!(
        "The key of a tag has 1 to {KEY_LEN_MAX} letters, digits, spaces and any of _ . : / = + - @, \
         and does not begin with aws:."
    )))
}

/// A command that sets tags: of too many SQS says whose they are.
pub(super) async fn ask(call: Call<'_>, queue: &str, command: Command) -> Result<Reply, WireError> {
    match call.aws.engine.call(command).await {
        Err(CallError::Refused(Refusal::Queue(QueueRefusal::TooManyTags { .. }))) => {
            Err(invalid_parameter(format!("Too many tags added for queue {queue}.")))
        }
        answered => answered.map_err(|failed| error::from_call(failed, "")),
    }
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() && !c.is_control() || "_.:/=+-@".contains(c)
}
