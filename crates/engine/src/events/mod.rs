//! The events of an event store: appended with what the index says, found by it, read from the log.
//!
//! The store decides ([`lineside_core::events`]) and knows the newest events alone; an index beside
//! the log finds the rest. It follows by itself, a little behind: whoever reads waits until it has
//! what was there when he asked, and whoever appends brings along what it said and as of when.

mod append;
mod fault;
mod follow;
mod lookup;
mod read;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lineside_core::command::{Command, Reply};
use lineside_core::events::{EventRefusal, EventStoreDescription};
use lineside_core::id::{EventNumber, Name, QueueId};
use lineside_core::refusal::Refusal;
use lineside_index::Index;
use tokio::sync::{Notify, watch};

use crate::engine::Handle;
use crate::request::CallError;

pub use append::Wish;
pub use fault::EventsFault;
pub use read::{PAGE_BYTES_MAX, Page, ReadAsk};

/// How long a reader waits for the index to have what was there when he asked.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(10);

/// The events of one store. A clone is the same.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Handle,
    index: Index,
    name: Name,
    /// How far the index is.
    end: watch::Sender<EventNumber>,
    /// Whether somebody keeps the index in step already.
    is_followed: AtomicBool,
    /// A question found a damaged file.
    trouble: Notify,
    flushing: tokio::sync::Mutex<()>,
    merging: tokio::sync::Mutex<()>,
    /// Where a sentence goes that a person should read.
    notice: fn(&str),
}

impl Events {
    /// The events of the store with this name, found by `index`, which is of the engine's log. The
    /// store is made by the first append.
    pub fn new(engine: Handle, index: Index, name: Name, notice: fn(&str)) -> Events {
        let end = watch::Sender::new(index.end());
        let shared = Shared {
            engine,
            index,
            name,
            end,
            is_followed: AtomicBool::new(false),
            trouble: Notify::new(),
            flushing: tokio::sync::Mutex::default(),
            merging: tokio::sync::Mutex::default(),
            notice,
        };
        Events { shared: Arc::new(shared) }
    }

    /// From here on the index follows, if the store is there; if not, from the first append on. To be
    /// called once the engine is ready.
    pub async fn begin(&self) -> Result<(), EventsFault> {
        match self.describe().await? {
            Some(_) => Ok(self.follow()),
            None => Ok(()),
        }
    }

    /// How far the store has come; `None` if it has not been made yet.
    pub async fn describe(&self) -> Result<Option<EventStoreDescription>, EventsFault> {
        let command = Command::DescribeEvents { name: self.shared.name.clone() };
        match self.shared.engine.call(command).await {
            Ok(Reply::Events(description)) => Ok(Some(description)),
            Err(CallError::Refused(Refusal::Events(EventRefusal::Missing { .. }))) => Ok(None),
            Ok(other) => Err(EventsFault::unexpected(&other)),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the store, if it is not there.
    async fn create(&self) -> Result<(), EventsFault> {
        let command = Command::CreateEventStore { name: self.shared.name.clone() };
        self.shared.engine.call(command).await?;
        self.follow();
        Ok(())
    }

    /// The number up to which events are found, and when it changes.
    pub fn end(&self) -> watch::Receiver<EventNumber> {
        self.shared.end.subscribe()
    }

    /// Waits until all events up to this number can be found, with patience.
    pub async fn reaches(&self, number: EventNumber) -> Result<(), EventsFault> {
        let mut end = self.end();
        let reached = end.wait_for(|end| *end >= number);
        match tokio::time::timeout(CATCH_UP_PATIENCE, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                let end = *self.shared.end.borrow();
                Err(EventsFault::Behind { wanted: number, end })
            }
        }
    }

    /// The store's id, and the last event that it has at this moment, once that can be found.
    async fn settled(&self) -> Result<Option<(QueueId, EventNumber)>, EventsFault> {
        let Some(description) = self.describe().await? else { return Ok(None) };
        self.follow();
        self.reaches(description.last).await?;
        Ok(Some((description.store, description.last)))
    }
}
