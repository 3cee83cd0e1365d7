//! The manifest: which runs there are. It is replaced as a whole; a run that it does not name is
//! none.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `LSEVMANI` |
//! | 8..12 | the version of the format, 1; little endian, like all numbers |
//! | 12..28 | which log the index is of |
//! | 28..32 | how many runs |
//! | then, each 24 | id, first event's number, how many events |
//! | the last 4 | CRC32C of all before |

use std::io;

use crc_fast::crc32_iscsi;

use crate::fault::Fault;
use crate::files::Files;
use crate::run::Run;

const MAGIC: [u8; 8] = *b"LSEVMANI";
const VERSION: u32 = 1;
/// Its name.
pub(crate) const NAME: &str = "manifest";
/// Its name until it is whole.
pub(crate) const NAME_UNFINISHED: &str = "manifest.new";
/// Far more runs than tiers allow; a longer file is not read.
const BYTES_MAX: u64 = 1 << 20;

/// What is said of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: u64,
    pub(crate) first: u64,
    pub(crate) count: u64,
}

impl Named {
    pub(crate) fn of(run: &Run) -> Named {
        Named { id: run.pages.run, first: run.header.first, count: run.header.count }
    }
}

/// Writes the manifest durably in place of the one before. On an error either may be there, so
/// the files that either names have to stay.
pub(crate) fn store(files: &dyn Files, log: [u8; 16], runs: &[Named]) -> Result<(), Fault> {
    let doing = || Fault::io("write its manifest");
    // The names of the runs first: no manifest may name a file that a power cut takes away.
    files.sync_names().map_err(doing())?;
    let file = files.create(NAME_UNFINISHED).map_err(doing())?;
    file.write_at(&encode(log, runs), 0).map_err(doing())?;
    file.sync().map_err(doing())?;
    files.rename(NAME_UNFINISHED, NAME).map_err(doing())?;
    files.sync_names().map_err(doing())
}

/// Reads the manifest; or says why there is none that can be used, in words. An error only if the
/// disk cannot say.
pub(crate) fn load(files: &dyn Files, log: [u8; 16]) -> Result<Result<Vec<Named>, String>, Fault> {
    let doing = || Fault::io("read its manifest");
    let file = match files.open(NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(Vec::new())),
        opened => opened.map_err(doing())?,
    };
    let len = file.len().map_err(doing())?;
    if len > BYTES_MAX {
        return Ok(Err(format!("it has {len} bytes, more than any manifest")));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    let read = file.read_at(&mut bytes, 0).map_err(doing())?;
    bytes.truncate(read);
    Ok(decode(&bytes, log))
}

fn encode(log: [u8; 16], runs: &[Named]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend(VERSION.to_le_bytes());
    out.extend(log);
    let count = u32::try_from(runs.len()).unwrap_or(u32::MAX);
    out.extend(count.to_le_bytes());
    let numbers = runs.iter().flat_map(|run| [run.id, run.first, run.count]);
    out.extend(numbers.flat_map(u64::to_le_bytes));
    out.extend(crc32_iscsi(&out).to_le_bytes());
    out
}

fn decode(bytes: &[u8], log: [u8; 16]) -> Result<Vec<Named>, String> {
    let (content, crc) = bytes.split_last_chunk().ok_or("it is too short")?;
    if u32::from_le_bytes(*crc) != crc32_iscsi(content) {
        return Err("it fails its checksum".to_owned());
    }
    let (magic, rest) = content.split_first_chunk::<8>().ok_or("it is too short")?;
    let (version, rest) = rest.split_first_chunk().ok_or("it is too short")?;
    if *magic != MAGIC || u32::from_le_bytes(*version) != VERSION {
        return Err("it is not of a version that this program knows".to_owned());
    }
    let (of, rest) = rest.split_first_chunk::<16>().ok_or("it is too short")?;
    if *of != log {
        return Err("it is that of another log".to_owned());
    }
    let (count, rest) = rest.split_first_chunk().ok_or("it is too short")?;
    let (numbers, odd) = rest.as_chunks::<8>();
    let (runs, more) = numbers.as_chunks::<3>();
    if !odd.is_empty()
        || !more.is_empty()
        || runs.len() as u64 != u64::from(u32::from_le_bytes(*count))
    {
        return Err("its length is not that of its runs".to_owned());
    }
    let named = |run: &[[u8; 8]; 3]| {
        let [id, first, count] = run.map(u64::from_le_bytes);
        Named { id, first, count }
    };
    Ok(runs.iter().map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_and_no_bit_can_be_changed() {
        let runs = [Named { id: 7, first: 1, count: 5 }, Named { id: 9, first: 6, count: 1 }];
        let bytes = encode([3; 16], &runs);
        assert_eq!(decode(&bytes, [3; 16]), Ok(runs.to_vec()));
        assert!(decode(&bytes, [4; 16]).unwrap_err().contains("another log"));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped, [3; 16]).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len], [3; 16]).is_err(), "length {len}");
        }
    }
}
