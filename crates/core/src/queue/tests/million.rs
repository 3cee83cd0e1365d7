//! The adversarial turn test: whatever has become of a million messages, one command says few
//! facts, looks at few messages and takes little time. Facts and messages are asserted; the time is
//! printed, and asserted only where the compiler optimises: a turn should take a millisecond, and
//! the machine may have been busy.

use std::time::{Duration, Instant};

use super::*;

const MANY: u64 = 1_000_000;
/// A receive moves `receive_scan_max` dead letters, and hands out.
const FACTS_MAX: usize = 251;
/// For each message that a receive may look at, its head and its body of the group are found; a peek
/// or a move looks at a thousand, and sees that there is one more.
const LOOKED_AT_MAX: usize = 4 * 250 + 1;
/// Fifty times what a turn should take, since the machine may be busy.
const TIME_MAX: Duration = Duration::from_millis(50);

/// Queue 2, `q`, with its dead letters in queue 1, `d`. Without the log, which would be larger than
/// the state.
struct Long {
    kind: QueueKind,
    shape: String,
    partition: Partition,
    at: Stamp,
    position: u64,
}

impl Long {
    fn new(shape: &str, kind: QueueKind) -> Long {
        // Else nobody could have so many in flight.
        let limits = Limits::relaxed();
        let partition = Partition::new(PartitionId(0), limits);
        let mut long = Long { kind, shape: shape.to_owned(), partition, at: Stamp(0), position: 0 };
        long.take_in(&[created(1, "d", kind, &no_settings())]);
        long.take_in(&[created(2, "q", kind, &dead_letter("d", 1))]);
        // So that messages can be moved out of `q`.
        long.take_in(&[created(3, "s", kind, &dead_letter("q", 1))]);
        long
    }

    fn take_in(&mut self, facts: &[Fact]) {
        let here = place(self.position);
        for (index, fact) in facts.iter().enumerate() {
            self.partition.evolve(self.at, here.plus(index), fact);
        }
        self.position += 1;
    }

    fn sent(mut self, fact: impl Fn(u64) -> Fact) -> Long {
        (1..=MANY).for_each(|seq| self.take_in(&[fact(seq)]));
        self
    }

    /// All handed out, for thirty seconds.
    fn leased(mut self, lease: impl Fn(u64, u32, Stamp, &[u64]) -> Fact) -> Long {
        let until = self.at + seconds(30);
        let seqs: Vec<u64> = (1..=MANY).collect();
        seqs.chunks(1_000).for_each(|seqs| self.take_in(&[lease(2, 1, until, seqs)]));
        Long { shape: "all handed out".to_owned(), ..self }
    }

    fn after(mut self, by: u64, shape: &str) -> Long {
        self.at = self.at + seconds(by);
        Long { shape: shape.to_owned(), ..self }
    }

    /// One command decided and taken in.
    fn say(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let what = format!("{command:?}");
        let what = what.split([' ', '(']).next().unwrap_or_default().to_owned();
        let (at, here) = (self.at, place(self.position));
        let mut answer = Ok(Reply::Done);
        self.turn(&what, |long| {
            let verdict = long.partition.decide(at, here, command);
            long.take_in(&verdict.facts.facts);
            answer = verdict.answer;
            verdict.facts.len()
        });
        answer
    }

    #[track_caller]
    #[allow(clippy::disallowed_methods, reason = "what a turn takes is measured on a real clock")]
    fn turn(&mut self, what: &str, act: impl FnOnce(&mut Long) -> usize) {
        let start = Instant::now();
        let (looked_at, facts) = looked_at::counting(|| act(self));
        let took = start.elapsed();
        let (kind, shape) = (self.kind, &self.shape);
        println!("{kind:?}, {shape}: {what}: {facts} facts, {looked_at} messages, {took:?}");
        assert!(facts <= FACTS_MAX, "{facts} facts for {what} of {shape}");
        assert!(looked_at <= LOOKED_AT_MAX, "{looked_at} messages for {what} of {shape}");
        let is_optimised = !cfg!(debug_assertions);
        assert!(!is_optimised || took <= TIME_MAX, "{took:?} for {what} of {shape}");
    }

