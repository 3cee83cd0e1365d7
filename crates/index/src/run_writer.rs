//! Writing a run: first its rows, then its terms in order, then what is known only at the end.
//! Memory does not grow with the run but for its summary and for the steps of one list.

use std::sync::Arc;

use lineside_core::id::Version;

use crate::bloom::Bloom;
use crate::event::Row;
use crate::fault::Fault;
use crate::files::{Files, IndexFile};
use crate::page::{PAYLOAD_BYTES, PageWriter, pages_for};
use crate::posting::PostingWriter;
use crate::run::{DictEntry, ENTRY_BYTES, EVENTS_MAX, Header, name};
use crate::table::{self, GROUP, LINE_BYTES};
use crate::term::Term;

/// Writes the rows.
#[derive(Debug)]
pub(crate) struct TableWriter {
    file: Arc<dyn IndexFile>,
    run: u64,
    header: Header,
    directory: PageWriter,
    table: PageWriter,
    before: Option<Row>,
    rows: u64,
    scratch: Vec<u8>,
}

/// Writes the terms.
#[derive(Debug)]
pub(crate) struct TermWriter {
    file: Arc<dyn IndexFile>,
    run: u64,
    header: Header,
    dictionary: PageWriter,
    postings: PostingWriter,
    bloom: Bloom,
    fences: Vec<u64>,
    terms: u64,
}

impl TableWriter {
    /// A run of the events from `first` on, `count` of them.
    pub(crate) fn new(
        files: &dyn Files,
        run: u64,
        first: u64,
        count: u64,
    ) -> Result<TableWriter, Fault> {
        assert!((1..=EVENTS_MAX).contains(&count), "a run has an event, and not too many");
        let file = files.create(&name(run)).map_err(Fault::io("make a run"))?;
        let groups = count.div_ceil(u64::from(GROUP));
        let table = pages_for(groups.saturating_mul(LINE_BYTES)).saturating_add(1);
        let header = Header { first, count, directory: 1, table, ..Header::default() };
        let directory = PageWriter::new(file.clone(), run, header.directory);
        let table = PageWriter::new(file.clone(), run, table);
        let (before, scratch) = (None, Vec::new());
        Ok(TableWriter { file, run, header, directory, table, before, rows: 0, scratch })
    }

    /// The next row.
    pub(crate) fn put(&mut self, row: &Row) -> Result<(), Fault> {
        if self.rows.is_multiple_of(u64::from(GROUP)) {
            self.before = None;
            self.directory.put(&self.table.offset().to_le_bytes())?;
            self.directory.put(&row.stamp.0.to_le_bytes())?;
        }
        if self.rows == 0 {
            self.header.first_stamp = row.stamp;
        }
        self.scratch.clear();
        table::encode(self.before.as_ref(), row, &mut self.scratch);
        self.table.put(&self.scratch)?;
        self.before = Some(*row);
        self.rows = self.rows.saturating_add(1);
        self.header.last_stamp = row.stamp;
        Ok(())
    }

    /// Goes on to the terms, of which there will be so many.
    pub(crate) fn terms(mut self, terms: u64) -> Result<TermWriter, Fault> {
        assert!(self.rows == self.header.count, "a run has as many rows as was said");
        self.directory.finish()?;
        self.header.terms = terms;
        self.header.dictionary = self.table.finish()?;
        let entries = pages_for(terms.saturating_mul(ENTRY_BYTES));
        self.header.postings = self.header.dictionary.saturating_add(entries);
        let pages = |page| PageWriter::new(self.file.clone(), self.run, page);
        let postings = PostingWriter::new(pages(self.header.postings));
        let dictionary = pages(self.header.dictionary);
        let (file, run, header) = (self.file, self.run, self.header);
        let (bloom, fences) = (Bloom::new(terms), Vec::new());
        Ok(TermWriter { file, run, header, dictionary, postings, bloom, fences, terms: 0 })
    }
}

impl TermWriter {
    /// The next number of the term that comes next.
    pub(crate) fn put(&mut self, number: u32) -> Result<(), Fault> {
        self.postings.put(number)
    }

    /// The term whose numbers these were, higher than those before; and the version of the event
    /// of its last number.
    pub(crate) fn end(&mut self, term: Term, version: Version) -> Result<(), Fault> {
        let posted = self.postings.end()?;
        if self.terms.is_multiple_of(PAYLOAD_BYTES as u64 / ENTRY_BYTES) {
            self.fences.push(term.high);
        }
        self.terms = self.terms.saturating_add(1);
        self.bloom.add(term);
        self.dictionary.put(&DictEntry { term, posted, version }.encode())
    }

    /// Writes the rest, and makes the file's bytes durable; its name is not yet.
    pub(crate) fn finish(mut self) -> Result<(), Fault> {
        assert!(self.terms == self.header.terms, "a run has as many terms as was said");
        self.dictionary.finish()?;
        self.header.summary = self.postings.finish()?;
        let mut summary = PageWriter::new(self.file.clone(), self.run, self.header.summary);
        for word in self.bloom.words.iter().chain(&self.fences) {
            summary.put(&word.to_le_bytes())?;
        }
        self.header.end = summary.finish()?;
        let mut header = PageWriter::new(self.file.clone(), self.run, 0);
        header.put(&self.header.encode())?;
        header.finish()?;
        self.file.sync().map_err(Fault::io("make a run durable"))
    }
}
