//! Floor 1: the loop that owns a partition, the clock, and the port to the log.

pub mod log;
