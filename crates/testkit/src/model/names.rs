//! The rules about queues as such: creating, changing, deleting, listing, describing.

use std::collections::BTreeSet;

use lineside_core::broker::{BrokerCommand, BrokerRefusal, BrokerSettings};
use lineside_core::command::{Command, Description, Reply};
use lineside_core::fact::Fact;
use lineside_core::id::{Label, Name, QueueId, Text};
use lineside_core::parts::{DeadLetterRule, Texts};
use lineside_core::queue::{DeadLetterSources, QueueKind, QueueSettings, Scope, SettingsPatch};
use lineside_core::refusal::{QueueRefusal, Refusal, Setting};
use lineside_core::stamp::{Millis, Stamp};

use super::looks::set_tags;
use super::moves;
use super::polled::{Ask, Message, Polled, Target};
use super::session::Broker;
use super::{Answer, Check, Decided, Model, Moment, Queue, ensure, expect};

impl Model {
    /// Commands about queues, not messages.
    pub(super) fn about_queues(&mut self, now: Moment, decided: Decided<'_>) -> Check {
        let answer = decided.answer;
        match decided.command {
            Command::ListQueues { prefix, after, limit } => {
                expect(answer, &self.listed(prefix, after.as_ref(), *limit))
            }
            Command::CreateQueue { name, kind, given, tags } => {
                self.create(now, (name, *kind, given), tags, answer)
            }
            Command::ChangeQueue { name, patch, only_if } => {
                self.change(now, name, (patch, only_if.as_ref()), answer)
            }
            Command::DeleteQueue { name } => self.delete_queue(now.at, name, answer),
            Command::PurgeQueue { name } => self.purge(now.at, name, answer),
            Command::DescribeQueue { name } => {
                let described = self.polled(name).map(|(_, polled)| polled.described(now.at));
                let reply = described.map(|d| Reply::Description(Box::new(d)));
                expect(answer, &reply.ok_or_else(|| missing(name)))
            }
            Command::FindQueue { name } => {
                let found = self.polled(name).map(|(queue, _)| Reply::Queue { queue });
                expect(answer, &found.ok_or_else(|| missing(name)))
            }
            _ => Ok(()),
        }
    }

    fn listed(&self, prefix: &Name, after: Option<&Name>, limit: usize) -> Answer {
        let mut names: Vec<Name> = self.names.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names.retain(|name| name.as_str().starts_with(prefix.as_str()));
        names.retain(|name| after.is_none_or(|after| name > after));
        let limit = limit.min(self.limits.list_names_max);
        let more = names.len() > limit;
        names.truncate(limit);
        Ok(Reply::Names { names, more })
    }

    fn create(
        &mut self,
        now: Moment,
        (name, kind, given): (&Name, QueueKind, &SettingsPatch),
        tags: &[(Label, Text)],
        answer: &Answer,
    ) -> Check {
        if self.find(name).is_some() {
            return self.create_again((name, kind, given), answer);
        }
        let mut objections = self.objections((name, kind), &defaults(), given);
        let mut tagged = Vec::new();
        set_tags(&mut tagged, tags);
        let limit = self.limits.tags_max;
        if tagged.len() > limit {
            objections.push(QueueRefusal::TooManyTags { limit });
        }
        let pause = self.limits.recreate_pause;
        let given_up = self.given_up.iter().find(|(known, _)| known == name);
        if given_up.is_some_and(|(_, then)| *then + pause > now.at) {
            objections.push(QueueRefusal::DeletedRecently { pause });
        }
        if is_refused(answer, &objections)? {
            return Ok(());
        }
        let queue = QueueId(self.last_queue + 1);
        expect(answer, &Ok(Reply::Queue { queue }))?;
        let settings = patched(defaults(), given);
        let created = Polled::created(now.at, name.clone(), kind, settings);
        let polled = Polled { tags: in_order(tagged), ..created };
        self.add(name, Queue::Polled(Box::new(polled)));
        Ok(())
    }

