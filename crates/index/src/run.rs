//! A run: the index of a contiguous range of event numbers, in one file that never changes.
//!
//! Pages (see [`crate::page`]), in this order:
//!
//! | part | what |
//! |---|---|
//! | header, page 0 | see [`Header`] |
//! | directory | a line for each group of the table |
//! | table | what is kept of each event ([`crate::table`]) |
//! | dictionary | an entry of 34 bytes for each term, sorted ([`DictEntry`]) |
//! | postings | which events have a term ([`crate::posting`]) |
//! | summary | the filter's words, then the high half of the first term of each page of the dictionary; 8 bytes each |
//!
//! The summary is held in memory: 1.33 bytes for each term. So a term that is not in the run costs
//! no look at the disk, and one that is costs one page of the dictionary.

use std::sync::Arc;

use lineside_core::id::Version;
use lineside_core::stamp::Stamp;

use crate::bloom::{Bloom, words_for};
use crate::cache::Cache;
use crate::event::Row;
use crate::fault::{Damage, Fault};
use crate::files::Files;
use crate::page::{ByteReader, PAGE_BYTES, PAYLOAD_BYTES, Pages, Through, offset_of, pages_for};
use crate::posting::{Posted, Stored};
use crate::table::{self, GROUP, LINE_BYTES};
use crate::term::Term;

const MAGIC: [u8; 8] = *b"LSEVENTS";
/// The version of the format of runs; one of another version is made anew.
const VERSION: u32 = 1;
const SUFFIX: &str = ".run";
/// Length of an entry of the dictionary, in bytes.
const ENTRY: usize = 34;
/// The same, as lengths in a file are counted.
pub(crate) const ENTRY_BYTES: u64 = ENTRY as u64;
const ENTRIES_PER_PAGE: u64 = PAYLOAD_BYTES as u64 / ENTRY_BYTES;
/// How many events a run has at most: numbers inside it take 32 bits, one of them for a flag.
pub(crate) const EVENTS_MAX: u64 = 1 << 31;

/// The name of the run with this id.
pub(crate) fn name(id: u64) -> String {
    format!("{id:016x}{SUFFIX}")
}

/// The id of the run of this name, if it is a run's.
pub(crate) fn id(name: &str) -> Option<u64> {
    let id = u64::from_str_radix(name.strip_suffix(SUFFIX)?, 16).ok()?;
    (self::name(id) == name).then_some(id)
}

