//! Facts of every kind, and any facts: whether or not a partition could have decided them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// One of each kind in the order of their numbers, with what is absent and what is there.
pub(crate) fn every_fact() -> Vec<Fact> {
    let first = vec![
        Fact::Opened(Opened { epoch: Epoch(1), offset: Millis(0) }),
        Fact::ClockMoved(ClockMoved { offset: Millis(300_000) }),
        Fact::Canary,
    ];
    let queue = QueueId(1);
    let tagged = QueueTagged { queue, set: pairs(&[("k", "v")]), removed: vec![label("x")] };
    let last = BrokerFact::Completed(OneMessage { queue, seq: Seq(2) });
    [
        first,
        every_change_of_queues(),
        every_change_of_messages(),
        vec![Fact::QueueTagged(tagged)],
        every_move(),
        vec![Fact::Broker(last)],
        every_change_of_events(),
        every_change_of_subscriptions(),
    ]
    .concat()
}

fn every_change_of_subscriptions() -> Vec<Fact> {
    let subscription = QueueId(1);
    let item = QueryItem {
        types: vec![label("t")],
        tags: vec![label("a"), label("b")],
        stream: Some(label("s-1")),
        category: Some(label("s")),
        correlation: Some(label("c")),
    };
    let bare = SubscriptionSettings {
        store: name("native/e"),
        query: Query::default(),
        after: EventNumber(0),
        feeds: Feeds::Nothing,
        note: None,
    };
    let fed = SubscriptionSettings { feeds: Feeds::Queue(name("aws/q")), ..bare.clone() };
    let workers = Workers {
        queue: name("native/w"),
        parked: name("native/p"),
        lease: Millis(30_000),
        attempts: 5,
    };
    let full = SubscriptionSettings {
        query: Query { items: vec![item, QueryItem::default()] },
        after: EventNumber(70_000),
        feeds: Feeds::Workers(workers),
        note: Some(text("by tag")),
        ..bare.clone()
    };
    let made = |settings| {
        let name = name("native/s");
        Fact::Subscribed(Subscribed { subscription, name, settings })
    };
    let advanced = Advanced { subscription, upto: EventNumber(70_001), messages: 24 };
    vec![made(bare), made(fed), made(full), Fact::Advanced(advanced)]
}

fn every_change_of_events() -> Vec<Fact> {
    let store = QueueId(1);
    let bare = Appended {
        store,
        number: EventNumber(2),
        stream: label("s-1"),
        version: Version(3),
        kind: label("k"),
        tags: Vec::new(),
        correlation: None,
        len: 1000,
        index: 0,
        count: 1,
    };
    let full = Appended {
        number: EventNumber(70_000),
        tags: vec![label("a"), label("b")],
        correlation: Some(label("c")),
        index: 1,
        count: 2,
        ..bare.clone()
    };
    vec![
        Fact::EventStoreCreated(EventStoreCreated { store, name: name("native/e") }),
        Fact::Appended(bare),
        Fact::Appended(full),
        Fact::Indexed(Indexed { store, upto: EventNumber(2) }),
    ]
}

fn every_change_of_queues() -> Vec<Fact> {
    let settings = QueueSettings {
        dead_letter: Some(rule("aws/dead", 5)),
        content_dedup: true,
        ..QueueSettings::default()
    };
    let bare = QueueSettings::default();
    let newer = QueueSettings {
        dedup_scope: Scope::Group,
        throughput: Scope::Group,
        sources: DeadLetterSources::only([name("b"), name("a")]),
        notes: pairs(&[("n", "text")]).into_iter().collect(),
        ..QueueSettings::default()
    };
    let closed = QueueSettings { sources: DeadLetterSources::None, ..QueueSettings::default() };
    let creation = |kind, settings, tags| {
        let (queue, name) = (QueueId(1), name("aws/q"));
        Fact::QueueCreated(QueueCreated { queue, name, kind, settings, tags })
    };
    vec![
        creation(QueueKind::Standard, bare.clone(), None),
        creation(QueueKind::Fifo, settings, None),
        creation(QueueKind::Fifo, newer.clone(), Some(pairs(&[("k", "v")]))),
        changed(1, bare),
        changed(1, newer),
        changed(1, closed),
        queue_deleted(u64::MAX),
        purged(24),
    ]
}

