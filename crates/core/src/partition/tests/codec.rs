//! What a log says today, it must say to every later version.

use proptest::collection::vec;
use proptest::prelude::*;

use super::facts::{any_fact, every_fact, number};
use super::*;
use crate::codec::{decode_facts, encode_facts};
use crate::payload::{Attribute, Payload};
use crate::receipt::{NotAReceipt, ReceiptKey, SEALED_LEN};

/// The bytes of [`every_fact`] as version 1 writes them. A line that changes makes old logs
/// unreadable: add a field that is an `Option` at the end, or a fact with a new number.
#[rustfmt::skip]
const BYTES: [&str; 43] = [
    "820181820100",
    "820281811a000493e0",
    "820380",
    "820a818401656177732f710087197530001a149970001a0010000000f6f4",
    "820a818401656177732f710187197530001a149970001a001000000082686177732f6465616405f5",
    "820a818501656177732f71018b197530001a149970001a0010000000f6f4010182616161628182616e\
     64746578748182616b6176",
    "820b81820187197530001a149970001a0010000000f6f4",
    "820b8182018b197530001a149970001a0010000000f6f4010182616161628182616e6474657874",
    "820b8182018a197530001a149970001a0010000000f6f4f6f680",
    "820c81811bffffffffffffffff",
    "820d81811818",
    "820e81850102500000000f424280008000000240000000041b00000199c82cc000",
    "820e81870103500000000f4243800080000002400000000400616782616404",
    "820e81880104500000000f424480008000000240000000040061678261640401",
    "820f818501020382041901f4f5",
    "820f818601020382041901f4f482616105",
    "82108183010203",
    "821181820102",
    "8212818b01020304500000000000068000800000014000000082820708090a0bf6f6686177732f66726f6d",
    "8212818b01020304500000000000068000800000014000000082820708090a0b0c69c3bc6ec3af63\
     6f6465686177732f66726f6d",
    "8212818c01020304500000000000068000800000014000000082820708090a0b0c69c3bc6ec3af63\
     6f6465686177732f66726f6d6d6e6f2073756368206f72646572",
    "82138183010203",
    "82148183018182616b6176816178",
    "821581840150000000000003800080000000800000000405",
    "821581860150000000000003800080000000800000000405666177732f746f1901f4",
    "82168188010203045000000000000380008000000080000000500000000000068000800000014000\
     000082820708090a",
    "82168189010203045000000000000380008000000080000000500000000000068000800000014000\
     000082820708090a6167",
    "8217818301500000000000038000800000008000000007",
    "8218188182015000000000000380008000000080000000",
    "8218198183015000000000000380008000000080000000820280",
    "8218198183015000000000000380008000000080000000820380",
    "821819818301500000000000038000800000008000000082048100",
    "821819818301500000000000038000800000008000000082048101",
    "821819818301500000000000038000800000008000000082048102",
    "82182881820781820102",
    "82183c818201686e61746976652f65",
    "82183d818a010263732d3103616b80f61903e80001",
    "82183d818a011a0001117063732d3103616b826161616261631903e80102",
    "82183e81820102",
    "82183f818301686e61746976652f7384686e61746976652f65818000820080",
    "82183f818301686e61746976652f7384686e61746976652f65818000820181656177732f71",
    "82183f818301686e61746976652f7385686e61746976652f65818285816174826161616263732d31\
     617361638280801a0001117082028184686e61746976652f77686e61746976652f70197530056662\
     7920746167",
    "8218408183011a000111711818",
];

