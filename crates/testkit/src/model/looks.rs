//! What one can look at, by the rules: tags, the sources of dead letters, messages.

use lineside_core::command::{Command, Peeked, PeekedLease, Reply};
use lineside_core::id::{Label, Name, QueueId, Seq, Text};
use lineside_core::limits::Limits;
use lineside_core::queue::QueueKind;
use lineside_core::receipt::Receipt;
use lineside_core::refusal::QueueRefusal;
use lineside_core::stamp::Stamp;

use super::names::missing;
use super::polled::{Message, Polled};
use super::{Check, Decided, Model, Moment, Queue, expect};

impl Model {
    /// Commands about tags, sources, and looks at messages.
    pub(super) fn about_looks(&mut self, now: Moment, decided: Decided<'_>) -> Check {
        let (Command::TagQueue { name, .. }
        | Command::UntagQueue { name, .. }
        | Command::ListTags { name }
        | Command::ListSources { name, .. }
        | Command::Peek { queue: name, .. }) = decided.command
        else {
            return Ok(());
        };
        let Some((queue, polled)) = self.polled(name) else {
            return expect(decided.answer, &Err(missing(name)));
        };
        let reply = match decided.command {
            Command::ListTags { .. } => Reply::Tags(polled.tags.iter().cloned().collect()),
            Command::ListSources { after, limit, .. } => {
                let mut names = self.sources_of(name);
                names.retain(|name| after.as_ref().is_none_or(|after| name > after));
                let limit = (*limit).min(self.limits.list_names_max);
                let more = names.len() > limit;
                names.truncate(limit);
                Reply::Names { names, more }
            }
            Command::Peek { from, max, in_flight, delayed, .. } => {
                let shows = Shows { in_flight: *in_flight, delayed: *delayed };
                polled.peeked((queue, now.at), (*from, *max), shows, &self.limits)
            }
            _ => return self.change_tags(queue, decided),
        };
        expect(decided.answer, &Ok(reply))
    }

    /// The names of the queues whose rule names this one, in order.
    pub(super) fn sources_of(&self, target: &Name) -> Vec<Name> {
        let names_it = |queue: &Queue| match queue {
            Queue::Polled(polled) => {
                let rule = polled.settings.dead_letter.as_ref();
                rule.filter(|rule| rule.target == *target).map(|_| polled.name.clone())
            }
            _ => None,
        };
        let mut names: Vec<Name> = self.queues.values().filter_map(names_it).collect();
        names.sort();
        names
    }

    fn change_tags(&mut self, queue: QueueId, decided: Decided<'_>) -> Check {
        let limit = self.limits.tags_max;
        let Some(Queue::Polled(polled)) = self.queues.get_mut(&queue) else { return Ok(()) };
        let mut after = polled.tags.clone();
        match decided.command {
            Command::TagQueue { tags, .. } => set_tags(&mut after, tags),
            Command::UntagQueue { keys, .. } => after.retain(|(key, _)| !keys.contains(key)),
            _ => {}
        }
        if after.len() > limit && after.len() > polled.tags.len() {
            return expect(decided.answer, &Err(QueueRefusal::TooManyTags { limit }.into()));
        }
        polled.tags = after;
        expect(decided.answer, &Ok(Reply::Done))
    }
}

/// Sets tags one after another.
pub(super) fn set_tags(tags: &mut Vec<(Label, Text)>, given: &[(Label, Text)]) {
    for (key, value) in given {
        tags.retain(|(known, _)| known != key);
        tags.push((key.clone(), value.clone()));
    }
}

/// What a peek shows beside what waits.
#[derive(Clone, Copy)]
struct Shows {
    in_flight: bool,
    delayed: bool,
}

impl Polled {
    fn peeked(
        &self,
        (queue, at): (QueueId, Stamp),
        (from, max): (Seq, usize),
        shows: Shows,
        limits: &Limits,
    ) -> Reply {
        let max = max.min(limits.peek_messages_max);
        let (mut messages, mut next) = (Vec::new(), None);
        let behind = self.messages.iter().filter(|message| message.seq >= from);
        for (looked_at, message) in behind.enumerate() {
            if messages.len() == max || looked_at == limits.peek_scan_max {
                next = Some(message.seq);
                break;
            }
            let (leased, delayed) = (message.is_leased(at), self.shown_from(message) > at);
            let waits = !leased && !delayed;
            let shown = waits || (leased && shows.in_flight) || (!leased && shows.delayed);
            if shown && !self.is_expired(message, at) {
                messages.push(self.as_peeked(message, queue, at));
            }
        }
        Reply::Peeked { messages, next }
    }

    fn as_peeked(&self, message: &Message, queue: QueueId, at: Stamp) -> Peeked {
        let lease = message.lease.filter(|lease| lease.until > at).map(|lease| PeekedLease {
            receipt: Receipt {
                queue,
                seq: message.seq,
                epoch: lease.epoch,
                attempt: message.receives,
            },
            since: lease.since,
            until: lease.until,
        });
        let ends = [lease.map(|lease| lease.until), Some(self.shown_from(message))];
        let held_back = ends.into_iter().flatten().filter(|end| *end > at).max();
        Peeked {
            id: message.id,
            seq: message.seq,
            ordered: self.kind == QueueKind::Fifo,
            body: message.body,
            sent_at: message.sent_at,
            receives: message.receives,
            first_received_at: message.first_received_at,
            origin: message.origin.clone(),
            reason: message.reason.clone(),
            group: message.group.clone(),
            visible_at: held_back.unwrap_or(message.sent_at),
            lease,
        }
    }
}
