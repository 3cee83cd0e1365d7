//! Subscriptions, by the rules: the cursor moves only from where it is, and the messages that were
//! made of the events on the way come with its step or not at all.

use lineside_core::command::{NewMessage, Reply};
use lineside_core::fact::Fact;
use lineside_core::id::{EventNumber, Name, QueueId, Seq};
use lineside_core::parts::DeadLetterRule;
use lineside_core::queue::{QueueKind, QueueSettings};
use lineside_core::refusal::Refusal;
use lineside_core::stamp::{Millis, Stamp};
use lineside_core::subscription::{
    Advanced, Feeds, SubscriptionCommand, SubscriptionDescription, SubscriptionRefusal,
    SubscriptionSettings, Workers,
};

use super::names::defaults;
use super::polled::{Ask, Message, Polled};
use super::{Answer, Check, Decided, Model, Moment, Queue, ensure, expect};

/// A subscription.
#[derive(Clone, Debug)]
pub(super) struct Follower {
    name: Name,
    settings: SubscriptionSettings,
    created_at: Stamp,
    upto: EventNumber,
    moved_at: Stamp,
    fed: u64,
}

/// A step that somebody wants a cursor to take.
#[derive(Clone, Copy)]
struct Step<'a> {
    after: EventNumber,
    upto: EventNumber,
    messages: &'a [NewMessage],
}

impl Follower {
    fn described(&self, id: QueueId) -> SubscriptionDescription {
        SubscriptionDescription {
            id,
            settings: self.settings.clone(),
            created_at: self.created_at,
            upto: self.upto,
            moved_at: self.moved_at,
            fed: self.fed,
        }
    }
}

impl Model {
    /// Commands to subscriptions.
    pub(super) fn about_subscriptions(
        &mut self,
        now: Moment,
        command: &SubscriptionCommand,
        decided: Decided<'_>,
    ) -> Check {
        let answer = decided.answer;
        if let SubscriptionCommand::Create { name, settings } = command {
            return self.subscribe(now, name, settings, answer);
        }
        let Some((id, found)) = self.follower(command.name()) else {
            let name = command.name().clone();
            return expect(answer, &no(SubscriptionRefusal::Missing { name }));
        };
        match command {
            SubscriptionCommand::Create { .. } => Ok(()),
            SubscriptionCommand::Describe { .. } => {
                let described = Box::new(found.described(id));
                expect(answer, &Ok(Reply::Subscription(described)))
            }
            SubscriptionCommand::Delete { .. } => {
                let found = found.clone();
                self.unsubscribe(now.at, id, &found);
                expect(answer, &Ok(Reply::Done))
            }
            SubscriptionCommand::Advance { after, upto, messages, .. } => {
                let (found, step) = (found.clone(), Step { after: *after, upto: *upto, messages });
                self.advance(now, (id, &found), step, decided)
            }
        }
    }

    fn follower(&self, name: &Name) -> Option<(QueueId, &Follower)> {
        let id = self.find(name)?;
        match self.queues.get(&id)? {
            Queue::Subscription(found) => Some((id, found)),
            _ => None,
        }
    }

    fn subscribe(
        &mut self,
        now: Moment,
        name: &Name,
        settings: &SubscriptionSettings,
        answer: &Answer,
    ) -> Check {
        if let Some((queue, found)) = self.follower(name)
            && found.settings == *settings
        {
            return expect(answer, &Ok(Reply::Queue { queue }));
        }
        let objections = self.objections_to_subscription(name, settings);
        if !objections.is_empty() {
            let refused = matches!(answer, Err(Refusal::Subscription(r)) if objections.contains(r));
            ensure!(refused, "the answer is\n  {answer:?}\nand should be of\n  {objections:?}");
            return Ok(());
        }
        let (at, before) = (now.at, self.last_queue);
        if let Feeds::Workers(workers) = &settings.feeds {
            for (name, settings) in own_queues(workers) {
                let polled = Polled::created(at, name.clone(), QueueKind::Fifo, settings);
                self.add(name, Queue::Polled(Box::new(polled)));
            }
        }
        let (settings, name) = (settings.clone(), name.clone());
        let upto = settings.after;
        let made =
            Follower { name: name.clone(), settings, created_at: at, upto, moved_at: at, fed: 0 };
        self.add(&name, Queue::Subscription(Box::new(made)));
        let ids = self.last_queue - before;
        expect(answer, &Ok(Reply::Queue { queue: QueueId(before + ids) }))
    }

