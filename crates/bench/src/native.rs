//! Requests of the native API, and the reading of all events that a server has.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::wire::Connection;

/// A request as `curl --json` sends it; `headers` end each with a line end.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n\
         Content-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n\r\n");
    head.into_bytes()
}

/// One call outside the load, over a connection of its own.
pub(crate) async fn call(address: SocketAddr, request: &[u8]) -> anyhow::Result<Value> {
    let mut connection = Connection::open(address).await?;
    Ok(serde_json::from_slice(connection.ask(request).await?)?)
}

/// Data of an event: an object of JSON of so many bytes, at least eleven.
pub(crate) fn data(bytes: usize) -> String {
    format!("{{\"note\":\"{}\"}}", "x".repeat(bytes.saturating_sub(11)))
}

/// How many events there are. Each stream has to have its versions once each and in order, and each
/// event its number.
pub(crate) async fn count(address: SocketAddr) -> anyhow::Result<u64> {
    let mut connection = Connection::open(address).await?;
    let mut streams: HashMap<String, u64> = HashMap::new();
    let (mut all, mut from) = (0, Some(1));
    while let Some(first) = from {
        let asked = get(&format!("/v1/events?limit=1000&from={first}"));
        let page: Page = serde_json::from_slice(connection.ask(&asked).await?)?;
        for event in page.events {
            all += 1;
            let version = streams.entry(event.stream).or_default();
            *version += 1;
            let is_next = event.streamversion == version.to_string();
            ensure!(is_next, "version {version} of a stream is {}", event.streamversion);
            ensure!(event.eventnumber == all.to_string(), "event {all} is {}", event.eventnumber);
        }
        from = page.next;
    }
    Ok(all)
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Stored>,
    next: Option<u64>,
}

#[derive(Deserialize)]
struct Stored {
    stream: String,
    streamversion: String,
    eventnumber: String,
}

/// The number of the last event that an append stored.
pub(crate) fn last(answer: &[u8]) -> anyhow::Result<u64> {
    let answer: Value = serde_json::from_slice(answer)?;
    answer.pointer("/last").and_then(Value::as_u64).context("an append without a last number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_json_of_the_wanted_size() {
        let data = data(1024);
        assert_eq!(data.len(), 1024);
        assert!(serde_json::from_str::<Value>(&data).unwrap()["note"].is_string());
    }
}
