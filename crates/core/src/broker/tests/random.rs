//! Random commands, random times, random facts.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::broker::message::Hold;
use crate::codec::{decode_facts, encode_facts};

/// What happens next in a story. Receipts and holds are named by a number modulo those there are.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Advance(u64),
    Tick,
    Restart,
    Do(Wish),
}

#[derive(Clone, Debug)]
pub(super) enum Wish {
    Send { session: Option<u8>, ttl: Option<u64>, later: Option<u64>, message_id: Option<u8> },
    Receive { dead: bool, delete: bool, max: usize },
    Accept(Option<u8>),
    ReceiveIn { holder: usize, delete: bool, max: usize },
    Deferred { dead: bool, holder: Option<usize>, delete: bool, seqs: Vec<u64> },
    Settle { receipt: usize, how: u8 },
    RenewLock(usize),
    RenewSession(usize),
    Release(usize),
    State { holder: usize, len: Option<usize> },
    Cancel(Vec<u64>),
    Peek { dead: bool, from: u64, max: usize, session: Option<u8> },
}

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    let (b, index) = (any::<bool>, || 0..20_usize);
    let seqs = || vec(1..20_u64, 0..3);
    prop_oneof![
        6 => (option::of(0..3_u8), option::of(1..200_u64), option::of(0..200_u64), option::of(0..3_u8))
            .prop_map(|(session, ttl, later, message_id)| Wish::Send { session, ttl, later, message_id }),
        4 => (b(), b(), 0..4_usize)
            .prop_map(|(dead, delete, max)| Wish::Receive { dead, delete, max }),
        3 => option::of(0..3_u8).prop_map(Wish::Accept),
        4 => (index(), b(), 0..4_usize)
            .prop_map(|(holder, delete, max)| Wish::ReceiveIn { holder, delete, max }),
        2 => (b(), option::of(index()), b(), seqs())
            .prop_map(|(dead, holder, delete, seqs)| Wish::Deferred { dead, holder, delete, seqs }),
        8 => (index(), 0..4_u8).prop_map(|(receipt, how)| Wish::Settle { receipt, how }),
        1 => index().prop_map(Wish::RenewLock),
        1 => index().prop_map(Wish::RenewSession),
        1 => index().prop_map(Wish::Release),
        1 => (index(), option::of(0..9_usize))
            .prop_map(|(holder, len)| Wish::State { holder, len }),
        1 => seqs().prop_map(Wish::Cancel),
        1 => (b(), 0..20_u64, 0..9_usize, option::of(0..3_u8))
            .prop_map(|(dead, from, max, session)| Wish::Peek { dead, from, max, session }),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..120_u64).prop_map(Step::Advance),
        1 => Just(Step::Tick),
        1 => Just(Step::Restart),
        14 => wish().prop_map(Step::Do),
    ]
}

pub(super) fn settings() -> impl Strategy<Value = BrokerSettings> {
    let flags = any::<[bool; 3]>();
    (flags, 1..4_u32, option::of(50..300_u64)).prop_map(|(flags, deliveries_max, ttl)| {
        let [sessions, dead_letter_on_expiry, dedup] = flags;
        BrokerSettings {
            sessions,
            deliveries_max,
            ttl: ttl.map(Millis),
            dead_letter_on_expiry,
            dedup_window: dedup.then_some(Millis(150)),
            ..plain()
        }
    })
}

fn session_of(n: u8) -> Label {
    label(["a", "b", "c"][usize::from(n)])
}

fn sub(dead: bool) -> SubQueue {
    if dead { SubQueue::DeadLetter } else { SubQueue::Main }
}

fn mode(delete: bool) -> ReceiveMode {
    if delete { ReceiveMode::ReceiveAndDelete } else { ReceiveMode::PeekLock }
}

/// A world in which clients remember what they were handed, also what is long lost.
pub(super) struct Story {
    pub(super) world: World,
    receipts: Vec<(Receipt, Option<SessionHolder>)>,
    holders: Vec<SessionHolder>,
    duplicates: usize,
    sends: usize,
}

