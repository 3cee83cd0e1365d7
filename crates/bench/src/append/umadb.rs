//! UmaDB: events with their stream as a tag, appended if nothing with that tag has come after the last
//! one that the writer knows; in its own protocol, gRPC.
//!
//! Of HTTP/2 only one request at a time on a connection is needed, whose answer is told by its data
//! alone: an append that is refused has none. So no header is ever decoded, and the client is ours.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use super::{Appender, STREAMS, name_of};
use crate::native::data;
use crate::process::{Process, free_address, fresh};
use crate::products::absent;
use crate::row::Plan;

const PROGRAM: &str = "bench-umadb/bin/umadb";

pub(super) fn missing(plan: &Plan) -> Option<String> {
    absent(plan, PROGRAM, "make bench-umadb")
}

pub(super) async fn start(plan: &Plan) -> anyhow::Result<Process> {
    let address = free_address()?;
    let folder = fresh(&plan.data.join("umadb"))?;
    let mut command = Command::new(plan.tools.canonicalize()?.join(PROGRAM));
    command.args(["--listen", &address.to_string(), "--db-path", "uma.db"]);
    Process::start(command, address, folder).await
}

/// How many events there are: the number of the last one, since numbers have no gaps.
pub(super) async fn count(address: SocketAddr) -> anyhow::Result<u64> {
    let mut session = Session::open(address).await?;
    let answer = session.call("/umadb.v1.DCB/Head", &[]).await?;
    if answer.is_empty() { Ok(0) } else { position(&answer) }
}

/// A connection for one request after another (RFC 9113).
struct Session {
    stream: BufReader<TcpStream>,
    authority: String,
    /// The id of the next request's stream.
    next: u32,
    /// Bytes that may be sent before the server gives room for more.
    room: i64,
    out: Vec<u8>,
    payload: Vec<u8>,
}

/// What is there for a connection, and for each request, at first.
const ROOM: i64 = 65_535;
/// The most that a frame may have, unless the server says more.
const FRAME_MAX: usize = 16_384;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// Of a request's or answer's last frame; of settings and pings it says that they are answers.
const END: u8 = 1;
const END_HEADERS: u8 = 4;

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Session {
    async fn open(address: SocketAddr) -> anyhow::Result<Session> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut out = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        frame(&mut out, SETTINGS, 0, 0, &[])?;
        // Room for all answers there will be, so that none has to be given later.
        frame(&mut out, WINDOW_UPDATE, 0, 0, &0x7fff_0000_u32.to_be_bytes())?;
        Ok(Session {
            stream: BufReader::new(stream),
            authority: address.to_string(),
            next: 1,
            room: ROOM,
            out,
            payload: Vec::new(),
        })
    }

    /// The message that answers a message.
    async fn call(&mut self, path: &str, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let stream = self.next;
        self.next += 2;
        let mut data = vec![0];
        data.extend_from_slice(&u32::try_from(message.len())?.to_be_bytes());
        data.extend_from_slice(message);
        ensure!(data.len() <= FRAME_MAX, "a message of {} bytes", data.len());
        let needed = i64::try_from(data.len())?;
        while self.room < needed {
            self.read().await?;
        }
        self.room -= needed;
        let head = head(path, &self.authority);
        frame(&mut self.out, HEADERS, END_HEADERS, stream, &head)?;
        frame(&mut self.out, DATA, END, stream, &data)?;
        self.flush().await?;
        self.answer(stream).await
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        self.stream.get_mut().write_all(&self.out).await?;
        self.out.clear();
        Ok(())
    }

    async fn answer(&mut self, stream: u32) -> anyhow::Result<Vec<u8>> {
        let mut data = Vec::new();
        loop {
            let frame = self.read().await?;
            if frame.stream != stream {
                continue;
            }
            ensure!(frame.kind != RST_STREAM, "UmaDB gave up a request");
            if frame.kind == DATA {
                data.extend_from_slice(&self.payload);
            }
            if matches!(frame.kind, DATA | HEADERS) && frame.flags & END == END {
                break;
            }
        }
        let (head, message) = data.split_first_chunk::<5>().context("UmaDB refused a request")?;
        let [_, a, b, c, d] = *head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d]))?;
        ensure!(length == message.len(), "a message of {length} bytes has {}", message.len());
        Ok(message.to_vec())
    }

    /// The next frame, whose payload lies in `payload`; what is of the connection is done here.
    async fn read(&mut self) -> anyhow::Result<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, d, e, f, g] = head;
        self.payload.resize(usize::try_from(u32::from_be_bytes([0, a, b, c]))?, 0);
        self.stream.read_exact(&mut self.payload).await?;
        let stream = u32::from_be_bytes([d, e, f, g]);
        match (kind, stream) {
            (SETTINGS, _) if flags & END == 0 => frame(&mut self.out, SETTINGS, END, 0, &[])?,
            (PING, _) if flags & END == 0 => frame(&mut self.out, PING, END, 0, &self.payload)?,
            (WINDOW_UPDATE, 0) => {
                let more = self.payload.first_chunk::<4>().context("room without a number")?;
                self.room += i64::from(u32::from_be_bytes(*more));
            }
            (GOAWAY, _) => bail!("UmaDB went away: {}", String::from_utf8_lossy(&self.payload)),
            _ => {}
        }
        if matches!(kind, SETTINGS | PING) && !self.out.is_empty() {
            self.flush().await?;
        }
        Ok(Frame { kind, flags, stream })
    }
}

