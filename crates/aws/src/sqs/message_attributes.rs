//! Attributes of a message: checks, MD5, and the forms on the wire and in a payload
//! (developer guide, "Amazon SQS message metadata").

use std::collections::BTreeMap;

use lineside_core::id::Label;
use lineside_core::payload::Attribute;
use md5::{Digest, Md5};

use super::error::{error, invalid_parameter};
use crate::blob::Blob;
use crate::generated::sqs::{MessageAttributeValue, MessageSystemAttributeValue};
use crate::protocol::WireError;

/// Most attributes of one message.
const ATTRIBUTES_MAX: usize = 10;
/// Most characters of an attribute's name, and of its type.
const NAME_LEN_MAX: usize = 256;

/// What is said of names that AWS keeps for itself, and of periods where none may be.
const RESERVED: &str = "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. \
                        These strings are reserved for internal use. Additionally, they cannot \
                        start or end with '.'.";

/// Checks the attributes of a sent message; they come out in the order of their names.
pub(super) fn parse(
    given: BTreeMap<String, MessageAttributeValue>,
) -> Result<Vec<Attribute>, WireError> {
    if given.len() > ATTRIBUTES_MAX {
        return Err(invalid_parameter(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].",
            given.len()
        )));
    }
    given.into_iter().map(|(name, value)| attribute(name, value)).collect()
}

fn attribute(name: String, given: MessageAttributeValue) -> Result<Attribute, WireError> {
    check_name(&name)?;
    let lists = given.string_list_values.as_ref().is_some_and(|list| !list.is_empty())
        || given.binary_list_values.as_ref().is_some_and(|list| !list.is_empty());
    if lists {
        let message = "Message attribute list values in SendMessage operation are not supported.";
        return Err(error("UnsupportedOperation", message));
    }
    let kind = check_kind(&name, given.data_type)?;
    let value = match base_of(&kind) {
        "Binary" => given.binary_value.map(|blob| blob.0),
        _ => given.string_value.map(String::into_bytes),
    };
    let value = value.filter(|value| !value.is_empty()).ok_or_else(|| {
        invalid_parameter(format!(
            "Message (user) attribute '{name}' must contain a non-empty value of type '{}'.",
            base_of(&kind)
        ))
    })?;
    check_value(&name, &kind, &value)?;
    Ok(Attribute { name: Label::new(name), kind: Label::new(kind), value: value.into() })
}

fn check_name(name: &str) -> Result<(), WireError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let dotted = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    let lower = name.to_ascii_lowercase();
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    let fits = (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(plain);
    if !fits {
        let shown: String = name.chars().take(NAME_LEN_MAX).collect();
        return Err(invalid_parameter(format!(
            "The message attribute name '{shown}' is invalid. Attribute name can contain A-Z, a-z, \
             0-9, underscore (_), hyphen (-), and period (.) characters."
        )));
    }
    if dotted || reserved {
        return Err(invalid_parameter(RESERVED));
    }
    Ok(())
}

fn check_kind(name: &str, kind: Option<String>) -> Result<String, WireError> {
    let kind = kind.filter(|kind| !kind.is_empty()).ok_or_else(|| {
        invalid_parameter(format!(
            "The message attribute '{name}' must contain non-empty message attribute type."
        ))
    })?;
    if !matches!(base_of(&kind), "String" | "Number" | "Binary") || kind.len() > NAME_LEN_MAX {
        return Err(invalid_parameter(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of \
             supported type prefixes is Binary, Number, and String."
        )));
    }
    Ok(kind)
}

fn check_value(name: &str, kind: &str, value: &[u8]) -> Result<(), WireError> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    match base_of(kind) {
        "Number" if text.trim().parse::<f64>().is_err() => Err(invalid_parameter(format!(
            "Can't cast the value of message (user) attribute '{name}' to a number."
        ))),
        "String" => super::send_message::check_characters(text),
        _ => Ok(()),
    }
}

/// `String` of `String.myType`.
fn base_of(kind: &str) -> &str {
    kind.split('.').next().unwrap_or(kind)
}

/// The one system attribute that a sender may set.
pub(super) fn parse_trace(
    given: Option<BTreeMap<String, MessageSystemAttributeValue>>,
) -> Result<Option<Label>, WireError> {
    let mut trace = None;
    for (name, value) in given.unwrap_or_default() {
        if name != "AWSTraceHeader" {
            return Err(invalid_parameter(format!(
                "Message system attribute name '{name}' is invalid."
            )));
        }
        let text = value.string_value.filter(|_| value.data_type.as_deref() == Some("String"));
        let text = text.filter(|text| !text.is_empty()).ok_or_else(|| {
            invalid_parameter(format!("The message system attribute '{name}' must be a String."))
        })?;
        trace = Some(Label::new(text));
    }
    Ok(trace)
}

/// The digest that SDKs check: lengths, names, types and values in the order of names.
pub(super) fn md5<'a>(
    attributes: impl IntoIterator<Item = (&'a str, &'a str, &'a [u8])>,
) -> Option<String> {
    let mut digest = Md5::new();
    let mut any = false;
    for (name, kind, value) in attributes {
        any = true;
        add(&mut digest, name.as_bytes());
        add(&mut digest, kind.as_bytes());
        digest.update([if base_of(kind) == "Binary" { 2 } else { 1 }]);
        add(&mut digest, value);
    }
    any.then(|| hex(&digest.finalize()))
}

fn add(digest: &mut Md5, bytes: &[u8]) {
    digest.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(bytes);
}

/// The digest of a body.
pub(super) fn md5_of(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    let digits: Vec<u8> = bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect();
    String::from_utf8(digits).unwrap_or_default()
}

/// The parts of an attribute that its digest counts.
pub(super) fn parts(attribute: &Attribute) -> (&str, &str, &[u8]) {
    (attribute.name.as_str(), attribute.kind.as_str(), &attribute.value)
}

/// An attribute as a receive shows it.
pub(super) fn render(attribute: &Attribute) -> MessageAttributeValue {
    let binary = base_of(attribute.kind.as_str()) == "Binary";
    let bytes = attribute.value.to_vec();
    MessageAttributeValue {
        data_type: Some(attribute.kind.as_str().to_owned()),
        binary_value: binary.then(|| Blob(bytes.clone())),
        string_value: (!binary).then(|| String::from_utf8_lossy(&bytes).into_owned()),
        ..MessageAttributeValue::default()
    }
}

/// Whether a receive that asks for `names` gets this one: `All`, `.*`, `prefix.*`, or the name.
pub(super) fn is_asked(names: &[String], name: &str) -> bool {
    names.iter().any(|asked| match asked.as_str() {
        "All" | ".*" => true,
        asked => match asked.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => asked == name,
        },
    })
}
