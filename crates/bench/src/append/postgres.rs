//! PostgreSQL: one table of events, a unique key over stream and version, and prepared inserts in its
//! own protocol (version 3).
//!
//! Of the protocol only a start without a password, prepared statements and single queries are needed,
//! so the client is ours, as light as the one for HTTP, and no crate is built for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use super::{Appender, name_of};
use crate::native::data;
use crate::process::{Process, free_address, fresh};
use crate::row::Plan;

/// Debian's folder of versions.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Debian's user; the server refuses to be root.
const USER: &str = "postgres";
/// It listens before it takes connections.
const STARTS_MAX: usize = 500;
const BETWEEN_STARTS: Duration = Duration::from_millis(20);

const TABLE: &str = "CREATE TABLE events (stream text NOT NULL, version bigint NOT NULL, \
                     data bytea NOT NULL, UNIQUE (stream, version))";
/// How many rows there are; nothing if the versions of a stream have a gap.
const COUNT: &str = "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n, max(version) AS last \
                     FROM events GROUP BY stream) AS streams HAVING coalesce(bool_and(n = last), true)";

/// The programs of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?.filter_map(|version| {
        let version = version.ok()?;
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let programs = version.path().join("bin");
        programs.join("initdb").exists().then_some((number, programs))
    });
    versions.max().map(|(_, programs)| programs)
}

pub(super) fn missing() -> Option<String> {
    programs().is_none().then(|| "it is not installed: postgresql of Debian".to_owned())
}

/// A cluster of its own, and a connection to it.
pub(super) struct Server {
    process: Process,
    control: Session,
    programs: PathBuf,
    folder: PathBuf,
}

impl Server {
    pub(super) async fn start(plan: &Plan) -> anyhow::Result<Server> {
        let programs = programs().context("PostgreSQL is not installed")?;
        let address = free_address()?;
        let folder = fresh(&plan.data.join("postgres"))?;
        if is_root() {
            run(Command::new("chown").arg(USER).arg(&folder)).await?;
        }
        let mut initdb = as_user(&programs.join("initdb"), &folder);
        initdb.args(["-D", "data", "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C"]);
        run(&mut initdb).await?;
        let mut command = as_user(&programs.join("postgres"), &folder);
        command.args(["-D", "data", "-p", &address.port().to_string()]);
        let settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=on",
            "synchronous_commit=on",
        ];
        for setting in settings {
            command.args(["-c", setting]);
        }
        let process = Process::start(command, address, folder.clone()).await?;
        let mut control = Session::patient(address).await?;
        control.query(TABLE).await?;
        Ok(Server { process, control, programs, folder })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.process.address
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// How many events there are, each stream without a gap.
    pub(super) async fn count(&mut self) -> anyhow::Result<u64> {
        let counted = self.control.query(COUNT).await?;
        Ok(counted.context("the versions of a stream have a gap")?.parse()?)
    }

    /// Killed, it would leave memory behind that it shares.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        let mut stop = as_user(&self.programs.join("pg_ctl"), &self.folder);
        run(stop.args(["-D", "data", "-m", "immediate", "-s", "stop"])).await
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The program, as a user that it consents to be.
fn as_user(program: &Path, folder: &Path) -> Command {
    let mut command = if is_root() { Command::new("setpriv") } else { Command::new(program) };
    if is_root() {
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]).arg(program);
    }
    command.current_dir(folder);
    command
}

async fn run(command: &mut Command) -> anyhow::Result<()> {
    let done = command.output().await.with_context(|| format!("cannot start {command:?}"))?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{command:?} failed: {said}");
    Ok(())
}

/// A connection after its start.
struct Session {
    stream: BufReader<TcpStream>,
    out: Vec<u8>,
    body: Vec<u8>,
}

/// What came of a request.
#[derive(Default)]
struct Told {
    error: Option<String>,
    /// The first value of the first row.
    value: Option<String>,
    /// What a command says when it is done, such as `INSERT 0 1`.
    done: Option<String>,
}

impl Session {
    async fn patient(address: SocketAddr) -> anyhow::Result<Session> {
        let mut session = Session::open(address).await;
        for _ in 0..STARTS_MAX {
            if session.is_ok() {
                break;
            }
            tokio::time::sleep(BETWEEN_STARTS).await;
            session = Session::open(address).await;
        }
        session
    }

