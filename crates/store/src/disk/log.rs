//! The handle: `Log` over the parts of this folder.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use lineside_core::fact::Batch;
use lineside_core::id::{BodyRef, PartitionId, Position};
use lineside_engine::blobs::Blobs;
use lineside_engine::living::LivingSet;
use lineside_engine::log::{Again, AppendError, Full, KeptBody, Log, LogFault, Room, Ticket};

use super::appender::Appender;
use super::blobs::DiskBlobs;
use super::damage::Damage;
use super::dir::Directory;
use super::file::Disk;
use super::frame::Frame;
use super::inbox::{Ending, Failed, Submission};
use super::janitor::{Housekeeping, Janitor, Retained};
use super::kept::KeptReader;
use super::options::{DiskOptions, OpenError};
use super::outside;
use super::pace::Pace;
use super::reader::{self, Reader};
use super::recovery::{self, Opened, Recovery};
use super::shared::{Shared, Status, ticket};
use super::space::Space;
use super::tools::{self, BackupReport};
use super::writer::Writer;
use crate::size::{size_estimate, too_large};

/// A connection to a log on a disk. A clone is the same connection; [`DiskLog::connect`] makes
/// another one. When the last is dropped, the log stops where it is, as in a crash, and its
/// directory is free; [`Log::close`] ends it properly.
#[derive(Clone, Debug)]
pub struct DiskLog {
    owner: Arc<Owner>,
    /// Partitions of which a batch was refused here: this owner's memory is ahead of the log.
    failed: Failed,
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
        self.shared.free_directory();
    }
}

impl DiskLog {
    /// Opens the log in a directory, or begins one there. It waits for the disk.
    pub fn open(path: &Path, options: DiskOptions) -> Result<DiskLog, OpenError> {
        let what = format!("opening the data directory {}", path.display());
        let directory = Directory::open(path).map_err(|cause| OpenError::Io { what, cause })?;
        DiskLog::open_on(Arc::new(directory), options)
    }

