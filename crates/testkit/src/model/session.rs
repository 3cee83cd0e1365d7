//! The broker queue, with and without sessions, by the rules. Every answer follows from the list of
//! messages, so that nothing is left to choose.

mod hand_out;
mod hold;
mod settle;

use bytes::Bytes;
use lineside_core::broker::{
    Activated, BrokerCommand, BrokerDeadLettered, BrokerFact, BrokerMessage, BrokerOperation,
    BrokerRefusal, BrokerReply, BrokerSettings, DeadLetter, DeadLetterCause, MessageState,
    NewBrokerMessage, OneMessage, OneSession, SubQueue,
};
use lineside_core::fact::Fact;
use lineside_core::id::{BodyRef, Epoch, Label, MessageId, QueueId, Seq};
use lineside_core::limits::Limits;
use lineside_core::stamp::{Millis, Stamp};

use super::{Answer, Check, Moment, Violation, ensure};

/// A broker queue.
#[derive(Clone, Debug)]
pub struct Broker {
    settings: BrokerSettings,
    /// The last number given.
    last: u64,
    /// Holds granted so far.
    holds: u64,
    /// Of both sub-queues, in no order.
    messages: Vec<Message>,
    sessions: Vec<Session>,
    known: Vec<Known>,
}

/// A message of a broker queue.
#[derive(Clone, Debug)]
struct Message {
    seq: Seq,
    id: MessageId,
    body: BodyRef,
    enqueued_at: Stamp,
    ttl: Option<Millis>,
    session: Option<Label>,
    state: MessageState,
    lock: Option<Lock>,
    /// Hand-outs so far.
    attempts: u32,
    /// Failed deliveries so far; a lock that has run out unnoticed is one more.
    failures: u32,
    dead: Option<DeadLetter>,
}

/// What a message was handed out under: until a moment, or as long as its session is held.
#[derive(Clone, Copy, Debug)]
struct Lock {
    epoch: Epoch,
    until: Option<Stamp>,
}

/// A session that was ever held.
#[derive(Clone, Debug)]
struct Session {
    label: Label,
    hold: Option<Hold>,
    state: Option<BodyRef>,
}

#[derive(Clone, Copy, Debug)]
struct Hold {
    epoch: Epoch,
    number: u64,
    until: Stamp,
}

#[derive(Clone, Debug)]
struct Known {
    key: Label,
    until: Stamp,
    id: MessageId,
    seq: Seq,
}

/// What becomes of a message that somebody would hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Deliver,
    Exhausted,
    Expired,
}

/// The moment and the place of one operation.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) now: Moment,
    pub(super) queue: QueueId,
    /// The id of what its first fact brings.
    pub(super) id: MessageId,
    pub(super) epoch: Epoch,
    pub(super) limits: &'a Limits,
    /// What the engine answered, for where the rules leave a choice.
    pub(super) told: Option<&'a Answer>,
}

type Outcome = Result<BrokerReply, BrokerRefusal>;

impl Message {
    fn sub(&self) -> SubQueue {
        if self.dead.is_some() { SubQueue::DeadLetter } else { SubQueue::Main }
    }

    fn scheduled_at(&self) -> Option<Stamp> {
        match self.state {
            MessageState::Scheduled { at } => Some(at),
            MessageState::Active | MessageState::Deferred => None,
        }
    }

    fn is_active(&self) -> bool {
        self.state == MessageState::Active
    }
}

impl Broker {
    /// A queue as it comes to be.
    pub(super) fn created(settings: BrokerSettings) -> Broker {
        Broker {
            settings,
            last: 0,
            holds: 0,
            messages: Vec::new(),
            sessions: Vec::new(),
            known: Vec::new(),
        }
    }

