//! `docs/configuration.md`, made of the table.

use std::fmt::Write;

use super::form::Form;
use super::table::{self, KEYS, Key, PREFIX};

const HEAD: &str = "\
# Configuration

<!-- Written by `lineside config --markdown`; a test compares. -->

What a server is told, weakest first: the default, the file, the environment, the command line. A list is
taken as a whole from the strongest that has one.

- **The file** is `--config FILE`, or `LINESIDE_CONFIG`, or `lineside.yaml` in the working directory if it is
  there. It is YAML of at most 1 MiB, without anchors, aliases and tags. Paths in it are meant from its own
  directory. A key that is not known is refused, with file, line, column and the nearest key that is.
- **Variables** begin with `LINESIDE_`; one that is empty says nothing.
- `lineside config` prints what holds and who said so (`--json`), with secrets masked; `lineside config
  --schema` prints a JSON schema of the file for editors. `lineside doctor` looks at the machine.

## Keys

| key | takes | default | flag | variable |
|---|---|---|---|---|
";

const BETWEEN: &str = "
`auth.keys` in one text (a flag, a variable) is `ID:SECRET`, several with a comma between them or the flag
repeated. A command line can be read by everybody on the machine: better is the variable, or a file that
others may not read.

";

const QUEUES: &str = "
A declared queue is there before the server says that it is ready, and before the first call to it is
answered. A key that is left out stays as it is, or takes the default where the queue is made. A queue that
exists and is set otherwise is changed to what the file says, and the server says so. A queue that is taken
out of the file stays. A mistake ends the start with a sentence; only where nothing can be written (the disk
is full, the log is damaged) the server says so and goes on, so that what is there can be read.

The same holds for a declared model. Its module is read at each start; where it says something else than
the model that there is, it is defined anew, as by `PUT /v1/models/{model}`. A declared subscription is made
if it is not there; one that is there and set otherwise is a mistake, since somebody counts on where it is.

On a running server `lineside plan FILE` says what a file would change, `lineside apply FILE` changes it, and
`lineside export` prints a file that declares all queues, models and subscriptions that there are. What a file
says of the server itself (`data`, `listen` and the like) is for its start alone.

## Example

```yaml
data: ./data
inbox_requests: 4096
auth:
  mode: none
queues:
  - name: orders
    visibility_seconds: 60
    dead_letter: {queue: orders-dead, max_receives: 5}
    tags: {team: shop}
  - name: orders-dead
    retention_seconds: 1209600
  - name: payments.fifo
    content_deduplication: true
models:
  account: {category: account, javascript: account.js}
  profile: {category: profile, merge: true}
subscriptions:
  - name: mail
    types: [OrderPlaced]
    workers: {lease_seconds: 30, attempts: 5}
  - {name: to-orders, category: order, queue: orders}
```

## What cannot be set

- **Connections**: 16,384 at a time; fewer where the hard limit of descriptors (`ulimit -Hn`) is under 16,640. A
  server takes what it may have of them, whatever the soft limit says, and keeps 256 (or half) for its files, so
  that clients never take the log's last one. Who comes beyond that waits to be accepted.
- **Patience**: 10 s for a request's head, and for the silence before it, also on a connection that is kept; 15 s
  for its body. Long polls are as long as they ask to be.
- **Bytes**: 64 KiB of a head, 8 MiB of a body, 512 MiB of all bodies together. A connection that is idle, or stops
  in the middle of a small request, costs about 17 KiB.
";

/// The page.
pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    let (file, variable) = (table::FILE_DEFAULT, format!("{PREFIX}CONFIG"));
    let _ = writeln!(page, "| | a file | `{file}` | `--{}` | `{variable}` |", table::FILE_FLAG);
    for setting in table::settings() {
        let (path, flag, variable) = (&setting.path, setting.said.flag, setting.variable());
        let (allowed, default) = (cell(&setting.key.form.allowed()), cell_default(setting.key));
        let _ = writeln!(page, "| `{path}` | {allowed} | {default} | `--{flag}` | `{variable}` |");
    }
    page.push('\n');
    for setting in table::settings() {
        let _ = writeln!(page, "- `{}`: {}.", setting.path, setting.key.about);
    }
    page += BETWEEN;
    sections(&mut page, KEYS, "");
    page + QUEUES
}

/// The keys of each list and of what is in it.
fn sections(page: &mut String, keys: &'static [Key], above: &str) {
    for key in keys {
        let path = format!("{above}{}", key.name);
        // A section at the top has its keys among the settings.
        let is_inside = !above.is_empty() && matches!(key.form, Form::Group(_));
        let is_many = matches!(key.form, Form::List(_) | Form::Named { .. });
        if is_many || is_inside || matches!(key.form, Form::GroupOrNone(_)) {
            let (inner, is_one) = (key.form.keys(), !is_many);
            let each = if is_one { "" } else { "Each of " };
            let _ = write!(page, "## {each}`{path}`\n\n{}.\n\n", key.about);
            *page += "| key | takes | default | means |\n|---|---|---|---|\n";
            for key in inner {
                let needed = if key.needed { " (needed)" } else { "" };
                let (allowed, default) = (cell(&key.form.allowed()), cell_default(key));
                let (name, about) = (key.name, cell(key.about));
                let _ = writeln!(page, "| `{name}`{needed} | {allowed} | {default} | {about} |");
            }
            page.push('\n');
        }
        sections(page, key.form.keys(), &format!("{path}."));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn cell_default(key: &Key) -> String {
    if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    #[test]
    fn the_documentation_is_what_the_table_makes() {
        let written = include_str!("../../../../docs/configuration.md");
        let how = "run `cargo run -p lineside -- config --markdown > docs/configuration.md`";
        assert!(written == page(), "docs/configuration.md is not what the table says: {how}");
    }

    #[test]
    fn every_key_is_on_the_page() {
        fn look(page: &str, keys: &'static [Key]) {
            for key in keys {
                assert!(page.contains(key.name), "{}", key.name);
                assert!(page.contains(&cell(key.about)), "{}", key.name);
                look(page, key.form.keys());
            }
        }
        let page = page();
        for setting in table::settings() {
            assert!(page.contains(&format!("`{}` |", setting.variable())), "{}", setting.path);
            assert!(page.contains(&format!("`--{}` |", setting.said.flag)), "{}", setting.path);
        }
        let lists = KEYS.iter().filter(|key| matches!(key.form, Form::List(_)));
        lists.for_each(|key| look(&page, key.form.keys()));
    }

    #[test]
    fn the_example_is_right() {
        let page = page();
        let example = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
        let root = yaml::read(example).unwrap();
        assert_eq!(super::super::check::check(&root, KEYS), []);
        assert_eq!(super::super::queue::inspect(&root), []);
    }
}
