//! Redis Streams: `XADD`, over the text protocol.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, ensure};
use bytes::{Buf, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::process::{Process, free_address, fresh};
use crate::publish::{Publisher, read_line};
use crate::row::Plan;

const PROGRAM: &str = "/usr/bin/redis-server";

pub(crate) fn missing() -> Option<String> {
    (!Path::new(PROGRAM).exists()).then(|| "it is not installed: redis-server of Debian".to_owned())
}

pub(crate) async fn start(plan: &Plan) -> anyhow::Result<Process> {
    let address = free_address()?;
    let folder = fresh(&plan.data.join("redis"))?;
    let mut command = Command::new(PROGRAM);
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
    command.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
    Process::start(command, address, folder).await
}

pub(crate) async fn connect(address: SocketAddr, _: usize) -> anyhow::Result<TcpStream> {
    Ok(TcpStream::connect(address).await?)
}

/// How many messages the stream has.
pub(crate) async fn count(server: &Process) -> anyhow::Result<u64> {
    let mut stream = connect(server.address, 0).await?;
    stream.write_all(b"*2\r\n$4\r\nXLEN\r\n$5\r\nbench\r\n").await?;
    let answer = read_line(&mut stream, &mut BytesMut::new()).await?;
    Ok(answer.strip_prefix(':').context("no number")?.parse()?)
}

pub(crate) struct Redis {
    request: Vec<u8>,
}

impl Redis {
    pub(crate) fn new(bytes: usize) -> Redis {
        let words = ["XADD", "bench", "*", "body", &"x".repeat(bytes)];
        let word = |word: &str| format!("${}\r\n{word}\r\n", word.len());
        let words: String = words.into_iter().map(word).collect();
        Redis { request: format!("*5\r\n{words}").into_bytes() }
    }
}

impl Publisher for Redis {
    fn publish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    /// Each answer is an id, as a length and so many bytes, each on a line.
    fn confirmed(&mut self, read: &mut BytesMut) -> anyhow::Result<u64> {
        let (mut count, mut at) = (0, 0);
        let mut ends = read.windows(2).enumerate().filter(|(_, two)| *two == b"\r\n");
        while let (Some((_, _)), Some((end, _))) = (ends.next(), ends.next()) {
            ensure!(read.get(at) == Some(&b'$'), "Redis did not answer with an id");
            at = end + 2;
            count += 1;
        }
        read.advance(at);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_answers_are_counted_and_the_rest_is_kept() {
        let mut read = BytesMut::from("$3\r\n1-0\r\n$3\r\n1-1\r\n$3\r\n1-");
        assert_eq!(Redis::new(1).confirmed(&mut read).unwrap(), 2);
        assert_eq!(&read[..], b"$3\r\n1-");
        assert!(Redis::new(1).confirmed(&mut BytesMut::from("-ERR\r\n-ERR\r\n")).is_err());
    }
}
