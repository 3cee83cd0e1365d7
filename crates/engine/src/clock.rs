//! The one place that reads the machine's clocks.

use lineside_core::stamp::{Millis, Stamp};
use rustix::time::{ClockId, clock_gettime};

use crate::owner::Now;

/// Time that always runs: the wall clock once, at the start, and `CLOCK_BOOTTIME` since. A jump of
/// the wall clock while running is not seen, and sleep of the machine counts.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Stamp,
    started: Millis,
}

impl Clock {
    /// A clock that starts at the wall clock's time.
    pub fn start() -> Clock {
        Clock { base: Stamp(read(ClockId::Realtime).0), started: read(ClockId::Boottime) }
    }

    /// The same clock, not before `last` (which has `offset` in it): a log's last stamp is never
    /// ahead of what its next owner sees.
    pub fn not_before(self, last: Stamp, offset: Millis) -> Clock {
        let floor = Stamp(last.0.saturating_sub(offset.0));
        let now = self.now().stamp;
        let behind = floor.since(now);
        Clock { base: self.base + behind, ..self }
    }

    /// Both clocks now.
    pub fn now(&self) -> Now {
        let patience = read(ClockId::Boottime) - self.started;
        Now { stamp: self.base + patience, patience }
    }
}

/// The wall clock as it is, jumps and all, since 1970: for credentials, whose time is not ours.
pub fn wall() -> Millis {
    read(ClockId::Realtime)
}

fn read(id: ClockId) -> Millis {
    let time = clock_gettime(id);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Millis(seconds * 1000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_less_than_the_logs_last_stamp() {
        let clock = Clock::start();
        let ahead = clock.now().stamp + Millis::seconds(3600);
        let clock = clock.not_before(ahead + Millis(500), Millis(500));
        assert!(clock.now().stamp >= ahead);
        assert!(clock.now().stamp.since(ahead) < Millis::seconds(60));
    }

    #[test]
    fn does_not_go_back_for_an_older_log() {
        let clock = Clock::start();
        let before = clock.now().stamp;
        assert!(clock.not_before(Stamp(5), Millis::ZERO).now().stamp >= before);
    }
}
