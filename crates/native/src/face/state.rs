//! GET /v1/state/{model}/{id}.

use http::StatusCode;
use http::request::Parts;
use lineside_core::id::EventNumber;
use lineside_engine::events::{EventsFault, FoldFault, FoldFaultKind, StateFault};
use lineside_engine::off_loop::off_loop;

use super::fault::sentence;
use super::{Answered, Native, TOKEN, answer, token_of, with};
use crate::model::{ReadState, write_difference, write_state};
use crate::problem::{Kind, Problem};

impl Native {
    pub(super) async fn state(&self, rest: &str, head: &Parts) -> Answered {
        let ask = ReadState::parse(rest, head.uri.query())?;
        self.wait_for_token(&head.headers).await?;
        let model = self.model(&ask.model).await?;
        let stream = ask.stream(&model.definition.category)?;
        let fold = (self.folding.open)(&model.definition.program);
        let to = self.folding.states.at(&*fold, &stream, ask.until).await?;
        // Who reads on with this token finds the model as it was here, too.
        let end: EventNumber = to.end.max(model.number);
        let body = match ask.diff {
            None => write_state(&ask, &stream, &to)?,
            Some(until) => {
                let from = self.folding.states.at(&*fold, &stream, until).await?;
                // Of two large states it takes tens of milliseconds.
                let work = move || write_difference(&ask, &stream, (&from, &to));
                off_loop(work).await.map_err(EventsFault::from)??
            }
        };
        let response = answer(StatusCode::OK, "application/json", body);
        Ok(with(response, TOKEN, &token_of(end)))
    }
}

impl From<StateFault> for Problem {
    fn from(fault: StateFault) -> Problem {
        match fault {
            StateFault::Events(fault) => fault.into(),
            StateFault::Fold(fault) => of_fold(&fault),
            StateFault::NoSuchVersion { wanted, last } => {
                Problem::new(Kind::NoSuchVersion, sentence(&fault))
                    .with("version", wanted.0)
                    .with("last", last.0)
            }
            StateFault::Lost(version) => {
                Problem::new(Kind::Internal, sentence(&fault)).with("version", version.0)
            }
            StateFault::Unfinished { folded, .. } => Problem::new(Kind::Behind, sentence(&fault))
                .with("folded", folded.0)
                .next("Ask the same again: it goes on where this one stopped."),
        }
    }
}

/// A fold that comes to no state.
pub(super) fn of_fold(fault: &FoldFault) -> Problem {
    let kind = match fault.kind {
        FoldFaultKind::Passing => Kind::Busy,
        FoldFaultKind::Lasting | FoldFaultKind::Time => Kind::FoldFailed,
    };
    let mut problem = Problem::new(kind, sentence(fault)).with("reason", fault.word);
    if let Some((number, version)) = fault.at {
        problem = problem.with("eventnumber", number.0).with("streamversion", version.0);
    }
    placed(problem, fault)
}

/// With the place in the module, if it is known.
pub(super) fn placed(problem: Problem, fault: &FoldFault) -> Problem {
    match fault.place {
        Some((line, column)) => problem.with("line", line).with("column", column),
        None => problem,
    }
}
