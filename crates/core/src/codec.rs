//! Facts as bytes: CBOR with explicit indices. A reader of an older version skips the fields that
//! it does not know; a fact that it does not know is an error, since it cannot be ignored.

use crate::fact::Fact;

/// These bytes are not facts of a version that this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecError(pub String);

impl std::fmt::Display for CodecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "facts cannot be read: {}", self.0)
    }
}

impl std::error::Error for CodecError {}

/// Appends the facts, one after another without a frame, to `out`.
pub fn encode_facts(facts: &[Fact], out: &mut Vec<u8>) {
    for fact in facts {
        let written = minicbor::encode(fact, &mut *out);
        assert!(written.is_ok(), "writing CBOR to memory cannot fail");
    }
}

/// Reads back exactly `count` facts; bytes that are left over are an error.
pub fn decode_facts(bytes: &[u8], count: usize) -> Result<Vec<Fact>, CodecError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    // A fact takes at least one byte, so a false count cannot make us reserve more than we hold.
    let mut facts = Vec::with_capacity(count.min(bytes.len()));
    for _ in 0..count {
        facts.push(decoder.decode().map_err(|e| CodecError(e.to_string()))?);
    }
    if decoder.position() != bytes.len() {
        return Err(CodecError(format!(
            "{} bytes after the last fact",
            bytes.len() - decoder.position()
        )));
    }
    Ok(facts)
}
