//! The official AWS SDK for Rust: what nearly every program does with SQS, and the errors as its types.

use aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityError;
use aws_sdk_sqs::operation::create_queue::CreateQueueError;
use aws_sdk_sqs::operation::delete_message::DeleteMessageError;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;
use aws_sdk_sqs::operation::get_queue_url::GetQueueUrlError;
use aws_sdk_sqs::operation::purge_queue::PurgeQueueError;
use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;
use aws_sdk_sqs::operation::set_queue_attributes::SetQueueAttributesError;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use lineside_sdk_tests::{Face, bodies, name, refused};

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

// --- queues --------------------------------------------------------------------------------------

#[tokio::test]
async fn a_queue_from_its_creation_to_its_deletion() {
    let face = Face::new();
    let name = name(false);
    let url = face.client.create_queue().queue_name(&name).send().await.unwrap().queue_url.unwrap();
    let found = face.client.get_queue_url().queue_name(&name).send().await.unwrap();
    assert_eq!(found.queue_url(), Some(url.as_str()));
    let listed = face.client.list_queues().queue_name_prefix(&name).send().await.unwrap();
    assert_eq!(listed.queue_urls(), [url.as_str()]);
    face.client.delete_queue().queue_url(&url).send().await.unwrap();
    let gone = face.client.get_queue_url().queue_name(&name).send().await.unwrap_err();
    assert!(matches!(gone.into_service_error(), GetQueueUrlError::QueueDoesNotExist(_)));
}

#[tokio::test]
async fn queues_are_listed_page_by_page() {
    let face = Face::new();
    let prefix = name(false);
    let mut wanted = Vec::new();
    for n in 0..5 {
        let call = face.client.create_queue().queue_name(format!("{prefix}-{n}"));
        wanted.push(call.send().await.unwrap().queue_url.unwrap());
    }
    let pages = face.client.list_queues().queue_name_prefix(prefix).max_results(2);
    let mut pages = pages.into_paginator().send();
    let mut found = Vec::new();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        found.extend(page.unwrap().queue_urls.unwrap_or_default());
        count += 1;
    }
    found.sort();
    assert_eq!(found, wanted);
    assert!(count >= 3, "{count} pages");
}

#[tokio::test]
async fn attributes_are_set_and_read() {
    let face = Face::new();
    let url = face.queue(&[(QueueAttributeName::DelaySeconds, "1")]).await;
    let call = face.client.set_queue_attributes().queue_url(&url);
    call.attributes(QueueAttributeName::VisibilityTimeout, "77").send().await.unwrap();
    let call = face.client.get_queue_attributes().queue_url(&url);
    let call = call.attribute_names(QueueAttributeName::All);
    let shown = call.send().await.unwrap().attributes.unwrap();
    assert_eq!(shown[&QueueAttributeName::DelaySeconds], "1");
    assert_eq!(shown[&QueueAttributeName::VisibilityTimeout], "77");
    assert!(shown[&QueueAttributeName::QueueArn].starts_with("arn:aws:sqs:us-east-1:"));
    let unknown: Vec<_> = shown
        .keys()
        .filter(|name| !QueueAttributeName::values().contains(&name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[tokio::test]
async fn a_purged_queue_is_empty() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    face.send(&url, "x").await;
    face.client.purge_queue().queue_url(&url).send().await.unwrap();
    assert_eq!(face.counts(&url).await, [0, 0, 0]);
    let again = face.client.purge_queue().queue_url(&url).send().await.unwrap_err();
    assert!(matches!(again.into_service_error(), PurgeQueueError::PurgeQueueInProgress(_)));
}

// --- messages ------------------------------------------------------------------------------------

#[tokio::test]
async fn a_message_with_attributes_is_sent_received_and_deleted() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    let text = MessageAttributeValue::builder().data_type("String").string_value("grüße");
    let bytes = Blob::new([0, 1, 254, 255]);
    let binary = MessageAttributeValue::builder().data_type("Binary.png").binary_value(bytes);
    let (text, binary) = (text.build().unwrap(), binary.build().unwrap());
    let call = face.client.send_message().queue_url(&url).message_body("grüße 🚚");
    let call = call.message_attributes("text", text.clone());
    let sent = call.message_attributes("binary", binary.clone()).send().await.unwrap();

    let message = face.receive_one(&url).await;
    assert_eq!(message.body(), Some("grüße 🚚"));
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    let typed = message.message_attributes().unwrap();
    assert_eq!((&typed["text"], &typed["binary"]), (&text, &binary));
    let system = message.attributes().unwrap();
    assert_eq!(system[&MessageSystemAttributeName::ApproximateReceiveCount], "1");

    assert_eq!(face.counts(&url).await, [0, 1, 0]);
    let handle = message.receipt_handle().unwrap();
    face.client.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
    assert_eq!(face.counts(&url).await, [0, 0, 0]);
}

#[tokio::test]
async fn a_delayed_message_waits_in_the_queue() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    let call = face.client.send_message().queue_url(&url).message_body("later").delay_seconds(900);
    call.send().await.unwrap();
    assert_eq!(face.counts(&url).await, [0, 0, 1]);
    assert!(face.receive(&url).await.is_empty());
}

