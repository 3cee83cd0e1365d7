//! Terms: what events are looked up by. A term is known by a hash of 128 bits of its kind, its
//! store and its text; the text itself is nowhere in the index.
//!
//! Two terms with the same hash would be taken for one. By chance that does not happen: with ten
//! billion terms it is less likely than one in 10^18. The key is fixed, since runs outlive a
//! process, so somebody who may append could look for such a pair of his own; that takes about 2^64
//! hashes, and spoils the answers about the two names that he chose, in his own store.

use lineside_core::events::{Query, QueryItem, category_of};
use lineside_core::id::QueueId;
use siphasher::sip128::SipHasher24;

use crate::event::Indexed;

/// The key of all hashes. Another key is another version of the format.
const KEY: [u8; 16] = *b"lineside-index-1";

/// What a term says of an event. The numbers are in runs.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Store = 0,
    Stream = 1,
    Category = 2,
    Type = 3,
    Tag = 4,
    Correlation = 5,
}

/// A term's hash; runs are sorted by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Term {
    pub(crate) high: u64,
    pub(crate) low: u64,
}

impl Term {
    fn new(kind: Kind, store: QueueId, text: &str) -> Term {
        let mut content = Vec::with_capacity(text.len().saturating_add(9));
        content.push(kind as u8);
        content.extend(store.0.to_le_bytes());
        content.extend(text.as_bytes());
        let hash = SipHasher24::new_with_key(&KEY).hash(&content);
        Term { high: hash.h1, low: hash.h2 }
    }

    /// Every event of a store.
    pub(crate) fn store(store: QueueId) -> Term {
        Term::new(Kind::Store, store, "")
    }

    /// Every event of a stream.
    pub(crate) fn stream(store: QueueId, stream: &str) -> Term {
        Term::new(Kind::Stream, store, stream)
    }
}

/// The terms of an event, each once, that of its stream first.
pub(crate) fn terms_of(event: &Indexed<'_>, terms: &mut Vec<Term>) {
    let (store, head) = (event.store, &event.head);
    terms.clear();
    terms.push(Term::store(store));
    terms.push(Term::new(Kind::Category, store, category_of(head.stream.as_str())));
    terms.push(Term::new(Kind::Type, store, head.kind.as_str()));
    terms.extend(head.tags.iter().map(|tag| Term::new(Kind::Tag, store, tag.as_str())));
    let correlation =
        head.correlation.map(|text| Term::new(Kind::Correlation, store, text.as_str()));
    terms.extend(correlation);
    terms.sort_unstable();
    terms.dedup();
    terms.insert(0, Term::stream(store, head.stream.as_str()));
}

/// An item of a query: an event matches if it has one of each group's terms. Never without a group.
#[derive(Clone, Debug)]
pub(crate) struct Groups(pub(crate) Vec<Vec<Term>>);

/// The items of a query. No item at all matches everything.
pub(crate) fn items_of(store: QueueId, query: &Query) -> Vec<Groups> {
    let everything = || Groups(vec![vec![Term::store(store)]]);
    if query.items.is_empty() {
        return vec![everything()];
    }
    let item = |item: &QueryItem| {
        let one = |kind, text: &str| vec![Term::new(kind, store, text)];
        let mut groups = Vec::new();
        groups.extend(item.stream.as_ref().map(|text| one(Kind::Stream, text.as_str())));
        groups.extend(item.correlation.as_ref().map(|text| one(Kind::Correlation, text.as_str())));
        groups.extend(item.tags.iter().map(|text| one(Kind::Tag, text.as_str())));
        groups.extend(item.category.as_ref().map(|text| one(Kind::Category, text.as_str())));
        let types = item.types.iter().map(|text| Term::new(Kind::Type, store, text.as_str()));
        let types: Vec<Term> = types.collect();
        groups.extend((!types.is_empty()).then_some(types));
        if groups.is_empty() { everything() } else { Groups(groups) }
    };
    query.items.iter().map(item).collect()
}
