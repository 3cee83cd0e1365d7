//! What a service keeps beside queues and topics: small things with names, as the events of a stream
//! that is the server's own. What is there now is the fold of that stream, kept in memory as far as it
//! was read; a change is decided on it and appended under the condition that nothing came in between.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use lineside_core::events::{EventBody, EventContent, EventRefusal, Expected, NewEvent};
use lineside_core::id::{Label, Text, Version};
use lineside_core::refusal::Refusal;
use lineside_core::stamp::Stamp;
use lineside_engine::events::{Events, EventsFault, Wish};
use lineside_engine::request::CallError;
use minicbor::bytes::ByteVec;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How often a change is decided again when another one came in between.
const ATTEMPTS_MAX: u32 = 16;
/// Most events that are read at a time.
const PAGE_EVENTS: usize = 256;

/// A state, and how events become one.
pub(crate) trait Account: Clone + Default + Send + Sync + 'static {
    /// What happens to it; serde's own tag is the event's type.
    type Event: Serialize + DeserializeOwned + Send;

    /// The source of its events.
    const SOURCE: &'static str;

    /// Takes one in. Total: what was decided once is never refused.
    fn evolve(&mut self, at: Stamp, event: Self::Event);

    /// The type of an event, with its version.
    fn kind(event: &Self::Event) -> String;
}

/// Why a ledger cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LedgerFault {
    /// The store of events says no.
    #[error(transparent)]
    Events(#[from] EventsFault),
    /// An event is not what this service writes.
    #[error("event {number} of {stream} cannot be read: {why}")]
    Unreadable { stream: String, number: u64, why: String },
    /// Others were faster, again and again.
    #[error("{stream} is changed by too many at once; try again")]
    Contested { stream: String },
}

/// The streams of one kind of account, as far as they were read.
pub(crate) struct Ledger<A> {
    events: Events,
    read: Arc<Mutex<BTreeMap<Label, Read<A>>>>,
}

struct Read<A> {
    upto: Version,
    state: Arc<A>,
}

impl<A> Clone for Ledger<A> {
    fn clone(&self) -> Ledger<A> {
        Ledger { events: self.events.clone(), read: self.read.clone() }
    }
}

impl<A> Clone for Read<A> {
    fn clone(&self) -> Read<A> {
        Read { upto: self.upto, state: self.state.clone() }
    }
}

impl<A: Account> Ledger<A> {
    pub(crate) fn new(events: Events) -> Ledger<A> {
        Ledger { events, read: Arc::default() }
    }

    /// What there is now.
    pub(crate) async fn state(&self, stream: &str) -> Result<Arc<A>, LedgerFault> {
        Ok(self.newest(&Label::new(stream)).await?.state)
    }

    /// Decides on what there is now, and does what was decided; again, if something came in between.
    pub(crate) async fn change<T, E: From<LedgerFault>>(
        &self,
        stream: &str,
        decide: impl Fn(&A) -> Result<(Vec<A::Event>, T), E>,
    ) -> Result<T, E> {
        let label = Label::new(stream);
        for _ in 0..ATTEMPTS_MAX {
            let Read { upto, state } = self.newest(&label).await?;
            let (events, answer) = decide(&state)?;
            if events.is_empty() || self.append(&label, upto, &events).await? {
                return Ok(answer);
            }
        }
        Err(LedgerFault::Contested { stream: stream.to_owned() }.into())
    }

    /// Whether nothing came in between.
    async fn append(
        &self,
        stream: &Label,
        upto: Version,
        events: &[A::Event],
    ) -> Result<bool, LedgerFault> {
        let events: Vec<NewEvent> =
            events.iter().map(|event| written::<A>(stream, event)).collect();
        let expected = vec![(stream.clone(), Expected::At(upto))];
        let wish = Wish { events: events.into(), expected, boundary: None, unless: None };
        match self.events.append(&wish).await {
            Ok(_) => Ok(true),
            Err(EventsFault::Call(CallError::Refused(Refusal::Events(EventRefusal::Moved(_))))) => {
                Ok(false)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Reads on from where it was read before.
    async fn newest(&self, stream: &Label) -> Result<Read<A>, LedgerFault> {
        let mut found = self.known(stream);
        loop {
            let rest = (found.upto.next(), Version(u64::MAX));
            let page = self.events.read_stream(stream, rest, false, PAGE_EVENTS).await?;
            if page.events.is_empty() {
                break;
            }
            for event in &page.events {
                found.take(event)?;
            }
        }
        self.remember(stream, &found);
        Ok(found)
    }

    fn known(&self, stream: &Label) -> Read<A> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Read { upto: Version(0), state: Arc::default() };
        read.get(stream).cloned().unwrap_or_else(new)
    }

    /// Another may have read further meanwhile.
    fn remember(&self, stream: &Label, found: &Read<A>) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.get(stream).is_none_or(|known| known.upto < found.upto) && found.upto > Version(0) {
            read.insert(stream.clone(), found.clone());
        }
    }
}

impl<A: Account> Read<A> {
    fn take(&mut self, event: &EventBody) -> Result<(), LedgerFault> {
        let data = event.content.data.as_ref().map(|data| data.as_slice()).unwrap_or_default();
        let read = serde_json::from_slice(data).map_err(|why| LedgerFault::Unreadable {
            stream: event.assigned.stream.as_str().to_owned(),
            number: event.assigned.number.0,
            why: why.to_string(),
        })?;
        Arc::make_mut(&mut self.state).evolve(event.assigned.recorded, read);
        self.upto = event.assigned.version;
        Ok(())
    }
}

fn written<A: Account>(stream: &Label, event: &A::Event) -> NewEvent {
    let data = serde_json::to_vec(event);
    assert!(data.is_ok(), "events have string keys, so they can be written");
    let kind = Label::new(A::kind(event));
    let mut content = EventContent::new(Label::new(chance()), Text::new(A::SOURCE), kind);
    content.content_type = Some(Text::new("application/json"));
    content.is_text = true;
    content.data = Some(ByteVec::from(data.unwrap_or_default()));
    NewEvent { stream: stream.clone(), tags: Vec::new(), correlation: None, content }
}

/// 128 bits of chance, in hexadecimal digits.
pub(crate) fn chance() -> String {
    let chance = || RandomState::new().hash_one(());
    format!("{:016x}{:016x}", chance(), chance())
}
