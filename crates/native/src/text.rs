//! Rules of texts: what CloudEvents lets a string, a name, a media type be, and what a stream and a
//! tag may be.

use crate::bounds::{NAME_BYTES_MAX, STREAM_BYTES_MAX, TAG_BYTES_MAX};

/// Most characters of a value that a message repeats.
const SHOWN_MAX: usize = 60;

/// A value for a message: not all of a long one, and nothing that a terminal would act on.
pub(crate) fn shown(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Whether a text is a CloudEvents String (specification, "Type System"): no control characters,
/// and no noncharacters of Unicode. Rust's texts have no surrogates.
pub(crate) fn is_string(value: &str) -> bool {
    let nonchar = |c: char| {
        let code = u32::from(c);
        code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
    };
    !value.chars().any(|c| c.is_control() || nonchar(c))
}

/// Whether a text may name an attribute (specification, "Naming Conventions"): lower-case ASCII
/// letters and digits; not `data`, and not longer than we bound it.
pub(crate) fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(letter) && name != "data"
}

/// Why a text cannot be a stream's name, if it cannot.
pub(crate) fn misfit_of_stream(name: &str) -> Option<String> {
    match name.len() {
        0 => Some("A stream's name has at least one character.".to_owned()),
        1..=STREAM_BYTES_MAX if is_string(name) => None,
        1..=STREAM_BYTES_MAX => {
            Some(format!("A stream's name has no control characters, and {} has.", shown(name)))
        }
        len => Some(format!("A stream's name has at most {STREAM_BYTES_MAX} bytes, not {len}.")),
    }
}

/// Why a text cannot be a tag, if it cannot. A comma would make two tags of one where tags are an
/// extension, and space around one would be lost there.
pub(crate) fn misfit_of_tag(tag: &str) -> Option<String> {
    if tag.is_empty() || tag.len() > TAG_BYTES_MAX {
        let len = tag.len();
        return Some(format!("A tag has 1 to {TAG_BYTES_MAX} bytes, and this one has {len}."));
    }
    if !is_string(tag) || tag.contains(',') || tag.trim() != tag {
        let rule = "A tag has no comma, no control character and no space around it";
        return Some(format!("{rule}, and {} has.", shown(tag)));
    }
    None
}

/// The category of a stream is not given: it is the part of the name before the first hyphen. Why
/// a text can be no category, if it cannot.
pub(crate) fn misfit_of_category(category: &str) -> Option<String> {
    if category.contains('-') {
        let rule = "A category is what stands before the first `-` of a stream's name";
        return Some(format!("{rule}, and {} has one.", shown(category)));
    }
    misfit_of_stream(category)
}

/// Whether a text is a media type (RFC 2046): type, subtype, and parameters that are printable.
pub(crate) fn is_media_type(value: &str) -> bool {
    let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
    let token = |text: &str| !text.is_empty() && text.bytes().all(is_token);
    let (kind, subtype) = essence.trim_end_matches([' ', '\t']).split_once('/').unwrap_or_default();
    let printable = |byte: u8| (0x20..0x7f).contains(&byte);
    token(kind) && token(subtype) && parameters.bytes().all(printable)
}

/// A letter of a token of HTTP (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A media type without its parameters, in lower case.
pub(crate) fn essence(media_type: &str) -> String {
    let essence = media_type.split_once(';').map_or(media_type, |(essence, _)| essence);
    essence.trim().to_ascii_lowercase()
}

/// Whether a media type says JSON (JSON format, section 3.1.1): `*/json` or `*/*+json`.
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    subtype == "json" || subtype.ends_with("+json")
}

/// Whether a media type says text whose bytes are those of its letters in UTF-8, so that it can
/// stand in a string of JSON: `text/*`, XML, and no other character set.
pub(crate) fn is_utf8_text(media_type: &str) -> bool {
    let essence = essence(media_type);
    let xml = essence == "application/xml" || essence.ends_with("+xml");
    let mut parameters = media_type.split(';').skip(1).filter_map(|part| part.split_once('='));
    let charset = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let utf8 = charset.is_none_or(|(_, value)| {
        let value = value.trim().trim_matches('"');
        value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("us-ascii")
    });
    (xml || essence.starts_with("text/")) && utf8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Specification, "Type System", String.
    #[test]
    fn strings_have_no_control_characters_and_no_noncharacters() {
        for good in ["", "a b", "é€😀", "\u{a0}", "\u{fffd}", "\u{10fffd}"] {
            assert!(is_string(good), "{good:?}");
        }
        for bad in ["\0", "\n", "\u{1f}", "\u{7f}", "\u{9f}", "\u{fffe}", "\u{1ffff}", "\u{fdd0}"] {
            assert!(!is_string(bad), "{bad:?}");
        }
    }

    /// Specification, "Naming Conventions".
    #[test]
    fn names_are_lower_case_letters_and_digits() {
        assert!(is_name("a") && is_name("0") && is_name("comexampleextension1"));
        assert!(is_name(&"a".repeat(64)) && !is_name(&"a".repeat(65)));
        for bad in ["", "data", "Data", "data_base64", "a-b", "a.b", "é"] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn streams_and_tags_are_named_as_they_can_be_said_everywhere() {
        assert_eq!(misfit_of_stream("account-42"), None);
        assert_eq!(misfit_of_stream(&"s".repeat(1024)), None);
        for bad in ["", "a\nb", &"s".repeat(1025)] {
            assert!(misfit_of_stream(bad).is_some(), "{bad}");
        }
        assert_eq!(misfit_of_tag("seat:A 12"), None);
        assert_eq!(misfit_of_tag(&"t".repeat(256)), None);
        for bad in ["", "a,b", " a", "a ", "a\tb", &"t".repeat(257)] {
            assert!(misfit_of_tag(bad).is_some(), "{bad:?}");
        }
        assert_eq!(misfit_of_category("account"), None);
        assert!(misfit_of_category("account-42").unwrap().contains("first `-`"));
    }

    /// JSON format, section 3.1.1, and RFC 2046.
    #[test]
    fn media_types_are_told_apart() {
        for json in
            ["application/json", "text/JSON; charset=utf-8", "application/ld+json", "x/json"]
        {
            assert!(is_json(json) && is_media_type(json), "{json}");
        }
        for other in ["application/jsonl", "application/json-seq", "json", "text/plain"] {
            assert!(!is_json(other), "{other}");
        }
        for bad in ["", "text", "/x", "text/", "text/a b", "text/plain; \n", "té/x"] {
            assert!(!is_media_type(bad), "{bad}");
        }
        assert!(is_utf8_text("text/plain") && is_utf8_text("application/xml;charset=UTF-8"));
        assert!(is_utf8_text("image/svg+xml") && is_utf8_text("text/csv; charset=\"us-ascii\""));
        assert!(!is_utf8_text("text/plain; charset=latin1"));
        assert!(!is_utf8_text("application/octet-stream"));
    }

    #[test]
    fn a_message_repeats_little_and_nothing_that_acts() {
        assert_eq!(shown("a\u{1b}[2J"), "`a\\u{1b}[2J`");
        assert_eq!(shown(&"x".repeat(61)), format!("`{}…`", "x".repeat(60)));
        assert_eq!(shown(&"x".repeat(60)), format!("`{}`", "x".repeat(60)));
    }
}