impl Story {
    pub(super) fn new(settings: BrokerSettings) -> Story {
        let world = World::new(settings);
        Story { world, receipts: vec![], holders: vec![], duplicates: 0, sends: 0 }
    }

    fn holder(&self, n: usize) -> SessionHolder {
        let known = self.holders.get(n.checked_rem(self.holders.len()).unwrap_or(0));
        known.cloned().unwrap_or_else(|| holder("a", 1, 99))
    }

    fn receipt(&self, n: usize) -> (Receipt, Option<SessionHolder>) {
        let known = self.receipts.get(n.checked_rem(self.receipts.len()).unwrap_or(0));
        known.cloned().unwrap_or_else(|| (receipt(1, 1, 99), None))
    }

    pub(super) fn operation(&self, wish: Wish) -> BrokerOperation {
        let at = self.world.at;
        match wish {
            Wish::Send { session, ttl, later, message_id } => {
                let message = NewBrokerMessage {
                    session: session.map(session_of),
                    ttl: ttl.map(Millis),
                    scheduled_at: later.map(|later| Stamp(at + later)),
                    message_id: message_id.map(session_of),
                    ..new("body")
                };
                BrokerOperation::Send { message }
            }
            Wish::Receive { dead, delete, max } => {
                BrokerOperation::Receive { sub: sub(dead), mode: mode(delete), max, wait: None }
            }
            Wish::Accept(which) => {
                let specific = which.map(|n| WhichSession::Specific(session_of(n)));
                let which = specific.unwrap_or(WhichSession::Next);
                BrokerOperation::AcceptSession { which, wait: None }
            }
            Wish::ReceiveIn { holder, delete, max } => {
                let (holder, mode) = (self.holder(holder), mode(delete));
                BrokerOperation::ReceiveInSession { holder, mode, max, wait: None }
            }
            Wish::Deferred { dead, holder, delete, seqs } => {
                let seqs = seqs.into_iter().map(Seq).collect();
                let holder = holder.map(|n| self.holder(n));
                BrokerOperation::ReceiveDeferred {
                    sub: sub(dead),
                    holder,
                    mode: mode(delete),
                    seqs,
                }
            }
            Wish::Settle { receipt, how } => {
                let (receipt, holder) = self.receipt(receipt);
                let how = match how {
                    0 => Settlement::Complete,
                    1 => Settlement::Abandon,
                    2 => Settlement::Defer,
                    _ => because("x"),
                };
                BrokerOperation::Settle { receipt, holder, how }
            }
            Wish::RenewLock(n) => BrokerOperation::RenewLock { receipt: self.receipt(n).0 },
            Wish::RenewSession(n) => BrokerOperation::RenewSession { holder: self.holder(n) },
            Wish::Release(n) => BrokerOperation::ReleaseSession { holder: self.holder(n) },
            Wish::State { holder, len } => {
                let state = len.map(|len| Bytes::from(vec![b's'; len]));
                BrokerOperation::SetSessionState { holder: self.holder(holder), state }
            }
            Wish::Cancel(seqs) => cancel(&seqs),
            Wish::Peek { dead, from, max, session } => {
                let (sub, session) = (sub(dead), session.map(session_of));
                BrokerOperation::Peek { sub, from: Seq(from), max, session }
            }
        }
    }

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Advance(by) => self.world.at += by,
            Step::Tick => drop(self.world.tick()),
            Step::Restart => self.world.restart(),
            Step::Do(wish) => self.perform(wish),
        }
        self.check();
    }

    fn perform(&mut self, wish: Wish) {
        let operation = self.operation(wish);
        let before = self.world.queue.clone();
        let logged = self.world.log.len();
        let is_send = matches!(operation, BrokerOperation::Send { .. });
        let holder = match &operation {
            BrokerOperation::ReceiveInSession { holder, .. } => Some(holder.clone()),
            BrokerOperation::ReceiveDeferred { holder, .. } => holder.clone(),
            _ => None,
        };
        if self.world.limits == Limits::cloud() {
            self.check_against_tick(&operation);
        }
        match self.world.say(operation) {
            Ok(BrokerReply::Received(deliveries)) => {
                self.check_hand_out(&before, &deliveries);
                let locks = deliveries.iter().filter_map(|delivery| delivery.lock);
                self.receipts.extend(locks.map(|lock| (lock.receipt, holder.clone())));
            }
            Ok(BrokerReply::Accepted { holder, .. }) => self.holders.push(holder),
            Ok(BrokerReply::Sent { .. }) if is_send => {
                self.sends += 1;
                self.duplicates += usize::from(self.world.log.len() == logged);
            }
            _ => {}
        }
    }

    /// Nobody is handed what somebody else has.
    fn check_hand_out(&self, before: &BrokerQueue, deliveries: &[BrokerDelivery]) {
        let at = Stamp(self.world.at);
        let unique: BTreeSet<Seq> = deliveries.iter().map(|d| d.message.seq).collect();
        assert_eq!(unique.len(), deliveries.len(), "each once");
        for seq in unique {
            for shelf in [&before.main, &before.dead] {
                let hold = shelf.get(seq).map(|message| shelf.hold(message, at));
                assert_ne!(hold, Some(Hold::Live), "{seq:?} was handed out already");
            }
        }
    }

    /// The answer, and what comes of it, do not depend on whether tick has run at this moment.
    /// Left out: sending, which gives ids by place; peeking, which shows what is stored; and
    /// receiving dead letters, which are there when the move is written.
    fn check_against_tick(&self, operation: &BrokerOperation) {
        let (sub, is_left_out) = match operation {
            BrokerOperation::Receive { sub, .. } => (*sub, false),
            BrokerOperation::Send { .. } | BrokerOperation::Peek { .. } => (SubQueue::Main, true),
            _ => (SubQueue::Main, false),
        };
        if is_left_out || sub == SubQueue::DeadLetter {
            return;
        }
        let mut first = self.copy();
        let answer = first.say(operation.clone());
        first.tick();
        let mut second = self.copy();
        second.tick();
        let answer_after_tick = second.say(operation.clone());
        second.tick();
        assert_eq!(gist(answer), gist(answer_after_tick), "{operation:?}");
        assert_eq!(whereabouts(&first), whereabouts(&second), "{operation:?}");
    }

    fn copy(&self) -> World {
        World {
            queue: self.world.queue.clone(),
            limits: self.world.limits.clone(),
            log: self.world.log.clone(),
            ..World { at: self.world.at, epoch: self.world.epoch, ..World::new(plain()) }
        }
    }

    fn check(&self) {
        let queue = &self.world.queue;
        assert_eq!(queue.main, queue.main.reindexed());
        assert_eq!(queue.dead, queue.dead.reindexed());
        let tick = queue.tick(&self.world.moment(), QUEUE, 1);
        let is_due = queue.next_due().is_some_and(|due| due <= Stamp(self.world.at));
        assert_eq!(tick.len(), usize::from(is_due));
        self.check_that_none_is_lost();
    }

    fn check_that_none_is_lost(&self) {
        let (mut sent, mut gone) = (0, 0);
        for (_, _, fact) in &self.world.log {
            match fact {
                BrokerFact::Sent(_) => sent += 1,
                BrokerFact::Completed(_) | BrokerFact::Expired(_) => gone += 1,
                BrokerFact::Taken(fact) | BrokerFact::Cancelled(fact) => gone += fact.seqs.len(),
                _ => {}
            }
        }
        let queue = &self.world.queue;
        let live = queue.len(SubQueue::Main) + queue.len(SubQueue::DeadLetter);
        assert_eq!(sent, live + gone);
        assert_eq!(self.sends, sent + self.duplicates);
        let at = Stamp(self.world.at);
        let counted = [SubQueue::Main, SubQueue::DeadLetter].map(|s| queue.counts(s, at).total());
        assert_eq!(counted.iter().sum::<usize>(), live);
    }
}

