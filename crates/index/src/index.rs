//! The index: its runs and parts, and the work of keeping them few.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lineside_core::id::EventNumber;

use crate::cache::Cache;
use crate::event::Indexed;
use crate::fault::{AddError, Damage, Fault};
use crate::files::Files;
use crate::manifest::{self, Named};
use crate::merge;
use crate::part::Part;
use crate::run::{self, EVENTS_MAX, Run};
use crate::snapshot::{Snapshot, View};

/// How many full parts may wait to be written before no more events are taken.
const FULL_PARTS_MAX: usize = 2;

/// More runs than this, which only many small flushes between large ones can make, are merged
/// whatever their sizes: each is an open file.
const RUNS_MAX: usize = 64;

/// How an index is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which log it is of; an index of another log is made anew.
    pub log: [u8; 16],
    /// How many events are in memory before they are written as a run; at least 1. Each takes some
    /// 250 bytes, and there are up to three times as many while a run is written.
    pub part_events: usize,
    /// How many bytes of pages are held in memory.
    pub cache_bytes: usize,
    /// How many runs of about the same size become one; at least 2.
    pub fan: usize,
}

impl Options {
    /// What suits millions of events in less than 60 MiB of memory.
    pub fn new(log: [u8; 16]) -> Options {
        Options { log, part_events: 32_768, cache_bytes: 16 << 20, fan: 8 }
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A run is damaged: [`Index::repair`]. Questions that touch it fail until then.
    Repair,
    /// A part is full: [`Index::flush_full`]. Soon [`Index::add`] takes no more.
    Flush,
    /// There are many runs of about the same size: [`Index::merge`].
    Merge,
}

/// An index of the events of one partition, derived from its log: it can be deleted, and is then
/// filled again from event 1.
///
/// One owner adds events that are durable in the log, and does the work that is due, on any threads
/// but the loop's. A flush and a merge may go on at the same time, and beside them `add` and any
/// number of snapshots.
#[derive(Debug)]
pub struct Index {
    files: Arc<dyn Files>,
    cache: Arc<Cache>,
    options: Options,
    view: Mutex<Arc<View>>,
    next_run: AtomicU64,
    /// Each held while its work is done, in this order when several are.
    merging: Mutex<()>,
    flushing: Mutex<()>,
    /// Held while the manifest changes, and the runs with it.
    naming: Mutex<()>,
    /// Held while the last part grows or another one takes its place.
    adding: Mutex<()>,
    /// What was dropped, since somebody last asked.
    dropped: Mutex<Vec<Damage>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is only ever replaced as a whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Index {
    /// Opens the index in a folder, or an empty one. A run that is missing or damaged is left out
    /// with all that is newer ([`Index::take_dropped`]), so the end may be lower than it was.
    pub fn open(files: Arc<dyn Files>, options: Options) -> Result<Index, Fault> {
        assert!(options.fan >= 2, "a merge makes one run of two at least");
        let cache = Arc::new(Cache::new(options.cache_bytes));
        let (named, mut dropped) = match manifest::load(&*files, options.log)? {
            Ok(named) => (named, Vec::new()),
            Err(why) => (Vec::new(), vec![Damage { file: manifest::NAME.to_owned(), why }]),
        };
        let runs = open_runs(&*files, &cache, &named, &mut dropped)?;
        let names = files.names().map_err(Fault::io("list its files"))?;
        let next_run = names.iter().filter_map(|name| run::id(name)).max().unwrap_or(0);
        let next_run = AtomicU64::new(next_run.saturating_add(1));
        let first = runs.last().map_or(0, |run| run.last()).saturating_add(1);
        let view = View { runs, parts: vec![Arc::new(Part::new(first))] };
        if !dropped.is_empty() {
            let runs: Vec<Named> = view.runs.iter().map(|run| Named::of(run)).collect();
            manifest::store(&*files, options.log, &runs)?;
        }
        remove_strays(&*files, &names, &view.runs);
        let (view, dropped) = (Mutex::new(Arc::new(view)), Mutex::new(dropped));
        let (merging, flushing, naming, adding) = Default::default();
        Ok(Index {
            files,
            cache,
            options,
            view,
            next_run,
            merging,
            flushing,
            naming,
            adding,
            dropped,
        })
    }

    /// What there is now, to ask it.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.view())
    }

