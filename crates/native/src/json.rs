//! Bodies of JSON, looked into one level at a time: what lies deeper stays the bytes that came.

use std::fmt;

use serde::de::{Deserializer as _, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::bounds::{BODY_BYTES_MAX, DEPTH_MAX, NAME_BYTES_MAX, NUMBER_MAX};
use crate::problem::{Kind, Problem};

/// A value, not looked into; it is well-formed.
pub(crate) type Raw<'a> = &'a RawValue;

/// The members of an object, in the order in which they came; no name is there twice.
pub(crate) type Members<'a> = Vec<(String, Raw<'a>)>;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Object,
    Array,
    Text,
    Number,
    Bool,
    Null,
}

impl Type {
    /// Of a value.
    pub(crate) fn of(raw: Raw<'_>) -> Type {
        match raw.get().as_bytes().first() {
            Some(b'{') => Type::Object,
            Some(b'[') => Type::Array,
            Some(b'"') => Type::Text,
            Some(b't' | b'f') => Type::Bool,
            Some(b'n') => Type::Null,
            _ => Type::Number,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Object => "an object",
            Type::Array => "an array",
            Type::Text => "a string",
            Type::Number => "a number",
            Type::Bool => "a boolean",
            Type::Null => "null",
        })
    }
}

/// A body as one JSON document (RFC 8259), bounded in bytes and in depth before it is parsed.
pub(crate) fn document(body: &[u8]) -> Result<Raw<'_>, Problem> {
    let malformed = |detail: String| Problem::new(Kind::MalformedJson, detail);
    if body.len() > BODY_BYTES_MAX {
        let detail =
            format!("The body has {} bytes; at most {BODY_BYTES_MAX} are read.", body.len());
        return Err(Problem::new(Kind::TooLarge, detail));
    }
    let text = str::from_utf8(body).map_err(|error| {
        malformed(format!("The body is not UTF-8 from byte {} on.", error.valid_up_to()))
    })?;
    if !is_bounded(text) {
        return Err(malformed(format!(
            "The body nests arrays and objects deeper than {DEPTH_MAX}."
        )));
    }
    serde_json::from_str(text).map_err(|error| malformed(format!("The body is no JSON: {error}.")))
}

/// Whether a text, if it is JSON, nests no deeper than it may.
pub(crate) fn is_bounded(text: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return false;
        }
    }
    true
}

