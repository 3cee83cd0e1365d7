//! How long does a log with a million messages take to open, what does it cost in memory, and what
//! is left on the disk of ten million that were sent and deleted?
//!
//! `cargo run --release -p lineside-store --example large -- DIR`: DIR is on the disk in question.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement asks the clock, prints, and stops at the first trouble"
)]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;
use lineside_core::fact::{Batch, Fact, Facts};
use lineside_core::id::{BodyRef, PartitionId, Place, Position};
use lineside_core::stamp::Stamp;
use lineside_engine::living::LivingSet;
use lineside_engine::log::{Log, Room};
use lineside_store::{DiskLog, DiskOptions};

const P: PartitionId = PartitionId(0);
const IN_FLIGHT: usize = 512;
const BODY: usize = 1024;

fn main() {
    let directory = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(waiting(&directory.join("waiting")));
    runtime.block_on(deleted(&directory.join("deleted")));
    runtime.block_on(beside(&directory.join("beside")));
}

/// A million messages of 1 KiB that wait.
async fn waiting(path: &Path) {
    let log = open(path);
    append(&log, 0..1_000_000).await;
    log.close().await.unwrap();
    drop(log);
    for round in 0..3 {
        let begin = Instant::now();
        let log = open(path);
        let opened = begin.elapsed();
        println!("opened a million in {opened:?}; {} KiB resident", resident());
        if round == 2 {
            random_bodies(&log).await;
            all_facts(&log).await;
        }
    }
    std::fs::remove_dir_all(path).unwrap();
}

async fn random_bodies(log: &DiskLog) {
    let (mut times, mut seed) = (Vec::new(), 1_u64);
    for _ in 0..20_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = Place { position: Position((seed >> 33) % 1_000_000), index: 0 };
        let begin = Instant::now();
        log.body(P, BodyRef { place, len: u32::try_from(BODY).unwrap() }).await.unwrap();
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 1000).copied().unwrap();
    let (p50, p99, most) = (at(500), at(990), at(999));
    println!("20,000 bodies by chance: p50 {p50:?}, p99 {p99:?}, p99.9 {most:?}");
}

async fn all_facts(log: &DiskLog) {
    use futures::StreamExt;
    let begin = Instant::now();
    let count = log.read(P, Position(0)).take(1_000_000).count().await;
    println!("read {count} batches in {:?}; {} KiB resident", begin.elapsed(), resident());
}

/// Ten million messages of 1 KiB, each deleted soon after it was sent.
async fn deleted(path: &Path) {
    let log = open(path);
    let begin = Instant::now();
    for round in 1..=100_u64 {
        append(&log, (round - 1) * 100_000..round * 100_000).await;
        log.retain(P, Position(round * 100_000), LivingSet::default());
    }
    let sent = begin.elapsed();
    log.tidied().await;
    let report = log.housekeeping();
    println!("ten million in {sent:?}, tidied {:?} later: {report:?}", begin.elapsed() - sent);
    log.close().await.unwrap();
    drop(log);
    let sizes = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().metadata().unwrap());
    let (count, bytes) = sizes.fold((0, 0), |(n, all), file| (n + 1, all + file.len()));
    let begin = Instant::now();
    drop(open(path));
    println!("{count} files, {bytes} bytes are left; opened in {:?}", begin.elapsed());
    std::fs::remove_dir_all(path).unwrap();
}

/// How long an append takes, one at a time, with and without compaction beside it.
async fn beside(path: &Path) {
    let log = open(path);
    append(&log, 0..1_500_000).await;
    let mut next = 1_500_000;
    for round in 0..4_u64 {
        let compacts = round % 2 == 1;
        if compacts {
            // Of each quarter that is done with, three of ten live.
            let below = round * 375_000;
            let lives = |at: &u64| at % 10 < 3;
            let places = (0..below).filter(lives);
            let places = places.map(|at| Place { position: Position(at), index: 0 }).collect();
            log.retain(P, Position(below), LivingSet::of(places));
        }
        let (mut times, begin) = (Vec::new(), Instant::now());
        while begin.elapsed().as_secs() < 5 {
            let before = Instant::now();
            append(&log, next..next + 1).await;
            next += 1;
            times.push(before.elapsed());
        }
        let still = compacts && futures::FutureExt::now_or_never(log.tidied()).is_none();
        times.sort_unstable();
        let at = |part: usize| times.get(times.len() * part / 1000).copied().unwrap();
        let (p50, p99, most, count) = (at(500), at(990), at(999), times.len());
        println!(
            "compaction {compacts} (to the end: {still}): {count} appends, p50 {p50:?}, p99 {p99:?}, p99.9 {most:?}"
        );
        let begin = Instant::now();
        log.tidied().await;
        println!("tidied {:?} later; {:?}", begin.elapsed(), log.housekeeping());
    }
    drop(log);
    std::fs::remove_dir_all(path).unwrap();
}

fn open(path: &Path) -> DiskLog {
    DiskLog::open(path, DiskOptions::default()).unwrap()
}

async fn append(log: &DiskLog, positions: std::ops::Range<u64>) {
    let mut flying = VecDeque::new();
    for at in positions {
        let mut facts = Facts::none();
        facts.push_with_body(Fact::Canary, Bytes::from(at.to_le_bytes().repeat(BODY / 8)));
        let batch = Batch { at: Stamp(at), facts };
        flying.push_back(log.submit(P, Position(at), Room::default(), batch));
        if flying.len() >= IN_FLIGHT {
            flying.pop_front().unwrap().await.unwrap();
        }
    }
    for ticket in flying {
        ticket.await.unwrap();
    }
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
