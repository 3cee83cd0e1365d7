//! Random feeders and workers beside a naive list: where each event that was fed is.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::partition::tests::random::config;
use crate::partition::tests::snapshots::{Checkpoint, blocks, schedule};

/// Three that feed, with their queues, and one that does not.
const SUBSCRIPTIONS: [(&str, Option<&str>); 4] =
    [("w", Some("w/q")), ("of s", Some("s")), ("of f", Some("f")), ("n", None)];
/// The last two are where dead letters of the first and the third go.
const QUEUES: [&str; 5] = ["w/q", "s", "f", "w/p", "d"];
const GROUPS: [&str; 2] = ["g", "h"];
const WINDOW: usize = 5;
const STEP: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Restart,
    Crash,
    Append(u64),
    Subscribe(usize, u64),
    Unsubscribe(usize),
    Describe(usize),
    /// From where the cursor is, or from elsewhere; so far; which of the events match.
    Feed {
        of: usize,
        stale: Option<u64>,
        by: i64,
        mask: u8,
    },
    /// From where, how many, and whether of each group one at most.
    Receive(usize, usize, bool),
    Settle(usize),
    GiveUp(usize),
    Park(usize, bool),
    GiveBack(usize, Vec<u64>),
    Purge(usize),
    DeleteQueue(usize),
    CreateQueue(usize, bool),
}

