//! Keeping the index in step: it takes what the store says is new, and reads the log for what the
//! store does not keep any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use lineside_core::command::{Command, Reply};
use lineside_core::events::{EventBody, EventHead, RecentEvent, RecentEvents};
use lineside_core::id::{BodyRef, EventNumber, Label, Place, QueueId, Version};
use lineside_core::stamp::{Millis, Stamp};
use lineside_index::{Fault, Indexed, Work};

use super::{Events, EventsFault, Shared};
use crate::log::{KeptBody, LogFault};
use crate::off_loop::{off_loop, on_own_thread};

/// Most events that are asked for at a time.
const STEP_EVENTS: usize = 1024;
/// How long a question for new events stays open.
const STEP_WAIT: Millis = Millis::seconds(3600);
/// After something went wrong, so long until it is tried again.
const PAUSE: Duration = Duration::from_millis(200);

impl Events {
    /// Keeps the index in step from here on, unless somebody does already.
    pub(super) fn follow(&self) {
        if self.shared.is_followed.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            shared.follow().await;
            shared.is_followed.store(false, Ordering::Release);
        });
    }
}

impl Shared {
    /// Until the engine has ended.
    async fn follow(self: &Arc<Shared>) {
        let mut is_checked = false;
        while self.engine.ready().await {
            let step = match is_checked {
                false => self.check().await.map(|()| is_checked = true),
                true => self.step().await,
            };
            match step {
                Ok(()) => {}
                // Told to nobody: it has ended, or makes room for others first.
                Err(EventsFault::Call(_)) => tokio::time::sleep(PAUSE).await,
                Err(fault) => {
                    (self.notice)(&format!("the index of events: {fault}"));
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Whether the index is of this log. One that is ahead of it, or has another event where its
    /// last one is, is of another, and is made anew.
    async fn check(self: &Arc<Shared>) -> Result<(), EventsFault> {
        for damage in self.index.take_dropped() {
            (self.notice)(&format!("{damage}; it is made anew from the log"));
        }
        let end = self.index.end();
        if !self.has(end).await? {
            (self.notice)("the index of events is not of this log; it is made anew");
            self.index.fall_back(EventNumber(0))?;
        }
        self.tell();
        self.trim().await
    }

    /// Whether the log has the event that the index has under this number.
    async fn has(&self, number: EventNumber) -> Result<bool, EventsFault> {
        let Some(entry) = self.index.snapshot().get(number)? else {
            return Ok(number == EventNumber(0));
        };
        if entry.row.store == NOBODY {
            return Ok(true);
        }
        match self.engine.body(entry.row.body).await {
            Ok(bytes) => Ok(EventBody::decode(&bytes).is_ok_and(|event| {
                (event.assigned.number, event.assigned.recorded) == (number, entry.row.stamp)
            })),
            Err(LogFault::NoBody(_)) => Ok(false),
            // It is there, or was.
            Err(LogFault::Damaged { .. }) => Ok(true),
            Err(fault) => Err(fault.into()),
        }
    }

    async fn step(self: &Arc<Shared>) -> Result<(), EventsFault> {
        self.tend();
        let after = self.index.end();
        let (store, max, wait) = (self.name.clone(), STEP_EVENTS, STEP_WAIT);
        let asked = self.engine.call(Command::RecentEvents { store, after, max, wait });
        let reply = tokio::select! {
            reply = asked => reply?,
            () = self.trouble.notified() => return self.repair().await,
        };
        match reply {
            Reply::Recent(RecentEvents { indexed, .. }) if indexed > after => self.refill().await,
            Reply::Recent(RecentEvents { events, .. }) => self.take(&events).await,
            other => Err(EventsFault::unexpected(&other)),
        }
    }

    /// Takes in what the store says is new.
    async fn take(self: &Arc<Shared>, events: &[RecentEvent]) -> Result<(), EventsFault> {
        let indexed: Vec<Indexed<'_>> = events.iter().map(indexed).collect();
        let taken = match self.index.add(&indexed) {
            Ok(taken) => taken,
            // It fell back meanwhile, and the next step reads from there.
            Err(_) => return Ok(()),
        };
        self.tell();
        if taken < indexed.len() {
            // Full parts wait to be written.
            self.flush().await?;
        }
        Ok(())
    }

    /// Reads from the log what the store does not keep any more.
    async fn refill(self: &Arc<Shared>) -> Result<(), EventsFault> {
        let end = self.index.end();
        let mut place = self.index.snapshot().get(end)?.map(|entry| entry.row.body.place);
        loop {
            let page = self.engine.kept(place, STEP_EVENTS).await?;
            let Some(last) = page.last().map(|kept| kept.body.place) else { return Ok(()) };
            for kept in &page {
                self.take_kept(kept).await?;
            }
            self.tell();
            place = Some(last);
        }
    }

    /// Takes in an event of which the body alone is there.
    async fn take_kept(self: &Arc<Shared>, kept: &KeptBody) -> Result<(), EventsFault> {
        let Ok(event) = EventBody::decode(&kept.bytes) else { return Ok(()) };
        let nothing = Label::new("");
        while self.index.end() < event.assigned.number {
            let next = self.index.end().next();
            let indexed = match next == event.assigned.number {
                true => indexed_body(kept, &event),
                // It cannot be read any more. Its number is taken all the same.
                false => lost(next, kept.at, &nothing),
            };
            if self.index.add(&[indexed]).map_err(|error| unexpected(&error))? == 0 {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Says how far the index is.
    fn tell(&self) {
        self.end.send_if_modified(|end| {
            let before = std::mem::replace(end, self.index.end());
            before != *end
        });
    }

    /// Has the work done that is due, beside whatever goes on.
    fn tend(self: &Arc<Shared>) {
        let shared = Arc::clone(self);
        match self.index.work() {
            Some(Work::Flush) if self.flushing.try_lock().is_ok() => {
                tokio::spawn(async move { shared.flush_and_go_on().await });
            }
            Some(Work::Merge) if self.merging.try_lock().is_ok() => {
                tokio::spawn(async move { shared.merge_and_go_on().await });
            }
            Some(Work::Repair) => self.trouble.notify_one(),
            _ => {}
        }
    }

    async fn flush_and_go_on(self: Arc<Shared>) {
        match self.flush().await {
            Ok(()) => self.tend(),
            Err(fault) => (self.notice)(&format!("the index of events: {fault}")),
        }
    }

    async fn merge_and_go_on(self: Arc<Shared>) {
        let merging = self.merging.lock().await;
        let shared = Arc::clone(&self);
        let go_on = move || shared.engine.is_ready();
        let index = Arc::clone(&self);
        let merged = on_own_thread("index", move || index.index.merge(&go_on)).await;
        drop(merging);
        match merged {
            Ok(Ok(())) => self.tend(),
            Ok(Err(Fault::Stopped)) => {}
            Ok(Err(fault)) => (self.notice)(&format!("the index of events: {fault}")),
            Err(fault) => (self.notice)(&format!("the index of events: {fault}")),
        }
    }

    /// Writes full parts, and lets the store forget what they have.
    async fn flush(self: &Arc<Shared>) -> Result<(), EventsFault> {
        let _flushing = self.flushing.lock().await;
        let shared = Arc::clone(self);
        on_own_thread("index", move || shared.index.flush_full()).await??;
        self.trim().await
    }

    /// The store forgets what the index has for good, a bounded step at a time.
    async fn trim(&self) -> Result<(), EventsFault> {
        let upto = self.index.durable_end();
        let mut before = None;
        loop {
            let command = Command::Indexed { store: self.name.clone(), upto };
            match self.engine.call(command).await? {
                Reply::Indexed { upto: reached } if reached < upto && before != Some(reached) => {
                    before = Some(reached);
                }
                _ => return Ok(()),
            }
        }
    }

    /// Drops what is damaged; the log has it all.
    async fn repair(self: &Arc<Shared>) -> Result<(), EventsFault> {
        let shared = Arc::clone(self);
        off_loop(move || shared.index.repair()).await??;
        for damage in self.index.take_dropped() {
            (self.notice)(&format!("{damage}; it is made anew from the log"));
        }
        self.tell();
        Ok(())
    }
}

/// The store of events that cannot be read any more. Ids count from 1.
const NOBODY: QueueId = QueueId(0);

fn indexed(event: &RecentEvent) -> Indexed<'_> {
    let RecentEvent { store, number, stamp, body, version, index, count, ref head } = *event;
    Indexed { number, store, stamp, body, version, index, count, head: head.head() }
}

fn indexed_body<'a>(kept: &KeptBody, event: &'a EventBody) -> Indexed<'a> {
    let assigned = &event.assigned;
    Indexed {
        number: assigned.number,
        store: assigned.store,
        stamp: kept.at,
        body: kept.body,
        version: assigned.version,
        index: assigned.index,
        count: assigned.count,
        head: event.head(),
    }
}

fn lost(number: EventNumber, stamp: Stamp, nothing: &Label) -> Indexed<'_> {
    let body = BodyRef { place: Place::default(), len: 0 };
    let head = EventHead { stream: nothing, kind: nothing, tags: &[], correlation: None };
    let (store, version) = (NOBODY, Version(0));
    Indexed { number, store, stamp, body, version, index: 0, count: 1, head }
}

fn unexpected(error: &lineside_index::AddError) -> EventsFault {
    EventsFault::Unexpected(error.to_string())
}
