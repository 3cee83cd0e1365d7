//! Wire types and tables made by `make gen` from pinned service models. Nothing here is written by
//! hand.

pub mod sqs;
pub(crate) mod sqs_table;
