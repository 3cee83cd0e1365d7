//! The log's adapters, from outside.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "all of this is tests; clippy knows only functions marked so"
)]

mod adapters;
mod blobs;
mod commit;
mod compaction;
mod damage;
mod fixtures;
mod images;
mod kept;
mod opening;
mod operations;
mod outside;
mod power;
mod rot;
mod seal;
mod sentences;
mod space;
mod steering;
mod support;
mod tools;
mod torn;
