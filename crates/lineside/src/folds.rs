//! What folds the events of streams, brought together with them: an event is given to a model as it
//! is given to a client.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use lineside_core::events::EventBody;
use lineside_core::id::{EventNumber, Version};
use lineside_engine::events::{Fold, FoldBlock, FoldFault, FoldFaultKind, Folded, Identity};
use lineside_fold::{At, Block, Cause, Event, Fault, Folder};
use lineside_native::cloudevents::write_structured;
use lineside_native::model::Program;

/// One for the process: there are not more cores when somebody asks twice.
static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::of_all_cores);

/// A model's program, ready to fold.
struct Model {
    program: lineside_fold::Program,
    identity: Identity,
}

/// Makes a fold of a program.
pub(crate) fn open(program: &Program) -> Arc<dyn Fold> {
    let program = match program {
        Program::Merge => lineside_fold::Program::Merge,
        Program::JavaScript(source) => lineside_fold::Program::JavaScript(source.clone()),
    };
    let identity = program.identity();
    Arc::new(Model { program, identity })
}

impl Fold for Model {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn fold(&self, block: FoldBlock) -> BoxFuture<'_, Result<Folded, FoldFault>> {
        let FoldBlock { from, events, spent } = block;
        let program = self.program.clone();
        async move {
            let time = lineside_fold::limits::TIME_MAX.saturating_sub(spent);
            let events: Result<Vec<Event>, FoldFault> = events.iter().map(event).collect();
            let from = from.map(|state| text(&state)).transpose()?;
            let block = Block { program, from, events: events?, time };
            let folded = FOLDER.fold(block).await.map_err(|fault| of_fold(&fault))?;
            let spent = spent.saturating_add(folded.spent);
            Ok(Folded { state: folded.state.into(), spent })
        }
        .boxed()
    }
}

fn event(event: &EventBody) -> Result<Event, FoldFault> {
    let (number, version) = (event.assigned.number.0, event.assigned.version.0);
    Ok(Event { json: text(&write_structured(event))?, at: At { number, version } })
}

/// Both are JSON that was written here.
fn text(bytes: &Bytes) -> Result<String, FoldFault> {
    let text = str::from_utf8(bytes).map(str::to_owned);
    text.map_err(|error| of_fold(&Cause::NotAnEvent(error.to_string()).into()))
}

fn of_fold(fault: &Fault) -> FoldFault {
    let kind = match &fault.cause {
        Cause::Time(_) => FoldFaultKind::Time,
        cause if cause.is_passing() => FoldFaultKind::Passing,
        _ => FoldFaultKind::Lasting,
    };
    FoldFault {
        why: fault.to_string(),
        word: fault.cause.word(),
        kind,
        at: fault.at.map(|at| (EventNumber(at.number), Version(at.version))),
        place: fault.place.map(|place| (place.line, place.column)),
    }
}
