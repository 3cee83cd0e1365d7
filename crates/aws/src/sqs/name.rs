//! Queue names, URLs and ARNs, and the opaque names that the core knows queues by.

use lineside_core::id::Name;
use lineside_core::queue::QueueKind;

use super::error::{error, invalid_parameter, missing_parameter};
use crate::Caller;
use crate::address::{QueueAddress, is_account, is_plain};
use crate::protocol::WireError;

/// What SQS says of a name that breaks the rule.
pub(super) const RULE: &str =
    "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";

/// The opaque name of a caller's queue.
pub(super) fn scoped(caller: &Caller, queue: &str) -> Name {
    resource(&caller.account, &caller.region, queue)
}

/// The opaque name of a queue, for whoever declares one without a caller.
pub fn resource(account: &str, region: &str, queue: &str) -> Name {
    Name::new(["aws/", account, "/", region, "/queue/", queue].concat())
}

/// The queue's own name within an opaque one.
pub(super) fn short(name: &Name) -> &str {
    name.as_str().rsplit('/').next().unwrap_or_default()
}

/// The URL of a queue, through the address that the caller used.
pub(super) fn url(caller: &Caller, queue: &str) -> String {
    format!("http://{}/{}/{queue}", caller.host, caller.account)
}

/// The URL of a queue by its opaque name, whosever it is.
pub(super) fn url_of(caller: &Caller, name: &Name) -> String {
    format!("http://{}/{}/{}", caller.host, account(name), short(name))
}

/// The account and the region of a queue by its opaque name.
pub(super) fn world(name: &Name) -> Option<&str> {
    name.as_str().rsplit_once("/queue/").map(|(world, _)| world)
}

/// The account of a queue by its opaque name.
pub(super) fn account(name: &Name) -> &str {
    name.as_str().split('/').nth(1).unwrap_or_default()
}

/// The ARN of a queue by its opaque name.
pub(super) fn arn(name: &Name) -> String {
    let mut parts = name.as_str().split('/').skip(1);
    let account = parts.next().unwrap_or_default();
    let region = parts.next().unwrap_or_default();
    format!("arn:aws:sqs:{region}:{account}:{}", short(name))
}

/// The opaque name behind an ARN.
pub(super) fn of_arn(arn: &str) -> Option<Name> {
    let mut parts = arn.strip_prefix("arn:aws:sqs:")?.split(':');
    let (region, account, queue) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = parts.next().is_none() && is_plain(region) && is_account(account);
    let fits = fits && kind_of(queue).is_some();
    fits.then(|| resource(account, region, queue))
}

/// The opaque name behind a `QueueUrl`, whatever its host: what the URL does not say of account and
/// region is the caller's.
pub(super) fn of_url(caller: &Caller, url: Option<&String>) -> Result<Name, WireError> {
    let url = url.ok_or_else(|| missing_parameter("QueueUrl"))?;
    let QueueAddress { region, account, queue } = QueueAddress::parse(url);
    if kind_of(queue).is_none() {
        let shown: String = url.chars().take(200).collect();
        return Err(error(
            "InvalidAddress",
            format!("The address {shown} is not valid for this endpoint."),
        ));
    }
    let (account, region) = (account.unwrap_or(&caller.account), region.unwrap_or(&caller.region));
    Ok(resource(account, region, queue))
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
             underscores, must end with .fifo suffix and be 1 to 80 in length",
        )),
    }
}
