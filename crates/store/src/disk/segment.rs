//! A segment: one file of the physical log, its name and its header.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, BufMut};
use lineside_engine::log::LogFault;

use super::file::{Disk, DiskFile};
use super::options::OpenError;
use super::write::{BLOCK_BYTES, Block, is_sealed, seal};

/// Where the first write of a segment stands: after the header.
pub(crate) const FIRST_OFFSET: u64 = BLOCK_BYTES as u64;

const MAGIC: [u8; 8] = *b"LINESIDE";
const VERSION: u16 = 1;
const KIND_LOG: u16 = 1;
const SUFFIX: &str = ".segment";
const SUFFIX_UNFINISHED: &str = ".segment.new";

/// Which segment: its number in the log, and the chance it was given when it was made. Both are in
/// each of its writes, so that bytes of another segment, or bytes that a client sent, are never
/// taken for a write of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentId {
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) salt: u64,
}

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) id: SegmentId,
    /// The number of its first write in the physical log; all before it are durable.
    pub(crate) first_write: u64,
    pub(crate) file: Arc<dyn DiskFile>,
    /// What a person calls it.
    place: String,
    /// Readers may read up to here.
    end: AtomicU64,
}

/// The name of the segment with this number.
pub(crate) fn name(number: u64) -> String {
    format!("{number:016x}{SUFFIX}")
}

/// The number of the segment that has this name, if it is a segment's.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let number = u64::from_str_radix(digits, 16).ok()?;
    (self::name(number) == name).then_some(number)
}

/// Whether this is what a crash left of making a segment.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.ends_with(SUFFIX_UNFINISHED)
}

impl Segment {
    /// Makes a segment, durable under its name when this returns. Until it is complete it has
    /// another name, so that a segment's header is never found half written.
    pub(crate) fn create(disk: &dyn Disk, number: u64, first_write: u64) -> io::Result<Segment> {
        let name = name(number);
        let unfinished = format!("{number:016x}{SUFFIX_UNFINISHED}");
        let id = SegmentId { number, salt: RandomState::new().hash_one(number) };
        let file = disk.create(&unfinished)?;
        file.write_at(&encode(id, first_write), 0)?;
        file.sync_all()?;
        disk.rename(&unfinished, &name)?;
        disk.sync_names()?;
        let end = AtomicU64::new(FIRST_OFFSET);
        Ok(Segment { id, first_write, file, place: disk.place(&name), end })
    }

    /// Opens the segment with this number and believes its header if it is whole.
    pub(crate) fn open(disk: &dyn Disk, number: u64) -> Result<Segment, OpenError> {
        let name = name(number);
        let place = disk.place(&name);
        let io_error = |source| OpenError::Io { what: format!("reading {place}"), source };
        let file = disk.open(&name).map_err(io_error)?;
        let mut block = [0; BLOCK_BYTES];
        let read = file.read_at(&mut block, 0).map_err(io_error)?;
        match decode(&block, number) {
            Ok((id, first_write)) if read == BLOCK_BYTES => {
                Ok(Segment { id, first_write, file, place, end: AtomicU64::new(FIRST_OFFSET) })
            }
            Ok(_) => Err(damaged(&place, 0, "the file is shorter than its header").into()),
            Err(what) => Err(damaged(&place, 0, &what).into()),
        }
    }

    /// Up to where the segment may be read.
    pub(crate) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Lets readers read up to `end`.
    pub(crate) fn set_end(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }

    /// The fault of bytes at `offset` that are not what was written.
    pub(crate) fn damaged(&self, offset: u64, what: &str) -> LogFault {
        damaged(&self.place, offset, what)
    }

    /// The fault of a read that failed.
    pub(crate) fn unreadable(&self, error: &io::Error) -> LogFault {
        LogFault::Io(format!("{}: {error}", self.place))
    }

    /// What a person calls this offset.
    pub(crate) fn place(&self, offset: u64) -> String {
        format!("{}, byte {offset}", self.place)
    }
}

fn damaged(place: &str, offset: u64, what: &str) -> LogFault {
    LogFault::Damaged { place: format!("{place}, byte {offset}"), what: what.to_owned() }
}

fn encode(id: SegmentId, first_write: u64) -> Block {
    let mut block = [0; BLOCK_BYTES];
    let mut out = block.as_mut_slice();
    out.put_slice(&MAGIC);
    out.put_u16_le(VERSION);
    out.put_u16_le(KIND_LOG);
    out.put_u32_le(0);
    out.put_u64_le(id.number);
    out.put_u64_le(id.salt);
    out.put_u64_le(first_write);
    seal(block)
}

fn decode(block: &Block, number: u64) -> Result<(SegmentId, u64), String> {
    let mut fields = block.as_slice();
    let magic = fields.copy_to_bytes(MAGIC.len());
    if magic.as_ref() != MAGIC {
        return Err("this is not the header of a segment".to_owned());
    }
    if !is_sealed(block) {
        return Err("the segment's header fails its checksum".to_owned());
    }
    let (version, kind, _) = (fields.get_u16_le(), fields.get_u16_le(), fields.get_u32_le());
    if (version, kind) != (VERSION, KIND_LOG) {
        return Err(format!(
            "version {version}, kind {kind}: this program reads version {VERSION}, kind {KIND_LOG}"
        ));
    }
    let id = SegmentId { number: fields.get_u64_le(), salt: fields.get_u64_le() };
    if id.number != number {
        return Err(format!("the header says segment {}, the name {number}", id.number));
    }
    Ok((id, fields.get_u64_le()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_only_as_it_is_written() {
        assert_eq!(number(&name(0x1f)), Some(0x1f));
        assert_eq!(number("000000000000001f.segment.new"), None);
        assert_eq!(number("000000000000001F.segment"), None);
        assert_eq!(number("1f.segment"), None);
        assert_eq!(number("+00000000000001f.segment"), None);
    }

    #[test]
    fn a_header_reads_back_and_each_flipped_bit_is_seen() {
        let id = SegmentId { number: 7, salt: 0x0123_4567_89ab_cdef };
        let block = encode(id, 99);
        assert_eq!(decode(&block, 7), Ok((id, 99)));
        assert!(decode(&block, 8).is_err());
        for bit in 0..block.len() * 8 {
            let mut flipped = block;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped, 7).is_err(), "bit {bit}");
        }
    }
}
