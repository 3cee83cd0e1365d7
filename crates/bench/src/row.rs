//! One row: two sides, measured in pairs that alternate, so that both meet the same machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::{disk, machine};

/// A pair is run again if a sync took so many times longer on one end of it than on the other.
const PROBES_APART_MAX: f64 = 1.5;

/// What a measurement is told.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) bytes: usize,
    pub(crate) lasts: Duration,
    /// Where data directories are made and removed.
    pub(crate) data: PathBuf,
    /// The server of ours; the release build beside this program when absent.
    pub(crate) binary: Option<PathBuf>,
    /// The folder of the virtual environments that peers are installed in.
    pub(crate) tools: PathBuf,
}

/// What came of one measurement: only work that was verified is counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measure {
    pub(crate) count: u64,
    pub(crate) seconds: f64,
    /// Further figures by name, such as a latency.
    pub(crate) more: Vec<(&'static str, f64)>,
}

impl Measure {
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.seconds
    }
}

/// Something that does the row's work.
pub(crate) trait Contestant: Send + Sync {
    fn name(&self) -> String;
    /// When it is on disk, in a few words.
    fn durability(&self) -> String;
    /// Why it cannot be measured here.
    fn missing(&self, _: &Plan) -> Option<String> {
        None
    }
    /// Starts it anew, has it work, verifies the work, and ends it.
    fn measure<'a>(&'a self, plan: &'a Plan) -> BoxFuture<'a, anyhow::Result<Measure>>;
}

/// One row of `docs/bench.md`.
pub(crate) struct Row {
    pub(crate) name: String,
    /// What is done, and how much of it at once.
    pub(crate) about: String,
    /// What is counted.
    pub(crate) unit: &'static str,
    pub(crate) ours: Box<dyn Contestant>,
    /// Nobody, where a figure stands alone.
    pub(crate) peer: Option<Box<dyn Contestant>>,
}

struct Pair {
    ours: Measure,
    peer: Option<Measure>,
    /// What a sync cost around the pair, in milliseconds.
    sync_ms: f64,
    probes_apart: f64,
}

impl Row {
    /// Measures so many pairs. As many that met two different disks are run again at most.
    pub(crate) async fn run(&self, plan: &Plan, pairs: usize) -> anyhow::Result<Value> {
        std::fs::create_dir_all(&plan.data)?;
        if let Some(reason) = self.peer.as_ref().and_then(|peer| peer.missing(plan)) {
            return Ok(json!({ "row": self.name, "about": self.about, "not_measured": reason }));
        }
        let (mut done, mut dropped) = (Vec::new(), 0);
        while done.len() < pairs {
            let pair = self.pair(plan, done.len() % 2 == 1).await?;
            self.report(&pair, done.len() + 1, pairs);
            if pair.probes_apart > PROBES_APART_MAX && dropped < pairs {
                dropped += 1;
                continue;
            }
            done.push(pair);
        }
        Ok(self.json(plan, &done, dropped))
    }

    async fn pair(&self, plan: &Plan, ours_first: bool) -> anyhow::Result<Pair> {
        let before = disk::probe(&plan.data)?;
        let (ours, peer) = match &self.peer {
            None => (self.ours.measure(plan).await?, None),
            Some(peer) if ours_first => {
                let ours = self.ours.measure(plan).await?;
                (ours, Some(peer.measure(plan).await?))
            }
            Some(peer) => {
                let peer = peer.measure(plan).await?;
                (self.ours.measure(plan).await?, Some(peer))
            }
        };
        let after = disk::probe(&plan.data)?;
        let (sync_ms, probes_apart) =
            (f64::midpoint(before, after), before.max(after) / before.min(after));
        Ok(Pair { ours, peer, sync_ms, probes_apart })
    }

    fn report(&self, pair: &Pair, number: usize, of: usize) {
        let ours = pair.ours.per_second();
        let beside = pair.peer.as_ref().map(|peer| {
            let peer = peer.per_second();
            format!(" beside {peer:.0}/s, ratio {:.3}", ours / peer)
        });
        let beside = beside.unwrap_or_default();
        let again = if pair.probes_apart > PROBES_APART_MAX { ", once more" } else { "" };
        let (name, sync) = (&self.name, pair.sync_ms);
        eprintln!("{name}, pair {number} of {of}: {ours:.0}/s{beside}, a sync {sync:.2} ms{again}");
    }