fn bytes_of(facts: &[Fact]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_facts(facts, &mut bytes);
    bytes
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

#[test]
fn every_fact_is_written_as_it_always_was() {
    let facts = every_fact();
    let written: Vec<String> =
        facts.iter().map(|fact| hex(&bytes_of(std::slice::from_ref(fact)))).collect();
    assert_eq!(written, BYTES);
}

#[test]
fn every_fact_is_read_as_it_was_written_once() {
    let read = BYTES.iter().map(|text| decode_facts(&unhex(text), 1).unwrap().remove(0));
    assert_eq!(read.collect::<Vec<_>>(), every_fact());
}

#[test]
fn there_is_one_of_every_number() {
    let mut numbers: Vec<u8> = every_fact().iter().map(number).collect();
    numbers.dedup();
    assert_eq!(
        numbers,
        [vec![1, 2, 3], (10..=25).collect(), vec![40], (60..=64).collect()].concat()
    );
    for fact in every_fact() {
        let bytes = bytes_of(std::slice::from_ref(&fact));
        let mut decoder = minicbor::Decoder::new(&bytes);
        if decoder.datatype().unwrap() == minicbor::data::Type::Array {
            decoder.array().unwrap();
        }
        assert_eq!(decoder.u8().unwrap(), number(&fact), "{fact:?}");
    }
}

#[test]
fn a_field_of_a_later_version_is_passed_over() {
    // `Deleted` of queue 1, message 2, with a third field.
    let later = unhex("82118183010263616263");
    assert_eq!(decode_facts(&later, 1), Ok(vec![deleted(1, 2)]));
}

#[test]
fn a_fact_of_a_later_version_is_an_error() {
    assert!(decode_facts(&unhex("821863818101"), 1).is_err());
    assert!(decode_facts(&unhex("8211818101"), 1).is_err(), "a field that must be there");
}

#[test]
fn bytes_that_are_left_over_or_missing_are_an_error() {
    let bytes = bytes_of(&[deleted(1, 2), deleted(1, 3)]);
    assert!(decode_facts(&bytes, 2).is_ok());
    let error = decode_facts(&bytes, 1).unwrap_err().to_string();
    assert!(error.ends_with("6 bytes after the last fact"), "{error}");
    assert!(decode_facts(&bytes, 3).is_err());
    assert!(decode_facts(&bytes[..bytes.len() - 1], 2).is_err());
}

#[test]
fn a_count_that_lies_takes_no_memory() {
    assert!(decode_facts(&[], usize::MAX).is_err());
    // `Leased` with a list that claims 2^64 - 1 numbers.
    let claims = unhex("820f8186010203 9bffffffffffffffff 04".replace(' ', "").as_str());
    assert!(decode_facts(&claims, 1).is_err());
}

#[test]
fn a_body_counts_by_its_fact_also_after_more_facts() {
    let body = |text: &'static str| Bytes::from_static(text.as_bytes());
    let (mut first, mut second) = (Facts::none(), Facts::none());
    first.push(Fact::Canary);
    first.push_with_body(sent(1, 1), body("a"));
    second.push_with_body(sent(1, 2), body("b"));
    second.push(Fact::Canary);
    first.extend(second);
    assert_eq!((first.len(), first.is_empty()), (4, false));
    assert_eq!(first.bodies, [(1, body("a")), (2, body("b"))]);
    let batch = Batch { at: stamp(1), facts: first };
    let places: Vec<Place> = batch.places(Position(7)).map(|(place, _)| place).collect();
    assert_eq!(places, (0..4).map(|index| place(7).plus(index)).collect::<Vec<_>>());
}

fn payload() -> Payload {
    let attribute = |name: &str| Attribute {
        name: label(name),
        kind: label("String"),
        value: vec![0, 255].into(),
    };
    Payload {
        body: b"body".to_vec().into(),
        attributes: vec![attribute("a"), attribute("b")],
        group: Some(label("g")),
        dedup: None,
        trace: Some(label("Root=1")),
        sender: None,
    }
}

#[test]
fn a_payload_is_written_as_it_always_was() {
    let written = "8544626f64798283616166537472696e674200ff83616266537472696e674200ff6167f6\
                   66526f6f743d31";
    assert_eq!(hex(&payload().encode()), written);
    assert_eq!(Payload::decode(&payload().encode()), Ok(payload()));
}

#[test]
fn a_receipt_is_sealed_as_it_always_was() {
    let sealed = ReceiptKey::new([7; 16]).seal(receipt(1, 2, 3, 4));
    let written = "010000000000000002000000000000000400000003000000\
                   2fece17ebcfe23b1f2339576267fbc4f";
    assert_eq!(hex(&sealed), written);
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() }
}

fn any_label() -> impl Strategy<Value = Label> {
    "\\PC{0,8}".prop_map(Label::new)
}

fn any_payload() -> impl Strategy<Value = Payload> {
    let attribute = (any_label(), any_label(), vec(any::<u8>(), 0..9))
        .prop_map(|(name, kind, value)| Attribute { name, kind, value: value.into() });
    let labels = [(); 4].map(|()| proptest::option::of(any_label()));
    (vec(any::<u8>(), 0..40), vec(attribute, 0..4), labels).prop_map(
        |(body, attributes, labels)| {
            let [group, dedup, trace, sender] = labels;
            Payload { body: body.into(), attributes, group, dedup, trace, sender }
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_facts_come_back_from_their_bytes(facts in vec(any_fact(), 0..8)) {
        prop_assert_eq!(decode_facts(&bytes_of(&facts), facts.len()), Ok(facts));
    }

    #[test]
    fn any_bytes_are_facts_or_an_error(bytes in vec(any::<u8>(), 0..100), count in 0..4_usize) {
        if let Ok(facts) = decode_facts(&bytes, count) {
            prop_assert_eq!(facts.len(), count);
        }
    }

    /// Nearer to facts than chance comes.
    #[test]
    fn damaged_facts_are_facts_or_an_error(
        facts in vec(any_fact(), 1..4),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = bytes_of(&facts);
        for (at, byte) in damage {
            *at.get_mut(&mut bytes) = byte;
        }
        let _ = decode_facts(&bytes, facts.len());
        let _ = decode_facts(&bytes[..cut.index(bytes.len())], facts.len());
    }

    #[test]
    fn any_payload_comes_back_from_its_bytes(payload in any_payload()) {
        prop_assert_eq!(Payload::decode(&payload.encode()), Ok(payload));
    }

    #[test]
    fn any_bytes_are_a_payload_or_an_error(
        payload in any_payload(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        bytes in vec(any::<u8>(), 0..60),
    ) {
        let _ = Payload::decode(&bytes);
        let mut damaged = payload.encode();
        *at.get_mut(&mut damaged) = byte;
        let _ = Payload::decode(&damaged);
    }

    #[test]
    fn any_receipt_comes_back_under_its_key_alone(
        key in any::<[u8; 16]>(),
        other in any::<[u8; 16]>(),
        words in any::<(u64, u64, u32, u32)>(),
    ) {
        let receipt = receipt(words.0, words.1, words.2, words.3);
        let sealed = ReceiptKey::new(key).seal(receipt);
        prop_assert_eq!(ReceiptKey::new(key).open(&sealed), Ok(receipt));
        prop_assume!(other != key);
        prop_assert_eq!(ReceiptKey::new(other).open(&sealed), Err(NotAReceipt));
    }

    #[test]
    fn any_bytes_are_no_receipt(
        bytes in prop_oneof![vec(any::<u8>(), 0..80), vec(any::<u8>(), SEALED_LEN)],
    ) {
        prop_assert_eq!(ReceiptKey::new([7; 16]).open(&bytes), Err(NotAReceipt));
    }
}
