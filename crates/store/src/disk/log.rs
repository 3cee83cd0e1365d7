//! The handle: `Log` over the parts of this folder.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use lineside_core::fact::Batch;
use lineside_core::id::{BodyRef, PartitionId, Position};
use lineside_engine::log::{AppendError, Full, Log, LogFault, Room, Ticket};

use super::appender::Appender;
use super::dir::Directory;
use super::file::Disk;
use super::frame::Frame;
use super::inbox::{Ending, Submission};
use super::options::{DiskOptions, OpenError};
use super::pace::Pace;
use super::reader::{self, Reader};
use super::recovery::{self, Opened, Recovery};
use super::shared::{Shared, Status, ticket};
use super::space::Space;
use super::writer::Writer;
use crate::limits::BATCH_BYTES_MAX;
use crate::memory::size_estimate;

/// A connection to a log on a disk. A clone is the same connection; [`DiskLog::connect`] makes
/// another one. When the last is dropped, the log stops where it is, as in a crash, and its
/// directory is free; [`Log::close`] ends it properly.
#[derive(Clone, Debug)]
pub struct DiskLog {
    owner: Arc<Owner>,
    /// Partitions of which a batch was refused here: this owner's memory is ahead of the log.
    failed: Arc<Mutex<BTreeSet<PartitionId>>>,
}

/// Ends the writer with the last handle.
#[derive(Debug)]
struct Owner {
    shared: Arc<Shared>,
    recovery: Recovery,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.inbox.end(Ending::Abandon);
        // Waited for, at most for one sync, so that the directory is free when this returns. How the
        // thread ended is in the status.
        drop(self.writer.take().map(JoinHandle::join));
    }
}

impl DiskLog {
    /// Opens the log in a directory, or begins one there. It waits for the disk.
    pub fn open(path: &Path, options: DiskOptions) -> Result<DiskLog, OpenError> {
        let what = format!("opening the data directory {}", path.display());
        let directory = Directory::open(path).map_err(|source| OpenError::Io { what, source })?;
        DiskLog::open_on(Arc::new(directory), options)
    }

    /// Opens the log on a disk that may be one of the tests.
    pub fn open_on(disk: Arc<dyn Disk>, options: DiskOptions) -> Result<DiskLog, OpenError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |source| OpenError::Io { what, source }
        };
        let options = options.bounded();
        let lock = disk.lock().map_err(failed("locking the data directory"))?;
        let lock = lock.ok_or_else(|| OpenError::InUse(disk.place("")))?;
        let Opened { catalog, end, recovery } = recovery::open(disk.as_ref())?;
        let space = Space::new(disk.as_ref(), options.reserve_bytes);
        let space = space.map_err(failed("asking for free space"))?;
        let appender = Appender::new(Arc::clone(&disk), end, options.segment_bytes);
        let shared = Arc::new(Shared::new(disk, catalog, space, options.body_cache_bytes));
        let writer = Writer {
            shared: Arc::clone(&shared),
            appender,
            pace: Pace::new(&options),
            frame: Frame::default(),
            taken: Vec::new(),
            target: Writer::target(options.segment_bytes),
        };
        let thread = std::thread::Builder::new().name("log-writer".to_owned());
        let thread =
            thread.spawn(move || writer.run(lock)).map_err(failed("starting the writer"))?;
        let owner = Owner { shared, recovery, writer: Some(thread) };
        Ok(DiskLog { owner: Arc::new(owner), failed: Arc::default() })
    }

    /// Another connection to the same log, as a new owner of a partition takes one. It does not
    /// share the failures of this one.
    pub fn connect(&self) -> DiskLog {
        DiskLog { owner: Arc::clone(&self.owner), failed: Arc::default() }
    }

    /// What opening found.
    pub fn recovery(&self) -> &Recovery {
        &self.owner.recovery
    }

    /// Resolves, with the reason, when a write or a sync has failed and the log has sealed itself.
    /// There is nothing left to do then but to exit and to recover from the disk.
    pub fn sealed(&self) -> BoxFuture<'static, String> {
        let mut status = self.shared().status.subscribe();
        async move {
            loop {
                if let Status::Sealed(reason) = &*status.borrow_and_update() {
                    return reason.clone();
                }
                if status.changed().await.is_err() {
                    // The log is gone and never failed.
                    std::future::pending::<()>().await;
                }
            }
        }
        .boxed()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }

    /// Why this connection does not take the batch, whatever the log says.
    fn refusal(&self, partition: PartitionId, size: u64) -> Option<AppendError> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = failed.contains(&partition).then(|| "a batch before it failed".to_owned());
        let large = || format!("a batch of {size} bytes; the largest is {BATCH_BYTES_MAX}");
        let refusal = failed.or_else(|| (size > BATCH_BYTES_MAX).then(large));
        refusal.map(AppendError::Rejected)
    }

    fn refuse(&self, submission: Submission, error: AppendError) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.insert(submission.partition);
        drop(failed);
        submission.tell(Err(error));
    }
}

impl Log for DiskLog {
    fn reserve(&self, bytes: u64) -> Result<Room, Full> {
        let room = self.shared().space.reserve(bytes);
        if room.is_err() {
            self.shared().inbox.want_space();
        }
        room
    }

    fn submit(&self, partition: PartitionId, at: Position, room: Room, batch: Batch) -> Ticket {
        let (teller, told) = ticket();
        let size = size_estimate(&batch);
        let submission = Submission { partition, at, batch, size, room, teller };
        match self.refusal(partition, size) {
            Some(error) => self.refuse(submission, error),
            None => {
                let put = self.shared().inbox.put(submission);
                put.unwrap_or_else(|refused| self.refuse(refused.submission, refused.error));
            }
        }
        let lost = || Err(AppendError::Unknown("the writer of the log is gone".to_owned()));
        Box::pin(told.map(move |told| told.unwrap_or_else(|_| lost())))
    }

    fn tail(&self, partition: PartitionId) -> BoxFuture<'_, Result<Position, LogFault>> {
        Box::pin(std::future::ready(Ok(self.shared().tail(partition))))
    }

    fn read(
        &self,
        partition: PartitionId,
        from: Position,
    ) -> BoxStream<'_, Result<(Position, Batch), LogFault>> {
        let reader = Reader::new(Arc::clone(self.shared()), partition, from);
        stream::unfold(reader, Reader::step).boxed()
    }

    fn body(
        &self,
        partition: PartitionId,
        body: BodyRef,
    ) -> BoxFuture<'_, Result<Bytes, LogFault>> {
        let kept = self.shared().cache().get(partition, body.place.position, body.place.index);
        match kept.filter(|kept| u32::try_from(kept.len()) == Ok(body.len)) {
            Some(kept) => Box::pin(std::future::ready(Ok(kept))),
            None => reader::body(Arc::clone(self.shared()), partition, body).boxed(),
        }
    }

    fn close(&self) -> BoxFuture<'_, Result<(), LogFault>> {
        self.shared().inbox.end(Ending::Close);
        self.shared().closed().boxed()
    }
}