    /// Creating what is there finds it, unless something that is asked for differs.
    fn create_again(
        &self,
        (name, kind, given): (&Name, QueueKind, &SettingsPatch),
        answer: &Answer,
    ) -> Check {
        let mut objections = Vec::new();
        let mut object = |setting| {
            objections.push(QueueRefusal::ExistsOtherwise { name: name.clone(), setting });
        };
        let Some((queue, polled)) = self.polled(name) else {
            object(Setting::Kind);
            return is_refused(answer, &objections).map(drop);
        };
        differing(given, &polled.settings).into_iter().for_each(&mut object);
        if polled.kind != kind {
            object(Setting::Kind);
        }
        if is_refused(answer, &objections)? {
            return Ok(());
        }
        expect(answer, &Ok(Reply::Queue { queue }))
    }

    /// Why these settings cannot be given to a queue of this kind.
    fn objections(
        &self,
        (source, kind): (&Name, QueueKind),
        before: &QueueSettings,
        given: &SettingsPatch,
    ) -> Vec<QueueRefusal> {
        let mut objections = self.objections_to_values(kind, &patched(before.clone(), given));
        let of_fifo = [
            (given.content_dedup.is_some(), Setting::ContentDedup),
            (given.dedup_scope.is_some(), Setting::DedupScope),
            (given.throughput.is_some(), Setting::Throughput),
        ];
        for (_, setting) in of_fifo.into_iter().filter(|(is_given, _)| *is_given) {
            if kind == QueueKind::Standard {
                objections.push(QueueRefusal::FifoSettingOnStandard { setting });
            }
        }
        if let Some(Some(DeadLetterRule { target: name, .. })) = &given.dead_letter {
            let name = name.clone();
            match self.polled(&name) {
                None => objections.push(QueueRefusal::DeadLetterTargetMissing { name }),
                Some((_, target)) if target.kind != kind => {
                    objections.push(QueueRefusal::DeadLetterTargetKind { name });
                }
                Some((_, target)) if !takes_from(&target.settings.sources, source) => {
                    objections.push(QueueRefusal::DeadLetterTargetForbids { name });
                }
                Some(_) => {}
            }
        }
        objections
    }

    /// What is wrong with settings whatever they were before.
    fn objections_to_values(&self, kind: QueueKind, settings: &QueueSettings) -> Vec<QueueRefusal> {
        let mut objections = Vec::new();
        let limit = self.limits.dead_letter_sources_max;
        if matches!(&settings.sources, DeadLetterSources::Only(names) if names.len() > limit) {
            objections.push(QueueRefusal::TooManySources { limit });
        }
        let notes = settings.notes.iter();
        let bytes: usize = notes.map(|(key, text)| key.as_str().len() + text.as_str().len()).sum();
        let limit = self.limits.notes_bytes_max;
        if bytes > limit {
            objections.push(QueueRefusal::NotesTooLong { limit });
        }
        let scopes = (settings.dedup_scope, settings.throughput);
        if kind == QueueKind::Fifo && scopes == (Scope::Queue, Scope::Group) {
            objections.push(QueueRefusal::ThroughputNeedsGroupScope);
        }
        objections
    }

    pub(super) fn add(&mut self, name: &Name, queue: Queue) {
        self.last_queue += 1;
        self.given_up.retain(|(known, _)| known != name);
        self.names.push((name.clone(), QueueId(self.last_queue)));
        self.queues.insert(QueueId(self.last_queue), queue);
    }

