//! Wire types and tables made by `make gen` from pinned service models. Nothing here is written by
//! hand.

pub(crate) mod iam;
pub(crate) mod iam_table;
pub mod sqs;
pub(crate) mod sqs_table;
pub(crate) mod sts;
pub(crate) mod sts_table;
