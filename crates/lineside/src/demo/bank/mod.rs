//! The bank: a seeded year of accounts, played under steerable time, and audited.
//!
//! Enter at [`run`], which tells it from top to bottom. `plan` is what will happen, `play` makes it
//! happen over the wire, `audit` reads what is there and says what holds; `examples/bank` is what a
//! person reads.

mod audit;
mod books;
mod chance;
mod checks;
mod ledger;
mod plan;
mod play;
mod race;
mod report;
mod view;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use clap::builder::RangedU64ValueParser;
use lineside_client::Client;
use tokio::time::Instant;

use super::server::OwnServer;
use crate::up;
use plan::Plan;
use report::{Progress, Report};

#[derive(Debug, Args)]
pub(crate) struct BankArgs {
    /// Stop the server at the end.
    #[arg(long)]
    exit: bool,
    /// Print nothing but a summary, as one JSON object; implies `--exit`.
    #[arg(long)]
    json: bool,
    /// Decides all that happens; the same seed gives the same events and totals.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many customers there are.
    #[arg(long, default_value_t = 500, value_parser = RangedU64ValueParser::<u32>::new().range(10..=5000))]
    accounts: u32,
    /// How many days are played.
    #[arg(long, default_value_t = 365, value_parser = RangedU64ValueParser::<u32>::new().range(60..=999))]
    days: u32,
}

/// Plays the year and audits it; the status says whether all held.
pub(crate) fn run(args: &BankArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot make the threads that play")?;
    let (server, report) = runtime.block_on(until_interrupted(args))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", report.to_json())?;
    } else {
        write!(out, "{report}")?;
    }
    if args.exit || args.json {
        server.stop()?;
    } else {
        report.farewell(&mut out, &server)?;
        server.leave();
    }
    Ok(if report.held() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An interrupt ends the server with the story.
async fn until_interrupted(args: &BankArgs) -> anyhow::Result<(OwnServer, Report)> {
    tokio::select! {
        told = tell(args) => told,
        signal = up::signalled() => {
            signal?;
            anyhow::bail!("interrupted; the server is ended with it")
        }
    }
}

async fn tell(args: &BankArgs) -> anyhow::Result<(OwnServer, Report)> {
    let started = Instant::now();
    let plan = Plan::new(args.seed, args.accounts, args.days);
    let mut progress = Progress::new(args.json, &plan);
    progress.begin(args.seed)?;
    let server = OwnServer::start("bank").await?;
    let client = Client::new(server.endpoint())?;
    let played = play::play(&client, &plan, &mut progress).await?;
    let audit = audit::audit(&client, &plan, &played, args.seed).await?;
    let seconds = started.elapsed().as_secs_f64();
    let report = Report::new(args.seed, &plan, &played, audit, seconds);
    Ok((server, report))
}
