//! One connection of a client that speaks HTTP as the SDKs do: kept while the server keeps it.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is opened again when the server has closed it, as some do after each answer.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Connection> {
        let stream = Some(connect(address).await?);
        Ok(Connection { address, stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its answer, whose body it gives; anything but a 200 with a length
    /// ends the run.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address).await?,
        };
        stream.write_all(request).await?;
        let answer = read_answer(&mut stream, &mut self.buffer).await?;
        if answer.is_kept {
            self.stream = Some(stream);
        }
        self.buffer.get(answer.body..).context("an answer without a body")
    }
}

async fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// An answer that lies in the buffer.
struct Answer {
    /// Where its body begins.
    body: usize,
    is_kept: bool,
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<Answer> {
    buffer.clear();
    loop {
        ensure!(stream.read_buf(buffer).await? > 0, "the server hung up");
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = Head::of(buffer.get(..end).unwrap_or_default());
        while buffer.len() < end + 4 + head.length.unwrap_or(0) {
            ensure!(stream.read_buf(buffer).await? > 0, "the server hung up within an answer");
        }
        let body = buffer.get(end + 4..).unwrap_or_default();
        if !head.is_success {
            bail!("not a success: {}", String::from_utf8_lossy(body));
        }
        ensure!(head.length.is_some(), "an answer without a length");
        return Ok(Answer { body: end + 4, is_kept: head.is_kept });
    }
}

/// What matters of an answer's head.
struct Head {
    is_success: bool,
    is_kept: bool,
    length: Option<usize>,
}

impl Head {
    fn of(head: &[u8]) -> Head {
        let head = std::str::from_utf8(head).unwrap_or_default();
        let is_success = head.get(8..).is_some_and(|rest| rest.starts_with(" 200"));
        let mut is_kept = head.starts_with("HTTP/1.1");
        let mut length = None;
        for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("connection") {
                is_kept = !value.trim().eq_ignore_ascii_case("close");
            }
        }
        Head { is_success, is_kept, length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_counts() {
        let head = Head::of(b"HTTP/1.1 200 OK\r\nContent-Length: 12");
        assert!(head.is_success && head.is_kept && head.length == Some(12));
        assert!(!Head::of(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 1").is_success);
        assert!(!Head::of(b"").is_success);
    }

    #[test]
    fn a_connection_is_kept_as_the_server_says() {
        assert!(!Head::of(b"HTTP/1.1 200 OK\r\nConnection: close").is_kept);
        assert!(!Head::of(b"HTTP/1.0 200 OK").is_kept);
        assert!(Head::of(b"HTTP/1.0 200 OK\r\nConnection: keep-alive").is_kept);
    }
}