    /// Every event up to this number, inclusive, is inside; 0 if there is none. It falls when a
    /// damaged run is dropped; then the log has to be read again from the next number on.
    pub fn end(&self) -> EventNumber {
        EventNumber(self.view().end())
    }

    /// Every event up to this number, inclusive, is inside even after a power cut.
    pub fn durable_end(&self) -> EventNumber {
        EventNumber(self.view().durable_end())
    }

    /// The files that were found damaged and dropped, each told once.
    pub fn take_dropped(&self) -> Vec<Damage> {
        std::mem::take(&mut *lock(&self.dropped))
    }

    /// Adds events in the order of their numbers, from the one after [`Index::end`] on, and says
    /// how many it took: fewer than given only when full parts wait for [`Index::flush_full`].
    pub fn add(&self, events: &[Indexed<'_>]) -> Result<usize, AddError> {
        let _adding = lock(&self.adding);
        let expected = self.view().end().saturating_add(1);
        let numbers = (expected..).zip(events.iter().map(|event| event.number.0));
        for (expected, given) in numbers {
            if expected != given {
                let (expected, given) = (EventNumber(expected), EventNumber(given));
                return Err(AddError::Gap { expected, given });
            }
        }
        let mut taken = 0;
        while let Some(rest) = events.get(taken..).filter(|rest| !rest.is_empty()) {
            let room = self.room();
            let now = rest.get(..room).unwrap_or(rest);
            if now.is_empty() {
                break;
            }
            if let Some(part) = self.view().parts.last() {
                part.add(now);
            }
            taken = taken.saturating_add(now.len());
        }
        Ok(taken)
    }

    /// How many events the last part still takes; a full one makes way for a new one, unless too
    /// many full ones wait. The caller holds `adding`.
    fn room(&self) -> usize {
        let most = self.options.part_events.max(1);
        let view = self.view();
        let last = view.parts.last().map_or(0, |part| part.len());
        if last < most {
            return most.saturating_sub(last);
        }
        if view.parts.len() > FULL_PARTS_MAX {
            return 0;
        }
        self.seal();
        most
    }

    /// Puts an empty part behind the last one, unless that is empty itself. The caller holds
    /// `adding`.
    fn seal(&self) {
        self.change(|view| {
            let mut parts = view.parts.clone();
            if parts.last().is_none_or(|part| part.len() > 0) {
                parts.push(Arc::new(Part::new(view.end().saturating_add(1))));
            }
            View { runs: view.runs.clone(), parts }
        });
    }

    /// The most pressing work that is due.
    pub fn work(&self) -> Option<Work> {
        let view = self.view();
        if view.runs.iter().any(|run| run.pages.is_damaged()) {
            Some(Work::Repair)
        } else if view.parts.len() > 1 || self.last_is_full(&view) {
            Some(Work::Flush)
        } else {
            self.due_for_merge(&view).map(|_| Work::Merge)
        }
    }

    fn last_is_full(&self, view: &View) -> bool {
        let most = self.options.part_events.max(1);
        view.parts.last().is_some_and(|part| part.len() >= most)
    }

    /// Makes every event that was added before this call durable, even if it makes a small run.
    pub fn flush(&self) -> Result<(), Fault> {
        let _flushing = lock(&self.flushing);
        {
            let _adding = lock(&self.adding);
            self.seal();
        }
        self.write_sealed()
    }

    /// Writes the parts that are full.
    pub fn flush_full(&self) -> Result<(), Fault> {
        let _flushing = lock(&self.flushing);
        {
            let _adding = lock(&self.adding);
            if self.last_is_full(&self.view()) {
                self.seal();
            }
        }
        self.write_sealed()
    }

    /// Writes all parts but the last. The caller holds `flushing`.
    fn write_sealed(&self) -> Result<(), Fault> {
        loop {
            let view = self.view();
            let [sealed, _, ..] = view.parts.as_slice() else { return Ok(()) };
            let id = self.new_run();
            let written = sealed.write(&*self.files, id);
            written.inspect_err(|_| self.discard(id))?;
            let run = Arc::new(Run::open(&*self.files, &self.cache, id)?);
            let _naming = lock(&self.naming);
            let mut runs = self.view().runs.clone();
            runs.push(run);
            self.name_runs(runs, 1)?;
        }
    }

    /// Makes one run of several, if that is due. `go_on` is asked now and then; if it says no, the
    /// merge ends with [`Fault::Stopped`]. It reads and writes all that the runs hold (some 1 to 2
    /// million events a second), in a few hundred KiB of memory and 1.4 bytes for each term.
    pub fn merge(&self, go_on: &dyn Fn() -> bool) -> Result<(), Fault> {
        let _merging = lock(&self.merging);
        let view = self.view();
        let Some(due) = self.due_for_merge(&view) else { return Ok(()) };
        let id = self.new_run();
        let merged = merge::merge(&*self.files, id, due, go_on);
        merged.inspect_err(|_| self.discard(id))?;
        let run = Arc::new(Run::open(&*self.files, &self.cache, id)?);
        let _naming = lock(&self.naming);
        let is_merged = |run: &Arc<Run>| due.iter().any(|old| Arc::ptr_eq(old, run));
        let now = self.view();
        let before = now.runs.iter().take_while(|run| !is_merged(run)).cloned();
        let after = now.runs.iter().skip_while(|run| !is_merged(run));
        let after = after.skip_while(|run| is_merged(run)).cloned();
        self.name_runs(before.chain([run]).chain(after).collect(), 0)?;
        for old in due {
            self.discard(old.pages.run);
        }
        Ok(())
    }

    /// The runs to be merged, neighbours: `fan` of the same tier (the power of `fan` that their
    /// size is), with smaller ones that lie before and between them. The lowest tier comes first.
    ///
    /// That smaller ones do not count matters: a large run with seven small ones would otherwise
    /// be written again for every seven that come.
    fn due_for_merge<'a>(&self, view: &'a View) -> Option<&'a [Arc<Run>]> {
        let fan = self.options.fan;
        let tier = |run: &Arc<Run>| run.header.count.checked_ilog(fan as u64).unwrap_or(0);
        let mut tiers: Vec<u32> = view.runs.iter().map(tier).collect();
        tiers.sort_unstable();
        tiers.dedup();
        tiers.into_iter().find_map(|most| {
            let rows = view.runs.chunk_by(|a, b| (tier(a) <= most) == (tier(b) <= most));
            let mut rows = rows.filter(|row| row.first().is_some_and(|run| tier(run) <= most));
            rows.find_map(|row| {
                let mut of_tier = row.iter().enumerate().filter(|(_, run)| tier(run) == most);
                let end = of_tier.nth(fan - 1).map(|(last, _)| last.saturating_add(1));
                let end = end.or((row.len() > RUNS_MAX).then_some(fan));
                at_most(row.get(..end?)?).filter(|due| due.len() > 1)
            })
        })
    }

