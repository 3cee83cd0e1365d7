//! The index beside a list of all events that is looked through from end to end.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of tests are small, and tests stop when they are not"
)]

mod bounds;
mod damage;
mod disk;
mod faults;
mod oracle;
pub(crate) mod world;
