//! Plots of the rows that were measured last: bars of ratios, in SVG, drawn here so that nothing else
//! is needed to draw them; and the rows as a table.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::Args;
use serde_json::Value;

use crate::row::{figures, ratio, round};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the figures of each row were kept.
    #[arg(long, default_value = "target/bench")]
    data: PathBuf,
    /// Where the plots and the table go.
    #[arg(long, default_value = "docs/bench")]
    to: PathBuf,
}

/// A plot: its file, its title, and how the names of its rows begin.
const PLOTS: [(&str, &str, &str); 4] = [
    ("face", "SQS: Lineside as a multiple of each peer", "sqs-"),
    ("log", "The log, alone, as a multiple of each engine", "log-"),
    ("publish", "Durable publish: Lineside as a multiple of each broker", "publish-"),
    ("append", "Conditional appends: Lineside as a multiple of each store", "append-"),
];

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let rows = rows(&options.data.join("rows"))?;
    ensure!(!rows.is_empty(), "nothing was measured yet: run `make bench`");
    std::fs::create_dir_all(&options.to)?;
    for (file, title, prefix) in PLOTS {
        let bars: Vec<Bar> = rows.iter().filter_map(|row| Bar::of(row, prefix)).collect();
        if !bars.is_empty() {
            std::fs::write(options.to.join(format!("{file}.svg")), draw(title, &bars))?;
        }
    }
    std::fs::write(options.to.join("rows.md"), table(&rows))?;
    Ok(())
}

/// All rows that were kept, by name.
fn rows(folder: &Path) -> anyhow::Result<Vec<Value>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let read = |path: &PathBuf| Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?);
    paths.iter().map(read).collect()
}

fn text<'a>(row: &'a Value, pointer: &str) -> &'a str {
    row.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A row as a bar.
struct Bar {
    name: String,
    least: f64,
    middle: f64,
    most: f64,
}

impl Bar {
    fn of(row: &Value, prefix: &str) -> Option<Bar> {
        let name = text(row, "/row").strip_prefix(prefix)?.to_owned();
        let [least, middle, most] = figures(Some(row.get("ratio")?));
        (least > 0.0).then_some(Bar { name, least, middle, most })
    }
}

const LINE: f64 = 22.0;
const TOP: f64 = 44.0;
const LEFT: f64 = 170.0;
const WIDTH: f64 = 520.0;
/// For the figure behind the longest bar.
const RIGHT: f64 = 150.0;

/// Decades of ratios, across.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Whole decades around all bars, and 1 among them.
    fn of(bars: &[Bar]) -> Scale {
        let least = bars.iter().map(|bar| bar.least).fold(1.0, f64::min);
        let most = bars.iter().map(|bar| bar.most).fold(1.0, f64::max);
        Scale { low: least.log10().floor(), high: most.log10().ceil().max(1.0) }
    }

    fn x(&self, ratio: f64) -> f64 {
        LEFT + WIDTH * (ratio.log10() - self.low) / (self.high - self.low)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        let (low, high) = (self.low, self.high);
        std::iter::successors(Some(low), move |at| (at + 1.0 <= high).then_some(at + 1.0))
            .map(|at| 10_f64.powf(at))
    }
}

/// Colours that are legible on white and on a dark page.
const INK: &str = "#6b7280";
const AHEAD: &str = "#2f855a";
const BEHIND: &str = "#c05621";

fn draw(title: &str, bars: &[Bar]) -> String {
    let scale = Scale::of(bars);
    let bottom = TOP + LINE * bars.len() as f64;
    let (width, height) = (LEFT + WIDTH + RIGHT, bottom + 12.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"{INK}\">\n\
         <title>{title}</title>\n<text x=\"8\" y=\"16\" font-size=\"14\">{title}</text>\n"
    );
    for decade in scale.decades() {
        let (x, label) = (scale.x(decade), decade);
        let stroke = if decade == 1.0 { 1.5 } else { 0.4 };
        put(
            &mut svg,
            &format!(
                "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"{INK}\" stroke-width=\"{stroke}\"/>\
             <text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{label}×</text>",
                TOP - 8.0
            ),
        );
    }
    for (nth, bar) in bars.iter().enumerate() {
        put(&mut svg, &bar_at(bar, &scale, TOP + LINE * nth as f64));
    }
    svg += "</svg>\n";
    svg
}

