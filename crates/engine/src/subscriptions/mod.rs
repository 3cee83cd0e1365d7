//! The durable subscriptions of an event store: who feeds their queues, and what is asked of them.
//!
//! The partition keeps the cursors ([`lineside_core::subscription`]) and knows no event but by its
//! number. Here somebody reads the events that match, makes messages of them, and moves the cursor
//! together with them: once per event, whatever crashes, since the step is refused that begins
//! elsewhere than where the cursor is.

mod fault;
mod feeder;
mod workers;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use lineside_core::command::{Command, Description, NewMessage, Reply};
use lineside_core::events::EventBody;
use lineside_core::id::{EventNumber, Name};
use lineside_core::subscription::{
    Feeds, SubscriptionCommand, SubscriptionDescription, SubscriptionRefusal, SubscriptionSettings,
};
use tokio::task::AbortHandle;

use crate::engine::Handle;
use crate::events::Events;
use feeder::Feeder;

pub use fault::SubscriptionFault;
pub use workers::{Delivered, Order, Parked, ParkedPage};

/// Most subscriptions of a store: each has a task, and those of workers two queues.
pub const SUBSCRIPTIONS_MAX: usize = 1000;

/// Makes a message of an event for anybody's queue, which takes so many bytes at most.
pub type Render = fn(&EventBody, u32) -> NewMessage;

/// All subscriptions whose names begin in one way. A clone is the same.
#[derive(Clone)]
pub struct Subscriptions {
    shared: Arc<Shared>,
    feeders: Arc<Feeders>,
}

/// What feeders have too; they do not keep each other running.
struct Shared {
    engine: Handle,
    events: Events,
    prefix: Name,
    render: Render,
    notice: fn(&str),
}

/// The tasks that feed queues, each with the last trouble that it had. They end with this.
#[derive(Default)]
struct Feeders(Mutex<BTreeMap<Name, (AbortHandle, Trouble)>>);

/// What keeps a feeder from going on, while it does.
type Trouble = Arc<Mutex<Option<String>>>;

impl Drop for Feeders {
    fn drop(&mut self) {
        let feeders = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        feeders.values().for_each(|(task, _)| task.abort());
    }
}

/// A subscription as it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its name.
    pub name: Name,
    /// What it is set to, and where its cursor is.
    pub description: SubscriptionDescription,
    /// The last event of the store.
    pub end: EventNumber,
    /// The queue that it feeds; absent if there is none, or it is gone.
    pub queue: Option<Box<Description>>,
    /// The queue of what was given up.
    pub parked: Option<Box<Description>>,
    /// What keeps it from going on at the moment.
    pub trouble: Option<String>,
}

impl Subscriptions {
    /// The subscriptions to `events` whose names begin with `prefix`.
    pub fn new(
        engine: Handle,
        events: Events,
        prefix: Name,
        render: Render,
        notice: fn(&str),
    ) -> Subscriptions {
        let shared = Shared { engine, events, prefix, render, notice };
        Subscriptions { shared: Arc::new(shared), feeders: Arc::default() }
    }

    /// From here on those that are there are fed. To be called once the engine is ready.
    pub async fn begin(&self) -> Result<(), SubscriptionFault> {
        for name in self.shared.names(None, SUBSCRIPTIONS_MAX).await?.0 {
            if let Some(found) = self.shared.describe(&name).await? {
                self.feed(name, &found);
            }
        }
        Ok(())
    }

    /// Makes one, or finds it as it is to be; says whether it was made now.
    pub async fn create(
        &self,
        name: Name,
        settings: SubscriptionSettings,
    ) -> Result<bool, SubscriptionFault> {
        let before = self.shared.describe(&name).await?;
        let names = self.shared.names(None, SUBSCRIPTIONS_MAX).await?.0;
        if before.is_none() && names.len() >= SUBSCRIPTIONS_MAX {
            return Err(SubscriptionFault::TooMany(SUBSCRIPTIONS_MAX));
        }
        let create = SubscriptionCommand::Create { name: name.clone(), settings };
        self.shared.engine.call(Command::Subscription(create)).await?;
        if let Some(found) = self.shared.describe(&name).await? {
            self.feed(name, &found);
        }
        Ok(before.is_none())
    }

    /// Deletes one, with all that waits for its workers.
    pub async fn delete(&self, name: Name) -> Result<(), SubscriptionFault> {
        let delete = SubscriptionCommand::Delete { name: name.clone() };
        self.shared.engine.call(Command::Subscription(delete)).await?;
        if let Some((task, _)) = self.feeders.lock().remove(&name) {
            task.abort();
        }
        Ok(())
    }