    fn change(
        &mut self,
        now: Moment,
        name: &Name,
        (patch, only_if): (&SettingsPatch, Option<&(Label, Option<Text>)>),
        answer: &Answer,
    ) -> Check {
        let Some((queue, polled)) = self.polled(name) else {
            return expect(answer, &Err(missing(name)));
        };
        if let Some((key, text)) = only_if
            && polled.settings.notes.get(key) != text.as_ref()
        {
            return expect(answer, &Err(QueueRefusal::Changed { name: name.clone() }.into()));
        }
        if is_refused(answer, &self.objections((name, polled.kind), &polled.settings, patch))? {
            return Ok(());
        }
        if let Some(Queue::Polled(polled)) = self.queues.get_mut(&queue) {
            polled.settings = patched(polled.settings.clone(), patch);
            polled.modified_at = now.at;
        }
        expect(answer, &Ok(Reply::Done))
    }

    fn delete_queue(&mut self, at: Stamp, name: &Name, answer: &Answer) -> Check {
        let Some((queue, _)) = self.polled(name) else {
            return expect(answer, &Err(missing(name)));
        };
        self.remove(at, (queue, name));
        expect(answer, &Ok(Reply::Done))
    }

    /// It is gone, and its name is given up.
    pub(super) fn remove(&mut self, at: Stamp, (queue, name): (QueueId, &Name)) {
        self.names.retain(|(_, id)| *id != queue);
        self.queues.remove(&queue);
        self.given_up.retain(|(known, _)| known != name);
        self.given_up.push((name.clone(), at));
    }

    fn purge(&mut self, at: Stamp, name: &Name, answer: &Answer) -> Check {
        let (found, pause) = (self.polled(name).map(|(queue, _)| queue), self.limits.purge_pause);
        match found.and_then(|queue| self.queues.get_mut(&queue)) {
            Some(Queue::Polled(polled)) => {
                if polled.purged_at.is_some_and(|then| then + pause > at) {
                    let refusal = QueueRefusal::PurgedRecently { name: name.clone(), pause };
                    return expect(answer, &Err(refusal.into()));
                }
                polled.purged_at = Some(at);
                polled.messages.clear();
                expect(answer, &Ok(Reply::Done))
            }
            _ => expect(answer, &Err(missing(name))),
        }
    }

    /// The other side of a queue's dead-letter rule, if it is there, another queue, and of the same
    /// kind.
    pub(super) fn dead_letter_target(&self, id: QueueId, polled: &Polled) -> Option<Target> {
        let rule = polled.settings.dead_letter.as_ref()?;
        let (queue, target) = self.polled(&rule.target)?;
        let fits = queue != id && target.kind == polled.kind;
        fits.then_some(Target { queue, last: target.last, receives_max: rule.receives_max })
    }

    /// Commands about messages of polled queues.
    pub(super) fn about_messages(&mut self, now: Moment, decided: Decided<'_>) -> Check {
        let (Command::Send { queue: name, .. }
        | Command::Receive { queue: name, .. }
        | Command::Delete { queue: name, .. }
        | Command::ChangeLease { queue: name, .. }) = decided.command
        else {
            return Ok(());
        };
        let Some((queue, polled)) = self.polled(name) else {
            return expect(decided.answer, &Err(missing(name)));
        };
        let target = self.dead_letter_target(queue, polled);
        let (id, epoch) = (self.id_at(now.here), self.epoch);
        let ask = Ask { now, queue, id, epoch, limits: &self.limits, target };
        let Some(Queue::Polled(polled)) = self.queues.get_mut(&queue) else { return Ok(()) };
        let moved = polled.decided(&ask, decided)?;
        if moved.is_empty() {
            return Ok(());
        }
        let target = target.and_then(|target| self.queues.get_mut(&target.queue));
        let Some(Queue::Polled(target)) = target else { return Ok(()) };
        moved.into_iter().for_each(|message| target.push(message));
        Ok(())
    }