/// An answer without the numbers that scheduled messages are given as they are enqueued.
fn gist(said: Said) -> Result<(Vec<(MessageId, u32)>, String), String> {
    match said {
        Ok(BrokerReply::Received(deliveries)) => {
            let gist = |d: &BrokerDelivery| (d.message.id, d.message.failures);
            Ok((deliveries.iter().map(gist).collect(), String::new()))
        }
        Ok(other) => Ok((vec![], format!("{other:?}"))),
        Err(refusal) => Err(format!("{refusal:?}")),
    }
}

/// Each message by its id: where it is, and how it stands there.
fn whereabouts(world: &World) -> BTreeMap<MessageId, String> {
    let at = Stamp(world.at);
    let of_shelf = |sub: SubQueue| {
        let shelf = world.queue.shelf(sub);
        shelf.from(Seq(0)).map(move |(seq, message)| {
            let view = BrokerMessage { seq: Seq(0), ..shelf.view(seq, message, at) };
            (view.id, format!("{sub:?} {:?} {view:?}", shelf.hold(message, at)))
        })
    };
    of_shelf(SubQueue::Main).chain(of_shelf(SubQueue::DeadLetter)).collect()
}

fn cause() -> impl Strategy<Value = DeadLetterCause> {
    prop_oneof![
        Just(DeadLetterCause::DeliveriesExhausted),
        Just(DeadLetterCause::Expired),
        option::of("[a-z]{0,3}").prop_map(|text| DeadLetterCause::Receiver {
            reason: text.map(Label::new),
            description: None,
        }),
    ]
}

