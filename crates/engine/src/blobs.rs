//! The port to the blob store: whole files by name, beside the log. Checkpoints lie there.

use bytes::Bytes;
use futures::future::BoxFuture;

/// Named pieces of bytes, each written whole and never changed.
pub trait Blobs: Send + Sync {
    /// Stores a blob; when it resolves, the blob is durable. A name is 1 to 100 characters of
    /// `a-z`, `0-9`, `-` and `.`, not beginning with a dot nor with `body-`. A blob that has the
    /// name is replaced, in one step. At most 128 MiB.
    fn put(&self, name: &str, content: Bytes) -> BoxFuture<'_, Result<(), BlobFault>>;

    /// Reads a blob, checked against the checksum that it was stored with.
    fn get(&self, name: &str) -> BoxFuture<'_, Result<Bytes, BlobFault>>;

    /// The names that begin so, in order.
    fn list(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<String>, BlobFault>>;

    /// Removes a blob; one that is not there is no fault.
    fn delete(&self, name: &str) -> BoxFuture<'_, Result<(), BlobFault>>;
}

/// Why a blob could not be stored or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobFault {
    /// There is none of the name.
    #[error("there is no blob {0}")]
    Missing(String),
    /// Bytes are not what was stored.
    #[error("the blob {name} is damaged: {what}")]
    Damaged {
        /// Which.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// There is no room for it; nothing of it was stored.
    #[error("there is no room for the blob {0}")]
    Full(String),
    /// The machine below failed, or the name is none.
    #[error("the blob {name} cannot be reached: {why}")]
    Io {
        /// Which.
        name: String,
        /// Why.
        why: String,
    },
}
