//! `lineside config`: what holds, and who said so.

use std::io::Write;

use serde_json::{Value as Json, json};

use super::form::Form;
use super::layers::{Loaded, Origin, Value, load};
use super::table::Key;
use super::yaml::{Content, Mark, Node};
use super::{MASK, page, schema, table};
use crate::cli;

/// A line of the table.
struct Row {
    path: String,
    value: Json,
    origin: Origin,
}

/// Prints the configuration, or what is known of its form.
pub(crate) fn run(options: &cli::Config) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if options.schema {
        writeln!(out, "{:#}", schema::schema())?;
        return Ok(());
    }
    if options.markdown {
        write!(out, "{}", page::page())?;
        return Ok(());
    }
    let loaded = load(&options.flags)?;
    if options.json {
        writeln!(out, "{}", json_of(&loaded))?;
    } else {
        write!(out, "{}", text_of(&loaded))?;
    }
    loaded.notes.iter().for_each(|note| crate::say(format_args!("{note}")));
    Ok(())
}

fn rows(loaded: &Loaded) -> Vec<Row> {
    let mut rows: Vec<Row> = loaded
        .values
        .iter()
        .filter(|value| value.path != KEYS)
        .map(|value| row(loaded, value))
        .collect();
    rows.extend(keys(loaded));
    rows.extend(["queues", "models"].iter().flat_map(|name| declared(loaded, name)));
    rows
}

/// What the file alone can say.
fn declared(loaded: &Loaded, name: &str) -> Vec<Row> {
    let node = loaded.root.as_ref().and_then(|root| root.get(name));
    let (Some(file), Some(node)) = (&loaded.file, node) else { return Vec::new() };
    let form = table::KEYS.iter().find(|key| key.name == name).map(|key| key.form);
    let mut found = Vec::new();
    flatten(node, name, form, &mut found);
    let origin = |mark| Origin::File(file.clone(), mark);
    let row = |(path, value, mark)| Row { path, value, origin: origin(mark) };
    found.into_iter().map(row).collect()
}

/// Where the access keys are said: the one setting that is a list.
const KEYS: &str = "auth.keys";

fn row(loaded: &Loaded, value: &Value) -> Row {
    let text = value.text.as_ref().map(|text| text.to_string_lossy().into_owned());
    // What is not kept lies nowhere, whatever a weaker wish says.
    let is_unused = value.path == "data" && loaded.settings.data.is_none();
    let shown = text.filter(|_| !is_unused);
    let shown = shown.map_or(Json::Null, |text| typed(&text, Some(value.key.form)));
    Row { path: value.path.clone(), value: shown, origin: value.origin.clone() }
}

/// The access keys, all from one place; their secrets are shown to nobody.
fn keys(loaded: &Loaded) -> Vec<Row> {
    let origin = loaded.values.iter().find(|value| value.path == KEYS);
    let origin = origin.map_or(Origin::Default, |value| value.origin.clone());
    let mut rows = Vec::new();
    if loaded.settings.auth.keys.is_empty() {
        let path = KEYS.to_owned();
        rows.push(Row { path, value: Json::Null, origin: origin.clone() });
    }
    for (index, key) in loaded.settings.auth.keys.iter().enumerate() {
        for (name, value) in [("id", key.id.as_str()), ("secret", MASK), ("account", &key.account)]
        {
            let path = format!("{KEYS}[{index}].{name}");
            rows.push(Row { path, value: value.into(), origin: origin.clone() });
        }
    }
    rows
}

/// Each single value of the file below a place.
fn flatten(node: &Node, path: &str, form: Option<Form>, found: &mut Vec<(String, Json, Mark)>) {
    match &node.content {
        Content::Scalar { text, .. } => found.push((path.to_owned(), typed(text, form), node.mark)),
        Content::List(elements) => {
            for (index, element) in elements.iter().enumerate() {
                flatten(element, &format!("{path}[{index}]"), form, found);
            }
        }
        Content::Map(entries) => {
            let keys: &[Key] = form.map(|form| form.keys()).unwrap_or_default();
            for entry in entries {
                let form = match form {
                    Some(Form::Named { keys, .. }) => Some(Form::Group(keys)),
                    _ => keys.iter().find(|key| key.name == entry.key).map(|key| key.form),
                };
                flatten(&entry.value, &format!("{path}.{}", entry.key), form, found);
            }
        }
    }
}

fn typed(text: &str, form: Option<Form>) -> Json {
    match form {
        Some(Form::Whole { .. }) => text.parse::<u64>().map_or_else(|_| text.into(), Json::from),
        Some(Form::Switch) => (text == "true").into(),
        _ => text.into(),
    }
}

fn json_of(loaded: &Loaded) -> Json {
    let one = |row: Row| json!({ "key": row.path, "value": row.value, "from": from(&row.origin) });
    let values: Vec<Json> = rows(loaded).into_iter().map(one).collect();
    json!({ "file": loaded.file, "values": values, "notes": loaded.notes })
}

fn from(origin: &Origin) -> Json {
    match origin {
        Origin::Default => json!({ "kind": "default" }),
        Origin::File(path, mark) => {
            json!({ "kind": "file", "file": path, "line": mark.line, "column": mark.column })
        }
        Origin::Environment(name) => json!({ "kind": "environment", "variable": name }),
        Origin::Flag(name) => json!({ "kind": "flag", "flag": format!("--{name}") }),
    }
}

fn text_of(loaded: &Loaded) -> String {
    let shown = |value: &Json| match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => printable(text),
        other => other.to_string(),
    };
    let rows: Vec<[String; 3]> = rows(loaded)
        .into_iter()
        .map(|row| [row.path, shown(&row.value), row.origin.to_string()])
        .collect();
    let width = |pick: fn(&[String; 3]) -> &String| {
        rows.iter().map(|row| pick(row).chars().count()).max().unwrap_or(0)
    };
    let (first, second) = (width(|[path, ..]| path), width(|[_, value, _]| value));
    let line =
        |[path, value, origin]: &[String; 3]| format!("{path:first$}  {value:second$}  {origin}\n");
    rows.iter().map(line).collect()
}

/// A text on one line of a terminal, which it must not command.
fn printable(text: &str) -> String {
    if text.chars().any(char::is_control) { format!("{text:?}") } else { text.to_owned() }
}
