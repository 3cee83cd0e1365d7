//! The canonical request: one text for all ways to write the same request (IAM user guide, "Create
//! a signed AWS API request").

use http::HeaderMap;
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::claim::{Claim, Form};
use super::query::Query;
use super::{Service, escape};
use crate::auth::AuthError;

/// What stands for the hash of a body that nobody has signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The text of a request that its signature covers.
pub(super) fn request(
    head: &Parts,
    query: &Query,
    body: &[u8],
    claim: &Claim,
    service: &Service<'_>,
) -> Result<Vec<u8>, AuthError> {
    // In the header's form no such parameter is there: there would be two signatures.
    let without = if claim.form == Form::Header { "" } else { "X-Amz-Signature" };
    let lines = [
        head.method.as_str().as_bytes().to_vec(),
        path(head.uri.path()).into_bytes(),
        query.canonical(without).into_bytes(),
        headers(&head.headers, &claim.signed_headers)?,
        claim.signed_headers.join(";").into_bytes(),
        payload(&head.headers, body, service).into_bytes(),
    ];
    Ok(lines.join(&b'\n'))
}

/// Bytes that are hashed, as hex digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    escape::hex(&Sha256::digest(bytes))
}

/// Without dot segments and empty ones, and encoded once more than on the wire: only S3 takes a
/// path as it is.
fn path(wire: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in wire.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let open = ["/", "/.", "/.."].iter().any(|end| wire.ends_with(end));
    let mut path = String::with_capacity(wire.len() + 1);
    for segment in &kept {
        path.push('/');
        escape::encode(segment.as_bytes(), None, &mut path);
    }
    if open || kept.is_empty() {
        path.push('/');
    }
    path
}

/// A line for each signed header: its values in their order, without the spaces that say nothing.
fn headers(headers: &HeaderMap, signed: &[String]) -> Result<Vec<u8>, AuthError> {
    let mut lines = Vec::new();
    for name in signed {
        let values: Vec<Vec<u8>> =
            headers.get_all(name).iter().map(|value| squeezed(value.as_bytes())).collect();
        if values.is_empty() {
            return Err(AuthError::SignedAway(name.clone()));
        }
        lines.extend_from_slice(name.as_bytes());
        lines.push(b':');
        lines.extend_from_slice(&values.join(&b','));
        lines.push(b'\n');
    }
    Ok(lines)
}

/// A header's value with each run of spaces as one.
fn squeezed(value: &[u8]) -> Vec<u8> {
    let words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

/// The hash of the body that is here, whatever the header says: a header that says otherwise,
/// `STREAMING-…` included, makes another signature.
fn payload(headers: &HeaderMap, body: &[u8], service: &Service<'_>) -> String {
    let said = headers.get("x-amz-content-sha256").map(http::HeaderValue::as_bytes);
    if service.unsigned_payload && said == Some(UNSIGNED.as_bytes()) {
        return UNSIGNED.to_owned();
    }
    hash(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_without_dots_and_encoded_twice() {
        for (wire, canonical) in [
            ("/", "/"),
            ("//", "/"),
            ("", "/"),
            ("/000000000000/orders", "/000000000000/orders"),
            ("/a/./b//c/../d/", "/a/b/d/"),
            ("/../..", "/"),
            ("/a/..", "/"),
            ("/a/b/.", "/a/b/"),
            ("/a%20b/:x", "/a%2520b/%3Ax"),
        ] {
            assert_eq!(path(wire), canonical, "{wire}");
        }
    }

    #[test]
    fn spaces_that_say_nothing_are_left_out() {
        assert_eq!(squeezed(b"  a   b\tc  "), b"a b\tc");
        assert_eq!(squeezed(b"  "), b"");
        assert_ne!(squeezed(b"\xff"), squeezed(b"\xfe"));
    }
}
