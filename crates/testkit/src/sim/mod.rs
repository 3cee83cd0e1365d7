//! The simulation: owners of a partition over a log in memory, with callers, a clock and troubles,
//! all of it in one thread and decided by one seed.

mod checkpoints;
mod clients;
mod faults;
mod finish;
mod host;
mod journal;
pub mod kinds;
mod plan;
mod text;

pub use journal::Journal;

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use lineside_core::codec::encode_facts;
use lineside_core::command::{Command, Reply};
use lineside_core::fact::{Batch, Facts};
use lineside_core::id::{BodyRef, PartitionId};
use lineside_core::limits::Limits;
use lineside_core::stamp::{Millis, Stamp};
use lineside_engine::request::CallError;
use lineside_store::memory::MemoryLog;
use lineside_store::memory::fault::Steering;

use crate::checker;
use crate::ledger::{Call, CallId, Entry, Heard, Ledger, Sight, Tenure};
use crate::model::{Check, Moment, Violation, ensure};
use crate::rng::Rng;
use clients::{Clients, Whim};
use host::{Host, Seeing, Told};
use plan::{Plan, Weights};
use text::{CommandText, FactText, HeardText};

/// The simulated partition.
pub const PARTITION: PartitionId = PartitionId(0);

/// One run of one seed.
#[derive(Debug)]
pub struct Run {
    /// Its seed.
    pub seed: u64,
    /// Facts that its owners evolved, replays not counted.
    pub facts: u64,
    /// The trace.
    pub journal: Journal,
    /// What was written down.
    pub ledger: Ledger,
    /// The log that survived.
    pub log: Vec<Batch>,
    /// What clients could ask for.
    pub limits: Limits,
    /// Whether the world itself found something wrong.
    pub outcome: Check,
}

impl Run {
    /// Runs a seed; `readable`: its trace is kept.
    pub fn new(seed: u64, readable: bool) -> Run {
        let mut world = World::new(seed, readable);
        // A panic is a finding too, and its trace is worth reading.
        let lived = panic::catch_unwind(AssertUnwindSafe(|| world.live()));
        let outcome = lived.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        world.into_run(seed, outcome)
    }

    /// Holds everything that was written down against the log and the models.
    pub fn check(&self) -> Check {
        self.outcome.clone()?;
        checker::check(&self.ledger, &self.log, PARTITION, &self.limits).map(drop)
    }
}

/// A seed's run and its repetition, checked.
pub fn run_twice(seed: u64) -> (Run, Check) {
    let (first, second) = (Run::new(seed, false), Run::new(seed, false));
    let (one, two) = (first.journal.hash(), second.journal.hash());
    let differs =
        || Violation(format!("the first run's trace is {one:016x}, the second's {two:016x}"));
    let same = if one == two { Ok(()) } else { Err(differs()) };
    let checked = first.check().and(same);
    (first, checked)
}

fn panicked(panic: &(dyn Any + Send)) -> Violation {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Violation(format!("a panic: {}", text.unwrap_or_default()))
}

struct World {
    rng: Rng,
    plan: Plan,
    steering: Steering,
    /// A connection that nobody submits to.
    root: MemoryLog,
    /// Milliseconds since the world began.
    time: u64,
    hosts: Vec<Host>,
    clients: Clients,
    ledger: Ledger,
    journal: Journal,
    /// Of the owners that have ended.
    facts: u64,
    /// The log's room is bounded for a while.
    is_tight: bool,
}

/// What the world does next.
#[derive(Clone, Copy)]
enum Step {
    Call,
    Turn,
    Log,
    Time,
    Fault,
    SteerTime,
    GoAway,
    Checkpoint,
}

