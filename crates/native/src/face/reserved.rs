//! Streams that are the server's own.

use lineside_core::events::NewEvent;

use crate::problem::{Kind, Problem};
use crate::text::shown;

/// What the names of the server's own streams begin with.
const RESERVED: char = '$';

/// Refuses what would write to one of them: what lies there the server believes.
pub(super) fn check(events: &[NewEvent]) -> Result<(), Problem> {
    let mut streams = events.iter().map(|event| event.stream.as_str());
    match streams.find(|stream| stream.starts_with(RESERVED)) {
        None => Ok(()),
        Some(stream) => {
            let rule = "Streams whose names begin with `$` are written by the server alone";
            let detail = format!("{rule}, and {} is one.", shown(stream));
            Err(Problem::new(Kind::ReservedStream, detail))
        }
    }
}
