//! Why a subscription cannot do what it is asked for.

use lineside_core::command::Reply;
use lineside_core::refusal::{QueueRefusal, Refusal};
use lineside_core::subscription::SubscriptionRefusal;

use crate::events::EventsFault;
use crate::log::LogFault;
use crate::request::CallError;

/// Why a subscription cannot do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionFault {
    /// There is none of this name.
    #[error("there is no such subscription")]
    Missing,
    /// It is none of the kind that can do this.
    #[error("the subscription has no workers")]
    NoWorkers,
    /// There are as many as there may be.
    #[error("there are {0} subscriptions already")]
    TooMany(usize),
    /// The subscription says no.
    #[error("{}", said(.0))]
    Refused(Box<SubscriptionRefusal>),
    /// The engine says no, or is not there.
    #[error(transparent)]
    Call(CallError),
    /// Events cannot be read.
    #[error(transparent)]
    Events(#[from] EventsFault),
    /// A message cannot be read back.
    #[error(transparent)]
    Log(#[from] LogFault),
    /// The engine answered something else than was asked.
    #[error("the engine answered {0}")]
    Unexpected(String),
}

impl From<CallError> for SubscriptionFault {
    fn from(error: CallError) -> SubscriptionFault {
        match error {
            CallError::Refused(Refusal::Subscription(SubscriptionRefusal::Missing { .. })) => {
                SubscriptionFault::Missing
            }
            CallError::Refused(Refusal::Subscription(refusal)) => {
                SubscriptionFault::Refused(Box::new(refusal))
            }
            error => SubscriptionFault::Call(error),
        }
    }
}

impl SubscriptionFault {
    pub(super) fn unexpected(reply: &Reply) -> SubscriptionFault {
        SubscriptionFault::Unexpected(format!("{reply:?}"))
    }
}

/// What keeps a subscription from going on, in words.
fn said(refusal: &SubscriptionRefusal) -> String {
    match refusal {
        SubscriptionRefusal::QueueMissing { name } => {
            format!("the queue {name} is not there; make it again, or delete the subscription")
        }
        SubscriptionRefusal::MessageTooLong { limit, .. } => format!(
            "an event does not fit into the queue, which takes {limit} bytes, even without its \
             data; let the queue take more"
        ),
        other => format!("it is refused: {other:?}"),
    }
}

/// Whether it is the queue that is not there.
pub(super) fn is_missing_queue(error: &CallError) -> bool {
    matches!(error, CallError::Refused(Refusal::Queue(QueueRefusal::Missing { .. })))
}

/// Whether what a receipt names is not held any more.
pub(super) fn is_lost_lease(error: &CallError) -> bool {
    use QueueRefusal::{LeaseEnded, NotChangeable, NotInFlight, ReceiptOfAnotherQueue};
    matches!(
        error,
        CallError::Refused(Refusal::Queue(
            LeaseEnded | NotChangeable | NotInFlight | ReceiptOfAnotherQueue
        ))
    )
}
