//! What goes wrong below, as problems.

use lineside_core::refusal::Refusal;
use lineside_engine::events::EventsFault;
use lineside_engine::request::CallError;

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

fn of_call(error: &CallError) -> Problem {
    match error {
        CallError::Refused(Refusal::Events(refusal)) => Problem::from(refusal),
        CallError::Refused(_) => Problem::new(Kind::Internal, sentence(error)),
        CallError::Throttled | CallError::Budget => Problem::new(Kind::Busy, sentence(error)),
        CallError::Full => Problem::new(Kind::StorageFull, sentence(error)),
        CallError::ReadOnly(_) | CallError::Unavailable(_) => {
            Problem::new(Kind::Unavailable, sentence(error))
        }
    }
}

/// What an error says, as a sentence.
fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
