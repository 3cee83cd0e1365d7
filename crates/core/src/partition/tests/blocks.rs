//! What a checkpoint says today, it must say to every later version.

use super::snapshots::blocks;
use super::*;
use crate::broker::{
    BrokerDeadLettered, BrokerSent, DeadLetterCause, Locked, SessionAccepted, SessionStateSet,
};
use crate::partition::tests::codec::{hex, unhex};
use crate::snapshot::{Block, BlockKey, Restoring};

fn broker_sent(queue: u64, seq: u64, change: impl FnOnce(&mut BrokerSent)) -> Fact {
    let mut sent = BrokerSent {
        queue: QueueId(queue),
        seq: Seq(seq),
        id: id_of(queue, seq),
        len: 4,
        session: None,
        ttl: None,
        scheduled_at: None,
        dedup: None,
    };
    change(&mut sent);
    Fact::Broker(BrokerFact::Sent(sent))
}

fn polled() -> Vec<Fact> {
    let (queue, id, body) = (QueueId(2), id_of(1, 9), BodyRef { place: place(300), len: 70_000 });
    let dead = DeadLettered {
        from: queue,
        seq: Seq(1),
        to: QueueId(1),
        to_seq: Seq(4),
        id,
        body,
        sent_at: Stamp(5),
        receives: 3,
        first_received_at: Some(Stamp(6)),
        group: Some(label("g")),
        origin: name("aws/f"),
        reason: None,
    };
    let attempt = Leased {
        queue,
        epoch: Epoch(1),
        until: Stamp(90_000),
        seqs: vec![Seq(2)],
        soft: false,
        attempt: Some(mark("again", Stamp(400_000))),
    };
    vec![
        created(1, "aws/q", QueueKind::Standard, &dead_letter("aws/d", 7)),
        created(2, "aws/f", QueueKind::Fifo, &no_settings()),
        purged(1),
        sent_with(1, 1, |sent| sent.id = id_at(1, 3)),
        sent_with(1, 2, |sent| sent.visible_at = Stamp(60_000)),
        sent(1, 3),
        soft_lease(1, 1, Stamp(50_000), &[3]),
        Fact::DeadLettered(dead),
        sent(1, 300),
        sent_with(2, 2, |sent| {
            sent.group = Some(label("g"));
            sent.dedup = Some(mark("d", Stamp(300_000)));
        }),
        Fact::Leased(attempt),
        standard(3, "aws/gone"),
        queue_deleted(3),
        Fact::ClockMoved(ClockMoved { offset: Millis(9) }),
    ]
}

fn brokers() -> Vec<Fact> {
    let (queue, session) = (QueueId(5), label("s"));
    let sessions = BrokerSettings { sessions: true, ..BrokerSettings::default() };
    let cause = DeadLetterCause::Receiver { reason: Some(label("r")), description: None };
    let dead = BrokerDeadLettered { queue: QueueId(4), seq: Seq(3), cause, failures: 2 };
    let create = |queue, text, settings| {
        let (queue, name) = (QueueId(queue), name(text));
        BrokerFact::Created(BrokerCreated { queue, name, settings })
    };
    let lock = |queue, until, seqs| Locked { queue: QueueId(queue), epoch: Epoch(1), until, seqs };
    let accepted = |session: &str, hold| {
        let (session, until) = (label(session), Stamp(30_000));
        let accepted = SessionAccepted { queue, session, epoch: Epoch(1), hold, until };
        Fact::Broker(BrokerFact::SessionAccepted(accepted))
    };
    vec![
        Fact::Broker(create(4, "azure/b", BrokerSettings::default())),
        broker_sent(4, 1, |sent| {
            (sent.ttl, sent.dedup) = (Some(Millis(77)), Some(mark("m", Stamp(40_000))));
        }),
        broker_sent(4, 2, |sent| sent.scheduled_at = Some(Stamp(99_999))),
        broker_sent(4, 3, |_| {}),
        broker_sent(4, 4, |_| {}),
        Fact::Broker(BrokerFact::Locked(lock(4, Some(Stamp(80_000)), vec![Seq(1)]))),
        Fact::Broker(BrokerFact::DeadLettered(dead)),
        Fact::Broker(BrokerFact::Deferred(OneMessage { queue: QueueId(4), seq: Seq(4) })),
        Fact::Broker(create(5, "azure/s", sessions)),
        broker_sent(5, 1, |sent| sent.session = Some(session.clone())),
        accepted("s", 1),
        accepted("t", 2),
        Fact::Broker(BrokerFact::Locked(lock(5, None, vec![Seq(1)]))),
        Fact::Broker(BrokerFact::SessionStateSet(SessionStateSet {
            queue,
            session,
            len: Some(12),
        })),
    ]
}

