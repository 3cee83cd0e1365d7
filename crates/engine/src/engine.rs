//! The engine: the task that drives an [`Owner`], and the handle that everybody else holds.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use lineside_core::command::{Command, Reply};
use lineside_core::id::{BodyRef, PartitionId, Place, Position};
use lineside_core::limits::Limits;
use lineside_core::partition::{Header, Partition};
use lineside_core::stamp::{Millis, Stamp};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep};

use crate::blobs::{BlobFault, Blobs};
use crate::checkpoint::driver::Checkpoints;
use crate::checkpoint::load::load;
use crate::checkpoint::task::{self, Outcome};
use crate::checkpoint::writer::Writer;
use crate::clock::Clock;
use crate::log::{AppendError, KeptBody, Log, LogFault};
use crate::off_loop::off_loop;
use crate::owner::{Now, Owner};
use crate::read_only::ReadOnly;
use crate::replay::Replay;
use crate::request::{Advanced, CallError, Request};
use crate::restart::{self, Pace, Waiting};

/// Most requests that wait for a turn.
pub const INBOX_MAX: usize = 8192;
/// Of these, places that only settlements may take.
const SETTLEMENTS_MIN: usize = 2048;
/// How long a call waits for a partition that is starting.
const READY_PATIENCE: Duration = Duration::from_secs(10);

/// The budget of a partition's state when nobody says another: ten to twenty million messages that
/// wait (design, "State").
pub const STATE_BYTES_MAX: u64 = 2 << 30;

/// How an engine is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which partition.
    pub partition: PartitionId,
    /// What clients may ask for.
    pub limits: Limits,
    /// Whether time may be moved; a log whose time was moved starts only so.
    pub steerable: bool,
    /// Most requests that wait for a turn; [`INBOX_MAX`], or less in a test of back-pressure.
    pub inbox_max: usize,
    /// A checkpoint is begun when the log has grown by so many bytes;
    /// [`crate::checkpoint::BYTES_BETWEEN`], or less in a test.
    pub checkpoint_bytes: u64,
    /// With a state of so many bytes, by the estimate of [`Partition::state_bytes`], what would make
    /// it larger is refused; [`STATE_BYTES_MAX`], or what a person says.
    pub state_bytes_max: u64,
    /// Where a sentence goes that a person should read, such as that a checkpoint failed.
    pub notice: fn(&str),
}

/// What an engine keeps its partition in.
pub struct Storage {
    /// The log.
    pub log: Arc<dyn Log>,
    /// Where checkpoints go; without it a start reads the whole log.
    pub blobs: Option<Arc<dyn Blobs>>,
}

/// Why an engine ended.
#[derive(Debug, thiserror::Error)]
pub enum EngineFault {
    /// The log could not be opened or read.
    #[error(transparent)]
    Log(#[from] LogFault),
    /// A batch is not known to be durable; nothing was acknowledged after it. It is in the sentence,
    /// and so it is no `source`: whoever prints the chain would say it twice.
    #[error("nothing is acknowledged any more: {0}")]
    Append(AppendError),
    /// The blob store cannot be reached.
    #[error(transparent)]
    Blobs(#[from] BlobFault),
    /// The log ends before what its newest checkpoint has seen.
    #[error(
        "the log ends before {end:?}, which its newest checkpoint has seen: durable segments are \
         missing; put them back, or restore a backup"
    )]
    LogTooShort {
        /// Where the checkpoint was completed.
        end: Place,
    },
    /// The log's time was moved, and the clock is a plain one.
    #[error(
        "the clock of this data directory was moved ahead by {0:?}; start it with `--clock \
         steerable`, or use another directory"
    )]
    Steered(Millis),
}

impl From<AppendError> for EngineFault {
    fn from(error: AppendError) -> EngineFault {
        EngineFault::Append(error)
    }
}

/// What is known of the engine from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    Ready,
    /// Facts are damaged: calls are answered as far as that needs no decision.
    ReadOnly,
    /// The log refused a batch: calls are told to come back, until what it has is read again.
    Refused,
    Ended,
}

/// How far a shutdown has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    No,
    /// Nobody waits any longer; calls are still served.
    Dismiss,
    /// Everything decided becomes durable, and the log is closed.
    Finish,
}

/// A cheap way to one partition.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

struct Shared {
    inbox: mpsc::Sender<Request>,
    log: OnceLock<Arc<dyn Log>>,
    partition: PartitionId,
    stage: watch::Sender<Stage>,
    stop: watch::Sender<Stop>,
    settlements_min: usize,
    steerable: bool,
    start_note: OnceLock<StartNote>,
    read_only: OnceLock<String>,
}

