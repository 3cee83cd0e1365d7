//! The adversarial turn test, as in the polled queues' tests: whatever has become of a million
//! messages, one command says few facts and takes little time. Facts are asserted; the time is
//! printed, and asserted only where the compiler optimises.

use std::time::{Duration, Instant};

use super::*;

/// A tenth where the compiler does not optimise, for the patience of whoever waits for the tests.
const MANY: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
/// A receive puts `receive_scan_max` messages aside, and hands out.
const FACTS_MAX: usize = 251;
const TICK_MAX: usize = 512;
/// Fifty times what a turn should take, since the machine may be busy.
const TIME_MAX: Duration = Duration::from_millis(50);

/// A queue without the log, which would be larger than the state.
struct Long {
    queue: BrokerQueue,
    shape: &'static str,
    at: u64,
    position: u64,
}

impl Long {
    fn new(shape: &'static str, settings: BrokerSettings) -> Long {
        Long { queue: created(settings), shape, at: 0, position: 1 }
    }

    fn of_all(mut self, fact: impl Fn(u64) -> BrokerFact) -> Long {
        (1..=MANY).for_each(|seq| self.take_in(&[fact(seq)]));
        self
    }

    fn after(self, by: u64, shape: &'static str) -> Long {
        Long { at: self.at + by, shape, ..self }
    }

    fn take_in(&mut self, facts: &[BrokerFact]) {
        for fact in facts {
            self.queue.evolve(Stamp(self.at), place(self.position), fact);
            self.position += 1;
        }
    }

    /// One turn: what is decided is taken in.
    #[track_caller]
    #[allow(clippy::disallowed_methods, reason = "what a turn takes is measured on a real clock")]
    fn turn(
        &mut self,
        what: &str,
        facts_max: usize,
        decide: impl FnOnce(&Long) -> Decision,
    ) -> Said {
        let start = Instant::now();
        let Decision { facts, answer } = decide(self);
        let facts = broker_facts(facts);
        self.take_in(&facts);
        let (took, facts, shape) = (start.elapsed(), facts.len(), self.shape);
        println!("{shape}: {what}: {facts} facts, {took:?}");
        assert!(facts <= facts_max, "{facts} facts for {what} of {shape}");
        let is_optimised = !cfg!(debug_assertions);
        assert!(!is_optimised || took <= TIME_MAX, "{took:?} for {what} of {shape}");
        plainly(answer)
    }

    fn say(&mut self, operation: BrokerOperation) -> Said {
        let what = format!("{operation:?}");
        let what = what.split([' ', '{']).next().unwrap_or_default().to_owned();
        let command = BrokerCommand::To { queue: name(), operation };
        let limits = Limits::cloud();
        self.turn(&what, FACTS_MAX, |long| {
            long.queue.decide(&long.moment(&limits), QUEUE, &command)
        })
    }

    fn tick(&mut self) {
        let limits = Limits::cloud();
        let ticked = self.turn("tick", TICK_MAX, |long| {
            let facts = long.queue.tick(&long.moment(&limits), QUEUE, TICK_MAX);
            Decision { facts, answer: Ok(Reply::Broker(BrokerReply::Done)) }
        });
        assert_eq!(ticked, Ok(BrokerReply::Done));
    }

    fn moment<'a>(&self, limits: &'a Limits) -> Moment<'a> {
        let (at, here) = (Stamp(self.at), place(self.position));
        let (partition, epoch, next_number) = (PartitionId(0), Epoch(1), EventNumber(1));
        Moment { at, here, partition, epoch, next_number, limits }
    }

    /// Whoever gets something settles it in each way.
    fn hands_out(&mut self, operation: BrokerOperation, holder: Option<&SessionHolder>) {
        let Ok(BrokerReply::Received(deliveries)) = self.say(operation) else { return };
        let ways =
            [Settlement::Complete, Settlement::Abandon, Settlement::Defer, because("it is so")];
        for (delivery, how) in deliveries.iter().zip(ways) {
            let Some(lock) = delivery.lock else { continue };
            let (receipt, holder) = (lock.receipt, holder.cloned());
            let _ = self.say(BrokerOperation::Settle { receipt, holder, how });
        }
    }

    fn hears_all(&mut self, session: Option<&str>) {
        let message = session.map_or_else(|| new("body"), |session| new_in(session, "body"));
        let _ = self.say(BrokerOperation::Send { message });
        let next = self.say(session.map_or_else(accept_next, accept));
        let _ = self.say(accept_next());
        if let Ok(BrokerReply::Accepted { holder, .. }) = next {
            self.hands_out(receive_in(&holder, 5_000), Some(&holder));
            let _ = self.say(BrokerOperation::ReleaseSession { holder });
        }
        self.hands_out(receive(SubQueue::Main, 5_000), None);
        self.hands_out(receive(SubQueue::DeadLetter, 5_000), None);
        let some: Vec<u64> = (1..5_000).collect();
        let _ = self.say(deferred(SubQueue::Main, &some));
        let _ = self.say(peek(SubQueue::Main, MANY / 2, 5_000));
        let _ = self.say(cancel(&[MANY / 2]));
        self.tick();
        self.tick();
    }
}

#[test]
fn a_queue_whose_messages_wait_and_are_exhausted() {
    let mut long = Long::new("waiting", plain()).of_all(sent);
    long.hears_all(None);
    for until in [100, 200, 300] {
        let seqs: Vec<u64> = (1..=MANY).collect();
        seqs.chunks(1_000).for_each(|seqs| long.take_in(&[locked(1, until, seqs)]));
    }
    let mut long = long.after(300, "exhausted");
    long.hears_all(None);
}

#[test]
fn a_queue_whose_messages_are_enqueued_later_and_expire() {
    let mut long = Long::new("scheduled", plain()).of_all(|seq| {
        sent_with(seq, |sent| (sent.scheduled_at, sent.ttl) = (Some(Stamp(10)), Some(Millis(100))))
    });
    long.hears_all(None);
    let mut long = long.after(10, "to be enqueued");
    long.hears_all(None);
    let mut long = Long::new("alive", plain())
        .of_all(|seq| sent_with(seq, |sent| sent.ttl = Some(Millis(100))))
        .after(100, "expired");
    long.hears_all(None);
}

#[test]
fn a_queue_of_one_session() {
    let mut long = Long::new("one session", with_sessions()).of_all(|seq| sent_in("s", seq));
    long.hears_all(Some("s"));
    let expiring = |seq| {
        sent_with(seq, |sent| (sent.session, sent.ttl) = (Some(label("s")), Some(Millis(100))))
    };
    let long = Long::new("one session", with_sessions()).of_all(expiring);
    long.after(100, "one session, expired").hears_all(Some("s"));
}

#[test]
fn a_queue_of_a_million_sessions() {
    let sessions = Long::new("a million sessions", with_sessions());
    let mut long = sessions.of_all(|seq| sent_in(&seq.to_string(), seq));
    long.hears_all(Some("7"));
    for seq in 1..=MANY / 2 {
        long.take_in(&[accepted(&seq.to_string(), 1, seq, 50), handed_out(1, None, &[seq])]);
    }
    let mut long = long.after(50, "half of the sessions lapsed");
    long.hears_all(Some("7"));
}
