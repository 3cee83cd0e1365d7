//! All rows, by name.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};
use clap::Args;
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::append::{Appends, Store};
use crate::engines::{Form, Other, OtherLog, OurLog};
use crate::products::Product;
use crate::publish::{Broker, Publish};
use crate::queue::{At, Work};
use crate::row::{self, Contestant, Plan, Row};
use crate::wait::Waiting;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rows by name, or by how their names begin; all when absent.
    rows: Vec<String>,
    /// Pairs.
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// Seconds that each side of a pair runs.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Bytes of a message's body.
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// Where data directories are made and removed, and where the figures of each row are kept.
    #[arg(long, default_value = "target/bench")]
    data: PathBuf,
    /// The folder of the virtual environments that peers are installed in.
    #[arg(long, default_value = "target")]
    tools: PathBuf,
    /// The server; the release build beside this program when absent.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// One JSON object for each row instead of a line.
    #[arg(long)]
    json: bool,
    /// Only the names.
    #[arg(long)]
    list: bool,
}

pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let rows = chosen(&options.rows)?;
    if options.list {
        rows.iter().for_each(|row| println!("{}: {}", row.name, row.about));
        return Ok(());
    }
    let plan = Plan {
        bytes: options.bytes,
        lasts: Duration::from_secs_f64(options.seconds),
        data: options.data.clone(),
        binary: options.binary.clone(),
        tools: options.tools.clone(),
    };
    let mut ends = ends()?;
    tokio::select! {
        measured = measure(options, &plan, rows) => measured,
        // Dropped, what is measured ends the processes that it has started.
        () = ends.recv() => bail!("interrupted"),
    }
}

/// SIGINT and SIGTERM.
struct Ends {
    interrupt: Signal,
    terminate: Signal,
}

