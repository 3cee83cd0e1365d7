//! The log refuses a batch, as it does when others have filled the disk to the last byte: the engine
//! does not end, tells those who ask to come back, and goes on from what is durable.

use std::collections::BTreeSet;
use std::sync::Arc;

use lineside_core::command::{Command, Delivery, Reply};
use lineside_core::id::Name;
use lineside_core::queue::QueueKind;
use lineside_engine::engine::{EngineFault, Handle, Options, Storage, start};
use lineside_engine::log::AppendError;
use lineside_engine::request::CallError;
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions};

use crate::support::{
    Answer, Ended, body, deliveries, engine_in, options, queue, receive, send, send_in_group,
};

fn storage(disk: &TestDisk, options: DiskOptions) -> Storage {
    let log = DiskLog::open_on(Arc::new(disk.clone()), options).unwrap();
    Storage { blobs: Some(log.blobs()), log: Arc::new(log) }
}

/// Each few messages begin a checkpoint, and a person hears what happens.
fn eager() -> Options {
    Options { checkpoint_bytes: 2_000, notice: |_| {}, ..options() }
}

async fn engine_on(disk: &TestDisk) -> (Handle, Ended) {
    engine_in(eager(), storage(disk, DiskOptions::default())).await
}

fn fill(disk: &TestDisk) {
    disk.set_free_bytes(0);
    disk.fail_write(0, 0, std::io::ErrorKind::StorageFull);
}

fn give_back(disk: &TestDisk) {
    disk.set_free_bytes(1 << 40);
}

async fn take(engine: &Handle, name: &Name) -> Delivery {
    deliveries(engine.call(receive(name, 0)).await).first().unwrap().clone()
}

fn delete(name: &Name, taken: &Delivery) -> Command {
    Command::Delete { queue: name.clone(), receipt: taken.receipt }
}

fn assert_unavailable(answer: &Answer) {
    let retryable =
        matches!(answer, Err(CallError::Unavailable(why)) if why.contains("no storage"));
    assert!(retryable, "{answer:?}");
}

async fn messages(engine: &Handle, name: &Name) -> usize {
    match engine.call(Command::DescribeQueue { name: name.clone() }).await.unwrap() {
        Reply::Description(found) => found.visible + found.in_flight + found.delayed,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_batch_ends_nobody_and_the_same_engine_goes_on() {
    let disk = TestDisk::new();
    let (engine, ended) = engine_on(&disk).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    for text in ["one", "two"] {
        engine.call(send(&name, text)).await.unwrap();
    }
    let taken = take(&engine, &name).await;
    fill(&disk);
    assert_unavailable(&engine.call(delete(&name, &taken)).await);
    // Nobody decides anything now; it is said which calls need room.
    for _ in 0..3 {
        assert_eq!(engine.call(send(&name, "no")).await, Err(CallError::Full));
        assert_unavailable(&engine.call(receive(&name, 0)).await);
        assert!(!engine.is_ready() && !ended.is_finished());
    }
    give_back(&disk);
    // Whoever asks next makes it look, and is perhaps the last one to be refused.
    drop(engine.call(receive(&name, 0)).await);
    engine.call(send(&name, "three")).await.unwrap();
    assert!(engine.ready().await && engine.is_ready());
    assert_eq!(messages(&engine, &name).await, 3, "nothing was deleted, and nothing lost");
    engine.call(delete(&name, &taken)).await.unwrap();
    assert_eq!(messages(&engine, &name).await, 2);
    engine.finish();
    ended.await.unwrap().unwrap();
    let (again, _ended) = engine_on(&disk.kill()).await;
    assert_eq!(messages(&again, &name).await, 2);
}

/// A disk that fills up again and again under load, at any write, with checkpoints under way.
#[tokio::test(start_paused = true)]
async fn what_was_acknowledged_is_there_and_nothing_else_however_often_it_is_refused() {
    let disk = TestDisk::new();
    let (engine, ended) = engine_on(&disk).await;
    let fifo = queue(&engine, "q.fifo", QueueKind::Fifo).await;
    let (mut kept, mut refused) = (BTreeSet::new(), 0);
    for round in 0..60_u64 {
        disk.fail_write(round % 5, (round * 37 % 300) as usize, std::io::ErrorKind::StorageFull);
        for nth in 0..6 {
            let text = format!("{round:03} {nth} {}", "x".repeat(200));
            match engine.call(send_in_group(&fifo, &text)).await {
                Ok(_) => drop(kept.insert(text)),
                Err(CallError::Unavailable(_) | CallError::Full) => {
                    refused += 1;
                    assert!(engine.ready().await);
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
    disk.heal();
    assert!(refused > 30 && kept.len() > 100, "{refused} refused, {} kept", kept.len());
    engine.call(send_in_group(&fifo, "zzz")).await.unwrap();
    let mut found = BTreeSet::new();
    while let Some(taken) = deliveries(engine.call(receive(&fifo, 0)).await).first() {
        let text = engine.body(taken.body).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert!(found.last() < Some(&text), "{text:?} is out of order, or there twice");
        found.insert(text);
        engine.call(delete(&fifo, taken)).await.unwrap();
    }
    assert!(found.remove("zzz"));
    assert_eq!(found, kept);
    assert!(!ended.is_finished());
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_room() {
    let disk = TestDisk::new();
    let (engine, ended) = engine_on(&disk).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    engine.call(send(&name, "kept")).await.unwrap();
    fill(&disk);
    assert_unavailable(&engine.call(Command::PurgeQueue { name: name.clone() }).await);
    engine.dismiss();
    engine.finish();
    ended.await.unwrap().unwrap();
    let disk = disk.kill();
    give_back(&disk);
    let (again, _ended) = engine_on(&disk).await;
    assert_eq!(body(&again, again.call(receive(&name, 0)).await).await, "kept");
}

/// There is no room even to take the partition over: the start waits, and looks by itself.
#[tokio::test(start_paused = true)]
async fn a_start_on_a_full_disk_is_through_when_there_is_room() {
    let disk = TestDisk::new();
    let (first, _) = engine_on(&disk).await;
    let name = queue(&first, "q", QueueKind::Standard).await;
    first.call(send(&name, "kept")).await.unwrap();
    let disk = disk.kill();
    let storage = storage(&disk, DiskOptions::default());
    fill(&disk);
    let (engine, ended) = start(eager(), async move { Ok(storage) });
    let early = engine.call(receive(&name, 0)).await;
    assert!(matches!(early, Err(CallError::Unavailable(_))), "{early:?}");
    assert!(!engine.is_ready() && !ended.is_finished());
    give_back(&disk);
    assert!(engine.ready().await);
    assert_eq!(body(&engine, engine.call(receive(&name, 0)).await).await, "kept");
}

/// A disk that fails is not a disk that is full: what is rejected by a log that sealed itself ends
/// the engine.
#[tokio::test]
async fn a_log_that_is_sealed_ends_the_engine_whatever_it_says_of_the_batch() {
    let disk = TestDisk::new();
    // Each write begins a segment, for which all before it is synced.
    let options = DiskOptions { segment_bytes: 1024, ..DiskOptions::default() };
    let (engine, ended) = engine_in(eager(), storage(&disk, options)).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    disk.fail_sync(0);
    let answer = engine.call(send(&name, &"x".repeat(3000))).await;
    assert!(matches!(answer, Err(CallError::Unavailable(_))), "{answer:?}");
    let fault = ended.await.unwrap().unwrap_err();
    let rejected = matches!(&fault, EngineFault::Append(AppendError::Rejected(_)));
    assert!(rejected && fault.to_string().contains("EIO"), "{fault}");
}
