//! The events of the native API, once the log is open: their index, and the face over both.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineside_aws::{DEFAULT_ACCOUNT, DEFAULT_REGION, sqs};
use lineside_core::id::Name;
use lineside_core::receipt::ReceiptKey;
use lineside_engine::engine::Handle;
use lineside_engine::events::{Events, SNAPSHOT_BYTES, States};
use lineside_engine::off_loop::on_own_thread;
use lineside_engine::subscriptions::Subscriptions;
use lineside_index::{Files, Folder, Index, Memory, Options};
use lineside_native::face::{Folding, Native, Prefixes, Subscribing};
use lineside_native::subscription::message_of;
use tokio::sync::watch;

use crate::{folds, say};

/// The folder of the data directory in which the index lies. It can be deleted while no server runs.
const FOLDER: &str = "events";

/// The event store of the native API.
const STORE: &str = "native/default";

/// What is beside it.
const PREFIXES: Prefixes = Prefixes {
    subscription: "native/default/subscription/",
    workers: "native/default/workers/",
    parked: "native/default/parked/",
};

/// Opens the index beside a log that is open, and lets it follow.
pub(crate) async fn open(
    engine: Handle,
    data: Option<PathBuf>,
    key: ReceiptKey,
    stopping: watch::Receiver<bool>,
) -> anyhow::Result<(Events, Native)> {
    let index = on_own_thread("index", move || index(data.as_deref())).await??;
    let store = Name::new(STORE);
    let events = Events::new(engine.clone(), index, store.clone(), tell);
    events.begin().await?;
    let prefix = Name::new(PREFIXES.subscription);
    let subscriptions =
        Subscriptions::new(engine.clone(), events.clone(), prefix, message_of, tell);
    subscriptions.begin().await?;
    let (queue_of, name_of) = (queue_of, name_of);
    let subscribing =
        Subscribing { subscriptions, store, prefixes: PREFIXES, key, queue_of, name_of };
    let states = States::new(events.clone(), SNAPSHOT_BYTES);
    let folding = Folding { states, open: folds::open };
    let native = Native::new(engine, events.clone(), subscribing, folding, stopping);
    Ok((events, native))
}

fn tell(text: &str) {
    say(format_args!("{text}"));
}

/// The queue that a plain name means is the one that the SDKs find under it; a resource of another
/// account or region goes by its full name.
fn queue_of(name: &str) -> Name {
    match name.starts_with("aws/") {
        true => Name::new(name),
        false => sqs::resource(DEFAULT_ACCOUNT, DEFAULT_REGION, name),
    }
}

fn name_of(queue: &Name) -> String {
    let home = queue_of("");
    queue.as_str().strip_prefix(home.as_str()).unwrap_or(queue.as_str()).to_owned()
}

fn index(data: Option<&Path>) -> anyhow::Result<Index> {
    let files: Arc<dyn Files> = match data {
        Some(data) => Arc::new(Folder::open(&data.join(FOLDER))?),
        None => Arc::new(Memory::default()),
    };
    // Whether it is of this log is seen by its last event, which the log has or has not.
    Ok(Index::open(files, Options::new([0; 16]))?)
}
