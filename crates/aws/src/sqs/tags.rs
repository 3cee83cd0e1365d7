//! Tags of a queue (developer guide, "Cost allocation tags" and "Quotas related to queues").

use std::collections::BTreeMap;

use lineside_core::id::{Label, Text};

use super::error::invalid_parameter;
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
    let fits = (1..=KEY_LEN_MAX).contains(&key.chars().count()) && key.chars().all(is_plain);
    if fits && !key.to_lowercase().starts_with("aws:") {
        return Ok(());
    }
    Err(invalid_parameter(format!(
        "The key of a tag has 1 to {KEY_LEN_MAX} letters, digits, spaces and any of _ . : / = + - @, \
         and does not begin with aws:."
    )))
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() && !c.is_control() || "_.:/=+-@".contains(c)
}
