//! Messages sent, received and deleted: what they leave on disk.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::machine;
use crate::side::Ours;
use crate::sqs::{call, request, text};
use crate::wire::Connection;

/// What is dead must be gone so long after the last deletion.
const SETTLED_AFTER: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many messages.
    #[arg(long, default_value_t = 10_000_000)]
    messages: u64,
    /// Bytes of a message's body.
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// Connections; each sends ten, receives ten, deletes ten, and again.
    #[arg(long, default_value_t = 32)]
    connections: u64,
    #[command(flatten)]
    ours: Ours,
}

/// Prints one JSON object.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let server = options.ours.fresh().await?;
    let created = call(server.address, "CreateQueue", &json!({ "QueueName": "churn" })).await?;
    let url = text(&created, "/QueueUrl")?;
    let started = Instant::now();
    let rounds = options.messages / 10 / options.connections;
    let clients = (0..options.connections).map(|_| churn(server.address, url, options, rounds));
    let deleted: u64 = try_join_all(clients).await?.into_iter().sum();
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{deleted} deleted in {seconds:.0} s");
    let at_once = mebibytes_in(&options.ours.data())?;
    tokio::time::sleep(SETTLED_AFTER).await;
    let row = json!({
        "machine": machine::describe(options.ours.folder()), "deleted": deleted, "bytes": options.bytes,
        "durability": "commit", "per_second": deleted as f64 / seconds,
        "disk_mib": { "at_once": at_once, "after_30_s": mebibytes_in(&options.ours.data())? },
        "resident_mib": server.mebibytes("VmRSS")?,
    });
    println!("{row}");
    server.kill().await?;
    options.ours.clear()
}

/// How many it has deleted.
async fn churn(
    address: SocketAddr,
    url: &str,
    options: &Options,
    rounds: u64,
) -> anyhow::Result<u64> {
    let mut connection = Connection::open(address).await?;
    let body = "x".repeat(options.bytes);
    let entry = |n: usize| json!({ "Id": n.to_string(), "MessageBody": body });
    let entries: Vec<Value> = (0..10).map(entry).collect();
    let send = request("SendMessageBatch", &json!({ "QueueUrl": url, "Entries": entries }));
    let receive = request("ReceiveMessage", &json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 }));
    let mut deleted = 0;
    for _ in 0..rounds {
        connection.ask(&send).await?;
        let received: Value = serde_json::from_slice(connection.ask(&receive).await?)?;
        let Some(messages) = received.pointer("/Messages").and_then(Value::as_array) else {
            continue;
        };
        let delete = request("DeleteMessageBatch", &deletion(url, messages));
        let answer: Value = serde_json::from_slice(connection.ask(&delete).await?)?;
        let done = answer.pointer("/Successful").and_then(Value::as_array).map_or(0, Vec::len);
        ensure!(done == messages.len(), "not all were deleted: {answer}");
        deleted += done as u64;
    }
    Ok(deleted)
}

fn deletion(url: &str, messages: &[Value]) -> Value {
    let entry = |(n, message): (usize, &Value)| json!({ "Id": n.to_string(), "ReceiptHandle": message.pointer("/ReceiptHandle") });
    let entries: Vec<Value> = messages.iter().enumerate().map(entry).collect();
    json!({ "QueueUrl": url, "Entries": entries })
}

/// Bytes that a directory takes on disk, preallocated ones too.
fn mebibytes_in(directory: &Path) -> anyhow::Result<f64> {
    use std::os::unix::fs::MetadataExt;
    let mut blocks = 0;
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?;
            // A segment may be dropped while it is looked at.
            let Ok(about) = entry.metadata() else { continue };
            blocks += about.blocks();
            if about.is_dir() {
                left.push(entry.path());
            }
        }
    }
    Ok(blocks as f64 * 512.0 / f64::from(1 << 20))
}
