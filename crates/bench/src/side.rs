//! One side of a pair: a server as a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use clap::Args;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Which server of ours, and where it keeps its data.
#[derive(Debug, Args)]
pub(crate) struct Ours {
    /// Where the data directory is made and removed.
    #[arg(long, default_value = "target/bench")]
    data: PathBuf,
    /// The server; the release build beside this program when absent.
    #[arg(long)]
    binary: Option<PathBuf>,
}

impl Ours {
    /// The folder that the data directory is made in.
    pub(crate) fn folder(&self) -> &Path {
        &self.data
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.data.join("data")
    }

    /// A server without any data yet, durable before each answer.
    pub(crate) async fn fresh(&self) -> anyhow::Result<Side> {
        self.clear()?;
        std::fs::create_dir_all(&self.data)?;
        self.again().await
    }

    /// A server on the data that is there.
    pub(crate) async fn again(&self) -> anyhow::Result<Side> {
        let binary = self.binary.clone().map_or_else(beside, Ok)?;
        Side::lineside(&binary, &self.data(), "commit").await
    }

    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        clear(&self.data())
    }
}

/// A server that runs, and ends with this value.
pub(crate) struct Side {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Side {
    /// The echo server: this program again.
    pub(crate) async fn echo() -> anyhow::Result<Side> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("echo").stdout(Stdio::piped());
        Side::start(command, Said::Out).await
    }

    /// Lineside on a fresh data directory.
    pub(crate) async fn lineside(
        binary: &Path,
        data: &Path,
        durability: &str,
    ) -> anyhow::Result<Side> {
        let mut command = Command::new(binary);
        command.args(["up", "--listen", "127.0.0.1:0", "--durability", durability]);
        if durability != "memory" {
            command.arg("--data").arg(data);
        }
        command.stderr(Stdio::piped());
        Side::start(command, Said::Err).await
    }

    /// A figure of `/proc/PID/status` in MiB: `VmRSS` is what is resident, `VmHWM` its highest.
    pub(crate) fn mebibytes(&self, field: &str) -> anyhow::Result<f64> {
        let pid = self.process.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find(|line| line.starts_with(field));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)).context("no such field")?;
        Ok(kib.parse::<f64>()? / 1024.0)
    }

    /// The process, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }

    async fn start(mut command: Command, said: Said) -> anyhow::Result<Side> {
        let mut process = command.kill_on_drop(true).spawn()?;
        let address = match said {
            Said::Out => address(process.stdout.take()).await,
            Said::Err => address(process.stderr.take()).await,
        };
        Ok(Side { address: address?, process })
    }
}

/// Where a server says its address.
enum Said {
    Out,
    Err,
}

/// The first address that a server says; what it says later is read and dropped.
async fn address(
    said: Option<impl tokio::io::AsyncRead + Unpin + Send + 'static>,
) -> anyhow::Result<SocketAddr> {
    let mut lines = BufReader::new(said.context("no output to read")?).lines();
    let mut heard = String::new();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, address)) = line.split_once("http://") {
            let address = address.trim().parse()?;
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(address);
        }
        heard += &line;
    }
    ensure!(false, "the server ended: {heard}");
    unreachable!()
}

/// The release build beside this program.
pub(crate) fn beside() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("lineside");
    ensure!(path.exists(), "{} is not there: run `make release`", path.display());
    Ok(path)
}

/// Removes a data directory, if it is there.
pub(crate) fn clear(directory: &Path) -> anyhow::Result<()> {
    if directory.exists() {
        std::fs::remove_dir_all(directory)?;
    }
    Ok(())
}
