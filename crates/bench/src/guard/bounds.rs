//! The bounds. Whoever raises one says in the change why the message became dearer; whoever made one
//! cheaper lowers it to a tenth above what is printed.

use crate::work::Kind;

/// What is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Instructions from a request's parts to its answer: wire form, decision, state, and the log in
    /// memory. Neither HTTP nor the disk is in it.
    Instructions,
    /// Bytes that were written to the log's files, zeros written ahead among them.
    Bytes,
}

/// Of one message, its body of 1,024 bytes included.
pub(crate) struct Bound {
    pub(crate) kind: Kind,
    pub(crate) counted: Counted,
    pub(crate) most: u64,
}

pub(crate) const BOUNDS: [Bound; 5] = [
    Bound { kind: Kind::Send, counted: Counted::Instructions, most: 48_100 },
    Bound { kind: Kind::Batch, counted: Counted::Instructions, most: 38_700 },
    Bound { kind: Kind::Settle, counted: Counted::Instructions, most: 117_800 },
    Bound { kind: Kind::Send, counted: Counted::Bytes, most: 2_630 },
    Bound { kind: Kind::Batch, counted: Counted::Bytes, most: 2_310 },
];