    /// What the rules say to an operation; it also happens.
    pub(super) fn perform(&mut self, ask: Ask<'_>, operation: &BrokerOperation) -> Outcome {
        match operation {
            BrokerOperation::Send { message } => self.send(ask, message),
            BrokerOperation::Receive { sub, mode, max, .. } => self.receive(ask, *sub, *mode, *max),
            BrokerOperation::AcceptSession { which, .. } => self.accept(ask, which),
            BrokerOperation::ReceiveInSession { holder, mode, max, .. } => {
                self.receive_in_session(ask, holder, *mode, *max)
            }
            BrokerOperation::ReceiveDeferred { sub, holder, mode, seqs } => {
                self.receive_deferred(ask, (*sub, holder.as_ref(), *mode), seqs)
            }
            BrokerOperation::Settle { receipt, holder, how } => {
                self.settle(ask, receipt, holder.as_ref(), how)
            }
            BrokerOperation::RenewLock { receipt } => self.renew_lock(ask, receipt),
            BrokerOperation::RenewSession { holder } => self.renew_session(ask, holder),
            BrokerOperation::ReleaseSession { holder } => self.release_session(ask, holder),
            BrokerOperation::GetSessionState { holder } => self.session_state(ask, holder),
            BrokerOperation::SetSessionState { holder, state } => {
                self.set_session_state(ask, holder, state.as_ref())
            }
            BrokerOperation::Peek { sub, from, max, session } => {
                self.peek(ask, *sub, (*from, *max), session.as_ref())
            }
            BrokerOperation::CancelScheduled { seqs } => self.cancel(ask, seqs),
        }
    }

    /// Whether somebody who waits with this command would be answered.
    pub(super) fn gives(&self, ask: Ask<'_>, command: &BrokerCommand) -> bool {
        match command {
            BrokerCommand::Create { .. } => true,
            BrokerCommand::To { operation, .. } => {
                let reply = self.clone().perform(ask, operation);
                reply.map_or(true, |reply| !reply.is_nothing_yet())
            }
        }
    }

    fn fits(&self, bytes: &Bytes) -> Result<u32, BrokerRefusal> {
        let limit = self.settings.message_bytes_max;
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if len > limit { Err(BrokerRefusal::TooLong { limit }) } else { Ok(len) }
    }

    fn send(&mut self, ask: Ask<'_>, message: &NewBrokerMessage) -> Outcome {
        let at = ask.now.at;
        let len = self.fits(&message.body)?;
        if self.settings.sessions && message.session.is_none() {
            return Err(BrokerRefusal::SessionRequired);
        }
        let key = message.message_id.as_ref().filter(|_| self.settings.dedup_window.is_some());
        let original = self.known.iter().find(|k| Some(&k.key) == key && k.until > at);
        if let Some(Known { id, seq, .. }) = original {
            return Ok(BrokerReply::Sent { id: *id, seq: *seq });
        }
        let (id, seq) = (ask.id, self.next());
        let ttls = [message.ttl, self.settings.ttl];
        let scheduled_at = message.scheduled_at.filter(|then| *then > at);
        self.messages.push(Message {
            seq,
            id,
            body: BodyRef { place: ask.now.here, len },
            enqueued_at: at,
            ttl: ttls.into_iter().flatten().min(),
            session: message.session.clone().filter(|_| self.settings.sessions),
            state: scheduled_at.map_or(MessageState::Active, |at| MessageState::Scheduled { at }),
            lock: None,
            attempts: 0,
            failures: 0,
            dead: None,
        });
        if let (Some(key), Some(window)) = (key.cloned(), self.settings.dedup_window) {
            self.known.retain(|known| known.until > at);
            self.known.push(Known { key, until: at + window, id, seq });
        }
        Ok(BrokerReply::Sent { id, seq })
    }

    fn next(&mut self) -> Seq {
        self.last += 1;
        Seq(self.last)
    }

    fn peek(
        &self,
        ask: Ask<'_>,
        sub: SubQueue,
        (from, max): (Seq, usize),
        session: Option<&Label>,
    ) -> Outcome {
        if session.is_some() && !(self.settings.sessions && sub == SubQueue::Main) {
            return Err(BrokerRefusal::NoSessionsHere);
        }
        let is_meant = |m: &Message| {
            let of_session = session.is_none() || m.session.as_ref() == session;
            m.sub() == sub && m.seq >= from && of_session
        };
        let seen = self.sorted(is_meant, |message| message.seq);
        let seen = seen.into_iter().take(max.min(ask.limits.receive_scan_max));
        Ok(BrokerReply::Peeked(seen.map(|message| self.view(message, ask.now.at)).collect()))
    }

