//! Given facts, when a command, then facts or a refusal; and stories over several commands.

mod codec;
mod dead_letters;
mod items;
mod items_of_time;
mod locks;
mod million;
mod random;
mod refusals;
mod scheduled;
mod sessions;
mod shape;
mod snapshots;

use bytes::Bytes;

use super::queue::BrokerQueue;
use super::*;
use crate::command::Reply;
use crate::decision::{Decision, Moment};
use crate::fact::{DedupMark, Fact, Facts};
use crate::id::{
    BodyRef, Epoch, EventNumber, Label, MessageId, Name, PartitionId, Place, Position, QueueId, Seq,
};
use crate::limits::Limits;
use crate::receipt::Receipt;
use crate::refusal::Refusal;
use crate::stamp::{Millis, Stamp};

const QUEUE: QueueId = QueueId(7);

fn name() -> Name {
    Name::new("test/queue")
}

fn label(text: &str) -> Label {
    Label::new(text)
}

fn plain() -> BrokerSettings {
    let lock = Millis(100);
    BrokerSettings { lock, deliveries_max: 3, ..BrokerSettings::default() }
}

fn with_sessions() -> BrokerSettings {
    BrokerSettings { sessions: true, ..plain() }
}

fn created(settings: BrokerSettings) -> BrokerQueue {
    BrokerQueue::created(Stamp(0), &BrokerCreated { queue: QUEUE, name: name(), settings })
}

fn place(position: u64) -> Place {
    Place { position: Position(position), index: 0 }
}

fn id(epoch: u32, position: u64) -> MessageId {
    MessageId::new(PartitionId(0), Epoch(epoch), place(position))
}

fn new(body: &'static str) -> NewBrokerMessage {
    NewBrokerMessage { body: Bytes::from_static(body.as_bytes()), ..NewBrokerMessage::default() }
}

fn new_in(session: &str, body: &'static str) -> NewBrokerMessage {
    NewBrokerMessage { session: Some(label(session)), ..new(body) }
}

fn receive(sub: SubQueue, max: usize) -> BrokerOperation {
    BrokerOperation::Receive { sub, mode: ReceiveMode::PeekLock, max, wait: None }
}

fn receive_and_delete(sub: SubQueue, max: usize) -> BrokerOperation {
    BrokerOperation::Receive { sub, mode: ReceiveMode::ReceiveAndDelete, max, wait: None }
}

fn accept(session: &str) -> BrokerOperation {
    let which = WhichSession::Specific(label(session));
    BrokerOperation::AcceptSession { which, wait: None }
}

fn accept_next() -> BrokerOperation {
    BrokerOperation::AcceptSession { which: WhichSession::Next, wait: None }
}

fn receive_in(holder: &SessionHolder, max: usize) -> BrokerOperation {
    let (holder, mode) = (holder.clone(), ReceiveMode::PeekLock);
    BrokerOperation::ReceiveInSession { holder, mode, max, wait: None }
}

fn settle(receipt: Receipt, how: Settlement) -> BrokerOperation {
    BrokerOperation::Settle { receipt, holder: None, how }
}

fn settle_in(holder: &SessionHolder, receipt: Receipt, how: Settlement) -> BrokerOperation {
    BrokerOperation::Settle { receipt, holder: Some(holder.clone()), how }
}

fn peek(sub: SubQueue, from: u64, max: usize) -> BrokerOperation {
    BrokerOperation::Peek { sub, from: Seq(from), max, session: None }
}

fn deferred(sub: SubQueue, seqs: &[u64]) -> BrokerOperation {
    let seqs = seqs.iter().copied().map(Seq).collect();
    BrokerOperation::ReceiveDeferred { sub, holder: None, mode: ReceiveMode::PeekLock, seqs }
}

fn deferred_in(holder: &SessionHolder, seqs: &[u64]) -> BrokerOperation {
    BrokerOperation::ReceiveDeferred {
        sub: SubQueue::Main,
        holder: Some(holder.clone()),
        mode: ReceiveMode::PeekLock,
        seqs: seqs.iter().copied().map(Seq).collect(),
    }
}

fn cancel(seqs: &[u64]) -> BrokerOperation {
    BrokerOperation::CancelScheduled { seqs: seqs.iter().copied().map(Seq).collect() }
}

fn because(reason: &str) -> Settlement {
    Settlement::DeadLetter { reason: Some(label(reason)), description: None }
}

fn receipt(seq: u64, epoch: u32, attempt: u32) -> Receipt {
    Receipt { queue: QUEUE, seq: Seq(seq), epoch: Epoch(epoch), attempt }
}

