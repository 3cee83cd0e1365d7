//! What standard and FIFO queues have in common, by the rules.

use std::collections::BTreeSet;

use lineside_core::command::{Command, Delivery, NewDedup, NewMessage, Reply};
use lineside_core::fact::Fact;
use lineside_core::id::{BodyRef, Epoch, Label, MessageId, Name, QueueId, Seq, Text};
use lineside_core::limits::Limits;
use lineside_core::queue::{QueueKind, QueueSettings, Scope};
use lineside_core::receipt::Receipt;
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_core::stamp::{Millis, Stamp};

use super::moves::Task;
use super::{Answer, Check, Decided, Moment, ensure, expect, fifo, standard};

/// A polled queue.
#[derive(Clone, Debug)]
pub struct Polled {
    pub(super) name: Name,
    pub(super) kind: QueueKind,
    pub(super) settings: QueueSettings,
    pub(super) created_at: Stamp,
    pub(super) modified_at: Stamp,
    pub(super) purged_at: Option<Stamp>,
    pub(super) tags: Vec<(Label, Text)>,
    /// Moves out of it, all that there ever were.
    pub(super) tasks: Vec<Task>,
    /// The last number given.
    pub(super) last: u64,
    /// In the order of their numbers.
    pub(super) messages: Vec<Message>,
    /// Deduplication ids, each until a moment.
    pub(super) known: Vec<Known>,
    /// What was handed out under the ids of receives, each until a moment.
    pub(super) attempts: Vec<Attempt>,
    /// Tenants of whom something was ever handed out.
    pub(super) served: BTreeSet<Label>,
    /// When a receive last moved aside as much as one may: the rest is for the next moment.
    pub(super) spent_at: Option<Stamp>,
}

/// A message of a polled queue.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) seq: Seq,
    pub(super) id: MessageId,
    pub(super) body: BodyRef,
    pub(super) sent_at: Stamp,
    /// Its own delay's end; a FIFO queue does not look at it.
    pub(super) visible_at: Stamp,
    pub(super) receives: u32,
    /// Of these, how many in this queue.
    pub(super) receives_here: u32,
    pub(super) first_received_at: Option<Stamp>,
    pub(super) lease: Option<Lease>,
    pub(super) origin: Option<Name>,
    /// Why a receiver gave it up there.
    pub(super) reason: Option<Text>,
    pub(super) group: Option<Label>,
}

/// The last hand-out of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) epoch: Epoch,
    pub(super) since: Stamp,
    pub(super) until: Stamp,
}

/// A deduplication id.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) key: Label,
    /// Only there, if the queue was set so when it came.
    pub(super) group: Option<Label>,
    pub(super) until: Stamp,
    pub(super) seq: Seq,
    pub(super) id: MessageId,
}

/// A receive that gave itself an id.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) key: Label,
    pub(super) until: Stamp,
    pub(super) handed_out: Vec<(Seq, u32)>,
}

/// The other side of a dead-letter rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) queue: QueueId,
    pub(super) last: u64,
    pub(super) receives_max: u32,
}

/// What a decision may look at beside the queue.
pub(super) struct Ask<'a> {
    pub(super) now: Moment,
    pub(super) queue: QueueId,
    /// The id of what the decision's first fact brings.
    pub(super) id: MessageId,
    pub(super) epoch: Epoch,
    pub(super) limits: &'a Limits,
    pub(super) target: Option<Target>,
}

/// What a receipt names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The lease that runs.
    Running,
    /// The last lease, which has ended.
    Ended,
    /// A lease that is not in the log and would be newer than the last one there.
    Newer,
    /// An older lease.
    Older,
}

/// One receive with its bounds, and what it gave by its answer and its facts.
pub(super) struct Receive<'a> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) max: usize,
    pub(super) visibility: Millis,
    pub(super) attempt: Option<&'a Label>,
    /// Of each group one at most.
    pub(super) alone: bool,
    pub(super) answer: &'a Answer,
    /// Messages that it moved aside, with their new numbers, in order.
    pub(super) moved: Vec<(Seq, Seq)>,
}

