//! Texts under labels: tags, notes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::{Label, Text};

/// A few texts, each under a label of its own, in the order of their labels. A pointer when there
/// are none, as with most queues; a clone shares them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts(Option<Arc<[(Label, Text)]>>);

impl Texts {
    /// The text under a label.
    pub fn get(&self, label: &Label) -> Option<&Text> {
        let index = self.entries().binary_search_by_key(&label, |(known, _)| known).ok()?;
        self.entries().get(index).map(|(_, text)| text)
    }

    /// All of them, in the order of their labels.
    pub fn iter(&self) -> impl Iterator<Item = (&Label, &Text)> {
        self.entries().iter().map(|(label, text)| (label, text))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Bytes of all labels and texts.
    pub fn bytes(&self) -> usize {
        self.iter().map(|(label, text)| label.as_str().len() + text.as_str().len()).sum()
    }

    /// The same with each of these set, or taken out where there is none; the last one of a label
    /// counts.
    #[must_use]
    pub fn with<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a Label, Option<&'a Text>)>,
    ) -> Texts {
        let mut all: BTreeMap<&Label, &Text> = self.iter().collect();
        for (label, text) in changes {
            match text {
                Some(text) => drop(all.insert(label, text)),
                None => drop(all.remove(label)),
            }
        }
        all.into_iter().map(|(label, text)| (label.clone(), text.clone())).collect()
    }

    /// As a fact or a checkpoint has them: nothing when there are none.
    pub(crate) fn to_list(&self) -> Option<Vec<(Label, Text)>> {
        self.0.as_deref().map(<[_]>::to_vec)
    }

    /// Of what [`Texts::to_list`] gave.
    pub(crate) fn of_list(list: Option<Vec<(Label, Text)>>) -> Texts {
        list.unwrap_or_default().into_iter().collect()
    }

    fn entries(&self) -> &[(Label, Text)] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl FromIterator<(Label, Text)> for Texts {
    /// In any order; the last one of a label counts.
    fn from_iter<I: IntoIterator<Item = (Label, Text)>>(entries: I) -> Texts {
        let sorted: BTreeMap<Label, Text> = entries.into_iter().collect();
        Texts((!sorted.is_empty()).then(|| sorted.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(entries: &[(&str, &str)]) -> Texts {
        let owned = |(label, text): &(&str, &str)| (Label::new(*label), Text::new(*text));
        entries.iter().map(owned).collect()
    }

    #[test]
    fn the_last_of_a_label_counts_and_the_order_is_that_of_the_labels() {
        let all = texts(&[("b", "1"), ("a", "2"), ("b", "3")]);
        assert_eq!(all, texts(&[("a", "2"), ("b", "3")]));
        assert_eq!((all.len(), all.bytes(), all.is_empty()), (2, 4, false));
        assert_eq!(all.get(&Label::new("b")), Some(&Text::new("3")));
        assert_eq!(all.get(&Label::new("c")), None);
    }

    #[test]
    fn changes_set_and_take_out() {
        let (a, b, new) = (Label::new("a"), Label::new("b"), Text::new("new"));
        let before = texts(&[("a", "1"), ("c", "2")]);
        let after = before.with([(&a, None), (&b, None), (&b, Some(&new))]);
        assert_eq!(after, texts(&[("b", "new"), ("c", "2")]));
        assert_eq!(after.with([(&b, None), (&Label::new("c"), None)]), Texts::default());
        assert_eq!(before, texts(&[("a", "1"), ("c", "2")]), "it is another one");
    }

    #[test]
    fn none_of_them_is_nothing_on_disk() {
        assert_eq!(Texts::default().to_list(), None);
        for some in [Texts::default(), texts(&[("a", "1")])] {
            assert_eq!(Texts::of_list(some.to_list()), some);
        }
        assert_eq!(size_of::<Texts>(), 2 * size_of::<usize>());
    }
}