/// The first page. Behind the magic and the version (4 bytes), in this order; numbers of pages
/// take 4 bytes, all else 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// The number of the first event.
    pub(crate) first: u64,
    /// How many events, at least 1.
    pub(crate) count: u64,
    /// How many terms.
    pub(crate) terms: u64,
    pub(crate) first_stamp: Stamp,
    pub(crate) last_stamp: Stamp,
    /// Where the parts begin.
    pub(crate) directory: u32,
    pub(crate) table: u32,
    pub(crate) dictionary: u32,
    pub(crate) postings: u32,
    pub(crate) summary: u32,
    /// How many pages the file has.
    pub(crate) end: u32,
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        let long = [self.first, self.count, self.terms, self.first_stamp.0, self.last_stamp.0];
        out.extend(long.into_iter().flat_map(u64::to_le_bytes));
        let pages = [self.directory, self.table, self.dictionary, self.postings, self.summary];
        out.extend(pages.into_iter().chain([self.end]).flat_map(u32::to_le_bytes));
        out
    }

    fn decode(pages: &Pages) -> Result<Header, Fault> {
        let mut reader = ByteReader::new(pages, 0, Through::Disk)?;
        if reader.fixed()? != MAGIC || u32::from_le_bytes(reader.fixed()?) != VERSION {
            return Err(pages.damage("it is not a run of a version that this program knows"));
        }
        let mut long = || reader.fixed().map(u64::from_le_bytes);
        let [first, count, terms] = [long()?, long()?, long()?];
        let [first_stamp, last_stamp] = [Stamp(long()?), Stamp(long()?)];
        let mut page = || reader.fixed().map(u32::from_le_bytes);
        let [directory, table, dictionary] = [page()?, page()?, page()?];
        let [postings, summary, end] = [page()?, page()?, page()?];
        Ok(Header {
            first,
            count,
            terms,
            first_stamp,
            last_stamp,
            directory,
            table,
            dictionary,
            postings,
            summary,
            end,
        })
    }

    /// How many bytes the summary has.
    fn summary_bytes(&self) -> u64 {
        words_for(self.terms).saturating_add(self.fences()).saturating_mul(8)
    }

    fn fences(&self) -> u64 {
        self.terms.div_ceil(ENTRIES_PER_PAGE)
    }

    /// Whether the parts lie one behind the other as their sizes say, so that whoever reads a part
    /// by its place stays inside it.
    fn is_sound(&self, file_bytes: u64) -> bool {
        let groups = self.count.div_ceil(u64::from(GROUP));
        let after = |page: u32, bytes: u64| page.checked_add(pages_for(bytes));
        (1..=EVENTS_MAX).contains(&self.count)
            && self.first.checked_add(self.count).is_some()
            && self.terms <= 1 << 40
            && self.directory == 1
            && after(1, groups.saturating_mul(LINE_BYTES)) == Some(self.table)
            && self.table <= self.dictionary
            && after(self.dictionary, self.terms.saturating_mul(ENTRY_BYTES)) == Some(self.postings)
            && self.postings <= self.summary
            && after(self.summary, self.summary_bytes()) == Some(self.end)
            && u64::from(self.end).saturating_mul(PAGE_BYTES as u64) == file_bytes
    }
}

/// A term's entry in the dictionary: the two halves of the term, then how many postings it has (4
/// bytes) and the last of them (4), where they are (5), and the version that the last one's event
/// has in its stream (5), which for a stream's term is the version of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DictEntry {
    pub(crate) term: Term,
    pub(crate) posted: Posted,
    pub(crate) version: Version,
}

/// Where what has 5 bytes ends.
const FIVE_BYTES: u64 = 1 << 40;

impl DictEntry {
    pub(crate) fn encode(&self) -> [u8; ENTRY] {
        let Posted { at, count, last } = self.posted;
        let version = self.version.0;
        assert!(at < FIVE_BYTES, "a run is smaller than 1 TiB");
        assert!(
            version < FIVE_BYTES,
            "a stream has fewer than 2^40 events, each appended one by one"
        );
        let mut out = [0; ENTRY];
        let (words, rest) = out.as_chunks_mut();
        let counts = u64::from(last) << 32 | u64::from(count);
        let mixed = version << 40 | at;
        let values = [self.term.high, self.term.low, counts, mixed];
        words.iter_mut().zip(values).for_each(|(word, value)| *word = value.to_le_bytes());
        let [_, _, _, high @ ..] = version.to_le_bytes();
        rest.iter_mut().zip(high).for_each(|(place, byte)| *place = byte);
        out
    }

    fn decode(reader: &mut ByteReader<'_>) -> Result<DictEntry, Fault> {
        let bytes: [u8; ENTRY] = reader.fixed()?;
        let (words, rest) = bytes.as_chunks();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        let mut word = || words.next().unwrap_or_default();
        let (term, (count, last), mixed) =
            (Term { high: word(), low: word() }, unpair(word()), word());
        // Five bytes of the fourth word, and its three others with the two that are left.
        let at = mixed & (FIVE_BYTES - 1);
        let more = rest.first_chunk().map_or(0, |rest| u64::from(u16::from_le_bytes(*rest)));
        let version = Version(mixed >> 40 | more << 24);
        Ok(DictEntry { term, posted: Posted { at, count, last }, version })
    }
}

fn unpair(word: u64) -> (u32, u32) {
    let half = |word: u64| u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0);
    (half(word), half(word >> 32))
}

/// A run that is open.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) pages: Pages,
    pub(crate) header: Header,
    bloom: Bloom,
    /// The high half of the first term of each page of the dictionary.
    fences: Vec<u64>,
}

