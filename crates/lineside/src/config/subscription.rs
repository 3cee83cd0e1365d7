//! A declared subscription, and what does not go together in one.

use std::collections::HashMap;

use lineside_core::events::{Query, QueryItem};
use lineside_core::id::{EventNumber, Label};
use lineside_core::stamp::Millis;
use lineside_engine::subscriptions::Order;
use lineside_native::subscription::{Begin, Feeding, Spec, name_of_path};

use super::yaml::{Complaint, Mark, Node};

/// A subscription as the file says it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Declared {
    pub(crate) mark: Mark,
    pub(crate) name: String,
    pub(crate) spec: Spec,
}

impl Declared {
    /// Reads one that the table has let through.
    pub(super) fn read(node: &Node) -> Declared {
        let name = node.get("name").and_then(Node::text).unwrap_or_default().to_owned();
        let spec = Spec { query: query(node), begin: begin(node), feeding: feeding(node) };
        Declared { mark: node.mark, name, spec }
    }
}

fn query(node: &Node) -> Query {
    let any = node.get("any").map(Node::elements).unwrap_or_default();
    let own = item(node);
    match own == QueryItem::default() {
        true => Query { items: any.iter().map(item).collect() },
        false => Query::of(own),
    }
}

fn item(node: &Node) -> QueryItem {
    let text = |key: &str| node.get(key).and_then(Node::text).map(Label::new);
    let texts = |key: &str| -> Vec<Label> {
        let all = node.get(key).map(Node::elements).unwrap_or_default();
        all.iter().filter_map(Node::text).map(Label::new).collect()
    };
    QueryItem {
        types: texts("types"),
        tags: texts("tags"),
        stream: text("stream"),
        category: text("category"),
        correlation: text("correlation"),
    }
}

fn begin(node: &Node) -> Option<Begin> {
    match node.get("from").and_then(Node::text)? {
        "start" => Some(Begin::Start),
        "end" => Some(Begin::End),
        number => number.parse().ok().map(|number| Begin::At(EventNumber(number))),
    }
}

fn feeding(node: &Node) -> Feeding {
    if let Some(queue) = node.get("queue").and_then(Node::text) {
        return Feeding::Queue(queue.to_owned());
    }
    let Some(workers) = node.get("workers") else { return Feeding::Cursor };
    let number = |key: &str| workers.get(key).and_then(Node::text)?.parse().ok();
    let order = workers.get("order").and_then(Node::text).and_then(Order::of_word);
    Feeding::Workers {
        lease: Millis::seconds(number("lease_seconds").unwrap_or(30)),
        attempts: number("attempts").and_then(|n: u64| u32::try_from(n).ok()).unwrap_or(5),
        order: order.unwrap_or_default(),
    }
}

/// What is wrong with the subscriptions of a file, beyond what the table sees.
pub(super) fn inspect(root: &Node) -> Vec<Complaint> {
    let nodes = root.get("subscriptions").map(Node::elements).unwrap_or_default();
    let mut firsts = HashMap::new();
    let mut complaints = Vec::new();
    for node in nodes {
        let name = node.get("name").and_then(Node::text).unwrap_or_default();
        let first = firsts.entry(name.to_owned()).or_insert(node.mark);
        if *first != node.mark {
            let what =
                format!("the subscription `{name}` is declared on line {} already", first.line);
            complaints.push(Complaint::new(node.mark, what));
        }
        if let Some(any) = node.get("any")
            && item(node) != QueryItem::default()
        {
            let what = format!("{name}: what it wants stands in `any` or beside it, and not both");
            complaints.push(Complaint::new(any.mark, what));
        }
        if let (Some(queue), Some(_)) = (node.get("queue"), node.get("workers")) {
            let what = format!("{name}: it feeds a queue or has workers, and not both");
            complaints.push(Complaint::new(queue.mark, what));
        }
    }
    complaints
}

pub(super) const NAME: &str =
    "1 to 128 letters, digits, `-`, `_` and `.`, the first a letter or a digit";

