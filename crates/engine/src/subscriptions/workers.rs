//! What workers ask for: events to work on, and what becomes of them.

use bytes::Bytes;
use lineside_core::command::{Command, Delivery, NewDedup, NewMessage, Peeked, Reply};
use lineside_core::events::EventBody;
use lineside_core::id::{BodyRef, EventNumber, Label, Name, Seq, Text};
use lineside_core::receipt::Receipt;
use lineside_core::stamp::{Millis, Stamp};
use lineside_core::subscription::{Feeds, SubscriptionSettings, Workers};

use super::fault::is_lost_lease;
use super::{SubscriptionFault, Subscriptions};
use crate::events::EventsFault;

/// Most parked events that one look shows, and that one command brings back.
const PAGE_MAX: usize = 64;

/// Which events workers get one after another; others they get side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Those of a stream.
    #[default]
    Stream,
    /// Those with a correlation id; the others have no order.
    Correlation,
    /// There is no order.
    None,
}

impl Order {
    /// The word for it in a subscription's note, and on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Order::Stream => "stream",
            Order::Correlation => "correlation",
            Order::None => "none",
        }
    }

    /// What a word says.
    pub fn of_word(word: &str) -> Option<Order> {
        [Order::Stream, Order::Correlation, Order::None].into_iter().find(|o| o.word() == word)
    }

    /// What the workers of a subscription are promised.
    pub fn of(settings: &SubscriptionSettings) -> Order {
        settings.note.as_ref().and_then(|note| Order::of_word(note.as_str())).unwrap_or_default()
    }
}

/// An event in the hands of a worker.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The lease.
    pub receipt: Receipt,
    /// How often it was handed out, this time included.
    pub attempt: u32,
    /// The event.
    pub event: EventBody,
}

/// An event that was given up.
#[derive(Clone, Debug)]
pub struct Parked {
    /// Its number among the parked ones, by which it is brought back.
    pub id: Seq,
    /// How often it was handed out.
    pub attempts: u32,
    /// When it was given up.
    pub at: Stamp,
    /// Why, if a worker said so.
    pub reason: Option<Text>,
    /// The event; if it cannot be read, its number and why.
    pub event: Result<EventBody, (EventNumber, String)>,
}

/// Parked events in the order in which they were given up.
#[derive(Clone, Debug, Default)]
pub struct ParkedPage {
    /// At most 64.
    pub parked: Vec<Parked>,
    /// There may be more, from this one on.
    pub next: Option<Seq>,
}

impl Subscriptions {
    /// Hands out at most so many events (at most 10), and waits for a first one. Of one key, the
    /// next event comes when the one before is settled.
    pub async fn receive(
        &self,
        name: &Name,
        max: usize,
        wait: Millis,
        lease: Option<Millis>,
    ) -> Result<Vec<Delivered>, SubscriptionFault> {
        let queue = self.workers(name).await?.queue;
        let (wait, attempt) = (Some(wait), None);
        let receive = Command::Receive {
            queue: queue.clone(),
            max,
            visibility: lease,
            wait,
            attempt,
            alone: true,
        };
        let deliveries = match self.shared.engine.call(receive).await? {
            Reply::Received(deliveries) => deliveries,
            other => return Err(SubscriptionFault::unexpected(&other)),
        };
        let mut delivered = Vec::new();
        for delivery in deliveries {
            delivered.extend(self.delivered(&queue, delivery).await?);
        }
        Ok(delivered)
    }

    /// The event of a message; one that cannot be read is parked, with the reason.
    async fn delivered(
        &self,
        queue: &Name,
        delivery: Delivery,
    ) -> Result<Option<Delivered>, SubscriptionFault> {
        let Delivery { receipt, receives: attempt, body, .. } = delivery;
        match self.event(body).await? {
            Ok(event) => Ok(Some(Delivered { receipt, attempt, event })),
            Err((number, why)) => {
                let reason = format!("event {} cannot be read: {why}", number.0);
                let (queue, reason) = (queue.clone(), Some(Text::new(reason)));
                self.shared.engine.call(Command::Park { queue, receipt, reason }).await?;
                Ok(None)
            }
        }
    }

    /// The event that a message names, or why it cannot be read for good.
    async fn event(
        &self,
        body: BodyRef,
    ) -> Result<Result<EventBody, (EventNumber, String)>, SubscriptionFault> {
        let bytes = self.shared.engine.body(body).await?;
        let number = number_of(&bytes);
        self.shared.events.reaches(number).await?;
        match self.shared.events.read_one(number).await {
            Ok(Some(event)) => Ok(Ok(event)),
            Ok(None) => Ok(Err((number, "there is no such event in the store".to_owned()))),
            Err(EventsFault::Unreadable { why, .. }) => Ok(Err((number, why))),
            Err(fault) => Err(fault.into()),
        }
    }

    /// The work on an event is done; `false` if it is not in the caller's hands any more.
    pub async fn ack(&self, name: &Name, receipt: Receipt) -> Result<bool, SubscriptionFault> {
        let queue = self.workers(name).await?.queue;
        self.settle(Command::Delete { queue, receipt }).await
    }

