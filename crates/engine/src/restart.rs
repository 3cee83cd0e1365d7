//! What an engine does when the log has refused a batch, as it does when the disk is really full.
//!
//! Nothing of the batch was written, so the state is ahead of the log, and so is everything that was
//! decided on it. The state is dropped and read again as at a start, and whoever was waiting has been
//! told to come back. Until the log may take something again there is nobody to decide anything, so
//! all calls are answered with an error that says so.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::engine::Stop;
use crate::log::{Again, Log};
use crate::owner::FACT_BYTES_MAX;
use crate::request::{CallError, Request};

/// Nobody may ask a server that says that it is not ready, so it looks for itself, too.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The pause before the second restart in a row; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause. What is read again may take as long.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Who has run for so long begins anew with short pauses.
const RESTED: Duration = Duration::from_secs(10);

/// Paces restarts, so that a disk that says it has room and takes nothing is not tried all the time.
#[derive(Debug)]
pub(crate) struct Pace {
    begun: Instant,
    in_a_row: u32,
}

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace { begun: Instant::now(), in_a_row: 0 }
    }

    /// A batch was refused: from when on it may be tried again.
    fn refused(&mut self, now: Instant) -> Instant {
        if now.duration_since(self.begun) >= RESTED {
            self.in_a_row = 0;
        }
        let doubled = PAUSE_MIN.saturating_mul(1 << self.in_a_row.saturating_sub(1).min(10));
        let pause = if self.in_a_row == 0 { Duration::ZERO } else { doubled.min(PAUSE_MAX) };
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.begun = now + pause;
        self.begun
    }
}

/// An engine without a state.
pub(crate) struct Waiting<'a> {
    pub(crate) log: &'a Arc<dyn Log>,
    pub(crate) requests: &'a mut mpsc::Receiver<Request>,
    pub(crate) stop: watch::Receiver<Stop>,
    /// What was refused, and why.
    pub(crate) why: &'a str,
}

impl Waiting<'_> {
    /// Answers until it is worth trying again: the log to go on with, or `None` when a shutdown is to
    /// finish, or the log takes nothing any more.
    pub(crate) async fn wait(mut self, pace: &mut Pace) -> Option<Arc<dyn Log>> {
        let mut stop = self.stop.clone();
        let not_before = pace.refused(Instant::now());
        let mut pause = Box::pin(sleep_until(not_before));
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let rested = Instant::now() >= not_before;
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop == Stop::Finish) => return None,
                () = &mut pause, if !rested => {}
                _ = look.tick() => {}
                Some(request) = self.requests.recv() => self.refuse(request),
            }
            match self.log.again() {
                Again::Now(log) if Instant::now() >= not_before => return Some(log),
                Again::Now(_) | Again::NoRoom => {}
                Again::Never => return None,
            }
        }
    }

    /// A caller who has gone is told nothing.
    fn refuse(&mut self, request: Request) {
        refuse(request, self.log.as_ref(), self.why);
    }
}

/// Says that nobody decides at the moment: a send that would not find room hears that, whoever else
/// asks may come again.
pub(crate) fn refuse(request: Request, log: &dyn Log, why: &str) {
    let later = || CallError::Unavailable(format!("it is read again, since {why}"));
    match request {
        Request::Call { command, reply } => {
            let room = command.body_len() as u64 + FACT_BYTES_MAX;
            let full = command.grows() && log.reserve(room).is_err();
            drop(reply.send(Err(if full { CallError::Full } else { later() })));
        }
        Request::Advance { reply, .. } => drop(reply.send(Err(later()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_in_a_row_are_paced_and_a_single_one_is_not() {
        let mut pace = Pace::new();
        let (mut now, mut pauses) = (pace.begun, Vec::new());
        for _ in 0..7 {
            let at = pace.refused(now);
            pauses.push(at.duration_since(now).as_millis());
            now = at + Duration::from_millis(5);
        }
        assert_eq!(pauses, [0, 100, 200, 400, 800, 1000, 1000]);
        now += RESTED;
        assert_eq!(pace.refused(now), now);
    }
}
