//! Broker queues: peek-lock, deferral, scheduling, sessions, and dead letters in a sub-queue.
//!
//! [`BrokerQueue`] has two shelves, the main one and the dead letters. A shelf keeps messages by
//! number and knows who is next: a line that any receiver takes from, or sessions with one holder
//! each. The dead letters always form a line. `decide` has one file per kind of operation; `evolve`
//! is the only place that changes state.

mod command;
mod decide;
mod evolve;
mod fact;
mod line;
mod message;
mod queue;
mod refusal;
mod reply;
mod sessions;
mod settings;
mod shelf;
mod snapshot;
#[cfg(test)]
mod tests;

pub use command::{
    BrokerCommand, BrokerOperation, NewBrokerMessage, ReceiveMode, SessionHolder, Settlement,
    SubQueue, WhichSession,
};
pub use fact::{
    Activated, BrokerCreated, BrokerDeadLettered, BrokerFact, BrokerSent, DeadLetterCause,
    LockRenewed, Locked, OneMessage, OneSession, SessionAccepted, SessionRenewed, SessionStateSet,
    SeveralMessages,
};
pub use queue::{BrokerCounts, BrokerQueue};
pub use refusal::BrokerRefusal;
pub use reply::{BrokerDelivery, BrokerLock, BrokerMessage, BrokerReply, DeadLetter, MessageState};
pub use settings::BrokerSettings;

pub(crate) use snapshot::{BrokerMain, BrokerSnapshot};
