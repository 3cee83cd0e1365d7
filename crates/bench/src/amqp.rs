//! RabbitMQ: `basic.publish` with confirms, over AMQP 0-9-1, and no more of it than that takes.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::process::{Process, free_address, fresh};
use crate::publish::Publisher;
use crate::row::Plan;

const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const QUEUE: &str = "bench";

/// How long a queue's count may lag behind its confirms.
const COUNT_PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn missing() -> Option<String> {
    let text = "it is not installed: rabbitmq-server of Debian";
    (!Path::new(PROGRAM).exists()).then(|| text.to_owned())
}

/// A broker, and the name service of Erlang that it would otherwise leave running.
pub(crate) struct Broker {
    pub(crate) server: Process,
    _names: Process,
}

pub(crate) async fn start(plan: &Plan) -> anyhow::Result<Broker> {
    let names_at = free_address()?;
    let names_port = names_at.port().to_string();
    let mut names = Command::new("epmd");
    names.args(["-address", "127.0.0.1", "-port", &names_port]);
    let names = Process::start(names, names_at, fresh(&plan.data.join("epmd"))?).await?;
    let (address, distribution) = (free_address()?, free_address()?);
    let folder = fresh(&plan.data.join("rabbitmq"))?;
    std::fs::write(folder.join("enabled_plugins"), "[].\n")?;
    std::fs::write(folder.join("bench.conf"), format!("listeners.tcp.1 = {address}\n"))?;
    let mut command = Command::new(PROGRAM);
    command.env("HOME", &folder).env("ERL_EPMD_PORT", names_port);
    command.env("ERL_EPMD_ADDRESS", "127.0.0.1");
    command.env("RABBITMQ_NODENAME", format!("bench{}@localhost", address.port()));
    command.env("RABBITMQ_DIST_PORT", distribution.port().to_string());
    let loopback = "-kernel inet_dist_use_interface {127,0,0,1}";
    command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", loopback);
    command.env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"));
    command.env("RABBITMQ_LOG_BASE", folder.join("log"));
    command.env("RABBITMQ_CONFIG_FILE", folder.join("bench.conf"));
    command.env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("enabled_plugins"));
    command.env("RABBITMQ_PID_FILE", folder.join("pid"));
    Ok(Broker { server: Process::start(command, address, folder).await?, _names: names })
}

// Frames.
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const END: u8 = 0xCE;
/// Type, channel and size.
const HEAD_BYTES: usize = 7;

/// A method: its class and its number in it.
type Method = (u16, u16);

const START: Method = (10, 10);
const START_OK: Method = (10, 11);
const TUNE: Method = (10, 30);
const TUNE_OK: Method = (10, 31);
const OPEN: Method = (10, 40);
const OPEN_OK: Method = (10, 41);
const CHANNEL_OPEN: Method = (20, 10);
const CHANNEL_OPEN_OK: Method = (20, 11);
const DECLARE: Method = (50, 10);
const DECLARE_OK: Method = (50, 11);
const PUBLISH: Method = (60, 40);
const ACK: Method = (60, 80);
const CONFIRM: Method = (85, 10);
const CONFIRM_OK: Method = (85, 11);

fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + HEAD_BYTES + 1);
    frame.put_u8(kind);
    frame.put_u16(channel);
    frame.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
    frame.extend_from_slice(payload);
    frame.put_u8(END);
    frame
}

fn method(channel: u16, (class, number): Method, arguments: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    payload.put_u16(class);
    payload.put_u16(number);
    payload.extend_from_slice(arguments);
    frame(METHOD, channel, &payload)
}

fn short(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    [&[length], text.as_bytes()].concat()
}

fn long(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), text].concat()
}

/// The next whole frame: its kind and what it carries.
fn next(read: &mut BytesMut) -> Option<(u8, BytesMut)> {
    let mut head = read.get(..HEAD_BYTES)?;
    let (kind, _channel, size) = (head.get_u8(), head.get_u16(), head.get_u32());
    let size = usize::try_from(size).ok()?;
    if read.len() <= HEAD_BYTES + size {
        return None;
    }
    read.advance(HEAD_BYTES);
    let payload = read.split_to(size);
    read.advance(1);
    Some((kind, payload))
}

/// Takes the method off a payload.
fn taken(payload: &mut BytesMut) -> anyhow::Result<Method> {
    Ok((payload.try_get_u16()?, payload.try_get_u16()?))
}

/// Reads the method that must come now; its arguments.
async fn expect(stream: &mut TcpStream, wanted: Method) -> anyhow::Result<BytesMut> {
    let mut read = BytesMut::new();
    loop {
        if let Some((_, mut payload)) = next(&mut read) {
            let got = taken(&mut payload)?;
            let said = String::from_utf8_lossy(&payload);
            ensure!(got == wanted, "RabbitMQ said {got:?} instead of {wanted:?}: {said}");
            return Ok(payload);
        }
        ensure!(stream.read_buf(&mut read).await? > 0, "RabbitMQ hung up");
    }
}