fn holder(session: &str, epoch: u32, hold: u64) -> SessionHolder {
    SessionHolder { queue: QUEUE, session: label(session), epoch: Epoch(epoch), hold }
}

/// The fact that the given `seq` was sent, with a body of one byte.
fn sent(seq: u64) -> BrokerFact {
    BrokerFact::Sent(BrokerSent {
        queue: QUEUE,
        seq: Seq(seq),
        id: id(1, seq),
        len: 1,
        session: None,
        ttl: None,
        scheduled_at: None,
        dedup: None,
    })
}

fn sent_in(session: &str, seq: u64) -> BrokerFact {
    sent_with(seq, |sent| sent.session = Some(label(session)))
}

fn sent_with(seq: u64, change: impl FnOnce(&mut BrokerSent)) -> BrokerFact {
    let mut fact = sent(seq);
    if let BrokerFact::Sent(sent) = &mut fact {
        change(sent);
    }
    fact
}

fn locked(epoch: u32, until: u64, seqs: &[u64]) -> BrokerFact {
    handed_out(epoch, Some(Stamp(until)), seqs)
}

fn handed_out(epoch: u32, until: Option<Stamp>, seqs: &[u64]) -> BrokerFact {
    let seqs = seqs.iter().copied().map(Seq).collect();
    BrokerFact::Locked(Locked { queue: QUEUE, epoch: Epoch(epoch), until, seqs })
}

fn accepted(session: &str, epoch: u32, hold: u64, until: u64) -> BrokerFact {
    BrokerFact::SessionAccepted(SessionAccepted {
        queue: QUEUE,
        session: label(session),
        epoch: Epoch(epoch),
        hold,
        until: Stamp(until),
    })
}

fn one(seq: u64) -> OneMessage {
    OneMessage { queue: QUEUE, seq: Seq(seq) }
}

fn several(seqs: &[u64]) -> SeveralMessages {
    SeveralMessages { queue: QUEUE, seqs: seqs.iter().copied().map(Seq).collect() }
}

fn session(text: &str) -> OneSession {
    OneSession { queue: QUEUE, session: label(text) }
}

fn dead_lettered(seq: u64, cause: DeadLetterCause, failures: u32) -> BrokerFact {
    BrokerFact::DeadLettered(BrokerDeadLettered { queue: QUEUE, seq: Seq(seq), cause, failures })
}

fn activated(seq: u64, to: u64) -> BrokerFact {
    BrokerFact::Activated(Activated { queue: QUEUE, seq: Seq(seq), to: Seq(to) })
}

/// A queue at a moment under an owner; every fact goes through its log.
struct World {
    queue: BrokerQueue,
    at: u64,
    epoch: u32,
    limits: Limits,
    log: Vec<(Stamp, Place, BrokerFact)>,
}

type Said = Result<BrokerReply, BrokerRefusal>;

impl World {
    fn new(settings: BrokerSettings) -> World {
        let (queue, limits) = (created(settings), Limits::cloud());
        World { queue, at: 0, epoch: 1, limits, log: Vec::new() }
    }

    fn at(mut self, at: u64) -> World {
        self.at = at;
        self
    }

    fn here(&self) -> Place {
        place(self.log.len() as u64 + 1)
    }

