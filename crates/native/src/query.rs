//! Queries in JSON: an item, or an array of items of which any may hold.

use lineside_core::events::{Query, QueryItem};
use lineside_core::id::Label;

use crate::bounds::{LABEL_BYTES_MAX, QUERY_ITEMS_MAX, TAGS_MAX};
use crate::json::{self, Raw, Type};
use crate::problem::{Kind, Problem};
use crate::text::{is_string, misfit_of_category, misfit_of_stream, misfit_of_tag, shown};

/// Reads a query out of a body; `at` is where it stands there.
pub(crate) fn read(raw: Raw<'_>, at: &str) -> Result<Query, Problem> {
    match Type::of(raw) {
        Type::Object => Ok(Query::of(item(raw, at)?)),
        Type::Array => {
            let raws =
                json::elements(raw, QUERY_ITEMS_MAX).map_err(|misfit| invalid(misfit, at))?;
            let one = |(index, raw)| item(raw, &format!("{at}/{index}"));
            Ok(Query { items: raws.into_iter().enumerate().map(one).collect::<Result<_, _>>()? })
        }
        other => {
            let detail = format!("A query is an item or an array of items, and this is {other}.");
            Err(invalid(detail, at))
        }
    }
}

/// Most members of an item that are read: more than it has, so that one that it does not have is
/// refused by its name.
const ITEM_PARTS_MAX: usize = 16;

fn item(raw: Raw<'_>, at: &str) -> Result<QueryItem, Problem> {
    let mut item = QueryItem::default();
    for (name, value) in json::members(raw, ITEM_PARTS_MAX).map_err(|misfit| invalid(misfit, at))? {
        let at = json::pointer(at, &name);
        let misfit = |misfit| invalid(misfit, &at);
        let part = match name.as_str() {
            "types" => Part::Type,
            "tags" => Part::Tag,
            "stream" => Part::Stream,
            "category" => Part::Category,
            "correlation" => Part::Correlation,
            _ => {
                let known = "types, tags, stream, category and correlation";
                return Err(misfit(format!("An item has {known}, and no {}.", shown(&name))));
            }
        };
        let texts = match (part, Type::of(value)) {
            (Part::Type | Part::Tag, _) => json::elements(value, TAGS_MAX).map_err(misfit)?,
            _ => vec![value],
        };
        for text in texts {
            let text = json::text(text).map_err(misfit)?;
            part.put(&mut item, text).map_err(misfit)?;
        }
    }
    Ok(item)
}

fn invalid(detail: String, at: &str) -> Problem {
    Problem::new(Kind::InvalidQuery, detail).at(at)
}

/// The parts of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// One of the types, of which any may be.
    Type,
    /// One of the tags, of which all have to be.
    Tag,
    /// The stream.
    Stream,
    /// The category.
    Category,
    /// The correlation id.
    Correlation,
}

impl Part {
    /// Puts a text where it belongs; says what is wrong with it, if something is.
    pub(crate) fn put(self, item: &mut QueryItem, text: String) -> Result<(), String> {
        let misfit = match self {
            Part::Type | Part::Correlation => misfit_of_label(&text),
            Part::Tag => misfit_of_tag(&text),
            Part::Stream => misfit_of_stream(&text),
            Part::Category => misfit_of_category(&text),
        };
        if let Some(misfit) = misfit {
            return Err(misfit);
        }
        let label = Label::new(text);
        match self {
            Part::Type => item.types.push(label),
            Part::Tag => item.tags.push(label),
            Part::Stream => item.stream = Some(label),
            Part::Category => item.category = Some(label),
            Part::Correlation => item.correlation = Some(label),
        }
        Ok(())
    }
}

fn misfit_of_label(text: &str) -> Option<String> {
    let fits = (1..=LABEL_BYTES_MAX).contains(&text.len()) && is_string(text);
    (!fits).then(|| {
        let rule = "It has 1 to 1024 bytes and no control characters";
        format!("{rule}, and {} has not.", shown(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Query, Problem> {
        read(serde_json::from_str(text).unwrap(), "/unless")
    }

    fn labels(texts: &[&str]) -> Vec<Label> {
        texts.iter().map(|text| Label::new(*text)).collect()
    }

    #[test]
    fn an_item_has_five_parts_and_a_query_some_items() {
        let item =
            r#"{"types":["a","b"],"tags":["t:1"],"stream":"s-1","category":"s","correlation":"c"}"#;
        let one = parse(item).unwrap();
        let expected = QueryItem {
            types: labels(&["a", "b"]),
            tags: labels(&["t:1"]),
            stream: Some(Label::new("s-1")),
            category: Some(Label::new("s")),
            correlation: Some(Label::new("c")),
        };
        assert_eq!(one, Query::of(expected.clone()));
        let many = parse(&format!("[{item},{{}}]")).unwrap();
        assert_eq!(many.items, [expected, QueryItem::default()]);
        assert_eq!(parse("[]").unwrap(), Query::all());
    }

    #[test]
    fn what_is_no_query_is_refused_where_it_is_wrong() {
        let cases = [
            ("1", "/unless", "this is a number"),
            ("[1]", "/unless/0", "this is a number"),
            (r#"{"type":"a"}"#, "/unless/type", "no `type`"),
            (r#"{"types":"a"}"#, "/unless/types", "An array is needed"),
            (r#"[{},{"tags":["a,b"]}]"#, "/unless/1/tags", "no comma"),
            (r#"{"tags":[1]}"#, "/unless/tags", "A string is needed"),
            (r#"{"stream":""}"#, "/unless/stream", "at least one character"),
            (r#"{"category":"a-b"}"#, "/unless/category", "first `-`"),
            (r#"{"correlation":"\n"}"#, "/unless/correlation", "no control characters"),
            (r#"{"stream":null}"#, "/unless/stream", "this is null"),
        ];
        for (text, at, detail) in cases {
            let problem = parse(text).unwrap_err();
            assert_eq!((problem.kind(), problem.place()), (Kind::InvalidQuery, Some(at)), "{text}");
            assert!(problem.detail().contains(detail), "{text}: {problem}");
        }
    }

    #[test]
    fn queries_are_bounded() {
        let items = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(parse(&items(32)).unwrap().items.len(), 32);
        assert!(parse(&items(33)).unwrap_err().detail().contains("more than 32"));
        let types = |count: usize| format!(r#"{{"types":[{}]}}"#, vec![r#""t""#; count].join(","));
        assert!(parse(&types(64)).is_ok() && parse(&types(65)).is_err());
    }
}
