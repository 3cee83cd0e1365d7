//! Appending: what the index says is looked up, and again if it has become stale meanwhile.

use std::sync::Arc;

use lineside_core::command::{Command, Reply};
use lineside_core::events::{
    Append, AppendReply, Boundary, EventRefusal, Expected, Known, NewEvent, Query,
};
use lineside_core::id::Label;
use lineside_core::refusal::Refusal;

use super::{Events, EventsFault};
use crate::request::CallError;

/// How often an append is looked up again before the caller has to try again himself.
const ATTEMPTS_MAX: u32 = 16;

/// What somebody wants appended, and when not.
#[derive(Clone, Debug)]
pub struct Wish {
    /// In order, at least one.
    pub events: Arc<[NewEvent]>,
    /// The versions that streams have to have.
    pub expected: Vec<(Label, Expected)>,
    /// What must not have come in between.
    pub boundary: Option<Boundary>,
    /// What says that this was done before.
    pub unless: Option<Query>,
}

impl Wish {
    /// The streams whose versions matter, each once.
    pub(super) fn streams(&self) -> Vec<&Label> {
        let written = self.events.iter().map(|event| &event.stream);
        let expected = self.expected.iter().map(|(stream, _)| stream);
        let mut streams: Vec<&Label> = written.chain(expected).collect();
        streams.sort_unstable();
        streams.dedup();
        streams
    }
}

/// What came of one try.
enum Tried {
    Done(AppendReply),
    NoStore,
    Stale,
}

impl Events {
    /// Appends all events, or none; when this returns they are as durable as the log promises.
    pub async fn append(&self, wish: &Wish) -> Result<AppendReply, EventsFault> {
        // Streams that were written to of late are known to the store: most appends need no look.
        let mut known = self.known_without_looking(wish);
        for _ in 0..ATTEMPTS_MAX {
            let looked = match known.take() {
                Some(known) => known,
                None => match self.describe().await? {
                    Some(store) => self.look_up(&store, wish).await?,
                    None => Known::default(),
                },
            };
            match self.try_append(wish, looked).await? {
                Tried::Done(reply) => return Ok(reply),
                Tried::NoStore => self.create().await?,
                Tried::Stale => {}
            }
        }
        Err(EventsFault::Unsettled(ATTEMPTS_MAX))
    }

    /// If only what came after the index matters, nothing of it need be asked.
    fn known_without_looking(&self, wish: &Wish) -> Option<Known> {
        let as_of = *self.shared.end.borrow();
        let is_old = |boundary: &Boundary| boundary.after < as_of;
        let asks = wish.unless.is_some() || wish.boundary.as_ref().is_some_and(is_old);
        (!asks).then(|| Known { as_of, ..Known::default() })
    }

    async fn try_append(&self, wish: &Wish, known: Known) -> Result<Tried, EventsFault> {
        let Wish { events, expected, boundary, unless } = wish.clone();
        let store = self.shared.name.clone();
        let append = Append { store, events, expected, boundary, unless, known };
        match self.shared.engine.call(Command::Append(Box::new(append))).await {
            Ok(Reply::Appended(reply)) => Ok(Tried::Done(reply)),
            Ok(other) => Err(EventsFault::unexpected(&other)),
            Err(CallError::Refused(Refusal::Events(EventRefusal::Missing { .. }))) => {
                Ok(Tried::NoStore)
            }
            Err(CallError::Refused(Refusal::Events(EventRefusal::Stale { .. }))) => {
                Ok(Tried::Stale)
            }
            Err(error) => Err(error.into()),
        }
    }
}