/// What a start found, for the banner.
#[derive(Clone, Copy, Debug)]
pub struct StartNote {
    /// The last stamp in the log; zero for a new one.
    pub last: Stamp,
    /// The first stamp of this start.
    pub now: Stamp,
    /// How far time was moved ahead.
    pub offset: Millis,
}

/// Starts an engine on the storage that `open` will give; calls wait until it is ready.
pub fn start<F>(options: Options, open: F) -> (Handle, JoinHandle<Result<(), EngineFault>>)
where
    F: Future<Output = Result<Storage, LogFault>> + Send + 'static,
{
    let (inbox, requests) = mpsc::channel(options.inbox_max);
    let shared = Arc::new(Shared {
        inbox,
        log: OnceLock::new(),
        partition: options.partition,
        stage: watch::Sender::new(Stage::Starting),
        stop: watch::Sender::new(Stop::No),
        settlements_min: SETTLEMENTS_MIN.min(options.inbox_max / 4),
        steerable: options.steerable,
        start_note: OnceLock::new(),
        read_only: OnceLock::new(),
    });
    let handle = Handle { shared: shared.clone() };
    let task = tokio::spawn(async move {
        let told = TellsTheEnd(shared);
        run(&told.0, options, requests, open).await
    });
    (handle, task)
}

/// Whoever waits for an engine to be ready hears of its end, of one by a panic too.
struct TellsTheEnd(Arc<Shared>);

impl Drop for TellsTheEnd {
    fn drop(&mut self) {
        self.0.stage.send_replace(Stage::Ended);
    }
}

impl Handle {
    /// Decides a command and waits until its answer may be told.
    pub async fn call(&self, command: Command) -> Result<Reply, CallError> {
        self.wait_until_open().await?;
        self.ask(|reply| Request::Call { command, reply }).await
    }

    /// Moves steerable time.
    pub async fn advance(&self, by: Millis) -> Result<Advanced, CallError> {
        self.wait_until_open().await?;
        self.ask(|reply| Request::Advance { by, reply }).await
    }

    /// Reads the body of a message that was handed out.
    pub async fn body(&self, body: BodyRef) -> Result<Bytes, LogFault> {
        match self.shared.log.get() {
            Some(log) => log.body(self.shared.partition, body).await,
            None => Err(LogFault::Closed),
        }
    }

    /// The bodies that matter for ever and can be read, after a place, in order, at most so many:
    /// none if there are none up to the tail. One that is damaged is passed over.
    pub async fn kept(&self, after: Option<Place>, max: usize) -> Result<Vec<KeptBody>, LogFault> {
        let Some(log) = self.shared.log.get() else { return Err(LogFault::Closed) };
        let from = after.map_or(Position::default(), |after| after.position);
        let mut kept = log.kept(self.shared.partition, from);
        let mut found = Vec::new();
        while found.len() < max {
            match kept.next().await {
                Some(Ok(body)) if after.is_some_and(|after| body.body.place <= after) => {}
                Some(Ok(body)) => found.push(body),
                Some(Err(LogFault::Damaged { .. })) => {}
                Some(Err(fault)) => return Err(fault),
                None => break,
            }
        }
        Ok(found)
    }

    /// Whether a canary went through the log, and the engine still runs. Never, if it is open for
    /// reading only.
    pub fn is_ready(&self) -> bool {
        *self.shared.stage.borrow() == Stage::Ready
    }

    /// Whether time may be moved.
    pub fn is_steerable(&self) -> bool {
        self.shared.steerable
    }

    /// Resolves when the engine is ready; with `false` when it has ended, or is open for reading
    /// only ([`Handle::read_only`]).
    pub async fn ready(&self) -> bool {
        let mut stage = self.shared.stage.subscribe();
        let begins = |stage: &Stage| matches!(stage, Stage::Starting | Stage::Refused);
        let settled = stage.wait_for(|stage| !begins(stage)).await;
        settled.is_ok_and(|stage| *stage == Stage::Ready)
    }

    /// Why nothing but looks is answered, if facts are damaged: what is damaged, and what to do.
    pub fn read_only(&self) -> Option<&str> {
        self.shared.read_only.get().map(String::as_str)
    }

    /// What comes of the start.
    async fn settled(&self) -> Stage {
        let mut stage = self.shared.stage.subscribe();
        let settled = stage.wait_for(|stage| *stage != Stage::Starting).await;
        settled.map_or(Stage::Ended, |stage| *stage)
    }

