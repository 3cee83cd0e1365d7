//! What callers wish of subscriptions: feeders who know where the cursor was and what is in the log,
//! and workers who share what was fed.

use lineside_core::command::{Command, NewDedup, NewMessage, Reply};
use lineside_core::events::{Query, QueryItem};
use lineside_core::id::{EventNumber, Label, Seq};
use lineside_core::parts::DeadLetterRule;
use lineside_core::queue::{QueueKind, SettingsPatch};
use lineside_core::refusal::Refusal;
use lineside_core::stamp::Millis;
use lineside_core::subscription::{
    Feeds, SubscriptionCommand, SubscriptionRefusal, SubscriptionSettings, Workers,
};

use super::{Clients, Stash, Whim, named, polled};
use crate::model::Answer;
use crate::sim::plan::{Feeding, Kind, QueuePlan};

const SHARED: &str = "ships/q";
const PARKING: &str = "ships/p";
const GROUPS: [&str; 3] = ["red", "green", "blue"];

/// How often what is wished of a subscription.
const WISHES: [u32; 5] = [60, 6, 4, 1, 1];
/// How often what is wished of the queues of its own.
const WORK: [u32; 9] = [34, 22, 8, 10, 6, 8, 2, 1, 1];

/// Whether a queue is a plan's, or its subscription's own.
pub(super) fn is_of(name: &str, plan: &str) -> bool {
    name == plan || name.strip_prefix(plan).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether it is where a subscription's messages are parked.
pub(super) fn is_parking(name: &str) -> bool {
    name == PARKING
}

/// Looks at the subscription, and at the queues of its own.
pub(super) fn audit(name: &str, feeding: Feeding) -> Vec<Command> {
    let mut audits =
        vec![Command::Subscription(SubscriptionCommand::Describe { name: named(name) })];
    if feeding == Feeding::Workers {
        audits.extend(polled::audit(SHARED).into_iter().chain(polled::audit(PARKING)));
    }
    audits
}

impl Stash {
    pub(super) fn learn_cursor(&mut self, answer: &Answer) {
        match answer {
            Ok(Reply::Advanced { upto: Some(upto) })
            | Err(Refusal::Subscription(SubscriptionRefusal::Moved { upto })) => {
                self.cursor = *upto;
            }
            Ok(Reply::Subscription(described)) => self.cursor = described.upto,
            _ => {}
        }
    }
}

impl Clients {
    pub(super) fn about_subscriptions(
        &mut self,
        whim: &mut Whim<'_>,
        index: usize,
        (name, feeding): (&'static str, Feeding),
    ) -> Command {
        let crowded = self.is_crowded(index);
        if feeding == Feeding::Workers && (crowded || whim.rng.chance(60)) {
            return self.work(whim, index);
        }
        let near = if whim.rng.chance(3) { "nowhere" } else { name };
        let command = match whim.rng.weighted(&WISHES) {
            0 => self.advance(whim, index, (near, feeding)),
            1 => SubscriptionCommand::Describe { name: named(near) },
            2 => return self.subscribe(whim, name, feeding),
            3 => SubscriptionCommand::Delete { name: named(near) },
            // Somebody else may have taken its name.
            _ => return Command::DeleteQueue { name: named(name) },
        };
        Command::Subscription(command)
    }

    pub(super) fn subscribe(
        &mut self,
        whim: &mut Whim<'_>,
        name: &'static str,
        feeding: Feeding,
    ) -> Command {
        let feeds = match feeding {
            Feeding::Nothing => Feeds::Nothing,
            Feeding::Queue => {
                let of = ["orders", "orders", "orders", "jobs", "nowhere"];
                Feeds::Queue(named(whim.rng.one(&of, "orders")))
            }
            Feeding::Workers => Feeds::Workers(Workers {
                queue: named(SHARED),
                parked: named(if whim.rng.chance(3) { SHARED } else { PARKING }),
                lease: Millis(whim.rng.one(&[5000, 5000, 5000, 5000, 5000, 30_000, 999], 5000)),
                attempts: whim.rng.one(&[2, 2, 2, 2, 2, 1, 0], 2),
            }),
        };
        let last = self.diary.last.0;
        let settings = SubscriptionSettings {
            store: named("books"),
            query: query(whim),
            after: EventNumber(whim.rng.one(&[0, 0, 0, 0, last, last + 1], 0)),
            feeds,
            note: None,
        };
        Command::Subscription(SubscriptionCommand::Create { name: named(name), settings })
    }

    /// From where the cursor was last, or where it was long ago, to what is in the log.
    fn advance(
        &mut self,
        whim: &mut Whim<'_>,
        index: usize,
        (name, feeding): (&'static str, Feeding),
    ) -> SubscriptionCommand {
        let (last, cursor) =
            (self.diary.last.0, self.stash(index).map_or(0, |stash| stash.cursor.0));
        let after = if whim.rng.chance(92) { cursor } else { whim.rng.between(0, last + 1) };
        let upto = match whim.rng.below(30) {
            0 => last + whim.rng.between(1, 2),
            1 => whim.rng.between(0, after),
            _ => (after + whim.rng.between(1, 4)).min(last).max(after),
        };
        let feeds = feeding != Feeding::Nothing || whim.rng.chance(3);
        let mut messages = Vec::new();
        for number in after + 1..=upto {
            if feeds && whim.rng.chance(70) {
                messages.push(self.of_event(whim, number));
            }
        }
        if feeds && whim.rng.chance(2) {
            // Once more than it happened.
            messages.push(self.of_event(whim, upto));
        }
        SubscriptionCommand::Advance {
            name: named(name),
            after: EventNumber(after),
            upto: EventNumber(upto),
            messages: messages.into(),
            wait: whim.maybe(self.waits, |whim| whim.seconds(&[0, 1, 5, 20])).unwrap_or_default(),
        }
    }

    fn of_event(&mut self, whim: &mut Whim<'_>, number: u64) -> NewMessage {
        let body = self.body(whim);
        let large = whim.rng.chance(1);
        let size = if large { 2 << 20 } else { u32::try_from(body.len()).unwrap_or(u32::MAX) };
        let nth = usize::try_from(number % 3).unwrap_or(0);
        let group = GROUPS.get(nth).copied().map(Label::new);
        let group = group.filter(|_| !whim.rng.chance(1));
        NewMessage { body, size, delay: None, group, dedup: NewDedup::None }
    }

    /// What workers do, and who minds what they gave up.
    fn work(&mut self, whim: &mut Whim<'_>, index: usize) -> Command {
        let (queue, kind) = (named(SHARED), Kind::Fifo);
        let work = if self.has_receipts(whim, index) { &WORK[..] } else { &WORK[..1] };
        match whim.rng.weighted(work) {
            0 => self.receive(whim, QueuePlan { name: SHARED, kind }, queue),
            1 => Command::Delete { queue, receipt: self.receipt(whim, index).0 },
            2 => {
                let timeout = whim.seconds(&[0, 0, 0, 5, 30]);
                Command::ChangeLease { queue, receipt: self.receipt(whim, index).0, timeout }
            }
            3 => self.park(whim, index, queue),
            4 => {
                let (queue, from) = (named(PARKING), Seq(0));
                Command::Peek { queue, from, max: 12, in_flight: true, delayed: true }
            }
            5 => Command::GiveBack { queue: named(PARKING), seqs: self.parked(whim, index) },
            6 => Command::DescribeQueue { name: queue },
            7 => {
                let name = if whim.rng.chance(50) { queue } else { named(PARKING) };
                if whim.rng.chance(60) {
                    Command::PurgeQueue { name }
                } else {
                    Command::DeleteQueue { name }
                }
            }
            _ => {
                let (target, receives_max) = (named(PARKING), 2);
                let dead_letter = Some(Some(DeadLetterRule { target, receives_max }));
                let given = SettingsPatch { dead_letter, ..SettingsPatch::default() };
                let (kind, tags) = (QueueKind::Fifo, Vec::new());
                Command::CreateQueue { name: queue, kind, given, tags }
            }
        }
    }

    /// Some of what is parked, as far as somebody has looked; one of them perhaps twice.
    fn parked(&mut self, whim: &mut Whim<'_>, index: usize) -> Vec<Seq> {
        let known = self.stash(index).map(|stash| stash.seqs.clone()).unwrap_or_default();
        let count = whim.rng.between(1, 4);
        let one = |whim: &mut Whim<'_>| match whim.rng.pick(&known) {
            Some(seq) if whim.rng.chance(80) => *seq,
            _ => Seq(whim.rng.between(1, 8)),
        };
        (0..count).map(|_| one(whim)).collect()
    }
}

/// Mostly all; nobody here looks whether events match.
fn query(whim: &mut Whim<'_>) -> Query {
    match whim.rng.below(12) {
        0 => Query { items: vec![QueryItem::default(); 100] },
        1 => Query::of(QueryItem { types: vec![Label::new("Paid")], ..QueryItem::default() }),
        _ => Query::all(),
    }
}
