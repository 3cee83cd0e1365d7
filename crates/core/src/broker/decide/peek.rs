//! Looking at messages without taking them.

use super::{Here, Outcome, says};
use crate::broker::command::SubQueue;
use crate::broker::queue::BrokerQueue;
use crate::broker::refusal::BrokerRefusal;
use crate::broker::reply::{BrokerMessage, BrokerReply};
use crate::id::{Label, Seq};

impl BrokerQueue {
    /// What is there is shown as it is there: also what has expired and was not noticed yet, as
    /// Service Bus documents for its message browsing.
    pub(super) fn peek(
        &self,
        here: Here<'_>,
        sub: SubQueue,
        from: Seq,
        max: usize,
        session: Option<&Label>,
    ) -> Outcome {
        let max = max.min(here.now.limits.receive_scan_max);
        let (shelf, at) = (self.shelf(sub), here.now.at);
        let seen: Vec<BrokerMessage> = match session {
            None => shelf.from(from).take(max).map(|(seq, m)| shelf.view(seq, m, at)).collect(),
            Some(label) => {
                let sessions = shelf.sessions().ok_or(BrokerRefusal::NoSessionsHere)?;
                let session = sessions.get(label);
                let seqs = session.map(|session| session.from(from, max)).unwrap_or_default();
                let found = seqs.into_iter().filter_map(|seq| Some((seq, shelf.get(seq)?)));
                found.map(|(seq, message)| shelf.view(seq, message, at)).collect()
            }
        };
        Ok(says(BrokerReply::Peeked(seen)))
    }
}
