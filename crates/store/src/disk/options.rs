//! How a log on disk is set up, and why it might not open.

use std::io;
use std::time::Duration;

use lineside_engine::log::LogFault;

use crate::durability::Sync;
use crate::limits::{INSIDE_BODY_BYTES_MAX, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};

/// How a log on disk behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskOptions {
    /// When it syncs.
    pub sync: Sync,
    /// A segment is not filled beyond this many bytes, with the bodies that it names outside, unless by
    /// one write that is larger; brought into `SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX`.
    pub segment_bytes: u64,
    /// A body longer than this many bytes lies outside the log, in a blob of its own;
    /// `INSIDE_BODY_BYTES_MAX` at most, less in a test. What is there already stays as it is.
    pub inside_body_bytes: usize,
    /// Bodies are kept in memory up to this many bytes, without those that lie outside.
    pub body_cache_bytes: u64,
    /// `reserve` says `Full` when the disk would have less than this many bytes free. Half of them are
    /// for blobs and compaction, the other half for batches that are submitted without room.
    pub reserve_bytes: u64,
    /// Segments are rewritten at so many bytes per second at most, so that the log's own writes and
    /// syncs are not held up; 0 is no bound.
    pub compaction_bytes_per_second: u64,
    /// After so much quiet a mark says that the last write is durable.
    pub idle_mark_after: Duration,
}

impl Default for DiskOptions {
    /// Syncs with each write; segments of 64 MiB; bodies up to 32 MiB; 256 MiB stay free;
    /// compaction at 32 MiB/s; a mark after 50 ms.
    fn default() -> DiskOptions {
        DiskOptions {
            sync: Sync::Commit,
            segment_bytes: 64 << 20,
            inside_body_bytes: INSIDE_BODY_BYTES_MAX,
            body_cache_bytes: 32 << 20,
            reserve_bytes: 256 << 20,
            compaction_bytes_per_second: 32 << 20,
            idle_mark_after: Duration::from_millis(50),
        }
    }
}

impl DiskOptions {
    /// The same with every value inside its bounds.
    pub(crate) fn bounded(self) -> DiskOptions {
        let segment_bytes = self.segment_bytes.clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
        let inside_body_bytes = self.inside_body_bytes.min(INSIDE_BODY_BYTES_MAX);
        DiskOptions { segment_bytes, inside_body_bytes, ..self }
    }
}

/// Why a log did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process (or another log of this one) has the directory.
    #[error(
        "the data directory {0} is in use by another process: stop it, or choose another directory"
    )]
    InUse(String),
    /// The system refused something. The cause is in the sentence, and so it is no `source`: whoever
    /// prints the chain would say it twice.
    #[error("{what} failed: {cause}")]
    Io {
        /// What was tried: "opening the data directory /data".
        what: String,
        /// What the system said.
        cause: io::Error,
    },
    /// A later version of this program made it, and this one cannot read it.
    #[error("the log cannot be opened: {place}: {what}")]
    Newer {
        /// File and offset.
        place: String,
        /// What is not known here, and what to do.
        what: String,
    },
    /// The log was opened and is not as it was written.
    #[error(transparent)]
    Fault(#[from] LogFault),
}

impl From<OpenError> for LogFault {
    fn from(error: OpenError) -> LogFault {
        match error {
            OpenError::Fault(fault) => fault,
            other => LogFault::NotOpened(other.to_string()),
        }
    }
}