    fn moment(&self) -> Moment<'_> {
        Moment {
            at: Stamp(self.at),
            here: self.here(),
            partition: PartitionId(0),
            epoch: Epoch(self.epoch),
            next_number: EventNumber(1),
            limits: &self.limits,
        }
    }

    fn decide(&self, operation: BrokerOperation) -> Decision {
        let command = BrokerCommand::To { queue: name(), operation };
        self.queue.decide(&self.moment(), QUEUE, &command)
    }

    /// Each fact of these goes to a position of its own, so that a place names one fact.
    fn take_in(&mut self, facts: Facts) {
        for fact in broker_facts(facts) {
            let (at, here) = (Stamp(self.at), self.here());
            self.queue.evolve(at, here, &fact);
            self.log.push((at, here, fact));
        }
    }

    fn say(&mut self, operation: BrokerOperation) -> Said {
        let decision = self.decide(operation);
        self.take_in(decision.facts);
        plainly(decision.answer)
    }

    fn done(&mut self, operation: BrokerOperation) {
        assert_eq!(self.say(operation), Ok(BrokerReply::Done));
    }

    fn send(&mut self, message: NewBrokerMessage) -> u64 {
        match self.say(BrokerOperation::Send { message }) {
            Ok(BrokerReply::Sent { seq, .. }) => seq.0,
            other => panic!("{other:?}"),
        }
    }

    fn deliveries(&mut self, operation: BrokerOperation) -> Vec<BrokerDelivery> {
        match self.say(operation) {
            Ok(BrokerReply::Received(deliveries)) => deliveries,
            other => panic!("{other:?}"),
        }
    }

    /// The numbers handed out.
    fn seqs(&mut self, operation: BrokerOperation) -> Vec<u64> {
        self.deliveries(operation).iter().map(|d| d.message.seq.0).collect()
    }

    /// The one message handed out, under a lock.
    fn one(&mut self, operation: BrokerOperation) -> (BrokerMessage, Receipt) {
        match self.deliveries(operation).as_slice() {
            [BrokerDelivery { message, lock: Some(lock) }] => (message.clone(), lock.receipt),
            other => panic!("{other:?}"),
        }
    }

    fn hold(&mut self, operation: BrokerOperation) -> SessionHolder {
        match self.say(operation) {
            Ok(BrokerReply::Accepted { holder, .. }) => holder,
            other => panic!("{other:?}"),
        }
    }

    fn peeked(&mut self, operation: BrokerOperation) -> Vec<BrokerMessage> {
        match self.say(operation) {
            Ok(BrokerReply::Peeked(messages)) => messages,
            other => panic!("{other:?}"),
        }
    }

    fn dead(&mut self) -> Vec<BrokerMessage> {
        self.peeked(peek(SubQueue::DeadLetter, 0, 100))
    }

    /// Lets time alone do everything that is due; gives the facts.
    fn tick(&mut self) -> Vec<BrokerFact> {
        let before = self.log.len();
        while self.queue.next_due().is_some_and(|due| due <= Stamp(self.at)) {
            let facts = self.queue.tick(&self.moment(), QUEUE, 100);
            assert!(!facts.is_empty(), "something is due, and tick does nothing");
            self.take_in(facts);
        }
        self.log[before..].iter().map(|(_, _, fact)| fact.clone()).collect()
    }

    /// The queue as another owner finds it after a crash.
    fn restart(&mut self) {
        self.queue = replay(self.queue.settings().clone(), &self.log);
        self.epoch += 1;
    }
}

fn replay(settings: BrokerSettings, log: &[(Stamp, Place, BrokerFact)]) -> BrokerQueue {
    let mut queue = created(settings);
    log.iter().for_each(|(at, here, fact)| queue.evolve(*at, *here, fact));
    queue
}

fn broker_facts(facts: Facts) -> Vec<BrokerFact> {
    let only_broker = |fact| match fact {
        Fact::Broker(fact) => fact,
        other => panic!("{other:?}"),
    };
    facts.facts.into_iter().map(only_broker).collect()
}

fn plainly(answer: Result<Reply, Refusal>) -> Said {
    match answer {
        Ok(Reply::Broker(reply)) => Ok(reply),
        Err(Refusal::Broker(refusal)) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

/// A queue with these facts, each at its moment.
fn given(settings: BrokerSettings, facts: impl IntoIterator<Item = (u64, BrokerFact)>) -> World {
    let mut world = World::new(settings);
    for (at, fact) in facts {
        world.at = at;
        world.take_in(Facts::one(Fact::Broker(fact)));
    }
    world
}

impl World {
    fn when(self, at: u64, operation: BrokerOperation) -> Then {
        Then(self.at(at).decide(operation))
    }

    fn when_ticked(self, at: u64) -> Vec<BrokerFact> {
        let world = self.at(at);
        broker_facts(world.queue.tick(&world.moment(), QUEUE, 100))
    }
}

struct Then(Decision);

impl Then {
    #[track_caller]
    fn then(self, facts: impl IntoIterator<Item = BrokerFact>) {
        assert!(self.0.answer.is_ok(), "{:?}", self.0.answer);
        assert_eq!(broker_facts(self.0.facts), facts.into_iter().collect::<Vec<_>>());
    }

    #[track_caller]
    fn says(self, reply: BrokerReply) {
        assert_eq!(plainly(self.0.answer), Ok(reply));
        assert_eq!(broker_facts(self.0.facts), []);
    }

    #[track_caller]
    fn refused(self, refusal: BrokerRefusal) {
        assert_eq!(plainly(self.0.answer), Err(refusal));
        assert_eq!(broker_facts(self.0.facts), []);
    }

    #[track_caller]
    fn refused_with(self, refusal: BrokerRefusal, facts: impl IntoIterator<Item = BrokerFact>) {
        assert_eq!(plainly(self.0.answer), Err(refusal));
        assert_eq!(broker_facts(self.0.facts), facts.into_iter().collect::<Vec<_>>());
    }
}
