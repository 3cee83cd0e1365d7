//! Many waiting messages: what they cost in memory, in receives, and at a start.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::fs::DirEntryExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use serde_json::{Value, json};

use crate::load::{self, Load, Outcome};
use crate::machine;
use crate::side::{Ours, Side};
use crate::sqs::{call, request, text};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(3600);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many messages wait.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Bytes of a message's body.
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// Seconds of receives, of up to ten messages each, for each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[command(flatten)]
    ours: Ours,
}

/// Others' steady sends: batches of ten over so many connections, each at this pace. Five thousand
/// messages a second: enough for a checkpoint every few seconds, and not for a busy processor.
const STEADY_CONNECTIONS: usize = 10;
const STEADY_PACE: Duration = Duration::from_millis(20);

impl Options {
    fn lasts(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// Prints one JSON object.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let few = few(options).await?;
    let server = options.ours.fresh().await?;
    let large = Bench::new(&server, options).large().await?;
    let (resident, highest) = (server.mebibytes("VmRSS")?, server.mebibytes("VmHWM")?);
    eprintln!("resident {resident:.0} MiB, at most {highest:.0} MiB");
    server.kill().await?;
    let (server, start) = start_again(&options.ours, &large).await?;
    let bench = Bench::new(&server, options);
    let all = bench.receive_times(&large).await?;
    let (compacting, ran) = bench.while_compacting(&large).await?;
    server.kill().await?;
    let row = json!({
        "machine": machine::describe(options.ours.folder()),
        "messages": options.messages, "bytes": options.bytes, "durability": "commit",
        "resident_mib": resident, "highest_mib": highest, "after_kill_9": start,
        "receive_ms": { "with_1000": few, "with_all": all, "with_all_compacting": compacting },
        "meanwhile": ran,
    });
    println!("{row}");
    options.ours.clear()
}

/// What receives cost where little waits.
async fn few(options: &Options) -> anyhow::Result<Value> {
    let server = options.ours.fresh().await?;
    let bench = Bench::new(&server, options);
    let small = bench.queue("small").await?;
    bench.fill(&small, 1_000, 16).await?;
    let times = bench.receive_times(&small).await?;
    server.kill().await?;
    Ok(times)
}

struct Bench<'a> {
    address: SocketAddr,
    options: &'a Options,
}

impl<'a> Bench<'a> {
    fn new(server: &Side, options: &'a Options) -> Bench<'a> {
        Bench { address: server.address, options }
    }

    async fn queue(&self, name: &str) -> anyhow::Result<String> {
        let created = call(self.address, "CreateQueue", &json!({ "QueueName": name })).await?;
        Ok(text(&created, "/QueueUrl")?.to_owned())
    }

    /// Sends of ten.
    fn sends(&self, url: &str) -> Arc<[u8]> {
        let body = "x".repeat(self.options.bytes);
        let entry = |n: usize| json!({ "Id": n.to_string(), "MessageBody": body });
        let entries: Vec<Value> = (0..10).map(entry).collect();
        request("SendMessageBatch", &json!({ "QueueUrl": url, "Entries": entries })).into()
    }

    /// Puts so many messages into an empty queue.
    async fn fill(&self, url: &str, messages: u64, connections: usize) -> anyhow::Result<()> {
        let load = Load {
            address: self.address,
            request: self.sends(url),
            connections,
            lasts: LONG,
            requests_max: messages / 10,
            pace: Duration::ZERO,
        };
        let answered = load::run(&load).await?.answered;
        ensure!(answered == messages / 10, "{answered} batches were sent of {}", messages / 10);
        Ok(())
    }

    /// The queue with all messages. A part of them lies in the log among more that are in a queue
    /// of their own: when that is deleted, there is something to compact.
    async fn large(&self) -> anyhow::Result<String> {
        let (started, all) = (Instant::now(), self.options.messages);
        let (large, doomed) = (self.queue("large").await?, self.queue("doomed").await?);
        self.fill(&large, all / 10 * 8, 16).await?;
        tokio::try_join!(
            self.fill(&large, all / 10 * 2, 16),
            self.fill(&doomed, all / 10 * 4, 32)
        )?;
        let (counted, sent) = (count(self.address, &large).await?, all / 10 * 10);
        ensure!(counted == sent, "{counted} messages are there, not {sent}");
        eprintln!("{} sent in {:.0} s", all / 10 * 14, started.elapsed().as_secs_f64());
        Ok(large)
    }

    /// Receives alone, while others send a steady five thousand a second, and while they send as
    /// much as they can.
    async fn receive_times(&self, url: &str) -> anyhow::Result<Value> {
        let lasts = self.options.lasts();
        let alone = self.receive(url, lasts).await?;
        let steady = self.receive_while(url, STEADY_CONNECTIONS, STEADY_PACE, lasts).await?;
        let full = self.receive_while(url, 16, Duration::ZERO, lasts).await?;
        let times = json!({
            "alone": quantiles(&alone), "steady_sends": quantiles(&steady),
            "full_sends": quantiles(&full),
        });
        eprintln!("a receive: {times}");
        Ok(times)
    }

    /// The same under steady sends, with a queue deleted at the beginning. The run counts only if
    /// a checkpoint was written and a segment compacted in it.
    async fn while_compacting(&self, url: &str) -> anyhow::Result<(Value, Value)> {
        let doomed = text(&find(self.address, "doomed").await?, "/QueueUrl")?.to_owned();
        let before = Shelf::look(&self.options.ours.data())?;
        call(self.address, "DeleteQueue", &json!({ "QueueUrl": doomed })).await?;
        // A segment may be compacted when two checkpoints have seen what died in it.
        let steady = 3 * self.options.lasts();
        let times = self.receive_while(url, STEADY_CONNECTIONS, STEADY_PACE, steady).await?;
        let (checkpoints, segments) = Shelf::look(&self.options.ours.data())?.since(&before);
        ensure!(checkpoints > 0 && segments > 0, "{checkpoints} checkpoints, {segments} segments");
        let times = quantiles(&times);
        eprintln!("the same, {checkpoints} checkpoints and {segments} segments compacted: {times}");
        Ok((times, json!({ "checkpoints": checkpoints, "segments_compacted": segments })))
    }

    /// Receives that give back at once what they got, one after another.
    async fn receive(&self, url: &str, lasts: Duration) -> anyhow::Result<Outcome> {
        let body = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0 });
        load::run(&Load {
            address: self.address,
            request: request("ReceiveMessage", &body).into(),
            connections: 1,
            lasts,
            requests_max: u64::MAX,
            pace: Duration::ZERO,
        })
        .await
    }

    async fn receive_while(
        &self,
        url: &str,
        connections: usize,
        pace: Duration,
        lasts: Duration,
    ) -> anyhow::Result<Outcome> {
        let other = self.queue("other").await?;
        let load = Load {
            address: self.address,
            request: self.sends(&other),
            connections,
            lasts,
            requests_max: u64::MAX,
            pace,
        };
        let (received, sent) = tokio::join!(self.receive(url, lasts), load::run(&load));
        sent?;
        received
    }
}

