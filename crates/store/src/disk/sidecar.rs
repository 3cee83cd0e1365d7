//! The index of a segment as a file beside it. It can be had from the segment, so its name is not
//! made durable, and one that is missing, damaged or of another segment is made anew.

use std::io;

use bytes::{Buf, BufMut};
use crc_fast::crc32_iscsi;
use lineside_core::id::{PartitionId, Place, Position};

use super::file::Disk;
use super::index::{Outside, SegmentIndex, Share};
use super::segment::{MAGIC, SegmentId};
use super::write::{BLOCK_BYTES, Block, is_sealed, seal};

const VERSION: u16 = 1;
const KIND_INDEX: u16 = 3;
const SUFFIX: &str = ".index";
const SUFFIX_UNFINISHED: &str = ".index.new";
/// Length of a partition's head, in bytes.
const HEAD_BYTES: usize = 40;
/// Length of what is said of a body that lies outside, in bytes.
const OUTSIDE_BYTES: usize = 16;
const HAS_STEPS: u16 = 1;
const HAS_OUTSIDE: u16 = 2;
const HAS_KEPT: u16 = 4;
/// In the length of a body that lies outside; no body is so long.
const KEPT: u32 = 1 << 31;

/// The index of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sidecar {
    pub(crate) segment: SegmentId,
    /// Where its last write ends.
    pub(crate) end: u64,
    pub(crate) index: SegmentIndex,
}

/// The name of the index of the segment with this number.
pub(crate) fn name(number: u64) -> String {
    format!("{number:016x}{SUFFIX}")
}

/// The number of the segment whose index has this name, if it is an index's.
pub(crate) fn number(name: &str) -> Option<u64> {
    let number = u64::from_str_radix(name.strip_suffix(SUFFIX)?, 16).ok()?;
    (self::name(number) == name).then_some(number)
}

/// Whether this is what a crash left of making an index.
pub(crate) fn is_unfinished(name: &str) -> bool {
    name.ends_with(SUFFIX_UNFINISHED)
}

impl Sidecar {
    /// Writes it beside its segment.
    pub(crate) fn store(&self, disk: &dyn Disk) -> io::Result<()> {
        let name = name(self.segment.number);
        let unfinished = format!("{name}.new");
        let file = disk.create(&unfinished)?;
        // Synced, so that after a power cut one that is not whole is damaged and nothing else.
        let written = file.write_at(&self.encode(), 0).and_then(|()| file.sync_data());
        let renamed = written.and_then(|()| disk.rename(&unfinished, &name));
        renamed.inspect_err(|_| drop(disk.remove(&unfinished)))
    }

    /// Reads that of the segment; `None` if there is none, or not a good one.
    pub(crate) fn load(disk: &dyn Disk, segment: SegmentId) -> io::Result<Option<Sidecar>> {
        let sidecar = match Sidecar::read(disk, segment.number) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?.ok(),
        };
        Ok(sidecar.filter(|sidecar| sidecar.segment == segment))
    }

    /// Reads that of the segment with this number, or says what is wrong with it.
    pub(crate) fn read(disk: &dyn Disk, number: u64) -> io::Result<Result<Sidecar, String>> {
        let file = disk.open(&name(number))?;
        let mut bytes = vec![0; usize::try_from(file.len()?).unwrap_or(0)];
        let read = file.read_at(&mut bytes, 0)?;
        bytes.truncate(read);
        Ok(Sidecar::decode(&bytes))
    }

    fn encode(&self) -> Vec<u8> {
        let mut content = Vec::new();
        content.put_u64_le(self.end);
        content.put_u64_le(self.index.partitions.len() as u64);
        for (partition, share) in &self.index.partitions {
            encode_share(*partition, share, &mut content);
        }
        let mut block = [0; BLOCK_BYTES];
        let mut out = block.as_mut_slice();
        out.put_slice(&MAGIC);
        out.put_u16_le(VERSION);
        out.put_u16_le(KIND_INDEX);
        out.put_u32_le(0);
        out.put_u64_le(self.segment.number);
        out.put_u64_le(self.segment.salt);
        out.put_u64_le(content.len() as u64);
        out.put_u32_le(crc32_iscsi(&content));
        let mut bytes = seal(block).to_vec();
        bytes.append(&mut content);
        bytes
    }

    /// Reads the bytes of an index, or says what is wrong with them.
    fn decode(bytes: &[u8]) -> Result<Sidecar, String> {
        let (block, content) = bytes.split_first_chunk().ok_or("it is shorter than its header")?;
        let (segment, len, crc) = decode_header(block)?;
        if content.len() as u64 != len || crc32_iscsi(content) != crc {
            return Err("its content fails its checksum".to_owned());
        }
        let mut rest = content;
        let (end, count) = (take_u64(&mut rest)?, take_u64(&mut rest)?);
        let mut index = SegmentIndex::default();
        for _ in 0..count {
            let (partition, share) = decode_share(&mut rest)?;
            index.partitions.insert(partition, share);
        }
        Ok(Sidecar { segment, end, index })
    }
}

