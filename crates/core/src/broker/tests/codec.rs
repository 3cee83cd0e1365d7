//! Every fact comes back from its bytes as it was.

use super::*;
use crate::codec::{decode_facts, encode_facts};
use crate::partition::tests::codec::hex;

/// The bytes of [`every_fact`] as version 1 writes them. A line that changes makes old logs
/// unreadable: add a field that is an `Option` at the end, or a fact with a new number.
#[rustfmt::skip]
const BYTES: [&str; 23] = [
    "82018183076a746573742f717565756587f51864031bfffffffffffffffff5011a00040000",
    "820281840701500000000000018000800000004000000001",
    "82028188071bffffffffffffffff5000000000000280008000000040000000016173031bffffffff\
     ffffffff82616d09",
    "82038183070102",
    "820481820780",
    "82058184071affffffff0783010219012c",
    "820581840701f68104",
    "820681820782011bffffffffffffffff",
    "820781820701",
    "820881820702",
    "820981820703",
    "820a818407048200800a",
    "820a8184070482018000",
    "820a81840704820282626e6f69c3bc6ec3af636f646501",
    "820a8184070482028001",
    "820b81820705",
    "820c8183070108",
    "820d8185076173011bffffffffffffffff09",
    "820e8183076008",
    "820f8182076173",
    "82108182076173",
    "8211818307617305",
    "82118182076173",
];

fn every_fact() -> Vec<BrokerFact> {
    let receiver = |text: Option<&str>| DeadLetterCause::Receiver {
        reason: text.map(label),
        description: text.map(|_| label("ünïcode")),
    };
    let settings = BrokerSettings {
        sessions: true,
        ttl: Some(Millis(u64::MAX)),
        dedup_window: Some(Millis(1)),
        dead_letter_on_expiry: true,
        ..plain()
    };
    let state = |len| SessionStateSet { queue: QUEUE, session: label("s"), len };
    vec![
        BrokerFact::Created(BrokerCreated { queue: QUEUE, name: name(), settings }),
        sent(1),
        sent_with(2, |sent| {
            sent.seq = Seq(u64::MAX);
            sent.session = Some(label("s"));
            sent.ttl = Some(Millis(3));
            sent.scheduled_at = Some(Stamp(u64::MAX));
            sent.dedup = Some(DedupMark { key: label("m"), until: Stamp(9) });
        }),
        activated(1, 2),
        BrokerFact::Cancelled(several(&[])),
        locked(u32::MAX, 7, &[1, 2, 300]),
        handed_out(1, None, &[4]),
        BrokerFact::Taken(several(&[1, u64::MAX])),
        BrokerFact::Completed(one(1)),
        BrokerFact::Abandoned(one(2)),
        BrokerFact::Deferred(one(3)),
        dead_lettered(4, DeadLetterCause::DeliveriesExhausted, 10),
        dead_lettered(4, DeadLetterCause::Expired, 0),
        dead_lettered(4, receiver(Some("no")), 1),
        dead_lettered(4, receiver(None), 1),
        BrokerFact::Expired(one(5)),
        BrokerFact::LockRenewed(LockRenewed { queue: QUEUE, seq: Seq(1), until: Stamp(8) }),
        accepted("s", 1, u64::MAX, 9),
        BrokerFact::SessionRenewed(SessionRenewed {
            queue: QUEUE,
            session: label(""),
            until: Stamp(8),
        }),
        BrokerFact::SessionReleased(session("s")),
        BrokerFact::SessionLapsed(session("s")),
        BrokerFact::SessionStateSet(state(Some(5))),
        BrokerFact::SessionStateSet(state(None)),
    ]
}

#[test]
fn every_fact_comes_back_from_its_bytes() {
    let facts: Vec<Fact> = every_fact().into_iter().map(Fact::Broker).collect();
    let mut bytes = Vec::new();
    encode_facts(&facts, &mut bytes);
    assert_eq!(decode_facts(&bytes, facts.len()), Ok(facts));
}

#[test]
fn every_fact_is_written_as_it_always_was() {
    let bytes = |fact: &BrokerFact| hex(&minicbor::to_vec(fact).unwrap());
    assert_eq!(every_fact().iter().map(bytes).collect::<Vec<_>>(), BYTES);
}

/// A fact is written as its number and its content: another number would make old logs mean
/// something else.
#[test]
fn the_numbers_of_the_facts_are_as_written_down() {
    let mut numbers: Vec<u8> = every_fact()
        .iter()
        .map(|fact| {
            let bytes = minicbor::to_vec(fact).unwrap();
            let mut decoder = minicbor::Decoder::new(&bytes);
            assert_eq!(decoder.array().unwrap(), Some(2));
            decoder.u8().unwrap()
        })
        .collect();
    numbers.dedup();
    assert_eq!(numbers, (1..=17).collect::<Vec<u8>>());
}

#[test]
fn every_fact_names_its_queue() {
    assert!(every_fact().iter().all(|fact| fact.queue() == QUEUE));
}
