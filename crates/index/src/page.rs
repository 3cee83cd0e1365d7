//! The pages of a run: 4,096 bytes, of which the last 16 say which page of which run this is and
//! hold a checksum, so that a flipped bit and a page in a wrong place are both seen.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4080 | payload |
//! | 4080..4088 | the run's id, little endian, like all numbers |
//! | 4088..4092 | the page's number in its file |
//! | 4092..4096 | CRC32C of all before |
//!
//! An *offset* counts payload only: offset 4080 is the first byte of page 1. 4080 is a multiple of
//! each fixed length that is looked up by its place (16 and 34), so none of these crosses a page.

use std::sync::Arc;

use crc_fast::crc32_iscsi;

use crate::cache::Cache;
use crate::fault::{Damage, Fault};
use crate::files::IndexFile;

/// Length of a page in bytes.
pub(crate) const PAGE_BYTES: usize = 4096;
/// What of a page is payload.
pub(crate) const PAYLOAD_BYTES: usize = 4080;
/// How much is gathered before it is written.
const WRITE_BYTES: usize = 16 * PAGE_BYTES;

/// The offset at which a page begins.
pub(crate) fn offset_of(page: u32) -> u64 {
    u64::from(page).saturating_mul(PAYLOAD_BYTES as u64)
}

/// How many pages hold this many bytes of payload.
pub(crate) fn pages_for(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PAYLOAD_BYTES as u64)).unwrap_or(u32::MAX)
}

/// The page of an offset, and where in it.
fn split(offset: u64) -> (u32, usize) {
    let page = u32::try_from(offset / PAYLOAD_BYTES as u64).unwrap_or(u32::MAX);
    (page, usize::try_from(offset % PAYLOAD_BYTES as u64).unwrap_or(0))
}

fn place_of(page: u32) -> u64 {
    u64::from(page).saturating_mul(PAGE_BYTES as u64)
}

/// Closes a page of which the payload is there.
pub(crate) fn seal(mut page: Vec<u8>, run: u64, number: u32) -> Vec<u8> {
    page.resize(PAYLOAD_BYTES, 0);
    page.extend(run.to_le_bytes());
    page.extend(number.to_le_bytes());
    let crc = crc32_iscsi(&page);
    page.extend(crc.to_le_bytes());
    page
}

/// The payload of a page, if it is that page of that run and whole.
pub(crate) fn payload(page: &[u8], run: u64, number: u32) -> Option<&[u8]> {
    let (content, crc) = page.split_last_chunk()?;
    let (rest, given_number) = content.split_last_chunk()?;
    let (payload, given_run) = rest.split_last_chunk()?;
    let same = u64::from_le_bytes(*given_run) == run
        && u32::from_le_bytes(*given_number) == number
        && u32::from_le_bytes(*crc) == crc32_iscsi(content);
    same.then_some(payload).filter(|payload| payload.len() == PAYLOAD_BYTES)
}

/// Writes consecutive pages of a run.
#[derive(Debug)]
pub(crate) struct PageWriter {
    file: Arc<dyn IndexFile>,
    run: u64,
    /// The page that is being filled.
    page: u32,
    filling: Vec<u8>,
    /// Whole pages, not written yet; they end where `page` begins.
    ready: Vec<u8>,
}

impl PageWriter {
    /// Writes from this page on.
    pub(crate) fn new(file: Arc<dyn IndexFile>, run: u64, page: u32) -> PageWriter {
        PageWriter { file, run, page, filling: Vec::new(), ready: Vec::new() }
    }

    /// Where the next byte will stand.
    pub(crate) fn offset(&self) -> u64 {
        offset_of(self.page).saturating_add(self.filling.len() as u64)
    }

    /// Writes bytes.
    pub(crate) fn put(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        loop {
            let room = PAYLOAD_BYTES.saturating_sub(self.filling.len());
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.filling.extend_from_slice(now);
            if self.filling.len() < PAYLOAD_BYTES {
                return Ok(());
            }
            self.close_page()?;
            bytes = later;
        }
    }

    /// Writes what is left, and says which page comes after it.
    pub(crate) fn finish(mut self) -> Result<u32, Fault> {
        if !self.filling.is_empty() {
            self.close_page()?;
        }
        self.write_ready()?;
        Ok(self.page)
    }

    fn close_page(&mut self) -> Result<(), Fault> {
        let mut page = seal(std::mem::take(&mut self.filling), self.run, self.page);
        self.ready.extend_from_slice(&page);
        page.clear();
        self.filling = page;
        self.page = self.page.saturating_add(1);
        if self.ready.len() < WRITE_BYTES {
            return Ok(());
        }
        self.write_ready()
    }

