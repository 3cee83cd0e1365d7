//! Floor 3: the binary. Command line, wiring, exit codes.

mod admin;
mod cli;
mod data;
mod server;
mod span;
mod up;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let result = match cli::Cli::parse().command {
        cli::Command::Up(options) => up::run(&options),
        cli::Command::Env(options) => cli::print_env(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lineside: {error:#}");
            ExitCode::FAILURE
        }
    }
}
