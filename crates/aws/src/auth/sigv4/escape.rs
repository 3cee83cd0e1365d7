//! Percent-encoding as AWS's canonical form has it.

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `bytes` with all but unreserved characters (RFC 3986) as `%XY`; `keep` is let through
/// too.
pub(super) fn encode(bytes: &[u8], keep: Option<u8>, out: &mut String) {
    for &byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if plain || keep == Some(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(DIGITS.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit)));
            }
        }
    }
}

/// The bytes behind a part of a query: `+` is a space, and a `%` that no two hex digits follow is
/// itself, as the parser of the parameters has it.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    loop {
        rest = match rest {
            [] => return out,
            [b'%', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(nibble(*high) << 4 | nibble(*low));
                after
            }
            [b'+', after @ ..] => {
                out.push(b' ');
                after
            }
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        }
    }
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// Bytes as lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A signature: 64 hex digits, lower-case only, so that it has one form.
pub(super) fn signature(text: &str) -> Option<[u8; 32]> {
    let lower = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 64 || !text.bytes().all(lower) {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = pair.iter().fold(0, |value, digit| value << 4 | nibble(*digit));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: &[u8]) -> String {
        let mut out = String::new();
        encode(bytes, None, &mut out);
        out
    }

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encoded(b"aZ09-._~"), "aZ09-._~");
        assert_eq!(encoded(b" /+%\xff\x00"), "%20%2F%2B%25%FF%00");
        let mut path = String::new();
        encode(b"/a b", Some(b'/'), &mut path);
        assert_eq!(path, "/a%20b");
    }

    #[test]
    fn a_percent_sign_without_digits_is_itself() {
        assert_eq!(decode("a%20b+c%2B%c3%A9"), "a b c+\u{e9}".as_bytes());
        assert_eq!(decode("%"), b"%");
        assert_eq!(decode("%2"), b"%2");
        assert_eq!(decode("%zz%%41"), b"%zz%A");
    }

    #[test]
    fn every_byte_survives_both_ways() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encoded(&all)), all);
    }

    #[test]
    fn a_signature_has_one_form() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7).unwrap());
        assert_eq!(signature(&hex(&bytes)), Some(bytes));
        assert_eq!(signature(&hex(&bytes).to_uppercase()), None);
        assert_eq!(signature(&hex(&bytes)[..62]), None);
        assert_eq!(signature(&"g".repeat(64)), None);
    }
}
