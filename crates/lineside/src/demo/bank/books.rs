//! The books: every event as a plain read gives it, and what follows from them without the server.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use jiff::Timestamp;
use lineside_client::{Client, Event, Read};
use serde_json::Value;

use super::ledger::{CATEGORY, OPENED};

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) stream: String,
    pub(super) version: u64,
    pub(super) kind: String,
    pub(super) id: String,
    /// The id of its transaction.
    pub(super) transaction: String,
    pub(super) recorded: Timestamp,
    pub(super) tags: String,
    /// What it changes its account by, in cents.
    pub(super) cents: i64,
    /// How far the account may go below zero, if it says so.
    pub(super) limit: Option<i64>,
    pub(super) text: String,
}

/// All of them, in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Books(pub(super) Vec<Entry>);

impl Books {
    /// Reads everything.
    pub(super) async fn read(client: &Client) -> anyhow::Result<Books> {
        Ok(Books(read_all(client, &Read::default()).await?))
    }

    /// The events of an account.
    pub(super) fn of(&self, account: &str) -> impl Iterator<Item = &Entry> {
        let stream = format!("{CATEGORY}-{account}");
        self.0.iter().filter(move |entry| entry.stream == stream)
    }

    /// How many transactions there were of each kind, and what they moved in cents.
    pub(super) fn totals(&self) -> BTreeMap<&str, (u64, i64)> {
        let mut totals = BTreeMap::new();
        for entry in self.0.iter().filter(|entry| entry.cents > 0) {
            let (count, cents) = totals.entry(entry.kind.as_str()).or_insert((0, 0));
            *count += 1;
            *cents += entry.cents;
        }
        totals
    }

    /// A number that is another one when anything in any event of the bank is, except for the
    /// moment: FNV-1a, which has no other version that would give another number.
    pub(super) fn digest(&self) -> u64 {
        let mut digest: u64 = 0xcbf2_9ce4_8422_2325;
        // The server gives its own events an id by chance.
        for entry in self.0.iter().filter(|entry| !is_servers_own(&entry.stream)) {
            let Entry { number, stream, version, kind, id, transaction, tags, cents, .. } = entry;
            let line = format!(
                "{number} {stream} {version} {kind} {id} {transaction} {tags} {cents} {}\n",
                entry.text
            );
            for byte in line.bytes() {
                digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        digest
    }
}

/// Whether a stream is one in which the server keeps its own affairs, such as the bank's model.
fn is_servers_own(stream: &str) -> bool {
    stream.starts_with('$')
}

/// Reads all that a query means, a page after the other.
pub(super) async fn read_all(client: &Client, read: &Read) -> anyhow::Result<Vec<Entry>> {
    let (mut entries, mut from) = (Vec::new(), Some(1));
    while let Some(next) = from {
        let page = client.read(&read.clone().from(next).limit(1000)).await?;
        for event in &page.events {
            entries.push(entry(event)?);
        }
        from = page.next;
    }
    Ok(entries)
}

fn entry(event: &Event) -> anyhow::Result<Entry> {
    let Event { number, stream, version, kind, id, .. } = event;
    let attribute = |name: &str| event.others.get(name).and_then(Value::as_str).unwrap_or_default();
    let part = |name: &str| event.data.as_ref().and_then(|data| data.get(name));
    let cents = part("cents").and_then(Value::as_i64).unwrap_or(0);
    if cents == 0 && kind != OPENED && !is_servers_own(stream) {
        bail!("event {number} moves no money");
    }
    let stored = event.stored.as_ref().and_then(|stored| stored.parse().ok());
    Ok(Entry {
        number: *number,
        stream: stream.clone(),
        version: *version,
        kind: kind.clone(),
        id: id.clone(),
        transaction: attribute("correlationid").to_owned(),
        recorded: stored.with_context(|| format!("event {number} has no moment"))?,
        tags: attribute("tags").to_owned(),
        cents,
        limit: part("limit").and_then(Value::as_i64),
        text: part("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
    })
}
