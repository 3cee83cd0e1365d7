//! Logs without a server: ours bare, and those of others, all in this process.
//!
//! So many records are under way at once, and each counts when it is durable, in two forms, each the
//! same for both sides ([`Form`]).

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use lineside_core::fact::{Batch, Fact, Facts, Sent};
use lineside_core::id::{Epoch, MessageId, PartitionId, Place, Position, QueueId, Seq};
use lineside_core::stamp::Stamp;
use lineside_engine::log::{Log, Ticket};
use lineside_store::{DiskLog, DiskOptions};

use crate::process::fresh;
use crate::row::{Contestant, Measure, Plan};
use crate::side::clear;

const PARTITION: PartitionId = PartitionId(0);

/// How records come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Each by itself, from writers that know nothing of each other: whether and how they share a sync
    /// is the log's affair. Of the logs whose writes block, each writer is a thread.
    Apart,
    /// All together, committed as one; then the next ones. No writer waits for another.
    Group,
}

/// Our log, bare.
pub(crate) struct OurLog {
    /// Records under way at once.
    pub(crate) depth: usize,
    pub(crate) form: Form,
}

impl Contestant for OurLog {
    fn name(&self) -> String {
        "our log".to_owned()
    }

    fn durability(&self) -> String {
        "commit".to_owned()
    }

    fn measure<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, anyhow::Result<Measure>> {
        async move {
            let folder = fresh(&plan.data.join("log"))?;
            let log = DiskLog::open(&folder, DiskOptions::default())?;
            let measure = match self.form {
                Form::Apart => self.apart(&log, plan).await?,
                Form::Group => self.group(&log, plan).await?,
            };
            log.close().await?;
            drop(log);
            let counted = durable(&folder).await?;
            let appended = measure.count;
            ensure!(counted == appended, "{appended} were appended, and {counted} are there");
            clear(&folder)?;
            Ok(measure)
        }
        .boxed()
    }
}

impl OurLog {
    async fn group(&self, log: &DiskLog, plan: &Plan) -> anyhow::Result<Measure> {
        let body = Bytes::from(vec![b'x'; plan.bytes]);
        let (mut at, mut count) = (Position(0), 0);
        let start = Instant::now();
        while start.elapsed() < plan.lasts {
            let room = log.reserve((plan.bytes * self.depth) as u64)?;
            log.submit(PARTITION, at, room, batch(at, &body, self.depth)).await?;
            at = at.next();
            count += self.depth as u64;
        }
        Ok(Measure { count, seconds: start.elapsed().as_secs_f64(), more: Vec::new() })
    }

    async fn apart(&self, log: &DiskLog, plan: &Plan) -> anyhow::Result<Measure> {
        let body = Bytes::from(vec![b'x'; plan.bytes]);
        let mut under_way: VecDeque<Ticket> = VecDeque::new();
        let (mut next, mut count) = (Position(0), 0);
        let start = Instant::now();
        loop {
            while under_way.len() < self.depth && start.elapsed() < plan.lasts {
                let room = log.reserve(plan.bytes as u64)?;
                under_way.push_back(log.submit(PARTITION, next, room, batch(next, &body, 1)));
                next = next.next();
            }
            let Some(first) = under_way.pop_front() else { break };
            first.await?;
            count += 1;
            // Those behind it that are in the same write need no waiting.
            while let Some(done) = under_way.front_mut().and_then(FutureExt::now_or_never) {
                done?;
                under_way.pop_front();
                count += 1;
            }
        }
        Ok(Measure { count, seconds: start.elapsed().as_secs_f64(), more: Vec::new() })
    }
}

/// So many messages as the engine would log them.
fn batch(position: Position, body: &Bytes, messages: usize) -> Batch {
    let mut facts = Facts::none();
    for index in (0..).take(messages) {
        let sent = Sent {
            queue: QueueId(1),
            seq: Seq(position.0),
            id: MessageId::new(PARTITION, Epoch(1), Place { position, index }),
            len: u32::try_from(body.len()).unwrap_or(u32::MAX),
            visible_at: Stamp(0),
            group: None,
            dedup: None,
            dedup_scope: None,
        };
        facts.push_with_body(Fact::Sent(sent), body.clone());
    }
    Batch { at: Stamp(position.0), facts }
}

/// How many records a log has when it is opened again.
async fn durable(folder: &Path) -> anyhow::Result<u64> {
    let log = DiskLog::open(folder, DiskOptions::default())?;
    let tail = log.tail(PARTITION).await?;
    let mut batches = log.read(PARTITION, Position(0)).take(usize::try_from(tail.0)?);
    let mut count = 0;
    while let Some(batch) = batches.next().await {
        count += batch.context("our log cannot be read")?.1.facts.len() as u64;
    }
    Ok(count)
}

/// Has each writer commit until the time is over: so many writers, so many records at once. The
/// committer is told the first of the records' numbers, of which no two are alike.
#[cfg(feature = "engines")]
fn commits(
    lasts: Duration,
    (writers, records): (usize, usize),
    commit: &(impl Fn(u64, usize) -> anyhow::Result<()> + Sync),
) -> anyhow::Result<Measure> {
    let start = Instant::now();
    let writer = |number: usize| -> anyhow::Result<u64> {
        let (first, mut count) = ((number as u64) << 40, 0);
        while start.elapsed() < lasts {
            commit(first + count, records)?;
            count += records as u64;
        }
        Ok(count)
    };
    let counts: anyhow::Result<Vec<u64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers).map(|n| scope.spawn(move || writer(n))).collect();
        let ends = threads.into_iter().map(|thread| thread.join());
        ends.map(|end| end.unwrap_or_else(|_| anyhow::bail!("a writer panicked"))).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    Ok(Measure { count: counts?.into_iter().sum(), seconds, more: Vec::new() })
}

