//! ReceiveMessage, with long polling.

use futures::future::join_all;
use lineside_core::command::{Command, Reply};
use lineside_core::stamp::Millis;

use super::change_message_visibility::visibility;
use super::error::invalid_value;
use super::message::{Asked, Stored};
use super::send_message::label;
use super::{Call, name, receipt};
use crate::generated::sqs::{Message, ReceiveMessageRequest, ReceiveMessageResult};
use crate::protocol::WireError;

pub(super) async fn answer(
    call: Call<'_>,
    request: ReceiveMessageRequest,
) -> Result<ReceiveMessageResult, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    let asked = Asked::of(&request)?;
    let command = Command::Receive {
        queue,
        max: max_messages(request.max_number_of_messages)?,
        wait: request.wait_time_seconds.map(wait).transpose()?,
        visibility: request.visibility_timeout.map(visibility).transpose()?,
        attempt: label("ReceiveRequestAttemptId", request.receive_request_attempt_id)?,
        alone: false,
    };
    let Reply::Received(deliveries) = call.command(command).await? else {
        return Ok(ReceiveMessageResult::default());
    };
    let messages = deliveries.iter().map(|delivery| {
        let handle = receipt::handle(call, delivery.receipt);
        Stored::of(delivery).show(call, &asked, handle)
    });
    let messages: Result<Vec<Message>, WireError> = join_all(messages).await.into_iter().collect();
    // SQS leaves the list out when there is nothing.
    Ok(ReceiveMessageResult { messages: Some(messages?).filter(|messages| !messages.is_empty()) })
}

fn max_messages(given: Option<i32>) -> Result<usize, WireError> {
    let max = given.unwrap_or(1);
    match usize::try_from(max) {
        Ok(max @ 1..=10) => Ok(max),
        _ => {
            let reason = "Must be between 1 and 10, if provided.";
            Err(invalid_value(max, "MaxNumberOfMessages", reason))
        }
    }
}

fn wait(seconds: i32) -> Result<Millis, WireError> {
    match u64::try_from(seconds) {
        Ok(seconds) if seconds <= 20 => Ok(Millis::seconds(seconds)),
        _ => {
            let reason = "Must be >= 0 and <= 20, if provided.";
            Err(invalid_value(seconds, "WaitTimeSeconds", reason))
        }
    }
}
