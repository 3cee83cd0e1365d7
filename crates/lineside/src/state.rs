//! The verbs that ask for states: state, diff.

use std::io::Write;

use anyhow::Context;
use clap::Args;
use lineside_client::{Difference, Moment, Point, State};
use serde_json::Value;

use crate::verbs::{ServerFlags, client, on_a_thread};

#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// The model.
    model: String,
    /// The entity: what its stream's name has behind the first hyphen.
    id: String,
    /// At this moment, such as 2026-11-23T10:00:00Z, by the time at which events were stored.
    #[arg(long, value_name = "MOMENT", conflicts_with = "version")]
    at: Option<String>,
    /// Behind the event of this version of its stream; 0 is before the first.
    #[arg(long, value_name = "VERSION")]
    version: Option<u64>,
    #[command(flatten)]
    server: ServerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The model.
    model: String,
    /// The entity: what its stream's name has behind the first hyphen.
    id: String,
    /// The one side: a version of its stream, a moment such as 2026-11-23T10:00:00Z, or `now`.
    #[arg(value_parser = point)]
    from: Point,
    /// The other side.
    #[arg(value_parser = point, default_value = "now")]
    to: Point,
    #[command(flatten)]
    server: ServerFlags,
}

fn point(text: &str) -> Result<Point, std::convert::Infallible> {
    text.parse()
}

/// Prints the state of an entity.
pub(crate) fn state(args: &StateArgs) -> anyhow::Result<()> {
    let point = match (args.version, &args.at) {
        (Some(version), _) => Point::Version(version),
        (None, Some(at)) => Point::At(at.clone()),
        (None, None) => Point::Now,
    };
    let ask = async { client(&args.server)?.state(&args.model, &args.id, &point).await };
    let found: State = on_a_thread(ask)?;
    let mut out = std::io::stdout().lock();
    if args.server.json {
        return Ok(writeln!(out, "{}", serde_json::to_string(&found)?)?);
    }
    let Moment { state, .. } = &found.moment;
    writeln!(out, "{} {}", found.stream, described(&found.moment))?;
    Ok(writeln!(out, "{}", serde_json::to_string_pretty(state)?)?)
}

/// Prints what is different in two states of an entity.
pub(crate) fn diff(args: &DiffArgs) -> anyhow::Result<()> {
    let sides = (&args.from, &args.to);
    let ask = async { client(&args.server)?.diff(&args.model, &args.id, sides).await };
    let found: Difference = on_a_thread(ask)?;
    let mut out = std::io::stdout().lock();
    if args.server.json {
        return Ok(writeln!(out, "{}", serde_json::to_string(&found)?)?);
    }
    let (from, to) = (described(&found.from), described(&found.to));
    writeln!(
        out,
        "{} from {from}\n{:width$} to {to}",
        found.stream,
        "",
        width = found.stream.len()
    )?;
    for line in lines(&found)? {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn described(moment: &Moment) -> String {
    match &moment.recorded {
        Some(recorded) => format!("version {}, {recorded}", moment.version),
        None => "version 0, before the first event".to_owned(),
    }
}

/// A line for each step of a difference: what comes, what goes, what becomes something else.
fn lines(found: &Difference) -> anyhow::Result<Vec<String>> {
    if found.diff.is_empty() {
        return Ok(vec!["no difference".to_owned()]);
    }
    // Step by step, since the places in a step are those that the steps before it have left.
    let mut state = found.from.state.clone();
    let mut lines = Vec::new();
    for step in &found.diff {
        let patch: json_patch::PatchOperation = serde_json::from_value(step.clone())
            .context("the server's difference is no JSON Patch")?;
        let text = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
        let path = text("path");
        let (before, after) = (state.pointer(path), step.get("value").unwrap_or(&Value::Null));
        let before = before.unwrap_or(&Value::Null);
        let place = if path.is_empty() { "all of it" } else { path };
        lines.push(match text("op") {
            "add" => format!("+ {place}  {after}"),
            "remove" => format!("- {place}  {before}"),
            _ => format!("~ {place}  {before} -> {after}"),
        });
        json_patch::patch(&mut state, &[patch]).context("the server's difference does not fit")?;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn moment(version: u64, state: &Value) -> Moment {
        let recorded = (version > 0).then(|| format!("day {version}"));
        Moment { version, number: version, recorded, state: state.clone() }
    }

    fn told(from: &Value, to: &Value, diff: Value) -> Vec<String> {
        let text = |text: &str| text.to_owned();
        let found = Difference {
            model: text("m"),
            id: text("1"),
            stream: text("m-1"),
            from: moment(1, from),
            to: moment(2, to),
            diff: serde_json::from_value(diff).unwrap(),
        };
        lines(&found).unwrap()
    }

    #[test]
    fn a_difference_is_told_in_lines() {
        let (from, to) = (json!({ "a": 1, "b": [1, 2, 3] }), json!({ "a": 2, "b": [1], "c": "x" }));
        let diff = json!([
            {"op": "replace", "path": "/a", "value": 2},
            {"op": "remove", "path": "/b/1"},
            {"op": "remove", "path": "/b/1"},
            {"op": "add", "path": "/c", "value": "x"},
        ]);
        assert_eq!(
            told(&from, &to, diff),
            ["~ /a  1 -> 2", "- /b/1  2", "- /b/1  3", "+ /c  \"x\""]
        );
        assert_eq!(told(&from, &from, json!([])), ["no difference"]);
        let whole = json!([{"op": "replace", "path": "", "value": 5}]);
        assert_eq!(told(&json!(null), &json!(5), whole), ["~ all of it  null -> 5"]);
    }

    #[test]
    fn a_moment_says_which_it_is() {
        assert_eq!(described(&moment(3, &json!(1))), "version 3, day 3");
        assert_eq!(described(&moment(0, &json!(1))), "version 0, before the first event");
    }
}
