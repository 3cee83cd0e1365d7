//! Floor 3: the binary. Command line, wiring, exit codes.

mod admin;
mod cli;
mod data;
mod server;
mod span;
mod tools;
mod up;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let done = |()| ExitCode::SUCCESS;
    let result = match cli::Cli::parse().command {
        cli::Command::Up(options) => up::run(&options).map(done),
        cli::Command::Env(options) => cli::print_env(&options).map(done),
        cli::Command::Verify(options) => tools::verify(&options),
        cli::Command::Repair(options) => tools::repair(&options),
        cli::Command::Log(options) => tools::log(&options).map(done),
        cli::Command::Backup(options) => tools::backup(&options).map(done),
        cli::Command::Restore(options) => tools::restore(&options),
    };
    match result {
        Ok(status) => status,
        Err(error) => {
            eprintln!("lineside: {error:#}");
            ExitCode::FAILURE
        }
    }
}
