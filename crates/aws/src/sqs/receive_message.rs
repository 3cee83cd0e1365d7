//! ReceiveMessage, with long polling.

use std::collections::BTreeMap;

use futures::future::join_all;
use lineside_core::command::{Command, Delivery, Reply};
use lineside_core::id::Label;
use lineside_core::payload::Payload;
use lineside_core::stamp::Millis;

use super::change_message_visibility::visibility;
use super::error::{error, from_fault, invalid_value};
use super::message_attributes::{is_asked, md5, md5_of, parts, render};
use super::send_message::{label, sequence_number};
use super::{Call, name, receipt};
use crate::generated::sqs::{
    MESSAGE_SYSTEM_ATTRIBUTE_NAME, Message, ReceiveMessageRequest, ReceiveMessageResult,
};
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
        visibility: request.visibility_timeout.map(visibility).transpose()?,
        wait: request.wait_time_seconds.map(wait).transpose()?,
        attempt: label("ReceiveRequestAttemptId", request.receive_request_attempt_id)?,
    };
    let Reply::Received(deliveries) = call.command(command).await? else {
        return Ok(ReceiveMessageResult::default());
    };
    let messages = deliveries.iter().map(|delivery| message(call, &asked, delivery));
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

/// Which attributes a receive wants to see.
struct Asked {
    system: Vec<String>,
    message: Vec<String>,
}

impl Asked {
    /// `AttributeNames` is the older name of `MessageSystemAttributeNames`; both count.
    fn of(request: &ReceiveMessageRequest) -> Result<Asked, WireError> {
        let older = request.attribute_names.iter().flatten();
        let newer = request.message_system_attribute_names.iter().flatten();
        let system: Vec<String> = older.chain(newer).cloned().collect();
        let known = |name: &String| MESSAGE_SYSTEM_ATTRIBUTE_NAME.contains(&name.as_str());
        if let Some(name) = system.iter().find(|name| !known(name)) {
            return Err(error("InvalidAttributeName", format!("Unknown Attribute {name}.")));
        }
        let message = request.message_attribute_names.clone().unwrap_or_default();
        Ok(Asked { system, message })
    }

    fn system(&self, name: &str) -> bool {
        self.system.iter().any(|asked| asked == "All" || asked == name)
    }
}

async fn message(call: Call<'_>, asked: &Asked, delivery: &Delivery) -> Result<Message, WireError> {
    let body = call.aws.engine.body(delivery.body).await.map_err(|fault| from_fault(&fault))?;
    let payload = Payload::decode(&body).map_err(|damaged| {
        let place = format!("{:?}", delivery.body);
        from_fault(&lineside_engine::log::LogFault::Damaged { place, what: damaged.to_string() })
    })?;
    let shown: Vec<_> = payload
        .attributes
        .iter()
        .filter(|attribute| is_asked(&asked.message, attribute.name.as_str()))
        .collect();
    let attributes: BTreeMap<_, _> =
        shown.iter().map(|a| (a.name.as_str().to_owned(), render(a))).collect();
    let system = system_attributes(asked, delivery, &payload);
    Ok(Message {
        message_id: Some(delivery.id.to_string()),
        receipt_handle: Some(receipt::handle(call, delivery.receipt)),
        md5_of_body: Some(md5_of(&payload.body)),
        body: Some(String::from_utf8_lossy(&payload.body).into_owned()),
        attributes: (!system.is_empty()).then_some(system),
        md5_of_message_attributes: md5(shown.iter().map(|attribute| parts(attribute))),
        message_attributes: (!attributes.is_empty()).then_some(attributes),
    })
}

fn system_attributes(
    asked: &Asked,
    delivery: &Delivery,
    payload: &Payload,
) -> BTreeMap<String, String> {
    let text = |label: &Option<Label>| label.as_ref().map(|label| label.as_str().to_owned());
    let every = [
        (
            "SenderId",
            Some(text(&payload.sender).unwrap_or_else(|| crate::DEFAULT_ACCOUNT.to_owned())),
        ),
        ("SentTimestamp", Some(delivery.sent_at.0.to_string())),
        ("ApproximateReceiveCount", Some(delivery.receives.to_string())),
        ("ApproximateFirstReceiveTimestamp", Some(delivery.first_received_at.0.to_string())),
        ("SequenceNumber", delivery.ordered.then(|| sequence_number(delivery.seq.0))),
        ("MessageDeduplicationId", text(&payload.dedup)),
        ("MessageGroupId", text(&payload.group)),
        ("AWSTraceHeader", text(&payload.trace)),
        ("DeadLetterQueueSourceArn", delivery.origin.as_ref().map(name::arn)),
    ];
    let wanted = every.into_iter().filter(|(name, _)| asked.system(name));
    wanted.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
