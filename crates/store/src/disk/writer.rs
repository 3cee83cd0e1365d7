//! The one thread that writes.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use lineside_engine::log::AppendError;

use super::appender::{Appender, WriteFault};
use super::aside::is_full;
use super::file::DiskLock;
use super::frame::Frame;
use super::inbox::{Ending, Submission, Work};
use super::index::Entry;
use super::outside;
use super::pace::{Due, Pace};
use super::shared::{Shared, Status};
use super::shelf::Loaded;
use crate::limits::WRITE_BYTES_TARGET;

/// Why the log is sealed.
type Reason = String;

/// Takes what was submitted while it wrote, and writes that. It never waits to have more.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) appender: Appender,
    pub(crate) pace: Pace,
    pub(crate) frame: Frame,
    pub(crate) taken: Vec<Submission>,
    /// Bodies longer than this many bytes lie outside.
    pub(crate) inside_max: usize,
    /// A write gathers batches up to so many bytes.
    pub(crate) target: u64,
}

/// Ends the log whichever way the thread goes.
struct LastWord {
    shared: Arc<Shared>,
    status: Option<Status>,
    janitor: Option<JoinHandle<()>>,
    /// The directory is free for the next one when all is said.
    lock: Option<DiskLock>,
}

impl Drop for LastWord {
    fn drop(&mut self) {
        let panicked = || Status::Sealed("the writer of the log broke an invariant".to_owned());
        let status = self.status.take().unwrap_or_else(panicked);
        // What is beside the log is not changed any more either.
        self.shared.mailbox.stop();
        drop(self.janitor.take().map(JoinHandle::join));
        self.shared.blobs.close();
        let status = self.let_go(status);
        self.shared.end(status);
    }
}

impl LastWord {
    /// Frees the directory, or shares it.
    fn let_go(&mut self, status: Status) -> Status {
        let Some(lock) = self.lock.take().filter(|_| status == Status::Shared) else {
            return status;
        };
        match lock.share() {
            Ok(()) => self.shared.keep_lock(lock),
            Err(error) => return Status::Sealed(format!("sharing the data directory: {error}")),
        }
        status
    }
}

impl Writer {
    /// A write is as large as a segment at most, so that small segments are filled and not exceeded.
    pub(crate) fn target(segment_bytes: u64) -> u64 {
        WRITE_BYTES_TARGET.min(segment_bytes)
    }

    /// Writes until the log ends, and lets go of the directory then.
    pub(crate) fn run(mut self, lock: DiskLock, janitor: JoinHandle<()>) {
        let shared = Arc::clone(&self.shared);
        let mut last_word =
            LastWord { shared, status: None, janitor: Some(janitor), lock: Some(lock) };
        last_word.status = Some(self.work().unwrap_or_else(Status::Sealed));
    }

    /// How the log ended.
    fn work(&mut self) -> Result<Status, Reason> {
        loop {
            let patience = self.pace.patience();
            let work = self.shared.inbox.take(patience, self.target, &mut self.taken);
            match work {
                Work::Batches => self.commit()?,
                Work::Quiet => {}
                Work::End(Ending::Close) => return self.close().map(|()| Status::Closed),
                Work::End(Ending::Share) => return self.sync().map(|()| Status::Shared),
                Work::End(Ending::Abandon) => return Ok(Status::Closed),
            }
            match self.pace.due(work == Work::Quiet) {
                Due::Nothing => {}
                Due::Sync => self.sync()?,
                Due::Mark => self.mark()?,
            }
        }
    }

    /// Writes what was taken and answers it. A batch whose bodies outside find no room is refused,
    /// with what is behind it; those before it are not.
    fn commit(&mut self) -> Result<(), Reason> {
        let Err((nth, error)) = self.store_outside() else { return self.write() };
        let refused = self.taken.split_off(nth);
        let written = if is_full(&error) && nth > 0 { self.write() } else { Ok(()) };
        self.taken.extend(refused);
        match written {
            Ok(()) if is_full(&error) => {
                self.refuse(&error);
                Ok(())
            }
            Ok(()) => Err(self.fail(WriteFault::Before(error))),
            Err(reason) => {
                self.reject_taken(&reason);
                Err(reason)
            }
        }
    }

    /// Stores the bodies that lie outside, so that they are there before the write that names them;
    /// or says which batch's could not be.
    fn store_outside(&self) -> Result<(), (usize, io::Error)> {
        let folder = self.shared.blobs.folder();
        for (nth, submission) in self.taken.iter().enumerate() {
            let Submission { partition, at, batch, .. } = submission;
            let stored = outside::store_all(folder, *partition, *at, batch, self.inside_max);
            match stored {
                Ok(0) => {}
                Ok(bytes) => self.shared.space.wrote(self.shared.disk.as_ref(), bytes),
                Err(error) => return Err((nth, error)),
            }
        }
        Ok(())
    }

