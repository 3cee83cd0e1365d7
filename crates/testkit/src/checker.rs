//! Holds what callers heard against the log that survived, and against the models.
//!
//! The surviving log is cut where owners took over. Each owner's decisions are told to the model in
//! their order: its answers have to be what the rules allow there, and its facts what the log holds.
//! From the first fact of an owner that is not in the log, only what its callers really heard
//! counts: it must hold although those facts never happened. A standard queue's leases are the one
//! exception, since they may be lost: they count until their owner's end, and then not.

use std::collections::{BTreeMap, BTreeSet};

use lineside_core::broker::{BrokerCommand, BrokerFact, BrokerOperation, SubQueue, WhichSession};
use lineside_core::command::{Command, NewMessage, Verdict};
use lineside_core::events::{Append, Appended, Assigned, EventBody};
use lineside_core::fact::{Batch, Fact, Facts};
use lineside_core::id::{MessageId, Name, PartitionId, Position};
use lineside_core::limits::Limits;
use lineside_core::stamp::Stamp;
use lineside_core::subscription::SubscriptionCommand;

use crate::ledger::{Call, CallId, Entry, Heard, Ledger, Tenure};
use crate::model::{Check, Decided, Model, Moment, Violation, ensure};

/// Checks everything that was written down; the model as it stands at the end.
pub fn check(
    ledger: &Ledger,
    log: &[Batch],
    partition: PartitionId,
    limits: &Limits,
) -> Check<Model> {
    let mut model = Model::new(partition, limits.clone());
    let reigns = reigns(ledger, log)?;
    check_never_served(ledger, &reigns)?;
    check_all_decided(ledger, &reigns)?;
    check_log(log)?;
    for reign in &reigns {
        model = Reading::new(ledger, log, reign)
            .check(model)
            .map_err(|violation| Violation(format!("owner {}: {}", reign.owner, violation.0)))?;
    }
    Ok(model)
}

/// Time does not go back along the log, and no message's id is another's.
fn check_log(log: &[Batch]) -> Check {
    for pair in log.windows(2) {
        let [one, two] = pair else { continue };
        ensure!(one.at <= two.at, "{:?} follows {:?} in the log", two.at, one.at);
    }
    let ids = log.iter().flat_map(|batch| &batch.facts.facts).filter_map(|fact| match fact {
        Fact::Sent(sent) => Some(sent.id),
        Fact::Broker(BrokerFact::Sent(sent)) => Some(sent.id),
        Fact::Moved(moved) => Some(moved.id),
        Fact::MoveStarted(started) => Some(started.task),
        _ => None,
    });
    let mut ids: Vec<MessageId> = ids.collect();
    ids.sort_unstable();
    let twice = ids.windows(2).find(|pair| pair.first() == pair.last());
    ensure!(twice.is_none(), "two messages have one id: {twice:?}");
    Ok(())
}

/// The part of the log that one owner wrote.
struct Reign {
    /// Its index among the tenures.
    owner: usize,
    start: usize,
    end: usize,
}

fn reigns(ledger: &Ledger, log: &[Batch]) -> Check<Vec<Reign>> {
    let opened = |(index, batch): (usize, &Batch)| match batch.facts.facts.first() {
        Some(Fact::Opened(opened)) => Some((index, (batch.at, opened.epoch))),
        _ => None,
    };
    let starts: Vec<_> = log.iter().enumerate().filter_map(opened).collect();
    ensure!(log.is_empty() || starts.first().is_some_and(|(at, _)| *at == 0), "no owner at first");
    let mut reigns = Vec::new();
    for (nth, (start, (at, epoch))) in starts.iter().enumerate() {
        // Several may have tried and never served; then it does not matter which of them it was.
        let opened = Some((*at, Position(*start as u64), *epoch));
        let claims = ledger.tenures.iter().enumerate().filter(|(_, t)| t.opened() == opened);
        let claims: Vec<(usize, &Tenure)> = claims.collect();
        let served: Vec<_> = claims.iter().filter(|(_, tenure)| tenure.served).collect();
        ensure!(served.len() <= 1, "several owners served under {epoch:?} at {start}");
        let Some((owner, _)) = served.first().copied().or(claims.last()) else {
            return Err(Violation(format!("nobody opened {epoch:?} at {start}")));
        };
        let end = starts.get(nth + 1).map_or(log.len(), |(next, _)| *next);
        reigns.push(Reign { owner: *owner, start: *start, end });
    }
    Ok(reigns)
}

