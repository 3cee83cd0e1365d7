//! Counts the work of a process of its own.

use std::path::Path;
use std::process::{Command, ExitCode, Output};

use anyhow::{Context, ensure};
use clap::ValueEnum;

use crate::bounds::{BOUNDS, Bound, Counted};
use crate::work::Kind;

/// The two lengths of the work, in messages.
const SHORT: u64 = 1_000;
const LONG: u64 = 3_000;

/// Where the log is, from the root of the tree on.
const FOLDER: &str = "target/bench/guard";

/// Prints each figure and its bound.
pub(crate) fn check() -> anyhow::Result<ExitCode> {
    let mut is_over = false;
    for Bound { kind, counted, most } in &BOUNDS {
        let figure = per_message(*kind, *counted)?;
        let verdict = if figure > *most { "over its bound" } else { "within" };
        is_over |= figure > *most;
        println!("{kind:?}: {figure} {} per message, bound {most}: {verdict}", unit(*counted));
    }
    if is_over {
        eprintln!(
            "A message became dearer: mend it, or raise the bound in \
             crates/bench/src/guard/bounds.rs and say in the change what it buys."
        );
    }
    Ok(if is_over { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn unit(counted: Counted) -> &'static str {
    match counted {
        Counted::Instructions => "instructions",
        Counted::Bytes => "bytes of log",
    }
}

/// What the messages cost by which the long work is longer.
fn per_message(kind: Kind, counted: Counted) -> anyhow::Result<u64> {
    let count = match counted {
        Counted::Instructions => instructions,
        Counted::Bytes => bytes,
    };
    let (short, long) = (count(kind, SHORT)?, count(kind, LONG)?);
    Ok(long.saturating_sub(short) / (LONG - SHORT))
}

fn instructions(kind: Kind, messages: u64) -> anyhow::Result<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(std::env::current_exe()?);
    let output = done(command.args(work(kind, messages)?))?;
    let said = String::from_utf8(output.stderr)?;
    let line = said.lines().find_map(|line| line.split_once("Collected :"));
    Ok(line.context("valgrind counted nothing")?.1.trim().parse()?)
}

fn bytes(kind: Kind, messages: u64) -> anyhow::Result<u64> {
    remove(Path::new(FOLDER))?;
    std::fs::create_dir_all(FOLDER)?;
    let mut command = Command::new(std::env::current_exe()?);
    let output = done(command.args(work(kind, messages)?).args(["--log", FOLDER]))?;
    remove(Path::new(FOLDER))?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn work(kind: Kind, messages: u64) -> anyhow::Result<[String; 3]> {
    let name = kind.to_possible_value().context("a kind without a name")?;
    Ok(["work".to_owned(), name.get_name().to_owned(), messages.to_string()])
}

fn done(command: &mut Command) -> anyhow::Result<Output> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {said}");
    Ok(output)
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}
