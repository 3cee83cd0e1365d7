//! `next_visible` is asked for somebody who has just got nothing: it is never late, and early only
//! where it says so. Compared with brute force over every moment.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Every span of these stories is this long at most.
const SPAN: u64 = 12;

/// Does something within milliseconds.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Send { group: u8, delay: u64 },
    Receive { max: usize, visibility: u64 },
    ChangeLease { which: usize, timeout: u64 },
    Delete { which: usize },
    ChangeDelay(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let span = || 0..=SPAN;
    prop_oneof![
        3 => span().prop_map(Step::Wait),
        4 => (0..3_u8, span()).prop_map(|(group, delay)| Step::Send { group, delay }),
        4 => (1..4_usize, span())
            .prop_map(|(max, visibility)| Step::Receive { max, visibility }),
        2 => (0..9_usize, span())
            .prop_map(|(which, timeout)| Step::ChangeLease { which, timeout }),
        1 => (0..9_usize).prop_map(|which| Step::Delete { which }),
        1 => span().prop_map(Step::ChangeDelay),
    ]
}

struct Story {
    world: World,
    kind: QueueKind,
    receipts: Vec<Receipt>,
    sends: usize,
}

impl Story {
    fn new(kind: QueueKind, delay: u64, in_flight_max: usize) -> Story {
        let mut world = World::with_limits(|limits| {
            limits.standard_in_flight_max = in_flight_max;
            limits.fifo_in_flight_max = in_flight_max;
        });
        let given = SettingsPatch { delay: Some(Millis(delay)), ..dead_letter("d", 3) };
        world = world.with("d", kind, no_settings()).with("q", kind, given);
        Story { world, kind, receipts: Vec::new(), sends: 0 }
    }

    fn take(&mut self, step: &Step) {
        let receipt = |which: usize| self.receipts.get(which % self.receipts.len().max(1)).copied();
        let command = match step {
            Step::Wait(by) => {
                self.world.wait_ms(*by);
                return;
            }
            Step::Send { group, delay } => self.send(*group, Millis(*delay)),
            Step::Receive { max, visibility } => ask(*max, *visibility),
            Step::ChangeLease { which, timeout } => match receipt(*which) {
                Some(receipt) => {
                    Command::ChangeLease { queue: name("q"), receipt, timeout: Millis(*timeout) }
                }
                None => return,
            },
            Step::Delete { which } => match receipt(*which) {
                Some(receipt) => delete("q", receipt),
                None => return,
            },
            Step::ChangeDelay(by) => {
                change_queue("q", SettingsPatch { delay: Some(Millis(*by)), ..no_settings() })
            }
        };
        if let Ok(Reply::Received(deliveries)) = self.world.say(command) {
            self.receipts.extend(deliveries.iter().map(|delivery| delivery.receipt));
        }
    }

    fn send(&mut self, group: u8, delay: Millis) -> Command {
        self.sends += 1;
        let (sends, kind) = (self.sends.to_string(), self.kind);
        send_with("q", |message| match kind {
            QueueKind::Standard => message.delay = Some(delay),
            QueueKind::Fifo => {
                message.group = Some(label(&group.to_string()));
                message.dedup = NewDedup::Id(label(&sends));
            }
        })
    }

    /// The first moment after now at which a receive does something.
    fn first_visible(&self) -> Option<u64> {
        let now = self.world.at;
        let mut later = self.world.clone();
        (1..=4 * SPAN).map(|by| now + Millis(by)).find_map(|at| {
            later.at = at;
            (!is_nothing(&later.decide(&ask(1, 1)))).then_some(at.0)
        })
    }

    fn is_full(&self, limit: usize) -> bool {
        self.world.counts("q")[1] >= limit
    }
}

fn ask(max: usize, visibility: u64) -> Command {
    let visibility = Some(Millis(visibility));
    Command::Receive { queue: name("q"), max, visibility, wait: None, attempt: None, alone: false }
}

fn is_nothing(verdict: &Verdict) -> bool {
    verdict.facts.is_empty() && verdict.answer == Ok(Reply::Received(vec![]))
}

/// Checks at every point of the story where a receive gets nothing.
fn check(mut story: Story, steps: &[Step], limit: usize, is_exact: impl Fn(&[Step]) -> bool) {
    for (n, step) in steps.iter().enumerate() {
        story.take(step);
        if !is_nothing(&story.world.decide(&ask(1, 1))) {
            continue;
        }
        let (next, first) = (story.world.next_visible("q"), story.first_visible());
        if story.is_full(limit) || !is_exact(&steps[..=n]) {
            let is_late = first.is_some_and(|first| next.is_none_or(|next| next > first));
            assert!(!is_late, "{next:?} is after {first:?}");
            assert!(next.is_none_or(|next| next > story.world.at.0), "{next:?} is not after now");
        } else {
            assert_eq!(next, first);
        }
    }
}

fn no_delay_was_changed(steps: &[Step]) -> bool {
    !steps.iter().any(|step| matches!(step, Step::ChangeDelay(_)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_a_standard_queue_it_is_exact(steps in vec(step(), 0..25)) {
        check(Story::new(QueueKind::Standard, 0, 99), &steps, 99, |_| true);
    }

    #[test]
    fn of_a_fifo_queue_it_is_exact_while_its_delay_stays(
        delay in 0..=SPAN,
        steps in vec(step(), 0..25),
    ) {
        check(Story::new(QueueKind::Fifo, delay, 99), &steps, 99, no_delay_was_changed);
    }

    #[test]
    fn of_a_full_fifo_queue_it_is_not_late(
        delay in 0..=SPAN,
        steps in vec(step(), 0..25),
    ) {
        check(Story::new(QueueKind::Fifo, delay, 3), &steps, 3, no_delay_was_changed);
    }
}

#[test]
fn a_message_inside_a_group_is_found_behind_a_delayed_one_that_came_back() {
    let mut world = World::fifo();
    world.send_group("f", "g", &["a"]);
    world.wait(1).send_group("f", "h", &["b"]);
    let second = world.got(receive("f", 2)).pop().unwrap();
    world.done(change_lease("f", second.receipt, 0));
    world.done(change_queue("f", delay(60)));
    assert_eq!(world.seqs(receive("f", 2)), []);
    // The first of them is in flight until 31 s, delayed until 60 s; early, and then exact.
    assert_eq!(world.next_visible("f"), Some(31_000));
    world.wait(30);
    assert_eq!(world.seqs(receive("f", 2)), []);
    assert_eq!(world.next_visible("f"), Some(60_000));
}
