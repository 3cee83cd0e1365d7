//! The state of a long stream: right after a start, with nothing kept of it, again, and behind one
//! event more.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::ensure;
use clap::Args;
use serde_json::{Value, json};

use crate::machine;
use crate::native::{call, get, last, request};
use crate::row::spread;
use crate::side::Ours;
use crate::wire::Connection;

/// Events of an append.
const BATCH: u64 = 500;
/// How often what needs no new start is asked in each round.
const AGAIN: usize = 5;

/// What counts and adds up.
const SCRIPT: &str = "export const initial = { count: 0, sum: 0 };
export function evolve(state, event) {
  return { count: state.count + 1, sum: state.sum + event.data.amount };
}";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events of the stream.
    #[arg(long, default_value_t = 10_000)]
    events: u64,
    /// How often the server is ended and started, for a state with nothing kept.
    #[arg(long, default_value_t = 14)]
    rounds: usize,
    #[command(flatten)]
    ours: Ours,
}

/// A model, and how many milliseconds its states took.
#[derive(Default)]
struct Model {
    name: &'static str,
    /// The first question after a start: no body of an event was read yet.
    after_start: Vec<f64>,
    /// The first one of this model, after another's: the bodies were read before.
    after_other: Vec<f64>,
    again: Vec<f64>,
    one_more: Vec<f64>,
}

/// Prints one JSON object.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let mut server = options.ours.fresh().await?;
    fill(server.address, options.events).await?;
    let mut models = [Model::new("script"), Model::new("merge")];
    let mut count = options.events;
    for _ in 0..options.rounds {
        server.kill().await?;
        server = options.ours.again().await?;
        // A start is not what is measured: this waits for it, and for the index.
        call(server.address, &get(&format!("/v1/events?limit=1&from={count}"))).await?;
        count = ask_all(server.address, &mut models, count).await?;
        models.reverse();
    }
    models.sort_by_key(|model| model.name);
    let [merge, script] = models;
    let row = json!({
        "machine": machine::describe(options.ours.folder()), "events": options.events,
        "durability": "commit", "rounds": options.rounds,
        "resident_mib": server.mebibytes("VmRSS")?,
        "javascript_ms": script.json(), "merge_ms": merge.json(),
    });
    println!("{row}");
    server.kill().await?;
    options.ours.clear()
}

impl Model {
    fn new(name: &'static str) -> Model {
        Model { name, ..Model::default() }
    }

    fn json(&self) -> Value {
        let of = |times: &[f64]| spread(times.iter().copied());
        json!({
            "after_start": of(&self.after_start), "after_other": of(&self.after_other),
            "again": of(&self.again), "one_more": of(&self.one_more),
        })
    }
}

/// Asks for all states, and says how many events there are then. Who is first takes turns.
async fn ask_all(address: SocketAddr, models: &mut [Model], count: u64) -> anyhow::Result<u64> {
    let mut connection = Connection::open(address).await?;
    let mut count = count;
    for (nth, model) in models.iter_mut().enumerate() {
        let ms = ask(&mut connection, model.name, count).await?;
        if nth == 0 { model.after_start.push(ms) } else { model.after_other.push(ms) }
    }
    for _ in 0..AGAIN {
        for model in &mut *models {
            model.again.push(ask(&mut connection, model.name, count).await?);
        }
        append(&mut connection, count, 1).await?;
        count += 1;
        for model in &mut *models {
            model.one_more.push(ask(&mut connection, model.name, count).await?);
        }
    }
    Ok(count)
}

/// The stream and both models.
async fn fill(address: SocketAddr, events: u64) -> anyhow::Result<()> {
    let mut connection = Connection::open(address).await?;
    for done in (0..events).step_by(usize::try_from(BATCH)?) {
        append(&mut connection, done, BATCH.min(events - done)).await?;
    }
    let script = json!({ "category": "account", "javascript": SCRIPT });
    let merge = json!({ "category": "account", "merge": true });
    for (name, model) in [("script", script), ("merge", merge)] {
        let path = format!("/v1/models/{name}");
        call(address, &request("PUT", &path, "", &model.to_string())).await?;
    }
    Ok(())
}

async fn append(connection: &mut Connection, done: u64, count: u64) -> anyhow::Result<()> {
    let event = |nth: u64| {
        let data = json!({ "count": nth, "amount": 1, "note": "x".repeat(100) });
        json!({ "type": "Posted", "data": data })
    };
    let events: Vec<Value> = (done + 1..=done + count).map(event).collect();
    let body = json!({ "events": events }).to_string();
    let expected = format!("Expected-Version: {done}\r\n");
    let asked = request("POST", "/v1/streams/account-1", &expected, &body);
    last(connection.ask(&asked).await?).map(drop)
}

/// How many milliseconds the state took; it has to be that behind all events.
async fn ask(connection: &mut Connection, model: &str, count: u64) -> anyhow::Result<f64> {
    let start = Instant::now();
    let answer = connection.ask(&get(&format!("/v1/state/{model}/1"))).await?;
    let ms = start.elapsed().as_secs_f64() * 1000.0;
    let answer: Value = serde_json::from_slice(answer)?;
    let is_right = answer.pointer("/state/count").and_then(Value::as_u64) == Some(count);
    ensure!(is_right, "the state behind {count} events is {answer}");
    Ok(ms)
}