/// Something of everything that a checkpoint can hold.
fn something_of_everything() -> World {
    given((1..).zip(polled().into_iter().chain(brokers())))
}

/// Its blocks as version 1 writes them: queue, part, number, bytes. A line that changes makes old
/// checkpoints unreadable: add a field that is an `Option` at the end.
#[rustfmt::skip]
const BLOCKS: [(u64, u8, u64, &str); 16] = [
    (0, 0, 0, "8682181c010109196d600501"),
    (0, 2, 0, "81820183686177732f676f6e651a003721481932c8"),
    (1, 0, 0, "8282090182018187656177732f710087197530001a149970001a001000000082656177732f6407f41\
        903e81903e8190bb819012c"),
    (1, 1, 0, "8482018287500000000000038000800000004000000004190fa000f6f682040082008082028287500\
        000000f4242800080000002400000000419138800f6f682050082018119ea6082038287500000000\
        f42438000800000024000000004191770018301191b5819c350191b5882060082028119c35082048\
        28b500000000f4249800080000002400000001a000111700503f6f68219012c000306656177732f6\
        66167820080"),
    (1, 1, 1, "818219012c8287500000000f436c800080000002400000000419232800f6f6820900820080"),
    (2, 0, 0, "82820b0182018189656177732f660187197530001a149970001a0010000000f6f41907d01907d0f60\
        20101"),
    (2, 1, 0, "8182028287500000001e84828000800000024000000004192710018301192af81a00015f90192af88\
        20a006167"),
    (2, 2, 0, "8182018361641a000493e08202500000001e848280008000000240000000"),
    (2, 3, 0, "8182018365616761696e1a00061a8081820201"),
    (4, 0, 0, "828216018202818767617a7572652f6287f419ea600af6f4f61a00040000193a9804000100"),
    (4, 1, 0, "83820189500000003d0901800080000002400000008282100004193e80184df6820080820082011a0\
        00138800100820289500000003d0902800080000002400000008282110004194268f6f68202811a0\
        001869ff60000820489500000003d0904800080000002400000008282130004194a38f6f6820180f\
        60000"),
    (4, 2, 0, "81820183616d199c4082500000003d09018000800000024000000001"),
    (4, 4, 0, "8182038a500000003d0903800080000002400000008282120004194650f6f6820080f600028282028\
        16172195208"),
    (5, 0, 0, "8282181c018202818767617a7572652f7387f519ea600af6f4f61a000400001959d801020002"),
    (5, 1, 0, "81820189500000004c4b4180008000000240000000828218180004195dc0f66173820080820181010\
        100"),
    (5, 5, 0, "8282018361738301011975308282181c000c8202826174830102197530"),
];

#[test]
fn blocks_are_written_as_they_always_were() {
    let written = blocks(&something_of_everything().partition);
    let written: Vec<(u64, u8, u64, String)> = written
        .iter()
        .map(|Block { key, bytes }| (key.queue.0, key.part, key.number, hex(bytes)))
        .collect();
    let known = BLOCKS.map(|(queue, part, number, hex)| (queue, part, number, hex.to_owned()));
    assert_eq!(written, known);
}

