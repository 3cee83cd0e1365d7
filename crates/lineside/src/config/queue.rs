//! A declared queue, and the rules of its words.

use std::collections::HashMap;

use lineside_core::queue::QueueKind;

use super::yaml::{Complaint, Mark, Node};

/// A queue as the file says it. What the file leaves out stays as it is, or takes SQS's default
/// where the queue is made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Declared {
    pub(crate) mark: Mark,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) kind: QueueKind,
    pub(crate) given: Given,
    /// `Some(None)`: none.
    pub(crate) dead_letter: Option<Option<DeadLetter>>,
    pub(crate) tags: Vec<(String, String)>,
}

/// Settings that the file gives, by their words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Given {
    pub(crate) visibility_seconds: Option<u64>,
    pub(crate) delay_seconds: Option<u64>,
    pub(crate) retention_seconds: Option<u64>,
    pub(crate) max_message_bytes: Option<u64>,
    pub(crate) wait_seconds: Option<u64>,
    pub(crate) content_deduplication: Option<bool>,
    pub(crate) deduplication_scope: Option<Scope>,
    pub(crate) throughput_limit: Option<Scope>,
    pub(crate) dead_letter_sources: Option<Sources>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Queue,
    Group,
}

/// Who may name a queue as their dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sources {
    All,
    None,
    Only(Vec<String>),
}

/// Where messages go that were received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    pub(crate) mark: Mark,
    pub(crate) queue: String,
    pub(crate) max_receives: u32,
}

impl Declared {
    /// Reads a queue that the table has let through.
    pub(super) fn read(node: &Node) -> Declared {
        let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
        let name = text("name").unwrap_or_default();
        let kind = if name.ends_with(".fifo") { QueueKind::Fifo } else { QueueKind::Standard };
        let tags = node.get("tags").map(Node::entries).unwrap_or_default();
        let tag = |entry: &super::yaml::Entry| {
            (entry.key.clone(), entry.value.text().unwrap_or_default().to_owned())
        };
        Declared {
            mark: node.mark,
            account: text("account").unwrap_or_else(|| lineside_aws::DEFAULT_ACCOUNT.to_owned()),
            region: text("region").unwrap_or_else(|| lineside_aws::DEFAULT_REGION.to_owned()),
            kind,
            given: Given::read(node),
            dead_letter: node.get("dead_letter").map(DeadLetter::read),
            tags: tags.iter().map(tag).collect(),
            name,
        }
    }

    /// What tells it from all others.
    pub(crate) fn address(&self) -> (&str, &str, &str) {
        (&self.account, &self.region, &self.name)
    }
}

impl Given {
    fn read(node: &Node) -> Given {
        let number = |key: &str| node.get(key).and_then(Node::text)?.parse().ok();
        let scope = |key: &str| match node.get(key).and_then(Node::text)? {
            "group" => Some(Scope::Group),
            _ => Some(Scope::Queue),
        };
        Given {
            visibility_seconds: number("visibility_seconds"),
            delay_seconds: number("delay_seconds"),
            retention_seconds: number("retention_seconds"),
            max_message_bytes: number("max_message_bytes"),
            wait_seconds: number("wait_seconds"),
            content_deduplication: node
                .get("content_deduplication")
                .and_then(Node::text)
                .map(|text| text == "true"),
            deduplication_scope: scope("deduplication_scope"),
            throughput_limit: scope("throughput_limit"),
            dead_letter_sources: node.get("dead_letter_sources").map(Sources::read),
        }
    }
}

impl Sources {
    fn read(node: &Node) -> Sources {
        match node.text() {
            Some("all") => Sources::All,
            Some(_) => Sources::None,
            None => {
                let names = node.elements().iter().filter_map(Node::text);
                Sources::Only(names.map(str::to_owned).collect())
            }
        }
    }
}

impl DeadLetter {
    fn read(node: &Node) -> Option<DeadLetter> {
        let queue = node.get("queue")?;
        let count = node.get("max_receives").and_then(Node::text);
        Some(DeadLetter {
            mark: queue.mark,
            queue: queue.text()?.to_owned(),
            max_receives: count?.parse().ok()?,
        })
    }
}

/// Keys that only a FIFO queue has.
const FIFO_ONLY: [&str; 3] = ["content_deduplication", "deduplication_scope", "throughput_limit"];

/// What is wrong with the queues of a file, beyond what the table sees: what does not go together.
pub(super) fn inspect(root: &Node) -> Vec<Complaint> {
    let nodes = root.get("queues").map(Node::elements).unwrap_or_default();
    let queues: Vec<Declared> = nodes.iter().map(Declared::read).collect();
    let mut firsts = HashMap::new();
    let mut complaints = Vec::new();
    for (queue, node) in queues.iter().zip(nodes) {
        let first = firsts.entry(queue.address()).or_insert(queue.mark);
        if *first != queue.mark {
            let what =
                format!("the queue `{}` is declared on line {} already", queue.name, first.line);
            complaints.push(Complaint::new(queue.mark, what));
        }
        complaints.extend(misfit(queue, node));
    }
    complaints
}