    /// Gives an event back, to be handed out again after a while.
    pub async fn nack(
        &self,
        name: &Name,
        receipt: Receipt,
        after: Millis,
    ) -> Result<bool, SubscriptionFault> {
        let queue = self.workers(name).await?.queue;
        self.settle(Command::ChangeLease { queue, receipt, timeout: after }).await
    }

    /// Gives an event up.
    pub async fn park(
        &self,
        name: &Name,
        receipt: Receipt,
        reason: Option<Text>,
    ) -> Result<bool, SubscriptionFault> {
        let queue = self.workers(name).await?.queue;
        self.settle(Command::Park { queue, receipt, reason }).await
    }

    async fn settle(&self, command: Command) -> Result<bool, SubscriptionFault> {
        match self.shared.engine.call(command).await {
            Ok(_) => Ok(true),
            Err(error) if is_lost_lease(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What was given up, from a number on.
    pub async fn parked(
        &self,
        name: &Name,
        from: Seq,
        max: usize,
    ) -> Result<ParkedPage, SubscriptionFault> {
        let (messages, next) = self.peek(name, from, max.min(PAGE_MAX)).await?;
        let mut page = ParkedPage { parked: Vec::new(), next };
        for message in messages {
            let Peeked { seq: id, receives: attempts, sent_at: at, reason, body, .. } = message;
            let event = self.event(body).await?;
            page.parked.push(Parked { id, attempts, at, reason, event });
        }
        Ok(page)
    }

    async fn peek(
        &self,
        name: &Name,
        from: Seq,
        max: usize,
    ) -> Result<(Vec<Peeked>, Option<Seq>), SubscriptionFault> {
        let queue = self.workers(name).await?.parked;
        let peek = Command::Peek { queue, from, max, in_flight: false, delayed: true };
        match self.shared.engine.call(peek).await? {
            Reply::Peeked { messages, next } => Ok((messages, next)),
            other => Err(SubscriptionFault::unexpected(&other)),
        }
    }

    /// Brings these back, to be worked on again, behind what waits; says how many were there.
    pub async fn replay(&self, name: &Name, ids: &[Seq]) -> Result<u64, SubscriptionFault> {
        let queue = self.workers(name).await?.parked;
        let mut replayed = 0;
        for some in ids.chunks(PAGE_MAX) {
            let command = Command::GiveBack { queue: queue.clone(), seqs: some.to_vec() };
            match self.shared.engine.call(command).await? {
                Reply::Moved { moved } => replayed += moved,
                other => return Err(SubscriptionFault::unexpected(&other)),
            }
        }
        Ok(replayed)
    }

    /// Brings back the oldest, at most so many of those that are parked at this moment.
    pub async fn replay_oldest(&self, name: &Name, max: u64) -> Result<u64, SubscriptionFault> {
        let (mut from, mut replayed, mut left) = (Seq(1), 0, max);
        let last = self.last_parked(name).await?;
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(PAGE_MAX).min(PAGE_MAX);
            let (messages, next) = self.peek(name, from, some).await?;
            let ids = messages.iter().map(|message| message.seq).filter(|seq| *seq <= last);
            let ids: Vec<Seq> = ids.collect();
            replayed += self.replay(name, &ids).await?;
            left = left.saturating_sub(ids.len() as u64);
            match next {
                Some(next) if next <= last => from = next,
                _ => break,
            }
        }
        Ok(replayed)
    }

    /// No event is parked yet under a number after this one. What comes back and is parked again
    /// gets a later one, so that a replay of all of them ends.
    async fn last_parked(&self, name: &Name) -> Result<Seq, SubscriptionFault> {
        let (mut from, mut last) = (Seq(1), Seq(0));
        loop {
            let (messages, next) = self.peek(name, from, 1000).await?;
            last = messages.last().map_or(last, |message| message.seq);
            match next {
                Some(next) => from = next,
                None => return Ok(last),
            }
        }
    }

    async fn workers(&self, name: &Name) -> Result<Workers, SubscriptionFault> {
        let found = self.shared.describe(name).await?.ok_or(SubscriptionFault::Missing)?;
        match found.settings.feeds {
            Feeds::Workers(workers) => Ok(workers),
            Feeds::Nothing | Feeds::Queue(_) => Err(SubscriptionFault::NoWorkers),
        }
    }
}

/// The message that stands for an event in the queue of workers: its number.
pub(super) fn message_of(event: &EventBody, order: Order) -> NewMessage {
    let number = event.assigned.number;
    let alone = || Label::new(format!("#{}", number.0));
    let group = match order {
        Order::Stream => event.assigned.stream.clone(),
        Order::Correlation => event.assigned.correlation.clone().unwrap_or_else(alone),
        Order::None => alone(),
    };
    let body = Bytes::copy_from_slice(&number.0.to_be_bytes());
    NewMessage { body, size: 8, delay: None, group: Some(group), dedup: NewDedup::None }
}

fn number_of(bytes: &[u8]) -> EventNumber {
    let number = bytes.try_into().map(u64::from_be_bytes);
    EventNumber(number.unwrap_or_default())
}