    fn objections_to_subscription(
        &self,
        name: &Name,
        settings: &SubscriptionSettings,
    ) -> Vec<SubscriptionRefusal> {
        let mut objections = Vec::new();
        let mut names = vec![name];
        if let Feeds::Workers(workers) = &settings.feeds {
            names.extend([&workers.queue, &workers.parked]);
        }
        for name in &names {
            let wanted = names.iter().filter(|other| *other == name).count();
            if self.find(name).is_some() || wanted > 1 {
                let name = (*name).clone();
                objections.push(SubscriptionRefusal::ExistsOtherwise { name });
            }
        }
        let (items, terms) = (self.limits.query_items_max, self.limits.query_terms_max);
        if settings.query.items.len() > items || settings.query.terms() > terms {
            objections.push(SubscriptionRefusal::QueryTooLong { terms, items });
        }
        if settings.after.0 > self.numbered {
            let last = EventNumber(self.numbered);
            objections.push(SubscriptionRefusal::BeyondEnd { last });
        }
        match &settings.feeds {
            Feeds::Nothing => {}
            Feeds::Queue(queue) if self.polled(queue).is_some() => {}
            Feeds::Queue(queue) => {
                objections.push(SubscriptionRefusal::QueueMissing { name: queue.clone() });
            }
            Feeds::Workers(workers) => {
                objections.extend(objections_to_workers(workers, self.limits.lease_total_max));
            }
        }
        objections
    }

    fn unsubscribe(&mut self, at: Stamp, id: QueueId, found: &Follower) {
        if let Feeds::Workers(workers) = &found.settings.feeds {
            for name in [&workers.queue, &workers.parked] {
                if let Some((queue, _)) = self.polled(name) {
                    self.remove(at, (queue, name));
                }
            }
        }
        self.remove(at, (id, &found.name));
    }

    fn advance(
        &mut self,
        now: Moment,
        (id, found): (QueueId, &Follower),
        step: Step<'_>,
        decided: Decided<'_>,
    ) -> Check {
        if let Some(expected) = self.stands(found, step) {
            ensure!(decided.facts.is_empty(), "no step, and it brought {:?}", decided.facts);
            return expect(decided.answer, &expected);
        }
        if let Some(queue) = found.settings.feeds.queue() {
            let objections = self.objections_to_step(queue, step);
            if !objections.is_empty() {
                let refused = matches!(decided.answer, Err(Refusal::Subscription(r)) if objections.contains(r));
                ensure!(refused, "{:?} should be of {objections:?}", decided.answer);
                return Ok(());
            }
            if !self.has_room(queue, step.messages) {
                return expect(decided.answer, &Ok(Reply::Advanced { upto: None }));
            }
            self.feed(now, queue, step.messages);
        }
        let messages = u32::try_from(step.messages.len()).unwrap_or(u32::MAX);
        let advanced = Fact::Advanced(Advanced { subscription: id, upto: step.upto, messages });
        let is_last = decided.facts.last() == Some(&advanced);
        let sent = decided.facts.iter().filter(|fact| matches!(fact, Fact::Sent(_))).count();
        let fits = is_last && sent == step.messages.len() && decided.facts.len() == sent + 1;
        ensure!(fits, "a step should bring messages and {advanced:?}: {:?}", decided.facts);
        if let Some(Queue::Subscription(found)) = self.queues.get_mut(&id) {
            (found.upto, found.moved_at) = (step.upto, now.at);
            found.fed += u64::from(messages);
        }
        expect(decided.answer, &Ok(Reply::Advanced { upto: Some(step.upto) }))
    }

    /// What keeps the cursor where it is, whatever comes with the step.
    fn stands(&self, found: &Follower, step: Step<'_>) -> Option<Answer> {
        if found.upto != step.after {
            return Some(no(SubscriptionRefusal::Moved { upto: found.upto }));
        }
        if step.upto.0 > self.numbered {
            let last = EventNumber(self.numbered);
            return Some(no(SubscriptionRefusal::BeyondEnd { last }));
        }
        match found.settings.feeds.queue() {
            None if !step.messages.is_empty() => Some(no(SubscriptionRefusal::NotSo)),
            Some(name) if self.polled(name).is_none() => {
                Some(no(SubscriptionRefusal::QueueMissing { name: name.clone() }))
            }
            _ => None,
        }
    }