pub(super) fn check_name(text: &str) -> Result<(), String> {
    name_of_path(text).map(drop).map_err(|_| wrong(text, NAME))
}

pub(super) const BEGIN: &str = "`start`, `end` or an event's number";

pub(super) fn check_begin(text: &str) -> Result<(), String> {
    let is_number = text.parse::<u64>().is_ok_and(|number| number > 0 && number < 1 << 53);
    if matches!(text, "start" | "end") || is_number { Ok(()) } else { Err(wrong(text, BEGIN)) }
}

pub(super) const TAG: &str = "1 to 256 bytes without a comma or a control character";

pub(super) fn check_tag(text: &str) -> Result<(), String> {
    let fits = !text.contains(|c: char| c == ',' || c.is_control());
    if fits && (1..=256).contains(&text.len()) { Ok(()) } else { Err(wrong(text, TAG)) }
}

pub(super) const LABEL: &str = "1 to 1,024 bytes without a control character";

pub(super) fn check_label(text: &str) -> Result<(), String> {
    let fits = !text.contains(char::is_control) && (1..=1024).contains(&text.len());
    if fits { Ok(()) } else { Err(wrong(text, LABEL)) }
}

pub(super) const CATEGORY: &str = "what streams' names have before their first hyphen";

pub(super) fn check_category(text: &str) -> Result<(), String> {
    let fits = check_label(text).is_ok() && !text.contains('-');
    if fits { Ok(()) } else { Err(wrong(text, CATEGORY)) }
}

fn wrong(text: &str, rule: &str) -> String {
    format!("{} is not allowed: it is {rule}", super::yaml::shown(text))
}

#[cfg(test)]
mod tests {
    use super::super::{check, table, yaml};
    use super::*;

    fn declared(text: &str) -> Vec<Declared> {
        let root = yaml::read(text).unwrap();
        assert_eq!(check::check(&root, table::KEYS), []);
        root.get("subscriptions").unwrap().elements().iter().map(Declared::read).collect()
    }

    #[test]
    fn one_is_read_as_its_wire_form_is() {
        let text = "subscriptions:\n- {name: mail, types: [A, B], tags: [x], from: 7, workers: \
                    {attempts: 3, order: none}}\n- {name: q, category: account, queue: orders}\n- \
                    {name: c, from: end}\n- {name: d, any: [{types: [A]}, {stream: s}]}\n";
        let wire = [
            r#"{"query":{"types":["A","B"],"tags":["x"]},"from":7,
                "workers":{"attempts":3,"order":"none"}}"#,
            r#"{"query":{"category":"account"},"queue":"orders"}"#,
            r#"{"from":"end"}"#,
            r#"{"query":[{"types":["A"]},{"stream":"s"}]}"#,
        ];
        for (declared, wire) in declared(text).iter().zip(wire) {
            assert_eq!(declared.spec, Spec::read(wire.as_bytes()).unwrap(), "{wire}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused_where_it_stands() {
        let text = "subscriptions:\n- {name: a, queue: q, workers: {}}\n- {name: a}\n";
        let root = yaml::read(text).unwrap();
        let told: Vec<String> = inspect(&root).into_iter().map(|c| c.what).collect();
        assert_eq!(
            told,
            [
                "a: it feeds a queue or has workers, and not both",
                "the subscription `a` is declared on line 2 already",
            ]
        );
        for (text, says) in [
            ("{name: a/b}", "letters, digits"),
            ("{name: a, from: soon}", "`start`, `end` or an event's number"),
            ("{name: a, tags: ['a,b']}", "without a comma"),
            ("{name: a, category: a-b}", "before their first hyphen"),
            ("{name: a, workers: {attempts: 0}}", "a whole number from 1 to 1000"),
            ("{name: a, querry: x}", "is not known"),
        ] {
            let root = yaml::read(&format!("subscriptions: [{text}]\n")).unwrap();
            let told = check::check(&root, table::KEYS);
            assert!(told.len() == 1 && told[0].what.contains(says), "{text}: {told:?}");
        }
    }
}
