//! What callers wish of broker queues.

use lineside_core::broker::{
    BrokerCommand, BrokerOperation, BrokerSettings, NewBrokerMessage, ReceiveMode, SessionHolder,
    Settlement, SubQueue, WhichSession,
};
use lineside_core::command::Command;
use lineside_core::id::{Epoch, Label, QueueId, Seq};
use lineside_core::stamp::{Millis, Stamp};

use super::{Clients, Whim, named};
use crate::sim::plan::QueuePlan;

const SESSIONS: [&str; 4] = ["ann", "bob", "cat", "dan"];
const KEYS: [&str; 5] = ["m1", "m2", "m3", "m4", "m5"];

/// How often what is wished of a queue without sessions.
const PLAIN: [u32; 9] = [36, 22, 30, 3, 3, 3, 2, 1, 1];
/// And of one with sessions, where a receive needs a hold.
const HELD: [u32; 9] = [32, 6, 24, 3, 3, 3, 2, 8, 20];

/// Looks at both sub-queues, and takes what can be had as dead letters.
pub(super) fn audit(name: &str) -> Vec<Command> {
    let (main, dead) = (SubQueue::Main, SubQueue::DeadLetter);
    let peek = |sub| BrokerOperation::Peek { sub, from: Seq(0), max: 1000, session: None };
    let receive = |sub| {
        let mode = ReceiveMode::ReceiveAndDelete;
        BrokerOperation::Receive { sub, mode, max: 1000, wait: None }
    };
    let operations = [peek(main), peek(dead), receive(main), receive(dead), peek(main), peek(dead)];
    operations.into_iter().map(|operation| to(name, operation)).collect()
}

fn to(name: &str, operation: BrokerOperation) -> Command {
    Command::Broker(BrokerCommand::To { queue: named(name), operation })
}

fn operation_of(command: &Command) -> Option<&BrokerOperation> {
    match command {
        Command::Broker(BrokerCommand::To { operation, .. }) => Some(operation),
        _ => None,
    }
}

/// The hold under which a command receives.
pub(super) fn holder_of(command: &Command) -> Option<SessionHolder> {
    match operation_of(command)? {
        BrokerOperation::ReceiveInSession { holder, .. } => Some(holder.clone()),
        BrokerOperation::ReceiveDeferred { holder, .. } => holder.clone(),
        _ => None,
    }
}

/// Whether a command sends for later.
pub(super) fn is_scheduled(command: &Command) -> bool {
    match operation_of(command) {
        Some(BrokerOperation::Send { message }) => message.scheduled_at.is_some(),
        _ => false,
    }
}

/// The number of the message that a command put aside.
pub(super) fn deferred_by(command: &Command) -> Option<Seq> {
    match operation_of(command)? {
        BrokerOperation::Settle { receipt, how: Settlement::Defer, .. } => Some(receipt.seq),
        _ => None,
    }
}

impl Clients {
    pub(super) fn create_broker(whim: &mut Whim<'_>, name: &str, sessions: bool) -> Command {
        let seconds = |whim: &mut Whim<'_>| whim.seconds(&[5, 20, 120]);
        let settings = BrokerSettings {
            sessions: sessions ^ whim.rng.chance(3),
            lock: whim.seconds(&[1, 5, 30]),
            deliveries_max: whim.rng.one(&[1, 2, 3, 10], 1),
            ttl: whim.maybe(40, seconds),
            dead_letter_on_expiry: whim.rng.chance(50),
            dedup_window: whim.maybe(40, seconds),
            message_bytes_max: whim.rng.one(&[30, 1024, 1024], 1024),
        };
        Command::Broker(BrokerCommand::Create { name: named(name), settings })
    }

    pub(super) fn about_broker(
        &mut self,
        whim: &mut Whim<'_>,
        index: usize,
        (plan, sessions): (QueuePlan, bool),
    ) -> Command {
        let wish = match whim.rng.weighted(if sessions { &HELD } else { &PLAIN }) {
            2 | 3 if !self.has_receipts(whim, index) => 0,
            8 if !self.has_holders(whim, index) => 7,
            0 if self.is_crowded(index) => {
                if sessions {
                    8
                } else {
                    1
                }
            }
            wish => wish,
        };
        let operation = match wish {
            0 => BrokerOperation::Send { message: self.broker_message(whim, sessions) },
            1 => BrokerOperation::Receive {
                sub: if sessions && whim.rng.chance(90) { SubQueue::DeadLetter } else { sub(whim) },
                mode: mode(whim),
                max: 1 + whim.rng.index(10),
                wait: self.patience(whim),
            },
            2 => self.settle(whim, index),
            3 => BrokerOperation::RenewLock { receipt: self.receipt(whim, index).0 },
            4 => self.receive_deferred(whim, index, sessions),
            5 => BrokerOperation::Peek {
                sub: sub(whim),
                from: Seq(whim.rng.between(0, 40)),
                max: 1 + whim.rng.index(6),
                session: whim.maybe(if sessions { 40 } else { 4 }, |whim| whim.label(&SESSIONS)),
            },
            6 => BrokerOperation::CancelScheduled { seqs: self.seqs(whim, index) },
            7 => BrokerOperation::AcceptSession {
                which: match whim.rng.chance(60) {
                    true => WhichSession::Next,
                    false => WhichSession::Specific(whim.label(&SESSIONS)),
                },
                wait: self.patience(whim),
            },
            _ => self.in_session(whim, index),
        };
        to(plan.name, operation)
    }