fn any_step() -> impl Strategy<Value = Step> {
    let which = || 0..30_usize;
    let busy = || prop_oneof![4 => Just(0), 3 => Just(2), 3 => 0..4_usize];
    let feed = (busy(), option::weighted(0.15, 0..20_u64), -1..5_i64, any::<u8>());
    let receive = (prop_oneof![4 => busy(), 1 => 3..5_usize], 1..4_usize, any::<bool>());
    prop_oneof![
        8 => (0..40_u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
        12 => (1..6_u64).prop_map(Step::Append),
        4 => (0..4_usize, 0..3_u64).prop_map(|(of, after)| Step::Subscribe(of, after)),
        1 => (0..4_usize).prop_map(Step::Unsubscribe),
        2 => (0..4_usize).prop_map(Step::Describe),
        40 => feed.prop_map(|(of, stale, by, mask)| Step::Feed { of, stale, by, mask }),
        30 => receive.prop_map(|(queue, max, alone)| Step::Receive(queue, max, alone)),
        10 => which().prop_map(Step::Settle),
        8 => which().prop_map(Step::GiveUp),
        8 => (which(), any::<bool>()).prop_map(|(which, why)| Step::Park(which, why)),
        8 => (3..5_usize, vec(1..5_u64, 1..4)).prop_map(|(queue, seqs)| Step::GiveBack(queue, seqs)),
        1 => (0..5_usize).prop_map(Step::Purge),
        1 => (0..5_usize).prop_map(Step::DeleteQueue),
        3 => (0..5_usize, any::<bool>()).prop_map(|(queue, same)| Step::CreateQueue(queue, same)),
    ]
}

/// A message in a queue's line, of a subscription's event.
#[derive(Clone, Debug, PartialEq)]
struct Waiting {
    event: u64,
    group: &'static str,
}

/// What the list knows of a subscription.
#[derive(Clone, Debug)]
struct Follower {
    upto: u64,
    settings: SubscriptionSettings,
    fed: u64,
}

/// The partition, and the list beside it.
struct Story {
    world: World,
    followers: BTreeMap<usize, Follower>,
    /// What each queue that is there has, in order.
    lines: BTreeMap<usize, (QueueKind, Vec<Waiting>)>,
    receipts: Vec<(usize, Receipt, u64)>,
    heard: BTreeMap<&'static str, usize>,
}

impl Story {
    fn new() -> Story {
        let mut world = World::of_events(0, |limits| {
            limits.subscription_window_max = WINDOW;
            limits.subscription_step_max = STEP;
            limits.move_step_max = 2;
            limits.recreate_pause = Millis(0);
            limits.purge_pause = Millis(0);
        });
        world = world.with("s", QueueKind::Standard, no_settings());
        world = world.with("d", QueueKind::Fifo, no_settings());
        world = world.with("f", QueueKind::Fifo, dead_letter("d", 2));
        let line = |kind| (kind, Vec::new());
        let (standard, fifo) = (line(QueueKind::Standard), line(QueueKind::Fifo));
        let lines = BTreeMap::from([(1, standard), (2, fifo.clone()), (4, fifo)]);
        let (followers, receipts, heard) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        let mut story = Story { world, followers, lines, receipts, heard };
        story.subscribe(0, 0);
        story.subscribe(2, 0);
        story
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Wait(by) => drop(self.world.wait(*by)),
            Step::Restart => self.world.restart(),
            Step::Crash => self.world.crash(),
            Step::Append(more) => {
                let last = self.last();
                self.world.append_upto(last + more);
            }
            Step::Subscribe(of, after) => self.subscribe(*of, *after),
            Step::Unsubscribe(of) => self.unsubscribe(*of),
            Step::Describe(of) => self.describe(*of),
            Step::Feed { of, stale, by, mask } => self.feed(*of, *stale, *by, *mask),
            Step::Receive(queue, max, alone) => self.receive(*queue, *max, *alone),
            Step::Settle(which) => self.settle(*which),
            Step::GiveUp(which) => self.give_up(*which),
            Step::Park(which, why) => self.park(*which, *why),
            Step::GiveBack(queue, seqs) => self.give_back(*queue, seqs),
            Step::Purge(queue) => self.purge(*queue),
            Step::DeleteQueue(queue) => {
                let _ = self.say(&delete_queue(QUEUES[*queue]));
                self.lines.remove(queue);
            }
            Step::CreateQueue(queue, same) => self.create_queue(*queue, *same),
        }
        self.world.partition.check(self.world.at);
        self.check_lines();
    }

    fn last(&self) -> u64 {
        self.world.partition.header().numbered.0
    }

    /// What is said rests on all that it says: see `partition::tests::random`.
    fn say(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let (verdict, here) = (self.world.decide(command), self.world.here());
        if verdict.facts.facts.iter().any(|fact| !fact.is_soft()) {
            assert_eq!(verdict.rests_on, here.position.next());
        } else {
            let survived = self.world.survived(verdict.rests_on);
            let again = survived.decide(self.world.at, here, command);
            assert_eq!((&again.answer, &again.facts), (&verdict.answer, &verdict.facts));
        }
        self.world.take_in(verdict.facts);
        verdict.answer
    }

    fn hear(&mut self, what: &'static str) {
        *self.heard.entry(what).or_default() += 1;
    }

    fn settings_of(of: usize, after: u64) -> SubscriptionSettings {
        let feeds = match SUBSCRIPTIONS[of] {
            (_, Some("w/q")) => {
                settings(Feeds::Workers(Workers { attempts: 2, ..workers("w/q", "w/p") }))
            }
            (_, Some(queue)) => feeding(queue),
            (_, None) => settings(Feeds::Nothing),
        };
        SubscriptionSettings { after: EventNumber(after), ..feeds }
    }

    fn subscribe(&mut self, of: usize, after: u64) {
        let wanted = Story::settings_of(of, after);
        let answer = self.say(&subscribe(SUBSCRIPTIONS[of].0, wanted.clone()));
        if let Some(known) = self.followers.get(&of) {
            assert_eq!(answer.is_ok(), known.settings == wanted);
            return;
        }
        let is_taken = of == 0 && (self.lines.contains_key(&0) || self.lines.contains_key(&3));
        let lacks = (1..3).contains(&of) && !self.lines.contains_key(&of);
        assert_eq!(answer.is_ok(), !is_taken && !lacks && after <= self.last());
        if answer.is_ok() {
            if of == 0 {
                self.lines.extend([0, 3].map(|queue| (queue, (QueueKind::Fifo, Vec::new()))));
            }
            self.followers.insert(of, Follower { upto: after, settings: wanted, fed: 0 });
            self.hear("made");
        }
    }

    fn unsubscribe(&mut self, of: usize) {
        let answer = self.say(&unsubscribe(SUBSCRIPTIONS[of].0));
        assert_eq!(answer.is_ok(), self.followers.remove(&of).is_some());
        if answer.is_ok() && of == 0 {
            self.lines.retain(|queue, _| ![0, 3].contains(queue));
        }
    }

    fn describe(&mut self, of: usize) {
        let Some(known) = self.followers.get(&of).cloned() else { return };
        match self.say(&describe_subscription(SUBSCRIPTIONS[of].0)) {
            Ok(Reply::Subscription(said)) => {
                assert_eq!((said.upto.0, said.fed), (known.upto, known.fed));
                assert_eq!(said.settings, known.settings);
            }
            other => panic!("{other:?}"),
        }
    }

    fn feed(&mut self, of: usize, stale: Option<u64>, by: i64, mask: u8) {
        let known = self.followers.get(&of).cloned();
        let after = stale.or(known.as_ref().map(|known| known.upto)).unwrap_or(0);
        let upto = after.saturating_add_signed(by);
        let matches = |event: &u64| mask >> (event % 8) & 1 == 1;
        let events: Vec<Waiting> = (after + 1..=upto)
            .filter(matches)
            .map(|event| Waiting { event, group: GROUPS[usize::from(event / 3 % 2 == 1)] })
            .collect();
        let messages: Vec<NewMessage> =
            events.iter().map(|new| of_event(new.event, Some(new.group))).collect();
        let said = self.say(&advance(SUBSCRIPTIONS[of].0, after, upto, &messages));
        assert_eq!(said, self.expected(of, known.as_ref(), (after, upto), events.len()));
        if let Ok(Reply::Advanced { upto: Some(_) }) = said
            && let Some(known) = self.followers.get_mut(&of)
        {
            (known.upto, known.fed) = (upto, known.fed + events.len() as u64);
            if let (Some((_, line)), false) = (self.lines.get_mut(&of), events.is_empty()) {
                line.extend(events);
                self.hear("fed");
            }
        }
    }

    /// What a step is to be answered with.
    fn expected(
        &mut self,
        of: usize,
        known: Option<&Follower>,
        (after, upto): (u64, u64),
        messages: usize,
    ) -> Result<Reply, Refusal> {
        let (subscription, queue) = SUBSCRIPTIONS[of];
        let Some(known) = known else {
            return no(SubscriptionRefusal::Missing { name: name(subscription) });
        };
        if known.upto != after {
            self.hear("moved");
            return has_moved(known.upto);
        }
        let last = self.last();
        if upto > last {
            self.hear("beyond");
            return no(SubscriptionRefusal::BeyondEnd { last: EventNumber(last) });
        }
        let Some(queue) = queue else {
            return if messages == 0 { at(upto) } else { no(SubscriptionRefusal::NotSo) };
        };
        let Some((_, line)) = self.lines.get(&of) else {
            self.hear("no queue");
            return no(SubscriptionRefusal::QueueMissing { name: name(queue) });
        };
        let (held, back) = (line.len(), upto < after);
        if messages > STEP {
            return no(SubscriptionRefusal::TooManyMessages { limit: STEP });
        }
        if back {
            return no(SubscriptionRefusal::NotSo);
        }
        if messages > 0 && held >= WINDOW {
            self.hear("no room");
            return no_room();
        }
        at(upto)
    }

    fn receive(&mut self, queue: usize, max: usize, wants_alone: bool) {
        let before = self.world.log.len();
        let command = if wants_alone { receive_alone } else { receive };
        let Ok(Reply::Received(got)) = self.say(&command(QUEUES[queue], max)) else {
            assert!(!self.lines.contains_key(&queue));
            return;
        };
        // What was tried too often leaves on the way.
        let buried: Vec<u64> = self.world.log[before..]
            .iter()
            .flat_map(|batch| &batch.facts.facts)
            .filter_map(|fact| match fact {
                Fact::DeadLettered(dead) => Some((dead.reason.clone(), dead.body)),
                _ => None,
            })
            .map(|(reason, body)| {
                assert_eq!(reason, None);
                self.world.event_of(body)
            })
            .collect();
        for event in buried {
            self.carry(queue, event, queue + if queue == 0 { 3 } else { 2 });
            self.hear("buried");
        }
        let events: Vec<u64> = got.iter().map(|got| self.world.event_of(got.body)).collect();
        self.check_order(queue, &events, wants_alone);
        let receipts = got.iter().zip(&events).map(|(got, event)| (queue, got.receipt, *event));
        self.receipts.extend(receipts);
    }

    /// Of a group in order, and from its beginning; or the first alone.
    fn check_order(&self, queue: usize, events: &[u64], alone: bool) {
        let (kind, line) = &self.lines[&queue];
        let wants = |waiting: &&Waiting| events.contains(&waiting.event);
        for group in GROUPS.iter().filter(|_| *kind == QueueKind::Fifo) {
            let of_group: Vec<&Waiting> = line.iter().filter(|w| w.group == *group).collect();
            let got = of_group.iter().filter(|waiting| wants(waiting)).count();
            assert!(of_group.iter().take(got).all(wants), "{events:?} of {of_group:?}");
            assert!(!alone || got <= 1, "{events:?} of {of_group:?}");
        }
    }

    /// From a line to the end of another.
    fn carry(&mut self, from: usize, event: u64, to: usize) {
        let waiting = self.leave(from, event).expect("it is there");
        self.lines.get_mut(&to).expect("it has a place").1.push(waiting);
    }

    fn leave(&mut self, queue: usize, event: u64) -> Option<Waiting> {
        let (_, line) = self.lines.get_mut(&queue)?;
        let index = line.iter().position(|waiting| waiting.event == event)?;
        Some(line.remove(index))
    }

    fn receipt(&self, which: usize) -> Option<(usize, Receipt, u64)> {
        self.receipts.get(which.checked_rem(self.receipts.len())?).copied()
    }

    fn settle(&mut self, which: usize) {
        let Some((queue, receipt, event)) = self.receipt(which) else { return };
        let before = self.world.log.len();
        let _ = self.say(&delete(QUEUES[queue], receipt));
        if self.world.log.len() > before {
            assert!(self.leave(queue, event).is_some(), "{event} was settled twice");
            self.hear("settled");
        }
    }

    fn give_up(&mut self, which: usize) {
        let Some((queue, receipt, _)) = self.receipt(which) else { return };
        let _ = self.say(&change_lease(QUEUES[queue], receipt, 0));
    }

    fn park(&mut self, which: usize, why: bool) {
        let Some((queue, receipt, event)) = self.receipt(which) else { return };
        let answer = self.say(&park(QUEUES[queue], receipt, why.then_some("why")));
        if answer.is_ok() {
            self.carry(queue, event, if queue == 0 { 3 } else { 4 });
            self.hear("parked");
        }
    }

    fn give_back(&mut self, queue: usize, seqs: &[u64]) {
        let to = if queue == 3 { 0 } else { 2 };
        let Ok((peeked, _)) = self.peeked(queue) else { return };
        let Ok(Reply::Moved { moved }) = self.say(&give_back(QUEUES[queue], seqs)) else {
            panic!("it is there")
        };
        let (mut left, mut named) = (moved, BTreeSet::new());
        for seq in seqs.iter().take(2).filter(|seq| named.insert(**seq)) {
            let found = peeked.iter().find(|message| message.seq.0 == *seq);
            let goes = |message: &&Peeked| message.lease.is_none() && message.origin.is_some();
            let is_fifo = |queue| self.lines.get(&queue).is_some_and(|l| l.0 == QueueKind::Fifo);
            let (true, Some(message)) = (is_fifo(to) && is_fifo(queue), found.filter(goes)) else {
                continue;
            };
            let event = self.world.event_of(message.body);
            self.carry(queue, event, to);
            self.hear("given back");
            left -= 1;
        }
        assert_eq!(left, 0, "{moved} of {seqs:?}");
    }

    fn purge(&mut self, queue: usize) {
        if self.say(&purge(QUEUES[queue])) == Ok(Reply::Done)
            && let Some((_, line)) = self.lines.get_mut(&queue)
        {
            line.clear();
        }
    }

    fn create_queue(&mut self, queue: usize, same: bool) {
        let kind = match (queue, same) {
            (1, true) | (2, false) => QueueKind::Standard,
            _ => QueueKind::Fifo,
        };
        // A name that its own queues have is not what this is about.
        if [0, 3].contains(&queue) || self.lines.contains_key(&queue) {
            return;
        }
        let given = if queue == 2 && same { dead_letter("d", 2) } else { no_settings() };
        let is_there = self.say(&create(QUEUES[queue], kind, given)).is_ok();
        if is_there {
            self.lines.insert(queue, (kind, Vec::new()));
        }
    }

    fn peeked(&self, queue: usize) -> Result<(Vec<Peeked>, Option<u64>), Refusal> {
        match self.world.decide(&peek(QUEUES[queue], 0, 1000)).answer {
            Ok(Reply::Peeked { messages, next }) => Ok((messages, next.map(|next| next.0))),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal),
        }
    }

    /// Each queue has exactly what the list says, in its order.
    fn check_lines(&self) {
        for (queue, text) in QUEUES.iter().enumerate() {
            let Ok((messages, _)) = self.peeked(queue) else {
                assert!(!self.lines.contains_key(&queue), "{text} is gone");
                continue;
            };
            let there: Vec<u64> =
                messages.iter().map(|message| self.world.event_of(message.body)).collect();
            let listed: Vec<u64> =
                self.lines[&queue].1.iter().map(|waiting| waiting.event).collect();
            assert_eq!(there, listed, "{text}");
        }
    }
}

