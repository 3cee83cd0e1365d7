//! The state of a stream at any time: the nearest snapshot, and the events after it.
//!
//! A stream is folded in *blocks*, whose borders its events alone decide. A state crosses a border
//! as the bytes that it is answered as, and a snapshot is of a border. So a fold goes through the
//! same steps whether there was a snapshot or not, and even one that is not pure answers the same.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lineside_core::events::{EventBody, Query, QueryItem};
use lineside_core::id::{EventNumber, Label, QueueId, Version};
use lineside_core::stamp::Stamp;
use lineside_index::{Fault, Snapshot};

use super::fold::{Fold, FoldBlock, FoldFault, FoldFaultKind, Folded};
use super::snapshots::{Kept, Snapshots};
use super::{Events, EventsFault, PAGE_BYTES_MAX, Page, ReadAsk, Settled};
use crate::off_loop::off_loop;

/// Most events of a block. To begin one costs a script 0.12 ms, as much as some 80 events do, and a
/// question that finds a snapshot has half a block to read all the same; the figures are in
/// `docs/adr/0009-folds.md`.
pub const BLOCK_EVENTS: usize = 256;
/// A block ends behind the event with which the data of its events has so many bytes.
pub const BLOCK_BYTES: usize = 4 << 20;
/// Bytes that snapshots take at most, unless somebody says otherwise.
pub const SNAPSHOT_BYTES: usize = 64 << 20;

/// The states of the streams of a store. A clone shares its snapshots.
#[derive(Clone)]
pub struct States {
    events: Events,
    snapshots: Arc<Snapshots>,
}

/// Up to where a stream is folded. If both are given, both hold; if none is, all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Until {
    /// Up to this version, which has to be there; 0 is before the first event.
    pub version: Option<Version>,
    /// Up to the last event that was stored at this moment or before it.
    pub at: Option<Stamp>,
}

/// A state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateAt {
    /// The version of the last event in it; 0 if there is none.
    pub version: Version,
    /// That event's number; 0 if there is none.
    pub number: EventNumber,
    /// When that event was stored.
    pub recorded: Option<Stamp>,
    /// As the fold writes it.
    pub state: Bytes,
    /// All events up to here were there to be found.
    pub end: EventNumber,
}