impl World {
    fn new(seed: u64, readable: bool) -> World {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng);
        let (root, steering) = MemoryLog::steered();
        let clients = Clients::new(&plan);
        World {
            rng,
            plan,
            steering,
            root,
            time: 0,
            hosts: Vec::new(),
            clients,
            ledger: Ledger::default(),
            journal: Journal::new(readable),
            facts: 0,
            is_tight: false,
        }
    }

    fn live(&mut self) -> Check {
        self.start_host()?;
        self.settle_down()?;
        let openings = self.with_whim(|clients, whim| clients.openings(whim));
        self.send(0, openings);
        for _ in 0..self.plan.steps {
            if self.hosts.is_empty() {
                self.start_host()?;
            }
            if self.is_tight && self.rng.chance(3) {
                self.make_room();
            }
            self.step()?;
        }
        self.finish()
    }

    fn step(&mut self) -> Check {
        let Weights { call, turn, log, time, fault, steer_time, go_away, checkpoint } =
            self.plan.weights;
        let steps = [
            (Step::Call, call),
            (Step::Turn, turn),
            (Step::Log, log),
            (Step::Time, time),
            (Step::Fault, fault),
            (Step::SteerTime, steer_time),
            (Step::GoAway, go_away),
            (Step::Checkpoint, checkpoint),
        ];
        let index = self.rng.weighted(&steps.map(|(_, weight)| weight));
        match steps.get(index).map_or(Step::Turn, |(step, _)| *step) {
            Step::Call => self.call(),
            Step::Turn => self.turn_any()?,
            Step::Log => self.move_log()?,
            Step::Time => self.pass_time(),
            Step::Fault => self.fault()?,
            Step::SteerTime => self.steer_time(),
            Step::GoAway => self.go_away(),
            Step::Checkpoint => self.checkpoint(),
        }
        Ok(())
    }

    /// A host, mostly the newest.
    fn any_host(&mut self) -> usize {
        let last = self.hosts.len().saturating_sub(1);
        if self.rng.chance(70) { last } else { self.rng.index(self.hosts.len()) }
    }

    fn start_host(&mut self) -> Check {
        let number = self.ledger.tenures.len();
        let skew = self.rng.one(&[0, 0, 0, 40, -40, 5000, -5000], 0);
        let log = self.root.connect();
        let compared = self.rng.chance(30);
        let mut host = Host::start(log, &self.plan.limits, compared, (number, self.time, skew))?;
        host.owner.bound_state(self.plan.state_bytes_max);
        if host.from_checkpoint {
            self.journal.count("start from a checkpoint");
        }
        self.ledger.tenures.push(Tenure::default());
        self.hosts.push(host);
        self.journal.line(format_args!("{:>9} owner {number} starts", self.time));
        self.collect(self.hosts.len() - 1)
    }

    fn with_whim<T>(&mut self, make: impl FnOnce(&mut Clients, &mut Whim<'_>) -> T) -> T {
        let host = self.hosts.last();
        let at = host.map_or(Stamp(0), |host| host.owner.stamp(host.now(self.time)));
        make(&mut self.clients, &mut Whim { rng: &mut self.rng, at })
    }

    fn call(&mut self) {
        let host = self.any_host();
        let count = self.rng.between(1, self.plan.burst_max);
        let at_once = self.rng.below(100);
        self.index_for(host);
        let commands = self.with_whim(|clients, whim| match at_once {
            0 => clients.flap(whim),
            1 => clients.pull_away(whim),
            _ => (0..count).map(|_| clients.wish(whim)).collect::<Vec<Command>>(),
        });
        self.send(host, commands);
    }

    /// Whoever calls a host asks the index before, which has what is in the log.
    fn index_for(&mut self, host: usize) {
        let Some(host) = self.hosts.get(host).filter(|_| self.clients.keeps_events()) else {
            return;
        };
        let epoch = host.owner.partition().header().epoch;
        self.clients.index(&self.steering.batches(PARTITION), epoch);
    }

    /// Calls a host, if it serves.
    fn send(&mut self, index: usize, commands: Vec<Command>) {
        let Some(host) = self.hosts.get_mut(index) else { return };
        if !host.owner.is_ready() || host.stopping {
            return;
        }
        for command in commands {
            let id = CallId(self.ledger.calls.len());
            if host.call(id, command.clone()) {
                let (time, number) = (self.time, host.number);
                let text = CommandText(&command);
                self.journal.line(format_args!("{time:>9} owner {number} call {}: {text}", id.0));
                self.ledger.calls.push(Call { command, heard: Heard::Nothing });
            }
        }
    }

    fn turn_any(&mut self) -> Check {
        let index = self.any_host();
        self.turn(index)
    }

    fn turn(&mut self, index: usize) -> Check {
        let Some(host) = self.hosts.get_mut(index).filter(|host| host.owner.is_ready()) else {
            return Ok(());
        };
        if host.stopping {
            host.owner.flush(host.now(self.time));
        }
        host.turn(self.time)?;
        // Who starves does so for many turns, so that a look now and then finds it.
        let calls = if self.rng.chance(30) { host.waiting() } else { Vec::new() };
        let number = host.number;
        self.collect(index)?;
        let entries = self.ledger.tenures.get_mut(number).map(|tenure| &mut tenure.entries);
        if let Some(entries) = entries.filter(|_| !calls.is_empty()) {
            let last = entries.iter().rev().find_map(|entry| match entry {
                Entry::Happened { moment, .. } => Some(moment.at),
                _ => None,
            });
            entries.extend(last.map(|at| Entry::Waiting { at, calls }));
        }
        self.end_if_stopped(index)
    }

    /// A batch reaches the storage, or its owner hears of it, or both.
    fn move_log(&mut self) -> Check {
        let index = self.any_host();
        let Some(host) = self.hosts.get(index) else { return Ok(()) };
        let connection = host.connection();
        match self.rng.below(4) {
            0 => drop(self.steering.write(connection)),
            1 => drop(self.steering.answer(connection)),
            _ => drop(self.steering.complete(connection)),
        }
        self.poll(index)
    }

    fn poll(&mut self, index: usize) -> Check {
        let time = self.time;
        let Some(host) = self.hosts.get_mut(index) else { return Ok(()) };
        let failed = host.poll(time);
        let (number, is_ready) = (host.number, host.owner.is_ready());
        if let Some(tenure) = self.ledger.tenures.get_mut(number) {
            tenure.served |= is_ready && failed.is_none();
        }
        self.collect(index)?;
        match failed {
            Some(error) => self.end_by(index, &error),
            None => self.end_if_stopped(index),
        }
    }

    fn pass_time(&mut self) {
        let long = self.plan.long_times;
        let by = match self.rng.below(100) {
            n if n < long => self.rng.one(&[20_000, 61_000, 125_000, 300_000, 345_600_000], 0),
            n if n < 50 => self.rng.below(4),
            n if n < 65 => 100,
            n if n < 80 => self.rng.between(500, 6000),
            _ => {
                let wakes = self.hosts.iter().filter_map(Host::wake_at);
                let wake = wakes.filter(|wake| *wake > self.time).min();
                wake.map_or(1, |wake| (wake - self.time).min(60_000))
            }
        };
        self.time += by;
    }

    fn steer_time(&mut self) {
        let index = self.any_host();
        let by = Millis(self.rng.one(&[0, 700, 5000, 61_000, 400_000], 0));
        let Some(host) = self.hosts.get_mut(index) else { return };
        if host.owner.is_ready() && !host.stopping && host.steer_time(by) {
            let number = host.number;
            self.journal.line(format_args!("{:>9} owner {number} time +{by:?}", self.time));
        }
    }

    fn go_away(&mut self) {
        let index = self.any_host();
        let nth = self.rng.index(64);
        let gone = self.hosts.get_mut(index).and_then(|host| host.hang_up(nth));
        if let Some(call) = gone {
            self.journal.count("caller gone");
            self.journal.line(format_args!("{:>9} caller {} goes away", self.time, call.0));
        }
    }

    /// Writes down what a host decided and told since the last look.
    fn collect(&mut self, index: usize) -> Check {
        let Some(host) = self.hosts.get_mut(index) else { return Ok(()) };
        let number = host.number;
        let (sights, answers) = (host.sights(), host.answers());
        let advanced = host.advanced(self.time)?;
        for seeing in sights {
            self.note(number, seeing)?;
        }
        for (call, told) in answers {
            self.hear(index, call, told)?;
        }
        if let Some(now) = advanced {
            self.journal.count("time moved by request");
            self.journal.line(format_args!("{:>9} owner {number} time is {}", self.time, now.0));
        }
        Ok(())
    }

    fn note(&mut self, number: usize, Seeing { call, waited, sight }: Seeing) -> Check {
        let entry = match (sight, call) {
            (Sight::Happened { moment, facts }, _) => Entry::Happened { moment, facts },
            (Sight::Decided { moment, verdict, .. }, Some(call)) => {
                let nothing = matches!(&verdict.answer, Ok(reply) if reply.is_nothing_yet());
                if waited && !nothing {
                    self.journal.count("long poll answered");
                }
                Entry::Decided { call, moment, verdict }
            }
            (Sight::Decided { moment, .. }, None) => {
                return Err(Violation(format!("decided at {moment:?} for nobody")));
            }
        };
        let is_newer = |host: &Host| host.number > number && host.owner.is_ready();
        if call.is_some() && self.hosts.iter().any(is_newer) {
            self.journal.count("decided by a fenced owner");
        }
        if let Some((moment, facts)) = entry.facts() {
            self.note_facts(number, moment, facts);
        }
        if let Some(tenure) = self.ledger.tenures.get_mut(number) {
            tenure.entries.push(entry);
        }
        Ok(())
    }

    fn note_facts(&mut self, number: usize, Moment { at, here }: Moment, facts: &Facts) {
        for (nth, fact) in facts.facts.iter().enumerate() {
            let place = here.plus(nth);
            let (position, index, at) = (place.position.0, place.index, at.0);
            let (time, text) = (self.time, FactText(fact));
            self.journal.count(kinds::fact(fact));
            self.journal
                .line(format_args!("{time:>9} owner {number} @{position}.{index} at {at}: {text}"));
        }
    }

    fn hear(&mut self, index: usize, id: CallId, told: Option<Told>) -> Check {
        let heard = match told {
            Some(Ok(reply)) => Heard::Answer(Ok(reply)),
            Some(Err(CallError::Refused(refusal))) => Heard::Answer(Err(refusal)),
            Some(Err(CallError::Full)) => Heard::Full,
            Some(Err(CallError::Budget)) => Heard::Budget,
            Some(Err(CallError::ReadOnly(why))) => {
                return Err(Violation(format!("nothing is damaged here: {why}")));
            }
            Some(Err(CallError::Throttled | CallError::Unavailable(_))) | None => Heard::Unknown,
        };
        let text = HeardText(&heard);
        self.journal.line(format_args!("{:>9} caller {} hears {text}", self.time, id.0));
        match &heard {
            Heard::Answer(Err(refusal)) => self.journal.count(kinds::refusal(refusal)),
            Heard::Full => self.journal.count("log full"),
            Heard::Budget => self.journal.count("state at its budget"),
            _ => {}
        }
        let Some(call) = self.ledger.calls.get_mut(id.0) else { return Ok(()) };
        if let Heard::Answer(answer) = &heard {
            self.clients.learn(&call.command, answer);
        }
        let has_room = !call.command.grows() && matches!(heard, Heard::Full | Heard::Budget);
        ensure!(!has_room, "no room for {:?}, which needs none", call.command);
        call.heard = heard;
        let bodies = match &call.heard {
            Heard::Answer(Ok(reply)) => bodies_of(reply),
            _ => Vec::new(),
        };
        self.read_bodies(index, &bodies)
    }

    /// A body that an answer names can be read by the time that it is told.
    fn read_bodies(&self, index: usize, bodies: &[BodyRef]) -> Check {
        use futures::FutureExt;
        use lineside_engine::log::Log;
        let Some(host) = self.hosts.get(index) else { return Ok(()) };
        for body in bodies {
            let read = host.log.body(PARTITION, *body).now_or_never();
            let len = read.as_ref().and_then(|read| read.as_ref().ok()).map(bytes::Bytes::len);
            ensure!(len == Some(body.len as usize), "the body at {body:?} is {read:?}");
        }
        Ok(())
    }

    fn into_run(mut self, seed: u64, outcome: Check) -> Run {
        let log = self.steering.batches(PARTITION);
        let mut bytes = Vec::new();
        for batch in &log {
            bytes.extend(batch.at.0.to_le_bytes());
            encode_facts(&batch.facts.facts, &mut bytes);
        }
        self.journal.bytes(&bytes);
        let living: u64 = self.hosts.iter().map(|host| host.owner.evolved()).sum();
        Run {
            seed,
            facts: self.facts + living,
            journal: self.journal,
            ledger: self.ledger,
            log,
            limits: self.plan.limits,
            outcome,
        }
    }
}

fn bodies_of(reply: &Reply) -> Vec<BodyRef> {
    match reply {
        Reply::Received(deliveries) => deliveries.iter().map(|delivery| delivery.body).collect(),
        Reply::Peeked { messages, .. } => messages.iter().map(|message| message.body).collect(),
        Reply::Broker(reply) => reply.bodies(),
        Reply::Recent(recent) => recent.events.iter().map(|event| event.body).collect(),
        _ => Vec::new(),
    }
}
