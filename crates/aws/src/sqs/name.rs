//! Queue names, URLs and ARNs, and the opaque names that the core knows queues by.

use lineside_core::id::Name;
use lineside_core::queue::QueueKind;

use super::error::{error, invalid_parameter, missing_parameter};
use crate::Caller;
use crate::json::WireError;

/// What SQS says of a name that breaks the rule.
pub(super) const RULE: &str =
    "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";

/// The opaque name of a caller's queue.
pub(super) fn scoped(caller: &Caller, queue: &str) -> Name {
    Name::new(format!("aws/{}/{}/queue/{queue}", caller.account, caller.region))
}

/// The queue's own name within an opaque one.
pub(super) fn short(name: &Name) -> &str {
    name.as_str().rsplit('/').next().unwrap_or_default()
}

/// The URL of a queue, through the address that the caller used.
pub(super) fn url(caller: &Caller, queue: &str) -> String {
    format!("http://{}/{}/{queue}", caller.host, caller.account)
}

/// The ARN of a queue by its opaque name.
pub(super) fn arn(name: &Name) -> String {
    let mut parts = name.as_str().split('/').skip(1);
    let account = parts.next().unwrap_or_default();
    let region = parts.next().unwrap_or_default();
    format!("arn:aws:sqs:{region}:{account}:{}", short(name))
}

/// Whether this is the number of an account.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The opaque name behind an ARN.
pub(super) fn of_arn(arn: &str) -> Option<Name> {
    let mut parts = arn.strip_prefix("arn:aws:sqs:")?.split(':');
    let (region, account, queue) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = parts.next().is_none() && is_account(account) && kind_of(queue).is_some();
    fits.then(|| Name::new(format!("aws/{account}/{region}/queue/{queue}")))
}

/// The opaque name behind a `QueueUrl`, whatever its host: the last part of its path counts, and
/// the account before it.
pub(super) fn of_url(caller: &Caller, url: Option<&String>) -> Result<Name, WireError> {
    let url = url.ok_or_else(|| missing_parameter("QueueUrl"))?;
    let path = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let mut parts = path.rsplit('/');
    let queue = parts.next().unwrap_or_default();
    if kind_of(queue).is_none() {
        let shown: String = url.chars().take(200).collect();
        return Err(error(
            "InvalidAddress",
            format!("The address {shown} is not valid for this endpoint."),
        ));
    }
    let account = parts.next().filter(|part| is_account(part));
    let account = account.unwrap_or(&caller.account);
    Ok(Name::new(format!("aws/{account}/{}/queue/{queue}", caller.region)))
}

/// The kind of a queue by its opaque name.
pub(super) fn kind(name: &Name) -> QueueKind {
    if short(name).ends_with(".fifo") { QueueKind::Fifo } else { QueueKind::Standard }
}

/// The kind that a queue's name says, if it is a name: the ending `.fifo` belongs to FIFO queues.
pub(super) fn kind_of(queue: &str) -> Option<QueueKind> {
    let (stem, kind) = match queue.strip_suffix(".fifo") {
        Some(stem) => (stem, QueueKind::Fifo),
        None => (queue, QueueKind::Standard),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (!stem.is_empty() && queue.len() <= 80 && stem.bytes().all(plain)).then_some(kind)
}

/// Checks the name of a new queue of a kind.
pub(super) fn check(queue: &str, kind: QueueKind) -> Result<(), WireError> {
    match (kind_of(queue) == Some(kind), kind) {
        (true, _) => Ok(()),
        (false, QueueKind::Standard) => Err(invalid_parameter(RULE)),
        (false, QueueKind::Fifo) => Err(invalid_parameter(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or \
             underscores, must end with .fifo suffix and be 1 to 80 in length.",
        )),
    }
}
