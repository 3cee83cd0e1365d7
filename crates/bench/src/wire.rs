//! One connection of a client that speaks HTTP as the SDKs do: kept while the server keeps it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
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
        let answer = self.exchange(request).await?;
        let body = self.buffer.get(answer.body..).context("an answer without a body")?;
        ensure!(answer.is_success, "not a success: {}", String::from_utf8_lossy(body));
        Ok(body)
    }

    /// The same, but a server that has too much to do (503) is asked again. It says to wait for longer,
    /// and here it is of interest how soon it goes on. `busy` counts how often it was so.
    pub(crate) async fn ask_until_free(
        &mut self,
        request: &[u8],
        busy: &mut u64,
    ) -> anyhow::Result<&[u8]> {
        let mut answer = self.exchange(request).await?;
        while answer.is_busy {
            *busy += 1;
            tokio::time::sleep(WHILE_BUSY).await;
            answer = self.exchange(request).await?;
        }
        let body = self.buffer.get(answer.body..).context("an answer without a body")?;
        ensure!(answer.is_success, "not a success: {}", String::from_utf8_lossy(body));
        Ok(body)
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address).await?,
        };
        stream.write_all(request).await?;
        let answer = read_answer(&mut stream, &mut self.buffer).await?;
        if answer.is_kept {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

/// How long a server is left alone that has too much to do.
const WHILE_BUSY: Duration = Duration::from_millis(5);

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
    is_success: bool,
    is_busy: bool,
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
        ensure!(head.length.is_some() || !head.is_success, "an answer without a length");
        let Head { is_kept, is_success, is_busy, .. } = head;
        return Ok(Answer { body: end + 4, is_kept, is_success, is_busy });
    }
}

/// What matters of an answer's head.
struct Head {
    is_success: bool,
    is_busy: bool,
    is_kept: bool,
    length: Option<usize>,
}

impl Head {
    fn of(head: &[u8]) -> Head {
        let head = std::str::from_utf8(head).unwrap_or_default();
        let is = |status| head.get(8..).is_some_and(|rest| rest.starts_with(status));
        let (is_success, is_busy) = (is(" 200"), is(" 503"));
        let mut is_kept = head.starts_with("HTTP/1.1");
        let mut length = None;
        for (name, value) in head.lines().filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            } else if name.eq_ignore_ascii_case("connection") {
                is_kept = !value.trim().eq_ignore_ascii_case("close");
            }
        }
        Head { is_success, is_busy, is_kept, length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_counts() {
        let head = Head::of(b"HTTP/1.1 200 OK\r\nContent-Length: 12");
        assert!(head.is_success && head.is_kept && head.length == Some(12));
        assert!(!head.is_busy && Head::of(b"HTTP/1.1 503 Service Unavailable").is_busy);
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
