//! What a broker queue says to a command: one file per kind of operation.

mod deferred;
mod hand_out;
mod next_session;
mod peek;
mod send;
mod session;
mod settle;

use super::command::{BrokerCommand, BrokerOperation};
use super::fact::BrokerFact;
use super::queue::BrokerQueue;
use super::refusal::BrokerRefusal;
use super::reply::BrokerReply;
use crate::command::Reply;
use crate::decision::{Decision, Moment};
use crate::fact::{Fact, Facts};
use crate::id::QueueId;

/// What an operation comes to, before it is dressed as a [`Decision`].
type Outcome = Result<Decision, BrokerRefusal>;

/// The moment of a decision, and the queue's id, which the queue itself does not keep.
#[derive(Clone, Copy)]
struct Here<'a> {
    now: &'a Moment<'a>,
    queue: QueueId,
}

impl BrokerQueue {
    /// Decides any command but `Create`. The answer is right whether or not `tick` has run at this
    /// moment. Only looking tells the difference: peek shows what is stored, and a dead letter is
    /// there once its move is written.
    pub fn decide(&self, now: &Moment<'_>, queue: QueueId, command: &BrokerCommand) -> Decision {
        let outcome = match command {
            BrokerCommand::Create { name, .. } => Err(BrokerRefusal::Exists { name: name.clone() }),
            BrokerCommand::To { operation, .. } => self.perform(Here { now, queue }, operation),
        };
        outcome.unwrap_or_else(Decision::refuse)
    }

    fn perform(&self, here: Here<'_>, operation: &BrokerOperation) -> Outcome {
        match operation {
            BrokerOperation::Send { message } => self.send(here, message),
            BrokerOperation::Receive { sub, mode, max, .. } => {
                self.receive(here, *sub, *mode, *max)
            }
            BrokerOperation::AcceptSession { which, .. } => self.accept_session(here, which),
            BrokerOperation::ReceiveInSession { holder, mode, max, .. } => {
                self.receive_in_session(here, holder, *mode, *max)
            }
            BrokerOperation::ReceiveDeferred { sub, holder, mode, seqs } => {
                self.receive_deferred(here, *sub, holder.as_ref(), *mode, seqs)
            }
            BrokerOperation::Settle { receipt, holder, how } => {
                self.settle(here, receipt, holder.as_ref(), how)
            }
            BrokerOperation::RenewLock { receipt } => self.renew_lock(here, receipt),
            BrokerOperation::RenewSession { holder } => self.renew_session(here, holder),
            BrokerOperation::ReleaseSession { holder } => self.release_session(here, holder),
            BrokerOperation::GetSessionState { holder } => self.session_state(here, holder),
            BrokerOperation::SetSessionState { holder, state } => {
                self.set_session_state(here, holder, state.as_ref())
            }
            BrokerOperation::Peek { sub, from, max, session } => {
                self.peek(here, *sub, *from, *max, session.as_ref())
            }
            BrokerOperation::CancelScheduled { seqs } => self.cancel_scheduled(here, seqs),
        }
    }
}

fn says(reply: BrokerReply) -> Decision {
    Decision::reply(Reply::Broker(reply))
}

fn fact(fact: BrokerFact, reply: BrokerReply) -> Decision {
    Decision::fact(Fact::Broker(fact), Reply::Broker(reply))
}

fn bodiless(facts: Vec<BrokerFact>) -> Facts {
    Facts { facts: facts.into_iter().map(Fact::Broker).collect(), bodies: Vec::new() }
}
