//! Peers as processes of their own, on loopback alone, each with a directory that is made for it and
//! removed after it.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::side::clear;

/// LocalStack and RabbitMQ take some seconds; on a busy machine many.
const PATIENCE: Duration = Duration::from_secs(90);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A peer that runs, and ends with this value, with all that it has started.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    child: Child,
    folder: PathBuf,
}

/// A port of loopback that nobody has: a peer that listens on it is the one that was started.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// An empty directory.
pub(crate) fn fresh(folder: &Path) -> anyhow::Result<PathBuf> {
    clear(folder)?;
    std::fs::create_dir_all(folder)?;
    Ok(folder.canonicalize()?)
}

impl Process {
    /// Starts it, in its folder, where its output is kept too; it is there when it listens.
    pub(crate) async fn start(
        mut command: Command,
        address: SocketAddr,
        folder: PathBuf,
    ) -> anyhow::Result<Process> {
        let output = folder.join("output.log");
        let said = File::create(&output)?;
        command.current_dir(&folder).stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut process = Process { address, child, folder };
        match tokio::time::timeout(PATIENCE, process.listening()).await {
            Ok(Ok(())) => Ok(process),
            Ok(Err(error)) => Err(error.context(tail(&output))),
            Err(_) => bail!("it does not listen after {PATIENCE:?}: {}", tail(&output)),
        }
    }

    /// The process, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    async fn listening(&mut self) -> anyhow::Result<()> {
        while TcpStream::connect(self.address).await.is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended: {:?} {:?}", status.code(), status.signal());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            // One that has ended by itself is no mistake here.
            let _ = kill_process_group(group, Signal::KILL);
        }
        // Its files are open until it is gone; what cannot be removed now, the next run removes.
        while matches!(self.child.try_wait(), Ok(None)) {
            std::thread::yield_now();
        }
        drop(clear(&self.folder));
    }
}

/// The last lines that it said.
fn tail(output: &Path) -> String {
    let text = std::fs::read_to_string(output).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n")
}
