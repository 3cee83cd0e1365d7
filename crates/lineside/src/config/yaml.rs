//! A file of YAML as a tree that knows where each of its words stands. Bounded in bytes and depth,
//! and without what a configuration does not need: anchors, aliases, tags, further documents. So
//! nothing in it can be larger than the file itself.

use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// Most bytes of a file: room for some thousand queues.
pub(crate) const BYTES_MAX: u64 = 1 << 20;
/// Deepest nesting: what is known needs four levels, and a mistake may be a few deeper.
const DEPTH_MAX: usize = 16;
/// Most keys of one map; a queue has at most 50 tags.
const MAP_KEYS_MAX: usize = 256;

/// A place in the file; both numbers count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) mark: Mark,
    pub(crate) what: String,
}

impl Complaint {
    pub(crate) fn new(mark: Mark, what: impl Into<String>) -> Complaint {
        Complaint { mark, what: what.into() }
    }
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) content: Content,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// A word or a number; not `plain` if it stands in quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) mark: Mark,
    pub(crate) value: Node,
}

impl Node {
    /// The value of a key, if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The text, if this is a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub(crate) fn elements(&self) -> &[Node] {
        match &self.content {
            Content::List(elements) => elements,
            _ => &[],
        }
    }

    /// The keys with their values, if this is a map.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    /// What kind of thing this is, for a sentence.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar { text, plain: true } if is_null(text) => "nothing",
            Content::Scalar { .. } => "a single value",
            Content::List(_) => "a list",
            Content::Map(_) => "a map of keys",
        }
    }
}

/// The plain words by which YAML says that there is no value.
pub(crate) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Reads a document; a file without one is an empty map.
pub(crate) fn read(text: &str) -> Result<Node, Complaint> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let (event, span) = event.map_err(|error| {
            Complaint::new(mark_of(*error.marker()), format!("this is no YAML: {}", error.info()))
        })?;
        builder.take(event, span)?;
    }
    let start = Mark { line: 1, column: 1 };
    Ok(builder.root.unwrap_or(Node { mark: start, content: Content::Map(Vec::new()) }))
}

fn mark_of(marker: saphyr_parser::Marker) -> Mark {
    Mark { line: marker.line().max(1), column: marker.col().saturating_add(1) }
}

/// Puts events together. It is told of each before the next is parsed, so that a file that is too
/// deep is given up where it becomes so.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
}

