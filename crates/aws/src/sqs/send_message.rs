//! SendMessage and SendMessageBatch.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::future::join_all;
use lineside_core::command::{Command, NewDedup, NewMessage, Reply};
use lineside_core::id::{Label, Name};
use lineside_core::payload::{Attribute, Payload};
use lineside_core::queue::QueueKind;
use lineside_core::stamp::Millis;
use sha2::{Digest, Sha256};

use super::error::{error, invalid_value, missing_parameter};
use super::message_attributes::{hex, md5, md5_of, parse, parse_trace, parts};
use super::{Call, batch, name};
use crate::generated::sqs::{
    MessageAttributeValue, MessageSystemAttributeValue, SendMessageBatchRequest,
    SendMessageBatchRequestEntry, SendMessageBatchResult, SendMessageBatchResultEntry,
    SendMessageRequest, SendMessageResult,
};
use crate::protocol::WireError;

/// Most bytes of all messages of a batch together (SQS quotas: 1 MiB).
const BATCH_BYTES_MAX: usize = 1_048_576;
/// What is said of a parameter that only FIFO queues take.
const NOT_FOR_STANDARD: &str =
    "The request includes a parameter that is not valid for this queue type.";
/// What a sequence number starts from, so that it always has SQS's 20 digits.
const SEQUENCE_BASE: u64 = 10_000_000_000_000_000_000;

pub(super) async fn one(
    call: Call<'_>,
    request: SendMessageRequest,
) -> Result<SendMessageResult, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    let outgoing = Outgoing {
        body: request.message_body,
        delay: request.delay_seconds,
        attributes: request.message_attributes.unwrap_or_default(),
        system: request.message_system_attributes,
        dedup: request.message_deduplication_id,
        group: request.message_group_id,
    };
    outgoing.send(call, queue).await
}

pub(super) async fn batch(
    call: Call<'_>,
    request: SendMessageBatchRequest,
) -> Result<SendMessageBatchResult, WireError> {
    let queue = name::of_url(call.caller, request.queue_url.as_ref())?;
    call.command(Command::FindQueue { name: queue.clone() }).await?;
    let mut entries = request.entries;
    let kind = "SendMessageBatchRequestEntry";
    let ids = batch::entries(kind, entries.as_deref(), |entry| entry.id.as_ref())?;
    let ids: Vec<String> = ids.into_iter().map(|(id, _)| id.to_owned()).collect();
    let outgoing: Vec<Outgoing> =
        entries.take().unwrap_or_default().into_iter().map(Outgoing::of_entry).collect();
    check_batch_size(&outgoing)?;
    // The futures are first polled in order, so the commands enter the inbox in order.
    let answered = ids.iter().zip(outgoing).map(|(id, outgoing)| {
        let sent = outgoing.send(call, queue.clone());
        async move { (id.as_str(), sent.await.map(|sent| entry_of(id, sent))) }
    });
    let (successful, failed) = batch::split(join_all(answered).await);
    Ok(SendMessageBatchResult { successful, failed })
}

fn check_batch_size(outgoing: &[Outgoing]) -> Result<(), WireError> {
    let bytes: usize = outgoing.iter().map(Outgoing::raw_size).sum();
    if bytes <= BATCH_BYTES_MAX {
        return Ok(());
    }
    let message = format!(
        "Batch requests cannot be longer than {BATCH_BYTES_MAX} bytes. You have sent {bytes} bytes."
    );
    Err(error("BatchRequestTooLong", message))
}

fn entry_of(id: &str, sent: SendMessageResult) -> SendMessageBatchResultEntry {
    SendMessageBatchResultEntry {
        id: Some(id.to_owned()),
        message_id: sent.message_id,
        md5_of_message_body: sent.md5_of_message_body,
        md5_of_message_attributes: sent.md5_of_message_attributes,
        md5_of_message_system_attributes: sent.md5_of_message_system_attributes,
        sequence_number: sent.sequence_number,
    }
}

/// A message as a request has it, alone or in a batch.
struct Outgoing {
    body: Option<String>,
    delay: Option<i32>,
    attributes: BTreeMap<String, MessageAttributeValue>,
    system: Option<BTreeMap<String, MessageSystemAttributeValue>>,
    dedup: Option<String>,
    group: Option<String>,
}

impl Outgoing {
    fn of_entry(entry: SendMessageBatchRequestEntry) -> Outgoing {
        Outgoing {
            body: entry.message_body,
            delay: entry.delay_seconds,
            attributes: entry.message_attributes.unwrap_or_default(),
            system: entry.message_system_attributes,
            dedup: entry.message_deduplication_id,
            group: entry.message_group_id,
        }
    }