    fn has_holders(&self, whim: &mut Whim<'_>, index: usize) -> bool {
        let known = self.stashes.get(index).is_some_and(|stash| !stash.holders.is_empty());
        known || whim.rng.chance(5)
    }

    fn patience(&self, whim: &mut Whim<'_>) -> Option<Millis> {
        whim.maybe(self.waits, |whim| whim.seconds(&[0, 1, 5, 20]))
    }

    fn broker_message(&mut self, whim: &mut Whim<'_>, sessions: bool) -> NewBrokerMessage {
        let later = |whim: &mut Whim<'_>| Stamp(whim.at.0 + whim.rng.between(0, 20_000));
        NewBrokerMessage {
            body: self.body(whim),
            message_id: whim.maybe(25, |whim| whim.label(&KEYS)),
            session: whim.maybe(if sessions { 98 } else { 5 }, |whim| whim.label(&SESSIONS)),
            ttl: whim.maybe(15, |whim| whim.seconds(&[1, 5, 60])),
            scheduled_at: whim.maybe(10, later),
        }
    }

    fn settle(&mut self, whim: &mut Whim<'_>, index: usize) -> BrokerOperation {
        let (receipt, mut holder) = self.receipt(whim, index);
        if whim.rng.chance(4) {
            holder = whim.maybe(50, |whim| self.holder(whim, index));
        }
        let how = match whim.rng.weighted(&[60, 22, 10, 8]) {
            0 => Settlement::Complete,
            1 => Settlement::Abandon,
            2 => Settlement::Defer,
            _ => Settlement::DeadLetter {
                reason: whim.maybe(50, |_| Label::new("broken")),
                description: None,
            },
        };
        BrokerOperation::Settle { receipt, holder, how }
    }

    /// A hold: the last one that was granted, an older one, or one that nobody has.
    fn holder(&mut self, whim: &mut Whim<'_>, index: usize) -> SessionHolder {
        let known: &[SessionHolder] = self.stash(index).map_or(&[], |stash| &stash.holders);
        let recent = known.len().saturating_sub(3);
        let from = if whim.rng.chance(80) { recent } else { 0 };
        match known.get(from + whim.rng.index(known.len() - from)) {
            Some(holder) if whim.rng.chance(97) => holder.clone(),
            _ => SessionHolder {
                queue: QueueId(whim.rng.between(1, 4)),
                session: whim.label(&SESSIONS),
                epoch: Epoch(1),
                hold: whim.rng.between(1, 9),
            },
        }
    }

    fn receive_deferred(
        &mut self,
        whim: &mut Whim<'_>,
        index: usize,
        sessions: bool,
    ) -> BrokerOperation {
        let holds = if sessions { 90 } else { 10 };
        let seqs = self.seqs(whim, index);
        let holder = whim.maybe(holds, |whim| self.holder(whim, index));
        BrokerOperation::ReceiveDeferred { sub: sub(whim), holder, mode: mode(whim), seqs }
    }

    /// Numbers that callers know, and some that they do not.
    fn seqs(&mut self, whim: &mut Whim<'_>, index: usize) -> Vec<Seq> {
        let count = whim.rng.one(&[1, 1, 1, 2, 4, 0], 1);
        let known: &[Seq] = self.stash(index).map_or(&[], |stash| &stash.seqs);
        let one = |_| match whim.rng.chance(92) {
            true => whim.rng.one(known, Seq(1)),
            false => Seq(whim.rng.between(1, 40)),
        };
        (0..count).map(one).collect()
    }

    fn in_session(&mut self, whim: &mut Whim<'_>, index: usize) -> BrokerOperation {
        let holder = self.holder(whim, index);
        match whim.rng.weighted(&[70, 8, 8, 6, 8]) {
            0 => BrokerOperation::ReceiveInSession {
                holder,
                mode: mode(whim),
                max: 1 + whim.rng.index(4),
                wait: self.patience(whim),
            },
            1 => BrokerOperation::RenewSession { holder },
            2 => BrokerOperation::ReleaseSession { holder },
            3 => BrokerOperation::GetSessionState { holder },
            _ => {
                let state = whim.maybe(70, |whim| self.body(whim));
                BrokerOperation::SetSessionState { holder, state }
            }
        }
    }
}

fn sub(whim: &mut Whim<'_>) -> SubQueue {
    if whim.rng.chance(20) { SubQueue::DeadLetter } else { SubQueue::Main }
}

fn mode(whim: &mut Whim<'_>) -> ReceiveMode {
    match whim.rng.chance(25) {
        true => ReceiveMode::ReceiveAndDelete,
        false => ReceiveMode::PeekLock,
    }
}
