//! Reading a partition's log, and folding its facts.

use futures::{FutureExt, StreamExt};
use lineside_core::fact::Batch;
use lineside_core::id::{PartitionId, Place, Position};
use lineside_core::partition::Partition;

use crate::log::{Log, LogFault};

/// How far a read came.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) partition: Partition,
    /// The position after the last batch that was folded.
    pub(crate) next: Position,
    /// The position before that is one of those that were lost, and nobody wants them any more.
    in_gap: bool,
    /// Why the batch that stands there cannot be folded, if it is damaged: nobody knows what comes
    /// after it either.
    pub(crate) damage: Option<LogFault>,
}

impl Replay {
    /// Folds the log from `begin` to its tail, or up to where it is damaged, onto `partition`.
    pub(crate) async fn of(
        log: &dyn Log,
        id: PartitionId,
        partition: Partition,
        begin: Position,
    ) -> Result<Replay, LogFault> {
        let tail = log.tail(id).await?;
        // A log that ends before the checkpoint begins: the caller finds that it is too short.
        let next = begin.min(tail);
        let mut replay = Replay { partition, next, in_gap: false, damage: None };
        if next < begin {
            return Ok(replay);
        }
        let mut batches = log.read(id, begin);
        loop {
            let read = match replay.next < tail {
                true => batches.next().await.ok_or(LogFault::Closed)?,
                // The batches that are lost may be those at the tail: then a log says so at once.
                false => match batches.next().now_or_never().flatten() {
                    Some(read) => read,
                    None => return Ok(replay),
                },
            };
            match read {
                Ok((position, batch)) => replay.fold(begin, position, &batch)?,
                Err(damage @ LogFault::Damaged { .. }) => {
                    replay.damage = Some(damage);
                    return Ok(replay);
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    fn fold(&mut self, begin: Position, position: Position, batch: &Batch) -> Result<(), LogFault> {
        let lost = batch.facts.is_empty();
        if position != self.next && !(lost && self.in_gap) {
            // Compaction took away facts that only a checkpoint still knew.
            return Err(LogFault::Reclaimed { from: begin, needed_by: "a start" });
        }
        self.in_gap = lost;
        for (here, fact) in batch.places(position) {
            self.partition.evolve(batch.at, here, fact);
        }
        drop(self.partition.take_garbage());
        self.next = position.next();
        Ok(())
    }

    /// The first place that was not read.
    pub(crate) fn next_place(&self) -> Place {
        Place { position: self.next, index: 0 }
    }
}
