//! Making one run of several that follow one another: all of them are read once, from front to
//! back, and written once. Nothing is held but a term of each.

use std::sync::Arc;

use lineside_core::id::Version;

use crate::fault::Fault;
use crate::files::Files;
use crate::page::{ByteReader, Through, offset_of};
use crate::posting;
use crate::run::{DictEntry, Entries, Run};
use crate::run_writer::{TableWriter, TermWriter};
use crate::term::Term;

/// How much is done between two looks at whether to go on.
const STRIDE: u64 = 4096;

/// Asks now and then whether to go on.
pub(crate) struct Patience<'a> {
    go_on: &'a dyn Fn() -> bool,
    done: u64,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(go_on: &'a dyn Fn() -> bool) -> Patience<'a> {
        Patience { go_on, done: 0 }
    }

    fn one_more(&mut self) -> Result<(), Fault> {
        self.done = self.done.saturating_add(1);
        let is_asked = self.done.is_multiple_of(STRIDE);
        if is_asked && !(self.go_on)() { Err(Fault::Stopped) } else { Ok(()) }
    }
}

/// The dictionaries of several runs as one: a term, with the entries of the runs that have it.
struct Together<'a> {
    entries: Vec<Entries<'a>>,
    heads: Vec<Option<DictEntry>>,
    /// The terms of the heads, apart since each step looks at all of them; the highest of all when
    /// a run has no more.
    terms: Vec<u128>,
}

/// No term: a hash that is this one would be merged last, and still be merged.
const NO_MORE: u128 = u128::MAX;

fn key(head: Option<&DictEntry>) -> u128 {
    head.map_or(NO_MORE, |entry| u128::from(entry.term.high) << 64 | u128::from(entry.term.low))
}

impl<'a> Together<'a> {
    fn new(runs: &'a [Arc<Run>]) -> Result<Together<'a>, Fault> {
        let mut entries = runs.iter().map(|r| r.entries()).collect::<Result<Vec<_>, Fault>>()?;
        let heads = entries.iter_mut().map(Entries::next).collect::<Result<Vec<_>, Fault>>()?;
        let terms = heads.iter().map(|head| key(head.as_ref())).collect();
        Ok(Together { entries, heads, terms })
    }

    /// The next term, and which runs have it, in their order.
    fn next(&mut self, having: &mut Vec<(usize, DictEntry)>) -> Result<Option<Term>, Fault> {
        having.clear();
        let least = self.terms.iter().copied().min().unwrap_or(NO_MORE);
        let heads = self.heads.iter_mut().zip(&mut self.entries).zip(&mut self.terms);
        for (run, ((head, entries), term)) in heads.enumerate() {
            if *term != least {
                continue;
            }
            if let Some(entry) = head.take() {
                having.push((run, entry));
                *head = entries.next()?;
                *term = key(head.as_ref());
            }
        }
        Ok(having.first().map(|(_, entry)| entry.term))
    }
}

/// Writes a run of all events of these, which follow one another; `false` from `go_on` ends it.
pub(crate) fn merge(
    files: &dyn Files,
    id: u64,
    runs: &[Arc<Run>],
    go_on: &dyn Fn() -> bool,
) -> Result<(), Fault> {
    let mut patience = Patience::new(go_on);
    let first = runs.first().map_or(0, |run| run.first());
    let count = runs.iter().map(|run| run.header.count).sum();
    let mut table = TableWriter::new(files, id, first, count)?;
    for run in runs {
        let mut rows = run.rows()?;
        while let Some(row) = rows.next()? {
            patience.one_more()?;
            table.put(&row)?;
        }
    }
    let mut out = table.terms(count_terms(runs, &mut patience)?)?;
    merge_terms(runs, first, &mut out, &mut patience)?;
    out.finish()
}

/// How many terms there are in all: the dictionary's length has to be known before the postings
/// can be written behind it.
fn count_terms(runs: &[Arc<Run>], patience: &mut Patience<'_>) -> Result<u64, Fault> {
    let (mut together, mut having) = (Together::new(runs)?, Vec::new());
    let mut terms: u64 = 0;
    while together.next(&mut having)?.is_some() {
        patience.one_more()?;
        terms = terms.saturating_add(1);
    }
    Ok(terms)
}

fn merge_terms(
    runs: &[Arc<Run>],
    first: u64,
    out: &mut TermWriter,
    patience: &mut Patience<'_>,
) -> Result<(), Fault> {
    let (mut together, mut having) = (Together::new(runs)?, Vec::new());
    let reader = |run: &'_ Arc<Run>| offset_of(run.header.postings);
    let mut readers = Vec::new();
    for run in runs {
        readers.push((run, ByteReader::new(&run.pages, reader(run), Through::Disk)?));
    }
    while let Some(term) = together.next(&mut having)? {
        let mut version = Version(0);
        for (run, entry) in &having {
            let Some((run, reader)) = readers.get_mut(*run) else { continue };
            let base = u32::try_from(run.first().saturating_sub(first)).unwrap_or(u32::MAX);
            posting::each(&run.pages, entry.posted, reader, |number| {
                patience.one_more()?;
                out.put(number.saturating_add(base))
            })?;
            version = entry.version;
        }
        out.end(term, version)?;
    }
    Ok(())
}