fn stamp() -> impl Strategy<Value = Stamp> {
    prop_oneof![9 => (0..500_u64).prop_map(Stamp), 1 => Just(Stamp::MAX)]
}

fn seq() -> impl Strategy<Value = Seq> {
    prop_oneof![9 => (0..6_u64).prop_map(Seq), 1 => Just(Seq(u64::MAX))]
}

fn one_message() -> impl Strategy<Value = OneMessage> {
    seq().prop_map(|seq| OneMessage { queue: QUEUE, seq })
}

fn several_messages() -> impl Strategy<Value = SeveralMessages> {
    vec(seq(), 0..4).prop_map(|seqs| SeveralMessages { queue: QUEUE, seqs })
}

fn any_session() -> impl Strategy<Value = Label> {
    (0..3_u8).prop_map(session_of)
}

fn one_session() -> impl Strategy<Value = OneSession> {
    any_session().prop_map(|session| OneSession { queue: QUEUE, session })
}

fn sent_fact() -> impl Strategy<Value = BrokerFact> {
    let times = (option::of(stamp()), option::of(stamp()), stamp());
    (seq(), option::of(any_session()), times).prop_map(|(seq, session, times)| {
        let (ttl, scheduled_at, until) = times;
        sent_with(1, |sent| {
            sent.seq = seq;
            sent.dedup = session.clone().map(|key| DedupMark { key, until });
            sent.session = session;
            sent.ttl = ttl.map(|ttl| Millis(ttl.0));
            sent.scheduled_at = scheduled_at;
        })
    })
}

fn moving_fact() -> impl Strategy<Value = BrokerFact> {
    let queue = QUEUE;
    let failures = || prop_oneof![0..4_u32, Just(u32::MAX)];
    prop_oneof![
        (seq(), seq())
            .prop_map(move |(seq, to)| { BrokerFact::Activated(Activated { queue, seq, to }) }),
        (0..3_u32, option::of(stamp()), vec(seq(), 0..4)).prop_map(move |(epoch, until, seqs)| {
            BrokerFact::Locked(Locked { queue, epoch: Epoch(epoch), until, seqs })
        }),
        (seq(), cause(), failures()).prop_map(move |(seq, cause, failures)| {
            BrokerFact::DeadLettered(BrokerDeadLettered { queue, seq, cause, failures })
        }),
        (seq(), stamp()).prop_map(move |(seq, until)| {
            BrokerFact::LockRenewed(LockRenewed { queue, seq, until })
        }),
    ]
}