    fn write_ready(&mut self) -> Result<(), Fault> {
        let at = place_of(self.page).saturating_sub(self.ready.len() as u64);
        self.file.write_at(&self.ready, at).map_err(Fault::io("write a run"))?;
        self.ready.clear();
        Ok(())
    }
}

/// The pages of a run that is there.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) file: Arc<dyn IndexFile>,
    pub(crate) name: String,
    pub(crate) run: u64,
    pub(crate) cache: Arc<Cache>,
    /// Set for ever once something was found wrong with the run.
    damaged: std::sync::atomic::AtomicBool,
}

impl Pages {
    pub(crate) fn new(
        file: Arc<dyn IndexFile>,
        name: String,
        run: u64,
        cache: Arc<Cache>,
    ) -> Pages {
        Pages { file, name, run, cache, damaged: false.into() }
    }

    /// Whether something was found wrong with the run.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Notes that the run cannot be trusted, and why.
    pub(crate) fn damage(&self, why: impl Into<String>) -> Fault {
        self.damaged.store(true, std::sync::atomic::Ordering::Relaxed);
        Damage { file: self.name.clone(), why: why.into() }.into()
    }

    /// A page's payload.
    pub(crate) fn page(&self, number: u32, through: Through) -> Result<Arc<[u8]>, Fault> {
        match through {
            Through::Cache => self.cache.page(self.run, number, || self.read(number)),
            Through::Disk => self.read(number),
        }
    }

    fn read(&self, number: u32) -> Result<Arc<[u8]>, Fault> {
        let mut page = [0; PAGE_BYTES];
        // What a disk cannot read is as good as damaged: it is made anew elsewhere.
        let read = self.file.read_at(&mut page, place_of(number));
        read.map_err(|error| self.damage(format!("page {number} cannot be read: {error}")))?;
        let payload = payload(&page, self.run, number);
        let payload = payload.ok_or_else(|| self.damage(format!("page {number} is not whole")))?;
        Ok(Arc::from(payload))
    }
}

/// How pages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Through {
    /// For questions.
    Cache,
    /// For work that reads everything once, which would throw out what questions need.
    Disk,
}

/// Reads on from an offset, over the borders of pages.
#[derive(Debug)]
pub(crate) struct ByteReader<'a> {
    pages: &'a Pages,
    through: Through,
    page: Arc<[u8]>,
    number: u32,
    at: usize,
}

impl<'a> ByteReader<'a> {
    pub(crate) fn new(
        pages: &'a Pages,
        offset: u64,
        through: Through,
    ) -> Result<ByteReader<'a>, Fault> {
        let (number, at) = split(offset);
        let page = pages.page(number, through)?;
        Ok(ByteReader { pages, through, page, number, at })
    }

    /// Goes to an offset; the page stays if it is on it.
    pub(crate) fn go_to(&mut self, offset: u64) -> Result<(), Fault> {
        let (number, at) = split(offset);
        if number != self.number {
            self.page = self.pages.page(number, self.through)?;
            self.number = number;
        }
        self.at = at;
        Ok(())
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Fault> {
        if let Some(byte) = self.page.get(self.at) {
            self.at = self.at.saturating_add(1);
            return Ok(*byte);
        }
        self.go_to(offset_of(self.number.saturating_add(1)))?;
        self.at = 1;
        self.page.first().copied().ok_or_else(|| self.pages.damage("a page is empty"))
    }

    /// A number of one to ten bytes, seven bits in each, the lowest first.
    pub(crate) fn varint(&mut self) -> Result<u64, Fault> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        self.long_varint(u64::from(first & 0x7f))
    }

    fn long_varint(&mut self, mut value: u64) -> Result<u64, Fault> {
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.pages.damage("a number is too long"))
    }

    /// A [`ByteReader::varint`] that has to fit.
    pub(crate) fn small(&mut self) -> Result<u32, Fault> {
        u32::try_from(self.varint()?).map_err(|_| self.pages.damage("a number is too large"))
    }

    /// Bytes of a fixed length.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        // Almost always on one page; byte by byte, merging would take twice as long.
        if let Some(bytes) = self.page.get(self.at..).and_then(<[u8]>::first_chunk) {
            self.at = self.at.saturating_add(N);
            return Ok(*bytes);
        }
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }
}

/// Writes what [`ByteReader::varint`] reads.
pub(crate) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

fn low_byte(value: u64) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low
}
