//! Names for what can happen, to count it and to print it.

use lineside_core::broker::{BrokerFact, BrokerRefusal};
use lineside_core::fact::Fact;
use lineside_core::refusal::{QueueRefusal, Refusal};

/// A fact's kind.
pub fn fact(fact: &Fact) -> &'static str {
    match fact {
        Fact::Opened(_) => "opened",
        Fact::ClockMoved(_) => "clock moved",
        Fact::Canary => "canary",
        Fact::QueueCreated(_) => "queue created",
        Fact::QueueChanged(_) => "queue changed",
        Fact::QueueDeleted(_) => "queue deleted",
        Fact::QueuePurged(_) => "queue purged",
        Fact::Sent(_) => "sent",
        Fact::Leased(leased) if leased.soft => "leased softly",
        Fact::Leased(_) => "leased",
        Fact::LeaseChanged(_) => "lease changed",
        Fact::Deleted(_) => "deleted",
        Fact::DeadLettered(_) => "dead-lettered",
        Fact::Expired(_) => "expired",
        Fact::Broker(fact) => broker_fact(fact),
    }
}

fn broker_fact(fact: &BrokerFact) -> &'static str {
    match fact {
        BrokerFact::Created(_) => "broker queue created",
        BrokerFact::Sent(sent) if sent.scheduled_at.is_some() => "broker scheduled",
        BrokerFact::Sent(_) => "broker sent",
        BrokerFact::Activated(_) => "broker activated",
        BrokerFact::Cancelled(_) => "broker cancelled",
        BrokerFact::Locked(_) => "broker locked",
        BrokerFact::Taken(_) => "broker taken",
        BrokerFact::Completed(_) => "broker completed",
        BrokerFact::Abandoned(_) => "broker abandoned",
        BrokerFact::Deferred(_) => "broker deferred",
        BrokerFact::DeadLettered(_) => "broker dead-lettered",
        BrokerFact::Expired(_) => "broker expired",
        BrokerFact::LockRenewed(_) => "broker lock renewed",
        BrokerFact::SessionAccepted(_) => "session accepted",
        BrokerFact::SessionRenewed(_) => "session renewed",
        BrokerFact::SessionReleased(_) => "session released",
        BrokerFact::SessionLapsed(_) => "session lapsed",
        BrokerFact::SessionStateSet(_) => "session state set",
    }
}

/// Every kind of fact.
pub const FACTS: [&str; 32] = [
    "opened",
    "clock moved",
    "canary",
    "queue created",
    "queue changed",
    "queue deleted",
    "queue purged",
    "sent",
    "leased softly",
    "leased",
    "lease changed",
    "deleted",
    "dead-lettered",
    "expired",
    "broker queue created",
    "broker scheduled",
    "broker sent",
    "broker activated",
    "broker cancelled",
    "broker locked",
    "broker taken",
    "broker completed",
    "broker abandoned",
    "broker deferred",
    "broker dead-lettered",
    "broker expired",
    "broker lock renewed",
    "session accepted",
    "session renewed",
    "session released",
    "session lapsed",
    "session state set",
];

/// A refusal's kind.
pub fn refusal(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Queue(refusal) => queue_refusal(refusal),
        Refusal::Broker(refusal) => broker_refusal(refusal),
    }
}

fn queue_refusal(refusal: &QueueRefusal) -> &'static str {
    match refusal {
        QueueRefusal::Missing { .. } => "no: missing",
        QueueRefusal::ExistsOtherwise { .. } => "no: exists otherwise",
        QueueRefusal::DeletedRecently { .. } => "no: deleted recently",
        QueueRefusal::PurgedRecently { .. } => "no: purged recently",
        QueueRefusal::DeadLetterTargetMissing { .. } => "no: dead-letter target missing",
        QueueRefusal::DeadLetterTargetKind { .. } => "no: dead-letter target's kind",
        QueueRefusal::MessageTooLong { .. } => "no: message too long",
        QueueRefusal::GroupRequired => "no: group required",
        QueueRefusal::MessageDelayOnFifo { .. } => "no: message delay on FIFO",
        QueueRefusal::DedupRequired => "no: dedup required",
        QueueRefusal::DedupOnStandard => "no: dedup on standard",
        QueueRefusal::ReceiptOfAnotherQueue => "no: receipt of another queue",
        QueueRefusal::LeaseEnded => "no: lease ended",
        QueueRefusal::NotInFlight => "no: not in flight",
        QueueRefusal::NotChangeable => "no: not changeable",
        QueueRefusal::LeaseTooLong { .. } => "no: lease too long",
        QueueRefusal::InFlightFull { .. } => "no: in flight full",
        QueueRefusal::FifoSettingOnStandard { .. } => "no: FIFO setting on standard",
    }
}

fn broker_refusal(refusal: &BrokerRefusal) -> &'static str {
    match refusal {
        BrokerRefusal::Missing { .. } => "no: broker missing",
        BrokerRefusal::Exists { .. } => "no: broker exists",
        BrokerRefusal::TooLong { .. } => "no: broker too long",
        BrokerRefusal::SessionRequired => "no: session required",
        BrokerRefusal::SessionReceiverRequired => "no: session receiver required",
        BrokerRefusal::NoSessionsHere => "no: no sessions here",
        BrokerRefusal::SessionHeld => "no: session held",
        BrokerRefusal::SessionLockLost => "no: session lock lost",
        BrokerRefusal::LockLost => "no: lock lost",
        BrokerRefusal::MessageNotFound { .. } => "no: message not found",
        BrokerRefusal::AlreadyDeadLettered => "no: already dead-lettered",
        BrokerRefusal::TooManyNumbers { .. } => "no: too many numbers",
    }
}

/// Every kind of refusal.
pub const REFUSALS: [&str; 30] = [
    "no: missing",
    "no: exists otherwise",
    "no: deleted recently",
    "no: purged recently",
    "no: dead-letter target missing",
    "no: dead-letter target's kind",
    "no: message too long",
    "no: group required",
    "no: message delay on FIFO",
    "no: dedup required",
    "no: dedup on standard",
    "no: receipt of another queue",
    "no: lease ended",
    "no: not in flight",
    "no: not changeable",
    "no: lease too long",
    "no: in flight full",
    "no: FIFO setting on standard",
    "no: broker missing",
    "no: broker exists",
    "no: broker too long",
    "no: session required",
    "no: session receiver required",
    "no: no sessions here",
    "no: session held",
    "no: session lock lost",
    "no: lock lost",
    "no: message not found",
    "no: already dead-lettered",
    "no: too many numbers",
];

/// What befalls owners and callers, beside facts and refusals.
pub const TROUBLES: [&str; 19] = [
    "crash",
    "crash with a write under way",
    "crash that kept some of what was under way",
    "soft lease lost",
    "batch lost",
    "append rejected",
    "append unknown",
    "append conflict injected",
    "take-over beside a living owner",
    "decided by a fenced owner",
    "owner fenced",
    "orderly shutdown",
    "log full",
    "caller gone",
    "long poll answered",
    "time moved by request",
    "checkpoint completed",
    "checkpoint given up",
    "start from a checkpoint",
];
