//! Codec: what is written reads back, and bytes of any kind neither panic nor promise too much.

#![allow(clippy::cast_possible_truncation, reason = "lengths here are small")]

use bytes::Bytes;
use lineside_core::codec::decode_facts;
use lineside_core::fact::{Batch, Fact, Facts};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::frame::Frame;
use super::*;

/// Longer bodies lie outside.
const INSIDE: usize = 100;

const SEGMENT: SegmentId = SegmentId { number: 3, salt: 0xfeed };

fn header() -> impl Strategy<Value = WriteHeader> {
    (1..u64::MAX, any::<u64>(), 1..1000_u32, 0..4_usize).prop_map(|(number, at, batches, kind)| {
        let kind = [Kind::Batches, Kind::Mark, Kind::Rewritten, Kind::Repaired][kind];
        let batches = if kind == Kind::Mark { 0 } else { batches };
        let (length, synced) = (batches * 72, at % number);
        let through = if kind.is_rewritten() { number.saturating_add(at % 100) } else { number };
        WriteHeader { kind, segment: SEGMENT, number, through, synced, batches, length }
    })
}

/// Facts that may bring bodies.
fn batch() -> impl Strategy<Value = Batch> {
    let bodies = vec(proptest::option::of(vec(any::<u8>(), 0..200)), 0..6);
    (any::<u64>(), bodies).prop_map(|(at, bodies)| {
        let mut facts = Facts::none();
        for body in bodies {
            match body {
                Some(body) => facts.push_with_body(Fact::Canary, Bytes::from(body)),
                None => facts.push(Fact::Canary),
            }
        }
        Batch { at: Stamp(at), facts }
    })
}

fn frame(batches: &[Batch]) -> Vec<u8> {
    let mut frame = Frame::default();
    frame.begin(9);
    for (at, batch) in (0..).zip(batches) {
        frame.push(PartitionId(5), Position(at), batch, INSIDE);
    }
    frame.finish(SEGMENT, 8);
    frame.with_zeros(0, <[u8]>::to_vec)
}

/// The batch that `bytes` begin with, and what is behind it. Bodies outside are taken from what was
/// `written`.
fn read_batch<'a>(bytes: &'a [u8], written: &Batch) -> (BatchHead, Batch, &'a [u8]) {
    let head = BatchHead::decode(bytes.first_chunk().unwrap(), bytes.len() as u64).unwrap();
    let (facts_at, bodies_at) = (head.facts_at() as usize, head.bodies_at() as usize);
    let directory = head.directory(&bytes[..facts_at]).unwrap();
    head.check_facts(&bytes[facts_at..bodies_at]).unwrap();
    let facts = decode_facts(&bytes[facts_at..bodies_at], head.facts as usize).unwrap();
    let (mut at, mut bodies) = (bodies_at, Vec::new());
    for entry in directory {
        assert_eq!(entry.outside, entry.len as usize > INSIDE);
        let inside = &bytes[at..at + entry.len_inside() as usize];
        let body = match entry.outside {
            true => {
                &written.facts.bodies.iter().find(|(index, _)| *index == entry.index).unwrap().1
            }
            false => inside,
        };
        entry.check(body).unwrap();
        bodies.push((entry.index, Bytes::copy_from_slice(body)));
        at += inside.len();
    }
    let batch = Batch { at: head.at, facts: Facts { facts, bodies } };
    (head, batch, &bytes[head.total() as usize..])
}

