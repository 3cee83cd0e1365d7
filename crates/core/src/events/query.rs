//! Which events somebody means.

use super::event::{EventHead, category_of};
use crate::id::Label;

/// Events that fit any of the items; without items, all events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// At most `query_items_max`.
    pub items: Vec<QueryItem>,
}

/// Events that fit every part that is given; without any, all events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryItem {
    /// Of any of these types; of any type at all when there are none.
    pub types: Vec<Label>,
    /// With all of these tags.
    pub tags: Vec<Label>,
    /// In this stream.
    pub stream: Option<Label>,
    /// In a stream of this category.
    pub category: Option<Label>,
    /// That belong to this.
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
        let single = [&self.stream, &self.category, &self.correlation];
        self.types.len() + self.tags.len() + single.into_iter().flatten().count()
    }
}
