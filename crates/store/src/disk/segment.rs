//! A segment: one file of the physical log, its name and its header.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, BufMut};
use crc_fast::crc32_iscsi;
use lineside_engine::log::LogFault;

use super::aside::Aside;
use super::file::{Disk, DiskFile};
use super::starts::{Starts, TABLE_BYTES_MAX};
use super::write::{ALIGNMENT, BLOCK_BYTES, Block, is_sealed, seal};

/// The first bytes of each file.
pub(crate) const MAGIC: [u8; 8] = *b"LINESIDE";
/// The version of the format that segments are written in. Version 1 knew no bodies that are kept;
/// what is written is put behind such a segment, and not into it.
pub(crate) const VERSION: u16 = 2;
const FIRST_VERSION: u16 = 1;
const KIND_LOG: u16 = 1;
const SUFFIX: &str = ".segment";
const SUFFIX_UNFINISHED: &str = ".segment.new";

const HAS_TABLE: u32 = 1;
const REWRITTEN: u32 = 2;
const OTHERS_DOUBTFUL: u32 = 4;

/// Which segment: its number in the log, and the chance it was given when it was made. Both are in
/// each of its writes, so that bytes of another segment, or bytes that a client sent, are never
/// taken for a write of this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SegmentId {
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) salt: u64,
}

/// What a segment says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) id: SegmentId,
    pub(crate) version: u16,
    /// The last segment that this one stands for: itself, unless compaction joined several.
    pub(crate) through: u64,
    /// The number of its first write in the physical log; all before it are durable.
    pub(crate) first_write: u64,
    /// Compaction or repair took batches out: positions may be missing.
    pub(crate) rewritten: bool,
    /// Where each partition stands at its beginning, if it says so and the table is whole. One that
    /// an early build made does not say.
    pub(crate) starts: Option<Starts>,
    /// It says so, and the table is not whole.
    pub(crate) has_lost_table: bool,
    /// Where its first write stands.
    pub(crate) first_offset: u64,
}

/// Why a segment's header is not believed.
#[derive(Debug)]
pub(crate) enum HeaderFault {
    Io(io::Error),
    /// It is not what was written.
    Broken(String),
    /// A later version made it.
    Newer(String),
}

impl From<io::Error> for HeaderFault {
    fn from(error: io::Error) -> HeaderFault {
        HeaderFault::Io(error)
    }
}

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) header: Header,
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

/// The name of a segment that is being made.
pub(crate) fn unfinished(number: u64) -> String {
    format!("{number:016x}{SUFFIX_UNFINISHED}")
}

/// Whether this is what a crash left of making a segment.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.ends_with(SUFFIX_UNFINISHED)
}

impl Header {
    /// The header of a new segment; its salt is drawn here.
    pub(crate) fn new(number: u64, first_write: u64, starts: Starts) -> Header {
        let id = SegmentId { number, salt: RandomState::new().hash_one(number) };
        let mut header = Header {
            id,
            version: VERSION,
            through: number,
            first_write,
            rewritten: false,
            starts: Some(starts),
            has_lost_table: false,
            first_offset: 0,
        };
        header.first_offset = header.encode().len() as u64;
        header
    }

    /// The header of what takes this segment's place, and that of those after it up to `through`.
    pub(crate) fn rewritten(&self, through: u64, starts: Starts) -> Header {
        let header = Header::new(self.id.number, self.first_write, starts);
        Header { through, rewritten: true, ..header }
    }

    /// The block and the table behind it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let others = self.starts.as_ref().is_some_and(|starts| starts.others_doubtful);
        let flags = [
            (self.starts.is_some(), HAS_TABLE),
            (self.rewritten, REWRITTEN),
            (others, OTHERS_DOUBTFUL),
        ];
        let flags = flags.iter().filter(|(set, _)| *set).fold(0, |all, (_, flag)| all | flag);
        let table = self.starts.as_ref().map(Starts::encode).unwrap_or_default();
        let mut block = [0; BLOCK_BYTES];
        let mut out = block.as_mut_slice();
        out.put_slice(&MAGIC);
        out.put_u16_le(self.version);
        out.put_u16_le(KIND_LOG);
        out.put_u32_le(flags);
        out.put_u64_le(self.id.number);
        out.put_u64_le(self.id.salt);
        out.put_u64_le(self.first_write);
        out.put_u64_le(self.through);
        out.put_u32_le(u32::try_from(table.len()).unwrap_or(0));
        out.put_u32_le(crc32_iscsi(&table));
        let mut bytes = seal(block).to_vec();
        bytes.extend_from_slice(&table);
        bytes
    }

    /// Reads the header of the segment with this number, and its table.
    pub(crate) fn read(file: &dyn DiskFile, number: u64) -> Result<Header, HeaderFault> {
        let mut block = [0; BLOCK_BYTES];
        if file.read_at(&mut block, 0)? < BLOCK_BYTES {
            return Err(HeaderFault::Broken("the file is shorter than its header".to_owned()));
        }
        let (mut header, flags, table) = decode(&block, number)?;
        if flags & HAS_TABLE != 0 {
            header.starts = read_table(file, table, flags & OTHERS_DOUBTFUL != 0)?;
            header.has_lost_table = header.starts.is_none();
        }
        Ok(header)
    }
}

