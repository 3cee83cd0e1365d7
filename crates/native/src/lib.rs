//! Floor 2: the native face. So far its wire: bytes in, values out, and back.
//!
//! Owns the forms of the native API: CloudEvents in three modes, appends and queries in JSON, the
//! parameters of reads, problems, streams of events, and the document of it all. Must never know a
//! file, a socket, the log, or another cloud's words. Enter at [`append::Proposal::read`],
//! [`read::ReadEvents::parse`], [`frame::Frames`] and [`problem::Problem::response`].

mod accept;
pub mod append;
pub mod bounds;
pub mod cloudevents;
pub mod face;
pub mod frame;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod json;
pub mod model;
pub mod openapi;
mod params;
pub mod problem;
mod query;
pub mod queue;
pub mod read;
mod refusal;
pub mod subscription;
mod text;
mod time;
mod uri;
