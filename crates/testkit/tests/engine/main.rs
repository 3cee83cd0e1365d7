//! The engine's task over the logs: what callers hear, and when.

#![allow(clippy::unwrap_used, clippy::panic)]

mod back_pressure;
mod checkpoints;
mod events;
mod events_index;
mod events_support;
mod large_bodies;
mod moves;
mod read_only;
mod rejected;
mod shutdown;
mod starting;
mod state;
mod subscriptions;
mod support;
mod unsynced;
mod waiting;
