//! Facts that are damaged stop decisions, and nothing else: what is before them is answered.

use std::sync::Arc;

use lineside_core::command::{Command, Delivery, Description, Reply};
use lineside_core::id::Name;
use lineside_core::queue::{QueueKind, SettingsPatch};
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_core::stamp::Millis;
use lineside_engine::engine::{EngineFault, Handle, Options, Storage, start};
use lineside_engine::request::CallError;
use lineside_store::disk::{repair_on, verify_on};
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskLog, DiskOptions, OpenError};

use crate::support::{
    Answer, Ended, body, deliveries, engine_in, options, queue, receive, send, send_in_group,
};

const SEGMENT: &str = "0000000000000001.segment";

fn log_on(disk: &TestDisk) -> DiskLog {
    DiskLog::open_on(Arc::new(disk.clone()), DiskOptions::default()).unwrap()
}

fn storage(log: &DiskLog) -> Storage {
    Storage { blobs: Some(log.blobs()), log: Arc::new(log.clone()) }
}

/// An engine on a disk that is whole.
async fn sound(disk: &TestDisk, options: Options) -> (Handle, Ended) {
    engine_in(options, storage(&log_on(disk))).await
}

/// The same, unless a checkpoint has seen more than the log has now: nothing in a log says how far it
/// went once, when all of its end is gone, and then the start says so.
async fn sound_if_long_enough(disk: &TestDisk, to_the_end: bool) -> Option<(Handle, Ended)> {
    let storage = storage(&log_on(disk));
    let (engine, ended) = start(options(), async move { Ok(storage) });
    if engine.ready().await {
        return Some((engine, ended));
    }
    let fault = ended.await.unwrap().unwrap_err();
    let too_short = matches!(fault, EngineFault::LogTooShort { .. });
    assert!(to_the_end && too_short, "{fault}");
    None
}

/// An engine that is open for reading only.
async fn hurt(log: &DiskLog) -> (Handle, Ended) {
    let storage = storage(log);
    let (engine, ended) = start(options(), async move { Ok(storage) });
    assert!(!engine.ready().await && !engine.is_ready());
    let why = engine.read_only().unwrap();
    assert!(why.contains("0001.segment, byte ") && why.contains("lineside repair"), "{why}");
    (engine, ended)
}

async fn stop(engine: Handle, ended: Ended) {
    engine.finish();
    ended.await.unwrap().unwrap();
}

/// Where the heads of batches stand in the only segment.
fn batches(disk: &TestDisk) -> Vec<usize> {
    let bytes = disk.bytes(SEGMENT);
    let heads = bytes.windows(4).enumerate().filter(|(_, window)| window == b"LSBA");
    heads.map(|(at, _)| at).collect()
}

/// What is left of the disk, with the head of the batch damaged that is so far from the last.
fn damaged(disk: &TestDisk, from_last: usize) -> TestDisk {
    let left = disk.kill();
    let at = *batches(&left).iter().rev().nth(from_last).unwrap();
    left.damage(SEGMENT, &Damage::Flip(at as u64 + 20, 1));
    left
}

/// A queue with three messages, the first of which was handed out, and its delivery.
async fn three_messages(disk: &TestDisk) -> (Name, Delivery) {
    let (engine, ended) = sound(disk, options()).await;
    let name = queue(&engine, "q.fifo", QueueKind::Fifo).await;
    engine.call(send_in_group(&name, "one")).await.unwrap();
    let first = deliveries(engine.call(receive(&name, 0)).await).remove(0);
    engine.call(send_in_group(&name, "two")).await.unwrap();
    engine.call(send_in_group(&name, "three")).await.unwrap();
    stop(engine, ended).await;
    (name, first)
}

async fn describe(engine: &Handle, name: &Name) -> Box<Description> {
    match engine.call(Command::DescribeQueue { name: name.clone() }).await.unwrap() {
        Reply::Description(found) => found,
        other => panic!("{other:?}"),
    }
}

fn create(name: &str, kind: QueueKind) -> Command {
    let given = SettingsPatch::default();
    Command::CreateQueue { name: Name::new(name), kind, given, tags: Vec::new() }
}

