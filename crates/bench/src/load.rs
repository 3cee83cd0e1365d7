//! A closed loop: each connection asks, reads the answer whole, and asks again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::wire::Connection;

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
    /// Milliseconds within which so many of a thousand requests were answered; 500 is the median.
    pub(crate) fn quantile_ms(&self, of_thousand: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let index = last * of_thousand / 1000;
        self.latencies.get(index).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }
}

/// Runs a load to its end.
pub(crate) async fn run(load: &Load) -> anyhow::Result<Outcome> {
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        connections.push(Connection::open(load.address).await?);
    }
    let start = Instant::now();
    let mut clients = JoinSet::new();
    let asked = Arc::new(AtomicU64::new(0));
    for connection in connections {
        let share = Share { asked: asked.clone(), max: load.requests_max };
        let (until, pace) = (start + load.lasts, load.pace);
        clients.spawn(ask_again_and_again(connection, load.request.clone(), until, share, pace));
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
    mut connection: Connection,
    request: Arc<[u8]>,
    until: Instant,
    share: Share,
    pace: Duration,
) -> anyhow::Result<Vec<u32>> {
    let mut latencies = Vec::new();
    loop {
        let asked = Instant::now();
        if asked >= until || share.asked.fetch_add(1, Ordering::Relaxed) >= share.max {
            return Ok(latencies);
        }
        connection.ask(&request).await?;
        latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        if !pace.is_zero() {
            tokio::time::sleep_until((asked + pace).into()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_latencies() {
        let outcome =
            Outcome { latencies: (0..=1000).map(|n| n * 1000).collect(), ..Outcome::default() };
        assert_eq!(outcome.quantile_ms(500), 500.0);
        assert_eq!(outcome.quantile_ms(990), 990.0);
        assert!(Outcome::default().quantile_ms(500).is_nan());
    }
}