/// Why a stream has no state.
#[derive(Debug, thiserror::Error)]
pub enum StateFault {
    /// The events cannot be read.
    #[error(transparent)]
    Events(#[from] EventsFault),
    /// The stream is shorter.
    #[error("the stream has {} versions, and version {} was asked for", last.0, wanted.0)]
    NoSuchVersion {
        /// What was asked for.
        wanted: Version,
        /// The last one that there is.
        last: Version,
    },
    /// An event is lost, and no state beyond it can be told.
    #[error("version {} of the stream is lost, and no state behind it can be told", .0.0)]
    Lost(Version),
    /// The fold does not come to a state.
    #[error(transparent)]
    Fold(#[from] FoldFault),
    /// The time of one question is over, and what was folded is kept: another goes on there.
    #[error("in the time of one question the stream was folded up to version {} of {}", folded.0, of.0)]
    Unfinished {
        /// So far.
        folded: Version,
        /// What was asked for.
        of: Version,
    },
}

impl From<Fault> for StateFault {
    fn from(fault: Fault) -> StateFault {
        StateFault::Events(fault.into())
    }
}

impl States {
    /// The states of the streams of these events, with so many bytes of snapshots; 0 keeps none.
    pub fn new(events: Events, snapshot_bytes: usize) -> States {
        States { events, snapshots: Arc::new(Snapshots::new(snapshot_bytes)) }
    }

    /// The state of a stream. One without events has the fold's first state, at version 0.
    pub async fn at(
        &self,
        fold: &dyn Fold,
        stream: &Label,
        until: Until,
    ) -> Result<StateAt, StateFault> {
        let Some(settled) = self.events.settled().await? else {
            let wanted = target(Version(0), until)?;
            assert_eq!(wanted, Version(0), "a stream without events has one version");
            return first_state(fold, EventNumber(0)).await;
        };
        let target = self.target(&settled, stream, until).await?;
        if target == Version(0) {
            return first_state(fold, settled.last).await;
        }
        self.fold(fold, stream, settled, target).await
    }

    /// The version to fold up to.
    async fn target(
        &self,
        settled: &Settled,
        stream: &Label,
        until: Until,
    ) -> Result<Version, StateFault> {
        let (store, last) = (settled.store, settled.last);
        let (snapshot, name) = (settled.snapshot.clone(), stream.clone());
        let look = move || {
            let upto =
                |version, bound| version_upto(&snapshot, store, name.as_str(), version, bound);
            let newest = snapshot.version(store, name.as_str())?;
            // The index may have more by now, and half of an append of it.
            let newest = if snapshot.end() > last { upto(newest, last)? } else { newest };
            let wanted = target(newest, until)?;
            match until.at {
                Some(at) => upto(wanted, snapshot.number_at(at)?),
                None => Ok(wanted),
            }
        };
        match off_loop(look).await.map_err(EventsFault::from)? {
            Err(StateFault::Events(EventsFault::Index(fault))) => {
                Ok(self.events.or_trouble(Err(fault))?)
            }
            other => other,
        }
    }

    async fn fold(
        &self,
        fold: &dyn Fold,
        stream: &Label,
        settled: Settled,
        target: Version,
    ) -> Result<StateAt, StateFault> {
        let (identity, end) = (fold.identity(), settled.last);
        let mut kept = self.snapshots.nearest(identity, stream, target);
        let from = kept.as_ref().map_or(Version(1), |kept| kept.version.next());
        let mut reader = Reader::new(&self.events, settled, stream.clone(), (from, target));
        let mut spent = Duration::ZERO;
        while let Some(Block { events, last, is_whole }) = reader.block().await? {
            let before = kept.as_ref().map_or(Version(0), |kept| kept.version);
            let from = kept.take().map(|kept| kept.state);
            let folded = fold.fold(FoldBlock { from, events, spent }).await;
            let folded = folded.map_err(|fault| of_fold(fault, spent, before, target))?;
            spent = folded.spent;
            let Last { version, number, recorded } = last;
            let behind = Kept { version, number, recorded, state: folded.state };
            if is_whole {
                self.snapshots.keep(identity, stream, behind.clone());
            }
            kept = Some(behind);
        }
        let Some(Kept { version, number, recorded, state }) = kept else {
            return Err(StateFault::Lost(target));
        };
        Ok(StateAt { version, number, recorded: Some(recorded), state, end })
    }
}

/// A question whose time is over has not failed if it came further on: the next one begins there.
fn of_fold(fault: FoldFault, spent: Duration, folded: Version, of: Version) -> StateFault {
    match fault.kind {
        FoldFaultKind::Time if spent > Duration::ZERO => StateFault::Unfinished { folded, of },
        _ => StateFault::Fold(fault),
    }
}

async fn first_state(fold: &dyn Fold, end: EventNumber) -> Result<StateAt, StateFault> {
    let block = FoldBlock { from: None, events: Vec::new(), spent: Duration::ZERO };
    let Folded { state, .. } = fold.fold(block).await?;
    Ok(StateAt { version: Version(0), number: EventNumber(0), recorded: None, state, end })
}

/// The version that is asked for of a stream with so many.
fn target(last: Version, until: Until) -> Result<Version, StateFault> {
    match until.version {
        Some(wanted) if wanted > last => Err(StateFault::NoSuchVersion { wanted, last }),
        Some(wanted) => Ok(wanted),
        None => Ok(last),
    }
}

/// The last version of a stream, up to `last`, whose event's number is not beyond a bound. Stamps
/// never decrease along the log, so that the number at a moment is a bound too.
fn version_upto(
    snapshot: &Snapshot,
    store: QueueId,
    stream: &str,
    last: Version,
    bound: EventNumber,
) -> Result<Version, StateFault> {
    let number_of = |version: u64| -> Result<EventNumber, StateFault> {
        let number = snapshot.number_of(store, stream, Version(version))?;
        number.ok_or(StateFault::Lost(Version(version)))
    };
    let (mut low, mut high) = (0, last.0);
    while low < high {
        let middle = high - (high - low) / 2;
        if number_of(middle)? <= bound {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(Version(low))
}

/// The events of a stream, block by block; no more than a page or two of them are here at a time.
struct Reader<'a> {
    events: &'a Events,
    settled: Settled,
    stream: Label,
    /// The version of the next event that is not in a block.
    next: Version,
    to: Version,
    /// Read, and in no block.
    read: VecDeque<EventBody>,
}

/// Events one after another.
struct Block {
    events: Vec<EventBody>,
    last: Last,
    /// Whether it would end there if the stream went on.
    is_whole: bool,
}

/// What is known of a state's last event.
struct Last {
    version: Version,
    number: EventNumber,
    recorded: Stamp,
}

impl<'a> Reader<'a> {
    fn new(
        events: &'a Events,
        settled: Settled,
        stream: Label,
        (next, to): (Version, Version),
    ) -> Reader<'a> {
        Reader { events, settled, stream, next, to, read: VecDeque::new() }
    }

    /// The next block; none behind the last version.
    async fn block(&mut self) -> Result<Option<Block>, StateFault> {
        let (mut events, mut bytes) = (Vec::new(), 0_usize);
        let is_whole = loop {
            if events.len() == BLOCK_EVENTS || bytes >= BLOCK_BYTES {
                break true;
            }
            let Some(event) = self.event().await? else { break false };
            bytes = bytes.saturating_add(event.content.data_bytes());
            events.push(event);
        };
        let last = events.last().map(|event: &EventBody| Last {
            version: event.assigned.version,
            number: event.assigned.number,
            recorded: event.assigned.recorded,
        });
        Ok(last.map(|last| Block { events, last, is_whole }))
    }

    async fn event(&mut self) -> Result<Option<EventBody>, StateFault> {
        if self.next > self.to {
            return Ok(None);
        }
        if self.read.is_empty() {
            self.read = self.page().await?.into();
        }
        let event = self.read.pop_front().filter(|event| event.assigned.version == self.next);
        let Some(event) = event else { return Err(StateFault::Lost(self.next)) };
        self.next = self.next.next();
        Ok(Some(event))
    }

    /// Events from the next one on; at least one, unless that is lost.
    async fn page(&self) -> Result<Vec<EventBody>, StateFault> {
        let (store, snapshot) = (self.settled.store, self.settled.snapshot.clone());
        let (stream, next) = (self.stream.clone(), self.next);
        let looked = off_loop(move || snapshot.number_of(store, stream.as_str(), next));
        let looked = looked.await.map_err(EventsFault::from)?;
        let Some(mut from) = self.events.or_trouble(looked)? else {
            return Err(StateFault::Lost(next));
        };
        let stream = Some(self.stream.clone());
        let query = Query::of(QueryItem { stream, ..QueryItem::default() });
        let left = self.to.0.saturating_sub(self.next.0).saturating_add(1);
        let limit = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK_EVENTS);
        loop {
            let Settled { store, last, ref snapshot } = self.settled;
            let settled = Settled { store, last, snapshot: snapshot.clone() };
            let (to, bytes, query) = (self.settled.last, PAGE_BYTES_MAX, query.clone());
            let ask = ReadAsk { query, from, to, backwards: false, limit, bytes };
            let Page { events, next, .. } = self.events.page(settled, ask).await?;
            match next {
                // One that looked at much without a hit.
                Some(next) if events.is_empty() => from = next,
                _ => return Ok(events),
            }
        }
    }
}
