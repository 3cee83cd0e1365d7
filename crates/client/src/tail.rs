//! Reads that follow.

use bytes::{Bytes, BytesMut};
use http::Method;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::{ClientError, Problem};
use crate::event::Event;
use crate::read::Read;

/// Longest line that is believed, in bytes: an event of 1 MiB in JSON can be six times that.
const LINE_BYTES_MAX: usize = 16 << 20;

/// A read that stays open. It ends with an error when its connection does; [`Tail::last`] says
/// where another one goes on.
#[derive(Debug)]
pub struct Tail {
    client: Client,
    body: Incoming,
    buffer: BytesMut,
    /// In so many bytes of the buffer there is no end of a line.
    searched: usize,
    last: Option<u64>,
}

/// What a tail tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The next event.
    Event(Box<Event>),
    /// Everything up to this number was looked at; what comes next is new.
    CaughtUp(u64),
}

/// A line that is no event.
#[derive(Deserialize)]
struct Notice {
    notice: String,
    eventnumber: Option<u64>,
    problem: Option<Value>,
}

impl Client {
    /// Reads what is there, and then what comes.
    pub async fn tail(&self, read: &Read) -> Result<Tail, ClientError> {
        let path = read.path(&[("follow", "true".to_owned())]);
        let headers = read.headers("application/x-ndjson");
        let response = self.ask(Method::GET, &path, &headers, Bytes::new()).await?;
        let (client, body) = (self.clone(), response.into_body());
        Ok(Tail { client, body, buffer: BytesMut::new(), searched: 0, last: None })
    }
}

impl Tail {
    /// The number of the last event that was told, or up to which everything was.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// What comes next; none when the server has ended it because nothing more can come.
    pub async fn next(&mut self) -> Result<Option<Told>, ClientError> {
        loop {
            let Some(line) = self.line().await? else { return Ok(None) };
            if let Some(told) = self.told(&line)? {
                self.last = Some(match &told {
                    Told::Event(event) => event.number,
                    Told::CaughtUp(number) => *number,
                });
                return Ok(Some(told));
            }
        }
    }

    fn told(&self, line: &[u8]) -> Result<Option<Told>, ClientError> {
        let Ok(notice) = serde_json::from_slice::<Notice>(line) else {
            return Ok(Some(Told::Event(self.client.decode(line)?)));
        };
        match (notice.notice.as_str(), notice.eventnumber, notice.problem) {
            ("caught-up", Some(number), _) => Ok(Some(Told::CaughtUp(number))),
            ("ended", _, Some(problem)) => {
                let problem: Problem = serde_json::from_value(problem)
                    .map_err(|error| self.client.foreign(error.to_string()))?;
                Err(problem.into())
            }
            // Others say nothing to us: that the connection lives.
            _ => Ok(None),
        }
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            let rest = self.buffer.iter().skip(self.searched);
            if let Some(more) = rest.copied().position(|byte| byte == b'\n') {
                let end = self.searched.saturating_add(more);
                self.searched = 0;
                let line = self.buffer.split_to(end.saturating_add(1)).freeze();
                return Ok(Some(line.slice(..end)));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(self.client.foreign("a line without an end".to_owned()));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}
