//! The one thread that tidies up: writes the indexes of sealed segments, drops segments that are
//! dead, and rewrites those of which little lives.
//!
//! A fault here ends nothing: what was there stays, and the next `retain` tries again.

mod mailbox;
mod plan;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use lineside_core::id::{PartitionId, Place};

use super::catalog::Sealed;
use super::outside::{self, Address};
use super::rewrite::{self, Kept, Rewrite};
use super::segment::{Header, Segment, SegmentId};
use super::shared::Shared;
use super::shelf::{self, Absent, Loaded};
use super::sidecar;
use super::starts::Starts;
use super::walk::{FoundBatch, Loses, Step, Walk, WalkFault};
use super::write::Kind;
pub use mailbox::Housekeeping;
pub(crate) use mailbox::{Mail, Mailbox};
pub(crate) use plan::{Retained, Retention};
use plan::{ShareView, View, Wish, choose, count_living};

/// Tidies one log.
#[derive(Debug)]
pub(crate) struct Janitor {
    shared: Arc<Shared>,
    /// 0 is no bound.
    bytes_per_second: u64,
    retention: Retention,
    /// What each sealed segment holds, by its number, so that it is asked once.
    views: BTreeMap<u64, (SegmentId, View)>,
}

/// Why tidying stopped.
#[derive(Debug)]
enum Stop {
    /// The log ends.
    Told,
    Fault(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Fault(error.to_string())
    }
}

impl Janitor {
    pub(crate) fn new(shared: Arc<Shared>, bytes_per_second: u64) -> Janitor {
        let (retention, views) = (Retention::new(), BTreeMap::new());
        Janitor { shared, bytes_per_second, retention, views }
    }

    /// Works until it is told to stop.
    pub(crate) fn run(mut self) {
        drop(self.store_missing());
        drop(self.sweep());
        while let Some(mail) = self.shared.mailbox.take() {
            self.store(&mail);
            if !mail.retained.is_empty() {
                self.retention.extend(mail.retained);
            }
            if let Err(Stop::Fault(why)) = self.compact() {
                self.shared.mailbox.note(|report| report.fault = Some(why));
            }
        }
        self.shared.mailbox.end();
    }

    /// Puts indexes on the disk.
    fn store(&self, mail: &Mail) {
        for loaded in &mail.sealed {
            // One that is missing is made anew when it is needed.
            drop(loaded.sidecar().store(self.shared.disk.as_ref()));
        }
    }

    /// Makes the indexes that an earlier run did not come to.
    fn store_missing(&self) -> Result<(), Stop> {
        let disk = self.shared.disk.as_ref();
        let names = disk.names()?;
        let sealed: Vec<Sealed> = self.shared.catalog().sealed().copied().collect();
        for sealed in sealed.iter().filter(|s| !names.contains(&sidecar::name(s.number))) {
            if self.shared.mailbox.is_stopped() {
                return Err(Stop::Told);
            }
            if let Ok(loaded) = shelf::load(disk, sealed)
                && loaded.wants_storing()
            {
                loaded.sidecar().store(disk)?;
            }
        }
        Ok(())
    }

    /// Removes bodies outside that an earlier run dropped from its segments, or refused, and did not
    /// come to remove.
    fn sweep(&self) -> Result<(), Stop> {
        let _held = self.shared.hold_housekeeping();
        let addresses = outside::addresses(self.shared.blobs.folder())?;
        // Nothing was freed by this run that has not been counted.
        self.remove_unnamed(addresses.into_iter().map(|address| (address, 0)).collect())
    }

    /// Removes those of these bodies outside, each with its length, that the log does not name any
    /// more.
    fn remove_unnamed(&self, bodies: Vec<(Address, u32)>) -> Result<(), Stop> {
        let (folder, mut freed) = (self.shared.blobs.folder(), 0_u64);
        for (address, len) in bodies {
            if self.shared.mailbox.is_stopped() {
                return Err(Stop::Told);
            }
            if self.shared.names(&address) == Some(false) && outside::remove(folder, &address)? {
                freed = freed.saturating_add(u64::from(len));
            }
        }
        self.shared.mailbox.note(|report| {
            report.freed_bytes = report.freed_bytes.saturating_add(freed);
        });
        Ok(())
    }

    /// The bodies outside of these segments, each with its length.
    fn outside_of(&self, numbers: &[u64]) -> Vec<(Address, u32)> {
        let views = numbers.iter().filter_map(|number| self.views.get(number));
        let shares = views.flat_map(|(_, view)| &view.shares);
        let found = shares.flat_map(|share| share.outside.iter().map(|one| (share.partition, one)));
        found.map(|(partition, one)| (Address { partition, place: one.place }, one.len)).collect()
    }

