//! The work of the rows of SQS: sends, sends of ten, receive + delete, and both at once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::load::{self, Load, Outcome};
use crate::machine;
use crate::products::{Product, Running, create};
use crate::row::{Contestant, Measure, Plan};
use crate::sqs::request;
use crate::wire::Connection;

/// Before the clock runs: connections, caches, an interpreter's first times.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long the last messages of a flow may take after the last send.
const FLOW_PATIENCE: Duration = Duration::from_secs(60);

/// The load of `sqs-send` alone.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A server that runs, such as one under a profiler.
    address: SocketAddr,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Bytes of a message's body.
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// Seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

/// Sends to a queue `bench`, which it makes, and prints how much was acknowledged.
pub(crate) async fn send(options: &Options) -> anyhow::Result<()> {
    let queue = create(options.address).await?;
    let load = Load {
        address: options.address,
        request: single(&queue, &"x".repeat(options.bytes)).into(),
        connections: options.connections,
        lasts: Duration::from_secs_f64(options.seconds),
        requests_max: u64::MAX,
        pace: Duration::ZERO,
    };
    let Outcome { answered, seconds, .. } = load::run(&load).await?;
    println!("{answered} messages in {seconds:.2} s");
    Ok(())
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// `SendMessage`, counted in messages.
    Send,
    /// `SendMessageBatch` of ten, counted in requests.
    Batch,
    /// The same, counted in messages.
    Tens,
    /// `ReceiveMessage` of up to ten and `DeleteMessageBatch` of what came, of a queue that was filled
    /// with so many messages before, counted in messages.
    Drain { filled: u64 },
    /// Half of the connections send one by one, the others receive and delete, counted in messages.
    Flow,
}

/// A product at some work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) product: Product,
    pub(crate) work: Work,
    pub(crate) connections: usize,
}

impl Contestant for At {
    fn name(&self) -> String {
        self.product.name().to_owned()
    }

    fn durability(&self) -> String {
        self.product.durability()
    }

    fn missing(&self, plan: &Plan) -> Option<String> {
        self.product.missing(plan)
    }

    fn measure<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, anyhow::Result<Measure>> {
        async move {
            let running = self.product.start(plan).await?;
            match self.work {
                Work::Send | Work::Batch | Work::Tens => self.sends(&running, plan).await,
                Work::Drain { filled } => self.drain(&running, plan, filled).await,
                Work::Flow => self.flow(&running, plan).await,
            }
        }
        .boxed()
    }
}

impl At {
    async fn sends(&self, running: &Running, plan: &Plan) -> anyhow::Result<Measure> {
        let warm = load::run(&self.load(running, plan, WARM_UP)).await?;
        let before = machine::processor_seconds();
        let outcome = load::run(&self.load(running, plan, plan.lasts)).await?;
        let client = machine::processor_seconds() - before;
        let messages = if self.work == Work::Send { 1 } else { 10 };
        if self.product.keeps() {
            let sent = messages * (warm.answered + outcome.answered);
            let counted = running.count().await?;
            ensure!(counted == sent, "acknowledged {sent}, and there are {counted}");
        }
        let per_request = if self.work == Work::Tens { 10 } else { 1 };
        let mut more = latencies(&outcome);
        // What of the machine the client takes, of this side and of the other.
        more.push(("client_us", client * 1e6 / outcome.answered as f64));
        Ok(Measure { count: per_request * outcome.answered, seconds: outcome.seconds, more })
    }

    fn load(&self, running: &Running, plan: &Plan, lasts: Duration) -> Load {
        let body = "x".repeat(plan.bytes);
        let request = match self.work {
            Work::Send => single(&running.queue, &body),
            _ => ten(&running.queue, &body),
        };
        Load {
            address: running.address,
            request: request.into(),
            connections: self.connections,
            lasts,
            requests_max: u64::MAX,
            pace: Duration::ZERO,
        }
    }

    async fn drain(&self, running: &Running, plan: &Plan, fill: u64) -> anyhow::Result<Measure> {
        let numbers = Numbers::default();
        let senders = (0..16).map(|_| send_tens(running, plan.bytes, &numbers, fill));
        try_join_all(senders).await?;
        let filled = numbers.given();
        let start = Instant::now();
        let until = start + plan.lasts;
        let receivers = (0..self.connections).map(|_| {
            receive_and_delete(running, 0, move |got| got == 0 || Instant::now() >= until)
        });
        let got = try_join_all(receivers).await?.concat();
        let seconds = start.elapsed().as_secs_f64();
        let once = Once::of(got, filled)?;
        let astray = (running.count().await? + once.count).abs_diff(filled);
        self.measure_of(once, seconds, astray)
    }

