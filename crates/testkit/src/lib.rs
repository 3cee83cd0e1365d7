//! Beside the floors, for tests only: the simulation of a partition's owners over a log in memory,
//! and the reference models that say what their answers may be.
//!
//! Owns the simulated world ([`sim`]), what is written down of it ([`ledger`]), the naive models of
//! the queues ([`model`]) and the check of the one against the other and against the log that
//! survived ([`checker`]). Must never know a wire format, a file, real time or chance that a seed
//! does not decide; and the models must never use what they are to check: of floor 0 they know the
//! words (commands, facts, replies, settings), not the machines. Enter at [`sim::run_twice`], or
//! with `make sim`.

pub mod checker;
pub mod ledger;
pub mod model;
pub mod rng;
pub mod sim;
