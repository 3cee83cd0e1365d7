//! The server of a story: this program once more, in a directory of its own, under steerable time.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::say;

/// How long a start may take; it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// A file has no event to wait for, so it is looked for so often.
const LOOK: Duration = Duration::from_millis(3);

/// A process that is ended with the story, unless it is left running.
#[derive(Debug)]
pub(super) struct OwnServer {
    child: Child,
    folder: PathBuf,
    endpoint: String,
    is_left: bool,
}

impl OwnServer {
    /// Starts it on a free port, and returns when it is ready.
    pub(super) async fn start(story: &str) -> anyhow::Result<OwnServer> {
        let folder = fresh_folder(story)?;
        let child = spawn(&folder)?;
        let mut server = OwnServer { child, folder, endpoint: String::new(), is_left: false };
        let ready = tokio::time::timeout(PATIENCE, server.wait_until_ready()).await;
        let late = || format!("the server is not ready after {} s", PATIENCE.as_secs());
        server.endpoint = ready.with_context(late)??;
        Ok(server)
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What it keeps, and what it says.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it run on when this program ends.
    pub(super) fn leave(mut self) {
        self.is_left = true;
    }

    /// Asks it to stop, waits for its end, and clears its directory away.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        self.is_left = true;
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait().context("the server's end cannot be waited for")?;
        if !status.success() {
            bail!("the server ended with {status}; it says why in {}", self.said().display());
        }
        let gone = fs::remove_dir_all(&self.folder);
        gone.with_context(|| format!("{} cannot be cleared away", self.folder.display()))
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<String> {
        let file = self.folder.join("ready.json");
        loop {
            if let Ok(text) = fs::read(&file) {
                let ready: Value = serde_json::from_slice(&text)?;
                let endpoint = ready.pointer("/endpoints/aws").and_then(Value::as_str);
                return Ok(endpoint.context("the ready file names no endpoint")?.to_owned());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}; it says why in {}", self.said().display());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn said(&self) -> PathBuf {
        self.folder.join("server.log")
    }
}

impl Drop for OwnServer {
    /// Whatever went wrong, no server is left that nobody knows of. What it kept stays, to be looked
    /// at.
    fn drop(&mut self) {
        if !self.is_left {
            let _ = self.child.kill();
            let _ = self.child.wait();
            say(format_args!("what the server kept and said is in {}", self.folder.display()));
        }
    }
}

/// A directory that nobody else has: making it fails if it is there.
fn fresh_folder(story: &str) -> anyhow::Result<PathBuf> {
    let parent = std::env::temp_dir();
    let first = format!("lineside-{story}-{}", std::process::id());
    let names = (0..100).map(|more| match more {
        0 => first.clone(),
        more => format!("{first}-{more}"),
    });
    let mut last = None;
    for folder in names.map(|name| parent.join(name)) {
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map(|error| error.to_string()).unwrap_or_default();
    bail!("no directory can be made in {}: {why}; set TMPDIR to another one", parent.display())
}

/// In a process group of its own: an interrupt from the keyboard ends the story, which then ends
/// the server, or has left it running on purpose.
fn spawn(folder: &Path) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("this program cannot be found")?;
    let said = File::create(folder.join("server.log"))?;
    let mut command = Command::new(program);
    command.arg("up").arg("--data").arg(folder.join("data"));
    command.args(["--listen", "127.0.0.1:0", "--clock", "steerable", "--durability", "commit"]);
    command.arg("--ready-file").arg(folder.join("ready.json")).current_dir(folder);
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).process_group(0);
    command.spawn().context("the server cannot be started")
}