    async fn flow(&self, running: &Running, plan: &Plan) -> anyhow::Result<Measure> {
        let numbers = Numbers::default();
        let (deleted, last_micros) = (AtomicU64::new(0), AtomicU64::new(0));
        let start = Instant::now();
        let until = start + plan.lasts;
        let half = self.connections / 2;
        let senders = (0..half).map(|_| send_singles(running, plan.bytes, &numbers, until));
        let is_over = |got: usize| {
            let deleted = deleted.fetch_add(got as u64, Ordering::Relaxed) + got as u64;
            let now = Instant::now();
            if got > 0 {
                let micros = u64::try_from((now - start).as_micros()).unwrap_or(u64::MAX);
                last_micros.fetch_max(micros, Ordering::Relaxed);
            }
            now >= until && deleted >= numbers.given() || now >= until + FLOW_PATIENCE
        };
        // They wait for a second, so that an empty queue is not asked again and again; what the last
        // of them wait for nothing is no part of the time.
        let receivers = (0..half).map(|_| receive_and_delete(running, 1, is_over));
        let (_, got) = tokio::try_join!(try_join_all(senders), try_join_all(receivers))?;
        let seconds = Duration::from_micros(last_micros.into_inner()).as_secs_f64();
        let once = Once::of(got.concat(), numbers.given())?;
        let astray = numbers.given().abs_diff(once.count);
        self.measure_of(once, seconds, astray)
    }

    /// Some peers lose messages, or give them out twice, under this load: that is said in their rows,
    /// and is a mistake in ours.
    fn measure_of(&self, once: Once, seconds: f64, astray: u64) -> anyhow::Result<Measure> {
        let is_ours = matches!(self.product, Product::Lineside(_));
        let Once { count, twice } = once;
        let is_right = twice == 0 && astray == 0;
        ensure!(is_right || !is_ours, "{twice} messages came twice, {astray} went astray");
        let more = [("twice", twice as f64), ("astray", astray as f64)];
        let more = more.into_iter().filter(|_| !is_ours).collect();
        Ok(Measure { count, seconds, more })
    }
}

/// The numbers that came, each counted once.
#[derive(Clone, Copy)]
struct Once {
    count: u64,
    twice: u64,
}

impl Once {
    fn of(mut got: Vec<u64>, given: u64) -> anyhow::Result<Once> {
        let received = got.len();
        got.sort_unstable();
        got.dedup();
        ensure!(got.last().is_none_or(|last| *last < given), "a message that was never sent");
        let count = got.len();
        Ok(Once { count: count as u64, twice: (received - count) as u64 })
    }
}

/// Of the closed loop: how long a client of many waits when all ask as much as they can.
fn latencies(outcome: &Outcome) -> Vec<(&'static str, f64)> {
    let quantile = |of| outcome.quantile_ms(of);
    vec![("closed_p50_ms", quantile(500)), ("closed_p99_ms", quantile(990))]
}

pub(crate) fn single(queue: &str, body: &str) -> Vec<u8> {
    request("SendMessage", &json!({ "QueueUrl": queue, "MessageBody": body }))
}

fn ten(queue: &str, body: &str) -> Vec<u8> {
    let entry = |n: usize| json!({ "Id": n.to_string(), "MessageBody": body });
    let entries: Vec<Value> = (0..10).map(entry).collect();
    request("SendMessageBatch", &json!({ "QueueUrl": queue, "Entries": entries }))
}

/// Each message has a number, in the first digits of its body.
#[derive(Default)]
struct Numbers {
    next: AtomicU64,
}

const DIGITS: usize = 16;

impl Numbers {
    fn take(&self, count: u64) -> u64 {
        self.next.fetch_add(count, Ordering::Relaxed)
    }

    fn given(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }
}

/// A request with places for numbers.
pub(crate) struct Numbered {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Numbered {
    /// Finds the places where `request` has bodies of [`Numbered::body`].
    pub(crate) fn new(bytes: Vec<u8>) -> Numbered {
        let is_place = |window: &[u8]| window == [b'#'; DIGITS];
        let places = bytes.windows(DIGITS).enumerate().filter(|(_, w)| is_place(w));
        Numbered { places: places.map(|(at, _)| at).collect(), bytes }
    }

    pub(crate) fn body(bytes: usize) -> String {
        format!("{}{}", "#".repeat(DIGITS), "x".repeat(bytes.saturating_sub(DIGITS)))
    }