    fn objections_to_step(&self, queue: &Name, step: Step<'_>) -> Vec<SubscriptionRefusal> {
        let Some((_, polled)) = self.polled(queue) else { return Vec::new() };
        let mut objections = Vec::new();
        let limit = self.limits.subscription_step_max;
        if step.messages.len() > limit {
            objections.push(SubscriptionRefusal::TooManyMessages { limit });
        }
        let (after, upto) = (step.after.0, step.upto.0);
        let more = step.messages.len() as u64 > upto.saturating_sub(after);
        let lacks_group = polled.kind == QueueKind::Fifo
            && step.messages.iter().any(|message| message.group.is_none());
        if upto < after || more || lacks_group {
            objections.push(SubscriptionRefusal::NotSo);
        }
        let limit = polled.settings.message_bytes_max;
        if let Some(index) = step.messages.iter().position(|message| message.size > limit) {
            objections.push(SubscriptionRefusal::MessageTooLong { index, limit });
        }
        objections
    }

    fn has_room(&self, queue: &Name, messages: &[NewMessage]) -> bool {
        let held = self.polled(queue).map_or(0, |(_, polled)| polled.messages.len());
        messages.is_empty() || held < self.limits.subscription_window_max
    }

    fn feed(&mut self, now: Moment, queue: &Name, messages: &[NewMessage]) {
        let Some((queue, _)) = self.polled(queue) else { return };
        let (limits, epoch) = (self.limits.clone(), self.epoch);
        for (index, message) in messages.iter().enumerate() {
            let here = now.here.plus(index);
            let (id, now) = (self.id_at(here), Moment { here, ..now });
            let ask = Ask { now, queue, id, epoch, limits: &limits, target: None };
            let Some(Queue::Polled(polled)) = self.queues.get_mut(&queue) else { return };
            let seq = Seq(polled.last + 1);
            // A message of an event has no delay of its own.
            let visible_at = now.at + polled.settings.delay;
            let fresh = Message { visible_at, ..polled.fresh(&ask, message, seq) };
            polled.push(fresh);
        }
    }

    /// Whether a step that waits for room could be taken, or never will be. That the cursor moved
    /// meanwhile is told when there is room, or when patience ends.
    pub(super) fn gives_room(&self, command: &SubscriptionCommand) -> bool {
        let SubscriptionCommand::Advance { name, after, upto, messages, .. } = command else {
            return true;
        };
        let Some((_, found)) = self.follower(name) else { return false };
        let Some(queue) = found.settings.feeds.queue() else { return true };
        let step = Step { after: *after, upto: *upto, messages };
        match self.polled(queue) {
            None => true,
            Some(_) if self.stands(found, step).is_some() => false,
            Some(_) => self.has_room(queue, messages),
        }
    }
}

/// The queues of a subscription with workers: what is given up is kept for a hundred years, and so
/// is what waits.
fn own_queues(workers: &Workers) -> [(&Name, QueueSettings); 2] {
    let parked = QueueSettings { retention: Millis::seconds(100 * 366 * 86_400), ..defaults() };
    let rule = DeadLetterRule { target: workers.parked.clone(), receives_max: workers.attempts };
    let shared =
        QueueSettings { visibility: workers.lease, dead_letter: Some(rule), ..parked.clone() };
    [(&workers.parked, parked), (&workers.queue, shared)]
}

fn objections_to_workers(workers: &Workers, longest: Millis) -> Vec<SubscriptionRefusal> {
    let mut objections = Vec::new();
    let (least, most) = (1000, longest.0);
    if workers.lease.0 < least || workers.lease.0 > most {
        let what = "lease, in milliseconds";
        objections.push(SubscriptionRefusal::OutOfRange { what, least, most });
    }
    if workers.attempts < 1 || workers.attempts > 1000 {
        let (what, least, most) = ("attempts", 1, 1000);
        objections.push(SubscriptionRefusal::OutOfRange { what, least, most });
    }
    objections
}

fn no(refusal: SubscriptionRefusal) -> Answer {
    Err(Refusal::Subscription(refusal))
}
