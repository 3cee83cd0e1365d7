//! What waits for the writer.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::channel::oneshot;
use lineside_core::fact::Batch;
use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{AppendError, Room};

use super::starts::Starts;
use crate::limits::PENDING_BYTES_MAX;

/// A batch on its way to the disk.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) partition: PartitionId,
    pub(crate) at: Position,
    pub(crate) batch: Batch,
    /// Its estimated size in bytes.
    pub(crate) size: u64,
    /// Given back with the submission.
    pub(crate) room: Room,
    pub(crate) teller: oneshot::Sender<Result<(), AppendError>>,
    /// The partitions of which a batch of this connection was refused.
    pub(crate) failed: Failed,
}

/// Partitions of which a batch was refused: their owner's memory is ahead of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failed(Arc<Mutex<BTreeSet<PartitionId>>>);

impl Failed {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<PartitionId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a batch of this partition was.
    pub(crate) fn has(&self, partition: PartitionId) -> bool {
        self.lock().contains(&partition)
    }
}

impl Submission {
    pub(crate) fn tell(self, answer: Result<(), AppendError>) {
        // Room is given back first, so that whoever hears the answer finds it.
        drop(self.room);
        // Whoever dropped the ticket does not want to know.
        drop(self.teller.send(answer));
    }

    /// Tells that it is refused; later ones of its partition are refused too, on its connection.
    pub(crate) fn refuse(self, error: AppendError) {
        self.failed.lock().insert(self.partition);
        self.tell(Err(error));
    }
}

/// A batch that was not taken.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) submission: Submission,
    pub(crate) error: AppendError,
}

/// How the log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With all that was submitted, and a mark.
    Close,
    /// With all that was submitted; the directory stays taken, and others may look at it.
    Share,
    /// At once: nobody is left.
    Abandon,
}

/// What the writer is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Write what was taken.
    Batches,
    /// Nothing came in all the time that it was ready to wait.
    Quiet,
    End(Ending),
}

/// The queue between those who submit and the writer.
#[derive(Debug)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Submission>,
    bytes: u64,
    /// Where each partition's next batch belongs, those that wait included.
    tails: HashMap<PartitionId, Position>,
    ending: Option<Ending>,
    /// Why nothing is taken any more.
    refusal: Option<String>,
}

impl Inbox {
    pub(crate) fn new(tails: &Starts) -> Inbox {
        let (queue, tails) = (VecDeque::new(), positions(tails));
        let state = State { queue, bytes: 0, tails, ending: None, refusal: None };
        Inbox { state: Mutex::new(state), filled: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a batch for the writer if it belongs at its partition's tail.
    pub(crate) fn put(&self, submission: Submission) -> Result<(), Box<Refused>> {
        let mut state = self.lock();
        if let Some(refusal) = &state.refusal {
            let error = AppendError::Rejected(refusal.clone());
            return Err(Box::new(Refused { submission, error }));
        }
        let tail = state.tails.entry(submission.partition).or_default();
        if submission.at != *tail {
            let error = AppendError::Conflict;
            return Err(Box::new(Refused { submission, error }));
        }
        *tail = tail.next();
        state.bytes = state.bytes.saturating_add(submission.size);
        assert!(state.bytes <= PENDING_BYTES_MAX, "the engine bounds what it has in flight");
        state.queue.push_back(submission);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for work, for so long at most (`None`: for ever). Batches are moved to `taken`, up to
    /// `target` bytes but at least one.
    pub(crate) fn take(
        &self,
        patience: Option<Duration>,
        target: u64,
        taken: &mut Vec<Submission>,
    ) -> Work {
        let mut state = self.wait(patience);
        if state.ending == Some(Ending::Abandon) {
            return Work::End(Ending::Abandon);
        }
        state.take_batches(target, taken);
        match state.ending {
            _ if !taken.is_empty() => Work::Batches,
            Some(ending) => Work::End(ending),
            None => Work::Quiet,
        }
    }

    fn wait(&self, patience: Option<Duration>) -> MutexGuard<'_, State> {
        let state = self.lock();
        let idle = |state: &mut State| !state.has_work();
        match patience {
            None => self.filled.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                let waited = self.filled.wait_timeout_while(state, patience, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// What waits rests on what was not written: it is taken back, and the partitions stand at these
    /// tails again.
    pub(crate) fn take_back(&self, tails: &Starts) -> VecDeque<Submission> {
        let mut state = self.lock();
        state.tails = positions(tails);
        state.bytes = 0;
        std::mem::take(&mut state.queue)
    }

    /// The log is to end; nothing more is taken.
    pub(crate) fn end(&self, ending: Ending) {
        let mut state = self.lock();
        state.refusal.get_or_insert_with(|| "the log is closed".to_owned());
        state.ending = Some(ending);
        drop(state);
        self.filled.notify_one();
    }

    /// Whether a submission may still be taken.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().refusal.is_none()
    }

    /// Nothing more is taken, for this reason; what still waited.
    pub(crate) fn seal(&self, reason: &str) -> VecDeque<Submission> {
        let mut state = self.lock();
        state.refusal = Some(reason.to_owned());
        state.bytes = 0;
        std::mem::take(&mut state.queue)
    }
}

fn positions(tails: &Starts) -> HashMap<PartitionId, Position> {
    tails.known.iter().map(|(partition, start)| (*partition, start.position)).collect()
}

impl State {
    fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.ending.is_some()
    }

    fn take_batches(&mut self, target: u64, taken: &mut Vec<Submission>) {
        let mut bytes = 0_u64;
        while let Some(next) =
            self.queue.pop_front_if(|next| bytes == 0 || bytes.saturating_add(next.size) <= target)
        {
            // A batch without facts counts too, lest one write took batches without end.
            bytes = bytes.saturating_add(next.size.max(1));
            self.bytes = self.bytes.saturating_sub(next.size);
            taken.push(next);
        }
    }
}
