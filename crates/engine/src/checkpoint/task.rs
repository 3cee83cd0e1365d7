//! The task that writes checkpoints beside the engine.

use std::sync::Arc;

use bytes::Bytes;
use lineside_core::id::PartitionId;
use tokio::sync::mpsc;

use super::Piece;
use super::writer::{Complete, Writer};
use crate::blobs::{BlobFault, Blobs};
use crate::log::Log;
use crate::off_loop::off_loop;

/// Slices that wait to be encoded; the owner gives no more meanwhile.
pub(crate) const SLICES_MAX: usize = 4;

/// What became of a checkpoint.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is durable; so many bytes of blocks are in it.
    Written(u64),
    /// It is not, and the next one will be tried in its time.
    Failed(BlobFault),
}

/// Writes checkpoints until nobody gives pieces any more. Without a blob store only the living
/// bodies are gathered, so that a log in memory can forget the others.
pub(crate) async fn run(
    partition: PartitionId,
    log: Arc<dyn Log>,
    blobs: Option<Arc<dyn Blobs>>,
    mut writer: Writer,
    mut slices: mpsc::Receiver<Vec<Piece>>,
    outcomes: mpsc::UnboundedSender<Outcome>,
) {
    let mut failed = None;
    while let Some(slice) = slices.recv().await {
        // Encoding may take long, and the loop's thread must not.
        let encoded = off_loop(move || {
            let taken: Vec<_> = slice.into_iter().map(|piece| writer.take(piece)).collect();
            (writer, taken)
        });
        let Ok((back, taken)) = encoded.await else { return };
        writer = back;
        for (full, complete) in taken {
            if failed.is_none() {
                failed = put_all(blobs.as_deref(), full).await.err();
            }
            let Some(complete) = complete else { continue };
            let outcome = match failed.take() {
                None => finish(partition, &*log, blobs.as_deref(), &mut writer, complete).await,
                Some(fault) => Outcome::Failed(fault),
            };
            drop(outcomes.send(outcome));
        }
    }
}

async fn put_all(blobs: Option<&dyn Blobs>, full: Vec<(String, Bytes)>) -> Result<(), BlobFault> {
    let Some(blobs) = blobs else { return Ok(()) };
    for (name, content) in full {
        blobs.put(&name, content).await?;
    }
    Ok(())
}

async fn finish(
    partition: PartitionId,
    log: &dyn Log,
    blobs: Option<&dyn Blobs>,
    writer: &mut Writer,
    complete: Complete,
) -> Outcome {
    if let Some(blobs) = blobs
        && let Err(fault) = blobs.put(&complete.name, complete.content.clone()).await
    {
        return Outcome::Failed(fault);
    }
    let reclaim = writer.completed(complete);
    if let Some((below, living)) = reclaim.retain {
        log.retain(partition, below, living);
    }
    for name in reclaim.stale {
        if let Some(blobs) = blobs {
            // What cannot be deleted takes space and does no harm.
            drop(blobs.delete(&name).await);
        }
    }
    Outcome::Written(writer.last_bytes())
}
