//! GET /v1/events, GET /v1/streams/{stream} and GET /v1/events/{number}.

use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use lineside_core::events::EventBody;
use lineside_core::id::{EventNumber, Label, Version};
use lineside_engine::events::{PAGE_BYTES_MAX, Page, ReadAsk};

use super::{Answered, Body, Native, TOKEN, answer, token_of, with};
use crate::bounds::LIMIT_DEFAULT;
use crate::cloudevents::{
    BATCH_TYPE, STRUCTURED_TYPE, write_batch, write_binary, write_structured,
};
use crate::frame::{Frames, last_event_id, write_page};
use crate::problem::{Kind, Problem};
use crate::read::{Form, ReadEvent, ReadEvents, ReadStream};

/// The header that says where a page in a form of its own goes on.
const NEXT: &str = "next";

impl Native {
    pub(super) async fn read_events(&self, head: &Parts) -> Answered {
        let mut read = ReadEvents::parse(head.uri.query(), &head.headers)?;
        self.wait_for_token(&head.headers).await?;
        if read.follow {
            self.resume(&mut read, &head.headers)?;
            return self.follow(read).await;
        }
        let ask = self.ask(&read).await?;
        let page = self.events.read(ask).await?;
        let next = page.next.map(|next| next.0);
        Ok(answer_page(read.form, &page, next))
    }

    /// A client that connects again has what its last event says that it has. It may have heard of
    /// an event before those that it asked for, when it was told how far it is.
    fn resume(&self, read: &mut ReadEvents, headers: &HeaderMap) -> Result<(), Problem> {
        if let Some(last) = last_event_id(headers)? {
            let (past, next) = (EventNumber(last.0.saturating_sub(1)), last.next());
            read.from = Some(match (read.from, read.backwards) {
                (from, true) => from.map_or(past, |from| from.min(past)),
                (from, false) => from.map_or(next, |from| from.max(next)),
            });
        }
        Ok(())
    }

    /// The numbers between which a read looks.
    pub(super) async fn ask(&self, read: &ReadEvents) -> Result<ReadAsk, Problem> {
        let (mut low, mut high) = match read.backwards {
            false => (read.from, read.to),
            true => (read.to, read.from),
        };
        if let Some(at) = read.at {
            let (first, last) = self.events.around(at).await?;
            match read.backwards {
                false => low = Some(low.map_or(first, |low| low.max(first))),
                true => high = Some(high.map_or(last, |high| high.min(last))),
            }
        }
        Ok(ReadAsk {
            query: read.query.clone(),
            from: low.unwrap_or(EventNumber(1)),
            to: high.unwrap_or(EventNumber(u64::MAX)),
            backwards: read.backwards,
            limit: read.limit.unwrap_or(LIMIT_DEFAULT),
            bytes: PAGE_BYTES_MAX,
        })
    }

    pub(super) async fn read_stream(&self, stream: &str, head: &Parts) -> Answered {
        let read = ReadStream::parse(stream, head.uri.query(), &head.headers)?;
        self.wait_for_token(&head.headers).await?;
        let (near, far) = (read.from, read.to);
        let (low, high) = if read.backwards { (far, near) } else { (near, far) };
        let range = (low.unwrap_or(Version(1)), high.unwrap_or(Version(u64::MAX)));
        let stream = Label::new(read.stream.as_str());
        let page = self.events.read_stream(&stream, range, read.backwards, read.limit).await?;
        // Versions follow one another, so where a page goes on can be told without a look.
        let last = page.events.last().map(|event| event.assigned.version.0);
        let next = last.map(|last| if read.backwards { last - 1 } else { last + 1 });
        let next = next.filter(|_| page.next.is_some());
        Ok(answer_page(read.form, &page, next))
    }

    pub(super) async fn read_event(&self, number: &str, head: &Parts) -> Answered {
        let ReadEvent { number, is_binary } = ReadEvent::parse(number, head.uri.query())?;
        self.wait_for_token(&head.headers).await?;
        let Some(event) = self.events.read_one(number).await? else {
            let detail = format!("No event has the number {}.", number.0);
            return Err(Problem::new(Kind::NoSuchEvent, detail));
        };
        if !is_binary {
            return Ok(answer(StatusCode::OK, STRUCTURED_TYPE, write_structured(&event)));
        }
        Ok(answer_binary(&event))
    }
}

/// An event in binary mode. Data of a type that nobody named is bytes, as HTTP has it (RFC 9110,
/// section 8.3); of an event without data there is nothing to name the type of.
fn answer_binary(event: &EventBody) -> Response<Body> {
    let (headers, data) = write_binary(event);
    let is_bare = data.is_empty();
    let mut response = Response::new(Body::Whole(data));
    *response.headers_mut() = headers;
    if is_bare {
        *response.status_mut() = StatusCode::NO_CONTENT;
    } else {
        let bytes = HeaderValue::from_static("application/octet-stream");
        response.headers_mut().entry(CONTENT_TYPE).or_insert(bytes);
    }
    response
}

fn answer_page(form: Form, page: &Page, next: Option<u64>) -> Response<Body> {
    let Page { events, end, .. } = page;
    let response = match form {
        Form::Page => answer(StatusCode::OK, "application/json", write_page(events, next)),
        Form::Batch => answer(StatusCode::OK, BATCH_TYPE, write_batch(events)),
        Form::Lines | Form::Sse => {
            let mut lines = Vec::new();
            events.iter().for_each(|event| Frames::Lines.event(&mut lines, event));
            answer(StatusCode::OK, Frames::Lines.media_type(), lines.into())
        }
    };
    let response = match next {
        Some(next) => with(response, NEXT, &next.to_string()),
        None => response,
    };
    with(response, TOKEN, &token_of(*end))
}
