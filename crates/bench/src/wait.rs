//! Send to a waiting receiver: messages fall due at a constant pace, whatever became of those before
//! (an open loop), and each counts from when it was due to when it was received.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::products::{Product, Running};
use crate::queue::{Numbered, Received, single};
use crate::row::{Contestant, Measure, Plan};
use crate::sqs::request;
use crate::wire::Connection;

/// A thousand messages a second.
const BETWEEN: Duration = Duration::from_millis(1);
/// Enough that a message that is due finds one of them free.
const SENDERS: usize = 64;
/// So is somebody waiting when another has just been answered.
const RECEIVERS: usize = 8;
/// Microseconds; beyond it is as bad.
const LATENCY_MAX: u64 = 60_000_000;

/// A product whose receivers wait.
pub(crate) struct Waiting {
    pub(crate) product: Product,
}

impl Contestant for Waiting {
    fn name(&self) -> String {
        self.product.name().to_owned()
    }

    fn durability(&self) -> String {
        self.product.durability()
    }

    fn measure<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, anyhow::Result<Measure>> {
        async move {
            let running = self.product.start(plan).await?;
            measure(&running, plan).await
        }
        .boxed()
    }
}

async fn measure(running: &Running, plan: &Plan) -> anyhow::Result<Measure> {
    let messages = u64::try_from(plan.lasts.as_millis() / BETWEEN.as_millis())?;
    let progress = Progress::default();
    let (due, inboxes): (Vec<_>, Vec<_>) = (0..SENDERS).map(|_| unbounded_channel()).unzip();
    let start = Instant::now();
    let senders = inboxes.into_iter().map(|inbox| send(running, plan.bytes, inbox));
    let receivers = (0..RECEIVERS).map(|_| receive(running, start, messages, &progress));
    // A thread, since the runtime's timers are no finer than a millisecond.
    let clock = std::thread::spawn(move || tick(start, messages, &due));
    let (_, parts) = tokio::try_join!(try_join_all(senders), try_join_all(receivers))?;
    let seconds = Duration::from_micros(progress.last_micros.into_inner()).as_secs_f64();
    ensure!(clock.join().is_ok(), "the thread that keeps the pace ended");
    let mut latencies = histogram()?;
    for part in parts {
        latencies.add(part)?;
    }
    let count = latencies.len();
    ensure!(count == messages, "{messages} sent, and {count} received");
    let ms = |micros: u64| micros as f64 / 1000.0;
    let at = |quantile| ms(latencies.value_at_quantile(quantile));
    let more = vec![
        ("p50_ms", at(0.5)),
        ("p99_ms", at(0.99)),
        ("p99_9_ms", at(0.999)),
        ("max_ms", ms(latencies.max())),
    ];
    Ok(Measure { count, seconds, more })
}

/// What all receivers have so far.
#[derive(Default)]
struct Progress {
    received: AtomicU64,
    /// From the start to the last of them: what they wait for nothing after it is no part of the time.
    last_micros: AtomicU64,
}

fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LATENCY_MAX, 3)?)
}

fn due_at(start: Instant, number: u64) -> Instant {
    start + BETWEEN * u32::try_from(number).unwrap_or(u32::MAX)
}

/// Tells the senders in turn which message is due.
fn tick(start: Instant, messages: u64, senders: &[UnboundedSender<u64>]) {
    for (number, sender) in (0..messages).zip(senders.iter().cycle()) {
        std::thread::sleep(due_at(start, number).saturating_duration_since(Instant::now()));
        // Whoever has ended has failed, and says so.
        let _ = sender.send(number);
    }
}

async fn send(
    running: &Running,
    bytes: usize,
    mut due: UnboundedReceiver<u64>,
) -> anyhow::Result<()> {
    let mut request = Numbered::new(single(&running.queue, &Numbered::body(bytes)));
    let mut connection = Connection::open(running.address).await?;
    while let Some(number) = due.recv().await {
        connection.ask(request.from(number)).await?;
    }
    Ok(())
}

async fn receive(
    running: &Running,
    start: Instant,
    messages: u64,
    progress: &Progress,
) -> anyhow::Result<Histogram<u64>> {
    let asked =
        json!({ "QueueUrl": running.queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1 });
    let ask = request("ReceiveMessage", &asked);
    let mut connection = Connection::open(running.address).await?;
    let mut latencies = histogram()?;
    while progress.received.load(Ordering::Relaxed) < messages {
        let answer = connection.ask(&ask).await?;
        let now = Instant::now();
        let answer = Received::of(answer)?;
        for message in &answer.messages {
            let number = message.number().context("a stranger's message")?;
            let micros = now.saturating_duration_since(due_at(start, number)).as_micros();
            latencies.record(u64::try_from(micros)?.clamp(1, LATENCY_MAX))?;
        }
        if !answer.messages.is_empty() {
            let micros = u64::try_from(now.saturating_duration_since(start).as_micros())?;
            progress.last_micros.fetch_max(micros, Ordering::Relaxed);
            progress.received.fetch_add(answer.messages.len() as u64, Ordering::Relaxed);
            let delete = answer.deletion(&running.queue);
            connection.ask(&delete).await?;
        }
    }
    Ok(latencies)
}