    /// Does what is worth doing, one thing after another.
    fn compact(&mut self) -> Result<(), Stop> {
        loop {
            if self.shared.mailbox.is_stopped() {
                return Err(Stop::Told);
            }
            let mut views = self.views()?;
            count_living(&mut views, &self.retention);
            match choose(&views, &self.retention) {
                Some(Wish::Drop { from, to }) => self.drop_segments(from, to)?,
                Some(Wish::Rewrite { number, living_bytes }) => {
                    if !self.shared.space.has_room_aside(self.shared.disk.as_ref(), living_bytes) {
                        let why = "there is no room to rewrite a segment";
                        return Err(Stop::Fault(why.to_owned()));
                    }
                    self.rewrite(number)?;
                }
                None => return Ok(()),
            }
            self.shared.space.refresh(self.shared.disk.as_ref());
        }
    }

    /// What each sealed segment holds. Only what was not known is read.
    fn views(&mut self) -> Result<Vec<View>, Stop> {
        if self.retention.is_empty() {
            return Ok(Vec::new());
        }
        let sealed: Vec<Sealed> = self.shared.catalog().sealed().copied().collect();
        self.views.retain(|number, _| sealed.iter().any(|sealed| sealed.number == *number));
        let mut found = Vec::new();
        let mut expected = None;
        for sealed in &sealed {
            let apart = expected.is_some_and(|expected| expected != sealed.number);
            expected = Some(sealed.through.saturating_add(1));
            if let Some(view) = self.view(sealed)? {
                found.push(View { apart, ..view });
            }
        }
        Ok(found)
    }

    fn view(&mut self, sealed: &Sealed) -> Result<Option<View>, Stop> {
        let known = self.views.get(&sealed.number);
        if let Some((_, view)) = known.filter(|(_, view)| view.through == sealed.through) {
            return Ok(Some(view.clone()));
        }
        // Not by the shelf: all indexes one after another would push out those that are in use.
        let loaded = match shelf::load(self.shared.disk.as_ref(), sealed) {
            Ok(loaded) => loaded,
            Err(Absent::Gone) => return Ok(None),
            Err(Absent::Fault(fault)) => return Err(Stop::Fault(fault.to_string())),
        };
        let view = view_of(sealed, &loaded);
        self.views.insert(sealed.number, (loaded.segment.id(), view.clone()));
        Ok(Some(view))
    }

    /// Puts one empty segment in the place of these, of which nothing matters any more.
    fn drop_segments(&mut self, from: u64, to: u64) -> Result<(), Stop> {
        let shared = Arc::clone(&self.shared);
        let _held = shared.hold_housekeeping();
        let sealed: Vec<Sealed> = shared.catalog().sealed().copied().collect();
        let sealed = sealed.iter().filter(|sealed| (from..=to).contains(&sealed.number));
        let (first, last) = match (sealed.clone().next(), sealed.clone().next_back()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => return Ok(()),
        };
        let disk = shared.disk.as_ref();
        let numbers: Vec<u64> = sealed.map(|sealed| sealed.number).collect();
        // One after another: there may be more than files may be open.
        let len = |number: &u64| Segment::open(disk, *number).map_or(0, |segment| segment.end());
        let before: u64 = numbers.iter().map(len).sum();
        let Ok(oldest) = Segment::open(disk, first.number) else {
            return Err(Stop::Fault("a segment cannot be opened".to_owned()));
        };
        let header = oldest.header.rewritten(last.through, self.starts(&oldest.header));
        let outside = self.outside_of(&numbers);
        rewrite::empty(disk, header, last.until.write)?;
        self.replaced(Sealed { number: from, ..last }, first.number..=last.through);
        numbers.iter().skip(1).for_each(|number| rewrite::remove(disk, *number));
        let count = numbers.len() as u64;
        shared.mailbox.note(|report| {
            report.dropped = report.dropped.saturating_add(count);
            report.freed_bytes = report.freed_bytes.saturating_add(before);
        });
        self.remove_unnamed(outside)
    }

    /// Where the partitions stand at the beginning of a segment.
    fn starts(&self, header: &Header) -> Starts {
        let told = header.starts.clone();
        told.unwrap_or_else(|| self.shared.catalog().starts_of(header.id.number))
    }

    fn replaced(&mut self, by: Sealed, numbers: std::ops::RangeInclusive<u64>) {
        self.shared.catalog_mut().replace(by);
        self.views.retain(|number, _| !numbers.contains(number));
        self.shared.shelf.replaced(numbers);
    }

