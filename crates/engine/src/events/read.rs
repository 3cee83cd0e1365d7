//! Reading: the index says which events, the log has them.

use lineside_core::events::{EventBody, Query, QueryItem};
use lineside_core::id::{EventNumber, Label, QueueId, Version};
use lineside_core::stamp::Stamp;
use lineside_index::{Ask, Entry, Order};

use super::{Events, EventsFault};
use crate::off_loop::off_loop;

/// Most bytes of bodies in a page; one event may be more.
pub const PAGE_BYTES_MAX: usize = 4 << 20;
/// How many entries of the index one page looks at: a query that matches little gives a page without
/// events, and where to go on.
const PAGE_BUDGET: u64 = 2_000_000;

/// Which events somebody wants to read.
#[derive(Clone, Debug)]
pub struct ReadAsk {
    /// What they match.
    pub query: Query,
    /// The lowest number, inclusive.
    pub from: EventNumber,
    /// The highest number, inclusive.
    pub to: EventNumber,
    /// From the newest to the oldest.
    pub backwards: bool,
    /// At most so many.
    pub limit: usize,
}

/// Events that were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// In the order that was asked for.
    pub events: Vec<EventBody>,
    /// The number to go on at, inclusive; none if all were looked at.
    pub next: Option<EventNumber>,
    /// All events up to here were there to be found.
    pub end: EventNumber,
}

impl Events {
    /// The events that match among all that are there at this moment.
    pub async fn read(&self, ask: ReadAsk) -> Result<Page, EventsFault> {
        match self.settled().await? {
            Some((store, last)) => self.page(store, ask, last).await,
            None => Ok(Page::default()),
        }
    }

    /// The events that match among those that can be found, without waiting for more.
    pub async fn read_found(&self, store: QueueId, ask: ReadAsk) -> Result<Page, EventsFault> {
        let end = *self.shared.end.borrow();
        self.page(store, ask, end).await
    }

    /// The event of this number, if there is one.
    pub async fn read_one(&self, number: EventNumber) -> Result<Option<EventBody>, EventsFault> {
        let Some((store, last)) = self.settled().await? else { return Ok(None) };
        if number == EventNumber(0) || number > last {
            return Ok(None);
        }
        let event = self.event(number).await?;
        Ok(Some(event).filter(|event| event.assigned.store == store))
    }

    /// The events of a stream between two versions, inclusive; `next` is a number, whose event's
    /// version is where to go on.
    pub async fn read_stream(
        &self,
        stream: &Label,
        (from, to): (Version, Version),
        backwards: bool,
        limit: usize,
    ) -> Result<Page, EventsFault> {
        let Some((store, last)) = self.settled().await? else { return Ok(Page::default()) };
        let (snapshot, name) = (self.shared.index.snapshot(), stream.clone());
        let looked = off_loop(move || {
            let newest = snapshot.version(store, name.as_str())?;
            let at = |version: Version| snapshot.number_of(store, name.as_str(), version);
            Ok((at(from.max(Version(1)))?, at(to.min(newest))?))
        });
        let (Some(from), Some(to)) = self.or_trouble(looked.await?)? else {
            return Ok(Page { end: last, ..Page::default() });
        };
        let query = Query::of(QueryItem { stream: Some(stream.clone()), ..QueryItem::default() });
        self.page(store, ReadAsk { query, from, to, backwards, limit }, last).await
    }

    /// The first number whose event was stored at or after a moment, and the last one whose event
    /// was stored at or before it, among those that can be found.
    pub async fn around(&self, at: Stamp) -> Result<(EventNumber, EventNumber), EventsFault> {
        self.settled().await?;
        let snapshot = self.shared.index.snapshot();
        let looked = off_loop(move || {
            let before = match at.0.checked_sub(1) {
                Some(before) => snapshot.number_at(Stamp(before))?,
                None => EventNumber(0),
            };
            Ok((before.next(), snapshot.number_at(at)?))
        });
        self.or_trouble(looked.await?)
    }

    async fn page(
        &self,
        store: QueueId,
        ask: ReadAsk,
        end: EventNumber,
    ) -> Result<Page, EventsFault> {
        let snapshot = self.shared.index.snapshot();
        let (query, to) = (ask.query.clone(), ask.to.min(end));
        let look = move || {
            let order = if ask.backwards { Order::NewestFirst } else { Order::OldestFirst };
            let ReadAsk { from, limit, .. } = ask;
            let (query, budget) = (&ask.query, PAGE_BUDGET);
            snapshot.find(&Ask { store, query, from, to, order, limit, budget })
        };
        let found = self.or_trouble(off_loop(look).await?)?;
        let mut page = Page { events: Vec::new(), next: found.next, end };
        let mut bytes = 0_usize;
        for Entry { number, row } in found.entries {
            if bytes >= PAGE_BYTES_MAX {
                page.next = Some(number);
                break;
            }
            bytes = bytes.saturating_add(row.body.len as usize);
            let event = self.body(number, row.body).await?;
            // The index goes by hashes.
            if query.matches(&event.head()) {
                page.events.push(event);
            }
        }
        Ok(page)
    }
}
