//! What both blob stores say of a blob before they take it.

use lineside_engine::blobs::BlobFault;

use crate::limits::{BLOB_BYTES_MAX, BLOB_NAME_MAX};

/// Blobs whose names begin so hold bodies of the log. Nobody else stores, reads, lists or deletes
/// them.
pub(crate) const BODIES: &str = "body-";

/// Refuses a name that the port does not allow: it becomes a file's name.
pub(crate) fn check_name(name: &str) -> Result<(), BlobFault> {
    if name.starts_with(BODIES) {
        return Err(io(name, "names that begin so are the log's own"));
    }
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let sound = (1..=BLOB_NAME_MAX).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(allowed);
    if sound { Ok(()) } else { Err(io(name, "this is not a name for a blob")) }
}

/// Refuses a blob that is too large.
pub(crate) fn check_len(name: &str, len: usize) -> Result<(), BlobFault> {
    let text = || format!("{len} bytes; the largest has {BLOB_BYTES_MAX}");
    if len <= BLOB_BYTES_MAX { Ok(()) } else { Err(io(name, &text())) }
}

/// The machine below failed.
pub(crate) fn io(name: &str, why: &str) -> BlobFault {
    BlobFault::Io { name: name.to_owned(), why: why.to_owned() }
}

/// The bytes are not what was stored.
pub(crate) fn damaged(name: &str, what: &str) -> BlobFault {
    BlobFault::Damaged { name: name.to_owned(), what: what.to_owned() }
}
