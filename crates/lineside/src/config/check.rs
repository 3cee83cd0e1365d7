//! Holds a file against the table, and says of each thing that is wrong where it stands and what is
//! allowed there.

use super::form::{Form, Text};
use super::near;
use super::table::Key;
use super::yaml::{Complaint, Content, Entry, Node, is_null, shown};

/// More mistakes than these are not told: nobody reads them all at once.
const COMPLAINTS_MAX: usize = 20;
/// Most elements of a list.
const ELEMENTS_MAX: usize = 10_000;

/// What is wrong with a file, in its order.
pub(crate) fn check(root: &Node, keys: &'static [Key]) -> Vec<Complaint> {
    let mut checker = Checker { complaints: Vec::new() };
    checker.group(root, keys, "");
    checker.complaints.truncate(COMPLAINTS_MAX);
    checker.complaints
}

struct Checker {
    complaints: Vec<Complaint>,
}

impl Checker {
    fn say(&mut self, node: &Node, path: &str, what: &str) {
        let what = if path.is_empty() { what.to_owned() } else { format!("{path}: {what}") };
        self.complaints.push(Complaint::new(node.mark, what));
    }

    fn group(&mut self, node: &Node, keys: &'static [Key], path: &str) {
        let Content::Map(entries) = &node.content else {
            let what = format!("this is {}, and should be a section of keys", node.kind());
            return self.say(node, path, &what);
        };
        for entry in entries {
            if self.complaints.len() >= COMPLAINTS_MAX {
                return;
            }
            match keys.iter().find(|key| key.name == entry.key) {
                Some(key) => self.value(&entry.value, &key.form, &under(path, key.name)),
                None => self.unknown(entry, keys, path),
            }
        }
        for key in keys.iter().filter(|key| key.needed && node.get(key.name).is_none()) {
            self.say(node, path, &format!("`{}` is missing: {}", key.name, key.form.allowed()));
        }
    }

    fn unknown(&mut self, entry: &Entry, keys: &[Key], path: &str) {
        let near = near::nearest(&entry.key, keys.iter().map(|key| key.name));
        let near = near.map_or_else(String::new, |(near, _)| format!("; did you mean `{near}`?"));
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        let what = format!("{place}the key {} is not known{near}", shown(&entry.key));
        self.complaints.push(Complaint::new(entry.mark, what));
    }

    fn value(&mut self, node: &Node, form: &Form, path: &str) {
        match form {
            Form::Group(keys) => self.group(node, keys, path),
            Form::GroupOrNone(_) if node.text() == Some("none") => {}
            Form::GroupOrNone(keys) => self.group(node, keys, path),
            Form::List(keys) => {
                self.list(node, form, path, ELEMENTS_MAX, |checker, element, path| {
                    checker.group(element, keys, path);
                });
            }
            Form::WordsOrNames { most, name, .. } if node.text().is_none() => {
                self.list(node, form, path, *most, |checker, element, path| {
                    checker.scalar(element, &Form::Text(*name), path);
                });
            }
            Form::Named { keys, name, most } => self.named(node, keys, (*name, *most), path),
            Form::Texts { most, check } => self.texts(node, *most, *check, path),
            _ => self.scalar(node, form, path),
        }
    }

    fn list(
        &mut self,
        node: &Node,
        form: &Form,
        path: &str,
        most: usize,
        each: impl Fn(&mut Checker, &Node, &str),
    ) {
        let Content::List(elements) = &node.content else {
            let what = format!("this is {}, and should be {}", node.kind(), form.allowed());
            return self.say(node, path, &what);
        };
        if elements.len() > most {
            let what = format!("these are {}, and at most {most} are allowed", elements.len());
            return self.say(node, path, &what);
        }
        for (index, element) in elements.iter().enumerate() {
            if self.complaints.len() >= COMPLAINTS_MAX {
                return;
            }
            each(self, element, &format!("{path}[{index}]"));
        }
    }

    fn named(
        &mut self,
        node: &Node,
        keys: &'static [Key],
        (name, most): (Text, usize),
        path: &str,
    ) {
        let Content::Map(entries) = &node.content else {
            let what = format!("this is {}, and should be names with keys each", node.kind());
            return self.say(node, path, &what);
        };
        if entries.len() > most {
            let what = format!("these are {}, and at most {most} are allowed", entries.len());
            return self.say(node, path, &what);
        }
        for entry in entries {
            if self.complaints.len() >= COMPLAINTS_MAX {
                return;
            }
            match (name.check)(&entry.key) {
                Ok(()) => self.group(&entry.value, keys, &under(path, &entry.key)),
                Err(why) => {
                    self.complaints.push(Complaint::new(entry.mark, format!("{path}: {why}")));
                }
            }
        }
    }

    fn texts(
        &mut self,
        node: &Node,
        most: usize,
        check: fn(&str, &str) -> Result<(), String>,
        path: &str,
    ) {
        let Content::Map(entries) = &node.content else {
            let what = format!("this is {}, and should be names with a text each", node.kind());
            return self.say(node, path, &what);
        };
        if entries.len() > most {
            let what = format!("these are {}, and at most {most} are allowed", entries.len());
            return self.say(node, path, &what);
        }
        for entry in entries {
            let checked = match &entry.value.content {
                Content::Scalar { text, plain } if !(*plain && is_null(text)) => {
                    check(&entry.key, text)
                }
                _ => Err(format!("this is {}, and should be a text", entry.value.kind())),
            };
            if let Err(why) = checked {
                self.say(&entry.value, &under(path, &entry.key), &why);
            }
        }
    }

