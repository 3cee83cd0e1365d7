//! Ids, positions and names: the newtypes that every other file speaks in.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use minicbor::{Decode, Encode};

/// Which partition of the product's log: 0 to 4,095, since a [`MessageId`] has 12 bits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId(pub u16);

/// The number of a start (or take-over) of a partition's owner; counts from 1, 0 is "never opened".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Epoch(#[n(0)] pub u32);

impl Epoch {
    /// The epoch of the next start.
    pub fn next(self) -> Epoch {
        Epoch(self.0.saturating_add(1))
    }
}

/// Counts batches in a partition's log, from 0. As a bound ("durable up to") it is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Position(#[n(0)] pub u64);

impl Position {
    /// The position after this one.
    pub fn next(self) -> Position {
        Position(self.0.saturating_add(1))
    }
}

/// Where a fact stands (or will stand): its batch, and its index inside that batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Place {
    /// The batch.
    #[n(0)]
    pub position: Position,
    /// The fact's index in the batch, from 0.
    #[n(1)]
    pub index: u32,
}

impl Place {
    /// The place `count` facts further on in the same batch.
    pub fn plus(self, count: usize) -> Place {
        let index = self.index.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        Place { index, ..self }
    }
}

/// The body of a fact, which lies in the log beside the fact at `place` and is never in state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct BodyRef {
    /// The fact that brought the body.
    #[n(0)]
    pub place: Place,
    /// Its length in bytes, so that a reader can bound itself before it reads.
    #[n(1)]
    pub len: u32,
}

/// A queue of a partition, counted from 1 and never used again for another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct QueueId(#[n(0)] pub u64);

impl QueueId {
    /// Where those wait who want to put something into a queue that is too full, as others wait at
    /// the queue itself for something to be there.
    pub fn room(self) -> QueueId {
        QueueId(self.0 | 1 << 63)
    }
}

/// A message's number in its queue, counted from 1; the order of a FIFO queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Seq(#[n(0)] pub u64);

impl Seq {
    /// The number after this one.
    pub fn next(self) -> Seq {
        Seq(self.0.saturating_add(1))
    }
}

/// An event's number: gapless over all events of a partition, from 1; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct EventNumber(#[n(0)] pub u64);

impl EventNumber {
    /// The number after this one.
    pub fn next(self) -> EventNumber {
        self.plus(1)
    }

    /// The number so many events further on.
    pub fn plus(self, count: u64) -> EventNumber {
        EventNumber(self.0.saturating_add(count))
    }
}

/// An event's number in its stream: gapless, from 1; as a stream's version that of its last event,
/// 0 of a stream that is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Version(#[n(0)] pub u64);

impl Version {
    /// The version after this one.
    pub fn next(self) -> Version {
        Version(self.0.saturating_add(1))
    }
}

/// A message's id, unique for ever: (position, partition, epoch, index) as a UUID of version 8
/// (RFC 9562, section 5.8). The epoch makes an id that a crash took back different from the one
/// that is later handed out at the same place.
///
/// In two halves, since a `u128` is aligned to 16 bytes and would make state larger around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    high: u64,
    low: u64,
}

impl MessageId {
    /// The id of what the fact at `place` created under `epoch`.
    pub fn new(partition: PartitionId, epoch: Epoch, place: Place) -> MessageId {
        assert!(partition.0 < 4096, "a partition's number has 12 bits in an id");
        assert!(place.position.0 < 1 << 48, "a position has 48 bits in an id");
        assert!(place.index < 1 << 30, "an index has 30 bits in an id");
        let high = place.position.0 << 16 | 0x8 << 12 | u64::from(partition.0);
        let low = 0b10 << 62 | u64::from(epoch.0) << 30 | u64::from(place.index);
        MessageId { high, low }
    }

    /// The place of the fact that created it; nonsense for an id that did not come from
    /// [`MessageId::new`].
    pub fn place(self) -> Place {
        let index = u32::try_from(self.low & 0x3fff_ffff).unwrap_or(0);
        Place { position: Position(self.high >> 16), index }
    }