fn ending_fact() -> impl Strategy<Value = BrokerFact> {
    prop_oneof![
        several_messages().prop_map(BrokerFact::Cancelled),
        several_messages().prop_map(BrokerFact::Taken),
        one_message().prop_map(BrokerFact::Completed),
        one_message().prop_map(BrokerFact::Abandoned),
        one_message().prop_map(BrokerFact::Deferred),
        one_message().prop_map(BrokerFact::Expired),
    ]
}

fn session_fact() -> impl Strategy<Value = BrokerFact> {
    let queue = QUEUE;
    let accepted = (any_session(), 0..3_u32, any::<u64>(), stamp());
    prop_oneof![
        settings().prop_map(move |settings| {
            BrokerFact::Created(BrokerCreated { queue, name: name(), settings })
        }),
        accepted.prop_map(move |(session, epoch, hold, until)| {
            let epoch = Epoch(epoch);
            BrokerFact::SessionAccepted(SessionAccepted { queue, session, epoch, hold, until })
        }),
        (any_session(), stamp()).prop_map(move |(session, until)| {
            BrokerFact::SessionRenewed(SessionRenewed { queue, session, until })
        }),
        one_session().prop_map(BrokerFact::SessionReleased),
        one_session().prop_map(BrokerFact::SessionLapsed),
        (any_session(), option::of(0..9_u32)).prop_map(move |(session, len)| {
            BrokerFact::SessionStateSet(SessionStateSet { queue, session, len })
        }),
    ]
}

/// Any fact, whether or not the queue could have decided it.
fn any_fact() -> impl Strategy<Value = BrokerFact> {
    prop_oneof![3 => sent_fact(), 3 => moving_fact(), 2 => ending_fact(), 2 => session_fact()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Its checks: see `Story::take`. The log alone gives the same queue again.
    #[test]
    fn a_story_loses_nothing_and_can_be_told_again(
        settings in settings(),
        steps in vec(step(), 0..80),
    ) {
        let mut story = Story::new(settings.clone());
        steps.into_iter().for_each(|step| story.take(step));
        prop_assert_eq!(replay(settings, &story.world.log), story.world.queue);
    }

    /// The same where one command may do very little.
    #[test]
    fn a_story_under_tight_limits_loses_nothing(
        settings in settings(),
        steps in vec(step(), 0..80),
    ) {
        let mut story = Story::new(settings.clone());
        (story.world.limits.receive_scan_max, story.world.limits.unsettled_max) = (2, 2);
        steps.into_iter().for_each(|step| story.take(step));
        prop_assert_eq!(replay(settings, &story.world.log), story.world.queue);
    }

    /// Facts in any order, of numbers that nobody gave: nothing panics, the indexes stay true,
    /// time comes to an end, and every command gets an answer.
    #[test]
    fn any_facts_can_be_taken_in(
        settings in settings(),
        facts in vec((0..100_u64, any_fact()), 0..40),
        wishes in vec(wish(), 0..10),
    ) {
        let mut story = Story::new(settings);
        for (by, fact) in facts {
            story.world.at += by;
            story.world.take_in(Facts::one(Fact::Broker(fact)));
            let queue = &story.world.queue;
            prop_assert_eq!(&queue.main, &queue.main.reindexed());
            prop_assert_eq!(&queue.dead, &queue.dead.reindexed());
        }
        story.world.tick();
        for wish in wishes {
            let operation = story.operation(wish);
            let _ = story.world.say(operation);
        }
        story.world.at = u64::MAX;
        story.world.tick();
    }

    #[test]
    fn any_fact_comes_back_from_its_bytes(facts in vec(any_fact(), 0..8)) {
        let facts: Vec<Fact> = facts.into_iter().map(Fact::Broker).collect();
        let mut bytes = Vec::new();
        encode_facts(&facts, &mut bytes);
        prop_assert_eq!(decode_facts(&bytes, facts.len()), Ok(facts));
    }
}
