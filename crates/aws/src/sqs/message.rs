//! A message as it is shown to who receives it, or looks at it.

use std::collections::BTreeMap;
use std::string::FromUtf8Error;

use lineside_core::command::{Delivery, Peeked};
use lineside_core::id::{BodyRef, Label, MessageId, Name, Seq};
use lineside_core::payload::Payload;
use lineside_core::stamp::Stamp;
use lineside_engine::log::LogFault;

use super::error::{error, from_fault};
use super::message_attributes::{is_asked, md5, md5_of, parts, render};
use super::send_message::sequence_number;
use super::{Call, name};
use crate::generated::sqs::{MESSAGE_SYSTEM_ATTRIBUTE_NAME, Message, ReceiveMessageRequest};
use crate::protocol::WireError;

/// Which attributes somebody wants to see.
pub(super) struct Asked {
    system: Vec<String>,
    message: Vec<String>,
}

impl Asked {
    /// `AttributeNames` is the older name of `MessageSystemAttributeNames`; both count.
    pub(super) fn of(request: &ReceiveMessageRequest) -> Result<Asked, WireError> {
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

    /// All that there are.
    pub(super) fn all() -> Asked {
        Asked { system: vec!["All".to_owned()], message: vec!["All".to_owned()] }
    }

    fn system(&self, name: &str) -> bool {
        self.system.iter().any(|asked| asked == "All" || asked == name)
    }
}

/// What the queue knows of a message.
pub(super) struct Stored<'a> {
    id: MessageId,
    seq: Seq,
    ordered: bool,
    body: BodyRef,
    sent_at: Stamp,
    receives: u32,
    first_received_at: Option<Stamp>,
    origin: Option<&'a Name>,
}

/// A body as text; what is none came by another face, and shows where it is none.
fn text(body: Vec<u8>) -> String {
    let lossy = |bad: FromUtf8Error| String::from_utf8_lossy(bad.as_bytes()).into_owned();
    String::from_utf8(body).unwrap_or_else(lossy)
}

impl<'a> Stored<'a> {
    pub(super) fn of(delivery: &'a Delivery) -> Stored<'a> {
        Stored {
            id: delivery.id,
            seq: delivery.seq,
            ordered: delivery.ordered,
            body: delivery.body,
            sent_at: delivery.sent_at,
            receives: delivery.receives,
            first_received_at: Some(delivery.first_received_at),
            origin: delivery.origin.as_ref(),
        }
    }

    pub(super) fn of_peeked(peeked: &'a Peeked) -> Stored<'a> {
        Stored {
            id: peeked.id,
            seq: peeked.seq,
            ordered: peeked.ordered,
            body: peeked.body,
            sent_at: peeked.sent_at,
            receives: peeked.receives,
            // LocalStack shows what has not been received as received in 1970.
            first_received_at: Some(peeked.first_received_at.unwrap_or(Stamp(0))),
            origin: peeked.origin.as_ref(),
        }
    }

    /// The message with its body, and with the attributes that are asked for.
    pub(super) async fn show(
        self,
        call: Call<'_>,
        asked: &Asked,
        handle: String,
    ) -> Result<Message, WireError> {
        let payload = self.read(call).await?;
        let shown: Vec<_> = payload
            .attributes
            .iter()
            .filter(|attribute| is_asked(&asked.message, attribute.name.as_str()))
            .collect();
        let attributes: BTreeMap<_, _> =
            shown.iter().map(|a| (a.name.as_str().to_owned(), render(a))).collect();
        let system = self.system_attributes(asked, &payload);
        Ok(Message {
            message_id: Some(self.id.to_string()),
            receipt_handle: Some(handle),
            md5_of_body: Some(md5_of(&payload.body)),
            body: Some(text(payload.body.into())),
            attributes: (!system.is_empty()).then_some(system),
            md5_of_message_attributes: md5(shown.iter().map(|attribute| parts(attribute))),
            message_attributes: (!attributes.is_empty()).then_some(attributes),
        })
    }

    async fn read(&self, call: Call<'_>) -> Result<Payload, WireError> {
        let body = call.aws.engine.body(self.body).await.map_err(|fault| from_fault(&fault))?;
        Payload::decode(&body).map_err(|damaged| {
            let place = format!("{:?}", self.body);
            from_fault(&LogFault::Damaged { place, what: damaged.to_string() })
        })
    }

    fn system_attributes(&self, asked: &Asked, payload: &Payload) -> BTreeMap<String, String> {
        let text = |label: &Option<Label>| label.as_ref().map(|label| label.as_str().to_owned());
        let sender = text(&payload.sender).unwrap_or_else(|| crate::DEFAULT_ACCOUNT.to_owned());
        let every = [
            ("SenderId", Some(sender)),
            ("SentTimestamp", Some(self.sent_at.0.to_string())),
            ("ApproximateReceiveCount", Some(self.receives.to_string())),
            (
                "ApproximateFirstReceiveTimestamp",
                self.first_received_at.map(|first| first.0.to_string()),
            ),
            ("SequenceNumber", self.ordered.then(|| sequence_number(self.seq.0))),
            ("MessageDeduplicationId", text(&payload.dedup)),
            ("MessageGroupId", text(&payload.group)),
            ("AWSTraceHeader", text(&payload.trace)),
            ("DeadLetterQueueSourceArn", self.origin.map(name::arn)),
        ];
        let wanted = every.into_iter().filter(|(name, _)| asked.system(name));
        wanted.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