/// An owner whose take-over is not in the log has decided nothing.
fn check_never_served(ledger: &Ledger, reigns: &[Reign]) -> Check {
    for (index, tenure) in ledger.tenures.iter().enumerate() {
        let reigned = reigns.iter().any(|reign| reign.owner == index);
        let decided = tenure.entries.iter().any(|entry| matches!(entry, Entry::Decided { .. }));
        ensure!(reigned || !(decided || tenure.served), "owner {index} served and never took over");
    }
    Ok(())
}

/// Nobody heard an answer that no owner of the log decided.
fn check_all_decided(ledger: &Ledger, reigns: &[Reign]) -> Check {
    let tenures = reigns.iter().filter_map(|reign| ledger.tenures.get(reign.owner));
    let decided = tenures.flat_map(|tenure| &tenure.entries).filter_map(|entry| match entry {
        Entry::Decided { call, .. } => Some(*call),
        _ => None,
    });
    let decided: BTreeSet<CallId> = decided.collect();
    for (index, call) in ledger.calls.iter().enumerate() {
        let is_answered = matches!(call.heard, Heard::Answer(_));
        let is_decided = decided.contains(&CallId(index));
        ensure!(is_decided || !is_answered, "call {index} is answered, and nobody decided it");
    }
    Ok(())
}

/// Reads one owner's entries beside its part of the log.
struct Reading<'a> {
    ledger: &'a Ledger,
    tenure: &'a Tenure,
    log: &'a [Batch],
    end: Position,
    /// The last decision of each call: the one that its caller may have heard.
    last: BTreeMap<CallId, usize>,
    /// The next fact of the log: its batch, and its index there.
    next: (usize, usize),
    /// The state that survives, from the first fact on that is not in the log.
    survivor: Option<Model>,
    /// A fact is lost that answers may not rest on.
    lost: bool,
    /// Whose decision is not the last one yet: they wait, and were last asked at that moment.
    waiting: BTreeMap<CallId, Stamp>,
}