fn told(steps: &[Step]) -> Story {
    let mut story = Story::new();
    steps.iter().for_each(|step| story.take(step));
    story
}

proptest! {
    #![proptest_config(config(400))]

    /// Every event that was fed is in one place, once, and each answer is the list's.
    #[test]
    fn every_event_that_was_fed_is_in_one_place(steps in vec(any_step(), 0..80)) {
        let story = told(&steps);
        prop_assert_eq!(story.world.replayed(), story.world.partition);
    }

    /// Resources are taken at different places, facts come in between, and those that a resource has
    /// seen are passed over.
    #[test]
    fn a_checkpoint_and_the_log_from_there_give_the_same(
        steps in vec(any_step(), 1..60),
        schedule in schedule(),
    ) {
        let Story { world, .. } = told(&steps);
        let log = world.flat_log();
        let restored = Checkpoint::taken(&log, &schedule).replayed(&log, &world.limits);
        restored.check(world.at);
        prop_assert_eq!(blocks(&restored), blocks(&world.partition));
        prop_assert_eq!(restored.state_bytes(), world.partition.state_bytes());

    }
}

/// The story's words do what they are there for: else the properties above say little.
#[test]
fn stories_reach_far() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut heard: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..120 {
        let steps = vec(any_step(), 80).new_tree(&mut runner).unwrap().current();
        told(&steps)
            .heard
            .iter()
            .for_each(|(what, count)| *heard.entry(what).or_default() += count);
    }
    let what: Vec<&str> = heard.keys().copied().collect();
    let all = [
        "beyond",
        "buried",
        "fed",
        "given back",
        "made",
        "moved",
        "no queue",
        "no room",
        "parked",
        "settled",
    ];
    assert_eq!(what, all);
    assert!(heard.values().all(|count| *count > 10), "{heard:?}");
}