fn decode_header(block: &Block) -> Result<(SegmentId, u64, u32), String> {
    let mut fields = block.as_slice();
    let magic = fields.copy_to_bytes(MAGIC.len());
    if magic.as_ref() != MAGIC || !is_sealed(block) {
        return Err("its header is not that of an index, or fails its checksum".to_owned());
    }
    let (version, kind, _) = (fields.get_u16_le(), fields.get_u16_le(), fields.get_u32_le());
    if (version, kind) != (VERSION, KIND_INDEX) {
        return Err(format!("version {version}, kind {kind}: this is not an index"));
    }
    let segment = SegmentId { number: fields.get_u64_le(), salt: fields.get_u64_le() };
    Ok((segment, fields.get_u64_le(), fields.get_u32_le()))
}

fn encode_share(partition: PartitionId, share: &Share, out: &mut Vec<u8>) {
    out.put_u16_le(partition.0);
    let steps = if share.steps.is_empty() { 0 } else { HAS_STEPS };
    let outside = if share.outside.is_empty() { 0 } else { HAS_OUTSIDE };
    let kept = if share.kept == 0 { 0 } else { HAS_KEPT };
    out.put_u16_le(steps | outside | kept);
    out.put_u32_le(0);
    out.put_u64_le(share.offsets.len() as u64);
    out.put_u64_le(share.first);
    out.put_u64_le(share.bodies);
    out.put_u64_le(share.bytes);
    share.offsets.iter().chain(&share.steps).for_each(|unit| out.put_u32_le(*unit));
    if share.kept != 0 {
        out.put_u64_le(share.kept);
    }
    if share.outside.is_empty() {
        return;
    }
    out.put_u64_le(share.outside.len() as u64);
    for outside in &share.outside {
        out.put_u64_le(outside.place.position.0);
        out.put_u32_le(outside.place.index);
        out.put_u32_le(outside.len | if outside.kept { KEPT } else { 0 });
    }
}

fn decode_share(rest: &mut &[u8]) -> Result<(PartitionId, Share), String> {
    let mut head = rest.split_off(..HEAD_BYTES).ok_or("it ends too early")?;
    let (partition, flags, _) = (head.get_u16_le(), head.get_u16_le(), head.get_u32_le());
    let (count, first) = (head.get_u64_le(), head.get_u64_le());
    let (bodies, bytes) = (head.get_u64_le(), head.get_u64_le());
    let offsets = take_units(rest, count)?;
    let steps = if flags & HAS_STEPS == 0 { Vec::new() } else { take_units(rest, count)? };
    let kept = if flags & HAS_KEPT == 0 { 0 } else { take_u64(rest)? };
    let outside = if flags & HAS_OUTSIDE == 0 { Vec::new() } else { take_outside(rest)? };
    Ok((PartitionId(partition), Share { first, steps, offsets, bodies, kept, bytes, outside }))
}

fn take_outside(rest: &mut &[u8]) -> Result<Vec<Outside>, String> {
    let count = usize::try_from(take_u64(rest)?).ok();
    let len = count.and_then(|count| count.checked_mul(OUTSIDE_BYTES));
    let entries = len.and_then(|len| rest.split_off(..len)).ok_or("it ends too early")?;
    let outside = |mut entry: &[u8]| {
        let place = Place { position: Position(entry.get_u64_le()), index: entry.get_u32_le() };
        let len = entry.get_u32_le();
        Outside { place, len: len & !KEPT, kept: len & KEPT != 0 }
    };
    Ok(entries.chunks_exact(OUTSIDE_BYTES).map(outside).collect())
}

fn take_u64(rest: &mut &[u8]) -> Result<u64, String> {
    Ok(rest.try_get_u64_le().map_err(|_| "it ends too early")?)
}

fn take_units(rest: &mut &[u8], count: u64) -> Result<Vec<u32>, String> {
    let len = usize::try_from(count).ok().and_then(|count| count.checked_mul(4));
    let units = len.and_then(|len| rest.split_off(..len)).ok_or("it ends too early")?;
    Ok(units.chunks_exact(4).map(|mut unit| unit.get_u32_le()).collect())
}

#[cfg(test)]
mod tests {
    use super::super::index::Entry;
    use super::*;

    fn sidecar() -> Sidecar {
        let mut index = SegmentIndex::default();
        for (partition, position) in [(0, 5), (0, 6), (7, 100), (0, 9), (7, 101)] {
            let (partition, position) = (PartitionId(partition), Position(position));
            let offset = 64 + position.0 * 8;
            let place = |index| Place { position, index };
            let kept = |index| index == 5;
            let outside =
                |index| Outside { place: place(index), len: 20_000_000, kept: kept(index) };
            let outside = if position.0 == 6 { vec![outside(2), outside(5)] } else { vec![] };
            let kept = u32::from(position.0 == 9);
            let entry = Entry { partition, position, offset, bodies: 1, kept, bytes: 80, outside };
            index.enter(&entry);
        }
        Sidecar { segment: SegmentId { number: 3, salt: 0xfeed }, end: 4711, index }
    }

    #[test]
    fn it_reads_back() {
        assert_eq!(Sidecar::decode(&sidecar().encode()), Ok(sidecar()));
    }

    #[test]
    fn every_flipped_bit_and_every_length_is_seen() {
        let bytes = sidecar().encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Sidecar::decode(&flipped).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(Sidecar::decode(&bytes[..len]).is_err(), "length {len}");
        }
    }
}
