//! Polled queues: standard and FIFO, behind one door.

mod dedup_key;
mod fifo;
mod look;
mod message;
mod moves;
mod park;
mod pick;
mod settings;
mod snapshot;
mod standard;
mod tenants;

#[cfg(test)]
pub(crate) mod looked_at;
#[cfg(test)]
mod tests;

pub use moves::{MoveFailure, MoveStatus, MoveTask};
pub use settings::{DeadLetterSources, QueueKind, QueueSettings, Scope, SettingsPatch};

pub(crate) use moves::{Destination, Destinations};
pub(crate) use pick::DeadLetterTarget;
pub(crate) use snapshot::{QueueMain, QueueSnapshot};

use crate::command::{Command, Description, NewDedup, NewMessage, Reply};
use crate::decision::{Decision, Moment};
use crate::fact::{
    DeadLettered, DedupMark, Expired, Fact, Facts, LeaseChanged, Leased, Moved, QueueChanged,
    QueueCreated, QueuePurged, QueueTagged, Sent,
};
use crate::id::{Label, Name, Place, QueueId, Seq, Text};
use crate::limits::Limits;
use crate::parts::{INDEX_ENTRY_BYTES, Texts, Timeline, Weigh, piece};
use crate::receipt::Receipt;
use crate::refusal::{QueueRefusal, Setting};
use crate::stamp::{Millis, Stamp};
use dedup_key::DedupKey;
use fifo::FifoQueue;
use look::Shows;
use message::{Message, Standing};
use moves::Moves;
use pick::Ask;
use standard::StandardQueue;

/// A polled queue: what both kinds have, and the kind's own messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    name: Name,
    settings: QueueSettings,
    created_at: Stamp,
    modified_at: Stamp,
    purged_at: Option<Stamp>,
    tags: Texts,
    /// The last moves out of it, if there ever was one.
    moves: Option<Box<Moves>>,
    store: Store,
}

#[derive(Clone, Debug, PartialEq)]
enum Store {
    Standard(StandardQueue),
    /// Boxed, since it is larger.
    Fifo(Box<FifoQueue>),
}

/// Bytes of an idle queue without its name.
const OWN_BYTES: u64 = 510;
/// Bytes of the last moves out of a queue, if there ever was one.
const MOVES_BYTES: u64 = 1024;

#[derive(Debug, PartialEq)]
struct Counts {
    visible: usize,
    in_flight: usize,
    delayed: usize,
}