impl Message {
    pub(super) fn is_leased(&self, at: Stamp) -> bool {
        self.lease.is_some_and(|lease| lease.until > at)
    }

    pub(super) fn named(&self, receipt: &Receipt, at: Stamp) -> Named {
        let last = self.lease.map(|lease| (lease.epoch, self.receives));
        let named = Some((receipt.epoch, receipt.attempt));
        match (last, named) {
            (last, named) if last < named => Named::Newer,
            (last, named) if last > named => Named::Older,
            _ if self.is_leased(at) => Named::Running,
            _ => Named::Ended,
        }
    }

    /// The delivery of the hand-out that is its `receives`-th.
    pub(super) fn delivery(
        &self,
        queue: QueueId,
        epoch: Epoch,
        receives: u32,
        (at, ordered): (Stamp, bool),
    ) -> Delivery {
        Delivery {
            id: self.id,
            seq: self.seq,
            ordered,
            body: self.body,
            receipt: Receipt { queue, seq: self.seq, epoch, attempt: receives },
            sent_at: self.sent_at,
            first_received_at: self.first_received_at.unwrap_or(at),
            receives,
            origin: self.origin.clone(),
        }
    }

    fn hand_out(&mut self, at: Stamp, epoch: Epoch, until: Stamp) {
        self.receives += 1;
        self.receives_here += 1;
        self.first_received_at = self.first_received_at.or(Some(at));
        self.lease = Some(Lease { epoch, since: at, until });
    }
}

impl Polled {
    /// When a message may be seen, leases aside.
    pub(super) fn shown_from(&self, message: &Message) -> Stamp {
        match self.kind {
            QueueKind::Standard => message.visible_at,
            QueueKind::Fifo => message.sent_at + self.settings.delay,
        }
    }

    pub(super) fn is_expired(&self, message: &Message, at: Stamp) -> bool {
        message.sent_at + self.settings.retention <= at
    }

    pub(super) fn is_exhausted(&self, message: &Message, target: Option<Target>) -> bool {
        target.is_some_and(|target| message.receives_here >= target.receives_max)
    }

    pub(super) fn in_flight(&self, at: Stamp) -> usize {
        self.messages.iter().filter(|message| message.is_leased(at)).count()
    }