fn body_far_away() -> BodyRef {
    BodyRef { place: Place { position: Position(7), index: 8 }, len: 9 }
}

fn every_change_of_messages() -> Vec<Fact> {
    let dead = DeadLettered {
        from: QueueId(1),
        seq: Seq(2),
        to: QueueId(3),
        to_seq: Seq(4),
        id: id_at(5, 6),
        body: body_far_away(),
        sent_at: Stamp(10),
        receives: 11,
        first_received_at: None,
        group: None,
        origin: name("aws/from"),
        reason: None,
    };
    let full = DeadLettered {
        first_received_at: Some(Stamp(12)),
        group: Some(label("ünïcode")),
        ..dead.clone()
    };
    let parked = DeadLettered { reason: Some(text("no such order")), ..full.clone() };
    let lease = |attempt: Option<DedupMark>| {
        let (queue, epoch, until) = (QueueId(1), Epoch(2), Stamp(3));
        let (seqs, soft) = (vec![Seq(4), Seq(500)], attempt.is_none());
        Fact::Leased(Leased { queue, epoch, until, seqs, soft, attempt })
    };
    let remembered = |seq, dedup_scope| {
        sent_with(1, seq, |sent| {
            sent.group = Some(label("g"));
            sent.dedup = Some(mark("d", Stamp(4)));
            sent.dedup_scope = dedup_scope;
        })
    };
    vec![
        sent_with(1, 2, |sent| sent.visible_at = Stamp(1_760_000_000_000)),
        remembered(3, None),
        remembered(4, Some(Scope::Group)),
        lease(None),
        lease(Some(mark("a", Stamp(5)))),
        lease_changed(1, 2, Stamp(3)),
        deleted(1, 2),
        Fact::DeadLettered(dead),
        Fact::DeadLettered(full),
        Fact::DeadLettered(parked),
        expired(1, Stamp(2), 3),
    ]
}

fn every_move() -> Vec<Fact> {
    let (queue, task) = (QueueId(1), id_at(2, 3));
    let start = |destination, rate| {
        let (last, to_move) = (Seq(4), 5);
        Fact::MoveStarted(MoveStarted { queue, task, last, to_move, destination, rate })
    };
    let moved = |group| {
        Fact::Moved(Moved {
            from: queue,
            seq: Seq(2),
            to: QueueId(3),
            to_seq: Seq(4),
            task,
            id: id_at(5, 6),
            body: body_far_away(),
            visible_at: Stamp(10),
            group,
        })
    };
    let ended = |status| Fact::MoveEnded(MoveEnded { queue, task, status });
    vec![
        start(None, None),
        start(Some(name("aws/to")), Some(500)),
        moved(None),
        moved(Some(label("g"))),
        Fact::MovePassed(MovePassed { queue, task, seq: Seq(7) }),
        Fact::MoveCancelled(MoveCancelled { queue, task }),
        ended(MoveStatus::Completed),
        ended(MoveStatus::Cancelled),
        ended(MoveStatus::Failed(MoveFailure::DestinationGone)),
        ended(MoveStatus::Failed(MoveFailure::NoOrigin)),
        ended(MoveStatus::Failed(MoveFailure::KindsDiffer)),
    ]
}

/// The numbers as they are written. Without a wildcard, so that a new fact does not compile until
/// it stands above.
pub(crate) fn number(fact: &Fact) -> u8 {
    match fact {
        Fact::Opened(_) => 1,
        Fact::ClockMoved(_) => 2,
        Fact::Canary => 3,
        Fact::QueueCreated(_) => 10,
        Fact::QueueChanged(_) => 11,
        Fact::QueueDeleted(_) => 12,
        Fact::QueuePurged(_) => 13,
        Fact::Sent(_) => 14,
        Fact::Leased(_) => 15,
        Fact::LeaseChanged(_) => 16,
        Fact::Deleted(_) => 17,
        Fact::DeadLettered(_) => 18,
        Fact::Expired(_) => 19,
        Fact::QueueTagged(_) => 20,
        Fact::MoveStarted(_) => 21,
        Fact::Moved(_) => 22,
        Fact::MovePassed(_) => 23,
        Fact::MoveCancelled(_) => 24,
        Fact::MoveEnded(_) => 25,
        Fact::Broker(_) => 40,
        Fact::EventStoreCreated(_) => 60,
        Fact::Appended(_) => 61,
        Fact::Indexed(_) => 62,
        Fact::Subscribed(_) => 63,
        Fact::Advanced(_) => 64,
    }
}