    /// Its size before any check: body, and names, types and values of attributes.
    fn raw_size(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, value)| {
            let text = value.string_value.as_ref().map_or(0, String::len);
            let binary = value.binary_value.as_ref().map_or(0, |blob| blob.0.len());
            let kind = value.data_type.as_ref().map_or(0, String::len);
            name.len() + kind + text + binary
        });
        self.body.as_ref().map_or(0, String::len) + attributes.sum::<usize>()
    }

    async fn send(self, call: Call<'_>, queue: Name) -> Result<SendMessageResult, WireError> {
        let size = u32::try_from(self.raw_size()).unwrap_or(u32::MAX);
        let body = self.body.filter(|body| !body.is_empty());
        let body = body.ok_or_else(|| missing_parameter("MessageBody"))?;
        check_characters(&body)?;
        let delay = self.delay.map(check_delay).transpose()?;
        let attributes = parse(self.attributes)?;
        let trace = parse_trace(self.system)?;
        let group = label("MessageGroupId", self.group)?;
        let dedup = label("MessageDeduplicationId", self.dedup)?;
        let fifo = name::kind(&queue) == QueueKind::Fifo;
        let dedup = match dedup {
            Some(id) if !fifo => {
                return Err(invalid_value(id.as_str(), "MessageDeduplicationId", NOT_FOR_STANDARD));
            }
            Some(id) => NewDedup::Id(id),
            None if fifo => NewDedup::Content(Label::new(hex(&Sha256::digest(body.as_bytes())))),
            None => NewDedup::None,
        };
        let digests = digests(&body, &attributes, trace.as_ref());
        let sender = Some(Label::new(call.caller.account.as_str()));
        let sender = sender.filter(|sender| sender.as_str() != crate::DEFAULT_ACCOUNT);
        let payload = payload(body, attributes, &group, &dedup, [trace, sender]);
        let message = NewMessage { body: payload, size, delay, group, dedup };
        let sent = call.command(Command::Send { queue, message }).await?;
        Ok(result(&sent, digests))
    }
}

fn payload(
    body: String,
    attributes: Vec<Attribute>,
    group: &Option<Label>,
    dedup: &NewDedup,
    [trace, sender]: [Option<Label>; 2],
) -> Bytes {
    let dedup = match dedup {
        NewDedup::Id(id) | NewDedup::Content(id) => Some(id.clone()),
        NewDedup::None => None,
    };
    let body = body.into_bytes().into();
    let payload = Payload { body, attributes, group: group.clone(), dedup, trace, sender };
    Bytes::from(payload.encode())
}

/// MD5 of body, attributes and system attributes, always of this request.
fn digests(body: &str, attributes: &[Attribute], trace: Option<&Label>) -> [Option<String>; 3] {
    let system = trace.map(|trace| ("AWSTraceHeader", "String", trace.as_str().as_bytes()));
    [Some(md5_of(body.as_bytes())), md5(attributes.iter().map(parts)), md5(system)]
}

fn result(sent: &Reply, [body, attributes, system]: [Option<String>; 3]) -> SendMessageResult {
    let Reply::Sent { id, seq, ordered } = *sent else { return SendMessageResult::default() };
    SendMessageResult {
        md5_of_message_body: body,
        md5_of_message_attributes: attributes,
        md5_of_message_system_attributes: system,
        message_id: Some(id.to_string()),
        sequence_number: ordered.then(|| sequence_number(seq.0)),
    }
}

/// SQS's form of a number in a FIFO queue: 20 digits, ascending.
pub(super) fn sequence_number(seq: u64) -> String {
    SEQUENCE_BASE.saturating_add(seq).to_string()
}

/// Group and deduplication ids: 1 to 128 letters, digits and punctuation.
pub(super) fn label(name: &str, given: Option<String>) -> Result<Option<Label>, WireError> {
    let Some(text) = given else { return Ok(None) };
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        return Ok(Some(Label::new(text)));
    }
    let shown: String = text.chars().take(128).collect();
    let reason = format!(
        "{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
    );
    Err(invalid_value(shown, name, &reason))
}

fn check_delay(seconds: i32) -> Result<Millis, WireError> {
    match u64::try_from(seconds) {
        Ok(seconds) if seconds <= 900 => Ok(Millis::seconds(seconds)),
        _ => Err(invalid_value(seconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")),
    }
}

/// Whether it is ASCII without what XML cannot say, as nearly all text is: told by many bytes at a
/// time, where characters are told one by one.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b' '..=0x7f | b'\t' | b'\n' | b'\r');
    let all_plain = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & plain(*byte));
    text.as_bytes().chunks(256).all(all_plain)
}

/// The characters of XML 1.0, which is what SQS takes (API reference, SendMessage).
pub(super) fn check_characters(text: &str) -> Result<(), WireError> {
    let valid = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        c => c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}',
    };
    if is_plain(text) || text.chars().all(valid) {
        return Ok(());
    }
    let message = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to \
                   #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";
    Err(error("InvalidMessageContents", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule character by character, and not by many bytes at a time.
    #[test]
    fn each_character_is_taken_or_refused_wherever_it_stands() {
        let not_taken =
            |c: char| c < ' ' && !"\t\n\r".contains(c) || "\u{fffe}\u{ffff}".contains(c);
        let some = ['\u{80}', '\u{e9}', '\u{d7ff}', '\u{e000}', '\u{fffd}', '\u{10ffff}'];
        for c in ('\0'..='\u{7f}').chain(some).chain(['\u{fffe}', '\u{ffff}']) {
            for before in [0, 1, 255, 256, 300] {
                let text = format!("{}{c}{}", "x".repeat(before), "y".repeat(300));
                assert_eq!(check_characters(&text).is_err(), not_taken(c), "{c:?} at {before}");
            }
        }
    }
}
