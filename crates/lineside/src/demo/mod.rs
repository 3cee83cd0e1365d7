//! `lineside demo`: stories that start a server of their own, play on it over the wire, and check
//! what they claim.

mod bank;
mod server;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Which story is played.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(subcommand)]
    story: Story,
}

#[derive(Debug, Subcommand)]
enum Story {
    /// A year of a bank: every event on its day, transfers that race, an audit at the end.
    Bank(bank::BankArgs),
}

/// Plays it; the status says whether what it claims held.
pub(crate) fn run(demo: &Demo) -> anyhow::Result<ExitCode> {
    match &demo.story {
        Story::Bank(args) => bank::run(args),
    }
}