    /// Commands to broker queues.
    pub(super) fn broker(
        &mut self,
        now: Moment,
        command: &BrokerCommand,
        answer: &Answer,
    ) -> Check {
        match command {
            BrokerCommand::Create { name, settings } => self.create_broker(name, settings, answer),
            BrokerCommand::To { queue: name, operation } => {
                let (id, epoch) = (self.id_at(now.here), self.epoch);
                let found = self.find(name);
                match found.and_then(|queue| Some((queue, self.queues.get_mut(&queue)?))) {
                    Some((queue, Queue::Broker(broker))) => {
                        let limits = &self.limits;
                        let told = Some(answer);
                        let ask = super::session::Ask { now, queue, id, epoch, limits, told };
                        let expected = broker.perform(ask, operation);
                        expect(answer, &expected.map(Reply::Broker).map_err(Refusal::Broker))
                    }
                    _ => {
                        let refusal = BrokerRefusal::Missing { name: name.clone() };
                        expect(answer, &Err(refusal.into()))
                    }
                }
            }
        }
    }

    fn create_broker(&mut self, name: &Name, settings: &BrokerSettings, answer: &Answer) -> Check {
        if self.find(name).is_some() {
            let refusal = BrokerRefusal::Exists { name: name.clone() };
            return expect(answer, &Err(refusal.into()));
        }
        expect(answer, &Ok(Reply::Queue { queue: QueueId(self.last_queue + 1) }))?;
        self.add(name, Queue::Broker(Box::new(Broker::created(settings.clone()))));
        Ok(())
    }
}

/// The documented defaults (SQS API reference, CreateQueue).
pub(super) fn defaults() -> QueueSettings {
    QueueSettings {
        visibility: Millis(30_000),
        delay: Millis(0),
        retention: Millis(345_600_000),
        message_bytes_max: 1_048_576,
        receive_wait: Millis(0),
        dead_letter: None,
        content_dedup: false,
        dedup_scope: Scope::Queue,
        throughput: Scope::Queue,
        sources: DeadLetterSources::All,
        notes: Texts::default(),
    }
}

/// The others take their places.
fn in_order(mut tags: Vec<(Label, Text)>) -> Vec<(Label, Text)> {
    tags.sort_by(|(one, _), (two, _)| one.cmp(two));
    tags
}

fn takes_from(sources: &DeadLetterSources, source: &Name) -> bool {
    match sources {
        DeadLetterSources::All => true,
        DeadLetterSources::None => false,
        DeadLetterSources::Only(names) => names.iter().any(|name| name == source),
    }
}

/// Notes with what is given set, and taken out where nothing is given, one after another.
fn noted(was: &Texts, given: &[(Label, Option<Text>)]) -> Texts {
    let mut notes: Vec<(Label, Text)> =
        was.iter().map(|(key, text)| (key.clone(), text.clone())).collect();
    for (key, text) in given {
        notes.retain(|(known, _)| known != key);
        notes.extend(text.clone().map(|text| (key.clone(), text)));
    }
    notes.into_iter().collect()
}

/// What is given replaces what was, and the rest stays.
fn patched(was: QueueSettings, given: &SettingsPatch) -> QueueSettings {
    QueueSettings {
        visibility: given.visibility.unwrap_or(was.visibility),
        delay: given.delay.unwrap_or(was.delay),
        retention: given.retention.unwrap_or(was.retention),
        message_bytes_max: given.message_bytes_max.unwrap_or(was.message_bytes_max),
        receive_wait: given.receive_wait.unwrap_or(was.receive_wait),
        dead_letter: given.dead_letter.clone().unwrap_or(was.dead_letter),
        content_dedup: given.content_dedup.unwrap_or(was.content_dedup),
        dedup_scope: given.dedup_scope.unwrap_or(was.dedup_scope),
        throughput: given.throughput.unwrap_or(was.throughput),
        sources: given.sources.clone().unwrap_or(was.sources),
        notes: noted(&was.notes, &given.notes),
    }
}

pub(super) fn missing(name: &Name) -> Refusal {
    QueueRefusal::Missing { name: name.clone() }.into()
}

