//! A start from a checkpoint and the log's tail finds what a start from the whole log would find.

use std::sync::Arc;

use bytes::Bytes;
use lineside_core::command::{Command, Reply};
use lineside_core::id::{Name, PartitionId, Position};
use lineside_core::queue::{QueueKind, SettingsPatch};
use lineside_engine::checkpoint::manifest::{BlobEntry, Manifest};
use lineside_engine::engine::{Handle, Options, Storage};
use lineside_engine::log::Log;
use lineside_store::MemoryLog;

use crate::support::{body, deliveries, engine_in, options, queue, receive, send, send_in_group};

/// So little that each few messages begin a checkpoint.
fn eager() -> Options {
    Options { checkpoint_bytes: 2_000, ..options() }
}

/// Expects to hear that a checkpoint was passed over, and nothing else.
fn heard() -> Options {
    Options { notice: |text| assert!(text.contains("passed over"), "{text}"), ..eager() }
}

fn storage(log: &MemoryLog) -> Storage {
    let log = log.connect();
    Storage { blobs: Some(log.blobs()), log: Arc::new(log) }
}

async fn manifests(log: &MemoryLog) -> Vec<String> {
    let names = log.blobs().list("checkpoint-").await.unwrap();
    names.into_iter().filter(|name| name.ends_with("-manifest")).collect()
}

/// The number of the newest checkpoint that was completed.
async fn newest(log: &MemoryLog) -> u32 {
    let names = manifests(log).await;
    let number = |name: &String| u32::from_str_radix(name.split('-').nth(3).unwrap(), 16).unwrap();
    names.iter().map(number).max().unwrap_or(0)
}