    /// What the start found, once the log is read.
    pub fn start_note(&self) -> Option<StartNote> {
        self.shared.start_note.get().copied()
    }

    /// First half of a shutdown: those who wait are answered, and nobody waits any more.
    pub fn dismiss(&self) {
        self.shared.stop.send_replace(Stop::Dismiss);
    }

    /// Second half: everything decided becomes durable and the log is closed; the task then ends.
    pub fn finish(&self) {
        self.shared.stop.send_replace(Stop::Finish);
    }

    async fn wait_until_open(&self) -> Result<(), CallError> {
        if self.is_ready() {
            return Ok(());
        }
        match tokio::time::timeout(READY_PATIENCE, self.settled()).await {
            Ok(Stage::Ready | Stage::ReadOnly | Stage::Refused) => Ok(()),
            Ok(Stage::Starting | Stage::Ended) => Err(ended()),
            Err(_) => Err(CallError::Unavailable("the engine is starting".to_owned())),
        }
    }

    /// Settlements are let in where others are throttled, since they make room.
    fn admits(&self, request: &Request) -> bool {
        let settles = match request {
            Request::Call { command, .. } => command.settles(),
            Request::Advance { .. } => true,
        };
        settles || self.shared.inbox.capacity() > self.shared.settlements_min
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, CallError>>) -> Request,
    ) -> Result<T, CallError> {
        let (reply, answer) = oneshot::channel();
        let request = request(reply);
        if !self.admits(&request) {
            return Err(CallError::Throttled);
        }
        match self.shared.inbox.try_send(request) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => return Err(CallError::Throttled),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(ended()),
        }
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> CallError {
    CallError::Unavailable("the engine has ended".to_owned())
}

async fn run<F>(
    shared: &Arc<Shared>,
    options: Options,
    requests: mpsc::Receiver<Request>,
    open: F,
) -> Result<(), EngineFault>
where
    F: Future<Output = Result<Storage, LogFault>>,
{
    let Storage { mut log, blobs } = open.await?;
    let (mut requests, mut clock, mut pace) = (requests, None, Pace::new());
    loop {
        let storage = Storage { log: log.clone(), blobs: blobs.clone() };
        let ended = live(shared, &options, storage, &mut requests, &mut clock).await;
        let Err(EngineFault::Append(AppendError::Rejected(why))) = ended else { return ended };
        (options.notice)(&format!("all is read again when the log takes something: {why}"));
        refused(&shared.stage);
        let (stop, said) = (shared.stop.subscribe(), &why);
        let waiting = Waiting { log: &log, requests: &mut requests, stop, why: said };
        log = match waiting.wait(&mut pace).await {
            Some(again) => again,
            None if *shared.stop.borrow() == Stop::Finish => return Ok(log.close().await?),
            None => return Err(AppendError::Rejected(why).into()),
        };
    }
}

/// An engine that was ready is so no more; one that was starting still is.
fn refused(stage: &watch::Sender<Stage>) {
    stage.send_if_modified(|stage| {
        let ready = *stage == Stage::Ready;
        *stage = if ready { Stage::Refused } else { *stage };
        ready
    });
}

/// From reading what there is to the end of a shutdown, or to a failure. The clock is that of the
/// first time: the wall clock is not looked at again.
async fn live(
    shared: &Arc<Shared>,
    options: &Options,
    Storage { log, blobs }: Storage,
    requests: &mut mpsc::Receiver<Request>,
    clock: &mut Option<Clock>,
) -> Result<(), EngineFault> {
    let Begun { replay, writer } = begin(&log, blobs.as_deref(), options).await?;
    let clock = match *clock {
        Some(clock) => clock,
        None => *clock.insert(begin_time(shared, options, replay.partition.header())?),
    };
    drop(shared.log.set(log.clone()));
    let stop = shared.stop.subscribe();
    if let Some(damage) = &replay.damage {
        let why = advice(damage);
        shared.read_only.get_or_init(|| why.clone());
        shared.stage.send_replace(Stage::ReadOnly);
        let here = replay.next_place();
        ReadOnly { partition: replay.partition, here, clock, why }.serve(requests, stop).await;
        return Ok(log.close().await?);
    }
    let mut owner = Owner::of(log.clone(), options.partition, replay.partition, replay.next);
    owner.bound_state(options.state_bytes_max);
    let (checkpoints, slices, outcomes) =
        Checkpoints::new(writer.last_bytes(), options.checkpoint_bytes);
    let written = task::run(options.partition, log.clone(), blobs, writer, slices, outcomes);
    let written = tokio::spawn(written);
    let notice = options.notice;
    let inbox = VecDeque::new();
    let mut driver = Driver { owner, clock, requests, inbox, stop, checkpoints, notice };
    let driven = driver.serve(shared).await;
    if let Err(error) = &driven {
        let asked = std::mem::take(&mut driver.inbox);
        asked
            .into_iter()
            .for_each(|request| restart::refuse(request, log.as_ref(), &error.to_string()));
    }
    // What was given of a checkpoint is written or given up before the log is closed, or read again.
    let state = driver.give_up();
    drop(off_loop(move || drop(state)).await);
    drop(written.await);
    driven?;
    log.close().await?;
    Ok(())
}

