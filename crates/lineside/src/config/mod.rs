//! The configuration: what a file, the environment and the command line say, in this order of
//! strength, weakest first. Enter at [`load`]; every key is a row of [`table`].

pub(crate) mod apply;
mod check;
pub(crate) mod declare;
mod flags;
mod form;
mod layers;
mod model;
mod near;
mod page;
mod queue;
mod schema;
mod settings;
mod show;
mod subscription;
mod table;
mod yaml;

pub(crate) use apply::modules_of;
pub(crate) use flags::Flags;
pub(crate) use layers::{Loaded, load};
pub(crate) use settings::{Auth, AuthMode, ClockKind, LimitSet, Settings};
pub(crate) use show::run;
pub(crate) use table::FILE_DEFAULT;
#[cfg(test)]
pub(crate) use table::settings;

/// What stands where a secret would.
const MASK: &str = "********";