/// With objections the answer must be one of them; says whether it is.
pub(super) fn is_refused(answer: &Answer, objections: &[QueueRefusal]) -> Check<bool> {
    if objections.is_empty() {
        return Ok(false);
    }
    let refused = match answer {
        Err(Refusal::Queue(refusal)) => objections.contains(refusal),
        _ => false,
    };
    ensure!(refused, "the answer is\n  {answer:?}\nand should be one of\n  {objections:?}");
    Ok(true)
}

fn differing(given: &SettingsPatch, has: &QueueSettings) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut compare = |setting, differs: Option<bool>| {
        if differs == Some(true) {
            settings.push(setting);
        }
    };
    compare(Setting::Visibility, given.visibility.map(|v| v != has.visibility));
    compare(Setting::Delay, given.delay.map(|v| v != has.delay));
    compare(Setting::Retention, given.retention.map(|v| v != has.retention));
    let bytes_max = given.message_bytes_max.map(|v| v != has.message_bytes_max);
    compare(Setting::MessageBytesMax, bytes_max);
    compare(Setting::ReceiveWait, given.receive_wait.map(|v| v != has.receive_wait));
    compare(Setting::DeadLetter, given.dead_letter.as_ref().map(|v| *v != has.dead_letter));
    compare(Setting::ContentDedup, given.content_dedup.map(|v| v != has.content_dedup));
    compare(Setting::DedupScope, given.dedup_scope.map(|v| v != has.dedup_scope));
    compare(Setting::Throughput, given.throughput.map(|v| v != has.throughput));
    compare(Setting::DeadLetterSources, given.sources.as_ref().map(|v| *v != has.sources));
    let notes = noted(&has.notes, &given.notes);
    for (key, _) in &given.notes {
        compare(Setting::Note(key.clone()), Some(notes.get(key) != has.notes.get(key)));
    }
    settings
}

impl Polled {
    /// A queue as it comes to be.
    pub(super) fn created(
        at: Stamp,
        name: Name,
        kind: QueueKind,
        settings: QueueSettings,
    ) -> Polled {
        Polled {
            name,
            kind,
            settings,
            created_at: at,
            modified_at: at,
            purged_at: None,
            tags: Vec::new(),
            tasks: Vec::new(),
            last: 0,
            messages: Vec::new(),
            known: Vec::new(),
            attempts: Vec::new(),
            served: BTreeSet::new(),
            spent_at: None,
        }
    }

    pub(super) fn described(&self, at: Stamp) -> Description {
        let in_flight = self.messages.iter().filter(|message| message.is_leased(at)).count();
        let delayed = self
            .messages
            .iter()
            .filter(|message| !message.is_leased(at) && self.shown_from(message) > at);
        let delayed = delayed.count();
        Description {
            kind: self.kind,
            settings: self.settings.clone(),
            created_at: self.created_at,
            modified_at: self.modified_at,
            visible: self.messages.len() - in_flight - delayed,
            in_flight,
            delayed,
        }
    }

    /// Messages that have outlived the retention.
    pub(super) fn due(&self, at: Stamp) -> usize {
        self.messages.iter().filter(|message| self.is_expired(message, at)).count()
    }

    /// Only such are gone as are due, and `all` of these or not.
    pub(super) fn ticked(&mut self, at: Stamp, facts: &[&Fact], all: bool) -> Check {
        let due = self.due(at);
        let before = self.messages.len();
        for fact in facts.iter().filter(|fact| moves::source_of(fact).is_none()) {
            let Fact::Expired(expired) = fact else {
                return Err(super::Violation(format!("time cannot bring {fact:?}")));
            };
            let through = (expired.sent_at, expired.seq);
            let is_gone = |m: &Message| (m.sent_at, m.seq) <= through;
            let early = self.messages.iter().find(|m| is_gone(m) && !self.is_expired(m, at));
            ensure!(early.is_none(), "{early:?} expired before its time");
            self.messages.retain(|message| !is_gone(message));
        }
        let gone = before - self.messages.len();
        ensure!(gone == due || !all, "of {due} due messages {gone} are gone, by {facts:?}");
        Ok(())
    }
}