    fn cancel(&mut self, ask: Ask<'_>, seqs: &[Seq]) -> Outcome {
        let seqs = distinct(ask, seqs)?;
        for seq in &seqs {
            let message = self.messages.iter().find(|message| message.seq == *seq);
            let is_to_come =
                message.and_then(Message::scheduled_at).is_some_and(|t| t > ask.now.at);
            if !is_to_come {
                return Err(BrokerRefusal::MessageNotFound { seq: *seq });
            }
        }
        self.messages.retain(|message| !seqs.contains(&message.seq));
        Ok(BrokerReply::Done)
    }

    /// The messages that are meant, sorted.
    fn sorted<K: Ord>(
        &self,
        is_meant: impl Fn(&Message) -> bool,
        key: impl Fn(&Message) -> K,
    ) -> Vec<&Message> {
        let mut found: Vec<&Message> = self.messages.iter().filter(|m| is_meant(m)).collect();
        found.sort_by_key(|message| key(message));
        found
    }

    fn seqs<K: Ord>(
        &self,
        is_meant: impl Fn(&Message) -> bool,
        key: impl Fn(&Message) -> K,
    ) -> Vec<Seq> {
        self.sorted(is_meant, key).into_iter().map(|message| message.seq).collect()
    }

    fn find(&self, seq: Seq) -> Option<&Message> {
        self.messages.iter().find(|message| message.seq == seq)
    }

