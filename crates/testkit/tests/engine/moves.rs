//! Messages that are moved out of a dead-letter queue by the engine itself.

use std::collections::VecDeque;
use std::sync::Arc;

use lineside_core::command::{Command, Reply};
use lineside_core::id::{MessageId, Name, PartitionId, Seq};
use lineside_core::limits::Limits;
use lineside_core::parts::DeadLetterRule;
use lineside_core::queue::{MoveStatus, MoveTask, QueueKind, SettingsPatch};
use lineside_core::stamp::{Millis, Stamp};
use lineside_engine::checkpoint::Piece;
use lineside_engine::engine::Handle;
use lineside_engine::owner::{Now, Owner};
use lineside_engine::request::Request;
use lineside_store::{DiskLog, DiskOptions, MemoryLog, testing::TestDisk};
use tokio::sync::oneshot;

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
        from: Seq(0),
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
    const MESSAGES: usize = 60;
    let disk = TestDisk::new();
    let open = |disk: &TestDisk| {
        Arc::new(DiskLog::open_on(Arc::new(disk.clone()), DiskOptions::default()).unwrap())
    };
    let (first, ended) = engine(open(&disk)).await;
    let (dead, to) = pair(&first).await;
    for n in 0..MESSAGES {
        first.call(send(&dead, &n.to_string())).await.unwrap();
    }
    let task = start_move(&first, &dead, &to, Some(10)).await;
    first.dismiss();
    first.finish();
    ended.await.unwrap().unwrap();
    let left = disk.power_cut_clean();
    let (second, _ended) = engine(open(&left)).await;
    let moved = last_move(&second, &dead).await;
    assert_eq!((moved.id, moved.status), (task, MoveStatus::Running));
    assert!(moved.moved < 50, "the engine waited for it: {}", moved.moved);
    assert_eq!(peeked(&second, &dead).await + peeked(&second, &to).await, MESSAGES);
    let waits = begin(&second, receive(&to, 20)).await;
    assert_eq!(body(&second, waits.await).await.parse::<usize>().map(|n| n < MESSAGES), Ok(true));
}

const NOW: Now = Now { stamp: Stamp(1_760_000_000_000), patience: Millis(0) };

/// One turn over commands.
fn turn(owner: &mut Owner, commands: impl IntoIterator<Item = Command>) {
    let mut open = Vec::new();
    let request = |command| {
        let (reply, answer) = oneshot::channel();
        open.push(answer);
        Request::Call { command, reply }
    };
    let mut inbox: VecDeque<Request> = commands.into_iter().map(request).collect();
    owner.turn(NOW, &mut inbox);
}

/// An owner of `to` and of `dead`, with so many messages in `dead`.
async fn owner_of(messages: usize) -> (Owner, Command) {
    let (partition, limits) = (PartitionId(0), Limits::cloud());
    let mut owner = Owner::replay(Arc::new(MemoryLog::new()), partition, limits).await.unwrap();
    owner.take_over(NOW);
    let (dead, to) = (Name::new("dead"), Name::new("to"));
    let create = |name: &Name| Command::CreateQueue {
        name: name.clone(),
        kind: QueueKind::Standard,
        given: SettingsPatch::default(),
        tags: Vec::new(),
    };
    let rule = DeadLetterRule { target: dead.clone(), receives_max: 1 };
    let patch = SettingsPatch { dead_letter: Some(Some(rule)), ..SettingsPatch::default() };
    let change = Command::ChangeQueue { name: to.clone(), patch, only_if: None };
    let sends = (0..messages).map(|_| send(&dead, "x"));
    turn(&mut owner, [create(&to), create(&dead), change].into_iter().chain(sends));
    (owner, Command::StartMove { source: dead, destination: Some(to), rate: None })
}

/// With each write a move would decide on more, and there would be no end.
#[tokio::test]
async fn an_owner_that_rests_moves_nothing_more() {
    let (mut owner, start) = owner_of(100).await;
    turn(&mut owner, [start]);
    assert!(owner.has_work(NOW), "100 messages are to be moved");
    owner.rest();
    let before = owner.evolved();
    turn(&mut owner, []);
    assert_eq!((owner.evolved(), owner.has_work(NOW)), (before, false));
    assert_eq!(owner.wake_at().0, None);
}

/// The destination was given before the message came there, the source after it had gone: its body is
/// in neither, and a checkpoint needs it all the same.
#[tokio::test]
async fn a_message_that_is_moved_during_a_checkpoint_keeps_its_body() {
    let (mut owner, start) = owner_of(1).await;
    drop(owner.begin_checkpoint());
    let (mut pieces, _) = owner.checkpoint_slice(1);
    turn(&mut owner, [start]);
    turn(&mut owner, []);
    pieces.extend(owner.checkpoint_slice(100).0);
    let [Piece::Resource(to), Piece::Resource(dead), Piece::End { moved, .. }] = pieces.as_slice()
    else {
        panic!("{} pieces", pieces.len());
    };
    assert_eq!((to.bodies().count(), dead.bodies().count(), moved.len()), (0, 0, 1));
    let bodies = owner.partition().snapshot_after(None).unwrap().bodies().collect::<Vec<_>>();
    assert_eq!(*moved, bodies, "as the destination has it now");
}