/// From 1 to the median, with a line from the least to the most.
fn bar_at(bar: &Bar, scale: &Scale, y: f64) -> String {
    let (one, middle) = (scale.x(1.0), scale.x(bar.middle));
    let colour = if bar.middle >= 1.0 { AHEAD } else { BEHIND };
    let (from, length) = (one.min(middle), (one - middle).abs().max(1.0));
    let (least, most, base) = (scale.x(bar.least), scale.x(bar.most), y + LINE / 2.0);
    format!(
        "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
         <rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"12\" fill=\"{colour}\"/>\
         <path d=\"M{least:.1} {base:.1}H{most:.1}\" stroke=\"{INK}\" stroke-width=\"2\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{}× ({} to {})</text>",
        LEFT - 8.0,
        base + 4.0,
        bar.name,
        base - 6.0,
        middle.max(most).max(one) + 8.0,
        base + 4.0,
        ratio(bar.middle),
        ratio(bar.least),
        ratio(bar.most),
    )
}

fn put(svg: &mut String, line: &str) {
    // A string takes whatever it is given.
    let _ = writeln!(svg, "{line}");
}

/// The rows for `docs/bench.md`.
fn table(rows: &[Value]) -> String {
    let mut out = String::from(
        "# Rows beside peers\n\nWritten by `make bench-plots` from the last `make bench`; what the columns \
         mean is in [bench.md](../bench.md).\n\n",
    );
    let measured = rows.iter().find(|row| row.get("machine").is_some());
    if let Some(row) = measured {
        put(&mut out, &format!("Machine: {}.\n", text(row, "/machine")));
    }
    put(&mut out, "| row | ours | peer | ratio: median (least to most) | pairs | a sync, ms |");
    put(&mut out, "|---|---|---|---|---|---|");
    rows.iter().for_each(|row| put(&mut out, &table_line(row)));
    out
}

fn table_line(row: &Value) -> String {
    let (name, about) = (text(row, "/row"), text(row, "/about"));
    if let Some(reason) = row.get("not_measured").and_then(Value::as_str) {
        return format!("| `{name}`: {about} | | not measured: {reason} | | | |");
    }
    let ratios = row.get("ratio").map(|ratios| {
        let [least, middle, most] = figures(Some(ratios)).map(ratio);
        format!("{middle} ({least} to {most})")
    });
    let [least, middle, most] = figures(row.get("sync_ms"));
    format!(
        "| `{name}`: {about} | {} | {} | {} | {} of {} s, {} run again | {middle:.2} ({least:.2} to {most:.2}) |",
        cell(row.get("ours"), text(row, "/unit")),
        cell(row.get("peer"), text(row, "/unit")),
        ratios.unwrap_or_default(),
        row["pairs"],
        row["seconds"],
        row["run_again"],
    )
}

/// A side: what it did, its durability, and its further figures.
fn cell(side: Option<&Value>, unit: &str) -> String {
    let Some(side) = side else { return String::new() };
    let [_, middle, _] = figures(side.get("per_second"));
    let more = crate::row::more(side);
    let (name, kept) = (text(side, "/name"), text(side, "/durability"));
    format!("{name}: {} {unit}/s ({kept}{more})", round(middle))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(name: &str, middle: f64) -> Value {
        json!({ "row": name, "ratio": [middle / 2.0, middle, middle * 2.0] })
    }

    #[test]
    fn a_bar_begins_at_one_and_says_who_is_ahead() {
        let bars: Vec<Bar> = [row("log-a", 4.0), row("log-b", 0.5), row("sqs-c", 3.0)]
            .iter()
            .filter_map(|row| Bar::of(row, "log-"))
            .collect();
        assert_eq!(bars.len(), 2);
        let svg = draw("title", &bars);
        assert!(svg.contains(AHEAD) && svg.contains(BEHIND) && svg.contains("4.000× (2.000 to"));
        assert!(svg.contains("0.1×") && svg.contains("10×") && !svg.contains("100×"));
    }

    #[test]
    fn a_row_that_was_not_measured_has_its_line() {
        let row = json!({ "row": "a", "about": "b", "not_measured": "c" });
        assert_eq!(table_line(&row), "| `a`: b | | not measured: c | | | |");
    }
}
