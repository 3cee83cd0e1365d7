//! Messages that are moved out of a dead-letter queue by the engine itself.

use std::sync::Arc;

use lineside_core::command::{Command, Reply};
use lineside_core::id::{MessageId, Name};
use lineside_core::parts::DeadLetterRule;
use lineside_core::queue::{MoveStatus, MoveTask, QueueKind, SettingsPatch};
use lineside_engine::engine::Handle;
use lineside_store::{DiskLog, DiskOptions, MemoryLog, testing::TestDisk};

use crate::support::{begin, body, engine, queue, receive, send, settle};

/// A dead-letter queue, and a queue that its messages can be moved to.
async fn pair(engine: &Handle) -> (Name, Name) {
    let dead = queue(engine, "dead", QueueKind::Standard).await;
    let to = queue(engine, "to", QueueKind::Standard).await;
    let rule = DeadLetterRule { target: dead.clone(), receives_max: 1 };
    let patch = SettingsPatch { dead_letter: Some(Some(rule)), ..SettingsPatch::default() };
    let change = Command::ChangeQueue { name: to.clone(), patch, only_if: None };
    engine.call(change).await.unwrap();
    (dead, to)
}

async fn start_move(engine: &Handle, source: &Name, to: &Name, rate: Option<u32>) -> MessageId {
    let (source, destination) = (source.clone(), Some(to.clone()));
    match engine.call(Command::StartMove { source, destination, rate }).await {
        Ok(Reply::MoveStarted { task }) => task,
        other => panic!("{other:?}"),
    }
}

async fn last_move(engine: &Handle, source: &Name) -> MoveTask {
    match engine.call(Command::ListMoves { source: source.clone(), limit: 1 }).await {
        Ok(Reply::Moves(mut tasks)) => tasks.remove(0),
        other => panic!("{other:?}"),
    }
}

async fn peeked(engine: &Handle, queue: &Name) -> usize {
    let look = Command::Peek {
        queue: queue.clone(),
        from: lineside_core::id::Seq(0),
        max: 1000,
        in_flight: true,
        delayed: true,
    };
    match engine.call(look).await {
        Ok(Reply::Peeked { messages, .. }) => messages.len(),
        other => panic!("{other:?}"),
    }
}

/// Nobody calls after the start: it goes on by time alone, and wakes who waits at the destination.
#[tokio::test]
async fn a_moved_message_wakes_who_waits_for_it_and_has_its_body() {
    let (engine, _ended) = engine(Arc::new(MemoryLog::new())).await;
    let (dead, to) = pair(&engine).await;
    engine.call(send(&dead, "x")).await.unwrap();
    let waits = begin(&engine, receive(&to, 20)).await;
    settle(&engine, &to).await;
    start_move(&engine, &dead, &to, None).await;
    assert_eq!(body(&engine, waits.await).await, "x");
    let done = last_move(&engine, &dead).await;
    assert_eq!((done.status, done.moved, done.to_move), (MoveStatus::Completed, 1, 1));
}

/// The move would take long; the end does not wait for it, and the next start goes on with it.
#[tokio::test]
async fn an_engine_ends_in_the_middle_of_a_move_and_the_next_goes_on() {
    const MESSAGES: usize = 900;
    let disk = TestDisk::new();
    let open = |disk: &TestDisk| {
        Arc::new(DiskLog::open_on(Arc::new(disk.clone()), DiskOptions::default()).unwrap())
    };
    let (first, ended) = engine(open(&disk)).await;
    let (dead, to) = pair(&first).await;
    let sends = (0..MESSAGES).map(|n| {
        let (engine, send) = (first.clone(), send(&dead, &n.to_string()));
        async move { engine.call(send).await.unwrap() }
    });
    futures::future::join_all(sends).await;
    let task = start_move(&first, &dead, &to, Some(100)).await;
    first.dismiss();
    first.finish();
    ended.await.unwrap().unwrap();
    let left = disk.power_cut_clean();
    let (second, _ended) = engine(open(&left)).await;
    let moved = last_move(&second, &dead).await;
    assert_eq!((moved.id, moved.status), (task, MoveStatus::Running));
    assert!(moved.moved < 900, "it went on to its end before the engine ended");
    assert_eq!(peeked(&second, &dead).await + peeked(&second, &to).await, MESSAGES);
    let waits = begin(&second, receive(&to, 20)).await;
    assert_eq!(body(&second, waits.await).await.parse::<usize>().map(|n| n < MESSAGES), Ok(true));
}
