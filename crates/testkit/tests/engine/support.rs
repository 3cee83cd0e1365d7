//! Words that the tests share.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::poll;
use lineside_core::command::{Command, Delivery, NewDedup, NewMessage, Reply};
use lineside_core::id::{Label, Name, PartitionId};
use lineside_core::limits::Limits;
use lineside_core::queue::{QueueKind, SettingsPatch};
use lineside_core::stamp::Millis;
use lineside_engine::checkpoint::BYTES_BETWEEN;
use lineside_engine::engine::{EngineFault, Handle, Options, Storage, start};
use lineside_engine::log::Log;
use lineside_engine::request::CallError;
use tokio::task::JoinHandle;

pub(crate) type Answer = Result<Reply, CallError>;
pub(crate) type Ended = JoinHandle<Result<(), EngineFault>>;

pub(crate) fn options() -> Options {
    Options {
        partition: PartitionId(0),
        limits: Limits::cloud(),
        steerable: false,
        inbox_max: 1024,
        checkpoint_bytes: BYTES_BETWEEN,
        state_bytes_max: u64::MAX,
        notice: |text| panic!("nothing to notice: {text}"),
    }
}

/// An engine that is ready.
pub(crate) async fn engine(log: Arc<dyn Log>) -> (Handle, Ended) {
    engine_with(options(), log).await
}

pub(crate) async fn engine_with(options: Options, log: Arc<dyn Log>) -> (Handle, Ended) {
    engine_in(options, Storage { log, blobs: None }).await
}

pub(crate) async fn engine_in(options: Options, storage: Storage) -> (Handle, Ended) {
    let (engine, ended) = start(options, async move { Ok(storage) });
    if engine.ready().await {
        return (engine, ended);
    }
    match engine.read_only() {
        Some(why) => panic!("it is open for reading only: {why}"),
        None => panic!("it has ended: {:?}", ended.await),
    }
}

/// A call whose request is in the inbox when this returns.
pub(crate) async fn begin(
    engine: &Handle,
    command: Command,
) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
    let engine = engine.clone();
    let mut call = Box::pin(async move { engine.call(command).await });
    assert!(poll!(call.as_mut()).is_pending(), "an answer before the engine's turn");
    call
}

/// Returns when everything that was asked before has had its turn.
pub(crate) async fn settle(engine: &Handle, queue: &Name) {
    engine.call(Command::FindQueue { name: queue.clone() }).await.unwrap();
}

pub(crate) async fn queue(engine: &Handle, name: &str, kind: QueueKind) -> Name {
    let name = Name::new(name);
    let given = SettingsPatch::default();
    engine
        .call(Command::CreateQueue { name: name.clone(), kind, given, tags: Vec::new() })
        .await
        .unwrap();
    name
}

pub(crate) fn send(queue: &Name, text: &str) -> Command {
    let message = NewMessage {
        body: Bytes::copy_from_slice(text.as_bytes()),
        size: 1,
        delay: None,
        group: None,
        dedup: NewDedup::None,
    };
    Command::Send { queue: queue.clone(), message }
}

/// A send to a FIFO queue, in one group.
pub(crate) fn send_in_group(queue: &Name, text: &str) -> Command {
    let Command::Send { queue, message } = send(queue, text) else { unreachable!() };
    let (group, dedup) = (Some(Label::new("g")), NewDedup::Id(Label::new(text)));
    Command::Send { queue, message: NewMessage { group, dedup, ..message } }
}

/// A receive of one message that waits so many seconds.
pub(crate) fn receive(queue: &Name, wait: u64) -> Command {
    Command::Receive {
        queue: queue.clone(),
        max: 1,
        visibility: None,
        wait: Some(Millis::seconds(wait)),
        attempt: None,
        alone: false,
    }
}

/// What was handed out.
pub(crate) fn deliveries(answer: Answer) -> Vec<Delivery> {
    match answer {
        Ok(Reply::Received(deliveries)) => deliveries,
        other => panic!("not a receive's reply: {other:?}"),
    }
}

/// The body of the one message that was handed out.
pub(crate) async fn body(engine: &Handle, answer: Answer) -> String {
    let deliveries = deliveries(answer);
    let [delivery] = deliveries.as_slice() else { panic!("{} messages", deliveries.len()) };
    String::from_utf8(engine.body(delivery.body).await.unwrap().to_vec()).unwrap()
}
