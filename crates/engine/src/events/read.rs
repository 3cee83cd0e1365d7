//! Reading: the index says which events, the log has them.

use lineside_core::events::{EventBody, Query, QueryItem};
use lineside_core::id::{EventNumber, Label, QueueId, Version};
use lineside_core::stamp::Stamp;
use lineside_index::{Ask, Entry, Fault, Order, Snapshot};

use super::{Events, EventsFault, Settled};
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
    /// No further event once the bodies have so many bytes, so one more than that may be read.
    pub bytes: usize,
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
            Some(settled) => self.page(settled, ask).await,
            None => Ok(Page::default()),
        }
    }

    /// The events that match among those that can be found, without waiting for more.
    pub async fn read_found(&self, store: QueueId, ask: ReadAsk) -> Result<Page, EventsFault> {
        let last = *self.shared.end.borrow();
        let snapshot = self.snapshot_to(last).await?;
        if !ask.backwards && ask.from > last {
            // Whoever follows has been further on: nothing may come to him twice.
            return Ok(Page { next: Some(ask.from), end: last, ..Page::default() });
        }
        self.page(Settled { store, last, snapshot }, ask).await
    }

    /// The event of this number, if there is one.
    pub async fn read_one(&self, number: EventNumber) -> Result<Option<EventBody>, EventsFault> {
        let Some(Settled { store, last, .. }) = self.settled().await? else { return Ok(None) };
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
        let Some(settled) = self.settled().await? else { return Ok(Page::default()) };
        let (store, snapshot, name) = (settled.store, settled.snapshot.clone(), stream.clone());
        let range = (from.max(Version(1)), to);
        let looked = off_loop(move || numbers(&snapshot, store, name.as_str(), range));
        let Some((from, to)) = self.or_trouble(looked.await?)? else {
            return Ok(Page { end: settled.last, ..Page::default() });
        };
        let query = Query::of(QueryItem { stream: Some(stream.clone()), ..QueryItem::default() });
        let ask = ReadAsk { query, from, to, backwards, limit, bytes: PAGE_BYTES_MAX };
        self.page(settled, ask).await
    }

    /// The first number whose event was stored at or after a moment, and the last one whose event
    /// was stored at or before it, among those that can be found.
    pub async fn around(&self, at: Stamp) -> Result<(EventNumber, EventNumber), EventsFault> {
        let Some(Settled { snapshot, .. }) = self.settled().await? else {
            return Ok((EventNumber(1), EventNumber(0)));
        };
        let looked = off_loop(move || {
            let before = match at.0.checked_sub(1) {
                Some(before) => snapshot.number_at(Stamp(before))?,
                None => EventNumber(0),
            };
            Ok((before.next(), snapshot.number_at(at)?))
        });
        self.or_trouble(looked.await?)
    }

    pub(super) async fn page(&self, settled: Settled, ask: ReadAsk) -> Result<Page, EventsFault> {
        let Settled { store, last: end, snapshot } = settled;
        let (query, to, bytes_max) = (ask.query.clone(), ask.to.min(end), ask.bytes);
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
            if bytes >= bytes_max {
                page.next = Some(number);
                break;
            }
            bytes = bytes.saturating_add(row.body.len as usize);
            match self.body(number, row.body).await {
                // The index goes by hashes.
                Ok(event) if !query.matches(&event.head()) => {}
                Ok(event) => page.events.push(event),
                // Told by the next page, which begins with it: those before it can be read.
                Err(EventsFault::Unreadable { .. }) if !page.events.is_empty() => {
                    page.next = Some(number);
                    break;
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(page)
    }
}

/// The numbers of the first and the last event of a stream between two versions, inclusive, of those
/// that are not lost.
fn numbers(
    snapshot: &Snapshot,
    store: QueueId,
    stream: &str,
    (from, to): (Version, Version),
) -> Result<Option<(EventNumber, EventNumber)>, Fault> {
    let to = to.min(snapshot.version(store, stream)?);
    let at = |version: u64| snapshot.number_of(store, stream, Version(version)).transpose();
    let first = (from.0..=to.0).find_map(at).transpose()?;
    let last = (from.0..=to.0).rev().find_map(at).transpose()?;
    Ok(first.zip(last))
}
