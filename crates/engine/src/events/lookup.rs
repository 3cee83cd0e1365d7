//! What the index says about an append.

use lineside_core::events::{Boundary, EventBody, FirstAppend, Known, Query};
use lineside_core::id::{BodyRef, EventNumber, Label, QueueId};
use lineside_index::{Entry, Fault, Snapshot, Sought};

use super::append::Wish;
use super::{Events, EventsFault};
use crate::off_loop::off_loop;

/// How many entries of the index are looked at before others have their turn.
const LOOK_BUDGET: u64 = 100_000;
/// How often that is done for one question; a query that wants more is one that looks at everything.
const LOOKS_MAX: u32 = 200;

/// What the index says, but for what only the log can tell.
struct Looked {
    known: Known,
    unless: Option<Entry>,
}

impl Events {
    /// What the index says about an append, as of one event.
    pub(super) async fn look_up(&self, store: QueueId, wish: &Wish) -> Result<Known, EventsFault> {
        let (snapshot, wish) = (self.shared.index.snapshot(), wish.clone());
        let looked = off_loop(move || look(&snapshot, store, &wish)).await?;
        let Looked { mut known, unless } = self.or_trouble(looked)?;
        if let Some(entry) = unless {
            known.unless_hit = Some(self.first_append(&entry).await?);
        }
        Ok(known)
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
        let found = self.or_trouble(self.shared.index.snapshot().get(number))?;
        match found {
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
        let bytes = self.shared.engine.body(body).await?;
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

fn look(snapshot: &Snapshot, store: QueueId, wish: &Wish) -> Result<Looked, Fault> {
    let mut known = Known { as_of: snapshot.end(), ..Known::default() };
    for stream in wish.streams() {
        let version = snapshot.version(store, stream.as_str())?;
        known.versions.push((stream.clone(), version));
    }
    if let Some(boundary) = &wish.boundary {
        known.boundary_hit = newest(snapshot, store, boundary)?;
    }
    let unless = match &wish.unless {
        Some(query) => oldest(snapshot, store, query)?,
        None => None,
    };
    Ok(Looked { known, unless })
}

fn newest(
    snapshot: &Snapshot,
    store: QueueId,
    boundary: &Boundary,
) -> Result<Option<EventNumber>, Fault> {
    let mut to = snapshot.end();
    for _ in 0..LOOKS_MAX {
        let range = (boundary.after, to);
        match snapshot.newest_match(store, &boundary.query, range, LOOK_BUDGET)? {
            Sought::Hit(entry) => return Ok(Some(entry.number)),
            Sought::Nothing => return Ok(None),
            Sought::GoOn(next) => to = next,
        }
    }
    // Nobody knows; who appends has to read again, which is always safe.
    Ok(Some(to))
}

fn oldest(snapshot: &Snapshot, store: QueueId, query: &Query) -> Result<Option<Entry>, Fault> {
    let mut from = EventNumber(1);
    loop {
        match snapshot.first_match(store, query, from, LOOK_BUDGET)? {
            Sought::Hit(entry) => return Ok(Some(entry)),
            Sought::Nothing => return Ok(None),
            Sought::GoOn(next) => from = next,
        }
    }
}