    fn scalar(&mut self, node: &Node, form: &Form, path: &str) {
        let Content::Scalar { text, plain } = &node.content else {
            let what = format!("this is {}, and should be {}", node.kind(), form.allowed());
            return self.say(node, path, &what);
        };
        if *plain && is_null(text) {
            let what = "the key has no value: give it one, or leave the key out";
            return self.say(node, path, what);
        }
        if !plain && matches!(form, Form::Whole { .. } | Form::Switch) {
            let what = format!("{} is a text: write it without quotes", shown(text));
            return self.say(node, path, &what);
        }
        if let Err(why) = form.check(text.as_ref()) {
            self.say(node, path, &why);
        }
    }
}

fn under(path: &str, name: &str) -> String {
    let short: String = name.chars().take(60).collect();
    if path.is_empty() { short } else { format!("{path}.{short}") }
}

#[cfg(test)]
mod tests {
    use super::super::table::KEYS;
    use super::super::yaml;
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        let root = yaml::read(text).unwrap();
        let told = check(&root, KEYS);
        told.into_iter().map(|Complaint { mark, what }| format!("{mark}: {what}")).collect()
    }

    fn only(text: &str) -> String {
        let mut told = complaints(text);
        assert_eq!(told.len(), 1, "{told:?}");
        told.remove(0)
    }

    #[test]
    fn what_is_known_passes() {
        let text = "
data: ./d
listen: 127.0.0.1:0
durability: interval=20
inbox_requests: 64
insecure: false
auth:
  mode: sigv4
  keys:
    - {id: AKID, secret: 'hush', account: \"000000000001\"}
queues:
  - name: jobs
    dead_letter: {queue: dead, max_receives: 3}
    tags: {team: a, '007': \"\"}
  - {name: dead, dead_letter: none, dead_letter_sources: [jobs]}
  - {name: a.fifo, fifo: true, deduplication_scope: group, dead_letter_sources: none}
";
        assert_eq!(complaints(text), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_the_nearest_known() {
        let told = only("data: x\nlistn: 127.0.0.1:1\n");
        assert_eq!(told, "2:1: the key \"listn\" is not known; did you mean `listen`?");
        let told = only("queues:\n  - name: a\n    visibility: 30\n");
        assert_eq!(
            told,
            "3:5: queues[0]: the key \"visibility\" is not known; did you mean `visibility_seconds`?"
        );
    }

    #[test]
    fn every_mistake_is_told_at_once_and_not_more_than_can_be_read() {
        assert_eq!(complaints("a: 1\nlimits: none\nclock: 5\n").len(), 3);
        let many: String = (0..100).map(|number| format!("key{number}: 1\n")).collect();
        assert_eq!(complaints(&many).len(), COMPLAINTS_MAX);
    }

    #[test]
    fn a_value_of_another_kind_is_refused_with_what_is_allowed() {
        assert_eq!(
            only("inbox_requests: \"64\"\n"),
            "1:17: inbox_requests: \"64\" is a text: write it without quotes"
        );
        assert_eq!(
            only("inbox_requests: 3\n"),
            "1:17: inbox_requests: \"3\" is not allowed: it is a whole number from 4 to 1000000"
        );
        assert_eq!(
            only("insecure: yes\n"),
            "1:11: insecure: \"yes\" is not allowed: it is `true` or `false`"
        );
        assert!(only("data:\n").contains("the key has no value"));
        assert!(only("data: [x]\n").contains("this is a list, and should be a directory"));
        assert!(only("queues: {name: a}\n").contains("a map of keys, and should be a list"));
        assert!(only("queues: [jobs]\n").contains("queues[0]: this is a single value"));
        assert!(only("auth: none\n").contains("auth: this is a single value"));
        assert!(only("- a\n").starts_with("1:1: this is a list"));
    }

    #[test]
    fn what_a_section_needs_is_asked_for() {
        let told = only("auth: {keys: [{id: a}]}\n");
        assert!(told.starts_with("1:15: auth.keys[0]: `secret` is missing: 1 to 128"), "{told}");
        let told = complaints("queues:\n  - dead_letter: {}\n");
        assert_eq!(told.len(), 3, "{told:?}");
    }

    #[test]
    fn queues_are_held_to_what_sqs_allows() {
        for (line, says) in [
            ("visibility_seconds: 43201", "from 0 to 43200"),
            ("retention_seconds: 59", "from 60 to 1209600"),
            ("max_message_bytes: 1023", "from 1024 to 1048576"),
            ("wait_seconds: 21", "from 0 to 20"),
            ("delay_seconds: 901", "from 0 to 900"),
            ("dead_letter: {queue: a b, max_receives: 1}", "letters, digits, hyphens"),
            ("dead_letter: {queue: a, max_receives: 0}", "from 1 to 1000"),
            ("dead_letter: always", "should be a section of keys"),
            ("dead_letter_sources: some", "`all`, `none` or a list of up to 10"),
            ("dead_letter_sources: [a, b, c, d, e, f, g, h, i, j, k]", "at most 10"),
            ("tags: {\"aws:x\": y}", "aws:"),
            ("tags: {x: [y]}", "this is a list, and should be a text"),
            ("account: 12", "12 digits"),
            ("region: \"\"", "1 to 32 letters"),
        ] {
            let told = only(&format!("queues:\n  - name: q\n    {line}\n"));
            assert!(told.starts_with("3:") && told.contains(says), "{told}");
        }
        assert!(only("queues: [{name: a.fifo.fifo}]\n").contains("`.fifo` for a FIFO queue"));
    }

    #[test]
    fn a_secret_is_not_told_when_it_is_wrong() {
        let told = only("auth: {keys: [{id: a, secret: 'hush hush'}]}\n");
        assert!(!told.contains("hush"), "{told}");
    }
}