    /// Rewrites a segment without what does not matter.
    fn rewrite(&mut self, number: u64) -> Result<(), Stop> {
        let shared = Arc::clone(&self.shared);
        let _held = shared.hold_housekeeping();
        let disk = shared.disk.as_ref();
        let sealed = shared.catalog().sealed().find(|sealed| sealed.number == number).copied();
        let (Some(sealed), Some((_, view))) = (sealed, self.views.get(&number)) else {
            return Ok(());
        };
        let living = self.living(view);
        let outside = self.outside_of(&[number]);
        let segment = Segment::open(disk, number);
        let Ok(segment) = segment.map(Arc::new) else {
            return Err(Stop::Fault("a segment cannot be opened".to_owned()));
        };
        let header = segment.header.rewritten(sealed.through, self.starts(&segment.header));
        let mut rewrite = Rewrite::begin(disk, header, Kind::Rewritten)?;
        if !self.fill(&mut rewrite, &segment, &sealed, &living)? {
            drop(rewrite);
            if let Some((_, view)) = self.views.get_mut(&number) {
                view.damaged = true;
            }
            return Ok(());
        }
        let (after, _) = rewrite.finish(sealed.until.write.saturating_sub(1))?;
        self.replaced(sealed, number..=sealed.through);
        let freed = segment.end().saturating_sub(after);
        shared.mailbox.note(|report| {
            report.rewritten = report.rewritten.saturating_add(1);
            report.freed_bytes = report.freed_bytes.saturating_add(freed);
        });
        self.remove_unnamed(outside)
    }

    /// Writes what lives of a segment; `false` if the segment is damaged where it matters.
    fn fill(
        &self,
        rewrite: &mut Rewrite<'_>,
        segment: &Arc<Segment>,
        sealed: &Sealed,
        living: &BTreeMap<PartitionId, Vec<Place>>,
    ) -> Result<bool, Stop> {
        let mut walk = Walk::new(segment, Some(sealed.until), false)?;
        loop {
            let write = match walk.step() {
                Ok(Step::Write(write)) => write,
                Ok(Step::End(_)) => return Ok(true),
                Ok(Step::Hurt(_)) | Err(WalkFault::Newer { .. }) => return Ok(false),
                Err(WalkFault::Io(error)) => return Err(error.into()),
            };
            if write.hurts.iter().any(|hurt| hurt.loses != Loses::Nothing) {
                return Ok(false);
            }
            for batch in &write.batches {
                if !rewrite.take(&mut walk, batch, &kept(batch, living))? {
                    return Ok(false);
                }
            }
            let written = rewrite.end_write(write.header.through)?;
            self.pause(written.max(write.end.saturating_sub(write.offset)))?;
        }
    }

    /// Waits as long as so many bytes should take.
    fn pause(&self, bytes: u64) -> Result<(), Stop> {
        let nanos = u128::from(bytes).saturating_mul(1_000_000_000);
        let nanos = nanos.checked_div(u128::from(self.bytes_per_second)).unwrap_or(0);
        let pause = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        if self.shared.mailbox.pause(pause) { Err(Stop::Told) } else { Ok(()) }
    }

    /// The bodies that live in a segment.
    fn living(&self, view: &View) -> BTreeMap<PartitionId, Vec<Place>> {
        let of = |share: &ShareView| {
            let retained = self.retention.get(&share.partition)?;
            let range = share.first..=share.last;
            let places = retained.living.iter().take_while(|place| place.position.0 <= share.last);
            let places = places.filter(|place| range.contains(&place.position.0));
            Some((share.partition, places.collect()))
        };
        view.shares.iter().filter_map(of).collect()
    }
}

fn view_of(sealed: &Sealed, loaded: &Loaded) -> View {
    let shares = loaded.index.partitions.iter().map(|(partition, share)| ShareView {
        partition: *partition,
        first: share.first,
        last: share.last(),
        bodies: share.bodies,
        kept: share.kept,
        bytes: share.bytes,
        living: 0,
        outside: share.outside.clone(),
        living_outside: 0,
    });
    View {
        number: sealed.number,
        through: sealed.through,
        apart: false,
        // Of one that is followed by a missing one nobody knows where it should end.
        damaged: !sealed.until.exact
            || loaded.hurts.iter().any(|hurt| hurt.loses != Loses::Nothing),
        shares: shares.collect(),
    }
}

/// What is kept of a batch of which only these bodies matter, and those that always do.
fn kept(batch: &FoundBatch, living: &BTreeMap<PartitionId, Vec<Place>>) -> Kept {
    let head = &batch.head;
    let Some(places) = living.get(&head.partition) else { return Kept::Whole };
    let lives = |index: u32| {
        let place = Place { position: head.position, index };
        places.binary_search(&place).is_ok()
    };
    let entries: Vec<_> =
        batch.directory.iter().filter(|entry| entry.kept || lives(entry.index)).copied().collect();
    if entries.is_empty() { Kept::Nothing } else { Kept::Bodies(entries) }
}