/// The table's length in bytes and its checksum.
type TableSeal = (u32, u32);

/// A table that is not whole is none: what it says can be had from the segments before.
fn read_table(
    file: &dyn DiskFile,
    (len, crc): TableSeal,
    others_doubtful: bool,
) -> io::Result<Option<Starts>> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    let read = file.read_at(&mut bytes, BLOCK_BYTES as u64)?;
    let whole = read == bytes.len() && crc32_iscsi(&bytes) == crc;
    Ok(whole.then(|| Starts::decode(&bytes, others_doubtful)))
}

fn decode(block: &Block, number: u64) -> Result<(Header, u32, TableSeal), HeaderFault> {
    let broken = |what: &str| HeaderFault::Broken(what.to_owned());
    let mut fields = block.as_slice();
    let magic = fields.copy_to_bytes(MAGIC.len());
    if magic.as_ref() != MAGIC {
        return Err(broken("this is not the header of a segment"));
    }
    if !is_sealed(block) {
        return Err(broken("the segment's header fails its checksum"));
    }
    let (version, kind, flags) = (fields.get_u16_le(), fields.get_u16_le(), fields.get_u32_le());
    if version > VERSION || flags & !(HAS_TABLE | REWRITTEN | OTHERS_DOUBTFUL) != 0 {
        return Err(HeaderFault::Newer(format!(
            "it was made by a newer version of Lineside (version {version} of the format, flags \
             {flags}; this program knows version {VERSION}): use that version, or another data \
             directory"
        )));
    }
    if version < FIRST_VERSION || kind != KIND_LOG {
        return Err(broken(&format!("version {version}, kind {kind}: this is not a segment")));
    }
    let id = SegmentId { number: fields.get_u64_le(), salt: fields.get_u64_le() };
    if id.number != number {
        return Err(broken(&format!("the header says segment {}, the name {number}", id.number)));
    }
    let (first_write, through) = (fields.get_u64_le(), fields.get_u64_le());
    let (len, crc) = (fields.get_u32_le(), fields.get_u32_le());
    if len > TABLE_BYTES_MAX || !u64::from(len).is_multiple_of(ALIGNMENT) || first_write == 0 {
        return Err(broken("a length or number that cannot be"));
    }
    let header = Header {
        id,
        version,
        // The first build had no such field.
        through: through.max(number),
        first_write,
        rewritten: flags & REWRITTEN != 0,
        starts: None,
        has_lost_table: false,
        first_offset: u64::from(len).saturating_add(BLOCK_BYTES as u64),
    };
    Ok((header, flags, (len, crc)))
}

impl Segment {
    /// Makes a segment, durable under its name when this returns. Until it is complete it has
    /// another name, so that a segment's header is never found half written.
    pub(crate) fn create(disk: &dyn Disk, header: Header) -> io::Result<Segment> {
        let number = header.id.number;
        let mut aside = Aside::create(disk, unfinished(number))?;
        aside.push(&header.encode())?;
        let file = aside.finish(&name(number))?;
        let end = AtomicU64::new(header.first_offset);
        Ok(Segment { header, file, place: disk.place(&name(number)), end })
    }

    /// Opens the segment with this number and believes its header if it is whole. All of the file
    /// may be read.
    pub(crate) fn open(disk: &dyn Disk, number: u64) -> Result<Segment, HeaderFault> {
        let name = name(number);
        let file = disk.open(&name)?;
        let header = Header::read(file.as_ref(), number)?;
        let end = AtomicU64::new(file.len()?);
        Ok(Segment { header, file, place: disk.place(&name), end })
    }

    /// Whether a version of the format before this one made it.
    pub(crate) fn is_of_old(&self) -> bool {
        self.header.version < VERSION
    }

    /// Which.
    pub(crate) fn id(&self) -> SegmentId {
        self.header.id
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

/// The fault of bytes at `offset` of a file that are not what was written.
pub(crate) fn damaged(place: &str, offset: u64, what: &str) -> LogFault {
    LogFault::Damaged { place: format!("{place}, byte {offset}"), what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use lineside_core::id::{PartitionId, Position};

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
        let mut starts = Starts::default();
        starts.reach(PartitionId(3), Position(9));
        let first = Header::new(7, 99, starts.clone());
        let header = first.rewritten(9, starts);
        assert!(header.id.salt != first.id.salt && header.rewritten && header.through == 9);
        let bytes = header.encode();
        let block: Block = *bytes.first_chunk().unwrap();
        let (read, flags, (len, crc)) = decode(&block, 7).unwrap();
        assert_eq!((flags, len, crc), (3, 16, crc32_iscsi(&bytes[64..])));
        assert_eq!(Header { starts: header.starts.clone(), ..read }, header);
        assert!(decode(&block, 8).is_err());
        for bit in 0..block.len() * 8 {
            let mut flipped = block;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped, 7).is_err(), "bit {bit}");
        }
    }
}
