//! Power cuts, kills and garbage by chance: nothing acknowledged is lost, nothing else appears.

use std::collections::BTreeMap;

use futures::FutureExt;
use lineside_core::id::{PartitionId, Position};
use lineside_engine::log::{Log, LogFault, Room, Ticket};
use lineside_store::conformance::{batch, body, body_ref};
use lineside_store::testing::{Damage, TestDisk};
use lineside_store::{DiskLog, DiskOptions, OpenError, Sync};
use proptest::prelude::*;

use crate::support::{Dice, open_with, options, read_all, try_open};

const PARTITIONS: u64 = 3;

/// What a client knows: the tags of what was submitted to each partition, by position, and how many
/// of them were acknowledged.
#[derive(Clone, Debug, Default)]
struct Known {
    tags: BTreeMap<PartitionId, Vec<(u64, Vec<usize>)>>,
    acknowledged: BTreeMap<PartitionId, usize>,
    next_tag: u64,
}

impl Known {
    fn submit(&mut self, log: &DiskLog, dice: &mut Dice) -> (PartitionId, Ticket) {
        let p = PartitionId(u16::try_from(dice.below(PARTITIONS)).unwrap());
        let lens: Vec<_> = (0..dice.below(4)).map(|_| body_len(dice)).collect();
        let (tag, tags) = (self.next_tag, self.tags.entry(p).or_default());
        self.next_tag += 1;
        let at = Position(tags.len() as u64);
        tags.push((tag, lens.clone()));
        (p, log.submit(p, at, Room::default(), batch(tag, &lens)))
    }

    /// What is in the log is a beginning of what was submitted, with all that was acknowledged.
    /// `rot` says whether facts and bodies may be damaged. From here on, what is there is what there is.
    async fn compare(&mut self, log: &DiskLog, rot: bool) {
        for (p, tags) in &mut self.tags {
            let (found, fault) = read_all(log, *p).await;
            let damaged = rot && matches!(fault, Some(LogFault::Damaged { .. }));
            assert!(damaged || fault.is_none(), "{fault:?}");
            let acknowledged = self.acknowledged.entry(*p).or_default();
            assert!(damaged || found.len() >= *acknowledged, "{} of {acknowledged}", found.len());
            assert!(found.len() <= tags.len());
            tags.truncate(found.len());
            *acknowledged = found.len();
            for (at, (found, (tag, lens))) in found.iter().zip(tags.iter()).enumerate() {
                assert_eq!(found.facts.facts, batch(*tag, lens).facts.facts);
                compare_bodies(log, (*p, at as u64), *tag, lens, rot).await;
            }
        }
    }
}

async fn compare_bodies(
    log: &DiskLog,
    (p, at): (PartitionId, u64),
    tag: u64,
    lens: &[usize],
    rot: bool,
) {
    for (n, len) in lens.iter().enumerate() {
        match log.body(p, body_ref(at, n, *len)).await {
            Err(LogFault::Damaged { .. }) if rot => {}
            found => assert_eq!(found, Ok(body(tag, n, *len))),
        }
    }
}

fn body_len(dice: &mut Dice) -> usize {
    let bound = [1, 100, 3000][usize::try_from(dice.below(3)).unwrap()];
    usize::try_from(dice.below(bound)).unwrap()
}

fn options_by_chance(dice: &mut Dice, commit: bool) -> DiskOptions {
    let interval = Sync::Interval(std::time::Duration::from_micros(dice.below(2000)));
    let sync = if commit || dice.below(2) == 0 { Sync::Commit } else { interval };
    let segment_bytes = [1024, 5000, 1 << 20][usize::try_from(dice.below(3)).unwrap()];
    let inside_body_bytes = [50, 1 << 20][usize::try_from(dice.below(2)).unwrap()];
    DiskOptions { sync, segment_bytes, inside_body_bytes, ..options() }
}

/// One life of a log: batches in bursts, some under way when it ends.
async fn live(
    disk: &TestDisk,
    log: DiskLog,
    known: &mut Known,
    dice: &mut Dice,
) -> Vec<PartitionId> {
    let mut tickets: Vec<(PartitionId, Ticket)> = Vec::new();
    let mut told = Vec::new();
    for _ in 0..dice.below(6) {
        tickets.extend((0..dice.below(8)).map(|_| known.submit(&log, dice)));
        if dice.below(2) == 0 {
            for (p, ticket) in tickets.drain(..) {
                ticket.await.unwrap();
                told.push(p);
            }
        }
    }
    if dice.below(2) == 0 {
        disk.hold_syncs();
        tickets.extend((0..dice.below(8)).map(|_| known.submit(&log, dice)));
    }
    // Whatever was told before the end counts.
    for (p, ticket) in tickets {
        if ticket.now_or_never() == Some(Ok(())) {
            told.push(p);
        }
    }
    told
}