/// The logs of others. Without the feature `engines` they are not built, and their rows say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    Fjall,
    OkayWal,
}

/// One of them at a depth.
pub(crate) struct OtherLog {
    pub(crate) other: Other,
    pub(crate) depth: usize,
    pub(crate) form: Form,
}

impl Contestant for OtherLog {
    fn name(&self) -> String {
        let name = if self.other == Other::Fjall { "fjall" } else { "okaywal" };
        name.to_owned()
    }

    fn durability(&self) -> String {
        "fdatasync before a commit returns".to_owned()
    }

    fn missing(&self, _: &Plan) -> Option<String> {
        let text = "it is not built in: build with `--features engines`";
        (!cfg!(feature = "engines")).then(|| text.to_owned())
    }

    fn measure<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, anyhow::Result<Measure>> {
        async move {
            let folder = fresh(&plan.data.join("log"))?;
            let shape = match self.form {
                Form::Apart => (self.depth, 1),
                Form::Group => (1, self.depth),
            };
            let other = self.other;
            let (place, lasts, bytes) = (folder.clone(), plan.lasts, plan.bytes);
            let work = move || work(other, &place, lasts, shape, &vec![b'x'; bytes]);
            let measure = tokio::task::spawn_blocking(work).await??;
            clear(&folder)?;
            Ok(measure)
        }
        .boxed()
    }
}

#[cfg(not(feature = "engines"))]
fn work(_: Other, _: &Path, _: Duration, _: (usize, usize), _: &[u8]) -> anyhow::Result<Measure> {
    anyhow::bail!("it is not built in")
}

#[cfg(feature = "engines")]
fn work(
    other: Other,
    folder: &Path,
    lasts: Duration,
    shape: (usize, usize),
    body: &[u8],
) -> anyhow::Result<Measure> {
    let (measure, counted) = match other {
        Other::Fjall => fjall(folder, lasts, shape, body)?,
        Other::OkayWal => okay::wal(folder, lasts, shape, body)?,
    };
    let appended = measure.count;
    ensure!(counted == appended, "{appended} were appended, and {counted} are there");
    Ok(measure)
}

/// Records under ascending keys; how many there are when it is opened again.
#[cfg(feature = "engines")]
fn fjall(
    folder: &Path,
    lasts: Duration,
    shape: (usize, usize),
    body: &[u8],
) -> anyhow::Result<(Measure, u64)> {
    use fjall::{Database, KeyspaceCreateOptions, PersistMode};
    let open = || -> anyhow::Result<_> {
        let database = Database::builder(folder).open()?;
        let records = database.keyspace("records", KeyspaceCreateOptions::default)?;
        Ok((database, records))
    };
    let (database, records) = open()?;
    let measure = commits(lasts, shape, &|first, many| {
        let mut group = database.batch().durability(Some(PersistMode::SyncData));
        for number in (first..).take(many) {
            group.insert(&records, number.to_be_bytes(), body);
        }
        Ok(group.commit()?)
    })?;
    drop((records, database));
    let (_database, records) = open()?;
    Ok((measure, records.len()? as u64))
}

#[cfg(feature = "engines")]
mod okay {
    //! okaywal: an entry for each group, a chunk for each record.

    use std::io;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use okaywal::{Entry, EntryId, LogManager, SegmentReader, WriteAheadLog};

    use super::commits;
    use crate::row::Measure;

    /// Counts what is handed to it: of segments that are given up, and at a start.
    #[derive(Clone, Debug, Default)]
    struct Counter(Arc<AtomicU64>);

    impl Counter {
        fn count(&self, entry: &mut Entry<'_>) -> io::Result<()> {
            let chunks = entry.read_all_chunks()?.unwrap_or_default();
            self.0.fetch_add(chunks.len() as u64, Ordering::Relaxed);
            Ok(())
        }
    }

    impl LogManager for Counter {
        fn recover(&mut self, entry: &mut Entry<'_>) -> io::Result<()> {
            self.count(entry)
        }

        fn checkpoint_to(
            &mut self,
            _: EntryId,
            entries: &mut SegmentReader,
            _: &WriteAheadLog,
        ) -> io::Result<()> {
            while let Some(mut entry) = entries.read_entry()? {
                self.count(&mut entry)?;
            }
            Ok(())
        }
    }

    pub(super) fn wal(
        folder: &Path,
        lasts: Duration,
        shape: (usize, usize),
        body: &[u8],
    ) -> anyhow::Result<(Measure, u64)> {
        let counter = Counter::default();
        let log = WriteAheadLog::recover(folder, counter.clone())?;
        let measure = commits(lasts, shape, &|_, many| {
            let mut entry = log.begin_entry()?;
            for _ in 0..many {
                entry.write_chunk(body)?;
            }
            entry.commit()?;
            Ok(())
        })?;
        log.shutdown()?;
        WriteAheadLog::recover(folder, counter.clone())?.shutdown()?;
        Ok((measure, counter.0.load(Ordering::Relaxed)))
    }
}
