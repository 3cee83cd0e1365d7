//! Many queues that nobody uses: what they cost in memory, on disk, and at a start.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::ensure;
use clap::Args;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

use crate::machine;
use crate::side::Ours;
use crate::sqs::{call, text};

/// Queues made at once.
const AT_ONCE: usize = 32;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many queues.
    #[arg(long, default_value_t = 100_000)]
    queues: usize,
    #[command(flatten)]
    ours: Ours,
}

/// Prints one JSON object.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let server = options.ours.fresh().await?;
    let started = Instant::now();
    let address = server.address;
    let made = stream::iter((0..options.queues).map(|n| create(address, n)));
    made.buffer_unordered(AT_ONCE).try_for_each(|()| async { Ok(()) }).await?;
    eprintln!("{} queues in {:.0} s", options.queues, started.elapsed().as_secs_f64());
    let (resident, bare) = (server.mebibytes("VmRSS")?, server.mebibytes("VmHWM")?);
    server.kill().await?;
    let started = Instant::now();
    let server = options.ours.again().await?;
    // A call waits until the server is ready.
    let last = format!("queue-{}", options.queues.saturating_sub(1));
    let found = call(server.address, "GetQueueUrl", &json!({ "QueueName": last })).await?;
    let ready = started.elapsed();
    ensure!(text(&found, "/QueueUrl")?.ends_with(&last), "the last queue is not there: {found}");
    let row = json!({
        "machine": machine::describe(options.ours.folder()), "queues": options.queues,
        "durability": "commit", "resident_mib": resident, "highest_mib": bare,
        "after_kill_9": {
            "ready_ms": ready.as_secs_f64() * 1000.0, "resident_mib": server.mebibytes("VmRSS")?,
        },
    });
    println!("{row}");
    server.kill().await?;
    options.ours.clear()
}

async fn create(address: SocketAddr, number: usize) -> anyhow::Result<()> {
    let asked = json!({ "QueueName": format!("queue-{number}") });
    let created = call(address, "CreateQueue", &asked).await?;
    text(&created, "/QueueUrl").map(drop)
}
