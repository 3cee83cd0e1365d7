//! Runs the simulation.
//!
//! ```text
//! sim --seeds 100 [--start 0]     a hundred seeds
//! sim --facts 10000000            seeds until so many facts were evolved
//! sim --seed 7 [--trace]          one seed; with its trace, a line for each change
//! ```
//! Each seed is run twice, and both runs have to be the same; only the first one's facts count.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use lineside_testkit::model::Check;
use lineside_testkit::sim::{Run, kinds, run_twice};

/// How often the progress is told.
const PROGRESS: Duration = Duration::from_secs(2);

/// In a run of so many facts everything happens that can; otherwise the simulation has gone blind.
const ENOUGH_FOR_ALL: u64 = 1_000_000;

const USAGE: &str = "usage: sim [--seeds N | --facts N | --seed N [--trace]] [--start N] \
                     [--threads N]";

#[derive(Default)]
struct Wish {
    seeds: Option<u64>,
    facts: Option<u64>,
    seed: Option<u64>,
    start: u64,
    threads: Option<usize>,
    trace: bool,
}

fn main() -> ExitCode {
    let wish = match parse(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(what) => {
            say(&format!("{what}\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    let passed = match wish.seed {
        Some(seed) => one(seed, wish.trace),
        None => many(&wish),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut wish = Wish::default();
    while let Some(arg) = args.next() {
        if arg == "--trace" {
            wish.trace = true;
            continue;
        }
        let number = args.next().and_then(|text| text.replace('_', "").parse::<u64>().ok());
        let number = number.ok_or_else(|| format!("{arg} needs a number"))?;
        match arg.as_str() {
            "--seeds" => wish.seeds = Some(number),
            "--facts" => wish.facts = Some(number),
            "--seed" => wish.seed = Some(number),
            "--start" => wish.start = number,
            "--threads" => wish.threads = usize::try_from(number).ok(),
            _ => return Err(format!("{arg} is unknown")),
        }
    }
    Ok(wish)
}

#[expect(clippy::disallowed_methods, reason = "people are told in their own time")]
fn now() -> Instant {
    Instant::now()
}

/// A closed pipe is no reason to stop.
fn say(text: &str) {
    drop(writeln!(io::stdout().lock(), "{text}"));
}

fn one(seed: u64, trace: bool) -> bool {
    if trace {
        let run = Run::new(seed, true);
        run.journal.lines().iter().for_each(|line| say(line));
    }
    let (run, check) = run_twice(seed);
    say(&format!("seed {seed}: {} facts, trace {:016x}", run.facts, run.journal.hash()));
    if let Err(violation) = &check {
        say(&format!("seed {seed} is wrong: {}", violation.0));
    }
    check.is_ok()
}

/// What all seeds came to.
#[derive(Default)]
struct Total {
    seeds: u64,
    facts: u64,
    counts: BTreeMap<&'static str, u64>,
    wrong: Vec<(u64, String)>,
}

/// What one seed came to. What it wrote down is dropped where it was made: that takes a while.
struct Done {
    seed: u64,
    facts: u64,
    counts: BTreeMap<&'static str, u64>,
    check: Check,
}

impl Done {
    fn new(seed: u64) -> Done {
        let (run, check) = run_twice(seed);
        Done { seed, facts: run.facts, counts: run.journal.counts().clone(), check }
    }
}

impl Total {
    fn add(&mut self, done: Done) {
        self.seeds += 1;
        self.facts += done.facts;
        for (what, count) in done.counts {
            *self.counts.entry(what).or_default() += count;
        }
        if let Err(violation) = done.check {
            self.wrong.push((done.seed, violation.0));
        }
    }
}

fn many(wish: &Wish) -> bool {
    let seeds = wish.seeds.unwrap_or(if wish.facts.is_some() { u64::MAX } else { 100 });
    let facts = wish.facts.unwrap_or(u64::MAX);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = wish.threads.unwrap_or(cores).max(1);
    let (next, enough) = (AtomicU64::new(0), AtomicBool::new(false));
    let begun = now();
    let mut total = Total::default();
    std::thread::scope(|scope| {
        let (done, results) = mpsc::channel();
        for _ in 0..threads {
            let (done, next, enough) = (done.clone(), &next, &enough);
            scope.spawn(move || {
                while !enough.load(Ordering::Relaxed) {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    let ends = nth >= seeds || done.send(Done::new(wish.start + nth)).is_err();
                    if ends {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut told = begun;
        loop {
            match results.recv_timeout(PROGRESS) {
                Ok(done) => total.add(done),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if total.facts >= facts || !total.wrong.is_empty() {
                enough.store(true, Ordering::Relaxed);
            }
            if told.elapsed() >= PROGRESS {
                told = now();
                say(&format!("  {}", summary(&total, begun)));
            }
        }
    });
    report(&total, begun);
    let never = never(&total);
    if total.facts >= ENOUGH_FOR_ALL && !never.is_empty() {
        say(&format!("so many facts, and this never happened: {never:?}"));
        return false;
    }
    total.wrong.is_empty()
}

fn kinds() -> impl Iterator<Item = &'static str> {
    kinds::FACTS.into_iter().chain(kinds::REFUSALS).chain(kinds::TROUBLES)
}

fn never(total: &Total) -> Vec<&'static str> {
    kinds().filter(|what| !total.counts.contains_key(what)).collect()
}

fn summary(total: &Total, begun: Instant) -> String {
    let seconds = begun.elapsed().as_secs_f64();
    let Total { seeds, facts, .. } = total;
    let rate = *facts as f64 / seconds.max(0.001);
    format!("{seeds} seeds, {facts} facts, {seconds:.1} s, {rate:.0} facts/s")
}

fn report(total: &Total, begun: Instant) {
    for what in kinds() {
        say(&format!("{:>12}  {what}", total.counts.get(what).unwrap_or(&0)));
    }
    say(&summary(total, begun));
    for (seed, what) in &total.wrong {
        say(&format!("\nseed {seed} is wrong: {what}"));
        say(&format!(
            "to see it: make sim SEED={seed} TRACE=1, or\n  \
             cargo run --release -p lineside-testkit --bin sim -- --seed {seed} --trace"
        ));
    }
}