    async fn open(address: SocketAddr) -> anyhow::Result<Session> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stream = BufReader::new(stream);
        let mut session = Session { stream, out: Vec::new(), body: Vec::new() };
        let mut hello = 196_608_u32.to_be_bytes().to_vec();
        hello.extend_from_slice(format!("user\0{USER}\0database\0postgres\0\0").as_bytes());
        let length = u32::try_from(hello.len() + 4)?;
        session.out.extend_from_slice(&length.to_be_bytes());
        session.out.extend_from_slice(&hello);
        session.ask().await?;
        Ok(session)
    }

    /// Sends what was put, and reads until the server is ready for more.
    async fn ask(&mut self) -> anyhow::Result<Told> {
        self.stream.get_mut().write_all(&self.out).await?;
        self.out.clear();
        let mut told = Told::default();
        loop {
            let kind = self.stream.read_u8().await?;
            let length = self.stream.read_u32().await?.checked_sub(4).context("no length")?;
            self.body.resize(usize::try_from(length)?, 0);
            self.stream.read_exact(&mut self.body).await?;
            match kind {
                b'Z' => break,
                // It hangs up after this one.
                b'E' if words(&self.body).contains("FATAL") => bail!("{}", words(&self.body)),
                b'E' => told.error = Some(words(&self.body)),
                b'D' if told.value.is_none() => told.value = value(&self.body),
                b'C' => told.done = Some(words(&self.body)),
                b'R' => ensure!(self.body == [0; 4], "PostgreSQL wants a password"),
                _ => {}
            }
        }
        match told.error {
            Some(error) => bail!("PostgreSQL refused: {error}"),
            None => Ok(told),
        }
    }

    /// A query of its own; the first value of the first row.
    async fn query(&mut self, query: &str) -> anyhow::Result<Option<String>> {
        put(&mut self.out, b'Q', |out| text(out, query))?;
        Ok(self.ask().await?.value)
    }
}

/// Appends a message; its length is known when its body is there.
fn put(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) -> anyhow::Result<()> {
    out.push(kind);
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    body(out);
    let length = u32::try_from(out.len() - start)?.to_be_bytes();
    let place = out.get_mut(start..start + 4).context("no place for a length")?;
    place.copy_from_slice(&length);
    Ok(())
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

/// The fields of an error, or the tag of a command, for people.
fn words(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace('\0', " ").trim().to_owned()
}

/// The first value of a row, if it is there.
fn value(row: &[u8]) -> Option<String> {
    let (length, rest) = row.get(2..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
    Some(String::from_utf8_lossy(rest.get(..length)?).into_owned())
}

/// Inserts of so many rows, prepared.
pub(super) struct Inserts {
    session: Session,
    writer: usize,
    batch: u16,
    data: String,
    done: String,
}

impl Inserts {
    pub(super) async fn open(
        address: SocketAddr,
        writer: usize,
        batch: usize,
        bytes: usize,
    ) -> anyhow::Result<Inserts> {
        let mut session = Session::open(address).await?;
        let insert = insert(batch);
        put(&mut session.out, b'P', |out| {
            text(out, "append");
            text(out, &insert);
            out.extend_from_slice(&[0, 0]);
        })?;
        put(&mut session.out, b'S', |_| {})?;
        session.ask().await?;
        let done = format!("INSERT 0 {batch}");
        Ok(Inserts { session, writer, batch: u16::try_from(batch)?, data: data(bytes), done })
    }
}

/// $1 is the stream, $2 its version so far, and what follows are data.
fn insert(batch: usize) -> String {
    let row = |nth: usize| format!("($1, $2::bigint + {}, ${})", nth + 1, nth + 3);
    let rows: Vec<String> = (0..batch).map(row).collect();
    format!("INSERT INTO events (stream, version, data) VALUES {}", rows.join(", "))
}

/// The parameters in binary form, each behind its length; the results as text.
fn bind(out: &mut Vec<u8>, stream: &str, version: u64, data: &str, batch: u16) {
    text(out, "");
    text(out, "append");
    out.extend_from_slice(&[0, 1, 0, 1]);
    out.extend_from_slice(&(batch + 2).to_be_bytes());
    parameter(out, stream.as_bytes());
    parameter(out, &version.to_be_bytes());
    (0..batch).for_each(|_| parameter(out, data.as_bytes()));
    out.extend_from_slice(&[0, 0]);
}

fn parameter(out: &mut Vec<u8>, value: &[u8]) {
    // All that is sent here is far shorter than what the field can say.
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(value);
}

impl Appender for Inserts {
    async fn append(&mut self, stream: usize, version: u64) -> anyhow::Result<()> {
        let (name, data, batch) = (name_of(self.writer, stream), &self.data, self.batch);
        let out = &mut self.session.out;
        put(out, b'B', |out| bind(out, &name, version, data, batch))?;
        put(out, b'E', |out| out.extend_from_slice(&[0; 5]))?;
        put(out, b'S', |_| {})?;
        let told = self.session.ask().await?;
        ensure!(told.done.as_ref() == Some(&self.done), "not all rows were inserted");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_numbers_its_rows_from_the_version_on() {
        let two = "INSERT INTO events (stream, version, data) VALUES ($1, $2::bigint + 1, $3), \
                   ($1, $2::bigint + 2, $4)";
        assert_eq!(insert(2), two);
    }

    #[test]
    fn a_message_has_its_length_before_it() {
        let mut out = Vec::new();
        put(&mut out, b'Q', |out| text(out, "x")).unwrap();
        assert_eq!(out, b"Q\0\0\0\x06x\0");
    }

    #[test]
    fn a_row_has_its_value_or_none() {
        assert_eq!(value(b"\0\x01\0\0\0\x0242"), Some("42".to_owned()));
        assert_eq!(value(b"\0\x01\xff\xff\xff\xff"), None);
        assert_eq!(words(b"SFATAL\0C57P03\0\0"), "SFATAL C57P03");
    }
}