    /// Drops the runs that were found damaged, and all that is newer.
    pub fn repair(&self) -> Result<(), Fault> {
        let damaged = |view: &View| view.runs.iter().find(|run| run.pages.is_damaged()).cloned();
        let Some(run) = damaged(&self.view()) else { return Ok(()) };
        self.fall_back(EventNumber(run.first().saturating_sub(1)))?;
        let (file, why) = (run.pages.name.clone(), "a page was not as it was written".to_owned());
        lock(&self.dropped).push(Damage { file, why });
        Ok(())
    }

    /// Drops every event after this number, and those before it that share a run with one of them:
    /// for a log that ends earlier than the index. [`Index::end`] says what is left.
    pub fn fall_back(&self, end: EventNumber) -> Result<(), Fault> {
        let _merging = lock(&self.merging);
        let _flushing = lock(&self.flushing);
        let _naming = lock(&self.naming);
        let _adding = lock(&self.adding);
        let view = self.view();
        let (kept, gone): (Vec<_>, Vec<_>) =
            view.runs.iter().cloned().partition(|run| run.last() <= end.0);
        self.store_names(&kept)?;
        let first = kept.last().map_or(0, |run| run.last()).saturating_add(1);
        self.change(|_| View { runs: kept.clone(), parts: vec![Arc::new(Part::new(first))] });
        for run in gone {
            self.discard(run.pages.run);
        }
        Ok(())
    }

