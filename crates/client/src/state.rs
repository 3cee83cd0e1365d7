//! States of streams at any time, and the models that say how they come about.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::Client;
use crate::error::ClientError;

/// A point in the history of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Point {
    /// Behind the last event.
    #[default]
    Now,
    /// Behind the event of this version; 0 is before the first.
    Version(u64),
    /// Behind the last event that was stored at this moment (RFC 3339) or before it.
    At(String),
}

/// The state of an entity.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct State {
    /// The model.
    pub model: String,
    /// The entity.
    pub id: String,
    /// Its stream.
    pub stream: String,
    /// The state, and which one.
    #[serde(flatten)]
    pub moment: Moment,
}

/// The difference between two states of an entity.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Difference {
    /// The model.
    pub model: String,
    /// The entity.
    pub id: String,
    /// Its stream.
    pub stream: String,
    /// The one state.
    pub from: Moment,
    /// The other.
    pub to: Moment,
    /// What makes the other of the one: a JSON Patch (RFC 6902).
    pub diff: Vec<Value>,
}

/// A state at one point.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Moment {
    /// The version of the last event in it; 0 if there is none.
    pub version: u64,
    /// That event's number; 0 if there is none.
    pub number: u64,
    /// When that event was stored, RFC 3339.
    pub recorded: Option<String>,
    /// The state.
    pub state: Value,
}

/// How the events of the streams of a category become states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// The data of each event is a merge patch (RFC 7396).
    Merge,
    /// A module of JavaScript that exports `evolve(state, event)`.
    JavaScript(String),
}

/// A model as it is defined.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// The category of its streams.
    pub category: String,
    /// How often it was defined or deleted.
    pub version: u64,
    /// The number of the event that defines it.
    pub number: u64,
    /// Its other members.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Models {
    models: Vec<Model>,
}

impl Point {
    /// As a parameter of this name for a version, and of that one for a moment.
    fn parameter(&self, version: &str, at: &str) -> Option<String> {
        match self {
            Point::Now => None,
            Point::Version(number) => Some(format!("{version}={number}")),
            Point::At(moment) => Some(format!("{at}={}", encoded(moment))),
        }
    }
}

impl std::str::FromStr for Point {
    type Err = std::convert::Infallible;

    /// Digits are a version, `now` is behind the last event, and all else is a moment.
    fn from_str(text: &str) -> Result<Point, Self::Err> {
        Ok(match text.parse() {
            _ if text == "now" => Point::Now,
            Ok(version) => Point::Version(version),
            Err(_) => Point::At(text.to_owned()),
        })
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn path_of(model: &str, id: &str, parameters: &[Option<String>]) -> String {
    let parameters: Vec<&str> = parameters.iter().flatten().map(String::as_str).collect();
    format!("/v1/state/{}/{}?{}", encoded(model), encoded(id), parameters.join("&"))
}

impl Client {
    /// The state of an entity at a point.
    pub async fn state(&self, model: &str, id: &str, point: &Point) -> Result<State, ClientError> {
        let path = path_of(model, id, &[point.parameter("version", "at")]);
        let answer = self.ask_whole(Method::GET, &path, &[], Bytes::new()).await?;
        self.decode(&answer.body)
    }

    /// What is different in the state of an entity at `to` from what it was at `from`.
    pub async fn diff(
        &self,
        model: &str,
        id: &str,
        (from, to): (&Point, &Point),
    ) -> Result<Difference, ClientError> {
        let from = match from {
            // The point that a difference begins at has to be said.
            Point::Now => Some(format!("diff={}", self.last_version(model, id).await?)),
            from => from.parameter("diff", "diff"),
        };
        let path = path_of(model, id, &[from, to.parameter("version", "at")]);
        let answer = self.ask_whole(Method::GET, &path, &[], Bytes::new()).await?;
        self.decode(&answer.body)
    }

    async fn last_version(&self, model: &str, id: &str) -> Result<u64, ClientError> {
        Ok(self.state(model, id, &Point::Now).await?.moment.version)
    }

    /// Makes a model be this, if it is not.
    pub async fn define(
        &self,
        name: &str,
        category: &str,
        program: &Program,
    ) -> Result<Model, ClientError> {
        let body = match program {
            Program::Merge => json!({ "category": category, "merge": true }),
            Program::JavaScript(text) => json!({ "category": category, "javascript": text }),
        };
        let path = format!("/v1/models/{}", encoded(name));
        let headers = [("content-type", "application/json".to_owned())];
        let body = body.to_string().into();
        let answer = self.ask_whole(Method::PUT, &path, &headers, body).await?;
        self.decode(&answer.body)
    }

    /// All models, by their names; without their programs.
    pub async fn models(&self) -> Result<Vec<Model>, ClientError> {
        let answer = self.ask_whole(Method::GET, "/v1/models", &[], Bytes::new()).await?;
        Ok(self.decode::<Models>(&answer.body)?.models)
    }

    /// Deletes a model; its history stays.
    pub async fn delete_model(&self, name: &str) -> Result<(), ClientError> {
        let path = format!("/v1/models/{}", encoded(name));
        self.ask_whole(Method::DELETE, &path, &[], Bytes::new()).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_as_people_write_it() {
        let point = |text: &str| text.parse::<Point>().unwrap();
        assert_eq!(point("7"), Point::Version(7));
        assert_eq!(point("now"), Point::Now);
        assert_eq!(point("2026-01-01T00:00:00Z"), Point::At("2026-01-01T00:00:00Z".to_owned()));
        let path = path_of("a", "b/c", &[point("1").parameter("diff", "diff"), None]);
        assert_eq!(path, "/v1/state/a/b%2Fc?diff=1");
    }
}
