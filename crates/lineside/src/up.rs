//! `lineside up`: wires log, engine and faces, and takes them down in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail};
use lineside_aws::Aws;
use lineside_core::id::PartitionId;
use lineside_core::limits::Limits;
use lineside_core::receipt::ReceiptKey;
use lineside_core::stamp::Millis;
use lineside_engine::checkpoint::BYTES_BETWEEN;
use lineside_engine::engine::{self, EngineFault, Handle, Options, Storage};
use lineside_engine::log::LogFault;
use lineside_engine::off_loop::on_own_thread;
use lineside_native::face::Native;
use lineside_store::{DiskLog, DiskOptions, Durability, MemoryLog, Recovery, Sync};
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::declare::{self, Declarations};
use crate::config::{self, AuthMode, ClockKind, Flags, LimitSet, Settings};
use crate::data;
use crate::descriptors;
use crate::events;
use crate::gate;
use crate::say;
use crate::server::Server;

/// How long open requests may take to end after SIGTERM.
const DRAIN_PATIENCE: Duration = Duration::from_secs(4);
/// Most connections that wait to be accepted; the kernel may allow fewer (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;
/// A start so long after the log's last stamp is worth a word.
const LONG_AWAY: Millis = Millis::seconds(86_400);

/// Runs a server until SIGTERM or SIGINT.
pub(crate) fn run(flags: &Flags) -> anyhow::Result<()> {
    let loaded = config::load(flags)?;
    loaded.notes.iter().for_each(|note| say(format_args!("{note}")));
    let options = &loaded.settings;
    let unchecked = options.auth.mode == AuthMode::None;
    if !options.listen.ip().is_loopback() && unchecked && !options.insecure {
        bail!(
            "{} can be reached by others, and nobody's signature is checked: listen on 127.0.0.1, \
             check signatures with --auth sigv4, or say --insecure",
            options.listen
        );
    }
    descriptors::raise();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot make the threads that serve")?;
    runtime.block_on(serve(options, Declarations::of(&loaded)))
}

async fn serve(options: &Settings, declarations: Declarations) -> anyhow::Result<()> {
    let listener = listen(options.listen);
    let listener = listener.with_context(|| format!("cannot listen on {}", options.listen))?;
    let endpoint = listener.local_addr().context("cannot learn the address that was taken")?;
    let endpoint = format!("http://{endpoint}");
    let data = options.data.clone().zip(options.durability.sync());
    let key = match &data {
        Some((directory, _)) => data::key(directory)?,
        None => data::fresh_key()?,
    };
    let log = Arc::new(OnceLock::new());
    let (engine, ended, sealed) = start_engine(options, data.clone(), log.clone());
    // Nobody is answered before the declared queues are there.
    let (opening, open) = watch::channel(false);
    let aws = gate::guard(Aws::new(engine.clone(), key), &options.auth)?;
    let native = Arc::new(OnceLock::new());
    let server = Server::new(aws.clone(), engine.clone(), native.clone(), log.clone(), open);
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(server.clone().serve(listener, stopping.clone()));
    let banner = Banner::of(options, endpoint, data);
    let announced = announce(
        engine.clone(),
        log.clone(),
        banner,
        declarations,
        (aws, native),
        (key, stopping),
        opening,
    );
    let mut announced = tokio::spawn(announced);
    let mut ended = ended;
    let mut outcome = Ok(());
    tokio::select! {
        signal = signalled() => signal?,
        Ok(Err(mistake)) = &mut announced => outcome = Err(mistake),
        fault = &mut ended => return explain(fault),
        reason = sealed => bail!("the log is sealed, nothing is acknowledged any more: {reason}"),
    }
    stop.send_replace(true);
    engine.dismiss();
    // A client that does not end its request in time loses its connection, not its data.
    let _ = tokio::time::timeout(DRAIN_PATIENCE, server.drained()).await;
    engine.finish();
    outcome.and(explain(ended.await))
}

/// As `TcpListener::bind`, but with room for more than its 128 connections that nobody has accepted
/// yet: who finds no room tries again a second later.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that starts again must not wait for what is left of connections to the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

type Ended = JoinHandle<Result<(), EngineFault>>;

fn start_engine(
    options: &Settings,
    data: Option<(PathBuf, Sync)>,
    opened: Arc<OnceLock<DiskLog>>,
) -> (Handle, Ended, impl Future<Output = String> + use<>) {
    let limits = match options.limits {
        LimitSet::Cloud => Limits::cloud(),
        LimitSet::Relaxed => Limits::relaxed(),
    };
    let engine_options = Options {
        partition: PartitionId(0),
        limits,
        steerable: options.clock == ClockKind::Steerable,
        inbox_max: options.inbox,
        checkpoint_bytes: BYTES_BETWEEN,
        state_bytes_max: options.state_bytes_max,
        notice: |text| say(format_args!("{text}")),
    };
    let (told, log) = oneshot::channel();
    let (engine, ended) = engine::start(engine_options, open(data, told, opened));
    let sealed = async move {
        match log.await {
            Ok(log) => DiskLog::sealed(&log).await,
            Err(_) => std::future::pending().await,
        }
    };
    (engine, ended, sealed)
}

