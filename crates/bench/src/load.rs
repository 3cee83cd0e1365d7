//! A closed loop: each connection asks, reads the answer whole, and asks again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What to ask, and how.
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    /// One request, head and body.
    pub(crate) request: Arc<[u8]>,
    pub(crate) connections: usize,
    pub(crate) lasts: Duration,
    /// It ends earlier after about so many requests.
    pub(crate) requests_max: u64,
    /// A connection asks so long after it last asked, or at once if the answer took longer.
    pub(crate) pace: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Requests answered with 200.
    pub(crate) answered: u64,
    pub(crate) seconds: f64,
    /// Microseconds from ask to answer, in order of size.
    pub(crate) latencies: Vec<u32>,
}

impl Outcome {
    pub(crate) fn per_second(&self) -> f64 {
        self.answered as f64 / self.seconds
    }

    /// Milliseconds within which so many of a thousand requests were answered; 500 is the median.
    pub(crate) fn quantile_ms(&self, of_thousand: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let index = last * of_thousand / 1000;
        self.latencies.get(index).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }
}

/// Runs a load to its end.
pub(crate) async fn run(load: &Load) -> anyhow::Result<Outcome> {
    let mut streams = Vec::new();
    for _ in 0..load.connections {
        let stream = TcpStream::connect(load.address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let start = Instant::now();
    let mut clients = JoinSet::new();
    let asked = Arc::new(AtomicU64::new(0));
    for stream in streams {
        let share = Share { asked: asked.clone(), max: load.requests_max };
        let (until, pace) = (start + load.lasts, load.pace);
        clients.spawn(ask_again_and_again(stream, load.request.clone(), until, share, pace));
    }
    let mut outcome = Outcome::default();
    while let Some(client) = clients.join_next().await {
        let latencies = client??;
        outcome.answered += latencies.len() as u64;
        outcome.latencies.extend(latencies);
    }
    outcome.seconds = start.elapsed().as_secs_f64();
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

/// How many requests all connections may ask together.
struct Share {
    asked: Arc<AtomicU64>,
    max: u64,
}

async fn ask_again_and_again(
    mut stream: TcpStream,
    request: Arc<[u8]>,
    until: Instant,
    share: Share,
    pace: Duration,
) -> anyhow::Result<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let asked = Instant::now();
        if asked >= until || share.asked.fetch_add(1, Ordering::Relaxed) >= share.max {
            return Ok(latencies);
        }
        stream.write_all(&request).await?;
        read_answer(&mut stream, &mut buffer).await?;
        latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        if !pace.is_zero() {
            tokio::time::sleep_until((asked + pace).into()).await;
        }
    }
}

/// One request and the body of its answer, over a kept connection.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut buffer = Vec::with_capacity(16 * 1024);
    stream.write_all(request).await?;
    let head = read_answer(stream, &mut buffer).await?;
    Ok(buffer.split_off(head))
}

/// Reads one answer, and gives where its body begins; anything but a 200 with a length ends the
/// run.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<usize> {
    buffer.clear();
    loop {
        ensure!(stream.read_buf(buffer).await? > 0, "the server hung up");
        let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let length = content_length(buffer.get(..head).unwrap_or_default())?;
        while buffer.len() < head + 4 + length {
            ensure!(stream.read_buf(buffer).await? > 0, "the server hung up within an answer");
        }
        return Ok(head + 4);
    }
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let head = std::str::from_utf8(head)?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("not a success: {}", head.lines().next().unwrap_or_default());
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    length.context("an answer without a length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_success_with_a_length_counts() {
        assert_eq!(content_length(b"HTTP/1.1 200 OK\r\nContent-Length: 12").unwrap(), 12);
        assert!(content_length(b"HTTP/1.1 200 OK\r\ndate: x").is_err());
        assert!(content_length(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 1").is_err());
    }

    #[test]
    fn quantiles_are_of_the_sorted_latencies() {
        let outcome =
            Outcome { latencies: (0..=1000).map(|n| n * 1000).collect(), ..Outcome::default() };
        assert_eq!(outcome.quantile_ms(500), 500.0);
        assert_eq!(outcome.quantile_ms(990), 990.0);
        assert!(Outcome::default().quantile_ms(500).is_nan());
    }
}
