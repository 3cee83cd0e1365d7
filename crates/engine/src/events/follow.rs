//! Keeping the index in step: it takes what the store says is new, and reads the log for what the
//! store does not keep any more.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use lineside_core::command::{Command, Reply};
use lineside_core::events::{EventBody, EventHead, RecentEvent, RecentEvents};
use lineside_core::id::{BodyRef, EventNumber, Label, Place, Version};
use lineside_core::stamp::{Millis, Stamp};
use lineside_index::{Fault, Indexed, Work};

use super::{Events, EventsFault, NOBODY, Shared};
use crate::log::{KeptBody, LogFault};
use crate::off_loop::{off_loop, on_own_thread};
use crate::request::CallError;

/// Most events that are asked for at a time.
const STEP_EVENTS: usize = 1024;
/// Most events that are read from the log at a time; each may have a MiB.
const REFILL_EVENTS: usize = 64;
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
        while self.engine.ready().await {
            let is_checked = *self.is_checked.borrow();
            let step = match is_checked {
                false => self.check().await,
                true => self.step().await,
            };
            let step = match step {
                Err(_) if self.index.work() == Some(Work::Repair) => self.repair().await,
                other => other,
            };
            if let Err(fault) = step {
                self.say(&fault);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Tells a person what goes wrong, but not that the engine has ended, or makes room for others
    /// first.
    fn say(&self, fault: &EventsFault) {
        if !matches!(fault, EventsFault::Call(_)) {
            let text = format!("the index of events: {fault}");
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if *said != text {
                (self.notice)(&text);
                *said = text;
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
        self.is_checked.send_replace(true);
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
        // At once first: who asks for what the store has let go long since would wait for the next
        // event, as if there were nothing.
        let at_once = self.recent(after, Millis::ZERO).await?;
        let is_behind = matches!(&at_once, Reply::Recent(recent) if recent.indexed > after);
        if is_behind || !at_once.is_nothing_yet() {
            return self.heard(at_once, after).await;
        }
        let asked = self.recent(after, STEP_WAIT);
        let reply = tokio::select! {
            reply = asked => reply?,
            () = self.trouble.notified() => return self.repair().await,
        };
        self.heard(reply, after).await
    }

    async fn recent(&self, after: EventNumber, wait: Millis) -> Result<Reply, CallError> {
        let (store, max) = (self.name.clone(), STEP_EVENTS);
        self.engine.call(Command::RecentEvents { store, after, max, wait }).await
    }

    async fn heard(
        self: &Arc<Shared>,
        reply: Reply,
        after: EventNumber,
    ) -> Result<(), EventsFault> {
        match reply {
            Reply::Recent(RecentEvents { indexed, .. }) if indexed > after => {
                self.refill(indexed).await
            }
            Reply::Recent(RecentEvents { events, .. }) => self.take(&events).await,
            other => Err(EventsFault::unexpected(&other)),
        }
    }

    /// Takes in what the store says is new.
    async fn take(self: &Arc<Shared>, events: &[RecentEvent]) -> Result<(), EventsFault> {
        if let Some(first) = events.first().filter(|first| first.number > self.index.end().next()) {
            // Facts are missing, and that was accepted; their bodies are there perhaps.
            return self.refill(EventNumber(first.number.0.saturating_sub(1))).await;
        }
        // Up to where the next ones are missing: the next step begins there.
        let numbers = self.index.end().next().0..;
        let in_a_row = numbers.zip(events).take_while(|(number, event)| event.number.0 == *number);
        let indexed: Vec<Indexed<'_>> = in_a_row.map(|(_, event)| indexed(event)).collect();
        let taken = self.index.add(&indexed).map_err(|error| unexpected(&error))?;
        self.tell();
        if taken < indexed.len() {
            // Full parts wait to be written.
            self.flush().await?;
        }
        Ok(())
    }

    /// Reads from the log what the store does not keep any more: everything up to a number, and what
    /// is behind it already. What is not there is lost.
    async fn refill(self: &Arc<Shared>, upto: EventNumber) -> Result<(), EventsFault> {
        let last = self.index.snapshot().get(self.index.end())?.map(|entry| entry.row);
        let mut place = last.map(|row| row.body.place);
        let mut stamp = last.map_or(Stamp(0), |row| row.stamp);
        while self.engine.is_ready() {
            let page = self.engine.kept(place, REFILL_EVENTS).await?;
            let Some(last) = page.last() else { return self.take_lost(upto, stamp).await };
            for kept in &page {
                self.take_kept(kept).await?;
            }
            (place, stamp) = (Some(last.body.place), last.at);
            self.tell();
            // Else there would soon be more runs than files may be open.
            self.tend();
        }
        Ok(())
    }

    /// Numbers up to this one are taken, though nobody can read their events.
    async fn take_lost(
        self: &Arc<Shared>,
        upto: EventNumber,
        stamp: Stamp,
    ) -> Result<(), EventsFault> {
        let (first, nothing) = (self.index.end().next(), Label::new(""));
        if first <= upto {
            let (first, last) = (first.0, upto.0);
            (self.notice)(&format!("events {first} to {last} are not in the log any more"));
        }
        while self.index.end() < upto {
            self.take_one(lost(self.index.end().next(), stamp, &nothing)).await?;
        }
        self.tell();
        Ok(())
    }

    /// Takes in an event; if full parts wait to be written, after that.
    async fn take_one(self: &Arc<Shared>, indexed: Indexed<'_>) -> Result<(), EventsFault> {
        while self.index.add(&[indexed]).map_err(|error| unexpected(&error))? == 0 {
            self.flush().await?;
        }
        Ok(())
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
            self.take_one(indexed).await?;
        }
        Ok(())
    }

    /// Says how far the index is.
    pub(super) fn tell(&self) {
        self.end.send_if_modified(|end| {
            let before = std::mem::replace(end, self.index.end());
            before != *end
        });
    }

    /// Has the work done that is due, beside whatever goes on.
    fn tend(self: &Arc<Shared>) {
        let shared = Arc::clone(self);
        match self.index.work() {
            Some(Work::Flush) if !self.is_flushed.swap(true, Ordering::AcqRel) => {
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
        // Until it is done: what the store may not forget, it soon takes no more of, and then
        // nothing comes that would make anybody try again.
        while self.engine.ready().await {
            let Err(fault) = self.flush().await else { break };
            self.say(&fault);
            tokio::time::sleep(PAUSE).await;
        }
        self.is_flushed.store(false, Ordering::Release);
        if self.engine.is_ready() {
            self.tend();
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
            Ok(Err(Fault::Damaged(_))) => self.trouble.notify_one(),
            Ok(Err(fault)) => self.say(&fault.into()),
            Err(fault) => self.say(&fault.into()),
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
