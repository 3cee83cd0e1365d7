//! A guard against slow decay that reads no clock: instructions and bytes per message of a fixed
//! piece of work, against the bounds in [`bounds`].
//!
//! `guard work` does it, on one thread; `guard check` counts it, by valgrind's callgrind and by what
//! the kernel says was written. Two lengths of the same work are taken apart, so that a start counts
//! for nothing.

#![allow(clippy::print_stdout)] // It prints figures.

mod bounds;
mod count;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::work::Kind;

#[derive(Debug, Parser)]
#[command(name = "guard", about = "Instructions and bytes per message, against bounds")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Counts all work and compares it with its bounds; fails over a bound.
    Check,
    /// Does one kind of work, for whoever counts.
    Work {
        kind: Kind,
        /// How many messages; a multiple of ten.
        messages: u64,
        /// Where the log is; in memory when absent.
        #[arg(long)]
        log: Option<PathBuf>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().command {
        Command::Check => count::check(),
        Command::Work { kind, messages, log } => {
            println!("{}", work::run(kind, messages, log)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}
