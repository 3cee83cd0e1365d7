//! The events of the native API, once the log is open: their index, and the face over both.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineside_core::id::Name;
use lineside_engine::engine::Handle;
use lineside_engine::events::Events;
use lineside_engine::off_loop::on_own_thread;
use lineside_index::{Files, Folder, Index, Memory, Options};
use lineside_native::face::Native;
use tokio::sync::watch;

use crate::say;

/// The folder of the data directory in which the index lies. It can be deleted while no server runs.
const FOLDER: &str = "events";

/// The event store of the native API.
const STORE: &str = "native/default";

/// Opens the index beside a log that is open, and lets it follow.
pub(crate) async fn open(
    engine: Handle,
    data: Option<PathBuf>,
    stopping: watch::Receiver<bool>,
) -> anyhow::Result<Native> {
    let index = on_own_thread("index", move || index(data.as_deref())).await??;
    let events = Events::new(engine, index, Name::new(STORE), |text| say(format_args!("{text}")));
    events.begin().await?;
    Ok(Native::new(events, stopping))
}

fn index(data: Option<&Path>) -> anyhow::Result<Index> {
    let files: Arc<dyn Files> = match data {
        Some(data) => Arc::new(Folder::open(&data.join(FOLDER))?),
        None => Arc::new(Memory::default()),
    };
    // Whether it is of this log is seen by its last event, which the log has or has not.
    Ok(Index::open(files, Options::new([0; 16]))?)
}
