//! What goes wrong below, as problems.

use lineside_core::refusal::Refusal;
use lineside_core::subscription::SubscriptionRefusal;
use lineside_engine::events::EventsFault;
use lineside_engine::request::CallError;
use lineside_engine::subscriptions::SubscriptionFault;

use crate::problem::{Kind, Problem};

impl From<EventsFault> for Problem {
    fn from(fault: EventsFault) -> Problem {
        match fault {
            EventsFault::Call(error) => of_call(&error),
            EventsFault::Behind { wanted, end } => {
                let detail = format!(
                    "Events can be read up to number {}, and this waited for {}.",
                    end.0, wanted.0
                );
                Problem::new(Kind::Behind, detail).with("end", end.0).with("wanted", wanted.0)
            }
            EventsFault::Unsettled(_) => Problem::new(Kind::Busy, sentence(&fault)),
            EventsFault::Index(_) | EventsFault::OffLoop(_) => {
                Problem::new(Kind::Unavailable, sentence(&fault))
            }
            EventsFault::Log(_)
            | EventsFault::Unreadable { .. }
            | EventsFault::NotAnEvent { .. }
            | EventsFault::Unexpected(_) => Problem::new(Kind::Internal, sentence(&fault)),
        }
    }
}

impl From<SubscriptionFault> for Problem {
    fn from(fault: SubscriptionFault) -> Problem {
        match fault {
            SubscriptionFault::Missing => {
                Problem::new(Kind::NoSuchSubscription, "No subscription has this name.")
            }
            SubscriptionFault::NoWorkers => {
                let detail = "The subscription has no workers: it is a cursor, or feeds a queue.";
                Problem::new(Kind::OtherKind, detail)
            }
            SubscriptionFault::TooMany(_) => Problem::new(Kind::LimitExceeded, sentence(&fault))
                .next("Delete subscriptions that nobody needs."),
            SubscriptionFault::Refused(refusal) => of_subscription(&refusal),
            SubscriptionFault::Call(error) => of_call(&error),
            SubscriptionFault::Events(fault) => Problem::from(fault),
            SubscriptionFault::Log(_) | SubscriptionFault::Unexpected(_) => {
                Problem::new(Kind::Internal, sentence(&fault))
            }
        }
    }
}

/// What a subscription refuses; without a wildcard, so that a new refusal does not compile until it
/// has words here.
fn of_subscription(refusal: &SubscriptionRefusal) -> Problem {
    match refusal {
        SubscriptionRefusal::Missing { .. } => Problem::from(SubscriptionFault::Missing),
        SubscriptionRefusal::ExistsOtherwise { .. } => {
            let detail = "A subscription of this name is there, and is set otherwise.";
            Problem::new(Kind::ExistsOtherwise, detail)
        }
        SubscriptionRefusal::QueryTooLong { terms, items } => {
            let detail = format!("A query has at most {items} items and {terms} terms in all.");
            Problem::new(Kind::LimitExceeded, detail)
        }
        SubscriptionRefusal::OutOfRange { what, least, most } => {
            let detail = format!("The {what}, has to be from {least} to {most}.");
            Problem::new(Kind::InvalidBody, detail)
        }
        SubscriptionRefusal::QueueMissing { .. } => {
            let detail = "The queue that the events are to go to is not there.";
            Problem::new(Kind::NoSuchQueue, detail)
        }
        SubscriptionRefusal::Moved { upto } => {
            let detail = format!("The cursor is at event {}, and not where you believe.", upto.0);
            Problem::new(Kind::Moved, detail)
                .with("cursor", upto.0)
                .next("Read the subscription again, and go on from its cursor.")
        }
        SubscriptionRefusal::BeyondEnd { last } => {
            let detail = format!("The last event is {}: a cursor cannot be behind it.", last.0);
            Problem::new(Kind::BeyondEnd, detail).with("end", last.0)
        }
        SubscriptionRefusal::NotSo => {
            let detail = "The cursor of this subscription is moved by the server alone.";
            Problem::new(Kind::OtherKind, detail)
        }
        SubscriptionRefusal::MessageTooLong { .. }
        | SubscriptionRefusal::TooManyMessages { .. } => {
            Problem::new(Kind::Internal, format!("{refusal:?}"))
        }
    }
}

pub(super) fn of_call(error: &CallError) -> Problem {
    match error {
        CallError::Refused(Refusal::Events(refusal)) => Problem::from(refusal),
        CallError::Refused(Refusal::Subscription(refusal)) => of_subscription(refusal),
        CallError::Refused(_) => Problem::new(Kind::Internal, sentence(error)),
        CallError::Throttled | CallError::Budget => Problem::new(Kind::Busy, sentence(error)),
        CallError::Full => Problem::new(Kind::StorageFull, sentence(error)),
        CallError::ReadOnly(_) | CallError::Unavailable(_) => {
            Problem::new(Kind::Unavailable, sentence(error))
        }
    }
}

/// What an error says, as a sentence.
pub(super) fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
