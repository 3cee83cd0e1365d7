//! What the index says about an append.

use lineside_core::events::{
    Boundary, EventBody, EventStoreDescription, FirstAppend, Known, Query,
};
use lineside_core::id::{BodyRef, EventNumber, Label, QueueId, Version};
use lineside_index::{Entry, Fault, Snapshot, Sought};

use super::append::Wish;
use super::{Events, EventsFault, NOBODY};
use crate::log::LogFault;
use crate::off_loop::off_loop;

/// How many entries of the index are looked at before others have their turn.
const LOOK_BUDGET: u64 = 100_000;
/// How often that is done for one question; a query that wants more is one that looks at everything.
const LOOKS_MAX: u32 = 200;

impl Events {
    /// What the index says about an append, as of one event, once it has what the store does not
    /// keep any more.
    pub(super) async fn look_up(
        &self,
        described: &EventStoreDescription,
        wish: &Wish,
    ) -> Result<Known, EventsFault> {
        self.follow();
        self.checked().await?;
        let snapshot = self.snapshot_to(described.indexed).await?;
        let (store, of, streams) = (described.store, snapshot.clone(), wish.clone());
        let versions = off_loop(move || versions(&of, store, &streams)).await?;
        let versions = self.or_trouble(versions)?;
        let mut known = Known { as_of: snapshot.end(), versions, ..Known::default() };
        if let Some(boundary) = &wish.boundary {
            known.boundary_hit = self.newest(&snapshot, store, boundary).await?;
        }
        if let Some(query) = &wish.unless
            && let Some(entry) = self.oldest(&snapshot, store, query).await?
        {
            known.unless_hit = Some(self.first_append(&entry).await?);
        }
        Ok(known)
    }

    async fn newest(
        &self,
        snapshot: &Snapshot,
        store: QueueId,
        boundary: &Boundary,
    ) -> Result<Option<EventNumber>, EventsFault> {
        let mut to = snapshot.end();
        for _ in 0..LOOKS_MAX {
            let (snapshot, boundary) = (snapshot.clone(), boundary.clone());
            let sought = off_loop(move || {
                let range = (boundary.after, to);
                snapshot.newest_match(store, &boundary.query, range, LOOK_BUDGET)
            });
            match self.or_trouble(sought.await?)? {
                Sought::Hit(entry) => return Ok(Some(entry.number)),
                Sought::Nothing => return Ok(None),
                Sought::GoOn(next) => to = next,
            }
        }
        // Nobody knows; who appends has to read again, which is always safe.
        Ok(Some(to))
    }

    /// However long it takes: "not found" said too early would do again what was done. It ends,
    /// since each look begins further on than the one before.
    async fn oldest(
        &self,
        snapshot: &Snapshot,
        store: QueueId,
        query: &Query,
    ) -> Result<Option<Entry>, EventsFault> {
        let mut from = EventNumber(1);
        loop {
            let (snapshot, query) = (snapshot.clone(), query.clone());
            let look = move || snapshot.first_match(store, &query, from, LOOK_BUDGET);
            match self.or_trouble(off_loop(look).await?)? {
                Sought::Hit(entry) => return Ok(Some(entry)),
                Sought::Nothing => return Ok(None),
                Sought::GoOn(next) => from = next,
            }
        }
    }

    /// The answer that an append was given, made again of its events.
    async fn first_append(&self, entry: &Entry) -> Result<FirstAppend, EventsFault> {
        let (first, last) = entry.append();
        let mut streams: Vec<(Label, _)> = Vec::new();
        for number in first.0..=last.0 {
            let number = EventNumber(number);
            let assigned = self.event(number).await?.assigned;
            match streams.iter_mut().find(|(stream, _)| *stream == assigned.stream) {
                Some((_, version)) => *version = assigned.version,
                None => streams.push((assigned.stream, assigned.version)),
            }
        }
        Ok(FirstAppend { first, last, streams })
    }

    /// An event that the index has.
    pub(super) async fn event(&self, number: EventNumber) -> Result<EventBody, EventsFault> {
        let snapshot = self.shared.index.snapshot();
        let found = off_loop(move || snapshot.get(number)).await?;
        match self.or_trouble(found)? {
            Some(entry) if entry.row.store == NOBODY => Err(lost(number)),
            Some(entry) => self.body(number, entry.row.body).await,
            None => Err(EventsFault::Behind { wanted: number, end: self.shared.index.end() }),
        }
    }

    /// The event whose body lies there.
    pub(super) async fn body(
        &self,
        number: EventNumber,
        body: BodyRef,
    ) -> Result<EventBody, EventsFault> {
        let bytes = match self.shared.engine.body(body).await {
            Err(why @ (LogFault::Damaged { .. } | LogFault::NoBody(_))) => {
                return Err(EventsFault::Unreadable { number, why: why.to_string() });
            }
            read => read?,
        };
        EventBody::decode(&bytes).map_err(|why| EventsFault::NotAnEvent { number, why })
    }

    /// Whoever keeps the index hears of a damaged file.
    pub(super) fn or_trouble<T>(&self, asked: Result<T, Fault>) -> Result<T, EventsFault> {
        if let Err(Fault::Damaged(_)) = &asked {
            self.shared.trouble.notify_one();
        }
        Ok(asked?)
    }
}

fn versions(
    snapshot: &Snapshot,
    store: QueueId,
    wish: &Wish,
) -> Result<Vec<(Label, Version)>, Fault> {
    let streams = wish.streams().into_iter();
    let version = |stream: &Label| snapshot.version(store, stream.as_str());
    streams.map(|stream| Ok((stream.clone(), version(stream)?))).collect()
}

fn lost(number: EventNumber) -> EventsFault {
    let why = "it was damaged when the index of events was made anew".to_owned();
    EventsFault::Unreadable { number, why }
}
