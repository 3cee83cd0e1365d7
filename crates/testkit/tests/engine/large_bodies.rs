//! A message of the size that Service Bus takes at most, from its send to the file that is given back.

use std::sync::Arc;

use bytes::Bytes;
use lineside_core::command::{Command, NewDedup, NewMessage};
use lineside_core::id::Name;
use lineside_core::queue::QueueKind;
use lineside_core::stamp::Millis;
use lineside_engine::engine::{Handle, Options, Storage};
use lineside_store::testing::TestDisk;
use lineside_store::{DiskLog, DiskOptions};

use crate::support::{Ended, deliveries, engine_in, options, queue, receive, send};

/// 100 MB, as the cloud counts.
const LARGE: usize = 100 * 1024 * 1024;

async fn engine_on(disk: &TestDisk) -> (DiskLog, Handle, Ended) {
    let log = DiskLog::open_on(Arc::new(disk.clone()), DiskOptions::default()).unwrap();
    let storage = Storage { blobs: Some(log.blobs()), log: Arc::new(log.clone()) };
    // So little that each few messages begin a checkpoint; one may fail when the process is killed.
    let options = Options { checkpoint_bytes: 2_000, notice: |_| {}, ..options() };
    let (engine, ended) = engine_in(options, storage).await;
    (log, engine, ended)
}

fn large() -> Bytes {
    let mut bytes = vec![0; LARGE];
    bytes.iter_mut().enumerate().step_by(997).for_each(|(at, byte)| *byte = at.to_le_bytes()[1]);
    Bytes::from(bytes)
}

fn send_large(queue: &Name) -> Command {
    let (delay, group, dedup) = (None, None, NewDedup::None);
    let message = NewMessage { body: large(), size: 1, delay, group, dedup };
    Command::Send { queue: queue.clone(), message }
}

/// A receive whose message stays visible to others.
fn look(queue: &Name) -> Command {
    let (queue, visibility) = (queue.clone(), Some(Millis::ZERO));
    Command::Receive { queue, max: 1, visibility, wait: None, attempt: None, alone: false }
}

fn bodies_outside(disk: &TestDisk) -> usize {
    let names = disk.folder_names("blobs");
    names.iter().filter(|name| name.starts_with("body-") && name.ends_with(".blob")).count()
}

#[tokio::test]
async fn a_message_of_100_mb_is_kept_read_and_given_back() {
    let disk = TestDisk::new();
    let (_, first, _ended) = engine_on(&disk).await;
    let name = queue(&first, "q", QueueKind::Standard).await;
    first.call(send_large(&name)).await.unwrap();
    let sent = deliveries(first.call(look(&name)).await);
    assert!(first.body(sent.first().unwrap().body).await == Ok(large()), "before a restart");

    let disk = disk.kill();
    let (log, second, ended) = engine_on(&disk).await;
    assert_eq!(bodies_outside(&disk), 1);
    let taken = deliveries(second.call(receive(&name, 0)).await).first().unwrap().clone();
    assert!(second.body(taken.body).await == Ok(large()), "after a restart");
    second.call(Command::Delete { queue: name.clone(), receipt: taken.receipt }).await.unwrap();
    for filler in 0..10_000 {
        if bodies_outside(&disk) == 0 {
            break;
        }
        second.call(send(&name, &format!("filler {filler}"))).await.unwrap();
        log.tidied().await;
    }
    assert_eq!(bodies_outside(&disk), 0, "a dead body keeps its file");
    assert!(second.body(taken.body).await.is_err());
    second.finish();
    ended.await.unwrap().unwrap();
}