impl<'a> Reading<'a> {
    fn new(ledger: &'a Ledger, log: &'a [Batch], reign: &Reign) -> Reading<'a> {
        let end = Position(reign.end as u64);
        static NONE: Tenure = Tenure { served: false, entries: Vec::new() };
        let tenure = ledger.tenures.get(reign.owner).unwrap_or(&NONE);
        let calls = tenure.entries.iter().enumerate();
        let calls = calls.filter_map(|(index, entry)| match entry {
            Entry::Decided { call, .. } => Some((*call, index)),
            _ => None,
        });
        let last = calls.collect();
        let next = (reign.start, 0);
        let waiting = BTreeMap::new();
        Reading { ledger, tenure, log, end, last, next, survivor: None, lost: false, waiting }
    }

    /// The model after this owner, as the next one finds it.
    fn check(mut self, mut model: Model) -> Check<Model> {
        for (index, entry) in self.tenure.entries.iter().enumerate() {
            self.entry(&mut model, index, entry).map_err(|v| self.describe(index, entry, v))?;
        }
        let rest = self.position() < self.end;
        ensure!(!rest, "the log goes on at {:?} with what nobody decided", self.next);
        Ok(self.survivor.unwrap_or(model))
    }

    fn position(&self) -> Position {
        Position(self.next.0 as u64)
    }

    fn describe(&self, index: usize, entry: &Entry, violation: Violation) -> Violation {
        let at = entry.facts().map(|(moment, _)| moment);
        let what = match entry {
            Entry::Decided { call, .. } => {
                let command = self.call(*call).map(|call| &call.command);
                format!("call {} {command:?}", call.0)
            }
            Entry::Happened { .. } => "without a command".to_owned(),
            Entry::Waiting { .. } => "at the end of a turn".to_owned(),
        };
        let Violation(text) = violation;
        Violation(format!("entry {index}, {at:?}, {what}\n{text}"))
    }

    fn call(&self, call: CallId) -> Option<&'a Call> {
        self.ledger.calls.get(call.0)
    }

    fn entry(&mut self, model: &mut Model, index: usize, entry: &Entry) -> Check {
        let is_lost = match entry.facts() {
            Some((moment, facts)) if !facts.is_empty() => self.follow(moment, facts)?,
            _ => false,
        };
        if is_lost && self.survivor.is_none() {
            self.survivor = Some(model.clone());
        }
        match entry {
            Entry::Decided { call, moment, verdict } => {
                let is_last = self.last.get(call) == Some(&index);
                let is_fair = self.in_turn((*call, is_last), moment.at, verdict);
                if !model.gives_up_early() {
                    is_fair?;
                }
                self.decided(model, (*call, is_last), *moment, verdict, is_lost)
            }
            Entry::Happened { moment, facts } => {
                self.lost |= is_lost;
                if self.lost { Ok(()) } else { model.happened(*moment, &facts.facts) }
            }
            Entry::Waiting { at, calls } if !self.lost => self.waiting(model, *at, calls),
            Entry::Waiting { .. } => Ok(()),
        }
    }

    /// Holds facts against the log; says whether they are not in it.
    fn follow(&mut self, moment: Moment, facts: &Facts) -> Check<bool> {
        let Moment { at, here } = moment;
        if here.position >= self.end {
            return Ok(true);
        }
        if here.position > self.position() {
            let length = self.log.get(self.next.0).map_or(0, |batch| batch.facts.len());
            ensure!(length == self.next.1, "facts at {:?} that nobody decided", self.next);
            self.next = (self.next.0 + 1, 0);
        }
        let (position, index) = self.next;
        let is_next = (here.position, here.index as usize) == (self.position(), index);
        ensure!(is_next, "decided for {here:?}, and the log stands at {:?}", self.next);
        let Some(batch) = self.log.get(position) else { return Ok(true) };
        let end = index + facts.len();
        let written = batch.facts.facts.get(index..end);
        ensure!(batch.at == at, "the log has {:?} at {position}", batch.at);
        ensure!(written == Some(&facts.facts), "the log has at {here:?}\n  {written:?}");
        let bodies =
            batch.facts.bodies.iter().filter(|(i, _)| (index..end).contains(&(*i as usize)));
        let decided = facts.bodies.iter().map(|(i, body)| (*i as usize + index, body));
        let same = bodies.map(|(i, body)| (*i as usize, body)).eq(decided);
        ensure!(same, "the log has other bodies at {here:?}");
        self.next = (position, end);
        if end == batch.facts.len() && self.position().next() == self.end {
            self.next = (position + 1, 0);
        }
        Ok(false)
    }

    fn decided(
        &mut self,
        model: &mut Model,
        (id, is_last): (CallId, bool),
        moment: Moment,
        verdict: &Verdict,
        is_lost: bool,
    ) -> Check {
        let Some(call) = self.call(id) else { return Ok(()) };
        let is_heard = is_last && matches!(call.heard, Heard::Answer(_));
        let facts = &verdict.facts.facts;
        if is_last && let Heard::Answer(heard) = &call.heard {
            let said = &verdict.answer;
            ensure!(heard == said, "the caller heard\n  {heard:?}\nand the owner said\n  {said:?}");
        }
        check_body(&call.command, &verdict.facts)?;
        let is_hard = facts.iter().any(|fact| !is_soft(model, fact));
        if is_lost && is_hard {
            self.lost = true;
            ensure!(!is_heard, "the caller heard\n  {:?}\nand it is lost", verdict.answer);
            return Ok(());
        }
        if self.lost && !is_heard && verdict.rests_on > self.end {
            // Decided on lost facts and never told: it does not count. But of a standard queue's
            // leases others could hear while their owner lived.
            facts.iter().for_each(|fact| model.seen_leased(moment.at, fact));
            return Ok(());
        }
        if self.lost && !is_heard && !is_lost {
            return Ok(());
        }
        let answer = &verdict.answer;
        model.decided(moment, Decided { command: &call.command, answer, facts })
    }

    /// Nobody is given anything while somebody who came before waits for the same; unless he was
    /// asked at this very moment: then he is asked again at the next.
    fn in_turn(&mut self, (id, is_last): (CallId, bool), at: Stamp, verdict: &Verdict) -> Check {
        if !is_last {
            self.waiting.insert(id, at);
            return Ok(());
        }
        self.waiting.remove(&id);
        let gives = matches!(&verdict.answer, Ok(reply) if !reply.is_nothing_yet());
        let wish = |id: CallId| self.call(id).and_then(|call| Wish::of(&call.command));
        let Some(wished) = wish(id).filter(|_| gives) else { return Ok(()) };
        let is_passed_over = |(other, asked_at): &(&CallId, &Stamp)| {
            **asked_at < at && wish(**other) == Some(wished)
        };
        let before = self.waiting.range(..id).find(is_passed_over);
        ensure!(before.is_none(), "served before {before:?}, which came before");
        Ok(())
    }

    fn waiting(&self, model: &Model, at: Stamp, calls: &[CallId]) -> Check {
        for id in calls {
            let Some(call) = self.call(*id) else { continue };
            let gives = model.gives(at, &call.command);
            ensure!(
                !gives,
                "call {} waits at {at:?} with {:?} for what is there",
                id.0,
                call.command
            );
        }
        Ok(())
    }
}