/// Whether some bytes are one JSON document that nests no deeper than it may.
pub(crate) fn is_document(bytes: &[u8]) -> bool {
    let text = str::from_utf8(bytes).ok().filter(|text| is_bounded(text));
    text.is_some_and(|text| serde_json::from_str::<Raw<'_>>(text).is_ok())
}

/// What does not fit in a value, in words that follow "is" or stand alone.
pub(crate) type Misfit = String;

/// The members of an object; at most `max`.
pub(crate) fn members(raw: Raw<'_>, max: usize) -> Result<Members<'_>, Misfit> {
    let kind = Type::of(raw);
    if kind != Type::Object {
        return Err(format!("An object is needed here, and this is {kind}."));
    }
    let mut parser = serde_json::Deserializer::from_str(raw.get());
    let members = parser.deserialize_map(ObjectOf(max)).map_err(sentence)?;
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair.first() == pair.last());
    match twice.and_then(|pair| pair.first()) {
        Some(name) => Err(format!("The member `{name}` is there twice.")),
        None => Ok(members),
    }
}

/// The elements of an array; at most `max`.
pub(crate) fn elements(raw: Raw<'_>, max: usize) -> Result<Vec<Raw<'_>>, Misfit> {
    let kind = Type::of(raw);
    if kind != Type::Array {
        return Err(format!("An array is needed here, and this is {kind}."));
    }
    let mut parser = serde_json::Deserializer::from_str(raw.get());
    parser.deserialize_seq(ArrayOf(max)).map_err(sentence)
}

/// A string. One with half a surrogate pair is no text.
pub(crate) fn text(raw: Raw<'_>) -> Result<String, Misfit> {
    match Type::of(raw) {
        // It is well-formed, so this alone can be wrong with it.
        Type::Text => serde_json::from_str(raw.get())
            .map_err(|_| "The string has half a surrogate pair, which is no character.".to_owned()),
        other => Err(format!("A string is needed here, and this is {other}.")),
    }
}

/// A whole number from 0 to [`NUMBER_MAX`].
pub(crate) fn number(raw: Raw<'_>) -> Result<u64, Misfit> {
    let number = whole(raw).parse().ok().filter(|number| *number <= NUMBER_MAX);
    number.ok_or_else(|| {
        let rule = format!("A whole number from 0 to {NUMBER_MAX} is needed here");
        format!("{rule}, and this is {}.", cut(raw))
    })
}

/// The digits of a number without a fraction of nothing but zeros: in JSON Schema, and for many who
/// write JSON, 7.0 is as whole as 7. All else stays as it is.
pub(crate) fn whole(raw: Raw<'_>) -> &str {
    match raw.get().split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        _ => raw.get(),
    }
}

/// A value for a message: not all of a long one.
pub(crate) fn cut(raw: Raw<'_>) -> String {
    crate::text::shown(raw.get())
}

/// The pointer (RFC 6901) to a member of what `at` points to; of a name that is too long to repeat,
/// `at` alone.
pub(crate) fn pointer(at: &str, name: &str) -> String {
    if name.len() > NAME_BYTES_MAX {
        return at.to_owned();
    }
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn sentence(error: serde_json::Error) -> Misfit {
    // Where it says that it is, is counted from the begin of this value and not of the body.
    let text = error.to_string();
    format!("{}.", text.split_once(" at line ").map_or(text.as_str(), |(text, _)| text))
}

/// Adds a part, unless there are so many already: what is more is refused before it takes memory.
fn push<T, E: Error>(all: &mut Vec<T>, part: T, max: usize) -> Result<(), E> {
    if all.len() == max {
        return Err(E::custom(format_args!("more than {max} parts are not read here")));
    }
    all.push(part);
    Ok(())
}

/// Gathers up to so many members of an object.
struct ObjectOf(usize);

impl<'de> Visitor<'de> for ObjectOf {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut all = Vec::new();
        while let Some(member) = map.next_entry()? {
            push(&mut all, member, self.0)?;
        }
        Ok(all)
    }
}

/// Gathers up to so many elements of an array.
struct ArrayOf(usize);

impl<'de> Visitor<'de> for ArrayOf {
    type Value = Vec<Raw<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Raw<'de>>, A::Error> {
        let mut all = Vec::new();
        while let Some(element) = seq.next_element()? {
            push(&mut all, element, self.0)?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Raw<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_lies_deeper_stays_as_it_came() {
        let body = br#" {"a" : { "b":[1.0, 2e1] } , "c":"\u00e9"} "#;
        let members = members(document(body).unwrap(), 9).unwrap();
        let got: Vec<_> = members.iter().map(|(name, raw)| (&**name, raw.get())).collect();
        assert_eq!(got, [("a", r#"{ "b":[1.0, 2e1] }"#), ("c", r#""\u00e9""#)]);
        assert_eq!(text(members[1].1).unwrap(), "é");
    }

    #[test]
    fn depth_is_bounded_before_anything_is_parsed() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(document(nested(DEPTH_MAX).as_bytes()).is_ok());
        let deep = document(nested(DEPTH_MAX + 1).as_bytes()).unwrap_err();
        assert_eq!(deep.kind(), Kind::MalformedJson);
        assert!(deep.detail().contains("deeper than 128"));
        let in_text = format!("\"{}\"", "[".repeat(500));
        assert!(document(in_text.as_bytes()).is_ok(), "brackets in a string do not nest");
        assert!(document(format!(r#""\"{}""#, "[".repeat(500)).as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for body in ["", "{", "[1,]", "{} {}", "nul", "01", "\u{feff}{}", "'a'"] {
            let refused = document(body.as_bytes()).unwrap_err();
            assert_eq!(refused.kind(), Kind::MalformedJson, "{body}");
        }
        assert!(document(b"\"\xff\"").unwrap_err().detail().contains("not UTF-8 from byte 1"));
        let large = vec![b' '; BODY_BYTES_MAX + 1];
        assert_eq!(document(&large).unwrap_err().kind(), Kind::TooLarge);
    }

    #[test]
    fn members_are_bounded_and_named_once() {
        let object = |count: usize| {
            let members: Vec<_> = (0..count).map(|n| format!("\"{n}\":{n}")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(members(raw(&object(9)), 9).unwrap().len(), 9);
        assert!(members(raw(&object(10)), 9).unwrap_err().contains("more than 9"));
        assert!(members(raw(r#"{"a":1,"b":2,"\u0061":3}"#), 9).unwrap_err().contains("`a`"));
        assert!(members(raw("[]"), 9).unwrap_err().contains("this is an array"));
        assert!(elements(raw("[1,2,3]"), 2).unwrap_err().contains("more than 2"));
        assert!(elements(raw("1"), 2).unwrap_err().contains("this is a number"));
    }

    #[test]
    fn numbers_are_whole_and_texts_are_text() {
        assert_eq!(number(raw("9007199254740991")), Ok(NUMBER_MAX));
        assert_eq!((number(raw("7.0")), number(raw("7.00"))), (Ok(7), Ok(7)));
        for value in ["-1", "1.5", "1.01", "1e3", "1.0e3", "\"1\"", "9007199254740992", "null"] {
            assert!(number(raw(value)).is_err(), "{value}");
        }
        assert!(text(raw(r#""\ud800""#)).is_err(), "half a surrogate pair");
        assert_eq!(pointer("/a", "b/c~d"), "/a/b~1c~0d");
        assert_eq!(pointer("/a", &"b".repeat(65)), "/a");
        assert!(text(raw("null")).unwrap_err().contains("this is null"));
    }
}