/// What lies in a data directory.
struct Shelf {
    checkpoints: BTreeSet<OsString>,
    /// Sealed segments: another inode under a name is one that was rewritten.
    segments: BTreeSet<(OsString, u64)>,
}

impl Shelf {
    fn look(data: &Path) -> anyhow::Result<Shelf> {
        let mut shelf = Shelf { checkpoints: BTreeSet::new(), segments: BTreeSet::new() };
        for entry in std::fs::read_dir(data)?.chain(std::fs::read_dir(data.join("blobs"))?) {
            let entry = entry?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if text.ends_with(".segment") {
                shelf.segments.insert((name, entry.ino()));
            } else if text.ends_with("-manifest.blob") {
                shelf.checkpoints.insert(name);
            }
        }
        Ok(shelf)
    }

    /// Checkpoints that came and segments that were replaced or dropped.
    fn since(&self, before: &Shelf) -> (usize, usize) {
        let come = self.checkpoints.difference(&before.checkpoints).count();
        (come, before.segments.difference(&self.segments).count())
    }
}

fn quantiles(outcome: &Outcome) -> Value {
    json!({
        "p50": outcome.quantile_ms(500), "p99": outcome.quantile_ms(990),
        "p99_9": outcome.quantile_ms(999), "receives": outcome.answered,
    })
}

async fn count(address: SocketAddr, url: &str) -> anyhow::Result<u64> {
    let asked = json!({ "QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"] });
    let described = call(address, "GetQueueAttributes", &asked).await?;
    Ok(text(&described, "/Attributes/ApproximateNumberOfMessages")?.parse()?)
}

async fn find(address: SocketAddr, name: &str) -> anyhow::Result<Value> {
    call(address, "GetQueueUrl", &json!({ "QueueName": name })).await
}

async fn start_again(ours: &Ours, url: &str) -> anyhow::Result<(Side, Value)> {
    let started = Instant::now();
    let server = ours.again().await?;
    let listening = started.elapsed();
    // A call waits until the server is ready; it is the first that does.
    let counted = count(server.address, url).await?;
    let ready = started.elapsed();
    let figures = json!({
        "listening_ms": listening.as_secs_f64() * 1000.0, "ready_ms": ready.as_secs_f64() * 1000.0,
        "messages": counted, "resident_mib": server.mebibytes("VmRSS")?,
    });
    eprintln!("after kill -9: {figures}");
    Ok((server, figures))
}
