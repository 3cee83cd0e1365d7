//! Many events in many streams: the rate of appends, memory, the index beside the log, and a start.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::machine;
use crate::native::{data, get, request};
use crate::side::{Ours, Side};
use crate::wire::Connection;

/// How many streams are read afterwards, evenly among all.
const LOOKED_AT: u64 = 1_000;
/// What an append to a stream without events expects.
const EMPTY: &str = "Expected-Version: empty\r\n";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many streams.
    #[arg(long, default_value_t = 1_000_000)]
    streams: u64,
    /// Events of each; all streams get one before any gets its next.
    #[arg(long, default_value_t = 10)]
    each: u64,
    /// Bytes of an event's data.
    #[arg(long, default_value_t = 200)]
    bytes: usize,
    /// Events of an append, each of another stream.
    #[arg(long, default_value_t = 500)]
    batch: u64,
    /// Connections.
    #[arg(long, default_value_t = 16)]
    connections: u64,
    #[command(flatten)]
    ours: Ours,
}

impl Options {
    fn events(&self) -> u64 {
        self.streams * self.each
    }
}

/// Prints one JSON object.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let is_whole = options.streams.is_multiple_of(options.batch);
    ensure!(is_whole, "the streams are no whole number of batches");
    let server = options.ours.fresh().await?;
    let started = Instant::now();
    let busy = append_all(server.address, options).await?;
    let seconds = started.elapsed().as_secs_f64();
    let rate = options.events() as f64 / seconds;
    eprintln!("{} events in {seconds:.0} s, {rate:.0} a second", options.events());
    look(server.address, options, options.events()).await?;
    let (resident, highest) = (server.mebibytes("VmRSS")?, server.mebibytes("VmHWM")?);
    let (cpu, disk) = (machine::processor_seconds_of(server.pid())?, disk(&options.ours.data())?);
    server.kill().await?;
    let (server, start) = start_again(options).await?;
    // With the one that was appended after the start.
    look(server.address, options, options.events() + 1).await?;
    let row = json!({
        "machine": machine::describe(options.ours.folder()), "durability": "commit",
        "streams": options.streams, "events": options.events(), "bytes": options.bytes,
        "batch": options.batch, "connections": options.connections,
        "per_second": rate, "busy": busy, "server_cpu_seconds": cpu,
        "resident_mib": resident, "highest_mib": highest, "disk": disk, "after_kill_9": start,
        "resident_after_looking_mib": server.mebibytes("VmRSS")?,
    });
    println!("{row}");
    server.kill().await?;
    options.ours.clear()
}

/// Each connection takes the next batch of streams; a pass over all of them ends before the next.
/// Says how often the server had too much to do, and was asked again.
async fn append_all(address: SocketAddr, options: &Options) -> anyhow::Result<u64> {
    let mut busy = 0;
    let batches = options.streams / options.batch;
    for pass in 0..options.each {
        let next = Arc::new(AtomicU64::new(0));
        let mut appenders = JoinSet::new();
        for _ in 0..options.connections {
            let event = Event { pass, batch: options.batch, data: data(options.bytes) };
            appenders.spawn(append(address, event, next.clone(), batches));
        }
        while let Some(appender) = appenders.join_next().await {
            busy += appender??;
        }
    }
    Ok(busy)
}

/// What an append is made of.
struct Event {
    pass: u64,
    batch: u64,
    data: String,
}

async fn append(
    address: SocketAddr,
    event: Event,
    next: Arc<AtomicU64>,
    batches: u64,
) -> anyhow::Result<u64> {
    let mut connection = Connection::open(address).await?;
    let mut busy = 0;
    loop {
        let batch = next.fetch_add(1, Ordering::Relaxed);
        if batch >= batches {
            return Ok(busy);
        }
        let asked = request("POST", "/v1/events", "", &event.body(batch));
        let answer = connection.ask_until_free(&asked, &mut busy).await?;
        let answer: Value = serde_json::from_slice(answer)?;
        let name = name(batch * event.batch);
        let version = answer.pointer(&format!("/streams/{name}")).and_then(Value::as_u64);
        ensure!(version == Some(event.pass + 1), "{name} is at {version:?}");
    }
}

impl Event {
    fn body(&self, batch: u64) -> String {
        let of = |stream| {
            let (name, data) = (name(stream), &self.data);
            format!("{{\"type\":\"Posted\",\"stream\":\"{name}\",\"data\":{data}}}")
        };
        let first = batch * self.batch;
        let events: Vec<String> = (first..first + self.batch).map(of).collect();
        format!("{{\"events\":[{}]}}", events.join(","))
    }
}

fn name(stream: u64) -> String {
    format!("account-{stream}")
}

/// There are as many events as were appended, and streams here and there have theirs.
async fn look(address: SocketAddr, options: &Options, all: u64) -> anyhow::Result<()> {
    let mut connection = Connection::open(address).await?;
    let last = newest(&mut connection).await?;
    ensure!(last == all, "{all} events were appended, the last is {last}");
    for nth in 0..LOOKED_AT.min(options.streams) {
        let name = name(nth * options.streams / LOOKED_AT.min(options.streams));
        let asked = get(&format!("/v1/streams/{name}?limit=1000"));
        let page: Value = serde_json::from_slice(connection.ask(&asked).await?)?;
        let events = page.pointer("/events").and_then(Value::as_array).context("no events")?;
        let versions = events.iter().filter_map(|event| event.pointer("/streamversion")?.as_str());
        let expected = (1..=options.each).map(|version| version.to_string());
        ensure!(versions.eq(expected), "{name} has {} events: {page}", events.len());
    }
    Ok(())
}

/// The number of the newest event.
async fn newest(connection: &mut Connection) -> anyhow::Result<u64> {
    let page = connection.ask(&get("/v1/events?limit=1&backwards")).await?;
    let page: Value = serde_json::from_slice(page)?;
    let number = page.pointer("/events/0/eventnumber").and_then(Value::as_str);
    Ok(number.with_context(|| format!("no newest event in {page}"))?.parse()?)
}

async fn start_again(options: &Options) -> anyhow::Result<(Side, Value)> {
    let started = Instant::now();
    let server = options.ours.again().await?;
    let listening = started.elapsed();
    // It waits until the server is ready, and until the index has all events.
    let mut connection = Connection::open(server.address).await?;
    let last = newest(&mut connection).await?;
    let read = started.elapsed();
    ensure!(last == options.events(), "the last event after a start is {last}");
    let asked = request("POST", "/v1/streams/other-1", EMPTY, "{\"type\":\"Posted\",\"data\":{}}");
    connection.ask(&asked).await?;
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let figures = json!({
        "listening_ms": ms(listening), "newest_read_ms": ms(read),
        "appended_ms": ms(started.elapsed()), "resident_mib": server.mebibytes("VmRSS")?,
    });
    eprintln!("after kill -9: {figures}");
    Ok((server, figures))
}

/// Bytes of the index beside those of the log.
fn disk(data: &Path) -> anyhow::Result<Value> {
    let (index, blobs) = (bytes_in(&data.join("events"))?, bytes_in(&data.join("blobs"))?);
    let mut log = 0;
    for entry in std::fs::read_dir(data)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|end| end == "segment") {
            log += entry.metadata()?.len();
        }
    }
    Ok(json!({
        "index_bytes": index, "log_bytes": log, "checkpoint_bytes": blobs,
        "index_percent": 100.0 * index as f64 / log as f64,
    }))
}

fn bytes_in(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { bytes_in(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}
