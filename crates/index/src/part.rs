//! The newest events, in memory until they are written as a run.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::event::{Indexed, Row};
use crate::fault::Fault;
use crate::files::Files;
use crate::run_writer::TableWriter;
use crate::term::{Term, terms_of};

/// The numbers of a term, ascending, relative to the part's first. Most streams have one event in
/// a part, and that needs no room of its own.
#[derive(Debug)]
enum Numbers {
    One(u32),
    Many(Vec<u32>),
}

impl Numbers {
    fn push(&mut self, number: u32) {
        match self {
            Numbers::One(first) => *self = Numbers::Many(vec![*first, number]),
            Numbers::Many(numbers) => numbers.push(number),
        }
    }

    fn as_slice(&self) -> &[u32] {
        match self {
            Numbers::One(number) => std::slice::from_ref(number),
            Numbers::Many(numbers) => numbers,
        }
    }
}

/// What a part holds.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) rows: Vec<Row>,
    lists: HashMap<Term, Numbers>,
}

/// Consecutive events in memory. It grows while it is the newest part and never changes otherwise;
/// who reads it passes over what came later than he looks at.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) first: u64,
    content: RwLock<Content>,
}

impl Part {
    /// An empty part whose first event will have this number.
    pub(crate) fn new(first: u64) -> Part {
        Part { first, content: RwLock::default() }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Content> {
        // Nothing between two changes of a part can panic halfway but for want of memory.
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn len(&self) -> usize {
        self.read().rows.len()
    }

    /// The number of the last event; that before the first if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.first.saturating_add(self.len() as u64).saturating_sub(1)
    }

    /// Adds the events that follow.
    pub(crate) fn add(&self, events: &[Indexed<'_>]) {
        let mut content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        let mut terms = Vec::new();
        for event in events {
            let number = u32::try_from(content.rows.len());
            assert!(number.is_ok(), "a part is written long before it has 2^32 events");
            terms_of(event, &mut terms);
            for term in &terms {
                content.post(*term, number.unwrap_or(u32::MAX));
            }
            content.rows.push(event.row());
        }
    }

    /// Writes it as a run. Numbers that others add meanwhile are no part of it, so it has to be
    /// one that nobody adds to.
    pub(crate) fn write(&self, files: &dyn Files, run: u64) -> Result<(), Fault> {
        let content = self.read();
        let mut table = TableWriter::new(files, run, self.first, content.rows.len() as u64)?;
        content.rows.iter().try_for_each(|row| table.put(row))?;
        let mut lists: Vec<(&Term, &Numbers)> = content.lists.iter().collect();
        lists.sort_unstable_by_key(|(term, _)| **term);
        let mut out = table.terms(lists.len() as u64)?;
        for (term, numbers) in lists {
            numbers.as_slice().iter().try_for_each(|number| out.put(*number))?;
            let last = numbers.as_slice().last().and_then(|number| content.row(*number));
            out.end(*term, last.map(|row| row.version).unwrap_or_default())?;
        }
        out.finish()
    }
}

impl Content {
    fn post(&mut self, term: Term, number: u32) {
        let posted = self.lists.entry(term).and_modify(|numbers| numbers.push(number));
        posted.or_insert(Numbers::One(number));
    }

    /// The numbers of a term.
    pub(crate) fn list(&self, term: Term) -> Option<&[u32]> {
        self.lists.get(&term).map(Numbers::as_slice)
    }

    /// What is kept of an event, by its number relative to the first.
    pub(crate) fn row(&self, number: u32) -> Option<&Row> {
        self.rows.get(number as usize)
    }
}
