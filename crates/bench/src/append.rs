//! Appends under a condition, each writer to streams of its own over a connection of its own, to stores
//! of events that sync before they answer.

mod lineside;
mod postgres;
mod umadb;

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::task::JoinSet;

use crate::load::Outcome;
use crate::machine;
use crate::row::{Contestant, Measure, Plan};

/// A writer goes round over so many streams.
const STREAMS: usize = 100;
/// Before the clock runs: connections, caches, plans.
const WARM_UP: Duration = Duration::from_millis(500);

/// A store that can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// Ours: `POST /v1/streams/{stream}` with `Expected-Version`.
    Lineside,
    /// A table with a unique (stream, version).
    Postgres,
    /// Events with the stream as their tag, and "nothing with it after the last one that I know".
    UmaDb,
}

/// A store under the load.
pub(crate) struct Appends {
    pub(crate) store: Store,
    pub(crate) writers: usize,
    /// Events of one append.
    pub(crate) batch: usize,
}

/// One connection of a store, of one writer.
trait Appender: Send + 'static {
    /// Appends as many events as it was made for to a stream of its writer, if that has so many.
    fn append(
        &mut self,
        stream: usize,
        version: u64,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// How often the store had too much to do, and was asked again.
    fn busy(&self) -> u64 {
        0
    }
}

fn name_of(writer: usize, stream: usize) -> String {
    format!("bench-{writer}-{stream}")
}

impl Contestant for Appends {
    fn name(&self) -> String {
        let name = match self.store {
            Store::Lineside => "Lineside",
            Store::Postgres => "PostgreSQL",
            Store::UmaDb => "UmaDB",
        };
        name.to_owned()
    }

    fn durability(&self) -> String {
        let synced = match self.store {
            Store::Lineside => "commit",
            Store::Postgres => "fsync and synchronous_commit on",
            Store::UmaDb => "fdatasync before an answer",
        };
        synced.to_owned()
    }

    fn missing(&self, plan: &Plan) -> Option<String> {
        match self.store {
            Store::Lineside => None,
            Store::Postgres => postgres::missing(),
            Store::UmaDb => umadb::missing(plan),
        }
    }

    fn measure<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, anyhow::Result<Measure>> {
        async move {
            match self.store {
                Store::Lineside => self.lineside(plan).await,
                Store::Postgres => self.postgres(plan).await,
                Store::UmaDb => self.umadb(plan).await,
            }
        }
        .boxed()
    }
}

impl Appends {
    async fn lineside(&self, plan: &Plan) -> anyhow::Result<Measure> {
        let server = lineside::start(plan).await?;
        let mut appenders = Vec::new();
        for writer in 0..self.writers {
            let (address, bytes) = (server.address, plan.bytes);
            appenders.push(lineside::Http::open(address, writer, self.batch, bytes).await?);
        }
        let (measure, appended) = self.run(plan, appenders, server.pid()).await?;
        checked(measure, appended, crate::native::count(server.address).await?)
    }

    async fn postgres(&self, plan: &Plan) -> anyhow::Result<Measure> {
        let mut server = postgres::Server::start(plan).await?;
        let mut appenders = Vec::new();
        for writer in 0..self.writers {
            let (address, bytes) = (server.address(), plan.bytes);
            appenders.push(postgres::Inserts::open(address, writer, self.batch, bytes).await?);
        }
        let (measure, appended) = self.run(plan, appenders, server.pid()).await?;
        let counted = server.count().await?;
        server.end().await?;
        checked(measure, appended, counted)
    }

    async fn umadb(&self, plan: &Plan) -> anyhow::Result<Measure> {
        let server = umadb::start(plan).await?;
        let mut appenders = Vec::new();
        for writer in 0..self.writers {
            let (address, bytes) = (server.address, plan.bytes);
            appenders.push(umadb::Grpc::open(address, writer, self.batch, bytes).await?);
        }
        let (measure, appended) = self.run(plan, appenders, server.pid()).await?;
        checked(measure, appended, umadb::count(server.address).await?)
    }

    /// What came of it, and how many events were appended in all.
    async fn run<A: Appender>(
        &self,
        plan: &Plan,
        appenders: Vec<A>,
        server: Option<u32>,
    ) -> anyhow::Result<(Measure, u64)> {
        let batch = u64::try_from(self.batch)?;
        let new = |appender| Writer { appender, versions: vec![0; STREAMS], at: 0, batch };
        let writers = appenders.into_iter().map(new).collect();
        let (warm, writers) = run(writers, WARM_UP).await?;
        let spent = || machine::processor_seconds_with_children(server);
        let (client, served) = (machine::processor_seconds(), spent()?);
        let (outcome, writers) = run(writers, plan.lasts).await?;
        let (client, served) = (machine::processor_seconds() - client, spent()? - served);
        let count = outcome.answered * batch;
        let mut more = vec![
            ("closed_p50_ms", outcome.quantile_ms(500)),
            ("closed_p99_ms", outcome.quantile_ms(990)),
            // What of the machine an append takes, by the client, which is ours on both sides, and by
            // the server.
            ("client_us", client * 1e6 / outcome.answered as f64),
            ("server_us", served * 1e6 / outcome.answered as f64),
        ];
        let busy: u64 = writers.iter().map(|writer| writer.appender.busy()).sum();
        if self.store == Store::Lineside {
            more.push(("busy", busy as f64));
        }
        let appended = count + warm.answered * batch;
        Ok((Measure { count, seconds: outcome.seconds, more }, appended))
    }
}

fn checked(measure: Measure, appended: u64, counted: u64) -> anyhow::Result<Measure> {
    ensure!(counted == appended, "{appended} events were appended, and {counted} are there");
    Ok(measure)
}

/// Who appends: nobody else writes to its streams, so it knows their versions.
struct Writer<A> {
    appender: A,
    versions: Vec<u64>,
    /// Which stream is next.
    at: usize,
    batch: u64,
}

/// All writers at once, until the time is over.
async fn run<A: Appender>(
    writers: Vec<Writer<A>>,
    lasts: Duration,
) -> anyhow::Result<(Outcome, Vec<Writer<A>>)> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for writer in writers {
        tasks.spawn(writer.write(start + lasts));
    }
    let (mut outcome, mut writers) = (Outcome::default(), Vec::new());
    while let Some(task) = tasks.join_next().await {
        let (latencies, writer) = task??;
        outcome.answered += latencies.len() as u64;
        outcome.latencies.extend(latencies);
        writers.push(writer);
    }
    outcome.seconds = start.elapsed().as_secs_f64();
    outcome.latencies.sort_unstable();
    Ok((outcome, writers))
}

impl<A: Appender> Writer<A> {
    /// The time of each append in microseconds.
    async fn write(mut self, until: Instant) -> anyhow::Result<(Vec<u32>, Writer<A>)> {
        let mut latencies = Vec::new();
        loop {
            let asked = Instant::now();
            if asked >= until {
                return Ok((latencies, self));
            }
            let stream = self.at;
            self.at = (stream + 1) % STREAMS;
            let Some(version) = self.versions.get_mut(stream) else { continue };
            self.appender.append(stream, *version).await?;
            *version += self.batch;
            latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }
}