/// What somebody waits for, where others can wait for the very same.
#[derive(Clone, Copy, PartialEq)]
enum Wish<'a> {
    Polled(&'a Name),
    Plain(&'a Name, SubQueue),
    Session(&'a Name),
}

impl Wish<'_> {
    fn of(command: &Command) -> Option<Wish<'_>> {
        match command {
            Command::Receive { queue, attempt: None, .. } => Some(Wish::Polled(queue)),
            Command::Broker(BrokerCommand::To { queue, operation }) => match operation {
                BrokerOperation::Receive { sub, .. } => Some(Wish::Plain(queue, *sub)),
                BrokerOperation::AcceptSession { which: WhichSession::Next, .. } => {
                    Some(Wish::Session(queue))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// What a crash may take back although its caller was told: a standard queue's lease. Asked of the
/// model, since the engine's own word for it is what is checked here.
fn is_soft(model: &Model, fact: &Fact) -> bool {
    matches!(fact, Fact::Leased(leased) if model.is_standard(leased.queue))
}

/// A message's body is what was sent, and an event's what was appended.
fn check_body(command: &Command, facts: &Facts) -> Check {
    if let Command::Append(append) = command {
        return check_events(append, facts);
    }
    let sent: Vec<&NewMessage> = match command {
        Command::Send { message, .. } => vec![message],
        Command::Subscription(SubscriptionCommand::Advance { messages, .. }) => {
            messages.iter().collect()
        }
        _ => return Ok(()),
    };
    let bodies = facts.bodies.iter().map(|(_, body)| body);
    let expected = sent.iter().filter(|_| !facts.is_empty()).map(|message| &message.body);
    ensure!(bodies.eq(expected), "not what was sent is beside {facts:?}");
    Ok(())
}

/// Each body says what was given, and what its fact says.
fn check_events(append: &Append, facts: &Facts) -> Check {
    let events = append.events.iter().zip(&facts.facts).zip(&facts.bodies);
    ensure!(facts.facts.len() == facts.bodies.len(), "an event without a body: {facts:?}");
    for ((event, fact), (_, bytes)) in events {
        let body = EventBody::decode(bytes).map_err(|error| Violation(error.to_string()))?;
        ensure!(body.content == event.content, "not what was appended: {body:?}");
        let Assigned { store, number, stream, version, tags, correlation, index, count, .. } =
            body.assigned;
        let (kind, len) = (body.content.kind, u32::try_from(bytes.len()).unwrap_or(0));
        let said =
            Appended { store, number, stream, version, kind, tags, correlation, len, index, count };
        ensure!(*fact == Fact::Appended(said), "a body says something else than {fact:?}");
    }
    Ok(())
}
