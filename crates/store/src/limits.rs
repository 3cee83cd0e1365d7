//! Every limit of the log, on one page. What is read from a disk is bounded by these before it is
//! believed.

/// Largest batch that a log takes, in bytes as estimated by `size_inside`, which leaves out bodies
/// that lie outside: 64 MiB. A larger one is rejected when it is submitted.
pub const BATCH_BYTES_MAX: u64 = 64 << 20;

/// A body that is longer than this lies outside the log, in a blob of its own: 16 MiB.
///
/// No message of SQS, SNS or Event Grid is that long (1 MiB), so only large messages of Service Bus
/// premium (100 MB) pay for a file and two syncs of their own. What an engine decides in one turn, 32
/// MiB and one body more, stays below the largest batch; and a write, a read-ahead and what
/// compaction copies stay small.
pub const INSIDE_BODY_BYTES_MAX: usize = 16 << 20;

/// A write gathers batches up to here, in bytes: 8 MiB. More would make the first of them wait for
/// the last without making the sync any cheaper.
pub const WRITE_BYTES_TARGET: u64 = 8 << 20;

/// Largest write that a reader believes, in bytes without its header: 128 MiB, twice the largest
/// batch, since a batch is measured by an estimate.
pub const WRITE_BYTES_MAX: u32 = 128 << 20;

/// Most bytes that may wait for the writer: 512 MiB. The engine bounds what it has in flight far
/// below, at 32 MiB and one body of the largest; this is the assertion behind it.
pub const PENDING_BYTES_MAX: u64 = 512 << 20;

/// Smallest segment, in bytes: the header and a write or two. Only tests want segments this small.
pub const SEGMENT_BYTES_MIN: u64 = 1 << 10;

/// Largest segment, in bytes: 16 GiB. The index keeps offsets in units of 8 bytes in 32 bits, which
/// would carry 32 GiB; the rest is for the one batch that may be larger than its segment.
pub const SEGMENT_BYTES_MAX: u64 = 16 << 30;

/// Zeros are written ahead of the end of a segment up to a multiple of this many bytes, with a write
/// that is smaller: 256 KiB (`docs/adr/0001-segments.md`).
pub const ZEROS_AHEAD_BYTES: u64 = 256 << 10;

/// How often free space is asked for again, in bytes written: every 4 MiB.
pub const SPACE_REFRESH_BYTES: u64 = 4 << 20;

/// When a write has found no room, the next owner tries again when so many bytes are free: 1 MiB, which
/// is a small write with the zeros ahead of it, and the header of a segment.
pub const FREE_BYTES_TO_GO_ON: u64 = 1 << 20;

/// What the encoding of one fact is reckoned at before it is encoded, in bytes.
pub const FACT_BYTES_ESTIMATE: u64 = 128;

/// Most bytes that the writer's buffer keeps between two writes: 16 MiB.
pub const BUFFER_BYTES_KEPT: usize = 16 << 20;

/// How many bytes of a segment are read at once when it is read from front to back: 256 KiB.
pub const READ_AHEAD_BYTES: usize = 256 << 10;

/// How many bytes a read of one body takes at first, in the hope that the body is among them: 4 KiB.
pub const BODY_READ_BYTES: usize = 4 << 10;

/// Most batches that one step of a reader takes off the disk before it gives them out.
pub const READ_STEP_BATCHES: usize = 256;

/// Largest blob, in bytes, and so the largest body: 128 MiB (`Blobs::put`, `Log::submit`). Service
/// Bus takes messages of 100 MB.
pub const BLOB_BYTES_MAX: usize = 128 << 20;

/// Longest name of a blob, in characters (`Blobs::put`).
pub const BLOB_NAME_MAX: usize = 100;

/// What is written aside, blobs and rewritten segments, is synced each time that so many bytes were
/// written: 1 MiB. A sync of all of it at once would hold up the log's own syncs.
pub const ASIDE_SYNC_BYTES: usize = 1 << 20;

/// Indexes of segments that are not written to any more are kept in memory up to so many bytes:
/// 16 MiB, which is 4 Mi batches.
pub const INDEX_BYTES_KEPT: u64 = 16 << 20;

/// Files of such segments that are kept open at most. Others are opened when they are read.
pub const SEGMENTS_KEPT_OPEN: usize = 64;

/// A write of a segment that is rewritten gathers batches up to here, in bytes: 1 MiB. Damage to a
/// header may cost a whole write.
pub const REWRITE_BYTES_TARGET: u64 = 1 << 20;

/// Positions that a repair leaves out where nobody knows how many were lost: as many batches as the
/// largest segment can hold. Positions are 64 bits wide.
pub const GAP_POSITIONS_UNKNOWN: u64 = 1 << 28;
