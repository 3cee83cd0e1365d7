//! Calls before the engine is ready wait, and not for ever.

use std::future::pending;
use std::sync::Arc;

use lineside_core::command::Command;
use lineside_core::id::Name;
use lineside_core::stamp::Millis;
use lineside_engine::engine::{EngineFault, Options, Storage, start};
use lineside_engine::log::LogFault;
use lineside_engine::request::CallError;
use lineside_store::MemoryLog;
use tokio::sync::oneshot;

use crate::support::{begin, engine_with, options};

fn list() -> Command {
    Command::ListQueues { prefix: Name::new(""), after: None, limit: 10 }
}

#[tokio::test]
async fn a_call_before_the_start_is_through_waits_for_it() {
    let (open, opened) = oneshot::channel::<Storage>();
    let (engine, _ended) = start(options(), async { Ok(opened.await.unwrap()) });
    assert!(!engine.is_ready());
    let early = begin(&engine, list()).await;
    drop(open.send(Storage { log: Arc::new(MemoryLog::new()), blobs: None }));
    assert!(early.await.is_ok());
    assert!(engine.is_ready());
}

/// Time is tokio's own here: it jumps as soon as everybody waits for it.
#[tokio::test(start_paused = true)]
async fn a_start_that_takes_too_long_is_unavailable_not_silent() {
    let (engine, _ended) = start(options(), pending());
    let answer = engine.call(list()).await;
    assert!(matches!(answer, Err(CallError::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_ends_the_engine() {
    let (engine, ended) = start(options(), async { Err(LogFault::Closed) });
    assert!(matches!(engine.call(list()).await, Err(CallError::Unavailable(_))));
    assert!(matches!(ended.await.unwrap(), Err(EngineFault::Log(LogFault::Closed))));
}

#[tokio::test]
async fn a_start_that_panics_ends_the_engine_for_those_who_wait() {
    let (engine, ended) = start(options(), async { panic!("meant") });
    assert!(!engine.ready().await);
    assert!(matches!(engine.call(list()).await, Err(CallError::Unavailable(_))));
    assert!(ended.await.unwrap_err().is_panic());
}

#[tokio::test]
async fn time_that_was_moved_needs_a_steerable_clock() {
    let log = MemoryLog::new();
    let steerable = Options { steerable: true, ..options() };
    let (engine, _ended) = engine_with(steerable, Arc::new(log.connect())).await;
    engine.advance(Millis::seconds(60)).await.unwrap();
    let again = Storage { log: Arc::new(log.connect()), blobs: None };
    let (plain, ended) = start(options(), async move { Ok(again) });
    assert!(!plain.ready().await);
    assert!(matches!(ended.await.unwrap(), Err(EngineFault::Steered(_))));
}
