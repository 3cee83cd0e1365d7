//! What can go wrong with a call.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server says no, and what to do.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The server cannot be reached.
    #[error("{endpoint} cannot be reached: {error}; is `lineside up` running there?")]
    Unreachable {
        /// Where.
        endpoint: String,
        /// What the system said.
        error: hyper_util::client::legacy::Error,
    },
    /// The connection ended in the middle of an answer.
    #[error("the answer ended too early: {0}")]
    Cut(#[from] hyper::Error),
    /// The answer is not one of this API.
    #[error("the answer of {endpoint} is none of the native API: {why}")]
    Foreign {
        /// Where.
        endpoint: String,
        /// What it was.
        why: String,
    },
    /// This is no address of a server.
    #[error("`{0}` is no address of a server, such as http://127.0.0.1:4566")]
    Address(String),
    /// A value cannot be sent.
    #[error("this cannot be sent: {0}")]
    Unsendable(String),
}

/// What the server says when it says no (RFC 9457).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Problem {
    /// Which problem, a URI.
    #[serde(rename = "type")]
    pub kind: String,
    /// The answer's status.
    pub status: u16,
    /// What all problems of the kind have in common.
    pub title: String,
    /// What happened, and why.
    #[serde(default)]
    pub detail: String,
    /// What to do.
    #[serde(default)]
    pub next: String,
    /// What programs may want to know.
    #[serde(flatten)]
    pub more: BTreeMap<String, Value>,
}

impl Problem {
    /// Whether what an append rests on is not so any more: read anew, decide anew, append again.
    pub fn is_moved(&self) -> bool {
        self.kind == "urn:lineside:problem:moved"
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} {}", self.title, self.detail, self.next)
    }
}

impl From<Problem> for ClientError {
    fn from(problem: Problem) -> ClientError {
        ClientError::Problem(Box::new(problem))
    }
}