impl Run {
    /// Opens a run, and looks at its header and its summary; the other pages are looked at when
    /// they are read.
    pub(crate) fn open(files: &dyn Files, cache: &Arc<Cache>, id: u64) -> Result<Run, Fault> {
        let name = name(id);
        let missing = || Damage { file: name.clone(), why: "it is missing".to_owned() };
        let file = match files.open(&name) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing())?,
            // Too many open files, say, is no reason to make a good run anew.
            opened => opened.map_err(Fault::io("open a run"))?,
        };
        let len = file.len().map_err(Fault::io("open a run"))?;
        let pages = Pages::new(file, name, id, cache.clone());
        let header = Header::decode(&pages)?;
        if !header.is_sound(len) {
            return Err(pages.damage("its header and its length do not fit"));
        }
        let mut reader = ByteReader::new(&pages, offset_of(header.summary), Through::Disk)?;
        let mut words = |count: u64| -> Result<Vec<u64>, Fault> {
            (0..count).map(|_| read_u64(&mut reader)).collect()
        };
        let bloom = Bloom { words: words(words_for(header.terms))? };
        let fences = words(header.fences())?;
        Ok(Run { pages, header, bloom, fences })
    }

    /// The number of the first event.
    pub(crate) fn first(&self) -> u64 {
        self.header.first
    }

    /// The number of the last event.
    pub(crate) fn last(&self) -> u64 {
        self.header.first.saturating_add(self.header.count).saturating_sub(1)
    }

    /// What is said of a term, if any event has it.
    pub(crate) fn entry(&self, term: Term) -> Result<Option<DictEntry>, Fault> {
        if !self.bloom.may_have(term) {
            return Ok(None);
        }
        // From the page before the first fence like it, where entries with the same high half may
        // begin, up to the first fence beyond it. With hashes this is one page.
        let page = self.fences.partition_point(|fence| *fence < term.high).saturating_sub(1);
        let end = self.fences.partition_point(|fence| *fence <= term.high);
        let entries = |pages: usize| (pages as u64).saturating_mul(ENTRIES_PER_PAGE);
        let end = entries(end).min(self.header.terms);
        let found = self.lower_bound(term, entries(page), end)?;
        Ok(found.filter(|entry| entry.term == term))
    }

    /// The first entry at or after a term, from the entry `low` up to but not with `end`.
    fn lower_bound(&self, term: Term, low: u64, end: u64) -> Result<Option<DictEntry>, Fault> {
        if low >= end {
            return Ok(None);
        }
        let mut reader = self.dictionary(low, Through::Cache)?;
        let (mut low, mut high) = (low, end);
        while low < high {
            let middle = low.midpoint(high);
            let is_before = self.entry_at(&mut reader, middle)?.term < term;
            (low, high) = if is_before { (middle.saturating_add(1), high) } else { (low, middle) };
        }
        if low < end { self.entry_at(&mut reader, low).map(Some) } else { Ok(None) }
    }

    fn entry_at(&self, reader: &mut ByteReader<'_>, index: u64) -> Result<DictEntry, Fault> {
        reader.go_to(self.entry_offset(index))?;
        DictEntry::decode(reader)
    }

    fn entry_offset(&self, index: u64) -> u64 {
        offset_of(self.header.dictionary).saturating_add(index.saturating_mul(ENTRY_BYTES))
    }

    fn dictionary(&self, index: u64, through: Through) -> Result<ByteReader<'_>, Fault> {
        ByteReader::new(&self.pages, self.entry_offset(index), through)
    }

    /// The list of a term.
    pub(crate) fn list(&self, term: Term) -> Result<Option<Stored<'_>>, Fault> {
        let entry = self.entry(term)?;
        Ok(entry.map(|entry| Stored::new(&self.pages, entry.posted, Through::Cache)))
    }

    /// All entries in order, for merging.
    pub(crate) fn entries(&self) -> Result<Entries<'_>, Fault> {
        let reader = self.dictionary(0, Through::Disk)?;
        Ok(Entries { reader, left: self.header.terms })
    }

    /// Where a group of rows lies, and the stamp of its first.
    fn line(&self, group: u32) -> Result<(u64, Stamp), Fault> {
        let at = u64::from(group).saturating_mul(LINE_BYTES);
        let at = offset_of(self.header.directory).saturating_add(at);
        let mut reader = ByteReader::new(&self.pages, at, Through::Cache)?;
        Ok((read_u64(&mut reader)?, Stamp(read_u64(&mut reader)?)))
    }

    /// The rows of a group.
    pub(crate) fn group(&self, group: u32) -> Result<Vec<Row>, Fault> {
        let (offset, _) = self.line(group)?;
        let mut reader = ByteReader::new(&self.pages, offset, Through::Cache)?;
        let before = u64::from(group).saturating_mul(u64::from(GROUP));
        let len = self.header.count.saturating_sub(before).min(u64::from(GROUP));
        let mut rows: Vec<Row> = Vec::with_capacity(GROUP as usize);
        for _ in 0..len {
            let row = table::decode(rows.last(), &mut reader)?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// The row of an event, by its number relative to the first.
    pub(crate) fn row(&self, number: u32) -> Result<Row, Fault> {
        if u64::from(number) >= self.header.count {
            return Err(self.pages.damage("an event's number is beyond its end"));
        }
        let (offset, _) = self.line(number / GROUP)?;
        let mut reader = ByteReader::new(&self.pages, offset, Through::Cache)?;
        let mut row = table::decode(None, &mut reader)?;
        for _ in 0..number % GROUP {
            row = table::decode(Some(&row), &mut reader)?;
        }
        Ok(row)
    }

    /// All rows in order, for merging.
    pub(crate) fn rows(&self) -> Result<Rows<'_>, Fault> {
        let reader = ByteReader::new(&self.pages, offset_of(self.header.table), Through::Disk)?;
        Ok(Rows { reader, before: None, number: 0, count: self.header.count })
    }

    /// How many events were recorded at or before a stamp. Stamps do not decrease along a log.
    pub(crate) fn recorded_by(&self, stamp: Stamp) -> Result<u64, Fault> {
        if stamp < self.header.first_stamp {
            return Ok(0);
        }
        let groups = self.header.count.div_ceil(u64::from(GROUP));
        let (mut low, mut high): (u32, u32) = (0, u32::try_from(groups).unwrap_or(u32::MAX));
        // The last group that begins at or before the stamp; the first one does.
        while low.saturating_add(1) < high {
            let middle = low.midpoint(high);
            let is_by = self.line(middle)?.1 <= stamp;
            *(if is_by { &mut low } else { &mut high }) = middle;
        }
        let inside = self.group(low)?.partition_point(|row| row.stamp <= stamp) as u64;
        Ok(u64::from(low).saturating_mul(u64::from(GROUP)).saturating_add(inside))
    }
}

fn read_u64(reader: &mut ByteReader<'_>) -> Result<u64, Fault> {
    reader.fixed().map(u64::from_le_bytes)
}

/// The entries of a dictionary one after another.
#[derive(Debug)]
pub(crate) struct Entries<'a> {
    reader: ByteReader<'a>,
    left: u64,
}

impl Entries<'_> {
    pub(crate) fn next(&mut self) -> Result<Option<DictEntry>, Fault> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left = self.left.saturating_sub(1);
        DictEntry::decode(&mut self.reader).map(Some)
    }
}

/// The rows of a table one after another.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    reader: ByteReader<'a>,
    before: Option<Row>,
    number: u64,
    count: u64,
}

impl Rows<'_> {
    pub(crate) fn next(&mut self) -> Result<Option<Row>, Fault> {
        if self.number == self.count {
            return Ok(None);
        }
        if self.number.is_multiple_of(u64::from(GROUP)) {
            self.before = None;
        }
        let row = table::decode(self.before.as_ref(), &mut self.reader)?;
        self.before = Some(row);
        self.number = self.number.saturating_add(1);
        Ok(Some(row))
    }
}