    /// What clients say all the time, to the queue as it is.
    fn hears_clients(&mut self) {
        let _ = self.say(&send_of(self.kind, "q", "new"));
        for _ in 0..3 {
            if let Ok(Reply::Received(deliveries)) = self.say(&receive("q", 10))
                && let [first, second, ..] = deliveries.as_slice()
            {
                let _ = self.say(&change_lease("q", first.receipt, 20));
                let _ = self.say(&delete("q", second.receipt));
            }
        }
        let _ = self.say(&describe("q"));
        let everything = peek("q", 1, 10_000);
        let waiting = Command::Peek {
            queue: name("q"),
            from: Seq(1),
            max: 10_000,
            in_flight: false,
            delayed: false,
        };
        for look in [everything, waiting, peek("q", MANY - 5, 10)] {
            assert!(matches!(self.say(&look), Ok(Reply::Peeked { .. })));
        }
        for other in [tag("q", &[("a", "b")]), untag("q", &["a"]), list_tags("q")] {
            assert!(self.say(&other).is_ok());
        }
        assert!(self.say(&list_sources("d", None, 1)).is_ok());
        self.moves();
        self.turn("next_visible", |long| {
            long.partition.next_visible(QueueId(2), long.at);
            0
        });
        self.turn("snapshot", |long| {
            let snapshot = long.partition.snapshot_after(Some(QueueId(1))).unwrap();
            assert!(snapshot.weight() <= 100, "{}", snapshot.weight());
            0
        });
    }

    /// Messages are moved from `q` to `d` for a few steps.
    fn moves(&mut self) {
        let Ok(Reply::MoveStarted { task }) = self.say(&start_move("q", Some("d"), None)) else {
            panic!("no move");
        };
        for _ in 0..3 {
            self.ticks(512);
            self.at = self.at + Millis(1);
        }
        let _ = self.say(&list_moves("q"));
        let _ = self.say(&cancel_move("q", task));
        self.ticks(512);
    }

    fn ticks(&mut self, limit: usize) {
        self.turn("tick", |long| {
            let facts = long.partition.tick(long.at, place(long.position), limit);
            long.take_in(&facts.facts);
            facts.len()
        });
    }

    /// The messages have outlived their time; then there is an end of the queue.
    fn comes_to_its_end(mut self) {
        let _ = self.say(&change_queue("q", retention(60)));
        let mut long = self.after(60, "past its retention");
        long.hears_clients();
        long.ticks(512);
        let _ = long.say(&purge("q"));
        let _ = long.say(&delete_queue("q"));
    }
}

fn standard_million(sent: impl Fn(u64) -> Fact) -> Long {
    Long::new("a million", QueueKind::Standard).sent(sent)
}

#[test]
fn a_standard_queue_that_waits_and_then_is_all_dead_letters() {
    let mut long = standard_million(|seq| sent(2, seq));
    long.hears_clients();
    let mut long = long.leased(soft_lease).after(30, "all exhausted");
    long.hears_clients();
    long.comes_to_its_end();
}

#[test]
fn a_standard_queue_whose_delays_are_over() {
    let mut long = standard_million(|seq| sent_with(2, seq, |sent| sent.visible_at = stamp(10)));
    long.hears_clients();
    let mut long = long.after(10, "delayed before");
    long.hears_clients();
    long.comes_to_its_end();
}

#[test]
fn a_standard_queue_of_a_million_tenants() {
    let mut long = standard_million(|seq| sent_in(2, seq, &seq.to_string()));
    long.hears_clients();
    let mut long = long.leased(soft_lease).after(30, "all exhausted, each in a group");
    long.hears_clients();
    long.comes_to_its_end();
}

#[test]
fn a_quiet_tenant_behind_a_million_of_a_noisy_one() {
    let mut long = standard_million(|seq| sent_in(2, seq, "noisy"));
    let until = long.at + seconds(900);
    let in_flight: Vec<u64> = (1..=100_000).collect();
    in_flight.chunks(1_000).for_each(|seqs| long.take_in(&[soft_lease(2, 1, until, seqs)]));
    long.take_in(&[sent_in(2, MANY + 1, "quiet")]);
    long.shape = "a quiet tenant behind".to_owned();
    let Ok(Reply::Received(deliveries)) = long.say(&receive("q", 1)) else { panic!("nothing") };
    assert_eq!(deliveries[0].seq, Seq(MANY + 1));
    long.hears_clients();
    let mut long = long.after(900, "leases of a noisy tenant over");
    long.hears_clients();
    long.comes_to_its_end();
}

fn fifo_story(shape: &str, sent: impl Fn(u64) -> Fact) {
    let mut long = Long::new(shape, QueueKind::Fifo).sent(sent);
    long.hears_clients();
    let mut long = long.leased(hard_lease);
    long.hears_clients();
    let mut long = long.after(30, "all exhausted");
    long.hears_clients();
    let _ = long.say(&change_queue("q", delay(900)));
    let mut long = long.after(0, "held back by a raised delay");
    long.hears_clients();
    long.comes_to_its_end();
}

#[test]
fn a_fifo_queue_of_a_million_groups() {
    fifo_story("a million groups", |seq| sent_in(2, seq, &seq.to_string()));
}

#[test]
fn a_fifo_queue_of_one_group() {
    fifo_story("a million in one group", |seq| sent_in(2, seq, "g"));
}