#[tokio::test]
async fn a_long_poll_ends_with_the_send() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    let poll = face.client.receive_message().queue_url(&url).wait_time_seconds(20);
    let poll = tokio::spawn(poll.send());
    face.send(&url, "here").await;
    let found = poll.await.unwrap().unwrap();
    assert_eq!(bodies(found.messages()), ["here"]);
}

#[tokio::test]
async fn a_message_made_visible_comes_again() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    face.send(&url, "x").await;
    let first = face.receive_one(&url).await;
    assert!(face.receive(&url).await.is_empty());
    let call = face.client.change_message_visibility().queue_url(&url).visibility_timeout(0);
    call.receipt_handle(first.receipt_handle().unwrap()).send().await.unwrap();
    let again = face.receive_one(&url).await;
    let system = again.attributes().unwrap();
    assert_eq!(system[&MessageSystemAttributeName::ApproximateReceiveCount], "2");
}

// --- batches -------------------------------------------------------------------------------------

#[tokio::test]
async fn a_batch_says_which_entries_were_sent() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    let late = SendMessageBatchRequestEntry::builder().id("late").message_body("x");
    let late = late.delay_seconds(901).build().unwrap();
    let call = face.client.send_message_batch().queue_url(&url);
    let sent = call.entries(entry("a", "1")).entries(entry("b", "2")).entries(late);
    let sent = sent.send().await.unwrap();
    let done: Vec<_> = sent.successful().iter().map(|done| done.id()).collect();
    assert_eq!(done, ["a", "b"]);
    let failed: Vec<_> = sent.failed().iter().map(|bad| (bad.id(), bad.code())).collect();
    assert_eq!(failed, [("late", "InvalidParameterValue")]);
    assert!(sent.failed()[0].sender_fault());
}

#[tokio::test]
async fn a_batch_says_which_messages_were_hidden_and_deleted() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    face.send(&url, "x").await;
    let handle = face.receive_one(&url).await.receipt_handle.unwrap();
    let both = [("good", handle.as_str()), ("bad", "nonsense")];

    let mut call = face.client.change_message_visibility_batch().queue_url(&url);
    for (id, handle) in both {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id);
        let entry = entry.receipt_handle(handle).visibility_timeout(600);
        call = call.entries(entry.build().unwrap());
    }
    let hidden = call.send().await.unwrap();
    assert_eq!(hidden.successful().iter().map(|done| done.id()).collect::<Vec<_>>(), ["good"]);
    assert_eq!(hidden.failed()[0].code(), "ReceiptHandleIsInvalid");

    let mut call = face.client.delete_message_batch().queue_url(&url);
    for (id, handle) in both {
        let entry = DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle);
        call = call.entries(entry.build().unwrap());
    }
    let deleted = call.send().await.unwrap();
    assert_eq!(deleted.successful().iter().map(|done| done.id()).collect::<Vec<_>>(), ["good"]);
    assert_eq!(deleted.failed()[0].code(), "ReceiptHandleIsInvalid");
    assert_eq!(face.counts(&url).await, [0, 0, 0]);
}

#[tokio::test]
async fn batches_that_are_refused_whole_are_errors_of_their_types() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    let batch = async |entries: Vec<SendMessageBatchRequestEntry>| {
        let call = face.client.send_message_batch().queue_url(&url).set_entries(Some(entries));
        call.send().await.unwrap_err().into_service_error()
    };
    use SendMessageBatchError as Refused;
    assert!(matches!(batch(vec![]).await, Refused::EmptyBatchRequest(_)));
    let eleven = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    assert!(matches!(batch(eleven).await, Refused::TooManyEntriesInBatchRequest(_)));
    let twice = vec![entry("a", "x"), entry("a", "y")];
    assert!(matches!(batch(twice).await, Refused::BatchEntryIdsNotDistinct(_)));
    assert!(matches!(batch(vec![entry("a b", "x")]).await, Refused::InvalidBatchEntryId(_)));
    let half = "x".repeat(600 * 1024);
    let long = vec![entry("a", &half), entry("b", &half)];
    assert!(matches!(batch(long).await, Refused::BatchRequestTooLong(_)));
    assert_eq!(face.counts(&url).await, [0, 0, 0]);
}

// --- FIFO ----------------------------------------------------------------------------------------

async fn fifo(face: &Face) -> String {
    use QueueAttributeName::{ContentBasedDeduplication, FifoQueue};
    face.queue(&[(FifoQueue, "true"), (ContentBasedDeduplication, "true")]).await
}

async fn send_to(face: &Face, url: &str, group: &str, body: &str) -> SendMessageOutput {
    let call = face.client.send_message().queue_url(url).message_group_id(group);
    call.message_body(body).send().await.unwrap()
}