    fn view(&self) -> Arc<View> {
        lock(&self.view).clone()
    }

    fn change(&self, change: impl FnOnce(&View) -> View) {
        let mut view = lock(&self.view);
        *view = Arc::new(change(&view));
    }

    fn new_run(&self) -> u64 {
        self.next_run.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes these the runs, durably, and drops so many of the first parts, whose events are in
    /// them now. The caller holds `naming`.
    fn name_runs(&self, runs: Vec<Arc<Run>>, parts: usize) -> Result<(), Fault> {
        self.store_names(&runs)?;
        self.change(|view| {
            let parts = view.parts.iter().skip(parts).cloned().collect();
            View { runs, parts }
        });
        Ok(())
    }

    fn store_names(&self, runs: &[Arc<Run>]) -> Result<(), Fault> {
        let named: Vec<Named> = runs.iter().map(|run| Named::of(run)).collect();
        manifest::store(&*self.files, self.options.log, &named)
    }

    /// Removes the file of a run that nothing names. If that fails, the next open does it.
    fn discard(&self, id: u64) {
        drop(self.files.remove(&run::name(id)));
    }
}

/// As many of the first of these as one run can hold.
fn at_most(runs: &[Arc<Run>]) -> Option<&[Arc<Run>]> {
    let sums = runs.iter().scan(0_u64, |sum, run| {
        *sum = sum.saturating_add(run.header.count);
        Some(*sum)
    });
    runs.get(..sums.take_while(|sum| *sum <= EVENTS_MAX).count())
}

/// Opens the runs that the manifest names, up to the first that is not as it says.
fn open_runs(
    files: &dyn Files,
    cache: &Arc<Cache>,
    named: &[Named],
    dropped: &mut Vec<Damage>,
) -> Result<Vec<Arc<Run>>, Fault> {
    let (mut runs, mut next) = (Vec::new(), 1);
    for named in named {
        let opened = Run::open(files, cache, named.id);
        let fits = opened.and_then(|run| {
            let fits = Named::of(&run) == *named && named.first == next;
            if fits { Ok(run) } else { Err(run.pages.damage("it is not what the manifest names")) }
        });
        match fits {
            Err(Fault::Damaged(damage)) => {
                dropped.push(damage);
                break;
            }
            opened => runs.push(Arc::new(opened?)),
        }
        next = named.first.saturating_add(named.count);
    }
    Ok(runs)
}

/// Removes what a crash left of runs and manifests. What cannot be removed takes room and does no
/// harm: its id is not given again.
fn remove_strays(files: &dyn Files, names: &[String], runs: &[Arc<Run>]) {
    let is_kept = |name: &String| {
        let id = run::id(name);
        let is_ours = id.is_some() || name == manifest::NAME_UNFINISHED;
        !is_ours || runs.iter().any(|run| Some(run.pages.run) == id)
    };
    for name in names.iter().filter(|name| !is_kept(name)) {
        drop(files.remove(name));
    }
}