/// A connection with a channel that confirms.
pub(crate) async fn connect(address: SocketAddr, _: usize) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"AMQP\0\0\x09\x01").await?;
    expect(&mut stream, START).await?;
    let credentials = long(b"\0guest\0guest");
    let arguments = [long(b""), short("PLAIN"), credentials, short("en_US")].concat();
    stream.write_all(&method(0, START_OK, &arguments)).await?;
    let mut tune = expect(&mut stream, TUNE).await?;
    let (channels, bytes) = (tune.try_get_u16()?, tune.try_get_u32()?);
    // No heartbeats.
    let arguments = [&channels.to_be_bytes()[..], &bytes.to_be_bytes(), &[0, 0]].concat();
    stream.write_all(&method(0, TUNE_OK, &arguments)).await?;
    stream.write_all(&method(0, OPEN, &[short("/"), short(""), vec![0]].concat())).await?;
    expect(&mut stream, OPEN_OK).await?;
    stream.write_all(&method(1, CHANNEL_OPEN, &short(""))).await?;
    expect(&mut stream, CHANNEL_OPEN_OK).await?;
    stream.write_all(&method(1, CONFIRM, &[0])).await?;
    expect(&mut stream, CONFIRM_OK).await?;
    Ok(stream)
}

/// Declares the queue. Peers of the name service listen before the broker does.
pub(crate) async fn prepare(server: &Process) -> anyhow::Result<TcpStream> {
    let mut stream = connect(server.address, 0).await?;
    declare(&mut stream, false).await?;
    Ok(stream)
}

/// How many messages the queue has, once that no longer changes.
pub(crate) async fn count(stream: &mut TcpStream) -> anyhow::Result<u64> {
    let until = Instant::now() + COUNT_PATIENCE;
    let mut count = declare(stream, true).await?;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let again = declare(stream, true).await?;
        if again == count && count > 0 || Instant::now() > until {
            return Ok(again);
        }
        count = again;
    }
}

/// Makes the queue, or only asks for it; how many messages it has.
async fn declare(stream: &mut TcpStream, passive: bool) -> anyhow::Result<u64> {
    const DURABLE: u8 = 2;
    let table = [short("x-queue-type"), vec![b'S'], long(b"quorum")].concat();
    let flags = vec![DURABLE | u8::from(passive)];
    let arguments = [vec![0, 0], short(QUEUE), flags, long(&table)].concat();
    stream.write_all(&method(1, DECLARE, &arguments)).await?;
    let mut answer = expect(stream, DECLARE_OK).await?;
    let name = usize::from(answer.try_get_u8()?);
    ensure!(answer.len() >= name, "a name that is cut off");
    answer.advance(name);
    Ok(u64::from(answer.try_get_u32()?))
}

pub(crate) struct Amqp {
    request: Vec<u8>,
    /// All up to here are confirmed.
    floor: u64,
    /// And these beyond.
    apart: BTreeSet<u64>,
}

impl Amqp {
    pub(crate) fn new(bytes: usize) -> Amqp {
        const PERSISTENT: u8 = 2;
        const HAS_DELIVERY_MODE: u16 = 0x1000;
        let arguments = [vec![0, 0], short(""), short(QUEUE), vec![0]].concat();
        let mut header = Vec::new();
        header.put_u16(PUBLISH.0);
        header.put_u16(0);
        header.put_u64(bytes as u64);
        header.put_u16(HAS_DELIVERY_MODE);
        header.put_u8(PERSISTENT);
        let body = vec![b'x'; bytes];
        let frames =
            [method(1, PUBLISH, &arguments), frame(HEADER, 1, &header), frame(BODY, 1, &body)];
        Amqp { request: frames.concat(), floor: 0, apart: BTreeSet::new() }
    }

    /// How many messages a confirm is for that had none yet.
    fn confirm(&mut self, tag: u64, and_all_before: bool) -> u64 {
        let mut count = u64::from(tag > self.floor && self.apart.insert(tag));
        if and_all_before && tag > self.floor {
            let beyond = self.apart.split_off(&tag.saturating_add(1));
            let known = std::mem::replace(&mut self.apart, beyond).len() as u64;
            count += tag - self.floor - known;
            self.floor = tag;
        }
        while self.apart.remove(&(self.floor + 1)) {
            self.floor += 1;
        }
        count
    }
}

impl Publisher for Amqp {
    fn publish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn confirmed(&mut self, read: &mut BytesMut) -> anyhow::Result<u64> {
        let mut count = 0;
        while let Some((kind, mut payload)) = next(read) {
            if kind != METHOD {
                continue;
            }
            match taken(&mut payload)? {
                ACK => {
                    let tag = payload.try_get_u64().context("a confirm that is cut off")?;
                    count += self.confirm(tag, payload.try_get_u8()? & 1 == 1);
                }
                other => bail!("RabbitMQ said {other:?}: {}", String::from_utf8_lossy(&payload)),
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_confirmed_once() {
        let mut amqp = Amqp::new(1);
        assert_eq!(amqp.confirm(2, false), 1);
        assert_eq!(amqp.confirm(2, false), 0);
        assert_eq!(amqp.confirm(5, false), 1);
        assert_eq!(amqp.confirm(4, true), 3);
        assert_eq!((amqp.floor, amqp.apart.len()), (5, 0));
        assert_eq!(amqp.confirm(5, true), 0);
        assert_eq!(amqp.confirm(7, true), 2);
    }

    #[test]
    fn a_frame_is_taken_when_it_is_whole() {
        let ack = method(1, ACK, &[&3_u64.to_be_bytes()[..], &[1]].concat());
        let mut read = BytesMut::from(&ack[..ack.len() - 1]);
        let mut amqp = Amqp::new(1);
        assert_eq!(amqp.confirmed(&mut read).unwrap(), 0);
        read.put_u8(END);
        assert_eq!(amqp.confirmed(&mut read).unwrap(), 3);
        assert!(read.is_empty());
    }
}