fn ends() -> anyhow::Result<Ends> {
    let (interrupt, terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(Ends { interrupt, terminate })
}

impl Ends {
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn measure(options: &Options, plan: &Plan, rows: Vec<Row>) -> anyhow::Result<()> {
    let mut failed = Vec::new();
    for row in rows {
        match row.run(plan, options.pairs).await {
            Ok(figures) => show(options, &row.name, &figures)?,
            // The other rows are not its fault.
            Err(error) => {
                eprintln!("{}: {error:#}", row.name);
                failed.push(row.name);
            }
        }
    }
    ensure!(failed.is_empty(), "rows that failed: {}", failed.join(", "));
    Ok(())
}

fn show(options: &Options, name: &str, figures: &Value) -> anyhow::Result<()> {
    let path = row::path(&options.data, name);
    std::fs::create_dir_all(path.parent().unwrap_or(&options.data))?;
    std::fs::write(path, format!("{figures}\n"))?;
    if options.json {
        println!("{figures}");
    } else {
        println!("{}", row::text(figures));
    }
    Ok(())
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Row>> {
    let mut rows = all();
    if names.is_empty() {
        return Ok(rows);
    }
    for name in names {
        let is_one = rows.iter().any(|row| is_of(&row.name, name));
        ensure!(is_one, "there is no row {name}; --list says which there are");
    }
    rows.retain(|row| names.iter().any(|name| is_of(&row.name, name)));
    Ok(rows)
}

/// Whether `prefix` is the row's name, or some of its words from the first on.
fn is_of(row: &str, prefix: &str) -> bool {
    row.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// In the order in which they stand in `docs/bench.md`.
fn all() -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(face("send", "SendMessage, 64 connections", Work::Send, true));
    rows.extend(face("batch", "SendMessageBatch of 10, 64 connections", Work::Batch, true));
    let about = "ReceiveMessage of up to 10 and DeleteMessageBatch, 64 connections";
    rows.extend(face("receive", about, Work::Drain { filled: 0 }, false));
    let about = "32 connections send, 32 receive up to 10 and delete them";
    rows.extend(face("flow", about, Work::Flow, false));
    rows.push(send_beside_log());
    rows.extend([1, 64, 512].into_iter().flat_map(|depth| logs(depth, Form::Apart)));
    rows.extend([64, 512].into_iter().flat_map(|depth| logs(depth, Form::Group)));
    let shapes = [(1, false), (64, false), (64, true)];
    rows.extend(shapes.into_iter().flat_map(|(depth, pipelined)| brokers(depth, pipelined)));
    rows.push(tens_beside_nats());
    let shapes = [("postgres", Store::Postgres, 1, 1), ("postgres", Store::Postgres, 64, 1)];
    rows.extend(shapes.map(appends));
    rows.push(appends(("postgres-batch", Store::Postgres, 64, 100)));
    let shapes = [("umadb", Store::UmaDb, 1, 1), ("umadb", Store::UmaDb, 64, 1)];
    rows.extend(shapes.map(appends));
    rows.extend([client(), waiting()]);
    rows
}

/// Our `SendMessage` beside brokers that sync before they confirm, so many messages under way, each on
/// a connection of its own; or, where a broker's protocol lets one connection have many under way, all
/// of them on one.
fn brokers(depth: usize, pipelined: bool) -> impl Iterator<Item = Row> {
    let brokers = [
        ("nats", Broker::NatsAlways),
        ("redis", Broker::RedisAlways),
        ("rabbitmq", Broker::RabbitQuorum),
    ];
    let (end, connections, window) =
        if pipelined { ("-pipelined", 1, depth) } else { ("", depth, 1) };
    brokers.into_iter().map(move |(name, broker)| Row {
        name: format!("publish-{name}-{depth}{end}"),
        about: format!("durable publish, {depth} under way, ours on {depth} connections"),
        unit: "messages",
        ours: at(Product::Lineside("commit"), Work::Send, depth),
        peer: Some(Box::new(Publish { broker, connections, window })),
    })
}

/// Tens, synced now and then, beside NATS as it comes; as many messages under way on both sides.
fn tens_beside_nats() -> Row {
    let (connections, window) = (64, 10);
    Row {
        name: "publish-nats-tens".to_owned(),
        about: "publish, synced now and then; SendMessageBatch of 10 on 64 connections".to_owned(),
        unit: "messages",
        ours: at(Product::Lineside("interval=100"), Work::Tens, connections),
        peer: Some(Box::new(Publish { broker: Broker::NatsDefault, connections, window })),
    }
}

/// Appends to a stream that has to have the version which its writer knows.
fn appends((name, store, writers, batch): (&str, Store, usize, usize)) -> Row {
    let (many, events) =
        (if writers == 1 { "" } else { "s" }, if batch == 1 { "an event" } else { "100 events" });
    Row {
        name: format!("append-{name}-{writers}"),
        about: format!(
            "conditional appends of {events}, {writers} writer{many}, each to streams of its own"
        ),
        unit: "events",
        ours: Box::new(Appends { store: Store::Lineside, writers, batch }),
        peer: Some(Box::new(Appends { store, writers, batch })),
    }
}

/// What is left of the log's speed when a message comes over HTTP.
fn send_beside_log() -> Row {
    Row {
        name: "sqs-send-log".to_owned(),
        about: "SendMessage, 64 connections, beside our log alone, 64 records under way".to_owned(),
        unit: "messages",
        ours: at(Product::Lineside("commit"), Work::Send, 64),
        peer: Some(Box::new(OurLog { depth: 64, form: Form::Apart })),
    }
}

/// Our log beside those of others.
fn logs(depth: usize, form: Form) -> impl Iterator<Item = Row> {
    [Other::Fjall, Other::OkayWal].into_iter().map(move |other| {
        let peer = OtherLog { other, depth, form };
        let (end, how) = match form {
            Form::Apart => ("", "each by itself"),
            Form::Group => ("-group", "all in one commit"),
        };
        Row {
            name: format!("log-{}-{depth}{end}", peer.name()),
            about: format!("records appended, {depth} under way, {how}"),
            unit: "records",
            ours: Box::new(OurLog { depth, form }),
            peer: Some(Box::new(peer)),
        }
    })
}

/// What the client can do where the server does nothing: no other row is near it.
fn client() -> Row {
    Row {
        name: "client".to_owned(),
        about: "the client of all rows of SQS against the echo alone, 64 connections".to_owned(),
        unit: "requests",
        ours: at(Product::Echo, Work::Send, 64),
        peer: None,
    }
}

fn waiting() -> Row {
    let product = Product::Lineside("commit");
    Row {
        name: "waiting-receiver".to_owned(),
        about: "1,000 messages a second, open loop, from when one is due until it is received"
            .to_owned(),
        unit: "messages",
        ours: Box::new(Waiting { product }),
        peer: None,
    }
}

/// Our face beside all that speak SQS.
fn face(name: &str, about: &str, work: Work, echo: bool) -> Vec<Row> {
    let unit = if work == Work::Batch { "requests" } else { "messages" };
    let products = [Product::Echo, Product::Moto, Product::MiniStack, Product::LocalStack];
    let products = products.into_iter().filter(|product| echo || product.keeps());
    let row = |product: Product| Row {
        name: format!("sqs-{name}-{}", product.name().trim_start_matches("the ").to_lowercase()),
        about: about.to_owned(),
        unit,
        ours: filled(Product::Lineside("commit"), work),
        peer: Some(filled(product, work)),
    };
    products.map(row).collect()
}

fn at(product: Product, work: Work, connections: usize) -> Box<dyn Contestant> {
    Box::new(At { product, work, connections })
}

/// With a queue as deep as the product can empty in a run of a few seconds: depth would not be to
/// the advantage of peers, and some take a minute to be filled.
fn filled(product: Product, work: Work) -> Box<dyn Contestant> {
    let filled = match product {
        Product::Lineside(_) | Product::Echo => 300_000,
        Product::MiniStack => 15_000,
        Product::LocalStack => 3_000,
        Product::Moto => 600,
    };
    let work = if matches!(work, Work::Drain { .. }) { Work::Drain { filled } } else { work };
    at(product, work, 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_their_first_words() {
        let names = |chosen: &str| {
            let rows = super::chosen(&[chosen.to_owned()]).unwrap();
            rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
        };
        assert_eq!(names("sqs-send-moto"), ["sqs-send-moto"]);
        assert_eq!(names("sqs-send").len(), 5);
        assert_eq!(names("log-okaywal-64"), ["log-okaywal-64", "log-okaywal-64-group"]);
        assert!(super::chosen(&["sqs-se".to_owned()]).is_err());
    }

    #[test]
    fn no_two_rows_have_one_name() {
        let mut names: Vec<String> = all().into_iter().map(|row| row.name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
