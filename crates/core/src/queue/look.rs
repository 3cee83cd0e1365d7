//! Messages as they stand, one after another, for those who look and do not receive.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::message::{Lease, Message};
use super::{Queue, QueueKind, Store};
use crate::command::{Peeked, PeekedLease, Reply};
use crate::decision::{Decision, Moment};
use crate::id::{Label, QueueId, Seq};
use crate::receipt::Receipt;
use crate::stamp::Stamp;

/// A message with what its kind of queue knows of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub(super) seq: Seq,
    pub(super) message: &'a Message,
    pub(super) group: Option<&'a Label>,
    /// Its delay ends then; in the past, any moment.
    pub(super) shown_from: Stamp,
}

/// Which messages a peek shows, beside those that wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shows {
    pub(super) in_flight: bool,
    pub(super) delayed: bool,
}

impl Look<'_> {
    /// The lease that runs.
    pub(super) fn lease(&self, at: Stamp) -> Option<Lease> {
        self.message.lease().filter(|lease| lease.until > at)
    }

    fn is_shown(&self, at: Stamp, shows: Shows) -> bool {
        match self.lease(at) {
            Some(_) => shows.in_flight,
            None => shows.delayed || self.shown_from <= at,
        }
    }

    fn peeked(&self, at: Stamp, queue: QueueId, ordered: bool) -> Peeked {
        let message = self.message;
        let lease = self.lease(at).map(|Lease { epoch, since, until }| {
            let receipt = Receipt { queue, seq: self.seq, epoch, attempt: message.receives };
            PeekedLease { receipt, since, until }
        });
        let delayed = Some(self.shown_from).filter(|shown_from| *shown_from > at);
        let leased = lease.map(|lease| lease.until);
        Peeked {
            id: message.id,
            seq: self.seq,
            ordered,
            body: message.body(),
            sent_at: message.sent_at,
            receives: message.receives,
            first_received_at: message.first_received_at(),
            origin: message.origin().cloned(),
            reason: message.reason().cloned(),
            group: self.group.cloned(),
            visible_at: delayed.max(leased).unwrap_or(message.sent_at),
            lease,
        }
    }
}

impl Queue {
    /// Its messages from a number on, in order.
    pub(super) fn looks(&self, from: Seq) -> Box<dyn Iterator<Item = Look<'_>> + '_> {
        match &self.store {
            Store::Standard(store) => Box::new(store.looks(from)),
            Store::Fifo(store) => Box::new(store.looks(from, self.settings.delay)),
        }
    }

    /// The first message of a FIFO queue's group behind a bound.
    pub(super) fn first_of_group(&self, group: &Label, behind: Bound<Seq>) -> Option<Seq> {
        let Store::Fifo(store) = &self.store else { return None };
        let seqs: &BTreeSet<Seq> = store.group(group)?;
        seqs.range((behind, Bound::Unbounded)).next().copied()
    }

    /// Shows messages from a number on. Those that have outlived the retention are gone, whether or
    /// not time has been noticed.
    pub(super) fn peek(
        &self,
        now: &Moment<'_>,
        queue: QueueId,
        (from, max): (Seq, usize),
        shows: Shows,
    ) -> Decision {
        let (at, ordered) = (now.at, self.kind() == QueueKind::Fifo);
        let max = max.min(now.limits.peek_messages_max);
        let (mut messages, mut next) = (Vec::new(), None);
        for (looked_at, look) in self.looks(from).enumerate() {
            if messages.len() >= max || looked_at >= now.limits.peek_scan_max {
                next = Some(look.seq);
                break;
            }
            if !look.message.is_expired(at, self.settings.retention) && look.is_shown(at, shows) {
                messages.push(look.peeked(at, queue, ordered));
            }
        }
        Decision::reply(Reply::Peeked { messages, next })
    }
}