/// Opens the log; a disk log is also given to whoever watches it for a failed write.
async fn open(
    data: Option<(PathBuf, Sync)>,
    told: oneshot::Sender<DiskLog>,
    opened: Arc<OnceLock<DiskLog>>,
) -> Result<Storage, LogFault> {
    let Some((directory, sync)) = data else {
        // A checkpoint would keep in memory what memory holds already.
        return Ok(Storage { log: Arc::new(MemoryLog::new()), blobs: None });
    };
    let options = DiskOptions { sync, ..DiskOptions::default() };
    let opening = on_own_thread("open", move || DiskLog::open(&directory, options)).await;
    let no_thread = |error| LogFault::NotOpened(format!("the log cannot be opened: {error}"));
    let log = opening.map_err(no_thread)?;
    let log = log.map_err(LogFault::from)?;
    report(log.recovery());
    drop((told.send(log.clone()), opened.set(log.clone())));
    Ok(Storage { blobs: Some(log.blobs()), log: Arc::new(log) })
}

/// A torn tail is worth a word, although nothing in it had been acknowledged.
fn report(recovery: &Recovery) {
    if let Some(place) = &recovery.torn_at {
        say(format_args!(
            "an unfinished write of {} bytes at {place} was cut off; none of it had been \
             acknowledged",
            recovery.torn_bytes
        ));
    }
}

fn explain(ended: Result<Result<(), EngineFault>, tokio::task::JoinError>) -> anyhow::Result<()> {
    match ended {
        Ok(result) => Ok(result?),
        Err(panic) => bail!("the engine stopped because of a bug in Lineside: {panic}"),
    }
}

/// Returns when this process is asked to end.
pub(crate) async fn signalled() -> anyhow::Result<()> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let (mut term, mut int) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

/// What the server says of itself when it is ready.
struct Banner {
    endpoint: String,
    durability: Durability,
    data: Option<PathBuf>,
    ready_file: Option<PathBuf>,
}

impl Banner {
    fn of(options: &Settings, endpoint: String, data: Option<(PathBuf, Sync)>) -> Banner {
        Banner {
            endpoint,
            durability: options.durability,
            data: data.map(|(directory, _)| directory),
            ready_file: options.ready_file.clone(),
        }
    }
}

async fn announce(
    engine: Handle,
    log: Arc<OnceLock<DiskLog>>,
    banner: Banner,
    declarations: Declarations,
    (aws, native): (Aws, Arc<OnceLock<Native>>),
    (key, stopping): (ReceiptKey, watch::Receiver<bool>),
    opening: watch::Sender<bool>,
) -> anyhow::Result<()> {
    say(format_args!("listening on {}", banner.endpoint));
    if !engine.ready().await {
        opening.send_replace(true);
        if let Some(why) = engine.read_only() {
            warn_of_damage(why, log.get()).await;
        }
        return Ok(());
    }
    declare::all(&declarations, &engine).await?;
    match events::open(engine.clone(), banner.data.clone(), key, stopping).await {
        Ok((events, face)) => {
            declare::beside_queues(&declarations, &face).await?;
            aws.keep_in(&events);
            drop(native.set(face));
        }
        // On a full disk, say: queues can be drained all the same.
        Err(error) => say(format_args!("events cannot be served before a restart: {error:#}")),
    }
    opening.send_replace(true);
    let kept = banner.data.as_ref().map_or("nowhere".to_owned(), |d| d.display().to_string());
    say(format_args!("ready; durability {}, data {kept}", banner.durability));
    if let Some(note) = engine.start_note() {
        let away = note.now.since(note.last);
        if note.last.0 > 0 && away > LONG_AWAY {
            say(format_args!("the last write was {} days ago", away.as_seconds() / 86_400));
        }
    }
    if let Some(path) = &banner.ready_file
        && let Err(error) = write_ready_file(path, &banner.endpoint)
    {
        say(format_args!("cannot write {}: {error}", path.display()));
    }
    Ok(())
}

/// Nothing will be written, so a person may look at the directory while the server still answers.
async fn warn_of_damage(why: &str, log: Option<&DiskLog>) {
    say(format_args!("OPEN FOR READING ONLY: {why}"));
    if let Some(log) = log {
        // If it cannot be had, the log is sealed, and whoever watches for that ends the server.
        let _ = log.share().await;
    }
    say(format_args!(
        "what is before the damage can be looked at, nothing is taken in or handed out; `lineside \
         verify` and `lineside log` work beside this server, `lineside repair` when it is stopped"
    ));
}

/// Appears whole or not at all.
fn write_ready_file(path: &Path, endpoint: &str) -> std::io::Result<()> {
    let content = serde_json::json!({
        "pid": std::process::id(), "endpoints": { "aws": endpoint, "native": format!("{endpoint}/v1") },
    });
    let new = path.with_extension("new");
    std::fs::write(&new, content.to_string())?;
    std::fs::rename(&new, path)
}
