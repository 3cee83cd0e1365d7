//! How should a segment's file grow? Measures the ways against each other (`docs/adr/0001-segments.md`).
//!
//! `cargo run --release -p lineside-store --example growth -- DIR [ROUNDS]`: DIR is on the disk in
//! question. Each cell writes as the log's writer does, one `pwrite` and one `fdatasync` at a time,
//! for a second and a half; the ways alternate inside a round, in another order each round.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement asks the clock, prints, and stops at the first trouble"
)]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, fallocate};

const SEGMENT_BYTES: u64 = 64 << 20;
const CELL: Duration = Duration::from_millis(1500);
const DEPTHS: [u64; 3] = [1, 64, 512];
/// A body of 1 KiB, its fact, its batch's head and directory.
const EVENT_BYTES: u64 = 1024 + 64 + 64 + 12;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Each write makes the file longer.
    Extend,
    /// The blocks are reserved when the segment is made; the first write to each still changes the
    /// file's map of blocks.
    Allocate,
    /// The whole segment is written with zeros when it is made.
    Zero,
    /// Zeros are written behind a small write, up to the next 256 KiB.
    ZerosAhead,
}

const WAYS: [Way; 4] = [Way::Extend, Way::Allocate, Way::Zero, Way::ZerosAhead];
const AHEAD_BYTES: u64 = 256 << 10;

/// One cell: writes a second, and microseconds of a write and its sync.
#[derive(Clone, Copy, Debug)]
struct Cell {
    rate: f64,
    p50: f64,
    p99: f64,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let rounds: usize = arguments.next().map_or(7, |rounds| rounds.parse().unwrap());
    println!(
        "| in flight | way | writes/s (median) | events/s | p50 µs | p99 µs | ratio to extend, median (min to max) |"
    );
    println!("|---|---|---|---|---|---|---|");
    for depth in DEPTHS {
        let cells = measure(&directory, depth, rounds);
        for (way, cells_of_way) in WAYS.iter().zip(&cells) {
            print_row(depth, *way, cells_of_way, cells.first().unwrap());
        }
    }
}

fn measure(directory: &Path, depth: u64, rounds: usize) -> Vec<Vec<Cell>> {
    let mut cells = vec![Vec::new(); WAYS.len()];
    for round in 0..rounds {
        for turn in 0..WAYS.len() {
            let way = (turn + round) % WAYS.len();
            let cell = run(directory, *WAYS.get(way).unwrap(), depth * EVENT_BYTES + 64);
            cells.get_mut(way).unwrap().push(cell);
        }
    }
    cells
}

fn print_row(depth: u64, way: Way, cells: &[Cell], extend: &[Cell]) {
    let rate = median(cells.iter().map(|cell| cell.rate));
    let ratios: Vec<f64> = cells.iter().zip(extend).map(|(a, b)| a.rate / b.rate).collect();
    let lowest = ratios.iter().copied().fold(f64::MAX, f64::min);
    let highest = ratios.iter().copied().fold(0.0, f64::max);
    let p50 = median(cells.iter().map(|cell| cell.p50));
    let p99 = median(cells.iter().map(|cell| cell.p99));
    let events = rate * f64::from(u32::try_from(depth).unwrap());
    let ratio = median(ratios.iter().copied());
    println!(
        "| {depth} | {way:?} | {rate:.0} | {events:.0} | {p50:.0} | {p99:.0} | {ratio:.2} ({lowest:.2} to {highest:.2}) |"
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Writes of `len` bytes, segment after segment, until the time is up; making segments counts.
fn run(directory: &Path, way: Way, len: u64) -> Cell {
    let bytes = vec![0x5a; usize::try_from(len).unwrap()];
    let (start, mut times, mut paths) = (Instant::now(), Vec::new(), Vec::new());
    while start.elapsed() < CELL {
        let path = directory.join(format!("growth-{}", paths.len()));
        let file = segment(&path, way);
        paths.push(path);
        fill(&file, way, &bytes, start, &mut times);
    }
    let rate = f64::from(u32::try_from(times.len()).unwrap()) / start.elapsed().as_secs_f64();
    paths.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or(f64::NAN);
    Cell { rate, p50: at(50), p99: at(99) }
}

fn segment(path: &Path, way: Way) -> File {
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(true).read(true).write(true).open(path).unwrap();
    if way == Way::Allocate || way == Way::Zero {
        fallocate(&file, FallocateFlags::empty(), 0, SEGMENT_BYTES).unwrap();
    }
    if way == Way::Zero {
        let zeros = vec![0; 1 << 20];
        (0..SEGMENT_BYTES >> 20).for_each(|n| file.write_all_at(&zeros, n << 20).unwrap());
    }
    file.sync_all().unwrap();
    file
}

fn fill(file: &File, way: Way, bytes: &[u8], start: Instant, times: &mut Vec<f64>) {
    let (len, mut at, mut zeroed) = (bytes.len() as u64, 0, 0);
    let mut buffer = bytes.to_vec();
    while at + len <= SEGMENT_BYTES && start.elapsed() < CELL {
        let begin = Instant::now();
        buffer.truncate(bytes.len());
        if way == Way::ZerosAhead && at + len > zeroed && len < AHEAD_BYTES {
            zeroed = (at + len).next_multiple_of(AHEAD_BYTES);
            buffer.resize(usize::try_from(zeroed - at).unwrap(), 0);
        }
        file.write_all_at(&buffer, at).unwrap();
        file.sync_data().unwrap();
        at += len;
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
}
