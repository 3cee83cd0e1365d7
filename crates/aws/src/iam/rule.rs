//! Which names, paths and documents IAM takes (API reference, the parameters of each operation).

use serde_json::Value;

use super::error::{invalid, limit_exceeded, malformed_document, missing};
use crate::generated::iam::Tag;
use crate::ledger::chance;
use crate::protocol::WireError;

/// Most characters of a document of a policy (user guide, "IAM and AWS STS quotas": 6,144 of a managed
/// policy, 10,240 of a role's, white space not counted).
pub(super) const DOCUMENT_CHARS_MAX: usize = 10_240;
/// Most tags of a role or a policy (the same page).
const TAGS_MAX: usize = 50;

/// A name of at most `max` characters out of those that names have.
pub(super) fn name(at: &str, given: Option<String>, max: usize) -> Result<String, WireError> {
    let name = given.ok_or_else(|| missing(at))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    match (1..=max).contains(&name.chars().count()) && name.chars().all(plain) {
        true => Ok(name),
        false => Err(invalid(at, &name, r"regular expression pattern: [\w+=,.@-]+")),
    }
}

/// A path: a slash, or text between slashes.
pub(super) fn path(given: Option<String>) -> Result<String, WireError> {
    let path = given.unwrap_or_else(|| "/".to_owned());
    let plain = path.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    let fits = path.starts_with('/') && path.ends_with('/') && path.len() <= 512 && plain;
    let rule = r"regular expression pattern: (\u002F)|(\u002F[\u0021-\u007E]+\u002F)";
    if fits { Ok(path) } else { Err(invalid("path", &path, rule)) }
}

/// A document: JSON with statements. What they say, nobody asks here.
pub(super) fn document(at: &str, given: Option<String>) -> Result<String, WireError> {
    let document = given.ok_or_else(|| missing(at))?;
    let counted = document.chars().filter(|c| !c.is_whitespace()).count();
    if counted > DOCUMENT_CHARS_MAX {
        let limit = format!("Cannot exceed quota for PolicySize: {DOCUMENT_CHARS_MAX}");
        return Err(limit_exceeded(limit));
    }
    let read = serde_json::from_str::<Value>(&document);
    let read = read.map_err(|_| malformed_document("This policy contains invalid Json"))?;
    match read.get("Statement") {
        Some(Value::Array(_) | Value::Object(_)) => Ok(document),
        _ => Err(malformed_document("Syntax errors in policy.")),
    }
}

/// Tags; the last one of a key counts.
pub(super) fn tags(
    given: Option<Vec<Tag>>,
) -> Result<std::collections::BTreeMap<String, String>, WireError> {
    let pairs = given.unwrap_or_default().into_iter();
    let tags: std::collections::BTreeMap<_, _> =
        pairs.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect();
    if tags.len() > TAGS_MAX {
        return Err(invalid("tags", &tags.len().to_string(), "length less than or equal to 50"));
    }
    Ok(tags)
}

/// Tags as they are shown; none are not.
pub(super) fn shown_tags(tags: &std::collections::BTreeMap<String, String>) -> Option<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| Tag {
        key: Some(key.clone()),
        value: Some(value.clone()),
    };
    (!tags.is_empty()).then(|| tags.iter().map(tag).collect())
}

/// An id that nothing else has, with the prefix of its kind (user guide, "IAM identifiers").
pub(super) fn fresh_id(prefix: &str) -> String {
    let letters = chance().to_ascii_uppercase();
    format!("{prefix}{}", letters.get(..17).unwrap_or(&letters))
}
