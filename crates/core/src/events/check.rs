//! Whether an append is one that may be asked for: counts and lengths. Characters are the faces'
//! affair.

use super::append::{Append, NewEvent};
use super::query::Query;
use super::refusal::{EventPart, EventRefusal};
use crate::id::Label;
use crate::limits::Limits;

type Checked = Result<(), EventRefusal>;

impl Append {
    pub(super) fn check(&self, limits: &Limits) -> Checked {
        let events = self.events.len();
        if events == 0 {
            return Err(EventRefusal::Empty { part: EventPart::Events, event: None });
        }
        let most = limits.append_events_max;
        bound(EventPart::Events, None, events, most)?;
        bound(EventPart::Expected, None, self.expected.len(), most)?;
        for (index, event) in self.events.iter().enumerate() {
            event.check(index, limits)?;
        }
        let tags = self.events.iter().map(|event| event.tags.len()).sum();
        bound(EventPart::AllTags, None, tags, limits.append_tags_max)?;
        bound(EventPart::AllBytes, None, self.bytes(), limits.append_bytes_max)?;
        let boundary = self.boundary.as_ref().map(|boundary| &boundary.query);
        boundary.into_iter().chain(&self.unless).try_for_each(|query| query.check(limits))
    }
}

impl NewEvent {
    fn check(&self, index: usize, limits: &Limits) -> Checked {
        let event = Some(index);
        let most = limits.event_label_bytes_max;
        text(EventPart::Stream, event, &self.stream, limits.stream_name_bytes_max)?;
        text(EventPart::Kind, event, &self.content.kind, most)?;
        bound(EventPart::Tags, event, self.tags.len(), limits.event_tags_max)?;
        for tag in &self.tags {
            text(EventPart::Tag, event, tag, limits.event_tag_bytes_max)?;
        }
        if let Some(correlation) = &self.correlation {
            text(EventPart::Correlation, event, correlation, most)?;
        }
        let context = self.content.context_bytes();
        bound(EventPart::Context, event, context, limits.event_context_bytes_max)?;
        bound(EventPart::Data, event, self.content.data_bytes(), limits.event_data_bytes_max)
    }
}

impl Query {
    fn check(&self, limits: &Limits) -> Checked {
        bound(EventPart::QueryItems, None, self.items.len(), limits.query_items_max)?;
        bound(EventPart::QueryTerms, None, self.terms(), limits.query_terms_max)
    }
}

fn bound(part: EventPart, event: Option<usize>, actual: usize, limit: usize) -> Checked {
    if actual > limit {
        return Err(EventRefusal::Beyond { part, event, limit });
    }
    Ok(())
}

fn text(part: EventPart, event: Option<usize>, label: &Label, limit: usize) -> Checked {
    match label.as_str().len() {
        0 => Err(EventRefusal::Empty { part, event }),
        bytes => bound(part, event, bytes, limit),
    }
}