    fn find_mut(&mut self, seq: Seq) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.seq == seq)
    }

    fn is_locked(&self, message: &Message, at: Stamp) -> bool {
        match message.lock {
            None => false,
            Some(Lock { until: Some(until), .. }) => until > at,
            Some(Lock { until: None, .. }) => {
                message.session.as_ref().is_some_and(|label| self.is_held(label, at))
            }
        }
    }

    /// Failed deliveries; dead letters are not counted any more.
    fn failures(&self, message: &Message, at: Stamp) -> u32 {
        let lapsed = message.lock.is_some() && !self.is_locked(message, at);
        message.failures + u32::from(lapsed && message.dead.is_none())
    }

    fn fate(&self, message: &Message, at: Stamp) -> Fate {
        let is_over = message.ttl.is_some_and(|ttl| message.enqueued_at + ttl <= at);
        match () {
            () if message.dead.is_some() => Fate::Deliver,
            () if self.failures(message, at) >= self.settings.deliveries_max => Fate::Exhausted,
            () if is_over => Fate::Expired,
            () => Fate::Deliver,
        }
    }

    fn view(&self, message: &Message, at: Stamp) -> BrokerMessage {
        BrokerMessage {
            seq: message.seq,
            id: message.id,
            body: message.body,
            state: message.state,
            enqueued_at: message.enqueued_at,
            ttl: message.ttl,
            session: message.session.clone(),
            failures: self.failures(message, at),
            dead: message.dead.clone(),
        }
    }

    /// A message leaves the main sub-queue for this reason.
    fn put_aside(&mut self, seq: Seq, fate: Fate, at: Stamp) {
        match fate {
            Fate::Deliver => {}
            Fate::Exhausted => self.bury(seq, DeadLetterCause::DeliveriesExhausted, at),
            Fate::Expired if self.settings.dead_letter_on_expiry => {
                self.bury(seq, DeadLetterCause::Expired, at);
            }
            Fate::Expired => self.messages.retain(|message| message.seq != seq),
        }
    }

    fn bury(&mut self, seq: Seq, cause: DeadLetterCause, at: Stamp) {
        let failures = self.find(seq).map_or(0, |message| self.failures(message, at));
        if let Some(message) = self.find_mut(seq) {
            message.failures = failures;
            message.lock = None;
            message.state = MessageState::Active;
            message.dead = Some(DeadLetter { cause, since: at });
        }
    }

    fn activate(&mut self, seq: Seq, at: Stamp) -> Seq {
        let to = self.next();
        if let Some(message) = self.find_mut(seq) {
            message.seq = to;
            message.state = MessageState::Active;
            message.enqueued_at = at;
        }
        to
    }

    /// What time alone has made due.
    pub(super) fn due(&self, queue: QueueId, at: Stamp) -> Vec<BrokerFact> {
        let lapsed = self.sessions.iter().filter(|s| s.hold.is_some_and(|hold| hold.until <= at));
        let mut due: Vec<BrokerFact> = lapsed
            .map(|s| BrokerFact::SessionLapsed(OneSession { queue, session: s.label.clone() }))
            .collect();
        due.extend(self.messages.iter().filter_map(|m| self.due_of(queue, m, at)));
        let scheduled = self.seqs(
            |m| m.scheduled_at().is_some_and(|then| then <= at),
            |m| (m.scheduled_at(), m.seq),
        );
        let numbered = scheduled.into_iter().zip(self.last + 1..);
        due.extend(
            numbered.map(|(seq, to)| BrokerFact::Activated(Activated { queue, seq, to: Seq(to) })),
        );
        due
    }

    /// Messages that go back because their session's lock has run out.
    pub(super) fn lapsed(&self, at: Stamp) -> usize {
        let in_session = |m: &&Message| matches!(m.lock, Some(Lock { until: None, .. }));
        self.messages.iter().filter(in_session).filter(|m| !self.is_locked(m, at)).count()
    }

    /// What time does to one message of the main sub-queue: nothing while it is locked, or counts
    /// as handed out in a session; only an active one expires.
    fn due_of(&self, queue: QueueId, message: &Message, at: Stamp) -> Option<BrokerFact> {
        let in_session = matches!(message.lock, Some(Lock { until: None, .. }));
        if in_session || self.is_locked(message, at) || message.scheduled_at().is_some() {
            return None;
        }
        let (seq, failures) = (message.seq, self.failures(message, at));
        let dead = |cause| {
            Some(BrokerFact::DeadLettered(BrokerDeadLettered { queue, seq, cause, failures }))
        };
        match self.fate(message, at) {
            Fate::Deliver => None,
            Fate::Exhausted => dead(DeadLetterCause::DeliveriesExhausted),
            Fate::Expired if !message.is_active() => None,
            Fate::Expired if self.settings.dead_letter_on_expiry => dead(DeadLetterCause::Expired),
            Fate::Expired => Some(BrokerFact::Expired(OneMessage { queue, seq })),
        }
    }

    /// Only what is due has happened, and `all` of it or not; the order in which messages are put
    /// aside is free.
    pub(super) fn ticked(
        &mut self,
        (queue, at): (QueueId, Stamp),
        facts: &[&Fact],
        all: bool,
    ) -> Check {
        let due = self.due(queue, at);
        let told = super::broker_facts(facts);
        let same = told.iter().all(|fact| due.contains(fact)) && (told.len() == due.len() || !all);
        ensure!(same, "time brought\n  {told:?}\nand should have\n  {due:?}");
        for fact in told {
            match fact {
                BrokerFact::SessionLapsed(one) => self.end_hold(&one.session, true),
                BrokerFact::Activated(one) => drop(self.activate(one.seq, at)),
                BrokerFact::Expired(one) => self.put_aside(one.seq, Fate::Expired, at),
                BrokerFact::DeadLettered(one) => self.bury(one.seq, one.cause, at),
                other => return Err(Violation(format!("time cannot bring {other:?}"))),
            }
        }
        Ok(())
    }
}

/// The numbers, each once, if they are not too many.
fn distinct(ask: Ask<'_>, seqs: &[Seq]) -> Result<Vec<Seq>, BrokerRefusal> {
    let limit = ask.limits.unsettled_max;
    if seqs.len() > limit {
        return Err(BrokerRefusal::TooManyNumbers { limit });
    }
    let mut distinct = Vec::new();
    for seq in seqs {
        if !distinct.contains(seq) {
            distinct.push(*seq);
        }
    }
    Ok(distinct)
}
