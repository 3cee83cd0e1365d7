//! What an account comes to, as the server says it: the state of its stream by a model.

use anyhow::{Context, bail};
use jiff::Timestamp;
use lineside_client::{Client, ClientError, Moment, Point, Program};
use serde_json::{Value, json};

use super::ledger::CATEGORY;

/// The model's name.
pub(super) const MODEL: &str = "account";
/// The model: a person who reads the example reads the same file.
const ACCOUNT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/bank/account.js"));

/// An account at a version.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// In cents.
    pub(super) balance: i64,
    /// The version of its stream.
    pub(super) version: u64,
    /// The number of the last event in it.
    pub(super) number: u64,
}

/// Defines the model; the number of the event that says so.
pub(super) async fn define(client: &Client) -> Result<u64, ClientError> {
    let program = Program::JavaScript(ACCOUNT.to_owned());
    Ok(client.define(MODEL, CATEGORY, &program).await?.number)
}

/// As it is now.
pub(super) async fn latest(client: &Client, account: &str) -> anyhow::Result<Seen> {
    seen(&client.state(MODEL, account, &Point::Now).await?.moment)
}

/// As it was at a moment.
pub(super) async fn at(client: &Client, account: &str, at: Timestamp) -> anyhow::Result<Seen> {
    seen(&client.state(MODEL, account, &Point::At(at.to_string())).await?.moment)
}

/// By how many cents its balance is different at `to` from what it was at `from`; the difference
/// has to be said by the patch as it is by the states.
pub(super) async fn difference(
    client: &Client,
    account: &str,
    (from, to): (Timestamp, Timestamp),
) -> anyhow::Result<i64> {
    let points = (Point::At(from.to_string()), Point::At(to.to_string()));
    let found = client.diff(MODEL, account, (&points.0, &points.1)).await?;
    let (before, after) = (seen(&found.from)?.balance, seen(&found.to)?.balance);
    let change = json!({ "op": "replace", "path": "/balance", "value": after });
    if found.diff.contains(&change) != (before != after) {
        bail!("the patch of account {account} does not say that its balance is {after} now");
    }
    Ok(after - before)
}

fn seen(moment: &Moment) -> anyhow::Result<Seen> {
    let balance = moment.state.get("balance").and_then(Value::as_i64);
    let balance = balance.with_context(|| format!("a state has no balance: {}", moment.state))?;
    Ok(Seen { balance, version: moment.version, number: moment.number })
}
