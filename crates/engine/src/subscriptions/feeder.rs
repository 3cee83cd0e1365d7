//! Who makes messages of the events of one subscription: a task that waits for events, then for
//! room, and does nothing in between.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use lineside_core::command::NewMessage;
use lineside_core::events::EventBody;
use lineside_core::id::{EventNumber, Name};
use lineside_core::stamp::Millis;
use lineside_core::subscription::{Feeds, SubscriptionDescription, SubscriptionRefusal};

use super::workers::{Order, message_of};
use super::{Shared, SubscriptionFault, Trouble};
use crate::events::{EventsFault, Page, ReadAsk};
use crate::request::CallError;

/// How long one call waits for room; then it is asked again, so that it hears of the end of things.
pub(super) const ROOM_PATIENCE: Millis = Millis::seconds(60);
/// Most events that one step reads, and makes messages of.
const STEP_EVENTS: usize = 256;
/// No further event in a step whose bodies have so many bytes.
const STEP_BYTES: usize = 1 << 20;
/// Events that match nothing are passed without a word to the log, up to so many: after a crash they
/// are looked at again.
const UNTOLD_MAX: u64 = 10_000;
/// After trouble, so long until the next try; twice as long after each further one.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// The longest such pause.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(5);

pub(super) struct Feeder {
    shared: Arc<Shared>,
    name: Name,
    trouble: Trouble,
}

/// Where a feeder is: the cursor, and how far beyond it there was nothing to feed.
struct At {
    cursor: EventNumber,
    looked: EventNumber,
    /// The largest message that the queue takes.
    message_bytes_max: u32,
}

impl Feeder {
    pub(super) fn new(shared: Arc<Shared>, name: Name, trouble: Trouble) -> Feeder {
        Feeder { shared, name, trouble }
    }

    /// Until the subscription is gone.
    pub(super) async fn run(self) {
        let mut pause = RETRY_AFTER;
        loop {
            let began = tokio::time::Instant::now();
            match self.feed().await {
                Err(SubscriptionFault::Missing) => return,
                // Somebody moved the cursor: to be read again.
                Err(SubscriptionFault::Refused(refusal))
                    if matches!(*refusal, SubscriptionRefusal::Moved { .. }) => {}
                Err(fault) => self.tell(&fault),
                Ok(never) => match never {},
            }
            if began.elapsed() > RETRY_AFTER_MAX {
                pause = RETRY_AFTER;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY_AFTER_MAX);
        }
    }

    /// Feeds until something is in the way.
    async fn feed(&self) -> Result<std::convert::Infallible, SubscriptionFault> {
        let found = self.shared.describe(&self.name).await?.ok_or(SubscriptionFault::Missing)?;
        let queue = self.shared.queue(found.settings.feeds.queue()).await?;
        let message_bytes_max = queue.map_or(u32::MAX, |queue| queue.settings.message_bytes_max);
        let mut at = At { cursor: found.upto, looked: found.upto, message_bytes_max };
        loop {
            self.step(&found, &mut at).await?;
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    async fn step(
        &self,
        found: &SubscriptionDescription,
        at: &mut At,
    ) -> Result<(), SubscriptionFault> {
        let looked = at.looked;
        let mut end = self.shared.events.end();
        // The one who tells is held by this feeder too, so it cannot be gone.
        let _ = end.wait_for(|end| *end > looked).await;
        let Some(page) = self.page(found, looked).await? else { return Ok(()) };
        let upto = page.next.map_or(page.end, |next| EventNumber(next.0.saturating_sub(1)));
        let upto = upto.max(looked);
        at.looked = upto;
        if page.events.is_empty() && upto.0.saturating_sub(at.cursor.0) < UNTOLD_MAX {
            return Ok(());
        }
        let messages = self.messages(found, &page.events, at.message_bytes_max);
        while !self.shared.advance(self.name.clone(), (at.cursor, upto), messages.clone()).await? {}
        at.cursor = upto;
        Ok(())
    }

    /// The next events that match; one that cannot be read is passed, and named.
    async fn page(
        &self,
        found: &SubscriptionDescription,
        looked: EventNumber,
    ) -> Result<Option<Page>, SubscriptionFault> {
        let Some(store) = self.shared.events.describe().await? else { return Ok(None) };
        let ask = ReadAsk {
            query: found.settings.query.clone(),
            from: looked.next(),
            to: EventNumber(u64::MAX),
            backwards: false,
            limit: STEP_EVENTS,
            bytes: STEP_BYTES,
        };
        match self.shared.events.read_found(store.store, ask).await {
            Err(EventsFault::Unreadable { number, why }) => {
                let name = &self.name;
                (self.shared.notice)(&format!(
                    "event {} cannot be read, and the subscription {name} goes on without it: {why}",
                    number.0
                ));
                let (events, next) = (Vec::new(), Some(number.next()));
                Ok(Some(Page { events, next, end: number }))
            }
            page => Ok(Some(page?)),
        }
    }

    fn messages(
        &self,
        found: &SubscriptionDescription,
        events: &[EventBody],
        limit: u32,
    ) -> Arc<[NewMessage]> {
        let order = Order::of(&found.settings);
        let message = |event| match found.settings.feeds {
            Feeds::Workers(_) => message_of(event, order),
            Feeds::Nothing | Feeds::Queue(_) => (self.shared.render)(event, limit),
        };
        events.iter().map(message).collect()
    }

    /// Says what is in the way, once as long as it is the same.
    fn tell(&self, fault: &SubscriptionFault) {
        let text = fault.to_string();
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        // An engine that ends, or reads its log again, says so itself.
        let is_told = matches!(fault, SubscriptionFault::Call(CallError::Unavailable(_)));
        if trouble.as_ref() != Some(&text) && !is_told {
            (self.shared.notice)(&format!("the subscription {} waits: {text}", self.name));
        }
        *trouble = Some(text);
    }
}
