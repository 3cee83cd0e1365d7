//! The parts that queues are composed of. A part knows nothing of the queue around it.

mod agenda;
mod dead_letter;
mod dedup;
mod session_lock;
mod timeline;

pub use agenda::Agenda;
pub use dead_letter::DeadLetterRule;
pub use dedup::DedupWindow;
pub use session_lock::SessionLock;
pub use timeline::Timeline;