    pub(super) fn message(&mut self, seq: Seq) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.seq == seq)
    }

    pub(super) fn hand_out(&mut self, seq: Seq, at: Stamp, (epoch, until): (Epoch, Stamp)) {
        let Some(message) = self.message(seq) else { return };
        message.hand_out(at, epoch, until);
        let tenant = message.group.clone();
        self.served.extend(tenant);
    }

    pub(super) fn push(&mut self, message: Message) {
        self.last = message.seq.0;
        self.messages.push(message);
    }

    /// Checks an answer; returns the messages that left for the dead-letter queue, as they are
    /// there.
    pub(super) fn decided(&mut self, ask: &Ask<'_>, decided: Decided<'_>) -> Check<Vec<Message>> {
        let none = |()| Vec::new();
        match decided.command {
            Command::Send { message, .. } => self.send(ask, message, decided.answer).map(none),
            Command::Receive { max, visibility, attempt, alone, .. } => {
                let receive = Receive {
                    ask,
                    max: (*max).min(ask.limits.receive_messages_max),
                    visibility: visibility.unwrap_or(self.settings.visibility),
                    attempt: attempt.as_ref(),
                    alone: *alone,
                    answer: decided.answer,
                    moved: moved(ask, decided.facts)?,
                };
                match self.kind {
                    QueueKind::Standard => standard::receive(self, &receive)?,
                    QueueKind::Fifo => fifo::receive(self, &receive)?,
                }
                if receive.moved.len() >= ask.limits.receive_scan_max {
                    self.spent_at = Some(ask.now.at);
                }
                Ok(self.bury(ask, &receive.moved))
            }
            Command::Delete { receipt, .. } => self.delete(ask, receipt, decided.answer).map(none),
            Command::ChangeLease { receipt, timeout, .. } => {
                self.change_lease(ask, receipt, *timeout, decided.answer).map(none)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn send(&mut self, ask: &Ask<'_>, message: &NewMessage, answer: &Answer) -> Check {
        let limit = self.settings.message_bytes_max;
        let mut objections = match self.kind {
            QueueKind::Standard => standard::objections(message),
            QueueKind::Fifo => fifo::objections(message, self.settings.content_dedup),
        };
        if message.size > limit {
            objections.push(QueueRefusal::MessageTooLong { limit });
        }
        if !objections.is_empty() {
            let refused = matches!(answer, Err(Refusal::Queue(r)) if objections.contains(r));
            ensure!(refused, "the answer is\n  {answer:?}\nand should be of\n  {objections:?}");
            return Ok(());
        }
        let ordered = self.kind == QueueKind::Fifo;
        if let Some(known) = self.original(ask.now.at, message) {
            let (id, seq) = (known.id, known.seq);
            return expect(answer, &Ok(Reply::Sent { id, seq, ordered }));
        }
        let (id, seq) = (ask.id, Seq(self.last + 1));
        expect(answer, &Ok(Reply::Sent { id, seq, ordered }))?;
        self.remember(ask, message, seq);
        self.push(self.fresh(ask, message, seq));
        Ok(())
    }

    pub(super) fn fresh(&self, ask: &Ask<'_>, message: &NewMessage, seq: Seq) -> Message {
        let len = u32::try_from(message.body.len()).unwrap_or(u32::MAX);
        let at = ask.now.at;
        Message {
            seq,
            id: ask.id,
            body: BodyRef { place: ask.now.here, len },
            sent_at: at,
            visible_at: at + message.delay.unwrap_or(self.settings.delay),
            receives: 0,
            receives_here: 0,
            first_received_at: None,
            lease: None,
            origin: None,
            reason: None,
            group: message.group.clone(),
        }
    }

    fn dedup_key<'a>(&self, message: &'a NewMessage) -> Option<&'a Label> {
        match &message.dedup {
            NewDedup::Id(key) | NewDedup::Content(key) if self.kind == QueueKind::Fifo => Some(key),
            _ => None,
        }
    }

    fn original(&self, at: Stamp, message: &NewMessage) -> Option<&Known> {
        let key = self.dedup_key(message)?;
        let group = self.dedup_group(message);
        let is_same = |known: &&Known| known.key == *key && known.group.as_ref() == group;
        self.known.iter().filter(|known| known.until > at).find(is_same)
    }

    /// The group in which an id counts, if it does not in the whole queue.
    fn dedup_group<'a>(&self, message: &'a NewMessage) -> Option<&'a Label> {
        match self.settings.dedup_scope {
            Scope::Queue => None,
            Scope::Group => message.group.as_ref(),
        }
    }

    fn remember(&mut self, ask: &Ask<'_>, message: &NewMessage, seq: Seq) {
        let at = ask.now.at;
        self.known.retain(|known| known.until > at);
        if let Some(key) = self.dedup_key(message).cloned() {
            let until = at + ask.limits.dedup_window;
            let group = self.dedup_group(message).cloned();
            self.known.push(Known { key, group, until, seq, id: ask.id });
        }
    }

    fn delete(&mut self, ask: &Ask<'_>, receipt: &Receipt, answer: &Answer) -> Check {
        if receipt.queue != ask.queue {
            return expect(answer, &Err(QueueRefusal::ReceiptOfAnotherQueue.into()));
        }
        let kind = self.kind;
        let at = ask.now.at;
        let named = self.message(receipt.seq).map(|message| message.named(receipt, at));
        let deletes = match (kind, named) {
            (_, None) => false,
            (QueueKind::Standard, Some(named)) => standard::deletes(named),
            (QueueKind::Fifo, Some(Named::Running)) => true,
            (QueueKind::Fifo, Some(_)) => {
                return expect(answer, &Err(QueueRefusal::LeaseEnded.into()));
            }
        };
        if deletes {
            self.messages.retain(|message| message.seq != receipt.seq);
        }
        expect(answer, &Ok(Reply::Done))
    }

    fn change_lease(
        &mut self,
        ask: &Ask<'_>,
        receipt: &Receipt,
        timeout: Millis,
        answer: &Answer,
    ) -> Check {
        let refuse = |refusal: QueueRefusal| expect(answer, &Err(refusal.into()));
        let (at, limit) = (ask.now.at, ask.limits.lease_total_max);
        if receipt.queue != ask.queue {
            return refuse(QueueRefusal::ReceiptOfAnotherQueue);
        }
        let Some(message) = self.message(receipt.seq) else {
            return refuse(QueueRefusal::NotChangeable);
        };
        match message.named(receipt, at) {
            Named::Running => {}
            Named::Ended | Named::Newer => return refuse(QueueRefusal::NotInFlight),
            Named::Older => return refuse(QueueRefusal::NotChangeable),
        }
        let Some(lease) = &mut message.lease else { return Ok(()) };
        if (at + timeout).since(lease.since) > limit {
            return refuse(QueueRefusal::LeaseTooLong { limit });
        }
        lease.until = at + timeout;
        expect(answer, &Ok(Reply::Done))
    }

    /// Takes the moved messages out, as they come to the other side.
    pub(super) fn bury(&mut self, ask: &Ask<'_>, moved: &[(Seq, Seq)]) -> Vec<Message> {
        let mut buried = Vec::new();
        for (seq, to_seq) in moved {
            let found = self.messages.iter().position(|message| message.seq == *seq);
            let Some(index) = found else { continue };
            let message = self.messages.remove(index);
            let sent_at = match self.kind {
                QueueKind::Standard => message.sent_at,
                QueueKind::Fifo => ask.now.at,
            };
            buried.push(Message {
                seq: *to_seq,
                sent_at,
                visible_at: Stamp(0),
                receives_here: 0,
                lease: None,
                origin: Some(self.name.clone()),
                reason: None,
                ..message
            });
        }
        buried
    }

    /// Whether somebody who waits is owed something.
    pub(super) fn gives(&self, at: Stamp, limits: &Limits, target: Option<Target>) -> bool {
        let gives = match self.kind {
            QueueKind::Standard => standard::gives(self, at, limits, target),
            QueueKind::Fifo => fifo::gives(self, at, limits, target),
        };
        gives && self.spent_at != Some(at)
    }
}

/// The messages that a receive moved aside, with their new numbers: in order, and following on the
/// other side's last one.
fn moved(ask: &Ask<'_>, facts: &[Fact]) -> Check<Vec<(Seq, Seq)>> {
    let mut moved: Vec<(Seq, Seq)> = Vec::new();
    for fact in facts {
        let Fact::DeadLettered(fact) = fact else { continue };
        let Some(target) = ask.target else {
            return Err(super::Violation(format!("no dead-letter rule allows {fact:?}")));
        };
        let to_seq = Seq(target.last + 1 + moved.len() as u64);
        let fits = (fact.from, fact.to, fact.to_seq) == (ask.queue, target.queue, to_seq);
        ensure!(fits, "{fact:?} should go to {:?} as {to_seq:?}", target.queue);
        ensure!(moved.iter().all(|(seq, _)| *seq != fact.seq), "{:?} moved twice", fact.seq);
        moved.push((fact.seq, to_seq));
    }
    Ok(moved)
}
