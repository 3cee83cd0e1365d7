//! The one waiting mechanism: who waits is served in order of arrival.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lineside_core::broker::{
    BrokerCommand, BrokerOperation, BrokerReply, BrokerSettings, NewBrokerMessage, ReceiveMode,
    SessionHolder, SubQueue, WhichSession,
};
use lineside_core::command::{Command, Reply};
use lineside_core::id::{Label, Name};
use lineside_core::queue::QueueKind;
use lineside_core::stamp::Millis;
use lineside_engine::engine::Handle;
use lineside_store::MemoryLog;

use crate::support::{
    Answer, begin, body, deliveries, engine, queue, receive, send, send_in_group,
};

#[tokio::test]
async fn receivers_are_served_in_order_of_arrival() {
    for kind in [QueueKind::Standard, QueueKind::Fifo] {
        let (engine, _ended) = engine(Arc::new(MemoryLog::new())).await;
        let name = queue(&engine, "q", kind).await;
        let first = begin(&engine, receive(&name, 20)).await;
        let second = begin(&engine, receive(&name, 20)).await;
        let third = begin(&engine, receive(&name, 20)).await;
        for text in ["1", "2", "3"] {
            let sent = match kind {
                QueueKind::Standard => engine.call(send(&name, text)).await,
                QueueKind::Fifo => {
                    let Command::Send { queue, mut message } = send_in_group(&name, text) else {
                        unreachable!()
                    };
                    message.group = Some(Label::new(text));
                    engine.call(Command::Send { queue, message }).await
                }
            };
            sent.unwrap();
        }
        assert_eq!(body(&engine, first.await).await, "1");
        assert_eq!(body(&engine, second.await).await, "2");
        assert_eq!(body(&engine, third.await).await, "3");
    }
}

#[tokio::test]
async fn a_caller_that_has_gone_is_not_handed_anything() {
    let (engine, _ended) = engine(Arc::new(MemoryLog::new())).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    let gone = begin(&engine, receive(&name, 20)).await;
    let stays = begin(&engine, receive(&name, 20)).await;
    crate::support::settle(&engine, &name).await;
    drop(gone);
    engine.call(send(&name, "1")).await.unwrap();
    assert_eq!(body(&engine, stays.await).await, "1");
}

#[tokio::test]
async fn deleting_the_queue_ends_the_wait() {
    let (engine, _ended) = engine(Arc::new(MemoryLog::new())).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    let waits = begin(&engine, receive(&name, 20)).await;
    engine.call(Command::DeleteQueue { name: name.clone() }).await.unwrap();
    assert!(waits.await.is_err());
}

#[tokio::test]
async fn an_empty_wait_ends_with_nothing() {
    let (engine, _ended) = engine(Arc::new(MemoryLog::new())).await;
    let name = queue(&engine, "q", QueueKind::Standard).await;
    assert_eq!(deliveries(engine.call(receive(&name, 1)).await), []);
}

fn broker(queue: &Name, operation: BrokerOperation) -> Command {
    Command::Broker(BrokerCommand::To { queue: queue.clone(), operation })
}

async fn broker_queue(engine: &Handle, sessions: bool) -> Name {
    let name = Name::new("b");
    let settings = BrokerSettings { sessions, ..BrokerSettings::default() };
    let create = BrokerCommand::Create { name: name.clone(), settings };
    engine.call(Command::Broker(create)).await.unwrap();
    name
}

fn broker_send(queue: &Name, session: Option<&str>, text: &str) -> Command {
    let message = NewBrokerMessage {
        body: Bytes::copy_from_slice(text.as_bytes()),
        message_id: None,
        session: session.map(Label::new),
        ttl: None,
        scheduled_at: None,
    };
    broker(queue, BrokerOperation::Send { message })
}

fn plain_receive(queue: &Name) -> Command {
    let operation = BrokerOperation::Receive {
        sub: SubQueue::Main,
        mode: ReceiveMode::ReceiveAndDelete,
        max: 1,
        wait: Some(Millis::seconds(20)),
    };
    broker(queue, operation)
}

fn accept(queue: &Name) -> Command {
    let wait = Some(Millis::seconds(20));
    broker(queue, BrokerOperation::AcceptSession { which: WhichSession::Next, wait })
}

async fn broker_body(engine: &Handle, answer: Answer) -> String {
    let Ok(Reply::Broker(BrokerReply::Received(deliveries))) = answer else {
        panic!("not a receive's reply: {answer:?}")
    };
    let [delivery] = deliveries.as_slice() else { panic!("{} messages", deliveries.len()) };
    let body = engine.body(delivery.message.body).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

fn session_of(answer: Answer) -> SessionHolder {
    match answer {
        Ok(Reply::Broker(BrokerReply::Accepted { holder, .. })) => holder,
        other => panic!("no session was accepted: {other:?}"),
    }
}

/// Service Bus, item 8: deliveries go to receivers in the order in which they asked.
#[tokio::test]
async fn item_08_plain_receivers_are_served_in_order_of_arrival() {
    let (engine, _ended) = engine(Arc::new(MemoryLog::new())).await;
    let name = broker_queue(&engine, false).await;
    let first = begin(&engine, plain_receive(&name)).await;
    let second = begin(&engine, plain_receive(&name)).await;
    for text in ["1", "2"] {
        engine.call(broker_send(&name, None, text)).await.unwrap();
    }
    assert_eq!(broker_body(&engine, first.await).await, "1");
    assert_eq!(broker_body(&engine, second.await).await, "2");
}

#[tokio::test]
async fn item_08_those_who_wait_for_a_session_are_served_in_order_of_arrival() {
    let (engine, _ended) = engine(Arc::new(MemoryLog::new())).await;
    let name = broker_queue(&engine, true).await;
    let first = begin(&engine, accept(&name)).await;
    let second = begin(&engine, accept(&name)).await;
    for session in ["a", "b"] {
        engine.call(broker_send(&name, Some(session), "x")).await.unwrap();
    }
    assert_eq!(session_of(first.await).session.as_str(), "a");
    assert_eq!(session_of(second.await).session.as_str(), "b");
}

fn receive_in(queue: &Name, holder: SessionHolder) -> Command {
    let mode = ReceiveMode::ReceiveAndDelete;
    let wait = Some(Millis::seconds(3600));
    broker(queue, BrokerOperation::ReceiveInSession { holder, mode, max: 1, wait })
}

/// The simulation found this one: the first in line got nothing, and nobody behind was asked.
#[tokio::test]
async fn who_waits_in_one_session_does_not_hold_up_who_waits_in_another() {
    let (engine, _ended) = engine(Arc::new(MemoryLog::new())).await;
    let name = broker_queue(&engine, true).await;
    let mut holders = Vec::new();
    for session in ["a", "b"] {
        engine.call(broker_send(&name, Some(session), "first")).await.unwrap();
        let holder = session_of(engine.call(accept(&name)).await);
        let first = engine.call(receive_in(&name, holder.clone())).await;
        assert_eq!(broker_body(&engine, first).await, "first");
        holders.push(holder);
    }
    let (b, a) = (holders.pop().unwrap(), holders.pop().unwrap());
    let _waits = begin(&engine, receive_in(&name, a)).await;
    let waits_behind = begin(&engine, receive_in(&name, b)).await;
    engine.call(broker_send(&name, Some("b"), "second")).await.unwrap();
    // At the end of its patience it would be asked anyway.
    let answer = tokio::time::timeout(Duration::from_secs(60), waits_behind).await.unwrap();
    assert_eq!(broker_body(&engine, answer).await, "second");
}