#[test]
fn a_fact_names_the_queues_that_it_changes() {
    let named = |fact: &Fact| fact.queues().into_iter().flatten().map(|queue| queue.0).collect();
    let queues: Vec<Vec<u64>> = every_fact().iter().map(named).collect();
    for (fact, queues) in every_fact().iter().zip(queues) {
        let expected = match number(fact) {
            1..=3 => vec![],
            12 => vec![u64::MAX],
            13 => vec![24],
            18 | 22 => vec![1, 3],
            _ => vec![1],
        };
        assert_eq!(queues, expected, "{fact:?}");
    }
}

#[test]
fn only_a_lease_can_be_soft() {
    let soft: Vec<u8> = every_fact().iter().filter(|fact| fact.is_soft()).map(number).collect();
    assert_eq!(soft, [15]);
}

fn any_queue() -> impl Strategy<Value = QueueId> {
    (1..5_u64).prop_map(QueueId)
}

fn any_name() -> impl Strategy<Value = Name> {
    "[qrst]".prop_map(Name::new)
}

fn any_label() -> impl Strategy<Value = Label> {
    prop_oneof!["[gh]", Just(String::new()), "\\PC{1,3}"].prop_map(Label::new)
}

fn any_stamp() -> impl Strategy<Value = Stamp> {
    prop_oneof![9 => 0..500_u64, 1 => Just(u64::MAX)].prop_map(Stamp)
}

fn any_seq() -> impl Strategy<Value = Seq> {
    prop_oneof![9 => 0..6_u64, 1 => Just(u64::MAX)].prop_map(Seq)
}

fn any_mark() -> impl Strategy<Value = DedupMark> {
    (any_label(), any_stamp()).prop_map(|(key, until)| DedupMark { key, until })
}

fn any_settings() -> impl Strategy<Value = QueueSettings> {
    let rule = (any_name(), 1..3_u32);
    let rule = rule.prop_map(|(target, receives_max)| DeadLetterRule { target, receives_max });
    let spans = (0..99_u64, 0..99_u64, 0..300_u64, any::<u32>());
    let sources = prop_oneof![
        4 => Just(DeadLetterSources::All),
        1 => vec(any_name(), 0..4).prop_map(DeadLetterSources::only),
    ];
    let newer = (any_scope(), any_scope(), sources, any_texts());
    (spans, option::of(rule), any::<bool>(), newer).prop_map(
        |(spans, dead_letter, content_dedup, newer)| {
            let (visibility, delay, retention, message_bytes_max) = spans;
            let (dedup_scope, throughput, sources, notes) = newer;
            QueueSettings {
                visibility: Millis(visibility),
                delay: Millis(delay),
                retention: Millis(retention),
                message_bytes_max,
                receive_wait: Millis(delay),
                dead_letter,
                content_dedup,
                dedup_scope,
                throughput,
                sources,
                notes: notes.into_iter().collect(),
            }
        },
    )
}

fn any_scope() -> impl Strategy<Value = Scope> {
    any::<bool>().prop_map(|group| if group { Scope::Group } else { Scope::Queue })
}

fn any_texts() -> impl Strategy<Value = Vec<(Label, Text)>> {
    vec((any_label(), "[xy]{0,3}".prop_map(Text::new)), 0..3)
}

fn any_task() -> impl Strategy<Value = MessageId> {
    (0..3_u64).prop_map(|position| id_at(1, position))
}

fn any_kind() -> impl Strategy<Value = QueueKind> {
    any::<bool>().prop_map(|fifo| if fifo { QueueKind::Fifo } else { QueueKind::Standard })
}

fn about_all() -> impl Strategy<Value = Fact> {
    prop_oneof![
        (any::<u32>(), 0..9_u64).prop_map(|(epoch, offset)| {
            Fact::Opened(Opened { epoch: Epoch(epoch), offset: Millis(offset) })
        }),
        (0..9_u64).prop_map(|offset| Fact::ClockMoved(ClockMoved { offset: Millis(offset) })),
        Just(Fact::Canary),
    ]
}

