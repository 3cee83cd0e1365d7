//! What every batch operation checks, and how it tells which entries failed.

use super::error::{error, missing_parameter};
use crate::generated::sqs::BatchResultErrorEntry;
use crate::protocol::WireError;

/// Most entries of one request (API reference of each batch operation).
const ENTRIES_MAX: usize = 10;

/// The entries of a request, of which `id` gives the id, if they form a batch at all.
pub(super) fn entries<'a, E>(
    kind: &str,
    entries: Option<&'a [E]>,
    id: impl Fn(&'a E) -> Option<&'a String>,
) -> Result<Vec<(&'a str, &'a E)>, WireError> {
    // A Query request cannot tell an empty list from none.
    let entries = entries.unwrap_or_default();
    if entries.is_empty() {
        let message = format!("There should be at least one {kind} in the request.");
        return Err(error("EmptyBatchRequest", message));
    }
    if entries.len() > ENTRIES_MAX {
        let message = format!(
            "Maximum number of entries per request are {ENTRIES_MAX}. You have sent {}.",
            entries.len()
        );
        return Err(error("TooManyEntriesInBatchRequest", message));
    }
    let mut named: Vec<(&str, &E)> = Vec::with_capacity(entries.len());
    for (entry, number) in entries.iter().zip(1..) {
        let id = id(entry).ok_or_else(|| missing_parameter(&format!("{kind}.{number}.Id")))?;
        check_id(id)?;
        if named.iter().any(|(earlier, _)| earlier == id) {
            return Err(error("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
        named.push((id, entry));
    }
    Ok(named)
}

fn check_id(id: &str) -> Result<(), WireError> {
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if plain && (1..=80).contains(&id.len()) {
        return Ok(());
    }
    let message = "A batch entry id can only contain alphanumeric characters, hyphens and \
                   underscores. It can be at most 80 letters long.";
    Err(error("InvalidBatchEntryId", message))
}

/// One entry that failed.
pub(super) fn failed(id: &str, error: &WireError) -> BatchResultErrorEntry {
    BatchResultErrorEntry {
        id: Some(id.to_owned()),
        sender_fault: Some(error.status().is_client_error()),
        code: Some(error.code().to_owned()),
        message: Some(error.message().to_owned()),
    }
}

/// Entries by whether they went well; SQS leaves an empty list out.
pub(super) fn split<T>(
    answered: Vec<(&str, Result<T, WireError>)>,
) -> (Option<Vec<T>>, Option<Vec<BatchResultErrorEntry>>) {
    let (mut well, mut badly) = (Vec::new(), Vec::new());
    for (id, result) in answered {
        match result {
            Ok(entry) => well.push(entry),
            Err(error) => badly.push(failed(id, &error)),
        }
    }
    ((!well.is_empty()).then_some(well), (!badly.is_empty()).then_some(badly))
}
