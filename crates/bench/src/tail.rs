//! Readers that follow a stream by Server-Sent Events, while events are appended at a constant pace,
//! whatever became of those before (an open loop): each counts from when it was due to when a reader
//! has it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::machine;
use crate::native::{call, data, get, request};
use crate::side::{Ours, Side};
use crate::wire::Connection;

/// Enough that an event that is due finds one of them free.
const APPENDERS: usize = 32;
/// How long the last reader may take behind the last event.
const PATIENCE: Duration = Duration::from_secs(120);
/// Microseconds; beyond it is as bad.
const LATENCY_MAX: u64 = 300_000_000;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many follow; each needs a descriptor here and in the server.
    #[arg(long, default_value_t = 1000)]
    readers: usize,
    /// Events a second, a run for each of these.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 1000])]
    rates: Vec<u32>,
    /// Seconds of appends, of each run.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Bytes of an event's data.
    #[arg(long, default_value_t = 100)]
    bytes: usize,
    #[command(flatten)]
    ours: Ours,
}

/// Prints one JSON object for each rate.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    for rate in &options.rates {
        let server = options.ours.fresh().await?;
        let run = Run {
            rate: *rate,
            events: u64::from(rate * options.seconds),
            readers: options.readers,
            bytes: options.bytes,
            address: server.address,
        };
        let figures = run.measure(&server).await?;
        println!("{}", row(options, &run, &figures));
        server.kill().await?;
    }
    options.ours.clear()
}

fn row(options: &Options, run: &Run, figures: &Value) -> Value {
    json!({
        "machine": machine::describe(options.ours.folder()), "durability": "commit",
        "readers": run.readers, "bytes": run.bytes, "events_per_second": run.rate,
        "events": run.events, "figures": figures,
    })
}

struct Run {
    rate: u32,
    events: u64,
    readers: usize,
    bytes: usize,
    address: SocketAddr,
}

/// What all readers have so far.
struct Progress {
    latencies: Mutex<Histogram<u64>>,
    last_micros: AtomicU64,
}

impl Run {
    async fn measure(&self, server: &Side) -> anyhow::Result<Value> {
        let progress = Arc::new(Progress {
            latencies: Mutex::new(Histogram::new_with_bounds(1, LATENCY_MAX, 3)?),
            last_micros: AtomicU64::new(0),
        });
        let (begin, begins) = watch::channel(None);
        let mut readers = JoinSet::new();
        for _ in 0..self.readers {
            let reader = Reader::open(self.address, self.events).await;
            let reader = reader.context("for a thousand readers `ulimit -n` must be over 1,024")?;
            readers.spawn(reader.follow(begins.clone(), self.rate, progress.clone()));
        }
        let cpu = |server: &Side| machine::processor_seconds_of(server.pid());
        let (served, asked) = (cpu(server)?, machine::processor_seconds());
        let start = Instant::now();
        begin.send(Some(start))?;
        self.append(start).await?;
        let appended = start.elapsed();
        let all = async {
            while let Some(reader) = readers.join_next().await {
                reader??;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, all).await.context("readers have not all events")??;
        let (served, asked) = (cpu(server)? - served, machine::processor_seconds() - asked);
        self.figures(server, &progress, [appended.as_secs_f64(), served, asked])
    }

    fn figures(
        &self,
        server: &Side,
        progress: &Progress,
        [appended, served, asked]: [f64; 3],
    ) -> anyhow::Result<Value> {
        let Ok(latencies) = progress.latencies.lock() else { bail!("a reader ended") };
        let expected = self.events * self.readers as u64;
        ensure!(latencies.len() == expected, "{} came of {expected}", latencies.len());
        let ms = |micros: u64| micros as f64 / 1000.0;
        let at = |quantile| ms(latencies.value_at_quantile(quantile));
        let seconds = ms(progress.last_micros.load(Ordering::Relaxed)) / 1000.0;
        Ok(json!({
            "delivered": expected, "delivered_per_second": expected as f64 / seconds,
            "seconds": seconds, "appended_in_seconds": appended,
            "p50_ms": at(0.5), "p99_ms": at(0.99), "p99_9_ms": at(0.999),
            "max_ms": ms(latencies.max()),
            "server_cpu_seconds": served, "readers_cpu_seconds": asked,
            "resident_mib": server.mebibytes("VmRSS")?, "highest_mib": server.mebibytes("VmHWM")?,
        }))
    }

    /// One event after another when it is due, whichever connection is free.
    async fn append(&self, start: Instant) -> anyhow::Result<()> {
        let (due, inboxes): (Vec<_>, Vec<_>) = (0..APPENDERS).map(|_| unbounded_channel()).unzip();
        let (events, rate) = (self.events, self.rate);
        // A thread, since the runtime's timers are no finer than a millisecond.
        let clock = std::thread::spawn(move || tick(start, events, rate, &due));
        let mut appenders = JoinSet::new();
        for inbox in inboxes {
            appenders.spawn(append(self.address, self.bytes, inbox));
        }
        while let Some(appender) = appenders.join_next().await {
            appender??;
        }
        ensure!(clock.join().is_ok(), "the thread that keeps the pace ended");
        let told = call(self.address, &get("/v1/streams/tail?limit=1&backwards")).await?;
        let version = told.pointer("/events/0/streamversion").and_then(Value::as_str);
        ensure!(version == Some(&events.to_string()), "the stream is at {version:?}");
        Ok(())
    }
}

fn due_at(start: Instant, number: u64, rate: u32) -> Instant {
    start + Duration::from_nanos(number * 1_000_000_000 / u64::from(rate.max(1)))
}

/// Tells the appenders in turn which event is due.
fn tick(start: Instant, events: u64, rate: u32, appenders: &[UnboundedSender<u64>]) {
    for (number, appender) in (0..events).zip(appenders.iter().cycle()) {
        std::thread::sleep(due_at(start, number, rate).saturating_duration_since(Instant::now()));
        // Whoever has ended has failed, and says so.
        let _ = appender.send(number);
    }
}

async fn append(
    address: SocketAddr,
    bytes: usize,
    mut due: UnboundedReceiver<u64>,
) -> anyhow::Result<()> {
    let data = data(bytes);
    let mut connection = Connection::open(address).await?;
    while let Some(number) = due.recv().await {
        // The number is the event's id, which stands at the front of what readers get.
        let body = format!("{{\"id\":\"{number}\",\"type\":\"Posted\",\"data\":{data}}}");
        connection.ask(&request("POST", "/v1/streams/tail", "", &body)).await?;
    }
    Ok(())
}

/// One that follows.
struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Which events it has, by when they were due.
    has: Vec<bool>,
    left: u64,
}