#[tokio::test]
async fn a_group_comes_in_order_and_duplicates_are_dropped() {
    let face = Face::new();
    let url = fifo(&face).await;
    let first = send_to(&face, &url, "g", "1").await;
    let second = send_to(&face, &url, "g", "2").await;
    let again = send_to(&face, &url, "g", "1").await;
    assert_eq!(again.message_id(), first.message_id());
    assert_eq!(again.sequence_number(), first.sequence_number());
    assert!(first.sequence_number().unwrap() < second.sequence_number().unwrap());
    let messages = face.receive(&url).await;
    assert_eq!(bodies(&messages), ["1", "2"]);
    let system = messages[1].attributes().unwrap();
    assert_eq!(system[&MessageSystemAttributeName::MessageGroupId], "g");
    let number = system[&MessageSystemAttributeName::SequenceNumber].as_str();
    assert_eq!(Some(number), second.sequence_number());
}

#[tokio::test]
async fn a_group_in_flight_holds_itself_up_and_no_other() {
    let face = Face::new();
    let url = fifo(&face).await;
    send_to(&face, &url, "a", "a1").await;
    assert_eq!(bodies(&face.receive(&url).await), ["a1"]);
    send_to(&face, &url, "a", "a2").await;
    send_to(&face, &url, "b", "b1").await;
    assert_eq!(bodies(&face.receive(&url).await), ["b1"]);
}

#[tokio::test]
async fn a_poison_message_ends_in_the_dead_letter_queue() {
    let face = Face::new();
    let dead = face.queue(&[]).await;
    let arn = face.attribute(&dead, QueueAttributeName::QueueArn).await.unwrap();
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":1}}"#);
    let url = face.queue(&[(QueueAttributeName::RedrivePolicy, &policy)]).await;
    face.send(&url, "poison").await;
    let call = face.client.receive_message().queue_url(&url).visibility_timeout(0);
    assert_eq!(bodies(call.send().await.unwrap().messages()), ["poison"]);
    assert!(face.receive(&url).await.is_empty());
    let moved = face.receive_one(&dead).await;
    assert_eq!(moved.body(), Some("poison"));
    let source =
        &moved.attributes().unwrap()[&MessageSystemAttributeName::DeadLetterQueueSourceArn];
    assert_eq!(source.rsplit(':').next(), url.rsplit('/').next());
}

// --- errors --------------------------------------------------------------------------------------

#[tokio::test]
async fn what_a_queue_refuses_is_an_error_of_its_type() {
    let face = Face::new();
    let name = name(false);
    let url = face.client.create_queue().queue_name(&name).send().await.unwrap().queue_url.unwrap();
    let call = face.client.create_queue().queue_name(&name);
    let call = call.attributes(QueueAttributeName::DelaySeconds, "5");
    let exists = call.send().await.unwrap_err().into_service_error();
    assert!(matches!(exists, CreateQueueError::QueueNameExists(_)), "{exists:?}");

    let call = face.client.set_queue_attributes().queue_url(&url);
    let call = call.attributes(QueueAttributeName::VisibilityTimeout, "-1");
    let bad = call.send().await.unwrap_err().into_service_error();
    assert!(matches!(bad, SetQueueAttributesError::InvalidAttributeValue(_)), "{bad:?}");

    let call = face.client.get_queue_attributes().queue_url(&url);
    let call = call.attribute_names(QueueAttributeName::from("Nonsense"));
    let bad = call.send().await.unwrap_err().into_service_error();
    assert!(matches!(bad, GetQueueAttributesError::InvalidAttributeName(_)), "{bad:?}");
}

#[tokio::test]
async fn what_a_message_is_refused_for_is_an_error_of_its_type() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    let call = face.client.send_message().queue_url(format!("{url}-gone")).message_body("x");
    let gone = call.send().await.unwrap_err().into_service_error();
    assert!(matches!(gone, SendMessageError::QueueDoesNotExist(_)), "{gone:?}");
    let call = face.client.send_message().queue_url(&url).message_body("a\0b");
    let bad = call.send().await.unwrap_err().into_service_error();
    assert!(matches!(bad, SendMessageError::InvalidMessageContents(_)), "{bad:?}");

    let call = face.client.delete_message().queue_url(&url).receipt_handle("nonsense");
    let bad = call.send().await.unwrap_err().into_service_error();
    assert!(matches!(bad, DeleteMessageError::ReceiptHandleIsInvalid(_)), "{bad:?}");

    face.send(&url, "x").await;
    let handle = face.receive_one(&url).await.receipt_handle.unwrap();
    let hide = |seconds| {
        let call = face.client.change_message_visibility().queue_url(&url);
        call.receipt_handle(&handle).visibility_timeout(seconds).send()
    };
    hide(0).await.unwrap();
    let late = hide(10).await.unwrap_err().into_service_error();
    assert!(matches!(late, ChangeMessageVisibilityError::MessageNotInflight(_)), "{late:?}");
}

#[tokio::test]
async fn an_error_without_a_type_has_its_code() {
    let face = Face::new();
    let url = face.queue(&[]).await;
    let call = face.client.send_message().queue_url(&url).message_body("x").delay_seconds(901);
    assert_eq!(refused(call.send().await), "InvalidParameterValue");
    let call = face.client.send_message().queue_url(&url);
    assert_eq!(refused(call.send().await), "MissingParameter");
}
