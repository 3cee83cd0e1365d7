//! What a FIFO queue recognises a message by.

use std::sync::Arc;

use minicbor::data::Type;
use minicbor::{Decode, Encode};

use super::Scope;
use crate::id::Label;
use crate::parts::{Weigh, piece};

/// A deduplication id where it counts. Of one scope it is never equal to one of the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DedupKey {
    /// In the whole queue.
    Queue(Label),
    /// In a group: the group, and the id. Behind one pointer, so that keys of the whole queue, which
    /// are the rule, are no larger for it.
    Group(Arc<(Label, Label)>),
}

impl DedupKey {
    /// A message without a group is in none of them, and its id counts in the whole queue.
    pub(super) fn new(scope: Scope, group: Option<&Label>, id: &Label) -> DedupKey {
        match (scope, group) {
            (Scope::Group, Some(group)) => DedupKey::Group(Arc::new((group.clone(), id.clone()))),
            _ => DedupKey::Queue(id.clone()),
        }
    }
}

impl Weigh for DedupKey {
    fn beyond(&self) -> u64 {
        match self {
            DedupKey::Queue(id) => id.beyond(),
            DedupKey::Group(both) => {
                let (group, id) = both.as_ref();
                piece::<(Label, Label)>(1) + group.beyond() + id.beyond()
            }
        }
    }
}

/// A text, or a list of two: the group and the id.
impl<C> Encode<C> for DedupKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            DedupKey::Queue(id) => id.encode(e, ctx),
            DedupKey::Group(both) => both.as_ref().encode(e, ctx),
        }
    }
}

impl<'b, C> Decode<'b, C> for DedupKey {
    fn decode(
        d: &mut minicbor::Decoder<'b>,
        ctx: &mut C,
    ) -> Result<DedupKey, minicbor::decode::Error> {
        match d.datatype()? {
            Type::Array => Ok(DedupKey::Group(Arc::new(Decode::decode(d, ctx)?))),
            _ => Ok(DedupKey::Queue(Label::decode(d, ctx)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scope: Scope, group: Option<&str>, id: &str) -> DedupKey {
        DedupKey::new(scope, group.map(Label::new).as_ref(), &Label::new(id))
    }

    #[test]
    fn keys_of_two_scopes_or_two_groups_are_never_equal() {
        let keys = [
            key(Scope::Queue, Some("g"), "a"),
            key(Scope::Group, Some("g"), "a"),
            key(Scope::Group, Some("ga"), ""),
            key(Scope::Group, Some(""), "ga"),
        ];
        for (index, one) in keys.iter().enumerate() {
            keys.iter().skip(index + 1).for_each(|other| assert_ne!(one, other));
        }
        assert_eq!(key(Scope::Queue, Some("g"), "a"), key(Scope::Queue, Some("h"), "a"));
        assert_eq!(key(Scope::Group, None, "a"), key(Scope::Queue, None, "a"));
    }

    #[test]
    fn a_key_comes_back_from_its_bytes_and_is_small() {
        for key in [key(Scope::Queue, None, "a"), key(Scope::Group, Some("g"), "a")] {
            let mut bytes = Vec::new();
            minicbor::encode(&key, &mut bytes).unwrap();
            assert_eq!(minicbor::decode::<DedupKey>(&bytes).unwrap(), key);
        }
        assert_eq!(size_of::<DedupKey>(), size_of::<Label>());
    }
}
