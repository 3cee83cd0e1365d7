//! Beside the floors: measures Lineside beside its peers, in pairs that alternate.
//!
//! `bench backlog`, `bench idle` and `bench churn` measure Lineside alone: with a million messages
//! waiting, with a hundred thousand idle queues, and what ten million messages leave on disk; `bench
//! tail`, `bench fold` and `bench streams` with readers that follow, states, and millions of events.
//! `bench pair` gives rows of two sides ([`rows`]). Each side runs as a process of its own, with
//! the same client; what was acknowledged is counted afterwards, or received, each message once.

#![allow(clippy::print_stdout, clippy::disallowed_methods)] // It prints rows, and it measures time.

mod amqp;
mod append;
mod backlog;
mod churn;
mod disk;
mod echo;
mod engines;
mod fold;
mod idle;
mod load;
mod machine;
mod native;
mod nats;
mod plots;
mod polls;
mod process;
mod products;
mod publish;
mod queue;
mod redis;
mod row;
mod rows;
mod side;
mod sqs;
mod streams;
mod tail;
mod wait;
mod wire;

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
    /// Rows beside peers, each in pairs that alternate.
    Pair(rows::Options),
    /// The load of `sqs-send` alone, for a server that runs already, such as one under a profiler.
    Load(queue::Options),
    /// Plots and a table of the rows that were measured last.
    Plots(plots::Options),
    /// A million waiting messages: memory, receive times, and how long a start takes.
    Backlog(backlog::Options),
    /// Many idle queues: memory, and how long a start takes.
    Idle(idle::Options),
    /// A thousand long polls that wait: processor time, and whom one message wakes.
    IdlePolls(polls::Options),
    /// Messages sent, received and deleted: what they leave on disk.
    Churn(churn::Options),
    /// A thousand readers that follow a stream: what each gets when, and what it costs.
    Tail(tail::Options),
    /// The state of a long stream, with nothing kept of it and with what is kept.
    Fold(fold::Options),
    /// Millions of events in a million streams: memory, the index, and how long a start takes.
    Streams(streams::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Echo { listen } => echo::serve(listen).await,
        Command::Pair(options) => rows::run(&options).await,
        Command::Load(options) => queue::send(&options).await,
        Command::Plots(options) => plots::run(&options),
        Command::Backlog(options) => backlog::run(&options).await,
        Command::Idle(options) => idle::run(&options).await,
        Command::IdlePolls(options) => polls::run(&options).await,
        Command::Churn(options) => churn::run(&options).await,
        Command::Tail(options) => tail::run(&options).await,
        Command::Fold(options) => fold::run(&options).await,
        Command::Streams(options) => streams::run(&options).await,
    }
}
