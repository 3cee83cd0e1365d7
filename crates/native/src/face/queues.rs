//! GET /v1/queues/{queue}/events: the messages of a queue of any face, as events, while they live.
//! Nothing is received by it.

use http::StatusCode;
use http::request::Parts;
use lineside_core::command::{Command, Peeked, Reply};
use lineside_core::id::{Name, Seq};
use lineside_core::payload::Payload;
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_engine::log::LogFault;
use lineside_engine::request::CallError;

use super::{Answered, Native, answer, wrong_method};
use crate::params::Params;
use crate::problem::{Kind, Problem};
use crate::queue::{Shown, write_messages};
use crate::read::stream_of_path;

/// Most messages of a page.
const PAGE_MAX: u64 = 64;
/// No further message in a page whose bodies have so many bytes.
const PAGE_BYTES: usize = 4 << 20;

impl Native {
    /// Everything below /v1/queues.
    pub(super) async fn queues(&self, rest: &str, head: &Parts) -> Answered {
        let Some(queue) = rest.strip_suffix("/events") else {
            let detail = format!("There is nothing at {}.", head.uri.path());
            return Err(Problem::new(Kind::NoSuchPath, detail));
        };
        if head.method != http::Method::GET {
            return Err(wrong_method("GET"));
        }
        let params = Params::read(head.uri.query(), &["from", "limit"])?;
        let from = Seq(params.number("from")?.unwrap_or(1));
        let limit = super::subscriptions::bounded(&params, PAGE_MAX)?;
        let queue = (self.subscribing.queue_of)(&stream_of_path(queue)?);
        let (messages, mut next) = self.peek(&queue, from, limit).await?;
        let (mut all, mut bytes) = (Vec::new(), 0_usize);
        for message in messages {
            if bytes >= PAGE_BYTES {
                next = Some(message.seq);
                break;
            }
            bytes = bytes.saturating_add(message.body.len as usize);
            let payload = self.payload(&message).await?;
            all.push(Shown { message, payload });
        }
        let body = write_messages(&queue, &all, next);
        Ok(answer(StatusCode::OK, "application/json", body))
    }

    async fn peek(
        &self,
        queue: &Name,
        from: Seq,
        max: usize,
    ) -> Result<(Vec<Peeked>, Option<Seq>), Problem> {
        let (in_flight, delayed) = (true, true);
        let peek = Command::Peek { queue: queue.clone(), from, max, in_flight, delayed };
        match self.engine.call(peek).await {
            Ok(Reply::Peeked { messages, next }) => Ok((messages, next)),
            Ok(other) => Err(Problem::new(Kind::Internal, format!("{other:?}"))),
            Err(CallError::Refused(Refusal::Queue(QueueRefusal::Missing { .. }))) => {
                Err(Problem::new(Kind::NoSuchQueue, "No queue has this name.")
                    .next("Look at the names of queues with an SDK, or with `lineside export`."))
            }
            Err(error) => Err(super::fault::of_call(&error)),
        }
    }

    /// What a message carries; a damaged one is named, and keeps nobody from the others. One that was
    /// deleted since has no body any more.
    async fn payload(&self, message: &Peeked) -> Result<Result<Payload, String>, Problem> {
        match self.engine.body(message.body).await {
            Ok(bytes) => Ok(Payload::decode(&bytes).map_err(|error| error.0)),
            Err(why @ (LogFault::Damaged { .. } | LogFault::NoBody(_))) => Ok(Err(why.to_string())),
            Err(fault) => Err(Problem::new(Kind::Unavailable, super::fault::sentence(&fault))),
        }
    }
}
