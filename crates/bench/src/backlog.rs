//! Many waiting messages: what they cost in memory, in receives, and at a start.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::load::{self, Load, Outcome};
use crate::machine;
use crate::side::{self, Side, clear};
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
    /// Receives of up to ten messages for each measurement.
    #[arg(long, default_value_t = 5_000)]
    receives: u64,
    /// Where the data directory is made and removed.
    #[arg(long, default_value = "target/bench")]
    data: PathBuf,
    /// The server; the release build beside this program when absent.
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// Prints one JSON object.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let data = options.data.join("data");
    clear(&data)?;
    std::fs::create_dir_all(&options.data)?;
    let binary = options.binary.clone().map_or_else(side::beside, Ok)?;
    let server = Side::lineside(&binary, &data, "commit").await?;
    let address = server.address;
    let small = filled(address, "small", 1_000, options.bytes).await?;
    let few = receives(address, &small, options.receives).await?;
    eprintln!("p99 of a receive with 1,000 waiting: {:.2} ms", few.quantile_ms(990));
    let started = Instant::now();
    let large = filled(address, "large", options.messages, options.bytes).await?;
    eprintln!("{} sent in {:.0} s", options.messages, started.elapsed().as_secs_f64());
    let (resident, highest) = (server.mebibytes("VmRSS")?, server.mebibytes("VmHWM")?);
    eprintln!("resident {resident:.0} MiB, at most {highest:.0} MiB");
    let many = receives(address, &large, options.receives).await?;
    // The same while sends make checkpoints and compactions go on.
    let meanwhile = tokio::join!(
        receives(address, &large, options.receives),
        filled(address, "meanwhile", options.messages / 10, options.bytes),
    );
    let busy = meanwhile.0?;
    eprintln!(
        "p99 with all: {:.2} ms, under sends {:.2} ms",
        many.quantile_ms(990),
        busy.quantile_ms(990)
    );
    server.kill().await?;
    let start = start_again(&binary, &data, &large).await?;
    let row = json!({
        "machine": machine::describe(&options.data),
        "messages": options.messages, "bytes": options.bytes, "durability": "commit",
        "resident_mib": resident, "highest_mib": highest,
        "receive_p50_ms": { "few": few.quantile_ms(500), "all": many.quantile_ms(500),
            "all_under_sends": busy.quantile_ms(500) },
        "receive_p99_ms": { "few": few.quantile_ms(990), "all": many.quantile_ms(990),
            "all_under_sends": busy.quantile_ms(990) },
        "after_kill_9": start,
    });
    println!("{row}");
    clear(&data)
}

/// A new queue with so many messages.
async fn filled(
    address: SocketAddr,
    name: &str,
    messages: u64,
    bytes: usize,
) -> anyhow::Result<String> {
    let created = call(address, "CreateQueue", &json!({ "QueueName": name })).await?;
    let url = text(&created, "/QueueUrl")?.to_owned();
    let entry = |n: usize| json!({ "Id": n.to_string(), "MessageBody": "x".repeat(bytes) });
    let entries: Vec<Value> = (0..10).map(entry).collect();
    let body = json!({ "QueueUrl": url, "Entries": entries });
    let load = Load {
        address,
        request: request("SendMessageBatch", &body).into(),
        connections: 16,
        lasts: LONG,
        requests_max: messages / 10,
    };
    load::run(&load).await?;
    let counted = count(address, &url).await?;
    ensure!(counted == messages / 10 * 10, "{counted} messages are there, not {messages}");
    Ok(url)
}

async fn count(address: SocketAddr, url: &str) -> anyhow::Result<u64> {
    let asked = json!({ "QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"] });
    let described = call(address, "GetQueueAttributes", &asked).await?;
    Ok(text(&described, "/Attributes/ApproximateNumberOfMessages")?.parse()?)
}

/// Receives that give back at once what they got, one after another.
async fn receives(address: SocketAddr, url: &str, count: u64) -> anyhow::Result<Outcome> {
    let body = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0 });
    let request: Arc<[u8]> = request("ReceiveMessage", &body).into();
    load::run(&Load { address, request, connections: 1, lasts: LONG, requests_max: count }).await
}

async fn start_again(
    binary: &std::path::Path,
    data: &std::path::Path,
    url: &str,
) -> anyhow::Result<Value> {
    let started = Instant::now();
    let server = Side::lineside(binary, data, "commit").await?;
    let listening = started.elapsed();
    // A call waits until the server is ready; it is the first that does.
    let counted = count(server.address, url).await?;
    let ready = started.elapsed();
    let (resident, highest) = (server.mebibytes("VmRSS")?, server.mebibytes("VmHWM")?);
    server.kill().await.context("ending the server")?;
    Ok(json!({
        "listening_ms": listening.as_secs_f64() * 1000.0, "ready_ms": ready.as_secs_f64() * 1000.0,
        "messages": counted, "resident_mib": resident, "highest_mib": highest,
    }))
}
