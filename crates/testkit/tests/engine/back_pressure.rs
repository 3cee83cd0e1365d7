//! A full inbox says so at once, and lets in what makes room.

use std::sync::Arc;

use futures::future::join_all;
use lineside_core::command::Command;
use lineside_core::id::Name;
use lineside_core::queue::{QueueKind, SettingsPatch};
use lineside_core::stamp::Millis;
use lineside_engine::engine::Options;
use lineside_engine::request::CallError;
use lineside_store::MemoryLog;

use crate::support::{deliveries, engine_with, options, queue, receive, send};

const INBOX: usize = 16;

fn small() -> Options {
    Options { inbox_max: INBOX, ..options() }
}

#[tokio::test]
async fn a_full_inbox_throttles_and_loses_nothing() {
    let (engine, _ended) = engine_with(small(), Arc::new(MemoryLog::new())).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    // One thread: all of these are asked before the engine has its turn.
    let answers = join_all((0..100).map(|n| engine.call(send(&name, &n.to_string())))).await;
    let sent = answers.iter().filter(|answer| answer.is_ok()).count();
    let throttled = answers.iter().filter(|a| **a == Err(CallError::Throttled)).count();
    assert_eq!(sent, INBOX - INBOX / 4, "a quarter is kept for settlements");
    assert_eq!(sent + throttled, 100);
    for _ in 0..sent {
        assert_eq!(deliveries(engine.call(receive(&name, 0)).await).len(), 1);
    }
    assert_eq!(deliveries(engine.call(receive(&name, 0)).await), []);
}

#[tokio::test]
async fn settlements_are_let_in_where_others_are_throttled() {
    let (engine, _ended) = engine_with(small(), Arc::new(MemoryLog::new())).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    engine.call(send(&name, "x")).await.unwrap();
    let handed_out = deliveries(engine.call(receive(&name, 0)).await);
    let receipt = handed_out.first().unwrap().receipt;
    let delete = Command::Delete { queue: name.clone(), receipt };
    let calls = (0..100).map(|_| send(&name, "y")).chain([delete]);
    let answers = join_all(calls.map(|command| engine.call(command))).await;
    assert_eq!(answers.iter().rev().take(2).filter(|answer| answer.is_ok()).count(), 1);
    assert!(answers.last().unwrap().is_ok(), "the delete was asked last and was let in");
}

#[tokio::test]
async fn on_a_full_disk_only_what_grows_is_refused() {
    let log = MemoryLog::with_limit(40_000);
    let (engine, _ended) = engine_with(options(), Arc::new(log)).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    let large = "x".repeat(10_000);
    while engine.call(send(&name, &large)).await != Err(CallError::Full) {}
    engine.call(Command::FindQueue { name: name.clone() }).await.unwrap();
    engine.call(Command::DescribeQueue { name: name.clone() }).await.unwrap();
    let handed_out = deliveries(engine.call(receive(&name, 0)).await);
    let receipt = handed_out.first().unwrap().receipt;
    engine.call(Command::Delete { queue: name.clone(), receipt }).await.unwrap();
    engine.call(Command::PurgeQueue { name: name.clone() }).await.unwrap();
    engine.call(Command::DeleteQueue { name }).await.unwrap();
}

#[tokio::test]
async fn at_the_budget_of_the_state_only_what_grows_is_refused() {
    let bounded = Options { state_bytes_max: 20_000, ..options() };
    let (engine, _ended) = engine_with(bounded, Arc::new(MemoryLog::new())).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    let mut sent = 0;
    let refused = loop {
        match engine.call(send(&name, "x")).await {
            Ok(_) => sent += 1,
            refused => break refused,
        }
    };
    assert_eq!(refused, Err(CallError::Budget));
    assert!((100..200).contains(&sent), "{sent} messages of about a hundred bytes");
    let given = SettingsPatch::default();
    let (other, kind) = (Name::new("other"), QueueKind::Standard);
    let create = Command::CreateQueue { name: other, kind, given, tags: Vec::new() };
    assert_eq!(engine.call(create.clone()).await, Err(CallError::Budget));
    engine.call(Command::DescribeQueue { name: name.clone() }).await.unwrap();

    for _ in 0..20 {
        let receipt = deliveries(engine.call(receive(&name, 0)).await).remove(0).receipt;
        let timeout = Millis::seconds(5);
        let longer = Command::ChangeLease { queue: name.clone(), receipt, timeout };
        engine.call(longer).await.unwrap();
        engine.call(Command::Delete { queue: name.clone(), receipt }).await.unwrap();
    }
    let mut again = 0;
    while engine.call(send(&name, "x")).await.is_ok() {
        again += 1;
    }
    assert_eq!(again, 20, "a message for each that was deleted");
    engine.call(Command::PurgeQueue { name: name.clone() }).await.unwrap();
    engine.call(create).await.unwrap();
}

/// A start has the state that it has; nothing is thrown away because the budget is smaller now.
#[tokio::test]
async fn a_budget_below_what_is_kept_refuses_until_it_is_less() {
    let log = MemoryLog::new();
    let (engine, ended) = engine_with(options(), Arc::new(log.connect())).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    for _ in 0..100 {
        engine.call(send(&name, "x")).await.unwrap();
    }
    engine.finish();
    ended.await.unwrap().unwrap();
    let bounded = Options { state_bytes_max: 5_000, ..options() };
    let (engine, _ended) = engine_with(bounded, Arc::new(log.connect())).await;
    assert_eq!(engine.call(send(&name, "x")).await, Err(CallError::Budget));
    let mut deleted = 0;
    while engine.call(send(&name, "x")).await == Err(CallError::Budget) {
        let receipt = deliveries(engine.call(receive(&name, 0)).await).remove(0).receipt;
        engine.call(Command::Delete { queue: name.clone(), receipt }).await.unwrap();
        deleted += 1;
    }
    assert!((40..80).contains(&deleted), "{deleted}");
}