    fn json(&self, plan: &Plan, pairs: &[Pair], dropped: usize) -> Value {
        let ours: Vec<&Measure> = pairs.iter().map(|pair| &pair.ours).collect();
        let peers: Vec<&Measure> = pairs.iter().filter_map(|pair| pair.peer.as_ref()).collect();
        let ratios = pairs
            .iter()
            .filter_map(|pair| Some(pair.ours.per_second() / pair.peer.as_ref()?.per_second()));
        let mut row = json!({
            "row": self.name, "about": self.about, "unit": self.unit, "bytes": plan.bytes,
            "machine": machine::describe(&plan.data), "load_average": machine::load_average(),
            "pairs": pairs.len(), "run_again": dropped, "seconds": plan.lasts.as_secs_f64(),
            "sync_ms": spread(pairs.iter().map(|pair| pair.sync_ms)),
            "ours": side(self.ours.as_ref(), &ours),
        });
        if let (Some(peer), Some(row)) = (&self.peer, row.as_object_mut()) {
            row.insert("peer".to_owned(), side(peer.as_ref(), &peers));
            row.insert("ratio".to_owned(), spread(ratios));
        }
        row
    }
}

fn side(side: &dyn Contestant, measures: &[&Measure]) -> Value {
    let mut figures = json!({
        "name": side.name(), "durability": side.durability(),
        "per_second": spread(measures.iter().map(|measure| measure.per_second())),
    });
    let Some((first, object)) = measures.first().zip(figures.as_object_mut()) else {
        return figures;
    };
    for (nth, (name, _)) in first.more.iter().enumerate() {
        let of = measures.iter().filter_map(|measure| Some(measure.more.get(nth)?.1));
        object.insert((*name).to_owned(), spread(of));
    }
    figures
}

/// Least, middle and most of some numbers.
pub(crate) fn spread(figures: impl Iterator<Item = f64>) -> Value {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
    json!([at(0), at(figures.len() / 2), at(figures.len().saturating_sub(1))])
}

/// A row as a line for people.
pub(crate) fn text(row: &Value) -> String {
    let word = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (name, about) = (word("/row"), word("/about"));
    if let Some(reason) = row.pointer("/not_measured").and_then(Value::as_str) {
        return format!("{name}: {about}: not measured: {reason}");
    }
    let of = |pointer: &str| figures(row.pointer(pointer));
    let side = |key: &str| {
        let [_, middle, _] = of(&format!("/{key}/per_second"));
        let more = row.pointer(&format!("/{key}")).map(more).unwrap_or_default();
        let (name, kept) = (word(&format!("/{key}/name")), word(&format!("/{key}/durability")));
        format!("{name} {} {}/s ({kept}{more})", round(middle), word("/unit"))
    };
    let beside = row.pointer("/peer").map(|_| {
        let [least, middle, most] = of("/ratio").map(ratio);
        format!(" beside {}: {middle} ({least} to {most})", side("peer"))
    });
    let [least, middle, most] = of("/sync_ms");
    format!(
        "{name}: {about}: {}{}; {} pairs of {} s, {} run again; a 4 KiB append with fdatasync \
         {middle:.2} ms ({least:.2} to {most:.2})",
        side("ours"),
        beside.unwrap_or_default(),
        row["pairs"],
        row["seconds"],
        row["run_again"],
    )
}

/// The further figures of a side.
pub(crate) fn more(side: &Value) -> String {
    let known = ["name", "durability", "per_second"];
    let figures = side.as_object().into_iter().flatten();
    let further = figures.filter(|(name, _)| !known.contains(&name.as_str()));
    let texts = further.map(|(name, value)| {
        let [_, middle, _] = figures_of(value);
        format!("; {name} {middle:.2}")
    });
    texts.collect()
}

/// Least, middle and most, as [`spread`] wrote them.
pub(crate) fn figures(spread: Option<&Value>) -> [f64; 3] {
    spread.map_or([f64::NAN; 3], figures_of)
}

fn figures_of(spread: &Value) -> [f64; 3] {
    [0, 1, 2].map(|nth| spread.get(nth).and_then(Value::as_f64).unwrap_or(f64::NAN))
}

/// Three digits of a ratio below ten, and one behind the point above.
pub(crate) fn ratio(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.3}") } else { format!("{ratio:.1}") }
}

/// A count with its thousands apart.
pub(crate) fn round(count: f64) -> String {
    let digits = format!("{count:.0}");
    let (mut out, length) = (String::new(), digits.len());
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (length - nth) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Where a row's figures are kept for the plots.
pub(crate) fn path(data: &Path, name: &str) -> PathBuf {
    data.join("rows").join(format!("{name}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_least_middle_and_most() {
        assert_eq!(spread([3.0, 1.0, 2.0].into_iter()), json!([1.0, 2.0, 3.0]));
        assert_eq!(figures(Some(&json!([1.0, 2.0, 3.0]))), [1.0, 2.0, 3.0]);
        assert!(figures(None).iter().all(|figure| figure.is_nan()));
    }

    #[test]
    fn counts_are_written_in_threes() {
        assert_eq!([1.0, 999.6, 129_999.0, 1e6].map(round), ["1", "1,000", "129,999", "1,000,000"]);
    }

    #[test]
    fn a_row_that_was_not_measured_says_why() {
        let row = json!({ "row": "a", "about": "b", "not_measured": "no Python" });
        assert_eq!(text(&row), "a: b: not measured: no Python");
    }
}