impl Queue {
    /// The queue as it comes to be.
    pub fn created(at: Stamp, fact: &QueueCreated) -> Queue {
        let store = match fact.kind {
            QueueKind::Standard => Store::Standard(StandardQueue::default()),
            QueueKind::Fifo => Store::Fifo(Box::default()),
        };
        Queue {
            name: fact.name.clone(),
            settings: fact.settings.clone(),
            created_at: at,
            modified_at: at,
            purged_at: None,
            tags: Texts::of_list(fact.tags.clone()),
            moves: None,
            store,
        }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Bytes that it takes in memory, about. Its own part is what 100,000 idle queues take, each
    /// with its entries among names and resources; texts that somebody gave it are bounded and few.
    pub(crate) fn bytes(&self) -> u64 {
        let store = match &self.store {
            Store::Standard(store) => store.bytes(),
            Store::Fifo(store) => store.bytes(),
        };
        let texts = self.tags.bytes().saturating_add(self.settings.notes.bytes()) as u64;
        let rule = self.rule_target().map_or(0, |target| INDEX_ENTRY_BYTES + target.beyond());
        let moves = self.moves.as_ref().map_or(0, |_| piece::<Moves>(1) + MOVES_BYTES);
        OWN_BYTES + self.name.beyond() + texts + rule + moves + store
    }

    /// Its settings.
    pub fn settings(&self) -> &QueueSettings {
        &self.settings
    }

    /// The queue that its dead-letter rule names.
    pub(crate) fn rule_target(&self) -> Option<&Name> {
        self.settings.dead_letter.as_ref().map(|rule| &rule.target)
    }

    /// Standard or FIFO.
    pub fn kind(&self) -> QueueKind {
        match &self.store {
            Store::Standard(_) => QueueKind::Standard,
            Store::Fifo(_) => QueueKind::Fifo,
        }
    }

    /// The number that the next message gets.
    pub fn next_seq(&self) -> Seq {
        match &self.store {
            Store::Standard(queue) => queue.next_seq(),
            Store::Fifo(queue) => queue.next_seq(),
        }
    }

    /// Decides a command to this queue; `target` is the other side of its dead-letter rule.
    pub(crate) fn decide(
        &self,
        now: &Moment<'_>,
        queue: QueueId,
        command: &Command,
        target: Option<DeadLetterTarget>,
    ) -> Decision {
        match command {
            Command::Send { message, .. } => self.send(now, queue, message),
            Command::Receive { max, visibility, attempt, alone, .. } => {
                let wanted = (*max, *visibility, attempt.as_ref(), *alone);
                self.receive(now, queue, wanted, target)
            }
            Command::Delete { receipt, .. } => self.delete(now, queue, receipt),
            Command::ChangeLease { receipt, timeout, .. } => {
                self.change_lease(now, queue, receipt, *timeout)
            }
            Command::PurgeQueue { .. } => self.purge(now, queue),
            Command::DescribeQueue { .. } => self.describe(now),
            Command::TagQueue { tags, .. } => self.tag(now, queue, tags),
            Command::UntagQueue { keys, .. } => self.untag(queue, keys),
            Command::ListTags { .. } => Decision::reply(Reply::Tags(self.tags.clone())),
            Command::ListMoves { limit, .. } => self.list_moves(*limit),
            Command::CancelMove { task, .. } => self.cancel_move(queue, *task),
            Command::Peek { from, max, in_flight, delayed, .. } => {
                let shows = Shows { in_flight: *in_flight, delayed: *delayed };
                self.peek(now, queue, (*from, *max), shows)
            }
            _ => Decision::reply(Reply::Queue { queue }),
        }
    }

    fn send(&self, now: &Moment<'_>, queue: QueueId, message: &NewMessage) -> Decision {
        let limit = self.settings.message_bytes_max;
        if message.size > limit {
            return Decision::refuse(QueueRefusal::MessageTooLong { limit });
        }
        match &self.store {
            Store::Standard(_) if matches!(message.dedup, NewDedup::Id(_)) => {
                Decision::refuse(QueueRefusal::DedupOnStandard)
            }
            Store::Standard(_) => self.accept(now, queue, message, None),
            Store::Fifo(fifo) => match fifo.admit(now, message, self.settings.content_dedup) {
                Err(refusal) => Decision::refuse(refusal),
                Ok(mark) => match fifo.original(now.at, &self.dedup_key(message, &mark)) {
                    Some((seq, id)) => Decision::reply(Reply::Sent { id, seq, ordered: true }),
                    None => self.accept(now, queue, message, Some(mark)),
                },
            },
        }
    }

    fn dedup_key(&self, message: &NewMessage, mark: &DedupMark) -> DedupKey {
        DedupKey::new(self.settings.dedup_scope, message.group.as_ref(), &mark.key)
    }

    fn accept(
        &self,
        now: &Moment<'_>,
        queue: QueueId,
        message: &NewMessage,
        dedup: Option<DedupMark>,
    ) -> Decision {
        let (id, seq) = (now.id_of(0), self.next_seq());
        let scope = self.settings.dedup_scope;
        let sent = Sent {
            queue,
            seq,
            id,
            len: u32::try_from(message.body.len()).unwrap_or(u32::MAX),
            visible_at: now.at + message.delay.unwrap_or(self.settings.delay),
            group: message.group.clone(),
            dedup_scope: dedup.as_ref().map(|_| scope).filter(|scope| *scope != Scope::Queue),
            dedup,
        };
        let facts = Facts::one_with_body(Fact::Sent(sent), message.body.clone());
        let ordered = self.kind() == QueueKind::Fifo;
        Decision { facts, answer: Ok(Reply::Sent { id, seq, ordered }) }
    }

    fn receive(
        &self,
        now: &Moment<'_>,
        queue: QueueId,
        (max, visibility, attempt, alone): (usize, Option<Millis>, Option<&Label>, bool),
        target: Option<DeadLetterTarget>,
    ) -> Decision {
        let until = now.at + now.limits.receive_attempt_window;
        let mark = attempt.map(|key| DedupMark { key: key.clone(), until });
        let ask = Ask {
            queue,
            name: &self.name,
            ordered: self.kind() == QueueKind::Fifo,
            max: max.min(now.limits.receive_messages_max),
            visibility: visibility.unwrap_or(self.settings.visibility),
            retention: self.settings.retention,
            delay: self.settings.delay,
            dead_letter: self.settings.dead_letter.as_ref().zip(target),
            attempt: mark.as_ref(),
            alone,
        };
        match &self.store {
            Store::Standard(store) => store.receive(now, &ask),
            Store::Fifo(store) => store.receive(now, &ask),
        }
    }

    fn delete(&self, now: &Moment<'_>, queue: QueueId, receipt: &Receipt) -> Decision {
        if receipt.queue != queue {
            return Decision::refuse(QueueRefusal::ReceiptOfAnotherQueue);
        }
        match &self.store {
            Store::Standard(store) => store.delete(now, receipt),
            Store::Fifo(store) => store.delete(now, receipt),
        }
    }

    fn change_lease(
        &self,
        now: &Moment<'_>,
        queue: QueueId,
        receipt: &Receipt,
        timeout: Millis,
    ) -> Decision {
        if receipt.queue != queue {
            return Decision::refuse(QueueRefusal::ReceiptOfAnotherQueue);
        }
        match &self.store {
            Store::Standard(store) => store.change_lease(now, receipt, timeout),
            Store::Fifo(store) => store.change_lease(now, receipt, timeout),
        }
    }

    fn purge(&self, now: &Moment<'_>, queue: QueueId) -> Decision {
        let pause = now.limits.purge_pause;
        if self.purged_at.is_some_and(|purged_at| purged_at + pause > now.at) {
            return Decision::refuse(QueueRefusal::PurgedRecently {
                name: self.name.clone(),
                pause,
            });
        }
        Decision::fact(Fact::QueuePurged(QueuePurged { queue }), Reply::Done)
    }

    /// The fact that changes its settings; whether they may be so has been asked.
    pub(crate) fn change(&self, queue: QueueId, patch: &SettingsPatch) -> Decision {
        let settings = patch.onto(self.settings.clone());
        let changed = QueueChanged { queue, settings };
        Decision::fact(Fact::QueueChanged(changed), Reply::Done)
    }

    /// Tags that it has already, as they are, write nothing.
    fn tag(&self, now: &Moment<'_>, queue: QueueId, tags: &[(Label, Text)]) -> Decision {
        let limit = now.limits.tags_max;
        let after = self.tags.with(tags.iter().map(|(key, value)| (key, Some(value))));
        if after == self.tags {
            return Decision::reply(Reply::Done);
        }
        if after.len() > limit {
            return Decision::refuse(QueueRefusal::TooManyTags { limit });
        }
        let tagged = QueueTagged { queue, set: tags.to_vec(), removed: Vec::new() };
        Decision::fact(Fact::QueueTagged(tagged), Reply::Done)
    }

    fn untag(&self, queue: QueueId, keys: &[Label]) -> Decision {
        let there = keys.iter().filter(|key| self.tags.get(key).is_some());
        let removed: Vec<Label> = there.cloned().collect();
        if removed.is_empty() {
            return Decision::reply(Reply::Done);
        }
        let tagged = QueueTagged { queue, set: Vec::new(), removed };
        Decision::fact(Fact::QueueTagged(tagged), Reply::Done)
    }

    fn describe(&self, now: &Moment<'_>) -> Decision {
        let counts = self.counts(now.at, now.limits.approximate_count_max);
        Decision::reply(Reply::Description(Box::new(Description {
            kind: self.kind(),
            settings: self.settings.clone(),
            created_at: self.created_at,
            modified_at: self.modified_at,
            visible: counts.visible,
            in_flight: counts.in_flight,
            delayed: counts.delayed,
        })))
    }

    fn counts(&self, at: Stamp, max: usize) -> Counts {
        match &self.store {
            Store::Standard(store) => store.counts(at, max),
            Store::Fifo(store) => store.counts(at, self.settings.delay, max),
        }
    }

    /// What time alone has made due: at most `limit` messages outlived, and how many.
    pub(crate) fn tick(
        &self,
        now: &Moment<'_>,
        queue: QueueId,
        limit: usize,
    ) -> Option<(Fact, usize)> {
        let sent_by = now.at.0.checked_sub(self.settings.retention.0).map(Stamp)?;
        let (sent_at, seq) = self.by_age().lapsed_bound(sent_by, limit)?;
        let count = self.by_age().lapsed_count(sent_by, limit);
        Some((Fact::Expired(Expired { queue, sent_at, seq }), count))
    }

    /// When the oldest message will have outlived the retention, or messages go on to be moved.
    pub(crate) fn next_due(&self) -> Option<Stamp> {
        let outlived = self.by_age().first().map(|sent_at| sent_at + self.settings.retention);
        [outlived, self.move_due()].into_iter().flatten().min()
    }

    fn by_age(&self) -> &Timeline {
        match &self.store {
            Store::Standard(store) => store.by_age(),
            Store::Fifo(store) => store.by_age(),
        }
    }

    /// The first moment after `at` at which a receive finds something by time alone.
    pub(crate) fn next_visible(&self, at: Stamp, limits: &Limits) -> Option<Stamp> {
        match &self.store {
            Store::Standard(store) => store.next_visible(at),
            Store::Fifo(store) => store.next_visible(at, self.settings.delay, limits),
        }
    }

    pub(crate) fn changed(&mut self, at: Stamp, settings: QueueSettings) {
        self.settings = settings;
        self.modified_at = at;
    }

    /// Empties the queue at once; what it held is returned, to be freed off the loop.
    pub(crate) fn purged(&mut self, at: Stamp) -> Queue {
        let store = match &mut self.store {
            Store::Standard(store) => Store::Standard(store.emptied()),
            Store::Fifo(store) => Store::Fifo(Box::new(store.emptied())),
        };
        let emptied = Queue {
            name: self.name.clone(),
            settings: self.settings.clone(),
            created_at: self.created_at,
            modified_at: self.modified_at,
            purged_at: Some(at),
            tags: self.tags.clone(),
            moves: self.moves.clone(),
            store,
        };
        std::mem::replace(self, emptied)
    }

    pub(crate) fn sent(&mut self, at: Stamp, here: Place, fact: &Sent) {
        match &mut self.store {
            Store::Standard(store) => store.sent(at, here, fact),
            Store::Fifo(store) => store.sent(at, here, fact),
        }
    }

    pub(crate) fn leased(&mut self, at: Stamp, fact: &Leased) {
        match &mut self.store {
            Store::Standard(store) => store.leased(at, fact),
            Store::Fifo(store) => store.leased(at, fact),
        }
    }

    pub(crate) fn lease_changed(&mut self, at: Stamp, fact: &LeaseChanged) {
        match &mut self.store {
            Store::Standard(store) => store.lease_changed(at, fact),
            Store::Fifo(store) => store.lease_changed(fact),
        }
    }

    pub(crate) fn removed(&mut self, at: Stamp, seq: Seq) {
        match &mut self.store {
            Store::Standard(store) => store.remove(at, seq),
            Store::Fifo(store) => store.remove(seq),
        }
    }

    pub(crate) fn dead_letter_came(&mut self, at: Stamp, fact: &DeadLettered) {
        match &mut self.store {
            Store::Standard(store) => store.dead_letter_came(at, fact),
            Store::Fifo(store) => store.dead_letter_came(fact),
        }
    }

    pub(crate) fn tagged(&mut self, fact: &QueueTagged) {
        let removed = fact.removed.iter().map(|key| (key, None));
        let set = fact.set.iter().map(|(key, value)| (key, Some(value)));
        self.tags = self.tags.with(removed.chain(set));
    }

    /// A message came that was moved here.
    pub(crate) fn moved_here(&mut self, at: Stamp, fact: &Moved) {
        match &mut self.store {
            Store::Standard(store) => store.moved_here(at, fact),
            Store::Fifo(store) => store.moved_here(at, fact),
        }
    }

    pub(crate) fn expired(&mut self, at: Stamp, fact: &Expired) {
        match &mut self.store {
            Store::Standard(store) => store.expired(at, fact),
            Store::Fifo(store) => store.expired(fact),
        }
    }
}

impl SettingsPatch {
    /// Refuses what a queue of this kind, with these settings before, cannot have.
    pub fn fits(
        &self,
        kind: QueueKind,
        before: &QueueSettings,
        limits: &Limits,
    ) -> Result<(), QueueRefusal> {
        let fifo_only = [
            (self.content_dedup.is_some(), Setting::ContentDedup),
            (self.dedup_scope.is_some(), Setting::DedupScope),
            (self.throughput.is_some(), Setting::Throughput),
        ];
        let given = fifo_only.into_iter().find(|(is_given, _)| *is_given);
        if let (QueueKind::Standard, Some((_, setting))) = (kind, given) {
            return Err(QueueRefusal::FifoSettingOnStandard { setting });
        }
        self.onto(before.clone()).check(limits)
    }
}

impl QueueSettings {
    /// What cannot be, whatever it came from.
    fn check(&self, limits: &Limits) -> Result<(), QueueRefusal> {
        if self.sources.named() > limits.dead_letter_sources_max {
            return Err(QueueRefusal::TooManySources { limit: limits.dead_letter_sources_max });
        }
        if self.notes.bytes() > limits.notes_bytes_max {
            return Err(QueueRefusal::NotesTooLong { limit: limits.notes_bytes_max });
        }
        if self.throughput == Scope::Group && self.dedup_scope == Scope::Queue {
            return Err(QueueRefusal::ThroughputNeedsGroupScope);
        }
        Ok(())
    }
}

/// The rule of changing a lease, the same for both kinds: only a running one changes, its new
/// length counts from now, and in all it stays under the limit (SQS API reference,
/// ChangeMessageVisibility).
fn lease_until(
    now: &Moment<'_>,
    message: Option<&Message>,
    receipt: &Receipt,
    timeout: Millis,
) -> Decision {
    let Some(message) = message else { return Decision::refuse(QueueRefusal::NotChangeable) };
    match message.standing(receipt, now.at) {
        Standing::Held => {}
        Standing::Ended | Standing::Forgotten => {
            return Decision::refuse(QueueRefusal::NotInFlight);
        }
        Standing::Superseded => return Decision::refuse(QueueRefusal::NotChangeable),
    }
    let (until, limit) = (now.at + timeout, now.limits.lease_total_max);
    if message.lease().is_some_and(|lease| until.since(lease.since) > limit) {
        return Decision::refuse(QueueRefusal::LeaseTooLong { limit });
    }
    let changed = LeaseChanged { queue: receipt.queue, seq: receipt.seq, until };
    Decision::fact(Fact::LeaseChanged(changed), Reply::Done)
}

/// Whether as many leases run as may. Looks at no more ended ones than it takes to know, since a
/// full queue is asked with each receive; and where so many have ended (there was another limit
/// before), it is not worth a long turn to know how full it is.
fn is_full<const N: usize>(leased: [&Timeline; N], at: Stamp, limit: usize) -> bool {
    let all: usize = leased.iter().map(|leased| leased.len()).sum();
    let Some(spare) = all.checked_sub(limit).map(|spare| spare.min(ENDED_MAX)) else {
        return false;
    };
    leased.iter().flat_map(|leased| leased.lapsed(at)).take(spare.saturating_add(1)).count()
        <= spare
}

/// Ended leases that one receive counts.
const ENDED_MAX: usize = 10_000;