    /// The names after one, at most so many, and whether there are more.
    pub async fn names(
        &self,
        after: Option<Name>,
        limit: usize,
    ) -> Result<(Vec<Name>, bool), SubscriptionFault> {
        self.shared.names(after, limit).await
    }

    /// One as it stands; `None` if there is none of this name.
    pub async fn standing(&self, name: &Name) -> Result<Option<Standing>, SubscriptionFault> {
        let Some(description) = self.shared.describe(name).await? else { return Ok(None) };
        let end = self.shared.events.describe().await?.map_or(EventNumber(0), |store| store.last);
        let feeds = &description.settings.feeds;
        let queue = self.shared.queue(feeds.queue()).await?;
        let parked = match feeds {
            Feeds::Workers(workers) => self.shared.queue(Some(&workers.parked)).await?,
            Feeds::Nothing | Feeds::Queue(_) => None,
        };
        let trouble = self.feeders.lock().get(name).and_then(|(_, trouble)| told(trouble));
        let name = name.clone();
        Ok(Some(Standing { name, description, end, queue, parked, trouble }))
    }

    /// Moves the cursor of one that feeds nothing, if it is where the caller believes it to be.
    pub async fn advance(
        &self,
        name: Name,
        after: EventNumber,
        upto: EventNumber,
    ) -> Result<(), SubscriptionFault> {
        match self.shared.describe(&name).await? {
            Some(found) if found.settings.feeds == Feeds::Nothing => {}
            Some(_) => {
                return Err(SubscriptionFault::Refused(Box::new(SubscriptionRefusal::NotSo)));
            }
            None => return Err(SubscriptionFault::Missing),
        }
        self.shared.advance(name, (after, upto), Arc::default()).await.map(drop)
    }

    /// Sees to it that somebody feeds it, if it has a queue.
    fn feed(&self, name: Name, found: &SubscriptionDescription) {
        if found.settings.feeds.queue().is_none() {
            return;
        }
        let mut feeders = self.feeders.lock();
        if feeders.get(&name).is_some_and(|(task, _)| !task.is_finished()) {
            return;
        }
        let trouble = Trouble::default();
        let feeder = Feeder::new(self.shared.clone(), name.clone(), trouble.clone());
        let task = tokio::spawn(feeder.run()).abort_handle();
        feeders.insert(name, (task, trouble));
    }
}

fn told(trouble: &Trouble) -> Option<String> {
    trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Feeders {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Name, (AbortHandle, Trouble)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    async fn names(
        &self,
        after: Option<Name>,
        limit: usize,
    ) -> Result<(Vec<Name>, bool), SubscriptionFault> {
        let prefix = self.prefix.clone();
        match self.engine.call(Command::ListQueues { prefix, after, limit }).await? {
            Reply::Names { names, more } => Ok((names, more)),
            other => Err(SubscriptionFault::unexpected(&other)),
        }
    }

    async fn describe(
        &self,
        name: &Name,
    ) -> Result<Option<SubscriptionDescription>, SubscriptionFault> {
        let describe = SubscriptionCommand::Describe { name: name.clone() };
        match self.engine.call(Command::Subscription(describe)).await {
            Ok(Reply::Subscription(description)) => Ok(Some(*description)),
            Ok(other) => Err(SubscriptionFault::unexpected(&other)),
            Err(error) => match SubscriptionFault::from(error) {
                SubscriptionFault::Missing => Ok(None),
                fault => Err(fault),
            },
        }
    }

    async fn queue(
        &self,
        name: Option<&Name>,
    ) -> Result<Option<Box<Description>>, SubscriptionFault> {
        let Some(name) = name.cloned() else { return Ok(None) };
        match self.engine.call(Command::DescribeQueue { name }).await {
            Ok(Reply::Description(description)) => Ok(Some(description)),
            Ok(other) => Err(SubscriptionFault::unexpected(&other)),
            Err(error) if fault::is_missing_queue(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves a cursor together with the messages on the way; `false` while there is no room.
    async fn advance(
        &self,
        name: Name,
        (after, upto): (EventNumber, EventNumber),
        messages: Arc<[NewMessage]>,
    ) -> Result<bool, SubscriptionFault> {
        let wait = feeder::ROOM_PATIENCE;
        let advance = SubscriptionCommand::Advance { name, after, upto, messages, wait };
        match self.engine.call(Command::Subscription(advance)).await? {
            Reply::Advanced { upto } => Ok(upto.is_some()),
            other => Err(SubscriptionFault::unexpected(&other)),
        }
    }
}
