//! The parts that queues are composed of. A part knows nothing of the queue around it.

mod agenda;
mod chunked;
mod dead_letter;
mod dedup;
mod seq_set;
mod session_lock;
mod shares;
mod texts;
mod timeline;
mod weigh;

pub use agenda::Agenda;
pub use chunked::{CHUNK_LEN, Changing, Chunk, Chunked, Sorted};
pub use dead_letter::DeadLetterRule;
pub use dedup::{DedupState, DedupWindow, Memo};
pub use seq_set::SeqSet;
pub use session_lock::SessionLock;
pub use shares::Shares;
pub use texts::Texts;
pub use timeline::Timeline;
pub use weigh::Weigh;
pub(crate) use weigh::{INDEX_ENTRY_BYTES, piece};
