//! Folding by merge patches.

use serde_json::{Map, Value};

use crate::fault::{Cause, Fault};
use crate::fold::{Block, Event, Folded};
use crate::limits::STATE_BYTES_MAX;
use crate::time::worked;

/// The state before the first event.
pub(crate) const INITIAL: &str = "{}";

/// Folds a block. Nothing in it takes longer than what it is given is long, so the time is looked
/// at only where it begins.
pub(crate) fn fold(block: &Block) -> Result<Folded, Fault> {
    if block.time.is_zero() {
        return Err(Cause::Time(block.time).into());
    }
    let began = worked();
    let mut state = State::read(block.from.as_deref().unwrap_or(INITIAL))?;
    for event in &block.events {
        let at = Some(event.at);
        state.take(event).map_err(|cause| Fault::of(cause).at(at))?;
    }
    let state = state.value.to_string();
    Ok(Folded { state, spent: worked().saturating_sub(began) })
}

struct State {
    value: Value,
    /// It has at most so many bytes as JSON.
    bytes_at_most: usize,
}

impl State {
    fn read(text: &str) -> Result<State, Cause> {
        let value = serde_json::from_str(text);
        let value = value.map_err(|error| Cause::NotAnEvent(error.to_string()))?;
        Ok(State { value, bytes_at_most: text.len() })
    }

    fn take(&mut self, event: &Event) -> Result<(), Cause> {
        let Some(patch) = patch_of(event)? else { return Ok(()) };
        merge(&mut self.value, patch);
        // To write the state for each event costs more than all else: first it is told from what it
        // can have become, a comma for each member included.
        self.bytes_at_most = self.bytes_at_most.saturating_add(event.json.len());
        if self.bytes_at_most > STATE_BYTES_MAX {
            self.bytes_at_most = self.value.to_string().len();
        }
        if self.bytes_at_most > STATE_BYTES_MAX { Err(Cause::StateTooLarge) } else { Ok(()) }
    }
}

/// The data of an event, if it is JSON: of a media type that says so, or of none (CloudEvents' JSON
/// format, section 3.1.1).
fn patch_of(event: &Event) -> Result<Option<Value>, Cause> {
    let read: Result<Map<String, Value>, _> = serde_json::from_str(&event.json);
    let mut members = read.map_err(|error| Cause::NotAnEvent(error.to_string()))?;
    let is_json = match members.get("datacontenttype") {
        None => true,
        Some(kind) => kind.as_str().is_some_and(is_json),
    };
    Ok(members.remove("data").filter(|_| is_json))
}

/// Whether a media type is `*/json` or `*/*+json`, whatever its parameters are.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split_once(';').map_or(media_type, |(essence, _)| essence);
    let essence = essence.trim().to_ascii_lowercase();
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    subtype == "json" || subtype.ends_with("+json")
}

/// RFC 7396, section 2. It goes as deep as the patch, which the parser has bounded.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            match value {
                Value::Null => drop(target.remove(&name)),
                value => merge(target.entry(name).or_insert(Value::Null), value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fold::fold_here;
    use crate::fold::tests::{block, event, folded};
    use crate::program::Program;

    /// RFC 7396, appendix A: its table, but for the rows whose original is no object's member.
    #[test]
    fn the_table_of_the_rfc_holds() {
        for (original, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let (mut target, patch) = (serde_json::from_str(original).unwrap(), patch);
            merge(&mut target, serde_json::from_str(patch).unwrap());
            assert_eq!(target.to_string(), result, "{original} {patch}");
        }
    }

    #[test]
    fn only_data_that_is_json_is_merged() {
        let of = |json: &str| patch_of(&Event { json: json.to_owned(), at: (1, 1).into() });
        assert_eq!(of(r#"{"data":{"a":1}}"#), Ok(Some(json!({ "a": 1 }))));
        let typed = |kind: &str| of(&format!(r#"{{"datacontenttype":"{kind}","data":"x"}}"#));
        assert_eq!(typed("application/json; charset=utf-8"), Ok(Some("x".into())));
        assert_eq!(typed("application/LD+json"), Ok(Some("x".into())));
        assert_eq!((typed("text/plain"), of(r#"{"data_base64":"eA=="}"#)), (Ok(None), Ok(None)));
        assert!(matches!(of("[]"), Err(Cause::NotAnEvent(_))));
    }

    #[test]
    fn a_state_that_grows_too_large_is_named_by_its_event() {
        let piece = "x".repeat(300 << 10);
        let events: Vec<Event> =
            (1..=5).map(|n| event(n, &json!({ n.to_string(): &piece }))).collect();
        let fault = fold_here(&block(&Program::Merge, events)).unwrap_err();
        assert_eq!((fault.cause, fault.at), (Cause::StateTooLarge, Some((104, 4).into())));
        let again: Vec<Event> = (1..=50).map(|n| event(n, &json!({ "same": &piece }))).collect();
        assert!(
            fold_here(&block(&Program::Merge, again)).is_ok(),
            "what is replaced does not count"
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ab\"é]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The pseudo code of RFC 7396, section 2, letter by letter.
    fn oracle(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else { return patch.clone() };
        let mut target = if let Value::Object(target) = target { target } else { Map::new() };
        for (name, value) in patch {
            let before = target.remove(name);
            if !value.is_null() {
                target.insert(name.clone(), oracle(before.unwrap_or(Value::Null), value));
            }
        }
        Value::Object(target)
    }

    proptest! {
        #[test]
        fn it_is_what_the_rfc_says(patches in prop::collection::vec(values(), 0..12)) {
            let merged = patches.iter().fold(json!({}), oracle);
            let events: Vec<Event> = (1..).zip(&patches).map(|(n, data)| event(n, data)).collect();
            let state: Value = serde_json::from_str(&folded(&Program::Merge, events)).unwrap();
            prop_assert_eq!(state, merged);
        }
    }
}
