//! Durable subscriptions.

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::error::ClientError;
use crate::event::Event;

/// What a subscription is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subscribe(Map<String, Value>);

impl Subscribe {
    /// A cursor over all events, from the first one on.
    pub fn new() -> Subscribe {
        Subscribe::default()
    }

    /// Only the events that a query means, as the body of the API has it.
    #[must_use]
    pub fn query(self, query: Value) -> Subscribe {
        self.with("query", query)
    }

    /// From this number on.
    #[must_use]
    pub fn from(self, number: u64) -> Subscribe {
        self.with("from", number.into())
    }

    /// Only what is yet to come.
    #[must_use]
    pub fn from_end(self) -> Subscribe {
        self.with("from", "end".into())
    }

    /// Feeds a queue.
    #[must_use]
    pub fn queue(self, name: &str) -> Subscribe {
        self.with("queue", name.into())
    }

    /// Has workers, as the body of the API says it: `lease_seconds`, `attempts`, `order`.
    #[must_use]
    pub fn workers(self, workers: Value) -> Subscribe {
        self.with("workers", workers)
    }

    fn with(mut self, name: &str, value: Value) -> Subscribe {
        self.0.insert(name.to_owned(), value);
        self
    }
}

/// A subscription as it stands.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Subscription {
    /// Its name.
    pub name: String,
    /// Events up to this number are done with, or were fed.
    pub cursor: u64,
    /// The number of the last event.
    pub end: u64,
    /// How far the cursor is behind the end.
    pub behind: u64,
    /// All else that the server says of it.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// An event in a worker's hands.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Delivery {
    /// What it is settled by.
    pub receipt: String,
    /// How often it was handed out, this time included.
    pub attempt: u32,
    /// The event.
    pub event: Event,
}

/// An event that was given up.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Parked {
    /// What it is brought back by.
    pub id: u64,
    /// How often it was handed out.
    pub attempts: u32,
    /// When it was given up.
    pub at: Option<String>,
    /// Why, if a worker said so.
    pub reason: Option<String>,
    /// The event, if it can be read.
    pub event: Option<Event>,
}

/// What became of some receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Settled {
    /// So many were in the caller's hands.
    pub settled: usize,
    /// The receipts of those that were not any more.
    pub lost: Vec<String>,
}

#[derive(Deserialize)]
struct List {
    subscriptions: Vec<Subscription>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Deliveries {
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct ParkedPage {
    parked: Vec<Parked>,
    next: Option<u64>,
}

#[derive(Deserialize)]
struct Replayed {
    replayed: u64,
}

impl Client {
    /// All subscriptions, by name.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, ClientError> {
        let (mut all, mut path) = (Vec::new(), "/v1/subscriptions".to_owned());
        loop {
            let List { subscriptions, next } = self.get(&path).await?;
            all.extend(subscriptions);
            match next {
                Some(next) => path = format!("/v1/subscriptions?after={next}"),
                None => return Ok(all),
            }
        }
    }

    /// One of them.
    pub async fn subscription(&self, name: &str) -> Result<Subscription, ClientError> {
        self.get(&path_of(name, "")).await
    }

    /// Makes one; one that is there as it is to be stays as it is.
    pub async fn subscribe(
        &self,
        name: &str,
        subscribe: &Subscribe,
    ) -> Result<Subscription, ClientError> {
        let body = Value::Object(subscribe.0.clone()).to_string();
        let answer =
            self.ask_whole(Method::PUT, &path_of(name, ""), &json_type(), body.into()).await?;
        self.decode(&answer.body)
    }

    /// Deletes one.
    pub async fn unsubscribe(&self, name: &str) -> Result<(), ClientError> {
        let path = path_of(name, "");
        self.ask_whole(Method::DELETE, &path, &[], Vec::new().into()).await.map(drop)
    }

    /// Asks for work: at most so many events, 1 to 10, and waits for a first one, at most 20 s.
    pub async fn receive(
        &self,
        name: &str,
        max: usize,
        wait_seconds: u64,
    ) -> Result<Vec<Delivery>, ClientError> {
        let body = json!({"max": max, "wait_seconds": wait_seconds});
        let Deliveries { deliveries } = self.post(name, "/receive", &body).await?;
        Ok(deliveries)
    }

    /// Work is done.
    pub async fn ack(&self, name: &str, receipts: &[String]) -> Result<Settled, ClientError> {
        self.post(name, "/ack", &json!({"receipts": receipts})).await
    }

    /// All events up to a number are done with; the cursor goes there, if it is at `after`.
    pub async fn ack_upto(
        &self,
        name: &str,
        upto: u64,
        after: Option<u64>,
    ) -> Result<Subscription, ClientError> {
        let body = match after {
            Some(after) => json!({"upto": upto, "after": after}),
            None => json!({"upto": upto}),
        };
        self.post(name, "/ack", &body).await
    }

    /// Work is given back, to be handed out again after a while.
    pub async fn nack(
        &self,
        name: &str,
        receipts: &[String],
        delay_seconds: u64,
    ) -> Result<Settled, ClientError> {
        let body = json!({"receipts": receipts, "delay_seconds": delay_seconds});
        self.post(name, "/nack", &body).await
    }

    /// Work is given up.
    pub async fn park(
        &self,
        name: &str,
        receipts: &[String],
        reason: Option<&str>,
    ) -> Result<Settled, ClientError> {
        let body = match reason {
            Some(reason) => json!({"receipts": receipts, "reason": reason}),
            None => json!({"receipts": receipts}),
        };
        self.post(name, "/park", &body).await
    }

    /// What was given up, oldest first.
    pub async fn parked(&self, name: &str) -> Result<Vec<Parked>, ClientError> {
        let (mut all, mut from) = (Vec::new(), 1);
        loop {
            let path = path_of(name, &format!("/parked?from={from}"));
            let ParkedPage { parked, next } = self.get(&path).await?;
            all.extend(parked);
            match next {
                Some(next) => from = next,
                None => return Ok(all),
            }
        }
    }

    /// Brings back these, or all if none are named; says how many came.
    pub async fn replay(&self, name: &str, ids: &[u64]) -> Result<u64, ClientError> {
        let body = if ids.is_empty() { json!({}) } else { json!({"ids": ids}) };
        let Replayed { replayed } = self.post(name, "/replay", &body).await?;
        Ok(replayed)
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self.ask_whole(Method::GET, path, &[], Vec::new().into()).await?;
        self.decode(&answer.body)
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
        verb: &str,
        body: &Value,
    ) -> Result<T, ClientError> {
        let (path, body) = (path_of(name, verb), body.to_string());
        let answer = self.ask_whole(Method::POST, &path, &json_type(), body.into()).await?;
        self.decode(&answer.body)
    }
}

fn json_type() -> [(&'static str, String); 1] {
    [("content-type", "application/json".to_owned())]
}

fn path_of(name: &str, rest: &str) -> String {
    format!("/v1/subscriptions/{}{rest}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}
