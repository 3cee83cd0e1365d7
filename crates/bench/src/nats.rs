//! NATS JetStream: `PUB` with an inbox for the acknowledgment, over the text protocol.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use bytes::BytesMut;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::process::{Process, free_address, fresh};
use crate::products::absent;
use crate::publish::{Publisher, line, read_line};
use crate::row::Plan;

const PROGRAM: &str = "venv-bench/bin/nats-server";

pub(crate) fn missing(plan: &Plan) -> Option<String> {
    absent(plan, PROGRAM, "make venv-bench")
}

pub(crate) async fn start(plan: &Plan, always: bool) -> anyhow::Result<Process> {
    let address = free_address()?;
    let folder = fresh(&plan.data.join("nats"))?;
    let sync = if always { "sync_interval: always" } else { "" };
    let config = format!("listen: \"{address}\"\njetstream {{ store_dir: \"store\"\n{sync} }}\n");
    std::fs::write(folder.join("nats.conf"), config)?;
    let mut command = Command::new(plan.tools.canonicalize()?.join(PROGRAM));
    command.args(["-c", "nats.conf"]);
    Process::start(command, address, folder).await
}

/// A connection that hears its own inbox.
pub(crate) async fn connect(address: SocketAddr, number: usize) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let hello = format!(
        "CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB inbox.{number} 1\r\nPING\r\n"
    );
    stream.write_all(hello.as_bytes()).await?;
    let mut read = BytesMut::new();
    while read_line(&mut stream, &mut read).await? != "PONG" {}
    ensure!(read.is_empty(), "NATS said more than was asked");
    Ok(stream)
}

/// The connection for what is asked outside the load has an inbox that no other has.
const CONTROL: usize = usize::MAX;

/// Makes the stream.
pub(crate) async fn prepare(server: &Process) -> anyhow::Result<TcpStream> {
    let mut stream = connect(server.address, CONTROL).await?;
    let wanted = json!({ "name": "BENCH", "subjects": ["bench"], "storage": "file" });
    let made = ask(&mut stream, "$JS.API.STREAM.CREATE.BENCH", &wanted.to_string()).await?;
    ensure!(made.get("error").is_none(), "no stream was made: {made}");
    Ok(stream)
}

/// How many messages the stream has.
pub(crate) async fn count(stream: &mut TcpStream) -> anyhow::Result<u64> {
    let told = ask(stream, "$JS.API.STREAM.INFO.BENCH", "").await?;
    told.pointer("/state/messages").and_then(Value::as_u64).context("no count of messages")
}

async fn ask(stream: &mut TcpStream, subject: &str, body: &str) -> anyhow::Result<Value> {
    let request = format!("PUB {subject} inbox.{CONTROL} {}\r\n{body}\r\n", body.len());
    stream.write_all(request.as_bytes()).await?;
    let mut read = BytesMut::new();
    loop {
        let head = read_line(stream, &mut read).await?;
        if head == "PING" {
            stream.write_all(b"PONG\r\n").await?;
        } else if head.starts_with("MSG ") {
            return Ok(serde_json::from_str(&read_line(stream, &mut read).await?)?);
        }
    }
}

pub(crate) struct Nats {
    request: Vec<u8>,
    pongs: usize,
}

impl Nats {
    pub(crate) fn new(number: usize, bytes: usize) -> Nats {
        let body = "x".repeat(bytes);
        let request = format!("PUB bench inbox.{number} {bytes}\r\n{body}\r\n").into_bytes();
        Nats { request, pongs: 0 }
    }
}

impl Publisher for Nats {
    fn publish(&mut self, out: &mut Vec<u8>) {
        for _ in 0..std::mem::take(&mut self.pongs) {
            out.extend_from_slice(b"PONG\r\n");
        }
        out.extend_from_slice(&self.request);
    }

    /// Each acknowledgment is a line with its length and a line of JSON.
    fn confirmed(&mut self, read: &mut BytesMut) -> anyhow::Result<u64> {
        let mut count = 0;
        loop {
            if read.starts_with(b"MSG ") {
                let lines = read.windows(2).filter(|two| *two == b"\r\n").take(2).count();
                if lines < 2 {
                    return Ok(count);
                }
                drop(line(read));
                let told = line(read).unwrap_or_default();
                ensure!(told.contains("\"seq\":"), "NATS did not acknowledge: {told}");
                count += 1;
                continue;
            }
            match line(read).as_deref() {
                None => return Ok(count),
                Some("PING") => self.pongs += 1,
                Some(other) => bail!("NATS said {other}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgments_are_counted_and_errors_are_not() {
        let mut nats = Nats::new(0, 1);
        let ack = "MSG inbox.0 1 9\r\n{\"seq\":1}\r\n";
        let read = format!("{ack}PING\r\n{ack}MSG inbox.0 1 9\r\n{{\"se");
        let mut read = BytesMut::from(read.as_str());
        assert_eq!(nats.confirmed(&mut read).unwrap(), 2);
        assert!(read.starts_with(b"MSG ") && nats.pongs == 1);
        let refused = "MSG inbox.0 1 9\r\n{\"error\":1}\r\n";
        assert!(nats.confirmed(&mut BytesMut::from(refused)).is_err());
    }
}