/// A list or a map whose end has not come.
struct Open {
    node: Node,
    /// In a map: the key whose value comes next.
    key: Option<(String, Mark)>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Complaint> {
        let mark = mark_of(span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_none() => Ok(()),
            Event::DocumentStart(_) => {
                Err(Complaint::new(mark, "a second document begins here; one is all that is read"))
            }
            Event::Alias(_) => Err(Complaint::new(mark, "aliases (`*name`) are not taken")),
            Event::Scalar(text, style, anchor, tag) => {
                refuse_extras(mark, anchor, tag.is_some())?;
                let plain = style == ScalarStyle::Plain;
                self.scalar(mark, text.into_owned(), plain)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_extras(mark, anchor, tag.is_some())?;
                self.open(mark, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                refuse_extras(mark, anchor, tag.is_some())?;
                self.open(mark, Content::Map(Vec::new()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn open(&mut self, mark: Mark, content: Content) -> Result<(), Complaint> {
        if self.expects_key() {
            return Err(Complaint::new(mark, "a key must be a single word"));
        }
        if self.open.len() >= DEPTH_MAX {
            let what = format!("this is nested more than {DEPTH_MAX} levels deep");
            return Err(Complaint::new(mark, what));
        }
        self.open.push(Open { node: Node { mark, content }, key: None });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Complaint> {
        match self.open.pop() {
            Some(done) => self.put(done.node),
            None => Ok(()),
        }
    }

    fn scalar(&mut self, mark: Mark, text: String, plain: bool) -> Result<(), Complaint> {
        if self.expects_key() {
            return self.key(mark, text);
        }
        self.put(Node { mark, content: Content::Scalar { text, plain } })
    }

    fn expects_key(&self) -> bool {
        let innermost = self.open.last();
        innermost
            .is_some_and(|open| open.key.is_none() && matches!(open.node.content, Content::Map(_)))
    }

    fn key(&mut self, mark: Mark, text: String) -> Result<(), Complaint> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        if open.node.entries().len() >= MAP_KEYS_MAX {
            return Err(Complaint::new(mark, format!("a map has at most {MAP_KEYS_MAX} keys")));
        }
        if let Some(first) = open.node.entries().iter().find(|entry| entry.key == text) {
            let what =
                format!("{} is here a second time, after line {}", shown(&text), first.mark.line);
            return Err(Complaint::new(mark, what));
        }
        open.key = Some((text, mark));
        Ok(())
    }

    fn put(&mut self, node: Node) -> Result<(), Complaint> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { node: Node { content: Content::List(elements), .. }, .. }) => {
                elements.push(node);
            }
            Some(Open { node: Node { content: Content::Map(entries), .. }, key }) => {
                let Some((key, mark)) = key.take() else {
                    return Err(Complaint::new(node.mark, "this value has no key"));
                };
                entries.push(Entry { key, mark, value: node });
            }
            Some(_) => return Err(Complaint::new(node.mark, "this is in no list and in no map")),
        }
        Ok(())
    }
}

fn refuse_extras(mark: Mark, anchor: usize, tagged: bool) -> Result<(), Complaint> {
    if anchor != 0 {
        return Err(Complaint::new(mark, "anchors (`&name`) are not taken"));
    }
    if tagged {
        return Err(Complaint::new(mark, "tags (`!name`) are not taken"));
    }
    Ok(())
}

/// A word of the user's, in quotes and no longer than a line should be.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        let Complaint { mark, what } = read(text).unwrap_err();
        format!("{mark}: {what}")
    }

    #[test]
    fn each_word_knows_its_place() {
        let tree = read("a: 1\nlist:\n  - name: \"x\"\n    größe: 2\n").unwrap();
        let list = tree.get("list").unwrap();
        let entry = &list.elements()[0].entries()[1];
        assert_eq!((entry.key.as_str(), entry.mark), ("größe", Mark { line: 4, column: 5 }));
        assert_eq!(entry.value.mark, Mark { line: 4, column: 12 });
        let quoted = Content::Scalar { text: "x".to_owned(), plain: false };
        assert_eq!(list.elements()[0].get("name").unwrap().content, quoted);
    }

    #[test]
    fn a_file_without_a_document_is_empty() {
        for text in ["", "# nothing\n", "\u{feff}", "\n\n"] {
            assert_eq!(read(text).unwrap().entries(), &[], "{text:?}");
        }
        assert_eq!(read("\u{feff}a: 1").unwrap().entries()[0].mark, Mark { line: 1, column: 1 });
    }

    #[test]
    fn what_a_configuration_does_not_need_is_refused_where_it_stands() {
        assert_eq!(complaint("a: &x 1\nb: *x\n"), "1:4: anchors (`&name`) are not taken");
        assert!(complaint("a: 1\nb: *x\n").starts_with("2:4: "));
        assert_eq!(complaint("a: !!str 1\n"), "1:4: tags (`!name`) are not taken");
        let second = complaint("a: 1\n---\nb: 2\n");
        assert_eq!(second, "2:1: a second document begins here; one is all that is read");
        assert_eq!(
            complaint("a: 1\nb: 2\na: 3\n"),
            "3:1: \"a\" is here a second time, after line 1"
        );
        assert_eq!(complaint("[a]: 1\n"), "1:1: a key must be a single word");
        assert!(complaint("a: [1\nb: 2\n").contains("this is no YAML"));
    }

    #[test]
    fn an_alias_bomb_does_not_go_off() {
        let bomb = "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n";
        assert!(complaint(bomb).contains("anchors"));
    }

    #[test]
    fn what_is_too_deep_is_given_up_where_it_becomes_so() {
        assert!(read(&format!("a: {}x{}", "[".repeat(15), "]".repeat(15))).is_ok());
        for opening in ["[", "{a: ", "- "] {
            let deep = complaint(&opening.repeat(10_000));
            // The parser looks ahead in search of a key's colon, and has a bound of its own there.
            let given_up = deep.contains("16 levels") || deep.contains("recursion limit");
            assert!(deep.starts_with("1:") && given_up, "{deep}");
        }
    }

    #[test]
    fn no_text_makes_it_panic() {
        let words = [
            "a", ":", " ", "\n", "- ", "[", "]", "{", "}", "\"", "'", "&", "*", "!", "|", ">", "?",
            "%", "#", "\t", "---", "...", "\\", ",", "\u{0}", "é", "~", "<<",
        ];
        let mut number = 1_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text += words[usize::try_from(number >> 33).unwrap() % words.len()];
            }
            let _ = read(&text);
        }
    }
}
