//! Reading pages.

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::ClientError;
use crate::event::Event;

/// Which events. Without anything said, the first ones of all streams.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) at_least: Option<String>,
}

/// Events, and where to go on.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Page {
    /// In the order that was asked for.
    pub events: Vec<Event>,
    /// The number to give to [`Read::from`] to go on; none if all were looked at.
    pub next: Option<u64>,
}

macro_rules! says {
    ($($(#[$doc:meta])* $name:ident: $wire:literal, $kind:ty;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(self, value: $kind) -> Read {
            self.with($wire, value.to_string())
        }
    )*};
}

impl Read {
    says! {
        /// Of this type; said more than once, of any of them.
        kind: "type", &str;
        /// With this tag; said more than once, with all of them.
        tag: "tag", &str;
        /// In this stream.
        stream: "stream", &str;
        /// In a stream whose name has this before its first hyphen.
        category: "category", &str;
        /// With this correlation id.
        correlation: "correlation", &str;
        /// From this number on, inclusive.
        from: "from", u64;
        /// Behind this number.
        after: "after", u64;
        /// Up to this number, inclusive.
        to: "to", u64;
        /// Stored at this moment (RFC 3339) or after it; backwards, or before it.
        at: "at", &str;
        /// At most so many.
        limit: "limit", usize;
    }

    /// From the newest to the oldest.
    #[must_use]
    pub fn backwards(self) -> Read {
        self.with("backwards", "true".to_owned())
    }

    /// Not before everything can be seen that an answer with this token had.
    #[must_use]
    pub fn at_least(self, token: &str) -> Read {
        Read { at_least: Some(token.to_owned()), ..self }
    }

    fn with(mut self, name: &'static str, value: String) -> Read {
        self.parameters.push((name, value));
        self
    }

    /// The path of the request, with its parameters and these.
    pub(crate) fn path(&self, more: &[(&'static str, String)]) -> String {
        let encoded = |value: &str| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
        let all = self.parameters.iter().chain(more);
        let all: Vec<String> = all.map(|(name, v)| format!("{name}={}", encoded(v))).collect();
        format!("/v1/events?{}", all.join("&"))
    }

    pub(crate) fn headers(&self, accept: &str) -> Vec<(&'static str, String)> {
        let mut headers = vec![("accept", accept.to_owned())];
        headers.extend(self.at_least.iter().map(|token| ("at-least", token.clone())));
        headers
    }
}

impl Client {
    /// Reads a page.
    pub async fn read(&self, read: &Read) -> Result<Page, ClientError> {
        let (path, headers) = (read.path(&[]), read.headers("application/json"));
        let answer = self.ask_whole(Method::GET, &path, &headers, bytes::Bytes::new()).await?;
        self.decode(&answer.body)
    }
}