/// Sends until so many checkpoints have been completed in all.
async fn send_until_checkpoints(engine: &Handle, name: &Name, log: &MemoryLog, number: u32) {
    for n in 0..100_000 {
        engine.call(send(name, &format!("filler {n}"))).await.unwrap();
        if newest(log).await >= number {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("no checkpoint {number} after 100,000 messages");
}

#[tokio::test]
async fn a_start_goes_on_from_a_checkpoint() {
    let log = MemoryLog::new();
    let (first, ended) = engine_in(eager(), storage(&log)).await;
    let (filler, kept) = (
        queue(&first, "filler", QueueKind::Standard).await,
        queue(&first, "kept.fifo", QueueKind::Fifo).await,
    );
    first.call(send_in_group(&kept, "before")).await.unwrap();
    send_until_checkpoints(&first, &filler, &log, 3).await;
    first.call(send_in_group(&kept, "after")).await.unwrap();
    first.finish();
    ended.await.unwrap().unwrap();

    let (second, _ended) = engine_in(eager(), storage(&log)).await;
    assert_eq!(body(&second, second.call(receive(&kept, 0)).await).await, "before");
    let duplicate = second.call(send_in_group(&kept, "after")).await.unwrap();
    let Reply::Sent { seq, .. } = duplicate else { panic!("{duplicate:?}") };
    assert_eq!(seq.0, 2, "the deduplication window came back too");
}

#[tokio::test]
async fn two_checkpoints_are_kept_and_the_rest_is_removed() {
    let log = MemoryLog::new();
    let (engine, _ended) = engine_in(eager(), storage(&log)).await;
    let filler = queue(&engine, "filler", QueueKind::Standard).await;
    send_until_checkpoints(&engine, &filler, &log, 6).await;
    let found = manifests(&log).await;
    assert!(found.len() <= 3, "two, and one more while it takes over: {found:?}");
    assert!(!found.iter().any(|name| name.contains("-00000001-manifest")), "{found:?}");
}

#[tokio::test]
async fn a_damaged_checkpoint_is_passed_over_for_the_one_before_it() {
    let log = MemoryLog::new();
    let (first, ended) = engine_in(eager(), storage(&log)).await;
    let filler = queue(&first, "filler", QueueKind::Standard).await;
    send_until_checkpoints(&first, &filler, &log, 4).await;
    let counted = count(&first, &filler).await;
    first.finish();
    ended.await.unwrap().unwrap();

    let newest = manifests(&log).await.pop().unwrap();
    let rot = Bytes::from_static(b"rot");
    log.blobs().put(&newest, rot.clone()).await.unwrap();
    let (second, ended) = engine_in(heard(), storage(&log)).await;
    assert_eq!(count(&second, &filler).await, counted);
    second.finish();
    ended.await.unwrap().unwrap();

    for name in manifests(&log).await {
        log.blobs().put(&name, rot.clone()).await.unwrap();
    }
    let (third, ended) = lineside_engine::engine::start(heard(), {
        let storage = storage(&log);
        async move { Ok(storage) }
    });
    assert!(!third.ready().await, "the facts below are gone, so a start would invent a state");
    let why = ended.await.unwrap().unwrap_err().to_string();
    assert!(why.contains("reclaimed"), "{why}");
}

/// Blocks that do not change are not written again, and still the two have none in common: damage
/// to one, in whatever block, leaves the other.
#[tokio::test]
async fn the_two_that_are_kept_share_nothing() {
    let log = MemoryLog::new();
    let (first, ended) = engine_in(eager(), storage(&log)).await;
    let still = queue(&first, "still", QueueKind::Standard).await;
    for n in 0..300 {
        first.call(send(&still, &n.to_string())).await.unwrap();
    }
    let filler = queue(&first, "filler", QueueKind::Standard).await;
    // One is under way perhaps and has seen less; the next has not, and the second after that
    // compares with it.
    let seen = newest(&log).await;
    send_until_checkpoints(&first, &filler, &log, seen + 4).await;
    first.finish();
    ended.await.unwrap().unwrap();

    let newest = manifests(&log).await.pop().unwrap();
    let manifest = Manifest::decode(&log.blobs().get(&newest).await.unwrap()).unwrap();
    assert!(
        manifest.blobs.iter().any(|blob| blob.id != manifest.id),
        "the untouched queue was written anew: {manifest:?}"
    );
    for BlobEntry { id, nth, .. } in &manifest.blobs {
        let name = format!("checkpoint-0000-{:08x}-{:08x}-{nth:04x}", id.epoch.0, id.number);
        log.blobs().get(&name).await.unwrap();
        log.blobs().put(&name, Bytes::from_static(b"rot")).await.unwrap();
    }
    let (second, _ended) = engine_in(heard(), storage(&log)).await;
    assert_eq!(count(&second, &still).await, 300);
}

async fn count(engine: &Handle, name: &Name) -> usize {
    match engine.call(Command::DescribeQueue { name: name.clone() }).await.unwrap() {
        Reply::Description(found) => found.visible + found.in_flight + found.delayed,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_checkpoint_covers_is_reclaimed_and_what_lives_is_not() {
    let log = MemoryLog::new();
    let (engine, _ended) = engine_in(eager(), storage(&log)).await;
    let kept = queue(&engine, "kept", QueueKind::Standard).await;
    let filler = queue(&engine, "filler", QueueKind::Standard).await;
    engine.call(send(&kept, "lives")).await.unwrap();
    engine.call(send(&kept, "dies")).await.unwrap();
    let handed_out = deliveries(engine.call(receive(&kept, 0)).await);
    let lives = handed_out.first().unwrap().clone();
    let handed_out = deliveries(engine.call(receive(&kept, 0)).await);
    let dies = handed_out.first().unwrap().clone();
    let delete = Command::Delete { queue: kept.clone(), receipt: dies.receipt };
    engine.call(delete).await.unwrap();
    send_until_checkpoints(&engine, &filler, &log, 4).await;
    assert_eq!(engine.body(lives.body).await.unwrap(), "lives");
    assert!(engine.body(dies.body).await.is_err(), "nothing names it any more");
    let mut whole = log.read(PartitionId(0), Position::default());
    let (first, _) = futures::StreamExt::next(&mut whole).await.unwrap().unwrap();
    assert!(first > Position::default(), "the first facts are gone");
}

/// A message moves between two queues while a checkpoint is under way: its body is in the log and
/// in neither snapshot.
#[tokio::test]
async fn a_message_that_moves_during_a_checkpoint_keeps_its_body() {
    let log = MemoryLog::new();
    let (engine, ended) = engine_in(eager(), storage(&log)).await;
    let filler = queue(&engine, "filler", QueueKind::Standard).await;
    // The dead letters' queue has the smaller id, so it is given first.
    let dead = queue(&engine, "dead", QueueKind::Standard).await;
    let source = queue(&engine, "source", QueueKind::Standard).await;
    let rule = lineside_core::parts::DeadLetterRule { target: dead.clone(), receives_max: 1 };
    let patch = SettingsPatch { dead_letter: Some(Some(rule)), ..SettingsPatch::default() };
    engine.call(Command::ChangeQueue { name: source.clone(), patch, only_if: None }).await.unwrap();
    let mut moved = 0;
    for number in 1..=40 {
        engine.call(send(&source, &format!("poison {number}"))).await.unwrap();
        let taken = deliveries(engine.call(receive(&source, 0)).await);
        let Some(delivery) = taken.first() else { continue };
        let receipt = delivery.receipt;
        let timeout = lineside_core::stamp::Millis::ZERO;
        let back = Command::ChangeLease { queue: source.clone(), receipt, timeout };
        engine.call(back).await.unwrap();
        engine.call(send(&filler, "a slice between")).await.unwrap();
        assert_eq!(deliveries(engine.call(receive(&source, 0)).await), []);
        moved += 1;
    }
    send_until_checkpoints(&engine, &filler, &log, 8).await;
    engine.finish();
    ended.await.unwrap().unwrap();
    let (again, _ended) = engine_in(eager(), storage(&log)).await;
    for _ in 0..moved {
        let found = body(&again, again.call(receive(&dead, 0)).await).await;
        assert!(found.starts_with("poison"), "{found}");
    }
}