/// The first thing in a queue that does not go with its kind or with the rest of it.
fn misfit(queue: &Declared, node: &Node) -> Option<Complaint> {
    let (name, is_fifo) = (&queue.name, queue.kind == QueueKind::Fifo);
    if let Some(fifo) = node.get("fifo")
        && (fifo.text() == Some("true")) != is_fifo
    {
        let rule = "the name of a FIFO queue, and of no other, ends in `.fifo`";
        return Some(Complaint::new(fifo.mark, format!("{name}: {rule}")));
    }
    if let Some((key, given)) = FIFO_ONLY.iter().find_map(|key| Some((key, node.get(key)?)))
        && !is_fifo
    {
        let what = format!("{name}: only a FIFO queue has {key}, and its name ends in `.fifo`");
        return Some(Complaint::new(given.mark, what));
    }
    let given = &queue.given;
    if given.throughput_limit == Some(Scope::Group)
        && given.deduplication_scope != Some(Scope::Group)
    {
        let what = format!("{name}: throughput_limit `group` needs deduplication_scope `group`");
        return Some(Complaint::new(queue.mark, what));
    }
    let target = queue.dead_letter.as_ref()?.as_ref()?;
    let rule =
        "a FIFO queue's dead-letter queue is a FIFO queue, a standard queue's a standard one";
    let fits = target.queue.ends_with(".fifo") == is_fifo;
    (!fits).then(|| Complaint::new(target.mark, format!("{name}: {rule}")))
}

/// 12 digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn wrong(text: &str, rule: &str) -> String {
    format!("{} is not allowed: it is {rule}", super::yaml::shown(text))
}

pub(super) const ACCOUNT: &str = "an account of 12 digits, such as \"000000000000\"";

pub(super) fn check_account(text: &str) -> Result<(), String> {
    if is_account(text) { Ok(()) } else { Err(wrong(text, ACCOUNT)) }
}

pub(super) const REGION: &str = "1 to 32 letters, digits and hyphens";

/// As the credential scope's region is read (`lineside_aws`).
pub(super) fn check_region(text: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let fits = (1..=32).contains(&text.len()) && text.bytes().all(plain);
    if fits { Ok(()) } else { Err(wrong(text, REGION)) }
}

pub(super) const NAME: &str =
    "1 to 80 letters, digits, hyphens and underscores, with the ending `.fifo` for a FIFO queue";

/// SQS's rule for names (API reference, CreateQueue).
pub(super) fn check_name(text: &str) -> Result<(), String> {
    let stem = text.strip_suffix(".fifo").unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let fits = !stem.is_empty() && text.len() <= 80 && stem.bytes().all(plain);
    if fits { Ok(()) } else { Err(wrong(text, NAME)) }
}

/// SQS's rule for tags (developer guide, "Tagging queues"; API reference, TagQueue).
pub(super) fn check_tag(key: &str, value: &str) -> Result<(), String> {
    if !(1..=128).contains(&key.chars().count()) {
        return Err("the name of a tag has 1 to 128 characters".to_owned());
    }
    if key.starts_with("aws:") {
        return Err("the name of a tag does not begin with `aws:`".to_owned());
    }
    match value.chars().count() {
        0..=256 => Ok(()),
        _ => Err("the text of a tag has at most 256 characters".to_owned()),
    }
}

pub(super) const KEY_ID: &str = "1 to 128 letters, digits and underscores";

/// The form of an access key's id (IAM API reference, AccessKey: `[\w]+`, up to 128). It is not
/// shown: people mix it up with the secret.
pub(super) fn check_key_id(text: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(plain);
    if fits { Ok(()) } else { Err(format!("the id of a key is {KEY_ID}")) }
}

pub(super) const SECRET: &str = "1 to 128 visible ASCII characters without a comma";

/// Whatever a header could carry; the comma stands between keys in one text.
pub(super) fn check_secret(text: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(plain);
    if fits { Ok(()) } else { Err(format!("the secret of a key is {SECRET}")) }
}

#[cfg(test)]
mod tests {
    use super::super::{table, yaml};
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let root = yaml::read(text).unwrap();
        assert_eq!(super::super::check::check(&root, table::KEYS), []);
        let complaints = inspect(&root).into_iter();
        complaints.map(|Complaint { mark, what }| format!("{mark}: {what}")).collect()
    }

    #[test]
    fn what_does_not_go_together_is_refused_where_it_stands() {
        for (queue, says) in [
            ("{name: a, fifo: true}", "1:26: a: the name of a FIFO queue"),
            ("{name: a.fifo, fifo: false}", "1:31: a.fifo: the name of a FIFO queue"),
            ("{name: a, content_deduplication: false}", "only a FIFO queue has content_dedup"),
            ("{name: a.fifo, throughput_limit: group}", "needs deduplication_scope `group`"),
            ("{name: a, dead_letter: {queue: d.fifo, max_receives: 1}}", "1:41: a: a FIFO queue's"),
            ("{name: a.fifo, dead_letter: {queue: d, max_receives: 1}}", "1:46: a.fifo: a FIFO"),
        ] {
            let told = told(&format!("queues: [{queue}]\n"));
            assert!(told.len() == 1 && told[0].contains(says), "{told:?}");
        }
    }

    #[test]
    fn the_same_queue_is_declared_once() {
        let twice = told("queues:\n- name: a\n- name: b\n- {name: a, delay_seconds: 1}\n");
        assert_eq!(twice, ["4:3: the queue `a` is declared on line 2 already"]);
        assert_eq!(told("queues: [{name: a}, {name: a, region: eu-west-1}]\n"), [""; 0]);
    }
}
