//! Floor 0: what a partition knows and decides, as pure functions.
//!
//! Owns ids, stamps, limits, facts and the machines of a partition. Must never know a clock, a
//! file, a socket, a random number, an executor, or a vendor's word. Enter at
//! [`partition::Partition`] (`decide`, `evolve`, `tick`); the queues are in [`queue`] and
//! [`broker`], the event stores in [`events`], who reads them in [`subscription`], the parts that they are
//! composed of in [`parts`], and what checkpoints are made of in [`snapshot`].

pub mod broker;
pub mod codec;
pub mod command;
pub mod decision;
mod directory;
pub mod events;
pub mod fact;
pub mod id;
pub mod limits;
pub mod partition;
pub mod parts;
pub mod payload;
pub mod queue;
pub mod receipt;
pub mod refusal;
pub mod snapshot;
mod sources;
pub mod stamp;
pub mod subscription;
