//! Beside the floors: measures Lineside beside a peer, in pairs that alternate.
//!
//! `bench backlog`, `bench idle` and `bench churn` measure Lineside alone: with a million messages
//! waiting, with a hundred thousand idle queues, and what ten million messages leave on disk.
//! `bench send` gives one row: SendMessage beside a bare HTTP echo server. Each side runs as a
//! process of its own; the load is a closed loop over kept connections ([`load`]), the same for
//! both; what was acknowledged is counted in the queue afterwards.

#![allow(clippy::print_stdout, clippy::disallowed_methods)] // It prints rows, and it measures time.

mod backlog;
mod churn;
mod disk;
mod echo;
mod idle;
mod load;
mod machine;
mod pairs;
mod send;
mod side;
mod sqs;

use std::net::SocketAddr;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "bench", about = "Lineside beside its peers")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A bare HTTP server that answers each request with its body.
    Echo {
        /// Where to listen; port 0 takes a free one. The address is printed.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// SendMessage beside the echo server.
    Send(send::Options),
    /// A million waiting messages: memory, receive times, and how long a start takes.
    Backlog(backlog::Options),
    /// Many idle queues: memory, and how long a start takes.
    Idle(idle::Options),
    /// Messages sent, received and deleted: what they leave on disk.
    Churn(churn::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Echo { listen } => echo::serve(listen).await,
        Command::Send(options) => send::run(&options).await,
        Command::Backlog(options) => backlog::run(&options).await,
        Command::Idle(options) => idle::run(&options).await,
        Command::Churn(options) => churn::run(&options).await,
    }
}
