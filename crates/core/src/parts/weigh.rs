//! What state takes in memory, about. Nobody asks the allocator, since the answer must be the same
//! on every machine and after every start: it is a function of what is kept, and kept beside it, so
//! that it never has to be counted.

use crate::id::{Label, MessageId, Name, Seq, Text};
use crate::stamp::Stamp;

/// Bytes that a number or a moment takes in an ordered index of a million: an entry of sixteen, and
/// the room that the nodes of a tree have for more.
pub(crate) const INDEX_ENTRY_BYTES: u64 = 32;
/// Bytes that one more piece of memory takes beyond what is in it: its own head, the counts of who
/// shares it, and what it is rounded up by.
const PIECE_BYTES: u64 = 24;

/// What a value takes in memory, about.
pub trait Weigh {
    /// Bytes beyond the value itself: what it points to, and its entries in indexes. A text that is
    /// shared counts where it is kept, once for each that would keep it alone.
    fn beyond(&self) -> u64;
}

/// Bytes of one piece of memory with room for so many of these.
pub(crate) fn piece<T>(count: usize) -> u64 {
    PIECE_BYTES.saturating_add(count.saturating_mul(size_of::<T>()) as u64)
}

impl Weigh for Label {
    fn beyond(&self) -> u64 {
        piece::<u8>(self.as_str().len())
    }
}

impl Weigh for Name {
    fn beyond(&self) -> u64 {
        piece::<u8>(self.as_str().len())
    }
}

impl Weigh for Text {
    fn beyond(&self) -> u64 {
        piece::<u8>(self.as_str().len())
    }
}

impl Weigh for Stamp {
    fn beyond(&self) -> u64 {
        0
    }
}

impl Weigh for (Seq, MessageId) {
    fn beyond(&self) -> u64 {
        0
    }
}

impl<T> Weigh for Vec<T> {
    fn beyond(&self) -> u64 {
        piece::<T>(self.len())
    }
}

impl<T: Weigh> Weigh for Option<T> {
    fn beyond(&self) -> u64 {
        self.as_ref().map_or(0, Weigh::beyond)
    }
}
