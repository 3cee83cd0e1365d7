//! GET /v1/events?follow: what is there, and then what comes. Each piece is made when the client has
//! taken the one before, so a client that stops reading costs a piece or two at most.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use lineside_core::events::EventBody;
use lineside_core::id::{EventNumber, QueueId};
use lineside_core::stamp::Stamp;
use lineside_engine::events::{Events, ReadAsk};
use tokio::sync::watch;

use super::{Answered, Body, Native, answer};
use crate::frame::{Frames, Notice};
use crate::problem::{Kind, Problem};
use crate::read::{Form, ReadEvents};

/// Most events of a piece.
const PIECE_EVENTS: usize = 256;
/// Most bytes of the bodies of a piece, but for one event more: that many a client that stops reading
/// holds here, and there may be thousands of them.
const PIECE_BYTES: usize = 256 << 10;
/// After so long without an event something is said that means nothing, so that what is between
/// client and server keeps the connection, and a client that is gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After how many milliseconds a client that was cut off shall connect again.
const RETRY_MILLIS: u64 = 1000;

/// A read that stays open.
struct Follower {
    events: Events,
    stopping: watch::Receiver<bool>,
    end: watch::Receiver<EventNumber>,
    frames: Frames,
    ask: ReadAsk,
    /// No event that was stored before this moment, which may be yet to come.
    since: Option<Stamp>,
    /// How many events may still be told.
    left: usize,
    /// The store, once it is there.
    store: Option<QueueId>,
    /// The number up to which the client was told that it has everything.
    told: Option<EventNumber>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begins,
    Goes,
    Ended,
}

impl Native {
    pub(super) async fn follow(&self, read: ReadEvents) -> Answered {
        // Right after a start the index is behind, and nobody is told that he has everything then.
        if let Some(store) = self.events.describe().await? {
            self.events.reaches(store.last).await?;
        }
        let frames = if read.form == Form::Sse { Frames::Sse } else { Frames::Lines };
        let ask = ReadAsk { limit: PIECE_EVENTS, bytes: PIECE_BYTES, ..self.ask(&read).await? };
        let follower = Follower {
            events: self.events.clone(),
            stopping: self.stopping.clone(),
            end: self.events.end(),
            frames,
            ask,
            since: read.at.filter(|_| !read.backwards),
            left: read.limit.unwrap_or(usize::MAX),
            store: None,
            told: None,
            state: State::Begins,
        };
        let pieces = Body::Pieces(Box::pin(stream::unfold(follower, Follower::piece)));
        let mut response = answer(StatusCode::OK, frames.media_type(), Bytes::new());
        *response.body_mut() = pieces;
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

impl Follower {
    /// The next piece, and the follower after it.
    async fn piece(mut self) -> Option<(Bytes, Follower)> {
        let mut out = Vec::new();
        while out.is_empty() {
            match self.state {
                State::Ended => return None,
                State::Begins => {
                    self.state = State::Goes;
                    self.frames.retry(&mut out, RETRY_MILLIS);
                }
                State::Goes => {}
            }
            if let Err(problem) = self.go_on(&mut out).await {
                self.frames.notice(&mut out, &Notice::Ended(problem));
                self.state = State::Ended;
            }
        }
        Some((Bytes::from(out), self))
    }

    /// Writes what is there, or waits for something to write.
    async fn go_on(&mut self, out: &mut Vec<u8>) -> Result<(), Problem> {
        if *self.stopping.borrow() {
            return Err(stopped());
        }
        let end = *self.end.borrow_and_update();
        match self.store().await? {
            _ if self.left == 0 || self.ask.from > self.ask.to => self.state = State::Ended,
            Some(store) if self.ask.from <= end => self.read(out, store).await?,
            // What is older than the oldest will not come.
            _ if self.ask.backwards => self.state = State::Ended,
            _ => self.wait(out, end).await?,
        }
        Ok(())
    }

    async fn read(&mut self, out: &mut Vec<u8>, store: QueueId) -> Result<(), Problem> {
        let ask = ReadAsk { limit: self.ask.limit.min(self.left), ..self.ask.clone() };
        let page = self.events.read_found(store, ask).await?;
        page.events.iter().for_each(|event| self.write(out, event));
        match (page.next, self.ask.backwards) {
            (Some(next), false) => self.ask.from = next,
            (Some(next), true) => self.ask.to = next,
            (None, false) => self.ask.from = page.end.next(),
            (None, true) => self.state = State::Ended,
        }
        Ok(())
    }

    fn write(&mut self, out: &mut Vec<u8>, event: &EventBody) {
        if self.since.is_none_or(|since| event.assigned.recorded >= since) {
            self.left = self.left.saturating_sub(1);
            self.frames.event(out, event);
        }
    }

    async fn store(&mut self) -> Result<Option<QueueId>, Problem> {
        if self.store.is_none() {
            self.store = self.events.describe().await?.map(|description| description.store);
        }
        Ok(self.store)
    }

    /// Says once that everything was told, and then waits for more.
    async fn wait(&mut self, out: &mut Vec<u8>, end: EventNumber) -> Result<(), Problem> {
        if self.told.is_none_or(|told| told < end) {
            self.told = Some(end);
            self.frames.notice(out, &Notice::CaughtUp(end));
            return Ok(());
        }
        let stops = self.stopping.wait_for(|stopping| *stopping);
        tokio::select! {
            changed = self.end.changed() => match changed {
                Ok(()) => Ok(()),
                Err(_) => Err(stopped()),
            },
            _ = stops => Err(stopped()),
            () = tokio::time::sleep(HEARTBEAT) => {
                self.frames.heartbeat(out);
                Ok(())
            }
        }
    }
}

fn stopped() -> Problem {
    Problem::new(Kind::Unavailable, "The server stops.")
}