/// How lives end, and at which durability.
#[derive(Clone, Copy, PartialEq)]
enum Ends {
    /// Syncs with each write; the power goes, or the process is killed.
    CommitAndCut,
    /// Any durability; the process is killed.
    AnyAndKill,
    /// Syncs at intervals; the power goes, and with it what was acknowledged lately.
    IntervalAndCut,
}

/// Sometimes a start fails half-way, and the power goes then, or the process.
fn stumble(disk: TestDisk, dice: &mut Dice, ends: Ends) -> TestDisk {
    disk.fail_sync(dice.below(3));
    let opened = try_open(&disk);
    disk.heal();
    match opened {
        Ok(_) => disk,
        Err(OpenError::Io { .. } | OpenError::Fault(LogFault::Io(_)))
            if ends == Ends::AnyAndKill =>
        {
            disk.kill()
        }
        Err(OpenError::Io { .. } | OpenError::Fault(LogFault::Io(_))) => {
            disk.power_cut(&mut || dice.roll())
        }
        Err(other) => panic!("{other}"),
    }
}

async fn lives(seed: u64, ends: Ends) {
    let mut dice = Dice(seed);
    let (mut disk, mut known) = (TestDisk::new(), Known::default());
    for _ in 0..6 {
        disk = stumble(disk, &mut dice, ends);
        let log = open_with(&disk, options_by_chance(&mut dice, ends == Ends::CommitAndCut));
        known.compare(&log, false).await;
        let told = live(&disk, log.clone(), &mut known, &mut dice).await;
        let cut = ends != Ends::AnyAndKill && dice.below(3) > 0;
        let next = if cut { disk.power_cut(&mut || dice.roll()) } else { disk.kill() };
        for p in told.into_iter().filter(|_| ends != Ends::IntervalAndCut) {
            *known.acknowledged.entry(p).or_default() += 1;
        }
        drop(log);
        disk = next;
    }
    known.compare(&open_with(&disk, options()), false).await;
}

/// Batches, a close (so that a mark vouches for all of them), and then garbage.
async fn rots(seed: u64) {
    let mut dice = Dice(seed);
    let (disk, mut known) = (TestDisk::new(), Known::default());
    let log = open_with(&disk, options_by_chance(&mut dice, true));
    for _ in 0..dice.below(20) + 1 {
        let (p, ticket) = known.submit(&log, &mut dice);
        ticket.await.unwrap();
        *known.acknowledged.entry(p).or_default() += 1;
    }
    log.close().await.unwrap();
    drop(log);
    let names: Vec<_> = disk.file_names();
    let name = &names[usize::try_from(dice.below(names.len() as u64)).unwrap()];
    let end = crate::support::writes(&disk.bytes(name)).last().map_or(64, |w| w.offset as u64);
    let cuts = dice.below(4) == 0;
    let at = dice.below(end);
    let garbage: Vec<u8> = (0..dice.below(end - at) + 1).map(|_| dice.roll() as u8).collect();
    let damage = if cuts { Damage::SetLen(at) } else { Damage::Put(at, garbage) };
    disk.damage(name, &damage);
    match try_open(&disk) {
        Err(OpenError::Fault(LogFault::Damaged { place, .. })) => assert!(place.contains(name)),
        Err(other) => panic!("{other}"),
        Ok(log) => {
            // A file that was cut inside its last segment looks like one that never was longer.
            if cuts {
                known.acknowledged.clear();
            }
            known.compare(&log, true).await;
        }
    }
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn acknowledged_batches_outlive_power_cuts(seed: u64) {
        block_on(lives(seed, Ends::CommitAndCut));
    }

    #[test]
    fn acknowledged_batches_outlive_kills_at_any_durability(seed: u64) {
        block_on(lives(seed, Ends::AnyAndKill));
    }

    #[test]
    fn whatever_a_power_cut_leaves_between_syncs_is_a_beginning(seed: u64) {
        block_on(lives(seed, Ends::IntervalAndCut));
    }

    #[test]
    fn garbage_is_named_and_never_shown(seed: u64) {
        block_on(rots(seed));
    }
}
