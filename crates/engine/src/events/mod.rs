//! The events of an event store: appended with what the index says, found by it, read from the log.
//!
//! The store decides ([`lineside_core::events`]) and knows the newest events alone; an index beside
//! the log finds the rest. It follows by itself, a little behind: whoever reads waits until it has
//! what was there when he asked, and whoever appends brings along what it said and as of when.

mod append;
mod fault;
mod fold;
mod follow;
mod lookup;
mod read;
mod snapshots;
mod state;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lineside_core::command::{Command, Reply};
use lineside_core::events::{EventRefusal, EventStoreDescription};
use lineside_core::id::{EventNumber, Name, QueueId};
use lineside_core::refusal::Refusal;
use lineside_index::{Index, Snapshot};
use tokio::sync::{Notify, watch};

use crate::engine::Handle;
use crate::request::CallError;

pub use append::Wish;
pub use fault::EventsFault;
pub use fold::{Fold, FoldBlock, FoldFault, FoldFaultKind, Folded, Identity};
pub use read::{PAGE_BYTES_MAX, Page, ReadAsk};
pub use state::{BLOCK_BYTES, BLOCK_EVENTS, SNAPSHOT_BYTES, StateAt, StateFault, States, Until};

/// The store of events that cannot be read any more. Ids count from 1.
const NOBODY: QueueId = QueueId(0);

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
    /// How far the index is; 0 until it is known to be of this log.
    end: watch::Sender<EventNumber>,
    /// Whether the index is known to be of this log.
    is_checked: watch::Sender<bool>,
    /// Whether somebody keeps the index in step already.
    is_followed: AtomicBool,
    /// A question found a damaged file.
    trouble: Notify,
    flushing: tokio::sync::Mutex<()>,
    merging: tokio::sync::Mutex<()>,
    /// Whether somebody sees to it that full parts are written.
    is_flushed: AtomicBool,
    /// The last sentence that was told: what goes wrong again and again is told once.
    said: Mutex<String>,
    /// Where a sentence goes that a person should read.
    notice: fn(&str),
}

/// A store at one moment.
struct Settled {
    store: QueueId,
    /// Its last event.
    last: EventNumber,
    /// The index, with that event and all before.
    snapshot: Snapshot,
}

impl Events {
    /// The events of the store with this name, found by `index`, which is of the engine's log. The
    /// store is made by the first append.
    pub fn new(engine: Handle, index: Index, name: Name, notice: fn(&str)) -> Events {
        let shared = Shared {
            engine,
            index,
            name,
            end: watch::Sender::new(EventNumber(0)),
            is_checked: watch::Sender::new(false),
            is_followed: AtomicBool::new(false),
            trouble: Notify::new(),
            flushing: tokio::sync::Mutex::default(),
            merging: tokio::sync::Mutex::default(),
            is_flushed: AtomicBool::new(false),
            said: Mutex::default(),
            notice,
        };
        Events { shared: Arc::new(shared) }
    }

    /// From here on the index follows, if the store is there; if not, from the first append on. To be
    /// called once the engine is ready.
    pub async fn begin(&self) -> Result<(), EventsFault> {
        if self.describe().await?.is_some() {
            self.follow();
        }
        Ok(())
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

    /// The store as it is at this moment, once the index has its last event.
    async fn settled(&self) -> Result<Option<Settled>, EventsFault> {
        let Some(description) = self.describe().await? else { return Ok(None) };
        self.follow();
        let (store, last) = (description.store, description.last);
        let snapshot = self.snapshot_to(last).await?;
        Ok(Some(Settled { store, last, snapshot }))
    }

    /// The index, once it has everything up to a number.
    async fn snapshot_to(&self, number: EventNumber) -> Result<Snapshot, EventsFault> {
        loop {
            self.reaches(number).await?;
            let snapshot = self.shared.index.snapshot();
            if snapshot.end() >= number {
                return Ok(snapshot);
            }
            // It fell back since: what it has now must not pass for all that there is.
            self.shared.tell();
        }
    }

    /// Waits until the index is known to be of this log, with patience.
    async fn checked(&self) -> Result<(), EventsFault> {
        let mut is_checked = self.shared.is_checked.subscribe();
        let checked = is_checked.wait_for(|is_checked| *is_checked);
        match tokio::time::timeout(CATCH_UP_PATIENCE, checked).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                let end = EventNumber(0);
                Err(EventsFault::Behind { wanted: self.shared.index.end(), end })
            }
        }
    }
}
