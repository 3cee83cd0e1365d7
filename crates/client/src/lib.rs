//! Beside the floors: a client of the native API. It knows the wire and nothing else of Lineside.
//!
//! Owns requests, answers and problems as Rust values, and reads that follow. Enter at [`Client`]:
//! `append` says under which condition, `read` gives pages, `tail` stays open and connects again by
//! itself.

mod append;
mod client;
mod clock;
mod configuration;
mod error;
mod event;
mod read;
mod state;
mod subscription;
mod tail;

pub use append::{Append, Appended, Expected};
pub use client::Client;
pub use error::{ClientError, Problem};
pub use event::{Event, NewEvent};
pub use read::{Page, Read};
pub use state::{Difference, Model, Moment, Point, Program, State};
pub use subscription::{Delivery, Parked, Settled, Subscribe, Subscription};
pub use tail::{Tail, Told};
