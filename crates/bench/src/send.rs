//! SendMessage beside the echo server: how much of the ceiling is left.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use serde_json::json;

use crate::load::{self, Load, Outcome};
use crate::pairs::{Pair, Spread, spread};
use crate::side::{self, Side, clear};
use crate::sqs::{call, request, text};
use crate::{disk, machine};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Bytes of a message's body.
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// Seconds that each side of a pair runs.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Pairs.
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// `commit`, `interval=<ms>` or `memory`.
    #[arg(long, default_value = "commit")]
    durability: String,
    /// Where the data directories are made and removed.
    #[arg(long, default_value = "target/bench")]
    data: PathBuf,
    /// The server; the release build beside this program when absent.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// One JSON object instead of the table's row.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    std::fs::create_dir_all(&options.data)?;
    let mut pairs = Vec::new();
    for number in 1..=options.pairs {
        let pair = pair(options, number % 2 == 0).await?;
        eprintln!(
            "pair {number} of {}: {:.0}/s beside {:.0}/s, ratio {:.3}, a sync {:.2} ms",
            options.pairs,
            pair.ours.per_second(),
            pair.peer.per_second(),
            pair.ratio(),
            pair.sync_ms,
        );
        pairs.push(pair);
    }
    if options.json {
        print_json(options, &pairs)
    } else {
        print_row(options, &pairs)
    }
    Ok(())
}

async fn pair(options: &Options, ours_first: bool) -> anyhow::Result<Pair> {
    let before = disk::probe(&options.data)?;
    let (ours, peer) = if ours_first {
        let ours = run_ours(options).await?;
        (ours, run_echo(options).await?)
    } else {
        let peer = run_echo(options).await?;
        (run_ours(options).await?, peer)
    };
    let after = disk::probe(&options.data)?;
    Ok(Pair { ours, peer, sync_ms: f64::midpoint(before, after) })
}

async fn run_echo(options: &Options) -> anyhow::Result<Outcome> {
    let echo = Side::echo().await?;
    load::run(&load_on(options, &echo, "http://127.0.0.1:4566/000000000000/bench")).await
}

async fn run_ours(options: &Options) -> anyhow::Result<Outcome> {
    let data = options.data.join("data");
    clear(&data)?;
    let binary = options.binary.clone().map_or_else(side::beside, Ok)?;
    let ours = Side::lineside(&binary, &data, &options.durability).await?;
    let created = call(ours.address, "CreateQueue", &json!({ "QueueName": "bench" })).await?;
    let url = text(&created, "/QueueUrl")?.to_owned();
    let outcome = load::run(&load_on(options, &ours, &url)).await?;
    let asked = json!({ "QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"] });
    let described = call(ours.address, "GetQueueAttributes", &asked).await?;
    let counted = text(&described, "/Attributes/ApproximateNumberOfMessages")?;
    let expected = outcome.answered.to_string();
    ensure!(counted == expected, "acknowledged {expected}, and there are {counted}");
    drop(ours);
    clear(&data)?;
    Ok(outcome)
}

fn load_on(options: &Options, side: &Side, url: &str) -> Load {
    let body = json!({ "QueueUrl": url, "MessageBody": "x".repeat(options.bytes) });
    Load {
        address: side.address,
        request: request("SendMessage", &body).into(),
        connections: options.connections,
        lasts: Duration::from_secs_f64(options.seconds),
        requests_max: u64::MAX,
        pace: Duration::ZERO,
    }
}

fn print_row(options: &Options, pairs: &[Pair]) {
    let (ratio, ours) = (spread(pairs, Pair::ratio), spread(pairs, |p| p.ours.per_second()));
    let peer = spread(pairs, |pair| pair.peer.per_second());
    let p50 = spread(pairs, |pair| pair.ours.quantile_ms(500)).median;
    let p99 = spread(pairs, |pair| pair.ours.quantile_ms(990)).median;
    let sync = spread(pairs, |pair| pair.sync_ms);
    println!("{}", machine::describe(&options.data));
    println!(
        "SendMessage, {} B, {} connections, {}: {:.0}/s (p50 {p50:.2} ms, p99 {p99:.2} ms) beside \
         the echo's {:.0}/s (nothing kept): {:.3} ({:.3} to {:.3}, {} pairs of {} s); a 4 KiB \
         append with fdatasync took {:.2} ms ({:.2} to {:.2})",
        options.bytes,
        options.connections,
        options.durability,
        ours.median,
        peer.median,
        ratio.median,
        ratio.min,
        ratio.max,
        pairs.len(),
        options.seconds,
        sync.median,
        sync.min,
        sync.max,
    );
}

fn print_json(options: &Options, pairs: &[Pair]) {
    let figures = |spread: Spread| json!([spread.min, spread.median, spread.max]);
    let row = json!({
        "machine": machine::describe(&options.data),
        "operation": "SendMessage", "bytes": options.bytes, "connections": options.connections,
        "durability": options.durability, "pairs": pairs.len(), "seconds": options.seconds,
        "ours_per_second": figures(spread(pairs, |pair| pair.ours.per_second())),
        "echo_per_second": figures(spread(pairs, |pair| pair.peer.per_second())),
        "ratio": figures(spread(pairs, Pair::ratio)),
        "ours_p50_ms": figures(spread(pairs, |pair| pair.ours.quantile_ms(500))),
        "ours_p99_ms": figures(spread(pairs, |pair| pair.ours.quantile_ms(990))),
        "sync_ms": figures(spread(pairs, |pair| pair.sync_ms)),
    });
    println!("{row}");
}
