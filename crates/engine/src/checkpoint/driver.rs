//! When a checkpoint is taken, and how the loop gives its slices.

use lineside_core::id::Position;
use tokio::sync::mpsc;

use super::Piece;
use super::task::{Outcome, SLICES_MAX};
use crate::owner::Owner;

/// A checkpoint is begun when the log has grown by so many bytes, or by half of what the last
/// checkpoint held, if that is more: what a start has to read stays in proportion to what it has to
/// load, and so does what is written twice.
pub const BYTES_BETWEEN: u64 = 32 << 20;
/// Pointers that a turn copies: well under a millisecond.
const SLICE_WEIGHT: usize = 512;

/// The loop's side of checkpoints.
pub(crate) struct Checkpoints {
    slices: mpsc::Sender<Vec<Piece>>,
    outcomes: mpsc::UnboundedReceiver<Outcome>,
    stage: Stage,
    /// [`Owner::logged`] when the last one was begun.
    begun_at: u64,
    last_bytes: u64,
    bytes_between: u64,
}

enum Stage {
    /// None is under way.
    Idle,
    /// The owner has more to give.
    Giving,
    /// The end waits until the log is durable up to there.
    Ending(Position, Vec<Piece>),
    /// Everything was given.
    Given,
}

impl Checkpoints {
    pub(crate) fn new(
        last_bytes: u64,
        bytes_between: u64,
    ) -> (Checkpoints, mpsc::Receiver<Vec<Piece>>, mpsc::UnboundedSender<Outcome>) {
        let (slices, given) = mpsc::channel(SLICES_MAX);
        let (told, outcomes) = mpsc::unbounded_channel();
        let stage = Stage::Idle;
        let begun_at = 0;
        let ours = Checkpoints { slices, outcomes, stage, begun_at, last_bytes, bytes_between };
        (ours, given, told)
    }

    /// Gives what there is to give now: at most one slice.
    pub(crate) fn step(&mut self, owner: &mut Owner) {
        if self.slices.capacity() == 0 {
            return;
        }
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Idle if self.is_due(owner) => {
                self.begun_at = owner.logged();
                self.give(vec![owner.begin_checkpoint()]);
                self.stage = Stage::Giving;
            }
            Stage::Idle => {}
            Stage::Giving => self.give_slice(owner),
            Stage::Ending(until, end) if owner.durable() >= until => {
                self.give(end);
                self.stage = Stage::Given;
            }
            waiting @ (Stage::Ending(..) | Stage::Given) => self.stage = waiting,
        }
    }

    fn is_due(&self, owner: &Owner) -> bool {
        let grown = owner.logged().saturating_sub(self.begun_at);
        grown >= self.bytes_between.max(self.last_bytes / 2)
    }

    fn give_slice(&mut self, owner: &mut Owner) {
        let (mut slice, end) = owner.checkpoint_slice(SLICE_WEIGHT);
        self.stage = match end {
            None => Stage::Giving,
            Some(until) => Stage::Ending(until, slice.split_off(slice.len().saturating_sub(1))),
        };
        self.give(slice);
    }

    fn give(&mut self, slice: Vec<Piece>) {
        // There was room, and nobody else gives. A task that has ended writes no checkpoints.
        drop(self.slices.try_send(slice));
    }

    /// Whether the next turn has a slice to give as soon as there is room for it.
    pub(crate) fn has_more(&self) -> bool {
        matches!(self.stage, Stage::Giving)
    }

    /// A way to wait for room.
    pub(crate) fn room(&self) -> mpsc::Sender<Vec<Piece>> {
        self.slices.clone()
    }

    /// What became of the checkpoint that was given last.
    pub(crate) async fn outcome(&mut self) -> Option<Outcome> {
        self.outcomes.recv().await
    }

    /// Takes notice of an outcome; what a person should hear of it.
    pub(crate) fn heard(&mut self, outcome: &Outcome) -> Option<String> {
        self.stage = Stage::Idle;
        match outcome {
            Outcome::Written(bytes) => {
                self.last_bytes = *bytes;
                None
            }
            Outcome::Failed(fault) => Some(format!(
                "a checkpoint could not be written, the next one will be tried later: {fault}"
            )),
        }
    }
}
