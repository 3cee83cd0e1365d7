//! URI references as RFC 3986 writes them: `source` has to be one, `dataschema` a URI.
//!
//! Checked by hand and not taken apart: the library for URLs normalizes (a source has to leave as
//! it came), reads what the RFC does not allow, and brings Unicode's tables with it.

/// Whether a text is a URI-reference (section 4.1) and not the empty one.
pub(crate) fn is_reference(text: &str) -> bool {
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (hierarchy, query) = before.split_once('?').unwrap_or((before, ""));
    let (first, _) = hierarchy.split_once('/').unwrap_or((hierarchy, ""));
    // A colon in the first segment ends a scheme (section 4.2).
    let scheme = first.split_once(':').is_none_or(|(scheme, _)| is_scheme(scheme));
    let rest = hierarchy.split_once(':').filter(|_| first.contains(':'));
    let rest = rest.map_or(hierarchy, |(_, rest)| rest);
    let tail = |part: &str| is_made_of(part, b"/?:@");
    !text.is_empty() && scheme && is_hierarchy(rest) && tail(query) && tail(fragment)
}

/// Whether a text is a URI: a reference with a scheme (section 3; CloudEvents calls it absolute,
/// and its examples have fragments).
pub(crate) fn is_uri(text: &str) -> bool {
    is_reference(text) && text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme))
}

/// Section 3.1.
fn is_scheme(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(letter)
}

/// An authority behind two slashes, and a path. Only an authority has brackets (section 3.2.2).
fn is_hierarchy(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("//") else { return is_made_of(text, b"/:@") };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or_default();
    is_made_of(authority, b":@[]") && is_made_of(path, b"/:@")
}

/// Whether a text is made of unreserved letters, sub-delimiters, escapes (section 2), and `more`.
fn is_made_of(text: &str, more: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => [bytes.next(), bytes.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => true,
            _ => b"-._~!$&'()*+,;=".contains(&byte) || more.contains(&byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Specification, "source", its examples; RFC 3986, section 1.1.2 and 5.4.
    #[test]
    fn references_are_told_from_other_texts() {
        for good in [
            "https://github.com/cloudevents",
            "mailto:cncf-wg-serverless@lists.cncf.io",
            "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
            "/cloudevents/spec/pull/123",
            "1-555-123-4567",
            "ldap://[2001:db8::7]/c=GB?objectClass?one",
            "//g",
            "g?y/./x",
            "#s",
            "./a:b",
            "a%20b",
        ] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["", "a b", "a%2", "a%zz", "é", "1a:b", ":a", "a#b#c", "/a[1]", "<x>", "a\\b"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }

    /// Specification, "dataschema".
    #[test]
    fn a_uri_has_a_scheme() {
        for good in ["https://a/b.json#/x", "urn:x:y", "a:"] {
            assert!(is_uri(good), "{good}");
        }
        for bad in ["/a", "a", "//a/b", "", "1:2", "a b:c"] {
            assert!(!is_uri(bad), "{bad}");
        }
    }
}