fn frame(
    out: &mut Vec<u8>,
    kind: u8,
    flags: u8,
    stream: u32,
    payload: &[u8],
) -> anyhow::Result<()> {
    let [zero, a, b, c] = u32::try_from(payload.len())?.to_be_bytes();
    ensure!(zero == 0, "a frame of {} bytes", payload.len());
    out.extend_from_slice(&[a, b, c, kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    Ok(())
}

/// The headers of a request (RFC 7541): by their number where the table has them, else as text.
fn head(path: &str, authority: &str) -> Vec<u8> {
    let mut out = vec![0x83, 0x86];
    text(&mut out, &[0x04], path);
    text(&mut out, &[0x01], authority);
    text(&mut out, &[0x0f, 0x10], "application/grpc");
    text(&mut out, b"\0\x02te", "trailers");
    out
}

/// A text behind what says which header it is of; none here is longer than 126 bytes.
fn text(out: &mut Vec<u8>, name: &[u8], value: &str) {
    out.extend_from_slice(name);
    out.push(u8::try_from(value.len()).unwrap_or(126));
    out.extend_from_slice(value.as_bytes());
}

/// Appends a number of a message.
fn number(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}

/// Appends a field of bytes, of text or of another message.
fn field(out: &mut Vec<u8>, nth: u8, value: &[u8]) {
    out.push(nth << 3 | 2);
    number(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// The first field of an answer, a number.
fn position(message: &[u8]) -> anyhow::Result<u64> {
    let mut value = 0;
    ensure!(message.first() == Some(&8), "no position in an answer");
    for (nth, byte) in message.iter().skip(1).take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * nth);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    bail!("a position without an end")
}

/// Appends of so many events.
pub(super) struct Grpc {
    session: Session,
    writer: usize,
    batch: usize,
    data: String,
    /// The number of the last event of each stream.
    last: Vec<Option<u64>>,
}

impl Grpc {
    pub(super) async fn open(
        address: SocketAddr,
        writer: usize,
        batch: usize,
        bytes: usize,
    ) -> anyhow::Result<Grpc> {
        let session = Session::open(address).await?;
        Ok(Grpc { session, writer, batch, data: data(bytes), last: vec![None; STREAMS] })
    }

    fn message(&self, stream: &str, last: Option<u64>) -> Vec<u8> {
        let (mut event, mut query, mut condition) = (Vec::new(), Vec::new(), Vec::new());
        field(&mut event, 1, b"Posted");
        field(&mut event, 2, stream.as_bytes());
        field(&mut event, 3, self.data.as_bytes());
        let mut item = Vec::new();
        field(&mut item, 2, stream.as_bytes());
        field(&mut query, 1, &item);
        field(&mut condition, 1, &query);
        if let Some(last) = last {
            condition.push(2 << 3);
            number(&mut condition, last);
        }
        let mut message = Vec::new();
        (0..self.batch).for_each(|_| field(&mut message, 1, &event));
        field(&mut message, 2, &condition);
        message
    }
}

impl Appender for Grpc {
    async fn append(&mut self, stream: usize, _: u64) -> anyhow::Result<()> {
        let last = self.last.get(stream).copied().flatten();
        let message = self.message(&name_of(self.writer, stream), last);
        let answer = self.session.call("/umadb.v1.DCB/Append", &message).await?;
        if let Some(last) = self.last.get_mut(stream) {
            *last = Some(position(&answer)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for value in [0, 1, 127, 128, 300, u64::MAX] {
            let mut message = vec![8];
            number(&mut message, value);
            assert_eq!(position(&message).unwrap(), value);
        }
        assert!(position(b"").is_err() && position(b"\x08\x80").is_err());
    }

    #[test]
    fn a_frame_has_its_length_kind_and_stream() {
        let mut out = Vec::new();
        frame(&mut out, DATA, END, 5, b"ab").unwrap();
        assert_eq!(out, b"\0\0\x02\0\x01\0\0\0\x05ab");
        let mut out = Vec::new();
        field(&mut out, 2, b"xy");
        assert_eq!(out, b"\x12\x02xy");
    }
}
