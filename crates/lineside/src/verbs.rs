//! The verbs that speak to a server: append, read, tail.

use std::io::{Read as _, Write};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use lineside_client::{
    Append, Client, ClientError, Event, Expected, NewEvent, Page, Read, Tail, Told,
};
use serde_json::Value;

use crate::say;

/// After a connection was lost, so long until another one is tried.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct ServerFlags {
    /// The server's address.
    #[arg(long, default_value = "127.0.0.1:4566")]
    listen: SocketAddr,
    /// As JSON, an object a line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PubArgs {
    /// The event's type, which is its stream too.
    #[arg(value_name = "TYPE")]
    kind: String,
    #[command(flatten)]
    event: EventArgs,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct AppendArgs {
    /// The stream.
    stream: String,
    /// The event's type.
    #[arg(value_name = "TYPE")]
    kind: String,
    #[command(flatten)]
    event: EventArgs,
    /// Only if the stream has this version: a number, `empty`, `exists` or `any`.
    #[arg(long, value_parser = expected)]
    expect: Option<Expected>,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
struct EventArgs {
    /// Its data: JSON, or else a text; `-` reads it from standard input.
    data: Option<String>,
    /// A tag; may be given again.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// What it belongs to.
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// The id of the event that it came of.
    #[arg(long, value_name = "ID")]
    causation: Option<String>,
    /// What was appended under this key is not appended again.
    #[arg(long, value_name = "KEY")]
    once: Option<String>,
}

#[derive(Debug, Args)]
struct Wanted {
    /// In this stream; in all of them without it.
    stream: Option<String>,
    /// Of this type, or of any of these.
    #[arg(long = "type", value_name = "TYPE")]
    kinds: Vec<String>,
    /// With this tag, and with all of these.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// In streams whose names have this before the first hyphen.
    #[arg(long)]
    category: Option<String>,
    /// With this correlation id.
    #[arg(long, value_name = "ID")]
    correlation: Option<String>,
    /// From this number on.
    #[arg(long, value_name = "NUMBER")]
    from: Option<u64>,
    /// From this moment on, such as 2026-11-23T10:00:00Z; backwards, back from it.
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// At most so many.
    #[arg(long)]
    limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    wanted: Wanted,
    /// From the newest to the oldest.
    #[arg(long)]
    backwards: bool,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    #[command(flatten)]
    wanted: Wanted,
    /// What is there already first; without this, `--from` or `--at`, only what comes.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: ServerFlags,
}

/// Appends an event to the stream of its type.
pub(crate) fn publish(args: &PubArgs) -> anyhow::Result<()> {
    let append = Append::of([event(&args.kind, &args.event)?]);
    append_it(append, &args.event, &args.server)
}

/// Appends an event to a stream.
pub(crate) fn append(args: &AppendArgs) -> anyhow::Result<()> {
    let append = Append::to(&args.stream, [event(&args.kind, &args.event)?]);
    let append = match args.expect {
        Some(expected) => append.expect(expected),
        None => append,
    };
    append_it(append, &args.event, &args.server)
}

fn append_it(append: Append, event: &EventArgs, server: &ServerFlags) -> anyhow::Result<()> {
    let append = match &event.once {
        Some(key) => append.once(key),
        None => append,
    };
    let appended = on_a_thread(async { client(server)?.append(&append).await })?;
    let mut out = std::io::stdout().lock();
    if server.json {
        return Ok(writeln!(out, "{}", serde_json::to_string(&appended)?)?);
    }
    for (stream, version) in &appended.streams {
        let again = if appended.again { ", which was there already" } else { "" };
        writeln!(out, "event {} is version {version} of {stream}{again}", appended.last)?;
    }
    Ok(())
}

/// Prints the events that there are.
pub(crate) fn read(args: &ReadArgs) -> anyhow::Result<()> {
    on_a_thread(read_pages(args))
}

async fn read_pages(args: &ReadArgs) -> anyhow::Result<()> {
    let client = client(&args.server)?;
    let (mut from, mut left) = (args.wanted.from, args.wanted.limit.unwrap_or(usize::MAX));
    loop {
        let mut read = query(&args.wanted, from);
        if args.backwards {
            read = read.backwards();
        }
        let Page { events, next } = client.read(&read.limit(left.min(1000))).await?;
        left = left.saturating_sub(events.len());
        events.iter().try_for_each(|event| print(event, args.server.json))?;
        match next {
            Some(next) if left > 0 => from = Some(next),
            _ => return Ok(()),
        }
    }
}

/// Prints events as they come, until it is interrupted.
pub(crate) fn tail(args: &TailArgs) -> anyhow::Result<()> {
    on_a_thread(follow(args))
}

async fn follow(args: &TailArgs) -> anyhow::Result<()> {
    let client = client(&args.server)?;
    let begins = args.all || args.wanted.from.is_some() || args.wanted.at.is_some();
    let mut from = match begins {
        true => args.wanted.from,
        false => Some(newest(&client).await?.saturating_add(1)),
    };
    let mut left = args.wanted.limit.unwrap_or(usize::MAX);
    loop {
        let mut read = query(&args.wanted, from);
        if args.wanted.limit.is_some() {
            read = read.limit(left);
        }
        let mut tail = client.tail(&read).await?;
        let lost = print_all(&mut tail, args.server.json, &mut left).await;
        from = tail.last().map(|last| last.saturating_add(1)).or(from);
        match lost {
            Ok(()) if left == 0 => return Ok(()),
            Err(lost) if !lost.is::<ClientError>() => return Err(lost),
            Ok(()) => say(format_args!("the server ended it; connecting again")),
            Err(lost) => say(format_args!("{lost:#}; connecting again")),
        }
        tokio::time::sleep(RECONNECT_AFTER).await;
    }
}

async fn print_all(tail: &mut Tail, json: bool, left: &mut usize) -> anyhow::Result<()> {
    while let Some(told) = tail.next().await? {
        if let Told::Event(event) = told {
            print(&event, json)?;
            *left = left.saturating_sub(1);
        }
    }
    Ok(())
}

/// The number of the newest event.
async fn newest(client: &Client) -> anyhow::Result<u64> {
    let page = client.read(&Read::default().backwards().limit(1)).await?;
    Ok(page.events.first().map_or(0, |event| event.number))
}

fn query(wanted: &Wanted, from: Option<u64>) -> Read {
    let Wanted { stream, kinds, tags, category, correlation, at, .. } = wanted;
    let mut read = Read::default();
    read = kinds.iter().fold(read, |read, kind| read.kind(kind));
    read = tags.iter().fold(read, |read, tag| read.tag(tag));
    read = stream.iter().fold(read, |read, stream| read.stream(stream));
    read = category.iter().fold(read, |read, category| read.category(category));
    read = correlation.iter().fold(read, |read, id| read.correlation(id));
    read = at.iter().fold(read, |read, at| read.at(at));
    from.into_iter().fold(read, Read::from)
}

fn event(kind: &str, args: &EventArgs) -> anyhow::Result<NewEvent> {
    Ok(NewEvent {
        kind: kind.to_owned(),
        tags: args.tags.clone(),
        correlation: args.correlation.clone(),
        causation: args.causation.clone(),
        data: data(args.data.as_deref())?,
        ..NewEvent::default()
    })
}

/// What is JSON is sent as it is, all else as a text.
fn data(given: Option<&str>) -> anyhow::Result<Option<Value>> {
    let text = match given {
        None => return Ok(None),
        Some("-") => {
            let mut text = String::new();
            let read = std::io::stdin().lock().read_to_string(&mut text);
            read.context("standard input cannot be read")?;
            text
        }
        Some(text) => text.to_owned(),
    };
    Ok(Some(serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

fn expected(text: &str) -> Result<Expected, String> {
    match text {
        "any" => Ok(Expected::Any),
        "empty" => Ok(Expected::Empty),
        "exists" => Ok(Expected::Exists),
        number => number
            .parse()
            .map(Expected::At)
            .map_err(|_| "a version is a number, or one of `empty`, `exists` and `any`".to_owned()),
    }
}

fn print(event: &Event, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        return Ok(writeln!(out, "{}", serde_json::to_string(event)?)?);
    }
    let Event { number, stream, version, kind, stored, data, .. } = event;
    let stored = stored.as_deref().unwrap_or("-");
    let data = data.as_ref().map(|data| format!(" {data}")).unwrap_or_default();
    writeln!(out, "{number}  {stored}  {stream}@{version}  {kind}{data}")?;
    Ok(())
}

pub(crate) fn client(server: &ServerFlags) -> Result<Client, ClientError> {
    Client::new(&format!("http://{}", server.listen))
}

pub(crate) fn on_a_thread<T, E: Into<anyhow::Error>>(
    work: impl Future<Output = Result<T, E>>,
) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { bail!("cannot make what a connection needs") };
    runtime.block_on(work).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_is_a_version_or_a_word() {
        assert_eq!(expected("7"), Ok(Expected::At(7)));
        assert_eq!(expected("empty"), Ok(Expected::Empty));
        assert_eq!(expected("exists"), Ok(Expected::Exists));
        assert_eq!(expected("any"), Ok(Expected::Any));
        assert!(expected("-1").is_err() && expected("none").is_err());
    }

    #[test]
    fn data_is_json_or_a_text() {
        assert_eq!(data(None).unwrap(), None);
        assert_eq!(data(Some("{\"a\":1}")).unwrap(), Some(serde_json::json!({ "a": 1 })));
        assert_eq!(data(Some("hello")).unwrap(), Some(Value::String("hello".to_owned())));
    }
}
