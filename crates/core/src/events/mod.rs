//! Event stores: streams of events, appended under conditions.
//!
//! An [`EventStore`] has no index of its events. It keeps the heads of those that the index on disk
//! has not said that it has ([`recent`]); a command brings along what the index said about the rest,
//! and as of which event ([`Known`]). `decide` joins both, so what it says is true of this moment.
//! What events carry lies in the log, as [`EventBody`], and tells by itself all that an index needs.
//! `evolve` looks at nothing but the fact: facts carry the numbers and versions that they were given.

mod append;
mod check;
mod decide;
mod event;
mod fact;
mod query;
mod recent;
mod refusal;
mod reply;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;

pub use append::{Append, Boundary, Expected, FirstAppend, Known, NewEvent};
pub use event::{Assigned, EventBody, EventContent, EventHead, ExtensionValue, category_of};
pub use fact::{Appended, EventStoreCreated, Indexed};
pub use query::{Query, QueryItem};
pub use refusal::{EventPart, EventRefusal, Moved};
pub use reply::{AppendReply, EventStoreDescription, RecentEvent, RecentEvents, RecentHead};
pub use store::EventStore;

pub(crate) use snapshot::{EventsMain, EventsSnapshot};