    /// The request with the numbers from `first` on.
    pub(crate) fn from(&mut self, first: u64) -> &[u8] {
        for (number, place) in (first..).zip(&self.places) {
            let digits = format!("{number:0DIGITS$x}");
            if let Some(into) = self.bytes.get_mut(*place..place + DIGITS) {
                into.copy_from_slice(digits.as_bytes());
            }
        }
        &self.bytes
    }
}

async fn send_tens(running: &Running, bytes: usize, numbers: &Numbers, to: u64) -> Result {
    let mut request = Numbered::new(ten(&running.queue, &Numbered::body(bytes)));
    let mut connection = Connection::open(running.address).await?;
    while numbers.given() < to {
        connection.ask(request.from(numbers.take(10))).await?;
    }
    Ok(())
}

async fn send_singles(
    running: &Running,
    bytes: usize,
    numbers: &Numbers,
    until: Instant,
) -> Result {
    let mut request = Numbered::new(single(&running.queue, &Numbered::body(bytes)));
    let mut connection = Connection::open(running.address).await?;
    while Instant::now() < until {
        connection.ask(request.from(numbers.take(1))).await?;
    }
    Ok(())
}

type Result = anyhow::Result<()>;

/// Receives up to ten, deletes them, and again, until `is_over`, which is told how many came; the
/// numbers of what was deleted.
async fn receive_and_delete(
    running: &Running,
    wait: u64,
    is_over: impl Fn(usize) -> bool,
) -> anyhow::Result<Vec<u64>> {
    let asked = json!({
        "QueueUrl": running.queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": wait,
    });
    let receive = request("ReceiveMessage", &asked);
    let mut connection = Connection::open(running.address).await?;
    let mut numbers = Vec::new();
    loop {
        let received = Received::of(connection.ask(&receive).await?)?;
        let got = received.messages.len();
        if got > 0 {
            for message in &received.messages {
                numbers.push(message.number()?);
            }
            let delete = received.deletion(&running.queue);
            let answer: Deleted = serde_json::from_slice(connection.ask(&delete).await?)?;
            ensure!(answer.successful.len() == got, "not all were deleted");
        }
        if is_over(got) {
            return Ok(numbers);
        }
    }
}

/// What a `ReceiveMessage` answers, as far as it matters.
#[derive(Deserialize)]
pub(crate) struct Received<'a> {
    #[serde(rename = "Messages", borrow, default)]
    pub(crate) messages: Vec<Message<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(rename = "ReceiptHandle")]
    receipt: &'a str,
    #[serde(rename = "Body")]
    body: &'a str,
}

#[derive(Deserialize)]
struct Deleted {
    #[serde(rename = "Successful", default)]
    successful: Vec<Value>,
}

impl Received<'_> {
    pub(crate) fn of(answer: &[u8]) -> anyhow::Result<Received<'_>> {
        Ok(serde_json::from_slice(answer)?)
    }

    pub(crate) fn deletion(&self, queue: &str) -> Vec<u8> {
        let entry = |(n, message): (usize, &Message<'_>)| json!({ "Id": n.to_string(), "ReceiptHandle": message.receipt });
        let entries: Vec<Value> = self.messages.iter().enumerate().map(entry).collect();
        request("DeleteMessageBatch", &json!({ "QueueUrl": queue, "Entries": entries }))
    }
}

impl Message<'_> {
    pub(crate) fn number(&self) -> anyhow::Result<u64> {
        let digits = self.body.get(..DIGITS).context("a body without a number")?;
        Ok(u64::from_str_radix(digits, 16)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_of_a_request_gets_its_number() {
        let mut request = Numbered::new(ten("q", &Numbered::body(20)));
        assert_eq!(request.places.len(), 10);
        let text = String::from_utf8(request.from(0x1f).to_vec()).unwrap();
        assert!(text.contains("000000000000001fxxxx") && text.contains("0000000000000028xxxx"));
        assert_eq!(Numbered::body(1024).len(), 1024);
    }

    #[test]
    fn what_comes_twice_or_goes_astray_is_a_mistake_of_ours_and_a_figure_of_others() {
        let measured = |product, got, astray| {
            let at = At { product, work: Work::Flow, connections: 1 };
            at.measure_of(Once::of(got, 2).unwrap(), 1.0, astray)
        };
        let moto = measured(Product::Moto, vec![1, 0, 1], 0).unwrap();
        assert_eq!((moto.count, moto.more), (2, vec![("twice", 1.0), ("astray", 0.0)]));
        let ours = Product::Lineside("commit");
        assert!(measured(ours, vec![1, 0, 1], 0).is_err());
        assert!(measured(ours, vec![1, 0], 1).is_err());
        assert_eq!(measured(ours, vec![1, 0], 0).unwrap().count, 2);
        assert!(Once::of(vec![2], 2).is_err());
    }
}