const HEAD_END: &[u8] = b"\r\n\r\n";

impl Reader {
    /// It waits for new events when this is done: it was told that it has all.
    async fn open(address: SocketAddr, events: u64) -> anyhow::Result<Reader> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&get("/v1/events?follow&stream=tail")).await?;
        let mut buffer = Vec::new();
        while !contains(&buffer, b"event: caught-up") || !buffer.ends_with(b"\n\n\r\n") {
            ensure!(stream.read_buf(&mut buffer).await? > 0, "the server hung up");
        }
        ensure!(buffer.starts_with(b"HTTP/1.1 200") && contains(&buffer, HEAD_END), "no stream");
        buffer.clear();
        Ok(Reader { stream, buffer, has: vec![false; usize::try_from(events)?], left: events })
    }

    /// Reads until it has all events, each once.
    async fn follow(
        mut self,
        mut begins: watch::Receiver<Option<Instant>>,
        rate: u32,
        progress: Arc<Progress>,
    ) -> anyhow::Result<()> {
        let start = begins.wait_for(Option::is_some).await?.context("no start")?;
        while self.left > 0 {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
            let now = Instant::now();
            let mut numbers = Vec::new();
            while let Some(end) = chunk(&self.buffer)? {
                ids(self.buffer.get(..end).unwrap_or_default(), &mut numbers)?;
                self.buffer.drain(..end);
            }
            for number in &numbers {
                let has = self.has.get_mut(usize::try_from(*number)?).context("a stranger")?;
                ensure!(!std::mem::replace(has, true), "event {number} came twice");
                self.left -= 1;
            }
            progress.tell(start, now, rate, &numbers)?;
        }
        Ok(())
    }
}

impl Progress {
    fn tell(&self, start: Instant, now: Instant, rate: u32, numbers: &[u64]) -> anyhow::Result<()> {
        let Ok(mut latencies) = self.latencies.lock() else { bail!("another reader ended") };
        for number in numbers {
            let late = now.saturating_duration_since(due_at(start, *number, rate));
            latencies.record(u64::try_from(late.as_micros())?.clamp(1, LATENCY_MAX))?;
        }
        let micros = u64::try_from(now.saturating_duration_since(start).as_micros())?;
        self.last_micros.fetch_max(micros, Ordering::Relaxed);
        Ok(())
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}

/// Where the first chunk of an answer ends (RFC 9112, section 7.1), if it is there whole.
fn chunk(buffer: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(line) = memchr::memmem::find(buffer, b"\r\n") else { return Ok(None) };
    let length = std::str::from_utf8(buffer.get(..line).unwrap_or_default())?;
    let length = usize::from_str_radix(length, 16)?;
    ensure!(length > 0, "the server ended the stream");
    let end = line + 2 + length + 2;
    Ok((buffer.len() >= end).then_some(end))
}

/// The ids of the events in a chunk; frames are whole in it. Notices have none, and heartbeats.
fn ids(chunk: &[u8], numbers: &mut Vec<u64>) -> anyhow::Result<()> {
    const BEFORE: &[u8] = b"\ndata: {\"specversion\":\"1.0\",\"id\":\"";
    ensure!(chunk.ends_with(b"\n\n\r\n"), "a chunk that ends within an event");
    ensure!(!contains(chunk, b"\nevent: ended"), "{}", String::from_utf8_lossy(chunk));
    for at in memchr::memmem::find_iter(chunk, BEFORE) {
        let rest = chunk.get(at + BEFORE.len()..).unwrap_or_default();
        let end = memchr::memchr(b'"', rest).context("an id without an end")?;
        numbers.push(std::str::from_utf8(rest.get(..end).unwrap_or_default())?.parse()?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_chunk_are_told_by_their_ids() {
        let event = |id| format!("id: 9\ndata: {{\"specversion\":\"1.0\",\"id\":\"{id}\"}}\n\n");
        let notice = "id: 9\nevent: caught-up\ndata: {\"eventnumber\":9}\n\n";
        let text = format!("{}{notice}{}", event(3), event(14));
        let whole = format!("{:x}\r\n{text}\r\n", text.len());
        let end = chunk(whole.as_bytes()).unwrap().unwrap();
        assert_eq!(end, whole.len());
        let mut numbers = Vec::new();
        ids(whole.as_bytes(), &mut numbers).unwrap();
        assert_eq!(numbers, [3, 14]);
        assert_eq!(chunk(&whole.as_bytes()[..end - 1]).unwrap(), None);
        assert!(chunk(b"0\r\n\r\n").is_err() && chunk(b"zz\r\n").is_err());
    }
}