/// What a start has read.
struct Begun {
    replay: Replay,
    writer: Writer,
}

/// What the newest checkpoint and the log's tail make.
async fn begin(
    log: &Arc<dyn Log>,
    blobs: Option<&dyn Blobs>,
    options: &Options,
) -> Result<Begun, EngineFault> {
    let (id, limits) = (options.partition, options.limits.clone());
    let Some(blobs) = blobs else {
        let empty = Partition::new(id, limits);
        let replay = Replay::of(log.as_ref(), id, empty, Position::default()).await?;
        let epoch = replay.partition.header().epoch.next();
        return Ok(Begun { replay, writer: Writer::new(id, epoch, Vec::new(), 0) });
    };
    let loaded = load(blobs, id, limits).await?;
    for why in &loaded.passed_over {
        (options.notice)(&format!("a checkpoint was passed over: {why}"));
    }
    let (begin, end) = (loaded.begin.position, loaded.end);
    let replay = Replay::of(log.as_ref(), id, loaded.partition, begin).await?;
    if replay.damage.is_none() && replay.next_place() < end {
        return Err(EngineFault::LogTooShort { end });
    }
    let epoch = replay.partition.header().epoch.next();
    Ok(Begun { replay, writer: Writer::new(id, epoch, loaded.names, loaded.bytes) })
}

/// The clock that goes on from where the log's time ends; what a person should know of that is
/// noted.
fn begin_time(shared: &Shared, options: &Options, header: &Header) -> Result<Clock, EngineFault> {
    if header.offset > Millis::ZERO && !options.steerable {
        return Err(EngineFault::Steered(header.offset));
    }
    let clock = Clock::start().not_before(header.last, header.offset);
    let now = clock.now().stamp + header.offset;
    let note = StartNote { last: header.last, now, offset: header.offset };
    shared.start_note.get_or_init(|| note);
    Ok(clock)
}

fn advice(damage: &LogFault) -> String {
    format!("{damage}; run `lineside verify` and `lineside repair` on the data directory")
}

/// Says "ready" when the canary is through.
fn announce(
    shared: Arc<Shared>,
    canary: oneshot::Receiver<Result<Reply, CallError>>,
    notice: fn(&str),
) {
    tokio::spawn(async move {
        if let Ok(Ok(_)) = canary.await {
            if *shared.stage.borrow() == Stage::Refused {
                notice("ready again");
            }
            shared.stage.send_if_modified(|stage| {
                let begins = matches!(stage, Stage::Starting | Stage::Refused);
                *stage = if begins { Stage::Ready } else { *stage };
                begins
            });
        }
    });
}

/// The owner with everything that wakes it.
struct Driver<'a> {
    owner: Owner,
    clock: Clock,
    requests: &'a mut mpsc::Receiver<Request>,
    inbox: VecDeque<Request>,
    stop: watch::Receiver<Stop>,
    checkpoints: Checkpoints,
    notice: fn(&str),
}

/// What woke the driver.
enum Woken {
    Log(Result<(), AppendError>),
    Inbox,
    Time,
    Stop,
    /// There is room for a slice of a checkpoint.
    Room,
    Checkpoint(Outcome),
}

