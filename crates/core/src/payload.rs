//! What a message carries, in one form for every face, so that a message may enter by one cloud's
//! protocol and leave by another's. Queues never look inside.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::id::Label;

/// A message's content. The numbers are part of the format on disk.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Payload {
    /// The body.
    #[n(0)]
    pub body: ByteVec,
    /// Named values beside the body, in the order of their names.
    #[n(1)]
    pub attributes: Vec<Attribute>,
    /// The ordering group as the sender gave it.
    #[n(2)]
    pub group: Option<Label>,
    /// The deduplication id in force.
    #[n(3)]
    pub dedup: Option<Label>,
    /// A trace header that travels with the message.
    #[n(4)]
    pub trace: Option<Label>,
    /// Who sent it.
    #[n(5)]
    pub sender: Option<Label>,
}

/// One named value.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Attribute {
    /// Its name.
    #[n(0)]
    pub name: Label,
    /// Its type as the sender called it.
    #[n(1)]
    pub kind: Label,
    /// Its value.
    #[n(2)]
    pub value: ByteVec,
}

impl Payload {
    /// The payload as bytes for the log.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 64 + 64 * self.attributes.len());
        let written = minicbor::encode(self, &mut out);
        assert!(written.is_ok(), "writing CBOR to memory cannot fail");
        out
    }

    /// The payload behind bytes from the log.
    pub fn decode(bytes: &[u8]) -> Result<Payload, crate::codec::CodecError> {
        minicbor::decode(bytes).map_err(|error| crate::codec::CodecError(error.to_string()))
    }
}
