//! The table of a run: what is kept of each event, by its number, in groups of 32 that are looked
//! up by place. For each group the directory has its offset and the stamp of its first event, 8
//! bytes each.
//!
//! A row is a byte of flags and what these do not say already, as varints: see [`Flags`].

use crate::event::Row;
use crate::fault::Fault;
use crate::page::{ByteReader, put_varint};
use lineside_core::id::Version;
use lineside_core::id::{BodyRef, Place, Position, QueueId};
use lineside_core::stamp::Stamp;

/// How many events a group has.
pub(crate) const GROUP: u32 = 32;
/// Length of a group's line in the directory, in bytes.
pub(crate) const LINE_BYTES: u64 = 16;

/// What is as it mostly is, and takes no bytes.
struct Flags;

impl Flags {
    /// It is the only event of its append.
    const ALONE: u8 = 1;
    /// Its stamp is that of the row before.
    const SAME_STAMP: u8 = 2;
    /// Its fact is the next one in the same batch.
    const NEXT_FACT: u8 = 4;
    /// Its fact is the first one in the next batch.
    const NEXT_BATCH: u8 = 8;
    /// Its body has the length of the one before.
    const SAME_LEN: u8 = 16;
    /// Its store is that of the row before.
    const SAME_STORE: u8 = 32;
}

/// What stands before the first row of each group.
const NOTHING: Row = Row {
    store: QueueId(0),
    stamp: Stamp(0),
    body: BodyRef { place: Place { position: Position(0), index: 0 }, len: 0 },
    version: Version(0),
    index: 0,
    count: 1,
};

/// Encodes a row behind the one before it in its group.
pub(crate) fn encode(before: Option<&Row>, row: &Row, out: &mut Vec<u8>) {
    let before = before.unwrap_or(&NOTHING);
    let flags = flags(before, row);
    out.push(flags);
    let mut unless = |flag: u8, values: &[u64]| {
        if flags & flag == 0 {
            values.iter().for_each(|value| put_varint(*value, out));
        }
    };
    let place = row.body.place;
    unless(Flags::SAME_STORE, &[row.store.0]);
    // Differences wrap, so that any two stamps and places can be told, also those that go back.
    unless(Flags::SAME_STAMP, &[row.stamp.0.wrapping_sub(before.stamp.0)]);
    let position = place.position.0.wrapping_sub(before.body.place.position.0);
    unless(Flags::NEXT_FACT | Flags::NEXT_BATCH, &[position, u64::from(place.index)]);
    unless(Flags::SAME_LEN, &[u64::from(row.body.len)]);
    unless(Flags::ALONE, &[u64::from(row.index), u64::from(row.count)]);
    unless(0, &[row.version.0]);
}

fn flags(before: &Row, row: &Row) -> u8 {
    let (last, place) = (before.body.place, row.body.place);
    let next_batch = Place { position: last.position.next(), index: 0 };
    let set = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
    set(Flags::ALONE, (row.index, row.count) == (0, 1))
        | set(Flags::SAME_STAMP, row.stamp == before.stamp)
        | set(Flags::NEXT_FACT, place == last.plus(1))
        | set(Flags::NEXT_BATCH, place == next_batch)
        | set(Flags::SAME_LEN, row.body.len == before.body.len)
        | set(Flags::SAME_STORE, row.store == before.store)
}

/// Decodes the row behind the one before it in its group.
pub(crate) fn decode(before: Option<&Row>, reader: &mut ByteReader<'_>) -> Result<Row, Fault> {
    let mut row = *before.unwrap_or(&NOTHING);
    let flags = reader.byte()?;
    let has = |flag: u8| flags & flag != 0;
    if !has(Flags::SAME_STORE) {
        row.store = QueueId(reader.varint()?);
    }
    if !has(Flags::SAME_STAMP) {
        row.stamp = Stamp(row.stamp.0.wrapping_add(reader.varint()?));
    }
    let last = row.body.place;
    row.body.place = match (has(Flags::NEXT_FACT), has(Flags::NEXT_BATCH)) {
        (true, _) => last.plus(1),
        (_, true) => Place { position: last.position.next(), index: 0 },
        _ => {
            let position = Position(last.position.0.wrapping_add(reader.varint()?));
            Place { position, index: reader.small()? }
        }
    };
    if !has(Flags::SAME_LEN) {
        row.body.len = reader.small()?;
    }
    (row.index, row.count) =
        if has(Flags::ALONE) { (0, 1) } else { (reader.small()?, reader.small()?) };
    row.version = Version(reader.varint()?);
    Ok(row)
}
