//! POST /v1/events and POST /v1/streams/{stream}.

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use lineside_core::events::NewEvent;
use lineside_engine::events::Wish;

use super::{Answered, Native, TOKEN, answer, reserved, token_of, with};
use crate::append::{Proposal, write_nothing, write_reply};
use crate::cloudevents::Proposed;
use crate::params::Params;
use crate::read::stream_of_path;

/// The source of events whose sender names none: whoever has access to this server.
const SOURCE: &str = "urn:lineside:local";

/// The stream of events that name none: their type's.
const STREAM_OF_TYPE: fn(&str) -> String = |kind| kind.to_owned();

impl Native {
    pub(super) async fn append_events(&self, head: &Parts, body: &Bytes) -> Answered {
        Params::read(head.uri.query(), &[])?;
        self.append(Proposal::read(&head.headers, body, None)?).await
    }

    pub(super) async fn append_to_stream(
        &self,
        stream: &str,
        head: &Parts,
        body: &Bytes,
    ) -> Answered {
        Params::read(head.uri.query(), &[])?;
        let stream = stream_of_path(stream)?;
        self.append(Proposal::read(&head.headers, body, Some(&stream))?).await
    }

    async fn append(&self, proposal: Proposal) -> Answered {
        let Proposal { events, expected, boundary, unless } = proposal;
        if events.is_empty() {
            return Ok(answer(StatusCode::OK, "application/json", write_nothing()));
        }
        let events: Vec<NewEvent> = events.into_iter().map(complete).collect();
        reserved::check(&events)?;
        let events = events.into();
        let reply = self.events.append(&Wish { events, expected, boundary, unless }).await?;
        let response = answer(StatusCode::OK, "application/json", write_reply(&reply));
        Ok(with(response, TOKEN, &token_of(reply.last)))
    }
}

/// What an event leaves open is filled in.
fn complete(event: Proposed) -> NewEvent {
    let kind = event.kind.clone();
    event.complete(|| STREAM_OF_TYPE(&kind), || SOURCE.to_owned(), fresh_id)
}

/// An id that no other event has: 128 bits of chance.
pub(super) fn fresh_id() -> String {
    let chance = || RandomState::new().hash_one(());
    format!("{:016x}{:016x}", chance(), chance())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_all_different() {
        let ids: std::collections::BTreeSet<String> = (0..10_000).map(|_| fresh_id()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 32));
    }
}
