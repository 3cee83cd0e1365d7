//! Receipts: the name of one lease, opaque and unforgeable outside.

use siphasher::sip128::SipHasher24;

use crate::id::{Epoch, QueueId, Seq};

/// Names one hand-out of one message. `epoch` and `attempt` together order the leases of a message:
/// an owner counts attempts up from what its log says, and an attempt that a crash took back
/// belongs to an earlier epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receipt {
    /// The queue.
    pub queue: QueueId,
    /// The message.
    pub seq: Seq,
    /// The owner that handed it out.
    pub epoch: Epoch,
    /// The message's count of receives with this one.
    pub attempt: u32,
}

/// Why sealed bytes are no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAReceipt;

/// Length of a sealed receipt in bytes.
pub const SEALED_LEN: usize = 40;

/// The key under which a data directory's receipts are sealed.
#[derive(Clone, Copy)]
pub struct ReceiptKey([u8; 16]);

impl ReceiptKey {
    /// A key from 16 random bytes.
    pub fn new(bytes: [u8; 16]) -> ReceiptKey {
        ReceiptKey(bytes)
    }

    fn tag(&self, content: &[u8]) -> [u8; 16] {
        SipHasher24::new_with_key(&self.0).hash(content).as_u128().to_le_bytes()
    }

    /// The receipt as bytes for the outside: its content and a keyed hash over it.
    pub fn seal(&self, receipt: Receipt) -> [u8; SEALED_LEN] {
        let mut sealed = [0; SEALED_LEN];
        let (content, tag) = sealed.split_at_mut(24);
        write(content, receipt);
        tag.copy_from_slice(&self.tag(content));
        sealed
    }

    /// The receipt behind bytes from the outside, if this key sealed them.
    pub fn open(&self, sealed: &[u8]) -> Result<Receipt, NotAReceipt> {
        let sealed: &[u8; SEALED_LEN] = sealed.try_into().map_err(|_| NotAReceipt)?;
        let (content, tag) = sealed.split_at(24);
        if !same(&self.tag(content), tag) {
            return Err(NotAReceipt);
        }
        read(content).ok_or(NotAReceipt)
    }
}

fn write(content: &mut [u8], receipt: Receipt) {
    let words = [
        receipt.queue.0,
        receipt.seq.0,
        u64::from(receipt.epoch.0) << 32 | u64::from(receipt.attempt),
    ];
    for (chunk, word) in content.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
}

fn read(content: &[u8]) -> Option<Receipt> {
    let mut words =
        content.chunks_exact(8).filter_map(|c| c.try_into().ok().map(u64::from_le_bytes));
    let (queue, seq, lease) = (words.next()?, words.next()?, words.next()?);
    let epoch = Epoch(u32::try_from(lease >> 32).ok()?);
    let attempt = u32::try_from(lease & 0xffff_ffff).ok()?;
    Some(Receipt { queue: QueueId(queue), seq: Seq(seq), epoch, attempt })
}

/// Compares in a time that does not depend on where the two differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt { queue: QueueId(3), seq: Seq(99), epoch: Epoch(2), attempt: 7 }
    }

    #[test]
    fn opens_what_it_sealed() {
        let key = ReceiptKey::new([5; 16]);
        assert_eq!(key.open(&key.seal(receipt())), Ok(receipt()));
    }

    #[test]
    fn refuses_every_flipped_bit_other_keys_and_other_lengths() {
        let key = ReceiptKey::new([5; 16]);
        let sealed = key.seal(receipt());
        for bit in 0..SEALED_LEN * 8 {
            let mut forged = sealed;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(&forged), Err(NotAReceipt), "bit {bit}");
        }
        assert_eq!(ReceiptKey::new([6; 16]).open(&sealed), Err(NotAReceipt));
        assert_eq!(key.open(&sealed[..39]), Err(NotAReceipt));
        assert_eq!(key.open(b""), Err(NotAReceipt));
    }
}
