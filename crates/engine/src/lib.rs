//! Floor 1: the loop that owns a partition, the clock, and the port to the log.
//!
//! Owns batching, durability of answers, waiting, timers and back-pressure. Must never know a wire
//! format, a file, or what a queue is for. Enter at [`engine::start`] (the task and its handle), at
//! [`owner::Owner`] (the loop's body, which a simulation drives too), and at [`log::Log`] (the seam
//! below).

pub mod blobs;
pub mod checkpoint;
pub mod clock;
pub mod engine;
pub mod events;
pub mod living;
pub mod log;
pub mod off_loop;
pub mod owner;
mod read_only;
mod replay;
pub mod request;
mod restart;
pub mod subscriptions;
mod waiters;
pub mod witness;