proptest! {
    #[test]
    fn header_reads_back(header in header()) {
        prop_assert_eq!(WriteHeader::decode(&header.encode()), Ok(header));
    }

    #[test]
    fn changed_header_is_seen(header in header(), bit in 0..512_usize) {
        let mut block = header.encode();
        block[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(WriteHeader::decode(&block).is_err());
    }

    #[test]
    fn batches_read_back_and_fill_their_write(batches in vec(batch(), 0..5)) {
        let bytes = frame(&batches);
        let header = WriteHeader::decode(bytes.first_chunk().unwrap()).unwrap();
        prop_assert_eq!(header.total(), bytes.len() as u64);
        prop_assert_eq!((header.number, header.synced, header.segment), (9, 8, SEGMENT));
        let mut rest = &bytes[BLOCK_BYTES..];
        for (at, batch) in (0..).zip(&batches) {
            let (head, found, behind) = read_batch(rest, batch);
            prop_assert_eq!((head.partition, head.position), (PartitionId(5), Position(at)));
            prop_assert_eq!((head.write, &found), (9, batch));
            rest = behind;
        }
        prop_assert!(rest.is_empty());
    }

    /// With the right magic and checksum in front of bytes of any kind: lengths stay inside the room.
    #[test]
    fn sealed_header_of_any_kind_is_bounded(mut block: [u8; 32], tail: [u8; 32]) {
        block[..4].copy_from_slice(&WRITE_MAGIC);
        block[4] %= 6;
        let mut whole = [0; BLOCK_BYTES];
        whole[..32].copy_from_slice(&block);
        whole[32..].copy_from_slice(&tail);
        if let Ok(header) = WriteHeader::decode(&seal(whole)) {
            prop_assert!(header.length <= WRITE_BYTES_MAX);
            prop_assert!(u64::from(header.batches) * 64 <= u64::from(header.length));
            prop_assert!(header.synced < header.number && header.number <= header.through);
        }
    }

    #[test]
    fn head_of_any_kind_stays_in_its_room(
        mut block in vec(any::<u8>(), 64..400),
        counts: [u8; 4],
        room in 0..10_000_u64,
    ) {
        block[..4].copy_from_slice(b"LSBA");
        // Small counts, that have a chance to fit.
        block[34..36].copy_from_slice(&[counts[0] % 4, 0]);
        for (n, count) in [36, 40, 48, 52].into_iter().zip(counts) {
            block[n..n + 4].copy_from_slice(&u32::from(count).to_le_bytes());
        }
        if let Ok(head) = BatchHead::decode(block.first_chunk().unwrap(), room) {
            prop_assert!(head.total() <= room && head.bodies <= head.facts);
            let end = head.facts_at() as usize;
            if block.len() >= end {
                let crc = crc32_iscsi(&block[8..end]);
                block[4..8].copy_from_slice(&crc.to_le_bytes());
                if let Ok(directory) = head.directory(&block[..end]) {
                    let inside = directory.iter().map(|entry| u64::from(entry.len_inside()));
                    let bytes: u64 = inside.sum();
                    prop_assert_eq!(bytes, u64::from(head.bodies_bytes));
                }
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_are_refused(block: [u8; 32], more: [u8; 32]) {
        let mut whole = [0; BLOCK_BYTES];
        whole[..32].copy_from_slice(&block);
        whole[32..].copy_from_slice(&more);
        prop_assert!(WriteHeader::decode(&whole).is_err());
        prop_assert!(BatchHead::decode(&whole, u64::MAX).is_err());
    }
}

#[test]
fn head_is_what_the_format_says() {
    let mut facts = Facts::one(Fact::Canary);
    facts.push_with_body(Fact::Canary, Bytes::from_static(b"body"));
    let bytes = frame(&[Batch { at: Stamp(0x0102), facts }]);
    let batch = &bytes[BLOCK_BYTES..];
    let u32_at = |at: usize| u32::from_le_bytes(batch[at..at + 4].try_into().unwrap());
    assert_eq!(&batch[..4], b"LSBA");
    assert_eq!((batch[8], batch[16], batch[24..26].to_vec(), batch[32]), (9, 0, vec![2, 1], 5));
    assert_eq!((u32_at(36), u32_at(48), u32_at(52)), (2, 1, 4));
    assert_eq!((u32_at(64), u32_at(68)), (1, 4), "the body belongs to fact 1 and has 4 bytes");
    let body = 64 + 12 + u32_at(40) as usize;
    assert_eq!(&batch[body..body + 4], b"body");
    assert_eq!((batch.len() % 8, batch.len() - body - 4 < 8), (0, true));
}

#[test]
fn a_body_outside_is_an_entry_and_no_bytes() {
    let mut facts = Facts::one(Fact::Canary);
    facts.push_with_body(Fact::Canary, Bytes::from(vec![7; INSIDE + 1]));
    facts.push_with_body(Fact::Canary, Bytes::from_static(b"body"));
    let bytes = frame(&[Batch { at: Stamp(1), facts }]);
    let batch = &bytes[BLOCK_BYTES..];
    let u32_at = |at: usize| u32::from_le_bytes(batch[at..at + 4].try_into().unwrap());
    assert_eq!((u32_at(48), u32_at(52)), (2, 4), "two bodies, and the bytes of one");
    assert_eq!((u32_at(64), u32_at(68)), (0x8000_0001, 101), "the highest bit says it is outside");
    assert_eq!(u32_at(72), crc32_iscsi(&[7; INSIDE + 1]));
    assert_eq!((u32_at(76), u32_at(80)), (2, 4));
    let body = 64 + 24 + u32_at(40) as usize;
    assert_eq!(&batch[body..body + 4], b"body");
}
