//! What a queue's decision asks of another queue: dead-letter rules and their sources, and moves
//! from one queue to another.

use super::{Kind, Partition, Resource};
use crate::command::Reply;
use crate::decision::{Decision, Moment};
use crate::fact::{DeadLettered, Facts, Moved, QueueChanged};
use crate::id::{Label, Name, Place, Position, QueueId, Text};
use crate::queue::{
    DeadLetterTarget, Destination, Destinations, Queue, QueueKind, QueueSettings, SettingsPatch,
};
use crate::refusal::QueueRefusal;
use crate::stamp::Stamp;

/// What a change of settings may rest on.
pub(super) type OnlyIf = Option<(Label, Option<Text>)>;

/// A move that somebody asks for.
#[derive(Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) destination: Option<&'a Name>,
    pub(super) rate: Option<u32>,
}

impl Partition {
    /// The other side of a queue's dead-letter rule, if it is there and of the same kind.
    pub(super) fn target_of(&self, id: QueueId, queue: &Queue) -> Option<DeadLetterTarget> {
        let rule = queue.settings().dead_letter.as_ref()?;
        let (target_id, target, _) = self.polled(&rule.target)?;
        let fits = target_id != id && target.kind() == queue.kind();
        fits.then(|| DeadLetterTarget { queue: target_id, next_seq: target.next_seq() })
    }

    /// Whether a queue of this name and kind may be set so; and what, beside itself and the names,
    /// that was read from.
    pub(super) fn check_settings(
        &self,
        (source, kind): (&Name, QueueKind),
        before: &QueueSettings,
        patch: &SettingsPatch,
    ) -> (Result<(), QueueRefusal>, Position) {
        if let Err(refusal) = patch.fits(kind, before, &self.limits) {
            return (Err(refusal), Position::default());
        }
        let Some(name) = patch.dead_letter_target() else {
            return (Ok(()), Position::default());
        };
        let name = name.clone();
        let Some((_, target, touched)) = self.polled(&name) else {
            return (Err(QueueRefusal::DeadLetterTargetMissing { name }), Position::default());
        };
        let checked = match () {
            () if target.kind() != kind => Err(QueueRefusal::DeadLetterTargetKind { name }),
            () if !target.settings().sources.allow(source) => {
                Err(QueueRefusal::DeadLetterTargetForbids { name })
            }
            () => Ok(()),
        };
        (checked, touched)
    }

    /// Decides a change of a queue's settings.
    pub(super) fn change_queue(
        &self,
        (id, queue): (QueueId, &Queue),
        patch: &SettingsPatch,
        only_if: &OnlyIf,
    ) -> (Decision, Position) {
        let notes = &queue.settings().notes;
        if only_if.as_ref().is_some_and(|(label, text)| notes.get(label) != text.as_ref()) {
            let name = queue.name().clone();
            return (Decision::refuse(QueueRefusal::Changed { name }), Position::default());
        }
        let known_as = (queue.name(), queue.kind());
        match self.check_settings(known_as, queue.settings(), patch) {
            (Ok(()), looked_at) => (queue.change(id, patch), looked_at),
            (Err(refusal), looked_at) => {
                (Decision::refuse(refusal), looked_at.max(self.directory.touched))
            }
        }
    }

    /// The queues whose rule names this one.
    pub(super) fn list_sources(
        &self,
        target: &Name,
        after: Option<&Name>,
        limit: usize,
    ) -> (Decision, Position) {
        let limit = limit.min(self.limits.list_names_max);
        let (names, more) = self.sources.page(target, after, limit);
        (Decision::reply(Reply::Names { names, more }), self.sources.touched)
    }

    /// Decides to move messages out of a queue.
    pub(super) fn start_move(
        &self,
        now: &Moment<'_>,
        (id, queue): (QueueId, &Queue),
        wish: Wish<'_>,
    ) -> (Decision, Position) {
        let looked_at = self.sources.touched.max(self.directory.touched);
        match self.check_move((id, queue), wish) {
            Some(refusal) => (Decision::refuse(refusal), looked_at),
            None => (queue.start_move(now, id, wish.destination, wish.rate), looked_at),
        }
    }

    fn check_move(&self, (id, queue): (QueueId, &Queue), wish: Wish<'_>) -> Option<QueueRefusal> {
        let limit = self.limits.move_rate_max;
        if wish.rate.is_some_and(|rate| rate == 0 || rate > limit) {
            return Some(QueueRefusal::MoveRate { limit });
        }
        if let Some(name) = wish.destination {
            let Some((to, destination, _)) = self.polled(name) else {
                return Some(QueueRefusal::MoveDestinationMissing { name: name.clone() });
            };
            if to == id {
                return Some(QueueRefusal::MoveToItself);
            }
            if destination.kind() != queue.kind() {
                return Some(QueueRefusal::MoveDestinationKind { name: name.clone() });
            }
        }
        if !self.sources.has_any(queue.name()) {
            return Some(QueueRefusal::NotADeadLetterQueue { name: queue.name().clone() });
        }
        queue.is_moving().then_some(QueueRefusal::MoveRunning)
    }

    pub(super) fn destination(&self, name: &Name) -> Option<Destination> {
        let (queue, found, _) = self.polled(name)?;
        let (kind, next_seq, delay) = (found.kind(), found.next_seq(), found.settings().delay);
        Some(Destination { queue, kind, next_seq, delay })
    }

    /// What is due in one polled queue, and for how many messages.
    pub(super) fn tick_polled(
        &self,
        now: &Moment<'_>,
        (id, queue): (QueueId, &Queue),
        limit: usize,
        destinations: &mut Destinations<'_>,
    ) -> (Facts, usize) {
        // What is outlived goes first, so that it is never moved.
        if let Some((fact, count)) = queue.tick(now, id, limit) {
            return (Facts::one(fact), count);
        }
        let facts = queue.tick_move(now, id, limit, destinations);
        let count = facts.len();
        (facts, count)
    }

    pub(super) fn move_dead_letter(&mut self, at: Stamp, here: Place, moved: &DeadLettered) {
        self.with_polled(here, moved.from, |queue| queue.removed(at, moved.seq));
        self.with_polled(here, moved.to, |queue| queue.dead_letter_came(at, moved));
    }

    pub(super) fn move_message(&mut self, at: Stamp, here: Place, moved: &Moved) {
        self.with_polled(here, moved.from, |queue| queue.moved_away(at, moved));
        self.with_polled(here, moved.to, |queue| queue.moved_here(at, moved));
    }

    pub(super) fn evolve_settings(&mut self, at: Stamp, here: Place, changed: &QueueChanged) {
        let id = changed.queue;
        let Some(Resource { kind: Kind::Polled(queue), .. }) = self.resource(here, id) else {
            return;
        };
        let (name, before) = (queue.name().clone(), queue.rule_target().cloned());
        queue.changed(at, changed.settings.clone());
        let after = queue.rule_target().cloned();
        let place = here.position;
        self.sources.changed((&name, id), before.as_ref(), after.as_ref(), place);
    }

    /// A queue is there now, or no longer, and with it its rule.
    pub(super) fn note_rule(&mut self, here: Position, id: QueueId, kind: &Kind, is_there: bool) {
        let Kind::Polled(queue) = kind else { return };
        let rule = queue.rule_target();
        let (before, after) = if is_there { (None, rule) } else { (rule, None) };
        self.sources.changed((queue.name(), id), before, after, here);
    }
}
