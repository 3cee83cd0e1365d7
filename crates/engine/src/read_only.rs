//! A partition whose facts are damaged is looked at, and nothing else: what comes after the damage
//! is not known, so whatever was decided now might contradict it.

use lineside_core::command::{Command, Reply};
use lineside_core::id::Place;
use lineside_core::partition::Partition;
use lineside_core::stamp::Stamp;
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::engine::Stop;
use crate::request::{CallError, Request};

/// A state that nothing is added to: no owner takes it over, no time passes in it, no checkpoint is
/// made of it.
pub(crate) struct ReadOnly {
    /// As it was before the damage.
    pub(crate) partition: Partition,
    /// Where the damage stands.
    pub(crate) here: Place,
    pub(crate) clock: Clock,
    /// What is damaged, and what to do about it.
    pub(crate) why: String,
}

impl ReadOnly {
    /// Answers until a shutdown is to finish, and then those who had asked before.
    pub(crate) async fn serve(
        self,
        requests: &mut mpsc::Receiver<Request>,
        mut stop: watch::Receiver<Stop>,
    ) {
        loop {
            let finish = async { stop.wait_for(|stop| *stop == Stop::Finish).await.is_ok() };
            tokio::select! {
                biased;
                Some(request) = requests.recv() => self.answer(request),
                _ = finish => break,
            }
        }
        while let Ok(request) = requests.try_recv() {
            self.answer(request);
        }
    }

    /// A caller who has gone is told nothing.
    fn answer(&self, request: Request) {
        match request {
            Request::Call { command, reply } => drop(reply.send(self.look(&command))),
            Request::Advance { reply, .. } => drop(reply.send(Err(self.refusal()))),
        }
    }

    /// The answer, if it is one that only looks.
    ///
    /// A settlement is refused even if it would change nothing here: that a message is gone, or
    /// that its lease has ended, may not be so any more behind the damage, and who hears "deleted"
    /// never asks again.
    fn look(&self, command: &Command) -> Result<Reply, CallError> {
        let verdict = self.partition.decide(self.now(), self.here, command);
        let decides = command.settles() || !verdict.facts.is_empty();
        match verdict.answer {
            _ if decides => Err(self.refusal()),
            Ok(reply) if reply.is_nothing_yet() => Err(self.refusal()),
            answer => answer.map_err(CallError::Refused),
        }
    }

    fn now(&self) -> Stamp {
        let header = self.partition.header();
        (self.clock.now().stamp + header.offset).max(header.last)
    }

    fn refusal(&self) -> CallError {
        CallError::ReadOnly(self.why.clone())
    }
}
