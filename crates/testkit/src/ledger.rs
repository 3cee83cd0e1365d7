//! What a simulation writes down while it runs: each call with what its caller heard, and for each
//! owner what it decided, in order. The checker reads it afterwards, beside the log that survived.

use std::sync::{Arc, Mutex, PoisonError};

use lineside_core::command::{Command, Verdict};
use lineside_core::fact::{Fact, Facts, Opened};
use lineside_core::id::{Epoch, Name, Place, Position};
use lineside_core::stamp::Stamp;
use lineside_engine::witness::Witness;

use crate::model::{Answer, Moment};

/// Which call of a simulation, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub usize);

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The wish.
    pub command: Command,
    /// What the caller heard.
    pub heard: Heard,
}

/// What the caller heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Nothing (yet).
    Nothing,
    /// An answer, which has to hold for ever.
    Answer(Answer),
    /// That it is not known what became of the call.
    Unknown,
    /// That the log has no room; nothing was decided.
    Full,
    /// That the state is as large as it may become; nothing was decided.
    Budget,
}

/// One owner, from its take-over to its end.
#[derive(Clone, Debug, Default)]
pub struct Tenure {
    /// Whether its take-over became durable while it lived; it served nobody before.
    pub served: bool,
    /// What it decided, in order.
    pub entries: Vec<Entry>,
}

impl Tenure {
    /// When and where it wrote, or meant to write, that it took over; and the epoch.
    pub fn opened(&self) -> Option<(Stamp, Position, Epoch)> {
        match self.entries.first()? {
            Entry::Happened { moment, facts } => match facts.facts.first()? {
                Fact::Opened(Opened { epoch, .. }) => {
                    Some((moment.at, moment.here.position, *epoch))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// Something that an owner decided.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A command, when it was taken in, or again while its caller waited.
    Decided {
        /// Whose.
        call: CallId,
        /// When, and where its first fact went.
        moment: Moment,
        /// What the owner said.
        verdict: Verdict,
    },
    /// Facts that no command brought: the take-over, what time made due, time moving.
    Happened {
        /// When, and where the first fact went.
        moment: Moment,
        /// What.
        facts: Facts,
    },
    /// A turn has ended, and these wait on: there is nothing for any of them.
    Waiting {
        /// The turn's moment.
        at: Stamp,
        /// Who waits.
        calls: Vec<CallId>,
    },
}

impl Entry {
    /// The facts that it brought, and when and where.
    pub fn facts(&self) -> Option<(Moment, &Facts)> {
        match self {
            Entry::Decided { moment, verdict, .. } => Some((*moment, &verdict.facts)),
            Entry::Happened { moment, facts } => Some((*moment, facts)),
            Entry::Waiting { .. } => None,
        }
    }
}

/// Everything that a simulation wrote down.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// All calls.
    pub calls: Vec<Call>,
    /// All owners, in the order of their starts.
    pub tenures: Vec<Tenure>,
}

/// What a witness saw and nobody has looked at yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Sight>>>);

/// One thing that a witness saw.
#[derive(Debug)]
pub(crate) enum Sight {
    Decided { tag: CallTag, moment: Moment, verdict: Verdict },
    Happened { moment: Moment, facts: Facts },
}

/// Tells calls apart that are equal to the letter: where the text of the queue's name stands in
/// memory, since each call brings its own copy and the ledger keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallTag(usize);

impl CallTag {
    pub(crate) fn of(command: &Command) -> CallTag {
        let name: Option<&Name> = match command {
            Command::Canary => None,
            Command::CreateQueue { name, .. }
            | Command::ChangeQueue { name, .. }
            | Command::DeleteQueue { name }
            | Command::PurgeQueue { name }
            | Command::DescribeQueue { name }
            | Command::FindQueue { name }
            | Command::ListQueues { prefix: name, .. }
            | Command::Send { queue: name, .. }
            | Command::Receive { queue: name, .. }
            | Command::Delete { queue: name, .. }
            | Command::ChangeLease { queue: name, .. }
            | Command::TagQueue { name, .. }
            | Command::UntagQueue { name, .. }
            | Command::ListTags { name }
            | Command::ListSources { name, .. }
            | Command::StartMove { source: name, .. }
            | Command::ListMoves { source: name, .. }
            | Command::CancelMove { source: name, .. }
            | Command::Park { queue: name, .. }
            | Command::GiveBack { queue: name, .. }
            | Command::Peek { queue: name, .. } => Some(name),
            Command::Subscription(command) => Some(command.name()),
            Command::Broker(command) => Some(command.queue()),
            Command::Append(append) => Some(&append.store),
            Command::CreateEventStore { name }
            | Command::Indexed { store: name, .. }
            | Command::RecentEvents { store: name, .. }
            | Command::DescribeEvents { name } => Some(name),
        };
        CallTag(name.map_or(0, |name| name.as_str().as_ptr().addr()))
    }
}

impl Seen {
    pub(crate) fn take(&self) -> Vec<Sight> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, sight: Sight) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sight);
    }
}

impl Witness for Seen {
    fn decided(&mut self, at: Stamp, here: Place, command: &Command, verdict: &Verdict) {
        let (tag, moment, verdict) = (CallTag::of(command), Moment { at, here }, verdict.clone());
        self.push(Sight::Decided { tag, moment, verdict });
    }

    fn happened(&mut self, at: Stamp, here: Place, facts: &Facts) {
        self.push(Sight::Happened { moment: Moment { at, here }, facts: facts.clone() });
    }
}
