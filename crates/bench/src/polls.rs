//! Long polls that nobody answers: what they cost while they wait, and whom one message wakes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::machine;
use crate::side::{Ours, Side};
use crate::sqs::{call, request, text};
use crate::wire::Connection;

/// Nobody being answered for so long, all polls wait, and none of them ends soon: they began
/// together.
const QUIET: Duration = Duration::from_secs(2);
/// How long who else might wake is waited for.
const AFTER: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many polls wait at a time; each needs a descriptor here and in the server.
    #[arg(long, default_value_t = 1000)]
    polls: usize,
    /// How long the processor time is measured for, without them and with them.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    #[command(flatten)]
    ours: Ours,
}

/// Prints one JSON object; fails if not exactly one poll is answered with the message.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let server = options.ours.fresh().await?;
    let process = Process::of(&server)?;
    let created = call(server.address, "CreateQueue", &json!({ "QueueName": "polled" })).await?;
    let url = text(&created, "/QueueUrl")?;
    let span = Duration::from_secs(options.seconds);
    let alone = measure(&process, span).await?;
    let mut polls = Polls::begin(server.address, url, options.polls).await?;
    polls.rest().await?;
    let before = polls.renewals();
    let waiting = measure(&process, span).await?;
    let renewed = polls.renewals() - before;
    polls.rest().await?;
    let message = wake_one(&process, &mut polls, server.address, url).await?;
    let row = json!({
        "machine": machine::describe(options.ours.folder()), "polls": options.polls,
        "without": alone, "with": waiting, "renewed": renewed, "message": message,
    });
    println!("{row}");
    server.kill().await?;
    options.ours.clear()
}

/// Processor time of the server during a span.
async fn measure(process: &Process, span: Duration) -> anyhow::Result<Value> {
    let (before, began) = (process.now()?, Instant::now());
    sleep(span).await;
    let (spent, seconds) = (process.now()?.since(before), began.elapsed().as_secs_f64());
    Ok(json!({
        "cpu_seconds": spent.cpu_seconds, "seconds": seconds,
        "percent_of_a_core": 100.0 * spent.cpu_seconds / seconds,
        "changes_of_thread": spent.switches,
    }))
}

/// Sends one message, and tells who was answered.
async fn wake_one(
    process: &Process,
    polls: &mut Polls,
    address: SocketAddr,
    url: &str,
) -> anyhow::Result<Value> {
    let (before, renewals) = (process.now()?, polls.renewals());
    let began = Instant::now();
    call(address, "SendMessage", &json!({ "QueueUrl": url, "MessageBody": "wake" })).await?;
    let first = timeout(Duration::from_secs(10), polls.answered.recv()).await;
    let first = first.context("no poll was answered")?.context("no poll is left")?;
    let answered = began.elapsed();
    sleep(AFTER).await;
    let spent = process.now()?.since(before);
    let mut messages: usize = count(&first?);
    while let Ok(more) = polls.answered.try_recv() {
        messages += count(&more?);
    }
    ensure!(messages == 1, "{messages} polls were answered with one message");
    Ok(json!({
        "polls_answered_with_it": messages, "other_answers": polls.renewals() - renewals,
        "sent_and_received_after_ms": answered.as_secs_f64() * 1000.0,
        "changes_of_thread": spent.switches, "cpu_seconds": spent.cpu_seconds,
        "over_seconds": AFTER.as_secs_f64(),
    }))
}

fn count(answer: &Value) -> usize {
    answer.pointer("/Messages").and_then(Value::as_array).map_or(0, Vec::len)
}

/// Clients that ask again whenever they are answered with nothing.
struct Polls {
    /// Answers with a message, and what went wrong.
    answered: UnboundedReceiver<anyhow::Result<Value>>,
    renewals: Arc<AtomicU64>,
}

impl Polls {
    async fn begin(address: SocketAddr, url: &str, polls: usize) -> anyhow::Result<Polls> {
        let asked = json!({ "QueueUrl": url, "WaitTimeSeconds": 20 });
        let request: Arc<[u8]> = request("ReceiveMessage", &asked).into();
        let (tell, answered) = unbounded_channel();
        let renewals = Arc::new(AtomicU64::new(0));
        for _ in 0..polls {
            let connection = Connection::open(address).await;
            let connection =
                connection.context("for a thousand polls `ulimit -n` must be over 1,024")?;
            tokio::spawn(poll(connection, request.clone(), tell.clone(), renewals.clone()));
        }
        Ok(Polls { answered, renewals })
    }

    fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    /// Waits until nobody was answered for a while; but nobody may have had a message.
    async fn rest(&mut self) -> anyhow::Result<()> {
        let mut before = None;
        while before != Some(self.renewals()) {
            before = Some(self.renewals());
            sleep(QUIET).await;
        }
        if let Ok(answer) = self.answered.try_recv() {
            bail!("a poll was answered before there was a message: {}", answer?);
        }
        Ok(())
    }
}

async fn poll(
    mut connection: Connection,
    request: Arc<[u8]>,
    tell: UnboundedSender<anyhow::Result<Value>>,
    renewals: Arc<AtomicU64>,
) {
    loop {
        let answer = connection.ask(&request).await;
        let answer = answer.and_then(|body| Ok(serde_json::from_slice::<Value>(body)?));
        match answer {
            Ok(answer) if count(&answer) == 0 => renewals.fetch_add(1, Ordering::Relaxed),
            // Who has a message asks no more: nobody would take it for an idle poll.
            answer => {
                // Nobody to tell means that the run is over.
                let _ = tell.send(answer);
                return std::future::pending().await;
            }
        };
    }
}

/// The server as the kernel counts it.
struct Process {
    folder: PathBuf,
}

/// Counts since the start of the process.
#[derive(Clone, Copy)]
struct Spent {
    cpu_seconds: f64,
    /// How often one of its threads was put on a processor, all together.
    switches: u64,
}

impl Spent {
    fn since(self, before: Spent) -> Spent {
        let cpu_seconds = self.cpu_seconds - before.cpu_seconds;
        Spent { cpu_seconds, switches: self.switches.saturating_sub(before.switches) }
    }
}

impl Process {
    fn of(server: &Side) -> anyhow::Result<Process> {
        let pid = server.pid().context("the server has ended")?;
        Ok(Process { folder: format!("/proc/{pid}").into() })
    }

    fn now(&self) -> anyhow::Result<Spent> {
        let stat = std::fs::read_to_string(self.folder.join("stat"))?;
        let cpu_seconds = machine::processor_seconds_in(&stat);
        let mut switches = 0;
        for thread in std::fs::read_dir(self.folder.join("task"))? {
            // A thread may end while it is looked at.
            let status = std::fs::read_to_string(thread?.path().join("status"));
            switches += status.map_or(0, |status| changes(&status));
        }
        let cpu_seconds = cpu_seconds.context("the kernel's line is not understood")?;
        Ok(Spent { cpu_seconds, switches })
    }
}

/// Both kinds of context switches in `/proc/PID/task/TID/status`.
fn changes(status: &str) -> u64 {
    let lines = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
    lines.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_counts_of_switches_are_understood() {
        let status = "Name:\ta\nvoluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n";
        assert_eq!(changes(status), 42);
    }
}
