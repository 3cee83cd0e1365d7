//! How large a batch is, and what is too large.

use lineside_core::fact::Batch;

use crate::limits::{BATCH_BYTES_MAX, BLOB_BYTES_MAX, FACT_BYTES_ESTIMATE, INSIDE_BODY_BYTES_MAX};

/// What a batch is reckoned at before it is encoded, in bytes, with all its bodies.
pub(crate) fn size_estimate(batch: &Batch) -> u64 {
    estimate(batch, usize::MAX)
}

/// As [`size_estimate`], without the bodies that always lie outside the log.
fn size_inside(batch: &Batch) -> u64 {
    estimate(batch, INSIDE_BODY_BYTES_MAX)
}

fn estimate(batch: &Batch, longest: usize) -> u64 {
    let bodies = batch.facts.bodies.iter().map(|(_, body)| body.len());
    let bodies = bodies.filter(|len| *len <= longest).sum::<usize>();
    let bodies = u64::try_from(bodies).unwrap_or(u64::MAX);
    let facts = u64::try_from(batch.facts.len()).unwrap_or(u64::MAX);
    bodies.saturating_add(facts.saturating_mul(FACT_BYTES_ESTIMATE))
}

/// Why a batch is not taken, if it is too large.
pub(crate) fn too_large(batch: &Batch) -> Option<String> {
    let lens = batch.facts.bodies.iter().map(|(_, body)| body.len());
    let longest = lens.max().unwrap_or(0);
    if longest > BLOB_BYTES_MAX {
        return Some(format!("a body of {longest} bytes; the largest has {BLOB_BYTES_MAX}"));
    }
    let size = size_inside(batch);
    let large = || format!("a batch of {size} bytes; the largest has {BATCH_BYTES_MAX}");
    (size > BATCH_BYTES_MAX).then(large)
}