/// What came to version 1 later: scopes, sources, notes, tags, moves.
fn what_came_later() -> World {
    let given = SettingsPatch {
        dedup_scope: Some(Scope::Group),
        throughput: Some(Scope::Group),
        sources: Some(DeadLetterSources::only([name("aws/b"), name("aws/a")])),
        notes: vec![(label("policy"), Some(text("{}")))],
        ..no_settings()
    };
    let mut open = created(1, "aws/f", QueueKind::Fifo, &given);
    if let Fact::QueueCreated(open) = &mut open {
        open.tags = Some(pairs(&[("stage", "test")]));
    }
    let closed = taking_from(DeadLetterSources::None);
    let start = |task, destination, rate| {
        let (queue, task, destination) = (QueueId(2), id_at(1, task), destination);
        let (last, to_move) = (Seq(9), 8);
        Fact::MoveStarted(MoveStarted { queue, task, last, to_move, destination, rate })
    };
    let end = |task, status| {
        Fact::MoveEnded(MoveEnded { queue: QueueId(2), task: id_at(1, task), status })
    };
    let moved = Moved {
        from: QueueId(2),
        seq: Seq(4),
        to: QueueId(1),
        to_seq: Seq(3),
        task: id_at(1, 7),
        id: id_at(1, 8),
        body: BodyRef { place: place(5), len: 4 },
        visible_at: Stamp(0),
        group: Some(label("h")),
    };
    let facts = [
        open,
        created(2, "aws/g", QueueKind::Fifo, &closed),
        sent_with(1, 1, |sent| {
            sent.group = Some(label("g"));
            sent.dedup = Some(mark("d", Stamp(300_000)));
            sent.dedup_scope = Some(Scope::Group);
        }),
        start(4, None, None),
        end(4, MoveStatus::Failed(MoveFailure::NoOrigin)),
        Fact::QueueTagged(QueueTagged {
            queue: QueueId(2),
            set: pairs(&[("a", "b")]),
            removed: vec![],
        }),
        start(7, Some(name("aws/f")), Some(7)),
        Fact::Moved(moved),
        Fact::MoveCancelled(MoveCancelled { queue: QueueId(2), task: id_at(1, 7) }),
    ];
    super::given((1..).zip(facts))
}

#[rustfmt::skip]
const LATER_BLOCKS: [(u64, u8, u64, &str); 5] = [
    (0, 0, 0, "8682090101001923280200"),
    (1, 0, 0, "828208018201818a656177732f66018b197530001a149970001a0010000000f6f4010182656177732f\
        61656177732f62818266706f6c696379627b7d1903e81903e8f6030100818265737461676564746573\
        74"),
    (1, 1, 0, "8282018287500000000f42418000800000024000000004190bb800f6f6820300616782038287500000\
        000000088000800000004000000004191f4000f6f68205006168"),
    (1, 2, 0, "8182018382616761641a000493e08201500000000f424180008000000240000000"),
    (2, 0, 0, "828209018201818b656177732f67018a197530001a149970001a0010000000f6f4f6f6801907d01907\
        d0f600000081826161616282875000000000000480008000000040000000190fa00882048101000982\
        190fa000885000000000000780008000000040000000191b5808820180050983192328010765617773\
        2f66"),
];

#[test]
fn what_came_later_is_written_as_it_is_from_then_on_and_read_back() {
    let written = blocks(&what_came_later().partition);
    let known = LATER_BLOCKS.map(known_block);
    let line = |Block { key, bytes }: &Block| (key.queue.0, key.part, key.number, hex(bytes));
    assert_eq!(
        written.iter().map(line).collect::<Vec<_>>(),
        known.iter().map(line).collect::<Vec<_>>()
    );
    let partition = restored(&known).unwrap();
    assert_eq!(blocks(&partition), known);
    partition.check(Stamp(0));
}

