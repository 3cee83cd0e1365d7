//! `lineside sub`: durable subscriptions, from the command line.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use lineside_client::{Delivery, Event, Parked, Settled, Subscribe, Subscription};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::verbs::{ServerFlags, client, on_a_thread};

#[derive(Debug, Subcommand)]
pub(crate) enum Sub {
    /// List them: how far each is behind, what waits, what was given up.
    #[command(visible_alias = "lag")]
    Ls(Bare),
    /// Print all of one.
    Show(Named),
    /// Make one: a cursor, or with `--workers` or `--queue` what its name says.
    Make(Make),
    /// Delete one, with what waits for its workers.
    Rm(Named),
    /// Ask for work, and print it with its receipts.
    Receive(Receive),
    /// Work is done; or all events up to a number are, and the cursor goes there.
    Ack(Ack),
    /// Give work back.
    Nack(Nack),
    /// Give work up.
    Park(Park),
    /// Print what was given up.
    Parked(Named),
    /// Bring back what was given up: these, or all.
    Replay(Replay),
}

#[derive(Debug, Args)]
pub(crate) struct Bare {
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The subscription.
    name: String,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Make {
    /// Its name.
    name: String,
    /// Of this type; may be given again, and any of them fits.
    #[arg(long = "type", value_name = "TYPE")]
    kinds: Vec<String>,
    /// With this tag; may be given again, and all have to fit.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// In this stream.
    #[arg(long)]
    stream: Option<String>,
    /// In streams whose names have this before the first hyphen.
    #[arg(long)]
    category: Option<String>,
    /// With this correlation id.
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// From this number on, or from `start` or `end`.
    #[arg(long, default_value = "start")]
    from: String,
    /// With workers who compete for the events.
    #[arg(long, conflicts_with = "queue")]
    workers: bool,
    /// How long a worker may take, in seconds.
    #[arg(long, default_value_t = 30, requires = "workers")]
    lease_seconds: u64,
    /// After so many attempts an event is parked.
    #[arg(long, default_value_t = 5, requires = "workers")]
    attempts: u32,
    /// What orders the events.
    #[arg(long, value_enum, default_value_t = Order::Stream, requires = "workers")]
    order: Order,
    /// Feeds this queue.
    #[arg(long)]
    queue: Option<String>,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    Stream,
    Correlation,
    None,
}

#[derive(Debug, Args)]
pub(crate) struct Receive {
    /// The subscription.
    name: String,
    /// At most so many, 1 to 10.
    #[arg(long, default_value_t = 1)]
    max: usize,
    /// Wait so long for a first one, 0 to 20.
    #[arg(long, default_value_t = 0)]
    wait_seconds: u64,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Ack {
    /// The subscription.
    name: String,
    /// The receipts.
    receipts: Vec<String>,
    /// Of a cursor: where it goes.
    #[arg(long, conflicts_with = "receipts")]
    upto: Option<u64>,
    /// Only if it is here.
    #[arg(long, requires = "upto")]
    after: Option<u64>,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Nack {
    /// The subscription.
    name: String,
    /// The receipts.
    #[arg(required = true)]
    receipts: Vec<String>,
    /// It rests so long before it is handed out again.
    #[arg(long, default_value_t = 0)]
    delay_seconds: u64,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Park {
    /// The subscription.
    name: String,
    /// The receipts.
    #[arg(required = true)]
    receipts: Vec<String>,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The subscription.
    name: String,
    /// The ids of parked events; all of them if none are named.
    ids: Vec<u64>,
    #[command(flatten)]
    server: ServerFlags,
}

/// Does what is asked for.
pub(crate) fn run(sub: &Sub) -> anyhow::Result<()> {
    match sub {
        Sub::Ls(Bare { server }) => {
            let all = on_a_thread(async { client(server)?.subscriptions().await })?;
            all.iter().try_for_each(|one| print(one, server, line))
        }
        Sub::Show(Named { name, server }) => {
            let one = on_a_thread(async { client(server)?.subscription(name).await })?;
            print(&one, server, details)
        }
        Sub::Make(make) => {
            let (server, wish) = (&make.server, make.subscribe()?);
            let one = on_a_thread(async { client(server)?.subscribe(&make.name, &wish).await })?;
            print(&one, server, details)
        }
        Sub::Rm(Named { name, server }) => {
            on_a_thread(async { client(server)?.unsubscribe(name).await })
        }
        Sub::Receive(Receive { name, max, wait_seconds, server }) => {
            let work =
                on_a_thread(async { client(server)?.receive(name, *max, *wait_seconds).await })?;
            work.iter().try_for_each(|one| print(one, server, delivery))
        }
        Sub::Ack(ack) => run_ack(ack),
        Sub::Nack(Nack { name, receipts, delay_seconds, server }) => {
            let settled =
                on_a_thread(async { client(server)?.nack(name, receipts, *delay_seconds).await })?;
            settle(&settled, server)
        }
        Sub::Park(Park { name, receipts, reason, server }) => {
            let reason = reason.as_deref();
            let settled =
                on_a_thread(async { client(server)?.park(name, receipts, reason).await })?;
            settle(&settled, server)
        }
        Sub::Parked(Named { name, server }) => {
            let all = on_a_thread(async { client(server)?.parked(name).await })?;
            all.iter().try_for_each(|one| print(one, server, parked))
        }
        Sub::Replay(Replay { name, ids, server }) => {
            let replayed = on_a_thread(async { client(server)?.replay(name, ids).await })?;
            let told = json!({"replayed": replayed});
            print(&told, server, |_| format!("{replayed} brought back"))
        }
    }
}

fn run_ack(ack: &Ack) -> anyhow::Result<()> {
    let Ack { name, receipts, upto, after, server } = ack;
    match upto {
        Some(upto) => {
            let one = on_a_thread(async { client(server)?.ack_upto(name, *upto, *after).await })?;
            print(&one, server, line)
        }
        None => {
            let settled = on_a_thread(async { client(server)?.ack(name, receipts).await })?;
            settle(&settled, server)
        }
    }
}

impl Make {
    fn subscribe(&self) -> anyhow::Result<Subscribe> {
        let mut wish = Subscribe::new().query(self.query());
        wish = match self.from.as_str() {
            "start" => wish,
            "end" => wish.from_end(),
            number => match number.parse() {
                Ok(number) => wish.from(number),
                Err(_) => anyhow::bail!("--from is a number, `start` or `end`, not {number:?}"),
            },
        };
        if self.workers {
            let order = match self.order {
                Order::Stream => "stream",
                Order::Correlation => "correlation",
                Order::None => "none",
            };
            let (lease, attempts) = (self.lease_seconds, self.attempts);
            let workers = json!({"lease_seconds": lease, "attempts": attempts, "order": order});
            wish = wish.workers(workers);
        }
        Ok(match &self.queue {
            Some(queue) => wish.queue(queue),
            None => wish,
        })
    }

    fn query(&self) -> Value {
        let mut item = Map::new();
        for (name, all) in [("types", &self.kinds), ("tags", &self.tags)] {
            if !all.is_empty() {
                item.insert(name.to_owned(), all.clone().into());
            }
        }
        let single = [
            ("stream", &self.stream),
            ("category", &self.category),
            ("correlation", &self.correlation),
        ];
        for (name, value) in single {
            if let Some(value) = value {
                item.insert(name.to_owned(), value.clone().into());
            }
        }
        // No condition at all is every event.
        if item.is_empty() { json!([]) } else { Value::Object(item) }
    }
}

/// What was not in the caller's hands any more is worth an exit status.
fn settle(settled: &Settled, server: &ServerFlags) -> anyhow::Result<()> {
    print(settled, server, |settled| {
        let lost = settled.lost.iter().map(|receipt| format!("\nlost {receipt}"));
        format!("{} settled{}", settled.settled, lost.collect::<String>())
    })?;
    match settled.lost.len() {
        0 => Ok(()),
        lost => anyhow::bail!(
            "{lost} were not in your hands any more: the lease ended, or it was settled"
        ),
    }
}

fn print<T: Serialize>(
    value: &T,
    server: &ServerFlags,
    text: impl Fn(&T) -> String,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match server.json {
        true => writeln!(out, "{}", serde_json::to_string(value)?)?,
        false => writeln!(out, "{}", text(value))?,
    }
    Ok(())
}

fn line(one: &Subscription) -> String {
    let count = |name: &str| one.more.get(name).and_then(Value::as_u64);
    let mut text = format!("{}  at {} of {}, {} behind", one.name, one.cursor, one.end, one.behind);
    for (name, word) in [("waiting", "waiting"), ("in_flight", "in flight"), ("parked", "parked")] {
        if let Some(count) = count(name) {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    if let Some(trouble) = one.more.get("trouble").and_then(Value::as_str) {
        text.push_str(&format!("\n    waits: {trouble}"));
    }
    text
}

fn details(one: &Subscription) -> String {
    let more = one.more.iter().filter(|(_, value)| !value.is_null());
    let more = more.map(|(name, value)| format!("\n    {name}: {value}"));
    format!("{}{}", line(one), more.collect::<String>())
}

fn delivery(one: &Delivery) -> String {
    format!("{}\n    attempt {}, receipt {}", event(&one.event), one.attempt, one.receipt)
}

fn parked(one: &Parked) -> String {
    let what = one.event.as_ref().map_or("an event that cannot be read".to_owned(), event);
    let reason = one.reason.as_deref().unwrap_or("its attempts were used up, or nobody said why");
    let at = one.at.as_deref().unwrap_or("-");
    format!("{}  {at}  {} attempts: {reason}\n    {what}", one.id, one.attempts)
}

fn event(event: &Event) -> String {
    let Event { number, stream, version, kind, data, .. } = event;
    let data = data.as_ref().map(|data| format!(" {data}")).unwrap_or_default();
    format!("{number}  {stream}@{version}  {kind}{data}")
}