impl Driver<'_> {
    async fn serve(&mut self, shared: &Arc<Shared>) -> Result<(), AppendError> {
        self.open().await?;
        let canary = self.canary();
        announce(shared.clone(), canary, self.notice);
        self.drive().await
    }

    /// The state, which may be large to free; nothing more is given of a checkpoint.
    fn give_up(self) -> Owner {
        self.owner
    }

    /// Takes the partition over; no request is looked at before that is durable.
    async fn open(&mut self) -> Result<(), AppendError> {
        self.owner.take_over(self.clock.now());
        while !self.owner.is_ready() {
            let now = self.clock.now();
            poll_fn(|cx| self.owner.poll_log(cx, now)).await?;
        }
        Ok(())
    }

    fn canary(&mut self) -> oneshot::Receiver<Result<Reply, CallError>> {
        let (reply, canary) = oneshot::channel();
        self.inbox.push_back(Request::Call { command: Command::Canary, reply });
        canary
    }

    async fn drive(&mut self) -> Result<(), AppendError> {
        let mut sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
        let (mut stop, room) = (self.stop.clone(), self.checkpoints.room());
        loop {
            let now = self.clock.now();
            self.owner.turn(now, &mut self.inbox);
            self.clean_up();
            self.checkpoints.step(&mut self.owner);
            if *stop.borrow() == Stop::Finish {
                self.owner.rest();
                if self.finished(now) {
                    return Ok(());
                }
            }
            self.set_timer(now, &mut sleep);
            let gives = self.checkpoints.has_more();
            let (owner, requests) = (&mut self.owner, &mut *self.requests);
            let mut events = Events { owner, clock: &self.clock, requests, inbox: &mut self.inbox };
            let woken = tokio::select! {
                biased;
                woken = poll_fn(|cx| events.poll(cx, &mut sleep)) => woken,
                Ok(()) = stop.changed() => Woken::Stop,
                Ok(_) = room.reserve(), if gives => Woken::Room,
                Some(outcome) = self.checkpoints.outcome() => Woken::Checkpoint(outcome),
            };
            match woken {
                Woken::Log(result) => result?,
                Woken::Stop => self.owner.dismiss_waiters(self.clock.now()),
                Woken::Checkpoint(outcome) => {
                    self.checkpoints.heard(&outcome).iter().for_each(|said| (self.notice)(said));
                }
                Woken::Inbox | Woken::Time | Woken::Room => {}
            }
            // One turn, one look at the other tasks of this thread.
            tokio::task::consume_budget().await;
        }
    }

    /// Frees what purges and deletions left, away from the loop: it may take long.
    fn clean_up(&mut self) {
        if let Some(garbage) = self.owner.take_garbage() {
            tokio::spawn(off_loop(move || drop(garbage)));
        }
    }

    fn finished(&mut self, now: Now) -> bool {
        self.owner.flush(now);
        self.inbox.is_empty() && self.requests.is_empty() && self.owner.is_drained()
    }

    fn set_timer(&self, now: Now, sleep: &mut Pin<Box<Sleep>>) {
        let (due, patience) = self.owner.wake_at();
        let due = due.map(|due| due.since(now.stamp));
        let patience = patience.map(|until| until - now.patience);
        let wait = [due, patience].into_iter().flatten().min();
        // A day: nothing is due, so whenever it wakes it finds nothing to do.
        let wait = wait.unwrap_or(Millis::seconds(86_400)).0.min(86_400_000);
        let busy = self.owner.has_work(now) || (!self.inbox.is_empty() && !self.owner.is_full());
        let wake_at = Instant::now() + Duration::from_millis(if busy { 0 } else { wait.max(1) });
        // One that is too early wakes once for nothing; setting it anew takes the timers' lock, and
        // that with each turn.
        if wake_at < sleep.deadline() || sleep.is_elapsed() {
            sleep.as_mut().reset(wake_at);
        }
    }
}

/// What wakes the loop, apart from its wish to stop and its checkpoints.
struct Events<'a> {
    owner: &'a mut Owner,
    clock: &'a Clock,
    requests: &'a mut mpsc::Receiver<Request>,
    inbox: &'a mut VecDeque<Request>,
}

impl Events<'_> {
    fn poll(&mut self, cx: &mut Context<'_>, sleep: &mut Pin<Box<Sleep>>) -> Poll<Woken> {
        let now = self.clock.now();
        if let Poll::Ready(result) = self.owner.poll_log(cx, now) {
            return Poll::Ready(Woken::Log(result));
        }
        if self.inbox.is_empty() && !self.owner.is_full() && self.drain_requests(cx) {
            return Poll::Ready(Woken::Inbox);
        }
        sleep.as_mut().poll(cx).map(|()| Woken::Time)
    }

    /// Takes the whole inbox at once: one wake-up for all of it.
    fn drain_requests(&mut self, cx: &mut Context<'_>) -> bool {
        let mut taken = Vec::new();
        match self.requests.poll_recv_many(cx, &mut taken, INBOX_MAX) {
            Poll::Ready(count) if count > 0 => {
                self.inbox.extend(taken);
                true
            }
            _ => false,
        }
    }
}
