//! Server-side encryption: what is asked for is checked and kept. Nothing is encrypted by it, which
//! the fidelity page says (API reference, SetQueueAttributes; developer guide, "Encryption at rest").

use std::collections::BTreeMap;

use lineside_core::id::Label;
use lineside_core::parts::Texts;
use lineside_core::queue::SettingsPatch;

use super::attributes::{invalid, note, whole};
use super::error::error;
use crate::protocol::WireError;

const KEY: &str = "KmsMasterKeyId";
const REUSE: &str = "KmsDataKeyReusePeriodSeconds";
const MANAGED: &str = "SqsManagedSseEnabled";
/// Most bytes of a key's id, alias or ARN (KMS, `KeyId`).
const KEY_LEN_MAX: usize = 2048;
/// What a queue with a key has without saying so, in seconds.
const REUSE_DEFAULT: &str = "300";

/// One queue has one of the two encryptions.
pub(super) fn check(given: &BTreeMap<String, String>) -> Result<(), WireError> {
    let key = given.get(KEY).is_some_and(|key| !key.is_empty());
    if key && given.get(MANAGED).is_some_and(|managed| managed == "true") {
        let message = "You can use one type of server-side encryption (SSE) at one time. You can \
                       either enable KMS SSE or SQS SSE.";
        return Err(error("InvalidAttributeValue", message));
    }
    Ok(())
}

/// A key takes the place of SQS's own; an empty one goes away.
pub(super) fn set_key(patch: &mut SettingsPatch, value: &str) -> Result<(), WireError> {
    let plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/:".contains(&byte));
    if !plain || value.len() > KEY_LEN_MAX {
        return Err(invalid(KEY));
    }
    note(patch, KEY, Some(value).filter(|value| !value.is_empty()));
    Ok(())
}

pub(super) fn set_reuse(patch: &mut SettingsPatch, value: &str) -> Result<(), WireError> {
    let seconds = whole(REUSE, value, 60, 86_400)?.to_string();
    note(patch, REUSE, Some(&seconds).filter(|seconds| *seconds != REUSE_DEFAULT).map(|s| &**s));
    Ok(())
}

/// On is what a queue has that says nothing; being on, it takes the place of a key.
pub(super) fn set_managed(patch: &mut SettingsPatch, enabled: bool) {
    if enabled {
        note(patch, KEY, None);
    }
    note(patch, MANAGED, (!enabled).then_some("false"));
}

pub(super) fn render(notes: &Texts) -> Vec<(&'static str, String)> {
    let text = |name| notes.get(&Label::new(name)).map(|text| text.as_str());
    let Some(key) = text(KEY) else {
        return vec![(MANAGED, text(MANAGED).unwrap_or("true").to_owned())];
    };
    vec![
        (KEY, key.to_owned()),
        (REUSE, text(REUSE).unwrap_or(REUSE_DEFAULT).to_owned()),
        (MANAGED, "false".to_owned()),
    ]
}
