//! The command line.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Flags;
use crate::configure::{Apply, Export};
use crate::demo::Demo;
use crate::state::{DiffArgs, StateArgs};
use crate::sub::Sub;
use crate::verbs::{AppendArgs, PubArgs, ReadArgs, TailArgs};

/// Events, queues and functions on your side of the line.
#[derive(Debug, Parser)]
#[command(name = "lineside", version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server.
    Up(Up),
    /// Append an event to the stream of its type.
    Pub(PubArgs),
    /// Append an event to a stream, if it has the version that is expected.
    Append(AppendArgs),
    /// Print the events that there are.
    Read(ReadArgs),
    /// Print events as they come.
    Tail(TailArgs),
    /// Print the state of an entity, as it is or as it was.
    State(StateArgs),
    /// Print what is different in two states of an entity.
    Diff(DiffArgs),
    /// Say what a file would change on a running server, and change nothing.
    Plan(Apply),
    /// Make a running server have what a file declares: queues, models, subscriptions.
    Apply(Apply),
    /// Print a file that declares all queues, models and subscriptions of a running server.
    Export(Export),
    /// Durable subscriptions: cursors, work for those who compete for it, queues that are fed.
    #[command(subcommand)]
    Sub(Sub),
    /// Play a story on a server of its own, and check what it claims; the exit status is 1 if
    /// something does not hold.
    Demo(Demo),
    /// Print the environment that makes AWS SDKs and tools use a server.
    Env(Env),
    /// Read all of a data directory that no server uses, and name each damaged place; the exit
    /// status is 1 if there is one.
    Verify(OfDirectory),
    /// Say what a repair of a damaged data directory would do, and what it would cost; do it with
    /// `--apply`.
    Repair(Repair),
    /// Print what the log of a data directory holds, a JSON object for each batch.
    Log(Log),
    /// Copy the data of a running server into a new directory.
    Backup(Backup),
    /// Make a data directory of a backup.
    Restore(Restore),
    /// Print the configuration that `up` would have with the same flags, and who said each of it.
    Config(Config),
    /// Look at the machine, the data directory and the server, and say what to do about what is not
    /// well; the exit status is 1 if something is not.
    Doctor(Doctor),
    /// Print what completes this command in a shell.
    Completions(Completions),
    /// Print the manual page, as roff.
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct OfDirectory {
    /// The data directory.
    pub(crate) directory: PathBuf,
    /// As one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Repair {
    /// The data directory.
    pub(crate) directory: PathBuf,
    /// Do it; without this nothing is changed.
    #[arg(long)]
    pub(crate) apply: bool,
    /// As one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    /// The data directory.
    pub(crate) directory: PathBuf,
    /// Of which partition.
    #[arg(long, default_value_t = 0)]
    pub(crate) partition: u16,
    /// From which position on.
    #[arg(long, default_value_t = 0)]
    pub(crate) from: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// A directory that is not there yet, or is empty, on the server's machine.
    pub(crate) to: PathBuf,
    /// The server's address.
    #[arg(long, default_value = "127.0.0.1:4566")]
    pub(crate) listen: SocketAddr,
    /// As one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup, which stays as it is.
    pub(crate) from: PathBuf,
    /// A directory that is not there yet, or is empty.
    pub(crate) to: PathBuf,
    /// As one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a server is told; a flag is a row of the table in `config/table.rs`.
#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) flags: Flags,
}

#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// As one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the JSON schema of the file instead, for editors.
    #[arg(long, conflicts_with = "json")]
    pub(crate) schema: bool,
    /// Print the documentation of every key instead.
    #[arg(long, conflicts_with_all = ["json", "schema"])]
    pub(crate) markdown: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// As one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For which shell.
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Env {
    /// The server's address.
    #[arg(long, default_value = "127.0.0.1:4566")]
    pub(crate) listen: SocketAddr,
    /// As one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints what `eval "$(lineside env)"` wants.
pub(crate) fn print_env(options: &Env) -> anyhow::Result<()> {
    let endpoint = format!("http://{}", options.listen);
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        // boto3 reads the older name only, the other SDKs the newer.
        ("AWS_DEFAULT_REGION", lineside_aws::DEFAULT_REGION),
        ("AWS_REGION", lineside_aws::DEFAULT_REGION),
        ("AWS_ACCESS_KEY_ID", "lineside"),
        ("AWS_SECRET_ACCESS_KEY", "lineside"),
    ];
    let mut out = std::io::stdout().lock();
    if options.json {
        let object: serde_json::Map<_, _> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        writeln!(out, "{}", serde_json::to_string(&object)?)?;
        return Ok(());
    }
    for (name, value) in variables {
        writeln!(out, "export {name}={value}")?;
    }
    Ok(())
}