fn known_block((queue, part, number, hex): (u64, u8, u64, &str)) -> Block {
    Block { key: BlockKey { queue: QueueId(queue), part, number }, bytes: unhex(hex) }
}

fn known_blocks() -> Vec<Block> {
    BLOCKS.map(known_block).to_vec()
}

fn restored(blocks: &[Block]) -> Result<Partition, String> {
    let mut restoring = Restoring::new(PartitionId(0), Limits::cloud());
    for block in blocks {
        restoring.add(block).map_err(|error| error.to_string())?;
    }
    restoring.finish().map_err(|error| error.to_string())
}

#[test]
fn blocks_are_read_as_they_were_written_once() {
    let partition = restored(&known_blocks()).unwrap();
    assert_eq!(blocks(&partition), known_blocks());
    partition.check(Stamp(0));
}

#[test]
fn blocks_come_in_any_order_but_a_main_block_comes_first() {
    let mut blocks = known_blocks();
    blocks.sort_by_key(|block| (block.key.part != 0, std::cmp::Reverse(block.key)));
    assert_eq!(super::snapshots::blocks(&restored(&blocks).unwrap()), known_blocks());
    blocks.reverse();
    let error = restored(&blocks).unwrap_err();
    assert_eq!(
        error,
        "block 0 of part 2 of queue 0: the main block of its queue did not come before it"
    );
}

#[test]
fn a_checkpoint_without_its_header_is_none() {
    let blocks: Vec<Block> =
        known_blocks().into_iter().filter(|block| block.key.queue.0 != 0).collect();
    assert_eq!(restored(&blocks).unwrap_err(), "block 0 of part 0 of queue 0: it is missing");
}

#[test]
fn a_block_that_is_cut_short_or_too_long_is_an_error() {
    let good = known_blocks();
    for (index, block) in good.iter().enumerate() {
        for len in 0..block.bytes.len() {
            let mut blocks = good.clone();
            blocks[index].bytes.truncate(len);
            assert!(restored(&blocks).is_err(), "{:?} cut at {len}", block.key);
        }
        let mut blocks = good.clone();
        blocks[index].bytes.push(0);
        let error = restored(&blocks).unwrap_err();
        assert!(error.ends_with("1 bytes too many"), "{error}");
    }
}

#[test]
fn a_block_under_another_key_is_an_error() {
    let good = known_blocks();
    for (index, block) in good.iter().enumerate().filter(|(_, block)| block.key.part != 0) {
        for (part, number) in [(99, block.key.number), (block.key.part, block.key.number + 1)] {
            let mut blocks = good.clone();
            blocks[index].key = BlockKey { part, number, ..block.key };
            assert!(restored(&blocks).is_err(), "{:?} as {part}, {number}", block.key);
        }
        let mut blocks = good.clone();
        blocks.insert(index, block.clone());
        assert!(restored(&blocks).is_err(), "{:?} twice", block.key);
    }
}

#[test]
fn a_field_of_a_later_version_is_passed_over() {
    let mut blocks = known_blocks();
    let main = blocks.iter().position(|block| block.key.queue.0 == 1).unwrap();
    // The main block is a list of two; with a third.
    assert_eq!(blocks[main].bytes[0], 0x82);
    blocks[main].bytes[0] = 0x83;
    blocks[main].bytes.push(0x18);
    blocks[main].bytes.push(0x2a);
    assert_eq!(super::snapshots::blocks(&restored(&blocks).unwrap()), known_blocks());
}

#[test]
fn flipped_bytes_never_panic() {
    flip(&known_blocks());
    flip(&LATER_BLOCKS.map(known_block));
}

fn flip(known: &[Block]) {
    for (index, block) in known.iter().enumerate() {
        for at in 0..block.bytes.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut blocks = known.to_vec();
                blocks[index].bytes[at] ^= bit;
                if let Ok(partition) = restored(&blocks) {
                    let _ = super::snapshots::blocks(&partition);
                }
            }
        }
    }
}
