//! The log on a disk: one physical segmented log for all partitions, one group commit, one writer
//! thread. The format is in `docs/format.md`, byte by byte.
//!
//! `submit` puts a batch into the inbox; the writer takes all that is there, encodes it as one
//! *write*, syncs, enters it into the index, and answers the tickets. Readers find batches by the
//! index and see only what is there. A sync that fails seals the log for good.

mod appender;
mod aside;
mod blobs;
mod body_cache;
mod catalog;
mod damage;
mod dir;
mod file;
mod frame;
mod gaps;
mod inbox;
mod index;
mod janitor;
mod kept;
mod log;
mod options;
mod outside;
mod pace;
mod reader;
mod recovery;
mod rewrite;
mod roster;
mod segment;
mod shared;
mod shelf;
mod sidecar;
mod space;
mod starts;
mod survey;
mod tools;
mod walk;
mod window;
mod write;
mod writer;

pub use dir::Directory;
pub use file::{Disk, DiskFile, DiskLock, Hold};
pub use janitor::Housekeeping;
pub use log::DiskLog;
pub use options::{DiskOptions, OpenError};
pub use recovery::Recovery;
pub use tools::{
    AcceptedGap, BackupReport, Cost, Dump, Dumped, DumpedBody, DumpedFacts, Finding, Repaired,
    Repairs, Verification, dump, dump_on, dump_tail, repair, repair_on, restore, restore_on,
    verify, verify_on,
};