    /// Opens the log on a disk that may be one of the tests.
    pub fn open_on(disk: Arc<dyn Disk>, options: DiskOptions) -> Result<DiskLog, OpenError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |cause| OpenError::Io { what, cause }
        };
        let options = options.bounded();
        let lock = disk.lock().map_err(failed("locking the data directory"))?;
        let lock = lock.ok_or_else(|| OpenError::InUse(disk.place("")))?;
        let Opened { catalog, end, recovery, marks } = recovery::open(disk.as_ref())?;
        let space = Space::new(disk.as_ref(), options.reserve_bytes);
        let space = Arc::new(space.map_err(failed("asking for free space"))?);
        let blobs = DiskBlobs::open(disk.as_ref(), Arc::clone(&space));
        let blobs = blobs.map_err(failed("opening the folder of blobs"))?;
        // Before the first write, which may store others under their names.
        let unwritten = outside::remove_unwritten(blobs.folder(), catalog.tails());
        unwritten.map_err(failed("tidying the folder of blobs"))?;
        let damage = Damage::new(marks, catalog.tails().has_doubt());
        let appender = Appender::new(Arc::clone(&disk), end, options.segment_bytes);
        let shared =
            Arc::new(Shared::new(disk, catalog, damage, space, blobs, options.body_cache_bytes));
        let writer = Writer {
            shared: Arc::clone(&shared),
            appender,
            pace: Pace::new(&options),
            frame: Frame::default(),
            taken: Vec::new(),
            inside_max: options.inside_body_bytes,
            target: Writer::target(options.segment_bytes),
        };
        let janitor = Janitor::new(Arc::clone(&shared), options.compaction_bytes_per_second);
        let janitor = spawn("log-janitor", move || janitor.run());
        let janitor = janitor.map_err(failed("starting the janitor"))?;
        let thread = spawn("log-writer", move || writer.run(lock, janitor));
        let thread = thread.map_err(failed("starting the writer"))?;
        let owner = Owner { shared, recovery, writer: Some(thread) };
        Ok(DiskLog { owner: Arc::new(owner), failed: Failed::default() })
    }

    /// Another connection to the same log, as a new owner of a partition takes one. It does not
    /// share the failures of this one.
    pub fn connect(&self) -> DiskLog {
        DiskLog { owner: Arc::clone(&self.owner), failed: Failed::default() }
    }

    /// The blobs beside this log.
    pub fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::new(self.shared().blobs.clone())
    }

    /// What opening found.
    pub fn recovery(&self) -> &Recovery {
        &self.owner.recovery
    }

    /// Copies what is durable, with the blobs, into a directory that is empty or not there; the log
    /// goes on meanwhile. It waits for the disk: call it where that holds up nobody. What is copied
    /// opens as a log that ends somewhere in this one.
    pub fn backup(&self, to: &Path) -> Result<BackupReport, OpenError> {
        tools::backup(self.shared(), to)
    }

    /// What was reclaimed since the log was opened.
    pub fn housekeeping(&self) -> Housekeeping {
        self.shared().mailbox.report()
    }

    /// Resolves when nothing more can be reclaimed by what `retain` last said.
    pub fn tidied(&self) -> BoxFuture<'static, ()> {
        let shared = Arc::clone(self.shared());
        async move { shared.mailbox.idle().await }.boxed()
    }

    /// Ends all writing and lets others look at the directory beside this log, which goes on being
    /// read: for a log that is damaged where it matters. Nobody may change the directory before this
    /// log is closed. Resolves when that is so; [`DiskLog::sealed`] if it cannot be had.
    pub fn share(&self) -> BoxFuture<'static, Result<(), LogFault>> {
        let shared = Arc::clone(self.shared());
        shared.inbox.end(Ending::Share);
        async move { shared.closed().await }.boxed()
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
    fn refusal(&self, partition: PartitionId, batch: &Batch) -> Option<AppendError> {
        let failed = self.failed.has(partition).then(|| "a batch before it failed".to_owned());
        let failed = failed.or_else(|| self.damaged(partition));
        let refusal = failed.or_else(|| too_large(batch));
        refusal.map(AppendError::Rejected)
    }

    /// Why nothing is written to a damaged partition; `None` if it may be written to. It may once
    /// somebody has begun to read it behind the damage, or `retain` has said that it does not
    /// matter.
    pub fn damaged(&self, partition: PartitionId) -> Option<String> {
        let shared = self.shared();
        if !shared.damage.is_any() {
            return None;
        }
        let what = match shared.catalog().doubt(partition) {
            Some(doubt) => Some(doubt.to_string()),
            None => shared.damage.in_the_way(partition).map(|at| {
                format!("the log is damaged at position {} of partition {}", at.0, partition.0)
            }),
        };
        what.map(|what| format!("{what}; run `lineside repair` first"))
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

impl Log for DiskLog {
    fn reserve(&self, bytes: u64) -> Result<Room, Full> {
        self.shared().space.reserve(self.shared().disk.as_ref(), bytes)
    }

    fn submit(&self, partition: PartitionId, at: Position, room: Room, batch: Batch) -> Ticket {
        let (teller, told) = ticket();
        let size = size_estimate(&batch);
        let submission =
            Submission { partition, at, batch, size, room, teller, failed: self.failed.clone() };
        match self.refusal(partition, &submission.batch) {
            Some(error) => submission.refuse(error),
            None => {
                let put = self.shared().inbox.put(submission);
                put.unwrap_or_else(|refused| refused.submission.refuse(refused.error));
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
        self.shared().damage.raise_floor(partition, from);
        let reader = Reader::new(Arc::clone(self.shared()), partition, from);
        stream::unfold(reader, Reader::step).boxed()
    }

    fn kept(
        &self,
        partition: PartitionId,
        from: Position,
    ) -> BoxStream<'_, Result<KeptBody, LogFault>> {
        let reader = KeptReader::new(Arc::clone(self.shared()), partition, from);
        stream::unfold(reader, KeptReader::step).boxed()
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

    fn retain(&self, partition: PartitionId, below: Position, living: LivingSet) {
        self.shared().damage.raise_floor(partition, below);
        self.shared().mailbox.retain(partition, Retained { below, living });
    }

    fn again(&self) -> Again {
        let shared = self.shared();
        match shared.space.has_some(shared.disk.as_ref()) {
            _ if !shared.inbox.is_open() => Again::Never,
            true => Again::Now(Arc::new(self.connect())),
            false => Again::NoRoom,
        }
    }

    fn close(&self) -> BoxFuture<'_, Result<(), LogFault>> {
        self.shared().inbox.end(Ending::Close);
        async {
            self.shared().closed().await?;
            self.shared().free_directory();
            Ok(())
        }
        .boxed()
    }
}