fn assert_refused(answer: &Answer) {
    let told = matches!(answer, Err(CallError::ReadOnly(why)) if why.contains("damaged at"));
    assert!(told, "{answer:?}");
}

#[tokio::test]
async fn what_only_looks_is_answered_and_everything_else_refused() {
    let disk = TestDisk::new();
    let (name, first) = three_messages(&disk).await;
    let disk = damaged(&disk, 0);
    let log = log_on(&disk);
    let (engine, ended) = hurt(&log).await;

    let found = describe(&engine, &name).await;
    assert_eq!((found.visible, found.in_flight), (1, 1), "what was sent before the damage");
    let list = Command::ListQueues { prefix: Name::new(""), after: None, limit: 10 };
    let names = Reply::Names { names: vec![name.clone()], more: false };
    assert_eq!(engine.call(list).await, Ok(names));
    let found = engine.call(Command::FindQueue { name: name.clone() }).await;
    assert_eq!(engine.call(create("q.fifo", QueueKind::Fifo)).await, found, "it is there already");
    let missing = engine.call(Command::FindQueue { name: Name::new("other") }).await;
    let refusal = QueueRefusal::Missing { name: Name::new("other") };
    assert_eq!(missing, Err(CallError::Refused(Refusal::Queue(refusal))));
    assert_eq!(engine.body(first.body).await.unwrap(), "one");
    assert!(matches!(engine.call(send_in_group(&name, "two")).await, Ok(Reply::Sent { .. })));

    let receipt = first.receipt;
    let refused = [
        send_in_group(&name, "four"),
        receive(&name, 20),
        create("new", QueueKind::Standard),
        Command::Canary,
        Command::PurgeQueue { name: name.clone() },
        Command::DeleteQueue { name: name.clone() },
        Command::Delete { queue: name.clone(), receipt },
        Command::ChangeLease { queue: name.clone(), receipt, timeout: Millis::ZERO },
    ];
    for command in refused {
        assert_refused(&engine.call(command).await);
    }
    let advanced = engine.advance(Millis::seconds(5)).await;
    assert!(matches!(advanced, Err(CallError::ReadOnly(_))), "{advanced:?}");
    engine.dismiss();
    describe(&engine, &name).await;
    stop(engine, ended).await;
}

/// That a message is not there says nothing where what came after is lost.
#[tokio::test]
async fn a_settlement_that_would_change_nothing_is_refused_too() {
    let disk = TestDisk::new();
    let (engine, ended) = sound(&disk, options()).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    engine.call(send(&name, "x")).await.unwrap();
    let receipt = deliveries(engine.call(receive(&name, 0)).await).remove(0).receipt;
    stop(engine, ended).await;
    let lost = 2;
    let disk = damaged(&disk, lost - 1);
    let log = log_on(&disk);
    let (engine, _ended) = hurt(&log).await;
    assert_eq!(describe(&engine, &name).await.visible, 0, "the message is behind the damage");
    assert_refused(&engine.call(Command::Delete { queue: name, receipt }).await);
}

#[tokio::test]
async fn nothing_is_written_and_a_repair_opens_it_again() {
    let disk = TestDisk::new();
    let (name, _) = three_messages(&disk).await;
    for from_last in 0..5 {
        let disk = damaged(&disk.copy(), from_last);
        let (before, names) = (disk.bytes(SEGMENT), disk.file_names());
        let log = log_on(&disk);
        let (engine, ended) = hurt(&log).await;
        assert_refused(&engine.call(create("new", QueueKind::Standard)).await);
        stop(engine, ended).await;
        drop(log);
        assert_eq!((disk.bytes(SEGMENT), disk.file_names()), (before, names));
        let repaired = repair_on(&disk.kill(), false).unwrap();
        assert!(repaired.after.unwrap().is_sound());
    }
    let disk = damaged(&disk, 0);
    repair_on(&disk, false).unwrap();
    let (engine, ended) = sound(&disk, options()).await;
    engine.call(send_in_group(&name, "three")).await.unwrap();
    assert_eq!(describe(&engine, &name).await.visible, 2, "the third was lost, and is sent again");
    stop(engine, ended).await;
}

