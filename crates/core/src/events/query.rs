//! Which events somebody means.

use minicbor::{Decode, Encode};

use super::event::{EventHead, category_of};
use crate::id::Label;
use crate::parts::{Weigh, piece};

/// Events that fit any of the items; without items, all events. The numbers are part of the format
/// on disk, where subscriptions keep queries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Query {
    /// At most `query_items_max`.
    #[n(0)]
    pub items: Vec<QueryItem>,
}

/// Events that fit every part that is given; without any, all events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct QueryItem {
    /// Of any of these types; of any type at all when there are none.
    #[n(0)]
    pub types: Vec<Label>,
    /// With all of these tags.
    #[n(1)]
    pub tags: Vec<Label>,
    /// In this stream.
    #[n(2)]
    pub stream: Option<Label>,
    /// In a stream of this category.
    #[n(3)]
    pub category: Option<Label>,
    /// That belong to this.
    #[n(4)]
    pub correlation: Option<Label>,
}

impl Query {
    /// All events.
    pub fn all() -> Query {
        Query::default()
    }

    /// Those that fit one item.
    pub fn of(item: QueryItem) -> Query {
        Query { items: vec![item] }
    }

    /// Whether it means this event. Everything that answers queries by an index has to say the same.
    pub fn matches(&self, event: &EventHead<'_>) -> bool {
        self.items.is_empty() || self.items.iter().any(|item| item.matches(event))
    }

    /// How many types, tags, streams, categories and correlation ids it names.
    pub fn terms(&self) -> usize {
        self.items.iter().map(QueryItem::terms).sum()
    }

    /// Bytes of all that it names.
    pub(crate) fn text_bytes(&self) -> usize {
        self.items.iter().flat_map(QueryItem::labels).map(|label| label.as_str().len()).sum()
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn bytes(&self) -> u64 {
        let labels = self.items.iter().flat_map(QueryItem::labels);
        let texts: u64 = labels.map(|label| size_of::<Label>() as u64 + label.beyond()).sum();
        piece::<QueryItem>(self.items.len()).saturating_add(texts)
    }
}

impl QueryItem {
    /// Whether an event fits.
    pub fn matches(&self, event: &EventHead<'_>) -> bool {
        let fits = |wanted: &Option<Label>, given: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| given == Some(wanted.as_str()))
        };
        (self.types.is_empty() || self.types.contains(event.kind))
            && self.tags.iter().all(|tag| event.tags.contains(tag))
            && fits(&self.stream, Some(event.stream.as_str()))
            && fits(&self.category, Some(category_of(event.stream.as_str())))
            && fits(&self.correlation, event.correlation.map(Label::as_str))
    }

    fn terms(&self) -> usize {
        self.labels().count()
    }

    fn labels(&self) -> impl Iterator<Item = &Label> {
        let single = [&self.stream, &self.category, &self.correlation];
        self.types.iter().chain(&self.tags).chain(single.into_iter().flatten())
    }
}
