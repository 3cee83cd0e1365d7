//! Floor 3: the binary. Command line, wiring, exit codes.

mod admin;
mod cli;
mod config;
mod configure;
mod data;
mod demo;
mod descriptors;
mod doctor;
mod events;
mod folds;
mod gate;
mod patient;
mod server;
mod shell;
mod span;
mod state;
mod sub;
mod tools;
mod up;
mod verbs;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

/// A line for a person, on standard error. Where nobody can hear it, that is no reason to end:
/// `eprintln!` would panic.
fn say(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "lineside: {text}");
}

fn main() -> ExitCode {
    let done = |()| ExitCode::SUCCESS;
    let result = match cli::Cli::parse().command {
        cli::Command::Up(options) => up::run(&options.flags).map(done),
        cli::Command::Pub(args) => verbs::publish(&args).map(done),
        cli::Command::Append(args) => verbs::append(&args).map(done),
        cli::Command::Read(args) => verbs::read(&args).map(done),
        cli::Command::Tail(args) => verbs::tail(&args).map(done),
        cli::Command::State(args) => state::state(&args).map(done),
        cli::Command::Diff(args) => state::diff(&args).map(done),
        cli::Command::Plan(args) => configure::plan(&args).map(done),
        cli::Command::Apply(args) => configure::apply(&args).map(done),
        cli::Command::Export(args) => configure::export(&args).map(done),
        cli::Command::Sub(sub) => sub::run(&sub).map(done),
        cli::Command::Demo(options) => demo::run(&options),
        cli::Command::Env(options) => cli::print_env(&options).map(done),
        cli::Command::Verify(options) => tools::verify(&options),
        cli::Command::Repair(options) => tools::repair(&options),
        cli::Command::Log(options) => tools::log(&options).map(done),
        cli::Command::Backup(options) => tools::backup(&options).map(done),
        cli::Command::Restore(options) => tools::restore(&options),
        cli::Command::Config(options) => config::run(&options).map(done),
        cli::Command::Doctor(options) => doctor::run(&options),
        cli::Command::Completions(options) => shell::completions(&options).map(done),
        cli::Command::Man => shell::man().map(done),
    };
    match result {
        Ok(status) => status,
        Err(error) => {
            say(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
