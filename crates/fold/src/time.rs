//! The processor time of this thread: the one clock that is looked at here, and no clock of days.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long this thread has worked.
pub(crate) fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