    /// As one write.
    fn write(&mut self) -> Result<(), Reason> {
        self.frame.begin(self.appender.next_write());
        for submission in &self.taken {
            let Submission { partition, at, batch, .. } = submission;
            self.frame.push(*partition, *at, batch, self.inside_max);
        }
        let offset = match self.append() {
            Ok(offset) => offset,
            Err(WriteFault::Full(error)) => {
                self.refuse(&error);
                return Ok(());
            }
            Err(fault) => return Err(self.fail(fault)),
        };
        self.publish(offset);
        self.taken.drain(..).for_each(|submission| submission.tell(Ok(())));
        self.shared.bell.ring();
        Ok(())
    }

    fn append(&mut self) -> Result<u64, WriteFault> {
        let offset = self.appender.append(&mut self.frame)?;
        self.shared.space.wrote(self.shared.disk.as_ref(), self.frame.len());
        if self.pace.wrote() {
            self.appender.sync().map_err(WriteFault::Amid)?;
        }
        Ok(offset)
    }

    /// There is no room, and nothing of what was taken is in the log. It is told so, and so is what
    /// waits behind it, which rests on it; then the log goes on.
    fn refuse(&mut self, error: &io::Error) {
        let reason = self.reason(error);
        let folder = self.shared.blobs.folder();
        for Submission { partition, at, batch, .. } in &self.taken {
            // Before anybody hears of it: the next batch of this position may bring others.
            outside::remove_all(folder, *partition, *at, batch, self.inside_max);
        }
        let waiting = self.shared.inbox.take_back(self.shared.catalog().tails());
        // Also before: whoever hears of it may ask at once whether there is room.
        self.shared.space.refresh(self.shared.disk.as_ref());
        for submission in self.taken.drain(..).chain(waiting) {
            submission.refuse(AppendError::Rejected(reason.clone()));
        }
    }

    /// What was taken is told that it failed, and what waits behind it that it was not written. The
    /// reason for which the log is sealed.
    fn fail(&mut self, fault: WriteFault) -> Reason {
        let (reason, error): (Reason, fn(String) -> AppendError) = match fault {
            WriteFault::Full(error) | WriteFault::Before(error) => {
                (self.reason(&error), AppendError::Rejected)
            }
            WriteFault::Amid(error) => (self.reason(&error), AppendError::Unknown),
        };
        // Before anybody hears of it: whoever does may try again at once.
        let waiting = self.shared.inbox.seal(&reason);
        self.taken.drain(..).for_each(|submission| submission.tell(Err(error(reason.clone()))));
        let rejected = || AppendError::Rejected(reason.clone());
        waiting.into_iter().for_each(|submission| submission.refuse(rejected()));
        reason
    }

    fn reject_taken(&mut self, reason: &Reason) {
        let rejected = || Err(AppendError::Rejected(reason.clone()));
        self.taken.drain(..).for_each(|submission| submission.tell(rejected()));
    }

    /// Lets readers see the write that begins at `offset`.
    fn publish(&mut self, offset: u64) {
        let segment = self.appender.segment();
        let mut catalog = self.shared.catalog_mut();
        // Under the lock, so that a backup finds the end where the positions say.
        segment.set_end(offset.saturating_add(self.frame.len()));
        let sealed = catalog.roll(segment);
        for entry in self.frame.entries() {
            let offset = offset.saturating_add(entry.offset);
            catalog.enter(&Entry { offset, ..entry.clone() });
        }
        drop(catalog);
        if let Some((segment, index)) = sealed {
            let loaded = Arc::new(Loaded::sealed(segment, index));
            self.shared.shelf.put(&loaded);
            self.shared.mailbox.store(loaded);
        }
        let mut cache = self.shared.cache();
        for submission in &mut self.taken {
            let mut bodies = std::mem::take(&mut submission.batch.facts.bodies);
            bodies.retain(|(_, body)| body.len() <= self.inside_max);
            cache.put(submission.partition, submission.at, bodies);
        }
    }

    fn sync(&mut self) -> Result<(), Reason> {
        self.appender.sync().map_err(|error| self.reason(&error))?;
        self.pace.synced();
        Ok(())
    }

    /// Says in the log that all that was written is durable.
    fn mark(&mut self) -> Result<(), Reason> {
        self.frame.begin(self.appender.next_write());
        match self.appender.append(&mut self.frame) {
            Ok(_) => self.sync()?,
            // The log does without; the next write says it too.
            Err(WriteFault::Full(_)) => {}
            Err(fault) => return Err(self.reason(&fault.into_cause())),
        }
        self.pace.marked();
        Ok(())
    }

    fn close(&mut self) -> Result<(), Reason> {
        self.sync()?;
        if self.pace.is_unmarked() {
            self.mark()?;
        }
        Ok(())
    }

    fn reason(&self, error: &io::Error) -> Reason {
        format!("{}: {error}", self.appender.place())
    }
}
