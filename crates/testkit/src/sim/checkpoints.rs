//! Checkpoints in a world: taken step by step beside everything else, and what a start makes of
//! them compared with the fold of all facts.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use lineside_core::id::{Position, QueueId};
use lineside_core::limits::Limits;
use lineside_core::partition::Partition;
use lineside_core::snapshot::Block;
use lineside_engine::checkpoint::Piece;
use lineside_engine::checkpoint::load::load;
use lineside_engine::checkpoint::writer::{Complete, Writer};
use lineside_engine::owner::Owner;
use lineside_store::memory::MemoryLog;
use lineside_store::memory::fault::PutFault;

use super::{PARTITION, World};
use crate::model::{Check, Violation, ensure};

/// Resources of one slice: few, so that much happens between slices.
const SLICE_WEIGHT: usize = 1;

/// An owner's checkpoints.
pub(crate) struct Checkpointing {
    writer: Writer,
    stage: Stage,
    /// Blobs that are to be put before anything else goes on.
    blobs: VecDeque<(String, Bytes)>,
}

enum Stage {
    Idle,
    Giving,
    Ending(Position, Vec<Piece>),
    Putting(Box<Complete>),
}

/// The owner that a start makes, with its checkpoints; whether it began from one. `compared`: it is
/// held against the fold of the whole log, which costs most of a world's time.
pub(crate) fn start(
    log: &MemoryLog,
    limits: &Limits,
    compared: bool,
) -> Check<(Owner, Checkpointing, bool)> {
    let unread = || Violation("what is durable cannot be read at once".to_owned());
    let loaded = load(&*log.blobs(), PARTITION, limits.clone()).now_or_never();
    let loaded = loaded.and_then(Result::ok).ok_or_else(unread)?;
    let begin = loaded.begin.position;
    let resumed = Owner::resume(Arc::new(log.clone()), PARTITION, loaded.partition, begin);
    let owner = resumed.now_or_never().and_then(Result::ok).ok_or_else(unread)?;
    ensure!(owner.next_place() >= loaded.end, "the log ends before {:?}", loaded.end);
    if compared && begin > Position::default() {
        let whole = Owner::replay(Arc::new(log.clone()), PARTITION, limits.clone());
        let whole = whole.now_or_never().and_then(Result::ok).ok_or_else(unread)?;
        same(owner.partition(), whole.partition(), "a checkpoint and the tail", "the whole log")?;
    }
    let epoch = owner.partition().header().epoch.next();
    let writer = Writer::new(PARTITION, epoch, loaded.names, loaded.bytes);
    let checkpointing = Checkpointing { writer, stage: Stage::Idle, blobs: VecDeque::new() };
    Ok((owner, checkpointing, begin > Position::default()))
}

/// Two states are the same if their checkpoints are: indexes may differ in what has lapsed.
pub(super) fn same(one: &Partition, two: &Partition, a: &str, b: &str) -> Check {
    let (mut ours, mut theirs) = (blocks(one), blocks(two));
    let differs = |(left, right): &(Block, Block)| left != right;
    let lengths = (ours.len(), theirs.len());
    let found = ours.drain(..).zip(theirs.drain(..)).find(differs);
    let key = found.map(|(left, right)| (left.key, right.key));
    ensure!(
        key.is_none() && lengths.0 == lengths.1,
        "{a} gives another state than {b}, first at {key:?}, blocks {lengths:?}"
    );
    let (ours, theirs) = (one.state_bytes(), two.state_bytes());
    ensure!(ours == theirs, "{a} weighs {ours} bytes, {b} {theirs}");
    Ok(())
}

fn blocks(partition: &Partition) -> Vec<Block> {
    let mut blocks: Vec<Block> = partition.snapshot_header().blocks().collect();
    let mut after: Option<QueueId> = None;
    while let Some(resource) = partition.snapshot_after(after) {
        blocks.extend(resource.blocks());
        after = Some(resource.id());
    }
    blocks
}

impl World {
    /// One step of a host's checkpoint: its begin, a slice, a blob, its end.
    pub(super) fn checkpoint(&mut self) {
        let index = self.any_host();
        let fault = match self.rng.below(40) {
            0 => Some(PutFault::Refused),
            1 => Some(PutFault::StoredUnsaid),
            2 => Some(PutFault::Damaged),
            _ => None,
        };
        let Some(host) = self.hosts.get_mut(index).filter(|host| host.owner.is_ready()) else {
            return;
        };
        let (number, blobs) = (host.number, host.log.blobs());
        let Checkpointing { writer, stage, blobs: waiting } = &mut host.checkpointing;
        let mut happened = None;
        if let Some((name, content)) = waiting.pop_front() {
            fault.into_iter().for_each(|fault| self.steering.fail_put(fault));
            if blobs.put(&name, content).now_or_never().is_none_or(|put| put.is_err()) {
                waiting.clear();
                *stage = Stage::Idle;
                happened = Some("checkpoint given up");
            }
        } else {
            match std::mem::replace(stage, Stage::Idle) {
                Stage::Idle => {
                    drop(writer.take(host.owner.begin_checkpoint()));
                    *stage = Stage::Giving;
                }
                Stage::Giving => {
                    let (mut slice, end) = host.owner.checkpoint_slice(SLICE_WEIGHT);
                    let last = end.and_then(|until| Some((until, slice.pop()?)));
                    for piece in slice {
                        waiting.extend(writer.take(piece).0);
                    }
                    *stage = match last {
                        Some((until, end)) => Stage::Ending(until, vec![end]),
                        None => Stage::Giving,
                    };
                }
                Stage::Ending(until, mut end) if host.owner.durable() >= until => {
                    if let Some(end) = end.pop() {
                        let (full, complete) = writer.take(end);
                        waiting.extend(full);
                        *stage = complete.map_or(Stage::Idle, |c| Stage::Putting(Box::new(c)));
                    }
                }
                ending @ Stage::Ending(..) => *stage = ending,
                Stage::Putting(complete) => {
                    fault.into_iter().for_each(|fault| self.steering.fail_put(fault));
                    let put = blobs.put(&complete.name, complete.content.clone()).now_or_never();
                    if put.is_some_and(|put| put.is_ok()) {
                        for stale in writer.completed(*complete).stale {
                            drop(blobs.delete(&stale).now_or_never());
                        }
                        happened = Some("checkpoint completed");
                    } else {
                        happened = Some("checkpoint given up");
                    }
                }
            }
        }
        if let Some(what) = happened {
            self.journal.count(what);
            self.journal.line(format_args!("{:>9} owner {number}: {what}", self.time));
        }
    }
}