fn about_queues() -> impl Strategy<Value = Fact> {
    let created = (any_queue(), any_name(), any_kind(), any_settings());
    prop_oneof![
        4 => (created, option::of(any_texts())).prop_map(
            |((queue, name, kind, settings), tags)| {
                Fact::QueueCreated(QueueCreated { queue, name, kind, settings, tags })
            }
        ),
        1 => (any_queue(), any_texts(), vec(any_label(), 0..2)).prop_map(
            |(queue, set, removed)| Fact::QueueTagged(QueueTagged { queue, set, removed })
        ),
        1 => (any_queue(), any_name()).prop_map(|(queue, name)| {
            let settings = BrokerSettings::default();
            Fact::Broker(BrokerFact::Created(BrokerCreated { queue, name, settings }))
        }),
        2 => (any_queue(), any_settings())
            .prop_map(|(queue, settings)| Fact::QueueChanged(QueueChanged { queue, settings })),
        1 => any_queue().prop_map(|queue| Fact::QueueDeleted(QueueDeleted { queue })),
        1 => any_queue().prop_map(|queue| Fact::QueuePurged(QueuePurged { queue })),
    ]
}

fn any_sent() -> impl Strategy<Value = Fact> {
    let parts = (any_queue(), any_seq(), any_stamp(), any::<u32>());
    let dedup = (option::of(any_mark()), option::of(any_scope()));
    let parts = (parts, option::of(any_label()), dedup);
    parts.prop_map(|((queue, seq, visible_at, len), group, (dedup, dedup_scope))| {
        let id = id_at(len, seq.0 & 0xff);
        Fact::Sent(Sent { queue, seq, id, len, visible_at, group, dedup, dedup_scope })
    })
}

fn any_dead_letter() -> impl Strategy<Value = Fact> {
    let ways = (any_queue(), any_seq(), any_queue(), any_seq());
    let times = (any_stamp(), option::of(any_stamp()), any::<u32>());
    let words = (option::of(any_label()), any_name(), option::of("[xy]{0,3}".prop_map(Text::new)));
    (ways, times, words).prop_map(|(ways, times, (group, origin, reason))| {
        let (from, seq, to, to_seq) = ways;
        let (sent_at, first_received_at, receives) = times;
        let body = BodyRef { place: place(u64::from(receives)), len: receives };
        Fact::DeadLettered(DeadLettered {
            from,
            seq,
            to,
            to_seq,
            id: id_at(receives, 1),
            body,
            sent_at,
            receives,
            first_received_at,
            group,
            origin,
            reason,
        })
    })
}

fn any_status() -> impl Strategy<Value = MoveStatus> {
    use MoveFailure::{DestinationGone, KindsDiffer, NoOrigin};
    use MoveStatus::{Cancelled, Cancelling, Completed, Failed, Running};
    let failed = [DestinationGone, NoOrigin, KindsDiffer].map(Failed);
    prop::sample::select(
        [vec![Cancelled, Cancelling, Completed, Running], failed.to_vec()].concat(),
    )
}

fn any_move() -> impl Strategy<Value = Fact> {
    let started = (any_queue(), any_task(), any_seq(), option::of(any_name()));
    let started = (started, option::of(prop_oneof![0..4_u32, Just(u32::MAX)]));
    let ways = (any_queue(), any_seq(), any_queue(), any_seq(), any_task());
    let moved = (ways, any_stamp(), any::<u32>(), option::of(any_label()));
    prop_oneof![
        3 => started.prop_map(|((queue, task, last, destination), rate)| {
            let to_move = last.0;
            Fact::MoveStarted(MoveStarted { queue, task, last, to_move, destination, rate })
        }),
        3 => moved.prop_map(|((from, seq, to, to_seq, task), visible_at, len, group)| {
            let (id, body) = (id_at(len, 2), BodyRef { place: place(u64::from(len)), len });
            Fact::Moved(Moved { from, seq, to, to_seq, task, id, body, visible_at, group })
        }),
        1 => (any_queue(), any_task(), any_seq())
            .prop_map(|(queue, task, seq)| Fact::MovePassed(MovePassed { queue, task, seq })),
        1 => (any_queue(), any_task())
            .prop_map(|(queue, task)| Fact::MoveCancelled(MoveCancelled { queue, task })),
        1 => (any_queue(), any_task(), any_status())
            .prop_map(|(queue, task, status)| Fact::MoveEnded(MoveEnded { queue, task, status })),
    ]
}

