//! How fast is the log? Batches of one fact and a body of 1 KiB, so many in flight, durability as
//! named, through the port.
//!
//! `cargo run --release -p lineside-store --example append -- DIR [ROUNDS]`: DIR is on the disk in
//! question. Closed loop: when the oldest batch is answered, the next is submitted. Afterwards each
//! log is opened again and the batches are counted.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement asks the clock, prints, and stops at the first trouble"
)]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lineside_core::fact::{Batch, Fact, Facts};
use lineside_core::id::{PartitionId, Position};
use lineside_core::stamp::Stamp;
use lineside_engine::log::{Log, Room, Ticket};
use lineside_store::{DiskLog, DiskOptions, Durability};

const CELL: Duration = Duration::from_secs(2);
const P: PartitionId = PartitionId(0);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let rounds: usize = arguments.next().map_or(3, |rounds| rounds.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    println!("| durability | in flight | round | batches/s | p50 µs | p99 µs | reopened in ms |");
    println!("|---|---|---|---|---|---|---|");
    for round in 0..rounds {
        for depth in [1, 64, 512] {
            for durability in ["commit", "interval=100"] {
                let durability: Durability = durability.parse().unwrap();
                runtime.block_on(cell(&directory.join("append"), durability, depth, round));
            }
        }
    }
}

async fn cell(path: &Path, durability: Durability, depth: usize, round: usize) {
    let options = DiskOptions { sync: durability.sync().unwrap(), ..DiskOptions::default() };
    let log = DiskLog::open(path, options.clone()).unwrap();
    let (start, mut times) = (Instant::now(), Vec::new());
    let mut flying: VecDeque<(Instant, Ticket)> = VecDeque::new();
    let mut next = 0;
    while start.elapsed() < CELL {
        while flying.len() < depth {
            let room = log.reserve(1100).unwrap_or_else(|_| Room::default());
            flying.push_back((Instant::now(), log.submit(P, Position(next), room, batch(next))));
            next += 1;
        }
        let (begin, ticket) = flying.pop_front().unwrap();
        ticket.await.unwrap();
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    let rate = f64::from(u32::try_from(times.len()).unwrap()) / start.elapsed().as_secs_f64();
    for (_, ticket) in flying {
        ticket.await.unwrap();
    }
    log.close().await.unwrap();
    drop(log);
    let again = Instant::now();
    let log = DiskLog::open(path, options).unwrap();
    let reopened = again.elapsed().as_secs_f64() * 1e3;
    assert_eq!(log.tail(P).await.unwrap(), Position(next), "every batch is there");
    drop(log);
    std::fs::remove_dir_all(path).unwrap();
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or(f64::NAN);
    let (p50, p99) = (at(50), at(99));
    println!(
        "| {durability} | {depth} | {round} | {rate:.0} | {p50:.0} | {p99:.0} | {reopened:.0} |"
    );
}

fn batch(tag: u64) -> Batch {
    let mut facts = Facts::none();
    let body = Bytes::from(tag.to_le_bytes().repeat(128));
    facts.push_with_body(Fact::Canary, body);
    Batch { at: Stamp(tag), facts }
}