    fn number(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }

    /// The id that [`MessageId::to_bytes`] wrote. Any bytes are some id; whether anything has it is
    /// another question.
    pub fn from_bytes(bytes: [u8; 16]) -> MessageId {
        let number = u128::from_be_bytes(bytes);
        let half = |shift: u32| u64::try_from(number >> shift & u128::from(u64::MAX)).unwrap_or(0);
        MessageId { high: half(64), low: half(0) }
    }

    /// The 16 bytes, in the order in which a UUID is written.
    pub fn to_bytes(self) -> [u8; 16] {
        self.number().to_be_bytes()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand, since a format string of five numbers takes ten times as long.
        let (high, low) = (self.high, self.low);
        let numbers = [high >> 32, high >> 16, high, low >> 48, low];
        let places = [0..8, 9..13, 14..18, 19..23, 24..36];
        let mut text = [b'-'; 36];
        for (place, mut number) in places.into_iter().zip(numbers) {
            for byte in text.get_mut(place).into_iter().flatten().rev() {
                *byte = hex_digit(number);
                number >>= 4;
            }
        }
        f.pad(str::from_utf8(&text).unwrap_or_default())
    }
}

/// The digit of a number's last four bits.
fn hex_digit(number: u64) -> u8 {
    let digits = b"0123456789abcdef";
    digits.get((number & 15) as usize).copied().unwrap_or(b'0')
}

impl<C> Encode<C> for MessageId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for MessageId {
    fn decode(
        d: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<MessageId, minicbor::decode::Error> {
        let half = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes);
        let (high, low) = d.bytes()?.split_at_checked(8).unwrap_or_default();
        let (high, low) = half(high)
            .and_then(|high| Ok((high, half(low)?)))
            .map_err(minicbor::decode::Error::custom)?;
        Ok(MessageId { high, low })
    }
}

/// Makes a newtype of a shared text that can be logged.
macro_rules! shared_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// From its text; whoever makes it has bounded it.
            pub fn new(text: impl Into<Arc<str>>) -> $name {
                $name(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(
                d: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<$name, minicbor::decode::Error> {
                Ok($name::new(d.str()?))
            }
        }
    };
}

shared_text!(
    /// A resource's full name. Faces build it (`aws/000000000000/us-east-1/queue/orders`); floor 0
    /// only compares and sorts it.
    Name
);
shared_text!(
    /// What a client calls something inside a resource: a group, a session, a deduplication id, a
    /// stream, a tag.
    Label
);
shared_text!(
    /// What a resource keeps for whoever gave it, and never looks into: a tag's value, a note.
    Text
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_id_is_a_version_8_uuid() {
        let place = Place { position: Position(0x0102_0304_0506), index: 7 };
        let id = MessageId::new(PartitionId(9), Epoch(3), place).to_string();
        assert_eq!(id, "01020304-0506-8009-8000-0000c0000007");
    }

    #[test]
    fn message_id_tells_the_place_that_it_was_made_of() {
        for (position, index) in [(0, 0), (7, 9), ((1 << 48) - 1, (1 << 30) - 1)] {
            let place = Place { position: Position(position), index };
            let id = MessageId::new(PartitionId(4095), Epoch(u32::MAX), place);
            assert_eq!(id.place(), place);
            assert_eq!(MessageId::from_bytes(id.to_bytes()), id);
        }
    }

    #[test]
    fn message_ids_differ_by_each_part() {
        let at = |p, e, pos, i| {
            MessageId::new(PartitionId(p), Epoch(e), Place { position: Position(pos), index: i })
        };
        let ids = [at(0, 1, 1, 1), at(1, 1, 1, 1), at(0, 2, 1, 1), at(0, 1, 2, 1), at(0, 1, 1, 2)];
        let unique: std::collections::BTreeSet<_> = ids.into_iter().collect();
        assert_eq!(unique.len(), ids.len());
    }
}