/// Other tools may look while it is open, and none may change anything.
#[tokio::test]
async fn a_log_that_is_shared_is_read_beside_others_who_look() {
    let disk = TestDisk::new();
    let (name, first) = three_messages(&disk).await;
    let disk = damaged(&disk, 0);
    let log = log_on(&disk);
    let (engine, ended) = hurt(&log).await;
    assert!(matches!(verify_on(&disk), Err(OpenError::InUse(_))));
    let before = disk.bytes(SEGMENT);
    log.share().await.unwrap();
    assert!(!verify_on(&disk).unwrap().is_sound());
    assert!(matches!(repair_on(&disk, false), Err(OpenError::InUse(_))));
    assert_eq!(engine.body(first.body).await.unwrap(), "one");
    describe(&engine, &name).await;
    assert_eq!(disk.bytes(SEGMENT), before);
    stop(engine, ended).await;
    assert!(repair_on(&disk, false).unwrap().after.unwrap().is_sound());
}

/// A log with several checkpoints and five messages behind the last; the queue and its messages.
async fn with_checkpoints(disk: &TestDisk) -> (Name, usize) {
    let eager = Options { checkpoint_bytes: 2_000, ..options() };
    let log = log_on(disk);
    let (engine, ended) = engine_in(eager, storage(&log)).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    let mut sent = 0;
    let completed = async || {
        let names = log.blobs().list("checkpoint-").await.unwrap();
        names.iter().any(|name| name.contains("-00000003-manifest"))
    };
    while !completed().await {
        engine.call(send(&name, &format!("message {sent}"))).await.unwrap();
        sent += 1;
    }
    for _ in 0..5 {
        engine.call(send(&name, "behind")).await.unwrap();
    }
    stop(engine, ended).await;
    (name, sent + 5)
}

/// Damage costs nothing below a checkpoint, and behind it only what came after.
#[tokio::test]
async fn a_checkpoint_is_the_least_that_is_answered() {
    let disk = TestDisk::new();
    let (name, sent) = with_checkpoints(&disk).await;
    let left = damaged(&disk.copy(), 0);
    let log = log_on(&left);
    let (engine, _ended) = hurt(&log).await;
    assert_eq!(describe(&engine, &name).await.visible, sent - 1);

    let first = batches(&disk).len() - 1;
    let (engine, _ended) = sound(&damaged(&disk, first), options()).await;
    assert_eq!(engine.read_only(), None);
    assert_eq!(describe(&engine, &name).await.visible, sent);
    let found = body(&engine, engine.call(receive(&name, 0)).await).await;
    assert_eq!(found, "message 0");
}

/// Wherever batches are lost, at a checkpoint's begin, at the log's or at its end: a repair makes a
/// log that starts, and nothing is left to repair.
#[tokio::test]
async fn a_log_starts_after_a_repair_whatever_was_lost() {
    let disk = TestDisk::new();
    let (name, sent) = with_checkpoints(&disk).await;
    let bare = TestDisk::new();
    three_messages(&bare).await;
    for (disk, step) in [(disk, 7), (bare, 1)] {
        let batches = batches(&disk);
        for lost in [1, 2, 12] {
            for first in (0..batches.len()).step_by(step) {
                // Each batch is a write of its own, whose header stands before it.
                let begin = batches[first] - 64;
                let end = batches.get(first + lost).map_or(disk.bytes(SEGMENT).len(), |b| b - 64);
                let hurt = disk.copy();
                hurt.damage(SEGMENT, &Damage::Put(begin as u64, vec![0; end - begin]));
                repair_on(&hurt, false).unwrap();
                let to_the_end = first + lost >= batches.len();
                let Some((engine, ended)) = sound_if_long_enough(&hurt, to_the_end).await else {
                    continue;
                };
                if step == 7 {
                    let found = describe(&engine, &name).await.visible;
                    assert!(
                        found <= sent && found + lost >= sent,
                        "{found} of {sent}, {lost} lost"
                    );
                }
                stop(engine, ended).await;
            }
        }
    }
}