fn about_messages() -> impl Strategy<Value = Fact> {
    let leased = (any_queue(), any::<u32>(), any_stamp(), vec(any_seq(), 0..4));
    let leased = (leased, any::<bool>(), option::of(any_mark()));
    prop_oneof![
        6 => any_sent(),
        4 => leased.prop_map(|((queue, epoch, until, seqs), soft, attempt)| {
            Fact::Leased(Leased { queue, epoch: Epoch(epoch), until, seqs, soft, attempt })
        }),
        2 => (any_queue(), any_seq(), any_stamp()).prop_map(|(queue, seq, until)| {
            Fact::LeaseChanged(LeaseChanged { queue, seq, until })
        }),
        2 => (any_queue(), any_seq()).prop_map(|(queue, seq)| Fact::Deleted(Deleted { queue, seq })),
        3 => any_dead_letter(),
        1 => (any_queue(), any_seq(), any_stamp())
            .prop_map(|(queue, seq, sent_at)| Fact::Expired(Expired { queue, sent_at, seq })),
    ]
}

fn any_number() -> impl Strategy<Value = EventNumber> {
    prop_oneof![19 => 0..20_u64, 1 => Just(u64::MAX)].prop_map(EventNumber)
}

fn about_events() -> impl Strategy<Value = Fact> {
    let found_by = (any_label(), any_label(), vec(any_label(), 0..3), option::of(any_label()));
    let counts =
        (any_seq(), any::<u32>(), 0..4_u32, prop_oneof![9 => 0..4_u32, 1 => Just(u32::MAX)]);
    prop_oneof![
        2 => (any_queue(), any_name())
            .prop_map(|(store, name)| Fact::EventStoreCreated(EventStoreCreated { store, name })),
        6 => (any_queue(), any_number(), found_by, counts).prop_map(
            |(store, number, (stream, kind, tags, correlation), (seq, len, index, count))| {
                let version = Version(seq.0);
                Fact::Appended(Appended {
                    store, number, stream, version, kind, tags, correlation, len, index, count,
                })
            }
        ),
        1 => (any_queue(), any_number())
            .prop_map(|(store, upto)| Fact::Indexed(Indexed { store, upto })),
    ]
}

fn any_query() -> impl Strategy<Value = Query> {
    let sets = (vec(any_label(), 0..2), vec(any_label(), 0..2));
    let single = (option::of(any_label()), option::of(any_label()), option::of(any_label()));
    let item = (sets, single).prop_map(|((types, tags), (stream, category, correlation))| {
        QueryItem { types, tags, stream, category, correlation }
    });
    vec(item, 0..3).prop_map(|items| Query { items })
}

fn any_feeds() -> impl Strategy<Value = Feeds> {
    let workers = (any_name(), any_name(), any::<u64>(), any::<u32>());
    prop_oneof![
        Just(Feeds::Nothing),
        any_name().prop_map(Feeds::Queue),
        workers.prop_map(|(queue, parked, lease, attempts)| {
            Feeds::Workers(Workers { queue, parked, lease: Millis(lease), attempts })
        }),
    ]
}

fn about_subscriptions() -> impl Strategy<Value = Fact> {
    let settings = (any_query(), any_feeds(), any_number(), option::of("[xy]{0,3}"));
    let names = (any_queue(), any_name(), any_name());
    prop_oneof![
        1 => (names, settings).prop_map(
            |((subscription, name, store), (query, feeds, after, note))| {
                let note = note.map(Text::new);
                let settings = SubscriptionSettings { store, query, after, feeds, note };
                Fact::Subscribed(Subscribed { subscription, name, settings })
            }
        ),
        2 => (any_queue(), any_number(), any::<u32>()).prop_map(|(subscription, upto, messages)| {
            Fact::Advanced(Advanced { subscription, upto, messages })
        }),
    ]
}

pub(crate) fn any_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        1 => about_all(),
        4 => about_queues(),
        12 => about_messages(),
        4 => any_move(),
        4 => about_events(),
        3 => about_subscriptions(),
    ]
}
