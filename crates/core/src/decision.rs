//! What one resource sees when it decides, and what it says.

use crate::command::Reply;
use crate::fact::{Fact, Facts};
use crate::id::{Epoch, EventNumber, MessageId, PartitionId, Place};
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::stamp::Stamp;

/// The moment, the place and the rules of one decision.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// When.
    pub at: Stamp,
    /// Where the decision's first fact will stand.
    pub here: Place,
    /// The partition.
    pub partition: PartitionId,
    /// The owner's epoch.
    pub epoch: Epoch,
    /// The number that the partition's next event gets.
    pub next_number: EventNumber,
    /// What clients may ask for.
    pub limits: &'a Limits,
}

impl Moment<'_> {
    /// The id of what the decision's fact at `index` creates.
    pub fn id_of(&self, index: usize) -> MessageId {
        MessageId::new(self.partition, self.epoch, self.here.plus(index))
    }
}

/// What one resource says: facts, and the answer that goes with them.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What happens.
    pub facts: Facts,
    /// What the caller hears.
    pub answer: Result<Reply, Refusal>,
}

impl Decision {
    /// An answer without facts.
    pub fn reply(reply: Reply) -> Decision {
        Decision { facts: Facts::none(), answer: Ok(reply) }
    }

    /// One fact and an answer.
    pub fn fact(fact: Fact, reply: Reply) -> Decision {
        Decision { facts: Facts::one(fact), answer: Ok(reply) }
    }

    /// A refusal; nothing happens.
    pub fn refuse(refusal: impl Into<Refusal>) -> Decision {
        Decision { facts: Facts::none(), answer: Err(refusal.into()) }
    }
}
